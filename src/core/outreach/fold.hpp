// A text as it is compared with words: lower case, without accents, tricks of spelling and what nobody sees.
// Law: any bytes do; the result is as long as the text, about, and each of its bytes knows where in the text it comes from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pql {

/// Letters of Latin scripts are folded to a-z (and so are others that look like them), digits to 0-9, punctuation to ASCII or a blank;
/// other letters stay as they are, and what is invisible or no UTF-8 is gone.
struct Folded {
  std::string text;
  std::vector<std::uint32_t> origin; ///< of each byte, and of the end
};
Folded fold(std::string_view text);

/// Whether a text has characters that nobody sees: controls other than line ends, zero-width ones, those that turn the direction of writing.
bool has_invisible(std::string_view text) noexcept;

/// A text on one line, without what nobody sees: a value that stands in a sentence.
std::string on_one_line(std::string_view text);

/// Characters of a text, not bytes; each byte that is no UTF-8 is one.
std::size_t count_characters(std::string_view text) noexcept;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
