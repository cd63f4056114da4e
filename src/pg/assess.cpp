#include "core/program/fields.hpp"
#include "pg/assess.hpp"

#include <cmath>

#include "pg/calendar.hpp"
#include "pg/guard.hpp"
#include "pg/outreach.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/jsonb.h"
}

namespace pql::pg {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

// ------------------------------------------------------------------------------------------------------------------ names

/// Where a variable's value comes from.
enum class From : unsigned char { attribute, account, fact, history, measure, signal, points, kind, score, users, milestone, as_of, none };

struct Variable {
  std::string name;
  Oid type;
  From from;
  int index = -1;     ///< which measure, signal, kind or milestone of the document, or column
  std::string refused = {}; ///< From::none: why
};

constexpr const char *kPointless[] = {
    "A value is there before points are: it may rest on attributes, measures, milestones, users_active and as_of.",
    "Whom a program is about doesn't depend on points: use attributes, measures, milestones, users_active and as_of."};
constexpr const char *kFromValue = "Values may rest on measures of events, not on other values.";
constexpr const char *kOfEvent = "A rule over a subject sees no single event: let a measure count events, and name that.";

// All names of a program, in an order that all of its rules share.
class Names {
public:
  Names(const Definitions &plan, const ProgramDef &p) : program_(p) {
    add_columns("attr.", From::attribute, plan.attributes(p.unit), p.unit);
    if (p.unit == Unit::account) add_refused("account.*", "This program is about accounts, whose columns are attr and their name, as in attr.plan.");
    else add_columns("account.", From::account, plan.attributes(Unit::account), Unit::account);
    add_facts(plan.facts(), p.unit);
    for (std::size_t i = 0; i < p.measures.size(); i++) add(p.measures[i].name, FLOAT8OID, From::measure, i);
    for (std::size_t i = 0; i < p.signals.size(); i++) add("signal." + p.signals[i].name, FLOAT8OID, From::signal, i);
    for (std::size_t i = 0; i < p.signals.size(); i++) add("points." + p.signals[i].name, FLOAT8OID, From::points, i);
    for (std::size_t k = 0; k < kKinds; k++) add("kind." + std::string(name_of(static_cast<Kind>(k))), FLOAT8OID, From::kind, k);
    for (std::size_t i = 0; i < p.milestones.size(); i++) add("milestone." + p.milestones[i].name, TIMESTAMPTZOID, From::milestone, i);
    add("score", FLOAT8OID, From::score, 0);
    add("users_active", FLOAT8OID, From::users, 0);
    add("as_of", TIMESTAMPTZOID, From::as_of, 0);
    for (std::size_t i = 0; i < kHistory.size(); i++)
      add(std::string("history.") + kHistory[i], i == static_cast<std::size_t>(History::converted) ? BOOLOID : FLOAT8OID, From::history, i);
    for (const char *name : {"props", "event", "occurred_at"}) add_refused(name, kOfEvent);
  }

  const std::vector<Variable> &all() const noexcept { return all_; }

  /// As the parser wants them. They borrow from this.
  std::vector<RuleVariable> of(RuleOf what) const {
    std::vector<RuleVariable> out;
    for (const Variable &v : all_) out.push_back({v.name.c_str(), v.type, refused(v, what)});
    return out;
  }

private:
  void add(std::string name, Oid type, From from, std::size_t index) {
    all_.push_back({std::move(name), type, from, static_cast<int>(index)});
  }
  void add_refused(std::string name, std::string why) {
    all_.push_back({std::move(name), InvalidOid, From::none, -1, std::move(why)});
  }

  // A program on users or workspaces knows those of their accounts, too.
  void add_facts(const std::vector<FactName> &facts, Unit unit) {
    for (std::size_t i = 0; i < facts.size(); i++) {
      const FactName &f = facts[i];
      if (f.unit == unit || f.unit == Unit::account) add("fact." + f.name, f.is_time ? TIMESTAMPTZOID : FLOAT8OID, From::fact, i);
      else add_refused("fact." + f.name, "It is of " + std::string(name_of(f.unit)) + "s, and this program is about " + std::string(name_of(unit)) + "s.");
    }
    if (facts.empty()) add_refused("fact.*", "No facts are attached: attach the table whose rows they come from by pql.attach_facts().");
  }

  void add_columns(const std::string &prefix, From from, const std::vector<AttributeColumn> &columns, Unit unit) {
    for (std::size_t i = 0; i < columns.size(); i++) {
      if (call([&] { return is_rule_scalar(columns[i].type); })) add(prefix + columns[i].name, columns[i].type, from, i);
    }
    if (!columns.empty()) return;
    const std::string u(name_of(unit));
    add_refused(prefix + "*",
                "No table of " + u + "s is attached: attach it by pql.attach_" + u + "s('" + u + "s', " + u + "_id => 'id').");
  }

  const char *refused(const Variable &v, RuleOf what) const {
    if (v.from == From::none) return v.refused.c_str();
    if (what == RuleOf::decision) return nullptr;
    switch (v.from) {
    case From::signal:
    case From::points:
    case From::kind:
    case From::score: return kPointless[static_cast<int>(what)];
    case From::measure: {
      const bool value = program_.measures[static_cast<std::size_t>(v.index)].measure == Measure::value;
      return value && what == RuleOf::value ? kFromValue : nullptr;
    }
    default: return nullptr;
    }
  }

