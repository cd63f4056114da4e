// Decayed sums: exact laws, bit for bit, and the error against the formula.
// covers: S2u-4
#include "core/decay/decay.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "core/decay/pow2.hpp"

namespace pql {
namespace {

struct Sample {
  Micros at;
  double value;
};

std::vector<Sample> samples(std::mt19937_64 &random, Micros half_life, int n) {
  std::vector<Sample> out;
  for (int i = 0; i < n; i++) {
    const auto age = static_cast<Micros>(random() % static_cast<std::uint64_t>(half_life * 200));
    out.push_back({800'000'000 * kSecond - age, static_cast<double>(random() % 100'000) / 7 - 3000});
  }
  return out;
}

Decay fold(const std::vector<Sample> &all, Micros half_life) {
  Decay d;
  for (const Sample &s : all) d.add(half_life, s.at, s.value);
  return d;
}

TEST(Pow2, AgreesWithLongDouble) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; i++) {
    const std::uint64_t den = random() % static_cast<std::uint64_t>(kMaxHalfLife) + 1, num = random() % den;
    const long double expected = powl(2.0L, static_cast<long double>(num) / static_cast<long double>(den)) * 0x1p63L;
    EXPECT_NEAR(static_cast<double>(static_cast<long double>(pow2_fraction(num, den)) / expected - 1), 0, 7e-18);
  }
  EXPECT_EQ(pow2_fraction(0, 5), std::uint64_t{1} << 63);
  EXPECT_EQ(pow2_ratio(-3, 1), 0.125);
  EXPECT_EQ(pow2_ratio(20, 10), 4.0);
}

TEST(Decay, AnyOrderAndAnyMergeTreeGiveTheSameBits) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 200; round++) {
    const Micros half_life = kHour * static_cast<Micros>(1 + random() % 2000);
    std::vector<Sample> all = samples(random, half_life, 60);
    const Decay whole = fold(all, half_life);
    std::shuffle(all.begin(), all.end(), random);
    EXPECT_EQ(fold(all, half_life), whole);
    std::vector<Decay> parts(1 + random() % 7);
    for (const Sample &s : all) parts[random() % parts.size()].add(half_life, s.at, s.value);
    while (parts.size() > 1) {
      const std::size_t i = random() % (parts.size() - 1);
      parts[i].merge(parts.back());
      parts.pop_back();
    }
    EXPECT_EQ(parts[0], whole);
  }
}

TEST(Decay, AgreesWithTheFormula) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; round++) {
    const Micros half_life = kMinute * static_cast<Micros>(1 + random() % 100'000), now = 800'000'000 * kSecond;
    Decay d;
    long double expected = 0;
    for (int i = 0; i < 200; i++) {
      const Micros at = now - static_cast<Micros>(random() % static_cast<std::uint64_t>(half_life * 20));
      const double v = static_cast<double>(random() % 1000);
      d.add(half_life, at, v);
      expected += v * powl(2.0L, static_cast<long double>(at - now) / static_cast<long double>(half_life));
    }
    EXPECT_NEAR(d.read(half_life, now), static_cast<double>(expected), 1e-9 * std::fabs(static_cast<double>(expected)));
  }
}

TEST(Decay, HalvesExactlyInAHalfLife) {
  std::mt19937_64 random(4);
  const Micros half_life = 7 * kDay, now = 800'000'000 * kSecond;
  const Decay d = fold(samples(random, half_life, 10), half_life);
  EXPECT_EQ(d.read(half_life, now + half_life), d.read(half_life, now) / 2);
}

TEST(Decay, EmptyIsZeroAndNeutral) {
  Decay empty, one;
  one.add(kDay, 0, 5);
  const Decay before = one;
  one.merge(empty);
  EXPECT_EQ(one, before);
  empty.merge(one);
  EXPECT_EQ(empty, before);
  EXPECT_EQ(Decay{}.read(kDay, 0), 0);
}

TEST(Decay, ForgetsWhatIsFarOlderThanTheNewest) {
  Decay old_first, new_first;
  const Micros far = 32 * 5 * kDay;
  old_first.add(kDay, 0, 1);
  old_first.add(kDay, far, 1);
  new_first.add(kDay, far, 1);
  new_first.add(kDay, 0, 1);
  EXPECT_EQ(old_first, new_first);
}

// To the nearest unit of the last bit; half of one counts as a whole one, away from zero on both sides.
TEST(Decay, AContributionIsRoundedNotCutOff) {
  const auto left = [](Micros at, double v) {
    Decay d;
    d.add(kDay, at, v);
    return static_cast<std::int64_t>(d.sum[0].value());
  };
  const double unit = 0x1p-40;
  for (const int sign : {1, -1}) {
    EXPECT_EQ(left(0, sign * unit / 2), sign);
    EXPECT_EQ(left(0, sign * std::nextafter(unit / 2, 0)), 0);
    EXPECT_EQ(left(0, sign * unit * 1.25), sign);
    EXPECT_EQ(left(0, sign * unit * 1.5), sign * 2);
    EXPECT_EQ(left(kDay / 2, sign * unit), sign);            // 1.41 units
    EXPECT_EQ(left(kDay / 2, sign * unit * 1.25), sign * 2); // 1.77: after it has grown, and only once
    EXPECT_EQ(left(kDay, sign * unit / 4), sign);
    EXPECT_EQ(left(-32 * kDay, sign * unit / 2), sign); // the start of the block before
  }
}

TEST(Decay, WorksBeforeTheEpoch) {
  Decay d;
  d.add(kDay, -100 * kDay, 8);
  EXPECT_NEAR(d.read(kDay, -97 * kDay), 1, 1e-11);
}

} // namespace
} // namespace pql
