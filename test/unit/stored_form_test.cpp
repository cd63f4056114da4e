// What is stored on disk, byte for byte: homes, milestones, ids of events.
// Law: never to be changed without a new version that still reads this one.
#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <tuple>

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
  EXPECT_EQ(hex(encode(a, part)), "a701" // magic, version
                                  "00"   // flags
                                  "00"   // depth
                                  "00"   // members
                                  "00"); // included
  EXPECT_EQ(hex(encode(a, part, Milestones::apart)), "a701"
                                                     "02000000");
  Home head;
  head.head = true;
  head.depth = 14;
  const std::string rest = "0e"                 // depth
                           "00"                 // members
                           "00"                 // decayed sums
                           "000000000000008000" // last seen, events
                           "0b"                 // length of what follows up to the funnels
                           "00ffffffffffffff7f" // id, first seen
                           "00"                 // milestones, or known ones
                           "00"                 // funnels
                           "00"                 // open
                           "00";                // included
  EXPECT_EQ(hex(encode(a, head)), "a70101" + rest);
  EXPECT_EQ(hex(encode(a, head, Milestones::apart)), "a70103" + rest);
}

TEST(StoredForm, TheDepthIsReadAlone) {
  Arena a;
  Home head;
  head.head = true;
  head.depth = 9;
  EXPECT_EQ(depth_of(encode(a, head)), 9);
  EXPECT_EQ(depth_of(encode(a, head).substr(0, 3)), 0) << "cut off";
  EXPECT_EQ(depth_of(""), 0);
  EXPECT_EQ(depth_of("\xa7\x02\x01\x09"), 0) << "another version";
  EXPECT_EQ(depth_of("\xa7\x01\x01\xff"), kMaxHomeDepth) << "damaged";
}

TEST(StoredForm, OfACrowdedHome) {
  Arena a;
  Home head;
  head.head = true;
  const std::string rest(hex(encode(a, head, Milestones::apart)).substr(8));
  head.heat = 17;
  EXPECT_EQ(hex(encode(a, head, Milestones::apart)), "a70107000011" + rest); // flags, depth, lanes, heat
  head.lanes = 8;
  const std::string good(encode(a, head, Milestones::apart));
  EXPECT_EQ(hex(good), "a70107000811" + rest);
  const auto back = decode(a, good);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->lanes, 8);
  EXPECT_EQ(back->heat, 17);
  const auto with = [&](std::size_t at, char value) {
    std::string bad = good;
    bad[at] = value;
    return decode(a, bad).has_value();
  };
  EXPECT_FALSE(with(4, 17)); // more lanes than there may be
  EXPECT_TRUE(with(4, 0));
  EXPECT_TRUE(with(5, 0));
  EXPECT_FALSE(with(2, 6)); // no head
  head.lanes = head.heat = 0;
  std::string neither(encode(a, head, Milestones::apart));
  neither[2] = 7;
  neither.insert(4, 2, '\0');
  EXPECT_FALSE(decode(a, neither).has_value());
}

Home home_with_everything(Arena &a) {
  const FunnelSpec steps{3, true, 1000};
  Home h;
  h.head = true;
  h.depth = 1;
  h.owner.id.assign(a, "acme");
  h.owner.fold_seen(100);
  h.owner.fold_seen(300);
  h.owner.fold_milestone(a, 200, 90, EventId::of_int(5).view());
  h.owner.fold_decay(a, 2, kSecond, 0, 1.5, "d");
  h.owner.fold_decay(a, 2, kSecond, -16 * kSecond, -1, "c");
  h.owner.fold_steps(a, 3, steps, -5, 1);
  h.owner.fold_steps(a, 3, steps, 20, 2);
  h.owner.standings.push(a, {.program = 7, .version = 2, .leaves_at = 5 * kDay});
  h.included.push(a, -3);
  Subject member;
  member.id.assign(a, "ada");
  member.fold_seen(-1);
  h.members.push(a, member);
  return h;
}

