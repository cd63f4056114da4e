#include "pg/guc.hpp"

#include "pg/pg.hpp"

namespace pql::pg {

extern "C" {
int pql_backfill_batch = 4096;
int pql_fold_batch = 1000;
char *pql_rep = nullptr;
int pql_tick_batch = 10000;
bool pql_worker = false;
int pql_worker_interval = 60000;
char *pql_worker_role = nullptr;
int pql_worker_timeout = 300000;
}

void define_settings() {
  DefineCustomIntVariable("pql.backfill_batch", "Pages of the events table that a backfill reads per transaction.",
                          "From 1 to 1000000.", &pql_backfill_batch, 4096, 1, 1000000, PGC_USERSET, 0, nullptr,
                          nullptr, nullptr);
  DefineCustomIntVariable("pql.fold_batch", "Rows of pql.deferred that are folded per transaction.",
                          "From 1 to 100000. Each is a statement's, or a part of a large one's.", &pql_fold_batch, 1000, 1, 100000, PGC_USERSET, 0,
                          nullptr, nullptr, nullptr);
  DefineCustomStringVariable("pql.rep", "The rep on whose behalf a session works with routing rows.",
                             "Empty: whoever a row belongs to. Rep by rep, pql.reps says who may.", &pql_rep, "", PGC_USERSET, 0, nullptr,
                             nullptr, nullptr);
  DefineCustomIntVariable("pql.tick_batch", "Of each thing that falls due, how many one call of pql.tick() deals with.",
                          "From 1 to 1000000. It says whether more is due.", &pql_tick_batch, 10000, 1, 1000000, PGC_USERSET, 0, nullptr,
                          nullptr, nullptr);
  DefineCustomBoolVariable("pql.worker", "Whether the background worker calls pql.tick().",
                           "Set it for a database; the server must preload pql.", &pql_worker, false, PGC_SUSET, 0, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("pql.worker_interval", "How often the background worker calls pql.tick().",
                          "It also does when something falls due before.", &pql_worker_interval, 60000, 100, 86400000, PGC_SUSET, GUC_UNIT_MS,
                          nullptr, nullptr, nullptr);
  DefineCustomStringVariable("pql.worker_role", "The role as which the background worker calls pql.tick().",
                             "Empty: the cluster's first superuser.", &pql_worker_role, "", PGC_SUSET, 0, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("pql.worker_timeout", "After how long a call of pql.tick() by the background worker is cancelled.", "Zero: never.",
                          &pql_worker_timeout, 300000, 0, 86400000, PGC_SUSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
  MarkGUCPrefixReserved("pql");
}

} // namespace pql::pg
