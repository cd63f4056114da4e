// Funnels: pql.window_funnel at once, and what is read from states of events and from summaries of them; histograms of levels.
#include <cstddef>

#include "core/aggregate/summary_state.hpp"
#include "core/sequence/moving.hpp"
#include "core/sequence/summary.hpp"
#include "core/sequence/window_funnel.hpp"
#include "pg/events.hpp"
#include "pg/memory.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/array.h"
}

namespace pql::pg {
namespace {

// The setting of an aggregate that gives a level: its window is argument 1.
EventsSetting level_setting(FunctionCallInfo fcinfo, Times times, const GivenEvent &r) {
  not_null(fcinfo, 1, "within");
  return {r.conditions, Keeps::steps, length_arg(fcinfo, 1, "within", times), {}, times};
}

// A funnel over a frame, and the memory that it takes. It is never destroyed: it goes with the aggregate's memory.
struct MovingLevel {
  ContextResource memory;
  std::int64_t seen = 0;
  std::optional<MovingFunnel> funnel;

  explicit MovingLevel(MemoryContext cx) : memory(cx) {}
};

struct LevelRow {
  GivenEvent row;
  EventsSetting setting;
  bool counts;
};

template <Form form>
LevelRow level_row(FunctionCallInfo fcinfo, Times times) {
  return call([&] {
    LevelRow x{};
    x.counts = read_row<Keeps::steps, form>(fcinfo, 2, times, &x.row);
    if (x.counts) x.setting = level_setting(fcinfo, times, x.row);
    return x;
  });
}

template <Form form>
Datum move_level(FunctionCallInfo fcinfo, Times times) {
  const LevelRow x = level_row<form>(fcinfo, times);
  auto *m = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<MovingLevel *>(PG_GETARG_POINTER(0));
  if (!m) {
    MemoryContext memory = call([&] { return aggregate_memory(fcinfo); });
    m = new (call([&] { return MemoryContextAlloc(memory, sizeof(MovingLevel)); })) MovingLevel(memory);
  }
  if (!x.counts) return PointerGetDatum(m);
  if (!m->funnel)
    m->funnel.emplace(&m->memory, x.row.conditions, x.setting.within, false);
  else
    call([&] {
      if (m->funnel->steps() != x.row.conditions) setting_changed("the number of conditions");
      if (m->funnel->within() != x.setting.within) setting_changed("within");
    });
  m->funnel->push(x.row.at, x.row.steps);
  m->seen++;
  return PointerGetDatum(m);
}

template <Form form>
Datum unmove_level(FunctionCallInfo fcinfo, Times times) {
  const LevelRow x = level_row<form>(fcinfo, times);
  auto *m = reinterpret_cast<MovingLevel *>(PG_GETARG_POINTER(0));
  if (!x.counts) return PointerGetDatum(m);
  m->seen--;
  return m->funnel->pop(x.row.at, x.row.steps) ? PointerGetDatum(m) : null_result(fcinfo);
}

// --- what is read from states -------------------------------------------------------------------------------------------

[[noreturn]] void bad_mode(const char *problem) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", problem), errhint("Modes are %s.", kFunnelModes)));
}

FunnelModes modes_arg(FunctionCallInfo fcinfo, int n) {
  FunnelModes modes;
  Datum *names;
  bool *nulls;
  int count;
  deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &count);
  for (int i = 0; i < count; i++) {
    if (nulls[i]) bad_mode("mode must not be null");
    const char *name = TextDatumGetCString(names[i]);
    if (!set_mode(modes, name)) bad_mode(psprintf("unknown mode \"%.*s\"", pg_mbcliplen(name, static_cast<int>(strlen(name)), 60), name));
  }
  if (const auto problem = problem_with(modes)) bad_mode(problem->data());
  return modes;
}

// A funnel as asked for by (state, within, modes), and rows in order.
struct Asked {
  FunnelQuery query;
  Times times;
  std::span<const EventRow> rows;
};

Asked asked_arg(FunctionCallInfo fcinfo) {
  const EventsState &s = events_arg(fcinfo);
  const FunnelQuery q{s.steps(), length_arg(fcinfo, 1, "within", s.times()), modes_arg(fcinfo, 2)};
  if (q.modes.order && !q.modes.steps_only && s.keeps != Keeps::all)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("mode order needs to know all events"),
                    errhint("Aggregate with pql.events_all_agg, or add mode steps_only.")));
  if (q.modes.stepwise() && s.keeps == Keeps::excluded)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("modes dedup and order don't know excluded events"),
                    errhint("Use modes increase and once, or aggregate with pql.events_agg.")));
  if (s.ordered) return {q, s.times(), s.all()};
  return {q, s.times(), static_cast<const EventsState *>(kEventsState.canonical(s, allocate))->all()};
}

