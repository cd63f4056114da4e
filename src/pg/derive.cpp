#include "core/qualify/qualify.hpp"
#include "core/qualify/route.hpp"
#include "core/state/deferred.hpp"
#include "pg/derive.hpp"

#include <charconv>
#include <map>
#include <set>
#include <unordered_set>

#include "pg/deferred.hpp"
#include "pg/facts.hpp"
#include "pg/guc.hpp"
#include "pg/held_homes.hpp"
#include "pg/identity.hpp"
#include "pg/people.hpp"
#include "pg/review.hpp"
#include "pg/shard.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "access/sysattr.h"
#include "access/transam.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_class.h"
#include "utils/inval.h"
#include "utils/snapshot.h"
}

namespace pql::pg {
namespace {

// A snapshot for the length of a scan: of what is committed now, and of what this transaction did.
class Now {
public:
  Now() {
    snapshot_ = call([] {
      if (snapshot_shown()) return RegisterSnapshot(snapshot_shown());
      CommandCounterIncrement();
      return RegisterSnapshot(IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : GetLatestSnapshot());
    });
  }
  Snapshot get() const noexcept { return snapshot_; }
  void release() {
    call([&] { UnregisterSnapshot(snapshot_); });
  }

private:
  Snapshot snapshot_;
};

// The tables that hold a source's rows: itself, or the leaves of a partitioned table.
std::vector<Oid> leaves(Oid relation) {
  List *all = call([&] { return find_all_inheritors(relation, AccessShareLock, nullptr); });
  const bool partitioned = call([&] { return get_rel_relkind(relation) == RELKIND_PARTITIONED_TABLE; });
  std::vector<Oid> out;
  if (!partitioned) return {relation};
  for (int i = 0; i < list_length(all); i++) {
    const Oid o = list_nth_oid(all, i);
    if (call([&] { return get_rel_relkind(o) == RELKIND_RELATION; })) out.push_back(o);
  }
  return out;
}

// Reads slots of one table into a folder, in bounded stretches so that a cancel is seen.
template <class Next>
void fold_slots(Relation rel, const SourceInfo &source, Folder &folder, Next &&next) {
  Extractor *x = call([&] { return extractor_for(rel, source); });
  MemoryContext rows = call([] {
    return AllocSetContextCreateInternal(CurrentMemoryContext, "pql rows", ALLOCSET_DEFAULT_SIZES);
  });
  for (bool more = true; more;) {
    more = call([&] {
      CHECK_FOR_INTERRUPTS();
      MemoryContext before = MemoryContextSwitchTo(rows);
      bool left = true;
      Extracted e;
      for (int i = 0; i < 1000 && left; i++) {
        TupleTableSlot *slot = next();
        left = slot != nullptr;
        if (!left) break;
        if (!x) {
          folder.count_unusable("definition broken");
          continue;
        }
        x->read_safely(slot, e);
        folder.take(e);
      }
      MemoryContextSwitchTo(before);
      MemoryContextReset(rows);
      if (x) x->forget();
      return left;
    });
  }
  call([&] { MemoryContextDelete(rows); });
}

void scan_table(Oid relation, const SourceInfo &source, Snapshot snapshot, Folder &folder) {
  struct Open {
    Relation rel;
    TableScanDesc scan;
    TupleTableSlot *slot;
  };
  const Open o = call([&]() -> Open {
    Relation rel = table_open(standing_in(relation), AccessShareLock);
    return {rel, table_beginscan(rel, snapshot, 0, nullptr), table_slot_create(rel, nullptr)};
  });
  fold_slots(o.rel, source, folder, [&] {
    return table_scan_getnextslot(o.scan, ForwardScanDirection, o.slot) ? o.slot : nullptr;
  });
  call([&] {
    ExecDropSingleTupleTableSlot(o.slot);
    table_endscan(o.scan);
    table_close(o.rel, NoLock);
  });
}

using Keys = std::set<std::string, std::less<>>;

// From now on a folder passes over other homes. The keys must live as long.
void want(Folder &folder, Keys &homes) {
  folder.wanted_arg = &homes;
  folder.wanted = [](void *arg, const Extracted &e) -> Homes {
    const auto &wanted = *static_cast<const Keys *>(arg);
    return {wanted.contains(e.home()), !e.workspace.empty() && wanted.contains(e.workspace_home())};
  };
}

// Notes the homes that an event counts in.
void insert_homes(Keys &into, const Extracted &e) {
  into.insert(e.home());
  if (!e.workspace.empty()) into.insert(e.workspace_home());
}

// Whether an id could be of a type, so that casting it can't fail.
bool fits(std::string_view id, Oid type) {
  switch (type) {
  case INT2OID:
  case INT4OID:
  case INT8OID: {
    std::int64_t v = 0;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), v);
    if (error != std::errc{} || end != id.data() + id.size()) return false;
    return type == INT8OID || (type == INT4OID ? v == static_cast<std::int32_t>(v) : v == static_cast<std::int16_t>(v));
  }
  case UUIDOID: return id.size() == 36 && id.find_first_not_of("0123456789abcdef-") == id.npos;
  default: return true;
  }
}

std::string any_of(const std::string &expression, Oid type, int argument) {
  const std::string arg = "$" + std::to_string(argument);
  switch (type) {
  case INT2OID: return "(" + expression + ") = ANY (" + arg + "::int2[])";
  case INT4OID: return "(" + expression + ") = ANY (" + arg + "::int4[])";
  case INT8OID: return "(" + expression + ") = ANY (" + arg + "::int8[])";
  case UUIDOID: return "(" + expression + ") = ANY (" + arg + "::uuid[])";
  default: return "(" + expression + ")::text = ANY (" + arg + ")";
  }
}

void keep_fitting(std::vector<std::string> &ids, Oid type) {
  std::erase_if(ids, [&](const std::string &id) { return !OidIsValid(type) || !fits(id, type); });
}

