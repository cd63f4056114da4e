// The normal distribution, as far as intervals and experiments need it.
// Law: pure functions of their arguments; NaN for what is out of range, never an exception.
#pragma once

namespace pql {

/// The z below which a standard normal variable lies with chance p; infinite at 0 and 1. Good to 16 digits: Wichura 1988, "Algorithm AS 241:
/// The Percentage Points of the Normal Distribution", Applied Statistics 37.
double normal_quantile(double p) noexcept;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
