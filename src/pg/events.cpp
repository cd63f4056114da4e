#include "pg/events.hpp"

extern "C" {
#include "utils/array.h"
}

namespace pql::pg {

void bad_step() {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("step is out of range"),
                  errhint("Use 1 to %d, or null for an event that is no step.", kMaxConditions)));
}

void require_same(const EventsState &s, const EventsSetting &setting) {
  if (s.same_setting(setting)) [[likely]]
    return;
  if (s.small != setting.conditions) setting_changed("the number of conditions");
  setting_changed(s.within != setting.within ? "within" : "the pattern");
}

EventsFrame *with_row(FunctionCallInfo fcinfo, const GivenEvent &r, const EventsSetting &setting) {
  auto *frame = moving<EventsFrame>(fcinfo);
  if (frame->state) require_same(*frame->state, setting);
  EventsState *const before = frame->state;
  frame->add(r, setting, allocate);
  if (before && before != frame->state) pfree(before);
  return frame;
}

const EventsState &events_arg(FunctionCallInfo fcinfo) { return static_cast<const EventsState &>(state_arg(fcinfo, 0, &kEventsState)); }

Datum array_of(const Vec<Micros> &instants, Times times) {
  constexpr Oid kTypes[] = {TIMESTAMPTZOID, TIMESTAMPOID, INT8OID};
  return call([&] {
    auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * (instants.size + std::size_t{1})));
    for (std::uint32_t i = 0; i < instants.size; i++) values[i] = Int64GetDatum(instants[i]);
    return PointerGetDatum(construct_array(values, static_cast<int>(instants.size), kTypes[static_cast<int>(times)], 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
  });
}

} // namespace pql::pg