  const ProgramDef &program_;
  std::vector<Variable> all_;
};

Oid type_of(const SubjectRule &r) {
  if (r.place == SubjectRule::Place::zone || r.place == SubjectRule::Place::known) return TEXTOID;
  return r.of() == RuleOf::value ? FLOAT8OID : BOOLOID;
}

// Whether the value comes from elsewhere than the state.
bool is_given(const MeasureDef &m) { return m.measure == Measure::value || m.measure == Measure::flag; }

// Whether a measure changes while nothing happens. Of one with a rule, that tells.
bool moves(const MeasureDef &m) { return !is_given(m) && (rises_by_itself(m) || falls_by_itself(m)); }

// Which variables change while nothing happens.
class Moving {
public:
  explicit Moving(const ProgramDef &p) : program_(p) {
    for (const SignalDef &s : p.signals) slots_.push_back(moves(s));
    for (const NamedMeasure &m : p.measures) slots_.push_back(moves(m));
  }
  /// The value in a slot does.
  void add(std::size_t slot) { slots_[slot] = true; }
  bool has(const Variable &v) const {
    const auto i = static_cast<std::size_t>(v.index);
    switch (v.from) {
    case From::as_of:
    case From::history:
    case From::users: return true;
    case From::measure: return slots_[program_.signals.size() + i];
    case From::signal:
    case From::points: return slots_[i];
    case From::kind:
    case From::score: break;
    default: return false;
    }
    for (std::size_t s = 0; s < program_.signals.size(); s++) {
      if (slots_[s] && (v.from == From::score || static_cast<std::size_t>(program_.signals[s].kind) == i)) return true;
    }
    return false;
  }

private:
  const ProgramDef &program_;
  std::vector<bool> slots_; ///< of each signal, then of each measure
};

} // namespace

std::vector<SubjectRule> subject_rules(const ProgramDef &p) {
  using Place = SubjectRule::Place;
  std::vector<SubjectRule> out;
  const auto add = [&](Place place, std::size_t i, const std::string &text, std::string path) {
    if (!text.empty()) out.push_back({place, i, &text, std::move(path)});
  };
  const auto item = [](const char *list, std::size_t i) { return list + ("[" + std::to_string(i) + "]"); };
  add(Place::segment, 0, p.segment, "segment");
  for (std::size_t i = 0; i < p.measures.size(); i++)
    add(Place::measure, i, p.measures[i].value, "measures." + p.measures[i].name + ".value");
  for (std::size_t i = 0; i < p.signals.size(); i++) add(Place::signal, i, p.signals[i].value, "signals." + p.signals[i].name + ".value");
  add(Place::when, 0, p.qualify.when, "qualify.when");
  for (std::size_t i = 0; p.qualify.at_least && i < p.qualify.at_least->of.size(); i++)
    add(Place::at_least, i, p.qualify.at_least->of[i], item("qualify.at_least.of", i));
  for (std::size_t i = 0; i < p.motions.size(); i++) add(Place::motion, i, p.motions[i].when, item("motions", i) + ".when");
  for (std::size_t i = 0; i < p.guardrails.size(); i++)
    add(Place::guardrail, i, p.guardrails[i].block_when, item("guardrails", i) + ".block_when");
  for (std::size_t i = 0; i < p.motions.size(); i++) add(Place::acceptance, i, p.motions[i].accept_when, item("motions", i) + ".accept_when");
  if (p.quiet_hours) add(Place::zone, 0, p.quiet_hours->zone, "quiet_hours.zone");
  for (std::size_t i = 0; i < p.known.size(); i++) add(Place::known, i, p.known[i].value, join("known", p.known[i].label));
  return out;
}

void check_rules(const Definitions &plan, const ProgramDef &p, std::vector<Problem> &problems) {
  const auto report = [&](const std::string &path, const Complaint *c) {
    if (!c) return;
    Problem x{path, c->message, c->hint ? c->hint : ""};
    if (c->position > 0) x.problem += ", at character " + std::to_string(c->position);
    problems.push_back(std::move(x));
  };
  const auto of_event = [&](const std::string &path, const std::string &rule, Oid wanted) {
    if (!rule.empty()) report(path, call([&] { return check_event_rule(rule.c_str(), wanted, path.c_str()); }));
  };
  const auto of_measure = [&](const std::string &path, const MeasureDef &m) {
    of_event(path + ".where", m.where, BOOLOID);
    of_event(path + (m.measure == Measure::growth ? ".sum_of" : ".of"), m.of, FLOAT8OID);
    of_event(path + ".success", m.success, BOOLOID);
  };
  for (const MilestoneDef &m : p.milestones) of_event("milestones." + m.name + ".where", m.where, BOOLOID);
  for (const NamedMeasure &m : p.measures) of_measure("measures." + m.name, m);
  for (const SignalDef &s : p.signals) of_measure("signals." + s.name, s);
  if (p.quiet_hours && !p.quiet_hours->default_zone.empty() && known_zone_changes(p.quiet_hours->default_zone).empty())
    problems.push_back({"quiet_hours.default_zone", "time zone \"" + p.quiet_hours->default_zone + "\" not recognized",
                        "Name one of pg_timezone_names, such as Europe/Berlin or America/New_York."});
  check_outreach(plan, p, problems);
  const std::vector<SubjectRule> rules = subject_rules(p);
  if (rules.empty()) return;
  const Names names(plan, p);
  for (const SubjectRule &r : rules) {
    const std::vector<RuleVariable> variables = names.of(r.of());
    report(r.path, call([&] { return check_rule(r.text->c_str(), variables.data(), variables.size(), type_of(r), r.path.c_str()); }));
  }
}

// --------------------------------------------------------------------------------------------------------------- compiling

namespace {

struct Compiled {
  Rule *rule = nullptr; ///< null: there is none, or it doesn't compile any more
  std::size_t slot = 0; ///< of a value: where it belongs among those given
  std::string path, broken;
};

/// A variable that is used.
struct Input {
  From from;
  int index, variable;
  std::string column; ///< of an attribute
  Oid type;
  bool of_points;     ///< of a rule that gives points
  bool of_packet;     ///< of what is known, and nothing else
  FmgrInfo read{};    ///< of an attribute: from text
  Oid io_type = InvalidOid;
};

// Whether values of a type are mostly read without its input function (see read_plain).
bool is_read_plain(Oid type) {
  switch (type) {
  case BOOLOID:
  case TEXTOID:
  case VARCHAROID:
  case BPCHAROID:
  case NUMERICOID:
  case INT2OID:
  case INT4OID:
  case INT8OID:
  case FLOAT8OID: return true;
  default: return false;
  }
}

bool has_flags(const ProgramDef &p) {
  return std::ranges::any_of(p.signals, [](const SignalDef &s) { return s.measure == Measure::flag; });
}

bool asks_consent(const ProgramDef &p) {
  return std::ranges::any_of(p.motions, [](const MotionDef &m) { return !m.channel.empty(); });
}

// Whether a program has anything that rests on more than the state.
bool judges(const ProgramDef &p) { return has_flags(p) || asks_consent(p) || !subject_rules(p).empty(); }

} // namespace

