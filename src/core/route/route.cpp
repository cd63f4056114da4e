#include "core/route/route.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/instant.hpp"

namespace pql {
namespace {

constexpr std::array<std::string_view, 19> kVerdicts = {
    "owner",    "chosen",   "overflow",    "escalated",       "last",     "passed",    "late",    "inactive",
    "declined", "away",     "at_capacity", "weekly_capacity", "no_share", "territory", "segment", "skills",
    "passed",   "breached", "passed"};

// What stands against a rep who would own the account; passed when nothing does.
Verdict ability(const Candidate &c) noexcept {
  if (!c.active) return Verdict::inactive;
  if (c.declined) return Verdict::declined;
  if (c.away_until != kAlways) return Verdict::away;
  if (c.capacity >= 0 && c.open >= c.capacity) return Verdict::full;
  if (c.weekly_capacity >= 0 && c.this_week >= c.weekly_capacity) return Verdict::full_this_week;
  return Verdict::passed;
}

// The same of anybody else.
Verdict fitness(const Candidate &c) noexcept {
  if (const Verdict v = ability(c); v != Verdict::passed) return v;
  if (!(c.weight > 0)) return Verdict::no_share;
  if (!c.in_territory) return Verdict::other_territory;
  if (!c.in_segment) return Verdict::other_segment;
  if (!c.missing_skill.empty()) return Verdict::no_skill;
  if (c.breached) return Verdict::breached;
  return c.late ? Verdict::late : Verdict::passed;
}

// Deficits that differ by less than this are equal: sums of shares are not exact.
std::int64_t rounded(double deficit) noexcept { return std::llround(std::clamp(deficit, -1e9, 1e9) * 1e6); }

bool before(const Candidate &a, const Candidate &b) noexcept {
  const std::int64_t x = rounded(a.deficit), y = rounded(b.deficit);
  if (x != y) return x > y;
  return a.seed != b.seed ? a.seed < b.seed : a.rep < b.rep;
}

// Each has a right to his part of this row, and whoever gets it has had it.
void share(std::span<const Candidate> all, const std::vector<std::size_t> &able, RouteDecision &d, Verdict why) {
  std::vector<std::size_t> order = able;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return all[a].rep < all[b].rep; });
  double total = 0;
  for (const std::size_t i : order) total += all[i].weight;
  std::size_t best = order.front();
  for (const std::size_t i : order) d.gains[i] = total > 0 ? all[i].weight / total : 1 / static_cast<double>(order.size());
  for (const std::size_t i : order) {
    Candidate a = all[i], b = all[best];
    a.deficit += d.gains[i];
    b.deficit += d.gains[best];
    if (before(a, b)) best = i;
  }
  d.gains[best] -= 1;
  d.chosen = static_cast<int>(best);
  d.verdicts[best] = why;
}

std::vector<std::size_t> with(const std::vector<Verdict> &verdicts, std::initializer_list<Verdict> wanted) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < verdicts.size(); i++) {
    if (std::find(wanted.begin(), wanted.end(), verdicts[i]) != wanted.end()) out.push_back(i);
  }
  return out;
}

} // namespace

std::string_view name_of(Verdict v) noexcept { return kVerdicts[static_cast<std::size_t>(v)]; }

