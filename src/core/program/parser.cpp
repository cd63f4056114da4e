// From the text of a program document to its definition, or to the list of all that is wrong with it.
// Law: every section is read whatever is wrong with the others, and one mistake is reported once.
#include <algorithm>
#include <bit>
#include <limits>

#include "core/program/json.hpp"
#include "core/program/measure.hpp"
#include "core/program/outreach.hpp"

namespace pql {
namespace {

using Word = std::string_view;

constexpr int kMaxScore = static_cast<int>(kMaxSignals) * kMaxPoints;

class Parser {
public:
  explicit Parser(Served served) : language_(served), judges_(served != Served::published) {}

  ParsedProgram run(std::string_view text) {
    JsonError error;
    if (const std::optional<Json> document = read_json(text, kMaxDocument, kMaxDepth, error))
      read(*document);
    else
      problems_.add({}, error.problem, error.hint);
    return {std::move(program_), problems_.take()};
  }

private:
  void read(const Json &document) {
    if (!check_type(document, Json::Type::object, {}, problems_)) return;
    const Fields f(document, {}, language_.section(At::program), problems_);
    read_head(f);
    scope_.has_activation = f.has("activation");
    if (const Json *j = f.value("milestones", Json::Type::object)) read_milestones(*j);
    if (const Json *j = f.value("activation", Json::Type::object)) read_activation(*j);
    f.require("signals", "A program needs at least one signal.");
    const Json *signals = f.value("signals", Json::Type::object);
    if (const Json *j = f.value("measures", Json::Type::object)) read_measures(*j, signals);
    if (signals) read_signals(*signals);
    f.require("qualify", R"(Say from which score on a subject qualifies, such as {"enter": 70, "leave": 55}.)");
    if (const Json *j = f.value("qualify", Json::Type::object)) read_qualify(*j);
    read_motions(f);
    read_guardrails(f);
    if (const Json *j = f.value("quiet_hours", Json::Type::object)) read_quiet(*j);
    if (const Json *j = f.value("known", Json::Type::object)) read_known(*j);
    read_examples(f);
    if (const Json *j = f.value("outcome", Json::Type::object)) read_outcome(*j);
    read_limits(f);
    if (const Json *j = f.value("outreach", Json::Type::object)) read_outreach(*j, language_, problems_, program_, motions_known_, judges_);
  }

  void read_head(const Fields &f) {
    f.require("program", "Give the program a name.");
    if (f.text("program", program_.name)) check_name(program_.name, "program", problems_);
    f.require("unit", "Say who qualifies: \"user\", \"account\" or \"workspace\".");
    if (const auto i = f.word("unit", kUnits)) {
      program_.unit = static_cast<Unit>(*i);
      scope_.of_users = program_.unit == Unit::user;
    }
    if (const auto i = f.word("objective", kObjectives)) program_.objective = kObjectives[*i];
    f.prose("description", program_.description);
    f.text("segment", program_.segment);
  }

  void read_milestones(const Json &object) {
    check_duplicates(object, "milestones", problems_);
    check_count(object, "milestones", kMaxMilestones);
    for (const Json &j : object.items) {
      scope_.milestones.insert(j.key);
      if (scope_.milestone_names.size() == kMaxMilestones) continue;
      scope_.milestone_names.push_back(j.key);
      read_milestone(j, object, join("milestones", j.key));
    }
  }

  void read_milestone(const Json &j, const Json &all, const std::string &path) {
    check_name(j.key, path, problems_);
    if (j.key == kActivationComplete) {
      problems_.add(path, quoted(j.key) + " is a reserved name", "It means that the activation is complete.");
    }
    if (!check_type(j, Json::Type::object, path, problems_)) return;
    MilestoneDef &m = program_.milestones.emplace_back();
    m.name = j.key;
    const Fields f(j, path, language_.section(At::milestone), problems_, "milestone");
    if (const Json *other = j.find("milestone"))
      refuse_definition(j, *other, all, f.path("milestone"));
    else
      f.require("event", "Name the event whose first occurrence is the milestone.");
    f.text("event", m.event);
    if (m.event == kEveryEvent) f.report("event", "must be the name of one event", "Measures can rest on every event.");
    f.text("where", m.where);
  }

