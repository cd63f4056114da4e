// What decay_agg keeps: a decayed sum and a decayed count over the same rows, and the newest row's time.
// Law: that of core/decay, whose grid and weights these are; and removing what was added gives the bits as they were, while the
// newest row stays.
#pragma once

#include "core/aggregate/state.hpp"
#include "core/decay/decay.hpp"

namespace pql {

/// Followed by its blocks, the newest first: block i is number top - i of the grid.
struct DecayState : State { // small: how many blocks
  struct Block {
    Wide sum, count;

    /// Adds a row of that weight (sign 1) or takes it back (sign -1). False when a sum gets out of range.
    bool add(const Weight &weight, double v, int sign) noexcept;
    bool empty() const noexcept { return count == Wide{} && sum == Wide{}; }
  };
  Micros half_life, newest;
  std::int64_t top;

  static DecayState *make(Micros half_life, Micros newest, int blocks, Allocate allocate);

  /// Adds a row (sign 1) or takes it back (sign -1); see Decay::add for what is required. Gives the state or a larger copy; null
  /// when a sum gets out of range.
  DecayState *add(Micros t, double v, int sign, Allocate allocate) noexcept;
  DecayState *merge(const DecayState &o, Allocate allocate) noexcept;

  double sum_at(Micros as_of) const noexcept;
  double count_at(Micros as_of) const noexcept;

  Block *blocks() noexcept { return reinterpret_cast<Block *>(this + 1); }
  const Block *blocks() const noexcept { return reinterpret_cast<const Block *>(this + 1); }

private:
  DecayState *fit(std::int64_t newest_block, std::int64_t oldest_block, Allocate allocate) noexcept;
};

extern const StateKind kDecayState;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