struct ProgramRules {
  ProgramRules(const Definitions &plan, const Program &p);

  RuleNeeds needs, needs_of_points, needs_of_packet;
  std::set<AttributeName> attributes;
  std::set<std::string> facts; ///< as pql.fact_use has them
  RuleFrame frame{};
  std::vector<Input> inputs;
  Compiled segment, when, zone;
  std::vector<Compiled> values, at_least, motions, guardrails, acceptances, known; ///< the last four as in the document
  std::vector<ToldAttribute> told;
  std::vector<const Compiled *> broken; ///< those that don't compile
  bool values_fail = false, decisions_fail = false, known_fails = false; ///< whether data can make one of them fail
  bool fail_cleanly = true, known_fails_cleanly = true;                  ///< all of those that can

  std::vector<std::size_t> measured, measured_for_points; ///< named measures of events; those that points rest on

  // Of the assessment at hand.
  mutable std::vector<double> given;        ///< a value for each signal, then for each measure
  mutable std::vector<double> errors;       ///< of each measure
  mutable std::vector<const Input *> texts; ///< attributes to be read from text
  mutable std::vector<std::string_view> words; ///< what is known

private:
  Compiled &place_of(const SubjectRule &r, const ProgramDef &p);
  void compile(Compiled &c, const SubjectRule &r, const std::vector<RuleVariable> &variables, MemoryContext memory);
  void use(const Definitions &plan, const ProgramDef &p, const Variable &v, int variable, bool of_points, bool of_packet);
  void tell(const Definitions &plan, const ProgramDef &p, const Names &names, const std::vector<std::pair<SubjectRule, const Compiled *>> &rules);
};

const ProgramRules *Definitions::rules(const Program &p) const {
  if (const auto known = rules_.find(&p); known != rules_.end()) return known->second.get();
  std::shared_ptr<const ProgramRules> compiled;
  if (judges(p.def)) compiled = std::make_shared<const ProgramRules>(*this, p);
  return rules_.emplace(&p, std::move(compiled)).first->second.get();
}

RuleNeeds needs_of(const Definitions &plan, const Program &p, Ask ask) {
  const ProgramRules *r = plan.rules(p);
  if (!r) return {};
  return ask == Ask::points ? r->needs_of_points : ask == Ask::packet ? r->needs_of_packet : r->needs;
}

bool may_score_in_parallel(const Definitions &plan, const Program &p) {
  const ProgramRules *r = plan.rules(p);
  return !r || (r->fail_cleanly && r->broken.empty() && std::ranges::all_of(r->inputs, [](const Input &in) {
           return !in.of_points || (in.from != From::attribute && in.from != From::account) || is_read_plain(in.type);
         }));
}

std::set<AttributeName> attributes_named(const Definitions &plan, const ProgramDef &p) {
  Program program;
  program.def = p;
  std::set<AttributeName> all = ProgramRules(plan, program).attributes;
  all.merge(attributes_mentioned(plan, p));
  return all;
}

std::vector<ToldAttribute> attributes_told(const Definitions &plan, const Program &p) {
  const ProgramRules *r = plan.rules(p);
  return r ? r->told : std::vector<ToldAttribute>{};
}

std::set<std::string> facts_named(const Definitions &plan, const ProgramDef &p) {
  Program program;
  program.def = p;
  return ProgramRules(plan, program).facts;
}

ProgramRules::ProgramRules(const Definitions &plan, const Program &program) {
  const ProgramDef &p = program.def;
  needs.flags = needs_of_points.flags = needs_of_packet.flags = has_flags(p);
  needs.consent = needs_of_packet.consent = asks_consent(p);
  if (needs.consent) facts.insert("consent.channel");
  const Names names(plan, p);
  const std::vector<RuleVariable> variables[] = {names.of(RuleOf::value), names.of(RuleOf::segment), names.of(RuleOf::decision)};
  frame = call([&] { return make_frame(variables[0].data(), variables[0].size(), plan.memory()); });
  motions.resize(p.motions.size());
  guardrails.resize(p.guardrails.size());
  acceptances.resize(p.motions.size());
  known.resize(p.known.size());
  words.resize(p.known.size());
  values.reserve(p.measures.size() + p.signals.size());
  if (p.qualify.at_least) at_least.reserve(p.qualify.at_least->of.size());
  std::vector<SubjectRule> rules = subject_rules(p);
  std::ranges::stable_partition(rules, [](const SubjectRule &r) { return r.of() == RuleOf::value; });
  Moving moving(p);
  std::set<int> used, of_points, of_packet;
  std::vector<std::pair<SubjectRule, const Compiled *>> compiled;
  for (const SubjectRule &r : rules) {
    Compiled &c = place_of(r, p);
    compile(c, r, variables[static_cast<int>(r.of())], plan.memory());
    if (!c.rule) continue;
    compiled.emplace_back(r, &c);
    if (r.place == SubjectRule::Place::known) {
      known_fails |= c.rule->can_fail;
      known_fails_cleanly &= c.rule->fails_cleanly;
      for (int v = -1; (v = bms_next_member(c.rule->used, v)) >= 0;) of_packet.insert(v);
      continue;
    }
    (r.of() == RuleOf::decision ? decisions_fail : values_fail) |= c.rule->can_fail;
    fail_cleanly &= c.rule->fails_cleanly;
    bool moves = false;
    for (int v = -1; (v = bms_next_member(c.rule->used, v)) >= 0;) {
      used.insert(v);
      if (r.place == SubjectRule::Place::signal) of_points.insert(v);
      moves |= moving.has(names.all()[static_cast<std::size_t>(v)]);
    }
    needs.time |= moves;
    needs.time_to_stay |= moves && (r.place == SubjectRule::Place::segment || r.place == SubjectRule::Place::signal);
    if (moves && r.of() == RuleOf::value) moving.add(c.slot);
  }
  for (int v : used) use(plan, p, names.all()[static_cast<std::size_t>(v)], v, of_points.contains(v), false);
  for (int v : of_packet) {
    if (!used.contains(v)) use(plan, p, names.all()[static_cast<std::size_t>(v)], v, false, true);
  }
  tell(plan, p, names, compiled);
  needs.milestones |= std::ranges::any_of(p.measures, [](const MeasureDef &m) { return m.measure == Measure::milestone; });
  for (std::size_t i = 0; i < p.measures.size(); i++) {
    if (is_given(p.measures[i])) continue;
    const auto names_it = [&](const Input &in) { return in.of_points && in.from == From::measure && static_cast<std::size_t>(in.index) == i; };
    measured.push_back(i);
    if (std::ranges::any_of(inputs, names_it)) measured_for_points.push_back(i);
  }
  given.resize(p.signals.size() + p.measures.size());
  errors.resize(p.measures.size());
  texts.reserve(inputs.size());
}

