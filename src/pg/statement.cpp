#include "pg/statement.hpp"

#include "pg/compat.hpp"
#include "pg/ingest.hpp"
#include "pg/people.hpp"
#include "pg/shard.hpp"

extern "C" {
#include "optimizer/planner.h"
#include "catalog/pg_trigger.h"
#include "nodes/plannodes.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/portal.h"
}

namespace pql::pg {
namespace {

ExecutorRun_hook_type next_run = nullptr;
ExecutorFinish_hook_type next_finish = nullptr;
ProcessUtility_hook_type next_utility = nullptr;
planner_hook_type next_planner = nullptr;
int depth = 0; // queries under way
bool unseen = false; // the statement in which the library was loaded is: its end passes our hooks by

// Whether nothing comes after a statement but its commit: then people are decided upon once.
bool commit_follows() {
  if (IsTransactionBlock() || GetCurrentTransactionNestLevel() > 1 || MyXactFlags & XACT_FLAGS_PIPELINING) return false;
  const Portal p = ActivePortal;
  return p && p->commandTag != CMDTAG_CALL && p->commandTag != CMDTAG_DO && list_length(p->stmts) == 1;
}

void at_end_of_statement() {
  if (depth > 0 || unseen || !(is_pending() || people_noted() || within_shard())) return;
  enter([] {
    const bool pushed = call([] {
      if (ActiveSnapshotSet()) return false; // a function's last query ends when its portal's snapshot is gone
      PushActiveSnapshot(GetTransactionSnapshot());
      return true;
    });
    if (within_shard()) {
      const Undisturbed whole; // its own queries end within the shard
      leave_shard();
    } else {
      flush_pending();
    }
    if (!call([] { return commit_follows(); })) foresee_people();
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
  if (depth == 0) plan_afresh();
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

// What an unseen statement left is done before the next one takes its snapshot.
extern "C" PlannedStmt *plan_query(Query *query, const char *text, int options, ParamListInfo params) {
  at_end_of_statement();
  set_relations(query);
  return next_planner ? next_planner(query, text, options, params) : standard_planner(query, text, options, params);
}

// COPY and TRUNCATE fire triggers without the executor's hooks.
extern "C" void run_utility(PlannedStmt *statement, const char *text, bool read_only, ProcessUtilityContext context,
                            ParamListInfo params, QueryEnvironment *environment, DestReceiver *to, QueryCompletion *done) {
  if (depth == 0) plan_afresh();
  const bool writes = IsA(statement->utilityStmt, CopyStmt) || IsA(statement->utilityStmt, TruncateStmt);
  if (next_utility) next_utility(statement, text, read_only, context, params, environment, to, done);
  else standard_ProcessUtility(statement, text, read_only, context, params, environment, to, done);
  if (writes) at_end_of_statement();
}

extern "C" void statement_gone(void *) { unseen = false; }

// A query has a portal of its own. DO and CALL have one, too, but no trigger still to come.
void watch_unseen_statement() {
  if (!ActivePortal || ActivePortal->commandTag == CMDTAG_DO || ActivePortal->commandTag == CMDTAG_CALL) return;
  auto *callback = static_cast<MemoryContextCallback *>(MemoryContextAlloc(ActivePortal->portalContext, sizeof(MemoryContextCallback)));
  callback->func = statement_gone;
  callback->arg = nullptr;
  MemoryContextRegisterResetCallback(ActivePortal->portalContext, callback);
  unseen = true;
}

} // namespace

namespace {

// The extended protocol ends a transaction with Sync, which clients send along with Execute unless more is to follow.
bool sync_follows() {
  if (MyXactFlags & XACT_FLAGS_PIPELINING || whereToSendOutput != DestRemote || !client_sent_more()) return false;
  pq_startmsgread();
  const int next = pq_peekbyte();
  pq_endmsgread();
  return next == 'S';
}

bool writes_only_here(Portal portal) {
  if (list_length(portal->stmts) != 1) return false; // a rule added some
  const auto *const s = linitial_node(PlannedStmt, portal->stmts);
  return !s->hasModifyingCTE && (portal->commandTag == CMDTAG_INSERT || portal->commandTag == CMDTAG_COPY);
}

// Foreign keys only look.
bool another_follows(const TriggerData *t) {
  const TriggerDesc *const all = t->tg_relation->trigdesc;
  for (int i = 0; i < all->numtriggers; i++) {
    const Trigger &x = all->triggers[i];
    if (!TRIGGER_FOR_INSERT(x.tgtype) || !TRIGGER_FOR_AFTER(x.tgtype) || x.tgenabled == TRIGGER_DISABLED || x.tgisinternal) continue;
    if (TRIGGER_FOR_ROW(x.tgtype) ? x.tgdeferrable : std::strcmp(x.tgname, t->tg_trigger->tgname) > 0) return true;
  }
  return false;
}

} // namespace

Undisturbed::Undisturbed() noexcept { depth++; }
Undisturbed::~Undisturbed() { depth--; }

bool is_last_of_transaction(const TriggerData *t) {
  if (depth > 1 || unseen || is_pending() || IsTransactionBlock() || GetCurrentTransactionNestLevel() > 1) return false;
  const Portal portal = ActivePortal;
  if (!portal || !writes_only_here(portal) || another_follows(t)) return false;
  return !portal->visible || sync_follows(); // the simple protocol's portal is not visible
}

void watch_statements() {
  next_run = ExecutorRun_hook;
  ExecutorRun_hook = run_query;
  next_finish = ExecutorFinish_hook;
  ExecutorFinish_hook = finish_query;
  next_utility = ProcessUtility_hook;
  ProcessUtility_hook = run_utility;
  next_planner = planner_hook;
  planner_hook = plan_query;
  watch_unseen_statement();
}

} // namespace pql::pg
