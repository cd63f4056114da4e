// From what is kept of a subject to points, and to the moment at which they will no longer do.
// Law: the integer points of the reasons sum exactly to the score.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/score/measure.hpp"

namespace pql {

/// A program whose definitions have been matched with trackers.
struct Program {
  std::int32_t id = 0;  ///< of the program (all its versions)
  int version = 0;
  bool live = false;    ///< emits; otherwise it is in shadow
  ProgramDef def;
  std::vector<MeasureTrackers> signals, measures; ///< one per signal, and per named measure
  TrackerId activation_tracker = 0;       ///< when def.activation
  bool tried = false;   ///< there are pilots of it, or it is one's: they may hold subjects out
};

/// What one signal contributes.
struct Reason {
  double value = 0;          ///< the measure
  double error = 0;          ///< how far that may be off; 0: it is exact; infinity: it is at least that, -infinity: at most
  double raw = 0;            ///< points before rounding
  int points = 0;
  std::string_view event;    ///< encoded id of the event that is its evidence; empty when unknown
  Micros at = kAlways;       ///< the time of that event
};

/// Points before rounding for a value of the signal's measure: points_each·x, or max·x/saturates_at, both capped at
/// max_points; or max·(1 − 2^(−x/half_saturation)); or all of them above `over`. Below 0 where max_points is.
double raw_points(const SignalDef &signal, double value) noexcept;

/// The score as of an instant not before the subject's newest event. `out` gets one reason per signal. `given` are the values of
/// what rests on no events (value, flag): one per signal, then one per measure; NaN for nothing. Without it they are 0.
/// The total is the rounded sum of raw points; the largest remainders are rounded up (ties: first in the document).
int score(const Program &p, Trackers trackers, const Subject &s, Micros as_of, std::span<Reason> out,
          std::span<const double> given = {}) noexcept;

/// Whether score() gives the same points, if milestones whose points fade were reached at any time from when the subject has them until
/// `latest`, which is no later than as_of. `reasons` are what it gave of the subject. May say no where they are the same.
bool same_points_until(const Program &p, Trackers trackers, const Subject &s, Micros as_of, Micros latest, std::span<const Reason> reasons) noexcept;

/// What the score is at the most, whatever is given, of a subject of whom it need only be known which milestones it has reached.
int most_score(const Program &p, Trackers trackers, const Subject &s, Micros as_of) noexcept;

/// The earliest instant after `now` at which the score, if nothing happens, is below `threshold`; kNever if that is more
/// than a hundred years away. Where that is too much work to find out (signals that rise and others that fall, over many events): some
/// instant before it.
Micros falls_below(const Program &p, Trackers trackers, const Subject &s, Micros now, int threshold, std::span<const double> given = {});

/// Whether time alone can raise the score. What rests on no events is taken for constant.
bool rises_by_itself(const Program &p) noexcept;

/// Whether more events can only raise the score, and time alone can only make it fall. Requires that sums are of what isn't negative,
/// and doesn't know of what rests on no events.
bool only_adds_up(const Program &p) noexcept;

/// The time of the newest event among the reasons with points: what made the subject qualify.
Micros signal_time(std::span<const Reason> reasons) noexcept;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
