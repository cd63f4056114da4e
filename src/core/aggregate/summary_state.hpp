// What funnel_summary gives: the summaries of stretches of time that follow each other, joined into one in the canonical form.
// Law: stretches that do not overlap, in any order and however they are grouped while they are aggregated, give the same state.
#pragma once

#include "core/aggregate/state.hpp"
#include "core/sequence/summary.hpp"

namespace pql {

/// Followed by its parts, ascending: first and last instant, and the numbers of a FunnelSummary each.
struct SummaryState : State { // small: steps
  std::uint32_t parts;
  std::uint32_t increase;
  Micros within;

  static SummaryState *make(int steps, Micros within, bool increase, std::uint32_t parts, Allocate allocate);

  std::size_t part_size() const noexcept { return 2 + static_cast<std::size_t>(FunnelSummary::numbers_of(small)); }
  Micros *part(std::size_t i) noexcept { return reinterpret_cast<Micros *>(this + 1) + i * part_size(); }
  const Micros *part(std::size_t i) const noexcept { return const_cast<SummaryState *>(this)->part(i); }
  /// The numbers are those of the part; first and last are copies, see store.
  FunnelSummary summary(std::size_t i) const noexcept;
  void store(std::size_t i, const FunnelSummary &s) noexcept;
};

extern const StateKind kSummaryState;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
