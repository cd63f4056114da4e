// Both are made from one tree, so that a difference that isn't written can't be told either.
#include "core/program/write.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <nlohmann/json.hpp>

#include "core/outreach/say.hpp"
#include "core/program/fields.hpp"
#include "core/program/language.hpp"

namespace pql {
namespace {

using nlohmann::ordered_json;
using Word = std::string_view;

void put(ordered_json &to, const char *key, const std::string &text) {
  if (!text.empty()) to[key] = text;
}

void put(ordered_json &to, const char *key, Micros length) {
  if (length) to[key] = print_length(length);
}

void put(ordered_json &to, const char *key, double number) {
  if (number != 0) to[key] = number;
}

void put(ordered_json &to, const char *key, const std::vector<std::string> &list) {
  if (!list.empty()) to[key] = list;
}

// What a conversation revealed is named by its topic.
void put_event(ordered_json &to, const std::string &event) {
  const std::string_view topic = std::string_view(event).substr(std::min(event.size(), kTopicEvent.size()));
  if (event.starts_with(kTopicEvent) && is_name(topic))
    to["topic"] = topic;
  else
    put(to, "event", event);
}

void put_measure(ordered_json &to, const MeasureDef &m) {
  switch (m.measure) {
  case Measure::milestone: to["milestone"] = m.milestone; break;
  case Measure::activation: to["milestone"] = kActivationComplete; break;
  case Measure::value: to["value"] = m.value; break;
  case Measure::flag: to["flag"] = true; break;
  case Measure::pattern: to[m.in_order ? "sequence" : "all_of"] = m.steps; break;
  case Measure::growth:
    to["measure"] = name_of(m.measure);
    to["of"] = name_of(m.growth_of);
    put(to, "sum_of", m.of);
    break;
  case Measure::count: break;
  default:
    to["measure"] = name_of(m.measure);
    put(to, "of", m.of);
  }
  put_event(to, m.event);
  put(to, "where", m.where);
  put(to, "success", m.success);
  put(to, "within", m.within);
  put(to, "half_life", m.half_life);
  put(to, "window", m.window);
  put(to, "gap", m.gap);
  if (m.measure == Measure::count && m.cap == 1)
    to["repeat"] = "once";
  else
    put(to, "cap", m.cap);
}

// Whether it is what a document without any curve has.
bool is_plain(const SignalDef &s) noexcept {
  const bool points = s.measure == Measure::value;
  return !s.over && s.half_saturation == 0 && s.points_each == (points ? 1 : 0) && s.saturates_at == (points ? 0 : 1);
}

ordered_json tree(const ContactDef &c) {
  ordered_json j;
  if (c.after) j["after"] = print_length(*c.after);
  if (c.by) j["by"] = print_length(*c.by);
  return j;
}

ordered_json tree(const SignalDef &s) {
  ordered_json j = {{"kind", name_of(s.kind)}};
  put_measure(j, s);
  j["max_points"] = s.max_points;
  if (!is_plain(s)) {
    put(j, "points_each", s.points_each);
    put(j, "saturates_at", s.saturates_at);
    put(j, "half_saturation", s.half_saturation);
    if (s.over) j["over"] = *s.over;
  }
  put(j, "why", s.why);
  put(j, "owner", s.owner);
  put(j, "false_positive_risk", s.false_positive_risk);
  if (!s.may_score) j["may_score"] = false;
  if (!s.may_show_rep) j["may_show_rep"] = false;
  if (!s.may_mention) j["may_mention"] = false;
  if (s.is_explicit) j["explicit"] = true;
  if (!s.contact.empty()) j["contact"] = tree(s.contact);
  return j;
}

ordered_json tree(const QualifyDef &q) {
  ordered_json j = {{"enter", q.enter}, {"leave", q.leave}};
  put(j, "dwell", q.dwell);
  put(j, "cool_down", q.cool_down);
  if (q.min_kinds) j["min_kinds"] = q.min_kinds;
  for (const Kind k : q.required_kinds) j["required_kinds"].push_back(name_of(k));
  put(j, "when", q.when);
  if (q.at_least) j["at_least"] = {{"count", q.at_least->count}, {"of", q.at_least->of}};
  if (q.capacity) j["capacity"] = true;
  return j;
}

ordered_json tree(const PlayDef &p) {
  ordered_json j;
  put(j, "say", p.say);
  put(j, "never", p.never);
  return j;
}

ordered_json tree(const HoldDef &h) {
  ordered_json j;
  put(j, "session", h.session);
  put(j, "activation", h.activation);
  return j;
}

ordered_json tree(const QuietDef &q) {
  ordered_json j = {{"zone", q.zone}};
  put(j, "default_zone", q.default_zone);
  put(j, "hours", q.hours);
  for (std::size_t i = 0; i < kDays.size(); i++) {
    if (!q.days[i].empty()) j["days"][std::string(kDays[i])] = q.days[i];
  }
  return j;
}

ordered_json tree(const MotionDef &m) {
  ordered_json j;
  if (m.when.empty())
    j["otherwise"] = true;
  else
    j["when"] = m.when;
  j["motion"] = m.motion;
  if (m.after) j["after"] = print_length(Length{m.after, m.after_in});
  if (m.by) j["by"] = print_length(Length{m.by, m.by_in});
  put(j, "next_best_action", m.next_best_action);
  put(j, "skills", m.skills);
  if (m.when_nobody != WhenNobody::wait) j["when_nobody"] = kWhenNobody[static_cast<std::size_t>(m.when_nobody)];
  put(j, "downgrade_to", m.downgrade_to);
  put(j, "channel", m.channel);
  if (!m.play.empty()) j["play"] = tree(m.play);
  put(j, "accept_when", m.accept_when);
  put(j, "accept_because", m.accept_because);
  if (!m.hold.empty()) j["hold"] = tree(m.hold);
  for (const NotWithinDef &n : m.not_within) j["not_within"].push_back({{"milestone", n.milestone}, {"for", print_length(n.length)}});
  if (m.on_breach == OnBreach::escalate) {
    j["on_breach"] = kOnBreach[static_cast<std::size_t>(m.on_breach)];
    j["escalate_to"] = {{std::string(kEscalateTo[static_cast<std::size_t>(m.escalate_to.to)]), m.escalate_to.name}};
  }
  put(j, "offer", m.offer);
  put(j, "floor", m.floor);
  return j;
}

ordered_json tree(const VariableDef &v) {
  ordered_json j = {{"type", kVariableTypes[static_cast<std::size_t>(v.type)]}, {"from", v.from}};
  put(j, "default", v.fallback);
  for (const auto &[value, words] : v.say) {
    if (value.empty()) j["say"] = words;
    else j["say"][value] = words;
  }
  return j;
}

ordered_json tree(const TemplateDef &t) {
  ordered_json j;
  put(j, "motion", t.motions);
  put(j, "channel", t.channel);
  if (t.language != kLanguages[0]) j["language"] = t.language;
  put(j, "subject", t.subject);
  j["body"] = t.body;
  j["ask"] = t.ask;
  put(j, "opt_out", t.opt_out);
  for (const VariableDef &v : t.variables) j["variables"][v.name] = tree(v);
  return j;
}

ordered_json tree(const OutreachDef &o) {
  ordered_json j = ordered_json::object();
  put(j, "may_mention", o.may_mention);
  for (const TemplateDef &t : o.templates) j["templates"][t.name] = tree(t);
  constexpr StopDef usual;
  if (o.stop.unanswered != usual.unanswered) j["stop"]["unanswered"] = o.stop.unanswered;
  if (o.stop.pause != usual.pause) j["stop"]["pause"] = print_length(o.stop.pause);
  if (o.stop.most != usual.most) j["stop"]["most"] = o.stop.most;
  if (o.stop.per != usual.per) j["stop"]["per"] = print_length(o.stop.per);
  return j;
}

ordered_json tree(const OutcomeDef &o) {
  ordered_json j = ordered_json::object();
  const OutcomeDef usual;
  const WorkDef &work = usual.worked;
  if (o.converted != usual.converted) j["converted"] = o.converted;
  if (o.lost != usual.lost) j["lost"] = o.lost;
  if (o.horizon != usual.horizon) j["horizon"] = print_length(o.horizon);
  if (o.worked.touches != work.touches) j["worked"]["touches"] = o.worked.touches;
  if (o.worked.kinds != work.kinds) j["worked"]["kinds"] = o.worked.kinds;
  if (!o.worked.channels.empty()) j["worked"]["channels"] = o.worked.channels;
  if (o.worked.meeting != work.meeting) j["worked"]["meeting"] = o.worked.meeting;
  return j;
}

ordered_json tree(const ProgramDef &p) {
  ordered_json j = {{"program", p.name}, {"unit", name_of(p.unit)}, {"objective", p.objective}};
  put(j, "description", p.description);
  put(j, "segment", p.segment);
  for (const MilestoneDef &m : p.milestones) {
    j["milestones"][m.name]["event"] = m.event;
    put(j["milestones"][m.name], "where", m.where);
  }
  if (p.activation) {
    j["activation"] = {{"steps", p.activation->steps},
                       {"order", p.activation->in_order ? "in_order" : "any_order"},
                       {"within", print_length(p.activation->within)}};
  }
  for (const NamedMeasure &m : p.measures) put_measure(j["measures"][m.name], m);
  for (const SignalDef &s : p.signals) j["signals"][s.name] = tree(s);
  j["qualify"] = tree(p.qualify);
  for (const MotionDef &m : p.motions) j["motions"].push_back(tree(m));
  for (const GuardrailDef &g : p.guardrails) j["guardrails"].push_back({{"block_when", g.block_when}, {"reason", g.reason}});
  if (p.quiet_hours) j["quiet_hours"] = tree(*p.quiet_hours);
  for (const KnownDef &k : p.known) {
    if (k.may_mention) j["known"][k.label] = {{"value", k.value}, {"may_mention", true}};
    else j["known"][k.label] = k.value;
  }
  if (p.outreach) j["outreach"] = tree(*p.outreach);
  for (const ExampleDef &e : p.examples) j["examples"].push_back({{"subject", e.subject}, {"expect", e.expect}});
  if (p.outcome != OutcomeDef()) j["outcome"] = tree(p.outcome);
  put(j, "holdout", p.holdout);
  if (p.holdout_exempt != kExemptAll) {
    j["holdout_exempt"] = ordered_json::array();
    for (std::size_t i = 0; i < kExempts.size(); i++) {
      if (p.holdout_exempt >> i & 1) j["holdout_exempt"].push_back(kExempts[i]);
    }
  }
  if (p.consent != Consent::opt_out) j["consent"] = kConsents[static_cast<std::size_t>(p.consent)];
  if (p.min_days_between_versions) j["limits"]["min_days_between_versions"] = p.min_days_between_versions;
  if (p.re_evaluate != kHour) put(j, "re_evaluate", p.re_evaluate);
  return j;
}

// --- differences ------------------------------------------------------------------------------------------------------

// What goes without saying.
struct Default {
  Word key, value;
};
constexpr std::array<Default, 24> kDefaults = {{{"measure", "count"},
                                               {"may_score", "true"},
                                               {"may_show_rep", "true"},
                                               {"may_mention", "true"},
                                               {"capacity", "false"},
                                               {"explicit", "false"},
                                               {"holdout", "0"},
                                               {"holdout_exempt", "named_accounts, explicit_requests"},
                                               {"consent", "opt_out"},
                                               {"re_evaluate", "1 hour"},
                                               {"after", "0 seconds"},
                                               {"floor", "0"},
                                               {"language", "en"},
                                               {"unanswered", "3"},
                                               {"pause", "3 days"},
                                               {"most", "4"},
                                               {"per", "30 days"},
                                               {"converted", "converted, paid, won, expanded"},
                                               {"lost", "churned"},
                                               {"horizon", "90 days"},
                                               {"touches", "4"},
                                               {"kinds", "2"},
                                               {"channels", "all"},
                                               {"meeting", "true"}}};

std::string unsaid(Word key) {
  const auto d = std::find_if(kDefaults.begin(), kDefaults.end(), [&](const Default &x) { return x.key == key; });
  return std::string(d == kDefaults.end() ? Word("none") : d->value);
}

std::string shown(const ordered_json &j) {
  if (j.is_string()) return j.get<std::string>();
  if (j.is_array()) {
    if (j.empty()) return "none";
    std::string all;
    for (const ordered_json &item : j) all += (all.empty() ? "" : ", ") + shown(item);
    return all;
  }
  if (!j.is_number_float()) return j.dump();
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, j.get<double>()).ptr};
}

