#include "core/program/trackers.hpp"

#include <algorithm>

namespace pql {
namespace {

void add_once(std::vector<TrackerSpec> &all, TrackerSpec s) {
  if (std::find(all.begin(), all.end(), s) == all.end()) all.push_back(std::move(s));
}

} // namespace

TrackerSpec milestone_spec(const MilestoneDef &m, Unit unit) {
  TrackerSpec s;
  s.kind = Tracker::Kind::milestone;
  s.unit = unit;
  s.name = m.name;
  s.events = {m.event};
  s.rules = {m.where};
  return s;
}

std::string_view name_of(Tracker::Kind k) noexcept {
  switch (k) {
  case Tracker::Kind::milestone: return "milestone";
  case Tracker::Kind::decay: return "decay";
  case Tracker::Kind::funnel: return "funnel";
  case Tracker::Kind::none: break;
  }
  return "none";
}

TrackerSpec activation_spec(const ProgramDef &p) {
  TrackerSpec s;
  s.kind = Tracker::Kind::funnel;
  s.unit = p.unit;
  s.in_order = p.activation->in_order;
  s.within = p.activation->within;
  for (const std::string &step : p.activation->steps) {
    const MilestoneDef *m = p.milestone(step);
    s.events.push_back(m ? m->event : std::string());
    s.rules.push_back(m ? m->where : std::string());
  }
  return s;
}

TrackerSpec signal_spec(const ProgramDef &p, const SignalDef &d) {
  if (d.measure == Measure::activation) return activation_spec(p);
  if (d.measure == Measure::milestone) {
    const MilestoneDef *m = p.milestone(d.milestone);
    return milestone_spec(m ? *m : MilestoneDef{}, p.unit);
  }
  TrackerSpec s;
  s.kind = Tracker::Kind::decay;
  s.unit = p.unit;
  s.events = {d.event};
  s.rules = {d.where};
  s.value_rule = d.measure == Measure::sum ? d.of : std::string();
  s.half_life = d.half_life;
  return s;
}

std::vector<TrackerSpec> tracker_specs(const ProgramDef &p) {
  std::vector<TrackerSpec> all;
  for (const MilestoneDef &m : p.milestones) {
    add_once(all, milestone_spec(m, Unit::user));
    if (p.unit == Unit::account) add_once(all, milestone_spec(m, Unit::account));
  }
  if (p.activation) add_once(all, activation_spec(p));
  for (const SignalDef &s : p.signals) add_once(all, signal_spec(p, s));
  return all;
}

} // namespace pql
