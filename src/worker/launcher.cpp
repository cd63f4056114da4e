// The launcher is connected to no database: what databases want is in a catalog that can't be read so, and a scout reads it, which is
// there for a moment. Nothing here owns anything with a destructor, so PostgreSQL's errors may jump over it; they end the process,
// and the postmaster starts it again.
#include "pg/guc.hpp"
#include "worker/board.hpp"
#include "worker/worker.hpp"

extern "C" {
#include "access/tableam.h"
#include "catalog/pg_database.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/procsignal.h"
#include "tcop/tcopprot.h"

PGDLLEXPORT void pql_launcher_main(Datum);
PGDLLEXPORT void pql_scout_main(Datum);
}

namespace pql::worker {
namespace {

using pg::pql_worker, pg::pql_worker_role;

constexpr Micros kLook = 5 * kMinute;    ///< how often databases are asked whether they want a worker, without a reload
constexpr Micros kEarlyEnd = 5 * kSecond; ///< until another try, where a worker couldn't even begin
constexpr int kRestart = 10;             ///< seconds until the postmaster starts a launcher that failed

// A process that was started and hasn't ended, as far as is known.
struct Started {
  Oid database; ///< InvalidOid: the scout
  BackgroundWorkerHandle *handle;
};

struct Launcher {
  Started started[kPlaces + 1];
  int n;
  TimestampTz look_at;
  bool no_room_told;
};

void describe(BackgroundWorker &w, const char *main, const char *name, const char *type) {
  std::memset(&w, 0, sizeof w);
  w.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  w.bgw_start_time = BgWorkerStart_RecoveryFinished;
  w.bgw_restart_time = BGW_NEVER_RESTART;
  strlcpy(w.bgw_library_name, "pql", sizeof w.bgw_library_name);
  strlcpy(w.bgw_function_name, main, sizeof w.bgw_function_name);
  strlcpy(w.bgw_name, name, sizeof w.bgw_name);
  strlcpy(w.bgw_type, type, sizeof w.bgw_type);
}

bool is_started(const Launcher &l, Oid database) {
  for (int i = 0; i < l.n; i++) {
    if (l.started[i].database == database) return true;
  }
  return false;
}

// False when the server has no place for another process; that is told once.
bool start(Launcher &l, Oid database, Oid to_connect) {
  if (l.n == kPlaces + 1) return false;
  BackgroundWorker w;
  describe(w, database == InvalidOid ? "pql_scout_main" : "pql_worker_main", database == InvalidOid ? "pql scout" : "pql worker",
           database == InvalidOid ? "pql scout" : "pql worker");
  w.bgw_main_arg = ObjectIdGetDatum(to_connect);
  w.bgw_notify_pid = MyProcPid;
  MemoryContext const before = MemoryContextSwitchTo(TopMemoryContext); // for the handle
  BackgroundWorkerHandle *handle;
  const bool there = RegisterDynamicBackgroundWorker(&w, &handle);
  MemoryContextSwitchTo(before);
  if (there) {
    l.started[l.n++] = {database, handle};
    l.no_room_told = false;
  } else if (!l.no_room_told) {
    l.no_room_told = true;
    ereport(WARNING, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED), errmsg("pql: no place for a background worker"),
                      errdetail("It is tried again."), errhint("Raise max_worker_processes.")));
  }
  return there;
}

// Forgets who has ended; who ended without a word failed. Ends who isn't wanted any more.
void reap(Launcher &l, TimestampTz now) {
  for (int i = l.n - 1; i >= 0; i--) {
    const Started s = l.started[i];
    pid_t pid;
    const bool ended = GetBackgroundWorkerPid(s.handle, &pid) == BGWH_STOPPED;
    lock_board();
    Place *const p = s.database == InvalidOid ? nullptr : place_of(s.database);
    const bool unwanted = s.database != InvalidOid && (!p || !p->wanted);
    if (ended && p && !p->reported && p->wanted) note_failure(*p, "the worker ended before its time; the server's log may say why", now, kEarlyEnd);
    unlock_board();
    if (ended) {
      pfree(s.handle);
      l.started[i] = l.started[--l.n];
    } else if (unwanted) {
      TerminateBackgroundWorker(s.handle);
    }
  }
}

