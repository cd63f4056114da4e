// Laws of experiments, by simulation: who looks after each subject is misled no more often than alpha says; what is planned is found; what is known
// before changes no expectation. The runs are seeded.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/pilot/arms.hpp"
#include "core/pilot/beta.hpp"
#include "core/pilot/limit.hpp"
#include "core/pilot/power.hpp"
#include "core/pilot/ratio.hpp"
#include "core/pilot/sequential.hpp"
#include "property/any.hpp"

namespace pql::pilot {
namespace {

constexpr double kAlpha = 0.05;
constexpr int kRuns = 400;
// What a share of kAlpha may come to in so many runs: three standard errors more.
const double kAllowed = kAlpha + 3 * std::sqrt(kAlpha * (1 - kAlpha) / kRuns);

class Dice {
public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  bool falls(double chance) { return even_(engine_) < chance; }
  double normal() { return bell_(engine_); }

private:
  std::mt19937_64 engine_;
  std::uniform_real_distribution<double> even_;
  std::normal_distribution<double> bell_;
};

// The share of runs that cross at any of the looks, which are after each subject.
template <class Run> double crossing(unsigned seed, Run run) {
  Dice dice(seed);
  int crossed = 0;
  for (int i = 0; i < kRuns; i++) crossed += run(dice);
  return static_cast<double>(crossed) / kRuns;
}

bool crosses(Dice &dice, const Design &d, double effect, int subjects) {
  const double planned = subjects_for_any_look(d);
  Arm treated, held_out;
  for (int i = 0; i < subjects; i++) {
    const bool held = dice.falls(d.held_out);
    (held ? held_out : treated).add(dice.falls(d.baseline + (held ? 0 : effect)), 0);
    if (says_something(treated, held_out) && sequential_p(difference(treated, held_out), {i + 1.0, planned, d.alpha}) < d.alpha) return true;
  }
  return false;
}

TEST(PilotLaws, SharesThatDoNotDifferSeldomCrossHoweverOftenOneLooks) {
  unsigned seed = 1;
  for (double baseline : {0.02, 0.1, 0.5})
    for (double held_out : {0.1, 0.5}) {
      const Design d{baseline, 0.1, held_out, kAlpha, 0.8};
      EXPECT_LE(crossing(seed++, [&](Dice &dice) { return crosses(dice, d, 0, 3000); }), kAllowed) << baseline << ' ' << held_out;
    }
}

TEST(PilotLaws, MeansThatDoNotDifferSeldomCrossWithOrWithoutWhatWasKnown) {
  const auto run = [](bool adjust) {
    return [adjust](Dice &dice) {
      Arm treated, held_out;
      for (int i = 0; i < 2000; i++) {
        const double x = dice.normal();
        (dice.falls(0.2) ? held_out : treated).add(std::exp(0.5 * x + 0.5 * dice.normal()), x);
        if (std::min(treated.n, held_out.n) < kFewest) continue;
        const Estimate e = adjust ? adjusted_difference(treated, held_out).estimate : difference(treated, held_out);
        if (sequential_p(e, {i + 1.0, 500, kAlpha}) < kAlpha) return true;
      }
      return false;
    };
  };
  EXPECT_LE(crossing(11, run(false)), kAllowed);
  EXPECT_LE(crossing(12, run(true)), kAllowed);
}

TEST(PilotLaws, WhatIsPlannedForIsFound) {
  unsigned seed = 21;
  for (const Design &d : {Design{0.1, 0.1, 0.2, kAlpha, 0.8}, Design{0.3, 0.1, 0.5, kAlpha, 0.8}, Design{0.4, -0.15, 0.3, kAlpha, 0.9}})
    EXPECT_GE(crossing(seed++, [&](Dice &dice) { return crosses(dice, d, d.effect, static_cast<int>(subjects_for_any_look(d))); }), d.power - 0.05);
}

TEST(PilotLaws, AMeanIsFoundThatIsPlannedFor) {
  const MeanDesign d{1, 0.3, 0.3, kAlpha, 0.8};
  const double planned = subjects_for_mean(d);
  const auto run = [&](Dice &dice) {
    Arm treated, held_out;
    for (int i = 0; i < planned; i++) {
      const bool held = dice.falls(d.held_out);
      (held ? held_out : treated).add(dice.normal() + (held ? 0 : d.effect), 0);
      if (std::min(treated.n, held_out.n) >= kFewest && sequential_p(difference(treated, held_out), {i + 1.0, planned, d.alpha}) < d.alpha) return true;
    }
    return false;
  };
  EXPECT_GE(crossing(25, run), d.power - 0.05);
}

// A guardrail that begins to count anew each time that its pilot is tightened, with what is left of alpha.
TEST(PilotLaws, GuardrailsThatTightenAreMisledNoOftenerThanAlphaSays) {
  for (double limit : {0.02, 0.3}) {
    const auto run = [&](Dice &dice) {
      for (int stage = 1; stage <= 4; stage++) {
        double k = 0;
        for (int n = 1; n <= 800; n++) {
          k += dice.falls(limit);
          if (above_limit_p(k, n, limit) < kAlpha / std::pow(2, std::min(stage, 3))) return true;
        }
      }
      return false;
    };
    EXPECT_LE(crossing(45, run), kAllowed) << limit;
  }
}

TEST(PilotLaws, ARatioThatIsRightSeldomCrosses) {
  unsigned seed = 31;
  for (double expected : {0.05, 0.2, 0.5}) {
    const auto run = [&](double real) {
      return [&expected, real](Dice &dice) {
        double k = 0;
        for (int n = 1; n <= 3000; n++) {
          k += dice.falls(real);
          if (ratio_p(k, n, expected) < kAlpha) return true;
        }
        return false;
      };
    };
    EXPECT_LE(crossing(seed++, run(expected)), kAllowed) << expected;
    EXPECT_GE(crossing(seed++, run(expected + 0.05)), 0.9) << expected;
  }
}

TEST(PilotLaws, AShareAtOrBelowItsLimitSeldomCrosses) {
  unsigned seed = 41;
  const auto run = [](double limit, double real) {
    return [limit, real](Dice &dice) {
      double k = 0;
      for (int n = 1; n <= 2000; n++) {
        k += dice.falls(real);
        if (above_limit_p(k, n, limit) < kAlpha) return true;
      }
      return false;
    };
  };
  for (double limit : {0.02, 0.3, 0.7}) {
    EXPECT_LE(crossing(seed++, run(limit, limit)), kAllowed) << limit;
    EXPECT_LE(crossing(seed++, run(limit, limit * 0.8)), kAllowed) << limit;
    EXPECT_GE(crossing(seed++, run(limit, limit + 0.2)), 0.95) << limit;
  }
}

TEST(PilotLaws, WhatWasKnownBeforeChangesNoExpectation) {
  Dice dice(51);
  double plain = 0, adjusted = 0, plain_squares = 0, adjusted_squares = 0;
  constexpr double kEffect = 0.5;
  for (int i = 0; i < kRuns; i++) {
    Arm treated, held_out;
    for (int n = 0; n < 200; n++) {
      const double x = dice.normal();
      const bool held = dice.falls(0.3);
      (held ? held_out : treated).add(2 * x + dice.normal() + (held ? 0 : kEffect), x);
    }
    const double p = difference(treated, held_out).value - kEffect, a = adjusted_difference(treated, held_out).estimate.value - kEffect;
    plain += p;
    adjusted += a;
    plain_squares += p * p;
    adjusted_squares += a * a;
  }
  const double error = std::sqrt(adjusted_squares) / kRuns; // of the mean of all runs
  EXPECT_LT(std::abs(adjusted / kRuns), 4 * error);
  EXPECT_LT(std::abs(plain / kRuns), 4 * std::sqrt(plain_squares) / kRuns);
  EXPECT_LT(adjusted_squares, 0.35 * plain_squares); // theory: 0.2
}

TEST(PilotLaws, SumsOfPartsAreSumsOfAll) {
  check("any grouping of the rows", rc::check([] {
          Arm all[2], parts[2][3];
          for (int i = 0; i < 200; i++) {
            const int arm = number(0, 2);
            const double y = number(0, 10), x = number(-5, 5); // whole numbers: their sums are exact
            all[arm].add(y, x);
            parts[arm][number(0, 3)].add(y, x);
          }
          for (int arm = 0; arm < 2; arm++) {
            Arm sum;
            for (const Arm &p : parts[arm]) sum = {sum.n + p.n, sum.y + p.y, sum.yy + p.yy, sum.x + p.x, sum.xx + p.xx, sum.xy + p.xy};
            RC_ASSERT(sum.n == all[arm].n && sum.y == all[arm].y && sum.yy == all[arm].yy && sum.xy == all[arm].xy);
          }
        }));
}

TEST(PilotLaws, ChancesAreChances) {
  check("between 0 and 1, and monotone", rc::check([] {
          const double n = number(0, 2000), k = number<int>(0, static_cast<int>(n) + 1), limit = number(1, 100) / 100.0;
          const double p = above_limit_p(k, n, limit), q = ratio_p(k, n, limit);
          RC_ASSERT(p >= 0 && p <= 1 && q >= 0 && q <= 1);
          RC_ASSERT(above_limit_p(k + 1, n + 1, limit) <= p * (1 + 1e-9) + 1e-300 || k / std::max(n, 1.0) < limit);
          const double a = number(1, 500), b = number(1, 500), x = number(1, 100) / 100.0;
          const double both = std::exp(log_beta_above(x, a, b)) + std::exp(log_beta_above(1 - x, b, a));
          RC_ASSERT(std::abs(both - 1) < 1e-9);
        }));
}

} // namespace
} // namespace pql::pilot
