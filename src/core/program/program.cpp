// From the text of a program document to its definition, or to the list of all that is wrong with it.
// Law: every section is read whatever is wrong with the others, and one mistake is reported once.
#include "core/program/program.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "core/program/fields.hpp"
#include "core/program/json.hpp"

namespace pql {
namespace {

using Word = std::string_view;

constexpr std::array<Word, 2> kUnits = {"user", "account"};
constexpr std::array<Word, 6> kKinds = {"activation", "depth", "breadth", "fit", "intent", "risk"};
constexpr std::array<Word, 14> kMeasures = {"count",       "sum",          "milestone", "activation", "distinct_users",
                                            "active_days", "streak",       "recency",   "pattern",    "time_in_product",
                                            "success_rate", "growth",      "value",     "flag"};
constexpr std::array<Word, 2> kObjectives = {"conversion", "expansion"};
constexpr std::array<Word, 2> kOrders = {"in_order", "any_order"};
constexpr std::array<Word, 3> kRisks = {"low", "medium", "high"};
constexpr std::array<Word, 8> kMotions = {"none",
                                          "in_app",
                                          "email",
                                          "inside_sales",
                                          "account_executive",
                                          "enterprise",
                                          "solutions_engineer",
                                          "customer_success"};

constexpr std::array<Word, 3> kLaterMeasures = {"distinct_users", "growth", "pattern"};
constexpr std::array<Word, 3> kCurves = {"points_each", "saturates_at", "half_saturation"};
// What belongs to a signal that measures events.
constexpr std::array<Word, 8> kEventKeys = {"event",     "where",       "measure",      "of",
                                            "half_life", "points_each", "saturates_at", "half_saturation"};

constexpr std::array<Word, 9> kProgramKeys = {"program",    "unit",    "objective", "description", "milestones",
                                              "activation", "signals", "qualify",   "motions"};
constexpr std::array<Word, 8> kProgramLater = {"segment", "measures", "guardrails", "examples",
                                               "holdout", "limits",   "capacity",   "re_evaluate"};
constexpr std::array<Word, 2> kMilestoneKeys = {"event", "where"};
constexpr std::array<Word, 3> kActivationKeys = {"steps", "order", "within"};
constexpr std::array<Word, 17> kSignalKeys = {
    "kind",       "event",        "where",        "measure",         "of",  "half_life", "milestone",
    "max_points", "points_each",  "saturates_at", "half_saturation", "why", "owner",     "false_positive_risk",
    "may_score",  "may_show_rep", "may_mention"};
constexpr std::array<Word, 7> kSignalLater = {"window", "topic", "value", "over", "all_of", "within", "when"};
constexpr std::array<Word, 2> kQualifyKeys = {"enter", "leave"};
constexpr std::array<Word, 6> kQualifyLater = {"dwell", "cool_down", "min_kinds", "required_kinds", "when", "capacity"};
constexpr std::array<Word, 5> kMotionKeys = {"otherwise", "motion", "after", "by", "next_best_action"};
constexpr std::array<Word, 2> kMotionLater = {"when", "skills"};

enum At : std::size_t { kProgram, kMilestone, kActivation, kSignal, kQualify, kMotion };
constexpr std::array<Section, 6> kSections = {{
    {"program", kProgramKeys, kProgramLater},
    {"milestone", kMilestoneKeys, {}},
    {"activation", kActivationKeys, {}},
    {"signal", kSignalKeys, kSignalLater},
    {"qualify", kQualifyKeys, kQualifyLater},
    {"motion", kMotionKeys, kMotionLater},
}};

constexpr int kMaxScore = static_cast<int>(kMaxSignals) * kMaxPoints;

class Parser {
public:
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
    const Fields f(document, {}, kSections[kProgram], problems_);
    read_head(f);
    has_activation_ = f.has("activation");
    if (const Json *j = f.value("milestones", Json::Type::object)) read_milestones(*j);
    if (const Json *j = f.value("activation", Json::Type::object)) read_activation(*j);
    f.require("signals", "A program needs at least one signal.");
    if (const Json *j = f.value("signals", Json::Type::object)) read_signals(*j);
    f.require("qualify", R"(Say from which score on a subject qualifies, such as {"enter": 70, "leave": 55}.)");
    if (const Json *j = f.value("qualify", Json::Type::object)) read_qualify(*j);
    read_motions(f);
  }

  void read_head(const Fields &f) {
    f.require("program", "Give the program a name.");
    if (f.text("program", program_.name)) check_name(program_.name, "program", problems_);
    f.require("unit", "Say whether users or accounts qualify: \"user\" or \"account\".");
    if (const auto i = f.word("unit", kUnits)) program_.unit = static_cast<Unit>(*i);
    if (const auto i = f.word("objective", kObjectives)) program_.objective = kObjectives[*i];
    f.prose("description", program_.description);
  }

