// Patterns: pql.sequence_match at once, and what is read from states of events.
#include "core/sequence/pattern.hpp"
#include "pg/events.hpp"
#include "pg/memory.hpp"
#include "pg/srf.hpp"

extern "C" {
#include "utils/array.h"
}

namespace pql::pg {
namespace {

// Of one that matches a pattern.
EventsSetting match_setting(FunctionCallInfo fcinfo, Times times, const GivenEvent &r) {
  not_null(fcinfo, 1, "pattern");
  const text *t = PG_GETARG_TEXT_PP(1);
  const std::string_view pattern(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
  if (pattern.size() > 0xffff)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("pattern is too long"), errhint("Use at most 65535 bytes.")));
  return {r.conditions, Keeps::steps, -1, pattern, times};
}

template <Form form>
Datum move_match(FunctionCallInfo fcinfo, Times times) {
  GivenEvent r;
  const bool counts = read_row<Keeps::steps, form>(fcinfo, 2, times, &r);
  const EventsSetting setting = counts ? match_setting(fcinfo, times, r) : EventsSetting{};
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    return counts ? with_row(fcinfo, r, setting) : moving<EventsFrame>(fcinfo);
  }));
}

void poll() {
  if (InterruptPending) call([] { CHECK_FOR_INTERRUPTS(); });
}

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

} // namespace
} // namespace pql::pg

using pql::Keeps;
using pql::pg::Form;

// --- the aggregate that matches at once -------------------------------------------------------------------------------------

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

// --- what is read from states -------------------------------------------------------------------------------------------

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
