// What a stretch of time says about a funnel, in constant size: so that days can be summarised once and joined later.
// Law: joining the summaries of stretches that follow each other gives the summary of all their events, however it is
// bracketed. Stretches that overlap can't be joined.
#pragma once

#include "core/sequence/window_funnel.hpp"

namespace pql {

/// The numbers behind a summary lie one after another, so that it can be stored as it is: latest start of a chain of steps
/// 1..i (kAlways: none), then for each step i the earliest end of a chain of steps i..j that begins in this stretch, for j = i
/// to the last (kNever: none; whatever its window).
struct FunnelSummary {
  int steps = 0;
  Micros within = 0;
  bool increase = false;
  Micros first = kNever, last = kAlways; ///< of the events with a step; first > last: there are none
  Micros *numbers = nullptr;

  static constexpr int numbers_of(int steps) noexcept { return steps + steps * (steps + 1) / 2; }
  static FunnelSummary of(Micros *numbers, int steps, Micros within, bool increase) noexcept;

  Micros &latest(int i) const noexcept { return numbers[i]; }
  Micros &earliest(int i, int j) const noexcept { return numbers[steps + i * steps - i * (i - 1) / 2 + j - i]; }

  bool empty() const noexcept { return first > last; }
  int level() const noexcept;
  bool same_kind(const FunnelSummary &o) const noexcept {
    return steps == o.steps && within == o.within && increase == o.increase;
  }
  /// Whether o's events are all later.
  bool precedes(const FunnelSummary &o) const noexcept { return empty() || o.empty() || last < o.first; }

  /// Takes the events of one instant, later than all so far.
  void take(Micros at, std::uint32_t steps_then) noexcept;
  /// Takes what follows: of the same kind, and this one precedes it.
  void append(const FunnelSummary &next) noexcept;
};

/// Rows in canonical order, none excluded.
void summarise(FunnelSummary &s, std::span<const EventRow> rows) noexcept;

/// What append does to the latest starts alone.
void append_latest(Micros *latest, const FunnelSummary &next) noexcept;
/// What take does to them.
void take_latest(Micros *latest, const FunnelSummary &kind, Micros at, std::uint32_t steps_then) noexcept;

/// Whether the bytes of a stored summary can have come from events.
bool plausible(const FunnelSummary &s) noexcept;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