  // A milestone rests on events; one that rests on milestones could rest on itself.
  void refuse_definition(const Json &j, const Json &other, const Json &all, const std::string &path) {
    static constexpr char kHint[] = "Name the \"event\" whose first occurrence is the milestone.";
    const bool cycle = other.type == Json::Type::string && leads_to(other.text, j.key, all);
    problems_.add(path,
                  cycle ? "defines " + quoted(j.key) + " by itself, which is a cycle"
                        : "cannot define a milestone by another milestone",
                  kHint);
  }

  static bool leads_to(std::string_view from, std::string_view to, const Json &all) {
    for (std::size_t i = 0; i <= kMaxMilestones && from != to; i++) {
      const Json *next = all.find(from);
      next = next ? next->find("milestone") : nullptr;
      if (!next || next->type != Json::Type::string) return false;
      from = next->text;
    }
    return from == to;
  }

  void read_activation(const Json &j) {
    const Fields f(j, "activation", language_.section(At::activation), problems_);
    ActivationDef &a = program_.activation.emplace();
    f.require("steps", "List the milestones of the checklist.");
    if (const Json *steps = f.list("steps", 1, kMaxSteps, "milestones")) read_steps(*steps, a);
    if (const auto i = f.word("order", kOrders)) a.in_order = *i == 0;
    f.require("within", "Say in which time the steps must be done, such as \"14 days\".");
    f.length("within", 1, kMaxLength, a.within);
  }

  void read_steps(const Json &steps, ActivationDef &a) {
    std::unordered_set<std::string_view> seen;
    for (std::size_t i = 0; i < std::min<std::size_t>(steps.items.size(), kMaxSteps); i++) {
      const Json &step = steps.items[i];
      const std::string path = join("activation.steps", i);
      if (!check_type(step, Json::Type::string, path, problems_)) continue;
      if (step.text == kActivationComplete) {
        problems_.add(path, "makes the activation a step of itself, which is a cycle", "List milestones only.");
      } else if (scope_.check_milestone(step.text, path) && !seen.insert(step.text).second) {
        problems_.add(path, "repeats the step " + quoted(step.text), "List each milestone once.");
      }
      a.steps.push_back(step.text);
    }
  }

  void check_count(const Json &object, const std::string &path, std::size_t most) {
    if (object.items.size() <= most) return;
    problems_.add(path,
                  "must have at most " + std::to_string(most) + " entries, not " + std::to_string(object.items.size()));
    scores_known_ = false;
  }

  void read_measures(const Json &object, const Json *signals) {
    check_duplicates(object, "measures", problems_);
    check_count(object, "measures", kMaxMeasures);
    for (std::size_t i = 0; i < std::min(object.items.size(), kMaxMeasures); i++) {
      const Json &j = object.items[i];
      read_named_measure(j, join("measures", j.key), signals && signals->find(j.key));
    }
  }

  void read_named_measure(const Json &j, const std::string &path, bool is_signal) {
    check_name(j.key, path, problems_);
    if (std::find(kReserved.begin(), kReserved.end(), j.key) != kReserved.end())
      problems_.add(path, quoted(j.key) + " is a reserved name", "Rules know something else by it.");
    else if (is_signal)
      problems_.add(path, "has the name of a signal", "Rules know the value of a signal as " + quoted("signal." + j.key) + ".");
    if (!check_type(j, Json::Type::object, path, problems_)) return;
    NamedMeasure &m = program_.measures.emplace_back();
    m.name = j.key;
    read_measure(scope_, Fields(j, path, language_.section(At::measure), problems_), m);
  }

  void read_signals(const Json &object) {
    scores_known_ = !object.items.empty();
    if (!scores_known_) problems_.add("signals", "must not be empty", "A program needs at least one signal.");
    check_duplicates(object, "signals", problems_);
    check_count(object, "signals", kMaxSignals);
    for (std::size_t i = 0; i < std::min(object.items.size(), kMaxSignals); i++) {
      const Json &j = object.items[i];
      read_signal(j, join("signals", j.key));
    }
  }

