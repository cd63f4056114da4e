// pqlctl backtest: what a program would have led to, week by week, and two of them side by side.
#pragma once

namespace CLI {
class App;
}

namespace pql::cli {

struct Session;

void add_backtest(CLI::App &app, Session &session);

} // namespace pql::cli