// Which places' databases are there and may be connected to; and one for the scout: postgres, if it can be.
Oid look_at_databases(bool (&there)[kPlaces]) {
  Oid scout = InvalidOid;
  std::memset(there, 0, sizeof there);
  StartTransactionCommand();
  (void)GetTransactionSnapshot();
  Relation databases = table_open(DatabaseRelationId, AccessShareLock);
  TableScanDesc scan = table_beginscan_catalog(databases, 0, nullptr);
  while (HeapTuple t = heap_getnext(scan, ForwardScanDirection)) {
    auto *d = reinterpret_cast<Form_pg_database>(GETSTRUCT(t));
    if (!d->datallowconn || d->datconnlimit < -1) continue; // the latter: half dropped
    if (scout == InvalidOid || std::strcmp(NameStr(d->datname), "postgres") == 0) scout = d->oid;
    for (int i = 0; i < kPlaces; i++) {
      if (board()->places[i].database == d->oid) there[i] = true; // nobody but the scout, who isn't there, gives places away
    }
  }
  table_endscan(scan);
  table_close(databases, AccessShareLock);
  CommitTransactionCommand();
  return scout;
}

// Starts what is due; returns when the next thing will be.
TimestampTz start_due(Launcher &l, TimestampTz now) {
  TimestampTz next = l.look_at;
  Oid due[kPlaces];
  int at[kPlaces], n = 0;
  lock_board(true);
  for (int i = 0; i < kPlaces; i++) {
    const Place &p = board()->places[i];
    if (p.database == InvalidOid || !p.wanted || p.lacks_role || is_started(l, p.database)) continue;
    if (p.next_at > now || p.pid != 0) {
      next = std::min(next, p.pid != 0 ? now + kSecond : p.next_at); // there still: another launcher's
      continue;
    }
    at[n] = i;
    due[n++] = p.database;
  }
  unlock_board();
  const bool look = now >= l.look_at;
  if (n == 0 && !look) return next;
  bool there[kPlaces];
  const Oid scout = look_at_databases(there);
  if (look) {
    l.look_at = now + kLook;
    next = std::min(next > now ? next : l.look_at, l.look_at);
    if (scout != InvalidOid && !is_started(l, InvalidOid)) start(l, InvalidOid, scout);
  }
  for (int i = 0; i < n; i++) {
    lock_board();
    Place *const p = place_of(due[i]);
    if (p && !there[at[i]]) p->wanted = false; // gone; the scout will free the place
    else if (p) p->reported = false;
    unlock_board();
    if (!p || !there[at[i]] || start(l, due[i], due[i])) continue;
    lock_board();
    if (Place *const again = place_of(due[i])) again->next_at = now + kEarlyEnd;
    unlock_board();
    next = std::min(next, now + kEarlyEnd);
  }
  return next;
}

// What the server's own settings say; whoever failed is tried again, since the mend may have been in them.
void read_settings(Launcher &l, TimestampTz now) {
  lock_board();
  board()->everywhere = pql_worker;
  strlcpy(board()->role_everywhere, pql_worker_role, NAMEDATALEN);
  for (Place &p : board()->places) p.next_at = std::min(p.next_at, now);
  unlock_board();
  l.look_at = now;
}

void launch() {
  static Launcher l; // too large for a stack, zero to begin with
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  pqsignal(SIGTERM, die);
  BackgroundWorkerUnblockSignals();
  BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
  read_settings(l, GetCurrentTimestamp());
  for (;;) {
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
    if (ConfigReloadPending) {
      ConfigReloadPending = false;
      ProcessConfigFile(PGC_SIGHUP);
      read_settings(l, GetCurrentTimestamp());
    }
    const TimestampTz now = GetCurrentTimestamp();
    reap(l, now);
    const TimestampTz next = start_due(l, now);
    const Micros rest = std::clamp<Micros>(next - GetCurrentTimestamp(), 0, kLook);
    pgstat_report_activity(STATE_IDLE, nullptr);
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, static_cast<long>((rest + 999) / 1000), PG_WAIT_EXTENSION);
  }
}

// Whose settings ask for a worker, in the order in which databases were made.
constexpr const char *kWhoWants =
    "SELECT d.oid, r.oid, d.role FROM (SELECT d.oid, d.datistemplate,"
    " (SELECT split_part(c, '=', 2) FROM unnest(s.setconfig) AS c WHERE starts_with(lower(c), 'pql.worker='))::boolean AS wants,"
    " coalesce((SELECT substr(c, 17) FROM unnest(s.setconfig) AS c WHERE starts_with(lower(c), 'pql.worker_role=')), $2) AS role"
    " FROM pg_database AS d LEFT JOIN pg_db_role_setting AS s ON s.setdatabase = d.oid AND s.setrole = 0"
    " WHERE d.datallowconn AND d.datconnlimit >= -1) AS d LEFT JOIN pg_roles AS r ON r.rolname = d.role"
    " WHERE coalesce(d.wants, $1 AND NOT d.datistemplate) ORDER BY d.oid";

