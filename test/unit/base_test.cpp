// The ground that everything stands on: the arena and its containers, and the binary writer and reader.
// Law: an arena's memory is aligned, apart and given back; a reader never leaves its input and stays failed.
#include "core/base/bytes.hpp"
#include "core/base/distance.hpp"

#include <gtest/gtest.h>

#include <climits>
#include <map>
#include <new>
#include <string>
#include <vector>

namespace pql {
namespace {

// Counts what is out, and refuses when told to.
class Counting : public std::pmr::memory_resource {
public:
  std::map<void *, std::size_t> out;
  std::size_t bytes = 0, limit = SIZE_MAX;

private:
  void *do_allocate(std::size_t n, std::size_t align) override {
    if (bytes + n > limit) throw std::bad_alloc();
    void *p = std::pmr::new_delete_resource()->allocate(n, align);
    out[p] = n;
    bytes += n;
    return p;
  }
  void do_deallocate(void *p, std::size_t n, std::size_t align) override {
    ASSERT_EQ(out.at(p), n);
    out.erase(p);
    bytes -= n;
    std::pmr::new_delete_resource()->deallocate(p, n, align);
  }
  bool do_is_equal(const memory_resource &o) const noexcept override { return this == &o; }
};

TEST(Arena, GivesAlignedMemoryThatDoesNotOverlap) {
  Arena a;
  std::vector<std::pair<unsigned char *, std::size_t>> all;
  for (std::size_t n : {1u, 7u, 8u, 9u, 1000u, 1008u, 1009u, 5000u, 3u, 2'000'000u, 1u, 64u}) {
    auto *p = static_cast<unsigned char *>(a.allocate(n));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % 8, 0u);
    std::memset(p, static_cast<int>(all.size() + 1), n);
    all.emplace_back(p, n);
  }
  for (std::size_t i = 0; i < all.size(); i++) {
    for (std::size_t k = 0; k < all[i].second; k++) ASSERT_EQ(all[i].first[k], i + 1);
  }
}

TEST(Arena, GivesEverythingBack) {
  Counting up;
  {
    Arena a(&up);
    for (int i = 0; i < 500; i++) a.allocate(static_cast<std::size_t>(i) * 37);
    EXPECT_EQ(a.used(), up.bytes);
    a.release();
    EXPECT_TRUE(up.out.empty());
    EXPECT_EQ(a.used(), 0u);
    std::memset(a.allocate(10), 1, 10); // and can be used again
  }
  EXPECT_TRUE(up.out.empty());
}

TEST(Arena, ResetKeepsOneChunkAndUsesItAgain) {
  Counting up;
  Arena a(&up);
  a.reset();
  for (int i = 0; i < 100; i++) a.allocate(1000);
  a.reset();
  EXPECT_EQ(up.out.size(), 1u);
  EXPECT_EQ(a.used(), up.bytes);
  const std::size_t kept = up.bytes;
  void *first = a.allocate(100);
  a.reset();
  EXPECT_EQ(a.allocate(100), first);
  a.reset();
  for (std::size_t n = 0; n + 8 + 16 <= kept; n += 8) a.allocate(8); // all of it, and no more than it
  EXPECT_EQ(up.bytes, kept);
  a.allocate(8);
  EXPECT_GT(up.bytes, kept);
}

TEST(Arena, AsksForNothingBeforeItsOwnIsUsedUp) {
  Counting up;
  alignas(8) std::byte own[256];
  Arena a(&up, own);
  for (int turn = 0; turn < 3; turn++) {
    for (int i = 0; i < 32; i++) EXPECT_EQ(a.allocate(8), own + 8 * i);
    EXPECT_TRUE(up.out.empty());
    turn == 1 ? a.release() : a.reset();
  }
  (void)a.allocate(256);
  EXPECT_TRUE(up.out.empty());
  void *const further = a.allocate(1);
  EXPECT_EQ(up.out.size(), 1u);
  a.reset(); // keeps what it had to ask for
  EXPECT_EQ(up.out.size(), 1u);
  EXPECT_EQ(a.allocate(1), further);
  a.release();
  EXPECT_TRUE(up.out.empty());
  EXPECT_EQ(a.allocate(1), static_cast<void *>(own));
}

TEST(Arena, SurvivesMemoryRunningOut) {
  Counting up;
  Arena a(&up);
  auto *p = static_cast<char *>(a.allocate(100));
  std::memset(p, 'x', 100);
  up.limit = up.bytes;
  EXPECT_THROW(a.allocate(100'000), std::bad_alloc);
  EXPECT_EQ(std::string(p, 100), std::string(100, 'x'));
  EXPECT_NE(a.allocate(8), nullptr); // what the chunk still holds
  up.limit = SIZE_MAX;
  EXPECT_NE(a.allocate(100'000), nullptr);
}

TEST(Vec, BehavesAsAVector) {
  Arena a;
  Vec<int> v;
  std::vector<int> model;
  unsigned state = 1;
  for (int i = 0; i < 5000; i++) {
    state = state * 1103515245u + 12345u;
    const std::size_t at = model.empty() ? 0 : (state >> 8) % model.size();
    switch ((state >> 24) % 8) {
    case 0:
      v.insert(a, at, i), model.insert(model.begin() + static_cast<long>(at), i);
      break;
    case 1:
      if (!model.empty()) v.erase(at), model.erase(model.begin() + static_cast<long>(at));
      break;
    case 2:
      if (i % 100 == 0) v.erase_front(at), model.erase(model.begin(), model.begin() + static_cast<long>(at));
      break;
    default:
      v.push(a, i), model.push_back(i);
    }
    ASSERT_EQ(std::vector<int>(v.begin(), v.end()), model);
  }
  v.insert(a, v.size, -1); // at the end
  EXPECT_EQ(v.back(), -1);
  v.clear();
  EXPECT_TRUE(v.empty());
}

TEST(Bytes, AreOverwrittenInPlaceWhileTheyFit) {
  Arena a;
  Bytes b;
  b.assign(a, "twelve bytes");
  const char *where = b.data;
  b.assign(a, "sixteen bytes !!"); // the room was rounded up
  EXPECT_EQ(b.data, where);
  EXPECT_EQ(b.view(), "sixteen bytes !!");
  b.assign(a, "");
  EXPECT_TRUE(b.empty());
  b.assign(a, "seventeen bytes !");
  EXPECT_NE(b.data, where);
  EXPECT_EQ(b.view(), "seventeen bytes !");
}

TEST(Bytes, NeverWriteWhereTheyBorrow) {
  Arena a;
  const std::string owned = "somebody else's";
  Bytes b = Bytes::borrow(owned);
  EXPECT_EQ(b.view(), owned);
  b.assign(a, "mine");
  EXPECT_EQ(b.view(), "mine");
  EXPECT_EQ(owned, "somebody else's");
}

TEST(Bytes, NothingIsWritableAndReadable) {
  Arena a;
  Bytes b;
  b.assign(a, {});
  EXPECT_EQ(b.view(), "");
  Writer w(a);
  w.string({});
  w.raw(nullptr, 0);
  EXPECT_EQ(w.view(), std::string_view("\0", 1));
  Reader r(std::string_view{});
  EXPECT_TRUE(r.done() && r.ok());
  r.raw(nullptr, 0);
  EXPECT_TRUE(r.ok());
}

template <class Write> std::string written(Write &&write) {
  Arena a;
  Writer w(a);
  write(w);
  EXPECT_EQ(w.size(), w.view().size());
  return std::string(w.view());
}

using namespace std::string_literals;

TEST(Writer, WritesTheFormThatIsStored) { // stored, so never to be changed
  EXPECT_EQ(written([](Writer &w) { w.varint(0); }), "\0"s);
  EXPECT_EQ(written([](Writer &w) { w.varint(127); }), "\x7f"s);
  EXPECT_EQ(written([](Writer &w) { w.varint(128); }), "\x80\x01"s);
  EXPECT_EQ(written([](Writer &w) { w.varint(300); }), "\xac\x02"s);
  EXPECT_EQ(written([](Writer &w) { w.varint(UINT64_MAX); }), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
  EXPECT_EQ(written([](Writer &w) { w.zigzag(0), w.zigzag(-1), w.zigzag(1), w.zigzag(-64); }), "\x00\x01\x02\x7f"s);
  EXPECT_EQ(written([](Writer &w) { w.zigzag(INT64_MIN); }), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
  EXPECT_EQ(written([](Writer &w) { w.i64(0x0102030405060708); }), "\x08\x07\x06\x05\x04\x03\x02\x01"s);
  EXPECT_EQ(written([](Writer &w) { w.time(105, 100), w.time(100, 101); }), "\x0a\x01"s);
  EXPECT_EQ(written([](Writer &w) { w.string("abc"), w.u8(0xff); }), "\x03"s + "abc\xff");
}

TEST(Writer, GrowsAsFarAsItMust) {
  const std::string big(100'000, 'x');
  const std::string all = written([&](Writer &w) {
    for (int i = 0; i < 3000; i++) w.u8('a');
    w.string(big);
    for (int i = 0; i < 3000; i++) w.varint(UINT64_MAX);
  });
  Reader r(all);
  for (int i = 0; i < 3000; i++) ASSERT_EQ(r.u8(), 'a');
  EXPECT_EQ(r.string(), big);
  for (int i = 0; i < 3000; i++) ASSERT_EQ(r.varint(), UINT64_MAX);
  EXPECT_TRUE(r.ok() && r.done());
}

TEST(Reader, ReadsTheEndsOfTheRanges) {
  for (std::int64_t v : {INT64_MIN, INT64_MIN + 1, std::int64_t{-1}, std::int64_t{0}, INT64_MAX - 1, INT64_MAX}) {
    for (std::int64_t from : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
      const std::string s = written([&](Writer &w) { w.zigzag(v), w.time(v, from), w.i64(v); });
      Reader r(s);
      EXPECT_EQ(r.zigzag(), v);
      EXPECT_EQ(r.time(from), v);
      EXPECT_EQ(r.i64(), v);
      EXPECT_TRUE(r.ok() && r.done());
    }
  }
}

TEST(Reader, AfterTheFirstFailureItYieldsZerosForEver) {
  Reader r("\x05"
           "abc");
  EXPECT_EQ(r.string(), "");
  EXPECT_FALSE(r.ok());
  EXPECT_TRUE(r.done());
  EXPECT_EQ(r.left(), 0u);
  EXPECT_EQ(r.u8(), 0u);
  EXPECT_EQ(r.i64(), 0);
  EXPECT_EQ(r.varint(), 0u);
  EXPECT_EQ(r.zigzag(), 0);
  EXPECT_EQ(r.count(0), 0u);
  EXPECT_EQ(r.string(), "");
  char b[3] = {'x', 'y', 'z'};
  r.raw(b, 3);
  EXPECT_EQ(std::string(b, 3), "\0\0\0"s);
  EXPECT_FALSE(r.ok());
}

TEST(Reader, RefusesAVarintWithoutAnEnd) {
  const std::string endless(11, '\xff'), cut = "\x80";
  Reader a(endless), b(cut);
  EXPECT_EQ(a.varint(), 0u);
  EXPECT_FALSE(a.ok());
  (void)b.varint();
  EXPECT_FALSE(b.ok());
}

TEST(Reader, RefusesCountsThatTheRestCannotHold) {
  const std::string s = "\x04"s + "12345678";
  EXPECT_EQ(Reader(s).count(2), 4u);
  EXPECT_EQ(Reader(s).count(1), 4u);
  EXPECT_EQ(Reader(s).count(0), 4u);
  Reader r(s);
  EXPECT_EQ(r.count(3), 0u);
  EXPECT_FALSE(r.ok());
  const std::string huge = written([](Writer &w) { w.varint(UINT64_MAX); });
  Reader h(huge);
  EXPECT_EQ(h.count(8), 0u);
  EXPECT_FALSE(h.ok());
}

TEST(Distance, CountsEdits) {
  EXPECT_EQ(distance("", ""), 0u);
  EXPECT_EQ(distance("plan", ""), 4u);
  EXPECT_EQ(distance("plan", "plan"), 0u);
  EXPECT_EQ(distance("paln", "plan"), 1u);
  EXPECT_EQ(distance("kitten", "sitting"), 3u);
  const std::string longest(64, 'x');
  EXPECT_EQ(distance(longest, longest), 0u);
  EXPECT_EQ(distance(longest + "x", longest + "x"), 65u); // no likeness
  EXPECT_TRUE(is_near(1, "attr.plam", "attr.plan"));
  EXPECT_FALSE(is_near(4, "attr.plam", "attr.region"));
  EXPECT_FALSE(is_near(2, "xy", "ab")); // nothing is left of it
}

} // namespace
} // namespace pql
