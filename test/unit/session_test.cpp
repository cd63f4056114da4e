// Sessions: where one ends, what they come to, and room that is used up.
#include "core/session/session.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/flat.hpp"

namespace pql {
namespace {

using Found = std::vector<Session>;

Found sessions(SessionSpec spec, const std::vector<Micros> &instants) {
  FlatSessions f(spec);
  for (Micros at : instants) f.add(at);
  return f.tidy();
}

TEST(Session, AnInstantWithinTheGapBelongsToIt) {
  const SessionSpec spec{10, 0};
  EXPECT_EQ(sessions(spec, {}), Found{});
  EXPECT_EQ(sessions(spec, {5}), (Found{{5, 5, 1}}));
  EXPECT_EQ(sessions(spec, {0, 10, 20}), (Found{{0, 20, 3}}));
  EXPECT_EQ(sessions(spec, {0, 11}), (Found{{0, 0, 1}, {11, 11, 1}}));
  EXPECT_EQ(sessions(spec, {7, 7, 7}), (Found{{7, 7, 3}}));
}

TEST(Session, WhatComesLateMayJoinTwo) {
  const SessionSpec spec{10, 0};
  EXPECT_EQ(sessions(spec, {0, 20, 10}), (Found{{0, 20, 3}}));
  EXPECT_EQ(sessions(spec, {0, 20, 9}), (Found{{0, 9, 2}, {20, 20, 1}}));
  EXPECT_EQ(sessions(spec, {20, 0, 10}), (Found{{0, 20, 3}}));
  EXPECT_EQ(sessions(spec, {100, 50, 0, 95, 5}), (Found{{0, 5, 2}, {50, 50, 1}, {95, 100, 2}}));
}

TEST(Session, WithoutAGapOnlyEqualInstantsAreTogether) {
  EXPECT_EQ(sessions({0, 0}, {1, 2, 1}), (Found{{1, 1, 2}, {2, 2, 1}}));
}

TEST(Session, InstantsMayLieFurtherApartThanANumberSays) {
  const Micros first = kAlways + 1, last = kNever - 1;
  EXPECT_EQ(sessions({kNever, 0}, {last, first}), (Found{{first, first, 1}, {last, last, 1}}));
  EXPECT_EQ(sessions({kNever, 0}, {last, first, 0}), (Found{{first, last, 3}}));
  EXPECT_EQ(totals_of({kNever, 0}, Found{{first, last, 3}}), (SessionTotals{1, ~std::uint64_t{0} - 2}));
}

TEST(Session, ShortOnesAreKeptButNotTold) {
  const SessionSpec spec{10, 8};
  const Found all = sessions(spec, {0, 7, 100, 108, 200, 209, 300});
  EXPECT_EQ(all.size(), 4u);
  EXPECT_EQ(totals_of(spec, all), (SessionTotals{2, 17}));
  ASSERT_NE(longest_of(spec, all), nullptr);
  EXPECT_EQ(*longest_of(spec, all), (Session{200, 209, 2}));
  EXPECT_EQ(longest_of({10, 10}, all), nullptr);
  EXPECT_EQ(longest_of({10, 0}, {}), nullptr);
}

TEST(Session, OfEquallyLongOnesTheEarliestIsTheLongest) {
  const Found all = sessions({10, 0}, {0, 5, 100, 105});
  EXPECT_EQ(*longest_of({10, 0}, all), all[0]);
}

TEST(Session, RoomIsForSessionsNotForInstants) {
  FlatSessions f({10, 0});
  for (Micros at = 0; at < 100'000; at += 10) f.add(at);
  EXPECT_EQ(f.room.size(), kSessionWords);
  for (int round = 0; round < 10'000; round++) f.add((round * 7919) % 50 * 1'000'000); // fifty, over and over
  EXPECT_LE(f.room.size(), 128 * kSessionWords);
}

TEST(Session, AloneAnInstantTakesAThirdOfTheRoom) {
  SessionHead head{{10, 0}};
  std::vector<Micros> room(8);
  Sessions set(head, room);
  for (const Micros at : {0, 100, 300, 200, 205, 196}) EXPECT_TRUE(set.add(at)); // one session of three, and three alone
  EXPECT_EQ(head.size, 1u);
  EXPECT_EQ(head.loose, 3u);
  EXPECT_TRUE(set.add(400));
  EXPECT_TRUE(set.add(500));
  EXPECT_FALSE(set.add(600));
  EXPECT_FALSE(set.add(505)); // makes a session, which takes two words more
  EXPECT_TRUE(set.add(210));  // but this needs none
  EXPECT_FALSE(set.tidy(allocate));
  std::vector<Micros> wider(36);
  set.move_to(wider);
  Sessions all(head, wider);
  EXPECT_TRUE(all.tidy(allocate));
  const Found found(all.all().begin(), all.all().end());
  EXPECT_EQ(found, (Found{{0, 0, 1}, {100, 100, 1}, {196, 210, 4}, {300, 300, 1}, {400, 400, 1}, {500, 500, 1}}));
}

TEST(Session, OnlyTheTidyFormIsOne) {
  const SessionSpec spec{10, 0};
  EXPECT_TRUE(is_tidy(spec, {}));
  EXPECT_TRUE(is_tidy(spec, Found{{0, 10, 2}, {21, 21, 1}}));
  EXPECT_FALSE(is_tidy(spec, Found{{0, 10, 2}, {20, 20, 1}})); // within the gap
  EXPECT_FALSE(is_tidy(spec, Found{{20, 20, 1}, {0, 0, 1}}));
  EXPECT_FALSE(is_tidy(spec, Found{{0, 11, 2}})); // longer than two instants reach
  EXPECT_FALSE(is_tidy(spec, Found{{0, 1, 1}}));
  EXPECT_FALSE(is_tidy(spec, Found{{0, 0, 0}}));
  EXPECT_FALSE(is_tidy(spec, Found{{1, 0, 5}}));
  EXPECT_FALSE(is_tidy(spec, Found{{kAlways, kAlways, 1}}));
  EXPECT_FALSE(is_tidy(spec, Found{{kNever, kNever, 1}}));
  EXPECT_FALSE(is_tidy({-1, 0}, Found{}));
  EXPECT_FALSE(is_tidy({0, -1}, Found{}));
}

TEST(Session, CountsThatSomebodyMadeUpDoNotOverflow) {
  FlatSessions f({10, 0});
  f.add(Session{0, 10, kNever});
  f.add(Session{5, 15, kNever});
  EXPECT_EQ(f.tidy(), (Found{{0, 15, kNever}}));
}

TEST(MovingSessions, LeaveAtOneEndAndEnterAtTheOther) {
  MovingSessions m({10, 5});
  for (Micros at : {0, 8, 30, 34, 60, 66}) m.push(at, allocate);
  EXPECT_EQ(m.totals(), (SessionTotals{2, 14})); // the one of 4 is too short
  EXPECT_TRUE(m.pop(0));
  EXPECT_EQ(m.totals(), (SessionTotals{1, 6}));
  EXPECT_TRUE(m.pop(8));
  EXPECT_EQ(m.size(), 2u);
  EXPECT_EQ(m[0], (Session{30, 34, 2}));
  EXPECT_FALSE(m.pop(34));
}

TEST(MovingSessions, GiveUpWhenNotInOrder) {
  MovingSessions m({10, 0});
  m.push(5, allocate);
  m.push(4, allocate);
  EXPECT_FALSE(m.ascending());
  EXPECT_FALSE(m.pop(5));
  ASSERT_EQ(m.instants(), 2u);
  EXPECT_EQ(m.instant(1), 4);
}

} // namespace
} // namespace pql
