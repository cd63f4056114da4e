#include "pg/deferred.hpp"

#include <algorithm>
#include <unordered_set>

#include "pg/derive.hpp"
#include "pg/guc.hpp"
#include "pg/identity.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "access/tableam.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
}

namespace pql::pg {
namespace {

using Kind = DeferredRecord::Kind;

// A row takes most of a page, so that it stays in its table as it is: most often, since names have no limit.
constexpr std::size_t kFull = 7000, kFullOfProperties = 64000;

void append_row(std::optional<int> source, std::int32_t events, std::int16_t trackers, std::string_view body, const Vec<Datum> &properties) {
  call([&] {
    Relation rel = table_open(pql_relation("deferred"), RowExclusiveLock);
    TupleTableSlot *slot = table_slot_create(rel, nullptr);
    auto *const bytes = static_cast<bytea *>(palloc(VARHDRSZ + body.size()));
    SET_VARSIZE(bytes, VARHDRSZ + body.size());
    std::memcpy(VARDATA(bytes), body.data(), body.size());
    const auto n = static_cast<int>(properties.size);
    const Datum values[] = {Int32GetDatum(source.value_or(0)), TimestampTzGetDatum(GetCurrentStatementStartTimestamp()), Int32GetDatum(events),
                            Int16GetDatum(trackers), PointerGetDatum(bytes),
                            n ? PointerGetDatum(construct_array(properties.data, n, JSONBOID, -1, false, TYPALIGN_INT)) : Datum{0}};
    for (std::size_t i = 0; i < std::size(values); i++) {
      slot->tts_values[i] = values[i];
      slot->tts_isnull[i] = (i == 0 && !source) || (i == 5 && !n);
    }
    ExecStoreVirtualTuple(slot);
    simple_table_tuple_insert(rel, slot);
    ExecDropSingleTupleTableSlot(slot);
    pfree(bytes);
    table_close(rel, NoLock);
  });
}

DeferredRecord record_of(const Extracted &e, Kind kind) {
  DeferredRecord r;
  r.kind = kind;
  r.user = e.user; // as the row says it: this wasn't read as anybody else's
  r.account = e.account;
  r.has_account = !r.account.empty();
  r.workspace = e.workspace;
  r.event = e.event;
  r.at = e.at;
  r.arrived = e.arrived;
  r.id = e.id.view();
  return r;
}

} // namespace

Deferral::Deferral(const Definitions &plan, const SourceInfo &source, MemoryContext parent)
    : source_(source.id), keeps_properties_(source.dedup), events_(plan.events()),
      trackers_(static_cast<std::int16_t>(plan.trackers().size())), now_(GetCurrentStatementStartTimestamp()), memory_("pql deferral", parent),
      out_(memory_.arena()) {}

void Deferral::take(const Extracted &e) {
  DeferredRecord r = record_of(e, Kind::event);
  const EventPlan *const p = events_.find(e.event);
  // Of most events no rule asks for them. Ids are compared with them, and what isn't due may be asked by rules to come.
  r.has_properties = e.has_properties && ((p && p->needs_properties()) || keeps_properties_ || e.at > now_);
  if (r.has_properties) {
    MemoryContext before = MemoryContextSwitchTo(memory_.context());
    auto *const json = PG_DETOAST_DATUM_COPY(e.properties);
    MemoryContextSwitchTo(before);
    properties_.push(memory_.arena(), PointerGetDatum(json));
    property_bytes_ += VARSIZE(json);
  }
  out_.add(r);
}

void Deferral::touch(const Extracted &e) { out_.add(record_of(e, Kind::touched)); }

void Deferral::truncate() {
  DeferredRecord r;
  r.kind = Kind::truncated;
  out_.add(r);
}

bool Deferral::is_full() const noexcept { return out_.size() > kFull || property_bytes_ > kFullOfProperties; }
bool Deferral::empty() const noexcept { return out_.empty() && unusable_.empty(); }

void Deferral::append() {
  if (empty()) return;
  for (const Unusable &u : unusable_) {
    DeferredRecord r;
    r.kind = Kind::unusable;
    r.text = u.reason;
    r.count = static_cast<std::uint64_t>(u.events);
    out_.add(r);
  }
  unusable_.clear();
  append_row(source_, static_cast<std::int32_t>(out_.events()), trackers_, out_.view(), properties_);
}

void Deferral::clear() {
  for (const Datum json : properties_) call([&] { pfree(DatumGetPointer(json)); });
  memory_.arena().reset();
  properties_ = {};
  unusable_ = {};
  property_bytes_ = 0;
  out_.start_over();
}

void defer_homes(const std::set<std::string, std::less<>> &homes) {
  Scratch memory("pql deferral");
  DeferredWriter out(memory.arena());
  const auto append = [&] {
    append_row({}, 0, 0, out.view(), {});
    memory.arena().reset();
    out.start_over();
  };
  for (const std::string &home : homes) {
    DeferredRecord r;
    r.kind = Kind::home;
    r.text = home;
    out.add(r);
    if (out.size() > kFull) append();
  }
  if (!out.empty()) append();
}

// ------------------------------------------------------------------------------------------------------------------ turns

namespace {

// Most often nothing waits, and then there is nothing to be looked for.
bool anything_waits() {
  return call([] {
    Relation rel = table_open(pql_relation("deferred"), AccessShareLock);
    const bool any = RelationGetNumberOfBlocks(rel) > 0;
    table_close(rel, NoLock);
    return any;
  });
}

bool left_to_others = false; ///< a derivation, since others were folding: the next fold is alone

bool lock_folding(LOCKMODE mode, bool wait) {
  return call([&] {
    PreventCommandDuringRecovery("a change of pql's state"); // rather than be told of a lock
    LOCKTAG tag;
    SET_LOCKTAG_OBJECT(tag, MyDatabaseId, pql_relation("deferred"), 0, 0);
    return LockAcquire(&tag, mode, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
  });
}

} // namespace

void fold_beside_others() { (void)lock_folding(ShareLock, true); }
void fold_alone() { (void)lock_folding(ExclusiveLock, true); }
bool try_fold_alone() {
  const bool alone = lock_folding(ExclusiveLock, false);
  left_to_others = !alone;
  return alone;
}

// ---------------------------------------------------------------------------------------------------------------- reading

namespace {

// A row of pql.deferred, copied.
struct Row {
  Micros appended_at;
  std::int16_t trackers;
  std::string_view body;
  Datum *properties; ///< jsonb, of the events that have some, in their order
  int property_count;
};

// Columns from `column` on: body, properties.
void read_row(const Spi &spi, std::uint64_t i, int column, Scratch &memory, Row &row) {
  row.body = spi.bytes(memory.arena(), i, column);
  const MemoryContext kept = memory.context();
  call([&] {
    bool isnull;
    const Datum all = spi.datum(i, column + 1, &isnull);
    row.properties = nullptr;
    row.property_count = 0;
    if (isnull) return;
    MemoryContext before = MemoryContextSwitchTo(kept);
    bool *nulls;
    deconstruct_array(reinterpret_cast<ArrayType *>(PG_DETOAST_DATUM_COPY(all)), JSONBOID, -1, false, TYPALIGN_INT, &row.properties, &nulls,
                      &row.property_count);
    MemoryContextSwitchTo(before);
  });
}

[[noreturn]] void raise_damaged() {
  ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("a row of pql.deferred is damaged"),
                  errhint("CALL pql.rebuild() derives everything again from the events, and empties it.")));
}

// Goes through a row's records; f(record, properties). Inside call().
template <class F>
void each_record(Arena &arena, const Row &row, F &&f) {
  DeferredReader reader(arena, row.body);
  DeferredRecord r;
  int n = 0;
  while (reader.next(r)) {
    const bool has = r.kind == Kind::event && r.has_properties;
    if ((has && n == row.property_count) || r.id.size() > sizeof EventId::data) raise_damaged();
    f(r, has ? row.properties[n++] : Datum{0});
  }
  if (!reader.ok()) raise_damaged();
}

// The event of a record, as it counts now. Inside call().
void read_event(const DeferredRecord &r, Datum properties, Extracted &e) {
  e.unusable = nullptr;
  e.user = r.user;
  e.account = r.account;
  e.workspace = r.workspace;
  e.event = r.event;
  e.has_account = r.has_account;
  e.renamed = false;
  e.at = r.at;
  e.arrived = r.arrived;
  std::memcpy(e.id.data, r.id.data(), r.id.size());
  e.id.size = static_cast<std::uint8_t>(r.id.size());
  e.properties = properties;
  e.has_properties = r.has_properties;
  if (identities_in_force) e.resolve();
}

Homes open_homes(const DeferredRecord &r) { return {!r.own_done, !r.workspace_done}; }

// What rows of one source amount to.
class Feed {
public:
  Feed(const Definitions &plan, const SourceInfo &source, std::vector<Row> &rows, Scratch &memory)
      : plan_(plan), source_(source), rows_(rows), memory_(memory), ids_(source.dedup_for) {
    // Rows that the same trackers fold come together.
    std::stable_sort(rows_.begin(), rows_.end(), [](const Row &a, const Row &b) { return a.trackers < b.trackers; });
  }

