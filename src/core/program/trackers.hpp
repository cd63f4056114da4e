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
  std::string name;                ///< milestone
  std::vector<std::string> events; ///< one; funnel: one per step
  std::vector<std::string> rules;  ///< the where of each event, empty for none
  std::string value_rule;          ///< decay: the value; empty for a count
  Micros half_life = 0;            ///< decay
  bool in_order = false;           ///< funnel
  Micros within = 0;               ///< funnel
  bool operator==(const TrackerSpec &) const = default;
};

std::string_view name_of(Tracker::Kind) noexcept;

/// All that a program needs: its milestones (always of users, and of accounts for a program on accounts), its activation and
/// the measures of its signals; each once.
std::vector<TrackerSpec> tracker_specs(const ProgramDef &p);
/// What a milestone of a unit is.
TrackerSpec milestone_spec(const MilestoneDef &m, Unit unit);
/// What signal i reads.
TrackerSpec signal_spec(const ProgramDef &p, const SignalDef &s);
/// What the activation reads. Requires p.activation.
TrackerSpec activation_spec(const ProgramDef &p);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