RouteDecision choose(std::span<const Candidate> candidates, std::string_view owner, WhenNobody when_nobody) {
  RouteDecision d;
  d.gains.resize(candidates.size());
  std::vector<std::size_t> above;
  for (const Candidate &c : candidates) {
    const bool owns = !owner.empty() && c.rep == owner;
    d.verdicts.push_back(owns ? ability(c) : fitness(c));
    if (c.escalated && !c.breached && ability(c) == Verdict::passed) above.push_back(d.verdicts.size() - 1);
    if (!owns || d.verdicts.back() != Verdict::passed) continue;
    if (c.breached) {
      d.verdicts.back() = Verdict::breached;
      continue;
    }
    d.verdicts.back() = Verdict::owner; // his own accounts are no part of the shares
    d.chosen = static_cast<int>(d.verdicts.size()) - 1;
  }
  if (!above.empty()) {
    for (Verdict &v : d.verdicts) {
      if (v == Verdict::passed || v == Verdict::late || v == Verdict::owner) v = Verdict::below;
    }
    for (const std::size_t i : above) d.verdicts[i] = Verdict::passed;
    share(candidates, above, d, Verdict::escalated);
    return d;
  }
  if (d.chosen >= 0) {
    for (Verdict &v : d.verdicts) {
      if (v == Verdict::passed || v == Verdict::late) v = Verdict::yields;
    }
    return d;
  }
  std::vector<std::size_t> able = with(d.verdicts, {Verdict::passed});
  if (able.empty()) able = with(d.verdicts, {Verdict::late});
  if (!able.empty()) {
    share(candidates, able, d, Verdict::chosen);
    return d;
  }
  if (when_nobody == WhenNobody::overflow) able = with(d.verdicts, {Verdict::other_territory, Verdict::other_segment, Verdict::no_skill});
  const Verdict why = able.empty() ? Verdict::last : Verdict::overflow;
  if (able.empty()) able = with(d.verdicts, {Verdict::breached});
  if (!able.empty()) share(candidates, able, d, why);
  return d;
}

std::string reason_of(Verdict verdict, const Candidate &c, bool owner) {
  const auto of = [](int n, int most) { return std::to_string(n) + " of " + std::to_string(most); };
  const std::string whose = owner && verdict != Verdict::owner ? "owner, but " : "";
  switch (verdict) {
  case Verdict::owner: return "owner of the account";
  case Verdict::chosen: return "chosen: furthest behind their share";
  case Verdict::overflow: return "chosen: nobody who fits is free";
  case Verdict::escalated: return "chosen: it is escalated to them";
  case Verdict::last: return "chosen, though they let the promise pass: nobody else is free";
  case Verdict::breached: return whose + "let the promise pass, and others can";
  case Verdict::below: return "able, but it is escalated to others";
  case Verdict::passed: return "able, but another is further behind their share";
  case Verdict::late: return c.at_work_from == kNever ? "never at work" : "not at work before " + print_instant(c.at_work_from);
  case Verdict::inactive: return whose + "not active";
  case Verdict::declined: return whose + "declined it";
  case Verdict::away: return whose + (c.away_until == kNever ? "away" : "away until " + print_instant(c.away_until));
  case Verdict::full: return whose + "at capacity, " + of(c.open, c.capacity);
  case Verdict::full_this_week: return whose + "at capacity of the week, " + of(c.this_week, c.weekly_capacity);
  case Verdict::no_share: return "takes only accounts of their own";
  case Verdict::yields: return "able, but the account is another's";
  case Verdict::other_territory: return "other territory";
  case Verdict::other_segment: return "other segment";
  case Verdict::no_skill: break;
  }
  return "no skill " + std::string(c.missing_skill);
}

int capacity_threshold(std::span<const Arrivals> best_first, std::int64_t places, int enter) noexcept {
  std::int64_t all = 0, in = 0;
  for (const Arrivals &a : best_first) all += a.count;
  if (places >= all) return enter;
  for (const Arrivals &a : best_first) {
    in += a.count;
    if (in >= std::max<std::int64_t>(places, 1)) return std::max(a.score, enter);
  }
  return enter;
}

ContactWindow contact_window(const MotionDef &m, const Calendar &calendar, Micros signal_at, Micros earliest) {
  Micros after = add(calendar, signal_at, {m.after, m.after_in});
  if (after != kNever && m.after_in != Counted::always) after = calendar.next_open(after); // not when work ends
  if (after == kNever) after = signal_at + m.after; // nobody is ever at work: as if work never ended
  ContactWindow w{std::max(after, earliest), kNever};
  if (m.by) w.by = add(calendar, w.after, {m.by, m.by_in});
  if (m.by && w.by == kNever) w.by = w.after + m.by;
  return w;
}

} // namespace pql
