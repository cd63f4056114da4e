#include "core/state/home.hpp"

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

namespace pql {
namespace {

constexpr std::uint8_t kMagic = 0xA7, kMilestonesMagic = 0xA8, kVersion = 1;
constexpr std::uint8_t kHead = 1, kApart = 2, kHeat = 4, kMarks = 8; // flags of a home

// In as few bytes as tell its sign, least significant first; zero in none.
void write_wide(Writer &w, const Wide &v) {
  const auto sign = static_cast<std::uint64_t>(v.hi >> 63), hi = static_cast<std::uint64_t>(v.hi) ^ sign, lo = v.lo ^ sign;
  const auto bits = static_cast<std::size_t>(hi ? 64 + std::bit_width(hi) : std::bit_width(lo));
  const std::size_t n = v == Wide{} ? 0 : bits / 8 + 1;
  unsigned char b[16];
  std::memcpy(b, &v.lo, 8);
  std::memcpy(b + 8, &v.hi, 8);
  w.u8(static_cast<std::uint8_t>(n));
  w.first_of(b, n);
}

Wide read_wide(Reader &r) {
  const std::uint8_t n = r.u8();
  unsigned char b[16] = {};
  r.first_of(b, n);
  if (n == 0 || n > sizeof b) return {};
  unsigned __int128 v;
  std::memcpy(&v, b, sizeof b);
  const int unused = 8 * (16 - n);
  return Wide::of(static_cast<__int128>(v << unused) >> unused);
}

using Subjects = std::span<const Subject>;

// What most events change.
void write_seen(Writer &w, Subjects all) {
  char *at = w.room(all.size() * (sizeof(Micros) + kMostOfVarint));
  for (const Subject &s : all) {
    std::memcpy(at, &s.last_seen, sizeof s.last_seen);
    at = put_varint(at + sizeof s.last_seen, static_cast<std::uint64_t>(s.events));
  }
  w.wrote_to(at);
}

void read_seen(Reader &from, std::span<Subject> all) {
  Reader r = from; // in registers
  for (Subject &s : all) {
    s.last_seen = r.i64();
    s.events = static_cast<std::int64_t>(r.varint());
  }
  from = r;
}

// A list of each subject, of which most are empty.
template <class Empty, class Write>
void write_lists(Writer &w, Subjects all, Empty &&empty, Write &&write) {
  for (auto s = all.begin(); s != all.end(); s++) {
    const auto next = std::find_if_not(s, all.end(), empty);
    w.zeros(static_cast<std::size_t>(next - s));
    if (next == all.end()) return;
    write(w, *(s = next));
  }
}

template <class Read>
void read_lists(Reader &r, std::span<Subject> all, Read &&read) {
  for (std::size_t i = r.zeros(all.size()); i < all.size(); i += 1 + r.zeros(all.size() - i - 1)) read(all[i]);
}

void write_sums(Writer &w, const Subject &s) {
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

// The shortest half-life has no more blocks than this on either side of 2000.
constexpr std::int64_t kMostBlocks = std::int64_t{1} << 39;

void read_sums(Reader &r, Arena &a, Subject &s) {
  const std::size_t n = r.count(12);
  s.decays.reserve(a, n);
  for (std::size_t i = 0; i < n && r.ok(); i++) {
    DecayedSum d{};
    d.tracker = static_cast<TrackerId>(r.varint());
    d.sum.top = r.zigzag();
    const std::uint8_t blocks = r.u8();
    if (blocks > Decay::kBlocks || d.sum.top < -kMostBlocks || d.sum.top > kMostBlocks) return r.fail();
    d.sum.started = blocks > 0;
    for (int b = 0; b < blocks; b++) d.sum.sum[b] = read_wide(r);
    d.newest = r.i64();
    d.event = Bytes::borrow(r.string());
    s.decays.push(a, d);
  }
}

// How marks are written. What all of them have in common isn't written for each.
constexpr std::uint8_t kOnes = 1, kWhole = 2, kMixed = 4; // sums: all are one; are whole numbers; negative ones as well
constexpr std::uint8_t kKeys = 8, kSpans = 16;            // users and sessions: whose; that went on

constexpr __int128 kUnit = static_cast<__int128>(1) << Weight::kFractionBits, kMaxSum = static_cast<__int128>(1) << 100;

bool is_whole(const Wide &v) { return v.lo % static_cast<std::uint64_t>(kUnit) == 0 && v.hi >> (Weight::kFractionBits - 1) == 0; }

std::uint8_t form_of(const Marks &x) {
  const auto all = [&](auto &&f) { return std::all_of(x.all.begin(), x.all.end(), f); };
  const auto any = [&](auto &&f) { return !all([&](const Mark &m) { return !f(m); }); };
  if (x.kind != MarksKind::window) {
    return static_cast<std::uint8_t>((any([](const Mark &m) { return m.key != 0; }) ? kKeys : 0) |
                                     (any([](const Mark &m) { return m.from != m.to; }) ? kSpans : 0));
  }
  const bool ones = all([](const Mark &m) { return m.from != m.to || (m.more == Wide::of(kUnit) && m.less == Wide{}); });
  return static_cast<std::uint8_t>((ones ? kOnes : 0) | (all([](const Mark &m) { return is_whole(m.more) && is_whole(m.less); }) ? kWhole : 0) |
                                   (any([](const Mark &m) { return m.less != Wide{}; }) ? kMixed : 0));
}

void write_sum(Writer &w, const Wide &v, std::uint8_t form) {
  if (form & kWhole) w.varint(static_cast<std::uint64_t>(v.value() >> Weight::kFractionBits));
  else write_wide(w, v);
}

Wide read_sum(Reader &r, std::uint8_t form) {
  const Wide v = form & kWhole ? Wide::of(static_cast<__int128>(r.varint()) << Weight::kFractionBits) : read_wide(r);
  if (v.value() < 0 || v.value() > kMaxSum) r.fail();
  return v;
}

void write_sums(Writer &w, const Mark &m, std::uint8_t form) {
  if (form & kOnes && m.from == m.to) return;
  write_sum(w, m.more, form);
  if (form & kMixed) write_sum(w, m.less, form);
}

void read_sums(Reader &r, Mark &m, std::uint8_t form) {
  if (form & kOnes && m.from == m.to) {
    m.more = Wide::of(kUnit);
    return;
  }
  m.more = read_sum(r, form);
  if (form & kMixed) m.less = read_sum(r, form);
}

// Buckets by their number on the grid, instants by their distance from the one before.
void write_window(Writer &w, const Marks &x, std::uint8_t form) {
  const auto buckets = static_cast<std::uint32_t>(std::find_if(x.all.begin(), x.all.end(), [](const Mark &m) { return m.from == m.to; }) - x.all.begin());
  w.varint(buckets);
  const Micros width = buckets ? x.all[0].to - x.all[0].from + 1 : 1;
  if (buckets) w.varint(static_cast<std::uint64_t>(width));
  std::int64_t before = 0;
  for (std::uint32_t i = 0; i < buckets; i++) {
    w.time(x.all[i].from / width, before);
    before = x.all[i].from / width;
    write_sums(w, x.all[i], form);
  }
  w.varint(x.all.size - buckets);
  Micros at = x.newest;
  for (std::uint32_t i = x.all.size; i-- > buckets;) {
    w.varint(static_cast<std::uint64_t>(at) - static_cast<std::uint64_t>(x.all[i].from));
    at = x.all[i].from;
    write_sums(w, x.all[i], form);
  }
}

bool is_time(Micros t) { return t >= -kMaxMark && t <= kMaxMark; }

void read_window(Reader &r, Arena &a, Marks &x, std::uint8_t form) {
  const std::size_t buckets = r.count(1);
  const std::uint64_t width = buckets ? r.varint() : 2;
  if (width < 2 || width > static_cast<std::uint64_t>(kMaxMark)) return r.fail();
  const auto wide = static_cast<std::int64_t>(width);
  std::int64_t number = 0;
  for (std::size_t i = 0; i < buckets && r.ok(); i++) {
    const std::int64_t next = r.time(number);
    if (next > kMaxMark / wide || next < -kMaxMark / wide || (i > 0 && next <= number)) return r.fail();
    number = next;
    Mark m{0, number * wide, number * wide + wide - 1, {}, {}};
    read_sums(r, m, form);
    x.all.push(a, m);
  }
  const std::size_t n = r.count(1), from = x.all.size;
  Micros at = x.newest;
  for (std::size_t i = 0; i < n && r.ok(); i++) {
    const Micros next = static_cast<Micros>(static_cast<std::uint64_t>(at) - r.varint());
    if (!is_time(next) || (i > 0 && next >= at)) return r.fail();
    at = next;
    Mark m{0, at, at, {}, {}};
    read_sums(r, m, form);
    x.all.push(a, m);
  }
  std::reverse(x.all.begin() + from, x.all.end());
}

// Days as bits, the newest first.
void write_days(Writer &w, const Marks &x) {
  const std::int64_t last = x.all.empty() ? 0 : x.all.back().from / kDay, first = x.all.empty() ? 1 : x.all[0].from / kDay;
  w.varint(static_cast<std::uint64_t>(last - first + 8) / 8);
  if (x.all.empty()) return;
  w.zigzag(last);
  std::uint32_t next = x.all.size;
  for (std::int64_t day = last; day >= first;) {
    std::uint8_t bits = 0;
    for (int i = 0; i < 8; i++, day--) {
      if (next == 0 || x.all[next - 1].from / kDay != day) continue;
      bits = static_cast<std::uint8_t>(bits | 1 << i);
      next--;
    }
    w.u8(bits);
  }
}

void read_days(Reader &r, Arena &a, Marks &x) {
  const std::size_t bytes = r.count(1);
  if (!bytes) return;
  const std::int64_t last = r.zigzag();
  if (last > kMaxMark / kDay || last < -kMaxMark / kDay) return r.fail();
  std::int64_t day = last;
  for (std::size_t i = 0; i < bytes && r.ok(); i++) {
    const std::uint8_t bits = r.u8();
    for (int b = 0; b < 8; b++, day--) {
      if (!(bits >> b & 1)) continue;
      if (day < -kMaxMark / kDay) return r.fail();
      x.all.push(a, {0, day * kDay, day * kDay, {}, {}});
    }
    if ((i == 0 && !(bits & 1)) || (i + 1 == bytes && !bits)) return r.fail();
  }
  std::reverse(x.all.begin(), x.all.end());
}

constexpr int kKeyBytes = kKeyBits / 8;

void write_spans(Writer &w, const Marks &x, std::uint8_t form) {
  w.varint(x.all.size);
  Micros at = x.newest;
  for (const Mark &m : x.all) {
    if (form & kKeys) w.raw(&m.key, kKeyBytes);
    w.time(m.to, at);
    at = m.to;
    if (form & kSpans) w.varint(static_cast<std::uint64_t>(m.to - m.from));
  }
}

void read_spans(Reader &r, Arena &a, Marks &x, std::uint8_t form) {
  const std::size_t n = r.count(1 + (form & kKeys ? kKeyBytes : 0) + (form & kSpans ? 1 : 0));
  x.all.reserve(a, n);
  Micros at = x.newest;
  for (std::size_t i = 0; i < n && r.ok(); i++) {
    Mark m{};
    if (form & kKeys) r.raw(&m.key, kKeyBytes);
    m.to = at = r.time(at);
    const std::uint64_t length = form & kSpans ? r.varint() : 0;
    if (!is_time(m.to) || length > static_cast<std::uint64_t>(kMaxMark)) return r.fail();
    m.from = m.to - static_cast<Micros>(length);
    if (!is_time(m.from)) return r.fail();
    x.all.push(a, m);
  }
}

void write_marks(Writer &w, const Subject &s) {
  w.varint(s.marks.size);
  for (const MarksState &m : s.marks) {
    const Marks &x = m.marks;
    if (!x.stored.empty()) {
      w.raw(x.stored.data(), x.stored.size());
      continue;
    }
    const std::uint8_t form = form_of(x);
    w.varint(m.tracker);
    w.u8(static_cast<std::uint8_t>(x.kind));
    w.i64(x.newest);
    w.string(x.event.view());
    if (x.kind == MarksKind::latest) continue;
    if (x.kind == MarksKind::days) {
      write_days(w, x);
      continue;
    }
    w.u8(form);
    if (x.kind == MarksKind::window) write_window(w, x, form);
    else write_spans(w, x, form);
  }
}

void read_marks(Reader &r, Arena &a, Subject &s) {
  const std::size_t n = r.count(11);
  s.marks.reserve(a, n);
  for (std::size_t i = 0; i < n && r.ok(); i++) {
    MarksState m{};
    Marks &x = m.marks;
    const char *const begin = r.rest().data();
    m.tracker = static_cast<TrackerId>(r.varint());
    const std::uint8_t kind = r.u8();
    x.newest = r.i64();
    x.event = Bytes::borrow(r.string());
    if (kind > static_cast<std::uint8_t>(MarksKind::latest) || !is_time(x.newest)) return r.fail();
    x.kind = static_cast<MarksKind>(kind);
    if (x.kind == MarksKind::days) read_days(r, a, x);
    else if (x.kind != MarksKind::latest) {
      const std::uint8_t form = r.u8();
      const bool window = x.kind == MarksKind::window;
      if (form & ~(window ? kOnes | kWhole | kMixed : kKeys | kSpans)) return r.fail();
      if (window) read_window(r, a, x, form);
      else read_spans(r, a, x, form);
    }
    x.stored = {begin, static_cast<std::size_t>(r.rest().data() - begin)};
    s.marks.push(a, m);
  }
}

bool has_no_marks(const Subject &s) { return s.marks.empty(); }

constexpr std::uint8_t kClosed = 1, kFolded = 2; // a funnel that came to its end; one with a floor

void write_funnel(Writer &w, const FunnelState &f, Micros from) {
  const Funnel &x = f.funnel;
  const bool closed = x.best.level > 0 && x.floor == x.best.reached && x.sweep.empty() && x.kept.empty();
  w.varint(f.tracker);
  w.u8(static_cast<std::uint8_t>(x.best.level));
  w.u8(closed ? kClosed : x.floor != kAlways ? kFolded : 0);
  if (x.best.level) {
    w.varint(x.best.done);
    w.time(x.best.started, from);
    w.time(x.best.reached, from);
  }
  if (closed) return;
  if (x.floor != kAlways) w.time(x.floor, from);
  w.varint(x.sweep.size);
  for (Micros t : x.sweep) w.i64(t);
  w.varint(x.kept.size);
  Micros before = from;
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
  x.best.level = r.u8();
  const std::uint8_t form = r.u8();
  if (x.best.level > kMaxSteps || form > kFolded || (form == kClosed && x.best.level == 0)) return r.fail();
  if (x.best.level) {
    x.best.done = static_cast<std::uint32_t>(r.varint());
    x.best.started = r.time(s.first_seen);
    x.best.reached = r.time(s.first_seen);
  }
  if (form == kClosed) {
    x.floor = x.best.reached;
    s.funnels.push(a, f);
    return;
  }
  if (form == kFolded) x.floor = r.time(s.first_seen);
  const std::size_t slots = r.count(8);
  if (slots > kMaxSteps) return r.fail();
  for (std::size_t i = 0; i < slots; i++) x.sweep.push(a, r.i64());
  const std::size_t kept = r.count(2);
  x.kept.reserve(a, kept);
  Micros at = s.first_seen;
  for (std::size_t i = 0; i < kept && r.ok(); i++) {
    const Micros next = r.time(at);
    if ((i > 0 && next <= at) || next <= x.floor) return r.fail();
    at = next;
    x.kept.push(a, {at, static_cast<std::uint32_t>(r.varint())});
  }
  s.funnels.push(a, f);
}

void write_milestones(Writer &w, const Vec<FirstTime> &milestones, Micros from) {
  w.varint(milestones.size);
  for (const FirstTime &m : milestones) {
    w.varint(m.tracker);
    w.time(m.at, from);
    w.string(m.event());
  }
}

void read_milestones(Reader &r, Arena &a, Vec<FirstTime> &out, Micros from) {
  const std::size_t n = r.count(3);
  out.reserve(a, n);
  for (std::size_t i = 0; i < n && r.ok(); i++) {
    const auto tracker = static_cast<TrackerId>(r.varint());
    const Micros at = r.time(from);
    out.push(a, FirstTime::of(tracker, at, r.string()));
  }
}

void write_known(Writer &w, const Subject &s) {
  std::string_view bits = s.known.bits.view();
  std::size_t first = s.known.first;
  for (; !bits.empty() && !bits.front(); first++) bits.remove_prefix(1);
  while (!bits.empty() && !bits.back()) bits.remove_suffix(1);
  w.string(bits);
  if (bits.empty()) return;
  w.varint(first);
  w.time(s.newest_known, s.first_seen);
}

void read_known(Reader &r, Subject &s) {
  constexpr std::size_t kMost = 65'536 / 8;
  s.known.bits = Bytes::borrow(r.string());
  if (s.known.empty()) return;
  const std::string_view bits = s.known.bits.view();
  const std::uint64_t first = r.varint();
  if (bits.size() > kMost || first > kMost - bits.size() || !bits.front() || !bits.back()) return r.fail();
  s.known.first = static_cast<std::uint16_t>(first);
  s.newest_known = r.time(s.first_seen);
}

// What hardly any event changes. Times lie relative to the first: they stay as they were when it does.
void write_cold(Writer &w, const Subject &s, Milestones where) {
  w.string(s.id.view());
  w.i64(s.first_seen);
  if (where == Milestones::inside) write_milestones(w, s.milestones, s.first_seen);
  else write_known(w, s);
  w.varint(s.funnels.size);
  for (const FunnelState &f : s.funnels) write_funnel(w, f, s.first_seen);
}

// With the length of each, so that a reader can pass over it. What is asleep lies side by side, as it was read.
void write_colds(Writer &w, Subjects all, Milestones where) {
  for (auto s = all.begin(); s != all.end();) {
    if (s->asleep.empty()) {
      const std::size_t from = w.begin();
      write_cold(w, *s++, where);
      w.end(from);
      continue;
    }
    std::string_view run = s->asleep;
    while (++s != all.end() && !s->asleep.empty() && s->asleep.data() == run.data() + run.size()) run = {run.data(), run.size() + s->asleep.size()};
    w.raw(run.data(), run.size());
  }
}

bool read_cold(std::string_view stored, Arena &a, Subject &s, Milestones where) {
  Reader all(stored), r(all.string());
  (void)r.string(); // the id
  s.first_seen = r.i64();
  if (where == Milestones::inside) read_milestones(r, a, s.milestones, s.first_seen);
  else read_known(r, s);
  for (const FirstTime &m : s.milestones) s.note(a, m.tracker, m.at);
  const std::size_t funnels = r.count(5);
  s.funnels.reserve(a, funnels);
  for (std::size_t i = 0; i < funnels && r.ok(); i++) read_funnel(r, a, s);
  return r.ok() && r.done();
}

// Finds the ids, and passes over the rest.
void open_colds(Reader &from, std::span<Subject> all) {
  Reader r = from; // in registers
  for (Subject &s : all) {
    const char *const begin = r.rest().data();
    Reader cold(r.string());
    s.id = Bytes::borrow(cold.string());
    s.asleep = {begin, static_cast<std::size_t>(r.rest().data() - begin)};
    if (!cold.ok() || cold.done()) r.fail();
  }
  from = r;
}

constexpr std::uint8_t kOpen = 1, kSince = 2, kLeaves = 4, kRouted = 8; // of a standing: what it is, and what it has
constexpr std::uint64_t kMostRules = 0x7fff;

bool is_routed(const Standing &x) noexcept { return x.motion >= 0 || x.guardrail >= 0; }

void write_ledger(Writer &w, const Subject &s) {
  w.varint(s.standings.size);
  for (const Standing &x : s.standings) {
    w.zigzag(x.program);
    w.zigzag(x.version);
    w.u8(static_cast<std::uint8_t>((x.open ? kOpen : 0) | (x.since != kNever ? kSince : 0) | (x.leaves_at != kNever ? kLeaves : 0) |
                                   (is_routed(x) ? kRouted : 0)));
    if (x.since != kNever) w.i64(x.since);
    if (x.leaves_at != kNever) w.i64(x.leaves_at);
    if (!is_routed(x)) continue;
    w.varint(static_cast<std::uint64_t>(x.motion + 1));
    w.varint(static_cast<std::uint64_t>(x.guardrail + 1));
  }
}

void read_ledger(Reader &r, Arena &a, Subject &s) {
  const std::size_t n = r.count(3);
  s.standings.reserve(a, n);
  for (std::size_t i = 0; i < n && r.ok(); i++) {
    Standing x;
    x.program = static_cast<std::int32_t>(r.zigzag());
    x.version = static_cast<std::int32_t>(r.zigzag());
    const std::uint8_t flags = r.u8();
    if (flags > (kOpen | kSince | kLeaves | kRouted)) return r.fail();
    x.open = flags & kOpen;
    if (flags & kSince) x.since = r.i64();
    if (flags & kLeaves) x.leaves_at = r.i64();
    if (flags & kRouted) {
      const std::uint64_t motion = r.varint(), guardrail = r.varint();
      if (motion > kMostRules || guardrail > kMostRules || motion + guardrail == 0) return r.fail();
      x.motion = static_cast<std::int16_t>(static_cast<int>(motion) - 1);
      x.guardrail = static_cast<std::int16_t>(static_cast<int>(guardrail) - 1);
    }
    s.standings.push(a, x);
  }
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

std::string home_key(Unit unit, std::string_view id) {
  std::string key(unit == Unit::account ? "a:" : unit == Unit::workspace ? "w:" : "u:");
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

std::string_view encode(Arena &a, const Home &h, Milestones where) {
  Writer w(a);
  w.u8(kMagic);
  w.u8(kVersion);
  const Subjects head(&h.owner, h.head ? 1 : 0), members(h.members.begin(), h.members.end());
  const bool marks = !std::all_of(head.begin(), head.end(), has_no_marks) || !std::all_of(members.begin(), members.end(), has_no_marks);
  w.u8(static_cast<std::uint8_t>((h.head ? kHead : 0) | (where == Milestones::apart ? kApart : 0) | (h.lanes || h.heat ? kHeat : 0) |
                                 (marks ? kMarks : 0)));
  w.u8(h.depth);
  if (h.lanes || h.heat) {
    w.u8(h.lanes);
    w.u8(h.heat);
  }
  w.varint(h.members.size);
  for (const auto all : {head, members}) write_lists(w, all, [](const Subject &s) { return s.decays.empty(); }, static_cast<void (*)(Writer &, const Subject &)>(write_sums));
  for (const auto all : {head, members}) {
    if (marks) write_lists(w, all, has_no_marks, write_marks);
  }
  for (const auto all : {head, members}) write_seen(w, all);
  for (const auto all : {head, members}) write_colds(w, all, where);
  for (const auto all : {head, members}) write_lists(w, all, [](const Subject &s) { return s.standings.empty(); }, write_ledger);
  w.varint(h.included.size);
  for (std::int32_t j : h.included) w.zigzag(j);
  return w.view();
}

bool wake(Arena &a, Subject &s) {
  if (s.asleep.empty()) return true;
  const std::string_view stored = s.asleep;
  s.asleep = {};
  return read_cold(stored, a, s, Milestones::apart);
}

std::optional<Home> decode(Arena &a, std::string_view stored, Members as) {
  Reader r(stored);
  if (r.u8() != kMagic || r.u8() != kVersion) return {};
  Home h;
  const std::uint8_t flags = r.u8();
  h.head = flags & kHead;
  const Milestones where = flags & kApart ? Milestones::apart : Milestones::inside;
  h.depth = r.u8();
  if (flags > (kHead | kApart | kHeat | kMarks) || h.depth > kMaxHomeDepth) return {};
  if (flags & kHeat) {
    h.lanes = r.u8();
    h.heat = r.u8();
    if (!h.head || h.lanes > kMaxLanes || (h.lanes == 0 && h.heat == 0)) return {};
  }
  const std::size_t members = r.count(22);
  static constexpr Subject nobody{};
  h.members.fill(a, members, nobody);
  const std::span<Subject> head(&h.owner, h.head ? 1 : 0), all(h.members.begin(), h.members.end());
  for (const auto x : {head, all}) read_lists(r, x, [&](Subject &s) { read_sums(r, a, s); });
  for (const auto x : {head, all}) {
    if (flags & kMarks) read_lists(r, x, [&](Subject &s) { read_marks(r, a, s); });
  }
  for (const auto x : {head, all}) read_seen(r, x);
  for (const auto x : {head, all}) open_colds(r, x);
  for (const auto x : {head, all}) read_lists(r, x, [&](Subject &s) { read_ledger(r, a, s); });
  const std::size_t included = r.count(1);
  for (std::size_t i = 0; i < included && r.ok(); i++) h.included.push(a, static_cast<std::int32_t>(r.zigzag()));
  if (!r.ok() || !r.done()) return {};
  const auto awake = [&](Subject &s) { return read_cold(std::exchange(s.asleep, {}), a, s, where); };
  if (h.head && !awake(h.owner)) return {};
  if (as == Members::asleep && where == Milestones::apart) return h;
  return std::all_of(h.members.begin(), h.members.end(), awake) ? std::optional(h) : std::nullopt;
}

std::uint8_t depth_of(std::string_view stored) noexcept {
  Reader r(stored);
  if (r.u8() != kMagic || r.u8() != kVersion) return 0;
  (void)r.u8(); // flags
  return std::min(r.u8(), kMaxHomeDepth);
}

std::string_view encode_milestones(Arena &a, const Vec<FirstTime> &milestones) {
  const Micros from = milestones.empty() ? 0 : milestones[0].at;
  Writer w(a);
  w.u8(kMilestonesMagic);
  w.u8(kVersion);
  w.i64(from);
  write_milestones(w, milestones, from);
  return w.view();
}

std::optional<Vec<FirstTime>> decode_milestones(Arena &a, std::string_view stored) {
  Reader r(stored);
  if (r.u8() != kMilestonesMagic || r.u8() != kVersion) return {};
  const Micros from = r.i64();
  Vec<FirstTime> out;
  read_milestones(r, a, out, from);
  if (!r.ok() || !r.done()) return {};
  return out;
}

std::string_view canonical(Arena &a, const Subject &s) {
  const Subject c = copy_of(a, s);
  sort_by_tracker(c.milestones);
  sort_by_tracker(c.decays);
  sort_by_tracker(c.funnels);
  sort_by_tracker(c.marks);
  Writer w(a);
  write_sums(w, c);
  write_seen(w, {&c, 1});
  write_cold(w, c, Milestones::inside);
  if (!c.marks.empty()) write_marks(w, c);
  return w.view();
}

} // namespace pql
