// pql.check_program and what publishing needs to know of a document.
#include "core/program/trackers.hpp"
#include "pg/assess.hpp"
#include "pg/srf.hpp"

namespace pql::pg {
namespace {

ParsedProgram checked(FunctionCallInfo fcinfo) {
  ParsedProgram parsed = parse_program(jsonb_arg(fcinfo, 0));
  check_rules(*current_definitions(), parsed.program, parsed.problems);
  return parsed;
}

} // namespace
} // namespace pql::pg

PQL_FUNCTION(check_program) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  if (PG_ARGISNULL(0)) {
    rows.add({Cell::of(""), Cell::of("document is null"), Cell::of("Give the program as a JSON object.")});
    return Datum{0};
  }
  for (const Problem &p : checked(fcinfo).problems)
    rows.add({Cell::of(p.path), Cell::of(p.problem), p.hint.empty() ? Cell::null() : Cell::of(p.hint)});
  return Datum{0};
}

PQL_FUNCTION(_program_trackers) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  const ParsedProgram parsed = checked(fcinfo);
  if (!parsed.problems.empty()) return Datum{0};
  for (const TrackerSpec &s : tracker_specs(parsed.program)) {
    const bool funnel = s.kind == Tracker::Kind::funnel;
    const auto length = [](bool has, Micros l) { return has ? Cell::length(l) : Cell::null(); };
    rows.add({Cell::of(name_of(s.kind)), Cell::of(name_of(s.unit)), s.name.empty() ? Cell::null() : Cell::of(s.name),
              Cell::of(s.events), Cell::of(s.rules), s.value_rule.empty() ? Cell::null() : Cell::of(s.value_rule),
              length(s.kind == Tracker::Kind::decay, s.half_life), funnel ? Cell::of(s.in_order) : Cell::null(), length(funnel, s.within),
              length(s.window > 0, s.window), s.spans ? Cell::of(s.spans) : Cell::null(), length(s.gap > 0, s.gap), Cell::of(key_of(s))});
  }
  return Datum{0};
}
