#include <array>
#include <cmath>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "core/base/instant.hpp"
#include "core/qualify/qualify.hpp"
#include "core/qualify/route.hpp"
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

// A signal that reps may not see leaves its points, and no more.
json reason_json(const Program &p, std::size_t i, const Reason &r) {
  const SignalDef &d = p.def.signals[i];
  return {{"signal", d.name},
          {"kind", std::string(name_of(d.kind))},
          {"points", r.points},
          {"value", shown(r.value)},
          {"why", d.why.empty() ? json(nullptr) : json(d.why)},
          {"event_id", event_of(r.event)},
          {"at", finite(r.at) ? json(print_instant(r.at)) : json(nullptr)},
          {"may_mention", may_be_spoken_of(d)}};
}

json reasons_of(const Program &p, std::span<const Reason> reasons, bool to_reps) {
  json out = json::array();
  int hidden = 0;
  for (std::size_t i : by_points(reasons)) {
    if (!to_reps || p.def.signals[i].may_show_rep) out.push_back(reason_json(p, i, reasons[i]));
    else hidden += reasons[i].points;
  }
  if (hidden) out.push_back({{"signal", nullptr}, {"kind", nullptr}, {"points", hidden}, {"value", nullptr}, {"why", nullptr}, {"event_id", nullptr},
                             {"at", nullptr}, {"may_mention", false}});
  return out;
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
  json out = json::object();
  if (!motion.play.empty()) out["play"] = {{"say", motion.play.say}, {"never", motion.play.never}};
  if (!motion.offer.empty()) out["offer"] = motion.offer;
  return out;
}


// What may be told of a fact: by any program, since it is the same fact in all of them.
struct Allowed {
  bool show = true, mention = true;

  void heed(const SignalDef &s) noexcept {
    show &= s.may_show_rep;
    mention &= may_be_spoken_of(s);
  }
};

// The parts of a packet, and what each counts in its completeness.
struct Weight {
  const char *part;
  double weight;
};
constexpr std::array<Weight, kMostParts> kWeights = {{{"tried", 0.15}, {"milestones", 0.15}, {"time", 0.15}, {"activation", 0.15}, {"members", 0.15}, {"segment", 0.15}, {"intents", 0.1}}};

// Somebody is new for a week, and quiet after two; lately is a week.
constexpr Micros kNew = 7 * kDay, kQuiet = 14 * kDay, kLately = 7 * kDay;

// When a subject reached a milestone of a program, by an instant; null: it hasn't.
const FirstTime *first_time(const Definitions &plan, const Program &p, const Subject &s, const std::string &milestone, Micros as_of) {
  const TrackerSpec spec = milestone_spec(*p.def.milestone(milestone), p.def.unit);
  const auto at = std::ranges::find_if(s.milestones, [&](const FirstTime &m) {
    const TrackerInfo *info = plan.info(m.tracker);
    return info && info->spec == spec && m.at <= as_of;
  });
  return at == s.milestones.end() ? nullptr : &*at;
}

class PacketWriter {
public:
  PacketWriter(const PacketSource &from, bool to_reps) : f_(from), to_reps_(to_reps) {}

  json write() {
    write_members();
    write_milestones();
    write_activation();
    write_tried();
    write_time();
    write_segment();
    write_intents();
    write_known();
    write_sayings();
    const Subject &s = f_.subject;
    out_["subject"] = {{"first_seen", print_instant(s.first_seen)}, {"last_seen", print_instant(s.last_seen)}, {"events", s.events}};
    if (f_.timing) out_["timing"] = timing_of(*f_.timing);
    write_keys();
    return std::move(out_);
  }

  int parts_of_state() {
    find_sessions();
    write_tried();
    write_time();
    return parts();
  }

private:
  // ------------------------------------------------------------------------------------------------------- permissions

  template <class F> Allowed allowed(F &&rests) const {
    Allowed a;
    const auto heed = [&](const ProgramDef &p) {
      for (const SignalDef &s : p.signals) {
        if (rests(s)) a.heed(s);
      }
    };
    heed(f_.p.def);
    for (const Program &p : f_.plan.programs()) heed(p.def);
    return a;
  }

