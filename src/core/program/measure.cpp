// Which keys go together is in one table; the rest reads them.
#include "core/program/measure.hpp"

#include <algorithm>

namespace pql {
namespace {

using Word = std::string_view;
using Set = unsigned; // of measures

constexpr Set of(Measure m) noexcept { return Set{1} << static_cast<unsigned>(m); }

constexpr Set kSums = of(Measure::count) | of(Measure::sum),
              kReached = of(Measure::milestone) | of(Measure::activation) | of(Measure::pattern),
              kOfAnyEvent = of(Measure::distinct_users) | of(Measure::active_days) | of(Measure::streak) | of(Measure::recency) |
                            of(Measure::time_in_product),
              kOfEvents = kSums | kOfAnyEvent | of(Measure::success_rate) | of(Measure::growth),
              kNeedWindow = of(Measure::distinct_users) | of(Measure::active_days) | of(Measure::time_in_product) |
                            of(Measure::success_rate) | of(Measure::growth),
              kCapped = (kOfEvents & ~of(Measure::success_rate)) | of(Measure::value),
              kCurved = kOfEvents | of(Measure::value);

// Which measures take a key.
struct Use {
  Word key;
  Set measures;
};
constexpr Use kUses[] = {
    {"event", kOfEvents},
    {"topic", kOfEvents},
    {"where", kOfEvents},
    {"of", of(Measure::sum) | of(Measure::growth)},
    {"sum_of", of(Measure::growth)},
    {"success", of(Measure::success_rate)},
    {"milestone", of(Measure::milestone) | of(Measure::activation)},
    {"value", of(Measure::value)},
    {"flag", of(Measure::flag)},
    {"all_of", of(Measure::pattern)},
    {"sequence", of(Measure::pattern)},
    {"within", of(Measure::pattern)},
    {"half_life", kSums | kReached},
    {"window", kSums | kReached | kNeedWindow | of(Measure::streak)},
    {"gap", of(Measure::time_in_product) | of(Measure::growth)},
    {"repeat", of(Measure::count)},
    {"cap", kCapped},
    {"points_each", kCurved},
    {"saturates_at", kCurved},
    {"half_saturation", kCurved},
    {"over", kCurved},
};

// What says by itself what is measured.
struct Form {
  Word key;
  Measure measure;
};
constexpr Form kForms[] = {{"milestone", Measure::milestone},
                           {"value", Measure::value},
                           {"flag", Measure::flag},
                           {"all_of", Measure::pattern},
                           {"sequence", Measure::pattern}};

constexpr std::array<Word, 2> kEventKeys = {"event", "topic"}, kStepKeys = {"all_of", "sequence"}, kTimeKeys = {"half_life", "window"};
constexpr std::array<Word, 5> kGrowths = {"count", "sum", "distinct_users", "active_days", "time_in_product"};
constexpr Micros kStreakWindow = 90 * kDay, kSessionGap = 30 * kMinute;

Measure measure_of(Word word) noexcept {
  return static_cast<Measure>(std::find(kMeasures.begin(), kMeasures.end(), word) - kMeasures.begin());
}

class Reader {
public:
  Reader(const Scope &scope, const Fields &f, MeasureDef &m) : scope_(scope), f_(f), m_(m) {}

  void run() {
    choose();
    if (known_ && !has_form()) return;
    if (known_) refuse_others();
    // Of what isn't served nothing is asked but to go.
    complete_ = known_ && !f_.has_planned();
    read_form();
    read_of();
    read_events();
    read_repeat();
    read_times();
    check_users();
  }

private:
  void choose() {
    const auto i = f_.word("measure", scope_.language.measures(), scope_.language.planned_measures());
    if (i) chosen_ = measure_of(scope_.language.measures()[*i]);
    known_ = i || !f_.has("measure");
    for (const Form &form : kForms) {
      if (!known_ || !f_.has(form.key) || (i && takes(form.key))) continue;
      if (i) f_.report("measure", "cannot be combined with " + quoted(form.key), "Keep one of the two.");
      chosen_ = form.measure;
      form_ = form.key;
      break;
    }
    m_.measure = chosen_;
  }

