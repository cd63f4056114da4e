// pql.check_program and what publishing needs to know of a document.
#include "core/program/trackers.hpp"
#include "pg/expression.hpp"
#include "pg/definitions.hpp"
#include "pg/srf.hpp"

namespace pql::pg {
namespace {

// The rules of a document, checked by PostgreSQL's parser.
void check_rules(const ProgramDef &p, std::vector<Problem> &problems) {
  const auto check = [&](const std::string &path, const std::string &rule, Oid wanted) {
    if (rule.empty()) return;
    const Complaint *c = call([&] { return check_event_rule(rule.c_str(), wanted, path.c_str()); });
    if (!c) return;
    Problem x{path, c->message, c->hint ? c->hint : ""};
    if (c->position > 0) x.problem += ", at character " + std::to_string(c->position);
    problems.push_back(std::move(x));
  };
  for (const MilestoneDef &m : p.milestones) check("milestones." + m.name + ".where", m.where, BOOLOID);
  const auto check_measure = [&](const std::string &path, const MeasureDef &d) {
    check(path + ".where", d.where, BOOLOID);
    check(path + (d.measure == Measure::growth ? ".sum_of" : ".of"), d.of, FLOAT8OID);
    check(path + ".success", d.success, BOOLOID);
  };
  for (const SignalDef &s : p.signals) check_measure("signals." + s.name, s);
  for (const NamedMeasure &m : p.measures) check_measure("measures." + m.name, m);
}

ParsedProgram checked(FunctionCallInfo fcinfo) {
  ParsedProgram parsed = parse_program(jsonb_arg(fcinfo, 0));
  check_rules(parsed.program, parsed.problems);
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