// What each entry of a list is found again by.
Word identity_of(Word list) noexcept {
  if (list == "motions") return "when";
  if (list == "not_within") return "milestone";
  return list == "guardrails" ? "block_when" : "subject";
}

// Its measure, or the short form that says it.
std::string measure_of(const ordered_json &j) {
  if (j.contains("measure")) return shown(j["measure"]);
  for (const char *form : {"milestone", "value", "flag", "all_of", "sequence"}) {
    if (j.contains(form)) return form;
  }
  return "count";
}

// Keys and what they have.
std::string outlined_keys(const ordered_json &j) {
  std::string all;
  for (const auto &[key, value] : j.items()) all += (all.empty() ? "" : "; ") + key + ": " + (value.is_object() ? outlined_keys(value) : shown(value));
  return all;
}

// What was added, in a few words.
std::string outlined(Word what, const ordered_json &j) {
  if (what == "milestones") return shown(j["event"]);
  if (what == "measures") return measure_of(j);
  if (what == "signals") {
    const int points = j["max_points"].get<int>();
    const std::string kind = shown(j["kind"]) + ", ";
    return points == 0 ? kind + "no points" : kind + (points < 0 ? "down to " : "up to ") + std::to_string(points) + " points";
  }
  if (what == "templates") return shown(j["motion"]);
  if (what == "variables") return shown(j["from"]);
  if (what == "motions") return shown(j["motion"]) + (j.contains("when") ? " when " + shown(j["when"]) : " otherwise");
  if (what == "guardrails") return shown(j["reason"]);
  if (what == "examples") return shown(j["subject"]) + ": " + shown(j["expect"]);
  if (what == "activation") return shown(j["steps"]) + " within " + shown(j["within"]);
  if (what == "not_within") return shown(j["milestone"]) + " for " + shown(j["for"]);
  if (what == "at_least") return shown(j["count"]) + " of " + shown(j["of"]);
  return outlined_keys(j);
}

