// What writers of deferred sources leave: read as it was written, byte for byte the same, and refused when it is damaged.
#include "core/state/deferred.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pql {
namespace {

using Kind = DeferredRecord::Kind;

DeferredRecord event(std::string_view user, std::string_view account, std::string_view name, Micros at) {
  DeferredRecord r;
  r.user = user;
  r.account = account;
  r.has_account = !account.empty();
  r.event = name;
  r.at = r.arrived = at;
  r.id = "17";
  return r;
}

bool same(const DeferredRecord &a, const DeferredRecord &b) {
  return a.kind == b.kind && a.user == b.user && a.has_account == b.has_account && a.account == b.account && a.workspace == b.workspace && a.event == b.event &&
         a.id == b.id && a.at == b.at && a.arrived == b.arrived && a.has_properties == b.has_properties && a.own_done == b.own_done &&
         a.workspace_done == b.workspace_done && a.text == b.text && a.count == b.count;
}

std::vector<DeferredRecord> some() {
  std::vector<DeferredRecord> all;
  all.push_back(event("ada", "acme", "signup", 1'700'000'000'000'000));
  all.push_back(event("ben", "acme", "work", 1'700'000'000'000'001));
  all.back().has_properties = all.back().own_done = true;
  all.push_back(event("ada", {}, "work", -5));
  all.back().workspace = "web";
  all.back().arrived = 99;
  all.back().workspace_done = true;
  all.back().id = {};
  all.push_back({.kind = Kind::touched, .has_account = true, .user = "ada", .account = "ada", .at = 7});
  all.push_back({.kind = Kind::home, .text = "a:acme"});
  all.push_back({.kind = Kind::truncated});
  all.push_back({.kind = Kind::unusable, .text = "user missing", .count = 300});
  return all;
}

TEST(Deferred, IsReadAsItWasWritten) {
  Arena a;
  DeferredWriter w(a);
  EXPECT_TRUE(w.empty());
  for (const DeferredRecord &r : some()) w.add(r);
  EXPECT_EQ(w.events(), 4u);
  DeferredReader reader(a, w.view());
  DeferredRecord r;
  for (const DeferredRecord &wanted : some()) {
    ASSERT_TRUE(reader.next(r));
    EXPECT_TRUE(same(r, wanted));
  }
  EXPECT_FALSE(reader.next(r));
  EXPECT_TRUE(reader.ok());
}

TEST(Deferred, TakesFewBytesOfWhatComesAgain) {
  Arena a;
  DeferredWriter w(a);
  for (int i = 0; i < 1000; i++) w.add(event(i % 2 ? "a user with a long name" : "another one", "an account with a long name", "an_event", i * 1'000'000));
  EXPECT_LT(w.size(), 13'000u);
  Arena b;
  DeferredWriter many(b); // more words than are remembered
  for (int i = 0; i < 3000; i++) many.add(event("user " + std::to_string(i % 1000), "acme", "work", i));
  DeferredReader reader(a, many.view());
  DeferredRecord r;
  for (int i = 0; i < 3000; i++) {
    ASSERT_TRUE(reader.next(r));
    ASSERT_EQ(r.user, "user " + std::to_string(i % 1000));
  }
}

TEST(Deferred, StartsOver) {
  Arena a;
  DeferredWriter w(a);
  w.add(event("ada", "acme", "work", 1));
  const std::string first(w.view());
  a.reset();
  w.start_over();
  w.add(event("ada", "acme", "work", 1));
  EXPECT_EQ(w.view(), first);
}

// Rows may wait while the extension is updated.
TEST(Deferred, StoredForm) {
  Arena a;
  DeferredWriter w(a);
  w.add(event("u", "a", "e", 3));
  w.add(event("u", "a", "e", 2));
  EXPECT_EQ(w.view(), std::string_view("\xa9\x01\x08\x00\x01u\x00\x01"
                                       "a\x06\x00\x01"
                                       "e\x00\x02"
                                       "17"
                                       "\x08\x01\x02\x01\x03\x00\x02"
                                       "17",
                                       26));
}

TEST(Deferred, RefusesWhatIsDamaged) {
  Arena a;
  DeferredWriter w(a);
  for (const DeferredRecord &r : some()) w.add(r);
  const std::string whole(w.view());
  const auto reads = [](std::string_view body) {
    Arena own;
    DeferredReader reader(own, body);
    DeferredRecord r;
    while (reader.next(r)) {
    }
    return reader.ok();
  };
  EXPECT_FALSE(reads(""));
  EXPECT_FALSE(reads("\xa9"));
  EXPECT_FALSE(reads("\xa9\x02"));
  std::size_t ends = 0;
  for (std::size_t n = 2; n < whole.size(); n++) ends += reads(std::string_view(whole).substr(0, n));
  EXPECT_EQ(ends, some().size()); // nothing, or whole records
  std::string other = whole;
  other[2] = 5; // a kind that there isn't
  EXPECT_FALSE(reads(other));
  other[2] = '\x0a'; // a home with the flag of an account
  EXPECT_FALSE(reads(other));
}

} // namespace
} // namespace pql
