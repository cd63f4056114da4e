// The program document: a team's versioned definition of who deserves a conversation.
// Law: parsing never throws for bad input; it lists every problem with its path, in one pass.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"
#include "core/base/unit.hpp"
#include "core/calendar/hours.hpp"
#include "core/decay/decay.hpp"
#include "core/sequence/funnel.hpp"

namespace pql {

enum class Kind : unsigned char { activation, depth, breadth, fit, intent, risk };
/// How a number comes from what is known of a subject. The first two also decay; those from `value` on rest on no events.
enum class Measure : unsigned char {
  count,           ///< events
  sum,             ///< of a number in each event
  milestone,       ///< 1 once it was reached
  activation,      ///< 1 once it is complete
  distinct_users,  ///< people with such an event in the window
  active_days,     ///< days (UTC) with such an event in the window
  streak,          ///< days (UTC) with such an event, one after the other, up to today or yesterday
  recency,         ///< days since the last such event
  pattern,         ///< 1 once all steps happened within a time
  time_in_product, ///< hours of sessions in the window
  success_rate,    ///< share of the events in the window that succeeded
  growth,          ///< of another measure: this window over the one before, less 1
  value,           ///< a SQL number over the subject
  flag,            ///< 1 while somebody has flagged the subject by hand
};

/// The words of the document, in the order of the enumerations.
std::string_view name_of(Unit) noexcept;
std::string_view name_of(Kind) noexcept;
std::string_view name_of(Measure) noexcept;

/// What one document may hold.
inline constexpr std::size_t kMaxDocument = 1'048'576, kMaxMilestones = 256, kMaxSignals = 64, kMaxMeasures = 64;
inline constexpr std::size_t kMaxMotions = 32, kMaxGuardrails = 32, kMaxExamples = 256, kMaxRules = 32, kMaxSkills = 32, kMaxSentences = 32, kMaxNames = 32;
inline constexpr std::size_t kMaxNotWithin = 32, kMaxQuiet = 8, kMaxKnown = 32;
inline constexpr std::size_t kMaxTemplates = 32, kMaxVariables = 16, kMaxMentioned = 64, kMaxSaid = 64;
inline constexpr int kMaxDepth = 32, kMaxPoints = 1'000;
inline constexpr Micros kMaxLength = 36'525 * kDay; ///< of any length of time: about a hundred years

/// A milestone signal whose "milestone" is this word means the activation. No milestone can have this name.
inline constexpr std::string_view kActivationComplete = "activation_complete";
/// Instead of an event's name: every event.
inline constexpr std::string_view kEveryEvent = "*";
/// What a conversation reveals is an event of this name and the topic's.
inline constexpr std::string_view kTopicEvent = "topic:";

/// Something wrong with a document.
struct Problem {
  std::string path;    ///< where: "signals.api_calls.half_life"; empty for the document itself
  std::string problem; ///< what, in PostgreSQL's style: lower case, no full stop
  std::string hint;    ///< what to do, a full sentence; may be empty

  bool operator==(const Problem &) const = default;
};

/// The first time a subject did a thing: which events count.
struct MilestoneDef {
  std::string name;
  std::string event;
  std::string where; ///< SQL boolean over the event; empty: every such event

  bool operator==(const MilestoneDef &) const = default;
};

/// A checklist of milestones within a time.
struct ActivationDef {
  std::vector<std::string> steps; ///< names of milestones
  bool in_order = true;
  Micros within = 0;

  bool operator==(const ActivationDef &) const = default;
};

/// What is measured, and of which events.
struct MeasureDef {
  Measure measure = Measure::count;
  std::string event;     ///< its name, or "*" for every event; empty for those that rest on none
  std::string where;     ///< SQL boolean over the event; empty: every such event
  std::string of;        ///< sum, and growth of a sum: SQL number over the event
  std::string success;   ///< success_rate: SQL boolean over the event: whether it succeeded
  std::string milestone; ///< milestone: its name
  std::string value;     ///< value: SQL number over the subject
  std::vector<std::string> steps; ///< pattern: names of milestones or, where no milestone has the name, of events
  bool in_order = false; ///< pattern: "sequence" rather than "all_of"
  Micros within = 0;     ///< pattern
  Measure growth_of = Measure::count; ///< growth: count, sum, distinct_users, active_days or time_in_product
  Micros half_life = 0;  ///< count, sum: an event counts half after it; milestone, pattern: so does what was reached. 0: none
  Micros window = 0;     ///< only what happened in (as_of - window, as_of] counts. 0: none
  Micros gap = 0;        ///< time_in_product: after which a new session begins
  double cap = 0;        ///< the value is at most this; 0: no limit

