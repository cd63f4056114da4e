// pql.window_count_agg and pql.count_map_agg, and what is read from their states.
#include "core/aggregate/count_map.hpp"
#include "core/aggregate/window_count.hpp"
#include "pg/aggregate.hpp"

extern "C" {
#include "utils/array.h"
}

namespace pql::pg {
namespace {

// --- window_count_agg -----------------------------------------------------------------------------------------------------

[[noreturn]] void bad_windows(Times times) {
  if (times == Times::numbers)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("windows must be numbers from 1 to 2^62"),
                    errhint("Use an array such as ARRAY[3600, 86400], in the unit of the times.")));
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("windows must be intervals longer than nothing and up to 100 years"),
                  errhint("Use an array such as ARRAY[interval '1 day', '7 days'].")));
}

// The longest of them.
Micros windows_arg(FunctionCallInfo fcinfo, int n, Times times) {
  not_null(fcinfo, n, "windows");
  ArrayType *array = PG_GETARG_ARRAYTYPE_P(n);
  const int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
  if (count < 1 || array_contains_nulls(array)) bad_windows(times);
  const auto *intervals = reinterpret_cast<const Interval *>(ARR_DATA_PTR(array));
  const auto *numbers = reinterpret_cast<const int64 *>(ARR_DATA_PTR(array));
  Micros longest = 0;
  for (int i = 0; i < count; i++) {
    const Micros window = times == Times::numbers ? numbers[i] : length_of(intervals[i], "a window");
    if (!is_window(window, times)) bad_windows(times);
    longest = std::max(longest, window);
  }
  return longest;
}

// A row as window_count_agg gets it: (state, ts, windows).
struct Instant {
  Micros at, longest;
};

bool read_row(FunctionCallInfo fcinfo, Times times, Instant *r) {
  if (PG_ARGISNULL(1)) return false;
  *r = {instant_arg(fcinfo, 1, "ts", times), windows_arg(fcinfo, 2, times)};
  return true;
}

struct MovingWindows {
  Fifo<WindowCountState::Entry> entries;
  Micros longest;
  bool in_order; // in time, as they came

  void add(const Instant &r) {
    if (entries.empty()) {
      longest = r.longest;
      in_order = true;
    }
    if (r.longest != longest) setting_changed("windows");
    in_order = in_order && (entries.empty() || r.at >= entries.back().at);
    if (entries.empty() || entries.back().at != r.at) entries.push({r.at, 0});
    entries.back().rows++;
  }

  bool remove() {
    if (!in_order) return false;
    if (--entries.front().rows == 0) entries.pop();
    return true;
  }
};

// --- count_map_agg --------------------------------------------------------------------------------------------------------

// A row as count_map_agg gets it: (state, key[, n]).
struct Counted {
  std::string_view key;
  std::int64_t n;
};

bool read_row(FunctionCallInfo fcinfo, Counted *r) {
  const bool has_n = PG_NARGS() > 2;
  if (PG_ARGISNULL(1) || (has_n && PG_ARGISNULL(2))) return false;
  const text *key = PG_GETARG_TEXT_PP(1);
  *r = {{VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)}, has_n ? PG_GETARG_INT64(2) : 1};
  return true;
}

CountMapState *with_row(CountMapState *s, const Counted &r, std::int64_t n) {
  if (!s) s = CountMapState::make(allocate);
  s = s->add(r.key, n, allocate);
  if (!s) out_of_range(kCountMapState);
  return s;
}

struct MovingMap {
  CountMapState *state;
  std::int64_t rows;

  void count(const Counted &r, std::int64_t n, int sign) {
    CountMapState *const before = state;
    state = with_row(before, r, n);
    if (before && before != state) pfree(before);
    rows += sign;
  }
};

const CountMapState &map_arg(FunctionCallInfo fcinfo, int n) {
  return static_cast<const CountMapState &>(state_arg(fcinfo, n, &kCountMapState));
}

Datum key_of(const CountMapState &m, const CountMapState::Entry &e) {
  return PointerGetDatum(cstring_to_text_with_len(m.keys() + e.offset, static_cast<int>(e.length)));
}

} // namespace
} // namespace pql::pg

PQL_TIMED_STATE(window_count, pql::kWindowCountState)

PQL_TIMED_DIRECT_FUNCTION(_window_count_add) {
  using namespace pql::pg;
  auto *s = own_state<pql::WindowCountState>(fcinfo);
  Instant r;
  if (!read_row(fcinfo, times, &r)) return same_state(fcinfo);
  if (!s) {
    s = pql::WindowCountState::make(r.longest, allocate);
    s->set_times(times);
  } else if (s->longest != r.longest) {
    setting_changed("windows");
  }
  return state_result(s->add({r.at, 1}, allocate));
}

PQL_TIMED_DIRECT_FUNCTION(_window_count_move) {
  using namespace pql::pg;
  Instant r;
  const bool counts = read_row(fcinfo, times, &r);
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    auto *m = moving<MovingWindows>(fcinfo);
    if (counts) m->add(r);
    return m;
  }));
}

PQL_DIRECT_FUNCTION(_window_count_unmove) {
  using namespace pql::pg;
  require_aggregate(fcinfo);
  auto *m = reinterpret_cast<MovingWindows *>(PG_GETARG_POINTER(0));
  return PG_ARGISNULL(1) || m->remove() ? PointerGetDatum(m) : null_result(fcinfo);
}

