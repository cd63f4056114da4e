// Routing rows get their reps.
// Law: capacity holds whatever runs at the same moment: loads are read and written under their locks, taken in the order of rep_id; whoever
// has them never waits for a routing row, but passes over those that somebody holds.
#pragma once

#include "core/base/time.hpp"
#include "pg/boundary.hpp"

namespace pql::pg {

/// Assigns pending rows, the most urgent first; returns how many, at most so many. None above READ COMMITTED, where the loads that are
/// seen may be old, and none where there are no reps. Where a program's threshold follows capacity, it is computed before, and rows below it
/// wait, unless their account's own rep takes them.
std::int64_t assign_pending(Micros as_of, int most);

} // namespace pql::pg
