// What a text to somebody who didn't ask for it must not say, in the words of several languages.
#pragma once

#include <span>
#include <string_view>

namespace pql {

/// What a phrase does.
enum class Says : unsigned char {
  observed, ///< that somebody was watched
  counted,  ///< how often somebody did something
  asks,     ///< what the reader is to do
};

/// Words as fold() leaves them, between blanks. "a|b" is one of some, "[a|b]" one of them or none, "*" up to three words, whatever they
/// are, "#" a number, also as one of some. "^" before all: at the beginning of a sentence; "!a|b": not after these. All of it stands in one sentence.
struct Phrase {
  Says says;
  std::string_view words;
};
/// All languages together: a text needn't say in which it is.
std::span<const Phrase> phrases() noexcept;

/// Words that are numbers.
bool is_number_word(std::string_view folded) noexcept;
/// Words after which a sentence as good as begins: "please", "just".
bool opens_sentence(std::string_view folded) noexcept;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
