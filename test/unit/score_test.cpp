// Points: curves, the sum of reasons, and the moment at which a score falls.
// covers: S2-4, S2-19, S2-22
#include "core/score/score.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "core/program/trackers.hpp"

namespace pql {
namespace {

SignalDef signal(int max_points, double each, double full, double half) {
  SignalDef s;
  s.max_points = max_points;
  s.points_each = each;
  s.saturates_at = full;
  s.half_saturation = half;
  return s;
}

TEST(Points, FollowTheCurve) {
  EXPECT_EQ(raw_points(signal(20, 4, 0, 0), 3), 12);
  EXPECT_EQ(raw_points(signal(20, 4, 0, 0), 30), 20);
  EXPECT_EQ(raw_points(signal(20, 0, 50, 0), 25), 10);
  EXPECT_EQ(raw_points(signal(20, 0, 50, 0), 51), 20);
  EXPECT_NEAR(raw_points(signal(20, 0, 0, 10), 10), 10, 1e-12);
  EXPECT_NEAR(raw_points(signal(20, 0, 0, 10), 20), 15, 1e-12);
  EXPECT_EQ(raw_points(signal(20, 0, 0, 10), 1e9), 20);
  for (double x : {0.0, -5.0, std::nan("")}) EXPECT_EQ(raw_points(signal(20, 4, 0, 0), x), 0);
}

struct Made {
  Arena arena;
  Program program;
  std::vector<Tracker> trackers;
  Subject subject;
};

void random_program(Made &m, std::mt19937_64 &random, Micros now) {
  const int n = 1 + static_cast<int>(random() % 12);
  for (int i = 0; i < n; i++) {
    SignalDef s = signal(1 + static_cast<int>(random() % 40), 0, 0, 0);
    s.half_life = kHour * static_cast<Micros>(1 + random() % 400);
    const auto x = 0.5 + static_cast<double>(random() % 100) / 10;
    (random() % 3 == 0 ? s.points_each : random() % 2 ? s.saturates_at : s.half_saturation) = x;
    s.may_score = random() % 8 != 0;
    m.program.def.signals.push_back(s);
    m.program.signals.push_back({static_cast<TrackerId>(i)});
    m.trackers.push_back({Tracker::Kind::decay, s.half_life, {}});
    for (int k = static_cast<int>(random() % 6); k > 0; k--)
      m.subject.fold_decay(m.arena, static_cast<TrackerId>(i), s.half_life,
                           now - static_cast<Micros>(random() % static_cast<std::uint64_t>(20 * kDay)), 1, "e");
  }
}

TEST(Score, ReasonsSumToIt) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; round++) {
    const Micros now = 800'000'000 * kSecond;
    Made m;
    random_program(m, random, now);
    std::vector<Reason> reasons(m.program.def.signals.size());
    const int total = score(m.program, m.trackers, m.subject, now, reasons);
    int sum = 0;
    double raw = 0;
    for (std::size_t i = 0; i < reasons.size(); i++) {
      sum += reasons[i].points;
      raw += reasons[i].raw;
      EXPECT_LT(std::abs(reasons[i].points - reasons[i].raw), 1);
      EXPECT_LE(reasons[i].points, m.program.def.signals[i].max_points);
      if (!m.program.def.signals[i].may_score) {
        EXPECT_EQ(reasons[i].points, 0);
      }
    }
    EXPECT_EQ(sum, total);
    EXPECT_NEAR(total, raw, 0.5 + 1e-9);
  }
}

TEST(Score, FallsWhenItSaysItWill) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 300; round++) {
    const Micros now = 800'000'000 * kSecond;
    Made m;
    random_program(m, random, now);
    std::vector<Reason> reasons(m.program.def.signals.size());
    const int total = score(m.program, m.trackers, m.subject, now, reasons);
    if (total < 2) continue;
    const int threshold = 1 + static_cast<int>(random() % static_cast<unsigned>(total - 1));
    const Micros falls = falls_below(m.program, m.trackers, m.subject, now, threshold);
    ASSERT_NE(falls, kNever);
    EXPECT_LT(score(m.program, m.trackers, m.subject, falls, reasons), threshold);
    EXPECT_GE(score(m.program, m.trackers, m.subject, falls - 1, reasons), threshold);
  }
}

TEST(Score, AMilestoneNeverFades) {
  Made m;
  SignalDef s = signal(30, 0, 1, 0);
  s.measure = Measure::milestone;
  m.program.def.signals = {s};
  m.program.signals = {{0}};
  m.trackers = {{Tracker::Kind::milestone, 0, {}}};
  m.subject.fold_milestone(m.arena, 0, kDay, "e");
  std::vector<Reason> reasons(1);
  EXPECT_EQ(score(m.program, m.trackers, m.subject, kDay - 1, reasons), 0);
  EXPECT_EQ(score(m.program, m.trackers, m.subject, kDay, reasons), 30);
  EXPECT_EQ(falls_below(m.program, m.trackers, m.subject, kDay, 30), kNever);
}

TrackerSpec only_spec(const ProgramDef &p, const MeasureDef &d) { return measure_specs(p, d).at(0); }

TEST(Trackers, AreSharedByWhatMeansTheSame) {
  const ParsedProgram p = parse_program(R"({"program": "p", "unit": "account",
    "milestones": {"start": {"event": "signup"}, "done": {"event": "integration"}},
    "activation": {"steps": ["start", "done"], "within": "7 days"},
    "signals": {"a": {"kind": "depth", "event": "x", "half_life": "7 days", "max_points": 10},
                "b": {"kind": "intent", "event": "x", "half_life": "7 days", "points_each": 2, "max_points": 50},
                "c": {"kind": "activation", "milestone": "activation_complete", "max_points": 20},
                "d": {"kind": "intent", "milestone": "start", "max_points": 5}},
    "qualify": {"enter": 40}})");
  ASSERT_TRUE(p.problems.empty());
  EXPECT_EQ(tracker_specs(p.program).size(), 6u); // two milestones, of users and of accounts; one funnel; one decayed count
  EXPECT_EQ(only_spec(p.program, p.program.signals[0]), only_spec(p.program, p.program.signals[1]));
  EXPECT_EQ(only_spec(p.program, p.program.signals[2]), activation_spec(p.program));
}

} // namespace
} // namespace pql
