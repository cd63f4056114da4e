// pql.events_agg and its relatives: conditions as booleans, as an array, or as the number of a step.
#include "pg/events.hpp"

namespace pql::pg {
namespace {

// Rows that aren't kept leave the state alone, unless they are the first: with many groups, a look at it is what costs most.
template <Keeps keeps, Form form>
Datum add(FunctionCallInfo fcinfo, Times times) {
  auto *s = own_state<EventsState>(fcinfo);
  GivenEvent r;
  if (!read_row<keeps, form>(fcinfo, 1, times, &r) || (s && !wanted(keeps, r))) return same_state(fcinfo);
  return state_result(with_row(s, r, {.conditions = r.conditions, .keeps = keeps, .times = times}));
}

// Arguments are read first, so that what is unpacked of them doesn't stay in the aggregate's memory.
template <Keeps keeps, Form form>
Datum move(FunctionCallInfo fcinfo, Times times) {
  GivenEvent r;
  const bool counts = read_row<keeps, form>(fcinfo, 1, times, &r);
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    return counts ? with_row(fcinfo, r, {.conditions = r.conditions, .keeps = keeps, .times = times}) : moving<EventsFrame>(fcinfo);
  }));
}

} // namespace
} // namespace pql::pg

PQL_TIMED_STATE(events, pql::kEventsState)

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
