#include "pg/store.hpp"

#include "pg/compat.hpp"
#include "pg/held_homes.hpp"
#include "pg/hints.hpp"
#include "pg/shard.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "access/multixact.h"
#include "access/transam.h"
#include "catalog/pg_collation.h"
#include "executor/nodeModifyTable.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/lock.h"
#include "storage/predicate.h"
#include "storage/procarray.h"
#include "storage/smgr.h"
#include "utils/fmgroids.h"
}

namespace pql::pg {
namespace {

// Whether a page has too little room for another version of a row, which may have grown.
bool is_full(Buffer buffer, std::uint32_t row) { return PageGetHeapFreeSpace(BufferGetPage(buffer)) < row + row / 4 + 64; }

text *text_of(std::string_view s) { return cstring_to_text_with_len(s.data(), static_cast<int>(s.size())); }

// Cleaning looks at every row of the page: where they are is looked up without the page's lock, which is good enough to bring them near.
void clean(Relation rel, Buffer buffer) {
  const Page page = BufferGetPage(buffer);
  for (OffsetNumber i = FirstOffsetNumber; i <= PageGetMaxOffsetNumber(page); i++) {
    const ItemId line = PageGetItemId(page, i);
    if (ItemIdIsNormal(line)) bring_near(PageGetItem(page, line));
  }
  heap_page_prune_opt(rel, buffer);
}

} // namespace

/// What the executor needs to insert into a table and its indexes.
struct Store::Target {
  EState *estate;
  ResultRelInfo *result;
  TupleTableSlot *slot;
  bool own;

  static Target *open(Relation rel, bool own) {
    auto *t = static_cast<Target *>(palloc(sizeof(Target)));
    t->estate = CreateExecutorState();
    t->result = makeNode(ResultRelInfo);
    InitResultRelInfo(t->result, rel, 0, nullptr, 0); // in no range table
    ExecOpenIndices(t->result, true);
    t->slot = table_slot_create(rel, nullptr);
    t->own = own;
    return t;
  }
  /// Stores what slot->tts_values has, none of it null. Nothing in the index forbids it.
  void insert() {
    std::memset(slot->tts_isnull, 0, static_cast<std::size_t>(slot->tts_tupleDescriptor->natts) * sizeof(bool));
    ExecStoreVirtualTuple(slot);
    table_tuple_insert(result->ri_RelationDesc, slot, GetCurrentCommandId(true), 0, nullptr);
    insert_index_entries(result, slot, estate);
    ResetPerTupleExprContext(estate);
  }
  void close() {
    ExecDropSingleTupleTableSlot(slot);
    ExecCloseIndices(result);
    FreeExecutorState(estate);
    if (own) table_close(result->ri_RelationDesc, NoLock);
  }
};

namespace {

// Every statement asks for the state's table.
Oid known_state = InvalidOid;

void catalog_changed(Datum, int, uint32) { known_state = InvalidOid; }

Oid state_relation() {
  static bool watching = false;
  if (!watching) {
    CacheRegisterSyscacheCallback(RELNAMENSP, catalog_changed, Datum{0});
    CacheRegisterSyscacheCallback(NAMESPACENAME, catalog_changed, Datum{0});
  }
  watching = true;
  if (!OidIsValid(known_state)) known_state = pql_relation("state");
  return known_state;
}

} // namespace

void forget_known_state() noexcept { known_state = InvalidOid; }

Oid pql_relation(const char *name) { return standing_in(own_relation(name)); }

Oid own_relation(const char *name) {
  const Oid schema = get_namespace_oid("pql", true);
  const Oid rel = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
  if (!OidIsValid(rel))
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("relation \"pql.%s\" does not exist", name),
                    errhint("Run CREATE EXTENSION pql in this database.")));
  return rel;
}

namespace {

[[noreturn]] void fail_damaged(std::string_view key) {
  fail(ERRCODE_DATA_CORRUPTED, "state of home \"" + std::string(key) + "\" is damaged", {}, "Derive it again: CALL pql.rebuild().");
}

} // namespace

