// What the rules of a program say of a subject: its values, its points, and what follows from them.
// Law: a rule that fails says no, and fails nothing else; what a program doesn't use costs nothing.
#pragma once

#include <array>
#include <limits>
#include <map>
#include <set>

#include "core/qualify/qualify.hpp"
#include "core/qualify/route.hpp"
#include "pg/attached_facts.hpp"
#include "pg/definitions.hpp"

namespace pql::pg {

/// What a rule over a subject is for, which decides what it may name: what is known before it.
enum class RuleOf : unsigned char {
  value,   ///< attributes, measures that aren't values, times of milestones, users_active, as_of
  segment, ///< and all measures
  decision ///< and signals, points, kinds, the score
};

/// A rule over the subject, as the document has it.
struct SubjectRule {
  enum class Place : unsigned char { segment, measure, signal, when, at_least, motion, guardrail, acceptance, zone, known } place;
  std::size_t index;       ///< among the document's measures, signals, motions...
  const std::string *text;
  std::string path;        ///< "qualify.at_least.of[1]"

  RuleOf of() const noexcept {
    if (place == Place::measure || place == Place::signal) return RuleOf::value;
    return place == Place::segment ? RuleOf::segment : RuleOf::decision;
  }
};
/// Those of a document; empty ones are left out.
std::vector<SubjectRule> subject_rules(const ProgramDef &p);

/// What is wrong with the rules of a document, over events and over the subject.
void check_rules(const Definitions &plan, const ProgramDef &p, std::vector<Problem> &problems);

/// A column of an attached relation.
struct AttributeName {
  Unit unit;
  std::string name;
  auto operator<=>(const AttributeName &) const = default;
};
/// The columns that the rules of a document name, or its texts to people may say.
std::set<AttributeName> attributes_named(const Definitions &plan, const ProgramDef &p);

/// A column that a packet tells of, because a rule names it.
struct ToldAttribute {
  AttributeName column;
  bool shown; ///< to reps: by more than signals that they may not see, and reasons not to act
};
std::vector<ToldAttribute> attributes_told(const Definitions &plan, const Program &p);

/// What else the rules of a document rest on: "fact.open_deals", as pql.fact_use has it.
std::set<std::string> facts_named(const Definitions &plan, const ProgramDef &p);

/// Whether somebody is an active user as of an instant: he was seen in the 30 days before it.
inline constexpr Micros kActive = 30 * kDay;
constexpr bool is_active(Micros last_seen, Micros as_of) noexcept { return last_seen <= as_of && last_seen > as_of - kActive; }

/// What an attached fact is of a subject.
struct FactValue {
  double number = std::numeric_limits<double>::quiet_NaN(); ///< NaN: nothing
  Micros at = kAlways;                                      ///< of an instant; kAlways: nothing
};

/// What pql itself knows of an account, from the touches, dispositions and outcomes of all programs: "history.x", in this order.
enum class History : unsigned char { touches_7d, touches_14d, touches_30d, days_since_touch, days_since_disqualified, days_since_converted, converted };
inline constexpr std::array<const char *, 7> kHistory = {"touches_7d",           "touches_14d",          "touches_30d", "days_since_touch",
                                                         "days_since_disqualified", "days_since_converted", "converted"};

/// The newest word about contact by a channel (empty: any).
struct ConsentWord {
  std::string channel;
  bool granted, of_account;
  Micros at;
};

/// What is known of a subject besides its state.
struct Facts {
  std::optional<Datum> attributes; ///< of its unit: jsonb, there until the assessment is done
  std::optional<Datum> account;    ///< those of a user's account
  int users_active = 0;            ///< of an account; of a user, himself
  std::span<const std::string_view> flags; ///< signals that somebody has flagged
  std::span<const FactValue> facts; ///< as the plan has their names; empty when no rule names one
  std::array<double, kHistory.size()> history{}; ///< NaN: nothing
  std::span<const ConsentWord> consent;
  std::string_view account_id; ///< with which it is asked: a user's or a workspace's; may be empty
};

/// Rules that failed, to be written down with what else the statement has to say. Readers note none.
class RuleErrors {
public:
  void add(const Program &p, const std::string &path, std::string_view message);
  bool empty() const noexcept { return all_.empty(); }
  void record();

private:
  struct Key {
    std::string program;
    int version;
    std::string path;
    auto operator<=>(const Key &) const = default;
  };
  struct Count {
    std::int64_t errors = 0;
    std::string example;
  };
  std::map<Key, Count> all_; // in one order, in which everybody locks the rows
};

/// What is asked.
enum class Ask : unsigned char {
  points, ///< and nothing that they don't rest on
  score, ///< and who may enter
  route, ///< and the motion, and what blocks
  all,   ///< and how much of what entering takes there is
  packet ///< and what is known, which is read for nothing else
};

struct Assessment {
  bool told = true; ///< false: it takes what a parallel worker doesn't have
  int score = 0;
  std::array<int, kKinds> kinds{}; ///< points by kind
  bool in_segment = true;
  bool when = true;            ///< qualify.when and qualify.at_least
  bool rule = true;            ///< qualify.when
  int held = 0;                ///< Ask::all: how many of qualify.at_least
  bool kinds_met = true;       ///< qualify.required_kinds and min_kinds
  int motion = -1;             ///< unless Ask::score: the first whose condition holds
  int guardrail = -1;          ///< unless Ask::score: the first that blocks
  std::uint32_t accepted = ~0u; ///< unless Ask::score: a bit for each motion up to the one above: whether a rep may work it
  bool speaks = true;          ///< of the reasons with points, if any, one may be shown and mentioned
  std::string_view zone;       ///< unless Ask::score: the subject's, by quiet_hours; until the program's next assessment
  unsigned barred = 0;         ///< unless Ask::score: a bit for each motion whose channel there is no consent to
  int internal = -1;           ///< unless Ask::score: the kind of domain that it is of; -1: none of those that are listed
  /// What score() was given: a value for each signal that rests on no events, then for each measure; NaN: nothing. They stay until
  /// the program's next assessment; empty without rules.
  std::span<const double> given;
  /// Ask::packet: the values of what is known, in the document's order, empty for nothing; until the program's next assessment.
  std::span<const std::string_view> known;

