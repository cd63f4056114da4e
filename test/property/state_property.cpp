// Laws of subjects, homes and batches.
// Law: state is a function of the set of events; what is stored is read back; damaged bytes are refused, or harmless.
// covers: S3-12, S3-4
#include "core/state/delta.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/event_id.hpp"
#include "property/any.hpp"

namespace pql {
namespace {

// Ids 0 and 5 are not in use.
const Tracker kTrackers[] = {{},
                             {Tracker::Kind::milestone, 0, {}},
                             {Tracker::Kind::decay, 7 * kDay, {}},
                             {Tracker::Kind::funnel, 0, {3, true, 5 * kDay}},
                             {Tracker::Kind::milestone, 0, {}},
                             {},
                             {Tracker::Kind::decay, kHour, {}},
                             {Tracker::Kind::funnel, 0, {2, false, kDay}},
                             {Tracker::Kind::window, 0, {}, {MarksKind::window, 2, 3 * kDay, 0}},
                             {Tracker::Kind::days, 0, {}, {MarksKind::days, 1, 20 * kDay, 0}},
                             {Tracker::Kind::users, 0, {}, {MarksKind::users, 2, 5 * kDay, 0}},
                             {Tracker::Kind::sessions, 0, {}, {MarksKind::sessions, 1, 9 * kDay, 5 * kHour}},
                             {Tracker::Kind::latest, 0, {}, {}}};

// --- subjects --------------------------------------------------------------------------------------------------------

struct Fold {
  TrackerId tracker;
  Micros at;
  double value;
  std::uint32_t steps;
  std::string event;
};

std::vector<Fold> any_folds(int most) {
  std::vector<Fold> all;
  const int n = number(0, most + 1);
  for (int i = 0; i < n; i++) {
    const Micros at = number<Micros>(-40, 40) * *rc::gen::element(Micros{kHour}, Micros{kDay}); // with ties
    std::string event;                                                                          // with ties, and none
    if (number(0, 6)) event = std::string(EventId::of_int(number(-300, 300)).view());
    if (one_in(9))
      event = std::string(EventId::of_text("an id of some length, number " + std::to_string(i % 7)).view());
    all.push_back({*rc::gen::element<TrackerId>(1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12), at, static_cast<double>(number(-50, 50)) / 3,
                   1u << number(0, 2) | (number(0, 9) ? 0u : 4u), event});
  }
  return all;
}

void fold(Arena &a, Subject &s, const Fold &f) {
  s.fold_seen(f.at);
  const Tracker &t = kTrackers[f.tracker];
  switch (t.kind) {
  case Tracker::Kind::milestone: s.fold_milestone(a, f.tracker, f.at, f.event); break;
  case Tracker::Kind::decay: s.fold_decay(a, f.tracker, t.half_life, f.at, f.value, f.event); break;
  case Tracker::Kind::funnel: s.fold_steps(a, f.tracker, t.funnel, f.at, t.funnel.steps == 2 ? f.steps & 3 : f.steps); break;
  case Tracker::Kind::none: break;
  default: s.fold_mark(a, f.tracker, t.marks, f.at, f.steps, f.value, f.event);
  }
}

Subject subject_of(Arena &a, const std::vector<Fold> &all) {
  Subject s;
  s.id.assign(a, "somebody");
  for (const Fold &f : all) fold(a, s, f);
  return s;
}

std::string settled(Arena &a, Subject &s) {
  RC_ASSERT(s.settle(a, kTrackers));
  return std::string(canonical(a, s));
}

TEST(SubjectLaws, TheOrderOfEventsDoesNotMatter) {
  check("shuffled", rc::check([] {
          const std::vector<Fold> all = any_folds(80);
          Arena a;
          Subject s = subject_of(a, all), t = subject_of(a, shuffled(all));
          RC_ASSERT(settled(a, s) == settled(a, t));
        }));
}

TEST(SubjectLaws, AnyPartitionMergesToTheWholeOrSaysThatItCanNot) {
  int exact = 0;
  check("partition", rc::check([&] {
          const std::vector<Fold> all = shuffled(any_folds(60));
          Arena a;
          Subject whole = subject_of(a, all);
          const std::string expected = settled(a, whole);
          std::vector<std::vector<Fold>> lots(number<std::size_t>(1, 6));
          for (const Fold &f : all) lots[number<std::size_t>(0, lots.size())].push_back(f);
          std::vector<Subject> parts;
          for (const auto &lot : lots) parts.push_back(subject_of(a, lot));
          bool sure = true;
          while (parts.size() > 1) {
            const std::size_t into = number<std::size_t>(0, parts.size() - 1);
            sure &= parts[into].merge(a, kTrackers, parts.back());
            parts.pop_back();
          }
          sure &= parts[0].settle(a, kTrackers);
          if (!sure) return;
          exact++;
          RC_ASSERT(std::string(canonical(a, parts[0])) == expected);
        }));
  EXPECT_GT(exact, 30);
}

TEST(SubjectLaws, WithoutFunnelsMergeIsAlwaysExactCommutativeAndAssociative) {
  check("monoid", rc::check([] {
          Arena a;
          Subject part[3];
          for (Subject &s : part) {
            std::vector<Fold> all = any_folds(20);
            std::erase_if(all, [](const Fold &f) { return kTrackers[f.tracker].kind == Tracker::Kind::funnel; });
            s = subject_of(a, all);
            RC_ASSERT(s.settle(a, kTrackers));
          }
          const auto merged = [&](std::vector<int> order) {
            Subject s = copy_of(a, part[order[0]]);
            for (std::size_t i = 1; i < order.size(); i++) RC_ASSERT(s.merge(a, kTrackers, part[order[i]]));
            return s;
          };
          const auto bytes = [&](const Subject &s) { return std::string(canonical(a, s)); };
          RC_ASSERT(bytes(merged({0, 1})) == bytes(merged({1, 0})));
          Subject right = copy_of(a, part[0]);
          RC_ASSERT(right.merge(a, kTrackers, merged({1, 2})));
          RC_ASSERT(bytes(right) == bytes(merged({0, 1, 2})));
          Subject empty;
          empty.id = part[0].id;
          RC_ASSERT(empty.merge(a, kTrackers, part[0]));
          RC_ASSERT(bytes(empty) == bytes(part[0]));
          Subject same = copy_of(a, part[0]);
          RC_ASSERT(same.merge(a, kTrackers, Subject{}));
          RC_ASSERT(bytes(same) == bytes(part[0]));
        }));
}

TEST(SubjectLaws, ACopySharesNothingThatMergingChanges) {
  check("copy", rc::check([] {
          Arena a;
          Subject s = subject_of(a, any_folds(40));
          (void)s.settle(a, kTrackers);
          s.standings.push(a, {.program = 3});
          const std::string before(canonical(a, s));
          Subject c = copy_of(a, s);
          RC_ASSERT(std::string(canonical(a, c)) == before);
          RC_ASSERT(c.is_open(3));
          for (const Fold &f : any_folds(40)) fold(a, c, f);
          (void)c.merge(a, kTrackers, subject_of(a, any_folds(20)));
          c.standings.push(a, {.program = 4});
          RC_ASSERT(std::string(canonical(a, s)) == before);
          RC_ASSERT(!s.is_open(4));
        }));
}

TEST(SubjectLaws, DifferentStatesHaveDifferentBytes) {
  check("canonical tells apart", rc::check([] {
          Arena a;
          const std::vector<Fold> all = any_folds(20);
          Subject s = subject_of(a, all), t = subject_of(a, all);
          const std::string before = settled(a, s);
          const Micros at = number<Micros>(-40, 40) * kDay;
          bool differs = true;
          switch (number(0, 5)) {
          case 0: t.fold_seen(at); break;
          case 1: t.fold_milestone(a, 1, -100 * kDay, "x"); break;
          case 2: t.id.assign(a, "somebody else"); break;
          case 3: t.fold_milestone(a, 900, at, "x"); break;
          case 4: // no news of what has been seen
            differs = !s.milestone(1);
            t.fold_milestone(a, 1, 100 * kDay, "");
            break;
          }
          RC_ASSERT((settled(a, t) != before) == differs);
        }));
}

// Whether a sum has a block for an instant, and what is added there is no less than half of the last bit.
bool weighs(const DecayedSum &d, Micros half_life, Micros at, double value) {
  const Micros width = 32 * half_life;
  const Micros block = at / width - (at % width < 0);
  const long double offset = static_cast<long double>(at - block * width) / static_cast<long double>(half_life);
  return d.sum.top - block < Decay::kBlocks && std::fabs(value) * exp2l(40 + offset) >= 0.5L;
}

TEST(SubjectLaws, AContributionIsSeenUnlessItIsTooOldOrTooSmall) {
  int seen = 0, lost = 0;
  check("contributions", rc::check([&] {
          Arena a;
          const TrackerId which = *rc::gen::element<TrackerId>(2, 6);
          const Micros half_life = kTrackers[which].half_life;
          Subject s = subject_of(a, any_folds(20));
          s.fold_decay(a, which, half_life, number<Micros>(-40, 40) * kDay, 1, "m");
          Subject t = copy_of(a, s);
          const DecayedSum &d = *s.decay(which);
          const Micros at = one_in(4) ? d.newest : number<Micros>(-40, 40) * kDay;
          const double value = std::ldexp(number(1, 10) * (one_in(2) ? 1 : -1), -number(0, 60));
          const bool newer = at > d.newest || (at == d.newest && d.event.view() < "n"); // the newest evidence is seen anyway
          const bool differs = newer || weighs(d, half_life, at, value);
          (differs ? seen : lost)++;
          t.fold_decay(a, which, half_life, at, value, "n");
          RC_ASSERT((canonical(a, t) != canonical(a, s)) == differs);
        }));
  EXPECT_GT(seen, 10);
  EXPECT_GT(lost, 10);
}

// What is known only bounds the milestones: it follows the order of the events, which are known does not.
TEST(SubjectLaws, MilestonesAreTheEarliestInAnyOrderAndBatching) {
  check("earliest", rc::check([] {
          std::vector<Fold> all;
          std::map<TrackerId, std::pair<Micros, std::string>> earliest;
          for (int n = number(0, 60); n > 0; n--) {
            Fold f{*rc::gen::element<TrackerId>(1, 4, 63, 64, 900, 65'535), number(-5, 5), 0, 0,
                   std::string(number<std::size_t>(0, 3), static_cast<char>(number(0, 256)))};
            const std::pair which{f.at, f.event};
            const auto at = earliest.emplace(f.tracker, which).first;
            at->second = std::min(at->second, which);
            all.push_back(f);
          }
          const auto holds = [&](const Subject &s) {
            RC_ASSERT(s.milestones.size == earliest.size());
            Micros newest = kAlways;
            for (const auto &[t, which] : earliest) {
              RC_ASSERT(s.milestone(t) && s.milestone(t)->at == which.first && s.milestone(t)->event() == which.second);
              RC_ASSERT(s.known.has(t));
              RC_ASSERT(!s.knows(t, which.first)); // its own event is looked at
              newest = std::max(newest, which.first);
            }
            RC_ASSERT(s.newest_known >= newest);
            RC_ASSERT(!s.known.has(2) && !s.known.has(65) && !s.known.has(65'534));
          };
          Arena a;
          Subject one;
          std::vector<Subject> lots(number<std::size_t>(1, 6));
          for (const Fold &f : shuffled(all)) {
            one.fold_milestone(a, f.tracker, f.at, f.event);
            lots[number<std::size_t>(0, lots.size())].fold_milestone(a, f.tracker, f.at, f.event);
          }
          holds(one);
          Subject merged, read;
          std::vector<std::string> log; // as the database keeps it: an entry for each batch
          for (const Subject &s : lots) {
            RC_ASSERT(merged.merge(a, kTrackers, s));
            log.emplace_back(encode_milestones(a, s.milestones));
          }
          holds(merged);
          for (const std::string &entry : shuffled(log)) {
            const std::optional<Vec<FirstTime>> milestones = decode_milestones(a, entry);
            RC_ASSERT(milestones.has_value());
            RC_ASSERT(encode_milestones(a, *milestones) == entry);
            for (const FirstTime &m : *milestones) read.fold_milestone(a, m.tracker, m.at, m.event());
          }
          holds(read);
        }));
}

// What a subject that only says what is known takes in, and what had been kept apart, are together what it would have been.
TEST(SubjectLaws, NothingThatMayBeEarlierIsLostWhenMilestonesAreKeptApart) {
  check("apart", rc::check([] {
          Arena a;
          const std::vector<Fold> before = any_folds(40), after = any_folds(40);
          Home h;
          h.head = true;
          h.owner = subject_of(a, before);
          (void)h.owner.settle(a, kTrackers);
          const std::string stored(encode(a, h, Milestones::apart)), log(encode_milestones(a, h.owner.milestones));
          Subject news = decode(a, stored).value().owner, whole;
          for (const Fold &f : after) {
            if (kTrackers[f.tracker].kind != Tracker::Kind::milestone) continue;
            news.fold_milestone(a, f.tracker, f.at, f.event);
            h.owner.fold_milestone(a, f.tracker, f.at, f.event);
          }
          const Vec<FirstTime> logged = decode_milestones(a, log).value();
          for (const Vec<FirstTime> &some : {news.milestones, logged}) {
            for (const FirstTime &m : some) whole.fold_milestone(a, m.tracker, m.at, m.event());
          }
          RC_ASSERT(whole.milestones.size == h.owner.milestones.size);
          for (const FirstTime &m : h.owner.milestones) {
            const FirstTime *const same = whole.milestone(m.tracker);
            RC_ASSERT(same && same->at == m.at && same->event() == m.event());
            RC_ASSERT(news.known.has(m.tracker));
          }
        }));
}

TEST(Subject, OfSeveralAtOneTimeTheSmallestIdIsTheFirstAndTheGreatestTheNewest) {
  Arena a;
  const auto id = [](std::int64_t v) { return std::string(EventId::of_int(v).view()); };
  for (const std::vector<int> &order : {std::vector{300, -2, 7}, {-2, 7, 300}, {7, 300, -2}}) {
    Subject s, merged;
    for (int v : order) {
      Subject one;
      for (Subject *x : {&s, &one}) {
        x->fold_milestone(a, 1, kDay, id(v));
        x->fold_decay(a, 2, 7 * kDay, kDay, 1, id(v));
      }
      EXPECT_TRUE(merged.merge(a, kTrackers, one));
    }
    EXPECT_EQ(event_id_text(merged.milestone(1)->event()), "-2");
    EXPECT_EQ(event_id_text(merged.decay(2)->event.view()), "300");
    s.fold_milestone(a, 1, kDay + 1, id(-100));
    s.fold_decay(a, 2, 7 * kDay, kDay - 1, 1, id(1000));
    EXPECT_EQ(event_id_text(s.milestone(1)->event()), "-2");
    EXPECT_EQ(event_id_text(s.decay(2)->event.view()), "300");
    EXPECT_EQ(s.milestone(1)->at, kDay);
    EXPECT_EQ(s.decay(2)->newest, kDay);
  }
}

TEST(Subject, TrackersThatAreGoneAreLeftAlone) {
  Arena a;
  Subject s, o;
  o.fold_steps(a, 3, kTrackers[3].funnel, kDay, 1);
  EXPECT_TRUE(s.merge(a, std::span(kTrackers, 2), o));
  EXPECT_EQ(s.funnel(3), nullptr);
  EXPECT_TRUE(o.settle(a, std::span(kTrackers, 2)));
}

// --- homes -----------------------------------------------------------------------------------------------------------

Milestones any_place() { return one_in(2) ? Milestones::inside : Milestones::apart; }

Home any_home(Arena &a, bool with_open_ends = true) {
  Home h;
  h.head = !one_in(4);
  h.depth = static_cast<std::uint8_t>(number(0, kMaxHomeDepth + 1));
  const auto make = [&] {
    Subject s = subject_of(a, any_folds(25));
    s.id.assign(a, std::string(number<std::size_t>(0, 200), 'i'));
    if (one_in(2) || !s.marks.empty()) (void)s.settle(a, kTrackers); // marks are stored in order only
    if (with_open_ends) {
      const auto any = [] { return *rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::int64_t>()); };
      const auto time = [&] { return one_in(2) ? kNever : any(); };
      const auto rule = [] { return static_cast<std::int16_t>(one_in(2) ? -1 : number(0, 32)); };
      for (int n = number(0, 3); n > 0; n--)
        s.standings.push(a, {static_cast<std::int32_t>(any()), static_cast<std::int32_t>(any()), one_in(2), time(), time(), rule(), rule()});
    }
    return s;
  };
  if (h.head) h.owner = make();
  if (h.head && one_in(3)) {
    h.lanes = static_cast<std::uint8_t>(number(0, kMaxLanes + 1));
    h.heat = static_cast<std::uint8_t>(number(h.lanes ? 0 : 1, 256));
  }
  for (int n = number(0, 5); n > 0; n--) h.members.push(a, make());
  if (with_open_ends) {
    for (int n = number(0, 3); n > 0; n--)
      h.included.push(a, *rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::int32_t>()));
  }
  return h;
}

void expect_known(const Subject &x, const Subject &y) {
  for (const Tracker &t : kTrackers) {
    const auto id = static_cast<TrackerId>(&t - kTrackers);
    RC_ASSERT(x.known.has(id) == y.known.has(id));
  }
  RC_ASSERT(x.known.empty() == y.known.empty());
}

TEST(HomeLaws, IsReadAsItWasWritten) {
  check("decode(encode(h)) == h", rc::check([] {
          Arena a;
          const Home h = any_home(a);
          const Milestones where = any_place();
          const std::string stored(encode(a, h, where));
          const std::optional<Home> back = decode(a, stored);
          RC_ASSERT(back.has_value());
          RC_ASSERT(back->head == h.head && back->depth == h.depth && back->lanes == h.lanes && back->heat == h.heat && back->members.size == h.members.size);
          const auto same = [&](const Subject &x, const Subject &y) {
            Subject kept = copy_of(a, y);
            if (where == Milestones::apart) kept.milestones.clear();
            RC_ASSERT(canonical(a, x) == canonical(a, kept));
            RC_ASSERT(std::equal(x.standings.begin(), x.standings.end(), y.standings.begin(), y.standings.end()));
            RC_ASSERT(x.first_seen == y.first_seen && x.last_seen == y.last_seen && x.events == y.events);
            expect_known(x, y);
            if (where == Milestones::apart) RC_ASSERT(x.newest_known == y.newest_known);
            for (const FirstTime &m : x.milestones) RC_ASSERT(m.at <= x.newest_known);
            for (const DecayedSum &d : x.decays) RC_ASSERT(y.decay(d.tracker)->sum == d.sum);
          };
          if (h.head) same(back->owner, h.owner);
          for (std::uint32_t i = 0; i < h.members.size; i++) same(back->members[i], h.members[i]);
          RC_ASSERT(std::equal(h.included.begin(), h.included.end(), back->included.begin(), back->included.end()));
          RC_ASSERT(encode(a, *back, where) == stored);
        }));
}

TEST(HomeLaws, MembersThatWereLeftAsleepAreWhatTheyWouldBe) {
  check("asleep", rc::check([] {
          Arena a;
          const std::string stored(encode(a, any_home(a), Milestones::apart));
          std::optional<Home> dozing = decode(a, stored, Members::asleep);
          const std::optional<Home> whole = decode(a, stored);
          RC_ASSERT(dozing.has_value() && whole.has_value());
          RC_ASSERT(encode(a, *dozing, Milestones::apart) == stored);
          for (std::uint32_t i = 0; i < whole->members.size; i++) {
            if (*rc::gen::arbitrary<bool>()) continue; // some wake, some don't
            Subject &s = dozing->members[i];
            RC_ASSERT(wake(a, s) && wake(a, s));
            RC_ASSERT(canonical(a, s) == canonical(a, whole->members[i]));
            expect_known(s, whole->members[i]);
          }
          RC_ASSERT(encode(a, *dozing, Milestones::apart) == stored);
        }));
}

TEST(HomeLaws, AMemberThatIsDamagedDoesNotWake) {
  check("damaged", rc::check([] {
          Arena a;
          Home h;
          (void)h.members.push(a, subject_of(a, any_folds(20))).settle(a, kTrackers);
          std::optional<Home> dozing = decode(a, encode(a, h, Milestones::apart), Members::asleep);
          RC_ASSERT(dozing.has_value());
          Subject &s = dozing->members[0];
          s.asleep.remove_suffix(1 + *rc::gen::inRange<std::size_t>(0, s.asleep.size() - 1));
          RC_ASSERT(!wake(a, s));
        }));
}

TEST(HomeLaws, WhatIsReadCanBeMergedWithoutTouchingWhatIsStored) {
  check("borrowed", rc::check([] {
          Arena a;
          const Home h = any_home(a);
          const std::string stored(encode(a, h, any_place())), before = stored;
          std::optional<Home> back = decode(a, stored);
          RC_ASSERT(back.has_value());
          (void)back->owner.merge(a, kTrackers, subject_of(a, any_folds(30)));
          for (Subject &s : back->members) (void)s.merge(a, kTrackers, subject_of(a, any_folds(30)));
          RC_ASSERT(stored == before);
          RC_ASSERT(decode(a, encode(a, *back)).has_value());
        }));
}

TEST(HomeLaws, TimesMayLieAtTheEndsOfTheDatabasesRange) {
  constexpr Micros kOldest = -211'813'488'000 * kSecond, kNewest = 9'223'371'331'200 * kSecond - 1;
  Arena a;
  Home h;
  h.head = true;
  for (Micros at : {kNewest, Micros{0}, kOldest}) {
    h.owner.fold_seen(at);
    h.owner.fold_milestone(a, 1, at, "x");
    h.owner.fold_decay(a, 2, kTrackers[2].half_life, at, 1, "x");
    h.owner.fold_steps(a, 3, kTrackers[3].funnel, at, 1);
    h.owner.fold_steps(a, 7, kTrackers[7].funnel, at == 0 ? kOldest : kNewest, 1);
    const std::string stored(encode(a, h));
    const std::optional<Home> back = decode(a, stored);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(canonical(a, back->owner), canonical(a, h.owner));
  }
}

TEST(HomeLaws, EveryCutIsRefused) {
  check("truncated", rc::check([] {
          Arena a;
          const std::string stored(encode(a, any_home(a), any_place()));
          for (std::size_t n = 0; n < stored.size(); n++) {
            const std::string cut = stored.substr(0, n); // of its own, so that a sanitizer sees where it ends
            RC_ASSERT(!decode(a, cut));
          }
          RC_ASSERT(!decode(a, stored + '\0'));
        }));
}

void look_at(Arena &a, const Vec<FirstTime> &milestones) {
  for (const FirstTime &m : milestones) (void)event_id_text(m.event());
  const std::string again(encode_milestones(a, milestones));
  const auto back = decode_milestones(a, again);
  RC_ASSERT(back.has_value());
  RC_ASSERT(encode_milestones(a, *back) == again);
}

// Everything that only looks, over a state that somebody may have damaged.
void look_at(Arena &a, const Home &h) {
  const auto look = [&](const Subject &s) {
    (void)canonical(a, s);
    Subject c = copy_of(a, s);
    (void)c.settle(a, kTrackers);
    for (const FunnelState &f : c.funnels) {
      if (f.tracker < std::size(kTrackers)) (void)f.funnel.read(kTrackers[f.tracker].funnel);
    }
    for (const DecayedSum &d : c.decays) (void)d.sum.read(kHour, d.newest);
    look_at(a, c.milestones);
  };
  look(h.owner);
  for (const Subject &s : h.members) look(s);
}

std::string damaged(std::string bad) {
  const std::string stored = bad;
  for (int k = number(1, 4); k > 0; k--) {
    const std::size_t at = number<std::size_t>(0, bad.size());
    switch (number(0, 5)) {
    case 0: bad[at] = *rc::gen::element('\0', '\1', '\x7f', '\x80', '\xff'); break;
    case 1: bad[at] = static_cast<char>(bad[at] ^ 1 << number(0, 8)); break;
    case 2: bad.erase(at, number<std::size_t>(1, 9)); break;
    case 3:
      bad.insert(at, number<std::size_t>(1, 9),
                 *rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<char>()));
      break;
    case 4: bad.insert(at, stored.substr(number<std::size_t>(0, stored.size()), 20)); break;
    }
    if (bad.empty()) bad = "x";
  }
  return bad;
}

TEST(HomeLaws, DamagedBytesAreRefusedOrHarmless) {
  check("mutated", rc::check([] {
          Arena a;
          const std::string stored(encode(a, any_home(a), any_place()));
          for (int i = 0; i < 50; i++) {
            const std::string bad = damaged(stored);
            const std::optional<Home> h = decode(a, bad);
            if (!h) continue;
            look_at(a, *h);
            for (const Milestones where : {Milestones::inside, Milestones::apart}) {
              const std::string again(encode(a, *h, where)); // whatever it says, it can be written, and read again
              const std::optional<Home> back = decode(a, again);
              RC_ASSERT(back.has_value());
              RC_ASSERT(encode(a, *back, where) == again);
            }
          }
        }));
}

TEST(MilestoneLaws, DamagedBytesAreRefusedOrHarmless) {
  check("mutated milestones", rc::check([] {
          Arena a;
          const std::string stored(encode_milestones(a, subject_of(a, any_folds(60)).milestones));
          for (std::size_t n = 0; n < stored.size(); n++) {
            const std::string cut = stored.substr(0, n);
            RC_ASSERT(!decode_milestones(a, cut));
          }
          RC_ASSERT(!decode_milestones(a, stored + '\0'));
          for (int i = 0; i < 50; i++) {
            const std::string bad = damaged(stored);
            if (const auto milestones = decode_milestones(a, bad)) look_at(a, *milestones);
          }
        }));
}

TEST(HomeLaws, AnyBytesAreRefusedOrHarmless) {
  check("random", rc::check([](const std::string &bytes) {
          Arena a;
          for (const std::string &s :
               {bytes, std::string("\xa7\x01") + bytes, std::string("\xa7\x01\x01\x03", 4) + bytes,
                std::string("\xa7\x01\x03\x00\x01", 5) + bytes, std::string("\xa7\x01\x00\x00\x01", 5) + bytes,
                std::string("\xa7\x01\x02\x00\x01", 5) + bytes, std::string("\xa8\x01") + bytes}) {
            if (const std::optional<Home> h = decode(a, s)) look_at(a, *h);
            if (const auto milestones = decode_milestones(a, s)) look_at(a, *milestones);
          }
        }));
}

TEST(HomeLaws, AnUpdateChangesTheFrontOnly) {
  check("hot first", rc::check([] {
          // A later event of known kinds leaves the cold part, byte for byte, where it was counted from the end.
          Arena a;
          Home h = any_home(a, false);
          if (!h.head) h.owner = subject_of(a, any_folds(25));
          h.head = true;
          Subject &s = h.owner;
          (void)s.settle(a, kTrackers);
          const Milestones where = any_place();
          const std::string before(encode(a, h, where));
          s.last_seen += kDay;
          s.events++;
          s.fold_decay(a, 2, 7 * kDay, 100 * kDay, 1, "later");
          const std::string after(encode(a, h, where));
          Writer w(a);
          w.string(s.id.view());
          w.i64(s.first_seen);
          const std::size_t cold = before.rfind(std::string(w.view()));
          RC_ASSERT(cold != std::string::npos);
          RC_ASSERT(after.ends_with(before.substr(cold)));
        }));
}

TEST(HomeLaws, ASplitMovesAMemberToOneOfTwoParts) {
  check("parts", rc::check([](const std::string &user) {
          RC_ASSERT(member_part(user, 0) == 0u);
          for (std::uint8_t d = 1; d <= kMaxHomeDepth; d++) {
            const std::uint32_t part = member_part(user, d), half = std::uint32_t{1} << (d - 1);
            RC_ASSERT(part >= 1 && part <= 2 * half);
            if (d > 1) RC_ASSERT((part - 1) % half == member_part(user, static_cast<std::uint8_t>(d - 1)) - 1);
          }
        }));
}

// --- batches, against a model that keeps every event -----------------------------------------------------------------

struct Row {
  std::string user, account; // no account: empty
  Micros at = 0;
  int id = 0, kind = 0;
  bool rule = false, members = true;
  double value = 0;
};

const Action kSignup[] = {{Tracker::Kind::milestone, 1, 0, -1, -1}, {Tracker::Kind::funnel, 7, 1, -1, -1}};
const Action kInvite[] = {{Tracker::Kind::milestone, 4, 0, 0, -1}, {Tracker::Kind::funnel, 7, 2, 0, -1}};
const Action kUsage[] = {{Tracker::Kind::decay, 2, 0, -1, -1}, {Tracker::Kind::decay, 6, 0, 0, 0}};
const EventActions kKinds[] = {{kSignup, kUsage}, {kInvite, kSignup}, {kUsage, kInvite}, {{}, {}}};

std::vector<Row> any_rows(int most, int users, int accounts) {
  std::vector<Row> rows;
  const int n = number(0, most + 1);
  for (int i = 0; i < n; i++) {
    Row r;
    if (i > 0 && number(0, 2)) { // bursts
      r = rows.back();
    } else {
      r.user = "u" + std::to_string(number(0, users));
      const int account = number(-1, accounts);
      if (account >= 0)
        r.account = account % 3 ? "acc" + std::to_string(account) : r.user; // an account named like a user
    }
    r.at = number<Micros>(-20, 20) * kHour;
    r.id = number(0, 1000);
    r.kind = number(0, 4);
    r.rule = one_in(2);
    r.members = !one_in(5);
    r.value = number(0, 6) ? number(-9, 10) : std::nan("");
    rows.push_back(r);
  }
  return rows;
}

void fold(Batch &b, const Row &r) {
  const bool rules[] = {r.rule};
  const double values[] = {r.value};
  const EventId id = EventId::of_int(r.id);
  // Views that do not outlive the call.
  const std::string user = r.user, account = r.account, bytes(id.view());
  b.fold({user, account, !account.empty(), r.at, bytes, rules, values}, kKinds[r.kind], r.members);
}

struct Model {
  Micros first = kNever, last = kAlways;
  std::int64_t events = 0;
  std::map<TrackerId, std::pair<Micros, int>> milestones;           // smallest (time, id)
  std::map<TrackerId, std::vector<std::pair<Micros, double>>> sums; // all of them
  std::map<TrackerId, std::pair<Micros, int>> newest;               // greatest (time, id)
  std::map<TrackerId, std::map<Micros, std::uint32_t>> funnels;
};

using Key = std::pair<std::string, std::string>; // home, and member or "" for the owner

std::map<Key, Model> model_of(const std::vector<Row> &rows) {
  std::map<Key, Model> out;
  for (const Row &r : rows) {
    const auto take = [&](Model &m, std::span<const Action> actions) {
      if (r.members) {
        m.first = std::min(m.first, r.at);
        m.last = std::max(m.last, r.at);
        m.events++;
      }
      for (const Action &x : actions) {
        if (x.rule == 0 && !r.rule) continue;
        const std::pair<Micros, int> which{r.at, r.id};
        if (x.kind == Tracker::Kind::milestone) {
          const auto at = m.milestones.emplace(x.tracker, which).first;
          at->second = std::min(at->second, which);
        } else if (x.kind == Tracker::Kind::funnel) {
          m.funnels[x.tracker][r.at] |= x.steps;
        } else if (x.value < 0 || !std::isnan(r.value)) {
          m.sums[x.tracker].emplace_back(r.at, x.value < 0 ? 1 : r.value);
          const auto at = m.newest.emplace(x.tracker, which).first;
          at->second = std::max(at->second, which);
        }
      }
    };
    const EventActions &what = kKinds[r.kind];
    if (r.account.empty()) {
      take(out[{"u:" + r.user, ""}], what.on_user);
    } else {
      take(out[{"a:" + r.account, ""}], what.on_account);
      take(out[{"a:" + r.account, r.user}], what.on_user);
    }
  }
  return out;
}

void expect_same(const Subject &s, const Model &m) {
  RC_ASSERT(s.first_seen == m.first && s.last_seen == m.last && s.events == m.events);
  RC_ASSERT(s.milestones.size == m.milestones.size());
  for (const auto &[t, which] : m.milestones) {
    RC_ASSERT(s.milestone(t) != nullptr);
    RC_ASSERT(s.milestone(t)->at == which.first);
    RC_ASSERT(event_id_text(s.milestone(t)->event()) == std::to_string(which.second));
  }
  RC_ASSERT(s.decays.size == m.sums.size());
  for (const auto &[t, values] : m.sums) {
    const DecayedSum *d = s.decay(t);
    RC_ASSERT(d != nullptr);
    RC_ASSERT(d->newest == m.newest.at(t).first);
    RC_ASSERT(event_id_text(d->event.view()) == std::to_string(m.newest.at(t).second));
    long double expected = 0, size = 0;
    for (const auto &[at, v] : values) {
      const long double part =
          v * exp2l(static_cast<long double>(at - d->newest) / static_cast<long double>(kTrackers[t].half_life));
      expected += part;
      size += std::fabs(part);
    }
    RC_ASSERT(std::fabs(d->sum.read(kTrackers[t].half_life, d->newest) - expected) <= 1e-9L * size + 1e-9L);
  }
  RC_ASSERT(s.funnels.size == m.funnels.size());
  for (const auto &[t, instants] : m.funnels) {
    const FunnelState *f = s.funnel(t);
    RC_ASSERT(f != nullptr);
    RC_ASSERT(f->funnel.kept.size == instants.size()); // not settled yet
    std::size_t i = 0;
    for (const auto &[at, steps] : instants) {
      RC_ASSERT(f->funnel.kept[i].at == at && f->funnel.kept[i].steps == steps);
      i++;
    }
  }
}

TEST(BatchLaws, KeepsWhatAModelKeeps) {
  check("model", rc::check([] {
          const std::vector<Row> rows = any_rows(120, *rc::gen::element(3, 40), *rc::gen::element(2, 30));
          Arena a;
          Batch b(a, kTrackers);
          for (const Row &r : rows) fold(b, r);
          const std::map<Key, Model> model = model_of(rows);
          RC_ASSERT(b.events() == rows.size());
          std::set<Key> seen;
          std::string before;
          std::map<std::string, Micros> newest;
          for (const Row &r : rows) {
            Micros &at = newest.emplace(r.account.empty() ? "u:" + r.user : "a:" + r.account, kAlways).first->second;
            at = std::max(at, r.at);
          }
          for (const HomeDelta *d : b.sorted()) {
            const std::string key(d->key);
            RC_ASSERT(before < key);
            before = key;
            RC_ASSERT(d->newest == newest.at(key));
            RC_ASSERT(d->home.head && d->home.owner.id.view() == home_id(key));
            expect_same(d->home.owner, model.at({key, ""}));
            seen.insert({key, ""});
            for (const Subject &s : d->home.members) {
              const Key member{key, std::string(s.id.view())};
              RC_ASSERT(seen.insert(member).second);
              expect_same(s, model.at(member));
            }
          }
          RC_ASSERT(seen.size() == model.size());
        }));
}

using States = std::map<std::string, std::string>;

// What a number of batches give when they are merged one after the other, and whether every merge was exact.
std::pair<States, bool> merged(const std::vector<std::vector<Row>> &batches, bool through_storage) {
  Arena a;
  std::map<std::string, Subject> all;
  bool exact = true;
  for (const std::vector<Row> &rows : batches) {
    Batch b(a, kTrackers);
    for (const Row &r : rows) fold(b, r);
    const auto take = [&](const std::string &key, const Subject &s) {
      Subject &mine = all[key];
      mine.id = s.id;
      exact &= mine.merge(a, kTrackers, s);
      if (!through_storage) return;
      Home h;
      h.head = true;
      h.owner = mine;
      mine = decode(a, encode(a, h)).value().owner;
    };
    for (const HomeDelta *d : b.sorted()) {
      take(std::string(d->key), d->home.owner);
      for (const Subject &s : d->home.members) take(std::string(d->key) + "/" + std::string(s.id.view()), s);
    }
  }
  States out;
  for (const auto &[key, s] : all) out[key] = std::string(canonical(a, s));
  return {out, exact};
}

TEST(BatchLaws, AnyOrderAndAnyNumberOfBatchesGiveTheSameSubjects) {
  int exact = 0;
  check("batches", rc::check([&] {
          const std::vector<Row> rows = any_rows(100, 12, 5);
          const auto [expected, sure] = merged({rows}, false);
          RC_ASSERT(sure);
          std::vector<std::vector<Row>> batches(number<std::size_t>(1, 9));
          for (const Row &r : shuffled(rows)) batches[number<std::size_t>(0, batches.size())].push_back(r);
          const auto [got, certain] = merged(batches, one_in(2));
          if (!certain) return;
          exact++;
          RC_ASSERT(got == expected);
        }));
  EXPECT_GT(exact, 20);
}

TEST(BatchLaws, ManyHomesAndMembersDoNotGetInEachOthersWay) {
  // Enough that the table grows several times; ids of every length around a word.
  constexpr int kAccounts = 700, kUsers = 25;
  const auto account = [](int i) { return std::string(static_cast<std::size_t>(i % 19), 'a') + std::to_string(i); };
  const auto user = [](int i) { return std::string(static_cast<std::size_t>(i % 17), 'u') + std::to_string(i); };
  Arena a;
  Batch b(a, kTrackers);
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < kAccounts; i++) {
      for (int u = 0; u < kUsers; u += 1 + i % 3) fold(b, {user(u), account(i), i * kHour, u, 2, true, true, 1});
      if (i % 2) fold(b, {account(i), "", i * kHour, 1, 2, true, true, 1}); // a person with the account's id
    }
  }
  EXPECT_EQ(b.size(), static_cast<std::size_t>(kAccounts + kAccounts / 2));
  for (int i = 0; i < kAccounts; i++) {
    const HomeDelta &h = b.home(true, account(i));
    const int members = (kUsers + i % 3) / (1 + i % 3);
    ASSERT_EQ(h.home.members.size, static_cast<std::uint32_t>(members)) << i;
    ASSERT_EQ(h.home.owner.events, 2 * members) << i;
    for (const Subject &s : h.home.members) ASSERT_EQ(s.events, 2);
    if (i % 2) {
      ASSERT_EQ(b.home(false, account(i)).home.owner.events, 2);
    }
  }
  EXPECT_EQ(b.size(), static_cast<std::size_t>(kAccounts + kAccounts / 2)); // looking made none
}

