// Subjects, homes and batches: one state whatever the order, and a stored form that survives hostile bytes.
// covers: S3-12, S3-4
#include "core/state/delta.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/base/event_id.hpp"
#include "core/base/instant.hpp"

namespace pql {
namespace {

const Tracker kTrackers[] = {{},
                             {Tracker::Kind::milestone, 0, {}},
                             {Tracker::Kind::decay, 7 * kDay, {}},
                             {Tracker::Kind::funnel, 0, {3, true, 5 * kDay}},
                             {Tracker::Kind::milestone, 0, {}}};

const Action kUser[] = {{Tracker::Kind::milestone, 1, 0, -1, -1}, {Tracker::Kind::milestone, 4, 0, 0, -1}};
const Action kAccount[] = {{Tracker::Kind::decay, 2, 0, -1, 0}, {Tracker::Kind::funnel, 3, 1, -1, -1}};
const Action kAccountNext[] = {{Tracker::Kind::funnel, 3, 2, -1, -1}};
const Action kAccountLast[] = {{Tracker::Kind::funnel, 3, 4, -1, -1}};

struct Row {
  std::string user, account;
  Micros at;
  int id, kind;
};

std::vector<Row> random_rows(std::mt19937_64 &random, int n) {
  std::vector<Row> rows;
  for (int i = 0; i < n; i++) {
    const auto u = random() % 40;
    rows.push_back({"user" + std::to_string(u), u % 5 ? "account" + std::to_string(u % 4) : "",
                    static_cast<Micros>(random() % 1000) * kHour, i, static_cast<int>(random() % 3)});
  }
  return rows;
}

const EventActions kWhat[] = {{kUser, kAccount}, {kUser, kAccountNext}, {{}, kAccountLast}};

template <class F>
void with_event(const Row &r, F &&f) {
  const bool rules[] = {r.id % 3 == 0};
  const double values[] = {static_cast<double>(r.id % 11)};
  const EventId id = EventId::of_int(r.id);
  f(Event{r.user, r.account, !r.account.empty(), r.at, id.view(), rules, values});
}

void fold(Batch &b, const Row &r) {
  with_event(r, [&](const Event &e) { b.fold(e, kWhat[r.kind]); });
}

using State = std::map<std::string, std::string>;

State state_of(Arena &a, Batch &b) {
  State out;
  for (HomeDelta *d : b.sorted()) {
    EXPECT_TRUE(d->home.owner.settle(a, kTrackers));
    out[std::string(d->key)] = canonical(a, d->home.owner);
    for (Subject &s : d->home.members) {
      EXPECT_TRUE(s.settle(a, kTrackers));
      out[std::string(d->key) + "/" + std::string(s.id.view())] = canonical(a, s);
    }
  }
  return out;
}

TEST(Batch, AnyOrderGivesTheSameState) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 50; round++) {
    std::vector<Row> rows = random_rows(random, 400);
    Arena a;
    Batch first(a, kTrackers), second(a, kTrackers);
    for (const Row &r : rows) fold(first, r);
    std::shuffle(rows.begin(), rows.end(), random);
    for (const Row &r : rows) fold(second, r);
    EXPECT_EQ(state_of(a, first), state_of(a, second));
  }
}

TEST(Batch, AnyBatchingGivesTheSameStateOrSaysThatItCanNot) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 50; round++) {
    const std::vector<Row> rows = random_rows(random, 120);
    Arena a;
    Batch whole(a, kTrackers);
    for (const Row &r : rows) fold(whole, r);
    std::map<std::string, Subject> merged;
    std::map<std::string, bool> exact;
    for (std::size_t at = 0; at < rows.size();) {
      Batch part(a, kTrackers);
      const std::size_t end = std::min(rows.size(), at + 1 + random() % 20);
      for (; at < end; at++) fold(part, rows[at]);
      for (HomeDelta *d : part.sorted()) {
        const auto take = [&](const std::string &key, const Subject &s) {
          Subject &mine = merged[key];
          mine.id = s.id;
          exact.emplace(key, true).first->second &= mine.merge(a, kTrackers, s);
        };
        take(std::string(d->key), d->home.owner);
        for (const Subject &s : d->home.members) take(std::string(d->key) + "/" + std::string(s.id.view()), s);
      }
    }
    for (const auto &[key, state] : state_of(a, whole)) {
      if (exact[key]) {
        EXPECT_EQ(std::string(canonical(a, merged[key])), state);
      }
    }
  }
}

