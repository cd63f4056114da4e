// Different values: exact, or estimated within what HyperLogLog promises.
#include "core/distinct/distinct.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/flat.hpp"

namespace pql {
namespace {

using Words = std::vector<std::uint64_t>;

TEST(Scatter, IsAsItHasBeenStored) {
  EXPECT_EQ(scatter(0), 1u);
  EXPECT_EQ(scatter(1), 0x5692161d100b05e5u);
  EXPECT_EQ(scatter(~std::uint64_t{0}), 0xb4d055fcf2cbbd7bu);
}

TEST(Distinct, CountsEachValueOnce) {
  FlatDistinct d(false);
  EXPECT_EQ(d.count(), 0u);
  for (int round = 0; round < 3; round++) {
    for (std::uint64_t v = 0; v < 1000; v++) d.add(v);
  }
  EXPECT_EQ(d.count(), 1000u);
  const Words words = d.settled();
  EXPECT_EQ(words.size(), 1000u);
  EXPECT_TRUE(is_settled(d.head, words));
  EXPECT_TRUE(std::is_sorted(words.begin(), words.end()));
}

TEST(Distinct, ASettledOneGoesOn) {
  FlatDistinct d(false);
  for (std::uint64_t v = 0; v < 100; v++) d.add(v);
  d.settle();
  for (std::uint64_t v = 50; v < 150; v++) d.add(v);
  EXPECT_EQ(d.count(), 150u);
}

TEST(Distinct, ApproximatelyIsExactUpToTheBound) {
  FlatDistinct d(true);
  for (std::uint64_t v = 0; v < kExactHashes; v++) d.add(v);
  d.add(7);
  EXPECT_EQ(d.count(), kExactHashes);
  EXPECT_NE(d.head.form, DistinctHead::registers);
  d.add(kExactHashes);
  EXPECT_EQ(d.head.form, DistinctHead::registers);
  EXPECT_EQ(d.settled().size(), kExactHashes);
  EXPECT_NEAR(static_cast<double>(d.count()), static_cast<double>(kExactHashes + 1), 30);
}

// The standard error is 0.81 percent; four of them are never exceeded by these values.
TEST(Distinct, TheEstimateIsAsGoodAsPromised) {
  FlatDistinct d(true);
  std::uint64_t n = 0;
  double worst = 0, squares = 0;
  int looks = 0;
  for (std::uint64_t until = 3000; until <= 3'000'000; until = until * 5 / 4) {
    while (n < until) d.add(n++);
    const double error = static_cast<double>(d.count()) / static_cast<double>(n) - 1;
    worst = std::max(worst, std::fabs(error));
    squares += error * error;
    looks++;
  }
  EXPECT_LT(worst, 4 * 0.0081);
  EXPECT_LT(std::sqrt(squares / looks), 1.6 * 0.0081);
}

TEST(Distinct, TheEstimateOfEmptyAndFullRegisters) {
  EXPECT_EQ(estimate(std::vector<std::uint8_t>(kRegisters, 0)), 0);
  const Words full(kExactHashes, 0x3333333333333333u); // 51 in each byte
  const DistinctHead head{0, DistinctHead::registers, true};
  EXPECT_TRUE(is_settled(head, full));
  EXPECT_EQ(count_of(head, full), std::uint64_t{1} << 62);
}

TEST(Distinct, OnlyTheSettledFormIsOne) {
  const Words none, two{1, 2}, twice{2, 2}, down{2, 1}, zero{0, 1}, registers(kExactHashes), high(kExactHashes, 52);
  EXPECT_TRUE(is_settled({}, none));
  EXPECT_TRUE(is_settled({2}, two));
  EXPECT_FALSE(is_settled({3}, two));
  EXPECT_FALSE(is_settled({2}, twice));
  EXPECT_FALSE(is_settled({2}, down));
  EXPECT_FALSE(is_settled({2}, zero));
  EXPECT_FALSE(is_settled({2, DistinctHead::table}, two));
  EXPECT_TRUE(is_settled({0, DistinctHead::registers, true}, registers));
  EXPECT_FALSE(is_settled({0, DistinctHead::registers, false}, registers));
  EXPECT_FALSE(is_settled({1, DistinctHead::registers, true}, registers));
  EXPECT_FALSE(is_settled({0, DistinctHead::registers, true}, two));
  EXPECT_FALSE(is_settled({0, DistinctHead::registers, true}, high));
  Words many(kExactHashes + 1);
  for (std::size_t i = 0; i < many.size(); i++) many[i] = i + 1;
  EXPECT_TRUE(is_settled({many.size(), DistinctHead::list, false}, many));
  EXPECT_FALSE(is_settled({many.size(), DistinctHead::list, true}, many)); // would be registers
}

TEST(MovingDistinct, CountsRowsOfEach) {
  MovingDistinct m;
  EXPECT_FALSE(m.pop(1));
  m.push(1, allocate), m.push(1, allocate), m.push(2, allocate);
  EXPECT_EQ(m.size(), 2u);
  EXPECT_TRUE(m.pop(1));
  EXPECT_EQ(m.size(), 2u);
  EXPECT_TRUE(m.pop(1));
  EXPECT_EQ(m.size(), 1u);
  EXPECT_FALSE(m.pop(1));
  EXPECT_TRUE(m.pop(2));
  EXPECT_EQ(m.size(), 0u);
}

// All in one run that goes around the end of the table.
TEST(MovingDistinct, WhatLeavesLeavesNoHole) {
  MovingDistinct m;
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = 1; i <= 10; i++) all.push_back(i << 32 | (i % 3 ? 14 : 15));
  for (std::uint64_t h : all) m.push(h, allocate);
  while (!all.empty()) {
    EXPECT_TRUE(m.pop(all[all.size() / 2]));
    all.erase(all.begin() + static_cast<long>(all.size() / 2));
    std::size_t seen = 0;
    m.each([&](std::uint64_t h) { seen += std::count(all.begin(), all.end(), h) == 1; });
    EXPECT_EQ(seen, all.size());
    for (std::uint64_t h : all) {
      EXPECT_TRUE(m.pop(h));
      m.push(h, allocate);
    }
  }
}

} // namespace
} // namespace pql
