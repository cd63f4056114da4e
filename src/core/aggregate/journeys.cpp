#include "core/aggregate/journeys.hpp"

#include <algorithm>
#include <bit>

namespace pql {
namespace {

const JourneyState &read(const State &s) noexcept { return static_cast<const JourneyState &>(s); }

bool valid(const State &state) noexcept {
  if (state.size() < sizeof(JourneyState) || state.small) return false;
  const JourneyState &s = read(state);
  if (s.head.total < 1 || !is_valid(s.head, s.room())) return false;
  if (s.open) return true;
  return s.head.tidy && !s.head.full && !s.head.first_end && !s.head.last_begin && s.head.used == s.room().size();
}

const char *differs(const State &a, const State &b) noexcept {
  return read(a).head.spec == read(b).head.spec ? nullptr : "numbers of events to keep";
}

State *merge(State *into, const State &from, Allocate allocate) {
  return static_cast<JourneyState *>(into)->merge(read(from), allocate);
}

State *canonical(const State &s, Allocate allocate) {
  JourneyState *copy = resized(read(s), sizeof(JourneyState) + read(s).head.used, allocate);
  JourneyHead &head = copy->head;
  Journey(head, copy->room()).tidy(allocate);
  copy->set_size(sizeof(JourneyState) + head.used);
  copy->open = 0;
  head.full = 0;
  head.first_end = head.last_begin = 0;
  return copy;
}

void print(const State &state, TextWriter &out) {
  const JourneyState &s = read(state);
  out.member("max_first", s.head.spec.first);
  out.member("max_last", s.head.spec.last);
  out.member("total", s.head.total);
  out.key("steps");
  out.put('[');
  std::span<const char> log = s.room().first(s.head.used);
  for (Step step; next_step(log, step);) {
    if (log.size() + Journey::bytes_for(step.label) < s.head.used) out.text(", ");
    out.put('[');
    out.integer(step.at);
    out.text(", ");
    out.string(step.label);
    out.put(']');
  }
  out.put(']');
}

State *parse(TextReader &in, Allocate allocate) {
  const std::int64_t first = in.member("max_first"), last = in.member("max_last");
  const __int128 total = (in.key("total"), in.wide());
  if (first < 0 || first > kMaxJourneyEnd || last < 0 || last > kMaxJourneyEnd || total < 1 || total > ~std::uint64_t{0}) return nullptr;
  // All that is in the text is kept until it is looked at.
  JourneyState *s = JourneyState::make({kMaxJourneyEnd, kMaxJourneyEnd}, allocate);
  in.key("steps");
  in.expect('[');
  if (!in.next(']')) {
    do {
      Step step;
      in.expect('[');
      step.at = in.integer();
      in.expect(',');
      step.label = in.string(allocate);
      in.expect(']');
      if (!in.ok() || s->head.size == 2 * kMaxJourneyEnd) return nullptr;
      s = s->add(step, allocate);
    } while (in.next(','));
    in.expect(']');
  }
  s->head.spec = {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last)};
  s->head.total = static_cast<std::uint64_t>(total);
  s->head.tidy = 1;
  s->set_size(sizeof(JourneyState) + s->head.used);
  s->open = 0;
  return s;
}

void describe(const State &state, TextWriter &out) {
  const JourneyState &s = read(state);
  out.member("max_first", s.head.spec.first);
  out.member("max_last", s.head.spec.last);
  out.member("events", s.head.total);
  out.member("kept", s.head.size);
}

} // namespace

constinit const StateKind kJourneyState = {22, {"journey_state", "journey_timestamp_state", "journey_bigint_state"}, valid, differs, merge, canonical, print, parse, describe, true};

JourneyState *JourneyState::make(JourneySpec spec, Allocate allocate, std::size_t room) {
  auto *s = make_state<JourneyState>(kJourneyState, sizeof(JourneyState) + room, allocate);
  s->open = 1;
  s->head.spec = spec;
  s->head.tidy = 1;
  return s;
}

JourneyState *JourneyState::add(const Step &step, Allocate allocate) {
  JourneyState *s = this;
  while (!Journey(s->head, s->room()).add(step, allocate)) {
    s = resized(*s, std::bit_ceil(s->size() + Journey::bytes_for(step.label)), allocate);
  }
  s->open = 1;
  return s;
}

// Room for twice of what both have: a state that others are merged into is tidied now and then, not every time.
JourneyState *JourneyState::merge(const JourneyState &o, Allocate allocate) {
  JourneyState *s = this;
  if (s->room().size() - s->head.used < o.head.used) Journey(s->head, s->room()).tidy(allocate);
  if (s->room().size() - s->head.used < o.head.used) {
    s = resized(*s, sizeof(JourneyState) + 2 * (std::size_t{s->head.used} + o.head.used), allocate);
  }
  Journey(s->head, s->room()).merge(o.head, o.room());
  s->open = 1;
  return s;
}

JourneyState *state_of(const MovingJourney &frame, Allocate allocate) {
  const std::span<const Step> steps = frame.tidy(allocate);
  std::size_t bytes = 0;
  for (const Step &each : steps) bytes += Journey::bytes_for(each.label);
  JourneyState *s = JourneyState::make(frame.spec(), allocate, bytes);
  for (const Step &each : steps) s->add(each, allocate);
  s->head.total = frame.total();
  s->head.tidy = 1;
  s->open = 0;
  return s;
}

} // namespace pql
