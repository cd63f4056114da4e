// From what is kept of a subject to points, and to the moment at which they will no longer do.
// Law: the integer points of the reasons sum exactly to the score.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/program/program.hpp"
#include "core/state/subject.hpp"

namespace pql {

/// A program whose definitions have been matched with trackers.
struct Program {
  std::int32_t id = 0;  ///< of the program (all its versions)
  int version = 0;
  bool live = false;    ///< emits; otherwise it is in shadow
  ProgramDef def;
  std::vector<TrackerId> signal_trackers; ///< one per signal
  TrackerId activation_tracker = 0;       ///< when def.activation
};

/// What one signal contributes.
struct Reason {
  double value = 0;          ///< the measure: a decayed count or sum, or 1 and 0 for milestone and activation
  double raw = 0;            ///< points before rounding
  int points = 0;
  std::string_view event;    ///< encoded id of the event that is its evidence; empty when unknown
  Micros at = kAlways;       ///< the time of that event
};

/// Points before rounding for a value of the signal's measure: points_each·x, or max·x/saturates_at, both capped at
/// max_points; or max·(1 − 2^(−x/half_saturation)). Never negative.
double raw_points(const SignalDef &signal, double value) noexcept;

/// The score as of an instant not before the subject's newest event. `out` gets one reason per signal.
/// The total is the rounded sum of raw points; the largest remainders are rounded up (ties: first in the document).
int score(const Program &p, Trackers trackers, const Subject &s, Micros as_of, std::span<Reason> out) noexcept;

/// The earliest instant after `now` at which the score, if nothing happens, is below `threshold`; kNever if that is more
/// than a hundred years away.
Micros falls_below(const Program &p, Trackers trackers, const Subject &s, Micros now, int threshold) noexcept;

/// The time of the newest event among the reasons with points: what made the subject qualify.
Micros signal_time(std::span<const Reason> reasons) noexcept;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
