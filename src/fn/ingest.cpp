// The triggers on events tables: rows in, state out.
#include "core/state/deferred.hpp"
#include "pg/deferred.hpp"
#include "pg/derive.hpp"
#include "pg/identity.hpp"
#include "pg/ingest.hpp"
#include "pg/shard.hpp"
#include "pg/statement.hpp"

extern "C" {
#include "catalog/partition.h"
#include "utils/datum.h"
#include "utils/tuplestore.h"
}

namespace pql::pg {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{256} << 20;

const TriggerData *trigger_data(FunctionCallInfo fcinfo) {
  if (!CALLED_AS_TRIGGER(fcinfo))
    fail(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "pql._ingest() must be called as a trigger", {},
         "It is created by pql.attach().");
  const auto *t = reinterpret_cast<TriggerData *>(fcinfo->context);
  if (!TRIGGER_FIRED_AFTER(t->tg_event) || t->tg_trigger->tgnargs != 1)
    fail(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "pql._ingest() must be an AFTER trigger made by pql.attach()");
  return t;
}

std::uint64_t known_generation = 0;

// The trigger reads the source that its argument names only when its table is that source's, or a partition of it: otherwise
// anybody who may create a trigger could write state.
const SourceInfo *source_of(const Definitions &plan, const TriggerData *t) {
  const SourceInfo *s = plan.source(std::atoi(t->tg_trigger->tgargs[0]));
  if (!s) return nullptr;
  const Oid rel = RelationGetRelid(t->tg_relation);
  if (rel == s->relation || is_part_of(rel, s->relation)) return s;
  static Oid known_rel = InvalidOid, known_root = InvalidOid; // a row trigger asks this for every row
  if (rel == known_rel && s->relation == known_root && known_generation == definitions_generation()) return s;
  const bool below = call([&] {
    return t->tg_relation->rd_rel->relispartition && list_member_oid(get_partition_ancestors(rel), s->relation);
  });
  if (!below) return nullptr;
  known_rel = rel;
  known_root = s->relation;
  known_generation = definitions_generation();
  return s;
}

// A pass over a transition table. The rows it gave last stay as they are until as many more were read.
class Rows {
public:
  static constexpr std::size_t kLasting = Folder::kTogether;

  Rows(Relation rel, Tuplestorestate *store) : store_(store) {
    call([&] {
      pointer_ = tuplestore_alloc_read_pointer(store_, EXEC_FLAG_REWIND);
      lasting_ = std::min(kLasting, static_cast<std::size_t>(tuplestore_tuple_count(store)) + 1); // one more: the end clears a slot, too
      for (TupleTableSlot *&s : slots()) s = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsMinimalTuple);
      tuplestore_select_read_pointer(store_, pointer_);
      tuplestore_rescan(store_);
    });
  }
  void rewind() {
    call([&] {
      tuplestore_select_read_pointer(store_, pointer_);
      tuplestore_rescan(store_);
    });
  }
  /// Inside call().
  TupleTableSlot *next() {
    TupleTableSlot *const slot = slots_[turn_++ % lasting_];
    return tuplestore_gettupleslot(store_, true, false, slot) ? slot : nullptr;
  }
  void select() { tuplestore_select_read_pointer(store_, pointer_); }
  /// Gives up what next() returned: rows read back from disk lie in the memory that was current then. Inside call().
  void forget() {
    for (TupleTableSlot *s : slots()) ExecClearTuple(s);
  }
  void close() {
    call([&] {
      for (TupleTableSlot *s : slots()) ExecDropSingleTupleTableSlot(s);
    });
  }

private:
  std::span<TupleTableSlot *> slots() noexcept { return {slots_, lasting_}; }

  Tuplestorestate *store_;
  int pointer_ = 0;
  TupleTableSlot *slots_[kLasting] = {};
  std::size_t lasting_ = kLasting;
  std::size_t turn_ = 0;
};

// Folds rows until the end or until the batch is large. Inside call().
struct Stretch {
  Rows *rows;
  Extractor *extractor;
  Folder *folder;
  std::size_t limit;
  Arena *arena;
  bool more = true;

