// pqlctl bench: what pql costs and gives on this server.
#pragma once

#include <vector>

namespace CLI {
class App;
}

namespace pql::cli {

struct Session;

/// The value that a share of the others doesn't exceed; 0 of none.
double quantile(std::vector<double> values, double share);

void add_bench(CLI::App &app, Session &session);

} // namespace pql::cli