Home read_home(Arena &a, std::string_view key, std::string_view body, Members members) {
  const std::optional<Home> h = decode(a, body, members);
  if (!h) fail_damaged(key);
  return *h;
}

void wake_member(Arena &a, std::string_view key, Subject &member) {
  if (!wake(a, member)) fail_damaged(key);
}

std::vector<Subject> shares_of(Store &store, Arena &a, std::string_view home, std::string_view member) {
  std::vector<Subject> out;
  const auto read = [&](int part) -> std::optional<Home> {
    const StoredRow row = store.fetch(a, home, part);
    return row.found ? std::optional(read_home(a, home, row.body, Members::asleep)) : std::nullopt;
  };
  const auto take = [&](Home &h) {
    Subject *const s = member.empty() ? &h.owner : h.member(member);
    if (!s) return;
    wake_member(a, home, *s);
    out.push_back(*s);
  };
  std::optional<Home> head = read(0);
  if (!head) return out;
  const std::uint32_t part = member.empty() ? 0 : member_part(member, head->depth);
  if (part == 0) take(*head);
  else if (std::optional<Home> h = read(static_cast<int>(part))) take(*h);
  for (int i = 1; i <= head->lanes; i++) {
    if (std::optional<Home> lane = read(-i)) take(*lane);
  }
  return out;
}

void fold_milestones(Arena &a, std::string_view home, std::string_view body, Subject &into) {
  const std::optional<Vec<FirstTime>> all = decode_milestones(a, body);
  if (!all)
    fail(ERRCODE_DATA_CORRUPTED, "milestones of home \"" + std::string(home) + "\" are damaged", {},
         "Derive them again: CALL pql.rebuild().");
  for (const FirstTime &m : *all) into.fold_milestone(a, m.tracker, m.at, m.event());
}

namespace {
bool holding = false;
}

bool holds_homes() noexcept { return holding; }
void forget_homes() noexcept { holding = false; }

Store::Store(Access access, bool latest) : latest_(latest) {
  call([&] {
    require_here();
    mode_ = access == Access::write ? RowExclusiveLock : AccessShareLock;
    state_ = table_open(state_relation(), mode_);
    slot_ = table_slot_create(state_, nullptr);
    // It may have been truncated since a hint was noted, which makes the storage manager forget what it knew; otherwise it only grows.
    const BlockNumber known = RelationGetSmgr(state_)->smgr_cached_nblocks[MAIN_FORKNUM];
    blocks_ = known == InvalidBlockNumber ? 0 : known;
    take_snapshot();
  });
}

void Store::take_snapshot() {
  if (snapshot_) UnregisterSnapshot(snapshot_);
  snapshot_ = nullptr;
  if (IsInParallelMode()) snapshot_ = RegisterSnapshot(GetActiveSnapshot()); // what all workers see
  else if (snapshot_shown()) snapshot_ = RegisterSnapshot(snapshot_shown());
  else snapshot_ = RegisterSnapshot(IsolationUsesXactSnapshot() && !latest_ ? GetTransactionSnapshot() : GetLatestSnapshot());
}

void Store::close() {
  call([&] {
    if (target_) target_->close();
    if (homes_) homes_->close();
    if (log_target_) log_target_->close();
    if (log_) {
      index_close(log_index_, NoLock);
      table_close(log_, NoLock);
    }
    if (user_index_) {
      index_close(user_index_, NoLock);
      table_close(user_homes_, NoLock);
    }
    if (scan_) index_endscan(scan_);
    if (index_) index_close(index_, NoLock);
    if (out_) ExecDropSingleTupleTableSlot(out_);
    ExecDropSingleTupleTableSlot(slot_);
    UnregisterSnapshot(snapshot_);
    table_close(state_, NoLock);
    if (wrote_) CommandCounterIncrement(); // a second trigger of this statement must see what this one wrote
  });
}

void Store::refresh() {
  call([&] {
    if (IsolationUsesXactSnapshot())
      ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                      errmsg("could not serialize access due to concurrent update"),
                      errhint("The transaction might succeed if retried.")));
    restart();
  });
}

