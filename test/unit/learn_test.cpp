// What is learned from hand-offs: evidence, weights, chances, points.
// covers: S1-35, S1-36, S1-46, S1-50
#include "core/learn/learner.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/learn/delay.hpp"
#include "core/learn/fading.hpp"
#include "core/learn/isotonic.hpp"
#include "core/learn/points.hpp"
#include "core/learn/ridge.hpp"

namespace pql {
namespace {

TEST(Evidence, BinsByTheShareOfPoints) {
  EXPECT_EQ(bin_of(0), 0);
  EXPECT_EQ(bin_of(-0.5), 0);
  EXPECT_EQ(bin_of(1.0 / 15), 1);
  EXPECT_EQ(bin_of(5.0 / 15), 1);
  EXPECT_EQ(bin_of(6.0 / 15), 2);
  EXPECT_EQ(bin_of(10.0 / 15), 2);
  EXPECT_EQ(bin_of(1), 3);
  EXPECT_EQ(bin_of(2), 3);
}

TEST(Evidence, IsTheLogRatioWhereMuchIsKnownAndThePriorWhereNothingIs) {
  const Evidence much = evidence_of({4000, 1000}, {10000, 10000}, {0.25, 0.25}, 10);
  EXPECT_NEAR(much.weight, std::log(4.0), 0.01);
  EXPECT_GT(much.low, 0);
  const Evidence nothing = evidence_of({}, {}, {0.25, 0.25}, 10);
  EXPECT_DOUBLE_EQ(nothing.weight, 0);
  EXPECT_LT(nothing.low, 0);
  EXPECT_GT(nothing.high, 0);
  const Evidence inner = evidence_of({}, {}, much.shares, 10); // of a group of which nothing is known: as around it
  EXPECT_NEAR(inner.weight, much.weight, 1e-12);
  EXPECT_GT(inner.high - inner.low, much.high - much.low);
}

TEST(Evidence, ThreeLeadsAreNoReasonForAVerdict) { // which unsmoothed counts take for odds of 11.5 to 1
  const Evidence e = evidence_of({0, 2}, {1, 2}, {2.0 / 3, 2.0 / 3}, kDefaultStrength);
  EXPECT_LT(std::exp(-e.weight), 1.3);
  EXPECT_GT(e.high, 0);
}

TEST(Evidence, TrigammaIsThatOfTables) {
  constexpr double kPi = 3.14159265358979323846;
  EXPECT_NEAR(trigamma(1), kPi * kPi / 6, 1e-9);
  EXPECT_NEAR(trigamma(0.5), kPi * kPi / 2, 1e-8);
  EXPECT_NEAR(trigamma(10), 0.10516633568168575, 1e-10);
}

TEST(Evidence, PriorIsStrongWhereGroupsAreAlikeAndWeakWhereTheyAreNot) {
  std::mt19937_64 random(3);
  std::vector<Spread> alike, apart;
  for (int i = 0; i < 200; i++) {
    alike.push_back({static_cast<double>(std::binomial_distribution<>(100, 0.3)(random)), 100, 0.3});
    std::gamma_distribution<> a(0.3 * 5), b(0.7 * 5); // a beta of strength 5
    const double x = a(random), p = x / (x + b(random));
    apart.push_back({static_cast<double>(std::binomial_distribution<>(100, p)(random)), 100, 0.3});
  }
  EXPECT_GT(prior_strength(alike), 300);
  EXPECT_NEAR(prior_strength(apart), 5, 2);
  EXPECT_EQ(prior_strength({}), kDefaultStrength);
}

TEST(Fading, UnitsFadeByAgeAndPrint) {
  constexpr Micros kNow = 10'000 * kDay;
  const FadingWeight now = fading_weight(kEvidenceHalfLife, kNow);
  EXPECT_NEAR(decayed(now.units, now.block, kEvidenceHalfLife, kNow), 1, 1e-9);
  EXPECT_NEAR(decayed(now.units, now.block, kEvidenceHalfLife, kNow + kEvidenceHalfLife), 0.5, 1e-9);
  for (const __int128 n : {static_cast<__int128>(0), static_cast<__int128>(-7), static_cast<__int128>(1) << 100}) {
    __int128 back = 1;
    EXPECT_TRUE(parse_units(print_units(n), back));
    EXPECT_TRUE(back == n);
  }
  __int128 none;
  for (const char *bad : {"", "-", "1.5", "x", "1234567890123456789012345678901234567890"}) EXPECT_FALSE(parse_units(bad, none)) << bad;
}

TEST(Points, LargestRemaindersSumToTheTotal) {
  EXPECT_EQ(largest_remainders(std::vector<double>{1, 1, 1}, 10), (std::vector<int>{4, 3, 3}));
  EXPECT_EQ(largest_remainders(std::vector<double>{0, 0}, 10), (std::vector<int>{0, 0}));
  EXPECT_EQ(largest_remainders(std::vector<double>{47, 16, 15.8, 12, 6.1, 3.1}, 10), (std::vector<int>{5, 2, 1, 1, 1, 0}));
}

TEST(Points, WhatIsOpenKeepsItsPoints) {
  const std::vector<int> old{20, 20, 20, -10};
  const std::vector<SignalWeight> weights{{2, 1.5, 2.5, 1}, {0.1, -1, 1.2, 1}, {1, 0.5, 1.5, 1}, {-0.5, -0.9, -0.1, -0.5}};
  const std::vector<int> out = propose_points(old, weights);
  EXPECT_EQ(out[1], 20);
  EXPECT_EQ(out[0] + out[2] - out[3], 50);
  EXPECT_GT(out[0], out[2]);
  EXPECT_LT(out[3], 0);
  // Known to be worth less than its points: it isn't open, though it may be nothing.
  EXPECT_FALSE((SignalWeight{0.05, -0.1, 0.2, 1}.is_open()));
}

TEST(Delay, IsWhatHasBeenSeen) {
  std::vector<Micros> delays;
  for (int i = 1; i <= 40; i++) delays.push_back(i * kDay);
  const DelayCurve c(delays, 90 * kDay);
  EXPECT_DOUBLE_EQ(c.seen(10 * kDay), 10.0 / 41);
  EXPECT_LT(c.seen(89 * kDay), 1);
  EXPECT_DOUBLE_EQ(c.seen(90 * kDay), 1);
  EXPECT_DOUBLE_EQ(DelayCurve({}, 90 * kDay).seen(89 * kDay), 0);
}

TEST(Ridge, OpenLabelsCountAsFarAsTheyHaveBeenSeen) {
  // Half of the conversions have been seen of half of the rows: the chance is found all the same.
  Design d;
  d.columns = 1;
  const double one[] = {1};
  for (int i = 0; i < 1000; i++) d.add(one, 1, 1, i % 10 < 4);
  for (int i = 0; i < 1000; i++) d.add(one, 1, 0.5, i % 10 < 2);
  const Fit f = fit_ridge(d, std::vector<Penalty>(1));
  EXPECT_TRUE(f.converged);
  EXPECT_NEAR(chance_of(f.coefficients[0]), 0.4, 1e-9);
  EXPECT_LT(f.variance(0, 0), 1 / (1000 * 0.24));
}

TEST(Ridge, ThePenaltyDrawsTowardsWhatIsExpected) {
  Design d;
  d.columns = 2;
  for (int i = 0; i < 40; i++) {
    const double row[] = {1, i % 4 < 2 ? 1.0 : 0.0};
    d.add(row, 1, 1, i % 2 == 0);
  }
  const Fit f = fit_ridge(d, std::vector<Penalty>{{0, 0, -1}, {1e6, 2, -1}});
  EXPECT_NEAR(f.coefficients[1], 2, 1e-3);
}

TEST(Isotonic, PoolsNeighboursAndTies) {
  const std::vector<Level> levels = isotonic(std::vector<Observed>{{1, 1, 1}, {2, 3, 1}, {3, 2, 1}, {3, 2, 1}, {4, 4, 1}, {5, 9, 0}});
  ASSERT_EQ(levels.size(), 3);
  EXPECT_DOUBLE_EQ(levels[1].value, 7.0 / 3);
  EXPECT_DOUBLE_EQ(levels[1].from, 2);
  EXPECT_DOUBLE_EQ(levels[1].to, 3);
}

TEST(Metrics, AreThoseOfSmallExamples) {
  const std::vector<Judged> all{{0.9, true}, {0.6, false}, {0.6, true}, {0.2, false}};
  EXPECT_NEAR(brier_score(all), (0.01 + 0.36 + 0.16 + 0.04) / 4, 1e-12);
  EXPECT_DOUBLE_EQ(area_under_curve(all), 3.5 / 4);
  EXPECT_DOUBLE_EQ(lift_at(all, 0.25), 2);
  EXPECT_DOUBLE_EQ(lift_at(all, 0.5), 1.5);
  EXPECT_TRUE(std::isnan(brier_score({})));
  EXPECT_TRUE(std::isnan(area_under_curve(std::vector<Judged>{{0.5, true}})));
  const std::vector<Bin> bins = bins_of(all, 2);
  ASSERT_EQ(bins.size(), 2);
  EXPECT_DOUBLE_EQ(bins[0].count, 3); // ties stay together
  EXPECT_NEAR(calibration_error(bins), (3 * std::abs(1.4 / 3 - 1.0 / 3) + 0.1) / 4, 1e-12);
}

TEST(Metrics, StabilityIsZeroForTheSameAndLargeForOthers) {
  const std::vector<double> one{50, 30, 20}, same{500, 300, 200}, other{20, 30, 50};
  EXPECT_NEAR(stability_index(one, same), 0, 1e-12);
  EXPECT_NEAR(stability_index(one, other), 2 * 0.3 * std::log(2.5), 1e-12);
}

TEST(Calibrate, FewLabelsMoveALineAndManyItsShape) {
  std::mt19937_64 random(5);
  const auto made = [&](int n) {
    std::vector<Forecast> all;
    for (int i = 0; i < n; i++) {
      const double odds = std::normal_distribution<>(-1, 1)(random);
      // Twice as likely as forecast below the middle, as forecast above.
      const double chance = odds < -1 ? std::min(1.0, 2 * chance_of(odds)) : chance_of(odds);
      all.push_back({odds, 1, 1, std::bernoulli_distribution(chance)(random)});
    }
    return all;
  };
  EXPECT_TRUE(calibrate(made(200)).knots.empty());
  const Calibration c = calibrate(made(20000));
  ASSERT_FALSE(c.knots.empty());
  EXPECT_NEAR(c.chance(-2), 2 * chance_of(-2), 0.03);
  EXPECT_NEAR(c.chance(1), chance_of(1), 0.04);
  for (double x = -6; x < 6; x += 0.01) EXPECT_LE(c.chance(x), c.chance(x + 0.01));
  EXPECT_DOUBLE_EQ(calibrate({}).chance(0), 0.5);
}

// A company whose signals truly weigh so much, with slow conversions.
Study company(const std::vector<double> &truth, std::size_t n, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<> any;
  Study s;
  s.points.assign(truth.size(), 20);
  s.as_of = 20'000 * kDay;
  for (std::size_t i = 0; i < n; i++) {
    HandOff h;
    h.at = s.as_of - static_cast<Micros>(any(random) * 500) * kDay;
    h.treated = any(random) < 0.8;
    double odds = -2;
    for (const double w : truth) {
      const double u = any(random) < 0.4 ? 0 : any(random);
      s.shares.push_back(u);
      odds += w * u;
    }
    if (h.treated) odds += 0.5;
    const Micros delay = static_cast<Micros>(-std::log(any(random)) * 20) * kDay;
    h.converted = any(random) < chance_of(odds) && delay < s.horizon && h.at + delay <= s.as_of;
    if (h.converted) h.converted_at = h.at + delay;
    s.hand_offs.push_back(h);
  }
  return s;
}

TEST(Learner, FindsTheWeightsOfACompany) {
  const std::vector<double> truth{2, 1, 0, -1};
  Study s = company(truth, 8000, 11);
  s.points[3] = -20;
  const Learned l = learn(s);
  for (std::size_t j = 0; j < truth.size(); j++) EXPECT_NEAR(l.signals[j].weight, truth[j], 0.35) << j;
  EXPECT_GT(l.open, 0);
  EXPECT_LT(l.quality.error, 0.03);
  const std::vector<int> points = propose_points(s.points, l.signals);
  EXPECT_GT(points[0], points[1]);
  EXPECT_LT(points[2], 8);
  EXPECT_LT(points[3], 0);
  const double full[] = {1, 1, 1, 0}, none[] = {0, 0, 0, 0};
  EXPECT_NEAR(l.chance(full, -1, true), chance_of(1.5), 0.08);
  EXPECT_NEAR(l.chance(none, -1, true), chance_of(-1.5), 0.05);
  EXPECT_LT(l.chance(none, -1, false), l.chance(none, -1, true));
}

TEST(Learner, KeepsTheProgramsProportionsWhereLittleIsKnown) {
  const Learned l = learn(company({2, 1, 0, 1}, 120, 12));
  int open = 0;
  for (const SignalWeight &w : l.signals) open += w.is_open();
  EXPECT_GE(open, 2);
}

TEST(Learner, ForgetsWhatIsNoMoreSo) {
  Study s = company({2, 0}, 3000, 13);
  const Study later = company({0, 2}, 3000, 14);
  for (HandOff &h : s.hand_offs) h.at -= 500 * kDay, h.converted_at -= h.converted ? 500 * kDay : 0;
  s.hand_offs.insert(s.hand_offs.end(), later.hand_offs.begin(), later.hand_offs.end());
  s.shares.insert(s.shares.end(), later.shares.begin(), later.shares.end());
  const Learned l = learn(s);
  EXPECT_LE(l.half_life, 180 * kDay);
  EXPECT_GT(l.signals[1].weight, l.signals[0].weight + 0.7);
}

TEST(Learner, EndsWhereWhoeverIsAskedSaysSo) {
  Study s = company({2, 1}, 30000, 15);
  struct Ended {};
  s.pause = [] { throw Ended(); };
  EXPECT_THROW((void)learn(s), Ended);
}

TEST(Learner, FewOfAKindChooseNothing) {
  // Conversions come last only: of what was known at the cuts nothing can be found, and half a year it is.
  Study s = company({2, 1}, 400, 16);
  for (HandOff &h : s.hand_offs) {
    h.converted = h.at > s.as_of - 130 * kDay && h.at < s.as_of - 90 * kDay;
    h.converted_at = h.converted ? h.at + kDay : kNever;
  }
  const Learned l = learn(s);
  EXPECT_EQ(l.half_life, 180 * kDay);
  EXPECT_FALSE(l.richer);
}

} // namespace
} // namespace pql