TEST(StoredForm, OfAHomeWithEverything) {
  const std::string hot = "0101"                     // depth, members
                          "01020002"                 // the owner's sums: one; tracker, newest block, blocks
                          "06000000008001"           // 1.5 with 40 fractional bits
                          "0800000000000000ff"       // -1 in the middle of the block before, 16 half-lives from its start
                          "00000000000000000164"     // its newest event
                          "00"                       // the member's sums
                          "2c0100000000000002"       // the owner: last seen, events
                          "ffffffffffffffff01";      // the member
  const std::string inside = "01c80113021105";       // milestones: tracker, 10 before first seen, event
  const std::string apart = "01011913";              // known: byte 25, and in it the first bit; 10 before first seen
  const std::string owner = "0461636d65"             // id, after the length
                            "6400000000000000";      // first seen
  const std::string rest = "010300000002"            // funnels: tracker, level, form, no sweep, kept
                           "d101013202"              // 105 before first seen and 25 later, with their steps
                           "0e03616461"              // the member: length, id
                           "ffffffffffffffff0000"    // first seen, milestones, funnels
                           "010e040500e0349564000000" // standings of the owner: program, version, open, when it leaves
                           "00"                       // of the member
                           "0105";                   // included
  Arena a;
  const Home h = home_with_everything(a);
  EXPECT_EQ(hex(encode(a, h)), "a70101" + hot + "1f" + owner + inside + rest);
  EXPECT_EQ(hex(encode(a, h, Milestones::apart)), "a70103" + hot + "1c" + owner + apart + rest);
}

// What was written before standings knew of motions is read as it was.
TEST(StoredForm, OfAStandingWithARow) {
  Arena a;
  Home h;
  h.head = true;
  h.owner.standings.push(a, {.program = 7, .version = 2, .motion = 1});
  h.owner.standings.push(a, {.program = 8, .version = 2, .leaves_at = 5, .motion = 0, .guardrail = 3});
  const std::string stored(encode(a, h));
  EXPECT_NE(hex(stored).find("020e0409" "0200" "10040d" "0500000000000000" "0104"), std::string::npos) << hex(stored);
  const auto back = decode(a, stored);
  ASSERT_TRUE(back.has_value());
  ASSERT_EQ(back->owner.standings.size, 2u);
  EXPECT_EQ(back->owner.standings[0], h.owner.standings[0]);
  EXPECT_EQ(back->owner.standings[1], h.owner.standings[1]);
  std::string bad = stored; // neither a motion nor a guardrail
  bad[bad.size() - 3] = bad[bad.size() - 2] = 0;
  EXPECT_FALSE(decode(a, bad).has_value());
}

TEST(StoredForm, OfAHomeIsReadAsItWasWritten) {
  const FunnelSpec steps{3, true, 1000};
  for (const Milestones where : {Milestones::inside, Milestones::apart}) {
    Arena a;
    const Home h = home_with_everything(a);
    const std::string stored(encode(a, h, where));
    const auto back = decode(a, stored);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->depth, 1);
    EXPECT_EQ(back->owner.id.view(), "acme");
    EXPECT_EQ(back->owner.events, 2);
    EXPECT_EQ(back->owner.first_seen, 100);
    EXPECT_EQ(back->owner.last_seen, 300);
    EXPECT_TRUE(back->owner.known.has(200));
    EXPECT_EQ(back->owner.newest_known, 90);
    EXPECT_EQ(back->owner.decay(2)->sum, h.owner.decay(2)->sum);
    EXPECT_EQ(back->owner.decay(2)->newest, 0);
    EXPECT_EQ(back->owner.decay(2)->event.view(), "d");
    EXPECT_EQ(back->owner.funnel(3)->funnel.read(steps).level, 2);
    EXPECT_TRUE(back->owner.is_open(7) && !back->owner.is_open(8));
    EXPECT_TRUE(back->includes(-3) && !back->includes(3));
    ASSERT_NE(back->member("ada"), nullptr);
    EXPECT_FALSE(back->member("ada")->known.has(200));
    EXPECT_EQ(back->member("eve"), nullptr);
    if (where == Milestones::inside) {
      EXPECT_EQ(event_id_text(back->owner.milestone(200)->event()), "5");
      EXPECT_EQ(back->owner.milestone(200)->at, 90);
    } else {
      EXPECT_EQ(back->owner.milestones.size, 0u);
    }
  }
}