  void read_signal(const Json &j, const std::string &path) {
    check_name(j.key, path, problems_);
    if (!check_type(j, Json::Type::object, path, problems_)) {
      scores_known_ = false;
      return;
    }
    const Fields f(j, path, language_.section(At::signal), problems_);
    SignalDef &s = program_.signals.emplace_back();
    s.name = j.key;
    f.require("kind", "Kinds are " + either(kKinds) + ".");
    const auto kind = f.word("kind", kKinds);
    if (kind) s.kind = static_cast<Kind>(*kind);
    read_measure(scope_, f, s);
    read_curve(f, s);
    read_points(f, s, kind.has_value());
    f.prose("why", s.why);
    f.prose("owner", s.owner);
    if (const auto i = f.word("false_positive_risk", kRisks)) s.false_positive_risk = kRisks[*i];
    f.flag("may_show_rep", s.may_show_rep);
    f.flag("may_mention", s.may_mention);
    f.flag("explicit", s.is_explicit);
    if (const Json *contact = f.value("contact", Json::Type::object)) read_contact(*contact, f.path("contact"), s.contact);
  }

  void read_contact(const Json &j, const std::string &path, ContactDef &c) {
    const Fields f(j, path, language_.section(At::contact), problems_);
    const auto read = [&](const char *key, Micros least, std::optional<Length> &out) {
      Length l;
      if (f.length(key, least, kMaxLength, l.micros, l.counted)) out = l;
    };
    read("after", 0, c.after);
    read("by", 1, c.by);
    if (f.lacks("after") && f.lacks("by")) problems_.add(path, "must not be empty", "Give \"after\", \"by\", or both, as a motion does.");
  }

  void read_curve(const Fields &f, SignalDef &s) {
    if (is_yes_or_no(s.measure)) return;
    f.positive("points_each", s.points_each);
    f.positive("saturates_at", s.saturates_at);
    f.positive("half_saturation", s.half_saturation);
    constexpr double kMost = std::numeric_limits<double>::max();
    double over = 0;
    if (f.number("over", -kMost, kMost, over)) s.over = over;
    if (!f.one_of(kCurves).empty()) return;
    (s.measure == Measure::value ? s.points_each : s.saturates_at) = 1; // a value is points; one event gives full points
  }

  void read_points(const Fields &f, SignalDef &s, bool kind_known) {
    f.require("max_points", "Give an integer between -" + std::to_string(kMaxPoints) + " and " + std::to_string(kMaxPoints) + ".");
    const bool points = f.integer("max_points", -kMaxPoints, kMaxPoints, s.max_points);
    const bool may = f.flag("may_score", s.may_score) || !f.has("may_score");
    if (!points || !may || !kind_known) {
      scores_known_ = false;
      return;
    }
    if (s.max_points < 0 && !language_.serves("negative points"))
      f.report("max_points", "below 0 is not supported by this version", "Give more than 0 points.");
    if (s.max_points == 0 && s.may_score && s.kind != Kind::risk)
      f.report("max_points", "must not be 0", "A signal without points is of the kind risk, or has \"may_score\": false.");
    if (!s.may_score || s.max_points <= 0) return;
    most_ += s.max_points;
    kinds_ |= 1u << static_cast<unsigned>(s.kind);
  }

  void read_qualify(const Json &j) {
    const Fields f(j, "qualify", language_.section(At::qualify), problems_);
    f.require("enter", "Say from which score on a subject qualifies.");
    const bool enter = f.integer("enter", 1, kMaxScore, program_.qualify.enter);
    program_.qualify.leave = program_.qualify.enter;
    const bool leave = f.integer("leave", 0, kMaxScore, program_.qualify.leave);
    if (enter && leave && program_.qualify.leave > program_.qualify.enter) {
      f.report("leave",
               "is " + std::to_string(program_.qualify.leave) + ", which is more than enter (" +
                   std::to_string(program_.qualify.enter) + ")",
               "A subject leaves below the score at which it entered, or at the same score.");
    }
    if (enter && scores_known_ && program_.qualify.enter > most_) {
      f.report("enter",
               "is " + std::to_string(program_.qualify.enter) + ", but the signals that may score give at most " +
                   std::to_string(most_) + " points together",
               "Lower \"enter\" or raise the signals' \"max_points\".");
    }
    f.length("dwell", 0, kMaxLength, program_.qualify.dwell);
    f.length("cool_down", 0, kMaxLength, program_.qualify.cool_down);
    read_kinds(f);
    f.text("when", program_.qualify.when);
    if (const Json *rules = f.value("at_least", Json::Type::object)) read_at_least(*rules);
    f.flag("capacity", program_.qualify.capacity);
  }

