// What retention_agg and cohort_retention_agg keep: which conditions have ever held, and in which periods anything happened.
// Law: sets, so order and repetition don't matter.
#pragma once

#include "core/aggregate/state.hpp"

namespace pql {

struct RetentionState : State { // small: how many conditions there are, 1 to 32
  std::uint32_t seen;           ///< bit i: condition i + 1 held in some row
  std::uint32_t unused;

  static RetentionState *make(int conditions, std::uint32_t seen, Allocate allocate);
  /// Whether somebody who met the first condition met this one (0 is the first) as well.
  bool retained(int i) const noexcept { return (seen & 1) && (seen >> i & 1); }
};

/// Followed by its words, sorted by their number.
struct CohortState : State {
  /// 64 periods: bit i is number 64 * at + i.
  struct Word {
    std::int64_t at;
    std::uint64_t bits;
  };
  static constexpr std::int64_t kNoAnchor = kNever;

  Micros period;
  std::int64_t first; ///< the first period with an anchor
  std::uint32_t count, unused;

  static CohortState *make(Micros period, Allocate allocate);
  /// Adds a row of the period. Gives the state or a larger copy.
  CohortState *add(std::int64_t number, bool anchor, Allocate allocate) noexcept;

  const Word *words() const noexcept { return reinterpret_cast<const Word *>(this + 1); }
  Word *words() noexcept { return reinterpret_cast<Word *>(this + 1); }
  std::size_t room() const noexcept { return (size() - sizeof(CohortState)) / sizeof(Word); }
};

/// From one hour to 100 years, or numbers up to 2^62.
inline constexpr bool is_period(Micros p, Times times) noexcept {
  return times == Times::numbers ? p >= 1 && p <= Micros{1} << 62 : p >= kHour && p <= 36'525 * kDay;
}

/// Periods are numbered on a grid on which weeks begin on Monday: from 2000-01-03 on, in UTC; of numbers, from 0 on.
std::int64_t period_of(Micros t, Micros period, Times times) noexcept;
Micros period_start(std::int64_t number, Micros period, Times times) noexcept;

extern const StateKind kRetentionState, kCohortState;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
