// pql._check_rules, pql._program_attributes and pql._assess: rules over subjects as SQL sees them.
#include <nlohmann/json.hpp>

#include "pg/facts.hpp"
#include "pg/srf.hpp"

namespace pql::pg {
namespace {

std::string kinds_json(const Assessment &a) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (std::size_t k = 0; k < a.kinds.size(); k++) {
    if (a.kinds[k]) out[std::string(name_of(static_cast<Kind>(k)))] = a.kinds[k];
  }
  return out.dump();
}

std::string measures_json(const ProgramDef &p, const Assessment &a) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < p.measures.size() && !a.given.empty(); i++)
    out[p.measures[i].name] = a.given[p.signals.size() + i]; // NaN becomes null
  return out.dump();
}

} // namespace
} // namespace pql::pg

PQL_FUNCTION(_check_rules) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  ParsedProgram parsed = parse_program(jsonb_arg(fcinfo, 0), Served::all);
  check_rules(*current_definitions(), parsed.program, parsed.problems);
  for (const Problem &p : parsed.problems)
    rows.add({Cell::of(p.path), Cell::of(p.problem), p.hint.empty() ? Cell::null() : Cell::of(p.hint)});
  return Datum{0};
}

PQL_FUNCTION(_program_attributes) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  const ParsedProgram parsed = parse_program(jsonb_arg(fcinfo, 0), Served::published);
  if (!parsed.problems.empty()) return Datum{0};
  for (const AttributeName &a : attributes_named(*current_definitions(), parsed.program))
    rows.add({Cell::of(name_of(a.unit)), Cell::of(a.name)});
  return Datum{0};
}

PQL_FUNCTION(_assess) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return Datum{0};
  const Asked a(fcinfo, 2);
  RuleErrors errors;
  Scratch scratch("pql assess");
  std::vector<Reason> reasons(a.program->def.signals.size());
  const std::string id = text_arg(fcinfo, 1);
  const Assessment x = assess_one(a, scratch.arena(), id, reasons, &errors, Ask::route);
  if (!PG_ARGISNULL(3) && PG_GETARG_BOOL(3)) errors.record();
  const ProgramDef &p = a.program->def;
  const std::string blocked = blocked_by(p, route_of(p, x));
  rows.add({Cell::of(x.score), Cell::json(kinds_json(x)), Cell::json(measures_json(p, x)), Cell::of(x.in_segment), Cell::of(x.when),
            Cell::of(x.kinds_met), x.motion < 0 ? Cell::null() : Cell::of(p.motions[static_cast<std::size_t>(x.motion)].motion),
            blocked.empty() ? Cell::null() : Cell::of(blocked),
            Cell::of(needs_of(*a.plan, *a.program).time)});
  return Datum{0};
}
