// What a program needs maintained, and which of it each signal reads.
// Law: two definitions that mean the same give equal specifications, so that they share a tracker.
#pragma once

#include <string>
#include <vector>

#include "core/program/program.hpp"
#include "core/state/subject.hpp"

namespace pql {

/// The definition behind a tracker.
struct TrackerSpec {
  Tracker::Kind kind = Tracker::Kind::milestone;
  Unit unit = Unit::user;
  std::string name;                ///< milestone; kAccountOf
  std::vector<std::string> events; ///< one, "*" for all of them; funnel: one per step
  std::vector<std::string> rules;  ///< the where of each event, empty for none
  std::string value_rule;          ///< decay, window: the value; empty for a count
  Micros half_life = 0;            ///< decay
  bool in_order = false;           ///< funnel
  Micros within = 0;               ///< funnel
  Micros window = 0;               ///< window, days, users, sessions: its length
  int spans = 0;                   ///< of them: how many windows are looked at, one before the other
  Micros gap = 0;                  ///< sessions
  bool operator==(const TrackerSpec &) const = default;
};

std::string_view name_of(Tracker::Kind) noexcept;
/// The kind of that name; none if there is none.
Tracker::Kind tracker_kind(std::string_view name) noexcept;

/// By what a specification is told from all others: equal texts for equal ones.
std::string key_of(const TrackerSpec &s);
/// What the state needs to know of it.
Tracker tracker_of(const TrackerSpec &s);

/// The name of the tracker whose evidence is the account that the newest event of a workspace names. It is there as soon as there is a
/// program on workspaces: nothing is kept of workspaces without it.
inline constexpr std::string_view kAccountOf = "account";
TrackerSpec account_spec();
inline bool tells_account(const TrackerSpec &s) noexcept { return s.unit == Unit::workspace && s.name == kAccountOf && s.kind == Tracker::Kind::latest; }

/// All that a program needs: its milestones (always of users, and of the program's unit), its activation, and what its signals and
/// measures read; each once. First the account, of a program on workspaces.
std::vector<TrackerSpec> tracker_specs(const ProgramDef &p);
/// What a milestone of a unit is.
TrackerSpec milestone_spec(const MilestoneDef &m, Unit unit);
/// What a measure reads: nothing, one tracker, or two (a success rate: all events, and those that succeeded).
std::vector<TrackerSpec> measure_specs(const ProgramDef &p, const MeasureDef &d);
/// What the activation reads. Requires p.activation.
TrackerSpec activation_spec(const ProgramDef &p);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