  void read_kinds(const Fields &f) {
    QualifyDef &q = program_.qualify;
    const int there = std::popcount(kinds_);
    if (f.integer("min_kinds", 1, static_cast<int>(kKinds.size()), q.min_kinds) && scores_known_ && q.min_kinds > there) {
      f.report("min_kinds",
               "is " + std::to_string(q.min_kinds) + ", but the signals that give points are of " + std::to_string(there) +
                   (there == 1 ? " kind" : " kinds"),
               "Lower it, or add signals of other kinds.");
    }
    const Json *kinds = f.list("required_kinds", 1, kKinds.size(), "kinds");
    if (!kinds) return;
    for (std::size_t i = 0; i < std::min(kinds->items.size(), kKinds.size()); i++)
      read_kind(kinds->items[i], join(f.path("required_kinds"), i));
  }

  void read_kind(const Json &j, const std::string &path) {
    if (!check_type(j, Json::Type::string, path, problems_)) return;
    const auto at = std::find(kKinds.begin(), kKinds.end(), j.text);
    if (at == kKinds.end()) {
      problems_.add(path, quoted(j.text) + " is not a valid kind", suggest(j.text, kKinds, "Allowed"));
      return;
    }
    const auto kind = static_cast<Kind>(at - kKinds.begin());
    std::vector<Kind> &all = program_.qualify.required_kinds;
    if (std::find(all.begin(), all.end(), kind) != all.end())
      problems_.add(path, "repeats " + quoted(j.text), "List each once.");
    else if (scores_known_ && !(kinds_ >> static_cast<unsigned>(kind) & 1))
      problems_.add(path, "no signal of the kind " + j.text + " gives points", "Remove it, or add such a signal.");
    all.push_back(kind);
  }

  void read_at_least(const Json &j) {
    const Fields f(j, "qualify.at_least", language_.section(At::at_least), problems_);
    AtLeastDef &a = program_.qualify.at_least.emplace();
    f.require("of", "List the rules.");
    f.texts("of", 1, kMaxRules, "rules", a.of);
    f.require("count", "Say how many of the rules must hold.");
    const bool count = f.integer("count", 1, static_cast<int>(kMaxRules), a.count);
    const Json *of = j.find("of");
    if (!count || !of || of->items.empty() || a.count <= static_cast<int>(of->items.size())) return;
    f.report("count", "is " + std::to_string(a.count) + ", but there are only " + std::to_string(of->items.size()) + " rules",
             "Lower it, or list more rules.");
  }

  void read_motions(const Fields &f) {
    const Json *motions = f.list("motions", 1, kMaxMotions, "motions");
    if (!motions || motions->items.empty()) program_.motions.emplace_back();
    if (!motions) return;
    bool last = false; // a motion without a condition has been there
    bool known = true; // every motion has a condition or hasn't
    for (std::size_t i = 0; i < std::min(motions->items.size(), kMaxMotions); i++) {
      const std::string path = join("motions", i);
      if (last) {
        problems_.add(path, "is never chosen, because the motion before it is for everybody", "Put the one with \"otherwise\" last.");
        return;
      }
      MotionDef m = read_motion(motions->items[i], path, known);
      last = known && m.when.empty();
      check_unlike(m, path);
      program_.motions.push_back(std::move(m));
    }
    if (!last && known && !motions->items.empty())
      f.report("motions", "must end with a motion for everybody else",
               "Add {\"otherwise\": true, \"motion\": \"none\"}, or another motion.");
  }

  void check_unlike(const MotionDef &m, const std::string &path) {
    for (std::size_t i = 0; i < program_.motions.size() && !m.when.empty(); i++) {
      if (program_.motions[i].when != m.when) continue;
      problems_.add(path + ".when", "repeats the condition of " + join("motions", i), "The first motion whose condition holds is chosen.");
      return;
    }
  }

