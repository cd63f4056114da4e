// The two arms of an experiment: who was contacted and who was held out, as sums over their subjects; and what the sums say.
// Law: every estimate is a function of the sums alone, so that it can be had from any grouping of the rows.
#pragma once

namespace pql::pilot {

/// Sums over the subjects of an arm: of what came of them (y), of what was known before (x), and of their products.
struct Arm {
  double n = 0, y = 0, yy = 0, x = 0, xx = 0, xy = 0;

  void add(double outcome, double known) noexcept;
};

/// An estimate, and the variance that it has. Without one (too few subjects, or all of them are alike) the variance is NaN.
struct Estimate {
  double value, variance;
};

/// The outcome's mean among the treated, less `weight` times that among those held out. Of two variances it has the larger: that of the arms' own
/// spreads, and that of the spread of all subjects together, as it is if the arms don't differ. By its own spread alone an arm in which nothing has
/// happened yet would seem to be known exactly.
Estimate difference(const Arm &treated, const Arm &held_out, double weight = 1) noexcept;

/// A difference whose variance is reduced by what was known before, and by how much.
struct Adjusted {
  Estimate estimate;
  double theta;   ///< how much of the outcome one unit of x tells
  double reduced; ///< the share of the variance that is gone, 0 to 1
};
/// CUPED: y - theta * (x - mean of x) for y. Deng, Xu, Kohavi and Walker 2013, "Improving the Sensitivity of Online Controlled Experiments by
/// Utilizing Pre-Experiment Data", WSDM. x must not know of the treatment. Theta is that of both arms together, each about its own means: the difference is the
/// coefficient of a regression on the arm and on x.
Adjusted adjusted_difference(const Arm &treated, const Arm &held_out) noexcept;

} // namespace pql::pilot

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
