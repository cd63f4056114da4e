// pqlctl import: events from files into a table.
#pragma once

namespace CLI {
class App;
}

namespace pql::cli {

struct Session;
void add_import(CLI::App &app, Session &session);

} // namespace pql::cli
