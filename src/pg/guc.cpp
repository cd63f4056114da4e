#include "pg/guc.hpp"

#include "pg/pg.hpp"

namespace pql::pg {

extern "C" {
int pql_backfill_batch = 4096;
char *pql_rep = nullptr;
}

void define_settings() {
  DefineCustomIntVariable("pql.backfill_batch", "Pages of the events table that a backfill reads per transaction.",
                          "From 1 to 1000000.", &pql_backfill_batch, 4096, 1, 1000000, PGC_USERSET, 0, nullptr,
                          nullptr, nullptr);
  DefineCustomStringVariable("pql.rep", "The rep on whose behalf a session works with routing rows.",
                             "Empty: whoever a row belongs to. Rep by rep, pql.reps says who may.", &pql_rep, "", PGC_USERSET, 0, nullptr,
                             nullptr, nullptr);
  MarkGUCPrefixReserved("pql");
}

} // namespace pql::pg