Compiled &ProgramRules::place_of(const SubjectRule &r, const ProgramDef &p) {
  using Place = SubjectRule::Place;
  switch (r.place) {
  case Place::segment: return segment;
  case Place::when: return when;
  case Place::at_least: return at_least.emplace_back();
  case Place::motion: return motions[r.index];
  case Place::guardrail: return guardrails[r.index];
  case Place::acceptance: return acceptances[r.index];
  case Place::zone: return zone;
  case Place::known: return known[r.index];
  default: break;
  }
  Compiled &c = values.emplace_back();
  c.slot = r.place == Place::signal ? r.index : p.signals.size() + r.index;
  return c;
}

// A rule that was right when it was published may be wrong now: a column that it names is gone. It must fail nobody's insert.
void ProgramRules::compile(Compiled &c, const SubjectRule &r, const std::vector<RuleVariable> &variables, MemoryContext memory) {
  c.path = r.path;
  const auto make = [&] {
    c.rule = compile_rule(r.text->c_str(), variables.data(), variables.size(), type_of(r), c.path.c_str(), memory, &frame);
  };
  if (IsInParallelMode()) return call(make); // of a worker: whoever started it has tried
  Complaint *wrong = call([&] { return complaint_of(make); });
  if (!wrong) return;
  c.rule = nullptr;
  c.broken = wrong->message;
  broken.push_back(&c);
}

// What rules say to a person: whom the program is about, who enters, what is done, what is known, and why, where they may see that. Of
// measures, those that such rules name.
void ProgramRules::tell(const Definitions &plan, const ProgramDef &p, const Names &names,
                        const std::vector<std::pair<SubjectRule, const Compiled *>> &rules) {
  using Place = SubjectRule::Place;
  std::set<int> shown_measures, shown, all;
  const auto each = [&](const Compiled &c, auto &&f) {
    for (int v = -1; (v = bms_next_member(c.rule->used, v)) >= 0;) f(v, names.all()[static_cast<std::size_t>(v)]);
  };
  const auto is_shown = [&](const SubjectRule &r) {
    if (r.place == Place::signal) return p.signals[r.index].may_show_rep;
    if (r.place == Place::measure) return shown_measures.contains(static_cast<int>(r.index));
    return r.place != Place::guardrail && r.place != Place::zone;
  };
  for (const auto &[r, c] : rules) {
    if (r.place != Place::measure && is_shown(r)) each(*c, [&](int, const Variable &x) { if (x.from == From::measure) shown_measures.insert(x.index); });
  }
  for (const auto &[r, c] : rules) {
    if (r.place == Place::zone) continue;
    each(*c, [&](int v, const Variable &x) {
      if (x.from != From::attribute && x.from != From::account) return;
      all.insert(v);
      if (is_shown(r)) shown.insert(v);
    });
  }
  for (int v : all) {
    const Variable &x = names.all()[static_cast<std::size_t>(v)];
    const Unit unit = x.from == From::account ? Unit::account : p.unit;
    told.push_back({{unit, plan.attributes(unit)[static_cast<std::size_t>(x.index)].name}, shown.contains(v)});
  }
}

void ProgramRules::use(const Definitions &plan, const ProgramDef &p, const Variable &v, int variable, bool of_points, bool of_packet) {
  Input in{v.from, v.index, variable, {}, v.type, of_points, of_packet};
  const auto need = [&](bool RuleNeeds::*what) {
    needs.*what |= !of_packet;
    needs_of_points.*what |= of_points;
    needs_of_packet.*what = true;
  };
  switch (v.from) {
  case From::attribute:
  case From::account: {
    const Unit unit = v.from == From::account ? Unit::account : p.unit;
    need(v.from == From::account ? &RuleNeeds::account : &RuleNeeds::attributes);
    in.column = plan.attributes(unit)[static_cast<std::size_t>(v.index)].name;
    attributes.insert({unit, in.column});
    call([&] {
      Oid function;
      getTypeInputInfo(v.type, &function, &in.io_type);
      fmgr_info_cxt(function, &in.read, plan.memory());
    });
    break;
  }
  case From::fact:
    need(plan.facts()[static_cast<std::size_t>(v.index)].unit == p.unit ? &RuleNeeds::facts : &RuleNeeds::account_facts);
    facts.insert(v.name);
    break;
  case From::history:
    need(&RuleNeeds::history);
    facts.insert(v.name);
    break;
  case From::milestone: {
    const TrackerSpec spec = milestone_spec(p.milestones[static_cast<std::size_t>(v.index)], p.unit);
    const auto found = std::ranges::find_if(plan.infos(), [&](const TrackerInfo &t) { return t.spec == spec; });
    in.index = found == plan.infos().end() ? -1 : found->id;
    need(&RuleNeeds::milestones);
    break;
  }
  case From::users: need(&RuleNeeds::users); break;
  default: break;
  }
  inputs.push_back(std::move(in));
}

