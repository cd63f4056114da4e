// Partitions of an events table, and what in them can't have fired a trigger.
#pragma once

#include "pg/definitions.hpp"

namespace pql::pg {

/// What a look at the first pages of a partition tells.
enum class Older : unsigned char {
  unknown, ///< somebody holds it, or it is gone
  no,
  yes
};

/// Whether a partition has rows that came before the trigger on it. Never waits.
Older came_with_rows(Oid leaf, Oid trigger);
/// Whether it has rows that were written before a transaction. Never waits.
Older has_rows_before(Oid leaf, std::uint64_t xid);

/// Before which instant all the events are that a partition may hold, as its bounds say; kNever when they don't.
Micros holds_until(const SourceInfo &source, Oid leaf);

/// Fails unless a relation is the other or a partition of it, or the caller may read it: what is read with the owner's rights must not be
/// named by others.
void require_part(Oid part, Oid root);

} // namespace pql::pg
