// State from the events themselves: for homes that can't be merged exactly, for the past, for verification.
// Law: what it gives equals what the trigger keeps.
#pragma once

#include <functional>
#include <span>

#include "pg/ingest.hpp"

namespace pql::pg {

/// Which events a scan reads.
struct ScanRange {
  Micros since = kAlways;                        ///< earlier events are passed over; with it set, no base is added
  Micros until = kNever;                         ///< later events are passed over
  Micros due = kNever;                           ///< later events are held (kNever: those later than now)
  const std::vector<std::string> *homes = nullptr; ///< only these (null: all)
  std::string_view user;                         ///< only this user's events (empty: everybody's); what accounts get is worth nothing then
  std::vector<std::string> stored;               ///< with record_held and no homes: all that there were
  EventSink sink;                                ///< when set, events go there, whenever they are due; bases and milestones that were stated don't
  bool record_held = false;                      ///< put events that are not due aside again
};

/// Folds the events of all sources, and asserted milestones, into a batch. Reads with a snapshot taken now.
void scan_events(const Definitions &plan, Arena &arena, Batch &into, const ScanRange &range);

/// Milestones that were stated: f(user, name, time, event).
void each_asserted(const ScanRange &range, const std::function<void(std::string_view, std::string_view, Micros, std::string_view)> &f);
/// What was sealed of a source, by home; decoded in the arena. It stays in the account in which it was sealed, whoever is moved.
/// `renamed` gets the ids, as they were sealed, that stand for others by now.
void each_base(const SourceInfo &source, Arena &arena, const ScanRange &range,
               const std::function<void(std::string_view, const Home &)> &f, std::set<std::string, std::less<>> *renamed = nullptr);

/// Whether a source can be read: it didn't lose a column that it needs. One whose table was dropped has nothing left to read.
bool source_readable(const SourceInfo &source);
/// Raises 55000 unless every source can be read.
void require_readable(const Definitions &plan);

/// Locks homes, making those that are missing: from here on nobody else merges into them. In the order of keys.
void lock_homes(const std::vector<std::string> &homes);
/// All homes that there are, and those of held events.
std::vector<std::string> all_homes();
/// Derives homes again, under their locks, and decides upon them; nobody enters who may not.
void derive_homes(const Definitions &plan, const std::vector<std::string> &homes, bool may_enter = true);
/// Derives everything again, while writers of the events tables wait, and by what is defined when they do. Both leave everything as it is
/// while a source can't be read: what it once told is better than nothing.
void derive_all(); // 55000 but at READ COMMITTED

/// The homes of the events in one table, be it a partition of the source's or one that was.
std::vector<std::string> homes_in(const Definitions &plan, const SourceInfo &source, Oid relation);

/// The homes in which the events count that say a user, or whoever was merged into him.
std::vector<std::string> homes_of_user(const Definitions &plan, const std::string &user);

/// The homes of a user's events, where they count and where they would by what they say, and their ids as SQL prints them.
struct EventsOfUser {
  std::set<std::string, std::less<>> homes, events;
};
EventsOfUser events_of_user(const Definitions &plan, const std::string &user);
/// Takes users out of what was sealed of homes. What accounts had from them stays: numbers that name nobody.
void erase_from_bases(const Definitions &plan, const std::vector<std::string> &users, const std::vector<std::string> &homes);

/// Seals what is older than an instant: it becomes the base of every later derivation. Returns how many events it held.
std::int64_t seal(const Definitions &plan, const SourceInfo &source, Micros since);

/// Opens episodes, in shadow, for subjects that are above a program's threshold already.
void open_standing(const Definitions &plan, const Program &program);
/// Begins their episodes anew, of subjects who are in one in their home already: from here on it counts. After open_standing.
void emit_standing(const Definitions &plan, const Program &program, std::span<const std::string_view> homes,
                   std::span<const std::string_view> subjects);

/// The newest event seen by sources with an event clock; kAlways when there is none.
Micros event_clock();
/// Tells the event clock of an event.
void advance_event_clock(Micros newest);
/// The instant that "now" means to a reader.
Micros reading_time(const Definitions &plan);

/// One batch of a backfill: folds the next pages of the job's table. True when the job is done.
bool backfill_step(int job);

} // namespace pql::pg