TEST(Batch, IdsLongerThanAnyBufferAreKeptWhole) {
  Arena a;
  Batch b(a, kTrackers);
  const std::string stem(1000, 'x');
  for (const std::string &id :
       {stem + "1", stem + "2", stem.substr(0, 253), stem.substr(0, 254), stem.substr(0, 255), stem}) {
    for (int i = 0; i < 2; i++) {
      fold(b, {id, id, kDay, 1, 0, true, true, 1});
      fold(b, {id, "", kDay, 1, 0, true, true, 1});
    }
    EXPECT_EQ(b.home(true, id).home.members.size, 1u);
    EXPECT_EQ(b.home(true, id).home.members[0].events, 2);
    EXPECT_EQ(b.home(false, id).home.owner.events, 2);
  }
  EXPECT_EQ(b.size(), 12u);
}

TEST(Batch, EmptyIdsAreIdsToo) {
  Arena a;
  Batch b(a, kTrackers);
  const bool rules[] = {true};
  const double values[] = {1};
  b.fold({"", "", true, 0, "", rules, values}, kKinds[2]);
  b.fold({"", "", false, 0, "", rules, values}, kKinds[2]);
  b.fold({"", "", true, 0, "", rules, values}, kKinds[2]);
  ASSERT_EQ(b.size(), 2u);
  EXPECT_EQ(b.sorted()[0]->key, "a:");
  EXPECT_EQ(b.sorted()[0]->home.members[0].events, 2);
}

