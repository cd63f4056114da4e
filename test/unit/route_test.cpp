// Tests of deciding anew, and of the holdout. Covers design.md's routing row and guardrail: blocked, suppressed, follow-ups.
#include "core/qualify/route.hpp"

#include <array>

#include <gtest/gtest.h>

namespace pql {
namespace {

using Kind = Turn::Kind;

TEST(Route, StatesAreWhoseTheyAre) {
  for (const char *s : {"pending", "ready"}) EXPECT_EQ(row_state(s), RowState::waiting) << s;
  for (const char *s : {"claimed", "accepted"}) EXPECT_EQ(row_state(s), RowState::taken) << s;
  for (const char *s : {"declined", "touched", "disposed", "expired"}) EXPECT_EQ(row_state(s), RowState::done) << s;
  EXPECT_EQ(row_state("blocked"), RowState::blocked);
  EXPECT_EQ(row_state("suppressed"), RowState::final_);
}

TEST(Route, WhatWaitsFollowsABetterMotion) {
  const RoutingRow row{RowState::waiting, 2, {}};
  EXPECT_EQ(turn_of(row, 2, {}), Turn{});
  EXPECT_EQ(turn_of(row, 3, {}), Turn{});
  EXPECT_EQ(turn_of(row, 1, {}), (Turn{Kind::changes, true, false}));
  EXPECT_EQ(turn_of({RowState::blocked, 2, "tiny"}, 1, "tiny"), (Turn{Kind::changes, true, false}));
}

TEST(Route, WhatWaitsIsBlockedAndFreed) {
  EXPECT_EQ(turn_of({RowState::waiting, 2, {}}, 2, "tiny"), (Turn{Kind::changes, false, false}));
  const RoutingRow blocked{RowState::blocked, 2, "tiny"};
  EXPECT_EQ(turn_of(blocked, 2, "tiny"), Turn{});
  EXPECT_EQ(turn_of(blocked, 2, "open deal"), (Turn{Kind::changes, false, false}));
  EXPECT_EQ(turn_of(blocked, 2, {}), (Turn{Kind::changes, false, true}));
  EXPECT_EQ(turn_of(blocked, 0, {}), (Turn{Kind::changes, true, true}));
}

TEST(Route, WhatPeopleHaveIsTheirs) {
  for (const RowState s : {RowState::taken, RowState::final_}) {
    EXPECT_EQ(turn_of({s, 2, {}}, 0, {}), Turn{});
    EXPECT_EQ(turn_of({s, 2, {}}, 2, "tiny"), Turn{});
  }
}

TEST(Route, AfterContactABetterMotionIsAnotherDecision) {
  const RoutingRow done{RowState::done, 1, {}};
  EXPECT_EQ(turn_of(done, 0, {}), (Turn{Kind::follows, true, false}));
  EXPECT_EQ(turn_of(done, 0, "tiny"), (Turn{Kind::follows, true, false}));
  EXPECT_EQ(turn_of(done, 1, {}), Turn{});
  EXPECT_EQ(turn_of(done, 1, "tiny"), Turn{});
}

TEST(Route, OnlyWhatDiffersIsLookedAt) {
  ProgramDef p;
  p.motions.resize(2);
  EXPECT_FALSE(may_turn(Standing{}, p)); // no row
  EXPECT_FALSE(may_turn(Standing{.motion = 0}, p));
  EXPECT_TRUE(may_turn(Standing{.motion = 1}, p));
  p.guardrails.resize(1);
  EXPECT_FALSE(may_turn(Standing{}, p));
  EXPECT_TRUE(may_turn(Standing{.motion = 0}, p));
  p.guardrails.clear();
  EXPECT_TRUE(may_turn(Standing{.motion = 0}, p, true));
  p.motions[1].channel = "phone";
  EXPECT_TRUE(may_turn(Standing{.motion = 0}, p));
  const Standing open{.motion = 1, .guardrail = 0};
  EXPECT_FALSE(differs(open, {1, 0}));
  EXPECT_FALSE(differs(open, {2, 0}));
  EXPECT_TRUE(differs(open, {0, 0}));
  EXPECT_TRUE(differs(open, {1, 1}));
  EXPECT_TRUE(differs(open, {1, -1}));
}

TEST(Holdout, IsAShareOfTheSubjectsAndStaysSo) {
  ProgramDef p;
  p.name = "growth";
  std::array<int, 3> held{};
  for (int i = 0; i < 10'000; i++) {
    const std::string id = "org" + std::to_string(i);
    bool before = false;
    for (std::size_t k = 0; k < held.size(); k++) {
      p.holdout = 0.1 * static_cast<double>(k);
      const bool is = is_held_out(p, id);
      EXPECT_TRUE(is || !before) << id; // more when the share is raised
      before = is;
      held[k] += is;
    }
  }
  EXPECT_EQ(held[0], 0);
  EXPECT_NEAR(held[1], 1'000, 100);
  EXPECT_NEAR(held[2], 2'000, 130);
}

// What is held out is remembered nowhere but here.
TEST(Holdout, IsNeverDrawnAnew) {
  ProgramDef p;
  p.name = "growth";
  p.holdout = 0.5;
  std::string drawn;
  for (const char *id : {"acme", "beta", "corp", "dyne", "", "ümlaut", "org1", "org2"}) drawn += is_held_out(p, id) ? 'x' : '.';
  EXPECT_EQ(drawn, ".xxx...x");
}

TEST(Holdout, EachProgramDrawsItsOwn) {
  ProgramDef one, two;
  one.name = "one";
  two.name = "two";
  one.holdout = two.holdout = 0.5;
  int both = 0;
  for (int i = 0; i < 4'000; i++) {
    const std::string id = std::to_string(i);
    both += is_held_out(one, id) && is_held_out(two, id);
  }
  EXPECT_NEAR(both, 1'000, 120);
}

} // namespace
} // namespace pql
