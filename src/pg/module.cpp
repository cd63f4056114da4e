// The module's magic and its start. Nothing else runs when the library is loaded, by a session or, with the background worker, by the server.
#include "pg/guc.hpp"
#include "pg/identity.hpp"
#include "pg/ingest.hpp"
#include "pg/pg.hpp"
#include "pg/shard.hpp"
#include "pg/statement.hpp"
#include "worker/worker.hpp"

extern "C" {
#ifdef PG_MODULE_MAGIC_EXT
PG_MODULE_MAGIC_EXT(.name = "pql", .version = nullptr);
#else
PG_MODULE_MAGIC;
#endif

PGDLLEXPORT void _PG_init(void);
}

void _PG_init(void) {
  pql::pg::define_settings();
  pql::pg::watch_definitions();
  pql::pg::watch_identities();
  pql::pg::watch_transactions();
  pql::pg::watch_statements();
  pql::pg::watch_shards();
  pql::worker::register_launcher();
}