void Store::see_own_writes() {
  call([&] { restart(); });
}

void Store::restart() {
  if (scan_) index_endscan(scan_);
  scan_ = nullptr;
  take_snapshot();
}

void Store::homes_of(Arena &a, std::string_view user, std::vector<std::string_view> &out, Of of) {
  out.clear();
  call([&] {
    if (!user_homes_) {
      user_homes_ = table_open(pql_relation("user_home"), AccessShareLock);
      user_index_ = index_open(pql_relation("user_home_user_id"), AccessShareLock);
    }
    TupleTableSlot *slot = table_slot_create(user_homes_, nullptr);
    ScanKeyData key;
    text *value = text_of(user);
    ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ, PointerGetDatum(value));
    IndexScanDesc scan = begin_index_scan(user_homes_, user_index_, snapshot_, 1);
    index_rescan(scan, &key, 1, nullptr, 0);
    while (index_getnext_slot(scan, ForwardScanDirection, slot)) {
      bool isnull;
      const text *t = DatumGetTextPP(slot_getattr(slot, 1, &isnull));
      const std::string_view home(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
      if (is_workspace_home(home) == (of == Of::workspaces)) out.push_back(a.copy(home));
    }
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    pfree(value);
  });
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

namespace {

// Inside call(), with a pin and the page's lock. The version that the snapshot sees, of those that began as this one.
bool find_visible(Relation rel, Snapshot snapshot, Buffer buffer, OffsetNumber version, HeapTuple tuple) {
  const Page page = BufferGetPage(buffer);
  TransactionId writer = InvalidTransactionId;
  while (version != InvalidOffsetNumber && version <= PageGetMaxOffsetNumber(page)) {
    const ItemId line = PageGetItemId(page, version);
    if (!ItemIdIsNormal(line)) return false;
    tuple->t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, line));
    tuple->t_len = ItemIdGetLength(line);
    ItemPointerSet(&tuple->t_self, BufferGetBlockNumber(buffer), version);
    if (TransactionIdIsValid(writer) && !TransactionIdEquals(HeapTupleHeaderGetXmin(tuple->t_data), writer)) return false; // another row's by now
    const bool visible = HeapTupleSatisfiesVisibility(tuple, snapshot, buffer);
    if (visible) PredicateLockTID(rel, &tuple->t_self, snapshot, HeapTupleHeaderGetXmin(tuple->t_data));
    HeapCheckForSerializableConflictOut(visible, rel, tuple, buffer, snapshot);
    if (visible) return true;
    if (!HeapTupleHeaderIsHotUpdated(tuple->t_data)) return false;
    writer = HeapTupleHeaderGetUpdateXid(tuple->t_data);
    version = ItemPointerGetOffsetNumber(&tuple->t_data->t_ctid);
  }
  return false;
}

} // namespace

// Inside call(). The visible version of a chain into slot_; `seen` is the version to begin with, `recent` the buffer to try. As heapam's
// index fetch does it, but for pruning: that prunes as soon as a page is fuller than the fill factor, which is with nearly every update.
// Here several versions gather, and one cleaning (and its record in the log) takes them all.
bool Store::fetch_chain(ItemPointerData root, OffsetNumber seen, Buffer recent, bool *all_dead) {
  const BlockNumber block = ItemPointerGetBlockNumber(&root);
  const bool still = recent > 0 && recent <= NBuffers && ReadRecentBuffer(file_of(state_), MAIN_FORKNUM, block, recent);
  const Buffer buffer = still ? recent : ReadBuffer(state_, block);
  const auto search = [&] {
    ItemPointerData tid = root;
    tuple_.t_tableOid = RelationGetRelid(state_);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    const bool visible = find_visible(state_, snapshot_, buffer, seen, &tuple_) ||
                         heap_hot_search_buffer(&tid, state_, buffer, snapshot_, &tuple_, all_dead, true);
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
    return visible;
  };
  bool visible = search();
  if (visible && writes() && is_full(buffer, tuple_.t_len)) {
    clean(state_, buffer);
    visible = search(); // rows were moved
  }
  if (!visible) {
    ReleaseBuffer(buffer);
    return false;
  }
  ExecStorePinnedBufferHeapTuple(&tuple_, slot_, buffer);
  return true;
}

