// How far a subject came through a checklist of steps within a time: the streaming form of window_funnel.
// Law: the state is a function of the set of (time, steps) it was given, whatever the order and however often, or it says
// that it can't know (inexact) and the caller derives it again from the events.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/arena.hpp"
#include "core/base/time.hpp"

namespace pql {

inline constexpr int kMaxSteps = 32;

/// What makes a funnel: number of steps, whether their order counts, and the time from the first step to the last
/// (inclusive). Ties in time are resolved in the subject's favour.
struct FunnelSpec {
  int steps = 0;
  bool in_order = true;
  Micros within = 0;
};

/// One instant at which steps were taken: bit i stands for step i + 1.
struct StepAt {
  Micros at;
  std::uint32_t steps;
};

/// How far it got.
struct FunnelLevel {
  int level = 0;              ///< the most steps ever completed by one chain within the time
  std::uint32_t done = 0;     ///< the steps of that chain (in order: the first `level` ones)
  Micros started = kAlways;   ///< when the chain began that got there first (of several: the latest start)
  Micros reached = kAlways;   ///< the earliest instant at which the level was reached
  bool operator==(const FunnelLevel &) const = default;
};

/// The state. The newest kKept instants are kept as they are, older ones are folded into the sweep at `floor`: an
/// instant that arrives later than that, or would move a finished funnel, makes the state inexact.
struct Funnel {
  static constexpr std::uint32_t kKept = 16;

  FunnelLevel best;               ///< as of floor
  Micros floor = kAlways;         ///< everything up to and including here is folded
  Vec<Micros> sweep;              ///< one per step at floor: in order, the latest start of a chain that long;
                                  ///< any order, the newest time of the step. kAlways: none. Empty: nothing folded
  Vec<StepAt> kept;               ///< later than floor, ascending, one per instant
  bool inexact = false;           ///< must be derived again

  bool complete(const FunnelSpec &spec) const noexcept { return best.level == spec.steps; }

  /// Takes steps at an instant.
  void add(Arena &a, const FunnelSpec &spec, Micros at, std::uint32_t steps);
  /// Takes all that another state knows. Exact unless both have folded something (then inexact).
  void merge(Arena &a, const FunnelSpec &spec, const Funnel &o);
  /// Brings the state into its canonical form: call after the last add, before it is stored or compared.
  void settle(Arena &a, const FunnelSpec &spec);
  /// How far the subject is, by all instants up to as_of (which must not be before floor).
  FunnelLevel read(const FunnelSpec &spec, Micros as_of = kNever) const noexcept;
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