// Finds the rows that say some accounts, users or workspaces, through whatever index the planner likes, and reads them where they lie. False when
// an expression fails on the values of some row, be it another's: then nothing was read.
bool look_up(const SourceInfo &source, SaidIds said, Snapshot snapshot, Folder &folder) {
  struct Types {
    Oid user, account, workspace;
    Oid relation_exists;
    bool may_fail;
    const char *name;
  };
  const Types t = call([&]() -> Types {
    Relation rel = try_table_open(standing_in(source.relation), AccessShareLock);
    if (!rel) return {InvalidOid, InvalidOid, InvalidOid, InvalidOid, false, nullptr};
    Extractor *x = extractor_for(rel, source);
    const char *name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)), RelationGetRelationName(rel));
    Types r{x ? x->user_type() : InvalidOid, x ? x->account_type() : InvalidOid, x ? x->workspace_type() : InvalidOid, x ? source.relation : InvalidOid,
            x && x->can_fail(), name};
    table_close(rel, NoLock);
    return r;
  });
  if (!OidIsValid(t.relation_exists)) return true;
  keep_fitting(said.accounts, t.account);
  keep_fitting(said.users, t.user);
  keep_fitting(said.workspaces, t.workspace);
  std::string where;
  const auto or_any_of = [&](const std::vector<std::string> &ids, const std::string &expression, Oid type, int argument) {
    if (!ids.empty()) where += (where.empty() ? "" : " OR ") + any_of(expression, type, argument);
  };
  or_any_of(said.accounts, source.account_id, t.account, 1);
  or_any_of(said.users, source.user_id, t.user, 2);
  or_any_of(said.workspaces, source.workspace, t.workspace, 4);
  if (where.empty()) return true;
  // Ids are compared among all events of a home.
  std::vector<std::string> only;
  if (!folder.only_user.empty() && !source.dedup) {
    only = said_as(Unit::user, folder.only_user);
    keep_fitting(only, t.user);
    if (only.empty()) return true;
    where = "(" + where + ") AND " + any_of(source.user_id, t.user, 3);
  }
  const bool partitioned = call([&] { return get_rel_relkind(source.relation) == RELKIND_PARTITIONED_TABLE; });
  // All arguments are used, so that each has a type.
  const std::string sql = std::string("SELECT tableoid, ctid FROM ") + (partitioned ? "" : "ONLY ") + t.name +
                          " AS t WHERE (" + where + ") AND $1 IS NOT NULL AND $2 IS NOT NULL AND $3 IS NOT NULL AND $4 IS NOT NULL";
  struct Tid {
    Oid relation;
    ItemPointerData tid;
  };
  std::vector<Tid> tids;
  const auto find = [&] {
    Spi spi;
    const std::uint64_t n = spi.run_at(snapshot, sql.c_str(), {Arg::of(said.accounts), Arg::of(said.users), Arg::of(only), Arg::of(said.workspaces)});
    for (std::uint64_t i = 0; i < n; i++) {
      bool isnull;
      const Datum d = spi.datum(i, 2, &isnull);
      tids.push_back({static_cast<Oid>(spi.number(i, 1)), *reinterpret_cast<ItemPointer>(DatumGetPointer(d))});
    }
    spi.finish();
  };
  if (!t.may_fail) find();
  else if (!call([&] { return guarded([&] { enter(find); }); })) return false;
  std::sort(tids.begin(), tids.end(), [](const Tid &a, const Tid &b) { // as a scan of the whole table would meet them
    if (a.relation != b.relation) return a.relation < b.relation;
    return ItemPointerCompare(const_cast<ItemPointer>(&a.tid), const_cast<ItemPointer>(&b.tid)) < 0;
  });
  for (std::size_t i = 0; i < tids.size();) {
    std::size_t end = i;
    while (end < tids.size() && tids[end].relation == tids[i].relation) end++;
    Relation rel = call([&] { return table_open(tids[i].relation, AccessShareLock); });
    TupleTableSlot *slot = call([&] { return table_slot_create(rel, nullptr); });
    fold_slots(rel, source, folder, [&]() -> TupleTableSlot * {
      while (i < end) {
        if (table_tuple_fetch_row_version(rel, &tids[i++].tid, snapshot, slot)) return slot;
      }
      return nullptr;
    });
    call([&] {
      ExecDropSingleTupleTableSlot(slot);
      table_close(rel, NoLock);
    });
  }
  return true;
}

// Rows of some homes may be of others by now: they are asked for by all that they may say, and looked at again.
class Wanted {
public:
  explicit Wanted(const ScanRange &range) : all_(!range.homes || !identities_in_force) {
    if (!all_) homes_.insert(range.homes->begin(), range.homes->end());
  }
  bool operator()(const std::string &home) const { return all_ || homes_.contains(home); }

private:
  bool all_;
  Keys homes_;
};

void fold_asserted(const Definitions &plan, Arena &arena, Batch &into, const ScanRange &range) {
  each_asserted(range, [&](std::string_view user, std::string_view name, Micros at, std::string_view event) {
    for (TrackerId t : plan.user_milestones(name)) into.home(Unit::user, user).home.owner.fold_milestone(arena, t, at, event);
  });
}

// The account that a sealed workspace is of may be another by now.
void resolve_account(Arena &arena, Home &base) {
  if (!identities_in_force) return;
  const TrackerId tells = current_definitions()->account_tracker();
  for (MarksState &m : base.owner.marks) {
    if (m.tracker != tells) continue;
    m.marks.event = Bytes::borrow(arena.copy(canonical_id(Unit::account, m.marks.event.view())));
    m.marks.stored = {};
  }
}

// What was sealed of a source, added to what its later events gave.
void add_bases(const SourceInfo &source, Arena &arena, Batch &into, const ScanRange &range, Keys *renamed = nullptr) {
  each_base(source, arena, range, [&](std::string_view key, const Home &base) { into.add(key, base); }, renamed);
}

// Reads a source's events, of some homes or of all, into a folder.
void read_source(const SourceInfo &source, const std::vector<std::string> *homes, Snapshot snapshot, Folder &folder) {
  constexpr std::size_t kFewHomes = 500;
  Keys wanted;
  if (homes) {
    wanted.insert(homes->begin(), homes->end());
    want(folder, wanted);
  }
  if (homes && homes->size() <= kFewHomes && look_up(source, said_in(*homes), snapshot, folder)) {
    folder.wanted = nullptr;
    return;
  }
  const bool exists = call([&] { return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(source.relation)); });
  if (!exists) return;
  for (Oid leaf : leaves(standing_in(source.relation))) scan_table(leaf, source, snapshot, folder);
  folder.wanted = nullptr;
}

