// Laws of decayed sums.
// Law: bit for bit the same in any order, split and tree; and never further from the formula than a billionth.
// covers: S2u-4
#include "core/decay/decay.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <vector>

#include "core/aggregate/state.hpp"
#include "core/decay/pow2.hpp"
#include "property/any.hpp"

namespace pql {
namespace {

struct Sample {
  Micros at;
  double value;
};

// Lengths of every order of magnitude; the ends included.
rc::Gen<Micros> any_half_life() {
  return rc::gen::exec([] {
    const int kind = number(0, 8);
    if (kind == 0) return kMinHalfLife;
    if (kind == 1) return kMaxHalfLife;
    return number<Micros>(kMinHalfLife, (kMinHalfLife << number(1, 31)));
  });
}

rc::Gen<double> any_value() {
  return rc::gen::exec([] {
    const auto mantissa = static_cast<double>(number<std::int64_t>(-(std::int64_t{1} << 53), std::int64_t{1} << 53));
    return std::ldexp(mantissa, number(-29, 1) - 30) * 0.99;
  });
}

// Before and after 2000, over `half_lives` of them.
std::vector<Sample> any_samples(Micros half_life, double half_lives, Micros around = 0) {
  const auto span = static_cast<Micros>(static_cast<double>(half_life) * half_lives);
  const int n = number(0, 30);
  std::vector<Sample> all;
  for (int i = 0; i < n; i++) {
    all.push_back({around + number<Micros>(-span, span + 1), *any_value()});
    if (one_in(4)) all.push_back(all.back()); // twice the same
    if (one_in(4)) all.back().at = all.front().at;
  }
  return all;
}

Decay fold(const std::vector<Sample> &all, Micros half_life) {
  Decay d;
  for (const Sample &s : all) d.add(half_life, s.at, s.value);
  return d;
}

TEST(Pow2Laws, AgreesWithLongDouble) {
  check("2^(num/den)", rc::check([] {
          for (int i = 0; i < 200; i++) {
            const Micros den = *any_half_life();
            const Micros num = *rc::gen::element<Micros>(0, den - 1, den / 2, number<Micros>(0, den));
            const long double x = static_cast<long double>(num) / static_cast<long double>(den);
            const auto got = static_cast<long double>(
                pow2_fraction(static_cast<std::uint64_t>(num), static_cast<std::uint64_t>(den)));
            RC_ASSERT(std::fabs(got / (exp2l(x) * 0x1p63L) - 1) < 0x1p-57L + 0x1p-62L); // the latter: its own rounding
          }
        }));
}

TEST(Pow2Laws, GrowsWithItsArgument) {
  check("monotone", rc::check([] {
          for (int i = 0; i < 200; i++) {
            const auto den = static_cast<std::uint64_t>(*any_half_life());
            // Further apart than the error: across the seams of the table as well.
            const std::uint64_t seam = den / 64 * number<std::uint64_t>(1, 64);
            const std::uint64_t num = std::min(den - 2, seam + number<std::uint64_t>(0, 3));
            if (den < (std::uint64_t{1} << 50)) RC_ASSERT(pow2_fraction(num, den) < pow2_fraction(num + 1, den));
          }
        }));
}

TEST(WeightLaws, APreparedHalfLifeMakesNoDifference) {
  check("HalfLife", rc::check([] {
          for (int i = 0; i < 200; i++) {
            const Micros half_life = *rc::gen::oneOf(any_half_life(), rc::gen::element<Micros>(1, 3, kMaxNumberHalfLife));
            const Micros whole = half_life * (kLastInstant / half_life - number<Micros>(0, 3));
            const Micros t = *rc::gen::element<Micros>(0, kFirstInstant, kLastInstant, whole, whole - 1, half_life - 1, half_life, -1,
                                                       number<Micros>(kFirstInstant, kLastInstant));
            const double v = *any_value();
            const Weight one(half_life, t), other(HalfLife(half_life), t);
            RC_ASSERT(one.block() == other.block());
            RC_ASSERT(one.of(v) == other.of(v));
            RC_ASSERT(one.of_one() == other.of_one());
            RC_ASSERT(one.of(1) == one.of_one());
            const auto sum = number<std::int64_t>(-(1ll << 60), 1ll << 60);
            const std::int64_t block = one.block() - number<std::int64_t>(-1, 4);
            RC_ASSERT(decayed(sum, block, half_life, t) == decayed(sum, block, HalfLife(half_life), t));
          }
        }));
}

TEST(Pow2Laws, WholePartsAreExact) {
  check("2^(x+n) == 2^x * 2^n", rc::check([] {
          const Micros den = *any_half_life(), num = number<Micros>(0, den);
          const auto n = number<Micros>(-80, 80);
          RC_ASSERT(pow2_ratio(num + n * den, den) == std::ldexp(pow2_ratio(num, den), static_cast<int>(n)));
          RC_ASSERT(pow2_ratio(n * den, den) == std::ldexp(1.0, static_cast<int>(n)));
        }));
}

TEST(Pow2Laws, FarAwayIsNothingOrInfinity) {
  for (Micros den : {Micros{1}, kSecond, kMaxHalfLife}) {
    EXPECT_EQ(pow2_ratio(INT64_MIN, den), 0);
    EXPECT_EQ(pow2_ratio(INT64_MAX, den), HUGE_VAL);
  }
}

TEST(DecayLaws, AnyOrderGivesTheSameBits) {
  check("fold(shuffled) == fold", rc::check([] {
          const Micros h = *any_half_life();
          const std::vector<Sample> all = any_samples(h, *rc::gen::element(0.5, 20.0, 60.0, 300.0));
          RC_ASSERT(fold(shuffled(all), h) == fold(all, h));
        }));
}

TEST(DecayLaws, MergeIsAssociativeAndCommutative) {
  check("a+b == b+a, (a+b)+c == a+(b+c)", rc::check([] {
          const Micros h = *any_half_life();
          Decay part[3];
          std::vector<Sample> all;
          for (Decay &d : part) {
            const double width = *rc::gen::element(1.0, 40.0, 200.0);
            const std::vector<Sample> some = any_samples(h, width, number<Micros>(-3, 4) * 40 * h);
            all.insert(all.end(), some.begin(), some.end());
            d = fold(some, h);
          }
          const auto [a, b, c] = part;
          Decay ab = a, ba = b, left, right = b;
          ab.merge(b), ba.merge(a);
          left = ab;
          left.merge(c);
          right.merge(c);
          Decay a_right = a;
          a_right.merge(right);
          RC_ASSERT(ab == ba);
          RC_ASSERT(left == a_right);
          RC_ASSERT(left == fold(shuffled(all), h));
        }));
}

TEST(DecayLaws, ADroppedBlockIsDroppedInEveryTree) {
  check("old blocks", rc::check([] {
          const Micros h = *any_half_life();
          // One sample in each of some blocks, far enough apart that the window must move again and again.
          std::vector<Sample> all;
          std::vector<int> blocks(number<std::size_t>(0, 12));
          for (int &k : blocks) k = number(-9, 10);
          for (int k : blocks) all.push_back({k * 32 * h + number<Micros>(0, 32 * h), *any_value()});
          const Decay whole = fold(all, h);
          std::vector<Decay> parts(all.size() + 1);
          for (std::size_t i = 0; i < all.size(); i++)
            parts[number<std::size_t>(0, parts.size())].add(h, all[i].at, all[i].value);
          while (parts.size() > 1) {
            const std::size_t into = number<std::size_t>(0, parts.size() - 1);
            parts[into].merge(parts.back());
            parts.pop_back();
          }
          RC_ASSERT(parts[0] == whole);
          // What is left is exactly the four newest blocks.
          if (all.empty()) return;
          const int newest = *std::max_element(blocks.begin(), blocks.end());
          std::vector<Sample> kept;
          for (std::size_t i = 0; i < all.size(); i++) {
            if (blocks[i] > newest - Decay::kBlocks) kept.push_back(all[i]);
          }
          RC_ASSERT(whole == fold(kept, h));
          RC_ASSERT(whole.top == newest);
        }));
}

TEST(DecayLaws, WhatIsTakenBackIsAsIfItHadNeverBeen) {
  check("add(v), add(-v)", rc::check([] {
          const Micros h = *any_half_life();
          const std::vector<Sample> all = any_samples(h, 40);
          RC_PRE(!all.empty());
          Decay d = fold(all, h);
          const Decay before = d;
          const Sample more{all[0].at, *any_value()};
          d.add(h, more.at, more.value);
          d.add(h, more.at, -more.value);
          RC_ASSERT(d == before);
        }));
}

TEST(DecayLaws, AHalfLifeHalves) {
  check("read(T+h) == read(T)/2", rc::check([] {
          const Micros h = *any_half_life();
          const std::vector<Sample> all = any_samples(h, 25);
          const Decay d = fold(all, h);
          const Micros at = 25 * h + number<Micros>(0, 10 * h);
          const double now = d.read(h, at);
          RC_PRE(std::fabs(now) > 1e-200 || now == 0);
          RC_ASSERT(d.read(h, at + h) == now / 2);
          RC_ASSERT(d.read(h, at + 7 * h) == now / 128);
        }));
}

TEST(DecayLaws, TheFormulaToABillionth) {
  check("error", rc::check([] {
          const Micros h = *any_half_life(), width = 32 * h;
          const Micros around = number<Micros>(-5, 6) * width + number<Micros>(0, width);
          std::vector<Sample> all = any_samples(h, 30, around);
          RC_PRE(!all.empty());
          Micros newest = all[0].at;
          for (const Sample &s : all) newest = std::max(newest, s.at);
          const Micros as_of = newest + number<Micros>(0, 8 * h);
          long double expected = 0, size = 0;
          for (const Sample &s : all) {
            const long double part =
                s.value * exp2l(static_cast<long double>(s.at - as_of) / static_cast<long double>(h));
            expected += part;
            size += std::fabs(part);
          }
          const double got = fold(all, h).read(h, as_of);
          // 40 fractional bits in a block that began up to 32 half-lives before the instant; otherwise relative.
          const long double rounding = static_cast<long double>(all.size()) * 0x1p-41L;
          RC_ASSERT(std::fabs(got - expected) <= 1e-9L * size + rounding);
          const bool large = std::all_of(all.begin(), all.end(), [](const Sample &s) { return s.value >= 1; });
          if (large) RC_ASSERT(std::fabs(got - expected) <= 1e-9L * std::fabs(expected));
        }));
}

TEST(DecayLaws, CountsAreExactToABillionthHoweverOldTheyAre) {
  check("relative error of counts", rc::check([] {
          const Micros h = *any_half_life();
          const Micros first = number<Micros>(-100 * h, 100 * h);
          const int n = number(1, 60);
          Decay d;
          std::vector<Micros> at;
          for (int i = 0; i < n; i++) {
            at.push_back(first + number<Micros>(0, 60 * h));
            d.add(h, at.back(), 1);
          }
          const Micros as_of = *std::max_element(at.begin(), at.end()) + number<Micros>(0, 100 * h);
          long double expected = 0;
          for (Micros t : at) expected += exp2l(static_cast<long double>(t - as_of) / static_cast<long double>(h));
          RC_ASSERT(std::fabs(d.read(h, as_of) - expected) < 1e-9L * expected);
        }));
}

TEST(DecayLaws, ReadIsLinear) {
  check("read(a+b) == read(a) + read(b)", rc::check([] {
          const Micros h = *any_half_life();
          const Decay a = fold(any_samples(h, 30), h), b = fold(any_samples(h, 30), h);
          Decay both = a;
          both.merge(b);
          const Micros at = number<Micros>(-30 * h, 60 * h); // earlier than the newest as well
          const double x = a.read(h, at), y = b.read(h, at);
          RC_ASSERT(std::fabs(both.read(h, at) - (x + y)) <= 1e-12 * (std::fabs(x) + std::fabs(y)) + 1e-300);
        }));
}

TEST(DecayLaws, ValuesScaleExactlyByPowersOfTwo) {
  check("v * 2^j", rc::check([] {
          const Micros h = *any_half_life();
          const int n = number(0, 20), j = number(1, 5);
          Decay a, b;
          for (int i = 0; i < n; i++) {
            const Micros at = number<Micros>(0, 32 * h); // one block
            const double v = static_cast<double>(number(-100'000, 100'000));
            a.add(h, at / h * h, v); // at whole half-lives nothing is rounded
            b.add(h, at / h * h, std::ldexp(v, j));
          }
          RC_ASSERT(b.read(h, 33 * h) == std::ldexp(a.read(h, 33 * h), j));
        }));
}

TEST(DecayLaws, TheGreatestSumsDoNotOverflow) {
  // 2^31 of the greatest values at the end of a block, by doubling.
  const Micros h = kMinHalfLife;
  Decay d;
  const double v = std::nextafter(kMaxDecayValue, 0);
  d.add(h, 32 * h - 1, v);
  for (int i = 0; i < 31; i++) {
    const Decay same = d;
    d.merge(same);
  }
  const double expected = std::ldexp(v, 31);
  EXPECT_NEAR(d.read(h, 32 * h - 1) / expected, 1, 1e-12);
  Decay negative;
  negative.add(h, 32 * h - 1, -v);
  for (int i = 0; i < 31; i++) {
    const Decay same = negative;
    negative.merge(same);
  }
  d.merge(negative);
  EXPECT_EQ(d.read(h, 32 * h), 0);
}

TEST(DecayLaws, TheEndsOfTheDatabasesTimesAreNotTooFar) {
  constexpr Micros kOldest = -211'813'488'000 * kSecond, kNewest = 9'223'371'331'200 * kSecond - 1;
  for (Micros h : {kMinHalfLife, kDay, kMaxHalfLife}) {
    Decay d;
    d.add(h, kOldest, 1);
    EXPECT_NEAR(d.read(h, kOldest), 1, 1e-9);
    EXPECT_NEAR(d.read(h, kNewest), 0, 1e-300);
    d.add(h, kNewest, 1);
    EXPECT_NEAR(d.read(h, kNewest), 1, 1e-9);
  }
  // Blocks may begin long before the first of them.
  Decay d;
  d.add(kMaxNumberHalfLife, kOldest, 1);
  const double half_lives = (static_cast<double>(kNewest) - static_cast<double>(kOldest)) / static_cast<double>(kMaxNumberHalfLife);
  EXPECT_NEAR(d.read(kMaxNumberHalfLife, kNewest) / std::exp2(-half_lives), 1, 1e-9);
}

} // namespace
} // namespace pql
