// Events folded in memory, by home, before they are merged into what is stored.
// Law: what a batch does does not depend on the order of its events.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/state/home.hpp"

namespace pql {

/// What an event of some name does to a subject of one unit.
struct Action {
  Tracker::Kind kind;
  TrackerId tracker;
  std::uint32_t steps = 0; ///< funnel: the bit of this step
  std::int16_t rule = -1;  ///< index of its condition among the event's rules, or -1
  std::int16_t value = -1; ///< decay, window: index of its value among the event's values, or -1 for a count
  bool account = false;    ///< the evidence is the event's account; an event that names none does nothing
};

/// All that an event of some name does.
struct EventActions {
  std::span<const Action> on_user = {}, on_account = {}, on_workspace = {};
};

/// One event, as the database's side read it. Views need to live for the call only.
struct Event {
  std::string_view user, account; ///< the account may be absent
  bool has_account = false;
  Micros at = 0;
  std::string_view id;            ///< encoded; may be empty
  std::span<const bool> rules;    ///< whether each of the event's conditions holds
  std::span<const double> values; ///< each of its values; NaN: unusable
  std::string_view workspace = {}; ///< may be empty
};

/// What a batch does to one home.
struct HomeDelta {
  std::string_view key;
  Home home;
  Micros newest = kAlways; ///< of the events folded
  std::uint32_t hash = 0;  ///< for the batch's table
};

/// A batch of events by home.
class Batch {
public:
  Batch(Arena &arena, Trackers trackers) : arena_(arena), trackers_(trackers) {}

  /// Where an event's home and user are looked for.
  struct Place {
    std::uint32_t home, user;
  };
  Place place_of(bool account, std::string_view owner, std::string_view user) const noexcept;
  /// Brings what an event will touch into the processor's cache. For several events at once, step by step: each step looks
  /// where the one before led.
  enum class Step : std::uint8_t { slots, home, member };
  void approach(const Place &at, Step step) const noexcept;

  /// Folds one event. With `members` false only trackers change, not when a subject was seen (a backfill of new trackers).
  void fold(const Event &e, const EventActions &actions, const Place &at, bool members = true);
  void fold(const Event &e, const EventActions &actions, bool members = true) {
    fold(e, actions, place_of(e.has_account, e.has_account ? e.account : e.user, e.user), members);
  }
  /// Folds one event into the home of its workspace, and nowhere else.
  void fold_workspace(const Event &e, std::span<const Action> actions, bool members);
  /// Folds one event into a subject of a unit that is nobody's home yet (a replay). Only there.
  void fold_into(Subject &s, Unit unit, const Event &e, const EventActions &actions) {
    lasting_id_ = {};
    s.fold_seen(e.at);
    apply(s, e, unit == Unit::user ? actions.on_user : unit == Unit::account ? actions.on_account : actions.on_workspace, unit == Unit::user);
  }
  /// The home's delta, made if there is none.
  HomeDelta &home(std::string_view key) { return home(unit_of_home(key), home_id(key)); }
  HomeDelta &home(Unit unit, std::string_view id);
  HomeDelta &home(bool account, std::string_view id) { return home(account ? Unit::account : Unit::user, id); }
  /// The user's subject in a home, made if there is none.
  Subject &user(HomeDelta &h, std::string_view id);

  /// Adds what is known of a home already (a sealed base, a share); to be settled after the last. What is merged is kept in the arena.
  void add(std::string_view key, const Home &base);

  std::uint64_t events() const noexcept { return events_; }
  std::size_t size() const noexcept { return homes_.size; }
  std::size_t bytes() const noexcept { return arena_.used(); }
  /// The homes in the order of their keys (the order in which they are to be written).
  std::span<HomeDelta *const> sorted();

private:
  struct Slot {
    HomeDelta *home; ///< null: free
    std::uint32_t hash;
    std::uint32_t member; ///< 0: the home itself; otherwise 1 + index of a member
  };

  HomeDelta &home(Unit unit, std::string_view id, std::uint32_t hash);
  Subject &user(HomeDelta &h, std::string_view id, std::uint32_t hash);
  const Slot *likely(std::uint32_t hash) const noexcept;
  template <class F>
  Slot &find(std::uint32_t hash, F &&same);
  void grow();
  void apply(Subject &s, const Event &e, std::span<const Action> actions, bool of_user);
  std::string_view lasting(std::string_view id);

  Arena &arena_;
  Trackers trackers_;
  Vec<Slot> table_;
  std::size_t used_ = 0;
  Vec<HomeDelta *> homes_;
  std::uint64_t events_ = 0;
  HomeDelta *last_home_ = nullptr; ///< of the event before: events come in bursts
  std::uint32_t last_member_ = 0;
  std::string_view lasting_id_; ///< of the event that is being folded
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
