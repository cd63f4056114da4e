// Whether as many subjects are in each arm as should be. Where they aren't, something removes subjects from one of them, and no comparison
// can be trusted: Fabijan et al. 2019, "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments", KDD.
// Law: pure functions of their arguments.
#pragma once

namespace pql::pilot {

/// The p-value of `k` of `n` subjects being in an arm that should have the share `expected`, that holds at every look, exactly: two beta mixtures of
/// binomial likelihood ratios, one narrow and one wide (Lindon and Malek 2022, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS; Robbins 1970).
/// 1 of nobody; of a share of 0 or 1, 0 as soon as somebody is where nobody should be.
double ratio_p(double k, double n, double expected) noexcept;

} // namespace pql::pilot

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