// Forgets what a scan with this snapshot puts aside again, and nothing that came meanwhile: it waited for no home to be put aside.
void forget_held(const SourceInfo &source, const std::vector<std::string> &homes, Snapshot snapshot) {
  Spi spi;
  spi.run_at(snapshot, "DELETE FROM pql.held_event WHERE source_id = $1 AND home = ANY ($2)", {Arg::of(source.id), Arg::of(homes)}, true);
  spi.finish();
}

} // namespace

void each_asserted(const ScanRange &range, const std::function<void(std::string_view, std::string_view, Micros, std::string_view)> &f) {
  std::vector<std::string> users, own;
  if (range.homes) {
    for (const std::string &h : *range.homes) {
      if (unit_of_home(h) == Unit::user) own.push_back(h);
    }
    users = said_in(own).users;
    if (users.empty()) return;
  }
  const Wanted wanted(range);
  Spi spi;
  const std::uint64_t n = spi.run("SELECT a.user_id, a.name, a.reached_at, a.evidence FROM pql.asserted_milestone AS a"
                                  " WHERE ($1 OR a.user_id = ANY ($2)) AND a.reached_at <= $3",
                                  {Arg::of(range.homes == nullptr), Arg::of(users), Arg::time(range.until)});
  for (std::uint64_t i = 0; i < n; i++) {
    const std::string user = canonical_id(Unit::user, spi.text(i, 1)), evidence = spi.text(i, 4);
    if (!wanted(home_key(false, user))) continue;
    const EventId event = evidence.empty() ? EventId{} : EventId::of_text(evidence);
    f(user, spi.text(i, 2), spi.number(i, 3), event.view());
  }
  spi.finish();
}

void each_base(const SourceInfo &source, Arena &arena, const ScanRange &range,
               const std::function<void(std::string_view, const Home &)> &f, std::set<std::string, std::less<>> *renamed) {
  static const std::vector<std::string> none;
  if (source.sealed_before == kAlways) return;
  const Wanted wanted(range);
  const std::vector<std::string> homes = range.homes ? said_homes(*range.homes) : none;
  Spi spi;
  std::string said; // some at a time: they may be all the homes that there are
  for (std::uint64_t n = 1; n > 0;) {
    n = spi.run("SELECT home, body FROM pql.base_state WHERE source_id = $1 AND ($2 OR home = ANY ($3)) AND home > $4 ORDER BY home LIMIT 10000",
                {Arg::of(source.id), Arg::of(range.homes == nullptr), Arg::of(homes), Arg::of(said)});
    for (std::uint64_t i = 0; i < n; i++) {
      said = spi.text(i, 1);
      const std::string key = canonical_home(said);
      if (!wanted(key)) continue;
      const std::string_view body = spi.bytes(arena, i, 2);
      std::optional<Home> base = decode(arena, body);
      if (!base) fail(ERRCODE_DATA_CORRUPTED, "sealed state of home \"" + said + "\" is damaged");
      if (renamed && key != said) renamed->emplace(home_id(said));
      for (Subject &s : base->members) {
        const std::string user = canonical_id(Unit::user, s.id.view());
        if (user == s.id.view()) continue;
        if (renamed) renamed->emplace(s.id.view());
        s.id = Bytes::borrow(arena.copy(user));
      }
      if (is_workspace_home(key)) resolve_account(arena, *base);
      f(key, *base);
    }
    spi.forget_rows();
  }
  spi.finish();
}

void scan_events(const Definitions &plan, Arena &arena, Batch &into, const ScanRange &range) {
  refresh_identities();
  for (const SourceInfo &source : plan.sources()) {
    const std::vector<std::string> &stored = range.homes ? *range.homes : range.stored;
    // By now, and not the statement's start: others' events that are later than that have been merged already. As of an instant, by that.
    const Micros due = range.sink.take || range.until != kNever ? range.until : range.due != kNever ? range.due : GetCurrentTimestamp();
    Folder folder(plan, source, plan.events(), arena, due, into);
    folder.until = range.until;
    folder.since = source.sealed_before;
    folder.sink = range.sink;
    if (!range.sink.take) add_bases(source, arena, into, range);
    Now now;
    bool settled = false;
    if (range.record_held) {
      forget_held(source, stored, now.get());
      settled = settle_deferred(source, range.homes, now.get());
    }
    Ids ids(source.dedup_for);
    if (source.dedup) {
      folder.ids = &ids;
      folder.ranking = true;
      read_source(source, range.homes, now.get(), folder);
      folder.ranking = false;
      recall_sealed(source, range.homes, ids);
      ids.settle();
      if (range.record_held) remember_again(source, ids, stored, now.get());
    }
    folder.only_user = range.user;
    read_source(source, range.homes, now.get(), folder);
    now.release();
    if (range.record_held) record_held(source.id, folder.held());
    if (settled && source.event_clock) advance_event_clock(folder.newest()); // nobody has told it of what waited
  }
  if (!range.sink.take) fold_asserted(plan, arena, into, range);
}

namespace {

// Once they are locked, too, nobody writes the home, and all that was written to it is committed.
void lock_lanes(Store &store, Arena &arena, std::string_view key, int lanes) {
  for (int i = 1; i <= lanes; i++) {
    for (;;) {
      const StoredRow row = store.fetch(arena, key, -i);
      if (!row.found || store.lock(row)) break;
      store.refresh();
    }
  }
}

// Makes the row of a home that has none; false if somebody else did.
bool make_home(Store &store, Arena &arena, const std::string &key) {
  Home empty;
  empty.head = true;
  empty.owner.id = Bytes::borrow(home_id(key));
  if (!store.insert(key, 0, encode(arena, empty, Milestones::apart))) return false;
  if (unit_of_home(key) == Unit::user) store.add_user_home(key, home_id(key));
  return true;
}

} // namespace

void lock_homes(const std::vector<std::string> &homes) {
  Store store(Store::Access::write);
  Scratch scratch("pql lock");
  for (const std::string &key : homes) {
    for (;;) {
      call([] { CHECK_FOR_INTERRUPTS(); });
      scratch.arena().reset();
      const StoredRow row = store.fetch(scratch.arena(), key, 0);
      if (row.found && store.lock(row)) {
        lock_lanes(store, scratch.arena(), key, read_home(scratch.arena(), key, row.body, Members::asleep).lanes);
        break;
      }
      if (!row.found && make_home(store, scratch.arena(), key)) break;
      store.refresh();
    }
  }
  store.close();
}

