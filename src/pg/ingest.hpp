// From rows to state: reading events, folding them, and what is pending in a transaction.
// Law: what can't be merged exactly is derived again from the events before the transaction commits, and before anybody in it
// reads.
#pragma once

#include <set>
#include <unordered_set>

#include "pg/extract.hpp"
#include "pg/merge.hpp"

namespace pql::pg {

/// Which of the rows that share an event id (and home) count: the first that arrived, and a later one past the horizon.
class Ids {
public:
  struct Rank {
    Micros arrived; ///< or, where the table doesn't tell, `at`
    Micros at;            ///< for those that arrived at one instant
    std::uint64_t digest; ///< of what the row says, for those that happened at one, too
    auto operator<=>(const Rank &) const = default;
  };

  explicit Ids(Micros horizon) : horizon_(horizon) {}
  /// Notes a row in some of its homes. Inside call().
  void add(const Extracted &e, Homes in);
  /// Notes a row that was sealed and counts.
  void add_sealed(const std::string &id_key, const Rank &r) { sealed_[id_key].push_back(r); }
  /// All rows are noted: keeps those that count, and the sealed ones.
  void settle();
  /// In which homes a row counts; of equal ones the first. Inside call().
  Homes take(const Extracted &e, Homes of);
  /// Takes out the rows of workspaces' homes, or puts them back.
  Ids part_workspaces();
  void join(Ids &&o);
  /// Whether a row is a repetition of an earlier one that counts.
  bool repeats(const Rank &row, const Rank &earlier) const noexcept;
  /// Whether a row came before one whose id may have been forgotten, or may repeat it.
  bool may_repeat(const Rank &row, const Rank &forgotten) const noexcept;

  /// The last of all rows that were noted of an id, whether it counts or not.
  const Rank &last(const std::string &id_key) const;

  std::unordered_map<std::string, std::vector<Rank>> ranks; ///< by id_key

private:
  bool repeats_sealed(const std::string &id_key, const Rank &row) const;

  std::unordered_map<std::string, std::vector<Rank>> sealed_;
  std::unordered_map<std::string, Rank> passed_over_; ///< where the last of the rows doesn't count
  Micros horizon_;
};

/// Takes events that count, with what they do (null: nothing); called inside call().
struct EventSink {
  void (*take)(void *arg, const Event &e, const EventPlan *plan) = nullptr;
  void *arg = nullptr;
  bool workspaces = false; ///< wants what counts in workspaces rather than in accounts and for people
};

/// Events that could not be used, for one reason.
struct Unusable {
  std::string_view reason;
  std::int64_t events;
};
/// Adds to the count of a reason, which is copied when it is the first.
void count_unusable(Arena &arena, Vec<Unusable> &counts, std::string_view reason, std::int64_t n = 1);

/// Reads events from slots into a batch: the loop that costs.
class Folder {
public:
  /// `events` says what each event does; `members` whether subjects are seen by it.
  /// Events after `now` (or, by the event clock, after now + max_future) are held.
  Folder(const Definitions &plan, const SourceInfo &source, const EventTable &events, Arena &arena, Micros now, Batch &into,
         bool members = true);

  /// From here on later events than this are held.
  void hold_after(Micros now) noexcept;

  static constexpr std::size_t kTogether = 8;
  /// Folds events, which come faster together than one by one. Call inside call().
  void take(std::span<const Extracted> events); ///< best kTogether at a time
  void take(const Extracted &e);

  Micros newest() const noexcept { return newest_; }

  /// Events that are not due yet, once for each home.
  struct Held {
    Bytes home, user, account, event, id;
    bool has_account;
    Micros at;
    Bytes properties; ///< jsonb as text; empty for none
  };
  const Vec<Held> &held() const noexcept { return held_; }

  const Vec<Unusable> &unusable() const noexcept { return unusable_; }
  void count_unusable(std::string_view reason, std::int64_t n = 1) { pql::pg::count_unusable(arena_, unusable_, reason, n); }

