// Patterns as they are written, and as RE2 gets them: over normalised texts, in which marks tell where words begin and end.
// Law: a pattern that isn't refused here, and fits into kPatternMemory, matches in time linear in the text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/topic/normalise.hpp"

namespace pql::topic {

/// Something wrong with a pattern.
struct PatternProblem {
  std::size_t position = 1; ///< of the byte at which it shows, from 1
  std::string problem;      ///< in PostgreSQL's style: lower case, no full stop
};

/// Where a pattern may match: anywhere in a sentence, or all of a line.
enum class Extent : unsigned char { within, whole };

inline constexpr std::size_t kLongPattern = 2000; ///< bytes
inline constexpr int kPatternMemory = 1 << 20;    ///< for RE2, of a pattern by itself

/// A pattern as RE2 gets it.
std::optional<std::string> translate(Normaliser &n, std::string_view pattern, Extent extent, PatternProblem *why);

/// Code points: farther than anything in a sentence.
inline constexpr int kFar = 1 << 20;

/// A step through the texts of a phrase.
struct Step {
  enum Kind : std::uint32_t {
    byte,     ///< this one comes next
    boundary, ///< a word begins, ends or meets one of another kind here
    fork,     ///< goes on with the next step, and `over` steps ahead
    jump,     ///< goes on `over` steps ahead
    end,      ///< of a text
  };
  static constexpr std::uint32_t kMostOver = (1 << 21) - 1;
  std::uint32_t kind : 3, value : 8, over : 21;
};

/// Few texts of bounded length, one of which is in whatever a pattern matches.
struct Phrase {
  std::vector<Step> steps;
  double chance = 1; ///< to be met wherever one looks, roughly
  int before = 0;    ///< code points at the most between the end of the phrase before it and its beginning
  int most = 0;      ///< code points at the most of its own
};

/// What a text needs to match: all of these phrases, in their order; none: nothing that could be told by phrases.
using Needed = std::vector<Phrase>;
/// The ways to match a pattern: what it matches has what one of them needs. None of a pattern that can't be used.
std::vector<Needed> ways_to_match(Normaliser &n, std::string_view pattern);

/// Whether a pattern can be used: translated, and compiled in the memory that one may have.
std::optional<PatternProblem> check_pattern(Normaliser &n, std::string_view pattern, Extent extent = Extent::within);

} // namespace pql::topic

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
