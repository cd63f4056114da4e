#include "pg/aggregate.hpp"

extern "C" {
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
}

namespace pql::pg {
namespace {

// States of more than one kind have one function each in SQL, overloaded: its argument's kind says what to do.
const StateKind &kind_of(const State &s) { return *pql::kind_of(s.number()); }

[[noreturn]] void damaged(const char *type) {
  ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("damaged value of type %s", type ? type : "of an aggregate's state")));
}

void require_alike(const State &a, const State &b) {
  const StateKind &k = kind_of(a);
  if (b.kind != a.kind) ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("states of different kinds can't be merged")));
  if (const char *setting = k.differs(a, b))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("states with different %s can't be merged", setting),
                    errhint("Merge states that were aggregated with the same arguments.")));
  const char *why = k.clash ? k.clash(a, b) : nullptr;
  if (why)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("states that %s can't be merged", why),
                    errhint("Merge states of separate stretches of time, or those that the summaries were made from.")));
}

State *merged(State *into, const State &from) {
  require_alike(*into, from);
  State *s = kind_of(from).merge(into, from, allocate);
  if (!s) out_of_range(kind_of(from), from.times());
  return s;
}

State *copy_of(const State &s) {
  return resized(s, s.size(), allocate);
}

State *canonical(const State &s) {
  State *c = kind_of(s).canonical(s, allocate);
  Assert(!c->open);
  return c;
}

// Stored values are canonical: equal states have equal bytes.
bool equal_args(FunctionCallInfo fcinfo) {
  const varlena *a = PG_GETARG_VARLENA_PP(0), *b = PG_GETARG_VARLENA_PP(1);
  const std::size_t size = VARSIZE_ANY_EXHDR(a);
  return size == VARSIZE_ANY_EXHDR(b) && std::memcmp(VARDATA_ANY(a), VARDATA_ANY(b), size) == 0;
}

} // namespace

void *allocate(std::size_t n) {
  if (n > MaxAllocSize)
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("the state of an aggregate would exceed 1 GB"),
                    errhint("Aggregate fewer rows at a time, for example by GROUP BY.")));
  return palloc(n);
}

const State &state_arg(FunctionCallInfo fcinfo, int n, const StateKind *expected) {
  const varlena *v = PG_GETARG_VARLENA_P(n);
  const std::size_t size = VARSIZE(v);
  const State &s = *reinterpret_cast<const State *>(v);
  if (size < sizeof(State)) damaged(expected ? expected->name(Times::instants) : nullptr);
  const StateKind *k = expected ? expected : pql::kind_of(s.number());
  if (!k || !is_state(*k, s, size)) damaged(k ? k->name(s.times()) : nullptr);
  return s;
}

void only_in_aggregates() {
  ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("only an aggregate can call this function")));
}

void bad_length(const Interval &i, bool fits, const char *name) {
  if (i.month != 0)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must not have months or years", name),
                    errdetail("They have no fixed length."), errhint("Use days, as in interval '30 days'.")));
  if (fits)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must not be negative", name),
                    errhint("Use an interval such as '7 days'.")));
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is too long", name),
                  errhint("Use an interval such as '7 days'.")));
}

void bad_number(const char *name) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must not be negative", name),
                  errhint("Use a number in the unit of the times.")));
}

void no_instant(const char *name, Times times) {
  if (times == Times::numbers)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is out of range", name),
                    errhint("Use numbers from " INT64_FORMAT " to " INT64_FORMAT ".", kFirstInstant, kLastInstant)));
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must not be infinite", name),
                  errhint("Leave such rows out with FILTER (WHERE isfinite(...)).")));
}

Datum length_result(Micros length, Times times) {
  if (times == Times::numbers) return Int64GetDatum(length);
  auto *i = static_cast<Interval *>(palloc0(sizeof(Interval)));
  i->time = length;
  return IntervalPGetDatum(i);
}

Conditions conditions_in_array(FunctionCallInfo fcinfo, int n) {
  if (PG_ARGISNULL(n)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the array of conditions must not be null")));
  ArrayType *array = PG_GETARG_ARRAYTYPE_P(n);
  const int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
  if (count < 1 || count > kMaxConditions)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%d conditions are not possible", count),
                    errhint("Use 1 to %d conditions.", kMaxConditions)));
  const bits8 *nulls = ARR_NULLBITMAP(array);
  const char *value = ARR_DATA_PTR(array);
  std::uint32_t mask = 0;
  for (int i = 0; i < count; i++) {
    if (nulls && !(nulls[i / 8] & 1 << i % 8)) continue; // NULL is false, and takes no place
    mask |= static_cast<std::uint32_t>(*value++ != 0) << i;
  }
  return {mask, count};
}

void out_of_range(const StateKind &k, Times times) {
  ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("the numbers in a value of type %s are out of range", k.name(times))));
}

void setting_changed(const char *setting) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be the same for all rows of a group", setting),
                  errhint("Pass a constant.")));
}

