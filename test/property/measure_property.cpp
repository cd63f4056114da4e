// Laws of measures and scores: a measure is what its events say, and a score falls when it says it will.
// covers: S2-4, S3-4
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "core/program/trackers.hpp"
#include "core/score/score.hpp"
#include "property/any.hpp"

namespace pql {
namespace {

constexpr Micros kNow = 9'000 * kDay;

struct Happened {
  Micros at;
  int name, user;
  double value;
  bool ok;
};

// Events a, b and c.
std::string name_of(int event) { return std::string(1, static_cast<char>('a' + event)); }

std::vector<Happened> any_events(bool negative) {
  std::vector<Happened> all;
  const Micros step = *rc::gen::element(Micros{1}, kMinute, kHour, 7 * kHour);
  for (int n = number(0, 50); n > 0; n--) {
    all.push_back({kNow - number<Micros>(0, 40 * kDay / step + 1) * step, number(0, 3), number(0, 5),
                   static_cast<double>(number(negative ? -20 : 0, 40)) / 2, one_in(2)});
  }
  return all;
}

MeasureDef any_measure() {
  MeasureDef d;
  d.measure = *rc::gen::element(Measure::count, Measure::sum, Measure::milestone, Measure::distinct_users, Measure::active_days, Measure::streak,
                                Measure::recency, Measure::pattern, Measure::time_in_product, Measure::success_rate, Measure::growth);
  d.event = one_in(3) ? "*" : name_of(number(0, 3));
  d.of = "value";
  d.success = "ok";
  d.milestone = "m";
  d.growth_of = *rc::gen::element(Measure::count, Measure::sum, Measure::distinct_users, Measure::active_days, Measure::time_in_product);
  d.window = number(1, 21) * kDay;
  d.gap = *rc::gen::element(kMinute, 3 * kHour);
  if (d.measure == Measure::recency) d.window = 0;
  if (d.measure == Measure::pattern || d.measure == Measure::milestone) {
    if (one_in(2)) d.window = 0;
    if (!d.window && one_in(2)) d.half_life = number(1, 20) * kDay;
    d.event.clear();
    d.steps = {"a", "b"};
    d.in_order = one_in(2);
    d.within = number(1, 20) * kDay;
  }
  if ((d.measure == Measure::count || d.measure == Measure::sum) && one_in(3)) {
    d.half_life = number(1, 20) * kDay;
    d.window = 0;
  }
  if (one_in(4)) d.cap = number(1, 5);
  return d;
}

// A program over an account, with its trackers, and what it knows of some events.
struct Made {
  Arena arena;
  Program program;
  std::vector<Tracker> trackers{1};
  std::vector<TrackerSpec> specs{1};
  Subject subject;

  MeasureTrackers match(const MeasureDef &d) {
    MeasureTrackers t;
    TrackerId *to[] = {&t.main, &t.second};
    const std::vector<TrackerSpec> all = measure_specs(program.def, d);
    for (std::size_t i = 0; i < all.size(); i++) {
      const auto at = std::find(specs.begin(), specs.end(), all[i]);
      *to[i] = static_cast<TrackerId>(at - specs.begin());
      if (at != specs.end()) continue;
      specs.push_back(all[i]);
      trackers.push_back(tracker_of(all[i]));
    }
    return t;
  }
  void fold(const Happened &e) {
    subject.fold_seen(e.at);
    for (std::size_t i = 1; i < specs.size(); i++) {
      const TrackerSpec &s = specs[i];
      const auto t = static_cast<TrackerId>(i);
      for (std::size_t step = 0; step < s.events.size(); step++) {
        if (s.events[step] != "*" && s.events[step] != name_of(e.name)) continue;
        if (s.rules[step] == "ok" && !e.ok) continue;
        const double v = s.value_rule.empty() ? 1 : e.value;
        if (s.kind == Tracker::Kind::milestone) subject.fold_milestone(arena, t, e.at, "e");
        else if (s.kind == Tracker::Kind::decay) subject.fold_decay(arena, t, s.half_life, e.at, v, "e");
        else if (s.kind == Tracker::Kind::funnel) subject.fold_steps(arena, t, trackers[i].funnel, e.at, 1u << step);
        else subject.fold_mark(arena, t, trackers[i].marks, e.at, static_cast<std::uint64_t>(e.user + 1), v, "e");
      }
    }
  }
};

void make(Made &m, const std::vector<MeasureDef> &measures, const std::vector<Happened> &events) {
  m.program.def.unit = Unit::account;
  m.program.def.milestones = {{"m", "a", ""}};
  for (const MeasureDef &d : measures) {
    SignalDef s;
    static_cast<MeasureDef &>(s) = d;
    m.program.def.signals.push_back(s);
    m.program.signals.push_back(m.match(d));
  }
  for (const Happened &e : shuffled(events)) m.fold(e);
  (void)m.subject.settle(m.arena, m.trackers);
}

// What the events themselves say.
class Told {
public:
  Told(const MeasureDef &d, const std::vector<Happened> &all, Micros as_of) : d_(d), as_of_(as_of) {
    for (const Happened &e : all) {
      if (e.at <= as_of && (d.event == "*" || d.event.empty() || d.event == name_of(e.name))) events_.push_back(e);
    }
    std::sort(events_.begin(), events_.end(), [](const Happened &a, const Happened &b) { return a.at < b.at; });
  }