// ----------------------------------------------------------------------------------------------------------------- errors

void RuleErrors::add(const Program &p, const std::string &path, std::string_view message) {
  constexpr std::size_t kLongest = 200;
  Count &c = all_[{p.def.name, p.version, path}];
  c.errors++;
  c.example = message.substr(0, call([&] {
    return static_cast<std::size_t>(pg_mbcliplen(message.data(), static_cast<int>(message.size()), kLongest));
  }));
}

void RuleErrors::record() {
  if (all_.empty()) return;
  Spi spi;
  for (const auto &[key, count] : all_) {
    spi.run("INSERT INTO pql.rule_error AS e (program, version, path, slot, errors, last_at, example)"
            " VALUES ($1, $2, $3, pg_catalog.pg_backend_pid() % 64, $4, pg_catalog.statement_timestamp(), $5)"
            " ON CONFLICT (program, version, path, slot) DO UPDATE"
            " SET errors = e.errors + excluded.errors, last_at = excluded.last_at, example = excluded.example",
            {Arg::of(key.program), Arg::of(key.version), Arg::of(key.path), Arg::of(count.errors), Arg::of(count.example)});
  }
  spi.finish();
  all_.clear();
}

// --------------------------------------------------------------------------------------------------------------- assessing

namespace {

// As its text is read. Most numbers are small and whole, and needn't be written as text for that. Inside call().
double float_of(Numeric n) {
  if (!numeric_is_nan(n) && !numeric_is_inf(n) && DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(n))) == 0) {
    bool too_large = false;
    const int32 whole = numeric_int4_opt_error(n, &too_large);
    if (!too_large) return whole;
  }
  return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(n)));
}

// A value of an attribute that can be had without its type's input function, which may fail. Inside call().
bool read_plain(const JsonbValue &v, Oid type, Datum *out) {
  constexpr double kExact = 9007199254740991; // 2^53 - 1: no other integer is as a float what one up to this is
  switch (type) {
  case BOOLOID:
    *out = BoolGetDatum(v.type == jbvBool && v.val.boolean);
    return v.type == jbvBool;
  case TEXTOID:
  case VARCHAROID:
  case BPCHAROID:
    if (v.type != jbvString) return false;
    *out = PointerGetDatum(cstring_to_text_with_len(v.val.string.val, v.val.string.len));
    return true;
  case NUMERICOID:
    *out = v.type == jbvNumeric ? NumericGetDatum(v.val.numeric) : 0;
    return v.type == jbvNumeric;
  case INT2OID:
  case INT4OID:
  case INT8OID:
  case FLOAT8OID: break;
  default: return false;
  }
  if (v.type != jbvNumeric) return false;
  const double d = float_of(v.val.numeric);
  const double most = type == INT2OID ? PG_INT16_MAX : type == INT4OID ? PG_INT32_MAX : kExact;
  if (type == FLOAT8OID) *out = Float8GetDatum(d);
  if (type == FLOAT8OID) return !std::isinf(d);
  if (!(std::fabs(d) <= most) || d != std::trunc(d)) return false;
  if (type == INT2OID) *out = Int16GetDatum(static_cast<int16>(d));
  else *out = type == INT4OID ? Int32GetDatum(static_cast<int32>(d)) : Int64GetDatum(static_cast<int64>(d));
  return true;
}

// Its text. Inside call().
char *text_of(JsonbValue &v, Oid type) {
  if (v.type == jbvString && type != JSONOID && type != JSONBOID) return pnstrdup(v.val.string.val, static_cast<Size>(v.val.string.len));
  Jsonb *j = JsonbValueToJsonb(&v);
  return JsonbToCString(nullptr, &j->root, VARSIZE(j));
}

class Assessor {
public:
  Assessor(const Definitions &plan, const Program &p, const ProgramRules &rules, const Facts &facts, Micros as_of, RuleErrors *errors)
      : plan_(plan), p_(p), r_(rules), facts_(facts), as_of_(as_of), errors_(errors) {}

  Assessment run(const Subject &s, std::span<Reason> reasons, Ask ask) {
    of_points_ = ask == Ask::points;
    of_packet_ = ask == Ask::packet;
    Assessment a;
    a.given = r_.given;
    if (errors_) {
      for (const Compiled *c : r_.broken) errors_->add(p_, c->path, c->broken);
    }
    measure(s);
    call([&] {
      ResetExprContext(r_.frame.context);
      set_known(s);
    });
    const bool reads = !r_.texts.empty(); // by functions of types, under settings of our own
    if (reads && IsInParallelMode()) {
      a.told = false;
      return a;
    }
    evaluate(r_.values_fail || reads, r_.fail_cleanly && !reads, [&] {
      read_texts();
      for (const Compiled &c : r_.values) {
        if (is_wanted(c)) r_.given[c.slot] = value(c);
      }
      if (of_points_) return;
      set_measures();
      a.in_segment = holds(r_.segment);
    });
    a.score = score(p_, plan_.trackers(), s, as_of_, reasons, r_.given);
    if (std::ranges::any_of(r_.errors, [](double e) { return e > 0; })) find_errors(reasons);
    count_kinds(p_.def, reasons, a);
    if (ask == Ask::points) return a;
    set_points(reasons, a);
    evaluate(r_.decisions_fail, r_.fail_cleanly, [&] {
      a.rule = holds(r_.when);
      a.when = (a.rule || ask == Ask::all) && holds_enough(ask, a.held) && a.rule;
      if (ask == Ask::score) return;
      a.motion = first(r_.motions, true);
      a.guardrail = first(r_.guardrails, false);
      a.accepted = accepted(a.motion);
      a.zone = words(r_.zone);
    });
    if (of_packet_ && !r_.known.empty()) {
      evaluate(r_.known_fails, r_.known_fails_cleanly, [&] {
        for (std::size_t i = 0; i < r_.known.size(); i++) r_.words[i] = words(r_.known[i]);
      });
      a.known = r_.words;
    }
    if (ask == Ask::score || !r_.needs.consent) return a;
    for (std::size_t i = 0; i < p_.def.motions.size(); i++) a.barred |= unsigned{is_barred(p_.def.motions[i].channel)} << i;
    return a;
  }

