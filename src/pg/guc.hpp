// Settings, in alphabetical order.
#pragma once

namespace pql::pg {

extern "C" {
extern int pql_backfill_batch;   ///< pql.backfill_batch: pages of the events table per transaction of a backfill
extern int pql_fold_batch;      ///< pql.fold_batch: rows of pql.deferred that are folded per transaction
extern char *pql_rep;           ///< pql.rep: on whose behalf a session works with routing rows
extern int pql_tick_batch;      ///< pql.tick_batch: what a tick does at most of each thing
extern bool pql_worker;         ///< pql.worker: whether the background worker ticks here
extern int pql_worker_interval; ///< pql.worker_interval: milliseconds from tick to tick
extern char *pql_worker_role;   ///< pql.worker_role: who the worker is; empty: the first superuser
extern int pql_worker_timeout;  ///< pql.worker_timeout: milliseconds after which the worker's tick is cancelled; 0: never
}

/// Registers the settings. Called once, when the library is loaded.
void define_settings();

} // namespace pql::pg