  MotionDef read_motion(const Json &j, const std::string &path, bool &known) {
    MotionDef m;
    if (!check_type(j, Json::Type::object, path, problems_)) {
      known = motions_known_ = false;
      return m;
    }
    const Fields f(j, path, language_.section(At::motion), problems_);
    bool otherwise = true;
    if (!f.has("when")) f.require("otherwise", "Add \"when\" with a condition, or \"otherwise\": true.");
    if (f.flag("otherwise", otherwise) && !otherwise)
      f.report("otherwise", "must be true", "A motion without a condition is for every qualified subject.");
    else if (f.gives("when") && f.gives("otherwise"))
      f.report("otherwise", "cannot be combined with \"when\"", "Keep one of the two.");
    if (!f.text("when", m.when) && !f.gives("otherwise")) known = false;
    f.require("motion", "Motions are " + either(kMotions) + ".");
    if (const auto i = f.word("motion", kMotions))
      m.motion = kMotions[*i];
    else
      motions_known_ = false;
    f.length("after", 0, kMaxLength, m.after, m.after_in);
    f.length("by", 1, kMaxLength, m.by, m.by_in);
    f.prose("next_best_action", m.next_best_action);
    f.texts("skills", 1, kMaxSkills, "skills", m.skills);
    if (const auto i = f.word("when_nobody", kWhenNobody)) m.when_nobody = static_cast<WhenNobody>(*i);
    read_downgrade(f, m);
    if (const Json *play = f.value("play", Json::Type::object)) read_play(*play, f.path("play"), m.play);
    read_acceptance(f, m);
    if (const Json *hold = f.value("hold", Json::Type::object)) read_hold(*hold, f, m);
    read_not_within(f, m);
    read_breach(f, m);
    f.prose("offer", m.offer);
    if (f.number("floor", 0, 1, m.floor) && m.floor > 0 && f.word_is("motion", kUnstaffed))
      f.report("floor", "is of motions that need a rep", "Nobody reads the context of others.");
    if (f.text("channel", m.channel)) check_name(m.channel, f.path("channel"), problems_);
    return m;
  }

  void read_breach(const Fields &f, MotionDef &m) {
    if (const auto i = f.word("on_breach", kOnBreach)) m.on_breach = static_cast<OnBreach>(*i);
    if (m.on_breach != OnBreach::escalate) {
      if (f.gives("escalate_to") && (f.gives("on_breach") || !f.has("on_breach")))
        f.report("escalate_to", "needs \"on_breach\": \"escalate\"", "Add that, or remove this.");
      return;
    }
    if (!needs_rep(m.motion) || !f.gives("by"))
      f.report("on_breach", !needs_rep(m.motion) ? "is of a motion that takes nobody" : "needs \"by\"",
               !needs_rep(m.motion) ? "Remove it, or choose a motion for a person." : "Say by when contact is to be made.");
    f.require("escalate_to", "Say to whom: {\"rep\": …}, {\"team\": …} or {\"skill\": …}.");
    if (const Json *to = f.value("escalate_to", Json::Type::object))
      read_escalation(Fields(*to, f.path("escalate_to"), language_.section(At::escalate_to), problems_), m.escalate_to);
  }

  static void read_escalation(const Fields &f, Escalation &e) {
    const std::string_view key = f.one_of(kEscalateTo);
    if (key.empty()) return f.require("rep", "Name a \"rep\", a \"team\" or a \"skill\"."), void();
    e.to = static_cast<Escalation::To>(std::find(kEscalateTo.begin(), kEscalateTo.end(), key) - kEscalateTo.begin());
    f.text(key, e.name);
  }

  void read_downgrade(const Fields &f, MotionDef &m) {
    const bool downgrades = m.when_nobody == WhenNobody::downgrade;
    if (downgrades) f.require("downgrade_to", "Say what happens instead: " + either(kUnstaffed) + ".");
    if (const auto i = f.word("downgrade_to", kUnstaffed, {}, "motion that needs nobody")) m.downgrade_to = kUnstaffed[*i];
    if (f.gives("downgrade_to") && !downgrades && (f.gives("when_nobody") || !f.has("when_nobody")))
      f.report("downgrade_to", "needs \"when_nobody\": \"downgrade\"", "Add that, or remove this.");
  }