namespace {

bool lock_if_free(Store &store, Arena &arena, const std::string &key) {
  const StoredRow row = store.fetch(arena, key, 0);
  if (!row.found) return make_home(store, arena, key);
  if (!store.try_lock(row)) return false;
  for (int i = read_home(arena, key, row.body, Members::asleep).lanes; i > 0; i--) {
    const StoredRow lane = store.fetch(arena, key, -i);
    if (lane.found && !store.try_lock(lane)) return false;
  }
  return true;
}

} // namespace

std::set<std::string, std::less<>> lock_free_homes(const std::vector<std::string> &homes) {
  std::set<std::string, std::less<>> locked;
  Store store(Store::Access::write);
  Scratch scratch("pql lock");
  for (const std::string &key : homes) {
    scratch.arena().reset();
    if (lock_if_free(store, scratch.arena(), key)) locked.insert(key);
  }
  store.close();
  return locked;
}

namespace {

// A snapshot that is older than a boundary doesn't show all that is history: what is derived by it isn't whole.
void require_history_shown(const Definitions &plan) {
  if (plan.unfinished_jobs().empty() || !call([] { return IsolationUsesXactSnapshot(); })) return;
  std::vector<std::string> jobs;
  for (const std::int32_t job : plan.unfinished_jobs()) jobs.push_back(std::to_string(job));
  Spi spi;
  const std::uint64_t shown = spi.run("SELECT FROM pql.backfill_job WHERE job_id = ANY ($1::int[])", {Arg::of(jobs)});
  spi.finish();
  if (shown == jobs.size()) return;
  fail(ERRCODE_T_R_SERIALIZATION_FAILURE, "could not serialize access due to a concurrent change of definitions", {},
       "The transaction might succeed if retried.");
}

void derive(const Definitions &plan, const std::vector<std::string> &homes, ScanRange range, bool may_enter = true) {
  require_history_shown(plan);
  Scratch scratch("pql derivation");
  Batch batch(scratch.arena(), plan.trackers());
  range.record_held = true;
  range.stored = homes;
  scan_events(plan, scratch.arena(), batch, range);
  for (const std::string &key : homes) batch.home(key);
  MergeOptions o;
  o.replace = true;
  o.review = true; // less may be left of a score than was foreseen; of people's, when all their homes are derived
  o.as_of = reading_time(plan);
  Micros age = kAlways;
  for (const SourceInfo &s : plan.sources()) age = std::max(age, o.as_of - s.max_event_age);
  o.emit_since = may_enter ? age : kNever;
  merge_batch(plan, batch, o);
}

// Episodes of people who are seen in some homes (null: in any), wherever they are kept: less may be left of their scores.
std::vector<Reviewed> people_above(const Definitions &plan, const std::vector<std::string> *homes) {
  std::vector<Reviewed> out;
  if (!plan.has_unit(Unit::user)) return out;
  std::vector<std::string> programs;
  for (const Program &p : plan.programs()) {
    if (p.def.unit == Unit::user) programs.push_back(std::to_string(p.id));
  }
  Spi spi;
  const std::uint64_t n =
      homes ? spi.run("SELECT e.home, e.subject_id FROM ("
                      "  SELECT DISTINCT m.user_id FROM pql.state AS s, LATERAL pql._state_subjects(s.home, s.body) AS m"
                      "  WHERE s.home = ANY ($2)) AS m"
                      " JOIN pql.episode AS e ON e.subject_id = m.user_id WHERE e.left_at IS NULL AND e.program_id = ANY ($1::int[])",
                      {Arg::of(programs), Arg::of(*homes)})
            : spi.run("SELECT home, subject_id FROM pql.episode WHERE left_at IS NULL AND program_id = ANY ($1::int[])",
                      {Arg::of(programs)});
  for (std::uint64_t i = 0; i < n; i++) out.push_back({spi.text(i, 1), Unit::user, spi.text(i, 2)});
  spi.finish();
  return out;
}

void sort(std::vector<std::string> &homes) {
  std::sort(homes.begin(), homes.end());
  homes.erase(std::unique(homes.begin(), homes.end()), homes.end());
}

} // namespace

bool source_readable(const SourceInfo &source) {
  return call([&] {
    Relation rel = try_table_open(standing_in(source.relation), AccessShareLock);
    if (!rel) return true;
    const bool compiles = extractor_for(rel, source) != nullptr;
    table_close(rel, NoLock);
    return compiles;
  });
}

namespace {

const SourceInfo *unreadable(const Definitions &plan) {
  for (const SourceInfo &s : plan.sources()) {
    if (!source_readable(s)) return &s;
  }
  return nullptr;
}

} // namespace

void require_readable(const Definitions &plan) {
  const SourceInfo *const s = unreadable(plan);
  if (!s) return;
  const std::string name = call([&] { return static_cast<const char *>(get_rel_name(s->relation)); });
  fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "events table \"" + name + "\" can't be read as it was attached",
       "A column that pql reads was dropped, renamed or changed.", "Repair it, or pql.detach() it and attach it anew.");
}

namespace {

using Left = std::set<std::pair<std::string, std::string>>;

// Never destroyed: PostgreSQL's state is gone when static destructors run. Empty containers allocate nothing: it can't fail.
Left &left_to_tick() noexcept {
  alignas(Left) static unsigned char room[sizeof(Left)];
  static auto &l = *new (room) Left;
  return l;
}

// Takes out those whose episodes lie in homes that are neither locked nor free.
std::vector<Reviewed> take_taken(std::vector<Reviewed> &people, const std::vector<std::string> &held) {
  std::vector<std::string> others;
  for (const Reviewed &e : people) {
    if (!std::binary_search(held.begin(), held.end(), e.home)) others.push_back(e.home);
  }
  sort(others);
  const std::set<std::string, std::less<>> locked = lock_free_homes(others);
  std::vector<Reviewed> taken;
  std::erase_if(people, [&](const Reviewed &e) {
    const bool out = std::binary_search(others.begin(), others.end(), e.home) && !locked.contains(e.home);
    if (out) taken.push_back(e);
    return out;
  });
  return taken;
}

} // namespace

bool is_left_to_tick() noexcept { return !left_to_tick().empty(); }
void forget_left_to_tick() noexcept { left_to_tick().clear(); }