TEST(StoredForm, OfMilestonesThatAreKeptApart) {
  Arena a;
  Subject s;
  EXPECT_EQ(hex(encode_milestones(a, s.milestones)), "a801"             // magic, version
                                                     "0000000000000000" // the time that the others are relative to
                                                     "00");
  s.fold_milestone(a, 200, 90, EventId::of_int(5).view());
  s.fold_milestone(a, 1, 80, "");
  EXPECT_EQ(hex(encode_milestones(a, s.milestones)), "a801"
                                                     "5a0000000000000002" // the first one's time, milestones
                                                     "c80100021105"       // tracker, at that time, event
                                                     "011300");           // tracker, 10 earlier, event
  const std::string stored(encode_milestones(a, s.milestones));
  const std::optional<Vec<FirstTime>> back = decode_milestones(a, stored);
  ASSERT_TRUE(back.has_value());
  ASSERT_EQ(back->size, 2u);
  EXPECT_EQ((*back)[0].tracker, 200);
  EXPECT_EQ((*back)[0].at, 90);
  EXPECT_EQ(event_id_text((*back)[0].event()), "5");
  EXPECT_EQ((*back)[1].tracker, 1);
  EXPECT_EQ((*back)[1].at, 80);
  EXPECT_EQ((*back)[1].event(), "");
}

TEST(StoredForm, OfMilestonesIsRefusedWhenDamaged) {
  Arena a;
  Subject s;
  s.fold_milestone(a, 200, kNever - 1, "an id");
  s.fold_milestone(a, 1, kAlways + 1, "");
  s.fold_milestone(a, 3, 5, std::string(127, 'x'));
  const std::string good(encode_milestones(a, s.milestones));
  ASSERT_TRUE(decode_milestones(a, good).has_value());
  for (std::size_t n = 0; n < good.size(); n++) {
    const std::string cut = good.substr(0, n); // of its own, so that a sanitizer sees where it ends
    EXPECT_FALSE(decode_milestones(a, cut).has_value()) << n;
  }
  EXPECT_FALSE(decode_milestones(a, good + '\0').has_value());
  const auto with = [&](std::size_t at, char value) {
    std::string bad = good;
    bad[at] = value;
    return decode_milestones(a, bad).has_value();
  };
  EXPECT_FALSE(with(0, '\xa7'));
  EXPECT_FALSE(with(1, '\0'));
  EXPECT_FALSE(with(1, '\2'));
  EXPECT_FALSE(with(10, '\2')); // fewer than there are
  EXPECT_FALSE(with(10, '\4')); // more
  EXPECT_FALSE(with(10, '\x7f'));
  EXPECT_FALSE(with(14, '\x7f')); // the first event's length
  Home h;
  h.head = true;
  EXPECT_FALSE(decode(a, good).has_value()); // neither is the other
  EXPECT_FALSE(decode_milestones(a, encode(a, h)).has_value());
}

TEST(StoredForm, OfAFunnelThatFoldedOrFinished) {
  const FunnelSpec steps{2, true, 10};
  const Tracker trackers[] = {{}, {Tracker::Kind::funnel, 0, steps}};
  Arena a;
  Subject folded;
  folded.fold_seen(0);
  for (int i = 0; i < 18; i++) folded.fold_steps(a, 1, steps, i * 100, 1);
  EXPECT_TRUE(folded.settle(a, trackers));
  std::string kept = "900301";                              // 200 after first seen
  for (int i = 0; i < 15; i++) kept += "c80101";            // 100 after the one before
  EXPECT_EQ(hex(canonical(a, folded)), "00"                 // decayed sums
                                       "000000000000000001" // last seen, events
                                       "000000000000000000" // id, first seen
                                       "0001"               // milestones, funnels
                                       "010102"             // tracker, level, form
                                       "010000"             // steps done, started, reached
                                       "c801"               // floor
                                       "0264000000000000000000000000000080" // sweep: the newest first step, no second
                                       "10" + kept);
  Subject finished;
  finished.fold_seen(5);
  finished.fold_steps(a, 1, steps, 0, 1);
  finished.fold_steps(a, 1, steps, 10, 2);
  finished.fold_steps(a, 1, steps, 11, 1);
  EXPECT_TRUE(finished.settle(a, trackers));
  EXPECT_EQ(hex(canonical(a, finished)), "00"
                                         "050000000000000001"
                                         "000500000000000000"
                                         "0001"
                                         "010201"   // tracker, level, form
                                         "03090a"); // steps done, started, reached: all that is left
}