int all_steps(FunctionCallInfo fcinfo) {
  const int steps = events_arg(fcinfo).small;
  if (steps == 0)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the number of steps isn't known"),
                    errhint("Aggregate with one condition for each step, or compare pql.window_funnel with their number.")));
  return steps;
}

// --- histograms of levels -----------------------------------------------------------------------------------------------

struct Histogram {
  ArrayType *array;
  std::span<std::int64_t> reached; // by each step
};

Histogram histogram_in(Datum d) {
  ArrayType *a = DatumGetArrayTypeP(d);
  const int n = ArrayGetNItems(ARR_NDIM(a), ARR_DIMS(a));
  if (ARR_ELEMTYPE(a) != INT8OID || ARR_HASNULL(a) || n < 1 || n > kMaxConditions)
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("damaged histogram")));
  return {a, {reinterpret_cast<std::int64_t *>(ARR_DATA_PTR(a)), static_cast<std::size_t>(n)}};
}

Histogram new_histogram(int steps) {
  Datum zeros[kMaxConditions] = {};
  return histogram_in(PointerGetDatum(construct_array(zeros, steps, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
}

// Counts (level, steps), the arguments after the state.
Datum count_level(FunctionCallInfo fcinfo, int by) {
  if (PG_ARGISNULL(1)) return same_state(fcinfo);
  not_null(fcinfo, 2, "steps");
  const int level = PG_GETARG_INT32(1), steps = PG_GETARG_INT32(2);
  if (steps < 1 || steps > kMaxConditions)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("steps is out of range"), errhint("Use 1 to %d.", kMaxConditions)));
  if (level < 0 || level > steps)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("level is out of range"), errhint("Use 0 to the number of steps.")));
  const Histogram h = PG_ARGISNULL(0) ? new_histogram(steps) : histogram_in(PG_GETARG_DATUM(0));
  if (h.reached.size() != static_cast<std::size_t>(steps)) setting_changed("steps");
  pql::count_level(h.reached, level, by);
  return PointerGetDatum(h.array);
}

} // namespace
} // namespace pql::pg

PQL_TIMED_STATE(funnel_summary, pql::kSummaryState)

using pql::Keeps;
using pql::pg::Form;

// --- the aggregate that gives a level at once -------------------------------------------------------------------------------

PQL_TIMED_DIRECT_FUNCTION(_window_funnel_add) { return pql::pg::add_with<pql::pg::level_setting, Form::booleans>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_window_funnel_add_array) { return pql::pg::add_with<pql::pg::level_setting, Form::array>(fcinfo, times); }
PQL_TIMED_FUNCTION(_window_funnel_move) { return pql::pg::move_level<Form::booleans>(fcinfo, times); }
PQL_TIMED_FUNCTION(_window_funnel_move_array) { return pql::pg::move_level<Form::array>(fcinfo, times); }
PQL_TIMED_FUNCTION(_window_funnel_unmove) { return pql::pg::unmove_level<Form::booleans>(fcinfo, times); }
PQL_TIMED_FUNCTION(_window_funnel_unmove_array) { return pql::pg::unmove_level<Form::array>(fcinfo, times); }

// Sorts the state where it is, which changes nothing that anybody could tell.
PQL_DIRECT_FUNCTION(_window_funnel_final) {
  using namespace pql::pg;
  auto *s = own_state<pql::EventsState>(fcinfo);
  if (!s) return null_result(fcinfo);
  s->sort();
  return Int32GetDatum(s->packed ? pql::plain_funnel_level(s->steps(), s->within, s->all_packed())
                                 : pql::funnel_level({s->steps(), s->within, {}}, s->all()));
}

PQL_FUNCTION(_window_funnel_moved) {
  using namespace pql::pg;
  const auto *m = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<const MovingLevel *>(PG_GETARG_POINTER(0));
  return m && m->seen ? Int32GetDatum(m->funnel->level()) : null_result(fcinfo);
}

// --- funnels ----------------------------------------------------------------------------------------------------------------

PQL_DIRECT_FUNCTION(window_funnel) {
  using namespace pql::pg;
  const Asked x = asked_arg(fcinfo);
  return Int32GetDatum(pql::funnel_level(x.query, x.rows));
}

PQL_DIRECT_FUNCTION(activated) {
  using namespace pql::pg;
  const int steps = all_steps(fcinfo);
  const Asked x = asked_arg(fcinfo);
  return BoolGetDatum(pql::funnel_level(x.query, x.rows) == steps);
}

