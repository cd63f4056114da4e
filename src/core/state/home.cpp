#include "core/state/home.hpp"

#include <algorithm>

namespace pql {
namespace {

constexpr std::uint8_t kMagic = 0xA7, kVersion = 1;

void write_wide(Writer &w, const Wide &v) {
  unsigned char b[16];
  std::memcpy(b, &v.lo, 8);
  std::memcpy(b + 8, &v.hi, 8);
  const unsigned char sign = v.hi < 0 ? 0xff : 0;
  std::uint8_t n = 16;
  while (n > 0 && b[n - 1] == sign && (n == 1 ? sign == 0 : (b[n - 2] & 0x80) == (sign & 0x80))) n--;
  w.u8(n);
  w.raw(b, n);
}

Wide read_wide(Reader &r) {
  const std::uint8_t n = r.u8();
  unsigned char b[16] = {};
  if (n > 16) {
    r.fail();
    return {};
  }
  r.raw(b, n);
  if (n > 0 && n < 16 && (b[n - 1] & 0x80)) std::memset(b + n, 0xff, 16u - n);
  Wide v;
  std::memcpy(&v.lo, b, 8);
  std::memcpy(&v.hi, b + 8, 8);
  return v;
}

// What most events change.
void write_hot(Writer &w, const Subject &s) {
  w.i64(s.last_seen);
  w.varint(static_cast<std::uint64_t>(s.events));
  w.varint(s.decays.size);
  for (const DecayedSum &d : s.decays) {
    w.varint(d.tracker);
    w.zigzag(d.sum.started ? d.sum.top : 0);
    int blocks = d.sum.started ? Decay::kBlocks : 0;
    while (blocks > 1 && d.sum.sum[blocks - 1] == Wide{}) blocks--;
    w.u8(static_cast<std::uint8_t>(blocks));
    for (int i = 0; i < blocks; i++) write_wide(w, d.sum.sum[i]);
    w.i64(d.newest);
    w.string(d.event.view());
  }
}

void read_hot(Reader &r, Arena &a, Subject &s) {
  s.last_seen = r.i64();
  s.events = static_cast<std::int64_t>(r.varint());
  const std::size_t n = r.count(12);
  s.decays.reserve(a, n);
  for (std::size_t i = 0; i < n && r.ok(); i++) {
    DecayedSum d{};
    d.tracker = static_cast<TrackerId>(r.varint());
    d.sum.top = r.zigzag();
    const std::uint8_t blocks = r.u8();
    if (blocks > Decay::kBlocks) return r.fail();
    d.sum.started = blocks > 0;
    for (int b = 0; b < blocks; b++) d.sum.sum[b] = read_wide(r);
    d.newest = r.i64();
    d.event = Bytes::borrow(r.string());
    s.decays.push(a, d);
  }
}

void write_funnel(Writer &w, const FunnelState &f) {
  w.varint(f.tracker);
  const Funnel &x = f.funnel;
  w.varint(static_cast<std::uint64_t>(x.best.level));
  if (x.best.level) {
    w.varint(x.best.done);
    w.i64(x.best.started);
    w.i64(x.best.reached);
  }
  w.i64(x.floor);
  w.varint(x.sweep.size);
  for (Micros t : x.sweep) w.i64(t);
  w.varint(x.kept.size);
  Micros before = 0;
  for (const StepAt &s : x.kept) {
    w.time(s.at, before);
    w.varint(s.steps);
    before = s.at;
  }
}

void read_funnel(Reader &r, Arena &a, Subject &s) {
  FunnelState f{};
  f.tracker = static_cast<TrackerId>(r.varint());
  Funnel &x = f.funnel;
  x.best.level = static_cast<int>(r.varint() & 0xff);
  if (x.best.level > kMaxSteps) return r.fail();
  if (x.best.level) {
    x.best.done = static_cast<std::uint32_t>(r.varint());
    x.best.started = r.i64();
    x.best.reached = r.i64();
  }
  x.floor = r.i64();
  const std::size_t slots = r.count(8);
  if (slots > kMaxSteps) return r.fail();
  for (std::size_t i = 0; i < slots; i++) x.sweep.push(a, r.i64());
  const std::size_t kept = r.count(2);
  x.kept.reserve(a, kept);
  Micros at = 0;
  for (std::size_t i = 0; i < kept && r.ok(); i++) {
    const Micros next = r.time(at);
    if ((i > 0 && next <= at) || next <= x.floor) return r.fail();
    at = next;
    x.kept.push(a, {at, static_cast<std::uint32_t>(r.varint())});
  }
  s.funnels.push(a, f);
}

void write_cold(Writer &w, const Subject &s) {
  w.string(s.id.view());
  w.i64(s.first_seen); // times lie relative to it: it hardly ever changes, so that what follows stays as it was
  w.varint(s.milestones.size);
  for (const FirstTime &m : s.milestones) {
    w.varint(m.tracker);
    w.time(m.at, s.first_seen);
    w.string(m.event.view());
  }
  w.varint(s.funnels.size);
  for (const FunnelState &f : s.funnels) write_funnel(w, f);
}

void read_cold(Reader &r, Arena &a, Subject &s) {
  s.id = Bytes::borrow(r.string());
  s.first_seen = r.i64();
  const std::size_t milestones = r.count(3);
  s.milestones.reserve(a, milestones);
  for (std::size_t i = 0; i < milestones && r.ok(); i++) {
    FirstTime m{};
    m.tracker = static_cast<TrackerId>(r.varint());
    m.at = r.time(s.first_seen);
    m.event = Bytes::borrow(r.string());
    s.milestones.push(a, m);
  }
  const std::size_t funnels = r.count(11);
  s.funnels.reserve(a, funnels);
  for (std::size_t i = 0; i < funnels && r.ok(); i++) read_funnel(r, a, s);
}

void write_ledger(Writer &w, const Subject &s) {
  w.varint(s.open.size);
  for (std::int32_t p : s.open) w.zigzag(p);
}

void read_ledger(Reader &r, Arena &a, Subject &s) {
  const std::size_t n = r.count(1);
  for (std::size_t i = 0; i < n && r.ok(); i++) s.open.push(a, static_cast<std::int32_t>(r.zigzag()));
}

template <class T>
void sort_by_tracker(const Vec<T> &v) {
  std::sort(v.begin(), v.end(), [](const T &a, const T &b) { return a.tracker < b.tracker; });
}

} // namespace

Subject *Home::member(std::string_view id) const noexcept {
  for (Subject &s : members) {
    if (s.id.view() == id) return &s;
  }
  return nullptr;
}

bool Home::includes(std::int32_t job) const noexcept {
  for (std::int32_t j : included) {
    if (j == job) return true;
  }
  return false;
}

std::string home_key(bool account, std::string_view id) {
  std::string key(account ? "a:" : "u:");
  key.append(id);
  return key;
}

std::uint32_t member_part(std::string_view user_id, std::uint8_t depth) noexcept {
  if (depth == 0) return 0;
  std::uint64_t h = 0xcbf29ce484222325ull; // FNV-1a, then mixed: stored, so never to be changed
  for (char c : user_id) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  h ^= h >> 32;
  h *= 0x9e3779b97f4a7c15ull;
  return 1 + static_cast<std::uint32_t>(h >> 40 & ((1u << depth) - 1));
}

std::string_view encode(Arena &a, const Home &h) {
  Writer w(a);
  w.u8(kMagic);
  w.u8(kVersion);
  w.u8(h.head ? 1 : 0);
  w.u8(h.depth);
  w.varint(h.members.size);
  if (h.head) write_hot(w, h.owner);
  for (const Subject &s : h.members) write_hot(w, s);
  if (h.head) write_cold(w, h.owner);
  for (const Subject &s : h.members) write_cold(w, s);
  if (h.head) write_ledger(w, h.owner);
  for (const Subject &s : h.members) write_ledger(w, s);
  w.varint(h.included.size);
  for (std::int32_t j : h.included) w.zigzag(j);
  return w.view();
}

std::optional<Home> decode(Arena &a, std::string_view stored) {
  Reader r(stored);
  if (r.u8() != kMagic || r.u8() != kVersion) return {};
  Home h;
  const std::uint8_t head = r.u8();
  h.head = head == 1;
  h.depth = r.u8();
  if (head > 1 || h.depth > kMaxHomeDepth) return {};
  const std::size_t members = r.count(22);
  h.members.reserve(a, members);
  for (std::size_t i = 0; i < members; i++) h.members.push(a, Subject{});
  if (h.head) read_hot(r, a, h.owner);
  for (Subject &s : h.members) read_hot(r, a, s);
  if (h.head) read_cold(r, a, h.owner);
  for (Subject &s : h.members) read_cold(r, a, s);
  if (h.head) read_ledger(r, a, h.owner);
  for (Subject &s : h.members) read_ledger(r, a, s);
  const std::size_t included = r.count(1);
  for (std::size_t i = 0; i < included && r.ok(); i++) h.included.push(a, static_cast<std::int32_t>(r.zigzag()));
  if (!r.ok() || !r.done()) return {};
  return h;
}

std::string_view canonical(Arena &a, const Subject &s) {
  const Subject c = copy_of(a, s);
  sort_by_tracker(c.milestones);
  sort_by_tracker(c.decays);
  sort_by_tracker(c.funnels);
  Writer w(a);
  write_hot(w, c);
  write_cold(w, c);
  return w.view();
}

} // namespace pql