  // Whether what the measure can't be without is there: if it isn't, the other keys are of no interest.
  bool has_form() const {
    if (chosen_ == Measure::milestone) return f_.require("milestone", "Name the milestone.");
    if (chosen_ == Measure::value) return f_.require("value", "Write a SQL number over the subject, such as \"attr.seats\".");
    if (chosen_ != Measure::pattern || f_.has("all_of") || f_.has("sequence")) return true;
    if (f_.lacks("all_of") && f_.lacks("sequence"))
      f_.report("all_of", "is required", "List the steps under \"all_of\", or, if their order counts, under \"sequence\".");
    return false;
  }

  bool takes(Word key) const noexcept {
    if (!known_) return true;
    const auto use = std::find_if(std::begin(kUses), std::end(kUses), [&](const Use &u) { return u.key == key; });
    return use->measures & of(chosen_);
  }

  void refuse_others() const {
    for (const Use &u : kUses) {
      if (u.measures & of(chosen_) || !f_.gives(u.key)) continue;
      if (!form_.empty())
        f_.report(u.key, "cannot be combined with " + quoted(form_), "Keep one of the two.");
      else
        f_.report(u.key, "is only for " + listed(u.measures), "Choose such a measure, or remove it.");
    }
  }

  static std::string listed(Set measures) {
    std::vector<Word> words;
    for (std::size_t i = 0; i < kMeasures.size(); i++) {
      if (measures >> i & 1) words.push_back(kMeasures[i]);
    }
    return (words.size() == 1 ? "the measure " : "the measures ") + either(words);
  }

  void read_form() {
    if (takes("milestone")) read_milestone();
    if (takes("value")) f_.text("value", m_.value);
    bool flag = true;
    if (takes("flag") && f_.flag("flag", flag) && !flag) f_.report("flag", "must be true", "Remove it, or write true.");
    if (takes("all_of")) read_steps();
  }

  void read_milestone() {
    std::string name;
    if (f_.text("milestone", name)) {
      if (name == kActivationComplete)
        m_.measure = Measure::activation;
      else if (chosen_ == Measure::activation)
        f_.report("milestone", "must be " + quoted(kActivationComplete) + " for the measure activation", "Remove it.");
      else if (scope_.check_milestone(name, f_.path("milestone")))
        m_.milestone = name;
    }
    if (m_.measure == Measure::activation && !scope_.has_activation) {
      f_.report(f_.has("milestone") ? "milestone" : "measure", "needs an activation, and the program has none",
                "Define \"activation\".");
    }
  }

  void read_steps() {
    const Word key = f_.one_of(kStepKeys);
    if (key.empty()) return;
    m_.in_order = key == "sequence";
    f_.texts(key, 2, kMaxSteps, "steps", m_.steps);
    for (const std::string &step : m_.steps) {
      if (step == kEveryEvent || step == kActivationComplete)
        f_.report(key, quoted(step) + " cannot be a step", "List milestones and events by their names.");
    }
    f_.length("within", 1, kMaxLength, m_.within);
    if (complete_) f_.require("within", "Say in which time the steps must be done, such as \"72 hours\".");
  }

  void read_of() {
    if (known_ && chosen_ == Measure::growth) return read_growth();
    if (takes("of")) f_.text("of", m_.of);
    if (complete_ && chosen_ == Measure::sum)
      f_.require("of", "Say what is summed: a SQL expression over the event that gives a number.");
    if (takes("success")) f_.text("success", m_.success);
    if (complete_ && chosen_ == Measure::success_rate)
      f_.require("success", "Say which of the events succeeded: a SQL condition over the event.");
  }

  void read_growth() {
    if (complete_) f_.require("of", "Say what grows: " + either(kGrowths) + ".");
    const auto i = f_.word("of", kGrowths, {}, "measure to grow");
    growth_known_ = i.has_value();
    if (!i) return;
    m_.growth_of = measure_of(kGrowths[*i]);
    const bool sum = m_.growth_of == Measure::sum;
    if (sum) {
      f_.text("sum_of", m_.of);
      if (complete_) f_.require("sum_of", "Say what is summed: a SQL expression over the event that gives a number.");
    } else if (f_.gives("sum_of")) {
      f_.report("sum_of", "is only for the growth of a sum", "Add \"of\": \"sum\", or remove it.");
    }
    if (m_.growth_of != Measure::time_in_product && f_.gives("gap"))
      f_.report("gap", "is only for the growth of time_in_product", "Remove it.");
  }

  // What is measured of the events: of a growth, what grows.
  Measure measured() const noexcept { return chosen_ == Measure::growth ? m_.growth_of : chosen_; }

