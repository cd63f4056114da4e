// What is stored on disk, byte for byte: homes, parts of members, ids of events.
// Law: never to be changed without a new version that still reads this one.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "core/base/event_id.hpp"
#include "core/state/home.hpp"

namespace pql {
namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (char c : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

TEST(StoredForm, OfPartsOfMembers) {
  struct {
    const char *user;
    std::array<std::uint32_t, 4> parts; // at depth 1, 3, 6, 14
  } const known[] = {{"", {1, 3, 35, 12515}},
                     {"a", {2, 6, 30, 12702}},
                     {"ada", {2, 2, 10, 11274}},
                     {"user1", {1, 3, 19, 4371}},
                     {"ada.kim@northwind.example", {2, 8, 16, 5328}},
                     {"\xc3\xbcser-\xc3\x9f", {2, 4, 36, 13540}},
                     {"00000000-0000-0000-0000-000000000001", {1, 3, 19, 4307}}};
  for (const auto &k : known) {
    EXPECT_EQ(member_part(k.user, 1), k.parts[0]) << k.user;
    EXPECT_EQ(member_part(k.user, 3), k.parts[1]) << k.user;
    EXPECT_EQ(member_part(k.user, 6), k.parts[2]) << k.user;
    EXPECT_EQ(member_part(k.user, kMaxHomeDepth), k.parts[3]) << k.user;
  }
}

TEST(StoredForm, OfEventIds) {
  const auto number = [](std::int64_t v) { return hex(EventId::of_int(v).view()); };
  EXPECT_EQ(number(0), "1100");
  EXPECT_EQ(number(255), "11ff");
  EXPECT_EQ(number(256), "120100");
  EXPECT_EQ(number(-1), "0fff");
  EXPECT_EQ(number(-256), "0f00");
  EXPECT_EQ(number(-257), "0efeff");
  EXPECT_EQ(number(INT64_MAX), "187fffffffffffffff");
  EXPECT_EQ(number(INT64_MIN), "088000000000000000");
  EXPECT_EQ(hex(EventId::of_text("ev").view()), "746576");
  EXPECT_EQ(hex(EventId::of_text("").view()), "74");
  const unsigned char uuid[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255};
  EXPECT_EQ(hex(EventId::of_uuid(uuid).view()), "75000102030405060708090a0b0c0d0eff");
  const EventId exact = EventId::of_text(std::string(EventId::kMax, 'x'));
  EXPECT_EQ(event_id_text(exact.view()), std::string(EventId::kMax, 'x'));
  EXPECT_EQ(exact.size, EventId::kMax + 1);
}

TEST(StoredForm, OfTheEmptyHomes) {
  Arena a;
  Home part;
  EXPECT_EQ(hex(encode(a, part)), "a701"
                                  "00"
                                  "00"
                                  "00"
                                  "00");
  Home head;
  head.head = true;
  head.depth = 14;
  EXPECT_EQ(hex(encode(a, head)), "a701" // magic, version
                                  "01"   // a head
                                  "0e"   // depth
                                  "00"   // members
                                  "0000000000000080" "00" "00"    // last seen, events, decayed sums
                                  "00" "ffffffffffffff7f" "00" "00" // id, first seen, milestones, funnels
                                  "00"   // open
                                  "00"); // included
}

TEST(StoredForm, OfAHomeWithEverything) {
  const FunnelSpec steps{3, true, 1000};
  Arena a;
  Home h;
  h.head = true;
  h.depth = 1;
  h.owner.id.assign(a, "acme");
  h.owner.fold_seen(100);
  h.owner.fold_seen(300);
  h.owner.fold_milestone(a, 200, 90, EventId::of_int(5).view());
  h.owner.fold_decay(a, 2, kSecond, 0, 1.5, "d");
  h.owner.fold_decay(a, 2, kSecond, -1, -1, "c");
  h.owner.fold_steps(a, 3, steps, -5, 1);
  h.owner.fold_steps(a, 3, steps, 20, 2);
  h.owner.open.push(a, 7);
  h.included.push(a, -3);
  Subject member;
  member.id.assign(a, "ada");
  h.members.push(a, member);
  EXPECT_EQ(hex(encode(a, h)), "GOLDEN");
  const std::string stored(encode(a, h));
  const auto back = decode(a, stored);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->owner.id.view(), "acme");
  EXPECT_EQ(back->owner.events, 2);
  EXPECT_EQ(back->owner.first_seen, 100);
  EXPECT_EQ(back->owner.last_seen, 300);
  EXPECT_EQ(event_id_text(back->owner.milestone(200)->event.view()), "5");
  EXPECT_EQ(back->owner.milestone(200)->at, 90);
  EXPECT_EQ(back->owner.decay(2)->sum, h.owner.decay(2)->sum);
  EXPECT_EQ(back->owner.decay(2)->newest, 0);
  EXPECT_EQ(back->owner.funnel(3)->funnel.read(steps).level, 2);
  EXPECT_TRUE(back->owner.is_open(7) && !back->owner.is_open(8));
  EXPECT_TRUE(back->includes(-3) && !back->includes(3));
  ASSERT_NE(back->member("ada"), nullptr);
  EXPECT_EQ(back->member("eve"), nullptr);
}

TEST(StoredForm, OfAFunnelThatFoldedOrFinished) {
  const FunnelSpec steps{2, true, 10};
  Arena a;
  Subject folded, finished;
  for (int i = 0; i < 18; i++) folded.fold_steps(a, 1, steps, i * 100, 1);
  const Tracker trackers[] = {{}, {Tracker::Kind::funnel, 0, steps}};
  EXPECT_TRUE(folded.settle(a, trackers));
  EXPECT_EQ(folded.funnel(1)->funnel.kept.size, 16u);
  EXPECT_EQ(folded.funnel(1)->funnel.floor, 100);
  EXPECT_EQ(folded.funnel(1)->funnel.sweep[0], 100);
  EXPECT_EQ(folded.funnel(1)->funnel.sweep[1], kAlways);
  EXPECT_EQ(folded.funnel(1)->funnel.best, (FunnelLevel{1, 1, 0, 0}));
  finished.fold_steps(a, 1, steps, 0, 1);
  finished.fold_steps(a, 1, steps, 10, 2);
  finished.fold_steps(a, 1, steps, 11, 1);
  EXPECT_TRUE(finished.settle(a, trackers));
  EXPECT_EQ(hex(canonical(a, finished)), "FINISHED");
}

TEST(StoredForm, OfAnotherVersionIsRefused) {
  Arena a;
  Home h;
  h.head = true;
  const std::string good(encode(a, h));
  ASSERT_TRUE(decode(a, good).has_value());
  for (const auto &[at, value] : {std::pair{0u, '\0'}, {0u, '\xa6'}, {1u, '\0'}, {1u, '\2'}, {2u, '\2'}, {3u, '\xf'}}) {
    std::string bad = good;
    bad[at] = value;
    EXPECT_FALSE(decode(a, bad).has_value()) << at;
  }
  EXPECT_FALSE(decode(a, good + "x").has_value());
  EXPECT_FALSE(decode(a, {}).has_value());
}

} // namespace
} // namespace pql
