// Shares, differences and ratios of counts, with the intervals in which the truth lies.
#include "core/stat/interval.hpp"
#include "pg/srf.hpp"

extern "C" {
#include "funcapi.h"
}

namespace pql::pg {
namespace {

Count count_arg(FunctionCallInfo fcinfo, int n) {
  const Count c{PG_GETARG_INT64(n), PG_GETARG_INT64(n + 1)};
  if (!c.is_possible()) fail(ERRCODE_INVALID_PARAMETER_VALUE, "a count must be between 0 and the count of all");
  return c;
}

double confidence_arg(FunctionCallInfo fcinfo, int n) {
  const double confidence = PG_GETARG_FLOAT8(n);
  if (!(confidence > 0 && confidence < 1))
    fail(ERRCODE_INVALID_PARAMETER_VALUE, "confidence must be between 0 and 1", {}, "For example 0.95.");
  return confidence;
}

Datum row_of(FunctionCallInfo fcinfo, const Estimate &e) {
  return call([&] {
    TupleDesc shape = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &shape) != TYPEFUNC_COMPOSITE) elog(ERROR, "an interval is a row");
    Datum values[] = {Float8GetDatum(e.value.value_or(0)), Float8GetDatum(e.low), Float8GetDatum(e.high)};
    bool nulls[] = {!e.value, false, false};
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(shape), values, nulls));
  });
}

} // namespace
} // namespace pql::pg

PQL_FUNCTION(share_interval) {
  using namespace pql::pg;
  return row_of(fcinfo, pql::share(count_arg(fcinfo, 0), confidence_arg(fcinfo, 2)));
}

PQL_FUNCTION(difference_interval) {
  using namespace pql::pg;
  return row_of(fcinfo, pql::difference(count_arg(fcinfo, 0), count_arg(fcinfo, 2), confidence_arg(fcinfo, 4)));
}

PQL_FUNCTION(ratio_interval) {
  using namespace pql::pg;
  return row_of(fcinfo, pql::ratio(count_arg(fcinfo, 0), count_arg(fcinfo, 2), confidence_arg(fcinfo, 4)));
}