// Inside call().
bool Store::fetch_hinted(const Hint &hint, std::string_view home, int part) {
  const BlockNumber block = ItemPointerGetBlockNumber(&hint.root);
  if (block >= blocks_) blocks_ = RelationGetNumberOfBlocks(state_);
  if (block >= blocks_ || !fetch_chain(hint.root, hint.seen, hint.buffer, nullptr)) return false;
  bool isnull;
  const text *key = DatumGetTextPP(slot_getattr(slot_, 1, &isnull));
  return std::string_view(VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)) == home &&
         DatumGetInt32(slot_getattr(slot_, 2, &isnull)) == part;
}

// Inside call().
bool Store::fetch_indexed(std::string_view home, int part) {
  if (!index_) index_ = index_open(primary_key_index(state_), mode_);
  if (!scan_) scan_ = begin_index_scan(state_, index_, snapshot_, 2);
  text *const key = text_of(home);
  ScanKeyData keys[2];
  ScanKeyEntryInitialize(&keys[0], 0, 1, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ, PointerGetDatum(key));
  ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(part));
  index_rescan(scan_, keys, 2, nullptr, 0);
  bool found = false;
  while (const ItemPointer root = found ? nullptr : index_getnext_tid(scan_, ForwardScanDirection)) {
    bool all_dead = false;
    found = fetch_chain(*root, InvalidOffsetNumber, InvalidBuffer, &all_dead);
    scan_->kill_prior_tuple = all_dead && !scan_->xactStartedInRecovery;
    if (found) remember_row(home, part, *root, slot_->tts_tid);
  }
  pfree(key);
  return found;
}

StoredRow Store::fetch(Arena &a, std::string_view home, int part) {
  struct Found {
    bool found;
    ItemPointerData tid;
    const char *data;
    std::size_t size;
  };
  // The slot holds the row until the next fetch; it is copied afterwards, when nothing can jump.
  const Found f = call([&]() -> Found {
    Found r{};
    Hint *hint = hint_for(home, part);
    if (hint && !fetch_hinted(*hint, home, part)) hint = nullptr;
    if (!hint && !fetch_indexed(home, part)) return r;
    bool isnull;
    const Datum d = slot_getattr(slot_, 3, &isnull);
    const bytea *body = DatumGetByteaPP(d);
    r.found = true;
    r.tid = slot_->tts_tid;
    r.data = VARDATA_ANY(body);
    r.size = VARSIZE_ANY_EXHDR(body);
    if (hint) {
      hint->saw(slot_->tts_tid);
      hint->buffer = reinterpret_cast<BufferHeapTupleTableSlot *>(slot_)->buffer;
      hint->depth = part == 0 ? depth_of({r.data, r.size}) : 0;
    }
    return r;
  });
  StoredRow row;
  if (!f.found) return row;
  row.found = true;
  row.tid = f.tid;
  row.body = a.copy({f.data, f.size});
  return row;
}