  void run() {
    Extracted some[Rows::kLasting];
    for (std::size_t read = 0; more; read += std::size(some)) {
      std::size_t n = 0;
      while (n < std::size(some)) {
        TupleTableSlot *const slot = rows->next();
        if (!slot) {
          more = false;
          break;
        }
        extractor->read(slot, some[n++]);
      }
      folder->take({some, n});
      if (read % 1024) continue;
      CHECK_FOR_INTERRUPTS();
      extractor->forget();
      if (arena->used() > limit) break;
    }
    extractor->forget();
    rows->forget();
  }

  // The slow way, after an expression failed on some row: each row in a subtransaction.
  void run_carefully() {
    Extracted event;
    while (TupleTableSlot *slot = rows->next()) {
      CHECK_FOR_INTERRUPTS();
      extractor->read_safely(slot, event);
      folder->take(event);
      extractor->forget();
    }
    rows->forget();
    more = false;
  }
};

class Ingest {
public:
  Ingest(const Definitions &plan, const SourceInfo &source, const TriggerData *t)
      : plan_(plan), source_(source), trigger_(t), rel_(t->tg_relation) {}

  void insert(Tuplestorestate *store) {
    Extractor *x = call([&] { return extractor_for(rel_, source_); });
    if (!x) return count_broken(store);
    if (source_.dedup) find_new_ids(store, *x);
    left_ = new_ids_;
    Rows rows(rel_, store);
    // Of one row the rules guard themselves, if its event has any: a subtransaction is a tenth of what the row costs.
    const bool may_fail = x->can_fail() || (plan_.has_rules() && tuplestore_tuple_count(store) > 1);
    bool more = true;
    while (more) {
      Scratch memory("pql statement");
      more = stretch(rows, *x, memory, may_fail);
    }
    rows.close();
  }

  // Rows are read and written down, and nothing else: whoever folds looks whose they are, and what they do.
  void defer(Tuplestorestate *store) {
    Extractor *x = call([&] { return extractor_for(rel_, source_); });
    if (!x) return count_broken(store);
    Deferral &deferral = deferral_.emplace(plan_, source_);
    Rows rows(rel_, store);
    Extracted e;
    e.as_said = true;
    for (bool more = true; more;) {
      more = call([&] {
        CHECK_FOR_INTERRUPTS();
        for (int i = 0; i < 1000 && !deferral.is_full(); i++) {
          TupleTableSlot *slot = rows.next();
          if (!slot) return false;
          x->read_safely(slot, e);
          if (e.unusable) deferral.count_unusable(e.unusable);
          else deferral.take(e);
        }
        x->forget();
        return true;
      });
      append_when_full();
    }
    rows.close();
    deferral.append();
  }

  // Homes of rows that were there before, or are changed: derived again before anybody reads, or by whoever folds.
  void mark(Tuplestorestate *store) {
    Extractor *x = call([&] { return extractor_for(rel_, source_); });
    if (!x) return count_broken(store);
    if (source_.deferred) deferral_.emplace(plan_, source_);
    Rows rows(rel_, store);
    Extracted e;
    e.as_said = source_.deferred;
    for (;;) {
      const bool found = call([&] {
        CHECK_FOR_INTERRUPTS();
        TupleTableSlot *slot = rows.next();
        if (slot) x->read_safely(slot, e, false);
        return slot != nullptr;
      });
      if (!found) break;
      mark(e);
    }
    rows.close();
    if (deferral_) deferral_->append();
  }

  // An UPDATE that changes nothing pql reads (a flag on every row, say) costs nothing.
  void mark_changes(Tuplestorestate *before, Tuplestorestate *after) {
    Extractor *x = call([&] { return extractor_for(rel_, source_); });
    if (!x) return count_broken(after);
    if (source_.deferred) deferral_.emplace(plan_, source_);
    Rows old_rows(rel_, before), new_rows(rel_, after);
    Extracted a, b;
    a.as_said = b.as_said = source_.deferred;
    for (;;) {
      const int state = call([&] {
        CHECK_FOR_INTERRUPTS();
        old_rows.select();
        TupleTableSlot *o = old_rows.next();
        new_rows.select();
        TupleTableSlot *n = new_rows.next();
        if (!o || !n) return 0;
        x->read_safely(o, a);
        x->read_safely(n, b);
        // While history is being folded, a row that is written anew is no history any more, whatever it says.
        return same(a, b) && plan_.unfinished_jobs().empty() ? 1 : 2;
      });
      if (state == 0) break;
      if (state == 1) continue;
      mark(a);
      mark(b);
    }
    old_rows.close();
    new_rows.close();
    if (deferral_) deferral_->append();
  }

