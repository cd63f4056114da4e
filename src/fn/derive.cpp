// Backfill, rebuild, and what time alone brings.
#include "pg/derive.hpp"
#include "pg/guc.hpp"
#include "pg/identity.hpp"
#include "pg/review.hpp"
#include "pg/read.hpp"
#include "pg/srf.hpp"

extern "C" {
#include "catalog/pg_inherits.h"
}

PQL_FUNCTION(_backfill_step) {
  using namespace pql::pg;
  lock_identities();
  flush_pending();
  return BoolGetDatum(backfill_step(PG_GETARG_INT32(0)));
}

PQL_FUNCTION(_rebuild) {
  using namespace pql::pg;
  require_readable(*current_definitions());
  mark_all_dirty();
  flush_pending();
  return Datum{0};
}

// The transactions that had not ended, with their subtransactions: what a pg_snapshot alone does not list.
PQL_FUNCTION(_boundary) {
  using namespace pql;
  using namespace pql::pg;
  struct Ids {
    std::uint64_t next;
    TransactionId xmin, xmax;
    TransactionId *running;
    int count;
    bool overflowed;
  };
  const Ids ids = call([]() -> Ids {
    Snapshot s = RegisterSnapshot(GetLatestSnapshot());
    Ids r{U64FromFullTransactionId(ReadNextFullTransactionId()), s->xmin, s->xmax, nullptr, 0, s->suboverflowed};
    const int subs = s->suboverflowed ? 0 : s->subxcnt; // a copy of an overflowed snapshot counts them, and has none
    const auto own = static_cast<int>(1 + s->xcnt) + subs;
    r.running = static_cast<TransactionId *>(palloc(sizeof(TransactionId) * static_cast<std::size_t>(own)));
    for (std::uint32_t i = 0; i < s->xcnt; i++) r.running[r.count++] = s->xip[i];
    for (int i = 0; i < subs; i++) r.running[r.count++] = s->subxip[i];
    UnregisterSnapshot(s);
    return r;
  });
  if (ids.overflowed)
    fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "too many subtransactions are in progress to draw a boundary", {},
         "Try again when the transactions that hold many savepoints have ended.");
  const auto full = [&](TransactionId xid) {
    std::uint64_t f = (ids.next & ~std::uint64_t{0xffffffff}) | xid;
    return f > ids.next ? f - (std::uint64_t{1} << 32) : f;
  };
  std::vector<std::uint64_t> running;
  const std::uint64_t xmax = full(ids.xmax);
  for (int i = 0; i < ids.count; i++) {
    const std::uint64_t f = full(ids.running[i]);
    if (f < xmax) running.push_back(f); // subtransactions are listed that began after any that has ended
  }
  const TransactionId mine = call([] { return GetTopTransactionIdIfAny(); });
  if (TransactionIdIsValid(mine) && full(mine) < xmax) running.push_back(full(mine));
  std::sort(running.begin(), running.end());
  running.erase(std::unique(running.begin(), running.end()), running.end());
  const std::uint64_t xmin = running.empty() ? xmax : std::min(running.front(), full(ids.xmin));
  std::string out = std::to_string(xmin) + ":" + std::to_string(xmax) + ":";
  for (std::size_t i = 0; i < running.size(); i++) out += (i ? "," : "") + std::to_string(running[i]);
  return call([&] { return PointerGetDatum(cstring_to_text(out.c_str())); });
}

// Folds one asserted milestone into its user's own home. Arguments: user, tracker, time, evidence.
PQL_FUNCTION(_assert_milestone) {
  using namespace pql;
  using namespace pql::pg;
  lock_identities();
  const std::shared_ptr<const Definitions> plan = current_definitions();
  const std::string user = canonical_id(Unit::user, text_arg(fcinfo, 0));
  Scratch scratch("pql milestone");
  Batch batch(scratch.arena(), plan->trackers());
  HomeDelta &h = batch.home(Unit::user, user);
  h.newest = PG_GETARG_TIMESTAMPTZ(2);
  h.home.owner.fold_milestone(scratch.arena(), static_cast<TrackerId>(PG_GETARG_INT16(1)), h.newest,
                              PG_ARGISNULL(3) ? std::string_view{} : EventId::of_text(text_arg(fcinfo, 3)).view());
  MergeOptions o;
  o.as_of = reading_time(*plan);
  merge_batch(*plan, batch, o);
  return Datum{0};
}