  // Also by another word for the same event, or as a step of a pattern.
  Allowed of_milestone(const TrackerSpec &m) const {
    return allowed([&](const SignalDef &s) {
      if (s.measure == Measure::milestone) return s.milestone == m.name;
      if (std::ranges::find(s.steps, m.name) != s.steps.end()) return true;
      return !s.event.empty() && s.event == m.events.front() && s.where == m.rules.front();
    });
  }
  Allowed of_topic(const std::string &topic) const {
    return allowed([event = std::string(kTopicEvent) + topic](const SignalDef &s) {
      return s.event == event || std::ranges::find(s.steps, event) != s.steps.end();
    });
  }
  Allowed of_milestone(const std::string &name) const {
    const MilestoneDef *const m = f_.p.def.milestone(name);
    return m ? of_milestone(milestone_spec(*m, f_.p.def.unit)) : Allowed{};
  }
  bool may_show(const Allowed &a) const noexcept { return a.show || !to_reps_; }
  bool may_show(const SignalDef &s) const noexcept { return s.may_show_rep || !to_reps_; }

  // -------------------------------------------------------------------------------------------------------- milestones

  // Milestones of members, of an account; else of the subject. What may not be shown is left out.
  struct Milestone {
    const TrackerInfo *info; ///< null: it isn't one, or may not be shown
    bool own;                ///< of the program
    bool may_mention;
  };
  struct Reached {
    const Milestone *milestone;
    const FirstTime *at;
    std::string_view user;
  };

  const Milestone &milestone_of(TrackerId tracker) {
    if (const auto known = milestones_.find(tracker); known != milestones_.end()) return known->second;
    Milestone m{f_.plan.info(tracker), false, false};
    if (m.info) {
      const Allowed a = of_milestone(m.info->spec);
      m.own = f_.p.def.milestone(m.info->spec.name) != nullptr;
      m.may_mention = a.mention;
      if (!may_show(a)) m.info = nullptr;
    }
    return milestones_.emplace(tracker, m).first->second;
  }

  // Until the next call. There may be very many members.
  const std::vector<Reached> &reached_by(const Subject &s) {
    const Unit unit = f_.p.def.unit == Unit::workspace && &s == &f_.subject ? Unit::workspace : Unit::user;
    reached_.clear();
    for (const FirstTime &m : s.milestones) {
      if (m.at > f_.as_of) continue;
      const Milestone &of = milestone_of(m.tracker);
      if (of.info && of.info->spec.unit == unit) reached_.push_back({&of, &m, s.id.view()});
    }
    return reached_;
  }

  void write_milestones() {
    std::vector<Reached> all;
    const auto add = [&](const Subject &s) {
      for (const Reached &r : reached_by(s)) {
        const auto same = std::find_if(all.begin(), all.end(), [&](const Reached &x) { return x.milestone == r.milestone; });
        if (same == all.end()) all.push_back(r);
        else if (r.at->at < same->at->at) *same = r;
      }
    };
    if (f_.p.def.unit == Unit::account)
      for (const Subject &s : f_.home.members) add(s);
    else add(f_.subject);
    std::sort(all.begin(), all.end(), [](const Reached &a, const Reached &b) {
      return a.at->at != b.at->at ? a.at->at < b.at->at : a.milestone->info->spec.name < b.milestone->info->spec.name;
    });
    json &out = out_["milestones"] = json::array();
    for (const Reached &r : all)
      out.push_back({{"name", r.milestone->info->spec.name},
                     {"at", print_instant(r.at->at)},
                     {"event_id", event_of(r.at->event())},
                     {"user_id", f_.p.def.unit == Unit::workspace ? json(nullptr) : json(std::string(r.user))},
                     {"may_mention", r.milestone->may_mention}});
  }

  // ----------------------------------------------------------------------------------------------------------- members

  struct Member {
    const Subject *subject;
    const char *trend;
    std::size_t steps; ///< how many milestones of the program
  };