namespace {

// What became of a version of a row.
struct Fate {
  bool replaced = false, gone = false, busy = false, committed = false;
  TransactionId by = InvalidTransactionId;
  ItemPointerData next{};
};

// Inside call(). Whether another transaction holds a lock that an update waits for. FOR KEY SHARE is none: pql takes no such lock, but a
// foreign key to pql.state would, and who waited for it would not find it gone when his own lock is granted beside it.
bool is_held(TransactionId xmax, std::uint16_t infomask) {
  const auto runs = [](TransactionId xid) { return !TransactionIdIsCurrentTransactionId(xid) && TransactionIdIsInProgress(xid); };
  if (!(infomask & HEAP_XMAX_IS_MULTI)) return !HEAP_XMAX_IS_KEYSHR_LOCKED(infomask) && runs(xmax);
  MultiXactMember *members;
  const int n = GetMultiXactIdMembers(xmax, &members, false, HEAP_XMAX_IS_LOCKED_ONLY(infomask));
  const bool held = n > 0 && std::any_of(members, members + n, [&](const MultiXactMember &m) {
    return m.status != MultiXactStatusForKeyShare && runs(m.xid);
  });
  if (n > 0) pfree(members);
  return held;
}

// Inside call(), with a pin on the version's page.
Fate fate_of(HeapTuple t, Buffer buffer) {
  Fate f;
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  const HeapTupleHeader h = t->t_data;
  const bool marked = !(h->t_infomask & HEAP_XMAX_INVALID);
  const bool locked_only = marked && HEAP_XMAX_IS_LOCKED_ONLY(h->t_infomask);
  const std::uint16_t infomask = h->t_infomask;
  const TransactionId xmax = HeapTupleHeaderGetRawXmax(h);
  if (marked && !locked_only) f.by = HeapTupleHeaderGetUpdateXid(h);
  f.next = h->t_ctid;
  LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
  if (!marked) return f;
  if (locked_only) {
    f.busy = is_held(xmax, infomask);
    return f;
  }
  if (!TransactionIdIsCurrentTransactionId(f.by)) {
    f.busy = TransactionIdIsInProgress(f.by);
    f.committed = !f.busy && TransactionIdDidCommit(f.by);
    if (!f.busy && !f.committed) { // taken back, maybe in a subtransaction of one that locked the row before
      f.busy = (infomask & HEAP_XMAX_IS_MULTI) && is_held(xmax, infomask);
      return f;
    }
  }
  f.gone = ItemPointerEquals(&f.next, &t->t_self);
  f.replaced = !f.gone;
  return f;
}

} // namespace

// The versions after the one that the snapshot sees, up to the last.
LiveRow Store::fetch_live(Arena &a, std::string_view home, int part) {
  LiveRow out;
  out.row = fetch(a, home, part);
  out.newest = out.row.body;
  if (!out.row.found) return out;
  call([&] {
    auto *const slot = reinterpret_cast<BufferHeapTupleTableSlot *>(slot_);
    HeapTupleData t = *slot->base.tuple;
    Buffer buffer = slot->buffer;
    IncrBufferRefCount(buffer);
    for (;;) {
      const Fate f = fate_of(&t, buffer);
      out.busy |= f.busy;
      out.gone |= f.gone;
      out.unseen |= f.committed;
      ReleaseBuffer(buffer);
      if (!f.replaced) return;
      t.t_self = f.next;
      if (!heap_fetch(state_, SnapshotAny, &t, &buffer, false)) return;
      if (!TransactionIdEquals(HeapTupleHeaderGetXmin(t.t_data), f.by)) return ReleaseBuffer(buffer); // another row's by now
      bool isnull;
      const Datum body = heap_getattr(&t, 3, RelationGetDescr(state_), &isnull);
      out.gone |= VARATT_IS_EXTERNAL(DatumGetPointer(body));
      if (out.gone) return ReleaseBuffer(buffer);
      const bytea *const b = DatumGetByteaPP(body);
      out.newest = a.copy({VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b)});
      if (!f.committed || IsolationUsesXactSnapshot()) continue;
      out.row.tid = t.t_self;
      out.row.body = out.newest;
    }
  });
  return out;
}

namespace {

LOCKTAG turn_of(Relation state, std::string_view home) {
  LOCKTAG tag;
  SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationGetRelid(state), static_cast<std::uint32_t>(hash_of(home, 0)), 0);
  return tag;
}

} // namespace

void Store::take_turn(std::string_view home) {
  call([&] {
    const LOCKTAG tag = turn_of(state_, home);
    LockAcquire(&tag, ExclusiveLock, false, false);
  });
}

void Store::end_turn(std::string_view home) {
  call([&] {
    const LOCKTAG tag = turn_of(state_, home);
    LockRelease(&tag, ExclusiveLock, false);
  });
}

