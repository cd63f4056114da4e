#include "pg/statement.hpp"

#include "pg/ingest.hpp"

extern "C" {
#include "tcop/utility.h"
}

namespace pql::pg {
namespace {

ExecutorRun_hook_type next_run = nullptr;
ExecutorFinish_hook_type next_finish = nullptr;
ProcessUtility_hook_type next_utility = nullptr;
int depth = 0; // queries under way

void at_end_of_statement() {
  if (depth > 0 || !is_pending()) return;
  enter([] {
    const bool pushed = call([] {
      if (ActiveSnapshotSet()) return false; // a function's last query ends when its portal's snapshot is gone
      PushActiveSnapshot(GetTransactionSnapshot());
      return true;
    });
    flush_pending();
    if (pushed) call([] { PopActiveSnapshot(); });
  });
}

#if PG_VERSION_NUM >= 180000
#define RUN_ARGUMENTS QueryDesc *query, ScanDirection direction, uint64 count
#define RUN_PASSED query, direction, count
#else
#define RUN_ARGUMENTS QueryDesc *query, ScanDirection direction, uint64 count, bool once
#define RUN_PASSED query, direction, count, once
#endif

extern "C" void run_query(RUN_ARGUMENTS) {
  depth++;
  PG_TRY();
  { next_run ? next_run(RUN_PASSED) : standard_ExecutorRun(RUN_PASSED); }
  PG_FINALLY();
  { depth--; }
  PG_END_TRY();
}

extern "C" void finish_query(QueryDesc *query) {
  depth++;
  PG_TRY();
  { next_finish ? next_finish(query) : standard_ExecutorFinish(query); }
  PG_FINALLY();
  { depth--; }
  PG_END_TRY();
  at_end_of_statement();
}

// COPY and TRUNCATE fire triggers without the executor's hooks.
extern "C" void run_utility(PlannedStmt *statement, const char *text, bool read_only, ProcessUtilityContext context,
                            ParamListInfo params, QueryEnvironment *environment, DestReceiver *to, QueryCompletion *done) {
  const bool writes = IsA(statement->utilityStmt, CopyStmt) || IsA(statement->utilityStmt, TruncateStmt);
  if (next_utility) next_utility(statement, text, read_only, context, params, environment, to, done);
  else standard_ProcessUtility(statement, text, read_only, context, params, environment, to, done);
  if (writes) at_end_of_statement();
}

} // namespace

void watch_statements() {
  next_run = ExecutorRun_hook;
  ExecutorRun_hook = run_query;
  next_finish = ExecutorFinish_hook;
  ExecutorFinish_hook = finish_query;
  next_utility = ProcessUtility_hook;
  ProcessUtility_hook = run_utility;
}

} // namespace pql::pg