  Member member_of(const Subject &s) {
    Member m{&s, "steady", 0};
    Micros last = kAlways;
    for (const Reached &r : reached_by(s)) {
      last = std::max(last, r.at->at);
      if (!r.milestone->own) continue;
      m.steps++;
      steps_reached_.insert(r.milestone);
    }
    const Micros as_of = f_.as_of;
    if (s.last_seen <= as_of - kQuiet) m.trend = "quiet";
    else if (s.first_seen > as_of - kNew) m.trend = "new";
    else if (last > as_of - kLately || grows(s)) m.trend = "rising";
    return m;
  }

  // The newest milestones, the newest first.
  json evidence_of(const Subject &s) {
    constexpr std::size_t kEvidence = 5;
    std::vector<Reached> reached = reached_by(s);
    std::sort(reached.begin(), reached.end(), [](const Reached &a, const Reached &b) { return b.at->before(*a.at); });
    json out = json::array();
    for (const Reached &r : reached) {
      if (out.size() == kEvidence || r.at->event().empty()) continue;
      std::string id = event_id_text(r.at->event()); // one event may be several milestones
      if (std::find(out.begin(), out.end(), id) == out.end()) out.push_back(std::move(id));
    }
    return out;
  }

  // More than half again as long in the newer half of the window of sessions as in the older one, and a quarter of an hour at least.
  bool grows(const Subject &s) const {
    constexpr double kLeast = 0.25, kMore = 1.5;
    const auto at = hours_.find(user_key(s.id.view()));
    return at != hours_.end() && at->second.newer >= kLeast && at->second.newer > kMore * at->second.older;
  }

  void write_members() {
    constexpr std::size_t kShown = 10;
    find_sessions();
    std::vector<Member> members;
    for (const Subject &s : f_.home.members) {
      if (s.events && (f_.p.def.unit != Unit::user || s.id.view() != f_.subject.id.view())) members.push_back(member_of(s)); // of others only their episode is left
    }
    std::sort(members.begin(), members.end(), [](const Member &a, const Member &b) {
      return a.subject->events != b.subject->events ? a.subject->events > b.subject->events : a.subject->id.view() < b.subject->id.view();
    });
    const Member *const champion = champion_of(members);
    json list = json::array();
    std::map<std::string, int> trends;
    int active = 0;
    for (const Member &m : members) {
      trends[m.trend]++;
      active += is_active(m.subject->last_seen, f_.as_of);
    }
    const auto tell = [&](const Member &m) {
      json &j = list.emplace_back(json{{"user_id", std::string(m.subject->id.view())},
                                       {"first_seen", print_instant(m.subject->first_seen)},
                                       {"last_seen", print_instant(m.subject->last_seen)},
                                       {"events", m.subject->events},
                                       {"trend", m.trend},
                                       {"source", "pql.members"}});
      if (json evidence = evidence_of(*m.subject); !evidence.empty()) j["evidence"] = std::move(evidence);
      if (&m == champion) j["champion"] = true;
    };
    for (const Member &m : members) {
      if (list.size() < kShown) tell(m);
      else if (&m == champion) tell(m);
    }
    out_["members"] = list;
    out_["member_count"] = members.size();
    if (members.empty()) return;
    out_["active_count"] = active;
    out_["trends"] = trends;
  }

  // Who is there now and did most of what the program looks for; half of what anybody did at least, where there are others.
  const Member *champion_of(const std::vector<Member> &members) const {
    if (members.size() < 2) return nullptr;
    const Member *best = nullptr;
    for (const Member &m : members) {
      if (m.trend == std::string_view("quiet") || m.steps == 0) continue;
      if (!best || m.steps > best->steps) best = &m; // they come with most events first
    }
    return best && best->steps * 2 >= steps_reached_.size() ? best : nullptr;
  }

  // -------------------------------------------------------------------------------------------------------- activation

  // How far it got, in general.
  struct Progress {
    int level = 0;
    bool complete = false;
    Micros started = 0, reached = 0; ///< with a level
    std::string next;
    std::vector<std::string> skipped;
  };

  Progress progress() const {
    const std::vector<std::string> &steps = f_.p.def.activation->steps;
    if (to_reps_ && !std::ranges::all_of(steps, [&](const std::string &s) { return of_milestone(s).show; })) return shown_progress();
    const ActivationState a = activation_state(f_.plan, f_.p, f_.subject);
    return {a.level.level, a.level.level == f_.plan.trackers()[f_.p.activation_tracker].funnel.steps, a.level.started, a.level.reached, a.next, a.skipped};
  }

