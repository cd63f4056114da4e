// The closest line that never falls: pooling neighbours that are out of order.
// Source: pool adjacent violators (Ayer, Brunk, Ewing, Reid, Silverman, Annals of Mathematical Statistics 26, 1955); ties are pooled first.
#pragma once

#include <span>
#include <vector>

namespace pql {

struct Observed {
  double at, value, weight = 1;
};

/// From `from` to `to` the line is level.
struct Level {
  double from, to, value, weight;
};

/// The levels in ascending order; those of weight 0 don't count.
std::vector<Level> isotonic(std::span<const Observed> observed);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
