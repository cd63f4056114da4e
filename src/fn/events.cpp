// pql.events_agg and its relatives, and what is read from their states: funnels and patterns.
#include <cstddef>

#include "core/aggregate/events_state.hpp"
#include "core/aggregate/summary_state.hpp"
#include "core/sequence/moving.hpp"
#include "core/sequence/pattern.hpp"
#include "core/sequence/summary.hpp"
#include "core/sequence/window_funnel.hpp"
#include "pg/aggregate.hpp"
#include "pg/memory.hpp"
#include "pg/srf.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/array.h"
}

namespace pql::pg {
namespace {

// --- rows ---------------------------------------------------------------------------------------------------------------

// How the conditions of a row are given.
enum class Form { booleans, array, step };

struct Row : EventRow {
  int conditions;
};

[[noreturn]] void bad_step() {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("step is out of range"),
                  errhint("Use 1 to %d, or null for an event that is no step.", kMaxConditions)));
}

// The conditions from argument n on.
template <Form form>
inline Conditions conditions_from(FunctionCallInfo fcinfo, int n) {
  if constexpr (form == Form::booleans) return conditions(fcinfo, n);
  if constexpr (form == Form::array) return conditions_in_array(fcinfo, n);
  if (PG_ARGISNULL(n)) return {0, 0};
  const int32 step = PG_GETARG_INT32(n);
  if (step < 1 || step > kMaxConditions) bad_step();
  return {1u << (step - 1), 0};
}

// A row from argument n on: its time, whether it is excluded, its conditions. False: it has no time, and doesn't count.
template <Keeps keeps, Form form>
inline bool read_row(FunctionCallInfo fcinfo, int n, Times times, Row *r) {
  if (PG_ARGISNULL(n)) return false;
  r->at = pql::pg::instant_arg(fcinfo, n, "ts", times);
  r->excluded = 0;
  if constexpr (keeps == Keeps::excluded) r->excluded = !PG_ARGISNULL(n + 1) && PG_GETARG_BOOL(n + 1);
  const Conditions c = conditions_from<form>(fcinfo, n + 1 + (keeps == Keeps::excluded));
  r->steps = c.mask;
  r->conditions = c.count;
  return true;
}

void require_same(const EventsState &s, const EventsSetting &setting) {
  if (s.same_setting(setting)) [[likely]]
    return;
  if (s.small != setting.conditions) setting_changed("the number of conditions");
  setting_changed(s.within != setting.within ? "within" : "the pattern");
}

inline EventsState *with_row(EventsState *s, const Row &r, const EventsSetting &setting) {
  if (s)
    require_same(*s, setting);
  else
    s = EventsState::begin(setting, allocate);
  return s->wants(r) ? s->add(r, allocate) : s;
}

// Rows that aren't kept leave the state alone, unless they are the first: with many groups, a look at it is what costs most.
template <Keeps keeps, Form form>
Datum add(FunctionCallInfo fcinfo, Times times) {
  auto *s = own_state<EventsState>(fcinfo);
  Row r;
  if (!read_row<keeps, form>(fcinfo, 1, times, &r) || (s && !wanted(keeps, r))) return same_state(fcinfo);
  return state_result(with_row(s, r, {.conditions = r.conditions, .keeps = keeps, .times = times}));
}

// The setting of an aggregate that gives a level: its window is argument 1.
EventsSetting level_setting(FunctionCallInfo fcinfo, Times times, const Row &r) {
  not_null(fcinfo, 1, "within");
  return {r.conditions, Keeps::steps, length_arg(fcinfo, 1, "within", times), {}, times};
}

// Of one that matches a pattern.
EventsSetting match_setting(FunctionCallInfo fcinfo, Times times, const Row &r) {
  not_null(fcinfo, 1, "pattern");
  const text *t = PG_GETARG_TEXT_PP(1);
  const std::string_view pattern(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
  if (pattern.size() > 0xffff)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("pattern is too long"), errhint("Use at most 65535 bytes.")));
  return {r.conditions, Keeps::steps, -1, pattern, times};
}

using SettingOf = EventsSetting (*)(FunctionCallInfo, Times, const Row &);

template <SettingOf setting, Form form>
Datum add_with(FunctionCallInfo fcinfo, Times times) {
  auto *s = own_state<EventsState>(fcinfo);
  Row r;
  if (!read_row<Keeps::steps, form>(fcinfo, 2, times, &r) || (s && !wanted(Keeps::steps, r))) return same_state(fcinfo);
  return state_result(with_row(s, r, setting(fcinfo, times, r)));
}

// --- frames that move ---------------------------------------------------------------------------------------------------

