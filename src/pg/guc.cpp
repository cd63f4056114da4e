#include "pg/guc.hpp"

#include "pg/pg.hpp"

namespace pql::pg {

extern "C" {
int pql_backfill_batch = 4096;
}

void define_settings() {
  DefineCustomIntVariable("pql.backfill_batch", "Pages of the events table that a backfill reads per transaction.",
                          "From 1 to 1000000.", &pql_backfill_batch, 4096, 1, 1000000, PGC_USERSET, 0, nullptr,
                          nullptr, nullptr);
  MarkGUCPrefixReserved("pql");
}

} // namespace pql::pg