PQL_TIMED_DIRECT_FUNCTION(_window_count_moved) {
  using namespace pql::pg;
  require_aggregate(fcinfo);
  const auto *m = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<const MovingWindows *>(PG_GETARG_POINTER(0));
  if (!m || m->entries.empty()) return null_result(fcinfo);
  // The rows that are too old, if they came in order, needn't be looked at.
  const auto *from = m->entries.begin();
  if (m->in_order) {
    const pql::Micros oldest = m->entries.back().at - m->longest;
    from = std::upper_bound(from, static_cast<const pql::WindowCountState::Entry *>(m->entries.end()), oldest,
                            [](pql::Micros t, const pql::WindowCountState::Entry &e) { return t < e.at; });
  }
  auto *s = pql::WindowCountState::make(m->longest, allocate);
  s->set_times(times);
  for (; from != m->entries.end(); from++) s = s->add(*from, allocate);
  return state_result(pql::kWindowCountState.canonical(*s, allocate));
}

// Rows with as_of - w < t <= as_of.
PQL_DIRECT_FUNCTION(count_in) {
  using namespace pql::pg;
  const auto &s = static_cast<const pql::WindowCountState &>(state_arg(fcinfo, 0, &pql::kWindowCountState));
  const pql::Micros as_of = instant_arg(fcinfo, 1, "as_of", s.times()), w = length_arg(fcinfo, 2, "w", s.times());
  if (w > s.longest)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("w is longer than the longest window that was aggregated"),
                    errhint("Add it to the windows of pql.window_count_agg.")));
  if (!s.knows(as_of - w))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the window begins before what the state keeps"),
                    errdetail("It keeps the longest window before its newest row."),
                    errhint("Aggregate only rows up to as_of, by FILTER (WHERE ts <= ...), or with a longer window.")));
  const __int128 rows = s.rows_between(as_of - w, as_of);
  if (rows > PG_INT64_MAX) out_of_range(pql::kWindowCountState, s.times());
  return Int64GetDatum(static_cast<std::int64_t>(rows));
}

PQL_DIRECT_FUNCTION(count_map_state_in) { return pql::pg::state_in(fcinfo, pql::kCountMapState); }
PQL_DIRECT_FUNCTION(count_map_state_recv) { return pql::pg::state_recv(fcinfo, pql::kCountMapState); }

PQL_DIRECT_FUNCTION(_count_map_add) {
  using namespace pql::pg;
  auto *s = own_state<pql::CountMapState>(fcinfo);
  Counted r;
  return read_row(fcinfo, &r) ? state_result(with_row(s, r, r.n)) : same_state(fcinfo);
}

PQL_DIRECT_FUNCTION(_count_map_move) {
  using namespace pql::pg;
  Counted r;
  const bool counts = read_row(fcinfo, &r); // not in the aggregate's memory, where an unpacked key would stay
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    auto *m = moving<MovingMap>(fcinfo);
    if (counts) m->count(r, r.n, 1);
    return m;
  }));
}

PQL_DIRECT_FUNCTION(_count_map_unmove) {
  using namespace pql::pg;
  auto *m = reinterpret_cast<MovingMap *>(PG_GETARG_POINTER(0));
  Counted r;
  if (!read_row(fcinfo, &r)) return PointerGetDatum(m);
  if (r.n == PG_INT64_MIN) return null_result(fcinfo); // has no opposite
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    m->count(r, -r.n, -1);
    return m;
  }));
}

PQL_DIRECT_FUNCTION(_count_map_moved) {
  using namespace pql::pg;
  require_aggregate(fcinfo);
  const auto *m = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<const MovingMap *>(PG_GETARG_POINTER(0));
  return m && m->rows ? state_result(pql::kCountMapState.canonical(*m->state, allocate)) : null_result(fcinfo);
}

// As a JSON object.
PQL_DIRECT_FUNCTION(counts) {
  using namespace pql::pg;
  const pql::CountMapState &m = map_arg(fcinfo, 0);
  pql::TextWriter out(allocate);
  out.put('{');
  for (std::uint32_t i = 0; i < m.count; i++) {
    if (i) out.text(", ");
    out.string(m.key(m.entries()[i]));
    out.text(": ");
    out.integer(m.entries()[i].sum);
  }
  out.put('}');
  return DirectFunctionCall1(jsonb_in, CStringGetDatum(out.c_str()));
}

PQL_DIRECT_FUNCTION(count_of) {
  using namespace pql::pg;
  const text *key = PG_GETARG_TEXT_PP(1);
  return Int64GetDatum(pql::sum_of(map_arg(fcinfo, 0), {VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)}));
}

// The n keys with the greatest counts; of equal ones, the first by their bytes.
PQL_DIRECT_FUNCTION(top) {
  using namespace pql::pg;
  InitMaterializedSRF(fcinfo, 0);
  const auto *info = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
  const pql::CountMapState &m = map_arg(fcinfo, 0);
  const int wanted = PG_GETARG_INT32(1);
  if (wanted < 0)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("n must not be negative"), errhint("Use 0 or more.")));
  const std::uint32_t n = std::min<std::uint32_t>(static_cast<std::uint32_t>(wanted), m.count);
  auto *sorted = static_cast<pql::CountMapState::Entry *>(allocate(m.count * sizeof(*m.entries()) + 1));
  std::copy_n(m.entries(), m.count, sorted);
  std::partial_sort(sorted, sorted + n, sorted + m.count, [&](const auto &a, const auto &b) {
    return a.sum != b.sum ? a.sum > b.sum : m.key(a) < m.key(b);
  });
  for (std::uint32_t i = 0; i < n; i++) {
    Datum values[] = {key_of(m, sorted[i]), Int64GetDatum(sorted[i].sum)};
    bool nulls[] = {false, false};
    tuplestore_putvalues(info->setResult, info->setDesc, values, nulls);
  }
  return Datum{0};
}
