// The words of a program document, which of them are served, and what is asked of a definition.
// Law: a key that isn't in its section's list is unknown wherever it stands.
#include "core/program/program.hpp"

#include <algorithm>

#include "core/program/language.hpp"

namespace pql {
namespace {

using Word = std::string_view;

// What isn't served yet, and therefore refused by name: published, it would do nothing. Whoever brings a part deletes its lines.
constexpr Unserved kUnserved[] = {
    {}, // the end: all else may go
};

constexpr Word kProgramKeys[] = {"program",    "unit",    "objective",  "description", "segment", "milestones", "activation",
                                 "measures",   "signals", "qualify",    "motions",     "guardrails", "examples", "quiet_hours", "known", "outreach",
                                 "outcome", "holdout",    "holdout_exempt", "consent", "limits",  "re_evaluate"};
constexpr Word kMilestoneKeys[] = {"event", "where"};
constexpr Word kActivationKeys[] = {"steps", "order", "within"};
constexpr Word kMeasureKeys[] = {"event", "where", "measure",  "of",     "sum_of",    "success", "milestone", "value", "topic",
                                 "flag",  "all_of", "sequence", "within", "half_life", "window",  "gap",       "repeat", "cap"};
constexpr Word kSignalKeys[] = {
    "kind",        "event",        "where",           "measure",   "of",     "sum_of",    "success", "milestone", "value",
    "topic",       "flag",         "all_of",          "sequence",  "within", "half_life", "window",  "gap",       "repeat",
    "cap",         "max_points",   "points_each",     "saturates_at", "half_saturation", "over", "why", "owner",
    "false_positive_risk", "may_score", "may_show_rep", "may_mention", "explicit", "contact"};
constexpr Word kQualifyKeys[] = {"enter", "leave", "dwell", "cool_down", "min_kinds", "required_kinds", "when", "at_least", "capacity"};
constexpr Word kAtLeastKeys[] = {"count", "of"};
constexpr Word kMotionKeys[] = {"when", "otherwise", "motion", "after", "by", "next_best_action", "skills",
                                "when_nobody", "downgrade_to", "channel", "play", "accept_when", "accept_because", "hold", "not_within", "on_breach", "escalate_to",
                                "offer", "floor"};
constexpr Word kGuardrailKeys[] = {"block_when", "reason"};
constexpr Word kExampleKeys[] = {"subject", "expect"};
constexpr Word kLimitsKeys[] = {"min_days_between_versions"};
constexpr Word kPlayKeys[] = {"say", "never"};
constexpr Word kContactKeys[] = {"after", "by"};
constexpr Word kHoldKeys[] = {"session", "activation"};
constexpr Word kNotWithinKeys[] = {"milestone", "for"};
constexpr Word kQuietKeys[] = {"zone", "default_zone", "hours", "days"};
constexpr Word kEscalateToKeys[] = {"rep", "team", "skill"};
constexpr Word kKnownKeys[] = {"value", "may_mention"};
constexpr Word kOutreachKeys[] = {"may_mention", "templates", "stop"};
constexpr Word kTemplateKeys[] = {"motion", "channel", "language", "subject", "body", "ask", "opt_out", "variables"};
constexpr Word kVariableKeys[] = {"type", "from", "default", "say"};
constexpr Word kOutcomeKeys[] = {"converted", "lost", "horizon", "worked"};
constexpr Word kWorkedKeys[] = {"touches", "kinds", "channels", "meeting"};
constexpr Word kStopKeys[] = {"unanswered", "pause", "most", "per"};

// In the order of At.
constexpr Section kSections[] = {
    {"program", kProgramKeys, {}}, {"milestone", kMilestoneKeys, {}}, {"activation", kActivationKeys, {}},
    {"measure", kMeasureKeys, {}}, {"signal", kSignalKeys, {}},       {"qualify", kQualifyKeys, {}},
    {"at_least", kAtLeastKeys, {}}, {"motion", kMotionKeys, {}},      {"guardrail", kGuardrailKeys, {}},
    {"example", kExampleKeys, {}}, {"limits", kLimitsKeys, {}},
    {"play", kPlayKeys, {}},       {"contact", kContactKeys, {}},   {"hold", kHoldKeys, {}},
    {"not_within", kNotWithinKeys, {}}, {"quiet_hours", kQuietKeys, {}}, {"quiet_days", kDays, {}},
    {"escalate_to", kEscalateToKeys, {}}, {"known", kKnownKeys, {}},
    {"outreach", kOutreachKeys, {}}, {"outreach_template", kTemplateKeys, {}},
    {"variable", kVariableKeys, {}}, {"stop", kStopKeys, {}}, {"outcome", kOutcomeKeys, {}}, {"worked", kWorkedKeys, {}},
};

// What a signal can't measure, a named measure can't either.
bool is_served(Served served, Word section, Word word) noexcept {
  if (section == "measure") section = "signal";
  return served != Served::now || std::none_of(std::begin(kUnserved), std::end(kUnserved), [&](const Unserved &u) {
           return u.section == section && u.word == word;
         });
}

} // namespace

Language::Language(Served served) : served_(served) {
  keys_.reserve(std::size(kSections));
  for (const Section &s : kSections) {
    Keys &k = keys_.emplace_back();
    for (const Word key : s.keys) (is_served(served, s.name, key) ? k.served : k.planned).push_back(key);
    sections_.push_back({s.name, k.served, k.planned});
  }
  for (const Word m : kMeasures)
    (is_served(served, "measure word", m) ? measures_ : planned_measures_).push_back(m);
}

bool Language::serves(std::string_view use) const noexcept { return is_served(served_, "use", use); }

std::string_view name_of(Unit u) noexcept { return kUnits[static_cast<std::size_t>(u)]; }
std::string_view name_of(Kind k) noexcept { return kKinds[static_cast<std::size_t>(k)]; }
std::string_view name_of(Measure m) noexcept { return kMeasures[static_cast<std::size_t>(m)]; }

const MilestoneDef *ProgramDef::milestone(std::string_view wanted) const noexcept {
  for (const MilestoneDef &m : milestones) {
    if (m.name == wanted) return &m;
  }
  return nullptr;
}

std::optional<SourceDef> source_of(std::string_view from) {
  using enum SourceDef::Of;
  constexpr std::pair<Word, SourceDef::Of> kWhole[] = {{"activation.next", next}, {"activation.skipped", skipped}, {"people", people}, {"offer", offer}};
  constexpr std::pair<Word, SourceDef::Of> kNamed[] = {{"attr.", attribute}, {"account.", account}, {"signal.", signal}, {"milestone.", milestone}};
  for (const auto &[word, of] : kWhole) {
    if (from == word) return SourceDef{of, {}};
  }
  for (const auto &[prefix, of] : kNamed) {
    if (from.starts_with(prefix) && from.size() > prefix.size()) return SourceDef{of, std::string(from.substr(prefix.size()))};
  }
  return std::nullopt;
}

const VariableDef *TemplateDef::variable(std::string_view wanted) const noexcept {
  const auto at = std::find_if(variables.begin(), variables.end(), [&](const VariableDef &v) { return v.name == wanted; });
  return at == variables.end() ? nullptr : &*at;
}

const TemplateDef *OutreachDef::find(std::string_view wanted) const noexcept {
  const auto at = std::find_if(templates.begin(), templates.end(), [&](const TemplateDef &t) { return t.name == wanted; });
  return at == templates.end() ? nullptr : &*at;
}

std::vector<WorkBlock> QuietDef::week() const {
  std::vector<WorkBlock> quiet;
  for (int day = 0; day < 7; day++) {
    for (const auto *list : {&hours, &days[static_cast<std::size_t>(day)]}) {
      for (const std::string &text : *list) {
        if (const auto b = parse_times(text)) quiet.push_back({day * 1440 + b->from, day * 1440 + b->until});
      }
    }
  }
  return rest_of_week(std::move(quiet));
}

bool ProgramDef::scores_milestones() const noexcept {
  return std::any_of(signals.begin(), signals.end(), [](const SignalDef &d) { return d.measure == Measure::milestone; });
}

std::span<const Section> sections() noexcept { return kSections; }

bool needs_rep(std::string_view motion) noexcept { return std::find(kUnstaffed.begin(), kUnstaffed.end(), motion) == kUnstaffed.end(); }

std::span<const Unserved> unserved() noexcept { return std::span(kUnserved).first(std::size(kUnserved) - 1); }

} // namespace pql