// In the aggregate's memory.
EventsFrame *with_row(FunctionCallInfo fcinfo, const Row &r, const EventsSetting &setting) {
  auto *frame = moving<EventsFrame>(fcinfo);
  if (frame->state) require_same(*frame->state, setting);
  EventsState *const before = frame->state;
  frame->add(r, setting, allocate);
  if (before && before != frame->state) pfree(before);
  return frame;
}

// Arguments are read first, so that what is unpacked of them doesn't stay in the aggregate's memory.
template <Keeps keeps, Form form>
Datum move(FunctionCallInfo fcinfo, Times times) {
  Row r;
  const bool counts = read_row<keeps, form>(fcinfo, 1, times, &r);
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    return counts ? with_row(fcinfo, r, {.conditions = r.conditions, .keeps = keeps, .times = times}) : moving<EventsFrame>(fcinfo);
  }));
}

template <Keeps keeps, Form form, int kFirst = 1>
Datum unmove(FunctionCallInfo fcinfo, Times times) {
  auto *m = reinterpret_cast<EventsFrame *>(PG_GETARG_POINTER(0));
  require_aggregate(fcinfo);
  Row r;
  return !read_row<keeps, form>(fcinfo, kFirst, times, &r) || m->remove(r) ? PointerGetDatum(m) : null_result(fcinfo); // null: begin again with the frame
}

template <Form form>
Datum move_match(FunctionCallInfo fcinfo, Times times) {
  Row r;
  const bool counts = read_row<Keeps::steps, form>(fcinfo, 2, times, &r);
  const EventsSetting setting = counts ? match_setting(fcinfo, times, r) : EventsSetting{};
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    return counts ? with_row(fcinfo, r, setting) : moving<EventsFrame>(fcinfo);
  }));
}

// A funnel over a frame, and the memory that it takes. It is never destroyed: it goes with the aggregate's memory.
struct MovingLevel {
  ContextResource memory;
  std::int64_t seen = 0;
  std::optional<MovingFunnel> funnel;

  explicit MovingLevel(MemoryContext cx) : memory(cx) {}
};

struct LevelRow {
  Row row;
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

const EventsState &events_arg(FunctionCallInfo fcinfo) { return static_cast<const EventsState &>(state_arg(fcinfo, 0, &kEventsState)); }

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

Datum array_of(const Vec<Micros> &instants, Times times) {
  constexpr Oid kTypes[] = {TIMESTAMPTZOID, TIMESTAMPOID, INT8OID};
  return call([&] {
    auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * (instants.size + std::size_t{1})));
    for (std::uint32_t i = 0; i < instants.size; i++) values[i] = Int64GetDatum(instants[i]);
    return PointerGetDatum(construct_array(values, static_cast<int>(instants.size), kTypes[static_cast<int>(times)], 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
  });
}

void poll() {
  if (InterruptPending) call([] { CHECK_FOR_INTERRUPTS(); });
}

// --- patterns -----------------------------------------------------------------------------------------------------------

Pattern parsed(Arena &a, std::string_view text, const EventsState &s, TimeBase base) {
  PatternProblem why;
  const std::optional<Pattern> p = parse_pattern(a, text, s.steps(), base, &why, s.times());
  if (!p)
    fail(ERRCODE_INVALID_PARAMETER_VALUE, "pattern is wrong at character " + std::to_string(why.position) + ": " + why.problem, {},
         "A pattern consists of (?1) for an event with condition 1, . for any event, .* for any number of events, times as "
         "(?t<=7d), with < <= == != >= or >, and ^ and $ at the first and the last event.");
  return *p;
}

// (state, pattern, ..., within, clickhouse_time_base), the last two at `options`; false where state or pattern are null.
struct Sought {
  const EventsState *state = nullptr;
  std::string_view pattern;
  Micros within = kNever;
  TimeBase base = TimeBase::element;
};

Sought sought_arg(FunctionCallInfo fcinfo, int options) {
  return call([&] {
    Sought x;
    x.state = &events_arg(fcinfo);
    const text *t = PG_GETARG_TEXT_PP(1);
    x.pattern = {VARDATA_ANY(t), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(t))};
    if (!PG_ARGISNULL(options)) x.within = length_arg(fcinfo, options, "within", x.state->times());
    if (!PG_ARGISNULL(options + 1) && PG_GETARG_BOOL(options + 1)) x.base = TimeBase::clickhouse;
    return x;
  });
}

std::span<const EventRow> in_order(Arena &a, const EventsState &s) {
  if (s.ordered) return s.all();
  const std::span<EventRow> rows(a.array<EventRow>(s.count), s.count);
  s.copy_rows(rows.data());
  sort_events(rows);
  return rows;
}

// Runs f(arena, query, rows).
template <class F>
auto with_pattern(const Sought &x, F &&f) {
  Scratch scratch("pql pattern");
  Arena &a = scratch.arena();
  const Pattern p = parsed(a, x.pattern, *x.state, x.base);
  return f(a, PatternQuery{p, x.within, poll}, with_steps(a, in_order(a, *x.state)));
}

