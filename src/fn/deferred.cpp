// Folding what writers of deferred sources left.
#include "core/state/deferred.hpp"
#include "pg/deferred.hpp"

#include "pg/identity.hpp"
#include "pg/spi.hpp"
#include "pg/srf.hpp"

// Folds some rows of pql.deferred. Returns how many, and how many events they had.
PQL_FUNCTION(_fold) {
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  const Folded folded = fold_deferred(PG_GETARG_BOOL(0));
  rows.add({Cell::of(folded.rows), Cell::of(folded.events)});
  return Datum{0};
}

// From here on nobody else folds until the transaction ends.
PQL_FUNCTION(_fold_alone) {
  using namespace pql::pg;
  lock_identities();
  fold_alone();
  return Datum{0};
}

// The homes that what waits to be folded is about, as of the query that asks.
PQL_FUNCTION(_deferred_homes) {
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  refresh_identities();
  const AsOfActiveSnapshot one;
  std::int64_t place = 0;
  for (const std::string &home : deferred_homes(*current_definitions())) rows.add({Cell::of(++place), Cell::of(home)});
  return Datum{0};
}

// Takes out what names a user or an account. Arguments: unit, ids. Returns how much that was.
PQL_FUNCTION(_erase_deferred) {
  using namespace pql::pg;
  std::vector<std::string> ids;
  for (std::string_view id : text_array_arg(fcinfo, 1)) ids.emplace_back(id);
  return Int64GetDatum(erase_deferred(unit_named(text_arg(fcinfo, 0)), ids));
}
