// Rows of pql.state and of what belongs to it, read and written without the executor.
// Law: a home's head (part 0) is its lock: whoever writes a home writes, or locks, the head first, or adds to a lane in his turn.
#pragma once

#include "pg/memory.hpp"

namespace pql::pg {

struct Hint;

/// A stored row of a home. The body is copied into the caller's arena.
struct StoredRow {
  bool found = false;
  ItemPointerData tid;
  std::string_view body;
};

/// A row as others may soon have it.
struct LiveRow {
  StoredRow row;           ///< its newest committed version; at REPEATABLE READ and above the snapshot's
  bool unseen = false;     ///< something was committed after the store's snapshot
  std::string_view newest; ///< the body of its newest version, committed or not; row.body when there is no newer one
  bool busy = false;       ///< another transaction that has not ended changed or locked it
  bool gone = false;       ///< or deleted it, or its newest body can't be read yet
};

/// A row of pql.milestone_log.
struct LoggedMilestones {
  std::string_view member; ///< empty: the home's owner
  std::string_view body;
};

/// Access to pql.state for the length of one operation. Every method may throw PgError.
class Store {
public:
  enum class Access { read, write };

  /// `latest`: reads what is committed now, whatever the isolation level.
  explicit Store(Access access, bool latest = false);
  Store(const Store &) = delete;
  Store &operator=(const Store &) = delete;

  /// Gives everything back and makes what was written visible to later commands. On an error PostgreSQL does it instead.
  void close();

  /// The row as of the store's snapshot: the newest committed one at READ COMMITTED, the transaction's above.
  StoredRow fetch(Arena &a, std::string_view home, int part);
  /// Takes a new snapshot, so that fetch sees what others committed meanwhile. Raises 40001 where that isn't allowed.
  void refresh();

  /// Takes a new snapshot after CommandCounterIncrement, so that fetch sees what this transaction wrote.
  void see_own_writes();

  /// The same, and what others who have not committed made of it.
  LiveRow fetch_live(Arena &a, std::string_view home, int part);

  /// One at a time looks at what others do to a home and then writes it. Not for longer than that: whoever waits for a row
  /// must not hold the turn of others who hold none. Given back at the end of the transaction at the latest.
  void take_turn(std::string_view home);
  void end_turn(std::string_view home);

  /// Replaces a row that was fetched. False when somebody else changed it first: refresh, fetch and merge again.
  bool update(const StoredRow &row, std::string_view home, int part, std::string_view body);
  /// Deletes a row that was fetched, under its lock.
  void remove(const StoredRow &row);
  /// Inserts a row. False when somebody else did first.
  bool insert(std::string_view home, int part, std::string_view body);
  /// Locks a row that was fetched, waiting for whoever changes it. False when it was changed: refresh and fetch again.
  bool lock(const StoredRow &row);
  /// The same without waiting. False also when somebody else has changed or locked it and has not ended.
  bool try_lock(const StoredRow &row);

  /// Records that a user has been seen in a home. Call under the head's lock.
  void add_user_home(std::string_view home, std::string_view user);

  /// Adds milestones of a member (empty: the owner) to the home's log. Call under the head's lock.
  void log_milestones(std::string_view home, std::string_view member, std::string_view body);
  /// What the log has of a home, or of one subject of it.
  std::vector<LoggedMilestones> logged(Arena &a, std::string_view home, const std::string_view *member = nullptr);
  /// Forgets what the log has of a home. Call under the head's lock.
  void forget_milestones(std::string_view home);

  /// The homes in which a user has been seen: his own and those of accounts, or those of workspaces.
  enum class Of { people, workspaces };
  void homes_of(Arena &a, std::string_view user, std::vector<std::string_view> &out, Of of = Of::people);

  /// Calls f(home, part, body) for every row, as of the store's snapshot. `body` is valid during the call.
  template <class F>
  void scan(F &&f) {
    using Fn = std::remove_reference_t<F>;
    scan_rows(&f, [](void *x, std::string_view home, int part, std::string_view body) {
      (*static_cast<Fn *>(x))(home, part, body);
    });
  }

  /// Calls f(home, member, body) for every row of the log, by home and member, or as they lie.
  enum class Order { of_homes, none };
  template <class F>
  void scan_log(Order order, F &&f) {
    using Fn = std::remove_reference_t<F>;
    scan_log_rows(order, &f, [](void *x, std::string_view home, std::string_view member, std::string_view body) {
      (*static_cast<Fn *>(x))(home, member, body);
    });
  }

  Snapshot snapshot() const noexcept { return snapshot_; }
  /// pql.state, open as long as the store is.
  Relation table() const noexcept { return state_; }

private:
  struct Target;
  bool lock(const StoredRow &row, LockWaitPolicy wait);
  bool writes() const noexcept { return mode_ == RowExclusiveLock; }
  bool fetch_chain(ItemPointerData root, OffsetNumber seen, Buffer recent, bool *all_dead);
  bool fetch_hinted(const Hint &hint, std::string_view home, int part);
  bool fetch_indexed(std::string_view home, int part);
  void take_snapshot();
  void restart();
  void scan_rows(void *x, void (*f)(void *, std::string_view, int, std::string_view));
  void scan_log_rows(Order order, void *x, void (*f)(void *, std::string_view, std::string_view, std::string_view));
  void open_log();

  Relation state_ = nullptr, index_ = nullptr;
  Relation user_homes_ = nullptr, user_index_ = nullptr, log_ = nullptr, log_index_ = nullptr;
  IndexScanDesc scan_ = nullptr;
  HeapTupleData tuple_{}; ///< in slot_
  TupleTableSlot *slot_ = nullptr, *out_ = nullptr;
  Snapshot snapshot_ = nullptr;
  LOCKMODE mode_ = AccessShareLock;
  BlockNumber blocks_ = 0;
  Target *target_ = nullptr, *homes_ = nullptr, *log_target_ = nullptr; ///< made when first needed
  bool wrote_ = false, latest_;
};

/// Decodes a row of pql.state; what it returns borrows from `body`. Raises XX001 when it is damaged.
Home read_home(Arena &a, std::string_view key, std::string_view body, Members members = Members::whole);
/// Reads what of a member was left asleep. Raises XX001 when it is damaged.
void wake_member(Arena &a, std::string_view key, Subject &member);

/// What a home's rows have of a member, or (empty) of its owner: shares that add up, but for milestones, which
/// are in the log. A share may be of nothing but the ledger.
std::vector<Subject> shares_of(Store &store, Arena &a, std::string_view home, std::string_view member);

/// Folds a row of the milestone log into its subject. Raises XX001 when it is damaged.
void fold_milestones(Arena &a, std::string_view home, std::string_view body, Subject &into);

/// The OID of a relation of the pql schema, or, within a shard, of what stands for it there. Raises 42704 when the extension isn't there.
Oid pql_relation(const char *name);
/// The same, wherever one is.
Oid own_relation(const char *name);
/// Which table has the state is to be looked up again.
void forget_known_state() noexcept;

} // namespace pql::pg
