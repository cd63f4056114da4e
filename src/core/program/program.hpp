// The program document: a team's versioned definition of who deserves a conversation.
// Law: parsing never throws for bad input; it lists every problem with its path, in one pass.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"
#include "core/decay/decay.hpp"
#include "core/sequence/funnel.hpp"

namespace pql {

enum class Unit : unsigned char { user, account };
enum class Kind : unsigned char { activation, depth, breadth, fit, intent, risk };
enum class Measure : unsigned char { count, sum, milestone, activation };

/// The words of the document, in the order of the enumerations.
std::string_view name_of(Unit) noexcept;
std::string_view name_of(Kind) noexcept;
std::string_view name_of(Measure) noexcept;

/// What one document may hold.
inline constexpr std::size_t kMaxDocument = 1'048'576, kMaxMilestones = 256, kMaxSignals = 64;
inline constexpr int kMaxDepth = 32, kMaxPoints = 1'000;
inline constexpr Micros kMaxLength = 36'525 * kDay; ///< of any length of time: about a hundred years

/// A milestone signal whose "milestone" is this word means the activation. No milestone can have this name.
inline constexpr std::string_view kActivationComplete = "activation_complete";

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

/// Something that earns points.
struct SignalDef {
  std::string name;
  Kind kind = Kind::intent;
  Measure measure = Measure::count;
  std::string event;     ///< count, sum
  std::string where;     ///< SQL boolean over the event; empty: every such event
  std::string of;        ///< sum: SQL number over the event
  std::string milestone; ///< milestone: its name
  Micros half_life = 0;  ///< count, sum
  int max_points = 0;
  double points_each = 0;      ///< one of these three is set for count and sum
  double saturates_at = 0;     ///< linear up to this value
  double half_saturation = 0;  ///< half of the points at this value
  std::string why, owner, false_positive_risk;
  bool may_score = true, may_show_rep = true, may_mention = true;

  bool operator==(const SignalDef &) const = default;
};

/// What should happen to a qualified subject.
struct MotionDef {
  std::string motion = "account_executive";
  Micros after = 0;       ///< from the signal's time
  Micros by = 0;          ///< from contact_after; 0: no limit
  std::string next_best_action;

  bool operator==(const MotionDef &) const = default;
};

/// One version of a program.
struct ProgramDef {
  std::string name;
  Unit unit = Unit::user;
  std::string objective = "conversion";
  std::string description;
  std::vector<MilestoneDef> milestones;
  std::optional<ActivationDef> activation;
  std::vector<SignalDef> signals;
  int enter = 0, leave = 0;
  MotionDef motion;

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
/// language of programs, but not to this version of it.
struct Section {
  std::string_view name;
  std::span<const std::string_view> keys, planned;
};

/// All of them: program, milestone, activation, signal, qualify, motion.
std::span<const Section> sections() noexcept;

/// Reads and checks a program document (JSON text). Rules (where, of) are only checked to be non-empty strings here: their
/// SQL is the database's to parse.
ParsedProgram parse_program(std::string_view json);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
