#include <array>
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/base/instant.hpp"
#include "core/qualify/qualify.hpp"
#include "pg/packet.hpp"

namespace pql::pg {
namespace {

using json = nlohmann::ordered_json;

// Ids come from the customer's tables: what isn't UTF-8 is replaced rather than refused.
std::string dump(const json &j) { return j.dump(-1, ' ', false, json::error_handler_t::replace); }

std::vector<std::size_t> by_points(std::span<const Reason> reasons) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < reasons.size(); i++) {
    if (reasons[i].points != 0) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return reasons[a].points > reasons[b].points; });
  return order;
}

// As many digits as mean something to a reader.
double shown(double value) { return std::round(value * 1e4) / 1e4; }

// What may be wrong with a value is never more than what is said.
double shown_error(double error) { return std::ceil(error * 1e4) / 1e4; }

std::string spoken(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

json event_of(std::string_view id) { return id.empty() ? json(nullptr) : json(event_id_text(id)); }

json milestones_json(const Definitions &plan, Unit unit, const Subject &subject, const Home &home) {
  struct Reached {
    const TrackerInfo *info;
    const FirstTime *at;
    std::string_view user;
  };
  std::vector<Reached> all;
  const auto add = [&](const Subject &s) {
    for (const FirstTime &m : s.milestones) {
      const TrackerInfo *info = plan.info(m.tracker);
      if (!info || info->spec.unit != (unit == Unit::workspace ? unit : Unit::user)) continue; // of an account's users whose they are
      const auto same = std::find_if(all.begin(), all.end(), [&](const Reached &r) { return r.info == info; });
      if (same == all.end()) all.push_back({info, &m, s.id.view()});
      else if (m.at < same->at->at) *same = {info, &m, s.id.view()};
    }
  };
  if (unit == Unit::account)
    for (const Subject &s : home.members) add(s);
  else add(subject);
  std::sort(all.begin(), all.end(), [](const Reached &a, const Reached &b) { return a.at->at < b.at->at; });
  json out = json::array();
  for (const Reached &r : all)
    out.push_back({{"name", r.info->spec.name},
                   {"at", print_instant(r.at->at)},
                   {"event_id", event_of(r.at->event())},
                   {"user_id", unit == Unit::workspace ? json(nullptr) : json(std::string(r.user))}});
  return out;
}

json activation_json(const Definitions &plan, const Program &p, const Subject &s) {
  const FunnelSpec &spec = plan.trackers()[p.activation_tracker].funnel;
  const auto [level, next, skipped] = activation_state(plan, p, s);
  return {{"steps", p.def.activation->steps},
          {"level", level.level},
          {"complete", level.level == spec.steps},
          {"started_at", level.level ? json(print_instant(level.started)) : json(nullptr)},
          {"reached_at", level.level ? json(print_instant(level.reached)) : json(nullptr)},
          {"skipped", skipped},
          {"next", next.empty() ? json(nullptr) : json(next)}};
}

json timing_json(const TimingNote &t) {
  json out = json::object();
  if (!t.signal.empty()) out["signal"] = t.signal;
  if (!t.zone.empty()) out["zone"] = t.zone;
  if (t.delayed_to == t.undelayed.after) return out;
  json &undelayed = out["undelayed"] = {{"after", print_instant(t.undelayed.after)}, {"to", print_instant(t.delayed_to)}, {"why", t.why}};
  if (t.undelayed.by != kNever) undelayed["by"] = print_instant(t.undelayed.by);
  return out;
}

// What a motion adds to the context: {} if nothing.
json play_of(const MotionDef &motion) {
  if (motion.play.empty()) return json::object();
  return {{"play", {{"say", motion.play.say}, {"never", motion.play.never}}}};
}

} // namespace

ActivationState activation_state(const Definitions &plan, const Program &p, const Subject &s, Micros as_of) {
  const FunnelSpec &spec = plan.trackers()[p.activation_tracker].funnel;
  const std::vector<std::string> &steps = p.def.activation->steps;
  ActivationState a;
  if (const FunnelState *f = s.funnel(p.activation_tracker)) a.level = f->funnel.read(spec, as_of);
  std::vector<bool> reached;
  for (const std::string &step : steps) {
    const TrackerSpec milestone = milestone_spec(*p.def.milestone(step), p.def.unit);
    reached.push_back(std::any_of(s.milestones.begin(), s.milestones.end(), [&](const FirstTime &m) {
      const TrackerInfo *info = plan.info(m.tracker);
      return info && info->spec == milestone && m.at <= as_of;
    }));
  }
  for (std::size_t i = 0; i < steps.size(); i++) {
    if (a.level.done >> i & 1) continue;
    if (a.next.empty()) a.next = steps[i];
    const bool later = std::any_of(reached.begin() + static_cast<std::ptrdiff_t>(i), reached.end(), [](bool r) { return r; });
    if (!reached[i] && later) a.skipped.push_back(steps[i]);
  }
  return a;
}