void Store::remove(const StoredRow &row) {
  call([&] {
    ItemPointerData tid = row.tid;
    simple_table_tuple_delete(state_, &tid, snapshot_);
    wrote_ = true;
  });
}

bool Store::update(const StoredRow &row, std::string_view home, int part, std::string_view body) {
  return call([&] {
    if (!out_) out_ = MakeSingleTupleTableSlot(RelationGetDescr(state_), &TTSOpsHeapTuple);
    Datum values[3] = {PointerGetDatum(text_of(home)), Int32GetDatum(part), PointerGetDatum(text_of(body))};
    bool nulls[3] = {};
    HeapTuple tuple = heap_form_tuple(RelationGetDescr(state_), values, nulls);
    tuple->t_tableOid = RelationGetRelid(state_);
    ExecStoreHeapTuple(tuple, out_, false);
    TM_FailureData failure;
    LockTupleMode mode;
#if PG_VERSION_NUM >= 160000
    TU_UpdateIndexes indexes = TU_None;
#else
    bool indexes = false;
#endif
    ItemPointerData tid = row.tid;
    const TM_Result result = table_tuple_update(state_, &tid, out_, GetCurrentCommandId(true), snapshot_,
                                                InvalidSnapshot, true, &failure, &mode, &indexes);
    bool done = false;
    switch (result) {
    case TM_Ok:
      done = wrote_ = holding = true;
      if (indexes) {
        if (!target_) target_ = Target::open(state_, false);
        ExecCopySlot(target_->slot, out_);
        target_->slot->tts_tid = out_->tts_tid;
        target_->slot->tts_tableOid = RelationGetRelid(state_);
        insert_index_entries(target_->result, target_->slot, target_->estate);
        remember_row(home, part, out_->tts_tid, out_->tts_tid);
      } else if (Hint *const hint = hint_for(home, part)) hint->saw(out_->tts_tid);
      break;
    case TM_Updated:
    case TM_Deleted: break;
    default: elog(ERROR, "unexpected result of updating a row of pql.state: %d", static_cast<int>(result));
    }
    ExecClearTuple(out_);
    heap_freetuple(tuple);
    pfree(DatumGetPointer(values[0]));
    pfree(DatumGetPointer(values[2]));
    return done;
  });
}

bool Store::insert(std::string_view home, int part, std::string_view body) {
  return call([&] {
    if (!target_) target_ = Target::open(state_, false);
    TupleTableSlot *slot = target_->slot;
    ExecClearTuple(slot);
    text *const home_text = text_of(home), *const body_bytes = text_of(body); // the slot forgets them when it is stored
    slot->tts_values[0] = PointerGetDatum(home_text);
    slot->tts_values[1] = Int32GetDatum(part);
    slot->tts_values[2] = PointerGetDatum(body_bytes);
    std::memset(slot->tts_isnull, 0, 3 * sizeof(bool));
    ExecStoreVirtualTuple(slot);
    // As INSERT ... ON CONFLICT DO NOTHING does it: two writers of a new home must neither both succeed nor fail.
    ItemPointerData conflict;
    List *const arbiters = list_make1_oid(primary_key_index(state_));
#if PG_VERSION_NUM >= 180000
    const bool free = ExecCheckIndexConstraints(target_->result, slot, target_->estate, &conflict, &slot->tts_tid, arbiters);
#else
    const bool free = ExecCheckIndexConstraints(target_->result, slot, target_->estate, &conflict, arbiters);
#endif
    if (!free) {
      if (IsolationUsesXactSnapshot())
        ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                        errmsg("could not serialize access due to concurrent update"),
                        errhint("The transaction might succeed if retried.")));
      return false;
    }
    const uint32 token = SpeculativeInsertionLockAcquire(GetCurrentTransactionId());
    table_tuple_insert_speculative(state_, slot, GetCurrentCommandId(true), 0, nullptr, token);
    bool lost = false;
    insert_index_entries(target_->result, slot, target_->estate, &lost, arbiters);
    table_tuple_complete_speculative(state_, slot, token, !lost);
    SpeculativeInsertionLockRelease(GetCurrentTransactionId());
    if (!lost) {
      wrote_ = holding = true;
      remember_row(home, part, slot->tts_tid, slot->tts_tid);
    }
    pfree(home_text);
    pfree(body_bytes);
    list_free(arbiters);
    return !lost;
  });
}

