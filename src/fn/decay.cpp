// pql.decay_agg and what is read from its states.
#include <cmath>

#include "pg/aggregate.hpp"

namespace pql::pg {
namespace {

[[noreturn]] void bad_half_life() {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("half_life is out of range"),
                  errhint("Use one second to 100 years, for example interval '7 days'.")));
}

[[noreturn]] void bad_value() {
  ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("value is out of range"),
                  errhint("Use values between -16777216 and 16777216, or scale them down, for example to thousands.")));
}

// A row as decay_agg gets it: (state, half_life, ts[, v]).
struct Row {
  Micros half_life, t;
  double v;
};

// Whether the row counts.
bool read_row(FunctionCallInfo fcinfo, Row *r) {
  const bool has_value = PG_NARGS() > 3;
  if (PG_ARGISNULL(2) || (has_value && PG_ARGISNULL(3))) return false;
  not_null(fcinfo, 1, "half_life");
  r->half_life = length_arg(fcinfo, 1, "half_life");
  r->t = instant_arg(fcinfo, 2, "ts");
  r->v = has_value ? PG_GETARG_FLOAT8(3) : 1;
  if (!(std::abs(r->v) < kMaxDecayValue)) bad_value(); // NaN as well
  return true;
}

DecayState *with_row(DecayState *s, const Row &r, int sign = 1) {
  if (!s) {
    if (r.half_life < kMinHalfLife || r.half_life > kMaxHalfLife) bad_half_life();
    s = DecayState::make(r.half_life, r.t, allocate);
  } else if (s->half_life != r.half_life) {
    setting_changed("half_life");
  }
  s = s->add(r.t, r.v, sign, allocate);
  if (!s) out_of_range(kDecayState);
  return s;
}

// The moving form: the state of the rows in the frame, none of no rows.
struct Moving {
  DecayState *state;
  std::int64_t rows;
  bool in_order; // they came in the order of time

  void add(const Row &r) {
    DecayState *const before = state;
    in_order = !before || (in_order && r.t >= before->newest);
    state = with_row(before, r);
    if (before && before != state) pfree(before);
    rows++;
  }

  // Rows leave in the order in which they came. False when the newest row's time can't be known without the rows that stay.
  bool remove(const Row &r) {
    if (rows > 1) {
      if (!in_order && r.t == state->newest) return false;
      state = with_row(state, r, -1);
    } else {
      pfree(state);
      state = nullptr;
    }
    rows--;
    return true;
  }
};

} // namespace
} // namespace pql::pg

PQL_DIRECT_FUNCTION(decay_state_in) { return pql::pg::state_in(fcinfo, pql::kDecayState); }
PQL_DIRECT_FUNCTION(decay_state_recv) { return pql::pg::state_recv(fcinfo, pql::kDecayState); }

PQL_DIRECT_FUNCTION(_decay_add) {
  using namespace pql::pg;
  auto *s = own_state<pql::DecayState>(fcinfo);
  Row r;
  return read_row(fcinfo, &r) ? state_result(with_row(s, r)) : same_state(fcinfo);
}

PQL_DIRECT_FUNCTION(_decay_move) {
  using namespace pql::pg;
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    auto *m = moving<Moving>(fcinfo);
    Row r;
    if (read_row(fcinfo, &r)) m->add(r);
    return m;
  }));
}

PQL_DIRECT_FUNCTION(_decay_unmove) {
  using namespace pql::pg;
  auto *m = reinterpret_cast<Moving *>(PG_GETARG_POINTER(0));
  Row r;
  const bool done = in_aggregate_memory(fcinfo, [&] { return !read_row(fcinfo, &r) || m->remove(r); });
  return done ? PointerGetDatum(m) : null_result(fcinfo); // null: begin again with the rows of the frame
}

PQL_DIRECT_FUNCTION(_decay_moved) {
  using namespace pql::pg;
  (void)aggregate_memory(fcinfo);
  if (PG_ARGISNULL(0)) return null_result(fcinfo);
  const auto *m = reinterpret_cast<const Moving *>(PG_GETARG_POINTER(0));
  return m->state ? state_result(pql::kDecayState.canonical(*m->state, allocate)) : null_result(fcinfo);
}

PQL_DIRECT_FUNCTION(decay_score) {
  using namespace pql::pg;
  const auto &s = static_cast<const pql::DecayState &>(state_arg(fcinfo, 0, &pql::kDecayState));
  return Float8GetDatum(s.sum_at(instant_arg(fcinfo, 1, "as_of")));
}

PQL_DIRECT_FUNCTION(decay_count) {
  using namespace pql::pg;
  const auto &s = static_cast<const pql::DecayState &>(state_arg(fcinfo, 0, &pql::kDecayState));
  return Float8GetDatum(s.count_at(instant_arg(fcinfo, 1, "as_of")));
}

// The weights' quotient is the same at all instants; at the newest row's nothing is too small.
PQL_DIRECT_FUNCTION(decay_avg) {
  using namespace pql::pg;
  const auto &s = static_cast<const pql::DecayState &>(state_arg(fcinfo, 0, &pql::kDecayState));
  const double count = s.count_at(s.newest);
  return count > 0 ? Float8GetDatum(s.sum_at(s.newest) / count) : null_result(fcinfo);
}

PQL_DIRECT_FUNCTION(last_seen) {
  using namespace pql::pg;
  return TimestampTzGetDatum(static_cast<const pql::DecayState &>(state_arg(fcinfo, 0, &pql::kDecayState)).newest);
}

// The half-life that goes with a time constant: weights e^(-t/x) are 2^(-t/(x·ln 2)).
PQL_DIRECT_FUNCTION(half_life) {
  using namespace pql::pg;
  const pql::Micros x = length_arg(fcinfo, 0, "time_constant");
  auto *i = static_cast<Interval *>(palloc0(sizeof(Interval)));
  i->time = static_cast<pql::Micros>(std::round(static_cast<double>(x) * 0.69314718055994530942));
  return IntervalPGetDatum(i);
}
