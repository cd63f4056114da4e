// pqlctl publish: a program from a file into force.
#pragma once

namespace CLI {
class App;
}

namespace pql::cli {

struct Session;
void add_publish(CLI::App &app, Session &session);

} // namespace pql::cli