TEST(Batch, AWorkspaceHasAHomeOfItsOwn) {
  const Tracker trackers[] = {{}, {Tracker::Kind::milestone, 0, {}}, {Tracker::Kind::latest, 0, {}, {MarksKind::latest, 1, 0, 0}}};
  const Action does[] = {{Tracker::Kind::milestone, 1, 0, -1, -1}, {Tracker::Kind::latest, 2, 0, -1, -1, true}};
  Arena a;
  Batch b(a, trackers);
  const EventId id = EventId::of_int(7);
  const auto fold = [&](std::string_view user, std::string_view account, Micros at, bool members) {
    b.fold_workspace(Event{user, account, !account.empty(), at, id.view(), {}, {}, "x"}, does, members);
  };
  fold("ann", "acme", 5, true);
  fold("bob", "bolt", 3, true);
  fold("ann", "", 9, true); // of no account
  fold("eve", "core", 4, false);
  ASSERT_EQ(b.size(), 1u);
  const HomeDelta &d = *b.sorted()[0];
  EXPECT_EQ(d.key, "w:x");
  EXPECT_EQ(unit_of_home(d.key), Unit::workspace);
  EXPECT_EQ(&b.home("w:x"), &d);
  EXPECT_NE(&b.home(Unit::account, "x"), &d);
  EXPECT_EQ(d.home.owner.events, 3);
  EXPECT_EQ(d.home.owner.milestones[0].at, 3);
  EXPECT_EQ(d.home.owner.marks_of(2)->event.view(), "acme");
  ASSERT_EQ(d.home.members.size, 2u);
  EXPECT_EQ(d.home.member("ann")->events, 2);
  EXPECT_TRUE(d.home.member("ann")->milestones.empty());
  const std::optional<Home> again = decode(a, encode(a, d.home));
  ASSERT_TRUE(again);
  EXPECT_EQ(canonical(a, again->owner), canonical(a, d.home.owner));
}

TEST(Batch, ASubjectAloneBecomesWhatItsHomesMakeOfIt) {
  std::mt19937_64 random(3);
  const std::vector<Row> rows = random_rows(random, 400);
  Arena a;
  Batch homes(a, kTrackers), nobody(a, kTrackers);
  Subject account, user;
  account.id = Bytes::borrow("account1");
  user.id = Bytes::borrow("user20"); // who is in no account
  for (const Row &r : rows) {
    fold(homes, r);
    with_event(r, [&](const Event &e) {
      if (r.account == "account1") nobody.fold_into(account, Unit::account, e, kWhat[r.kind]);
      if (r.user == "user20") nobody.fold_into(user, Unit::user, e, kWhat[r.kind]);
    });
  }
  State whole = state_of(a, homes);
  EXPECT_TRUE(account.settle(a, kTrackers) && user.settle(a, kTrackers));
  EXPECT_EQ(canonical(a, account), whole["a:account1"]);
  EXPECT_EQ(canonical(a, user), whole["u:user20"]);
  EXPECT_EQ(nobody.size(), 0u);
}

TEST(Batch, APersonWithoutAnAccountIsAHomeOfItsOwn) {
  Arena a;
  Batch b(a, kTrackers);
  fold(b, {"ada", "", kDay, 1, 0});
  fold(b, {"ada", "acme", kDay, 2, 0});
  ASSERT_EQ(b.size(), 2u);
  EXPECT_EQ(b.sorted()[0]->key, "a:acme");
  EXPECT_EQ(b.sorted()[1]->key, "u:ada");
  EXPECT_EQ(b.sorted()[1]->home.members.size, 0u);
  EXPECT_EQ(b.events(), 2u);
}

