// pql.session_agg and what is read from its states.
#include "core/aggregate/sessions.hpp"

#include "pg/aggregate.hpp"
#include "pg/srf.hpp"

namespace pql::pg {
namespace {

// A row as session_agg gets it: (state, gap, ts[, min_length]).
struct Row {
  SessionSpec spec;
  Micros at;
};

// Whether the row counts.
inline bool read_row(FunctionCallInfo fcinfo, Times times, Row *r) {
  const bool has_least = PG_NARGS() > 3;
  if (PG_ARGISNULL(2)) return false;
  not_null(fcinfo, 1, "gap");
  if (has_least) not_null(fcinfo, 3, "min_length");
  r->spec = {length_arg(fcinfo, 1, "gap", times), has_least ? length_arg(fcinfo, 3, "min_length", times) : 0};
  r->at = instant_arg(fcinfo, 2, "ts", times);
  return true;
}

void require_same(const SessionSpec &before, const SessionSpec &now) {
  if (before.gap != now.gap) setting_changed("gap");
  if (before.min_length != now.min_length) setting_changed("min_length");
}

// The moving form: the frame's instants. Its settings are those of the first row.
struct Moving {
  bool started = false;
  MovingSessions frame{SessionSpec{}};

  void add(const Row &r) {
    if (!started) frame = MovingSessions(r.spec);
    started = true;
    require_same(frame.spec(), r.spec);
    frame.push(r.at, allocate);
  }
};
static_assert(std::is_trivially_destructible_v<Moving>);

const SessionState &session_arg(FunctionCallInfo fcinfo) {
  return static_cast<const SessionState &>(state_arg(fcinfo, 0, &kSessionState));
}

// Days are told as such, and there may be more than fit a length.
Datum days_result(unsigned __int128 length, Times times) {
  if (times == Times::numbers) {
    if (length > static_cast<unsigned __int128>(PG_INT64_MAX)) out_of_range(kSessionState, times);
    return Int64GetDatum(static_cast<int64>(length));
  }
  if (length / kDay > static_cast<unsigned>(PG_INT32_MAX))
    ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("interval out of range")));
  auto *i = static_cast<Interval *>(palloc0(sizeof(Interval)));
  i->day = static_cast<int32>(length / kDay);
  i->time = static_cast<Micros>(length % kDay);
  return IntervalPGetDatum(i);
}

} // namespace
} // namespace pql::pg

PQL_TIMED_STATE(session, pql::kSessionState)

PQL_TIMED_DIRECT_FUNCTION(_session_add) {
  using namespace pql::pg;
  auto *s = own_state<pql::SessionState>(fcinfo);
  Row r;
  if (!read_row(fcinfo, times, &r)) return same_state(fcinfo);
  if (!s) {
    s = pql::SessionState::make(r.spec, allocate);
    s->set_times(times);
  }
  require_same(s->head.spec, r.spec);
  return state_result(s->add(r.at, allocate));
}

PQL_TIMED_DIRECT_FUNCTION(_session_move) {
  using namespace pql::pg;
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    auto *m = PG_ARGISNULL(0) ? new (palloc(sizeof(Moving))) Moving : reinterpret_cast<Moving *>(PG_GETARG_POINTER(0));
    Row r;
    if (read_row(fcinfo, times, &r)) m->add(r);
    return m;
  }));
}

PQL_TIMED_DIRECT_FUNCTION(_session_unmove) {
  using namespace pql::pg;
  require_aggregate(fcinfo);
  auto *m = reinterpret_cast<Moving *>(PG_GETARG_POINTER(0));
  Row r;
  const bool done = !read_row(fcinfo, times, &r) || m->frame.pop(r.at);
  return done ? PointerGetDatum(m) : null_result(fcinfo); // null: begin again with the rows of the frame
}

PQL_TIMED_DIRECT_FUNCTION(_session_moved) {
  using namespace pql::pg;
  require_aggregate(fcinfo);
  if (PG_ARGISNULL(0)) return null_result(fcinfo);
  const auto *m = reinterpret_cast<const Moving *>(PG_GETARG_POINTER(0));
  if (!m->frame.instants()) return null_result(fcinfo);
  auto *s = pql::state_of(m->frame, allocate);
  s->set_times(times);
  return state_result(s);
}

PQL_FUNCTION(sessions) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  const SessionState &s = *call([&] { return &session_arg(fcinfo); });
  const auto cell = [&](Micros t) { return s.times() == Times::numbers ? Cell::of(t) : Cell::time(t); };
  for (const Session &each : s.sessions()) {
    if (is_told(s.head.spec, each)) rows.add({cell(each.start), cell(each.end), Cell::of(each.n)});
  }
  return Datum{0};
}

PQL_DIRECT_FUNCTION(session_count) {
  using namespace pql::pg;
  const pql::SessionState &s = session_arg(fcinfo);
  return Int64GetDatum(static_cast<int64>(totals_of(s.head.spec, s.sessions()).sessions));
}

// (state[, tail])
PQL_DIRECT_FUNCTION(time_in_product) {
  using namespace pql::pg;
  const pql::SessionState &s = session_arg(fcinfo);
  const pql::Micros tail = PG_NARGS() > 1 ? length_arg(fcinfo, 1, "tail", s.times()) : 0;
  const pql::SessionTotals t = totals_of(s.head.spec, s.sessions());
  return days_result(t.length + static_cast<unsigned __int128>(tail) * t.sessions, s.times());
}

PQL_DIRECT_FUNCTION(longest_session) {
  using namespace pql::pg;
  const pql::SessionState &s = session_arg(fcinfo);
  const pql::Session *longest = longest_of(s.head.spec, s.sessions());
  return longest ? days_result(length_of(*longest), s.times()) : null_result(fcinfo);
}