  static void count_kinds(const ProgramDef &p, std::span<const Reason> reasons, Assessment &a) {
    bool speaks = false, gives = false;
    for (std::size_t i = 0; i < reasons.size(); i++) {
      if (reasons[i].points == 0) continue;
      a.kinds[static_cast<std::size_t>(p.signals[i].kind)] += reasons[i].points;
      gives |= reasons[i].points > 0;
      speaks |= reasons[i].points > 0 && may_be_spoken_of(p.signals[i]);
    }
    a.speaks = speaks || !gives;
    a.kinds_met = has_kinds(p.qualify, a.kinds);
  }

private:
  // Does something that evaluates rules: all in one try where the data may make one fail and, if one did, once more with a try for
  // each. Inside call() the first time: nothing there may have a destructor.
  template <class F> void evaluate(bool can_fail, bool cleanly, F &&f) {
    one_by_one_ = false;
    cleanly_ = cleanly;
    if (!can_fail) return call([&] { f(); });
    if (call([&] { return try_to(f); })) return;
    one_by_one_ = true;
    f();
  }

  // Inside call(). In a subtransaction, unless what fails leaves nothing behind.
  template <class F> bool try_to(F &f, ErrorData **error = nullptr) const {
    return (cleanly_ ? trapped_by : guarded_by)([](void *g) { (*static_cast<F *>(g))(); }, &f, is_data_error, error);
  }

  // Whether the value of a rule is asked for: signals come before measures.
  bool is_wanted(const Compiled &c) const { return !of_points_ || c.slot < p_.def.signals.size(); }
  bool is_wanted(const Input &in) const { return (!of_points_ || in.of_points) && (of_packet_ || !in.of_packet); }

  // What a rule gives; NaN when that is NULL, or the rule fails.
  double value(const Compiled &c) {
    double v = kNothing;
    auto f = [&] {
      bool isnull;
      const Datum d = eval_rule_in_frame(c.rule, &isnull);
      if (!isnull) v = c.rule->type == BOOLOID ? DatumGetBool(d) : DatumGetFloat8(d);
    };
    ask(c, f);
    return v;
  }

  // The same of a text; empty. It lives until the next assessment.
  std::string_view words(const Compiled &c) {
    std::string_view v;
    auto f = [&] {
      bool isnull;
      const Datum d = eval_rule_in_frame(c.rule, &isnull);
      if (isnull) return;
      const text *const t = DatumGetTextPP(d);
      const auto n = static_cast<int>(VARSIZE_ANY_EXHDR(t));
      v = {static_cast<char *>(memcpy(MemoryContextAlloc(r_.frame.context->ecxt_per_tuple_memory, static_cast<Size>(n) + 1), VARDATA_ANY(t), static_cast<Size>(n))),
           static_cast<std::size_t>(n)};
    };
    ask(c, f);
    return v;
  }

  template <class F> void ask(const Compiled &c, F &f) {
    if (!c.rule) return;
    if (!one_by_one_) f();
    else attempt(c, f);
  }

  // A bit for each of the motions up to one, of which nothing is asked or what is asked holds.
  std::uint32_t accepted(int last) {
    std::uint32_t bits = ~0u;
    for (int i = 0; i <= last; i++) {
      if (!holds(r_.acceptances[static_cast<std::size_t>(i)])) bits &= ~(1u << i);
    }
    return bits;
  }

  template <class F> void attempt(const Compiled &c, F &f) {
    ErrorData *error = nullptr;
    if (call([&] { return try_to(f, &error); })) return;
    if (errors_ && !supposing_) errors_->add(p_, c.path, error->message);
    call([&] { FreeErrorData(error); });
  }

  // Whether a condition holds; one that there isn't does, one that can't be had doesn't.
  bool holds(const Compiled &c) { return c.path.empty() || value(c) == 1; }

  bool holds_enough(Ask ask, int &held) {
    if (!p_.def.qualify.at_least) return true;
    held = 0; // again, when a rule failed
    for (const Compiled &c : r_.at_least) {
      if (holds(c) && ++held == p_.def.qualify.at_least->count && ask != Ask::all) return true;
    }
    return held >= p_.def.qualify.at_least->count;
  }

  // A person's word and his account's both count: each may object; and of both the newest by the channel, or by any.
  bool is_barred(const std::string &channel) const {
    if (channel.empty()) return false;
    bool agreed = false;
    for (const bool of_account : {false, true}) {
      const ConsentWord *newest = nullptr;
      for (const ConsentWord &w : facts_.consent) {
        if (w.of_account != of_account || (!w.channel.empty() && w.channel != channel)) continue;
        if (!newest || w.at > newest->at || (w.at == newest->at && !w.granted)) newest = &w;
      }
      if (newest && !newest->granted) return true;
      agreed |= newest != nullptr;
    }
    return p_.def.consent == Consent::opt_in && !agreed;
  }

  // The first that holds, or -1.
  int first(const std::vector<Compiled> &all, bool otherwise) {
    for (std::size_t i = 0; i < all.size(); i++) {
      if (all[i].path.empty() ? otherwise : holds(all[i])) return static_cast<int>(i);
    }
    return -1;
  }

  // ------------------------------------------------------------------------------------------------------------- variables

  void set(const Input &in, Datum value, bool isnull) {
    r_.frame.params->params[in.variable].value = value;
    r_.frame.params->params[in.variable].isnull = isnull;
  }
  void set(const Input &in, double value) { set(in, Float8GetDatum(value), std::isnan(value)); }

