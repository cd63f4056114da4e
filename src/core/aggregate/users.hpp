// What active_users_agg keeps: the hashes of different values, or registers.
// Law: that of core/distinct.
#pragma once

#include <span>

#include "core/aggregate/state.hpp"
#include "core/distinct/distinct.hpp"

namespace pql {

/// Followed by the words of core/distinct.
struct UsersState : State {
  DistinctHead head;

  static UsersState *make(bool approximate, Allocate allocate);

  /// Each gives the state or a larger copy.
  UsersState *add(std::uint64_t scattered, Allocate allocate);
  UsersState *merge(const UsersState &o, Allocate allocate);

  std::uint64_t count() const noexcept { return count_of(head, room()); }

  std::span<std::uint64_t> room() noexcept { return {reinterpret_cast<std::uint64_t *>(this + 1), room_size()}; }
  std::span<const std::uint64_t> room() const noexcept { return {reinterpret_cast<const std::uint64_t *>(this + 1), room_size()}; }

private:
  std::size_t room_size() const noexcept { return (size() - sizeof(UsersState)) / sizeof(std::uint64_t); }
  UsersState *wider(Allocate allocate);
};

extern const StateKind kUsersState;

/// The state of a frame's rows, in canonical form.
UsersState *state_of(const MovingDistinct &frame, bool approximate, Allocate allocate);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
