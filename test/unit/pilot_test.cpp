// What experiments rest on: known values of the normal and the beta law, sample sizes, differences of arms, and tests at every look. S2-31, S2-33
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/pilot/arms.hpp"
#include "core/pilot/beta.hpp"
#include "core/pilot/limit.hpp"
#include "core/pilot/power.hpp"
#include "core/pilot/ratio.hpp"
#include "core/pilot/sequential.hpp"
#include "core/stat/normal.hpp"

namespace pql::pilot {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

// n subjects of whom k convert; all have x = 0.
Arm share(double n, double k) { return {n, k, k, 0, 0, 0}; }

TEST(Normal, HasTheValuesOfScipy) { // scipy.stats.norm.ppf
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-15);
  EXPECT_NEAR(normal_quantile(0.8), 0.8416212335729143, 1e-15);
  EXPECT_NEAR(normal_quantile(1e-10), -6.361340902404056, 1e-14);
  EXPECT_NEAR(normal_quantile(1e-300), -37.0471, 1e-4);
  EXPECT_EQ(normal_quantile(0.5), 0);
  EXPECT_EQ(normal_quantile(0), -kInfinite);
  EXPECT_EQ(normal_quantile(1), kInfinite);
  EXPECT_TRUE(std::isnan(normal_quantile(1.5)));
  EXPECT_TRUE(std::isnan(normal_quantile(std::nan(""))));
}

TEST(Normal, QuantileAndChanceAreInverse) {
  for (double p = 1e-9; p < 1; p += 0.001) EXPECT_NEAR(std::erfc(-normal_quantile(p) / std::sqrt(2.0)) / 2, p, 1e-15);
}

TEST(Beta, HasKnownValues) {
  EXPECT_NEAR(log_beta(2, 3), std::log(1.0 / 12), 1e-14);
  EXPECT_NEAR(log_beta_above(0.3, 1, 1), std::log(0.7), 1e-14);          // the even law
  EXPECT_NEAR(log_beta_above(0.3, 3, 1), std::log1p(-0.027), 1e-14);     // 1 - x^3
  EXPECT_NEAR(log_beta_above(0.9, 1, 4), 4 * std::log(0.1), 1e-12);      // (1 - x)^4
  EXPECT_NEAR(log_beta_above(0.5, 400, 400), std::log(0.5), 1e-11);
  EXPECT_EQ(log_beta_above(0, 2, 2), 0);
  EXPECT_EQ(log_beta_above(1, 2, 2), -kInfinite);
}

TEST(Power, AsManyAsTextbooksSay) {
  // Fleiss, Levin and Paik: shares 0.60 and 0.70, alpha 0.05, power 0.8: 356 in each arm; continuity: 376.
  const Design d{0.6, 0.1, 0.5, 0.05, 0.8};
  EXPECT_NEAR(subjects_for_one_look(d), 2 * 356, 1);
  EXPECT_NEAR(subjects_for_exact_test(d), 2 * 376, 1);
  EXPECT_NEAR(subjects_for_any_look(d) / subjects_for_one_look(d), 1.9, 0.1);
}

TEST(Power, LessHeldOutAndSmallerEffectsTakeMore) {
  const Design d{0.1, 0.05, 0.5, 0.05, 0.8};
  for (double held_out : {0.4, 0.2, 0.1, 0.05}) EXPECT_GT(subjects_for_any_look({0.1, 0.05, held_out, 0.05, 0.8}), subjects_for_any_look(d));
  for (double effect : {0.04, 0.01, -0.03}) EXPECT_GT(subjects_for_any_look({0.1, effect, 0.5, 0.05, 0.8}), subjects_for_any_look(d));
  EXPECT_GE(subjects_for_any_look({0.01, 0.02, 0.05, 0.05, 0.8}), subjects_for_one_look({0.01, 0.02, 0.05, 0.05, 0.8}));
}

TEST(Power, RefusesWhatIsNoDesign) {
  EXPECT_TRUE((Design{0.1, 0.05}.is_sound()));
  for (const Design &d : {Design{0.1, 0}, Design{0.1, 0.95}, Design{0.1, -0.2}, Design{0.1, 0.1, 0}, Design{0.1, 0.1, 1}, Design{0.1, 0.1, 0.5, 0}, Design{0.1, 0.1, 0.5, 0.05, 1},
                          Design{std::nan(""), 0.1}})
    EXPECT_FALSE(d.is_sound());
}

TEST(Arms, DifferenceAndVariance) {
  const Estimate own = difference(share(100, 30), share(50, 20)), common = difference(share(100, 30), share(50, 10));
  EXPECT_NEAR(own.value, -0.1, 1e-15);
  EXPECT_NEAR(own.variance, 0.3 * 0.7 / 99 + 0.4 * 0.6 / 49, 1e-15);
  EXPECT_NEAR(common.variance, 40.0 / 150 * 110 / 150 * 150 / 149 * (0.01 + 0.02), 1e-15);
  EXPECT_GT(difference(share(100, 2), share(30, 0)).variance, 0.02 / 100 + 0.015 / 30 * 0.9); // nothing happened is not: nothing can
  EXPECT_TRUE(std::isnan(difference(share(100, 30), share(1, 1)).variance));
  EXPECT_TRUE(std::isnan(difference({}, {}).value));
  EXPECT_NEAR(difference(share(100, 30), share(50, 10), 0.5).value, 0.2, 1e-15);
}

TEST(Arms, WhatWasKnownBeforeTakesVarianceAway) {
  Arm t, c;
  for (int i = 0; i < 100; i++) {
    t.add(2.0 * i + 5 + i % 3, i);
    c.add(2.0 * i + i % 3, i + 3); // whose x happens to be higher
  }
  const Adjusted a = adjusted_difference(t, c);
  EXPECT_NEAR(a.theta, 2, 0.01);
  EXPECT_NEAR(a.estimate.value, 5 + 2 * 3, 0.05); // and is set right
  EXPECT_GT(a.reduced, 0.99);
}

