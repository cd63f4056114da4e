// pqlctl deliver: posts what pql.delivery holds to where people work.
#pragma once

namespace CLI {
class App;
}

namespace pql::cli {

struct Session;

void add_deliver(CLI::App &app, Session &session);

} // namespace pql::cli