Which which_arg(const std::string &name) {
  if (name == "first") return Which::first;
  if (name == "last") return Which::last;
  if (name == "longest") return Which::longest;
  fail(ERRCODE_INVALID_PARAMETER_VALUE, "unknown choice of events", {}, "Use first, last or longest.");
}

bool matches(const EventsState &s) {
  const Sought x{&s, s.pattern(), kNever, TimeBase::element};
  return with_pattern(x, [](Arena &a, const PatternQuery &q, std::span<const EventRow> rows) { return pattern_matches(a, q, rows); });
}

// --- the event after a chain --------------------------------------------------------------------------------------------

struct NextAsked {
  std::vector<int> chain;
  NextQuery query;
};

NextAsked next_asked(FunctionCallInfo fcinfo, int steps) {
  struct Numbers {
    const int32 *at;
    int count;
  };
  const Numbers given = call([&] {
    ArrayType *array = PG_GETARG_ARRAYTYPE_P(1);
    if (array_contains_nulls(array))
      ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("conditions must not be null")));
    return Numbers{reinterpret_cast<const int32 *>(ARR_DATA_PTR(array)), ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array))};
  });
  const auto wrong = [](const char *problem, const std::string &hint) { fail(ERRCODE_INVALID_PARAMETER_VALUE, problem, {}, hint); };
  NextAsked x;
  for (int i = 0; i < given.count; i++) {
    if (given.at[i] < 1 || given.at[i] > steps) wrong("there is no such condition", "Use 1 to " + std::to_string(steps) + ".");
    x.chain.push_back(given.at[i] - 1);
  }
  if (x.chain.empty()) wrong("the chain must not be empty", "Name at least one condition, as in '{1,2}'.");
  const std::string direction = text_arg(fcinfo, 2), base = text_arg(fcinfo, 3);
  if (direction != "forward" && direction != "backward") wrong("unknown direction", "Use forward or backward.");
  x.query.forward = direction == "forward";
  using Base = NextQuery::Base;
  if (base == "head" && x.query.forward)
    x.query.base = Base::head;
  else if (base == "tail" && !x.query.forward)
    x.query.base = Base::tail;
  else if (base == "first_match")
    x.query.base = Base::first_match;
  else if (base == "last_match")
    x.query.base = Base::last_match;
  else
    wrong(base == "head" || base == "tail" ? "head goes with forward, and tail with backward" : "unknown base",
          "Use head (forward), tail (backward), first_match or last_match.");
  return x;
}

Datum event_tuple(FunctionCallInfo fcinfo, const EventRow &r) {
  return call([&] {
    TupleDesc shape;
    if (get_call_result_type(fcinfo, nullptr, &shape) != TYPEFUNC_COMPOSITE) elog(ERROR, "not a row type");
    Datum steps[kMaxConditions];
    int n = 0;
    for (int s = 0; s < kMaxConditions; s++) {
      if (r.steps >> s & 1) steps[n++] = Int32GetDatum(s + 1);
    }
    Datum values[] = {Int64GetDatum(r.at), PointerGetDatum(construct_array(steps, n, INT4OID, 4, true, TYPALIGN_INT))};
    bool nulls[] = {false, false};
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(shape), values, nulls));
  });
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

PQL_TIMED_STATE(events, pql::kEventsState)
PQL_TIMED_STATE(funnel_summary, pql::kSummaryState)

// --- events_agg, events_all_agg, events_excl_agg: conditions as booleans, as an array, or as the number of a step ---------

using pql::Keeps;
using pql::pg::Form;

PQL_TIMED_DIRECT_FUNCTION(_events_add) { return pql::pg::add<Keeps::steps, Form::booleans>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_add_array) { return pql::pg::add<Keeps::steps, Form::array>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_add_step) { return pql::pg::add<Keeps::steps, Form::step>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_all_add) { return pql::pg::add<Keeps::all, Form::booleans>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_all_add_array) { return pql::pg::add<Keeps::all, Form::array>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_all_add_step) { return pql::pg::add<Keeps::all, Form::step>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_excl_add) { return pql::pg::add<Keeps::excluded, Form::booleans>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_excl_add_array) { return pql::pg::add<Keeps::excluded, Form::array>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_excl_add_step) { return pql::pg::add<Keeps::excluded, Form::step>(fcinfo, times); }

