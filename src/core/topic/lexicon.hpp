// Lexica: what tells of a topic in a language, what denies it, and what quotes somebody else.
// Law: a line is understood as it is written, or refused with its number; nothing is guessed.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/topic/pattern.hpp"

namespace pql::topic {

/// What a pattern is for.
enum class Kind : unsigned char {
  topic,    ///< tells of the topic
  before,   ///< denies what comes soon after it
  after,    ///< denies what came shortly before it
  clause,   ///< ends a clause
  question, ///< asks: what its clause holds isn't denied
  quote,    ///< of a whole line: what follows it somebody else said
  aside,    ///< tells that its sentence, asked or not, is about something else
  common,   ///< an everyday word, which tells the language of its sentence
};
inline constexpr std::array<std::string_view, 8> kKindNames = {"topic", "before", "after", "break", "question", "quote", "aside", "common"};
std::optional<Kind> kind_named(std::string_view) noexcept;
inline Extent extent_of(Kind k) noexcept { return k == Kind::quote ? Extent::whole : Extent::within; }

/// Of what is said in many languages, such as names of standards: a code of ISO 639-2, as 639-1 has none.
inline constexpr std::string_view kAnyLanguage = "mul";

/// A line of a lexicon.
struct Entry {
  std::string language; ///< of ISO 639-1, or kAnyLanguage
  Kind kind = Kind::topic;
  std::string topic; ///< empty but for topics
  std::string pattern;
};

/// Something wrong with a lexicon's file.
struct LexiconProblem {
  std::size_t line = 0;
  std::string problem;
};

/// Reads a file (lexicon/LANG.tsv): adds its entries, and what is wrong with its lines. Patterns are checked.
void read_lexicon(Normaliser &n, std::string_view language, std::string_view text, std::vector<Entry> &entries, std::vector<LexiconProblem> &problems);

/// Whether it may be the name of a topic.
bool is_topic_name(std::string_view) noexcept;

} // namespace pql::topic

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