// A database that wants a worker.
struct Wish {
  Oid database, role;
  char role_name[NAMEDATALEN];
  bool lacks_role() const noexcept { return *role_name && role == InvalidOid; }
};

// Of one more than there are places for, so that it can be told.
int read_wishes(Wish (&wishes)[kPlaces + 1]) {
  Oid types[] = {BOOLOID, TEXTOID};
  Datum server[] = {BoolGetDatum(board()->everywhere), CStringGetTextDatum(board()->role_everywhere)};
  if (SPI_execute_with_args(kWhoWants, 2, types, server, nullptr, true, kPlaces + 1) != SPI_OK_SELECT)
    elog(ERROR, "could not read who wants a background worker");
  const int n = static_cast<int>(SPI_processed);
  for (int i = 0; i < n; i++) {
    const HeapTuple t = SPI_tuptable->vals[i];
    bool null;
    wishes[i].database = DatumGetObjectId(SPI_getbinval(t, SPI_tuptable->tupdesc, 1, &null));
    wishes[i].role = DatumGetObjectId(SPI_getbinval(t, SPI_tuptable->tupdesc, 2, &null));
    if (null) wishes[i].role = InvalidOid;
    strlcpy(wishes[i].role_name, SPI_getvalue(t, SPI_tuptable->tupdesc, 3), NAMEDATALEN);
  }
  return n;
}

void tell_of_role(const char *error, Oid database) {
  ereport(WARNING, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("pql: no background worker for database %u: %s", database, error),
                    errhint("Setting pql.worker_role names it.")));
}

// A place for each of those who want a worker; who doesn't any more loses it. Returns how many there was none for.
int give_places(const Wish *wishes, int n) {
  int without = 0;
  for (Place &p : board()->places) p.wanted = false;
  for (int i = 0; i < n; i++) {
    if (Place *const p = place_of(wishes[i].database)) p->wanted = true;
  }
  for (Place &p : board()->places) {
    if (!p.wanted && p.pid == 0) p.database = InvalidOid;
  }
  for (int i = 0; i < n; i++) {
    Place *p = place_of(wishes[i].database);
    if (!p && (p = place_of(InvalidOid))) {
      std::memset(static_cast<void *>(p), 0, sizeof *p);
      p->database = wishes[i].database;
    }
    if (!p) {
      without++;
      continue;
    }
    p->wanted = true;
    p->role = wishes[i].role;
    p->lacks_role = wishes[i].lacks_role();
  }
  return without;
}

void scout(Oid database) {
  static Wish wishes[kPlaces + 1];
  pqsignal(SIGTERM, die);
  BackgroundWorkerUnblockSignals();
  BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
  SetConfigOption("search_path", "pg_catalog", PGC_SUSET, PGC_S_OVERRIDE);
  StartTransactionCommand();
  SPI_connect();
  PushActiveSnapshot(GetTransactionSnapshot());
  const int n = read_wishes(wishes);
  PopActiveSnapshot();
  SPI_finish();
  CommitTransactionCommand();
  lock_board();
  const bool full = give_places(wishes, n) > 0, news = full && !board()->full;
  board()->full = full;
  unlock_board();
  if (news) elog(WARNING, "pql: more than %d databases want a background worker", kPlaces);
  for (int i = 0; i < n; i++) {
    if (!wishes[i].lacks_role()) continue;
    char error[kErrorLength];
    pg_snprintf(error, sizeof error, "role \"%s\" does not exist", wishes[i].role_name);
    lock_board();
    Place *const p = place_of(wishes[i].database);
    const bool tell = p && note_failure(*p, error, GetCurrentTimestamp(), kEarlyEnd);
    unlock_board();
    if (tell) tell_of_role(error, wishes[i].database);
  }
}

} // namespace

void register_launcher() {
  if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade) return;
  reserve_board();
  BackgroundWorker w;
  describe(w, "pql_launcher_main", "pql launcher", "pql launcher");
  w.bgw_restart_time = kRestart;
  RegisterBackgroundWorker(&w);
}

} // namespace pql::worker

void pql_launcher_main(Datum) {
  pql::pg::enter([] { pql::worker::launch(); });
}

void pql_scout_main(Datum database) {
  pql::pg::enter([&] { pql::worker::scout(DatumGetObjectId(database)); });
}