TEST(StoredForm, OfASumIsAsShortAsItCanBe) {
  Arena a;
  const auto stored = [&](__int128 v) {
    Home h;
    h.head = true;
    DecayedSum d{};
    d.sum.started = true;
    d.sum.sum[0] = Wide::of(v);
    h.owner.decays.push(a, d);
    const std::string_view form = encode(a, h);
    const std::optional<Home> back = decode(a, form);
    EXPECT_TRUE(back && back->owner.decays[0].sum.sum[0] == Wide::of(v));
    return hex(form.substr(9, 1 + static_cast<unsigned char>(form[9]))); // behind the header, the list's size, tracker, top and number of blocks
  };
  EXPECT_EQ(stored(0), "00");
  EXPECT_EQ(stored(1), "0101");
  EXPECT_EQ(stored(127), "017f");
  EXPECT_EQ(stored(128), "028000");
  EXPECT_EQ(stored(-1), "01ff");
  EXPECT_EQ(stored(-128), "0180");
  EXPECT_EQ(stored(-129), "027fff");
  for (int k = 0; k < 127; k++) {
    const __int128 power = static_cast<__int128>(1) << k;
    const auto bytes = [&](__int128 v) { return stored(v).size() / 2 - 1; };
    const std::size_t with_sign = static_cast<std::size_t>(k + 1) / 8 + 1, without = static_cast<std::size_t>(k) / 8 + 1;
    EXPECT_EQ(bytes(power), with_sign) << k;
    EXPECT_EQ(bytes(-power - 1), with_sign) << k;
    EXPECT_EQ(bytes(power - 1), k == 0 ? 0 : without) << k;
    EXPECT_EQ(bytes(-power), without) << k;
  }
  constexpr __int128 most = ~(static_cast<__int128>(1) << 127);
  EXPECT_EQ(stored(most), "10ffffffffffffffffffffffffffffff7f");
  EXPECT_EQ(stored(-most - 1), "1000000000000000000000000000000080");
}

// Further off than any time: arithmetic with its blocks would overflow.
TEST(StoredForm, OfASumThatNoTimeHasIsRefused) {
  const auto is_read = [](std::int64_t top) {
    Arena a;
    Home h;
    h.head = true;
    h.owner.fold_decay(a, 2, kMinHalfLife, 0, 1, "e");
    h.owner.decays[0].sum.top = top;
    return decode(a, encode(a, h)).has_value();
  };
  constexpr std::int64_t most = INT64_MAX / (32 * kMinHalfLife) + 1;
  for (std::int64_t top : {std::int64_t{0}, most, -most}) EXPECT_TRUE(is_read(top)) << top;
  for (std::int64_t top : {INT64_MAX, INT64_MIN, INT64_MIN + 3, most * 2}) EXPECT_FALSE(is_read(top)) << top;
}