void write_left_to_tick() {
  if (!is_left_to_tick() || !OidIsValid(call([] { return get_namespace_oid("pql", true); }))) return; // it was dropped meanwhile
  const Micros now = reading_time(*current_definitions());
  Spi spi;
  for (const auto &[home, subject] : left_to_tick()) {
    spi.run("UPDATE pql.episode SET leaves_at = least(leaves_at, $3) WHERE (home, episode_id) IN ("
            " SELECT e.home, e.episode_id FROM pql.episode AS e WHERE e.home = $1 AND e.subject_id = $2 AND e.left_at IS NULL"
            " FOR NO KEY UPDATE SKIP LOCKED)",
            {Arg::of(home), Arg::of(subject), Arg::time(now)});
  }
  spi.finish();
  forget_left_to_tick();
}

void derive_homes(const Definitions &plan, const std::vector<std::string> &homes, bool may_enter) {
  if (homes.empty() || unreadable(plan)) return;
  if (plan.defers()) fold_alone();
  std::vector<std::string> sorted = homes;
  sort(sorted);
  std::vector<Reviewed> people = people_above(plan, &sorted);
  if (holds_homes()) {
    lock_homes(sorted);
    for (const Reviewed &e : take_taken(people, sorted)) left_to_tick().emplace(e.home, e.subject);
  } else {
    std::vector<std::string> locked = sorted;
    for (const Reviewed &e : people) locked.push_back(e.home);
    sort(locked);
    lock_homes(locked);
  }
  // Whoever attached a table or published meanwhile didn't wait for this transaction, and others have written these homes by that since.
  const std::shared_ptr<const Definitions> now = definitions_now();
  ScanRange range;
  range.homes = &sorted;
  derive(*now, sorted, range, may_enter);
  review(*now, people, reading_time(*now));
}

std::vector<std::string> all_homes() {
  std::vector<std::string> homes;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT home FROM pql.state WHERE part = 0 UNION SELECT home FROM pql.held_event ORDER BY 1", {}, !snapshot_shown());
  for (std::uint64_t i = 0; i < n; i++) homes.push_back(spi.text(i, 1));
  spi.finish();
  return homes;
}

namespace {

// A home of which only the events know, or only a milestone that was stated, has no row to lock. So whoever could make one is waited for,
// and waits: writers of events, also straight into a partition; those who state milestones; and backfills, by their job.
void hold_up_writers(const Definitions &plan) {
  for (const SourceInfo &s : plan.sources()) {
    call([&] {
      if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(s.relation))) return;
      LockRelationOid(standing_in(s.relation), ShareRowExclusiveLock);
      (void)find_all_inheritors(standing_in(s.relation), ShareRowExclusiveLock, nullptr);
    });
  }
  call([] { LockRelationOid(pql_relation("asserted_milestone"), ShareRowExclusiveLock); });
  Spi spi;
  spi.run("SELECT FROM pql.backfill_job WHERE finished_at IS NULL ORDER BY job_id FOR UPDATE");
  spi.finish();
}

} // namespace

void derive_all() {
  if (call([] { return IsolationUsesXactSnapshot(); }))
    fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "the state can't be derived anew at this isolation level",
         "It would lack what is committed while writers are waited for.", "Do it at READ COMMITTED.");
  // What is defined while we wait is derived, too: it has its history by then, and its writers must be held up as well.
  std::shared_ptr<const Definitions> plan;
  std::vector<std::string> stored;
  for (std::shared_ptr<const Definitions> now = definitions_now(); now != plan; now = definitions_now()) {
    plan = now;
    if (unreadable(*plan)) return;
    if (plan->defers()) fold_alone();
    hold_up_writers(*plan);
    stored = all_homes();
    lock_homes(stored);
  }
  derive(*plan, stored, {}, false);
  review(*plan, people_above(*plan, nullptr), reading_time(*plan));
  std::vector<std::string> jobs; // not of a table that is attached at this moment
  for (const std::int32_t job : plan->unfinished_jobs()) jobs.push_back(std::to_string(job));
  Spi spi;
  spi.run("UPDATE pql.backfill_job SET finished_at = pg_catalog.clock_timestamp(), next_page = pages WHERE finished_at IS NULL"
          " AND job_id = ANY ($1::int[])",
          {Arg::of(jobs)});
  spi.finish();
}

namespace {

// A folder that only takes note of events' homes.
void take_homes(Folder &folder, const SourceInfo &source, Keys &homes) {
  folder.since = source.sealed_before;
  folder.wanted_arg = &homes;
  folder.wanted = [](void *arg, const Extracted &e) -> Homes {
    insert_homes(*static_cast<Keys *>(arg), e);
    return {false, false};
  };
}

} // namespace

namespace {

// Reads the events of a user, or more, wherever an index leads to them. Whose an event is, is to be looked at.
void read_events_of(const Definitions &plan, const std::string &user, void *arg, Homes (*take)(void *, const Extracted &)) {
  Scratch scratch("pql homes");
  Batch batch(scratch.arena(), plan.trackers());
  for (const SourceInfo &source : plan.sources()) {
    Folder folder(plan, source, plan.events(), scratch.arena(), GetCurrentStatementStartTimestamp(), batch);
    folder.since = source.sealed_before;
    folder.wanted_arg = arg;
    folder.wanted = take;
    Now now;
    if (!look_up(source, {{}, said_as(Unit::user, user), {}}, now.get(), folder)) {
      for (Oid leaf : leaves(standing_in(source.relation))) scan_table(leaf, source, now.get(), folder);
    }
    now.release();
  }
}

} // namespace

std::vector<std::string> homes_of_user(const Definitions &plan, const std::string &user) {
  struct Of {
    std::string who;
    Keys homes;
  } of{canonical_id(Unit::user, user), {}};
  read_events_of(plan, user, &of, [](void *arg, const Extracted &e) -> Homes {
    auto *o = static_cast<Of *>(arg);
    if (e.user == o->who) insert_homes(o->homes, e);
    return {false, false};
  });
  return {of.homes.begin(), of.homes.end()};
}

