// window_funnel by example: what ClickHouse 26.7 answers, and where it is known to be wrong.
#include "core/sequence/window_funnel.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "unit/event_rows.hpp"

namespace pql {
namespace {

FunnelModes modes(const std::string &names) {
  FunnelModes m;
  std::istringstream in(names);
  for (std::string name; in >> name;) EXPECT_TRUE(set_mode(m, name)) << name;
  EXPECT_FALSE(problem_with(m)) << names;
  return m;
}

using Times = std::vector<Micros>;

Times times(int steps, Micros within, const std::string &rows, const std::string &mode = "") {
  Arena a;
  const FunnelQuery q{steps, within, modes(mode)};
  const Times t = listed(funnel_times(a, q, events(rows)));
  EXPECT_EQ(static_cast<int>(t.size()), funnel_level(q, events(rows))) << rows;
  return t;
}

int level(int steps, Micros within, const std::string &rows, const std::string &mode = "") {
  return static_cast<int>(times(steps, within, rows, mode).size());
}

TEST(WindowFunnel, TheWindowIsInclusiveAndCountsFromTheFirstStep) {
  EXPECT_EQ(level(2, 10, "A@0 B@10"), 2);
  EXPECT_EQ(level(2, 10, "A@0 B@11"), 1);
  EXPECT_EQ(level(2, 0, "A@7 B@7"), 2);
  EXPECT_EQ(level(3, 10, "A@0 B@5 A@9 C@12"), 2); // B's start is 0
  EXPECT_EQ(level(3, 10, "A@0 B@5 A@6 B@7 C@10"), 3);
  EXPECT_EQ(level(3, 10, ""), 0);
  EXPECT_EQ(level(3, 10, "B@1 C@2"), 0);
}

TEST(WindowFunnel, TiesAreResolvedInTheSubjectsFavour) {
  EXPECT_EQ(level(2, 10, "B@5 A@5"), 2);
  EXPECT_EQ(level(2, 10, "B@5 A@5", "increase"), 1);
  EXPECT_EQ(level(2, 100, "A@7 A@7 B@8 B@8"), 2);
}

// "AB" holds both conditions.
TEST(WindowFunnel, AnEventMayServeSeveralSteps) {
  EXPECT_EQ(level(2, 9, "AB@5"), 2);
  EXPECT_EQ(level(3, 9, "ABC@5"), 3);
  EXPECT_EQ(level(3, 9, "ABC@5 ABC@6"), 3);
  EXPECT_EQ(level(3, 9, "ABC@5 ABC@6 ABC@7", "once"), 3);
  EXPECT_EQ(level(3, 9, "ABC@5 ABC@6", "once"), 2);
  EXPECT_EQ(level(2, 9, "AB@5 AB@5", "once"), 2);
  EXPECT_EQ(level(2, 9, "AB@5", "strict_once"), 1);
}

TEST(WindowFunnel, IncreaseIsTheBestChain) {
  EXPECT_EQ(level(2, 10, "A@0 A@5 B@5", "increase"), 2); // ClickHouse's strict_increase alone: 1
  EXPECT_EQ(level(4, 5, "B@2 AB@3 ABD@4", "strict_increase"), 2);
  EXPECT_EQ(level(4, 5, "AB@2 ABD@3", "increase strict_once"), 2);
}

TEST(WindowFunnel, OnceMatchesTheEventsOfAnInstantInAnyOrder) {
  EXPECT_EQ(level(3, 9, "AC@1 AB@1 BC@1", "once"), 3);
  EXPECT_EQ(level(4, 9, "ABCD@1 A@1 A@1 A@1", "once"), 2);
  EXPECT_EQ(level(4, 9, "ABCD@1 AB@1 AC@1 AD@1", "once"), 4);
  EXPECT_EQ(level(3, 9, "A@0 BC@1 BC@1", "once"), 3);
  EXPECT_EQ(level(3, 9, "A@0 BC@1", "once"), 2);
}

TEST(WindowFunnel, Order) {
  EXPECT_EQ(level(3, 99, "A@1 -@2 B@3 C@4", "strict_order"), 1);
  EXPECT_EQ(level(3, 99, "-@1 A@2 B@3 C@4", "order"), 3);
  EXPECT_EQ(level(3, 99, "A@1 C@2 B@3", "order"), 1);
  EXPECT_EQ(level(3, 99, "B@1 A@2 B@3 C@4", "order"), 3);
  EXPECT_EQ(level(3, 99, "A@1 C@2 B@3 C@4", "order allow_reentry"), 3);
  EXPECT_EQ(level(3, 99, "A@1 -@2 B@3 C@4", "order reentry"), 1); // forgives no foreign event
  EXPECT_EQ(level(3, 99, "A@1 -@2 B@3 C@4", "order steps_only"), 3);
  EXPECT_EQ(level(1, 99, "-@1 -@2", "order"), 0);
  EXPECT_EQ(level(1, 99, "", "order"), 0);
  EXPECT_EQ(level(3, 99, "A@1 A@1 -@1 B@1 C@1", "order"), 3); // a foreign event comes before all others of its instant
}

// install A, start B, login C, end D
TEST(WindowFunnel, Dedup) {
  EXPECT_EQ(level(4, 60, "A@0 B@5 C@10 A@15 B@20 A@25 B@30 C@35 D@40", "strict_deduplication"), 3);
  EXPECT_EQ(level(4, 1800, "A@1 B@2 D@3 B@4", "dedup"), 2);
  EXPECT_EQ(level(3, 9, "A@0 B@1 B@1 C@2", "dedup"), 2); // of one instant, too
  EXPECT_EQ(level(3, 9, "A@0 A@1 B@1 C@2", "dedup"), 3); // a repeated first step starts again
}

TEST(WindowFunnel, OnceWithDedupAndOrder) {
  EXPECT_EQ(level(3, 9, "AB@1 AB@2 C@3", "once dedup"), 3);
  EXPECT_EQ(level(3, 9, "AB@1 AB@2 B@3 C@4", "once dedup"), 2);
  EXPECT_EQ(level(3, 9, "AB@1 AB@1 B@1 C@4", "once dedup"), 2); // the third B, which isn't needed
  EXPECT_EQ(level(3, 9, "AB@1 -@2 AB@3 C@4", "once order"), 1);
  EXPECT_EQ(level(3, 9, "AB@1 AB@2 C@3", "once order"), 3);
  EXPECT_EQ(level(3, 9, "AC@1 AB@2 BC@3", "once order"), 1); // C comes too early
  EXPECT_EQ(times(3, 9, "AC@1 AB@2 BC@3", "once order reentry"), (Times{1, 2, 3}));
}

TEST(WindowFunnel, TheLatestStartWins) {
  EXPECT_EQ(times(3, 10, "A@0 A@2 B@3 B@5 C@7 A@8 B@8 C@9"), (Times{2, 3, 7}));
  EXPECT_EQ(times(3, 10, "A@0 B@1 A@2 B@9"), (Times{0, 1})); // the first to get there
  EXPECT_EQ(times(2, 10, "A@0 A@5 B@5", "increase"), (Times{0, 5}));
  EXPECT_EQ(times(3, 10, "A@0 BC@4 BC@4 BC@5", "once"), (Times{0, 4, 4}));
  EXPECT_EQ(times(3, 10, "A@0 BC@4 BC@5", "once"), (Times{0, 4, 5}));
  EXPECT_EQ(times(3, 99, "A@1 B@3 A@4 B@5 -@6 C@7", "order"), (Times{1, 3}));
  EXPECT_EQ(times(3, 99, ""), Times{});
}

TEST(WindowFunnel, AnExcludedEventVoidsTheChainsAroundIt) {
  EXPECT_EQ(level(2, 9, "A@0 !@1 B@2"), 1);
  EXPECT_EQ(level(2, 9, "A@0 !@0 B@2 !@2"), 2); // strictly between only
  EXPECT_EQ(level(2, 9, "A@0 !@1 A@1 B@2"), 2);
  EXPECT_EQ(level(3, 9, "A@0 B@1 !@2 B@2 C@3"), 3); // B's own instant
  EXPECT_EQ(times(3, 9, "A@0 B@1 !@2 B@2 C@3"), (Times{0, 2, 3}));
  EXPECT_EQ(times(4, 9, "A@0 B@1 C@2 !B@3 C@4 D@5"), (Times{0, 3, 4, 5})); // neither the first B nor the first C gets to D
  EXPECT_EQ(times(3, 9, "AB@0 !B@1 C@2"), (Times{0, 1, 2})); // the B of A's instant is too far from C
  EXPECT_EQ(level(3, 9, "A@0 B@1 !@2 C@3", "increase"), 2);
  EXPECT_EQ(level(3, 9, "A@0 B@1 !@2 A@3 B@4 C@5", "once"), 3);
}

TEST(WindowFunnel, AnyOrder) {
  EXPECT_EQ(steps_in_any_order(3, 10, events("C@0 B@5 A@10")), 3);
  EXPECT_EQ(steps_in_any_order(3, 9, events("C@0 B@5 A@10")), 2);
  EXPECT_EQ(steps_in_any_order(3, 9, events("")), 0);
  EXPECT_EQ(steps_in_any_order(3, 99, events("C@0 !@1 B@5 A@10")), 2);
  EXPECT_EQ(steps_in_any_order(3, 99, events("C@0 !@1 B@1 A@10")), 2);
  EXPECT_EQ(steps_in_any_order(3, 99, events("!C@0 B@1 !A@1")), 3);
}

TEST(WindowFunnel, ModesThatDontGoTogether) {
  FunnelModes m;
  EXPECT_FALSE(set_mode(m, "strict"));
  EXPECT_FALSE(set_mode(m, ""));
  EXPECT_EQ(m, FunnelModes{});
  EXPECT_TRUE(problem_with({.reentry = true}));
  EXPECT_TRUE(problem_with({.steps_only = true}));
}

TEST(WindowFunnel, TheEndsOfTheDatabasesTimesAreNotTooFar) {
  const std::vector<EventRow> rows{{kAlways + 1, 1, 0}, {kNever - 1, 2, 0}};
  for (const char *mode : {"", "increase", "once", "dedup", "order"}) {
    EXPECT_EQ(funnel_level({2, 1000, modes(mode)}, rows), 1) << mode;
    EXPECT_EQ(funnel_level({2, kNever, modes(mode)}, rows), 1) << mode;
  }
}

double seconds(const std::function<void()> &f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// ClickHouse needs 24 s and 8.8 GB for three times 300 events.
TEST(WindowFunnel, OnceIsNotSlow) {
  const FunnelQuery q{4, kDay, modes("once")};
  for (const int per_instant : {1, 3, 1000, 300'000}) {
    std::vector<EventRow> rows;
    for (int i = 0; i < 300'000; i++) rows.push_back({i / per_instant, 1u << i % 3, 0});
    sort_events(rows);
    EXPECT_LT(seconds([&] { EXPECT_EQ(funnel_level(q, rows), 3); }), 1) << per_instant;
  }
  std::vector<EventRow> tied;
  for (int i = 0; i < 100'000; i++) tied.push_back({i / 50'000, 0x0f, 0});
  EXPECT_LT(seconds([&] { EXPECT_EQ(funnel_level({5, kDay, modes("once order reentry")}, tied), 4); }), 1);
  std::vector<EventRow> many;
  for (std::uint32_t i = 0; i < 300'000; i++) many.push_back({i / 64, (i * 0x9e3779b9u) & 0x7fffffffu, 0});
  sort_events(many);
  EXPECT_LT(seconds([&] { EXPECT_EQ(funnel_level({32, kDay, modes("once")}, many), 31); }), 3);
}

TEST(Histogram, CountsWhoReachedAtLeastAStep) {
  std::int64_t reached[3] = {}, others[3] = {5, 1, 0};
  for (const int level : {0, 1, 3, 2}) count_level(reached, level, 1);
  EXPECT_EQ(std::vector<std::int64_t>(reached, reached + 3), (std::vector<std::int64_t>{3, 2, 1}));
  count_level(reached, 3, -1);
  add_levels(reached, others);
  EXPECT_EQ(std::vector<std::int64_t>(reached, reached + 3), (std::vector<std::int64_t>{7, 2, 0}));
}

} // namespace
} // namespace pql
