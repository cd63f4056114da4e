// pqlctl version: the program's version, and that of the extension in the database.
#pragma once

namespace pql::cli {

/// The version of the source tree that pqlctl was built from.
const char *program_version() noexcept;

} // namespace pql::cli