  // Of the steps that reps see alone, by their milestones, which they see as well: nothing tells of the others, not even that these came too late.
  Progress shown_progress() const {
    Progress out;
    out.complete = true;
    std::vector<std::string> open;
    for (const std::string &step : f_.p.def.activation->steps) {
      if (!of_milestone(step).show) continue;
      const FirstTime *const at = first_time(f_.plan, f_.p, f_.subject, step, f_.as_of);
      if (!at) {
        open.push_back(step);
        continue;
      }
      out.started = out.level ? std::min(out.started, at->at) : at->at;
      out.reached = out.level ? std::max(out.reached, at->at) : at->at;
      out.level++;
      out.skipped = open;
    }
    out.complete = out.level > 0 && open.empty();
    if (!open.empty()) out.next = open.front();
    return out;
  }

  // That it is complete, or isn't, is a fact like others.
  bool may_show_activation() const {
    return std::ranges::none_of(f_.p.def.signals, [&](const SignalDef &s) { return s.measure == Measure::activation && !may_show(s); });
  }

  void write_activation() {
    if (!f_.p.def.activation || !may_show_activation()) return;
    const Progress a = progress();
    json steps = json::array(), skipped = json::array(), skips = json::array(), secret = json::array();
    for (const std::string &step : f_.p.def.activation->steps) {
      const Allowed may = of_milestone(step);
      if (!may_show(may)) continue;
      steps.push_back(step);
      if (!may.mention) secret.push_back(step);
      const bool skips_it = std::find(a.skipped.begin(), a.skipped.end(), step) != a.skipped.end();
      if (skips_it) skipped.push_back(step);
      if (!skips_it && step != a.next) continue;
      for (const StepShare &s : f_.background.shares) {
        if (s.step == step) skips.push_back({{"step", step}, {"did", s.did}, {"converters", s.converters}, {"source", "pql.step_share"}});
      }
    }
    out_["activation"] = {{"steps", steps},
                          {"level", a.level},
                          {"complete", a.complete},
                          {"started_at", a.level ? json(print_instant(a.started)) : json(nullptr)},
                          {"reached_at", a.level ? json(print_instant(a.reached)) : json(nullptr)},
                          {"skipped", skipped},
                          {"next", a.next.empty() ? json(nullptr) : json(a.next)}};
    if (!skips.empty()) out_["activation"]["skips"] = skips;
    if (!secret.empty()) out_["activation"]["not_to_mention"] = secret;
  }

  // ------------------------------------------------------------------------------------------------------------- tried

  void write_tried() {
    json tried = json::array();
    for (std::size_t i = 0; i < f_.reasons.size(); i++) {
      const SignalDef &d = f_.p.def.signals[i];
      const Reason &r = f_.reasons[i];
      const bool reached = d.measure == Measure::milestone || d.measure == Measure::activation || d.measure == Measure::recency;
      if (reached || d.event.starts_with(kTopicEvent) || r.event.empty() || !(r.value > 0) || !may_show(d)) continue;
      json &j = tried.emplace_back(json{{"signal", d.name},
                                        {"what", spoken(d.name)},
                                        {"kind", std::string(name_of(d.kind))},
                                        {"at", finite(r.at) ? json(print_instant(r.at)) : json(nullptr)},
                                        {"evidence", json::array({event_id_text(r.event)})},
                                        {"may_mention", may_be_spoken_of(d)}});
      if (d.half_life || d.window == 0 || r.error != 0) continue; // what fades is no number that one says
      j["measure"] = std::string(name_of(d.measure));
      j["value"] = shown(r.value);
      j["within"] = print_length(d.window);
    }
    if (!tried.empty()) out_["tried"] = tried;
  }

  // -------------------------------------------------------------------------------------------------------------- time

  struct Hours {
    double older = 0, newer = 0;
  };

