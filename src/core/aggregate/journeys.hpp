// What journey_agg keeps: the first and the last labelled events.
// Law: that of core/journey.
#pragma once

#include <span>

#include "core/aggregate/state.hpp"
#include "core/journey/journey.hpp"

namespace pql {

/// Followed by room for the log of core/journey; canonical: by the log.
struct JourneyState : State {
  JourneyHead head;

  static JourneyState *make(JourneySpec spec, Allocate allocate, std::size_t room = 200);

  /// Each gives the state or a larger copy.
  JourneyState *add(const Step &step, Allocate allocate);
  JourneyState *merge(const JourneyState &o, Allocate allocate);

  std::span<char> room() noexcept { return {reinterpret_cast<char *>(this + 1), size() - sizeof(JourneyState)}; }
  std::span<const char> room() const noexcept { return {reinterpret_cast<const char *>(this + 1), size() - sizeof(JourneyState)}; }

  /// Of the canonical form.
  std::span<const Step> steps(Allocate allocate) const { return steps_of(head, room(), allocate); }
  Story story(Allocate allocate) const { return story_of(head.spec, head.total, steps(allocate), allocate); }
};

extern const StateKind kJourneyState;

/// The state of a frame's rows, in canonical form.
JourneyState *state_of(const MovingJourney &frame, Allocate allocate);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
