// pqlctl version: the program's version, and that of the extension in the database.
#pragma once

namespace CLI {
class App;
}

namespace pql::cli {

struct Session;

/// The version of the source tree that pqlctl was built from.
const char *program_version() noexcept;

void add_version(CLI::App &app, Session &session);

} // namespace pql::cli
