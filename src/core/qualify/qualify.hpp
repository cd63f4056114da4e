// When a subject enters a program, stays and leaves: hysteresis, dwell and cool-down.
// Law: what is decided depends on how the score went, not on how often somebody looked.
#pragma once

#include <optional>
#include <span>

#include "core/program/program.hpp"
#include "core/qualify/standing.hpp"

namespace pql {

/// What a look at a subject finds.
struct Sight {
  int score = 0;
  bool in_segment = true;
  bool fit = true; ///< the kinds and rules that entering takes besides the score
};

/// Whether it is low enough to leave: below the threshold, or no longer of those whom the program is about.
inline bool is_below(const QualifyDef &q, const Sight &s) noexcept { return s.score < q.leave || !s.in_segment; }

/// Whether a subject without an open episode enters at an instant. `last` is what is remembered of an earlier episode, or null.
inline bool enters(const QualifyDef &q, const Standing *last, const Sight &s, Micros at) noexcept {
  return s.score >= q.enter && s.in_segment && s.fit && (!last || last->open || at >= last->since);
}

/// Looks at an open episode at an instant. `fell` is since when it has been low, if it is and wasn't at the last look. Returns when the
/// episode ended, kNever if it goes on.
Micros look(Standing &open, const QualifyDef &q, const Sight &s, Micros at, Micros fell) noexcept;

/// When an open episode ends if nothing happens; `falls` is when the score falls below the threshold then.
Micros end_of(const Standing &open, const QualifyDef &q, Micros falls) noexcept;

/// Whether there are points of all the kinds that entering takes. `points` by kind, in the order of the enumeration.
bool has_kinds(const QualifyDef &q, std::span<const int> points) noexcept;

inline constexpr std::size_t kKinds = 6;

/// When something fell, by halves, that is low at `to`; nothing if it was low at `from` already, or that isn't earlier. If it fell several
/// times, one of them.
template <class F>
std::optional<Micros> fell_between(Micros from, Micros to, F &&is_low) {
  if (to <= from || is_low(from)) return {};
  while (to - from > 1) {
    const Micros middle = from + (to - from) / 2;
    (is_low(middle) ? to : from) = middle;
  }
  return to;
}

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