class Diff {
public:
  std::vector<Change> run(const ordered_json &from, const ordered_json &to) {
    objects({}, from, to);
    return std::move(changes_);
  }

private:
  static const ordered_json *find(const ordered_json &in, const std::string &key) {
    const auto at = in.find(key);
    return at == in.end() ? nullptr : &*at;
  }

  // The keys of one kind of object.
  void objects(const std::string &path, const ordered_json &from, const ordered_json &to) {
    for (const auto &[key, value] : to.items()) either(path, key, find(from, key), &value);
    for (const auto &[key, value] : from.items()) {
      if (!to.contains(key)) either(path, key, &value, nullptr);
    }
  }

  void either(const std::string &path, const std::string &key, const ordered_json *from, const ordered_json *to) {
    static const ordered_json object = ordered_json::object(), list = ordered_json::array();
    const std::string at = join(path, key);
    const ordered_json &there = to ? *to : *from;
    if (key == "known" && there.is_object())
      labelled(at, from ? *from : object, to ? *to : object);
    else if (there.is_object() && (key == "milestones" || key == "measures" || key == "signals" || key == "templates" || key == "variables"))
      named(key, at, from ? *from : object, to ? *to : object);
    else if (there.is_array() && !there.empty() && there[0].is_object())
      listed(key, at, from ? *from : list, to ? *to : list);
    else if (key == "limits" || key == "outreach" || key == "outcome" || key == "worked" || (there.is_object() && from && to && from->is_object() && to->is_object()))
      objects(at, from ? *from : object, to ? *to : object);
    else if (there.is_object())
      put(at, to ? "added (" + outlined(key, *to) + ")" : "removed");
    else if (!from || !to || *from != *to)
      put(at, (from ? shown(*from) : unsaid(key)) + " → " + (to ? shown(*to) : unsaid(key)));
  }

