// pql._assign_pending, pql._delay_contacts, what checks the configuration of reps, and whose work a row is.
#include "core/route/timing.hpp"
#include "pg/assign.hpp"
#include "pg/calendar.hpp"
#include "pg/srf.hpp"
#include "pg/timing.hpp"

PQL_FUNCTION(_assign_pending) {
  using namespace pql::pg;
  return Int64GetDatum(assign_pending(PG_GETARG_TIMESTAMPTZ(0), PG_GETARG_INT32(1)));
}

PQL_FUNCTION(_delay_contacts) {
  using namespace pql::pg;
  return Int64GetDatum(delay_contacts(PG_GETARG_TIMESTAMPTZ(0)));
}

PQL_FUNCTION(_check_zone) {
  using namespace pql::pg;
  (void)zone_changes(text_arg(fcinfo, 0));
  return BoolGetDatum(true);
}

PQL_FUNCTION(_check_hours) {
  using namespace pql::pg;
  (void)working_hours(jsonb_arg(fcinfo, 0));
  return BoolGetDatum(true);
}

PQL_FUNCTION(_is_own) {
  return BoolGetDatum(TransactionIdIsCurrentTransactionId(PG_GETARG_TRANSACTIONID(0)));
}
