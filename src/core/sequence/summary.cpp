// A chain over two stretches is the beginning of it in the first and the rest in the second. Of the beginnings the one that
// starts last is the best, of the rests the one that ends first: it lies within the window if any does.
#include "core/sequence/summary.hpp"

#include <algorithm>

namespace pql {

FunnelSummary FunnelSummary::of(Micros *numbers, int steps, Micros within, bool increase) noexcept {
  std::fill_n(numbers, steps, kAlways);
  std::fill_n(numbers + steps, numbers_of(steps) - steps, kNever);
  return {steps, within, increase, kNever, kAlways, numbers};
}

int FunnelSummary::level() const noexcept {
  int level = steps;
  while (level > 0 && latest(level - 1) == kAlways) level--;
  return level;
}

void FunnelSummary::take(Micros at, std::uint32_t steps_then) noexcept {
  if (steps < kMaxConditions) steps_then &= (1u << steps) - 1;
  if (!steps_then) return;
  if (empty()) first = at;
  last = at;
  for (int i = 0; i < steps; i++) { // goes on with the chains that begin at step i
    int j = i;
    while (j < steps && earliest(i, j) != kNever) j++;
    for (; j < steps && steps_then >> j & 1; j++) {
      earliest(i, j) = at;
      if (increase) break;
    }
  }
  take_latest(numbers, *this, at, steps_then);
}

void FunnelSummary::append(const FunnelSummary &next) noexcept {
  if (next.empty()) return;
  if (empty()) {
    first = next.first;
    last = next.last;
    std::copy_n(next.numbers, numbers_of(steps), numbers);
    return;
  }
  last = next.last;
  append_latest(numbers, next);
  for (int i = 0; i < steps; i++) {
    int m = i; // the first stretch has steps i..m-1
    while (m < steps && earliest(i, m) != kNever) m++;
    for (int j = m; j < steps; j++) earliest(i, j) = next.earliest(m, j);
  }
}

void take_latest(Micros *latest, const FunnelSummary &kind, Micros at, std::uint32_t steps_then) noexcept {
  const auto reach = [&](int s) {
    if (!(steps_then >> s & 1)) return;
    if (s == 0)
      latest[0] = at;
    else if (latest[s - 1] != kAlways && !later_by_more(at, latest[s - 1], kind.within))
      latest[s] = latest[s - 1];
  };
  if (kind.increase) {
    for (int s = kind.steps; s-- > 0;) reach(s);
  } else {
    for (int s = 0; s < kind.steps; s++) reach(s);
  }
}

// Descending, since a longer chain goes on from a shorter one of the first stretch as it was.
void append_latest(Micros *latest, const FunnelSummary &next) noexcept {
  for (int j = next.steps; j-- > 0;) {
    if (next.latest(j) != kAlways) {
      latest[j] = next.latest(j);
      continue;
    }
    // The beginning takes steps 1..i: the fewer, the later it starts.
    for (int i = 0; i < j && latest[i] != kAlways; i++) {
      const Micros end = next.earliest(i + 1, j);
      if (end == kNever || later_by_more(end, latest[i], next.within)) continue;
      latest[j] = latest[i];
      break;
    }
  }
}

void summarise(FunnelSummary &s, std::span<const EventRow> rows) noexcept {
  for (std::size_t i = 0; i < rows.size();) {
    const Instant x = instant_at(rows, i);
    s.take(x.at, x.steps);
    i += x.rows.size();
  }
}

bool plausible(const FunnelSummary &s) noexcept {
  if (s.steps < 1 || s.steps > kMaxConditions || s.within < 0) return false;
  if (s.empty()) {
    if (s.first != kNever || s.last != kAlways) return false;
  } else if (!finite(s.first) || !finite(s.last)) {
    return false;
  }
  const auto inside = [&](Micros t) { return !s.empty() && t >= s.first && t <= s.last; };
  for (int i = 0; i < s.steps; i++) {
    const Micros start = s.latest(i);
    if (start != kAlways && (!inside(start) || (i > 0 && (s.latest(i - 1) == kAlways || s.latest(i - 1) < start)))) return false;
    for (int j = i; j < s.steps; j++) {
      const Micros end = s.earliest(i, j);
      if (end == kNever) continue;
      if (!inside(end) || (j > i && s.earliest(i, j - 1) > end)) return false;
    }
  }
  return true;
}

} // namespace pql
