// Whole numbers in proportion, that sum to what they must.
// Source: the method of largest remainders (Hamilton; Balinski and Young, Fair Representation, 1982).
#pragma once

#include <span>
#include <vector>

namespace pql {

/// `total` in proportion to the shares, which aren't negative; where they are all 0, nothing. Ties: the first.
std::vector<int> largest_remainders(std::span<const double> shares, int total);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