EventsOfUser events_of_user(const Definitions &plan, const std::string &user) {
  struct Of {
    std::string who;
    EventsOfUser found;
  } of{canonical_id(Unit::user, user), {}};
  read_events_of(plan, user, &of, [](void *arg, const Extracted &e) -> Homes {
    auto *o = static_cast<Of *>(arg);
    if (e.user != o->who) return {false, false};
    insert_homes(o->found.homes, e);
    if (e.renamed && !e.said_account.empty()) o->found.homes.insert(home_key(Unit::account, e.said_account));
    if (e.id.size) o->found.events.insert(event_id_text(e.id.view()));
    return {false, false};
  });
  return std::move(of.found);
}

std::vector<std::string> homes_in(const Definitions &plan, const SourceInfo &source, Oid relation) {
  refresh_identities();
  Scratch scratch("pql homes");
  Batch batch(scratch.arena(), plan.trackers());
  Folder folder(plan, source, plan.events(), scratch.arena(), GetCurrentStatementStartTimestamp(), batch);
  Keys homes;
  take_homes(folder, source, homes);
  Now now;
  scan_table(relation, source, now.get(), folder);
  now.release();
  return {homes.begin(), homes.end()};
}

namespace {

// A person's funnels are what all of his homes have of them. Each home folds what it has, and then doesn't know what another's steps would
// have made of it; that is looked up in the events, which are about to go. So where that has come to matter what is sealed of a
// funnel goes to one home.
class FunnelJoiner {
public:
  FunnelJoiner(const Definitions &plan, Arena &arena) : plan_(plan), arena_(arena) {}

  void take(const std::string &home, Subject &s) {
    for (const FunnelState &f : s.funnels) people_[std::string(s.id.view())][f.tracker].push_back({home, &s});
  }

  /// Returns the homes of which it makes others than they were.
  std::set<std::string> join() {
    std::set<std::string> changed;
    for (auto &[user, trackers] : people_) {
      for (auto &[tracker, places] : trackers) {
        if (places.size() < 2 || is_told(tracker, places)) continue;
        for (const Place &p : places) {
          changed.insert(p.home);
          if (&p != &places.front()) move(tracker, *p.subject, *places.front().subject);
        }
      }
    }
    return changed;
  }

private:
  struct Place {
    std::string home;
    Subject *subject;
  };

  static FunnelState *find(Subject &s, TrackerId tracker) {
    for (FunnelState &f : s.funnels) {
      if (f.tracker == tracker) return &f;
    }
    return nullptr;
  }

  // Whether what the homes keep tells the whole.
  bool is_told(TrackerId tracker, const std::vector<Place> &places) {
    Scratch scratch("pql funnels");
    Subject whole;
    for (const Place &p : places) {
      Subject alone;
      alone.funnels.push(scratch.arena(), *find(*p.subject, tracker));
      Subject kept = copy_of(scratch.arena(), alone);
      (void)kept.settle(scratch.arena(), plan_.trackers());
      whole.absorb(scratch.arena(), plan_.trackers(), kept);
    }
    return whole.settle(scratch.arena(), plan_.trackers());
  }

  void move(TrackerId tracker, Subject &from, Subject &to) {
    Subject moved;
    moved.funnels.push(arena_, *find(from, tracker));
    to.absorb(arena_, plan_.trackers(), moved);
    for (std::size_t i = from.funnels.size; i-- > 0;) {
      if (from.funnels[i].tracker == tracker) from.funnels.erase(i);
    }
  }

  const Definitions &plan_;
  Arena &arena_;
  std::map<std::string, std::map<TrackerId, std::vector<Place>>> people_;
};

std::set<std::string> join_funnels(const Definitions &plan, Arena &arena, Batch &batch) {
  FunnelJoiner joiner(plan, arena);
  for (HomeDelta *d : batch.sorted()) {
    const std::string home(d->key);
    if (unit_of_home(home) == Unit::user) joiner.take(home, d->home.owner);
    if (unit_of_home(home) != Unit::account) continue;
    for (Subject &s : d->home.members) joiner.take(home, s);
  }
  return joiner.join();
}

} // namespace

void erase_from_bases(const Definitions &plan, const std::vector<std::string> &users, const std::vector<std::string> &homes) {
  Scratch scratch("pql bases");
  for (const SourceInfo &source : plan.sources()) {
    if (source.sealed_before == kAlways) continue;
    const std::vector<std::string> said = said_homes(homes);
    Spi spi;
    const std::uint64_t n = spi.run("SELECT home, body FROM pql.base_state WHERE source_id = $1 AND home = ANY ($2)", {Arg::of(source.id), Arg::of(said)});
    std::vector<std::pair<std::string, std::string>> changed;
    for (std::uint64_t i = 0; i < n; i++) {
      scratch.arena().reset();
      std::optional<Home> base = decode(scratch.arena(), spi.bytes(scratch.arena(), i, 2));
      if (!base) fail(ERRCODE_DATA_CORRUPTED, "sealed state of home \"" + spi.text(i, 1) + "\" is damaged");
      Vec<Subject> others;
      for (const Subject &s : base->members) {
        if (std::find(users.begin(), users.end(), s.id.view()) == users.end()) others.push(scratch.arena(), s);
      }
      if (others.size == base->members.size) continue;
      base->members = others;
      changed.emplace_back(spi.text(i, 1), encode(scratch.arena(), *base));
    }
    for (const auto &[home, body] : changed)
      spi.run("UPDATE pql.base_state SET body = $3 WHERE source_id = $1 AND home = $2", {Arg::of(source.id), Arg::of(home), Arg::bytes(body)});
    spi.finish();
  }
}

