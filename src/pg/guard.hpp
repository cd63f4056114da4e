// Trying something that may fail, in a subtransaction of its own.
#pragma once

#include "pg/boundary.hpp"

namespace pql::pg {

/// Runs f(arg) in an internal subtransaction. True when it succeeded; false when it raised an error that `forgive` accepts (by
/// SQLSTATE), which is then rolled back; any other error is raised again. Call inside call(). Whoever gives an `error` gets a
/// forgiven one, in the current memory context.
bool guarded_by(void (*f)(void *), void *arg, bool (*forgive)(int sqlstate), ErrorData **error = nullptr);

/// The same without a subtransaction, which costs more than most of what is tried, and can't be had in a parallel worker. For what
/// leaves nothing behind where it fails, neither written nor locked nor open: calculations.
bool trapped_by(void (*f)(void *), void *arg, bool (*forgive)(int sqlstate), ErrorData **error = nullptr);

} // namespace pql::pg
