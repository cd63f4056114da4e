// Which milestones are known of a subject, whether they are here or kept apart, and which occurrences are news.
// covers: S3-7, S3-12
#include "core/state/subject.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <set>
#include <string>

#include "core/state/home.hpp"

namespace pql {
namespace {

constexpr TrackerId kLast = 65'535;

std::set<int> members(const TrackerSet &s) {
  std::set<int> out;
  for (int t = 0; t <= kLast; t++) {
    if (s.has(static_cast<TrackerId>(t))) out.insert(t);
  }
  return out;
}

TrackerSet set_of(Arena &a, std::initializer_list<TrackerId> trackers) {
  TrackerSet s;
  for (TrackerId t : trackers) s.add(a, t);
  return s;
}

// The form with milestones apart of a subject that knows these.
std::string stored(Arena &a, const TrackerSet &known, Micros newest = 0) {
  Home h;
  h.head = true;
  h.owner.known = known;
  h.owner.newest_known = newest;
  return std::string(encode(a, h, Milestones::apart));
}

TEST(TrackerSet, HasWhatWasAddedWhereverItLies) {
  Arena a;
  TrackerSet s;
  EXPECT_TRUE(s.empty());
  EXPECT_TRUE(members(s).empty());
  std::set<int> expected;
  // In the middle, below and above it, at the edges of bytes and of words, at both ends; some twice.
  for (int t : {1000, 1001, 1007, 1008, 999, 960, 959, 1023, 1024, 1000, 64, 63, 65, 0, 7, 8, 65'535, 65'528, 65'527, 30'000, 0}) {
    expected.insert(t);
    s.add(a, static_cast<TrackerId>(t));
    ASSERT_EQ(members(s), expected) << t;
  }
}

TEST(TrackerSet, StartsWhereItsFirstTrackerLies) {
  for (int t : {0, 1, 63, 64, 127, 4'000, 65'535}) {
    Arena a;
    const TrackerSet s = set_of(a, {static_cast<TrackerId>(t)});
    EXPECT_EQ(members(s), std::set<int>{t});
    EXPECT_LE(s.bits.size, 8u);
    EXPECT_LE(s.first + s.bits.size, 8'192u);
  }
}

TEST(TrackerSet, TakesInAnother) {
  Arena a;
  const std::initializer_list<TrackerId> some[] = {{}, {5}, {700, 5'000}, {0, kLast}, {699, 701, 64}};
  for (const auto &x : some) {
    for (const auto &y : some) {
      TrackerSet s = set_of(a, x);
      const TrackerSet o = set_of(a, y);
      s.add(a, o);
      std::set<int> expected(x.begin(), x.end());
      EXPECT_EQ(members(o), std::set<int>(y.begin(), y.end()));
      expected.insert(y.begin(), y.end());
      EXPECT_EQ(members(s), expected);
      s.add(a, s);
      EXPECT_EQ(members(s), expected);
    }
  }
}

TEST(TrackerSet, ACopyOfASubjectHasItsOwn) {
  Arena a;
  Subject s;
  s.note(a, 300, 5);
  Subject copy = copy_of(a, s);
  copy.note(a, 301, 9); // fits in the bytes that are there
  copy.note(a, 2, 1);
  EXPECT_EQ(members(copy.known), (std::set<int>{2, 300, 301}));
  EXPECT_EQ(members(s.known), std::set<int>{300});
  EXPECT_EQ(copy.newest_known, 9);
  EXPECT_EQ(s.newest_known, 5);
  const Subject taken = copy_of(a, s);
  s.note(a, 1, 7); // outgrows the bytes that they share
  EXPECT_EQ(members(s.known), (std::set<int>{1, 300}));
  EXPECT_EQ(members(taken.known), std::set<int>{300});
  EXPECT_EQ(taken.newest_known, 5);
}

TEST(TrackerSet, WhatIsBorrowedIsNeverWritten) {
  Arena a;
  const std::string bytes = stored(a, set_of(a, {300, 330})), before = bytes;
  std::optional<Home> h = decode(a, bytes);
  ASSERT_TRUE(h.has_value());
  h->owner.note(a, 310, 1); // between the two
  EXPECT_EQ(members(h->owner.known), (std::set<int>{300, 310, 330}));
  EXPECT_EQ(bytes, before);
}

// Equal sets give equal bytes, however they came about: what surrounds them is trimmed.
TEST(TrackerSet, IsStoredInOneForm) {
  Arena a;
  TrackerSet wide = set_of(a, {500, 340, 360});
  const TrackerSet once = set_of(a, {340, 360, 500});
  EXPECT_EQ(stored(a, wide), stored(a, once));
  TrackerSet padded;
  padded.bits.assign(a, std::string(200, '\0'));
  padded.add(a, 360);
  padded.add(a, 340);
  padded.add(a, 500);
  EXPECT_EQ(padded.bits.size, 200u);
  EXPECT_EQ(members(padded), members(once));
  EXPECT_EQ(stored(a, padded), stored(a, once));
  padded.bits.assign(a, std::string(64, '\0')); // nobody, in many bytes
  EXPECT_EQ(stored(a, padded, 7), stored(a, {}, kAlways));
  for (const TrackerSet &s : {set_of(a, {0}), set_of(a, {kLast}), set_of(a, {0, kLast}), set_of(a, {7, 8}), once}) {
    const std::string bytes = stored(a, s, -3);
    const std::optional<Home> back = decode(a, bytes);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(members(back->owner.known), members(s));
    EXPECT_EQ(back->owner.newest_known, -3);
    EXPECT_TRUE(back->owner.exists());
    EXPECT_EQ(encode(a, *back, Milestones::apart), bytes);
  }
}

TEST(TrackerSet, IncludesWhatHasNoOtherBits) {
  Arena a;
  const auto set = [&](std::initializer_list<TrackerId> ids) {
    TrackerSet s;
    for (TrackerId t : ids) s.add(a, t);
    return s;
  };
  EXPECT_TRUE(set({}).includes(set({})));
  EXPECT_TRUE(set({3}).includes(set({})));
  EXPECT_FALSE(set({}).includes(set({3})));
  EXPECT_TRUE(set({3, 200, 65'535}).includes(set({200})));
  EXPECT_TRUE(set({3, 200, 65'535}).includes(set({3, 65'535})));
  EXPECT_FALSE(set({200}).includes(set({3, 200}))); // below the first
  EXPECT_FALSE(set({200}).includes(set({200, 201})));
  EXPECT_FALSE(set({200}).includes(set({200, 2'000}))); // past the last
}

TEST(Subject, KnowsAllOfADeltaThatIsLaterAndBringsNoOther) {
  Arena a;
  Subject mine;
  mine.fold_milestone(a, 1, 10, "a");
  mine.fold_milestone(a, 2, 20, "b");
  const auto delta = [&](Micros at, TrackerId t) {
    Subject d;
    d.fold_seen(at);
    d.fold_milestone(a, t, at, "c");
    return d;
  };
  EXPECT_TRUE(mine.knows_all(delta(21, 1)));
  EXPECT_FALSE(mine.knows_all(delta(21, 3)));
  EXPECT_FALSE(mine.knows_all(delta(20, 2))); // the same time: the smaller id counts
  EXPECT_FALSE(mine.knows_all(delta(15, 2)));
  Subject stated; // a milestone without an event that was seen
  stated.fold_milestone(a, 2, 5, "z");
  EXPECT_FALSE(mine.knows_all(stated));
}

TEST(TrackerSet, AreNotReadPastTheLastTracker) {
  const auto is_read = [](std::string_view bits, std::uint64_t first) {
    Arena a;
    Writer w(a);
    w.raw("\xa7\x01\x03\0\0", 5); // a head, milestones apart, no members
    w.raw("\0\0\0\0\0\0\0\0\0\0", 10); // no sums; last seen, events
    const std::size_t cold = w.begin();
    w.raw("\0\0\0\0\0\0\0\0\0", 9); // id, first seen
    w.string(bits);
    w.varint(first);
    w.raw("\0\0", 2); // the newest, funnels
    w.end(cold);
    w.raw("\0\0", 2); // open, included
    return decode(a, w.view()).has_value();
  };
  EXPECT_TRUE(is_read("\1", 0));
  EXPECT_TRUE(is_read("\1", 8'191));
  EXPECT_FALSE(is_read("\1", 8'192));
  EXPECT_TRUE(is_read("\1\1", 8'190));
  EXPECT_FALSE(is_read("\1\1", 8'191));
  EXPECT_FALSE(is_read("\1", ~std::uint64_t{0})); // one more is 0
  EXPECT_FALSE(is_read("\1\1", ~std::uint64_t{0}));
  EXPECT_FALSE(is_read(std::string_view("\0\1", 2), 0)); // not trimmed
  EXPECT_FALSE(is_read(std::string_view("\1\0", 2), 0));
  EXPECT_TRUE(is_read(std::string(8'192, '\1'), 0));
  EXPECT_FALSE(is_read(std::string(8'193, '\1'), 0));
}

TEST(News, AreOccurrencesOfWhatIsNotKnown) {
  Arena a;
  Subject s;
  EXPECT_FALSE(s.exists());
  EXPECT_FALSE(s.knows(1, 100));
  FirstTime *const m = s.news_of(a, 1, 100, "b");
  ASSERT_NE(m, nullptr);
  *m = FirstTime::of(1, 100, "b");
  EXPECT_TRUE(s.exists());
  EXPECT_TRUE(s.known.has(1));
  EXPECT_EQ(s.newest_known, 100);
  EXPECT_NE(s.news_of(a, 2, 500, "b"), nullptr); // another milestone, however late
}

TEST(News, AreNotLaterOccurrencesNorThoseOfAGreaterId) {
  Arena a;
  Subject s;
  s.fold_milestone(a, 1, 100, "m");
  EXPECT_TRUE(s.knows(1, 101));
  EXPECT_FALSE(s.knows(1, 100)); // its id decides
  EXPECT_FALSE(s.knows(2, 101));
  EXPECT_EQ(s.news_of(a, 1, 101, ""), nullptr);
  EXPECT_EQ(s.news_of(a, 1, kNever, "a"), nullptr);
  EXPECT_EQ(s.news_of(a, 1, 100, "m"), nullptr);
  EXPECT_EQ(s.news_of(a, 1, 100, "n"), nullptr);
  EXPECT_EQ(s.news_of(a, 1, 100, "mm"), nullptr);
  EXPECT_EQ(s.newest_known, 100);
  ASSERT_NE(s.news_of(a, 1, 100, "l"), nullptr);
  EXPECT_EQ(s.milestones.size, 1u);
  s.fold_milestone(a, 1, 100, "l");
  s.fold_milestone(a, 1, 100, std::string("\x01\xff", 2));
  EXPECT_EQ(s.milestone(1)->event(), std::string("\x01\xff", 2));
  s.fold_milestone(a, 1, 100, ""); // the shortest
  EXPECT_EQ(s.milestone(1)->event(), "");
  s.fold_milestone(a, 1, 99, "z");
  EXPECT_EQ(s.milestone(1)->event(), "z");
  EXPECT_EQ(s.milestone(1)->at, 99);
  EXPECT_EQ(s.milestones.size, 1u);
}

// Between the earliest and the newest that is known, the milestone itself decides.
TEST(News, AreLookedAtMilestoneByMilestone) {
  Arena a;
  Subject s;
  s.fold_milestone(a, 1, 100, "m");
  s.fold_milestone(a, 2, 1'000, "m");
  EXPECT_EQ(s.news_of(a, 1, 500, "a"), nullptr);
  EXPECT_NE(s.news_of(a, 2, 500, "z"), nullptr);
  EXPECT_EQ(s.newest_known, 1'000); // none is newer: it need not be the newest one
}

// A milestone that is kept apart is not here to compare with: unless it is later than all, whoever asks has to look.
TEST(News, OfWhatIsKeptApartAreAllThatMayBeEarlier) {
  Arena a;
  Subject s;
  s.note(a, 1, 100);
  s.note(a, 2, 50);
  EXPECT_EQ(s.newest_known, 100);
  EXPECT_TRUE(s.exists());
  EXPECT_EQ(s.news_of(a, 1, 101, ""), nullptr);
  EXPECT_EQ(s.news_of(a, 2, 101, ""), nullptr);
  s.fold_milestone(a, 2, 100, "z");
  ASSERT_NE(s.milestone(2), nullptr);
  s.fold_milestone(a, 2, 100, "zz");
  EXPECT_EQ(s.milestones.size, 1u);
  EXPECT_EQ(s.milestone(2)->event(), "z");
  EXPECT_EQ(s.milestone(1), nullptr);
}

TEST(News, OfSubjectsThatWereReadAreTheSame) {
  Arena a;
  Home h;
  h.head = true;
  h.owner.fold_milestone(a, 1, 100, "m");
  h.owner.fold_milestone(a, 9, 300, "m");
  for (const Milestones where : {Milestones::inside, Milestones::apart}) {
    const std::string bytes(encode(a, h, where));
    std::optional<Home> back = decode(a, bytes);
    ASSERT_TRUE(back.has_value());
    Subject &s = back->owner;
    EXPECT_EQ(members(s.known), (std::set<int>{1, 9}));
    EXPECT_EQ(s.newest_known, 300);
    EXPECT_TRUE(s.knows(9, 301));
    EXPECT_EQ(s.news_of(a, 1, 301, ""), nullptr);
    s.fold_milestone(a, 1, 90, "l");
    EXPECT_EQ(s.milestones.size, where == Milestones::inside ? 2u : 1u);
    EXPECT_EQ(s.milestone(1)->at, 90);
  }
}

TEST(Known, IsMerged) {
  Arena a;
  const Tracker trackers[] = {{}, {Tracker::Kind::milestone, 0, {}}, {Tracker::Kind::milestone, 0, {}}};
  Subject s, o;
  s.fold_milestone(a, 1, 100, "m");
  o.note(a, 2, 700);
  EXPECT_TRUE(s.merge(a, trackers, o));
  EXPECT_EQ(members(s.known), (std::set<int>{1, 2}));
  EXPECT_EQ(s.newest_known, 700);
  EXPECT_EQ(s.milestones.size, 1u);
  Subject without;
  EXPECT_TRUE(without.merge_but_milestones(a, trackers, s));
  EXPECT_TRUE(without.known.empty());
  EXPECT_TRUE(without.milestones.empty());
  EXPECT_FALSE(without.exists());
}

} // namespace
} // namespace pql