// Folds held events that are due. Returns how many.
PQL_FUNCTION(_release_held) {
  using namespace pql;
  using namespace pql::pg;
  lock_identities();
  flush_pending();
  return Int64GetDatum(release_held(PG_GETARG_TIMESTAMPTZ(0), pql_tick_batch));
}

// Looks again at open episodes whose time to leave has come, and at who has cooled down. Returns how many there were.
PQL_FUNCTION(_leave_due) {
  using namespace pql;
  using namespace pql::pg;
  lock_identities();
  flush_pending();
  return Int64GetDatum(review_due(*current_definitions(), PG_GETARG_TIMESTAMPTZ(0), pql_tick_batch));
}

// Looks again at whom time alone takes in or out. Returns how many there were.
PQL_FUNCTION(_review_rising) {
  using namespace pql;
  using namespace pql::pg;
  lock_identities();
  flush_pending();
  return Int64GetDatum(review_rising(*current_definitions(), PG_GETARG_TIMESTAMPTZ(0), pql_tick_batch));
}

// Seals a source. Arguments: source, instant.
PQL_FUNCTION(_seal) {
  using namespace pql;
  using namespace pql::pg;
  lock_identities();
  flush_pending();
  const std::shared_ptr<const Definitions> plan = current_definitions();
  const SourceInfo *source = plan->source(PG_GETARG_INT32(0));
  if (!source) fail(ERRCODE_UNDEFINED_OBJECT, "the source does not exist");
  return Int64GetDatum(seal(*plan, *source, PG_GETARG_TIMESTAMPTZ(1)));
}

// What "now" means to readers.
PQL_FUNCTION(_now) {
  using namespace pql::pg;
  return TimestampTzGetDatum(reading_time(*current_definitions()));
}

// Whether this transaction may have written to a table: a writer holds its lock until the end.
PQL_FUNCTION(_wrote) {
  using namespace pql::pg;
  return call([&] {
    Relation rel = table_open(PG_GETARG_OID(0), AccessShareLock);
    const bool wrote = CheckRelationLockedByMe(rel, RowExclusiveLock, false);
    table_close(rel, NoLock);
    return BoolGetDatum(wrote);
  });
}

// Waits as CREATE INDEX CONCURRENTLY does: for transactions rather than in the queue of the table's lock.
PQL_FUNCTION(_wait_for_writers) {
  using namespace pql::pg;
  call([&] {
    List *tables = find_all_inheritors(PG_GETARG_OID(0), AccessShareLock, nullptr), *tags = NIL;
    for (int i = 0; i < list_length(tables); i++) {
      auto *tag = static_cast<LOCKTAG *>(palloc(sizeof(LOCKTAG)));
      SET_LOCKTAG_RELATION(*tag, MyDatabaseId, list_nth_oid(tables, i));
      tags = lappend(tags, tag);
    }
    WaitForLockersMultiple(tags, ShareRowExclusiveLock, false);
  });
  return Datum{0};
}

// Begins episodes anew, as those of a live program, of subjects that are in one of its shadow.
PQL_FUNCTION(_emit_standing) {
  using namespace pql::pg;
  const std::shared_ptr<const Definitions> plan = current_definitions();
  emit_standing(*plan, program_named(*plan, text_arg(fcinfo, 0)), text_array_arg(fcinfo, 1), text_array_arg(fcinfo, 2));
  return Datum{0};
}

// Opens shadow episodes of a program for whoever is above its threshold already.
PQL_FUNCTION(_open_standing) {
  using namespace pql::pg;
  lock_identities();
  flush_pending();
  const std::shared_ptr<const Definitions> plan = current_definitions();
  open_standing(*plan, program_named(*plan, text_arg(fcinfo, 0)));
  return Datum{0};
}