  double value() const {
    const double v = plain();
    return d_.cap > 0 ? std::min(v, d_.cap) : v;
  }

private:
  double plain() const {
    switch (d_.measure) {
    case Measure::milestone: {
      const auto first = std::find_if(events_.begin(), events_.end(), [](const Happened &e) { return e.name == 0; });
      return first == events_.end() ? 0 : faded(first->at);
    }
    case Measure::pattern: {
      Micros reached = kNever;
      for (const Happened &x : events_) {
        for (const Happened &y : events_) {
          if (x.name != 0 || y.name != 1 || std::llabs(x.at - y.at) > d_.within || (d_.in_order && y.at < x.at)) continue;
          reached = std::min(reached, std::max(x.at, y.at));
        }
      }
      return reached == kNever ? 0 : faded(reached);
    }
    case Measure::recency: return events_.empty() ? 0 : static_cast<double>(as_of_ - events_.back().at) / static_cast<double>(kDay);
    case Measure::streak: return streak();
    case Measure::success_rate: {
      const double all = count(as_of_, false);
      return all > 0 ? count(as_of_, true) / all : 0;
    }
    case Measure::growth: {
      const double now = windowed(d_.growth_of, as_of_), before = windowed(d_.growth_of, as_of_ - d_.window);
      return (now - before) / std::max(before, 1.0);
    }
    default: return windowed(d_.measure, as_of_);
    }
  }

  double faded(Micros at) const {
    if (d_.window) return at > as_of_ - d_.window;
    return d_.half_life ? std::exp2(static_cast<double>(at - as_of_) / static_cast<double>(d_.half_life)) : 1;
  }
  bool within(Micros t, Micros until) const { return t <= until && (!d_.window || t > until - d_.window); }

  double count(Micros until, bool ok) const {
    return static_cast<double>(std::count_if(events_.begin(), events_.end(), [&](const Happened &e) { return within(e.at, until) && (e.ok || !ok); }));
  }

  double windowed(Measure of, Micros until) const {
    double sum = 0;
    std::set<std::int64_t> seen;
    for (const Happened &e : events_) {
      if (of == Measure::active_days && within(block_of(e.at, kDay) * kDay, until)) seen.insert(block_of(e.at, kDay));
      if (!within(e.at, until)) continue;
      if (of == Measure::distinct_users) seen.insert(e.user);
      const double v = of == Measure::sum ? e.value : 1;
      sum += d_.half_life && d_.measure != Measure::growth ? v * std::exp2(static_cast<double>(e.at - until) / static_cast<double>(d_.half_life)) : v;
    }
    if (of == Measure::time_in_product) return hours(until);
    return of == Measure::count || of == Measure::sum ? sum : static_cast<double>(seen.size());
  }