  /// What the state of a program looks at.
  Sight sight() const noexcept { return {score, in_segment, when && kinds_met}; }
};

/// Assesses a subject of one of the plan's programs, as of an instant not before its newest event. `reasons` gets one per
/// signal.
Assessment assess(const Definitions &plan, const Program &p, const Subject &whole, Micros as_of, const Facts &facts,
                  std::span<Reason> reasons, RuleErrors *errors = nullptr, Ask ask = Ask::score);

/// Whom a decision calls, and what speaks against it, by an assessment that asked for it. `open` is the motion of a decision that there is: a
/// worse one never takes its place, nor a better one unless it may.
Route route_of(const ProgramDef &p, const Assessment &a, int open = kMaxMotions, bool may_rise = true) noexcept;
/// The reason of what blocks; empty: nothing does.
std::string blocked_by(const ProgramDef &p, const Route &r);
/// Whether a subject is one of the holdout, and why it is contacted if it is none of it though the lot fell on it.
struct Lot {
  bool held_out = false;
  bool kept = false; ///< by a pilot of the program, and not by the program's own lot
  std::string exempt;
};
/// Whether a subject that a pilot held out is to be left alone as of an instant: until its horizon is over, whatever has become of the pilot.
bool is_kept_out(const Program &p, std::string_view home, std::string_view subject, Micros at);
/// Whom somebody flagged by hand has asked for it, and so has who has points of an explicit signal; `account` may be somebody's own.
Lot lot_of(const ProgramDef &p, std::string_view subject, bool kept_out, const Assessment &a, std::span<const Reason> reasons, std::string_view account);
/// Whether what is done about somebody who is in can change.
inline bool has_choice(const Definitions &plan, const ProgramDef &p) noexcept {
  return p.motions.size() > 1 || may_block(p) || plan.has_internal_domains();
}

/// What the rules of a program rest on besides the state: facts that must be given, milestones, which subjects are mostly read
/// without, and time.
struct RuleNeeds {
  bool attributes = false, account = false, flags = false, users = false, milestones = false;
  bool facts = false, account_facts = false; ///< attached ones: of its unit, and of the account's that it is asked with
  bool history = false, consent = false;
  bool time = false; ///< time alone can change what a rule says (and not only the score's)
  bool time_to_stay = false; ///< and of a rule on which it rests whether somebody stays in: the segment's, or a signal's value

  /// Whether it matters with which account a user, or a workspace, is asked.
  bool asks_account() const noexcept { return account || account_facts || history || consent; }
};
RuleNeeds needs_of(const Definitions &plan, const Program &p, Ask ask = Ask::all);
/// Whether a parallel worker can tell the points of everybody, or nearly so: it has no subtransactions, and changes no settings.
bool may_score_in_parallel(const Definitions &plan, const Program &p);

/// How many of a row's members are active users as of an instant.
inline int active_members(const Home &row, Micros as_of) {
  return static_cast<int>(std::ranges::count_if(row.members, [&](const Subject &s) { return s.events && is_active(s.last_seen, as_of); }));
}

/// Who of an account's users is active, from rows of its home, in any number and order.
class ActiveUsers {
public:
  explicit ActiveUsers(Micros as_of) : as_of_(as_of) {}
  void add(const Home &row) {
    for (const Subject &s : row.members) {
      if (s.events && is_active(s.last_seen, as_of_)) users_.emplace(s.id.view());
    }
  }
  int count() const noexcept { return static_cast<int>(users_.size()); }

private:
  Micros as_of_;
  std::set<std::string, std::less<>> users_;
};

} // namespace pql::pg