  void read_play(const Json &j, const std::string &path, PlayDef &play) {
    const Fields f(j, path, language_.section(At::play), problems_);
    f.text_or_texts("say", kMaxSentences, "sentences", play.say);
    f.text_or_texts("never", kMaxSentences, "sentences", play.never);
    if (f.lacks("say") && f.lacks("never"))
      problems_.add(path, "must not be empty", "Give what to \"say\" first, what to \"never\" say, or both.");
  }

  void read_acceptance(const Fields &f, MotionDef &m) {
    f.text("accept_when", m.accept_when);
    f.text("accept_because", m.accept_because);
    if (f.gives("accept_because") && f.lacks("accept_when"))
      f.report("accept_because", "needs \"accept_when\"", "Add the condition that it puts into words, or remove this.");
    if (f.gives("accept_when") && f.word_is("motion", kUnstaffed))
      f.report("accept_when", "is of motions that need a rep", "Of others, \"when\" says for whom they are.");
  }

  void read_hold(const Json &j, const Fields &motion, MotionDef &m) {
    const Fields f(j, motion.path("hold"), language_.section(At::hold), problems_);
    f.length("session", 1, kMaxLength, m.hold.session);
    f.length("activation", 1, kMaxLength, m.hold.activation);
    if (f.lacks("session") && f.lacks("activation"))
      problems_.add(motion.path("hold"), "must not be empty", "Give \"session\", \"activation\", or both.");
    if (f.gives("activation") && !scope_.has_activation)
      f.report("activation", "needs an activation", "Define it under \"activation\", or remove this.");
    if (motion.lacks("by"))
      motion.report("hold", "needs \"by\"", "Contact is held until then at the latest: somebody who is always busy isn't held for ever.");
  }

  void read_not_within(const Fields &f, MotionDef &m) {
    const Json *all = f.list("not_within", 1, kMaxNotWithin, "milestones");
    for (std::size_t i = 0; all && i < std::min(all->items.size(), kMaxNotWithin); i++) {
      const std::string path = join(f.path("not_within"), i);
      if (!check_type(all->items[i], Json::Type::object, path, problems_)) continue;
      const Fields item(all->items[i], path, language_.section(At::not_within), problems_);
      NotWithinDef &n = m.not_within.emplace_back();
      item.require("milestone", "Name the milestone whose first occurrence bars contact.");
      if (item.text("milestone", n.milestone)) scope_.check_milestone(n.milestone, item.path("milestone"));
      item.require("for", "Say for how long, such as \"3 days\".");
      item.length("for", 1, kMaxLength, n.length);
      const auto same = [&](const NotWithinDef &o) { return &o != &n && o.milestone == n.milestone; };
      if (!n.milestone.empty() && std::any_of(m.not_within.begin(), m.not_within.end(), same))
        item.report("milestone", "repeats " + quoted(n.milestone), "List each milestone once.");
    }
  }

  void read_quiet(const Json &j) {
    const Fields f(j, "quiet_hours", language_.section(At::quiet_hours), problems_);
    QuietDef &q = program_.quiet_hours.emplace();
    f.require("zone", "Give a SQL text over the subject, such as \"attr.timezone\".");
    f.text("zone", q.zone);
    f.text("default_zone", q.default_zone);
    bool known = read_times(f, "hours", q.hours);
    if (const Json *days = f.value("days", Json::Type::object)) {
      const Fields d(*days, f.path("days"), language_.section(At::quiet_days), problems_);
      for (std::size_t i = 0; i < kDays.size(); i++) known &= read_times(d, kDays[i], q.days[i]);
    }
    if (f.lacks("hours") && f.lacks("days"))
      problems_.add("quiet_hours", "must have hours", "Give \"hours\" of every day, such as [\"21:00-08:00\"], or \"days\" with hours of some.");
    else if (known && q.week().empty())
      problems_.add("quiet_hours", "leave no time for contact", "Leave some part of the week out.");
  }