  // What isn't folded, and which ids there are.
  void look() {
    for (const Row &row : rows_) {
      each([&](const DeferredRecord &r, Datum properties) { look_at(r, properties); }, row);
    }
    ids_.settle();
    if (source_.dedup) remember_ids(source_, ids_);
  }

  std::int64_t fold() {
    Scratch memory("pql fold");
    Batch batch(memory.arena(), plan_.trackers());
    if (!run(memory, batch, plan_.has_rules())) {
      Scratch again("pql fold");
      Batch anew(again.arena(), plan_.trackers());
      (void)run(again, anew, false); // rules guard themselves
      return finish(anew);
    }
    return finish(batch);
  }

private:
  template <class F>
  void each(F &&f, const Row &row) {
    call([&] {
      CHECK_FOR_INTERRUPTS();
      each_record(memory_.arena(), row, f);
      forget_identities();
    });
  }

  void look_at(const DeferredRecord &r, Datum properties) {
    if (r.kind == Kind::unusable) return count_unusable(memory_.arena(), unusable_, r.text, static_cast<std::int64_t>(r.count));
    if (r.kind == Kind::home) return mark_dirty(canonical_home(r.text));
    if (r.kind == Kind::truncated) return mark_truncated();
    if (r.kind == Kind::touched || source_.dedup) look_at_row(r, properties);
  }

