// What session_agg keeps: the sessions of the rows' times.
// Law: that of core/session.
#pragma once

#include <span>

#include "core/aggregate/state.hpp"
#include "core/session/session.hpp"

namespace pql {

/// Followed by room for sessions and loose instants; canonical: by the sessions. Open ones take a power of two of bytes, as chunks
/// of memory do.
struct SessionState : State {
  SessionHead head;

  static SessionState *make(SessionSpec spec, Allocate allocate);

  /// Each gives the state or a larger copy.
  SessionState *add(Micros at, Allocate allocate) {
    if (!Sessions(head, room()).add(at)) [[unlikely]] return take(at, allocate);
    open = 1;
    return this;
  }
  SessionState *merge(const SessionState &o, Allocate allocate);

  std::span<Micros> room() noexcept { return {reinterpret_cast<Micros *>(this + 1), words()}; }
  std::span<const Micros> room() const noexcept { return {reinterpret_cast<const Micros *>(this + 1), words()}; }
  /// In the canonical form, all there is, ascending.
  std::span<Session> sessions() noexcept { return {reinterpret_cast<Session *>(this + 1), head.size}; }
  std::span<const Session> sessions() const noexcept { return {reinterpret_cast<const Session *>(this + 1), head.size}; }
  std::span<const Micros> loose() const noexcept { return room().last(head.loose); }

private:
  std::size_t words() const noexcept { return (size() - sizeof(SessionState)) / sizeof(Micros); }
  template <class T> SessionState *take(const T &what, Allocate allocate);
};

extern const StateKind kSessionState;

/// The state of a frame's rows, in canonical form.
SessionState *state_of(const MovingSessions &frame, Allocate allocate);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
