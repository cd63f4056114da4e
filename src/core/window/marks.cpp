#include "core/window/marks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/hash.hpp"

namespace pql {
namespace {

Micros reach(const MarksSpec &spec) noexcept { return spec.spans * spec.window; }

Micros start_of_day(Micros t) noexcept { return block_of(t, kDay) * kDay; }

// The width of a bucket: never a single instant, by which buckets are told from instants.
Micros bucket_width(const MarksSpec &spec) noexcept { return std::max<Micros>(spec.window / kBucketsOfWindow, 2); }

bool is_instant(const Mark &m) noexcept { return m.from == m.to; }

void add_sums(Mark &to, const Mark &m) noexcept {
  to.more = Wide::of(to.more.value() + m.more.value());
  to.less = Wide::of(to.less.value() + m.less.value());
}

// Units of 2^-40, rounded once.
Wide units(double v) noexcept { return Wide::of(static_cast<__int128>(std::round(std::ldexp(v, Weight::kFractionBits)))); }
double number(const Wide &w) noexcept { return static_cast<double>(w.value()) * 0x1p-40; }

// Puts like marks together, which must lie side by side: same(kept, next), take(kept, next).
template <class Same, class Take>
void join(Vec<Mark> &all, Same &&same, Take &&take) noexcept {
  std::uint32_t n = 0;
  for (const Mark &m : all) {
    if (n > 0 && same(all[n - 1], m)) take(all[n - 1], m);
    else all[n++] = m;
  }
  all.size = n;
}

template <class Gone>
void forget(Vec<Mark> &all, Gone &&gone) noexcept {
  all.size = static_cast<std::uint32_t>(std::remove_if(all.begin(), all.end(), gone) - all.begin());
}

template <class Before>
void sort(Vec<Mark> &all, Before &&before) noexcept {
  if (!std::is_sorted(all.begin(), all.end(), before)) std::sort(all.begin(), all.end(), before);
}

// Instants that aren't among the newest ones go to their buckets. They never were, and never will be again: who merges states
// that did so finds the same newest ones. Buckets are forgotten whole, and so is what would be in them.
void settle_window(Marks &x, const MarksSpec &spec) noexcept {
  const Micros width = bucket_width(spec);
  const auto before = [](const Mark &a, const Mark &b) { return is_instant(a) != is_instant(b) ? is_instant(b) : a.from < b.from; };
  const auto put_together = [&] {
    sort(x.all, before);
    join(x.all, [](const Mark &a, const Mark &b) { return a.from == b.from && a.to == b.to; }, add_sums);
  };
  put_together();
  const auto buckets = static_cast<std::uint32_t>(std::partition_point(x.all.begin(), x.all.end(), [](const Mark &m) { return !is_instant(m); }) -
                                                  x.all.begin());
  if (x.all.size - buckets > kExactInstants) {
    for (Mark *m = x.all.begin() + buckets; m < x.all.end() - kExactInstants; m++) {
      m->from = block_of(m->from, width) * width;
      m->to = m->from + width - 1;
    }
    put_together();
  }
  const std::int64_t oldest = block_of(earlier(x.newest, reach(spec)), width);
  forget(x.all, [&](const Mark &m) { return block_of(m.from, width) < oldest; });
}

void settle_days(Marks &x, const MarksSpec &spec) noexcept {
  sort(x.all, [](const Mark &a, const Mark &b) { return a.from < b.from; });
  join(x.all, [](const Mark &a, const Mark &b) { return a.from == b.from; }, [](Mark &, const Mark &) {});
  const Micros gone = earlier(x.newest, reach(spec));
  forget(x.all, [&](const Mark &m) { return m.to <= gone; });
}

// Of each user the newest event; of too many users those with the newest ones.
void settle_users(Marks &x, const MarksSpec &spec) noexcept {
  const auto by_key = [](const Mark &a, const Mark &b) { return a.key < b.key; };
  sort(x.all, by_key);
  join(x.all, [](const Mark &a, const Mark &b) { return a.key == b.key; },
       [](Mark &a, const Mark &b) { a.from = a.to = std::max(a.to, b.to); });
  const Micros gone = earlier(x.newest, reach(spec));
  forget(x.all, [&](const Mark &m) { return m.to <= gone; });
  if (x.all.size <= kMaxUsers) return;
  std::nth_element(x.all.begin(), x.all.begin() + kMaxUsers, x.all.end(),
                   [](const Mark &a, const Mark &b) { return a.to != b.to ? a.to > b.to : a.key < b.key; });
  x.all.size = kMaxUsers;
  sort(x.all, by_key);
}

// For two windows, one before the other: of each user the oldest and the newest event in each cell of a grid as wide as a
// window. A window's end and its beginning lie in two different cells, of which the later one tells by the oldest whether
// somebody was in the window, and the earlier one by the newest. In a cell that no end of a window can reach any more the
// newest is enough. Of a cell with too many users those with the smallest keys are a sample: once it is full, who isn't
// in it never will be.
void settle_cells(Marks &x, const MarksSpec &spec) noexcept {
  const auto cell = [&](const Mark &m) { return block_of(m.to, spec.window); };
  sort(x.all, [&](const Mark &a, const Mark &b) { return a.key != b.key ? a.key < b.key : cell(a) < cell(b); });
  join(x.all, [&](const Mark &a, const Mark &b) { return a.key == b.key && cell(a) == cell(b); },
       [](Mark &a, const Mark &b) {
         a.from = std::min(a.from, b.from);
         a.to = std::max(a.to, b.to);
       });
  const Micros gone = earlier(x.newest, reach(spec)), ended = earlier(x.newest, spec.window);
  const std::int64_t oldest = block_of(gone, spec.window), past = block_of(ended, spec.window); // cells before `past` have ended
  std::uint32_t users[3] = {}; // in each cell from the oldest that is left
  forget(x.all, [&](const Mark &m) {
    const std::int64_t at = cell(m) - oldest;
    return at < 0 || at > 2 || users[at]++ >= kMaxUsers;
  });
  for (Mark &m : x.all) {
    if (cell(m) < past) m.from = m.to;
  }
}

// What ended too long ago to be continued into a window is forgotten, and beginnings are cut off where no window reaches: all
// that is cut there is within a gap of what lies behind, so what would have joined it still does.
void settle_sessions(Marks &x, const MarksSpec &spec) noexcept {
  sort(x.all, [](const Mark &a, const Mark &b) { return a.key != b.key ? a.key < b.key : a.from < b.from; });
  join(x.all, [&](const Mark &a, const Mark &b) { return a.key == b.key && b.from <= later(a.to, spec.gap); },
       [](Mark &a, const Mark &b) { a.to = std::max(a.to, b.to); });
  const Micros cut = earlier(x.newest, reach(spec)), gone = earlier(cut, spec.gap);
  forget(x.all, [&](const Mark &m) { return m.to <= gone; });
  for (Mark &m : x.all) m.from = std::min(m.to, std::max(m.from, cut));
}

Measured days_in(const Marks &x, Micros after, Micros until) noexcept {
  return {static_cast<double>(std::count_if(x.all.begin(), x.all.end(), [&](const Mark &m) { return m.from > after && m.from <= until; })), 0};
}

// A state that has as many users as it may have knows nothing of those who came before them.
Measured users_in(const Marks &x, Micros after, Micros until) noexcept {
  const auto n = static_cast<double>(std::count_if(x.all.begin(), x.all.end(), [&](const Mark &m) { return m.to > after && m.from <= until; }));
  return {n, n < kMaxUsers ? 0 : std::numeric_limits<double>::infinity()};
}

// Where a cell is full, the keys below its greatest one are a fair share of all users: their number is told from that.
Measured users_of_cells(const Marks &x, const MarksSpec &spec, Micros after, Micros until) noexcept {
  constexpr std::uint64_t kAll = std::uint64_t{1} << kKeyBits;
  const std::int64_t first = x.all.empty() ? 0 : block_of(earlier(x.newest, reach(spec)), spec.window);
  std::uint32_t users[3] = {};
  std::uint64_t greatest[3] = {}, below = kAll;
  for (const Mark &m : x.all) {
    const std::int64_t at = std::clamp<std::int64_t>(block_of(m.to, spec.window) - first, 0, 2);
    users[at]++;
    greatest[at] = m.key;
  }
  for (int i = 0; i < 3; i++) {
    if (users[i] >= kMaxUsers) below = std::min(below, greatest[i]);
  }
  std::uint64_t counted = 0, n = 0;
  for (const Mark &m : x.all) {
    if (m.key >= below) break;
    if (m.to <= after || m.from > until || m.key == counted) continue;
    counted = m.key;
    n++;
  }
  const auto count = static_cast<double>(n);
  if (below == kAll) return {count, 0};
  const double share = static_cast<double>(below) * 0x1p-48;
  return {count / share, 3 * std::sqrt(std::max(count, 1.0)) / share}; // three times the standard deviation
}

Measured hours_in(const Marks &x, Micros after, Micros until) noexcept {
  __int128 time = 0;
  for (const Mark &m : x.all) time += std::max<Micros>(0, std::min(m.to, until) - std::max(m.from, after));
  return {static_cast<double>(time) / static_cast<double>(kHour), 0};
}

} // namespace

std::uint64_t user_key(std::string_view user_id) noexcept {
  std::uint64_t h = 0xcbf29ce484222325ull; // FNV-1a, then mixed
  for (char c : user_id) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  for (int i = 0; i < 2; i++) {
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ull;
  }
  const std::uint64_t key = (h ^ h >> 32) >> (64 - kKeyBits);
  return key ? key : 1;
}

void Marks::push(Arena &a, const MarksSpec &spec, const Mark &m) {
  all.push(a, m);
  if (all.size <= std::max(enough, 2 * kExactInstants)) return;
  settle(spec);
  enough = 2 * all.size;
}

void Marks::add(Arena &a, const MarksSpec &spec, Micros at, std::uint64_t key, double value, std::string_view id) {
  if (at < -kMaxMark || at > kMaxMark) return;
  kind = spec.kind;
  stored = {};
  if (at > newest || (at == newest && id > event.view())) {
    newest = at;
    event.assign(a, id);
  }
  const bool whose = spec.kind == MarksKind::users || spec.kind == MarksKind::sessions;
  Mark m{whose ? key : 0, at, at, {}, {}};
  if (spec.kind == MarksKind::window) (value < 0 ? m.less : m.more) = units(std::fabs(value));
  if (spec.kind == MarksKind::days) m.from = m.to = start_of_day(at);
  if (spec.kind != MarksKind::latest) push(a, spec, m);
}

void Marks::merge(Arena &a, const MarksSpec &spec, const Marks &o) {
  if (o.kind != spec.kind || o.newest == kAlways) return;
  kind = spec.kind;
  stored = {};
  if (o.newest > newest || (o.newest == newest && o.event.view() > event.view())) {
    newest = o.newest;
    event.assign(a, o.event.view());
  }
  if (!enough) enough = 2 * all.size; // in order as yet
  for (const Mark &m : o.all) push(a, spec, m);
}

void Marks::settle(const MarksSpec &spec) {
  if (kind != spec.kind || newest == kAlways || !stored.empty()) return;
  switch (kind) {
  case MarksKind::window: return settle_window(*this, spec);
  case MarksKind::days: return settle_days(*this, spec);
  case MarksKind::users: return spec.spans > 1 ? settle_cells(*this, spec) : settle_users(*this, spec);
  case MarksKind::sessions: return settle_sessions(*this, spec);
  case MarksKind::latest: return all.clear();
  }
}

Micros Marks::exact_from() const noexcept {
  const Mark *const first = std::partition_point(all.begin(), all.end(), [](const Mark &m) { return !is_instant(m); });
  return first == all.end() ? kNever : first->from;
}

// A bucket in which a window begins or ends counts by its part.
Measured Marks::sum_in(Micros after, Micros until) const noexcept {
  __int128 sum = 0;
  Measured in;
  for (const Mark &m : all) {
    if (m.to <= after || m.from > until) continue;
    const Micros last = is_instant(m) ? m.to : last_of(m);
    if (m.from > after && last <= until) {
      sum += m.more.value() - m.less.value();
      continue;
    }
    const Micros from = std::max(m.from - 1, after), to = std::min(last, until);
    const double part = std::max(0.0, static_cast<double>(to - from) / static_cast<double>(last - m.from + 1));
    const double more = number(m.more), less = number(m.less), guess = (more - less) * part;
    in.value += guess;
    in.error += std::max(more - guess, guess + less);
  }
  in.value += static_cast<double>(sum) * 0x1p-40;
  return in;
}

Measured Marks::read(const MarksSpec &spec, Micros after, Micros until) const noexcept {
  switch (kind) {
  case MarksKind::window: return sum_in(after, until);
  case MarksKind::days: return days_in(*this, after, until);
  case MarksKind::users: return spec.spans > 1 ? users_of_cells(*this, spec, after, until) : users_in(*this, after, until);
  case MarksKind::sessions: return hours_in(*this, after, until);
  case MarksKind::latest: break;
  }
  return {};
}

std::uint64_t Marks::digest() const noexcept {
  std::uint64_t h = 0;
  for (const Mark &m : all) {
    for (const auto part : {m.key, static_cast<std::uint64_t>(m.from), static_cast<std::uint64_t>(m.to), m.more.lo,
                            static_cast<std::uint64_t>(m.more.hi), m.less.lo, static_cast<std::uint64_t>(m.less.hi)})
      h = mix(h ^ part) + 1;
  }
  return h;
}

double Marks::streak(const MarksSpec &spec, Micros as_of) const noexcept {
  const Micros after = earlier(as_of, spec.window), yesterday = earlier(start_of_day(as_of), kDay);
  if (all.empty() || all.back().from < yesterday) return 0;
  std::uint32_t n = 0;
  for (Micros day = all.back().from; n < all.size && all[all.size - 1 - n].from == day && day > after; day -= kDay) n++;
  return n;
}

} // namespace pql