  // The sessions that the program measures, by a signal or a measure. How long somebody was there is one fact in all programs.
  void find_sessions() {
    const auto is_sessions = [](const MeasureDef &m) {
      return m.measure == Measure::time_in_product || (m.measure == Measure::growth && m.growth_of == Measure::time_in_product);
    };
    const Allowed may = allowed(is_sessions);
    if (!may_show(may)) return;
    may_mention_time_ = may.mention;
    const auto take = [&](const MeasureDef &m, const MeasureTrackers &t) {
      if (sessions_ || !is_sessions(m) || t.main >= f_.plan.trackers().size()) return;
      sessions_ = f_.subject.marks_of(t.main);
      spec_ = f_.plan.trackers()[t.main].marks;
    };
    for (std::size_t i = 0; i < f_.p.def.signals.size(); i++) take(f_.p.def.signals[i], f_.p.signals[i]);
    for (std::size_t i = 0; i < f_.p.def.measures.size(); i++) take(f_.p.def.measures[i], f_.p.measures[i]);
    if (!sessions_) return;
    const Micros after = earlier(f_.as_of, spec_.window), middle = earlier(f_.as_of, spec_.window / 2);
    for (const Mark &m : sessions_->all) {
      if (m.to <= after || m.from > f_.as_of) continue;
      Hours &h = hours_[m.key];
      const auto part = [&](Micros from, Micros until) {
        const Micros a = std::max(m.from, from), b = std::min(m.to, until);
        return b > a ? static_cast<double>(b - a) / static_cast<double>(kHour) : 0;
      };
      h.older += part(after, middle);
      h.newer += part(middle, f_.as_of);
      in_window_.push_back({std::max(m.from, after), m.to});
    }
  }

  void write_time() {
    if (!sessions_) return;
    const Micros after = earlier(f_.as_of, spec_.window);
    const Measured hours = sessions_->read(spec_, after, f_.as_of);
    if (!(hours.value > 0)) return;
    json &t = out_["time"] = {{"hours", std::round(hours.value * 100) / 100},
                              {"window", print_length(spec_.window)},
                              {"sessions", in_window_.size()},
                              {"evidence", sessions_->event.empty() ? json::array() : json::array({event_id_text(sessions_->event.view())})},
                              {"source", "sessions"},
                              {"may_mention", may_mention_time_}};
    std::sort(in_window_.begin(), in_window_.end());
    Micros end = in_window_.front().second, from = 0, until = 0;
    for (const auto &[begin, to] : in_window_) { // nobody was there
      if (begin - end > until - from) {
        from = end;
        until = begin;
      }
      end = std::max(end, to);
    }
    if (until - from >= kDay) t["longest_gap"] = {{"from", print_instant(from)}, {"to", print_instant(until)}};
  }

  // ------------------------------------------------------------------------------------------------- segment and known

  bool is_own(const AttributeText &a) const { return a.attribute.column.unit == f_.p.def.unit; }
  std::string name_in_rules(const AttributeText &a) const { return (is_own(a) ? "attr." : "account.") + a.attribute.column.name; }

  void write_segment() {
    json attributes = json::array();
    json segment = json::object();
    const auto first_of = [&](std::initializer_list<std::string_view> names) -> const AttributeText * {
      for (const std::string_view name : names) {
        for (const AttributeText &a : f_.background.attributes) {
          if (a.attribute.column.name == name && (a.attribute.shown || !to_reps_)) return &a;
        }
      }
      return nullptr;
    };
    for (const AttributeText &a : f_.background.attributes) {
      if (a.attribute.shown || !to_reps_) attributes.push_back({{"name", a.attribute.column.name}, {"value", a.value}, {"source", name_in_rules(a)}});
    }
    if (attributes.empty()) return;
    if (const AttributeText *const tier = first_of({"tier", "plan"})) segment["tier"] = tier->value;
    if (const AttributeText *const of = first_of({"segment", "industry"})) segment["segment"] = of->value;
    segment["attributes"] = attributes;
    out_["segment"] = segment;
  }

