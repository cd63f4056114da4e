// The end of a statement: what its triggers left to do is done when all of them have fired.
// Law: homes are derived again only when no query of this backend is under way whose trigger is still to come; otherwise its rows
// would be in the derivation, and be merged once more.
#pragma once

namespace pql::pg {

/// Installs the executor's hooks. Called once, when the library is loaded.
void watch_statements();

} // namespace pql::pg
