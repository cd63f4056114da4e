// Sessions: instants that follow each other within a gap.
// Law: the tidy form is a function of the multiset of instants, whatever their order and however they were split into states.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "core/base/ring.hpp"
#include "core/base/time.hpp"

namespace pql {

/// One session: its first and its last instant, and how many there are, both included.
struct Session {
  Micros start = 0, end = 0;
  std::int64_t n = 0;
  bool operator==(const Session &) const = default;
};

/// What makes sessions: an instant later than `gap` after all before it begins a new one. Sessions shorter than
/// `min_length` are kept, since they may grow, but not told of.
struct SessionSpec {
  Micros gap = 0, min_length = 0;
  bool operator==(const SessionSpec &) const = default;
};

/// How long it is from a to b, which isn't earlier. Instants may lie further apart than a signed number says.
constexpr std::uint64_t distance(Micros a, Micros b) noexcept {
  return static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a);
}
constexpr bool apart(Micros a, Micros b, Micros gap) noexcept { return distance(a, b) > static_cast<std::uint64_t>(gap); }

/// The head of a flat state; what it is about lies elsewhere, in room that the caller gives.
struct SessionHead {
  SessionSpec spec;
  std::uint32_t size = 0;       ///< sessions, at the beginning of the room
  std::uint32_t tidy : 1 = 1;   ///< they are ascending, and further than the gap from each other
  std::uint32_t loose : 31 = 0; ///< instants that belong to no session yet, at the end of the room, the first one last
};

/// Of numbers of rows: saturates, which is as associative as the sum. Only states that somebody made up count so far.
constexpr std::int64_t sum(std::int64_t a, std::int64_t b) noexcept {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  return a > most - b ? most : a + b;
}

/// Room is given in words of this size.
inline constexpr std::size_t kSessionWords = sizeof(Session) / sizeof(Micros);

/// Whether fold() can take them as they are.
bool in_order(std::span<const Session> sessions, std::span<const Micros> loose) noexcept;
/// How many sessions these are, each loose instant being one, when those within the gap are joined: the tidy form, which goes to
/// `out` if there is one. That may be where the sessions are, if nothing is loose.
std::size_t fold(const SessionSpec &spec, std::span<const Session> sessions, std::span<const Micros> loose, Session *out) noexcept;

/// A set of sessions changed in place. An instant which doesn't extend the last session stays loose, since it takes a third of the
/// room of a session, until there is another one within the gap, or no room.
class Sessions {
public:
  Sessions(SessionHead &head, std::span<Micros> room) noexcept : head_(head), room_(room) {}

  /// Takes an instant, or a session of the same gap. False, and nothing changed, when there is no room.
  bool add(Micros at) noexcept { return extends_last(at) || push(at); }
  bool add(const Session &s) noexcept { return s.n == 1 ? add(s.start) : push(s); }
  /// What fold() requires.
  void sort() noexcept;
  /// The tidy form, nothing loose; but when that would take more than half of the room: false, and nothing changed but the order.
  bool tidy(Allocate allocate);
  /// To wider room, which isn't the same.
  void move_to(std::span<Micros> wider) const noexcept;

  std::span<Session> all() const noexcept { return {reinterpret_cast<Session *>(room_.data()), head_.size}; }
  std::span<Micros> loose() const noexcept { return room_.last(head_.loose); }

private:
  // The common case: instants in ascending order, more or less. What begins before the last session may reach the one before it.
  bool extends_last(Micros at) noexcept {
    if (head_.size == 0) return false;
    Session &last = all().back();
    if (at >= last.end) {
      if (apart(last.end, at, head_.spec.gap)) return false;
      last.end = at;
    } else if (at < last.start) {
      if (apart(at, last.start, head_.spec.gap)) return false;
      last.start = at;
      head_.tidy = head_.size == 1;
    }
    last.n = sum(last.n, 1);
    return true;
  }
  bool push(Micros at) noexcept;
  bool push(const Session &s) noexcept;
  std::size_t free_words() const noexcept { return room_.size() - head_.size * kSessionWords - head_.loose; }

  SessionHead &head_;
  std::span<Micros> room_;
};

/// Whether this can be a session of some instants.
bool is_session(const SessionSpec &spec, const Session &s) noexcept;
/// Whether these are the tidy form of some instants.
bool is_tidy(const SessionSpec &spec, std::span<const Session> sessions) noexcept;

constexpr std::uint64_t length_of(const Session &s) noexcept { return distance(s.start, s.end); }
inline bool is_told(const SessionSpec &spec, const Session &s) noexcept {
  return length_of(s) >= static_cast<std::uint64_t>(spec.min_length);
}

/// What sessions come to. Only those of the least length and more count.
struct SessionTotals {
  std::uint64_t sessions = 0;
  std::uint64_t length = 0; ///< the sum of their lengths, without tails

  bool operator==(const SessionTotals &) const = default;
};
SessionTotals totals_of(const SessionSpec &spec, std::span<const Session> tidy) noexcept;
/// The longest session; of several the earliest; none when nothing is told.
const Session *longest_of(const SessionSpec &spec, std::span<const Session> tidy) noexcept;

/// Instants that enter at one end of a frame and leave at the other. Constant time for each, as long as they enter in
/// ascending order.
class MovingSessions {
public:
  explicit MovingSessions(SessionSpec spec) noexcept : spec_(spec) {}

  const SessionSpec &spec() const noexcept { return spec_; }
  void push(Micros at, Allocate allocate);
  /// Takes back the oldest one. False when it can't: it isn't the oldest, or not all entered in order.
  bool pop(Micros at) noexcept;

  bool ascending() const noexcept { return ascending_; }
  std::size_t instants() const noexcept { return instants_.size; }
  Micros instant(std::size_t i) const noexcept { return instants_[i]; }
  /// Valid while they are ascending; otherwise the instants must be added to a set.
  std::size_t size() const noexcept { return sessions_.size; }
  const Session &operator[](std::size_t i) const noexcept { return sessions_[i]; }
  const SessionTotals &totals() const noexcept { return totals_; }

private:
  void count(const Session &s, int sign) noexcept;

  SessionSpec spec_;
  Ring<Micros> instants_;
  Ring<Session> sessions_;
  SessionTotals totals_;
  bool ascending_ = true;
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
