// The law of qualification: episodes are those of somebody who looks at every instant, however rarely the score is looked at.
#include "core/qualify/qualify.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "property/any.hpp"

namespace pql {
namespace {

constexpr Micros kEnd = 300;

/// A score that jumps when something happens and falls in between, as decayed ones do.
struct Walk {
  struct Jump {
    Micros at;
    int score, fall; // a point for every so many instants
    bool in_segment, fit;
  };
  std::vector<Jump> jumps; // ascending

  static Sight of(const Jump &j, Micros t) {
    return {j.score - static_cast<int>((t - j.at) / j.fall), j.in_segment, j.fit};
  }
};

struct Episode {
  Micros from, to;
  bool operator==(const Episode &) const = default;
};

QualifyDef any_definition() {
  QualifyDef q;
  q.enter = number(1, 40);
  q.leave = number(0, q.enter + 1);
  q.dwell = one_in(3) ? 0 : number(0, 60);
  q.cool_down = one_in(3) ? 0 : number(0, 100);
  return q;
}

Walk any_walk() {
  Walk w;
  for (Micros at = number(0, 20); at < kEnd; at += number(1, 50))
    w.jumps.push_back({at, number(0, 60), number(1, 6), !one_in(5), !one_in(5)});
  return w;
}

// Every instant in turn: what was known before it, then what happens at it.
std::vector<Episode> by_definition(const QualifyDef &q, const Walk &w) {
  std::vector<Episode> all;
  Micros from = kNever, low = kNever, cool = kAlways;
  std::size_t next = 0;
  for (Micros t = 0; t < kEnd; t++) {
    for (bool after : {false, true}) {
      if (after && (next == w.jumps.size() || w.jumps[next].at != t)) continue;
      if (after) next++;
      if (next == 0) continue;
      const Sight s = Walk::of(w.jumps[next - 1], t);
      const bool was_open = from != kNever;
      if (was_open) {
        if (!is_below(q, s)) low = kNever;
        else if (low == kNever) low = t;
        if (low != kNever && t >= low + q.dwell) {
          all.push_back({from, low + q.dwell});
          cool = low + q.dwell + q.cool_down;
          from = low = kNever;
        }
      }
      if (after && !was_open && t >= cool && s.score >= q.enter && s.in_segment && s.fit) from = t;
    }
  }
  if (from != kNever) all.push_back({from, kNever});
  return all;
}

// Looks when something happens, before and after, and now and then besides.
std::vector<Episode> by_looking(const QualifyDef &q, const Walk &w, const std::vector<Micros> &looks) {
  std::vector<Episode> all;
  std::optional<Standing> standing;
  Micros from = 0;
  const auto leave = [&](Micros at) {
    all.push_back({from, at});
    standing = Standing{.open = false, .since = at + q.cool_down};
  };
  const auto look_before = [&](const Walk::Jump &j, Micros t) {
    if (!standing || !standing->open) return;
    Micros fell = t; // the first instant at which it was low
    while (fell > j.at && is_below(q, Walk::of(j, fell - 1))) fell--;
    const Micros end = look(*standing, q, Walk::of(j, t), t, fell);
    if (finite(end)) leave(end);
  };
  std::size_t next = 0;
  std::vector<Micros> instants = looks;
  for (const Walk::Jump &j : w.jumps) instants.push_back(j.at);
  std::sort(instants.begin(), instants.end());
  for (Micros t : instants) {
    if (next > 0) look_before(w.jumps[next - 1], t);
    if (next == w.jumps.size() || w.jumps[next].at != t) continue;
    const Sight s = Walk::of(w.jumps[next++], t);
    if (standing && standing->open) {
      const Micros end = look(*standing, q, s, t, t);
      if (finite(end)) leave(end);
    } else if (enters(q, standing ? &*standing : nullptr, s, t)) {
      from = t;
      standing = Standing{};
    }
  }
  if (next > 0) look_before(w.jumps[next - 1], kEnd - 1);
  if (standing && standing->open) all.push_back({from, kNever});
  return all;
}

TEST(Qualify, EpisodesDoNotDependOnWhoLooks) {
  check("the episodes of looking now and then are those of looking always", rc::check([] {
          const QualifyDef q = any_definition();
          const Walk w = any_walk();
          std::vector<Micros> looks(number<std::size_t>(0, 20));
          for (Micros &t : looks) t = number<Micros>(0, kEnd);
          const std::vector<Episode> expected = by_definition(q, w);
          RC_TAG(expected.size());
          RC_ASSERT(by_looking(q, w, looks) == expected);
        }));
}

TEST(Qualify, LeavesWhenItWasForetold) {
  check("if nothing happens, an episode ends when end_of says", rc::check([] {
          QualifyDef q = any_definition();
          q.leave = number(1, 40);
          const Walk::Jump j{0, number(q.leave, 80), number(1, 6), true, true};
          Micros falls = 0;
          while (!is_below(q, Walk::of(j, falls))) falls++;
          Standing s;
          const Micros end = end_of(s, q, falls);
          RC_ASSERT(end == falls + q.dwell);
          if (end > falls) RC_ASSERT(look(s, q, Walk::of(j, end - 1), end - 1, std::min(falls, end - 1)) == kNever);
          RC_ASSERT(look(s, q, Walk::of(j, end), end, falls) == end);
        }));
}

} // namespace
} // namespace pql