// Several sources are folded into one batch, each with its base in between.
TEST(BatchLaws, OtherHomesMayBeTouchedBetweenTwoEvents) {
  check("interleaved", rc::check([] {
          const std::vector<Row> rows = any_rows(60, 4, 3);
          Arena a;
          Batch quiet(a, kTrackers), busy(a, kTrackers);
          const int members = number(1, 40);
          for (const Row &r : rows) {
            fold(quiet, r);
            fold(busy, r);
            const int which = number(0, 3);
            if (which == 0) {
              HomeDelta &other = busy.home(true, "other");
              for (int i = 0; i < members; i++) busy.user(other, "m" + std::to_string(i));
            } else if (which == 1) {
              Home base;
              base.head = true;
              for (int i = 0; i < members; i++) {
                Subject s;
                s.id.assign(a, "m" + std::to_string(i));
                base.members.push(a, s);
              }
              busy.add("a:base", base);
            }
          }
          for (HomeDelta *d : quiet.sorted()) {
            HomeDelta &same = busy.home(is_account_home(d->key), home_id(d->key));
            RC_ASSERT(canonical(a, same.home.owner) == canonical(a, d->home.owner));
            RC_ASSERT(same.home.members.size == d->home.members.size);
            for (std::uint32_t i = 0; i < d->home.members.size; i++)
              RC_ASSERT(canonical(a, same.home.members[i]) == canonical(a, d->home.members[i]));
          }
        }));
}

