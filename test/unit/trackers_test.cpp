// What programs need maintained: the same thing once, whoever asks for it, and other things apart.
// covers: S3-7, S2u-12
#include "core/program/trackers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

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

MeasureDef measure(Measure of, const char *event, Micros window) {
  MeasureDef d;
  d.measure = of;
  d.event = event;
  d.window = window;
  d.of = "n";
  d.success = "ok";
  d.gap = kHour;
  return d;
}

TEST(TrackerSpecs, OfWindowsHaveWhatTheyNeedAndNoMore) {
  const ProgramDef p = program(Unit::account);
  const TrackerSpec count = only_spec(p, measure(Measure::count, "a", 7 * kDay)), sum = only_spec(p, measure(Measure::sum, "a", 7 * kDay));
  EXPECT_EQ(count.kind, Tracker::Kind::window);
  EXPECT_EQ(count.value_rule, "");
  EXPECT_EQ(sum.value_rule, "n");
  EXPECT_EQ(count.window, 7 * kDay);
  EXPECT_EQ(count.spans, 1);
  EXPECT_EQ(count.gap, 0);
  const TrackerSpec users = only_spec(p, measure(Measure::distinct_users, "*", 7 * kDay));
  EXPECT_EQ(users.kind, Tracker::Kind::users);
  EXPECT_EQ(users.events, std::vector<std::string>{"*"});
  EXPECT_EQ(only_spec(p, measure(Measure::streak, "a", kDay)), only_spec(p, measure(Measure::active_days, "a", kDay))); // read otherwise
  EXPECT_EQ(only_spec(p, measure(Measure::time_in_product, "*", kDay)).gap, kHour);
  EXPECT_EQ(only_spec(p, measure(Measure::recency, "*", kDay)).window, 0);
  EXPECT_TRUE(measure_specs(p, measure(Measure::value, "", 0)).empty());
  EXPECT_TRUE(measure_specs(p, measure(Measure::flag, "", 0)).empty());
}

TEST(TrackerSpecs, GrowthLooksAtTwoWindows) {
  const ProgramDef p = program(Unit::account);
  MeasureDef d = measure(Measure::growth, "a", 7 * kDay);
  for (const Measure of : {Measure::count, Measure::sum, Measure::distinct_users, Measure::active_days, Measure::time_in_product}) {
    d.growth_of = of;
    TrackerSpec plain = only_spec(p, measure(of, "a", 7 * kDay));
    EXPECT_NE(only_spec(p, d), plain);
    plain.spans = 2;
    EXPECT_EQ(only_spec(p, d), plain);
  }
}

TEST(TrackerSpecs, ASuccessRateCountsAllAndWhatSucceeded) {
  const ProgramDef p = program(Unit::account);
  MeasureDef d = measure(Measure::success_rate, "a", 7 * kDay);
  EXPECT_EQ(measure_specs(p, d)[0], only_spec(p, measure(Measure::count, "a", 7 * kDay)));
  EXPECT_EQ(measure_specs(p, d)[1].rules, std::vector<std::string>{"ok"});
  d.where = "x or y";
  EXPECT_EQ(measure_specs(p, d)[1].rules, std::vector<std::string>{"(x or y) AND (ok)"});
}

TEST(TrackerSpecs, APatternOfAnActivationsStepsIsTheActivation) {
  const ProgramDef p = program(Unit::user);
  MeasureDef d = measure(Measure::pattern, "", 0);
  d.steps = p.activation->steps;
  d.in_order = true;
  d.within = p.activation->within;
  EXPECT_EQ(only_spec(p, d), activation_spec(p));
  d.steps = {"start", "some event"};
  EXPECT_EQ(only_spec(p, d).events, (std::vector<std::string>{"signup", "some event"}));
}

TEST(TrackerSpecs, NamedMeasuresAreKeptLikeSignals) {
  ProgramDef p = program(Unit::user);
  static_cast<MeasureDef &>(p.measures.emplace_back()) = measure(Measure::active_days, "a", kDay);
  const auto all = tracker_specs(p);
  EXPECT_EQ(all.back(), only_spec(p, p.measures[0]));
  EXPECT_EQ(all.size(), 4u);
}

TEST(TrackerSpecs, AKeyTellsEveryPartApart) {
  TrackerSpec s;
  s.events = {"a", "bc"};
  s.rules = {"", ""};
  std::vector<TrackerSpec> all(14, s);
  all[1].kind = Tracker::Kind::days;
  all[2].unit = Unit::account;
  all[3].name = "n";
  all[4].events = {"ab", "c"};
  all[5].rules = {"a", ""};
  all[6].rules = {"", "a"};
  all[7].value_rule = "a";
  all[8].half_life = 1;
  all[9].in_order = true;
  all[10].within = 1;
  all[11].window = 1;
  all[12].spans = 1;
  all[13].gap = 1;
  std::set<std::string> keys;
  for (const TrackerSpec &x : all) keys.insert(key_of(x));
  EXPECT_EQ(keys.size(), all.size());
  EXPECT_EQ(key_of(s), key_of(all[0]));
}

TEST(TrackerSpecs, KindsHaveNames) {
  for (int k = 0; k <= static_cast<int>(Tracker::Kind::latest); k++) {
    const auto kind = static_cast<Tracker::Kind>(k);
    EXPECT_EQ(tracker_kind(name_of(kind)), kind);
  }
  EXPECT_EQ(tracker_kind("no such kind"), Tracker::Kind::none);
  EXPECT_EQ(name_of(Tracker::Kind::milestone), "milestone");
  EXPECT_EQ(name_of(Tracker::Kind::decay), "decay");
  EXPECT_EQ(name_of(Tracker::Kind::funnel), "funnel");
  EXPECT_EQ(name_of(Tracker::Kind::none), "none");
}

} // namespace
} // namespace pql