  /// When set, events are folded only into the homes that it says.
  Homes (*wanted)(void *arg, const Extracted &e) = nullptr;
  void *wanted_arg = nullptr;
  EventSink sink;        ///< when set, events go there rather than into the batch
  Ids *ids = nullptr;    ///< when set, only rows that count by their ids are folded
  bool ranking = false;  ///< nothing is folded: ids are noted
  std::set<std::string, std::less<>> *renamed = nullptr; ///< gets the ids, as rows say them, of events that are another's (identity.hpp)
  std::string_view only_user; ///< when set, only this user's events are folded; whose id is an event's first is known before
  Micros since = kAlways; ///< earlier events are passed over
  Micros until = kNever; ///< later events are passed over (reads of the past)

private:
  void take(const Extracted &e, const Batch::Place &at);
  static Batch::Place place_of(const Batch &b, const Extracted &e) noexcept {
    return b.place_of(e.has_account, e.has_account ? e.account : e.user, e.user);
  }
  void hold(const Extracted &e, Homes in);
  void evaluate(const EventPlan &e, const Extracted &x);
  void evaluate_each(const EventPlan &e, const Extracted &x);

  const Definitions &plan_;
  const SourceInfo &source_;
  const EventTable &events_;
  Arena &arena_;
  Batch &batch_;
  Micros hold_after_, newest_ = kAlways;
  bool members_;
  Vec<Held> held_;
  Vec<Unusable> unusable_;
  static constexpr std::size_t kMostRules = 256;
  bool rule_results_[kMostRules];
  double value_results_[kMostRules];
};

/// The instant of decisions now: the statement's start, or the newest of its events if that came later; by the event clock the newest event seen.
Micros decision_time(const Definitions &plan, const SourceInfo *source, Micros newest_in_batch);

/// Marks homes that must be derived again before this transaction reads them or commits.
void mark_dirty(std::string_view home);
/// Marks everything, of which homes may be missing as well (rebuild).
void mark_all_dirty();
/// Marks all homes that there are, of which a source lost its events (TRUNCATE), or has whoever folds mark them.
void mark_truncated(const SourceInfo &source);
/// Marks all homes that there are.
void mark_truncated();
/// Collects rows of a row trigger, until they are flushed.
void collect_row(const SourceInfo &source, Relation rel, TupleTableSlot *slot);
/// The same of a deferred source: an event that was inserted, or rows that were changed or deleted.
void collect_deferred(const SourceInfo &source, const Extracted &event);
void collect_touched(const SourceInfo &source, std::initializer_list<const Extracted *> rows);
/// Does what is pending in this transaction: collected rows, then derivations. Every reader calls it first.
void flush_pending();
/// Whether anything is.
bool is_pending() noexcept;
/// Registers the transaction callbacks. Called once, when the library is loaded.
void watch_transactions();

/// Whether a new row is to be told from others by its id: one that is sealed counts for nothing, and hides none.
inline bool may_count_by_id(const SourceInfo &source, const Extracted &e) noexcept {
  return source.dedup && !e.unusable && e.id.size && e.at >= source.sealed_before;
}

/// Remembers settled ids of a source with dedup, and takes out those that had arrived before. Homes in which another row than before
/// may count now are marked dirty.
void remember_ids(const SourceInfo &source, Ids &ids);
/// What is remembered of homes that were derived again is what their events say in a snapshot.
void remember_again(const SourceInfo &source, const Ids &ids, const std::vector<std::string> &homes, Snapshot snapshot);

/// Notes the sealed rows of a source that count, of some homes or (null) of all.
void recall_sealed(const SourceInfo &source, const std::vector<std::string> *homes, Ids &ids);
/// Remembers, of settled ids, the rows before an instant: those that a later one may repeat, and those of ids that have rows after it.
void remember_sealed(const SourceInfo &source, const Ids &ids, const std::unordered_set<std::string> &open, Micros since);

/// Counts events that could not be used. Slots keep writers from waiting for each other.
void record_unusable(int source, const Vec<Unusable> &unusable);
/// Puts events aside until they are due, but for those of some homes.
void record_held(int source, const Vec<Folder::Held> &held, const std::set<std::string, std::less<>> *but = nullptr);

} // namespace pql::pg
