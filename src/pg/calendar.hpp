// Who works when: reps, teams and holidays as they are configured, compiled once per backend.
// Law: never older than the newest committed configuration that this backend has been told of, at any isolation level.
#pragma once

#include <memory>

#include "core/calendar/calendar.hpp"
#include "pg/boundary.hpp"

namespace pql::pg {

/// A row of pql.reps.
struct Rep {
  std::string id, team;
  std::vector<std::string> skills, segments;
  bool active = true;
  int capacity = -1, weekly_capacity = -1; ///< -1: no limit
  double weight = 1;
  Micros ramp_from = kAlways, ramp_for = 0;
  std::vector<Span> away;
  Calendar calendar;

  /// His part in the shares: a new rep's grows from a twentieth of it.
  double weight_at(Micros t) const noexcept;
  /// The end of the absence that an instant lies in; kAlways when it lies in none.
  Micros away_until(Micros t) const noexcept;
};

/// A row of pql.territories.
struct Territory {
  std::string attribute, rep, team;
  std::vector<std::string> values;
};

struct Staff {
  std::vector<Rep> reps; ///< by id
  std::vector<Territory> territories; ///< the first that matches decides
  bool uses_attributes = false;
  Calendar calendar; ///< before a rep is chosen
};

std::shared_ptr<const Staff> current_staff();

/// The changes of a zone's clock from 30 years ago to 15 years from now, of PostgreSQL's own data. Fails with 22023 for one that it doesn't know.
std::vector<ZoneChange> zone_changes(const std::string &zone);
/// The same; none for a zone that it doesn't know.
std::vector<ZoneChange> known_zone_changes(const std::string &zone);
/// Working hours from JSON. Fails with 22023, and says how they are written.
std::vector<WorkBlock> working_hours(const std::string &json);

} // namespace pql::pg