// Of one subject with one tracker (9): what lies between the number of marks' trackers and when the subject was last seen.
std::string marks(const MarksSpec &spec, std::initializer_list<std::tuple<Micros, const char *, double, const char *>> events) {
  Arena a;
  Home h;
  h.head = true;
  h.owner.id.assign(a, "u");
  for (const auto &[at, user, value, id] : events) h.owner.fold_mark(a, 9, spec, at, *user ? user_key(user) : 0, value, id);
  h.owner.marks[0].marks.settle(spec);
  const std::string stored = hex(encode(a, h, Milestones::apart)), head = "a7010b0000" // magic, version, flags, depth, members
                                                                         "00"         // decayed sums
                                                                         "0109";      // trackers with marks, the first
  const std::string rest = "000000000000008000"                // last seen, events
                           "0c0175ffffffffffffff7f0000" "0000"; // id, first seen, known, funnels; open, included
  EXPECT_EQ(stored.substr(0, head.size()), head);
  EXPECT_EQ(stored.substr(stored.size() - rest.size()), rest);
  return stored.substr(head.size(), stored.size() - head.size() - rest.size());
}

TEST(StoredForm, OfMarks) {
  const std::string day = "0060d71d14000000", later = "e863d71d14000000"; // and a millisecond
  // kind, newest, its event; form, buckets, instants: how far each is from the next
  EXPECT_EQ(marks({MarksKind::window, 1, kDay, 0}, {{kDay, "", 1, "t1"}, {kDay + 1000, "", 1, "t2"}}),
            "00" + later + "027432" "03" "00" "02" "00e807");
  EXPECT_EQ(marks({MarksKind::window, 1, kDay, 0}, {{kDay, "", -2.5, "t1"}, {kDay + 1000, "", 3, "t2"}}),
            "00" + later + "027432" "04" "00" "02" "00" "06000000000003" "00" "e807" "00" "06000000008002");
  // days: bytes, the newest day, bits backwards from it
  EXPECT_EQ(marks({MarksKind::days, 1, 30 * kDay, 0}, {{100 * kDay + 5, "", 1, "t"}, {101 * kDay + 5, "", 1, "t"}, {110 * kDay + 5, "", 1, "t"}}),
            "01" "05408bd2a4080000" "0174" "02" "dc01" "0106");
  // form, how many, each with a key, its end from the one before, and how long before that it began
  EXPECT_EQ(marks({MarksKind::users, 2, kDay, 0}, {{kDay, "ada", 1, "t"}, {kDay + 1000, "ada", 1, "t"}, {kDay + 1, "ben", 1, "t"}}),
            "02" + later + "0174" "18" "02" "c7a232b875c0" "00" "e807" "be7b556157c4" "cd0f" "00");
  EXPECT_EQ(marks({MarksKind::sessions, 1, kDay, kHour}, {{kDay, "", 1, "t"}, {kDay + kMinute, "", 1, "t"}}),
            "03" "00e76a2114000000" "0174" "10" "01" "00" "808ece1c");
  EXPECT_EQ(marks({}, {{kDay, "", 1, "t1"}}), "04" + day + "027431");
}

TEST(StoredForm, OfBuckets) {
  Arena a;
  Home h;
  h.head = true;
  const MarksSpec spec{MarksKind::window, 1, kDay, 0};
  for (int i = 0; i < 67; i++) h.owner.fold_mark(a, 9, spec, kDay + i, 0, 1, "t");
  h.owner.marks[0].marks.settle(spec);
  const std::string stored = hex(encode(a, h));
  // buckets, their width, the number of the first on the grid, its sum; instants
  EXPECT_EQ(stored.substr(16, 52), "00" "4260d71d14000000" "0174" "03" "01" "80f6ba870a" "40" "03" "40" "00" "01010101");
}

TEST(StoredForm, OfAnotherVersionIsRefused) {
  Arena a;
  Home h;
  h.head = true;
  const std::string good(encode(a, h));
  ASSERT_TRUE(decode(a, good).has_value());
  for (const auto &[at, value] : {std::pair{0u, '\0'}, {0u, '\xa6'}, {1u, '\0'}, {1u, '\2'}, {2u, '\4'}, {3u, '\xf'}}) {
    std::string bad = good;
    bad[at] = value;
    EXPECT_FALSE(decode(a, bad).has_value()) << at;
  }
  EXPECT_FALSE(decode(a, good + "x").has_value());
  EXPECT_FALSE(decode(a, {}).has_value());
}

} // namespace
} // namespace pql
