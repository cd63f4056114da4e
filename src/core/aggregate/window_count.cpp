#include "core/aggregate/window_count.hpp"

#include <algorithm>
#include <limits>

namespace pql {
namespace {

using Entry = WindowCountState::Entry;

constexpr std::size_t size_of(std::size_t entries) noexcept { return sizeof(WindowCountState) + entries * sizeof(Entry); }

const WindowCountState &read(const State &s) noexcept { return static_cast<const WindowCountState &>(s); }

// Numbers of rows that nobody has counted stop at the greatest one.
std::int64_t total(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

bool valid(const State &s) noexcept {
  if (s.size() < sizeof(WindowCountState) || s.small) return false;
  const WindowCountState &w = read(s);
  if (w.size() != size_of(w.room()) || w.count > w.room() || !w.count || w.unsorted > 1) return false;
  if (!is_window(w.longest, w.times()) || !is_instant(w.newest)) return false;
  bool has_newest = false, sorted = true;
  for (std::uint32_t i = 0; i < w.count; i++) {
    const Entry &e = w.entries()[i];
    if (!is_instant(e.at) || e.at > w.newest || e.rows < 1) return false;
    has_newest = has_newest || e.at == w.newest;
    sorted = sorted && (i == 0 || w.entries()[i - 1].at < e.at);
  }
  return has_newest && (sorted || w.unsorted);
}

const char *differs(const State &a, const State &b) noexcept { return read(a).longest == read(b).longest ? nullptr : "longest windows"; }

State *merge(State *into, const State &from, Allocate allocate) {
  auto *w = static_cast<WindowCountState *>(into);
  for (std::uint32_t i = 0; i < read(from).count; i++) w = w->add(read(from).entries()[i], allocate);
  return w;
}

State *canonical(const State &s, Allocate allocate) {
  WindowCountState *w = resized(read(s), s.size(), allocate);
  w->tidy();
  const std::size_t size = size_of(w->count);
  w->set_size(size);
  w->open = 0;
  return w;
}

void print(const State &s, TextWriter &out) {
  out.member("longest", read(s).longest);
  out.key("rows");
  for (std::uint32_t i = 0; i < read(s).count; i++) {
    out.text(i ? ", [" : "[[");
    out.integer(read(s).entries()[i].at);
    out.text(", ");
    out.integer(read(s).entries()[i].rows);
    out.put(']');
  }
  out.put(']');
}

State *parse(TextReader &in, Allocate allocate) {
  const Micros longest = in.member("longest");
  if (!is_window(longest, Times::numbers)) return nullptr;
  in.key("rows");
  in.expect('[');
  WindowCountState *w = WindowCountState::make(longest, allocate);
  do {
    in.expect('[');
    const Micros at = in.integer();
    in.expect(',');
    const std::int64_t rows = in.integer();
    in.expect(']');
    // Only what print would write again: in order, and nothing that is too old.
    if (!in.ok() || !is_instant(at) || rows < 1 || (w->count && (at <= w->newest || w->entries()[0].at <= at - longest))) return nullptr;
    w = w->add({at, rows}, allocate);
  } while (in.next(','));
  in.expect(']');
  return canonical(*w, allocate);
}

void describe(const State &s, TextWriter &out) {
  std::int64_t rows = 0;
  for (std::uint32_t i = 0; i < read(s).count; i++) rows = total(rows, read(s).entries()[i].rows);
  out.member_length("longest_window", read(s).longest, s.times());
  out.member("rows", rows);
  out.member_instant("last_seen", read(s).newest, s.times());
}

} // namespace

constinit const StateKind kWindowCountState = {2, {"window_count_state", "window_count_timestamp_state", "window_count_bigint_state"}, valid, differs, merge, canonical, print, parse, describe};

WindowCountState *WindowCountState::make(Micros longest, Allocate allocate) {
  auto *w = make_state<WindowCountState>(kWindowCountState, size_of(6), allocate); // 128 bytes: PostgreSQL's chunks are powers of two
  w->open = 1;
  w->longest = longest;
  w->newest = kAlways;
  return w;
}

void WindowCountState::tidy() noexcept {
  Entry *const all = entries();
  if (unsorted) std::sort(all, all + count, [](const Entry &a, const Entry &b) { return a.at < b.at; });
  std::uint32_t n = 0;
  for (std::uint32_t i = 0; i < count; i++) {
    if (all[i].at <= newest - longest) continue;
    if (n && all[n - 1].at == all[i].at)
      all[n - 1].rows = total(all[n - 1].rows, all[i].rows);
    else
      all[n++] = all[i];
  }
  std::fill(all + n, all + count, Entry{});
  count = n;
  unsorted = 0;
}

WindowCountState *WindowCountState::add(Entry e, Allocate allocate) noexcept {
  if (e.at == newest && !unsorted) { // the last one
    entries()[count - 1].rows = total(entries()[count - 1].rows, e.rows);
    return this;
  }
  WindowCountState *s = this;
  if (count == room()) {
    tidy();
    if (count > room() / 2) s = resized(*this, size_of(room() * 2 + 2), allocate);
    s->open = 1;
  }
  if (e.at > s->newest)
    s->newest = e.at;
  else if (e.at <= s->newest - s->longest)
    return s;
  else
    s->unsorted = 1;
  s->open = 1;
  s->entries()[s->count++] = e;
  return s;
}

__int128 WindowCountState::rows_between(Micros from, Micros to) const noexcept {
  const auto after = [](Micros t, const Entry &e) { return t < e.at; };
  const Entry *const end = entries() + count, *const first = std::upper_bound(entries(), end, from, after);
  __int128 rows = 0;
  for (const Entry *e = first; e != end && e->at <= to; e++) rows += e->rows;
  return rows;
}

} // namespace pql