Home some_home(Arena &a, int members) {
  static std::mt19937_64 random(3);
  Batch b(a, kTrackers);
  for (int i = 0; i < members * 9; i++)
    fold(b, {"member" + std::to_string(i % members), "acme", static_cast<Micros>(random() % 500) * kHour - 100 * kDay, i, i % 3});
  Home h = b.sorted()[0]->home;
  h.depth = 3;
  h.owner.standings.push(a, {.program = 7});
  h.included.push(a, 12);
  (void)h.owner.settle(a, kTrackers);
  for (Subject &s : h.members) (void)s.settle(a, kTrackers);
  return h;
}

TEST(Home, IsReadAsItWasWritten) {
  Arena a;
  const Home h = some_home(a, 20);
  const auto back = decode(a, encode(a, h));
  ASSERT_TRUE(back);
  EXPECT_EQ(encode(a, *back), encode(a, h));
  EXPECT_EQ(canonical(a, back->owner), canonical(a, h.owner));
  EXPECT_EQ(back->members.size, h.members.size);
  EXPECT_TRUE(back->owner.is_open(7));
  EXPECT_TRUE(back->includes(12));
  EXPECT_EQ(back->depth, 3);
}

TEST(Home, DamagedBytesAreRefusedNotRead) {
  Arena a;
  const std::string good(encode(a, some_home(a, 4)));
  for (std::size_t n = 0; n < good.size(); n++) EXPECT_FALSE(decode(a, std::string_view(good).substr(0, n))) << n;
  std::mt19937_64 random(4);
  for (int round = 0; round < 20'000; round++) {
    std::string bad = good;
    for (int i = 0; i < 3; i++) bad[random() % bad.size()] = static_cast<char>(random());
    if (const auto h = decode(a, bad)) (void)encode(a, *h); // whatever it says, it can be written
    if (round % 1000 == 0) a.reset();
  }
}

TEST(Home, PartsOfMembersAreStored) {
  EXPECT_EQ(member_part("ada", 0), 0u);
  std::map<std::uint32_t, int> spread;
  for (int i = 0; i < 8000; i++) spread[member_part("user" + std::to_string(i), 3)]++;
  ASSERT_EQ(spread.size(), 8u);
  EXPECT_EQ(spread.begin()->first, 1u);
  for (const auto &[part, n] : spread) EXPECT_NEAR(n, 1000, 150);
  // A split keeps what lies together together: the deeper part is the shallower one, or that plus its size.
  for (int i = 0; i < 100; i++) {
    const std::string u = "user" + std::to_string(i);
    EXPECT_EQ((member_part(u, 4) - 1) & 7, member_part(u, 3) - 1);
  }
  EXPECT_EQ(member_part("ada.kim@northwind.example", 6), member_part("ada.kim@northwind.example", 6));
}

// Stored: where a member lies must be the same for ever.
TEST(Home, PartsOfMembersAreTheOnesThatWereStored) {
  struct {
    const char *user;
    std::uint32_t parts[4]; // at depths 1, 3, 6 and the deepest
  } const known[] = {{"", {1, 3, 35, 12515}},
                     {"a", {2, 6, 30, 12702}},
                     {"ada.kim@northwind.example", {2, 8, 16, 5328}},
                     {"\xc3\xbcser-\xc3\x9f", {2, 4, 36, 13540}},
                     {"00000000-0000-0000-0000-000000000001", {1, 3, 19, 4307}}};
  for (const auto &k : known) {
    EXPECT_EQ(member_part(k.user, 0), 0u) << k.user;
    EXPECT_EQ(member_part(k.user, 1), k.parts[0]) << k.user;
    EXPECT_EQ(member_part(k.user, 3), k.parts[1]) << k.user;
    EXPECT_EQ(member_part(k.user, 6), k.parts[2]) << k.user;
    EXPECT_EQ(member_part(k.user, kMaxHomeDepth), k.parts[3]) << k.user;
  }
}

