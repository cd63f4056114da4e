// What a signal or a named measure measures: from the keys of its object to one definition.
// Law: the short forms (milestone, value, topic, flag, all_of, sequence, repeat) are gone afterwards: nobody else knows them.
#pragma once

#include <unordered_set>

#include "core/program/language.hpp"

namespace pql {

/// What the rest of the document says.
struct Scope {
  const Language &language;
  Problems &problems;
  bool of_users = false; ///< the program is on users
  bool has_activation = false;
  std::unordered_set<std::string_view> milestones{};      ///< defined, however badly
  std::vector<std::string_view> milestone_names{};        ///< the same in the document's order, for hints

  /// Reports unless there is such a milestone.
  bool check_milestone(std::string_view name, const std::string &path) const;
};

/// Whether it is 1 or 0, so that no curve has anything to say.
constexpr bool is_yes_or_no(Measure m) noexcept {
  return m == Measure::milestone || m == Measure::activation || m == Measure::pattern || m == Measure::flag;
}

void read_measure(const Scope &scope, const Fields &f, MeasureDef &out);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
