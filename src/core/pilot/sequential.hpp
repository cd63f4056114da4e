// Tests and intervals that hold at every look: however often one looks, and whenever one stops because of what one saw, under the null
// hypothesis at most a share alpha of all experiments ever cross.
//
// Differences of means or shares: the mixture of likelihood ratios over a normal prior of the effect (Robbins 1970, "Statistical Methods Related to
// the Law of the Iterated Logarithm", Ann. Math. Statist. 41; for experiments Johari, Koomen, Pekelis and Walsh 2022, "Always Valid Inference:
// Continuous Monitoring of A/B Tests", Operations Research 70), with the variance estimated (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024,
// "Time-uniform Central Limit Theory and Asymptotic Confidence Sequences", Ann. Statist. 52). It is asymptotic: see says_something.
// Law: pure functions of their arguments.
#pragma once

#include "core/pilot/arms.hpp"

namespace pql::pilot {

/// Below so many subjects in an arm, or where in the smaller one fewer than so many would be expected to convert, or not to, nothing is said: the normal
/// law doesn't hold yet (Cochran 1954, "Some Methods for Strengthening the Common Chi-Square Tests", Biometrics 10).
inline constexpr double kFewest = 20, kFewestExpected = 5;

/// At how many subjects, of how many that are planned, one looks. The prior of the effect is as wide as makes the interval the narrowest when all of
/// them are there (Howard, Ramdas, McAuliffe and Sekhon 2021, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Ann. Statist. 49,
/// section 3.5).
struct Look {
  double subjects, planned;
  double alpha = 0.05;
};

/// Half of the interval, in standard errors of the estimate.
double radius(const Look &look) noexcept;

/// The p-value of an effect of 0: its smallest value over all looks is valid, too. 1 for an estimate without variance.
double sequential_p(const Estimate &e, const Look &look) noexcept;

/// Whether enough is known of a share in both arms for the normal law.
bool says_something(const Arm &treated, const Arm &held_out) noexcept;

} // namespace pql::pilot

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