  // Entries with names.
  void named(Word what, const std::string &path, const ordered_json &from, const ordered_json &to) {
    std::vector<std::string> before, after;
    for (const auto &[name, value] : to.items()) {
      const ordered_json *old = find(from, name);
      if (old) {
        after.push_back(name);
        objects(join(path, name), *old, value);
      } else
        put(join(path, name), "added (" + outlined(what, value) + ")");
    }
    for (const auto &[name, value] : from.items()) {
      if (to.contains(name))
        before.push_back(name);
      else
        put(join(path, name), "removed");
    }
    if (before != after) put(path, "in another order");
  }

  // Entries that are found by a label; each in its short form, or not.
  void labelled(const std::string &path, const ordered_json &from, const ordered_json &to) {
    const auto told = [](const ordered_json &j) { return j.is_object() ? shown(j["value"]) + ", may be mentioned" : shown(j); };
    for (const auto &[label, value] : to.items()) {
      const ordered_json *old = find(from, label);
      if (!old) put(join(path, label), "added (" + told(value) + ")");
      else if (*old != value) put(join(path, label), told(*old) + " → " + told(value));
    }
    for (const auto &[label, value] : from.items()) {
      if (!to.contains(label)) put(join(path, label), "removed");
    }
    const auto kept = [](const ordered_json &of, const ordered_json &in) {
      std::vector<std::string> labels;
      for (const auto &[label, value] : of.items()) {
        if (in.contains(label)) labels.push_back(label);
      }
      return labels;
    };
    if (kept(from, to) != kept(to, from)) put(path, "in another order");
  }