  void read_events() {
    if (!takes("event")) return;
    const Word key = f_.one_of(kEventKeys);
    f_.text("event", m_.event);
    std::string topic;
    if (key == "topic" && f_.text("topic", topic) && check_name(topic, f_.path("topic"), scope_.problems))
      m_.event = std::string(kTopicEvent) + topic;
    if (m_.event == kEveryEvent && !scope_.language.serves("every event"))
      f_.report("event", quoted(kEveryEvent) + " is not supported by this version", "Name an event.");
    if (known_ && f_.lacks("event") && f_.lacks("topic")) {
      if (of(measured()) & kOfAnyEvent)
        m_.event = kEveryEvent;
      else if (complete_ && growth_known_)
        f_.report("event", "is required",
                  "Name the event. What rests on no event of its own has a \"milestone\", a \"value\", a \"flag\", or steps "
                  "(\"all_of\", \"sequence\").");
    }
    f_.text("where", m_.where);
  }

  void read_times() {
    if (takes("half_life")) f_.length("half_life", kMinHalfLife, kMaxHalfLife, m_.half_life);
    if (takes("window")) f_.length("window", kSecond, kMaxLength, m_.window);
    if (takes("half_life") && takes("window")) f_.one_of(kTimeKeys);
    if (known_ && chosen_ == Measure::streak && !f_.has("window")) m_.window = kStreakWindow;
    if (known_ && measured() == Measure::time_in_product) m_.gap = kSessionGap;
    if (takes("gap")) f_.length("gap", kSecond, kMaxLength, m_.gap);
    check_fading();
    if (complete_) require_times();
  }

  void check_fading() const {
    if (!known_ || !(of(chosen_) & kReached) || chosen_ == Measure::pattern || scope_.language.serves("fading milestones")) return;
    for (const Word key : kTimeKeys) {
      if (f_.gives(key)) f_.report(key, "of a milestone is not supported by this version", "Remove it.");
    }
  }

  void require_times() const {
    if (of(m_.measure) & kNeedWindow) {
      if (!f_.has("half_life")) f_.require("window", "Say over which time it is measured, such as \"30 days\".");
    } else if (of(chosen_) & kSums && f_.lacks("half_life") && f_.lacks("window")) {
      f_.report("half_life", "is required",
                "Say after which time an event counts half, such as \"7 days\"; or give a \"window\", in which all count.");
    }
  }

  void read_repeat() {
    if (takes("cap")) f_.positive("cap", m_.cap);
    if (!takes("repeat")) return;
    const auto i = f_.word("repeat", kRepeats);
    if (!i) return;
    const Word repeat = kRepeats[*i];
    if (repeat == "capped" && complete_) f_.require("cap", "Say how many count at the most.");
    if ((repeat == "each" || repeat == "once") && f_.gives("cap"))
      f_.report("cap", "cannot be combined with \"repeat\": " + quoted(repeat), "Write \"repeat\": \"capped\", or remove one of them.");
    if (repeat == "once") m_.cap = 1;
    if (repeat != "per_day" || chosen_ != Measure::count) return;
    m_.measure = Measure::active_days;
    if (f_.gives("half_life"))
      f_.report("half_life", "cannot be combined with \"repeat\": \"per_day\"", "Give a \"window\" instead.");
  }

  void check_users() const {
    if (!known_ || measured() != Measure::distinct_users || !scope_.of_users) return;
    f_.report(chosen_ == Measure::growth ? "of" : "measure", "cannot count the users of a user",
              "Write \"unit\": \"account\", or measure something else, such as active_days.");
  }

  const Scope &scope_;
  const Fields &f_;
  MeasureDef &m_;
  Measure chosen_ = Measure::count; // what the document says; m_.measure is what that means
  Word form_;                       // the key that said so, if "measure" didn't
  bool known_ = true;               // it said what this version knows
  bool complete_ = false;           // so that what is missing can be told
  bool growth_known_ = true;
  std::optional<std::size_t> repeat_;
};

} // namespace

bool Scope::check_milestone(std::string_view name, const std::string &path) const {
  if (milestones.contains(name)) return true;
  problems.add(path, "milestone " + quoted(name) + " is not defined",
               milestone_names.empty() ? "Define it under \"milestones\"." : suggest(name, milestone_names, milestone_names.size() == 1 ? "The milestone" : "The milestones"));
  return false;
}

void read_measure(const Scope &scope, const Fields &f, MeasureDef &out) { Reader(scope, f, out).run(); }

} // namespace pql