std::string reasons_json(const Program &p, std::span<const Reason> reasons) {
  json out = json::array();
  for (std::size_t i : by_points(reasons)) {
    const SignalDef &d = p.def.signals[i];
    const Reason &r = reasons[i];
    out.push_back({{"signal", d.name},
                   {"kind", std::string(name_of(d.kind))},
                   {"points", r.points},
                   {"value", shown(r.value)},
                   {"why", d.why.empty() ? json(nullptr) : json(d.why)},
                   {"event_id", event_of(r.event)},
                   {"at", finite(r.at) ? json(print_instant(r.at)) : json(nullptr)},
                   {"may_mention", d.may_mention}});
  }
  return dump(out);
}

NamedNumbers points_by_kind(const Program &p, std::span<const Reason> reasons) {
  std::array<int, kKinds> sums{};
  std::array<bool, kKinds> there{};
  for (std::size_t i = 0; i < reasons.size(); i++) {
    const auto k = static_cast<std::size_t>(p.def.signals[i].kind);
    sums[k] += reasons[i].points;
    there[k] = true;
  }
  NamedNumbers out;
  for (std::size_t k = 0; k < kKinds; k++) {
    if (there[k]) out.emplace_back(name_of(static_cast<Kind>(k)), sums[k]);
  }
  return out;
}

std::string evidence_json(const SignalDef &d, const Reason &r) {
  json out = json::object();
  if (!r.event.empty()) out["event_id"] = event_id_text(r.event);
  if (finite(r.at)) out["at"] = print_instant(r.at);
  if (std::isinf(r.error)) out[r.error > 0 ? "at_least" : "at_most"] = true;
  else if (r.error > 0) out["error"] = shown_error(r.error);
  if (!d.why.empty()) out["why"] = d.why;
  return dump(out);
}

std::string context_json(const Definitions &plan, const Program &p, const Subject &subject, const Home &home, const MotionDef &motion,
                         const TimingNote *timing) {
  constexpr std::size_t kShown = 10;
  json out;
  std::vector<const Subject *> members;
  for (const Subject &s : home.members) {
    if (s.events) members.push_back(&s); // of others only their episode is left
  }
  std::sort(members.begin(), members.end(), [](const Subject *a, const Subject *b) {
    return a->events != b->events ? a->events > b->events : a->id.view() < b->id.view();
  });
  json shown = json::array();
  for (const Subject *s : members) {
    if (shown.size() == kShown) break;
    shown.push_back({{"user_id", std::string(s->id.view())},
                     {"first_seen", print_instant(s->first_seen)},
                     {"last_seen", print_instant(s->last_seen)},
                     {"events", s->events}});
  }
  out["members"] = shown;
  out["member_count"] = members.size();
  out["milestones"] = milestones_json(plan, p.def.unit, subject, home);
  if (p.def.activation) out["activation"] = activation_json(plan, p, subject);
  out["subject"] = {{"first_seen", print_instant(subject.first_seen)},
                    {"last_seen", print_instant(subject.last_seen)},
                    {"events", subject.events}};
  out.update(play_of(motion));
  if (timing) out["timing"] = timing_json(*timing);
  return dump(out);
}

std::string play_json(const MotionDef &motion) { return dump(play_of(motion)); }

std::string next_best_action(const Program &p, const MotionDef &motion, std::span<const Reason> reasons) {
  if (!motion.next_best_action.empty() || !needs_rep(motion.motion)) return motion.next_best_action;
  for (std::size_t i : by_points(reasons)) {
    const SignalDef &d = p.def.signals[i];
    if (reasons[i].points < 0 || !may_be_spoken_of(d)) continue;
    return "Take up " + spoken(d.name) + (d.why.empty() ? "" : " (" + d.why + ")") + ".";
  }
  return {};
}

std::string headline(const Program &p, std::string_view subject_id, int score, std::span<const Reason> reasons) {
  std::string line(subject_id);
  line += " reached " + std::to_string(score) + " points: ";
  const char *separator = "";
  int shown = 0;
  for (std::size_t i : by_points(reasons)) {
    if (shown++ == 3 || reasons[i].points < 0) break;
    line += separator + spoken(p.def.signals[i].name) + " " + std::to_string(reasons[i].points);
    separator = ", ";
  }
  return line;
}

} // namespace pql::pg
