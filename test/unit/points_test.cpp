// Points in particular cases: ties of remainders, what may not score, what is unknown, and what never falls.
// covers: S2-4
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/score/score.hpp"

namespace pql {
namespace {

constexpr Micros kNow = 9000 * kDay, kLife = 10 * kDay;

SignalDef counted(int max_points, double each) {
  SignalDef s;
  s.half_life = kLife;
  s.max_points = max_points;
  s.points_each = each;
  return s;
}

struct Case {
  Arena arena;
  Program program;
  std::vector<Tracker> trackers;
  Subject subject;
  std::vector<Reason> reasons;

  TrackerId add(const SignalDef &d, const Tracker &t) {
    program.def.signals.push_back(d);
    program.signals.push_back({static_cast<TrackerId>(trackers.size())});
    trackers.push_back(t);
    reasons.resize(trackers.size());
    return program.signals.back().main;
  }
  void count(const SignalDef &d, double value) {
    const TrackerId t = add(d, {Tracker::Kind::decay, d.half_life, {}});
    subject.fold_decay(arena, t, d.half_life, kNow, value, "e");
  }
  int at(Micros t) { return score(program, trackers, subject, t, reasons); }
  std::vector<int> points(Micros t) {
    at(t);
    std::vector<int> out;
    for (const Reason &r : reasons) out.push_back(r.points);
    return out;
  }
};

using Points = std::vector<int>;

TEST(Remainders, EqualOnesAreRoundedUpInTheOrderOfTheDocument) {
  Case c;
  for (int i = 0; i < 4; i++) c.count(counted(10, 0.5), 3); // 1.5 each
  EXPECT_EQ(c.points(kNow), (Points{2, 2, 1, 1}));
}

TEST(Remainders, TheLargestIsRoundedUpWhereverItStands) {
  Case c;
  c.count(counted(10, 0.25), 5); // 1.25
  c.count(counted(10, 0.25), 7); // 1.75
  c.count(counted(10, 0.25), 4); // 1
  EXPECT_EQ(c.at(kNow), 4);
  EXPECT_EQ(c.points(kNow), (Points{1, 2, 1}));
}

TEST(Remainders, ASumOfHalvesIsRoundedUp) {
  Case c;
  c.count(counted(10, 0.5), 1);
  EXPECT_EQ(c.points(kNow), (Points{1}));
  c.count(counted(10, 0.25), 1);
  EXPECT_EQ(c.points(kNow), (Points{1, 0}));
  c.count(counted(10, 0.5), 0);
  EXPECT_EQ(c.points(kNow), (Points{1, 0, 0}));
}

TEST(Remainders, AtTheTopNothingIsRoundedPastIt) {
  Case c;
  for (int i = 0; i < 3; i++) c.count(counted(7, 0.9), 100);
  c.count(counted(7, 0.25), 3);
  EXPECT_EQ(c.points(kNow), (Points{7, 7, 7, 1}));
}

TEST(Score, WhatMayNotScoreIsShownButEarnsNothing) {
  Case c;
  SignalDef silent = counted(10, 1);
  silent.may_score = false;
  c.count(silent, 4);
  c.count(counted(10, 1), 2);
  EXPECT_EQ(c.at(kNow), 2);
  EXPECT_NEAR(c.reasons[0].value, 4, 1e-9);
  EXPECT_EQ(c.reasons[0].raw, 0);
  EXPECT_EQ(c.reasons[0].points, 0);
  EXPECT_EQ(signal_time(c.reasons), kNow);
  c.program.def.signals[1].may_score = false;
  EXPECT_EQ(c.at(kNow), 0);
  EXPECT_EQ(signal_time(c.reasons), kAlways);
}

TEST(Score, WithoutSignalsOrEventsIsZero) {
  Case none;
  EXPECT_EQ(none.at(kNow), 0);
  Case c;
  SignalDef milestone = counted(10, 0), activation = milestone;
  milestone.measure = Measure::milestone;
  activation.measure = Measure::activation;
  c.add(counted(10, 1), {Tracker::Kind::decay, kLife, {}});
  c.add(milestone, {Tracker::Kind::milestone, 0, {}});
  c.add(activation, {Tracker::Kind::funnel, 0, {2, true, kDay}});
  EXPECT_EQ(c.points(kNow), (Points{0, 0, 0}));
  for (const Reason &r : c.reasons) {
    EXPECT_EQ(r.value, 0);
    EXPECT_TRUE(r.event.empty());
    EXPECT_EQ(r.at, kAlways);
  }
  EXPECT_EQ(falls_below(c.program, c.trackers, c.subject, kNow, 1), kNow + 1);
  EXPECT_EQ(falls_below(c.program, c.trackers, c.subject, kNow, 0), kNever);
}

TEST(Score, TrackersThatNoSignalReadsCountForNothing) {
  Case c;
  c.count(counted(10, 1), 3);
  c.trackers.push_back({Tracker::Kind::decay, kLife, {}});
  c.subject.fold_decay(c.arena, 1, kLife, kNow, 1000, "other");
  c.subject.fold_milestone(c.arena, 900, kNow, "of a program that is gone");
  EXPECT_EQ(c.at(kNow), 3);
  EXPECT_EQ(c.reasons[0].event, "e");
}

TEST(Score, AnActivationCountsWhenItIsCompleteAndNotBefore) { // covers: S3-10
  Case c;
  SignalDef d = counted(20, 0);
  d.measure = Measure::activation;
  d.half_life = 0;
  const FunnelSpec steps{2, true, kDay};
  const TrackerId t = c.add(d, {Tracker::Kind::funnel, 0, steps});
  c.subject.fold_steps(c.arena, t, steps, kNow - kHour, 1);
  EXPECT_EQ(c.at(kNow), 0);
  c.subject.fold_steps(c.arena, t, steps, kNow, 2);
  ASSERT_TRUE(c.subject.settle(c.arena, c.trackers));
  EXPECT_EQ(c.at(kNow), 20);
  EXPECT_EQ(c.reasons[0].at, kNow);
  EXPECT_EQ(c.at(kNow - 1), 0);
  EXPECT_EQ(falls_below(c.program, c.trackers, c.subject, kNow, 20), kNever);
}

TEST(FallsBelow, IsAHalfLifeAwayForHalfOfThePoints) {
  Case c;
  c.count(counted(100, 8), 8); // 64 points; below 32 as soon as the sum is below 31.5
  const Micros falls = falls_below(c.program, c.trackers, c.subject, kNow, 32);
  EXPECT_NEAR(static_cast<double>(falls - kNow) / static_cast<double>(kLife), std::log2(64 / 31.5), 1e-9);
}

TEST(FallsBelow, WaitsAsLongAsTheSumIsAboveItsCap) {
  Case c;
  c.count(counted(10, 1), 160); // capped at 10 until four half-lives have passed
  const Micros falls = falls_below(c.program, c.trackers, c.subject, kNow, 10);
  EXPECT_NEAR(static_cast<double>(falls - kNow) / static_cast<double>(kLife), std::log2(160 / 9.5), 1e-9);
}

TEST(FallsBelow, IsNeverForWhatDoesNotFadeOrFadesTooSlowly) {
  Case c;
  SignalDef d = counted(30, 0);
  d.measure = Measure::milestone;
  d.half_life = 0;
  const TrackerId t = c.add(d, {Tracker::Kind::milestone, 0, {}});
  c.subject.fold_milestone(c.arena, t, kNow, "e");
  c.count(counted(30, 3), 10);
  EXPECT_EQ(falls_below(c.program, c.trackers, c.subject, kNow, 30), kNever);
  const Micros falls = falls_below(c.program, c.trackers, c.subject, kNow, 31);
  EXPECT_NE(falls, kNever);
  EXPECT_EQ(c.at(falls), 30);
  EXPECT_EQ(c.at(falls - 1), 31);

  Case slow;
  SignalDef century = counted(10, 10);
  century.half_life = kMaxHalfLife;
  slow.count(century, 1);
  EXPECT_EQ(falls_below(slow.program, slow.trackers, slow.subject, kNow, 5), kNever);
  EXPECT_NE(falls_below(slow.program, slow.trackers, slow.subject, kNow, 6), kNever);
}

TEST(FallsBelow, AtTheEndOfTimeIsNever) {
  Case c;
  c.count(counted(10, 1), 3);
  EXPECT_EQ(falls_below(c.program, c.trackers, c.subject, kNever - 1, 1), kNever);
}

} // namespace
} // namespace pql