bool Store::lock(const StoredRow &row) { return lock(row, LockWaitBlock); }
bool Store::try_lock(const StoredRow &row) { return lock(row, LockWaitSkip); }

bool Store::lock(const StoredRow &row, LockWaitPolicy wait) {
  return call([&] {
    TM_FailureData failure;
    ItemPointerData tid = row.tid;
    const TM_Result result = table_tuple_lock(state_, &tid, snapshot_, slot_, GetCurrentCommandId(true),
                                              LockTupleNoKeyExclusive, wait, 0, &failure);
    holding |= result == TM_Ok;
    return result == TM_Ok;
  });
}

void Store::add_user_home(std::string_view home, std::string_view user) {
  call([&] {
    if (!homes_) homes_ = Target::open(table_open(pql_relation("user_home"), RowExclusiveLock), true);
    TupleTableSlot *slot = homes_->slot;
    ExecClearTuple(slot);
    text *const home_text = text_of(home), *const user_text = text_of(user);
    slot->tts_values[0] = PointerGetDatum(home_text);
    slot->tts_values[1] = PointerGetDatum(user_text);
    homes_->insert();
    pfree(home_text);
    pfree(user_text);
    wrote_ = true;
  });
}

void Store::open_log() {
  if (log_) return;
  log_ = table_open(pql_relation("milestone_log"), mode_);
  log_index_ = index_open(pql_relation("milestone_log_home"), mode_);
}

void Store::log_milestones(std::string_view home, std::string_view member, std::string_view body) {
  call([&] {
    open_log();
    if (!log_target_) log_target_ = Target::open(log_, false);
    TupleTableSlot *slot = log_target_->slot;
    ExecClearTuple(slot);
    text *const texts[3] = {text_of(home), text_of(member), text_of(body)};
    for (int i = 0; i < 3; i++) slot->tts_values[i] = PointerGetDatum(texts[i]);
    log_target_->insert();
    for (text *t : texts) pfree(t);
    wrote_ = true;
  });
}

std::vector<LoggedMilestones> Store::logged(Arena &a, std::string_view home, const std::string_view *member) {
  std::vector<LoggedMilestones> out;
  const auto copied = [&a](Datum d) -> std::string_view {
    const text *t = DatumGetTextPP(d);
    return a.copy({VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)});
  };
  call([&] {
    open_log();
    TupleTableSlot *slot = table_slot_create(log_, nullptr);
    ScanKeyData keys[2];
    text *const texts[2] = {text_of(home), text_of(member ? *member : std::string_view{})};
    for (int i = 0; i < 2; i++)
      ScanKeyEntryInitialize(&keys[i], 0, static_cast<AttrNumber>(i + 1), BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID,
                             F_TEXTEQ, PointerGetDatum(texts[i]));
    IndexScanDesc scan = begin_index_scan(log_, log_index_, snapshot_, member ? 2 : 1);
    index_rescan(scan, keys, member ? 2 : 1, nullptr, 0);
    while (index_getnext_slot(scan, ForwardScanDirection, slot)) {
      bool isnull;
      const std::string_view who = copied(slot_getattr(slot, 2, &isnull));
      out.push_back({who, copied(slot_getattr(slot, 3, &isnull))});
    }
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    for (text *t : texts) pfree(t);
  });
  return out;
}