// A funnel keeps instants above its floor only, ascending: anything else would be folded twice.
TEST(Home, InstantsBelowAFunnelsFloorAreRefused) {
  const auto is_read = [](Micros floor, std::initializer_list<Micros> kept) {
    Arena a;
    Home h;
    h.head = true;
    FunnelState &f = h.owner.funnels.push(a, {{}, 3});
    f.funnel.floor = floor;
    if (floor != kAlways) f.funnel.sweep.push(a, kAlways);
    for (Micros at : kept) f.funnel.kept.push(a, {at, 1});
    return decode(a, encode(a, h)).has_value();
  };
  EXPECT_TRUE(is_read(kAlways, {-5, 0, 7}));
  EXPECT_TRUE(is_read(100, {101, 102}));
  EXPECT_FALSE(is_read(100, {100, 102}));
  EXPECT_FALSE(is_read(100, {-1}));
  EXPECT_FALSE(is_read(100, {101, 101}));
  EXPECT_FALSE(is_read(100, {102, 101}));
  EXPECT_FALSE(is_read(-100, {-100}));
}

TEST(Home, KnownMilestonesBeyondAllTrackersAreRefused) {
  Arena a;
  Home h;
  h.head = true;
  h.owner.first_seen = 0;
  h.owner.note(a, 9, 5);
  const std::string good(encode(a, h, Milestones::apart));
  const std::string known("\1\2\1", 3); // one byte of bits, and where it lies
  const std::size_t at = good.find(known);
  ASSERT_NE(at, good.npos);
  ASSERT_TRUE(decode(a, good));
  EXPECT_TRUE(decode(a, good)->owner.known.has(9));
  const std::size_t length = good.rfind(std::string("\0\0\0\0\0\0\0\0\0", 9), at) - 1; // before the id and first seen
  const auto is_read = [&](const std::string &first) {
    std::string s = std::string(good).replace(at + 2, 1, first);
    s[length] = static_cast<char>(s[length] + first.size() - 1);
    return decode(a, s).has_value();
  };
  EXPECT_TRUE(is_read("\xff\x3f"));  // 8,191
  EXPECT_FALSE(is_read("\x80\x40")); // 8,192
  EXPECT_FALSE(is_read("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
}

TEST(EventId, SortsAsItsValuesDo) {
  const std::vector<std::int64_t> values = {INT64_MIN, INT64_MIN + 1, -65'537, -65'536, -256, -255, -2, -1, 0, 1, 127, 128,
                                            255, 256, 65'535, 65'536, 1'000'000'007, INT64_MAX - 1, INT64_MAX};
  for (std::size_t i = 0; i < values.size(); i++) {
    EXPECT_EQ(event_id_text(EventId::of_int(values[i]).view()), std::to_string(values[i]));
    for (std::size_t j = 0; j < values.size(); j++)
      EXPECT_EQ(EventId::of_int(values[i]).view() < EventId::of_int(values[j]).view(), values[i] < values[j]);
  }
  EXPECT_EQ(event_id_text(EventId::of_text("evt-1").view()), "evt-1");
  EXPECT_EQ(event_id_text({}), "");
  const unsigned char uuid[16] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(event_id_text(EventId::of_uuid(uuid).view()), "12345678-9abc-def0-0102-030405060708");
}

TEST(Instant, PrintsCalendarDays) {
  EXPECT_EQ(print_instant(0), "2000-01-01T00:00:00Z");
  EXPECT_EQ(print_instant(59 * kDay), "2000-02-29T00:00:00Z");
  EXPECT_EQ(print_instant(-1), "1999-12-31T23:59:59.999999Z");
  EXPECT_EQ(print_instant(827'280'000 * kSecond + 500'000), "2026-03-20T00:00:00.5Z");
  EXPECT_EQ(print_instant(kNever), "infinity");
  EXPECT_EQ(print_instant(kAlways), "-infinity");
}

} // namespace
} // namespace pql