  double hours(Micros until) const {
    Micros time = 0;
    for (int user = 0; user < 5; user++) {
      Micros before = kAlways;
      for (const Happened &e : events_) {
        if (e.user != user) continue;
        if (before != kAlways && e.at - before <= d_.gap) time += std::max<Micros>(0, std::min(e.at, until) - std::max(before, until - d_.window));
        before = e.at;
      }
    }
    return static_cast<double>(time) / static_cast<double>(kHour);
  }

  double streak() const {
    std::set<std::int64_t> days;
    for (const Happened &e : events_) days.insert(block_of(e.at, kDay));
    std::int64_t day = block_of(as_of_, kDay), n = 0;
    if (!days.contains(day)) day--;
    for (; days.contains(day) && day * kDay > as_of_ - d_.window; day--) n++;
    return static_cast<double>(n);
  }

  const MeasureDef &d_;
  Micros as_of_;
  std::vector<Happened> events_;
};

TEST(MeasureLaws, AMeasureIsWhatItsEventsSay) {
  check("oracle", rc::check([] {
          const std::vector<Happened> events = any_events(true);
          const MeasureDef d = any_measure();
          Made m;
          make(m, {d}, events);
          const Micros as_of = kNow + (one_in(3) ? 0 : number<Micros>(0, 50 * kDay));
          const double value = measured(d, find_measure(d, m.program.signals[0], m.trackers, m.subject, as_of).parts).value, told = Told(d, events, as_of).value();
          RC_ASSERT(std::fabs(value - told) <= 1e-6 * (1 + std::fabs(told)));
        }));
}

void any_points(SignalDef &s) {
  s.max_points = number(1, 40) * (one_in(3) ? -1 : 1);
  const double x = 0.5 + number(0, 100) / 10.0;
  switch (number(0, 5)) {
  case 0: s.points_each = x; break;
  case 1: s.saturates_at = x; break;
  case 2: s.half_saturation = x; break;
  case 3: s.over = number(-1, 8) / 2.0;
  }
  s.may_score = !one_in(8);
}

TEST(ScoreLaws, AScoreFallsWhenItSaysItWillAndNotBefore) {
  int exact = 0, fell = 0, rose = 0;
  check("falls", rc::check([&] {
          std::vector<MeasureDef> measures(number<std::size_t>(1, 5));
          for (MeasureDef &d : measures) d = any_measure();
          Made m;
          make(m, measures, any_events(one_in(2)));
          for (SignalDef &s : m.program.def.signals) any_points(s);
          std::vector<Reason> reasons(m.program.def.signals.size());
          const auto points = [&](Micros t) { return score(m.program, m.trackers, m.subject, t, reasons); };
          const int now = points(kNow), threshold = now - number(0, 8);
          int sum = 0;
          for (const Reason &r : reasons) sum += r.points;
          RC_ASSERT(sum == now);
          const Micros falls = falls_below(m.program, m.trackers, m.subject, kNow, threshold);
          RC_ASSERT(falls > kNow);
          const Micros end = std::min(falls, kNow + 100 * kDay);
          for (int i = 0; i < 40; i++) RC_ASSERT(points(number<Micros>(kNow, end)) >= threshold);
          RC_ASSERT(points(end - 1) >= threshold);
          if (falls != kNever) (points(falls) < threshold ? exact : fell)++;
          if (rises_by_itself(m.program)) return;
          int before = now;
          for (Micros t = kNow; t < kNow + 60 * kDay; t += number<Micros>(1, 10 * kDay)) {
            RC_ASSERT(points(t) <= before);
            before = points(t);
          }
          rose++;
        }));
  EXPECT_GT(exact, 20);
  EXPECT_LE(fell, 2); // early: too much work to find out
  EXPECT_GT(rose, 3);
}

// Where more events can only raise a score, they do not lower it.
TEST(ScoreLaws, WhatOnlyAddsUpNeverFallsByAnEvent) {
  int tried = 0;
  check("adds up", rc::check([&] {
          std::vector<MeasureDef> measures(number<std::size_t>(1, 3));
          for (MeasureDef &d : measures) d = any_measure();
          const std::vector<Happened> events = any_events(false);
          const std::size_t some = events.empty() ? 0 : number<std::size_t>(0, events.size());
          Made whole, part;
          make(whole, measures, events);
          make(part, measures, {events.begin(), events.begin() + static_cast<std::ptrdiff_t>(some)});
          for (std::size_t i = 0; i < measures.size(); i++) {
            any_points(whole.program.def.signals[i]);
            part.program.def.signals[i] = whole.program.def.signals[i];
          }
          if (!only_adds_up(whole.program)) return;
          tried++;
          std::vector<Reason> reasons(measures.size());
          const Micros at = kNow + number<Micros>(0, 20 * kDay);
          RC_ASSERT(score(whole.program, whole.trackers, whole.subject, at, reasons) >= score(part.program, part.trackers, part.subject, at, reasons));
        }));
  EXPECT_GT(tried, 2);
}

// Who can't reach a score by what is known without rules and times of milestones, doesn't with them.
TEST(ScoreLaws, AScoreIsNeverMoreThanTheMost) {
  int reached = 0;
  check("most", rc::check([&] {
          std::vector<MeasureDef> measures(number<std::size_t>(1, 5));
          for (MeasureDef &d : measures) d = any_measure();
          if (one_in(2)) measures[0].measure = one_in(2) ? Measure::value : Measure::flag;
          Made m;
          make(m, measures, any_events(one_in(2)));
          std::vector<double> given;
          for (SignalDef &s : m.program.def.signals) {
            any_points(s);
            given.push_back(one_in(3) ? NAN : number(-20, 40) / 2.0);
          }
          Subject apart = m.subject; // as it is read: milestones are elsewhere
          for (const FirstTime &x : m.subject.milestones) apart.note(m.arena, x.tracker, x.at);
          apart.milestones = {};
          const Micros at = kNow + number<Micros>(0, 20 * kDay);
          std::vector<Reason> reasons(measures.size());
          const int points = score(m.program, m.trackers, m.subject, at, reasons, given), most = most_score(m.program, m.trackers, apart, at);
          RC_ASSERT(points <= most);
          reached += points == most;
        }));
  EXPECT_GT(reached, 5);
}

// Points that are said to be the same whenever milestones were reached, are.
TEST(ScoreLaws, PointsStayWhereTheyAreSaidTo) {
  int held = 0, moved = 0;
  check("stay", rc::check([&] {
          const Micros first = kNow - number<Micros>(0, 40 * kDay), latest = std::min(kNow, first + number<Micros>(0, *rc::gen::element(kHour, 9 * kDay, 20 * kDay)));
          const int signals = number(2, 6);
          Arena arena;
          Program p;
          std::vector<Tracker> trackers(6, Tracker{Tracker::Kind::milestone});
          std::vector<double> given;
          for (TrackerId i = 0; i < signals; i++) {
            SignalDef &s = p.def.signals.emplace_back();
            any_points(s);
            s.measure = one_in(3) ? Measure::value : Measure::milestone;
            (one_in(4) ? s.window : s.half_life) = number(1, 60) * kDay;
            p.signals.push_back({i});
            given.push_back(number(0, 60) / 4.0);
          }
          const auto points = [&](auto &&reached, std::vector<Reason> &reasons) {
            Subject s;
            for (TrackerId i = 0; i < signals; i++) s.fold_milestone(arena, i, reached(), "e");
            (void)score(p, trackers, s, kNow, reasons, given);
            return s;
          };
          std::vector<Reason> reasons(p.signals.size()), others(p.signals.size());
          const Subject early = points([&] { return first; }, reasons);
          const bool same = same_points_until(p, trackers, early, kNow, latest, reasons);
          bool moves = false;
          for (int i = 0; i < 20; i++) {
            (void)points([&] { return one_in(4) ? latest : number<Micros>(first, latest + 1); }, others);
            for (std::size_t k = 0; k < reasons.size(); k++) moves |= reasons[k].points != others[k].points;
          }
          RC_ASSERT(!same || !moves);
          held += same;
          moved += moves;
        }));
  EXPECT_GT(held, 3);
  EXPECT_GT(moved, 3);
}

} // namespace
} // namespace pql