  // Not inlined into call(), whose jump may clobber what it knows.
  [[gnu::noinline]] void look_at_row(const DeferredRecord &r, Datum properties) {
    Extracted e;
    read_event(r, properties, e);
    const Homes in = e.homes() & open_homes(r);
    if (r.kind == Kind::event) {
      if (in && may_count_by_id(source_, e)) ids_.add(e, in);
      return;
    }
    if (e.unusable || e.at < source_.sealed_before) return;
    if (in.own) mark_dirty(e.home());
    if (in.workspace) mark_dirty(e.workspace_home());
  }

  // False when a rule failed: nothing is worth anything then.
  bool run(Scratch &memory, Batch &batch, bool guard) {
    unfolded_ = ids_;
    failed_.clear();
    held_ = {};
    newest_ = kAlways;
    for (std::size_t from = 0, to; from < rows_.size(); from = to) {
      to = from + 1;
      while (to < rows_.size() && rows_[to].trackers == rows_[from].trackers) to++;
      if (!run(memory, batch, std::span(rows_).subspan(from, to - from), guard)) return false;
    }
    return true;
  }

  bool run(Scratch &memory, Batch &batch, std::span<const Row> rows, bool guard) {
    EventTable some;
    const bool all = rows[0].trackers == static_cast<std::int16_t>(plan_.trackers().size());
    if (!all) some = plan_.event_table(trackers_below(rows[0].trackers));
    Folder folder(plan_, source_, all ? plan_.events() : some, memory.arena(), GetCurrentStatementStartTimestamp(), batch);
    Homes wanted;
    folder.wanted_arg = &wanted;
    folder.wanted = [](void *arg, const Extracted &) { return *static_cast<Homes *>(arg); };
    if (source_.dedup) folder.ids = &unfolded_;
    const auto take = [&] {
      Extracted e;
      for (const Row &row : rows) {
        CHECK_FOR_INTERRUPTS();
        each_record(memory.arena(), row, [&](const DeferredRecord &r, Datum properties) {
          if (r.kind != Kind::event) return;
          read_event(r, properties, e);
          wanted = open_homes(r);
          folder.take(e);
        });
        forget_identities();
      }
    };
    const MemoryContext kept = memory.context();
    const bool ok = call([&] {
      MemoryContext before = MemoryContextSwitchTo(kept);
      const bool done = !guard || guarded(take);
      if (!guard) take();
      MemoryContextSwitchTo(before);
      return done;
    });
    if (!ok) return false;
    for (const Unusable &u : folder.unusable()) failed_.push_back(u);
    for (const Folder::Held &h : folder.held()) held_.push(memory.arena(), h);
    newest_ = std::max(newest_, folder.newest());
    return true;
  }