  // Entries of a list, which are known by one of their keys; their places are those in the new list, or, of what was removed,
  // in the old one.
  void listed(Word what, const std::string &path, const ordered_json &from, const ordered_json &to) {
    const std::string key(identity_of(what));
    const auto identity = [&](const ordered_json &j) { return j.contains(key) ? shown(j[key]) : std::string(); };
    const auto place = [&](const ordered_json &in, const ordered_json &j) {
      return std::find_if(in.begin(), in.end(), [&](const ordered_json &x) { return identity(x) == identity(j); });
    };
    std::vector<std::string> before, after;
    for (std::size_t i = 0; i < to.size(); i++) {
      const auto old = place(from, to[i]);
      if (old != from.end()) {
        after.push_back(identity(to[i]));
        objects(join(path, i), *old, to[i]);
      } else
        put(join(path, i), "added (" + outlined(what, to[i]) + ")");
    }
    for (std::size_t i = 0; i < from.size(); i++) {
      if (place(to, from[i]) != to.end())
        before.push_back(identity(from[i]));
      else
        put(join(path, i), "removed (" + outlined(what, from[i]) + ")");
    }
    if (before != after) put(path, "in another order");
  }

  void put(std::string path, std::string change) { changes_.push_back({std::move(path), std::move(change)}); }

  std::vector<Change> changes_;
};

} // namespace

std::string write_program(const ProgramDef &p) { return tree(p).dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

std::vector<Change> diff_programs(const ProgramDef &from, const ProgramDef &to) {
  if (from == to) return {};
  return Diff().run(tree(from), tree(to));
}

} // namespace pql