std::int64_t seal(const Definitions &plan, const SourceInfo &source, Micros since) {
  Scratch scratch("pql seal");
  Batch batch(scratch.arena(), plan.trackers());
  Ids ids(source.dedup_for);
  Folder folder(plan, source, plan.events(), scratch.arena(), since, batch);
  folder.since = source.sealed_before;
  folder.until = since - 1;
  Keys renamed;
  Now now;
  if (source.dedup) {
    folder.ids = &ids;
    folder.ranking = true;
    read_source(source, nullptr, now.get(), folder);
    folder.ranking = false;
    std::unordered_set<std::string> open;
    for (const auto &[key, rows] : ids.ranks) {
      if (std::any_of(rows.begin(), rows.end(), [&](const Ids::Rank &r) { return r.at >= since; })) open.insert(key);
    }
    recall_sealed(source, nullptr, ids);
    ids.settle();
    remember_sealed(source, ids, open, since);
  }
  folder.renamed = &renamed;
  read_source(source, nullptr, now.get(), folder);
  now.release();
  const auto events = static_cast<std::int64_t>(batch.events());
  add_bases(source, scratch.arena(), batch, {}, &renamed);
  note_sealed(renamed);
  for (const std::string &home : join_funnels(plan, scratch.arena(), batch)) mark_dirty(home);
  Spi spi;
  spi.run("DELETE FROM pql.base_state WHERE source_id = $1", {Arg::of(source.id)}); // some may be of homes that were merged
  for (HomeDelta *d : batch.sorted()) {
    (void)d->home.owner.settle(scratch.arena(), plan.trackers());
    for (Subject &s : d->home.members) (void)s.settle(scratch.arena(), plan.trackers());
    spi.run("INSERT INTO pql.base_state (source_id, home, body) VALUES ($1, $2, $3)",
            {Arg::of(source.id), Arg::of(d->key), Arg::bytes(encode(scratch.arena(), d->home))});
  }
  spi.run("UPDATE pql.source SET sealed_before = $2 WHERE source_id = $1", {Arg::of(source.id), Arg::time(since)});
  spi.finish();
  return events;
}

void open_standing(const Definitions &plan, const Program &program) {
  Scratch scratch("pql standing");
  Batch batch(scratch.arena(), plan.trackers());
  Scratch row("pql row");
  Store store(Store::Access::read);
  store.scan([&](std::string_view home, int, std::string_view body) {
    row.arena().reset();
    const std::optional<Home> h = decode(row.arena(), body);
    if (!h) return;
    if (is_workspace_home(home) != (program.def.unit == Unit::workspace)) return;
    HomeDelta &d = batch.home(home);
    if (program.def.unit == Unit::user) {
      for (const Subject &s : h->members) batch.user(d, s.id.view());
    }
  });
  store.close();
  MergeOptions o;
  o.as_of = reading_time(plan);
  unseen_at(plan, program, o.as_of, true, [&](const Subject &s, const Home *) { batch.home(program.def.unit, s.id.view()); });
  o.only_program = program.id;
  o.people = program.def.unit == Unit::user;
  if (o.people) {
    lock_homes(all_homes());
    lock_all_people();
  }
  merge_batch(plan, batch, o);
}

void emit_standing(const Definitions &plan, const Program &program, std::span<const std::string_view> homes,
                   std::span<const std::string_view> subjects) {
  Scratch scratch("pql standing");
  Batch batch(scratch.arena(), plan.trackers());
  for (std::size_t i = 0; i < homes.size(); i++) {
    HomeDelta &d = batch.home(homes[i]);
    if (program.def.unit == Unit::user) batch.user(d, subjects[i]);
  }
  MergeOptions o;
  o.as_of = reading_time(plan);
  o.only_program = program.id;
  o.people = program.def.unit == Unit::user;
  o.anew = true;
  merge_batch(plan, batch, o);
}

// ----------------------------------------------------------------------------------------------------------------- clock

Micros event_clock() {
  Spi spi;
  const std::uint64_t n = spi.run("SELECT max(newest) FROM pql.event_clock");
  const Micros newest = n && !spi.is_null(0, 1) ? spi.number(0, 1) : kAlways;
  spi.finish();
  return newest;
}

void advance_event_clock(Micros newest) {
  if (!finite(newest)) return;
  Spi spi;
  spi.run("INSERT INTO pql.event_clock AS c (slot, newest) VALUES (pg_catalog.pg_backend_pid() % 64, $1)"
          " ON CONFLICT (slot) DO UPDATE SET newest = excluded.newest WHERE c.newest < excluded.newest",
          {Arg::time(newest)});
  spi.finish();
}

Micros reading_time(const Definitions &plan) {
  const Micros wall = GetCurrentStatementStartTimestamp();
  if (plan.sources().empty()) return wall;
  for (const SourceInfo &s : plan.sources()) {
    if (!s.event_clock) return wall;
  }
  const Micros newest = event_clock();
  return finite(newest) ? newest : wall;
}

// -------------------------------------------------------------------------------------------------------------- backfill

namespace {

// The rows that the trigger never saw: those visible in the job's boundary.
struct Boundary {
  std::uint64_t xmax = 0;
  std::vector<std::uint64_t> running;

  static Boundary parse(const std::string &text) {
    Boundary b;
    const std::size_t first = text.find(':'), second = text.find(':', first + 1);
    b.xmax = std::stoull(text.substr(first + 1, second - first - 1));
    for (std::size_t at = second + 1; at < text.size();) {
      std::size_t end = text.find(',', at);
      if (end == text.npos) end = text.size();
      b.running.push_back(std::stoull(text.substr(at, end - at)));
      at = end + 1;
    }
    return b;
  }

  bool sees(TransactionId xid, std::uint64_t next) const noexcept {
    if (!TransactionIdIsNormal(xid)) return true;
    // The transaction is in the past, less than 2^32 ago.
    std::uint64_t full = (next & ~std::uint64_t{0xffffffff}) | xid;
    if (full >= next) full -= std::uint64_t{1} << 32;
    return full < xmax && !std::binary_search(running.begin(), running.end(), full);
  }
};

// Folds the rows in a range of pages that the boundary sees.
void read_history(Oid relation, const SourceInfo &source, const Boundary &boundary, std::int64_t from, std::int64_t until,
                  Folder &folder) {
  if (until <= from) return;
  struct Open {
    Relation rel;
    TableScanDesc scan;
    TupleTableSlot *slot;
    std::uint64_t next;
  };
  Now now;
  const Open o = call([&]() -> Open {
    Relation rel = table_open(standing_in(relation), AccessShareLock);
    ItemPointerData low, high;
    ItemPointerSet(&low, static_cast<BlockNumber>(from), 1);
    ItemPointerSet(&high, static_cast<BlockNumber>(until - 1), MaxOffsetNumber);
    TableScanDesc scan = table_beginscan_tidrange(rel, now.get(), &low, &high);
    return {rel, scan, table_slot_create(rel, nullptr), U64FromFullTransactionId(ReadNextFullTransactionId())};
  });
  fold_slots(o.rel, source, folder, [&]() -> TupleTableSlot * {
    while (table_scan_getnextslot_tidrange(o.scan, ForwardScanDirection, o.slot)) {
      bool isnull;
      const TransactionId xmin = DatumGetTransactionId(slot_getsysattr(o.slot, MinTransactionIdAttributeNumber, &isnull));
      if (boundary.sees(xmin, o.next)) return o.slot;
    }
    return nullptr;
  });
  call([&] {
    ExecDropSingleTupleTableSlot(o.slot);
    table_endscan(o.scan);
    table_close(o.rel, NoLock);
  });
  now.release();
}

// What a step reads of one table, or of one partition, and for which job.
struct Stretch {
  int job;
  Oid relation;
  bool moved;
  std::int64_t from, until, pages;
  std::int64_t folded = 0;
};

// Whether there are jobs for definitions that came later than a table.
bool others_wait(int source) {
  Spi spi;
  const bool there = spi.run("SELECT FROM pql.backfill_job WHERE source_id = $1 AND NOT members AND finished_at IS NULL LIMIT 1", {Arg::of(source)}) > 0;
  spi.finish();
  return there;
}

} // namespace