  std::vector<TrackerId> trackers_below(std::int16_t end) const {
    std::vector<TrackerId> ids;
    for (const TrackerInfo &t : plan_.infos()) {
      if (t.id < end) ids.push_back(t.id);
    }
    return ids;
  }

  std::int64_t finish(Batch &batch) {
    for (const Unusable &u : failed_) count_unusable(memory_.arena(), unusable_, u.reason, u.events);
    record_unusable(source_.id, unusable_);
    record_held(source_.id, held_);
    if (source_.event_clock) advance_event_clock(newest_);
    MergeOptions o;
    o.as_of = decision_time(plan_, &source_, newest_);
    Micros arrived = o.as_of; // how old events were doesn't depend on when they are folded
    for (const Row &row : rows_) arrived = std::min(arrived, source_.event_clock ? arrived : row.appended_at);
    o.emit_since = arrived - source_.max_event_age;
    merge_batch(plan_, batch, o);
    return static_cast<std::int64_t>(batch.events());
  }

  const Definitions &plan_;
  const SourceInfo &source_;
  std::vector<Row> &rows_;
  Scratch &memory_;
  Ids ids_, unfolded_{source_.dedup_for}; ///< of rows that count by their ids; those not folded yet
  Vec<Unusable> unusable_;
  std::vector<Unusable> failed_; ///< of the last run
  Vec<Folder::Held> held_;
  Micros newest_ = kAlways;
};

// Takes rows out that nobody else has. They lie in the order in which they came, but where a vacuum has made room: after the last that was
// taken, and, when there are few, anywhere.
std::vector<Row> take_rows(Scratch &memory, std::optional<int> source) {
  static std::int64_t from = 0; // a block
  std::vector<Row> rows;
  const Arg which = source ? Arg::of(*source) : Arg::nothing(INT4OID);
  for (;;) {
    const std::int64_t began = from;
    Spi spi;
    const std::uint64_t n = spi.run(
        "DELETE FROM pql.deferred AS d WHERE d.ctid = ANY (ARRAY(SELECT q.ctid FROM pql.deferred AS q"
        " WHERE q.source_id IS NOT DISTINCT FROM $1 AND q.ctid >= pg_catalog.format('(%s,0)', $3)::tid LIMIT $2 FOR UPDATE SKIP LOCKED))"
        " RETURNING (d.ctid::text::point)[0]::bigint, d.appended_at, d.trackers, d.body, d.properties",
        {which, Arg::of(pql_fold_batch - static_cast<int>(rows.size())), Arg::of(from)});
    from = 0;
    for (std::uint64_t i = 0; i < n; i++) {
      Row row{};
      from = std::max(from, spi.number(i, 1));
      row.appended_at = spi.number(i, 2);
      row.trackers = static_cast<std::int16_t>(spi.number(i, 3));
      read_row(spi, i, 4, memory, row);
      rows.push_back(row);
    }
    spi.finish();
    const bool enough = rows.size() >= static_cast<std::size_t>(pql_fold_batch);
    if (!enough) from = 0;
    if (enough || began == 0) return rows;
  }
}

} // namespace

