// What events_agg and its relatives keep: the rows themselves, a time and a set of conditions each.
// Law: the canonical form is the header and the rows in canonical order; so everything that is read from it is a function of the
// multiset of rows.
#pragma once

#include "core/aggregate/state.hpp"
#include "core/sequence/events.hpp"

namespace pql {

/// Which rows are kept.
enum class Keeps : std::uint8_t {
  steps,    ///< those with a condition
  all,      ///< every row
  excluded, ///< those with a condition, and excluded ones
};

inline bool wanted(Keeps keeps, const EventRow &r) noexcept {
  return r.steps || keeps == Keeps::all || (r.excluded && keeps == Keeps::excluded);
}

/// What the rows of a state are aggregated with.
struct EventsSetting {
  int conditions = 0; ///< 0: rows give the number of a step instead
  Keeps keeps = Keeps::steps;
  Micros within = -1;       ///< of aggregates that give a funnel's level; otherwise -1
  std::string_view pattern = {}; ///< of aggregates that match one
  Times times = Times::instants;
};

/// Followed by the pattern, filled up to 8 bytes, and the rows: packed ones while they are aggregated, as long as all of them fit.
struct EventsState : State { // small: conditions
  static constexpr std::uint32_t kFirstRoom = 6; ///< rows, in 120 bytes; packed, twice as many

  std::uint32_t count;
  Keeps keeps;
  std::uint8_t ordered : 1; ///< the rows are known to be; 1 in canonical states
  std::uint8_t packed : 1;  ///< 0 in canonical states
  std::uint8_t unused : 6;  ///< 0
  std::uint16_t pattern_size;
  Micros within;

  static EventsState *make(const EventsSetting &setting, std::uint32_t room, Allocate allocate);
  /// To be added to: with some room, and packed if rows of such a setting may be.
  static EventsState *begin(const EventsSetting &setting, Allocate allocate);
  EventsSetting setting() const noexcept { return {small, keeps, within, pattern(), times()}; }
  bool same_setting(const EventsSetting &o) const noexcept {
    return small == o.conditions && keeps == o.keeps && within == o.within && pattern() == o.pattern;
  }

  bool wants(const EventRow &r) const noexcept { return wanted(keeps, r); }
  /// Adds a row that it wants. Gives the state or a larger copy. (Whether it is in order with the one before isn't looked at: with
  /// many groups that one would have to come from memory. Who reads the rows goes through all of them anyway.)
  EventsState *add(const EventRow &r, Allocate allocate) {
    EventsState *s = packed && !PackedRow::fits(r) ? unpacked(1, allocate) : count < room() ? this : with_room(1, allocate);
    if (s->packed) {
      s->packed_rows()[s->count++] = PackedRow::of(r);
      return s;
    }
    s->open = 1;
    s->ordered = 0;
    s->rows()[s->count++] = r;
    return s;
  }
  EventsState *merge(const EventsState &o, Allocate allocate);
  void sort() noexcept;
  void copy_rows(EventRow *to) const noexcept;

  std::string_view pattern() const noexcept { return {reinterpret_cast<const char *>(this + 1), pattern_size}; }
  std::size_t head_size() const noexcept { return sizeof(EventsState) + ((pattern_size + std::size_t{7}) & ~std::size_t{7}); }
  std::size_t row_size() const noexcept { return packed ? sizeof(PackedRow) : sizeof(EventRow); }
  std::size_t room() const noexcept { return (size() - head_size()) / row_size(); }
  EventRow row(std::size_t i) const noexcept { return packed ? all_packed()[i].row() : rows()[i]; }
  /// Of one that isn't packed.
  EventRow *rows() noexcept { return reinterpret_cast<EventRow *>(reinterpret_cast<char *>(this) + head_size()); }
  const EventRow *rows() const noexcept { return const_cast<EventsState *>(this)->rows(); }
  std::span<const EventRow> all() const noexcept { return {rows(), count}; }
  /// Of one that is.
  PackedRow *packed_rows() noexcept { return reinterpret_cast<PackedRow *>(rows()); }
  std::span<const PackedRow> all_packed() const noexcept { return {reinterpret_cast<const PackedRow *>(rows()), count}; }
  /// As many as a funnel or a pattern may ask for.
  int steps() const noexcept { return small ? small : kMaxConditions; }

private:
  EventsState *with_room(std::size_t more, Allocate allocate);
  EventsState *unpacked(std::size_t more, Allocate allocate) const;
};

extern const StateKind kEventsState;

/// The rows of a frame that moves, in the order in which they come and go. Zero bytes are an empty one.
struct EventsFrame {
  EventsState *state;   ///< made by the first row; those of its rows before `gone` have left
  std::uint32_t gone;
  std::int64_t seen;    ///< rows in the frame, also those that the state doesn't keep

  /// The state's setting must be this one. A state that is outgrown is the caller's.
  void add(const EventRow &r, const EventsSetting &setting, Allocate allocate);
  /// False: the row isn't the one that came first; begin again with the frame's rows.
  bool remove(const EventRow &r) noexcept;
  /// Of the rows in the frame, canonical.
  EventsState *value(Allocate allocate) const;
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