bool backfill_step(int job) {
  const std::shared_ptr<const Definitions> plan = current_definitions();
  Spi spi;
  // Ids are compared over the whole table where nothing remembers them: the jobs of its partitions are done together.
  const std::uint64_t found = spi.run("SELECT source_id, relation::oid, trackers::text[], members, boundary::text, relfilenode,"
                                      " pages, next_page, finished_at IS NOT NULL,"
                                      " pg_catalog.pg_relation_filenode(relation), job_id FROM pql.backfill_job AS o"
                                      " WHERE o.job_id = $1 OR o.finished_at IS NULL AND EXISTS ("
                                      "  SELECT FROM pql.backfill_job AS j JOIN pql.source AS s ON s.source_id = j.source_id"
                                      "  WHERE j.job_id = $1 AND s.dedup IS NOT NULL AND j.source_id = o.source_id"
                                      "   AND NOT j.members AND NOT o.members AND j.trackers = o.trackers)"
                                      " ORDER BY job_id FOR UPDATE",
                                      {Arg::of(job)});
  std::uint64_t mine = 0;
  while (mine < found && spi.number(mine, 11) != job) mine++;
  if (mine == found) fail(ERRCODE_UNDEFINED_OBJECT, "backfill job " + std::to_string(job) + " does not exist");
  const SourceInfo *source = plan->source(static_cast<int>(spi.number(mine, 1)));
  std::vector<TrackerId> only;
  for (const std::string &t : spi.texts(mine, 3)) only.push_back(static_cast<TrackerId>(std::stoi(t)));
  const bool members = spi.number(mine, 4) != 0;
  Boundary boundary = Boundary::parse(spi.text(mine, 5));
  std::sort(boundary.running.begin(), boundary.running.end());
  const bool finished = spi.number(mine, 9) != 0, at_once = source && source->dedup && !members;
  std::vector<Stretch> stretches;
  for (std::uint64_t i = 0; i < found; i++) {
    const std::int64_t pages = spi.number(i, 7), from = spi.number(i, 8);
    stretches.push_back({static_cast<int>(spi.number(i, 11)), static_cast<Oid>(spi.number(i, 2)), spi.number(i, 6) != spi.number(i, 10), from,
                         at_once ? pages : std::min(pages, from + pql_backfill_batch), pages});
  }
  spi.finish();
  if (finished || !source) return true;
  if (std::any_of(stretches.begin(), stretches.end(), [](const Stretch &s) { return s.moved; }))
    fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "the events table was rewritten while its history was being loaded",
         "CLUSTER, VACUUM FULL and some forms of ALTER TABLE move rows, so the position reached means nothing any more.",
         "Derive everything again: CALL pql.rebuild().");
  const EventTable events = plan->event_table(only);
  Scratch scratch("pql backfill");
  Batch batch(scratch.arena(), plan->trackers());
  Folder folder(*plan, *source, events, scratch.arena(), GetCurrentStatementStartTimestamp(), batch, members);
  folder.since = source->sealed_before;
  Ids ids(source->dedup_for);
  if (source->dedup) {
    Folder ranker(*plan, *source, events, scratch.arena(), GetCurrentStatementStartTimestamp(), batch, members);
    ranker.since = source->sealed_before;
    ranker.ids = &ids;
    ranker.ranking = true;
    for (const Stretch &s : stretches) read_history(s.relation, *source, boundary, s.from, s.until, ranker);
    recall_sealed(*source, nullptr, ids);
    ids.settle();
    if (members) remember_ids(*source, ids);
    else if (events.builds_workspaces) {
      Ids parted = ids.part_workspaces(); // nobody has noted them as yet
      remember_ids(*source, parted);
      ids.join(std::move(parted));
    }
    folder.ids = &ids;
  }
  for (Stretch &s : stretches) {
    const auto before = static_cast<std::int64_t>(batch.events());
    read_history(s.relation, *source, boundary, s.from, s.until, folder);
    s.folded = static_cast<std::int64_t>(batch.events()) - before;
  }
  Vec<Folder::Held> held;
  for (const Folder::Held &h : folder.held()) {
    if (is_workspace_home(h.home.view()) ? events.builds_workspaces : members) held.push(scratch.arena(), h);
  }
  for (const Folder::Held &h : held) batch.home(h.home.view()); // so that the merge tells whose history is included already
  std::set<std::string, std::less<>> included;
  MergeOptions options;
  options.passed_over = &included;
  options.decide = false; // history emits nothing
  options.backfill_job = job;
  merge_batch(*plan, batch, options);
  record_held(source->id, held, &included);
  if (!held.empty() && others_wait(source->id)) { // they would count it again when it has fallen due; they pass over what was derived
    for (const Folder::Held &h : held) mark_dirty(h.home.view());
  }
  if (members) {
    record_unusable(source->id, folder.unusable());
    if (source->event_clock) advance_event_clock(folder.newest());
  }
  Spi out;
  for (const Stretch &s : stretches) {
    out.run("UPDATE pql.backfill_job SET next_page = $2, events = events + $3,"
            " started_at = coalesce(started_at, pg_catalog.clock_timestamp()),"
            " finished_at = CASE WHEN $4 THEN pg_catalog.clock_timestamp() END WHERE job_id = $1",
            {Arg::of(s.job), Arg::of(s.until), Arg::of(s.folded), Arg::of(s.until >= s.pages)});
  }
  out.finish();
  return stretches.front().until >= stretches.front().pages; // of several all are done
}

} // namespace pql::pg