  // What is known before any rule, but for attributes whose text must be read.
  void set_known(const Subject &s) {
    r_.texts.clear();
    for (const Input &in : r_.inputs) {
      if (!is_wanted(in)) continue;
      switch (in.from) {
      case From::attribute: set_attribute(in, facts_.attributes); break;
      case From::account: set_attribute(in, facts_.account); break;
      case From::fact: set_fact(in); break;
      case From::history: set_history(in); break;
      case From::users: set(in, facts_.users_active); break;
      case From::as_of: set(in, TimestampTzGetDatum(as_of_), false); break;
      case From::milestone: {
        const FirstTime *m = in.index < 0 ? nullptr : s.milestone(static_cast<TrackerId>(in.index));
        const bool reached = m && m->at <= as_of_;
        set(in, TimestampTzGetDatum(reached ? m->at : 0), !reached);
        break;
      }
      case From::measure: set(in, r_.given[p_.def.signals.size() + static_cast<std::size_t>(in.index)]); break;
      default: set(in, 0, true); break;
      }
    }
  }

  // Those that are values are known now, too.
  void set_measures() {
    for (const Input &in : r_.inputs) {
      if (in.from == From::measure) set(in, r_.given[p_.def.signals.size() + static_cast<std::size_t>(in.index)]);
    }
  }

  void set_points(std::span<const Reason> reasons, const Assessment &a) {
    for (const Input &in : r_.inputs) {
      const auto i = static_cast<std::size_t>(in.index);
      switch (in.from) {
      case From::signal: set(in, is_given(p_.def.signals[i]) && std::isnan(r_.given[i]) ? kNothing : reasons[i].value); break;
      case From::points: set(in, reasons[i].points); break;
      case From::kind: set(in, a.kinds[i]); break;
      case From::score: set(in, a.score); break;
      default: break;
      }
    }
  }

  bool find(const Input &in, const std::optional<Datum> &body, JsonbValue *v) {
    if (!body) return false;
    Jsonb *&j = &body == &facts_.account ? account_ : attributes_;
    if (!j) { // mostly a copy, of what is stored in fewer bytes
      MemoryContext const before = MemoryContextSwitchTo(r_.frame.context->ecxt_per_tuple_memory);
      j = DatumGetJsonbP(*body);
      MemoryContextSwitchTo(before);
    }
    return JB_ROOT_IS_OBJECT(j) &&
           getKeyJsonValueFromContainer(&j->root, in.column.data(), static_cast<int>(in.column.size()), v) && v->type != jbvNull;
  }

  void set_history(const Input &in) {
    const double v = facts_.history[static_cast<std::size_t>(in.index)];
    if (in.type == BOOLOID) set(in, BoolGetDatum(v == 1), std::isnan(v));
    else set(in, v);
  }

  void set_fact(const Input &in) {
    const FactValue &v = facts_.facts[static_cast<std::size_t>(in.index)];
    if (in.type == TIMESTAMPTZOID) set(in, TimestampTzGetDatum(v.at), v.at == kAlways);
    else set(in, v.number);
  }

  void set_attribute(const Input &in, const std::optional<Datum> &body) {
    set(in, 0, true);
    JsonbValue v;
    if (!find(in, body, &v)) return;
    Datum d = 0;
    MemoryContext const before = MemoryContextSwitchTo(r_.frame.context->ecxt_per_tuple_memory);
    if (read_plain(v, in.type, &d)) set(in, d, false);
    else r_.texts.push_back(&in); // there is room
    MemoryContextSwitchTo(before);
  }

  // A value that its type can't read is none.
  void read_texts() {
    for (const Input *in : r_.texts) {
      auto f = [&] { read_text(*in); };
      if (!one_by_one_) f();
      else (void)call([&] { return try_to(f); });
    }
  }

  void read_text(const Input &in) {
    set(in, 0, true);
    JsonbValue v;
    if (!find(in, in.from == From::account ? facts_.account : facts_.attributes, &v)) return;
    MemoryContext const before = MemoryContextSwitchTo(r_.frame.context->ecxt_per_tuple_memory);
    const int level = fixed_settings();
    const Datum d = InputFunctionCall(const_cast<FmgrInfo *>(&in.read), text_of(v, in.type), in.io_type, -1);
    AtEOXact_GUC(true, level);
    MemoryContextSwitchTo(before);
    set(in, d, false);
  }

  // What the state says of measures, and what people say of flags.
  void measure(const Subject &s) {
    const std::vector<SignalDef> &signals = p_.def.signals;
    for (std::size_t i = 0; i < signals.size(); i++) {
      const bool flagged = signals[i].measure == Measure::flag && std::ranges::find(facts_.flags, signals[i].name) != facts_.flags.end();
      r_.given[i] = flagged ? 1 : kNothing;
    }
    std::fill(r_.given.begin() + static_cast<std::ptrdiff_t>(signals.size()), r_.given.end(), kNothing);
    for (const std::size_t i : of_points_ ? r_.measured_for_points : r_.measured) {
      const NamedMeasure &m = p_.def.measures[i];
      const Measured x = measured(m, find_measure(m, p_.measures[i], plan_.trackers(), s, as_of_).parts);
      r_.given[signals.size() + i] = x.value;
      r_.errors[i] = x.error;
    }
  }

  // How far values may be off since measures are that they rest on: by what they would be at both ends of where the measure may be, so a
  // bound of those that only grow with it, or only fall.
  void find_errors(std::span<Reason> reasons) {
    supposing_ = true;
    for (const Input &in : r_.inputs) {
      if (in.from != From::measure) continue;
      const double v = r_.given[p_.def.signals.size() + static_cast<std::size_t>(in.index)], error = r_.errors[static_cast<std::size_t>(in.index)];
      if (!(error > 0)) continue;
      const double more = v + error, less = std::isinf(error) ? v : v - error; // of what isn't bounded it is known that it is no smaller
      for (const Compiled &c : r_.values) {
        if (c.slot >= reasons.size() || !c.rule || !bms_is_member(in.variable, c.rule->used)) continue;
        double high = kNothing, low = kNothing;
        evaluate(r_.values_fail, r_.fail_cleanly, [&] {
          set(in, more);
          high = value(c);
          set(in, less);
          low = value(c);
          set(in, v);
        });
        widen(reasons[c.slot], p_.def.signals[c.slot], high, low, std::isinf(error));
      }
    }
    supposing_ = false;
  }

