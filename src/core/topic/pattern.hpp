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

/// What a text needs to match: a word of each list; no lists: nothing that could be told by words. Where a word begins, ends, or meets one
/// of another kind there is kBoundary.
using Needed = std::vector<std::vector<std::string>>;
inline constexpr char kBoundary = kStarts;
inline constexpr std::size_t kShortWord = 2; ///< bytes: shorter ones tell nothing
/// The ways to match a pattern: what it matches has what one of them needs. None of a pattern that can't be used.
std::vector<Needed> ways_to_match(Normaliser &n, std::string_view pattern);

/// Whether a pattern can be used: translated, and compiled in the memory that one may have.
std::optional<PatternProblem> check_pattern(Normaliser &n, std::string_view pattern, Extent extent = Extent::within);

} // namespace pql::topic

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
