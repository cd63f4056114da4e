#include "core/program/trackers.hpp"

#include <algorithm>

namespace pql {
namespace {

void add_once(std::vector<TrackerSpec> &all, TrackerSpec s) {
  if (std::find(all.begin(), all.end(), s) == all.end()) all.push_back(std::move(s));
}

// Of steps: milestones or, where none has the name, events.
TrackerSpec funnel_spec(const ProgramDef &p, const std::vector<std::string> &steps, bool in_order, Micros within) {
  TrackerSpec s;
  s.kind = Tracker::Kind::funnel;
  s.unit = p.unit;
  s.in_order = in_order;
  s.within = within;
  for (const std::string &step : steps) {
    const MilestoneDef *m = p.milestone(step);
    s.events.push_back(m ? m->event : step);
    s.rules.push_back(m ? m->where : std::string());
  }
  return s;
}

TrackerSpec spec_over_events(const ProgramDef &p, const MeasureDef &d, Tracker::Kind kind) {
  TrackerSpec s;
  s.kind = kind;
  s.unit = p.unit;
  s.events = {d.event};
  s.rules = {d.where};
  return s;
}

TrackerSpec decay_spec(const ProgramDef &p, const MeasureDef &d) {
  TrackerSpec s = spec_over_events(p, d, Tracker::Kind::decay);
  s.value_rule = d.measure == Measure::sum ? d.of : std::string();
  s.half_life = d.half_life;
  return s;
}

Tracker::Kind kind_for(Measure of) {
  switch (of) {
  case Measure::distinct_users: return Tracker::Kind::users;
  case Measure::active_days:
  case Measure::streak: return Tracker::Kind::days;
  case Measure::time_in_product: return Tracker::Kind::sessions;
  case Measure::recency: return Tracker::Kind::latest;
  default: return Tracker::Kind::window;
  }
}

TrackerSpec window_spec(const ProgramDef &p, const MeasureDef &d, Measure of, int spans) {
  TrackerSpec s = spec_over_events(p, d, kind_for(of));
  if (s.kind == Tracker::Kind::latest) return s;
  s.value_rule = of == Measure::sum ? d.of : std::string();
  s.window = d.window;
  s.spans = spans;
  if (s.kind == Tracker::Kind::sessions) s.gap = d.gap;
  return s;
}

constexpr std::pair<Tracker::Kind, std::string_view> kKinds[] = {
    {Tracker::Kind::milestone, "milestone"}, {Tracker::Kind::decay, "decay"},       {Tracker::Kind::funnel, "funnel"},
    {Tracker::Kind::window, "window"},       {Tracker::Kind::days, "days"},         {Tracker::Kind::users, "users"},
    {Tracker::Kind::sessions, "sessions"},   {Tracker::Kind::latest, "latest"}};

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
  for (const auto &[kind, name] : kKinds) {
    if (kind == k) return name;
  }
  return "none";
}

Tracker::Kind tracker_kind(std::string_view name) noexcept {
  for (const auto &[kind, its] : kKinds) {
    if (its == name) return kind;
  }
  return Tracker::Kind::none;
}

std::string key_of(const TrackerSpec &s) {
  std::string key;
  const auto add = [&](std::string_view part) { // with its length in front: no two lists of parts look the same
    key += std::to_string(part.size());
    key += ':';
    key += part;
  };
  const auto add_number = [&](std::int64_t n) { add(std::to_string(n)); };
  const auto add_all = [&](const std::vector<std::string> &parts) {
    add_number(static_cast<std::int64_t>(parts.size()));
    for (const std::string &part : parts) add(part);
  };
  add(name_of(s.kind));
  add(name_of(s.unit));
  add(s.name);
  add_all(s.events);
  add_all(s.rules);
  add(s.value_rule);
  for (const std::int64_t n : {s.half_life, static_cast<Micros>(s.in_order), s.within, s.window, static_cast<Micros>(s.spans), s.gap}) add_number(n);
  return key;
}

Tracker tracker_of(const TrackerSpec &s) {
  Tracker t;
  t.kind = s.kind;
  t.half_life = s.half_life;
  t.funnel = {static_cast<int>(s.events.size()), s.in_order, s.within};
  if (t.keeps_marks()) {
    constexpr auto first = static_cast<int>(Tracker::Kind::window); // in the same order
    static_assert(static_cast<int>(Tracker::Kind::latest) - first == static_cast<int>(MarksKind::latest));
    t.marks = {static_cast<MarksKind>(static_cast<int>(s.kind) - first), static_cast<std::uint8_t>(std::max(s.spans, 1)), s.window, s.gap};
  }
  return t;
}

TrackerSpec activation_spec(const ProgramDef &p) {
  return funnel_spec(p, p.activation->steps, p.activation->in_order, p.activation->within);
}

std::vector<TrackerSpec> measure_specs(const ProgramDef &p, const MeasureDef &d) {
  switch (d.measure) {
  case Measure::activation: return {activation_spec(p)};
  case Measure::milestone: {
    const MilestoneDef *m = p.milestone(d.milestone);
    return {milestone_spec(m ? *m : MilestoneDef{}, p.unit)};
  }
  case Measure::pattern: return {funnel_spec(p, d.steps, d.in_order, d.within)};
  case Measure::success_rate: {
    TrackerSpec all = window_spec(p, d, Measure::count, 1), some = all;
    some.rules = {d.where.empty() ? d.success : "(" + d.where + ") AND (" + d.success + ")"};
    return {all, some};
  }
  case Measure::growth: return {window_spec(p, d, d.growth_of, 2)};
  case Measure::value:
  case Measure::flag: return {};
  default: return {d.half_life > 0 ? decay_spec(p, d) : window_spec(p, d, d.measure, 1)};
  }
}

TrackerSpec account_spec() {
  TrackerSpec s;
  s.kind = Tracker::Kind::latest;
  s.unit = Unit::workspace;
  s.name = kAccountOf;
  s.events = {std::string(kEveryEvent)};
  s.rules = {{}};
  return s;
}

std::vector<TrackerSpec> tracker_specs(const ProgramDef &p) {
  std::vector<TrackerSpec> all;
  if (p.unit == Unit::workspace) all.push_back(account_spec());
  for (const MilestoneDef &m : p.milestones) {
    add_once(all, milestone_spec(m, Unit::user));
    add_once(all, milestone_spec(m, p.unit));
  }
  if (p.activation) add_once(all, activation_spec(p));
  const auto add = [&](const MeasureDef &d) {
    for (TrackerSpec &s : measure_specs(p, d)) add_once(all, std::move(s));
  };
  for (const SignalDef &s : p.signals) add(s);
  for (const NamedMeasure &m : p.measures) add(m);
  return all;
}

} // namespace pql