PQL_TIMED_DIRECT_FUNCTION(_events_move) { return pql::pg::move<Keeps::steps, Form::booleans>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_move_array) { return pql::pg::move<Keeps::steps, Form::array>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_move_step) { return pql::pg::move<Keeps::steps, Form::step>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_all_move) { return pql::pg::move<Keeps::all, Form::booleans>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_all_move_array) { return pql::pg::move<Keeps::all, Form::array>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_all_move_step) { return pql::pg::move<Keeps::all, Form::step>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_excl_move) { return pql::pg::move<Keeps::excluded, Form::booleans>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_excl_move_array) { return pql::pg::move<Keeps::excluded, Form::array>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_excl_move_step) { return pql::pg::move<Keeps::excluded, Form::step>(fcinfo, times); }

PQL_TIMED_DIRECT_FUNCTION(_events_unmove) { return pql::pg::unmove<Keeps::steps, Form::booleans>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_unmove_array) { return pql::pg::unmove<Keeps::steps, Form::array>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_unmove_step) { return pql::pg::unmove<Keeps::steps, Form::step>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_all_unmove) { return pql::pg::unmove<Keeps::all, Form::booleans>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_all_unmove_array) { return pql::pg::unmove<Keeps::all, Form::array>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_all_unmove_step) { return pql::pg::unmove<Keeps::all, Form::step>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_excl_unmove) { return pql::pg::unmove<Keeps::excluded, Form::booleans>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_excl_unmove_array) { return pql::pg::unmove<Keeps::excluded, Form::array>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_events_excl_unmove_step) { return pql::pg::unmove<Keeps::excluded, Form::step>(fcinfo, times); }

PQL_TIMED_DIRECT_FUNCTION(_events_moved) {
  using namespace pql::pg;
  require_aggregate(fcinfo);
  if (PG_ARGISNULL(0)) return null_result(fcinfo);
  const auto *m = reinterpret_cast<const pql::EventsFrame *>(PG_GETARG_POINTER(0));
  return m->seen ? state_result(m->value(allocate)) : null_result(fcinfo);
}

// --- the aggregates that give a level or a match at once -------------------------------------------------------------------

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

PQL_TIMED_DIRECT_FUNCTION(_sequence_match_add) { return pql::pg::add_with<pql::pg::match_setting, Form::booleans>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_sequence_match_add_array) { return pql::pg::add_with<pql::pg::match_setting, Form::array>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_sequence_match_move) { return pql::pg::move_match<Form::booleans>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_sequence_match_move_array) { return pql::pg::move_match<Form::array>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_sequence_match_unmove) { return pql::pg::unmove<Keeps::steps, Form::booleans, 2>(fcinfo, times); }
PQL_TIMED_DIRECT_FUNCTION(_sequence_match_unmove_array) { return pql::pg::unmove<Keeps::steps, Form::array, 2>(fcinfo, times); }

PQL_FUNCTION(_sequence_match_final) {
  using namespace pql::pg;
  const auto *s = call([&] { return own_state<pql::EventsState>(fcinfo); });
  return s ? BoolGetDatum(matches(*s)) : null_result(fcinfo);
}

PQL_FUNCTION(_sequence_match_moved) {
  using namespace pql::pg;
  const auto *m = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<const pql::EventsFrame *>(PG_GETARG_POINTER(0));
  if (!m || !m->seen) return null_result(fcinfo);
  return BoolGetDatum(matches(*call([&] { return m->value(allocate); })));
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

// --- patterns ---------------------------------------------------------------------------------------------------------------

PQL_FUNCTION(sequence_match) {
  using namespace pql::pg;
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return null_result(fcinfo);
  return BoolGetDatum(with_pattern(sought_arg(fcinfo, 2), [](auto &a, const auto &q, auto rows) { return pattern_matches(a, q, rows); }));
}

PQL_FUNCTION(sequence_count) {
  using namespace pql::pg;
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return null_result(fcinfo);
  return Int64GetDatum(with_pattern(sought_arg(fcinfo, 2), [](auto &a, const auto &q, auto rows) { return pattern_count(a, q, rows); }));
}

PQL_FUNCTION(sequence_events) {
  using namespace pql::pg;
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2)) return null_result(fcinfo);
  const pql::Which which = which_arg(text_arg(fcinfo, 2));
  const Sought x = sought_arg(fcinfo, 3);
  return with_pattern(x, [&](auto &a, const auto &q, auto rows) { return array_of(pattern_times(a, q, which, rows), x.state->times()); });
}

PQL_FUNCTION(next_event) {
  using namespace pql::pg;
  const pql::EventsState &s = *call([&] {
    const pql::EventsState &given = events_arg(fcinfo);
    return given.ordered ? &given : static_cast<const pql::EventsState *>(pql::kEventsState.canonical(given, allocate));
  });
  NextAsked x = next_asked(fcinfo, s.steps());
  x.query.chain = x.chain;
  const std::optional<pql::EventRow> next = pql::next_event(x.query, s.all());
  return next ? event_tuple(fcinfo, *next) : null_result(fcinfo);
}