  void read_milestones(const Json &object) {
    check_duplicates(object, "milestones", problems_);
    check_count(object, "milestones", kMaxMilestones);
    for (const Json &j : object.items) {
      milestones_.insert(j.key);
      if (milestone_names_.size() == kMaxMilestones) continue;
      milestone_names_.push_back(j.key);
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
    const Fields f(j, path, kSections[kMilestone], problems_, "milestone");
    if (const Json *other = j.find("milestone"))
      refuse_definition(j, *other, all, f.path("milestone"));
    else
      f.require("event", "Name the event whose first occurrence is the milestone.");
    f.text("event", m.event);
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
    const Fields f(j, "activation", kSections[kActivation], problems_);
    ActivationDef &a = program_.activation.emplace();
    f.require("steps", "List the milestones of the checklist.");
    if (const Json *steps = f.value("steps", Json::Type::array)) read_steps(*steps, a);
    if (const auto i = f.word("order", kOrders)) a.in_order = *i == 0;
    f.require("within", "Say in which time the steps must be done, such as \"14 days\".");
    f.length("within", 1, kMaxLength, a.within);
  }

  void read_steps(const Json &steps, ActivationDef &a) {
    const std::size_t n = steps.items.size();
    if (n == 0 || n > kMaxSteps) {
      problems_.add("activation.steps",
                    "must list 1 to " + std::to_string(kMaxSteps) + " milestones, not " + std::to_string(n));
    }
    std::unordered_set<std::string_view> seen;
    for (std::size_t i = 0; i < std::min<std::size_t>(n, kMaxSteps); i++) {
      const Json &step = steps.items[i];
      const std::string path = "activation.steps[" + std::to_string(i) + "]";
      if (!check_type(step, Json::Type::string, path, problems_)) continue;
      if (step.text == kActivationComplete) {
        problems_.add(path, "makes the activation a step of itself, which is a cycle", "List milestones only.");
      } else if (check_milestone(step.text, path) && !seen.insert(step.text).second) {
        problems_.add(path, "repeats the step " + quoted(step.text), "List each milestone once.");
      }
      a.steps.push_back(step.text);
    }
  }

  bool check_milestone(std::string_view name, const std::string &path) {
    if (milestones_.contains(name)) return true;
    problems_.add(path, "milestone " + quoted(name) + " is not defined",
                  milestone_names_.empty() ? "Define it under \"milestones\"."
                                           : suggest(name, milestone_names_, "The milestones"));
    return false;
  }

  void check_count(const Json &object, const std::string &path, std::size_t most) {
    if (object.items.size() <= most) return;
    problems_.add(path,
                  "must have at most " + std::to_string(most) + " entries, not " + std::to_string(object.items.size()));
    scores_known_ = false;
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
    const Fields f(j, path, kSections[kSignal], problems_);
    SignalDef &s = program_.signals.emplace_back();
    s.name = j.key;
    f.require("kind", "Kinds are " + either(kKinds) + ".");
    if (const auto i = f.word("kind", kKinds)) s.kind = static_cast<Kind>(*i);
    if (f.has("milestone"))
      read_milestone_signal(f, s);
    else
      read_event_signal(f, s);
    read_points(f, s);
    f.prose("why", s.why);
    f.prose("owner", s.owner);
    if (const auto i = f.word("false_positive_risk", kRisks)) s.false_positive_risk = kRisks[*i];
    f.flag("may_show_rep", s.may_show_rep);
    f.flag("may_mention", s.may_mention);
  }

  void read_milestone_signal(const Fields &f, SignalDef &s) {
    for (const Word key : kEventKeys) {
      if (f.has(key))
        f.report(key, "cannot be combined with \"milestone\"",
                 "A signal rests on a milestone or on events, not on both.");
    }
    s.measure = Measure::milestone;
    if (!f.text("milestone", s.milestone)) return;
    if (s.milestone != kActivationComplete) {
      check_milestone(s.milestone, f.path("milestone"));
      return;
    }
    s.measure = Measure::activation;
    s.milestone.clear();
    if (!has_activation_)
      f.report("milestone", "needs an activation, and the program has none", "Define \"activation\".");
  }

  void read_event_signal(const Fields &f, SignalDef &s) {
    const auto measure = f.word("measure", Words(kMeasures).first(2), kLaterMeasures);
    if (measure) s.measure = static_cast<Measure>(*measure);
    // A signal of a kind that this version doesn't know needs other things than these.
    const bool known = !f.has_planned() && (measure || !f.has("measure"));
    if (known && !f.has("event"))
      f.report("event", "is required", "A signal rests on an \"event\" or on a \"milestone\".");
    if (known) f.require("half_life", "Say after which time an event counts half, such as \"7 days\".");
    f.text("event", s.event);
    f.text("where", s.where);
    read_of(f, s, known);
    f.length("half_life", kMinHalfLife, kMaxHalfLife, s.half_life);
    read_curve(f, s);
  }

  void read_of(const Fields &f, SignalDef &s, bool known) {
    f.text("of", s.of);
    if (!known) return;
    if (s.measure == Measure::sum)
      f.require("of", "Say what is summed: a SQL expression over the event that gives a number.");
    else if (f.has("of"))
      f.report("of", "is only for the measure sum", "Add \"measure\": \"sum\", or remove it.");
  }

  void read_curve(const Fields &f, SignalDef &s) {
    f.positive("points_each", s.points_each);
    f.positive("saturates_at", s.saturates_at);
    f.positive("half_saturation", s.half_saturation);
    Word first;
    for (const Word key : kCurves) {
      if (!f.has(key)) continue;
      if (first.empty())
        first = key;
      else
        f.report(key, "cannot be combined with " + quoted(first), "Keep one of " + either(kCurves) + ".");
    }
    if (first.empty()) s.saturates_at = 1; // one event gives full points
  }

  void read_points(const Fields &f, SignalDef &s) {
    const std::string range = "Give an integer between 1 and " + std::to_string(kMaxPoints) + ".";
    f.require("max_points", range);
    const bool points = f.integer("max_points", 1, kMaxPoints, s.max_points);
    const bool may = f.flag("may_score", s.may_score) || !f.has("may_score");
    if (!points || !may)
      scores_known_ = false;
    else if (s.may_score)
      most_ += s.max_points;
  }

  void read_qualify(const Json &j) {
    const Fields f(j, "qualify", kSections[kQualify], problems_);
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
  }

  void read_motions(const Fields &f) {
    const Json *motions = f.value("motions", Json::Type::array);
    if (!motions || motions->items.empty()) program_.motions.emplace_back();
    if (!motions) return;
    const std::size_t n = motions->items.size();
    if (n == 0) f.report("motions", "must not be empty", "Remove it, or give one motion with \"otherwise\": true.");
    if (n > 1) {
      f.report("motions", "has more than one motion, which is not supported by this version",
               "Keep one, with \"otherwise\": true.");
    }
    constexpr std::size_t kMost = 32;
    for (std::size_t i = 0; i < std::min(n, kMost); i++) {
      MotionDef m = read_motion(motions->items[i], "motions[" + std::to_string(i) + "]");
      if (i == 0) program_.motions.push_back(std::move(m));
    }
  }

  MotionDef read_motion(const Json &j, const std::string &path) {
    MotionDef m;
    if (!check_type(j, Json::Type::object, path, problems_)) return m;
    const Fields f(j, path, kSections[kMotion], problems_);
    bool otherwise = true;
    if (!f.has("when")) f.require("otherwise", "Add \"otherwise\": true.");
    f.flag("otherwise", otherwise);
    if (!otherwise)
      f.report("otherwise", "must be true", "A motion without a condition is for every qualified subject.");
    f.require("motion", "Motions are " + either(kMotions) + ".");
    if (const auto i = f.word("motion", kMotions)) m.motion = kMotions[*i];
    f.length("after", 0, kMaxLength, m.after);
    f.length("by", 1, kMaxLength, m.by);
    f.prose("next_best_action", m.next_best_action);
    return m;
  }

  ProgramDef program_;
  Problems problems_;
  std::unordered_set<std::string_view> milestones_; // defined, however badly
  std::vector<std::string_view> milestone_names_;   // the same in the document's order, for hints
  bool has_activation_ = false;
  bool scores_known_ = false; // every signal's part in the score could be read
  int most_ = 0;
};

} // namespace

std::string_view name_of(Unit u) noexcept { return kUnits[static_cast<std::size_t>(u)]; }
std::string_view name_of(Kind k) noexcept { return kKinds[static_cast<std::size_t>(k)]; }
std::string_view name_of(Measure m) noexcept { return kMeasures[static_cast<std::size_t>(m)]; }

const MilestoneDef *ProgramDef::milestone(std::string_view wanted) const noexcept {
  for (const MilestoneDef &m : milestones) {
    if (m.name == wanted) return &m;
  }
  return nullptr;
}

bool ProgramDef::scores_milestones() const noexcept {
  return std::any_of(signals.begin(), signals.end(), [](const SignalDef &d) { return d.measure == Measure::milestone; });
}

std::span<const Section> sections() noexcept { return kSections; }

ParsedProgram parse_program(std::string_view json) { return Parser().run(json); }

} // namespace pql
