#include "core/aggregate/sessions.hpp"

#include <algorithm>
#include <bit>

namespace pql {
namespace {

constexpr std::size_t size_of(std::size_t sessions) noexcept { return sizeof(SessionState) + sessions * sizeof(Session); }

constexpr std::size_t kLeastSize = 128;

// With the same header and other room, in which there is anything.
SessionState *with_room(const SessionState &s, std::size_t size, Allocate allocate) {
  auto *other = static_cast<SessionState *>(allocate(size));
  *other = s;
  other->set_size(size);
  return other;
}
SessionState *wider(SessionState &s, Allocate allocate) {
  SessionState *w = with_room(s, std::bit_ceil(s.size() + sizeof(Session)), allocate);
  Sessions(s.head, s.room()).move_to(w->room());
  return w;
}

const SessionState &read(const State &s) noexcept { return static_cast<const SessionState &>(s); }

bool valid(const State &state) noexcept {
  if (state.size() < size_of(1) || state.size() % sizeof(Micros) || state.small) return false;
  const SessionState &s = read(state);
  const std::size_t held = std::size_t{s.head.size} * kSessionWords + s.head.loose;
  if (held < 1 || held > s.room().size()) return false;
  if (!s.open && (!s.head.tidy || s.head.loose || s.size() != size_of(s.head.size))) return false;
  if (!std::all_of(s.loose().begin(), s.loose().end(), is_instant)) return false;
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

State *canonical(const State &state, Allocate allocate) {
  const SessionState *s = &read(state);
  if (!s->open) return resized(*s, s->size(), allocate);
  if (!in_order(s->sessions(), s->loose())) {
    SessionState *copy = resized(*s, s->size(), allocate);
    Sessions(copy->head, copy->room()).sort();
    s = copy;
  }
  const std::size_t n = fold(s->head.spec, s->sessions(), s->loose(), nullptr);
  SessionState *c = with_room(*s, size_of(n), allocate);
  c->open = 0;
  c->head = {s->head.spec, static_cast<std::uint32_t>(n)};
  fold(s->head.spec, s->sessions(), s->loose(), c->sessions().data());
  return c;
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
    if (s->size() < size_of(s->head.size + std::size_t{1})) s = wider(*s, allocate);
    s->head.size++;
    Session &each = s->sessions().back();
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
  for (;;) {
    Sessions held(s->head, s->room());
    if (held.add(what)) break;
    if (!held.tidy(allocate)) s = wider(*s, allocate);
  }
  s->open = 1;
  return s;
}

template SessionState *SessionState::take(const Micros &at, Allocate allocate);

SessionState *SessionState::merge(const SessionState &o, Allocate allocate) {
  SessionState *s = this;
  for (const Session &each : o.sessions()) s = s->take(each, allocate);
  for (std::size_t i = o.head.loose; i-- > 0;) s = s->take(o.loose()[i], allocate);
  return s;
}

SessionState *state_of(const MovingSessions &frame, Allocate allocate) {
  if (!frame.ascending()) {
    SessionState *s = SessionState::make(frame.spec(), allocate);
    for (std::size_t i = 0; i < frame.instants(); i++) s = s->add(frame.instant(i), allocate);
    return static_cast<SessionState *>(canonical(*s, allocate));
  }
  auto *s = make_state<SessionState>(kSessionState, size_of(frame.size()), allocate);
  s->head = {frame.spec(), static_cast<std::uint32_t>(frame.size())};
  for (std::size_t i = 0; i < frame.size(); i++) s->sessions()[i] = frame[i];
  return s;
}

} // namespace pql