void Store::forget_milestones(std::string_view home) {
  call([&] {
    open_log();
    TupleTableSlot *slot = table_slot_create(log_, nullptr);
    ScanKeyData key;
    text *const value = text_of(home);
    ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ, PointerGetDatum(value));
    IndexScanDesc scan = begin_index_scan(log_, log_index_, snapshot_, 1);
    index_rescan(scan, &key, 1, nullptr, 0);
    while (index_getnext_slot(scan, ForwardScanDirection, slot)) {
      simple_table_tuple_delete(log_, &slot->tts_tid, snapshot_);
      wrote_ = true;
    }
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    pfree(value);
  });
}

void Store::scan_log_rows(Order order, void *x, void (*f)(void *, std::string_view, std::string_view, std::string_view)) {
  struct Open {
    IndexScanDesc by_home;
    TableScanDesc as_they_lie;
    TupleTableSlot *slot;
    MemoryContext row;
  };
  const Open o = call([&]() -> Open {
    open_log();
    IndexScanDesc by_home = nullptr;
    if (order == Order::of_homes) {
      by_home = begin_index_scan(log_, log_index_, snapshot_, 0);
      index_rescan(by_home, nullptr, 0, nullptr, 0);
    }
    return {by_home, by_home ? nullptr : table_beginscan(log_, snapshot_, 0, nullptr), table_slot_create(log_, nullptr),
            AllocSetContextCreateInternal(CurrentMemoryContext, "pql milestone log row", ALLOCSET_DEFAULT_SIZES)};
  });
  struct Row {
    bool found;
    std::string_view column[3];
  };
  for (;;) {
    const Row r = call([&]() -> Row {
      CHECK_FOR_INTERRUPTS();
      Row out{};
      MemoryContextReset(o.row);
      const bool more = o.by_home ? index_getnext_slot(o.by_home, ForwardScanDirection, o.slot)
                                  : table_scan_getnextslot(o.as_they_lie, ForwardScanDirection, o.slot);
      if (!more) return out;
      MemoryContext before = MemoryContextSwitchTo(o.row);
      out.found = true;
      for (int i = 0; i < 3; i++) {
        bool isnull;
        const text *t = DatumGetTextPP(slot_getattr(o.slot, i + 1, &isnull));
        out.column[i] = {VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)};
      }
      MemoryContextSwitchTo(before);
      return out;
    });
    if (!r.found) break;
    f(x, r.column[0], r.column[1], r.column[2]);
  }
  call([&] {
    if (o.by_home) index_endscan(o.by_home);
    else table_endscan(o.as_they_lie);
    ExecDropSingleTupleTableSlot(o.slot);
    MemoryContextDelete(o.row);
  });
}

void Store::scan_rows(void *x, void (*f)(void *, std::string_view, int, std::string_view)) {
  TableScanDesc scan = call([&] { return table_beginscan(state_, snapshot_, 0, nullptr); });
  MemoryContext row_memory = call([&] { return AllocSetContextCreateInternal(CurrentMemoryContext, "pql state row", ALLOCSET_DEFAULT_SIZES); });
  struct Row {
    bool found;
    const char *home;
    std::size_t home_size;
    int part;
    const char *body;
    std::size_t body_size;
  };
  for (;;) {
    const Row r = call([&]() -> Row {
      CHECK_FOR_INTERRUPTS();
      Row out{};
      MemoryContextReset(row_memory);
      if (!table_scan_getnextslot(scan, ForwardScanDirection, slot_)) return out;
      MemoryContext before = MemoryContextSwitchTo(row_memory);
      bool isnull;
      const text *home = DatumGetTextPP(slot_getattr(slot_, 1, &isnull));
      const bytea *body = DatumGetByteaPP(slot_getattr(slot_, 3, &isnull));
      out = {true, VARDATA_ANY(home), VARSIZE_ANY_EXHDR(home), DatumGetInt32(slot_getattr(slot_, 2, &isnull)),
             VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body)};
      MemoryContextSwitchTo(before);
      return out;
    });
    if (!r.found) break;
    f(x, {r.home, r.home_size}, r.part, {r.body, r.body_size});
  }
  call([&] {
    table_endscan(scan);
    MemoryContextDelete(row_memory);
  });
}

} // namespace pql::pg
