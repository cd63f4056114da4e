// How many subjects it takes to tell two shares, or two means, apart.
// Law: pure functions of their arguments; infinite where no number is enough.
#pragma once

namespace pql::pilot {

/// An experiment about a share, before it begins.
struct Design {
  double baseline;      ///< the share without contact
  double effect;        ///< what contact adds to it, in share points, above or below 0
  double held_out = 0.5; ///< the share of the subjects that is held out
  double alpha = 0.05;  ///< two-sided
  double power = 0.8;

  /// Whether shares and chances are such.
  bool is_sound() const noexcept;
};

/// Subjects in both arms for a test that looks once, at the end: Fleiss, Levin and Paik 2003, "Statistical Methods for Rates and Proportions",
/// 3rd edition, formula 4.18 (unequal arms, without continuity correction).
double subjects_for_one_look(const Design &d) noexcept;

/// The same with the continuity correction of Casagrande, Pike and Smith 1978, "An Improved Approximate Formula for Calculating Sample Sizes for
/// Comparing Two Binomial Distributions", Biometrics 34: what Fisher's exact test needs.
double subjects_for_exact_test(const Design &d) noexcept;

/// Subjects in both arms until the test that may be looked at at any time (sequential.hpp) has crossed with the chance `power`: those at which
/// its radius and the normal quantile of the power, times the standard error, make up the effect. It crosses earlier on average.
double subjects_for_any_look(const Design &d) noexcept;

/// An experiment about a mean, before it begins.
struct MeanDesign {
  double deviation;      ///< the standard deviation among subjects, taken to be the same in both arms
  double effect;         ///< what contact adds to the mean, above or below 0
  double held_out = 0.5, alpha = 0.05, power = 0.8;

  bool is_sound() const noexcept;
};

/// The same for two means, at any look.
double subjects_for_mean(const MeanDesign &d) noexcept;

} // namespace pql::pilot

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
