// What a tracker keeps of its newest events, so that windows of time can be read: instants, days, users or sessions.
// Law: the state is a function of the set of events. Any order, batching and merge tree of the same events gives the same bits,
// though what no window can reach any more is forgotten on the way: forgetting follows the newest event alone, which never goes back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "core/base/arena.hpp"
#include "core/base/time.hpp"
#include "core/decay/decay.hpp"

namespace pql {

enum class MarksKind : std::uint8_t {
  window,   ///< a count or sum, by instant
  days,     ///< the days (UTC) with an event
  users,    ///< who had an event
  sessions, ///< how long it went on
  latest,   ///< the newest event alone
};

/// What is to be read: the window that ends at an instant, or with two spans also the one before it (growth).
struct MarksSpec {
  MarksKind kind = MarksKind::latest;
  std::uint8_t spans = 1;
  Micros window = 0; ///< its length; none for latest
  Micros gap = 0;    ///< sessions: after which a new one begins

  bool operator==(const MarksSpec &) const = default;
};

/// Something that happened at an instant or went on for a while.
struct Mark {
  std::uint64_t key;  ///< of the user; 0 where it doesn't matter who it was
  Micros from, to;    ///< window: an instant, or (from < to) the bucket of all its older events; users: the oldest and the newest
  Wide more, less;    ///< window: the sum of what isn't negative, and of what is, in units of 2^-40: exact in any order
};

/// A number read, and how far it may be off: 0 when it is exact, infinity when it is only known to be no smaller.
struct Measured {
  double value = 0, error = 0;
};

/// The newest so many instants of a window are kept as they are; older ones in buckets of this part of it.
inline constexpr std::uint32_t kExactInstants = 64, kBucketsOfWindow = 32;
/// Of so many users at the most it is known who they are: the most recent ones or, to compare two windows, a sample.
inline constexpr std::uint32_t kMaxUsers = 1024;
/// Events later or earlier than this (some 70,000 years) leave no mark.
inline constexpr Micros kMaxMark = Micros{1} << 61;

/// By what a user is told from others. Stored: never to be changed. 48 bits; no key is 0.
std::uint64_t user_key(std::string_view user_id) noexcept;
inline constexpr int kKeyBits = 48;

/// The state of one tracker, and the newest event in it as evidence (of several at that time, the greatest id).
struct Marks {
  MarksKind kind = MarksKind::latest;
  std::uint32_t enough = 0; ///< marks at which they are put in order: twice as many as were left by the last time
  Vec<Mark> all;            ///< by key and time; window: buckets first
  Micros newest = kAlways;
  Bytes event;
  std::string_view stored; ///< as it was read, while nothing has been added: most events add to few of a subject's trackers

  void add(Arena &a, const MarksSpec &spec, Micros at, std::uint64_t key, double value, std::string_view event);
  void merge(Arena &a, const MarksSpec &spec, const Marks &o);
  /// Brings the state into its canonical form: call after the last add or merge, before it is read, stored or compared.
  void settle(const MarksSpec &spec);

  /// What happened in (after, until]: a sum, days, users or hours. Requires that until - after is the window's length, and
  /// until not before the newest event, or (two spans) the window before that.
  Measured read(const MarksSpec &spec, Micros after, Micros until) const noexcept;
  /// Days with an event one after the other, the last of them today or yesterday, in the window that ends at an instant.
  double streak(const MarksSpec &spec, Micros as_of) const noexcept;
  /// Calls f(t) for every instant from which on what is read of the windows that end there grows or falls otherwise than before.
  template <class F>
  void each_turn(const MarksSpec &spec, F &&f) const;
  /// A number that tells different states apart, for people. Never stored.
  std::uint64_t digest() const noexcept;

private:
  void push(Arena &a, const MarksSpec &spec, const Mark &m);
  /// The last instant that a mark may be about: what is in a bucket is older than what isn't.
  Micros last_of(const Mark &m) const noexcept { return m.from == m.to ? m.to : std::max(m.from, std::min(m.to, exact_from() - 1)); }
  Micros exact_from() const noexcept;
  Measured sum_in(Micros after, Micros until) const noexcept;
};

/// t - by and t + by, no further than times go.
inline Micros earlier(Micros t, Micros by) noexcept { return t < kAlways + by ? kAlways : t - by; }
inline Micros later(Micros t, Micros by) noexcept { return t > kNever - by ? kNever : t + by; }

template <class F>
void Marks::each_turn(const MarksSpec &spec, F &&f) const {
  for (const Mark &m : all) {
    for (int i = 1; i <= spec.spans; i++) { // it leaves one window and, with two spans, enters the other
      f(later(m.from, i * spec.window));
      if (m.to != m.from) f(later(kind == MarksKind::window ? last_of(m) : m.to, i * spec.window));
    }
  }
}

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
