// pqlctl serve: receives what reps answer by the links that pqlctl deliver sends.
#pragma once

namespace CLI {
class App;
}

namespace pql::cli {

struct Session;

void add_serve(CLI::App &app, Session &session);

} // namespace pql::cli
