// The end of a statement: what its triggers left to do is done when all of them have fired.
// Law: homes are derived again only when no query of this backend is under way whose trigger is still to come; otherwise its rows
// would be in the derivation, and be merged once more.
#pragma once

#include "pg/boundary.hpp"

namespace pql::pg {

/// Installs the executor's hooks. Called once, when the library is loaded.
void watch_statements();

/// While there is one, queries are parts of what is being done: what is left to do waits until that is done.
class Undisturbed {
public:
  Undisturbed() noexcept;
  ~Undisturbed();
  Undisturbed(const Undisturbed &) = delete;
  Undisturbed &operator=(const Undisturbed &) = delete;
};

/// Whether the statement whose trigger this is makes a transaction of its own, in which nothing of ours is left to do: it is in
/// no transaction block, function, trigger or pipeline, and no trigger comes after this one that could write. Inside call().
bool is_last_of_transaction(const TriggerData *t);

} // namespace pql::pg