  // The short form is the value alone.
  void read_known(const Json &object) {
    check_duplicates(object, "known", problems_);
    if (object.items.size() > kMaxKnown)
      problems_.add("known", "must have at most " + std::to_string(kMaxKnown) + " entries, not " + std::to_string(object.items.size()));
    for (std::size_t i = 0; i < std::min(object.items.size(), kMaxKnown); i++) {
      const Json &j = object.items[i];
      const std::string path = join("known", j.key);
      check_label(j.key, path);
      KnownDef &k = program_.known.emplace_back();
      k.label = j.key;
      if (j.type == Json::Type::string) {
        if (check_text(j.text, path, problems_)) k.value = j.text;
        continue;
      }
      if (j.type != Json::Type::object) {
        problems_.add(path, "must be a string or an object", "Give a SQL text over the subject, such as \"attr.seats\".");
        continue;
      }
      const Fields f(j, path, language_.section(At::known), problems_);
      f.require("value", "Give a SQL text over the subject, such as \"attr.seats\".");
      f.text("value", k.value);
      f.flag("may_mention", k.may_mention);
    }
  }

  // What a person reads before the value.
  void check_label(const std::string &label, const std::string &path) {
    constexpr std::size_t kLongest = 60;
    if (!check_text(label, path, problems_)) return;
    if (label.size() > kLongest) problems_.add(path, "must have at most " + std::to_string(kLongest) + " bytes as a label", "A label is a word or two, such as \"team size\".");
    else if (label.find_first_of("\n\r\t") != label.npos) problems_.add(path, "must be one line as a label", "A label is a word or two, such as \"team size\".");
  }

  bool read_times(const Fields &f, Word key, std::vector<std::string> &out) {
    f.texts(key, 1, kMaxQuiet, "times", out);
    bool known = true;
    for (std::size_t i = 0; i < out.size(); i++) {
      if (parse_times(out[i])) continue;
      known = false;
      f.report(key, quoted(out[i]) + " is not a time of day until another", "Write \"21:00-08:00\": from 21:00 until 08:00 of the next day.");
    }
    return known;
  }

  void read_guardrails(const Fields &f) {
    const Json *all = f.list("guardrails", 1, kMaxGuardrails, "guardrails");
    for (std::size_t i = 0; all && i < std::min(all->items.size(), kMaxGuardrails); i++) {
      const std::string path = join("guardrails", i);
      if (check_type(all->items[i], Json::Type::object, path, problems_))
        read_guardrail(Fields(all->items[i], path, language_.section(At::guardrail), problems_));
    }
  }

  void read_guardrail(const Fields &f) {
    GuardrailDef g;
    f.require("block_when", "Give the condition under which nobody makes contact.");
    f.text("block_when", g.block_when);
    f.require("reason", "Say why not, in a few words.");
    f.text("reason", g.reason);
    const auto same = [&](const GuardrailDef &other) { return other.block_when == g.block_when; };
    if (!g.block_when.empty() && std::any_of(program_.guardrails.begin(), program_.guardrails.end(), same))
      f.report("block_when", "repeats the condition of another guardrail", "Keep one of them.");
    program_.guardrails.push_back(std::move(g));
  }

  void read_examples(const Fields &f) {
    const Json *all = f.list("examples", 1, kMaxExamples, "examples");
    for (std::size_t i = 0; all && i < std::min(all->items.size(), kMaxExamples); i++) {
      const std::string path = join("examples", i);
      if (check_type(all->items[i], Json::Type::object, path, problems_))
        read_example(Fields(all->items[i], path, language_.section(At::example), problems_));
    }
  }

  void read_example(const Fields &f) {
    ExampleDef e;
    f.require("subject", "Name a user or an account.");
    f.text("subject", e.subject);
    f.require("expect", "Say what it should get: a motion, or " + either(Words(kExpectations).subspan(kMotions.size())) + ".");
    if (const auto i = f.word("expect", kExpectations, {}, "expectation")) {
      e.expect = kExpectations[*i];
      if (*i < kMotions.size()) check_expected(f, e.expect);
    }
    const auto same = [&](const ExampleDef &other) { return other.subject == e.subject; };
    if (!e.subject.empty() && std::any_of(program_.examples.begin(), program_.examples.end(), same))
      f.report("subject", "repeats " + quoted(e.subject), "Expect one thing of each subject.");
    program_.examples.push_back(std::move(e));
  }

