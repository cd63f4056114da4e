// pqlctl bench: what pql costs and gives on this server.
#pragma once

#include <vector>

namespace pql::cli {

/// The value that a share of the others doesn't exceed; 0 of none.
double quantile(std::vector<double> values, double share);

} // namespace pql::cli
