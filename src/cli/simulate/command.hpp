// pqlctl simulate: a company to try pql on, for who has no events at hand.
#pragma once

namespace CLI {
class App;
}

namespace pql::cli {

struct Session;
void add_simulate(CLI::App &app, Session &session);

} // namespace pql::cli