  // What is sealed may be purged: it is in the base.
  static void mark_event(const SourceInfo &source, const Extracted &e) {
    if (e.unusable || e.at < source.sealed_before) return;
    mark_dirty(e.home());
    if (!e.workspace.empty()) mark_dirty(e.workspace_home());
  }

private:
  void mark(const Extracted &e) {
    if (!deferral_) return mark_event(source_, e);
    if (e.unusable) return;
    call([&] { deferral_->touch(e); });
    append_when_full();
  }

  void append_when_full() {
    if (!deferral_->is_full()) return;
    deferral_->append();
    deferral_->clear();
  }

  static bool same(const Extracted &a, const Extracted &b) {
    if (a.unusable || b.unusable) return a.unusable == b.unusable;
    if (a.user != b.user || a.has_account != b.has_account || (a.has_account && a.account != b.account) || a.workspace != b.workspace ||
        a.event != b.event || a.at != b.at || a.arrived != b.arrived || a.id.view() != b.id.view() || a.has_properties != b.has_properties)
      return false;
    return !a.has_properties || datum_image_eq(a.properties, b.properties, false, -1); // 1 and 1.0 differ to a rule
  }

  bool stretch(Rows &rows, Extractor &x, Scratch &memory, bool may_fail) {
    Batch batch(memory.arena(), plan_.trackers());
    const Micros now = GetCurrentTimestamp(); // rows may tell when they were made, which is after the statement's start
    auto folder = std::make_unique<Folder>(plan_, source_, plan_.events(), memory.arena(), now, batch);
    prepare(*folder);
    Stretch s{&rows, &x, folder.get(), kBatchBytes, &memory.arena()};
    if (!may_fail) {
      call([&] {
        MemoryContext before = MemoryContextSwitchTo(memory.context());
        rows.select();
        s.run();
        MemoryContextSwitchTo(before);
      });
    } else {
      s.limit = SIZE_MAX; // a failure starts over, so nothing may be written before the end
      const bool ok = call([&] {
        rows.select();
        return guarded([&] { s.run(); });
      });
      if (!ok) return retry(rows, x);
    }
    cut_ |= s.more;
    finish(*folder, batch);
    return s.more;
  }

  bool retry(Rows &rows, Extractor &x) {
    Scratch memory("pql statement");
    Batch batch(memory.arena(), plan_.trackers());
    auto folder = std::make_unique<Folder>(plan_, source_, plan_.events(), memory.arena(), GetCurrentTimestamp(), batch);
    left_ = new_ids_;
    prepare(*folder);
    rows.rewind();
    Stretch s{&rows, &x, folder.get(), SIZE_MAX, &memory.arena()};
    call([&] { s.run_carefully(); });
    finish(*folder, batch);
    return false;
  }

  void finish(Folder &folder, Batch &batch) {
    record_unusable(source_.id, folder.unusable());
    record_held(source_.id, folder.held());
    if (source_.event_clock) advance_event_clock(folder.newest());
    MergeOptions o;
    o.as_of = decision_time(plan_, &source_, folder.newest());
    o.emit_since = o.as_of - source_.max_event_age;
    o.alone = batch.size() == 1 && !cut_ && synchronous_commit != SYNCHRONOUS_COMMIT_OFF &&
              call([&] { return is_last_of_transaction(trigger_); });
    merge_batch(plan_, batch, o);
  }

  void count_broken(Tuplestorestate *store) {
    if (source_.deferred) {
      Deferral &deferral = deferral_.emplace(plan_, source_);
      deferral.count_unusable("definition broken", tuplestore_tuple_count(store));
      return deferral.append();
    }
    Scratch memory("pql statement");
    Batch batch(memory.arena(), plan_.trackers());
    Folder folder(plan_, source_, plan_.events(), memory.arena(), 0, batch);
    folder.count_unusable("definition broken", tuplestore_tuple_count(store));
    record_unusable(source_.id, folder.unusable());
  }

  void find_new_ids(Tuplestorestate *store, Extractor &x) {
    Rows rows(rel_, store);
    Extracted e;
    for (;;) {
      const bool found = call([&] {
        CHECK_FOR_INTERRUPTS();
        TupleTableSlot *slot = rows.next();
        if (slot) x.read_safely(slot, e);
        if (slot && may_count_by_id(source_, e)) new_ids_.add(e, e.homes());
        x.forget();
        return slot != nullptr;
      });
      if (!found) break;
    }
    rows.close();
    new_ids_.settle();
    remember_ids(source_, new_ids_);
  }