  void write_known() {
    json known = json::array();
    std::set<std::string> told;
    const auto add = [&](const std::string &label, const std::string &value, const std::string &source, bool may_mention) {
      if (value.empty()) return;
      known.push_back({{"label", label}, {"value", value}, {"source", source}, {"may_mention", may_mention}});
      told.insert(source);
    };
    for (std::size_t i = 0; i < f_.background.known.size() && i < f_.p.def.known.size(); i++) {
      const KnownDef &k = f_.p.def.known[i];
      add(k.label, f_.background.known[i], k.value, k.may_mention);
    }
    for (const AttributeText &a : f_.background.attributes) {
      if ((a.attribute.shown || !to_reps_) && !told.contains(name_in_rules(a))) add(spoken(a.attribute.column.name), a.value, name_in_rules(a), false);
    }
    for (const FlagText &flag : f_.background.flags) {
      for (const SignalDef &d : f_.p.def.signals) {
        if (d.name == flag.signal && may_show(d)) add(spoken(d.name), flag.reason, "flag " + std::to_string(flag.id), false);
      }
    }
    if (!known.empty()) out_["known"] = known;
  }

  // ----------------------------------------------------------------------------------------------- what is, and isn't, said

  void write_intents() {
    json intents = json::array();
    for (const Intent &i : f_.background.intents) {
      const Allowed may = of_topic(i.topic);
      if (!may_show(may)) continue;
      if (!may.mention) keep_secret(i.topic);
      intents.push_back({{"topic", i.topic},
                         {"at", print_instant(i.at)},
                         {"user_id", i.user},
                         {"channel", i.channel.empty() ? json(nullptr) : json(i.channel)},
                         {"quote", i.quote},
                         {"evidence", json::array({i.event_id})},
                         {"may_mention", may.mention}});
    }
    if (!intents.empty()) out_["intents"] = intents;
  }

  // By the names of the signals that say so; else by its own.
  void keep_secret(const std::string &topic) {
    bool named = false;
    for (const SignalDef &s : f_.p.def.signals) {
      if (s.may_mention || s.event != std::string(kTopicEvent) + topic) continue;
      secret_.insert(s.name);
      named = true;
    }
    if (!named) secret_.insert(topic);
  }

  void write_sayings() {
    for (std::size_t i = 0; i < f_.reasons.size(); i++) {
      const SignalDef &d = f_.p.def.signals[i];
      if ((f_.reasons[i].points != 0 || f_.reasons[i].value > 0) && !d.may_mention && may_show(d)) secret_.insert(d.name);
    }
    if (!secret_.empty()) out_["do_not_mention"] = secret_;
    out_.update(play_of(f_.motion));
  }

  // The signal whose contact counts may be one that isn't shown.
  json timing_of(const TimingNote &t) const {
    json j = timing_json(t);
    for (const SignalDef &d : f_.p.def.signals) {
      if (d.name == t.signal && !may_show(d)) j.erase("signal");
    }
    return j;
  }

  bool is_there(std::string_view key) {
    if (key == "activation") return out_.contains(key) && out_[key]["level"] > 0;
    return out_.contains(key) && !out_[key].empty();
  }

  int parts() {
    int there = 0;
    for (std::size_t i = 0; i < kWeights.size(); i++) there |= is_there(kWeights[i].part) << i;
    return there;
  }

  void write_keys() {
    std::set<std::string> keys;
    double sum = 0;
    json missing = json::array();
    for (const auto &[part, weight] : kWeights) {
      if (is_there(part)) sum += weight;
      else missing.push_back(part);
      if (is_there(part)) keys.insert(part);
    }
    for (const char *key : {"known", "offer", "play"}) {
      if (is_there(key)) keys.insert(key);
    }
    out_["context_keys"] = keys;
    out_["completeness"] = std::round(sum * 100) / 100;
    out_["missing"] = missing;
  }

  const PacketSource &f_;
  const bool to_reps_;
  json out_ = json::object();
  std::map<TrackerId, Milestone> milestones_;
  std::vector<Reached> reached_;
  std::set<const Milestone *> steps_reached_; ///< by any member
  std::set<std::string> secret_;
  const Marks *sessions_ = nullptr;
  MarksSpec spec_{};
  bool may_mention_time_ = true;
  std::map<std::uint64_t, Hours> hours_; ///< of users, by their keys
  std::vector<std::pair<Micros, Micros>> in_window_;
};

