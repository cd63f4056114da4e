// Whether a transaction holds homes already, and how it gets more without waiting for whoever may wait for it.
// Law: who holds a home waits for another one only if that comes later in the order of keys, or is what he can't do without.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace pql::pg {

/// Whether this transaction has written or locked a home, if only in a savepoint that was taken back.
bool holds_homes() noexcept;
/// The transaction is over.
void forget_homes() noexcept;

/// Locks those of some homes for which nobody has to be waited for, making those that are missing, and returns them.
std::set<std::string, std::less<>> lock_free_homes(const std::vector<std::string> &homes);

/// Episodes of people that a derivation concerns, in homes that somebody else holds, are left to tick: they become due. That is written
/// before the commit, when this transaction waits for nobody any more, since whoever holds those homes may wait for the rows.
bool is_left_to_tick() noexcept;
void write_left_to_tick();
void forget_left_to_tick() noexcept;

} // namespace pql::pg