  void prepare(Folder &folder) {
    if (source_.dedup) folder.ids = &left_;
  }

  const Definitions &plan_;
  const SourceInfo &source_;
  const TriggerData *trigger_;
  Relation rel_;
  bool cut_ = false; ///< into several stretches
  std::optional<Deferral> deferral_; ///< of a deferred source
  Ids new_ids_{source_.dedup_for}, left_{source_.dedup_for}; ///< rows of this statement that count by their ids; those not folded yet
};

void statement(const Definitions &plan, const SourceInfo &source, const TriggerData *t) {
  Ingest ingest(plan, source, t);
  if (TRIGGER_FIRED_BY_TRUNCATE(t->tg_event)) return mark_truncated(source);
  if (TRIGGER_FIRED_BY_INSERT(t->tg_event)) return source.deferred ? ingest.defer(t->tg_newtable) : ingest.insert(t->tg_newtable);
  if (TRIGGER_FIRED_BY_DELETE(t->tg_event)) return ingest.mark(t->tg_oldtable);
  ingest.mark_changes(t->tg_oldtable, t->tg_newtable);
}

void row(const SourceInfo &source, const TriggerData *t) {
  const bool inserted = TRIGGER_FIRED_BY_INSERT(t->tg_event), changed = TRIGGER_FIRED_BY_UPDATE(t->tg_event);
  if (inserted && !source.deferred) return collect_row(source, t->tg_relation, t->tg_trigslot);
  Extracted a, b;
  a.as_said = b.as_said = source.deferred;
  const bool readable = call([&] {
    Extractor *x = extractor_for(t->tg_relation, source);
    if (!x) return false;
    x->read_safely(t->tg_trigslot, a);
    if (changed) x->read_safely(t->tg_newslot, b);
    return true;
  });
  if (!readable && !inserted) return; // pql.sources tells; what is known stays until the source can be read again
  if (inserted) {
    if (!readable) a.unusable = "definition broken";
    return collect_deferred(source, a);
  }
  if (source.deferred) return changed ? collect_touched(source, {&a, &b}) : collect_touched(source, {&a});
  Ingest::mark_event(source, a);
  if (changed) Ingest::mark_event(source, b);
}

} // namespace
} // namespace pql::pg

PQL_FUNCTION(_ingest) {
  using namespace pql::pg;
  const TriggerData *t = trigger_data(fcinfo);
  std::optional<Undisturbed> whole; // the end of one of our queries is not that of the statement, after which the shard is left
  if (enter_shard(t->tg_relation)) whole.emplace();
  if (TRIGGER_FIRED_BY_TRUNCATE(t->tg_event) && call([] { return !within_shard() && is_spread(); }))
    fail(ERRCODE_FEATURE_NOT_SUPPORTED, std::string("cannot truncate table \"") + RelationGetRelationName(t->tg_relation) + "\", which is distributed",
         "Shards are truncated without pql's being told.", "Use DELETE.");
  std::shared_ptr<const Definitions> plan = current_definitions();
  const SourceInfo *source = source_of(*plan, t);
  if (!source || !source->deferred) { // who writes state
    lock_identities();
    plan = current_definitions();
    source = source_of(*plan, t);
  }
  if (!source)
    fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
         std::string("table \"") + RelationGetRelationName(t->tg_relation) + "\" is not attached to pql",
         "Its trigger \"" + std::string(t->tg_trigger->tgname) + "\" belongs to another table, or was copied.",
         "Drop the trigger, or attach the table with pql.attach().");
  if (TRIGGER_FIRED_FOR_ROW(t->tg_event)) row(*source, t);
  else statement(*plan, *source, t);
  return PointerGetDatum(nullptr);
}

// On pql's own tables: tells every backend that definitions changed.
PQL_FUNCTION(_definitions_changed) {
  using namespace pql::pg;
  const auto *t = reinterpret_cast<TriggerData *>(fcinfo->context);
  if (!CALLED_AS_TRIGGER(fcinfo))
    fail(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "pql._definitions_changed() must be called as a trigger");
  call([&] { CacheInvalidateRelcache(t->tg_relation); });
  return PointerGetDatum(nullptr);
}