Folded fold_deferred(bool alone) {
  Folded folded;
  lock_identities();
  flush_pending();
  if (!current_definitions()->defers() && !anything_waits()) return folded;
  alone |= left_to_others;
  left_to_others = false;
  if (alone) fold_alone();
  else fold_beside_others();
  const std::shared_ptr<const Definitions> plan = current_definitions();
  if (plan->sources().empty()) return folded;
  std::vector<std::optional<int>> sources{std::nullopt}; // homes to be derived, whatever they are told by, also by sources that defer nothing
  for (const SourceInfo &s : plan->sources()) {
    if (s.deferred) sources.emplace_back(s.id);
  }
  // Homes are locked in their order, source by source: of two who fold each has to be content with one source.
  static std::size_t turn = 0;
  turn++;
  for (std::size_t i = 0; i < sources.size() && (alone || folded.rows == 0); i++) {
    const std::optional<int> id = sources[(turn + i) % sources.size()];
    Scratch memory("pql deferred rows");
    std::vector<Row> rows = take_rows(memory, id);
    if (rows.empty()) continue;
    Feed feed(*plan, id ? *plan->source(*id) : plan->sources().front(), rows, memory);
    feed.look();
    folded.rows += static_cast<std::int64_t>(rows.size());
    if (id) folded.events += feed.fold();
  }
  flush_pending();
  return folded;
}

// ------------------------------------------------------------------------------------------------------------ derivations

namespace {

// Goes through what waits, and writes anew the rows of which some of it is taken out. keep(record) may change a record; without it, it
// goes. Returns how much went.
template <class Keep>
std::int64_t rewrite(std::optional<int> source, Snapshot snapshot, Keep &&keep) {
  struct Change {
    std::string at;
    std::string_view body;
    std::int64_t events;
    std::vector<std::string> properties;
    bool empty;
  };
  Scratch memory("pql deferred rows");
  std::vector<Change> changes;
  std::int64_t gone = 0;
  Spi spi;
  const Arg which = source ? Arg::of(*source) : Arg::nothing(INT4OID);
  const std::uint64_t n = spi.run_at(snapshot, "SELECT ctid::text, body, properties FROM pql.deferred WHERE $1 IS NULL OR source_id = $1", {which});
  for (std::uint64_t i = 0; i < n; i++) {
    Row row{};
    read_row(spi, i, 2, memory, row);
    struct Out {
      DeferredWriter writer;
      Vec<Datum> properties;
      std::int64_t gone = 0;
      bool changed = false;
    } out{DeferredWriter(memory.arena()), {}, 0, false};
    call([&] {
      CHECK_FOR_INTERRUPTS();
      each_record(memory.arena(), row, [&](const DeferredRecord &was, Datum properties) {
        DeferredRecord r = was;
        const bool kept = keep(r);
        out.changed |= !kept || r.own_done != was.own_done || r.workspace_done != was.workspace_done;
        if (!kept) return void(out.gone++);
        out.writer.add(r);
        if (properties) out.properties.push(memory.arena(), properties);
      });
    });
    gone += out.gone;
    if (!out.changed) continue;
    Change c{spi.text(i, 1), out.writer.view(), out.writer.events(), {}, out.writer.empty()};
    for (const Datum json : out.properties) {
      c.properties.emplace_back(call([&] { return static_cast<const char *>(DatumGetCString(DirectFunctionCall1(jsonb_out, json))); }));
    }
    changes.push_back(std::move(c));
  }
  for (const Change &c : changes) {
    if (c.empty) spi.run_at(snapshot, "DELETE FROM pql.deferred WHERE ctid = $1::text::tid", {Arg::of(c.at)}, true);
    else
      spi.run_at(snapshot,
                 "UPDATE pql.deferred SET body = $2, events = $3, properties = CASE WHEN pg_catalog.cardinality($4) > 0 THEN $4::jsonb[] END"
                 " WHERE ctid = $1::text::tid",
                 {Arg::of(c.at), Arg::bytes(c.body), Arg::of(c.events), Arg::of(c.properties)}, true);
  }
  spi.finish();
  return gone;
}

} // namespace