  void check_expected(const Fields &f, const std::string &motion) {
    const auto same = [&](const MotionDef &m) { return m.motion == motion; };
    if (!motions_known_ || std::any_of(program_.motions.begin(), program_.motions.end(), same)) return;
    f.report("expect", "none of the motions is " + quoted(motion), "Add it to \"motions\", or expect another.");
  }

  void read_outcome(const Json &j) {
    const Fields f(j, "outcome", language_.section(At::outcome), problems_);
    OutcomeDef &o = program_.outcome;
    read_names(f, "converted", "outcomes", o.converted);
    read_names(f, "lost", "outcomes", o.lost);
    for (const std::string &name : o.lost) {
      if (std::find(o.converted.begin(), o.converted.end(), name) != o.converted.end())
        f.report("lost", quoted(name) + " is among \"converted\", too", "An outcome is good or bad; leave it out of one.");
    }
    f.length("horizon", kHour, kMaxLength, o.horizon);
    if (const Json *worked = f.value("worked", Json::Type::object)) read_worked(Fields(*worked, f.path("worked"), language_.section(At::worked), problems_), o.worked);
  }

  void read_worked(const Fields &f, WorkDef &w) {
    constexpr int kMost = 1000;
    const bool touches = f.integer("touches", 1, kMost, w.touches);
    read_names(f, "channels", "channels", w.channels);
    const int possible = w.channels.empty() ? kMost : static_cast<int>(w.channels.size());
    if (!f.integer("kinds", 1, kMost, w.kinds) && f.lacks("kinds")) w.kinds = std::min({w.kinds, w.touches, possible});
    if ((touches || f.lacks("touches")) && w.kinds > w.touches)
      f.report("kinds", "must not be more than \"touches\", " + std::to_string(w.touches), "A touch is by one channel.");
    else if (w.kinds > possible)
      f.report("kinds", "must not be more than the number of \"channels\", " + std::to_string(possible), "No more than these count.");
    f.flag("meeting", w.meeting);
  }

  void read_names(const Fields &f, Word key, Word what, std::vector<std::string> &out) {
    std::vector<std::string> names;
    f.texts(key, 1, kMaxNames, what, names);
    if (!names.empty()) out = std::move(names);
    for (const std::string &name : out) check_name(name, f.path(key), problems_);
  }

  void read_exempt(const Fields &f) {
    const Json *all = f.list("holdout_exempt", 0, kExempts.size(), "entries");
    if (!all) return;
    program_.holdout_exempt = 0;
    for (std::size_t i = 0; i < std::min(all->items.size(), kExempts.size()); i++) {
      const Json &j = all->items[i];
      const std::string path = join(f.path("holdout_exempt"), i);
      if (!check_type(j, Json::Type::string, path, problems_)) continue;
      const auto at = std::find(kExempts.begin(), kExempts.end(), j.text);
      if (at == kExempts.end()) problems_.add(path, quoted(j.text) + " is not a valid entry", suggest(j.text, kExempts, "Allowed"));
      else program_.holdout_exempt |= 1u << static_cast<unsigned>(at - kExempts.begin());
    }
  }

  void read_limits(const Fields &f) {
    f.number("holdout", 0, 0.5, program_.holdout);
    read_exempt(f);
    if (const auto i = f.word("consent", kConsents)) program_.consent = static_cast<Consent>(*i);
    if (const Json *j = f.value("limits", Json::Type::object)) {
      Fields(*j, "limits", language_.section(At::limits), problems_)
          .integer("min_days_between_versions", 0, 365, program_.min_days_between_versions);
    }
    f.length("re_evaluate", kMinute, kDay, program_.re_evaluate);
  }

  ProgramDef program_;
  Problems problems_;
  Language language_;
  Scope scope_{language_, problems_};
  bool scores_known_ = false; // every signal's part in the score could be read
  int most_ = 0;              // points that can be had
  unsigned kinds_ = 0;        // of which kinds
  bool motions_known_ = true; // each could be read
  const bool judges_;         // texts
};

} // namespace

ParsedProgram parse_program(std::string_view json, Served served) { return Parser(served).run(json); }

} // namespace pql
