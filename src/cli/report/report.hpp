// pqlctl report: the life of hand-offs as one page of HTML.
#pragma once

namespace CLI {
class App;
}

namespace pql::cli {

struct Session;

void add_report(CLI::App &app, Session &session);

} // namespace pql::cli
