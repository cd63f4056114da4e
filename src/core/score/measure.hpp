// Numbers from what is kept of a subject.
// Law: what is read as of an instant not before the subject's newest event equals what its events give, within the error told.
#pragma once

#include <array>
#include <string_view>

#include "core/program/program.hpp"
#include "core/state/subject.hpp"

namespace pql {

/// No tracker has this number.
inline constexpr TrackerId kNoTracker = 65'535;

/// The trackers that a measure reads.
struct MeasureTrackers {
  TrackerId main = kNoTracker, second = kNoTracker; ///< second: of a success rate, the events that succeeded
};

/// What a measure is made of. Between two turns (see each_turn) each part only grows or only falls.
struct Parts {
  Measured main, second; ///< growth: this window and the one before; success rate: events that succeeded, and all
};

/// What is known of a measure as of an instant: its parts, and the event it rests on.
struct Finding {
  Parts parts;
  std::string_view event; ///< encoded id; empty when unknown
  Micros at = kAlways;    ///< the time of that event
};
/// As of an instant not before the subject's newest event. Of a measure that rests on no events: nothing.
Finding find_measure(const MeasureDef &d, const MeasureTrackers &t, Trackers trackers, const Subject &s, Micros as_of) noexcept;

/// The measure's value, of its parts.
double value_of(const MeasureDef &d, double main, double second) noexcept;
/// The same, and how far it may be off.
Measured measured(const MeasureDef &d, const Parts &p) noexcept;

/// Whether the value may rise though nothing happens.
bool rises_by_itself(const MeasureDef &d) noexcept;
/// Whether the value may fall though nothing happens.
bool falls_by_itself(const MeasureDef &d) noexcept;
/// Whether more events can only raise the value. Requires that sums are of what isn't negative.
bool only_adds(const MeasureDef &d) noexcept;

/// Whether the measure may both grow and fall while nothing happens: events leave one window for the one before, those that leave took
/// something away, or the last ones leave, of which a rate was. All others change one way for ever, but for what is reached later.
bool turns_by_itself(const MeasureDef &d) noexcept;

/// Calls f(t) for every instant from which on a part grows that fell before, or falls that grew, if nothing happens.
template <class F>
void each_turn(const MeasureDef &d, const MeasureTrackers &t, Trackers trackers, const Subject &s, F &&f) {
  for (const TrackerId tracker : {t.main, t.second}) {
    if (tracker >= trackers.size()) continue;
    const Tracker &its = trackers[tracker];
    if (const FirstTime *x = its.kind == Tracker::Kind::milestone ? s.milestone(tracker) : nullptr) f(x->at);
    if (const FunnelState *x = its.kind == Tracker::Kind::funnel ? s.funnel(tracker) : nullptr) f(x->funnel.read(its.funnel).reached);
    if (const Marks *x = its.keeps_marks() && turns_by_itself(d) ? s.marks_of(tracker) : nullptr) x->each_turn(its.marks, f);
  }
}

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
