// What pilots compute: sample sizes, differences of arms, sample ratios, and shares that are above a limit.
#include <cmath>

#include "core/pilot/arms.hpp"
#include "core/pilot/limit.hpp"
#include "core/pilot/power.hpp"
#include "core/pilot/ratio.hpp"
#include "core/pilot/sequential.hpp"
#include "pg/srf.hpp"

extern "C" {
#include "utils/array.h"
}

namespace pql::pg {
namespace {

using namespace pilot;

constexpr int kSums = 6;

// The six sums of an arm, as an array of float8.
Arm arm_arg(FunctionCallInfo fcinfo, int n) {
  Arm a;
  call([&] {
    ArrayType *sums = PG_GETARG_ARRAYTYPE_P(n);
    if (ARR_ELEMTYPE(sums) != FLOAT8OID || ARR_NDIM(sums) != 1 || ARR_DIMS(sums)[0] != kSums || array_contains_nulls(sums)) elog(ERROR, "an arm has six sums");
    const auto *v = reinterpret_cast<const double *>(ARR_DATA_PTR(sums));
    a = {v[0], v[1], v[2], v[3], v[4], v[5]};
  });
  return a;
}

Cell known(double v) { return std::isfinite(v) ? Cell::of(v) : Cell::null(); }

Datum subjects(double n) {
  if (!(n < 1e15)) fail(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "no number of subjects is enough", {}, "The effect is too small.");
  return Int64GetDatum(static_cast<std::int64_t>(n));
}

Cell mean_of(const Arm &a) { return known(a.y / a.n); }

} // namespace
} // namespace pql::pg

PQL_FUNCTION(sample_size) {
  using namespace pql;
  using namespace pql::pg;
  using namespace pql::pilot;
  const Design d{PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4)};
  const std::string looks = text_arg(fcinfo, 5);
  if (d.effect == 0) fail(ERRCODE_INVALID_PARAMETER_VALUE, "minimum_effect must not be 0", {}, "Say by how much contact must raise the share to be worth it.");
  if (!d.is_sound())
    fail(ERRCODE_INVALID_PARAMETER_VALUE, "shares and chances must lie between 0 and 1, and so must the share with the effect", {},
         "A baseline of 0.1 and a minimum_effect of 0.05, for example, ask whether contact makes 0.15 of 0.1.");
  double n = 0;
  if (looks == "any") n = subjects_for_any_look(d);
  else if (looks == "one") n = subjects_for_one_look(d);
  else if (looks == "exact") n = subjects_for_exact_test(d);
  else fail(ERRCODE_INVALID_PARAMETER_VALUE, "looks \"" + looks + "\" is none of any, one and exact", {}, "any: at any time; one: once, at the end; exact: once, by Fisher's exact test.");
  return subjects(n);
}

PQL_FUNCTION(sample_size_of_mean) {
  using namespace pql::pg;
  const pql::pilot::MeanDesign d{PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4)};
  if (d.effect == 0) fail(ERRCODE_INVALID_PARAMETER_VALUE, "minimum_effect must not be 0", {}, "Say by how much contact must raise the mean to be worth it.");
  if (!d.is_sound())
    fail(ERRCODE_INVALID_PARAMETER_VALUE, "deviation must be above 0, and holdout and chances between 0 and 1", {},
         "deviation is the standard deviation of what subjects are worth: stddev(coalesce(value, 0)) of pql.label, for example.");
  return subjects(subjects_for_mean(d));
}

PQL_FUNCTION(_compare_arms) {
  using namespace pql;
  using namespace pql::pg;
  using namespace pql::pilot;
  ResultRows rows(fcinfo);
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return Datum{0};
  const Arm first = arm_arg(fcinfo, 0), second = arm_arg(fcinfo, 1);
  const Look look{first.n + second.n, PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3)};
  const double weight = PG_GETARG_FLOAT8(4);
  const bool is_share = PG_GETARG_BOOL(5);
  if (is_share ? !says_something(first, second) : std::min(first.n, second.n) < kFewest) {
    rows.add({mean_of(first), mean_of(second), Cell::null(), Cell::null(), Cell::null(), Cell::null(), Cell::null()});
    return Datum{0};
  }
  const Adjusted a = weight == 1 ? adjusted_difference(first, second) : Adjusted{difference(first, second, weight), 0, 0};
  const double half = radius(look) * std::sqrt(a.estimate.variance);
  const double most = is_share ? std::max(1.0, weight) : HUGE_VAL; // that two shares can differ
  rows.add({mean_of(first), mean_of(second), known(a.estimate.value), known(std::max(a.estimate.value - half, -most)), known(std::min(a.estimate.value + half, most)),
            known(sequential_p(a.estimate, look)), known(a.reduced)});
  return Datum{0};
}

PQL_FUNCTION(_ratio_p) { return pql::pg::call([&] { return Float8GetDatum(pql::pilot::ratio_p(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2))); }); }

PQL_FUNCTION(_above_limit_p) {
  return pql::pg::call([&] { return Float8GetDatum(pql::pilot::above_limit_p(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2))); });
}
