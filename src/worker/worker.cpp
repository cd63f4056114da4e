// A worker: connects to its database, ticks until nothing is left to do, or for a few seconds, says how it went, and leaves.
#include "worker/worker.hpp"

#include "pg/guc.hpp"
#include "worker/board.hpp"

extern "C" {
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/timeout.h"

PGDLLEXPORT void pql_worker_main(Datum);
}

namespace pql::worker {
namespace {

using pg::pql_worker, pg::pql_worker_interval, pg::pql_worker_timeout;

constexpr Micros kStay = 3 * kSecond;   ///< DROP DATABASE waits for five; who has more to do comes again at once
constexpr Micros kSoonest = kSecond / 10; ///< until the next tick, if something falls due at once

constexpr const char *kTick = "SELECT * FROM pql.tick()";

// How a tick went.
struct Outcome {
  bool absent = false, failed = false, more = false;
  TimestampTz next_due = kNever;
  char error[kErrorLength] = "";
};

// A connection may end in any way: whoever looks sees nobody at work then.
extern "C" {
static void leave(int, Datum database) {
  lock_board();
  Place *const p = place_of(DatumGetObjectId(database));
  if (p && p->pid == MyProcPid) p->pid = 0;
  unlock_board();
}
}

// What databases and roles may have set for people's sessions.
void settle_session() {
  SetConfigOption("search_path", "pg_catalog", PGC_SUSET, PGC_S_OVERRIDE);
  SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
  SetConfigOption("default_transaction_read_only", "off", PGC_SUSET, PGC_S_OVERRIDE);
  SetConfigOption("default_transaction_deferrable", "off", PGC_SUSET, PGC_S_OVERRIDE);
  SetConfigOption("application_name", "pql worker", PGC_SUSET, PGC_S_OVERRIDE);
}

Datum answer(const char *column, bool &null) {
  const int at = SPI_fnumber(SPI_tuptable->tupdesc, column);
  null = true;
  return SPI_processed == 1 && at > 0 ? SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, at, &null) : Datum{0};
}

void run(const char *sql) {
  SetCurrentStatementStartTimestamp();
  pgstat_report_activity(STATE_RUNNING, sql);
  debug_query_string = sql;
  if (SPI_execute(sql, false, 0) != SPI_OK_SELECT) elog(ERROR, "could not execute \"%s\"", sql);
}

// Owns nothing with a destructor.
void tick(Outcome &o) {
  SetCurrentStatementStartTimestamp();
  StartTransactionCommand();
  if (get_extension_oid("pql", true) == InvalidOid) {
    o.absent = true;
    CommitTransactionCommand();
    return;
  }
  if (pql_worker_timeout > 0) enable_timeout_after(STATEMENT_TIMEOUT, pql_worker_timeout);
  SPI_connect();
  PushActiveSnapshot(GetTransactionSnapshot());
  bool null;
  run(kTick);
  const Datum more = answer("more_due", null);
  o.more = !null && DatumGetBool(more);
  run("SELECT pql._next_due() AS next_due");
  const Datum due = answer("next_due", null);
  if (!null) o.next_due = DatumGetTimestampTz(due);
  PopActiveSnapshot();
  SPI_finish();
  disable_timeout(STATEMENT_TIMEOUT, false);
  CommitTransactionCommand();
}

void recover() {
  disable_all_timeouts(false);
  QueryCancelPending = false;
  AbortCurrentTransaction();
}

void say(const ErrorData *e, const char *database) {
  ereport(WARNING, (errcode(e->sqlerrcode), errmsg("pql: the background worker's tick failed in database \"%s\": %s", database, e->message),
                    e->detail ? errdetail_internal("%s", e->detail) : 0,
                    errhint("It is tried again, later each time. The same error isn't told for an hour; view pql.worker has the last one."),
                    e->context ? errcontext_msg("%s", e->context) : 0));
}

// A tick that fails has changed nothing; an end of the process passes by.
Outcome tried() {
  using pg::call;
  Outcome o;
  ErrorData *error = nullptr;
  pg::error_home = TopMemoryContext;
  try {
    call([&] { tick(o); });
  } catch (const pg::PgError &e) {
    error = e.data();
  }
  if (error) {
    o.failed = true;
    strlcpy(o.error, error->message ? error->message : "", kErrorLength);
    call([&] {
      recover();
      lock_board();
      Place *const p = place_of(MyDatabaseId);
      const bool tell = p && note_failure(*p, o.error, GetCurrentTimestamp(), pql_worker_interval * INT64CONST(1000));
      unlock_board();
      if (tell) {
        StartTransactionCommand();
        say(error, get_database_name(MyDatabaseId));
        CommitTransactionCommand();
      }
      FreeErrorData(error);
    });
  }
  call([] { pgstat_report_activity(STATE_IDLE, nullptr); });
  return o;
}

void report(const Outcome &o, TimestampTz began) {
  const TimestampTz now = GetCurrentTimestamp();
  const Micros interval = pql_worker_interval * INT64CONST(1000);
  lock_board();
  Place *const p = place_of(MyDatabaseId);
  if (p) p->reported = true;
  if (p && !o.failed) {
    p->failures = 0;
    p->next_at = o.more ? now : std::min(began + interval, std::max(o.next_due, now + kSoonest));
    if (!o.absent) {
      p->ticks++;
      p->ticked_at = began;
      p->duration = now - began;
    }
  }
  unlock_board();
}

// Takes the place; false if it isn't wanted any more.
bool begin(Oid database, Oid &role) {
  lock_board();
  Place *const p = place_of(database);
  if (p) {
    p->pid = MyProcPid;
    role = p->role;
  }
  unlock_board();
  if (p) before_shmem_exit(leave, ObjectIdGetDatum(database));
  return p;
}

// Its settings have changed since the scout looked.
bool is_unwanted() {
  if (pql_worker) return false;
  lock_board();
  if (Place *const p = place_of(MyDatabaseId)) {
    p->wanted = false;
    p->reported = true;
  }
  unlock_board();
  return true;
}

void work(Oid database) {
  pg::call([] {
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
  });
  Oid role = InvalidOid;
  if (!pg::call([&] { return begin(database, role); })) return;
  pg::call([&] {
    BackgroundWorkerInitializeConnectionByOid(database, role, 0);
    settle_session();
  });
  if (pg::call([] { return is_unwanted(); })) return;
  const TimestampTz came = GetCurrentTimestamp();
  for (Outcome o; GetCurrentTimestamp() < came + kStay;) {
    const TimestampTz began = GetCurrentTimestamp();
    o = tried();
    pg::call([&] { report(o, began); });
    if (!o.more || o.failed) return;
    pg::call([] {
      CHECK_FOR_INTERRUPTS();
      if (!ConfigReloadPending) return;
      ConfigReloadPending = false;
      ProcessConfigFile(PGC_SIGHUP);
    });
  }
}

} // namespace
} // namespace pql::worker

void pql_worker_main(Datum database) {
  pql::pg::enter([&] { pql::worker::work(DatumGetObjectId(database)); });
}
