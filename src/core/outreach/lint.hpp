// What stands in a text to somebody who didn't ask for it, and shouldn't.
// Law: the same text is always judged the same; the time is proportional to its length, whatever it is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pql {

/// Something that a text must not have.
struct Fault {
  enum class What : unsigned char {
    observed,  ///< it says that the reader was watched
    counted,   ///< it says how often the reader did something
    event,     ///< a name of an event, as software writes it
    id,        ///< an id
    moment,    ///< an instant to the minute or the second
    barred,    ///< something that may not be mentioned
    invisible, ///< characters that nobody sees
  } what;
  std::string found; ///< the words

  bool operator==(const Fault &) const = default;
};

/// What of a program matters to a text.
struct Vocabulary {
  std::vector<std::string> events;  ///< names of events
  std::vector<std::string> barred;  ///< names of what may not be mentioned
  std::vector<std::string> numbers; ///< placeholders that are numbers
};

/// What there is to say of a text.
struct Look {
  std::vector<Fault> faults;  ///< at most kMaxFaults told by words, and as many names of events that aren't words
  std::vector<std::string> asks;  ///< sentences that ask something of the reader: by a question, a call to action or a link
};
inline constexpr std::size_t kMaxFaults = 20;

/// Looks at a text. Placeholders ({{name}}) are words, or numbers.
Look look_at(std::string_view text, const Vocabulary &vocabulary = {});

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
