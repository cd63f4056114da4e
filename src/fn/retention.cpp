// pql.retention_agg, pql.retention and pql.cohort_retention_agg, and what is read from their states.
#include "core/aggregate/retained.hpp"
#include "pg/aggregate.hpp"

extern "C" {
#include "utils/array.h"
}

namespace pql::pg {
namespace {

// --- retention_agg --------------------------------------------------------------------------------------------------------

constexpr char kConditions[] = "the number of conditions";

Datum add(FunctionCallInfo fcinfo, const Conditions &c) {
  auto *s = own_state<RetentionState>(fcinfo);
  if (!s) return state_result(RetentionState::make(c.count, c.mask, allocate));
  if (s->small != c.count) setting_changed(kConditions);
  s->seen |= c.mask;
  return state_result(s);
}

// How many rows of the frame meet each condition.
struct MovingRetention {
  std::int64_t rows, met[kMaxConditions];
  int conditions;

  void count(std::uint32_t mask, int sign) {
    rows += sign;
    for (; mask; mask &= mask - 1) met[std::countr_zero(mask)] += sign;
  }
};

Datum move(FunctionCallInfo fcinfo, const Conditions &c) {
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    auto *m = moving<MovingRetention>(fcinfo);
    if (m->rows && m->conditions != c.count) setting_changed(kConditions);
    m->conditions = c.count;
    m->count(c.mask, 1);
    return m;
  }));
}

Datum unmove(FunctionCallInfo fcinfo, const Conditions &c) {
  require_aggregate(fcinfo);
  auto *m = reinterpret_cast<MovingRetention *>(PG_GETARG_POINTER(0));
  m->count(c.mask, -1);
  return PointerGetDatum(m);
}

const RetentionState *moved(FunctionCallInfo fcinfo) {
  require_aggregate(fcinfo);
  const auto *m = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<const MovingRetention *>(PG_GETARG_POINTER(0));
  if (!m || !m->rows) return nullptr;
  std::uint32_t seen = 0;
  for (int i = 0; i < m->conditions; i++) seen |= static_cast<std::uint32_t>(m->met[i] != 0) << i;
  return RetentionState::make(m->conditions, seen, allocate);
}

Datum retained(const RetentionState &s) {
  Datum items[kMaxConditions];
  for (int i = 0; i < s.small; i++) items[i] = BoolGetDatum(s.retained(i));
  return PointerGetDatum(construct_array(items, s.small, BOOLOID, 1, true, TYPALIGN_CHAR));
}

// --- cohort_retention_agg -------------------------------------------------------------------------------------------------

// A row as cohort_retention_agg gets it: (state, ts, period[, anchor]).
struct CohortRow {
  Micros period;
  std::int64_t number;
  bool anchor;
};

bool read_row(FunctionCallInfo fcinfo, Times times, CohortRow *r) {
  if (PG_ARGISNULL(1)) return false;
  not_null(fcinfo, 2, "period");
  r->period = length_arg(fcinfo, 2, "period", times);
  if (!is_period(r->period, times))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("period is out of range"),
                    times == Times::numbers ? errhint("Use 1 to 2^62, in the unit of the times.")
                                            : errhint("Use one hour to 100 years, for example interval '7 days'.")));
  r->number = period_of(instant_arg(fcinfo, 1, "ts", times), r->period, times);
  r->anchor = PG_NARGS() < 4 || (!PG_ARGISNULL(3) && PG_GETARG_BOOL(3));
  return true;
}

CohortState *with_row(CohortState *s, const CohortRow &r, Times times) {
  if (!s) {
    s = CohortState::make(r.period, allocate);
    s->set_times(times);
  } else if (s->period != r.period) {
    setting_changed("period");
  }
  return s->add(r.number, r.anchor, allocate);
}

struct MovingCohort {
  struct Period {
    std::int64_t number, rows, anchors;
  };
  Fifo<Period> periods;
  Micros period;
  bool in_order; // in time, as they came

  void add(const CohortRow &r) {
    if (periods.empty()) {
      period = r.period;
      in_order = true;
    }
    if (r.period != period) setting_changed("period");
    in_order = in_order && (periods.empty() || r.number >= periods.back().number);
    if (periods.empty() || r.number != periods.back().number) periods.push({r.number, 0, 0});
    periods.back().rows++;
    periods.back().anchors += r.anchor;
  }

  bool remove(const CohortRow &r) {
    if (!in_order) return false;
    periods.front().rows--;
    periods.front().anchors -= r.anchor;
    if (!periods.front().rows) periods.pop();
    return true;
  }
};

const CohortState &cohort_arg(FunctionCallInfo fcinfo, int n) {
  return static_cast<const CohortState &>(state_arg(fcinfo, n, &kCohortState));
}

} // namespace
} // namespace pql::pg

PQL_DIRECT_FUNCTION(retention_state_in) { return pql::pg::state_in(fcinfo, pql::kRetentionState); }
PQL_DIRECT_FUNCTION(retention_state_recv) { return pql::pg::state_recv(fcinfo, pql::kRetentionState); }