  bool operator==(const MeasureDef &) const = default;
};

/// A measure that rules name, without points.
struct NamedMeasure : MeasureDef {
  std::string name;
  bool operator==(const NamedMeasure &) const = default;
};

/// When contact is to be made because of a signal, where it says so; else the motion does.
struct ContactDef {
  std::optional<Length> after, by;

  bool empty() const noexcept { return !after && !by; }
  bool operator==(const ContactDef &) const = default;
};

/// Something that earns points.
struct SignalDef : MeasureDef {
  std::string name;
  Kind kind = Kind::intent;
  int max_points = 0;          ///< negative ones are taken off
  double points_each = 0;      ///< at most one of these four is set
  double saturates_at = 0;     ///< linear up to this value
  double half_saturation = 0;  ///< half of the points at this value
  std::optional<double> over;  ///< all points above this value
  std::string why, owner, false_positive_risk;
  bool may_score = true, may_show_rep = true, may_mention = true;
  ContactDef contact;
  bool is_explicit = false; ///< somebody asks to be contacted

  bool operator==(const SignalDef &) const = default;
};

/// Of several rules, some must hold.
struct AtLeastDef {
  int count = 0;
  std::vector<std::string> of; ///< SQL booleans over the subject

  bool operator==(const AtLeastDef &) const = default;
};

/// Who enters and leaves.
struct QualifyDef {
  int enter = 0, leave = 0;
  Micros dwell = 0;     ///< how long the score must have been below leave
  Micros cool_down = 0; ///< after leaving, nobody enters for so long
  int min_kinds = 0;    ///< of how many kinds there must be points
  std::vector<Kind> required_kinds; ///< of which kinds there must be points
  std::string when;     ///< SQL boolean over the subject; empty: no rule
  std::optional<AtLeastDef> at_least;
  bool capacity = false; ///< the score that it takes to get a rep follows their free capacity

  bool has_rules() const noexcept { return !when.empty() || at_least; }
  bool operator==(const QualifyDef &) const = default;
};

/// What becomes of a routing row when no rep is free for it.
enum class WhenNobody : unsigned char {
  wait,      ///< until somebody is
  overflow,  ///< whoever has capacity takes it, whatever his skills, segments and territory
  downgrade, ///< to a motion that needs nobody
};

/// What whoever makes contact is to say first, and never.
struct PlayDef {
  std::vector<std::string> say, never;

  bool empty() const noexcept { return say.empty() && never.empty(); }
  bool operator==(const PlayDef &) const = default;
};

/// What contact waits for, though not beyond contact_by.
struct HoldDef {
  Micros session = 0;    ///< since the subject's last event, as long as a session isn't over; 0: no matter
  Micros activation = 0; ///< since the last step of an activation that isn't complete; 0: no matter

  bool empty() const noexcept { return !session && !activation; }
  bool operator==(const HoldDef &) const = default;
};

/// How old the first occurrence of a milestone must be before contact is made.
struct NotWithinDef {
  std::string milestone;
  Micros length = 0;

  bool operator==(const NotWithinDef &) const = default;
};

/// What becomes of a routing row that nobody has touched in time.
enum class OnBreach : unsigned char {
  reassign, ///< who hasn't accepted it loses it to others
  escalate, ///< also who has; and it goes to those who are named, as long as one of them is able
};

/// To whom a row is escalated: to a rep, to the reps of a team, or to those with a skill.
struct Escalation {
  enum class To : unsigned char { rep, team, skill } to = To::rep;
  std::string name;