// One line a person reads first.
std::string headline(const PacketSource &from, bool to_reps) {
  std::string line(from.subject.id.view());
  line += " reached " + std::to_string(from.score) + " points: ";
  const char *separator = "";
  int told = 0;
  for (std::size_t i : by_points(from.reasons)) {
    if (told == 3 || from.reasons[i].points < 0) break;
    if (to_reps && !from.p.def.signals[i].may_show_rep) continue;
    told++;
    line += separator + spoken(from.p.def.signals[i].name) + " " + std::to_string(from.reasons[i].points);
    separator = ", ";
  }
  if (!told) line.resize(line.size() - 2);
  return line;
}

// What a reason rests on that is no single event: the milestones of its steps, an attribute, somebody's word.
void add_source(json &reason, const SignalDef &d, const PacketSource &from, const json &milestones) {
  if (d.measure == Measure::value) return void(reason["source"] = d.value);
  if (d.measure == Measure::flag) {
    for (const FlagText &f : from.background.flags) {
      if (f.signal == d.name) reason["source"] = "flag " + std::to_string(f.id);
    }
    if (!reason.contains("source")) reason["source"] = "pql.flags";
    return;
  }
  const std::vector<std::string> &steps = d.measure == Measure::activation && from.p.def.activation ? from.p.def.activation->steps : d.steps;
  json evidence = json::array();
  for (const json &m : milestones) {
    const bool is_step = std::find(steps.begin(), steps.end(), m["name"].get_ref<const std::string &>()) != steps.end();
    if (is_step && !m["event_id"].is_null()) evidence.push_back(m["event_id"]);
  }
  if (evidence.empty()) reason["source"] = "pql.milestones";
  else reason["evidence"] = evidence;
}

PacketText text_of(const PacketSource &from, bool to_reps, json &context) {
  context = PacketWriter(from, to_reps).write();
  json reasons = reasons_of(from.p, from.reasons, to_reps);
  for (json &r : reasons) {
    if (!r["event_id"].is_null()) continue;
    for (const SignalDef &d : from.p.def.signals) {
      if (r["signal"] == d.name) add_source(r, d, from, context["milestones"]);
    }
  }
  return {headline(from, to_reps), dump(reasons), dump(context)};
}

} // namespace

ActivationState activation_state(const Definitions &plan, const Program &p, const Subject &s, Micros as_of) {
  const FunnelSpec &spec = plan.trackers()[p.activation_tracker].funnel;
  const std::vector<std::string> &steps = p.def.activation->steps;
  ActivationState a;
  if (const FunnelState *f = s.funnel(p.activation_tracker)) a.level = f->funnel.read(spec, as_of);
  std::vector<bool> reached;
  for (const std::string &step : steps) reached.push_back(first_time(plan, p, s, step, as_of) != nullptr);
  for (std::size_t i = 0; i < steps.size(); i++) {
    if (a.level.done >> i & 1) continue;
    if (a.next.empty()) a.next = steps[i];
    const bool later = std::any_of(reached.begin() + static_cast<std::ptrdiff_t>(i), reached.end(), [](bool r) { return r; });
    if (!reached[i] && later) a.skipped.push_back(steps[i]);
  }
  return a;
}

std::string reasons_json(const Program &p, std::span<const Reason> reasons) { return dump(reasons_of(p, reasons, false)); }

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

Packet make_packet(const PacketSource &from) {
  Packet out;
  json context;
  out.shown = text_of(from, true, context);
  out.completeness = context["completeness"].get<double>();
  for (std::size_t i = 0; i < kWeights.size(); i++) out.lacking |= (std::ranges::find(context["missing"], kWeights[i].part) != context["missing"].end()) << i;
  for (const json &part : context["missing"]) out.missing += (out.missing.empty() ? "" : ", ") + part.get<std::string>();
  const auto hides = [](const Program &p) { return std::ranges::any_of(p.def.signals, [](const SignalDef &d) { return !d.may_show_rep; }); };
  const auto kept = [](const AttributeText &a) { return !a.attribute.shown; };
  if (!hides(from.p) && std::ranges::none_of(from.plan.programs(), hides) && std::ranges::none_of(from.background.attributes, kept)) return out;
  PacketText whole = text_of(from, false, context);
  if (whole != out.shown) out.whole = std::move(whole);
  return out;
}

int parts_of_state(const PacketSource &from) { return PacketWriter(from, true).parts_of_state(); }

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

} // namespace pql::pg
