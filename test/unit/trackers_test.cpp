// What programs need maintained: the same thing once, whoever asks for it, and other things apart.
// covers: S3-7, S2u-12
#include "core/program/trackers.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace pql {
namespace {

MilestoneDef milestone(const char *name, const char *event, const char *where = "") { return {name, event, where}; }

SignalDef count_of(const char *name, const char *event, Micros half_life, const char *where = "") {
  SignalDef s;
  s.name = name;
  s.event = event;
  s.where = where;
  s.half_life = half_life;
  s.max_points = 10;
  return s;
}

SignalDef reads(const char *name, const char *of) {
  SignalDef s;
  s.name = name;
  s.measure = std::string_view(of) == kActivationComplete ? Measure::activation : Measure::milestone;
  s.milestone = of;
  s.max_points = 10;
  return s;
}

ProgramDef program(Unit unit) {
  ProgramDef p;
  p.name = "p";
  p.unit = unit;
  p.milestones = {milestone("start", "signup"), milestone("invited", "invite", "n > 1")};
  p.activation = ActivationDef{{"start", "invited"}, true, 7 * kDay};
  return p;
}

TrackerSpec only_spec(const ProgramDef &p, const MeasureDef &d) {
  const std::vector<TrackerSpec> all = measure_specs(p, d);
  EXPECT_EQ(all.size(), 1u);
  return all.at(0);
}

std::size_t count_kind(const std::vector<TrackerSpec> &all, Tracker::Kind kind, Unit unit) {
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const TrackerSpec &s) { return s.kind == kind && s.unit == unit; }));
}

TEST(TrackerSpecs, OfUsersAreMilestonesActivationAndSignals) {
  ProgramDef p = program(Unit::user);
  p.signals = {count_of("calls", "call", 7 * kDay)};
  const auto all = tracker_specs(p);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0], milestone_spec(p.milestones[0], Unit::user));
  EXPECT_EQ(all[1], milestone_spec(p.milestones[1], Unit::user));
  EXPECT_EQ(all[2], activation_spec(p));
  EXPECT_EQ(all[3], only_spec(p, p.signals[0]));
  for (const TrackerSpec &s : all) EXPECT_EQ(s.unit, Unit::user);
}

TEST(TrackerSpecs, OfAccountsKeepMilestonesOfUsersTooAndNothingElseOfThem) {
  ProgramDef p = program(Unit::account);
  p.signals = {count_of("calls", "call", 7 * kDay), reads("started", "start"), reads("done", "activation_complete")};
  const auto all = tracker_specs(p);
  EXPECT_EQ(all.size(), 6u);
  EXPECT_EQ(count_kind(all, Tracker::Kind::milestone, Unit::user), 2u);
  EXPECT_EQ(count_kind(all, Tracker::Kind::milestone, Unit::account), 2u);
  EXPECT_EQ(count_kind(all, Tracker::Kind::decay, Unit::account), 1u);
  EXPECT_EQ(count_kind(all, Tracker::Kind::funnel, Unit::account), 1u);
  EXPECT_EQ(only_spec(p, p.signals[1]), milestone_spec(p.milestones[0], Unit::account));
}

TEST(TrackerSpecs, ASignalOfAMilestoneReadsTheMilestonesTracker) {
  ProgramDef p = program(Unit::user);
  p.signals = {reads("a", "start"), reads("b", "invited"), reads("c", "start"), reads("d", "activation_complete")};
  EXPECT_EQ(tracker_specs(p).size(), 3u); // two milestones and the activation
  EXPECT_EQ(only_spec(p, p.signals[0]), milestone_spec(p.milestones[0], Unit::user));
  EXPECT_EQ(only_spec(p, p.signals[1]), milestone_spec(p.milestones[1], Unit::user));
  EXPECT_EQ(only_spec(p, p.signals[3]), activation_spec(p));
}

TEST(TrackerSpecs, PointsNamesAndConsentAreNoPartOfThem) {
  ProgramDef p = program(Unit::user);
  SignalDef a = count_of("a", "call", 7 * kDay), b = count_of("b", "call", 7 * kDay);
  b.kind = Kind::depth;
  b.max_points = 99;
  b.points_each = 3;
  b.half_saturation = 2;
  b.may_score = b.may_mention = b.may_show_rep = false;
  b.why = "because";
  p.signals = {a, b};
  EXPECT_EQ(only_spec(p, a), only_spec(p, b));
  EXPECT_EQ(tracker_specs(p).size(), 4u);
  ProgramDef q = p;
  q.name = "q";
  q.qualify.enter = 50;
  q.qualify.leave = 20;
  q.motions.emplace_back().motion = "self_serve";
  EXPECT_EQ(tracker_specs(q), tracker_specs(p)); // two programs share
}

TEST(TrackerSpecs, WhateverChangesAMeasureSetsItApart) {
  ProgramDef p = program(Unit::user);
  const SignalDef a = count_of("a", "call", 7 * kDay);
  SignalDef event = a, where = a, half_life = a, sum = a, other_sum = a;
  event.event = "other";
  where.where = "ok";
  half_life.half_life++;
  sum.measure = other_sum.measure = Measure::sum;
  sum.of = "n";
  other_sum.of = "m";
  p.signals = {a, event, where, half_life, sum, other_sum};
  EXPECT_EQ(tracker_specs(p).size(), 3u + 6u);
  EXPECT_EQ(only_spec(p, sum).value_rule, "n");
  EXPECT_EQ(only_spec(p, a).value_rule, "");
  SignalDef leftover = a; // of a count, a value means nothing
  leftover.of = "n";
  EXPECT_EQ(only_spec(p, leftover), only_spec(p, a));
}

TEST(TrackerSpecs, WhateverChangesAnActivationSetsItApart) {
  const ProgramDef p = program(Unit::user);
  const TrackerSpec spec = activation_spec(p);
  EXPECT_EQ(spec.kind, Tracker::Kind::funnel);
  EXPECT_EQ(spec.events, (std::vector<std::string>{"signup", "invite"}));
  EXPECT_EQ(spec.rules, (std::vector<std::string>{"", "n > 1"}));
  EXPECT_EQ(spec.within, 7 * kDay);
  EXPECT_TRUE(spec.in_order);
  ProgramDef order = p, within = p, steps = p, unit = p, where = p, names = p;
  order.activation->in_order = false;
  within.activation->within++;
  std::swap(steps.activation->steps[0], steps.activation->steps[1]);
  unit.unit = Unit::account;
  where.milestones[0].where = "ok";
  for (const ProgramDef &q : {order, within, steps, unit, where}) EXPECT_NE(activation_spec(q), spec);
  names.milestones[0].name = names.activation->steps[0] = "begun"; // its milestones' names do not matter
  EXPECT_EQ(activation_spec(names), spec);
}

TEST(TrackerSpecs, KindsHaveNames) {
  EXPECT_EQ(name_of(Tracker::Kind::milestone), "milestone");
  EXPECT_EQ(name_of(Tracker::Kind::decay), "decay");
  EXPECT_EQ(name_of(Tracker::Kind::funnel), "funnel");
  EXPECT_EQ(name_of(Tracker::Kind::none), "none");
}

} // namespace
} // namespace pql
