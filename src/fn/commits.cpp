// pql._require_commits: procedures that commit per batch say so before they begin, and not when they first try.
#include "pg/boundary.hpp"

extern "C" {
#include "executor/spi.h"
}

PQL_FUNCTION(_require_commits) {
  return pql::pg::call([&]() -> Datum {
    if (!SPI_inside_nonatomic_context())
      ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                      errmsg("procedure pql.%s commits after each batch, which it can't do here", text_to_cstring(PG_GETARG_TEXT_PP(0))),
                      errhint("CALL it by itself: not in a transaction block, a function, or a block with EXCEPTION.")));
    return Datum{0};
  });
}
