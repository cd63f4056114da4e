// What count_map_agg keeps: a sum for each key.
// Law: exact sums; keys whose sum is zero are no part of the canonical form, so that what is taken back leaves no trace.
#pragma once

#include "core/aggregate/state.hpp"

namespace pql {

/// Followed by room for entries, by a hash table of their numbers (0: nobody), and by the keys' bytes. Canonical: sorted by key,
/// bytes as unsigned numbers, without a table.
struct CountMapState : State {
  struct Entry {
    std::int64_t sum;
    std::uint32_t offset, length; ///< of the key, among the keys' bytes
  };

  std::uint32_t count, room, slots, used; ///< entries, room for entries, size of the table, bytes of keys

  static CountMapState *make(Allocate allocate);
  /// Gives the state or a larger copy; null when the sum gets out of range.
  CountMapState *add(std::string_view key, std::int64_t n, Allocate allocate) noexcept;

  const Entry *entries() const noexcept { return reinterpret_cast<const Entry *>(this + 1); }
  Entry *entries() noexcept { return reinterpret_cast<Entry *>(this + 1); }
  std::uint32_t *table() noexcept { return reinterpret_cast<std::uint32_t *>(entries() + room); }
  const std::uint32_t *table() const noexcept { return reinterpret_cast<const std::uint32_t *>(entries() + room); }
  const char *keys() const noexcept { return reinterpret_cast<const char *>(table() + slots); }
  char *keys() noexcept { return reinterpret_cast<char *>(table() + slots); }
  std::string_view key(const Entry &e) const noexcept { return {keys() + e.offset, e.length}; }
};

/// The sum of a key of a canonical state.
std::int64_t sum_of(const CountMapState &canonical, std::string_view key) noexcept;

extern const StateKind kCountMapState;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