TEST(BatchLaws, ABaseAndLaterEventsGiveTheWhole) {
  check("sealed", rc::check([] {
          std::vector<Row> rows = any_rows(60, 6, 3);
          std::stable_sort(rows.begin(), rows.end(), [](const Row &x, const Row &y) { return x.at < y.at; });
          const std::size_t sealed = rows.empty() ? 0 : number<std::size_t>(0, rows.size());
          Arena a;
          Batch whole(a, kTrackers), old(a, kTrackers), rest(a, kTrackers);
          for (const Row &r : rows) fold(whole, r);
          for (std::size_t i = 0; i < sealed; i++) fold(old, rows[i]);
          const bool base_first = one_in(2);
          const auto add_bases = [&] {
            for (HomeDelta *d : old.sorted()) {
              (void)d->home.owner.settle(a, kTrackers);
              for (Subject &s : d->home.members) (void)s.settle(a, kTrackers);
              const std::string key(d->key);
              rest.add(key, decode(a, encode(a, d->home)).value());
            }
          };
          if (base_first) add_bases();
          for (std::size_t i = sealed; i < rows.size(); i++) fold(rest, rows[i]);
          if (!base_first) add_bases();
          RC_ASSERT(rest.size() == whole.size());
          for (HomeDelta *d : whole.sorted()) {
            HomeDelta &same = rest.home(is_account_home(d->key), home_id(d->key));
            const auto compare = [&](Subject &x, Subject &y) {
              RC_ASSERT(x.settle(a, kTrackers));
              if (y.settle(a, kTrackers)) RC_ASSERT(canonical(a, x) == canonical(a, y));
            };
            compare(d->home.owner, same.home.owner);
            RC_ASSERT(same.home.members.size == d->home.members.size);
            for (Subject &s : d->home.members) compare(s, *same.home.member(s.id.view()));
          }
        }));
}

} // namespace
} // namespace pql
