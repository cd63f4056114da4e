// What is kept of one subject (a user, an account or a workspace): a monoid over events.
// Law: fold and merge are commutative and associative; any order and batching of the same events gives equal subjects.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/arena.hpp"
#include "core/base/time.hpp"
#include "core/decay/decay.hpp"
#include "core/qualify/standing.hpp"
#include "core/sequence/funnel.hpp"
#include "core/window/marks.hpp"

namespace pql {

/// Something a program needs maintained for each subject of a unit. Programs that need the same thing share it.
struct Tracker {
  enum class Kind : std::uint8_t { none, milestone, decay, funnel, window, days, users, sessions, latest };
  Kind kind = Kind::none;
  Micros half_life = 0; ///< decay
  FunnelSpec funnel{};  ///< funnel
  MarksSpec marks{};    ///< window and whatever comes after it

  bool keeps_marks() const noexcept { return kind >= Kind::window; }
};

using TrackerId = std::uint16_t;

/// Trackers by id; ids that are not in use have kind none.
using Trackers = std::span<const Tracker>;

/// The earliest occurrence: its time and the event it rests on (of several at that time, the smallest id).
struct FirstTime {
  Micros at;
  const char *event_data; ///< never written: subjects may share it
  std::uint32_t event_size;
  TrackerId tracker;

  static FirstTime of(TrackerId t, Micros at, std::string_view event) noexcept {
    return {at, event.data(), static_cast<std::uint32_t>(event.size()), t};
  }
  std::string_view event() const noexcept { return {event_data, event_size}; }
  bool before(const FirstTime &o) const noexcept { return at < o.at || (at == o.at && event() < o.event()); }
};
static_assert(sizeof(FirstTime) == 24); // a large statement keeps millions of them

/// A decayed sum, and the newest event in it as evidence (of several at that time, the greatest id).
struct DecayedSum {
  Decay sum;
  Micros newest;
  Bytes event;
  TrackerId tracker;
};

struct FunnelState {
  Funnel funnel;
  TrackerId tracker;
};

struct MarksState {
  Marks marks;
  TrackerId tracker;
};

/// A set of trackers, as the bits of a run of bytes. Trivial: copying it copies the handle.
struct TrackerSet {
  Bytes bits;
  std::uint16_t first = 0; ///< byte i has the trackers from 8 * (first + i)

  bool empty() const noexcept { return bits.empty(); }
  bool has(TrackerId t) const noexcept {
    const std::size_t at = t / 8u - first; // wraps below the first
    return at < bits.size && (static_cast<unsigned char>(bits.data[at]) >> t % 8 & 1);
  }
  bool includes(const TrackerSet &o) const noexcept;
  void add(Arena &a, TrackerId t);
  void add(Arena &a, const TrackerSet &o);
};

struct Subject {
  Bytes id;
  Micros first_seen = kNever, last_seen = kAlways;
  std::int64_t events = 0;
  Vec<FirstTime> milestones;
  TrackerSet known;              ///< milestones that are here, or kept apart (see encode), none of which is newer than
  Micros newest_known = kAlways;
  Vec<DecayedSum> decays;
  Vec<FunnelState> funnels;
  Vec<MarksState> marks;
  Vec<Standing> standings; ///< ledger, not state: open episodes, and cool-downs
  std::string_view asleep; ///< stored form of the id, first_seen, known and funnels while nobody has read the latter (see wake)

  void fold_seen(Micros at) noexcept {
    if (at < first_seen) first_seen = at;
    if (at > last_seen) last_seen = at;
    events++;
  }
  void fold_milestone(Arena &a, TrackerId t, Micros at, std::string_view event);
  /// Where to note an occurrence of a milestone, whose event the caller keeps in the arena; null when it is no news.
  FirstTime *news_of(Arena &a, TrackerId t, Micros at, std::string_view event);
  void fold_decay(Arena &a, TrackerId t, Micros half_life, Micros at, double value, std::string_view event);
  void fold_steps(Arena &a, TrackerId t, const FunnelSpec &spec, Micros at, std::uint32_t steps);
  void fold_mark(Arena &a, TrackerId t, const MarksSpec &spec, Micros at, std::uint64_t key, double value, std::string_view event);

  /// Takes what another subject knows (its ledger excepted). False when a funnel became inexact: derive the home again.
  [[nodiscard]] bool merge(Arena &a, Trackers trackers, const Subject &o);
  /// Takes the milestones that another subject knows.
  void learn(Arena &a, const Subject &o);
  /// As merge, without milestones, known ones included.
  [[nodiscard]] bool merge_but_milestones(Arena &a, Trackers trackers, const Subject &o);
  /// The same, to be settled after the last of several: what is folded in between would meet the next one's older events.
  void absorb(Arena &a, Trackers trackers, const Subject &o);
  /// Brings funnels and marks into canonical form and says whether all are exact. Call once after folding or merging.
  [[nodiscard]] bool settle(Arena &a, Trackers trackers);

  /// Whether nothing of a delta that was folded from events can be news, as mostly. Its milestones aren't looked at: none of
  /// them is older than the first event.
  bool knows_all(const Subject &delta) const noexcept {
    return delta.events > 0 && delta.first_seen > newest_known && known.includes(delta.known);
  }
  /// Whether an occurrence can't be news: it is later than all that is known, as most are.
  bool knows(TrackerId t, Micros at) const noexcept { return at > newest_known && known.has(t); }
  /// Notes that a milestone is known.
  void note(Arena &a, TrackerId t, Micros at);
  /// Whether it has been seen, or a milestone of it stated.
  bool exists() const noexcept { return events > 0 || !milestones.empty() || !known.empty(); }

  const FirstTime *milestone(TrackerId t) const noexcept;
  const DecayedSum *decay(TrackerId t) const noexcept;
  const FunnelState *funnel(TrackerId t) const noexcept;
  const Marks *marks_of(TrackerId t) const noexcept;
  /// What is remembered of it in a program: its open episode, else its last cool-down, else null.
  Standing *standing(std::int32_t program) const noexcept;
  bool is_open(std::int32_t program) const noexcept;
};

/// A copy that shares nothing that merging would change.
Subject copy_of(Arena &a, const Subject &s);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
