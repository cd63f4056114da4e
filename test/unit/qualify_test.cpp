// Tests of entering and leaving. Covers design.md's qualification: enter, leave, dwell, cool-down, kinds.
#include "core/qualify/qualify.hpp"

#include <array>

#include <gtest/gtest.h>

namespace pql {
namespace {

QualifyDef definition() {
  QualifyDef q;
  q.enter = 70;
  q.leave = 55;
  return q;
}

TEST(Qualify, EntersAtTheThresholdAndLeavesBelowTheOther) {
  const QualifyDef q = definition();
  EXPECT_FALSE(enters(q, nullptr, {.score = 69}, 0));
  EXPECT_TRUE(enters(q, nullptr, {.score = 70}, 0));
  Standing s;
  EXPECT_EQ(look(s, q, {.score = 55}, 10, 10), kNever);
  EXPECT_EQ(look(s, q, {.score = 54}, 20, 15), 15);
}

TEST(Qualify, OutsideOfTheSegmentNobodyStays) {
  const QualifyDef q = definition();
  EXPECT_FALSE(enters(q, nullptr, {.score = 100, .in_segment = false}, 0));
  Standing s;
  EXPECT_EQ(look(s, q, {.score = 100, .in_segment = false}, 20, 20), 20);
}

TEST(Qualify, RulesAreForEnteringOnly) {
  const QualifyDef q = definition();
  EXPECT_FALSE(enters(q, nullptr, {.score = 100, .fit = false}, 0));
  Standing s;
  EXPECT_EQ(look(s, q, {.score = 100, .fit = false}, 20, 20), kNever);
}

TEST(Qualify, DwellIsCountedFromWhenItFell) {
  QualifyDef q = definition();
  q.dwell = 100;
  Standing s;
  EXPECT_EQ(look(s, q, {.score = 50}, 30, 10), kNever);
  EXPECT_EQ(s.since, 10);
  EXPECT_EQ(end_of(s, q, 500), 110);
  EXPECT_EQ(look(s, q, {.score = 54}, 60, 60), kNever); // still low: since the first time
  EXPECT_EQ(s.since, 10);
  EXPECT_EQ(look(s, q, {.score = 55}, 70, 70), kNever); // not any more
  EXPECT_EQ(s.since, kNever);
  EXPECT_EQ(end_of(s, q, 500), 600);
  EXPECT_EQ(look(s, q, {.score = 0}, 250, 200), kNever);
  EXPECT_EQ(look(s, q, {.score = 0}, 1'000, 1'000), 300); // noticed late, ended when it did
}

TEST(Qualify, NobodyEntersWhileItCoolsDown) {
  const QualifyDef q = definition();
  const Standing cooling{.program = 1, .open = false, .since = 100};
  EXPECT_FALSE(enters(q, &cooling, {.score = 70}, 99));
  EXPECT_TRUE(enters(q, &cooling, {.score = 70}, 100));
}

TEST(Qualify, TimesBeyondTheEndAreNever) {
  QualifyDef q = definition();
  q.dwell = 100;
  EXPECT_EQ(end_of(Standing{}, q, kNever), kNever);
  EXPECT_EQ(end_of(Standing{}, q, kNever - 50), kNever);
}

TEST(Qualify, KindsAreCountedByTheirPoints) {
  QualifyDef q = definition();
  std::array<int, kKinds> points{};
  points[static_cast<std::size_t>(Kind::fit)] = 30;
  points[static_cast<std::size_t>(Kind::risk)] = -5;
  EXPECT_TRUE(has_kinds(q, points));
  q.min_kinds = 2;
  EXPECT_FALSE(has_kinds(q, points));
  points[static_cast<std::size_t>(Kind::depth)] = 1;
  EXPECT_TRUE(has_kinds(q, points));
  q.required_kinds = {Kind::intent};
  EXPECT_FALSE(has_kinds(q, points));
  points[static_cast<std::size_t>(Kind::intent)] = 1;
  EXPECT_TRUE(has_kinds(q, points));
}

} // namespace
} // namespace pql
