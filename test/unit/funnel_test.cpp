// The streaming funnel against a search of all chains, in every order and batching.
// covers: S3-10, S3-7
#include "core/sequence/funnel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <random>
#include <vector>

namespace pql {
namespace {

std::vector<StepAt> random_steps(std::mt19937_64 &random, int n, int span, int steps) {
  std::vector<StepAt> all;
  for (int i = 0; i < n; i++) {
    std::uint32_t mask = 1u << random() % static_cast<unsigned>(steps);
    if (random() % 4 == 0) mask |= 1u << random() % static_cast<unsigned>(steps);
    all.push_back({static_cast<Micros>(random() % static_cast<unsigned>(span)), mask});
  }
  return all;
}

// Tries every chain: the most steps, the earliest instant that gets there, and the latest start of the chains that do then.
FunnelLevel oracle_in_order(const FunnelSpec &spec, std::vector<StepAt> rows) {
  FunnelLevel best;
  std::function<void(int, Micros, Micros)> extend = [&](int level, Micros start, Micros last) {
    if (level > best.level || (level == best.level && level > 0 && (last < best.reached || (last == best.reached && start > best.started))))
      best = {level, static_cast<std::uint32_t>((std::uint64_t{1} << level) - 1), start, last};
    if (level == spec.steps) return;
    for (const StepAt &r : rows) {
      if (!(r.steps >> level & 1) || (level > 0 && (r.at < last || r.at - start > spec.within))) continue;
      extend(level + 1, level ? start : r.at, r.at);
    }
  };
  extend(0, 0, 0);
  return best;
}

// The most distinct steps in a window that ends at an event.
int oracle_any_order(const FunnelSpec &spec, const std::vector<StepAt> &rows) {
  int best = 0;
  for (const StepAt &end : rows) {
    std::uint32_t mask = 0;
    for (const StepAt &r : rows) {
      if (r.at <= end.at && end.at - r.at <= spec.within) mask |= r.steps;
    }
    best = std::max(best, std::popcount(mask));
  }
  return best;
}

FunnelLevel streamed(const FunnelSpec &spec, const std::vector<StepAt> &rows) {
  Arena a;
  Funnel f;
  for (const StepAt &r : rows) f.add(a, spec, r.at, r.steps);
  f.settle(a, spec);
  EXPECT_FALSE(f.inexact);
  return f.read(spec);
}

TEST(Funnel, InOrderAgreesWithTheSearchOfAllChains) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 4000; round++) {
    const FunnelSpec spec{2 + static_cast<int>(random() % 3), true, static_cast<Micros>(random() % 15)};
    const std::vector<StepAt> rows = random_steps(random, 1 + static_cast<int>(random() % 8), 20, spec.steps);
    EXPECT_EQ(streamed(spec, rows), oracle_in_order(spec, rows));
  }
}

TEST(Funnel, AnyOrderAgreesWithTheBestWindow) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 4000; round++) {
    const FunnelSpec spec{2 + static_cast<int>(random() % 3), false, static_cast<Micros>(random() % 15)};
    const std::vector<StepAt> rows = random_steps(random, 1 + static_cast<int>(random() % 10), 30, spec.steps);
    EXPECT_EQ(streamed(spec, rows).level, oracle_any_order(spec, rows));
  }
}

// Long enough that instants are folded away: a late one is either taken into account or makes the state inexact.
TEST(Funnel, AnyArrivalIsExactOrSaysThatItIsNot) {
  std::mt19937_64 random(3);
  int exact = 0;
  for (int round = 0; round < 3000; round++) {
    const FunnelSpec spec{3, random() % 2 == 0, 5};
    std::vector<StepAt> rows = random_steps(random, 30 + static_cast<int>(random() % 30), 400, spec.steps);
    std::sort(rows.begin(), rows.end(), [](const StepAt &x, const StepAt &y) { return x.at < y.at; });
    const FunnelLevel expected = streamed(spec, rows);
    for (std::size_t i = 0; i + 1 < rows.size(); i++) { // mostly in order
      if (random() % 4 == 0) std::swap(rows[i], rows[i + 1 + random() % std::min<std::size_t>(6, rows.size() - i - 1)]);
    }
    Arena a;
    Funnel f;
    for (const StepAt &r : rows) {
      Funnel one;
      one.add(a, spec, r.at, r.steps);
      f.merge(a, spec, one);
      f.settle(a, spec);
    }
    if (f.inexact) continue;
    exact++;
    EXPECT_EQ(f.read(spec), expected);
  }
  EXPECT_GT(exact, 500);
}

TEST(Funnel, ReplaysChangeNothing) {
  const FunnelSpec spec{2, true, 10};
  Arena a;
  Funnel f;
  for (int i = 0; i < 3; i++) f.add(a, spec, 5, 1);
  f.settle(a, spec);
  EXPECT_EQ(f.kept.size, 1u);
  EXPECT_EQ(f.read(spec).level, 1);
}

TEST(Funnel, TheWindowIsInclusiveAndCountsFromTheFirstStep) {
  const FunnelSpec spec{2, true, 10};
  EXPECT_EQ(streamed(spec, {{0, 1}, {10, 2}}).level, 2);
  EXPECT_EQ(streamed(spec, {{0, 1}, {11, 2}}).level, 1);
  EXPECT_EQ(streamed({3, true, 10}, {{0, 1}, {5, 2}, {9, 1}, {12, 4}}).level, 2);
  EXPECT_EQ(streamed({3, true, 10}, {{0, 1}, {5, 2}, {6, 1}, {7, 2}, {10, 4}}).level, 3);
}

TEST(Funnel, TiesAreResolvedInTheSubjectsFavour) {
  EXPECT_EQ(streamed({2, true, 0}, {{7, 2}, {7, 1}}).level, 2);
  EXPECT_EQ(streamed({3, true, 0}, {{5, 7}}).level, 3);
}

// At the floor as well: the late step may come before others of that instant, which have been taken already.
TEST(Funnel, DoubtsWhatIsNotLaterThanItsFloor) {
  const FunnelSpec spec{2, true, 10};
  Arena a;
  const auto after = [&](Micros at) {
    Funnel f;
    for (Micros t = 0; t <= Funnel::kKept; t++) f.add(a, spec, t, 2);
    f.settle(a, spec);
    EXPECT_EQ(f.floor, 0);
    f.add(a, spec, at, 1);
    return f;
  };
  EXPECT_TRUE(after(-1).inexact);
  EXPECT_TRUE(after(0).inexact); // complete at 0, where a sweep that goes on from there would find 1
  EXPECT_FALSE(after(1).inexact);
  EXPECT_EQ(after(1).read(spec), (FunnelLevel{2, 3, 1, 1}));
}

TEST(Funnel, AFinishedOneIgnoresWhatIsLaterAndDoubtsWhatIsEarlier) {
  const FunnelSpec spec{2, true, 10};
  Arena a;
  Funnel f;
  f.add(a, spec, 0, 1);
  f.add(a, spec, 3, 2);
  f.settle(a, spec);
  ASSERT_TRUE(f.complete(spec));
  f.add(a, spec, 4, 1);
  EXPECT_FALSE(f.inexact);
  f.add(a, spec, 2, 2);
  EXPECT_TRUE(f.inexact);
}

} // namespace
} // namespace pql