PQL_FUNCTION(funnel_times) {
  using namespace pql::pg;
  const Asked x = call([&] { return asked_arg(fcinfo); });
  Scratch scratch("pql funnel");
  return array_of(pql::funnel_times(scratch.arena(), x.query, x.rows), x.times);
}

// From the first step to the last; null when not all are done.
PQL_FUNCTION(funnel_conversion) {
  using namespace pql::pg;
  struct Both {
    int steps;
    Asked asked;
  };
  const Both x = call([&] { return Both{all_steps(fcinfo), asked_arg(fcinfo)}; });
  Scratch scratch("pql funnel");
  const pql::Vec<pql::Micros> times = pql::funnel_times(scratch.arena(), x.asked.query, x.asked.rows);
  if (static_cast<int>(times.size) < x.steps) return null_result(fcinfo);
  return call([&] { return length_result(times.back() - times[0], x.asked.times); });
}

PQL_DIRECT_FUNCTION(any_order) {
  using namespace pql::pg;
  const pql::EventsState &s = events_arg(fcinfo);
  const pql::Micros within = length_arg(fcinfo, 1, "within", s.times());
  const auto &sorted = s.ordered ? s : static_cast<const pql::EventsState &>(*pql::kEventsState.canonical(s, allocate));
  return Int32GetDatum(pql::steps_in_any_order(s.steps(), within, sorted.all()));
}

PQL_DIRECT_FUNCTION(funnel_summary) {
  using namespace pql::pg;
  const pql::EventsState &s = events_arg(fcinfo);
  const pql::Micros within = length_arg(fcinfo, 1, "within", s.times());
  pql::FunnelModes modes = modes_arg(fcinfo, 2);
  const bool increase = modes.increase;
  modes.increase = false;
  if (modes != pql::FunnelModes{})
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a summary knows no mode but increase"),
                    errhint("Keep the state itself to read it in other modes.")));
  if (s.keeps == Keeps::excluded)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a summary knows no excluded events"),
                    errhint("Keep the state itself, or aggregate with pql.events_agg.")));
  const auto &sorted = s.ordered ? s : static_cast<const pql::EventsState &>(*pql::kEventsState.canonical(s, allocate));
  auto *x = pql::SummaryState::make(all_steps(fcinfo), within, increase, 1, allocate);
  pql::FunnelSummary f = pql::FunnelSummary::of(x->part(0) + 2, x->small, within, increase);
  pql::summarise(f, sorted.all());
  if (f.empty())
    x = pql::SummaryState::make(x->small, within, increase, 0, allocate);
  else
    x->store(0, f);
  x->set_times(s.times());
  return state_result(x);
}

PQL_DIRECT_FUNCTION(window_funnel_summary) {
  using namespace pql::pg;
  const auto &s = static_cast<const pql::SummaryState &>(state_arg(fcinfo, 0, &pql::kSummaryState));
  const auto &joined = static_cast<const pql::SummaryState &>(*pql::kSummaryState.canonical(s, allocate));
  return Int32GetDatum(joined.parts ? joined.summary(0).level() : 0);
}

PQL_DIRECT_FUNCTION(activated_summary) {
  using namespace pql::pg;
  const auto &s = static_cast<const pql::SummaryState &>(state_arg(fcinfo, 0, &pql::kSummaryState));
  const auto &joined = static_cast<const pql::SummaryState &>(*pql::kSummaryState.canonical(s, allocate));
  return BoolGetDatum(joined.parts && joined.summary(0).level() == joined.small);
}

PQL_DIRECT_FUNCTION(_funnel_histogram_add) {
  pql::pg::require_aggregate(fcinfo);
  return pql::pg::count_level(fcinfo, 1);
}

PQL_DIRECT_FUNCTION(_funnel_histogram_subtract) {
  pql::pg::require_aggregate(fcinfo);
  return pql::pg::count_level(fcinfo, -1);
}

PQL_DIRECT_FUNCTION(_funnel_histogram_combine) {
  using namespace pql::pg;
  require_aggregate(fcinfo);
  if (PG_ARGISNULL(1)) return same_state(fcinfo);
  if (PG_ARGISNULL(0)) return PG_GETARG_DATUM(1);
  const Histogram into = histogram_in(PG_GETARG_DATUM(0)), from = histogram_in(PG_GETARG_DATUM(1));
  if (into.reached.size() != from.reached.size()) setting_changed("steps");
  pql::add_levels(into.reached, from.reached);
  return PointerGetDatum(into.array);
}
