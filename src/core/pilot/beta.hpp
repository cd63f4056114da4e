// The beta function and its incomplete integral, in logarithms.
// Law: pure functions of their arguments; good to about 12 digits for parameters up to 10^6.
#pragma once

namespace pql::pilot {

/// log B(a, b), for a and b above 0.
double log_beta(double a, double b) noexcept;

/// The log of the chance that a beta variable with the parameters a and b, both above 0, exceeds x in [0, 1]. By the continued fraction of
/// Didonato and Morris (1992, "Algorithm 708", ACM TOMS 18; Press et al., Numerical Recipes, 3rd edition, 6.4), in the tail that is the smaller.
double log_beta_above(double x, double a, double b) noexcept;

} // namespace pql::pilot

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