  static void widen(Reason &r, const SignalDef &d, double high, double low, bool unbounded) {
    const auto off = [&](double x) { return (std::isnan(x) ? 0 : d.cap > 0 ? std::min(x, d.cap) : x) - r.value; };
    const double most = std::max(std::fabs(off(high)), std::fabs(off(low)));
    if (unbounded && most > 0) r.error = std::copysign(std::numeric_limits<double>::infinity(), off(high));
    else r.error += most;
  }

  const Definitions &plan_;
  const Program &p_;
  const ProgramRules &r_;
  const Facts &facts_;
  const Micros as_of_;
  RuleErrors *const errors_;
  bool of_points_ = false, of_packet_ = false, one_by_one_ = false, cleanly_ = false;
  Jsonb *attributes_ = nullptr, *account_ = nullptr; ///< once they were looked at
  bool supposing_ = false; ///< what fails then has failed for nobody
};

} // namespace

Assessment assess(const Definitions &plan, const Program &p, const Subject &whole, Micros as_of, const Facts &facts,
                  std::span<Reason> reasons, RuleErrors *errors, Ask ask) {
  Assessment a;
  if (const ProgramRules *rules = plan.rules(p)) {
    a = Assessor(plan, p, *rules, facts, as_of, errors).run(whole, reasons, ask);
  } else {
    a.score = score(p, plan.trackers(), whole, as_of, reasons);
    Assessor::count_kinds(p.def, reasons, a);
    if (ask != Ask::score) a.motion = 0; // without conditions the first is the only one
  }
  if ((ask == Ask::route || ask == Ask::all) && plan.has_internal_domains()) a.internal = plan.internal_domain(whole.id.view(), facts.account_id);
  return a;
}

Route route_of(const ProgramDef &p, const Assessment &a, int open, bool may_rise) noexcept {
  Route r;
  r.motion = a.motion < 0 ? static_cast<int>(p.motions.size()) - 1 : a.motion;
  if (!may_rise) r.motion = std::max(r.motion, open);
  r.called = open < 0 ? r.motion : std::min(r.motion, open);
  if (a.guardrail >= 0) r.guardrail = a.guardrail;
  else if (a.internal >= 0) r.guardrail = kInternal + a.internal;
  else if (a.barred >> static_cast<unsigned>(r.called) & 1) r.guardrail = kNoConsent;
  else r.guardrail = obstacle(p, r.called, a.accepted, a.speaks);
  return r;
}

static_assert(kInternal + static_cast<int>(kDomainKinds.size()) <= kThin);

std::string blocked_by(const ProgramDef &p, const Route &r) {
  if (r.guardrail < 0) return {};
  if (r.guardrail >= kThin) return "the context is too thin";
  if (r.guardrail == kNoConsent) return "no consent to " + p.motions[static_cast<std::size_t>(r.called)].channel;
  if (r.guardrail >= kInternal) return std::string(kDomainKinds[static_cast<std::size_t>(r.guardrail - kInternal)]) + "'s domain";
  if (r.guardrail < kNotAccepted) return p.guardrails[static_cast<std::size_t>(r.guardrail)].reason;
  if (r.guardrail == kNoAction) return "no clear next best action";
  const MotionDef &m = p.motions[static_cast<std::size_t>(r.guardrail - kNotAccepted)];
  return "not accepted yet: " + (m.accept_because.empty() ? m.accept_when : m.accept_because);
}

namespace {

bool is_exempt(const ProgramDef &p, Exempt e) noexcept { return p.holdout_exempt >> static_cast<unsigned>(e) & 1; }

bool is_named_account(std::string_view account) {
  Spi spi;
  const bool named = spi.run("SELECT FROM pql.account_owner WHERE account_id = $1", {Arg::of(account)}) > 0;
  spi.finish();
  return named;
}

} // namespace

bool is_kept_out(const Program &p, std::string_view home, std::string_view subject, Micros at) {
  if (!p.tried) return false;
  Spi spi;
  // A pilot that runs holds out by its own lot.
  const bool kept = spi.run("SELECT FROM pql.pilot AS x JOIN pql.routing AS r ON r.program = x.pilot_program AND r.holdout"
                            "   AND r.qualified_at BETWEEN x.started_at AND coalesce(x.ended_at, 'infinity')"
                            " WHERE (x.program = $1 OR x.pilot_program = $1 AND x.ended_at IS NOT NULL)"
                            "   AND (r.home = $2 OR r.unit = 'user' AND r.subject_id = $3) AND r.subject_id = $3 AND r.qualified_at + x.horizon > $4 LIMIT 1",
                            {Arg::of(p.def.name), Arg::of(home), Arg::of(subject), Arg::time(at)}) > 0;
  spi.finish();
  return kept;
}

Lot lot_of(const ProgramDef &p, std::string_view subject, bool kept_out, const Assessment &a, std::span<const Reason> reasons, std::string_view account) {
  const bool drawn = is_held_out(p, subject);
  if (!drawn && !kept_out) return {};
  for (std::size_t i = 0; i < p.signals.size(); i++) {
    const SignalDef &s = p.signals[i];
    if (s.measure == Measure::flag && i < a.given.size() && a.given[i] == 1) return {false, false, "flagged by hand"};
    if (s.is_explicit && reasons[i].points > 0 && is_exempt(p, Exempt::explicit_requests)) return {false, false, "explicit request"};
  }
  if (!account.empty() && is_exempt(p, Exempt::named_accounts) && is_named_account(account)) return {false, false, "named account"};
  return {true, !drawn, {}};
}

} // namespace pql::pg
