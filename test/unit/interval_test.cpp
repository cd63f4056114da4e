#include "core/stat/interval.hpp"
#include "core/stat/normal.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace pql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void expect_interval(const Estimate &e, double value, double low, double high, double within = 5e-5) {
  ASSERT_TRUE(e.value);
  EXPECT_NEAR(*e.value, value, within);
  EXPECT_NEAR(e.low, low, within);
  EXPECT_NEAR(e.high, high, within);
}

TEST(Interval, QuantilesOfTheNormalDistribution) {
  EXPECT_EQ(normal_quantile(0.5), 0);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_NEAR(normal_quantile(0.95), 1.6448536269514722, 1e-14);
  EXPECT_NEAR(normal_quantile(0.995), 2.5758293035489004, 1e-14);
  EXPECT_NEAR(normal_quantile(0.25), -0.6744897501960817, 1e-14); // Wichura's own examples
  EXPECT_NEAR(normal_quantile(0.001), -3.090232306167814, 1e-14);
  EXPECT_NEAR(normal_quantile(1e-20), -9.262340089798408, 1e-12);
}

// Newcombe, Statistics in Medicine 17:857 (1998), table I, method 3.
TEST(Interval, SharesAsPublished) {
  expect_interval(share({81, 263}, 0.95), 81.0 / 263, 0.2553, 0.3662);
  expect_interval(share({15, 148}, 0.95), 15.0 / 148, 0.0624, 0.1605);
  expect_interval(share({0, 20}, 0.95), 0, 0, 0.1611);
  expect_interval(share({1, 29}, 0.95), 1.0 / 29, 0.0061, 0.1718);
}

// Newcombe, Statistics in Medicine 17:873 (1998), table II, method 10.
TEST(Interval, DifferencesAsPublished) {
  expect_interval(difference({56, 70}, {48, 80}, 0.95), 0.2, 0.0524, 0.3339);
  expect_interval(difference({9, 10}, {3, 10}, 0.95), 0.6, 0.1705, 0.8090);
  expect_interval(difference({6, 7}, {2, 7}, 0.95), 4.0 / 7, 0.0582, 0.8062);
  expect_interval(difference({5, 56}, {0, 29}, 0.95), 5.0 / 56, -0.0381, 0.1926);
  expect_interval(difference({0, 10}, {0, 20}, 0.95), 0, -0.1611, 0.2775);
  expect_interval(difference({0, 10}, {0, 10}, 0.95), 0, -0.2775, 0.2775);
  expect_interval(difference({10, 10}, {0, 20}, 0.95), 1, 0.6791, 1);
  expect_interval(difference({10, 10}, {0, 10}, 0.95), 1, 0.6075, 1);
}

TEST(Interval, RatiosByTheirLogarithm) {
  // exp(ln(0.25) -+ 1.959964 sqrt(1/15 - 1/150 + 1/100 - 1/250))
  expect_interval(ratio({15, 150}, {100, 250}, 0.95), 0.25, 0.1510993, 0.4136353, 1e-6);
  // by hand: 30% by 10% of 100 each
  expect_interval(ratio({30, 100}, {10, 100}, 0.95), 3, std::exp(std::log(3.0) - 1.959963984540054 * std::sqrt(1.0 / 30 + 1.0 / 10 - 0.02)),
                  std::exp(std::log(3.0) + 1.959963984540054 * std::sqrt(1.0 / 30 + 1.0 / 10 - 0.02)), 1e-12);
}

TEST(Interval, OfNothingIsAllThatIsPossible) {
  const Estimate s = share({0, 0}, 0.95), d = difference({0, 0}, {1, 2}, 0.95), r = ratio({1, 2}, {0, 0}, 0.95), none = ratio({0, 9}, {0, 9}, 0.95);
  EXPECT_FALSE(s.value || d.value || r.value || none.value);
  EXPECT_EQ(s.low, 0);
  EXPECT_EQ(s.high, 1);
  EXPECT_EQ(d.low, -1);
  EXPECT_EQ(d.high, 1);
  EXPECT_EQ(r.low, 0);
  EXPECT_EQ(r.high, kInfinity);
  EXPECT_EQ(none.high, kInfinity);
}

TEST(Interval, OfNoneAndAll) {
  const Estimate zero = ratio({0, 50}, {10, 50}, 0.95), endless = ratio({10, 50}, {0, 50}, 0.95), same = ratio({2, 2}, {3, 3}, 0.95);
  EXPECT_EQ(*zero.value, 0);
  EXPECT_EQ(zero.low, 0);
  EXPECT_NEAR(zero.high, 0.8330557, 1e-6); // 0.5 of 50, and 10
  EXPECT_EQ(*endless.value, kInfinity);
  EXPECT_NEAR(endless.low, 1 / 0.8330557, 1e-6);
  EXPECT_EQ(endless.high, kInfinity);
  EXPECT_EQ(*same.value, 1);
  EXPECT_LT(same.low, 0.7); // a few of a few are not sure
  EXPECT_GT(same.high, 1.4);
}

TEST(Interval, HoldsItsEstimateAndNarrows) {
  for (const std::int64_t n : {1, 2, 3, 7, 40, 1000}) {
    for (std::int64_t k = 0; k <= n; k += std::max<std::int64_t>(1, n / 7)) {
      const Estimate few = share({k, n}, 0.9), many = share({100 * k, 100 * n}, 0.9), surer = share({k, n}, 0.99);
      EXPECT_LE(0, few.low);
      EXPECT_LE(few.low, *few.value);
      EXPECT_LE(*few.value, few.high);
      EXPECT_LE(few.high, 1);
      EXPECT_LT(many.high - many.low, few.high - few.low);
      EXPECT_LT(few.high - few.low, surer.high - surer.low);
      for (const std::int64_t other : {std::int64_t{0}, std::int64_t{1}, std::int64_t{9}}) {
        const Estimate d = difference({k, n}, {other, 9}, 0.9), back = difference({other, 9}, {k, n}, 0.9), r = ratio({k, n}, {other, 9}, 0.9);
        EXPECT_LE(d.low, *d.value);
        EXPECT_LE(*d.value, d.high);
        EXPECT_NEAR(d.low, -back.high, 1e-15);
        if (!r.value) continue;
        EXPECT_LE(r.low, *r.value);
        EXPECT_LE(*r.value, r.high);
      }
    }
  }
}

} // namespace
} // namespace pql
