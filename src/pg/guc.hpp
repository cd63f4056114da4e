// Settings, in alphabetical order.
#pragma once

namespace pql::pg {

extern "C" {
extern int pql_backfill_batch;   ///< pql.backfill_batch: pages of the events table per transaction of a backfill
extern char *pql_rep;           ///< pql.rep: on whose behalf a session works with routing rows
}

/// Registers the settings. Called once, when the library is loaded.
void define_settings();

} // namespace pql::pg
