// Events of one subject as rows of a time and the conditions that hold: what funnels and patterns are read from.
// Law: the canonical order is total on what a row says, so rows that came in any order read the same.
#pragma once

#include <bit>
#include <compare>
#include <cstdint>
#include <span>

#include "core/base/arena.hpp"
#include "core/base/time.hpp"

namespace pql {

inline constexpr int kMaxConditions = 32;

/// One event. As it is stored: 16 bytes without a gap.
struct EventRow {
  Micros at;
  std::uint32_t steps;    ///< bit i: condition i + 1 holds
  std::uint32_t excluded; ///< 1: no chain may pass this event

  /// The first condition that holds; 0: none does, an event foreign to the funnel.
  int lowest() const noexcept { return steps ? std::countr_zero(steps) + 1 : 0; }
  bool operator==(const EventRow &) const = default;
};
static_assert(sizeof(EventRow) == 16);

/// One event in 8 bytes, half of what it takes as it is stored: while there are many groups, memory is what rows wait for. As
/// numbers, they are in the order of time.
struct PackedRow {
  std::int64_t bits;

  static PackedRow of(const EventRow &r) noexcept { return {static_cast<std::int64_t>(static_cast<std::uint64_t>(r.at) << 8 | r.steps)}; }
  /// Whether of() keeps all that the row says: one of the first eight conditions only, within a thousand years of 2000.
  static bool fits(const EventRow &r) noexcept { return of(r).at() == r.at && r.steps <= 0xff && !r.excluded; }

  Micros at() const noexcept { return bits >> 8; }
  std::uint32_t steps() const noexcept { return bits & 0xff; }
  EventRow row() const noexcept { return {at(), steps(), 0}; }
  auto operator<=>(const PackedRow &) const = default;
};

/// The canonical order: time, first condition (foreign events before all others), conditions.
inline bool before(const EventRow &a, const EventRow &b) noexcept {
  if (a.at != b.at) return a.at < b.at;
  if (a.steps != b.steps) return a.lowest() != b.lowest() ? a.lowest() < b.lowest() : a.steps < b.steps;
  return a.excluded < b.excluded;
}

bool in_order(std::span<const EventRow> rows) noexcept;
/// Sorts, unless they are in order already.
void sort_events(std::span<EventRow> rows) noexcept;

/// Whether t lies more than `length` after `from`: times ascend, but may lie further apart than a signed number says.
inline bool later_by_more(Micros t, Micros from, Micros length) noexcept {
  return static_cast<std::uint64_t>(t) - static_cast<std::uint64_t>(from) > static_cast<std::uint64_t>(length);
}

/// The events of one instant.
struct Instant {
  Micros at = 0;
  std::uint32_t steps = 0;  ///< of any of them
  bool excluded = false;    ///< any of them
  std::span<const EventRow> rows;
};

/// The instant that begins at rows[from], which must be sorted.
inline Instant instant_at(std::span<const EventRow> rows, std::size_t from) noexcept {
  Instant x{rows[from].at, rows[from].steps, rows[from].excluded != 0, {}};
  std::size_t end = from + 1;
  for (; end < rows.size() && rows[end].at == x.at; end++) {
    x.steps |= rows[end].steps;
    x.excluded |= rows[end].excluded != 0;
  }
  x.rows = rows.subspan(from, end - from);
  return x;
}

/// Only the rows with a condition: what patterns see.
std::span<const EventRow> with_steps(Arena &a, std::span<const EventRow> rows);

/// Lets a caller give up in the middle: called now and then, may throw.
using Poll = void (*)();

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
