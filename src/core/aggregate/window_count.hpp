// What window_count_agg keeps: how many rows there were at which instant, back from the newest by the longest window.
// Law: what is dropped can't be in a window that ends at the newest row or later, whatever is merged: it depends on the newest
// row alone.
#pragma once

#include "core/aggregate/state.hpp"

namespace pql {

struct WindowCountState : State {
  struct Entry {
    Micros at;
    std::int64_t rows;
  };

  Micros longest, newest;
  std::uint32_t count, unsorted; ///< entries; whether they are out of order or repeat an instant

  static WindowCountState *make(Micros longest, Allocate allocate);
  /// Adds rows of an instant. Gives the state or a larger copy.
  WindowCountState *add(Entry e, Allocate allocate) noexcept;

  /// Whether the state knows the rows after `from`.
  bool knows(Micros from) const noexcept { return from >= newest - longest; }
  /// Rows with from < t <= to, of a canonical state that knows them.
  __int128 rows_between(Micros from, Micros to) const noexcept;

  const Entry *entries() const noexcept { return reinterpret_cast<const Entry *>(this + 1); }
  Entry *entries() noexcept { return reinterpret_cast<Entry *>(this + 1); }
  std::size_t room() const noexcept { return (size() - sizeof(WindowCountState)) / sizeof(Entry); }

  /// In order, each instant once, without what is too old.
  void tidy() noexcept;
};

/// As long as 100 years, or numbers up to 2^62.
inline constexpr bool is_window(Micros w, Times times) noexcept {
  return w >= 1 && w <= (times == Times::numbers ? Micros{1} << 62 : 36'525 * kDay);
}

extern const StateKind kWindowCountState;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
