// What decay_agg keeps: a decayed sum and a decayed count over the same rows, and the newest row's time.
// Law: that of core/decay, whose grid and weights these are; and removing what was added gives the bits as they were, while the
// newest row stays.
#pragma once

#include "core/aggregate/state.hpp"
#include "core/decay/decay.hpp"

namespace pql {

inline bool add_to(Wide &sum, __int128 v) noexcept {
  __int128 total;
  if (__builtin_add_overflow(sum.value(), v, &total)) return false;
  sum = Wide::of(total);
  return true;
}

/// Followed by its blocks, the newest first: block i is number top - i of the grid.
struct DecayState : State { // small: how many blocks
  struct Block {
    Wide sum, count;

    /// Adds a row of that weight (sign 1) or takes it back (sign -1). False when a sum gets out of range.
    bool add(const Weight &weight, double v, int sign) noexcept {
      return add_to(sum, sign * weight.of(v)) && add_to(count, sign * weight.of_one());
    }
    bool empty() const noexcept { return count == Wide{} && sum == Wide{}; }
  };
  Micros half_life, newest;
  std::int64_t top;

  static DecayState *make(Micros half_life, Micros newest, int blocks, Allocate allocate);
  /// The same where it is known in which block the newest row lies.
  static DecayState *make(Micros half_life, Micros newest, std::int64_t top, int blocks, Allocate allocate);

  /// Adds a row (sign 1) or takes it back (sign -1), of the weight that its time has by this half-life; see Decay::add for what is
  /// required. Gives the state or a
  /// larger copy; null when a sum gets out of range. (The weight depends on nothing in the state, which may still be on its way
  /// from memory while it is worked out.)
  DecayState *add(Micros t, const Weight &weight, double v, int sign, Allocate allocate) noexcept {
    if (weight.block() != top) [[unlikely]] return add_elsewhere(t, weight, v, sign, allocate);
    if (t > newest) newest = t;
    return blocks()->add(weight, v, sign) ? this : nullptr;
  }
  DecayState *merge(const DecayState &o, Allocate allocate) noexcept;

  double sum_at(Micros as_of) const noexcept;
  double count_at(Micros as_of) const noexcept;

  Block *blocks() noexcept { return reinterpret_cast<Block *>(this + 1); }
  const Block *blocks() const noexcept { return reinterpret_cast<const Block *>(this + 1); }

private:
  DecayState *add_elsewhere(Micros t, const Weight &weight, double v, int sign, Allocate allocate) noexcept;
  DecayState *fit(std::int64_t newest_block, std::int64_t oldest_block, Allocate allocate) noexcept;
};

extern const StateKind kDecayState;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
