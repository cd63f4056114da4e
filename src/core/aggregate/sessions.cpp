#include "core/aggregate/sessions.hpp"

#include <algorithm>
#include <bit>

namespace pql {
namespace {

constexpr std::size_t size_of(std::size_t sessions) noexcept { return sizeof(SessionState) + sessions * sizeof(Session); }

constexpr std::size_t kLeastSize = 128;
std::size_t wider(const SessionState &s) noexcept { return std::bit_ceil(s.size() + sizeof(Session)); }

const SessionState &read(const State &s) noexcept { return static_cast<const SessionState &>(s); }

bool valid(const State &state) noexcept {
  if (state.size() < size_of(1) || state.small) return false;
  const SessionState &s = read(state);
  if (s.head.size < 1 || s.head.size > s.room().size() || s.head.tidy > 1) return false;
  if (!s.open && (!s.head.tidy || s.size() != size_of(s.head.size))) return false;
  if (s.head.tidy) return is_tidy(s.head.spec, s.sessions());
  return is_tidy(s.head.spec, {}) &&
         std::all_of(s.sessions().begin(), s.sessions().end(), [&](const Session &each) { return is_session(s.head.spec, each); });
}

const char *differs(const State &a, const State &b) noexcept {
  const SessionSpec &x = read(a).head.spec, &y = read(b).head.spec;
  return x.gap != y.gap ? "gaps" : x.min_length != y.min_length ? "minimum lengths" : nullptr;
}

State *merge(State *into, const State &from, Allocate allocate) {
  return static_cast<SessionState *>(into)->merge(read(from), allocate);
}

// An exact copy that is tidied and then cut: what is cut off may stay behind it in memory.
State *canonical(const State &s, Allocate allocate) {
  SessionState *copy = resized(read(s), size_of(read(s).head.size), allocate);
  Sessions(copy->head, copy->room()).tidy();
  copy->set_size(size_of(copy->head.size));
  copy->open = 0;
  return copy;
}

void print(const State &state, TextWriter &out) {
  const SessionState &s = read(state);
  out.member("gap", s.head.spec.gap);
  out.member("min_length", s.head.spec.min_length);
  out.key("sessions");
  for (std::size_t i = 0; i < s.head.size; i++) {
    const Session &each = s.sessions()[i];
    out.text(i ? ", [" : "[[");
    out.integer(each.start);
    out.text(", ");
    out.integer(each.end);
    out.text(", ");
    out.integer(each.n);
    out.put(']');
  }
  out.put(']');
}

State *parse(TextReader &in, Allocate allocate) {
  const Micros gap = in.member("gap"), min_length = in.member("min_length");
  SessionState *s = SessionState::make({gap, min_length}, allocate);
  in.key("sessions");
  in.expect('[');
  do {
    if (s->head.size == s->room().size()) s = resized(*s, wider(*s), allocate);
    Session &each = s->room()[s->head.size++];
    in.expect('[');
    each.start = in.integer();
    in.expect(',');
    each.end = in.integer();
    in.expect(',');
    each.n = in.integer();
    in.expect(']');
  } while (in.next(','));
  in.expect(']');
  s->set_size(size_of(s->head.size));
  s->open = 0;
  return s;
}

void describe(const State &state, TextWriter &out) {
  const SessionState &s = read(state);
  out.member_length("gap", s.head.spec.gap, s.times());
  out.member_length("min_length", s.head.spec.min_length, s.times());
  out.member("sessions", s.head.size);
}

} // namespace

constinit const StateKind kSessionState = {20, {"session_state", "session_timestamp_state", "session_bigint_state"}, valid, differs, merge, canonical, print, parse, describe};

SessionState *SessionState::make(SessionSpec spec, Allocate allocate) {
  auto *s = make_state<SessionState>(kSessionState, kLeastSize, allocate);
  s->open = 1;
  s->head.spec = spec;
  s->head.tidy = 1;
  return s;
}

template <class T>
SessionState *SessionState::take(const T &what, Allocate allocate) {
  SessionState *s = this;
  while (!Sessions(s->head, s->room()).add(what)) s = resized(*s, wider(*s), allocate);
  s->open = 1;
  return s;
}

template SessionState *SessionState::take(const Micros &at, Allocate allocate);

SessionState *SessionState::merge(const SessionState &o, Allocate allocate) {
  SessionState *s = this;
  for (std::size_t i = 0; i < o.head.size; i++) s = s->take(o.room()[i], allocate);
  return s;
}

SessionState *state_of(const MovingSessions &frame, Allocate allocate) {
  if (!frame.ascending()) {
    SessionState *s = SessionState::make(frame.spec(), allocate);
    for (std::size_t i = 0; i < frame.instants(); i++) s = s->add(frame.instant(i), allocate);
    return static_cast<SessionState *>(canonical(*s, allocate));
  }
  auto *s = make_state<SessionState>(kSessionState, size_of(frame.size()), allocate);
  s->head = {frame.spec(), static_cast<std::uint32_t>(frame.size()), 1};
  for (std::size_t i = 0; i < frame.size(); i++) s->room()[i] = frame[i];
  return s;
}

} // namespace pql