Datum state_in(FunctionCallInfo fcinfo, const StateKind &k, Times times) {
  const char *text = PG_GETARG_CSTRING(0);
  TextReader in(text);
  State *s = parse_state(k, times, in, allocate);
  if (!s || !is_canonical(k, *s, s->size(), allocate))
    ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("invalid input syntax for type %s", k.name(times)),
                    errhint("Only what a value of this type printed can be read.")));
  return state_result(s);
}

Datum state_recv(FunctionCallInfo fcinfo, const StateKind &k, Times times) {
  auto *buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
  const int n = buffer->len - buffer->cursor;
  constexpr int length_word = sizeof(State::length);
  auto *s = static_cast<State *>(allocate(sizeof(State) + static_cast<std::size_t>(n)));
  s->set_size(static_cast<std::size_t>(n) + length_word);
  pq_copymsgbytes(buffer, reinterpret_cast<char *>(s) + length_word, n);
  if (!is_canonical(k, *s, s->size(), allocate) || s->times() != times)
    ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("invalid binary value of type %s", k.name(times))));
  if (k.has_texts) { // what is around them is ASCII
    TextWriter text(allocate);
    print_state(k, *s, text);
    (void)pg_verifymbstr(text.view().data(), static_cast<int>(text.view().size()), false);
  }
  return state_result(s);
}

} // namespace pql::pg

// --- the functions that all kinds share -----------------------------------------------------------------------------------

PQL_DIRECT_FUNCTION(state_out) {
  using namespace pql::pg;
  const pql::State &s = state_arg(fcinfo, 0);
  pql::TextWriter out(allocate);
  print_state(kind_of(s), *canonical(s), out);
  return CStringGetDatum(out.c_str());
}

// The canonical bytes after the length word, as they are.
PQL_DIRECT_FUNCTION(state_send) {
  using namespace pql::pg;
  return state_result(canonical(state_arg(fcinfo, 0))); // a bytea is laid out the same way
}

PQL_DIRECT_FUNCTION(state_eq) { return BoolGetDatum(pql::pg::equal_args(fcinfo)); }
PQL_DIRECT_FUNCTION(state_ne) { return BoolGetDatum(!pql::pg::equal_args(fcinfo)); }

PQL_DIRECT_FUNCTION(state_hash) {
  const varlena *v = PG_GETARG_VARLENA_PP(0);
  return hash_any(reinterpret_cast<const unsigned char *>(VARDATA_ANY(v)), static_cast<int>(VARSIZE_ANY_EXHDR(v)));
}

PQL_DIRECT_FUNCTION(state_hash_extended) {
  const varlena *v = PG_GETARG_VARLENA_PP(0);
  return hash_any_extended(reinterpret_cast<const unsigned char *>(VARDATA_ANY(v)), static_cast<int>(VARSIZE_ANY_EXHDR(v)),
                           PG_GETARG_INT64(1));
}

// state || state, where NULL is nothing.
PQL_DIRECT_FUNCTION(state_merge) {
  using namespace pql::pg;
  if (PG_ARGISNULL(0) && PG_ARGISNULL(1)) return null_result(fcinfo);
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return state_result(&state_arg(fcinfo, PG_ARGISNULL(0) ? 1 : 0));
  return state_result(canonical(*merged(copy_of(state_arg(fcinfo, 0)), state_arg(fcinfo, 1))));
}

// Of rollup, and combines what parallel workers found.
PQL_DIRECT_FUNCTION(_state_add) {
  using namespace pql::pg;
  auto *own = own_state<pql::State>(fcinfo);
  if (PG_ARGISNULL(1)) return same_state(fcinfo);
  const pql::State &other = state_arg(fcinfo, 1);
  return state_result(own ? merged(own, other) : &other); // which PostgreSQL copies into the aggregate's memory
}

PQL_DIRECT_FUNCTION(_state_final) {
  using namespace pql::pg;
  const auto *own = own_state<pql::State>(fcinfo);
  return own ? state_result(canonical(*own)) : null_result(fcinfo);
}

// As int8in, which wouldn't say why '7 days' is no length of times that are numbers.
PQL_DIRECT_FUNCTION(epoch_span_in) {
  const char *text = PG_GETARG_CSTRING(0);
  if (text[strspn(text, " \t\n\r\f\v+-0123456789")])
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" is not a number", text),
                    errdetail("Times are bigint here, so that lengths of time are numbers, too."),
                    errhint("Use a number in the unit of the times, or make timestamps of them with to_timestamp().")));
  return DirectFunctionCall1(int8in, CStringGetDatum(text));
}

PQL_FUNCTION(state_info) {
  using namespace pql::pg;
  return call([&]() -> Datum {
    const pql::State &s = state_arg(fcinfo, 0);
    pql::TextWriter out(allocate);
    out.text("{\"type\": ");
    out.string(kind_of(s).name(s.times()));
    out.member("version", s.version);
    out.member("bytes", static_cast<std::int64_t>(s.size()));
    kind_of(s).describe(s, out);
    out.put('}');
    return DirectFunctionCall1(jsonb_in, CStringGetDatum(out.c_str()));
  });
}