PQL_DIRECT_FUNCTION(_retention_add) { return pql::pg::add(fcinfo, pql::pg::conditions(fcinfo, 1)); }
PQL_DIRECT_FUNCTION(_retention_add_array) { return pql::pg::add(fcinfo, pql::pg::conditions_in_array(fcinfo, 1)); }
PQL_DIRECT_FUNCTION(_retention_move) { return pql::pg::move(fcinfo, pql::pg::conditions(fcinfo, 1)); }
PQL_DIRECT_FUNCTION(_retention_move_array) { return pql::pg::move(fcinfo, pql::pg::conditions_in_array(fcinfo, 1)); }
PQL_DIRECT_FUNCTION(_retention_unmove) { return pql::pg::unmove(fcinfo, pql::pg::conditions(fcinfo, 1)); }
PQL_DIRECT_FUNCTION(_retention_unmove_array) { return pql::pg::unmove(fcinfo, pql::pg::conditions_in_array(fcinfo, 1)); }

PQL_DIRECT_FUNCTION(_retention_moved) {
  using namespace pql::pg;
  const pql::RetentionState *s = moved(fcinfo);
  return s ? state_result(s) : null_result(fcinfo);
}

PQL_DIRECT_FUNCTION(retained) {
  using namespace pql::pg;
  return retained(static_cast<const pql::RetentionState &>(state_arg(fcinfo, 0, &pql::kRetentionState)));
}

// The one-step form's final functions.
PQL_DIRECT_FUNCTION(_retention_final) {
  using namespace pql::pg;
  const auto *s = own_state<pql::RetentionState>(fcinfo);
  return s ? retained(*s) : null_result(fcinfo);
}

PQL_DIRECT_FUNCTION(_retention_moved_final) {
  using namespace pql::pg;
  const pql::RetentionState *s = moved(fcinfo);
  return s ? retained(*s) : null_result(fcinfo);
}

PQL_TIMED_STATE(cohort, pql::kCohortState)

PQL_TIMED_DIRECT_FUNCTION(_cohort_add) {
  using namespace pql::pg;
  auto *s = own_state<pql::CohortState>(fcinfo);
  CohortRow r;
  return read_row(fcinfo, times, &r) ? state_result(with_row(s, r, times)) : same_state(fcinfo);
}

PQL_TIMED_DIRECT_FUNCTION(_cohort_move) {
  using namespace pql::pg;
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    auto *m = moving<MovingCohort>(fcinfo);
    CohortRow r;
    if (read_row(fcinfo, times, &r)) m->add(r);
    return m;
  }));
}

PQL_TIMED_DIRECT_FUNCTION(_cohort_unmove) {
  using namespace pql::pg;
  require_aggregate(fcinfo);
  auto *m = reinterpret_cast<MovingCohort *>(PG_GETARG_POINTER(0));
  CohortRow r;
  return !read_row(fcinfo, times, &r) || m->remove(r) ? PointerGetDatum(m) : null_result(fcinfo);
}

PQL_TIMED_DIRECT_FUNCTION(_cohort_moved) {
  using namespace pql::pg;
  require_aggregate(fcinfo);
  const auto *m = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<const MovingCohort *>(PG_GETARG_POINTER(0));
  if (!m || m->periods.empty()) return null_result(fcinfo);
  auto *s = pql::CohortState::make(m->period, allocate);
  s->set_times(times);
  for (const auto &p : m->periods) s = s->add(p.number, p.anchors != 0, allocate);
  return state_result(pql::kCohortState.canonical(*s, allocate));
}

// The numbers of the periods with a row, 0 being the first one with an anchor. Without an anchor there are none.
PQL_DIRECT_FUNCTION(retained_periods) {
  using namespace pql::pg;
  const pql::CohortState &c = cohort_arg(fcinfo, 0);
  auto *items = static_cast<Datum *>(allocate((c.count * std::size_t{64} + 1) * sizeof(Datum)));
  int n = 0;
  for (std::uint32_t i = 0; i < c.count; i++) {
    for (std::uint64_t bits = c.words()[i].bits; bits; bits &= bits - 1) {
      const std::int64_t number = c.words()[i].at * 64 + std::countr_zero(bits);
      if (number < c.first) continue;
      if (number > c.first + PG_INT32_MAX) out_of_range(pql::kCohortState, c.times());
      items[n++] = Int32GetDatum(static_cast<std::int32_t>(number - c.first));
    }
  }
  return PointerGetDatum(n ? construct_array(items, n, INT4OID, 4, true, TYPALIGN_INT) : construct_empty_array(INT4OID));
}

// When the first period with an anchor began.
PQL_DIRECT_FUNCTION(cohort) {
  using namespace pql::pg;
  const pql::CohortState &c = cohort_arg(fcinfo, 0);
  if (c.first == pql::CohortState::kNoAnchor) return null_result(fcinfo);
  return Int64GetDatum(pql::period_start(c.first, c.period, c.times()));
}