  bool operator==(const Escalation &) const = default;
};

/// What should happen to a qualified subject: the first whose condition holds.
struct MotionDef {
  std::string when; ///< SQL boolean over the subject; empty: otherwise
  std::string motion = "account_executive";
  Micros after = 0;       ///< from the signal's time
  Micros by = 0;          ///< from contact_after; 0: no limit
  std::string next_best_action;
  std::vector<std::string> skills; ///< that the rep must have
  WhenNobody when_nobody = WhenNobody::wait;
  std::string downgrade_to = {}; ///< a motion that needs nobody
  std::string channel = {};      ///< by which contact is made, as consent knows it; empty: consent isn't asked
  Counted after_in = Counted::always, by_in = Counted::always; ///< in which time after and by are counted
  PlayDef play = {};
  std::string accept_when = {};    ///< SQL boolean over the subject: before that is true no rep works it; empty: at once
  std::string accept_because = {}; ///< what it waits for, in words; empty: as the rule says it
  HoldDef hold = {};
  std::vector<NotWithinDef> not_within = {};
  OnBreach on_breach = OnBreach::reassign;
  Escalation escalate_to = {};
  std::string offer = {}; ///< what costs whom it is about little: ten minutes, a template
  double floor = 0;       ///< how complete the context must be before a rep gets it, from 0 to 1

  bool operator==(const MotionDef &) const = default;
};

/// What is known of a subject, and so isn't to be asked again.
struct KnownDef {
  std::string label; ///< "team size"
  std::string value; ///< SQL text over the subject
  bool may_mention = false;

  bool operator==(const KnownDef &) const = default;
};

/// Whether somebody makes contact: the others are done by software, or not at all.
bool needs_rep(std::string_view motion) noexcept;

/// Whether a rep may see a signal, and speak of it.
inline bool may_be_spoken_of(const SignalDef &s) noexcept { return s.may_show_rep && s.may_mention; }

/// A reason not to act.
struct GuardrailDef {
  std::string block_when; ///< SQL boolean over the subject
  std::string reason;

  bool operator==(const GuardrailDef &) const = default;
};

/// When a subject isn't to be disturbed.
struct QuietDef {
  std::string zone;         ///< SQL text over the subject: its time zone
  std::string default_zone; ///< of a subject whose zone isn't known; empty: it has no quiet hours
  std::vector<std::string> hours;                ///< "21:00-08:00", of every day
  std::array<std::vector<std::string>, 7> days;  ///< and besides of these, from Monday

  /// When contact may be made, in local time.
  std::vector<WorkBlock> week() const;
  bool operator==(const QuietDef &) const = default;
};

/// What is expected of a subject that is there, whenever a version is published.
struct ExampleDef {
  std::string subject;
  std::string expect; ///< a motion, or "qualified" or "not_qualified"

  bool operator==(const ExampleDef &) const = default;
};

/// What the absence of consent to a channel means.
enum class Consent : unsigned char {
  opt_out, ///< contact is made until somebody objects
  opt_in,  ///< nobody makes contact before somebody agrees
};

/// What is contacted though the holdout's lot fell on it.
enum class Exempt : unsigned char { named_accounts, explicit_requests };
inline constexpr unsigned kExemptAll = 3; ///< a bit for each

/// What a variable of a template is.
enum class VariableType : unsigned char { text, number, since, until, date, list };

/// What a variable of a template comes from.
struct SourceDef {
  enum class Of : unsigned char {
    attribute, account, ///< a column of what is attached for the unit, or for accounts
    signal, milestone,  ///< whether there are points, or it was reached
    next, skipped,      ///< steps of the activation
    people,             ///< about how many
    offer               ///< the motion's
  } of = Of::attribute;
  std::string name; ///< of a column, signal or milestone

  /// Whether it tells something of what the reader did.
  bool is_behaviour() const noexcept { return of >= Of::signal && of <= Of::people; }
  bool operator==(const SourceDef &) const = default;
};
/// "attr.plan", "signal.invites", "activation.next"; nothing for others.
std::optional<SourceDef> source_of(std::string_view from);

/// Something of the reader that a text says.
struct VariableDef {
  std::string name;
  VariableType type = VariableType::text;
  std::string from;
  std::string fallback; ///< what is said where it has no value; empty: nothing can be
  std::vector<std::pair<std::string, std::string>> say; ///< words for values; of a signal or a milestone one, without a value

  bool operator==(const VariableDef &) const = default;
};

/// A message to somebody who didn't ask for it.
struct TemplateDef {
  std::string name;
  std::vector<std::string> motions;
  std::string channel;         ///< by which it is sent, as consent knows it; empty: the motion's
  std::string language = "en"; ///< in which values are said
  std::string subject, body, ask, opt_out;
  std::vector<VariableDef> variables;