TEST(Arms, WhatTellsNothingChangesNothing) {
  const Adjusted a = adjusted_difference(share(100, 30), share(50, 10));
  EXPECT_EQ(a.theta, 0);
  EXPECT_EQ(a.reduced, 0);
  EXPECT_EQ(a.estimate.value, difference(share(100, 30), share(50, 10)).value);
}

TEST(Sequential, IntervalAndTestAgree) {
  for (double errors : {0.5, 2.5, 3.0, 3.5, 6.0})
    for (double subjects : {30.0, 400.0, 2000.0}) {
      const Look look{subjects, 400};
      EXPECT_EQ(errors > radius(look), sequential_p({errors * 0.01, 0.0001}, look) < 0.05);
    }
}

TEST(Sequential, IntervalIsTheNarrowestInItsKindWhereItIsPlanned) {
  for (double other : {0.25, 0.5, 0.8, 1.3, 2.0, 4.0}) EXPECT_GT(radius({400, other * 400}), radius({400, 400}) * 0.9999);
  EXPECT_NEAR(radius({400, 400}), 3.03, 0.01); // one look: 1.96
}

TEST(Sequential, SaysNothingOfFew) {
  EXPECT_FALSE(says_something(share(1000, 300), share(19, 6)));
  EXPECT_FALSE(says_something(share(1000, 3), share(200, 0)));
  EXPECT_FALSE(says_something(share(1000, 999), share(200, 200)));
  EXPECT_TRUE(says_something(share(1000, 30), share(200, 6)));
  EXPECT_FALSE(says_something({}, {}));
  EXPECT_EQ(sequential_p(difference({}, {}), {0, 100}), 1);
}

TEST(Ratio, SeesWhoIsMissing) {
  EXPECT_EQ(ratio_p(200, 1000, 0.2), 1);
  EXPECT_EQ(ratio_p(0, 0, 0.2), 1);
  EXPECT_GT(ratio_p(179, 1000, 0.2), 0.05);
  EXPECT_LT(ratio_p(120, 1000, 0.2), 1e-6);
  EXPECT_LT(ratio_p(0, 60, 0.2), 0.001);
}

TEST(Ratio, WhereNobodyMayBeOneIsEnough) {
  EXPECT_EQ(ratio_p(0, 10, 0), 1);
  EXPECT_EQ(ratio_p(1, 10, 0), 0);
  EXPECT_EQ(ratio_p(10, 10, 1), 1);
  EXPECT_EQ(ratio_p(9, 10, 1), 0);
  EXPECT_EQ(ratio_p(0, 0, 0), 1);
}

TEST(Sequential, NothingIsKnownOfSubjectsWhoAreAllAlike) {
  EXPECT_EQ(sequential_p({0.1, 0}, {40, 100}), 1);
  EXPECT_EQ(sequential_p({0, 0}, {40, 100}), 1);
  const Estimate same = difference(share(30, 30), share(30, 30), 0.9); // a tenth less, and no spread at all
  EXPECT_TRUE(std::isnan(same.variance));
  EXPECT_EQ(sequential_p(same, {60, 100}), 1);
  Arm t, c; // x tells all
  for (int i = 0; i < 30; i++) {
    t.add(3.3 * i, i);
    c.add(3.3 * (i + 1), i + 1);
  }
  const Adjusted a = adjusted_difference(t, c);
  EXPECT_EQ(a.reduced, 0);
  EXPECT_EQ(a.estimate.value, difference(t, c).value);
  EXPECT_GT(sequential_p(a.estimate, {60, 100}), 0.5);
}

TEST(Power, MeansAreAsSharesOfTheSameSpread) {
  const Design shares{0.5, 0.1, 0.2, 0.05, 0.8};
  const double spread = std::sqrt(0.5 * 0.5); // of the share without contact; with it, it is a little less
  const double means = subjects_for_mean(MeanDesign{spread, 0.1, 0.2, 0.05, 0.8});
  EXPECT_NEAR(means / subjects_for_any_look(shares), 1, 0.05);
  EXPECT_NEAR(subjects_for_mean(MeanDesign{200, 50, 0.5}) / subjects_for_mean(MeanDesign{200, 100, 0.5}), 4, 0.05);
  EXPECT_FALSE((MeanDesign{0, 1}).is_sound());
  EXPECT_FALSE((MeanDesign{1, 0}).is_sound());
  EXPECT_FALSE((MeanDesign{1, 1, 1}).is_sound());
  EXPECT_TRUE((MeanDesign{1, 1}).is_sound());
}

TEST(Limit, SpikesAreSeenSoonAndFewTellNothing) {
  EXPECT_EQ(above_limit_p(0, 0, 0.3), 1);
  EXPECT_EQ(above_limit_p(2, 10, 0.3), 1);
  EXPECT_GT(above_limit_p(2, 2, 0.4), 0.05);
  EXPECT_LT(above_limit_p(6, 6, 0.4), 0.05);
  EXPECT_LT(above_limit_p(8, 10, 0.3), 0.05);
  EXPECT_LT(above_limit_p(700, 1000, 0.6), 1e-6);
  EXPECT_LT(above_limit_p(3, 12, 0.02), 0.05);
  EXPECT_LT(above_limit_p(12, 200, 0.02), 0.05);
  EXPECT_EQ(above_limit_p(5, 5, 1), 1);
  EXPECT_EQ(above_limit_p(0, 5, 0), 1);
  EXPECT_EQ(above_limit_p(1, 5, 0), 0);
}

} // namespace
} // namespace pql::pilot
