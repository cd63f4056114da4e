// Laws of marks: what is kept of a window is a function of its events, and is read as they say.
// covers: S3-4, S3-12
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/event_id.hpp"
#include "core/state/home.hpp"
#include "property/any.hpp"

namespace pql {
namespace {

constexpr TrackerId kTracker = 1;

struct Happened {
  Micros at;
  std::uint64_t user;
  double value;
  std::string id;
};

MarksSpec any_spec(MarksKind kind) {
  MarksSpec s;
  s.kind = kind;
  if (kind == MarksKind::latest) return s;
  s.spans = static_cast<std::uint8_t>(number(1, 3));
  s.window = *rc::gen::element(Micros{7}, kHour, kDay, 7 * kDay, 7 * kDay + 1);
  if (kind == MarksKind::days) s.window = number(1, 12) * kDay;
  if (kind == MarksKind::sessions) s.gap = *rc::gen::element(Micros{0}, s.window / 20, s.window / 3, 2 * s.window);
  return s;
}

// Over five windows, in bursts and with ties, now and then more of them than are kept as they are.
std::vector<Happened> any_events(const MarksSpec &s) {
  const Micros window = std::max<Micros>(s.window, 10), around = number<Micros>(-3, 4) * window;
  const int most = s.kind == MarksKind::window ? 800 : one_in(3) ? 600 : 60, users = one_in(2) ? 4 : 60;
  const Micros step = std::max<Micros>(1, *rc::gen::element(window, window / 7, window / 300, Micros{1}));
  std::vector<Happened> all;
  for (int n = s.kind == MarksKind::window && one_in(4) ? most : number(0, most); n > 0; n--) {
    Micros at = around + number<Micros>(-5 * window / step, 1) * step;
    if (one_in(4)) at += number<Micros>(0, 3);
    if (!all.empty() && one_in(3)) at = all.back().at + number<Micros>(0, 2 * s.gap + 3);
    const double value = one_in(2) ? 1 : static_cast<double>(number(-9, 100)) / number(1, 4);
    all.push_back({at, static_cast<std::uint64_t>(number(1, users + 1)), value, std::string(EventId::of_int(number(0, 99)).view())});
  }
  return all;
}

void add(Arena &a, Marks &m, const MarksSpec &s, const Happened &e) { m.add(a, s, e.at, e.user, e.value, e.id); }

bool same(const Marks &x, const Marks &y) {
  return x.newest == y.newest && x.event.view() == y.event.view() && x.all.size == y.all.size &&
         std::equal(x.all.begin(), x.all.end(), y.all.begin(), [](const Mark &a, const Mark &b) {
           return a.key == b.key && a.from == b.from && a.to == b.to && a.more == b.more && a.less == b.less;
         });
}

constexpr MarksKind kAll[] = {MarksKind::window, MarksKind::days, MarksKind::users, MarksKind::sessions, MarksKind::latest};

TEST(MarksLaws, AnyOrderBatchingAndMergeTreeGivesTheSame) {
  for (const MarksKind kind : kAll) {
    check("one state", rc::check([&] {
            const MarksSpec spec = any_spec(kind);
            const std::vector<Happened> all = any_events(spec);
            Arena a;
            Marks whole;
            for (const Happened &e : all) add(a, whole, spec, e);
            whole.settle(spec);
            std::vector<Marks> lots(number<std::size_t>(1, 6));
            for (const Happened &e : shuffled(all)) {
              Marks &m = lots[number<std::size_t>(0, lots.size())];
              add(a, m, spec, e);
              if (one_in(20)) m.settle(spec);
            }
            while (lots.size() > 1) {
              const std::size_t into = number<std::size_t>(0, lots.size() - 1);
              if (one_in(2)) lots.back().settle(spec);
              if (one_in(2)) lots[into].settle(spec);
              lots[into].merge(a, spec, lots.back());
              lots.pop_back();
            }
            lots[0].settle(spec);
            RC_ASSERT(same(lots[0], whole));
            lots[0].settle(spec);
            RC_ASSERT(same(lots[0], whole));
          }));
  }
}

// What the events themselves say of (after, until].
double told(const MarksSpec &spec, const std::vector<Happened> &all, Micros after, Micros until) {
  const auto within = [&](Micros t) { return t > after && t <= until; };
  double sum = 0;
  std::set<std::int64_t> days;
  std::set<std::uint64_t> users;
  std::map<std::uint64_t, std::vector<Micros>> by_user;
  for (const Happened &e : all) {
    by_user[e.user].push_back(e.at);
    if (within(e.at)) {
      sum += std::round(std::ldexp(e.value, 40)); // exact: few and small
      users.insert(e.user);
    }
    if (within(block_of(e.at, kDay) * kDay)) days.insert(block_of(e.at, kDay));
  }
  if (spec.kind == MarksKind::window) return std::ldexp(sum, -40);
  if (spec.kind == MarksKind::days) return static_cast<double>(days.size());
  if (spec.kind == MarksKind::users) return static_cast<double>(users.size());
  Micros time = 0;
  for (auto &[user, at] : by_user) {
    std::sort(at.begin(), at.end());
    for (std::size_t i = 1; i < at.size(); i++) {
      if (at[i] - at[i - 1] <= spec.gap) time += std::max<Micros>(0, std::min(at[i], until) - std::max(at[i - 1], after));
    }
  }
  return static_cast<double>(time) / static_cast<double>(kHour);
}

TEST(MarksLaws, AWindowIsReadAsItsEventsSay) {
  int rough = 0, exact = 0;
  for (const MarksKind kind : {MarksKind::window, MarksKind::days, MarksKind::users, MarksKind::sessions}) {
    check("read", rc::check([&] {
            const MarksSpec spec = any_spec(kind);
            const std::vector<Happened> all = any_events(spec);
            Arena a;
            Marks m;
            for (const Happened &e : all) add(a, m, spec, e);
            m.settle(spec);
            if (all.empty()) return;
            Micros as_of = m.newest;
            if (!one_in(3)) as_of += number<Micros>(0, 3 * spec.window);
            for (int span = 0; span < spec.spans; span++) {
              const Micros until = as_of - span * spec.window, after = until - spec.window;
              const Measured x = m.read(spec, after, until);
              const double truth = told(spec, all, after, until);
              RC_ASSERT(std::fabs(x.value - truth) <= x.error + 1e-9);
              std::set<Micros> instants;
              for (const Happened &e : all) instants.insert(e.at);
              if (kind != MarksKind::window || instants.size() <= kExactInstants) RC_ASSERT(x.error == 0);
              (x.error > 0 ? rough : exact)++;
            }
          }));
  }
  EXPECT_GT(rough, 1);
  EXPECT_GT(exact, 300);
}

TEST(MarksLaws, AStreakIsReadAsItsDaysSay) {
  check("streak", rc::check([] {
          MarksSpec spec{MarksKind::days, 1, number(1, 12) * kDay, 0};
          std::vector<Happened> all = any_events(spec);
          for (Happened &e : all) e.at = e.at % (30 * kDay);
          Arena a;
          Marks m;
          std::set<std::int64_t> days;
          for (const Happened &e : all) {
            add(a, m, spec, e);
            days.insert(block_of(e.at, kDay));
          }
          m.settle(spec);
          const Micros as_of = m.newest == kAlways ? 0 : m.newest + number<Micros>(0, 4 * kDay);
          std::int64_t day = block_of(as_of, kDay);
          if (!days.contains(day)) day--;
          int n = 0;
          while (days.contains(day) && day * kDay > as_of - spec.window) n++, day--;
          RC_ASSERT(m.streak(spec, as_of) == n);
        }));
}

// Between two turns what is read only grows or only falls.
TEST(MarksLaws, NothingTurnsUnannounced) {
  for (const MarksKind kind : {MarksKind::window, MarksKind::days, MarksKind::users, MarksKind::sessions}) {
    check("turns", rc::check([&] {
            const MarksSpec spec = any_spec(kind);
            std::vector<Happened> all = any_events(spec);
            for (Happened &e : all) e.value = std::fabs(e.value);
            Arena a;
            Marks m;
            for (const Happened &e : all) add(a, m, spec, e);
            m.settle(spec);
            if (all.empty()) return;
            const Micros end = m.newest + 3 * spec.window;
            std::vector<Micros> turns{m.newest, end};
            m.each_turn(spec, [&](Micros t) {
              if (t > m.newest && t < end) turns.push_back(t);
            });
            std::sort(turns.begin(), turns.end());
            for (std::size_t i = 0; i + 1 < turns.size(); i++) {
              if (turns[i + 1] - turns[i] < 3) continue;
              const Micros from = turns[i], to = turns[i + 1] - 1, mid = from + 1 + number<Micros>(0, to - from - 1);
              for (int span = 0; span < spec.spans; span++) {
                const auto at = [&](Micros t) { return m.read(spec, t - (span + 1) * spec.window, t - span * spec.window).value; };
                const double x = at(from), y = at(mid), z = at(to);
                RC_ASSERT(std::min(x, z) - 1e-6 <= y);
                RC_ASSERT(y <= std::max(x, z) + 1e-6);
              }
            }
          }));
  }
}

TEST(MarksLaws, WhatIsStoredIsReadBack) {
  for (const MarksKind kind : kAll) {
    check("stored", rc::check([&] {
            const MarksSpec spec = any_spec(kind);
            Arena a;
            Home h;
            h.head = one_in(2);
            Subject nobody;
            nobody.id.assign(a, "n");
            const auto some = [&](Subject &s) {
              const auto events = any_events(spec);
              const bool users = kind == MarksKind::users || (kind == MarksKind::sessions && one_in(2));
              for (const Happened &e : events) {
                s.fold_seen(e.at);
                s.fold_mark(a, kTracker, spec, e.at, users ? user_key(std::to_string(e.user)) : 0, e.value, e.id);
              }
              for (MarksState &m : s.marks) m.marks.settle(spec);
            };
            if (h.head) some(h.owner);
            for (int n = number(0, 3); n > 0; n--) {
              Subject &s = h.members.push(a, nobody);
              if (!one_in(3)) some(s);
            }
            const auto again = decode(a, encode(a, h));
            RC_ASSERT(again.has_value());
            const auto equal = [&](const Subject &x, const Subject &y) {
              RC_ASSERT(x.marks.size == y.marks.size);
              for (std::uint32_t i = 0; i < x.marks.size; i++) {
                RC_ASSERT(x.marks[i].tracker == y.marks[i].tracker);
                RC_ASSERT(x.marks[i].marks.kind == y.marks[i].marks.kind);
                RC_ASSERT(same(x.marks[i].marks, y.marks[i].marks));
              }
              RC_ASSERT(canonical(a, x) == canonical(a, y));
            };
            equal(h.owner, again->owner);
            for (std::uint32_t i = 0; i < h.members.size; i++) equal(h.members[i], again->members[i]);
          }));
  }
}

// A load of events leaves no more than what is needed of them.
TEST(Marks, AMillionEventsOfOneSubjectTakeLittle) {
  Arena a;
  const MarksSpec spec{MarksKind::window, 2, 30 * kDay, 0};
  Marks m;
  for (int i = 0; i < 1'000'000; i++) m.add(a, spec, i * kSecond, 0, 1, "id");
  EXPECT_LT(a.used(), 100'000u);
  m.settle(spec);
  EXPECT_LE(m.all.size, kExactInstants + 2 * kBucketsOfWindow + 2);
  EXPECT_EQ(m.read(spec, m.newest - spec.window, m.newest).value, 1'000'000);
}

// More users than are known by name: at least so many in one window, about so many in each of two.
TEST(Marks, OfTooManyUsersThereAreAtLeastOrAboutSoMany) {
  for (const std::uint8_t spans : {1, 2}) {
    Arena a;
    const MarksSpec spec{MarksKind::users, spans, 10 * kDay, 0};
    constexpr int kUsers = 20'000;
    Marks whole, part[2];
    for (int i = 0; i < kUsers; i++) {
      const Micros at = kDay * (i * 7919LL % kUsers) * 20 / kUsers;
      whole.add(a, spec, at, user_key("user " + std::to_string(i)), 1, "");
      part[i % 3 == 0].add(a, spec, at, user_key("user " + std::to_string(i)), 1, "");
    }
    whole.settle(spec);
    part[0].settle(spec);
    part[0].merge(a, spec, part[1]);
    part[0].settle(spec);
    EXPECT_TRUE(same(whole, part[0]));
    EXPECT_LE(whole.all.size, 3 * kMaxUsers);
    const Measured now = whole.read(spec, whole.newest - spec.window, whole.newest);
    if (spans == 1) {
      EXPECT_EQ(now.value, kMaxUsers);
      EXPECT_TRUE(std::isinf(now.error));
    } else {
      EXPECT_NEAR(now.value, kUsers / 2, now.error);
      EXPECT_LT(now.error, kUsers / 8);
      const Measured before = whole.read(spec, whole.newest - 2 * spec.window, whole.newest - spec.window);
      EXPECT_NEAR(before.value, kUsers / 2, before.error);
    }
  }
}

TEST(Marks, OfSeveralAtOneTimeTheGreatestIdIsTheNewest) {
  Arena a;
  Marks m;
  for (const char *id : {"b", "c", "a"}) m.add(a, {}, kDay, 0, 1, id);
  m.add(a, {}, 0, 0, 1, "z");
  m.settle({});
  EXPECT_EQ(m.event.view(), "c");
  EXPECT_EQ(m.newest, kDay);
  EXPECT_EQ(m.all.size, 0u);
}

// Stored: never to be changed.
TEST(Marks, KeysOfUsersAreTheSameForEver) {
  EXPECT_EQ(user_key(""), 36'836'477'194'452u);
  EXPECT_EQ(user_key("ada@acme.example"), 267'473'557'046'856u);
}

} // namespace
} // namespace pql
