// Events as arguments of aggregates, and states of them: what the aggregates that keep events have in common.
// Law: a row is read the same way whether it comes into a group, into a frame, or leaves one.
#pragma once

#include "core/aggregate/events_state.hpp"
#include "pg/aggregate.hpp"

namespace pql::pg {

// --- rows ---------------------------------------------------------------------------------------------------------------

/// How the conditions of a row are given.
enum class Form { booleans, array, step };

struct GivenEvent : EventRow {
  int conditions;
};

[[noreturn]] void bad_step();

/// The conditions from argument n on.
template <Form form>
inline Conditions conditions_from(FunctionCallInfo fcinfo, int n) {
  if constexpr (form == Form::booleans) return conditions(fcinfo, n);
  if constexpr (form == Form::array) return conditions_in_array(fcinfo, n);
  if (PG_ARGISNULL(n)) return {0, 0};
  const int32 step = PG_GETARG_INT32(n);
  if (step < 1 || step > kMaxConditions) bad_step();
  return {1u << (step - 1), 0};
}

/// A row from argument n on: its time, whether it is excluded, its conditions. False: it has no time, and doesn't count.
template <Keeps keeps, Form form>
inline bool read_row(FunctionCallInfo fcinfo, int n, Times times, GivenEvent *r) {
  if (PG_ARGISNULL(n)) return false;
  r->at = pql::pg::instant_arg(fcinfo, n, "ts", times);
  r->excluded = 0;
  if constexpr (keeps == Keeps::excluded) r->excluded = !PG_ARGISNULL(n + 1) && PG_GETARG_BOOL(n + 1);
  const Conditions c = conditions_from<form>(fcinfo, n + 1 + (keeps == Keeps::excluded));
  r->steps = c.mask;
  r->conditions = c.count;
  return true;
}

/// Raises when a row says another setting than those before it.
void require_same(const EventsState &s, const EventsSetting &setting);

inline EventsState *with_row(EventsState *s, const GivenEvent &r, const EventsSetting &setting) {
  if (s)
    require_same(*s, setting);
  else
    s = EventsState::begin(setting, allocate);
  return s->wants(r) ? s->add(r, allocate) : s;
}

using SettingOf = EventsSetting (*)(FunctionCallInfo, Times, const GivenEvent &);

/// Of an aggregate whose setting is argument 1. Rows that aren't kept leave the state alone, unless they are the first: with many
/// groups, a look at it is what costs most.
template <SettingOf setting, Form form>
Datum add_with(FunctionCallInfo fcinfo, Times times) {
  auto *s = own_state<EventsState>(fcinfo);
  GivenEvent r;
  if (!read_row<Keeps::steps, form>(fcinfo, 2, times, &r) || (s && !wanted(Keeps::steps, r))) return same_state(fcinfo);
  return state_result(with_row(s, r, setting(fcinfo, times, r)));
}

// --- frames that move ---------------------------------------------------------------------------------------------------

/// In the aggregate's memory.
EventsFrame *with_row(FunctionCallInfo fcinfo, const GivenEvent &r, const EventsSetting &setting);

template <Keeps keeps, Form form, int kFirst = 1>
Datum unmove(FunctionCallInfo fcinfo, Times times) {
  auto *m = reinterpret_cast<EventsFrame *>(PG_GETARG_POINTER(0));
  require_aggregate(fcinfo);
  GivenEvent r;
  return !read_row<keeps, form>(fcinfo, kFirst, times, &r) || m->remove(r) ? PointerGetDatum(m) : null_result(fcinfo); // null: begin again with the frame
}

// --- states ---------------------------------------------------------------------------------------------------------------

/// The state of events that is argument 0.
const EventsState &events_arg(FunctionCallInfo fcinfo);

/// Throws PgError.
Datum array_of(const Vec<Micros> &instants, Times times);

} // namespace pql::pg