bool settle_deferred(const SourceInfo &source, const std::vector<std::string> *homes, Snapshot snapshot) {
  if (!anything_waits()) return false;
  if (!homes) {
    // What is damaged goes, too: that is how to get rid of it.
    Scratch memory("pql deferred rows");
    Vec<Unusable> unusable; // of which nothing is derived
    Spi spi;
    const std::uint64_t n = spi.run_at(snapshot, "DELETE FROM pql.deferred WHERE source_id = $1 OR source_id IS NULL RETURNING body", {Arg::of(source.id)}, true);
    for (std::uint64_t i = 0; i < n; i++) {
      DeferredReader reader(memory.arena(), spi.bytes(memory.arena(), i, 1));
      for (DeferredRecord r; reader.next(r);) {
        if (r.kind == Kind::unusable) count_unusable(memory.arena(), unusable, r.text, static_cast<std::int64_t>(r.count));
      }
    }
    spi.finish();
    record_unusable(source.id, unusable);
    return n > 0;
  }
  bool settled = false;
  const std::unordered_set<std::string> derived(homes->begin(), homes->end());
  rewrite(source.id, snapshot, [&](DeferredRecord &r) {
    if (r.kind != Kind::event && r.kind != Kind::touched) return true;
    Extracted e;
    read_event(r, 0, e);
    if (e.unusable) return true; // it is counted when it is folded
    r.own_done |= derived.contains(e.home());
    r.workspace_done |= !e.workspace.empty() && derived.contains(e.workspace_home());
    settled |= r.own_done || r.workspace_done;
    return !r.own_done || (!r.workspace_done && !e.workspace.empty());
  });
  return settled;
}

std::vector<std::string> deferred_homes(const Definitions &plan) {
  std::set<std::string> found;
  bool all = false;
  if (anything_waits()) {
    Scratch memory("pql deferred rows");
    Spi spi;
    const std::uint64_t n = spi.run("SELECT body, properties FROM pql.deferred", {}, !snapshot_shown());
    for (std::uint64_t i = 0; i < n; i++) {
      Row row{};
      memory.arena().reset();
      read_row(spi, i, 1, memory, row);
      call([&] {
        each_record(memory.arena(), row, [&](const DeferredRecord &r, Datum) {
          all |= r.kind == Kind::truncated;
          if (r.kind == Kind::home) found.insert(canonical_home(r.text));
          if (r.kind != Kind::event && r.kind != Kind::touched) return;
          Extracted e;
          read_event(r, 0, e);
          if (e.unusable) return;
          if (!r.own_done) found.insert(e.home());
          if (!r.workspace_done && !e.workspace.empty()) found.insert(e.workspace_home());
        });
      });
    }
    spi.finish();
  }
  if (all) {
    for (const std::string &h : all_homes()) found.insert(h);
  }
  return {found.begin(), found.end()};
}

std::int64_t erase_deferred(Unit unit, const std::vector<std::string> &ids) {
  if (!anything_waits()) return 0;
  const std::unordered_set<std::string_view> erased(ids.begin(), ids.end());
  Snapshot now = call([] {
    CommandCounterIncrement();
    return RegisterSnapshot(GetLatestSnapshot());
  });
  const std::int64_t gone = rewrite({}, now, [&](const DeferredRecord &r) {
    if (r.kind == Kind::home) return unit_of_home(r.text) != unit || !erased.contains(home_id(r.text));
    if (r.kind != Kind::event && r.kind != Kind::touched) return true;
    return unit == Unit::user ? !erased.contains(r.user) : !(r.has_account && erased.contains(r.account));
  });
  call([&] { UnregisterSnapshot(now); });
  return gone;
}

} // namespace pql::pg