  const VariableDef *variable(std::string_view name) const noexcept;
  bool operator==(const TemplateDef &) const = default;
};

/// When nothing more is to be sent.
struct StopDef {
  int unanswered = 3;       ///< after so many touches without an answer
  Micros pause = 3 * kDay;  ///< sooner after a touch than that
  int most = 4;             ///< after so many touches
  Micros per = 30 * kDay;    ///< in this time

  bool operator==(const StopDef &) const = default;
};

struct OutreachDef {
  std::vector<std::string> may_mention; ///< attributes: "attr.first_name"
  std::vector<TemplateDef> templates;
  StopDef stop;

  const TemplateDef *find(std::string_view name) const noexcept;
  bool operator==(const OutreachDef &) const = default;
};

/// What counts as work on a hand-off, besides a meeting: so many touches, by channels of so many kinds.
struct WorkDef {
  int touches = 4, kinds = 2;
  std::vector<std::string> channels; ///< whose touches count; empty: all
  bool meeting = true;               ///< whether a meeting is work by itself

  bool operator==(const WorkDef &) const = default;
};

/// What becomes of subjects, as far as it counts: pql.outcome_rules reads it from the document, and knows the same defaults.
struct OutcomeDef {
  std::vector<std::string> converted = {"converted", "paid", "won", "expanded"}; ///< outcomes
  std::vector<std::string> lost = {"churned"};
  Micros horizon = 90 * kDay; ///< from the moment at which it qualified
  WorkDef worked;

  bool operator==(const OutcomeDef &) const = default;
};

/// One version of a program.
struct ProgramDef {
  std::string name;
  Unit unit = Unit::user;
  std::string objective = "conversion";
  std::string description;
  std::string segment; ///< SQL boolean over the subject: whom the program is about; empty: everybody
  std::vector<MilestoneDef> milestones;
  std::optional<ActivationDef> activation;
  std::vector<NamedMeasure> measures;
  std::vector<SignalDef> signals;
  QualifyDef qualify;
  std::vector<MotionDef> motions; ///< at least one, the last without a condition
  std::vector<GuardrailDef> guardrails;
  std::optional<QuietDef> quiet_hours;
  std::vector<KnownDef> known;
  std::optional<OutreachDef> outreach;
  OutcomeDef outcome;
  std::vector<ExampleDef> examples;
  double holdout = 0;              ///< share of the subjects that are not contacted
  unsigned holdout_exempt = kExemptAll; ///< which of Exempt are, all the same
  Consent consent = Consent::opt_out;
  int min_days_between_versions = 0;
  Micros re_evaluate = kHour;      ///< how often rules are looked at that time alone may change

  const MilestoneDef *milestone(std::string_view name) const noexcept;
  /// Whether a signal's points rest on a milestone.
  bool scores_milestones() const noexcept;
  bool operator==(const ProgramDef &) const = default;
};

/// The document read, or what is wrong with it. `program` is whole only when `problems` is empty.
struct ParsedProgram {
  ProgramDef program;
  std::vector<Problem> problems;
};

/// A kind of object in the document, with the keys it may have. `planned` keys are refused by name: they belong to the
/// language of programs, but not to what is served.
struct Section {
  std::string_view name;
  std::span<const std::string_view> keys, planned;
};

/// All of them, with all of the language's keys.
std::span<const Section> sections() noexcept;

/// Something of the language that the database doesn't serve yet: a key of a section, a word (section "measure word"), or a use
/// of what is served otherwise (section "use").
struct Unserved {
  std::string_view section, word;
};
std::span<const Unserved> unserved() noexcept;

/// Whether the whole language is read, or what isn't served is refused by name: published, it would do nothing. Of what was published the
/// texts aren't judged: a version that knows more phrases must not take a program out of force. Whoever renders them judges them.
enum class Served : unsigned char { now, all, published };

/// Reads and checks a program document (JSON text). Rules (where, of, when and so on) are only checked to be non-empty strings
/// here: their SQL is the database's to parse.
ParsedProgram parse_program(std::string_view json, Served served = Served::now);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
