// Routing rows get their reps.
// Law: capacity holds whatever runs at the same moment: loads are read and written under their locks, taken after those of routing rows,
// in the order of rep_id; routing rows that somebody holds are passed over.
#pragma once

#include "core/base/time.hpp"
#include "pg/boundary.hpp"

namespace pql::pg {

/// Assigns pending rows, the most urgent first; returns how many, at most so many. None above READ COMMITTED, where the loads that are
/// seen may be old, and none where there are no reps.
std::int64_t assign_pending(Micros as_of, int most);

} // namespace pql::pg
