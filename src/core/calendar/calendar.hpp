// Working time: when somebody is at work, how much of it lies between two instants, and when so much of it has passed.
// Law: an instant is open if the week says so of its local time, its local date is no holiday, and nobody is away then. Time is counted
// as it passes: of a block that a clock change cuts short or doubles, what there really was.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"

namespace pql {

inline constexpr Micros kWeek = 7 * kDay;

/// Part of a week in local time, in minutes since Monday, 00:00.
struct WorkBlock {
  int from = 0, until = 0;
  bool operator==(const WorkBlock &) const = default;
};

/// From an instant on, local time is UTC and this.
struct ZoneChange {
  Micros at = 0, offset = 0;
};

/// From an instant up to, but not including, another.
struct Span {
  Micros from = 0, until = 0;
};

/// What a calendar is made of. All of it sorted, blocks and changes without overlaps.
struct CalendarDef {
  std::vector<WorkBlock> week;
  std::vector<ZoneChange> zone;       ///< the first holds before as well; none: UTC
  std::vector<std::int32_t> holidays; ///< local dates, in days since 2000-01-01
  std::vector<Span> away;             ///< in any order, and they may overlap
};

/// A week's pattern over a line of time, pieces of which are closed or shifted. Everything is a search among the pieces.
class OpenLine {
public:
  OpenLine() = default;
  OpenLine(std::span<const WorkBlock> week, std::span<const ZoneChange> zone, std::vector<Span> closed);

  /// Open time up to t, from an origin of its own: only differences mean something.
  Micros count(Micros t) const noexcept;
  /// The earliest instant up to which so much is counted; kNever when there isn't so much.
  Micros reach(Micros count) const noexcept;
  Micros next_open(Micros t) const noexcept;

private:
  struct Open {
    Micros from, until, before; // in the week, and how much of it is open before
  };
  struct Piece {
    Micros from, offset;
    bool closed;
    Micros before, base; // counted before it; the week's count at its start
  };
  Micros week_count(Micros local) const noexcept;
  Micros week_reach(Micros count) const noexcept;

  std::vector<Open> week_;
  Micros total_ = 0; ///< open time of a week
  std::vector<Piece> pieces_;
};

/// Somebody's working time. Instants beyond 140,000 years are as good as never.
class Calendar {
public:
  explicit Calendar(const CalendarDef &def = {});

  bool is_open(Micros t) const noexcept { return t != kNever && next_open(t) == t; }
  /// t itself when it is open; kNever when nothing is open any more.
  Micros next_open(Micros t) const noexcept { return hours_.next_open(t); }
  /// Negative when b is before a.
  Micros working_between(Micros a, Micros b) const noexcept { return hours_.count(b) - hours_.count(a); }
  /// The earliest instant at which so much working time has passed since t; for none at all, next_open(t).
  Micros add_working(Micros t, Micros length) const noexcept;
  /// The same local time n working days later, or when work begins after it; work begins by next_open(t). A working day is a local
  /// date of which something is open.
  Micros add_days(Micros t, int n) const noexcept;
  /// Local time, as if it were UTC.
  Micros local(Micros t) const noexcept { return t + change(t)->offset; }

private:
  using Changes = std::vector<ZoneChange>;
  Changes::const_iterator change(Micros t) const noexcept; // in force at t
  Micros instant(Micros local) const noexcept;
  Micros open_on(Micros day) const noexcept;
  std::vector<Span> lost_days(const CalendarDef &def) const;

  Changes zone_;
  OpenLine hours_, days_; ///< the latter in local time, where working days are open from midnight to midnight
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
