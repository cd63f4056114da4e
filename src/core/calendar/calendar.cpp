#include "core/calendar/calendar.hpp"

#include <algorithm>

namespace pql {
namespace {

constexpr Micros kMonday = 2 * kDay;        // the first one; 2000-01-01 was a Saturday
constexpr Micros kReach = Micros{1} << 62;  // sums of two such instants don't overflow
constexpr Micros kMostOffset = 2 * kDay;    // of any zone, generously

constexpr Micros floor_div(Micros a, Micros b) noexcept { return a / b - (a % b < 0); }
constexpr Micros within_reach(Micros t) noexcept { return std::clamp(t, -kReach, kReach); }

// Sorted, without overlaps and empty ones.
std::vector<Span> united(std::vector<Span> all) {
  std::erase_if(all, [](const Span &s) { return s.from >= s.until; });
  std::sort(all.begin(), all.end(), [](const Span &a, const Span &b) { return a.from < b.from; });
  std::vector<Span> out;
  for (const Span &s : all) {
    if (!out.empty() && s.from <= out.back().until)
      out.back().until = std::max(out.back().until, s.until);
    else
      out.push_back(s);
  }
  return out;
}

// What a change of the clock says until the next one.
Span reign(std::span<const ZoneChange> zone, std::size_t i) {
  return {i ? zone[i].at : -kReach, i + 1 < zone.size() ? zone[i + 1].at : kReach};
}

// Holidays as instants. A date that the clock leaves and comes back to is several spans.
std::vector<Span> closed_spans(const CalendarDef &def, std::span<const ZoneChange> zone) {
  std::vector<Span> out;
  for (const Span &s : def.away) out.push_back({within_reach(s.from), within_reach(s.until)});
  for (std::size_t i = 0; i < zone.size(); i++) {
    const Span in = reign(zone, i);
    const Micros offset = zone[i].offset, first = floor_div(in.from + offset, kDay);
    auto day = std::lower_bound(def.holidays.begin(), def.holidays.end(), first, [](std::int32_t d, Micros f) { return d < f; });
    for (; day != def.holidays.end() && *day * kDay - offset < in.until; ++day)
      out.push_back({std::max(in.from, *day * kDay - offset), std::min(in.until, (*day + 1) * kDay - offset)});
  }
  return out;
}

} // namespace

OpenLine::OpenLine(std::span<const WorkBlock> week, std::span<const ZoneChange> zone, std::vector<Span> closed) {
  for (const WorkBlock &b : week) {
    week_.push_back({b.from * kMinute, b.until * kMinute, total_});
    total_ += (b.until - b.from) * kMinute;
  }
  closed = united(std::move(closed));
  std::vector<Micros> edges{-kReach};
  for (std::size_t i = 1; i < zone.size(); i++) edges.push_back(zone[i].at);
  for (const Span &s : closed) edges.insert(edges.end(), {s.from, s.until});
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  std::size_t z = 0, c = 0;
  for (const Micros at : edges) {
    while (z + 1 < zone.size() && zone[z + 1].at <= at) z++;
    while (c < closed.size() && closed[c].until <= at) c++;
    const Micros offset = zone.empty() ? 0 : zone[z].offset;
    const bool shut = c < closed.size() && closed[c].from <= at;
    pieces_.push_back({at, offset, shut, pieces_.empty() ? 0 : count(at), week_count(at + offset)});
  }
}

// Since the first Monday; negative before it.
Micros OpenLine::week_count(Micros local) const noexcept {
  const Micros week = floor_div(local - kMonday, kWeek), at = local - kMonday - week * kWeek;
  auto b = std::upper_bound(week_.begin(), week_.end(), at, [](Micros t, const Open &o) { return t < o.from; });
  if (b == week_.begin()) return week * total_;
  --b;
  return week * total_ + b->before + std::min(at, b->until) - b->from;
}

// The earliest local time up to which the week counts so much.
Micros OpenLine::week_reach(Micros count) const noexcept {
  const Micros week = floor_div(count - 1, total_), rest = count - week * total_; // from 1 to total_
  const auto b = std::partition_point(week_.begin(), week_.end(), [&](const Open &o) { return o.before + (o.until - o.from) < rest; });
  return kMonday + week * kWeek + b->from + (rest - b->before);
}

Micros OpenLine::count(Micros t) const noexcept {
  t = within_reach(t);
  const auto after = std::upper_bound(pieces_.begin(), pieces_.end(), t, [](Micros x, const Piece &p) { return x < p.from; });
  if (after == pieces_.begin()) return 0;
  const Piece &p = after[-1];
  return p.closed ? p.before : p.before + week_count(t + p.offset) - p.base;
}

Micros OpenLine::reach(Micros count) const noexcept {
  if (total_ == 0) return kNever;
  const auto after = std::partition_point(pieces_.begin(), pieces_.end(), [&](const Piece &p) { return p.before < count; });
  if (after == pieces_.begin()) return pieces_.front().from;
  const Piece &p = after[-1];
  if (p.closed) return kNever; // the last one, since the next would have counted more
  const Micros t = week_reach(count - p.before + p.base) - p.offset;
  return t < kReach ? t : kNever;
}

Micros OpenLine::next_open(Micros t) const noexcept {
  const Micros end = reach(count(t) + 1); // of the first microsecond that is open
  return end == kNever ? kNever : end - 1;
}

Calendar::Calendar(const CalendarDef &def) : zone_(def.zone.empty() ? Changes(1) : def.zone) {
  hours_ = OpenLine(def.week, zone_, closed_spans(def, zone_));
  std::vector<WorkBlock> days;
  for (int day = 0; day < 7; day++) {
    const int from = day * 1440, until = from + 1440;
    const auto in = [&](const WorkBlock &b) { return b.from < until && b.until > from; };
    if (std::any_of(def.week.begin(), def.week.end(), in)) days.push_back({from, until});
  }
  days_ = OpenLine(days, {}, lost_days(def));
}

Calendar::Changes::const_iterator Calendar::change(Micros t) const noexcept {
  const auto after = std::upper_bound(zone_.begin() + 1, zone_.end(), t, [](Micros x, const ZoneChange &z) { return x < z.at; });
  return after - 1;
}

// The earliest instant at which the clock shows this time or a later one.
Micros Calendar::instant(Micros local) const noexcept {
  for (auto z = change(local - kMostOffset);; ++z) {
    const bool last = z + 1 == zone_.end();
    const Micros t = z == zone_.begin() ? local - z->offset : std::max(z->at, local - z->offset);
    if (last || t < z[1].at) return t;
  }
}

Micros Calendar::open_on(Micros day) const noexcept {
  Micros open = 0;
  for (auto z = change(day * kDay - kMostOffset); z != zone_.end(); ++z) {
    Micros from = day * kDay - z->offset, until = from + kDay;
    if (z != zone_.begin()) from = std::max(from, z->at);
    if (z + 1 != zone_.end()) until = std::min(until, z[1].at);
    if (from < until) open += working_between(from, until);
    if (z->at > (day + 1) * kDay + kMostOffset) break;
  }
  return open;
}

// Dates of which nothing is open, though their weekday is: holidays, and what somebody's absence or a jump of the clock leaves nothing of.
std::vector<Span> Calendar::lost_days(const CalendarDef &def) const {
  std::vector<Span> lost;
  const auto look = [&](Micros day) {
    if (!open_on(day)) lost.push_back({day * kDay, (day + 1) * kDay});
  };
  for (const std::int32_t day : def.holidays) lost.push_back({day * kDay, (day + 1) * kDay});
  for (std::size_t i = 1; i < zone_.size(); i++) {
    const Micros before = floor_div(zone_[i].at + zone_[i - 1].offset, kDay), after = floor_div(zone_[i].at + zone_[i].offset, kDay);
    for (Micros day = std::min(before, after) - 1; day <= std::max(before, after) + 1; day++) look(day);
  }
  for (const Span &s : united(def.away)) {
    const Micros first = floor_div(local(within_reach(s.from)), kDay), last = floor_div(local(within_reach(s.until)), kDay);
    for (Micros day = first - 1; day <= std::min(first + 1, last + 1); day++) look(day);
    for (Micros day = std::max(first + 2, last - 1); day <= last + 1; day++) look(day);
    lost.push_back({within_reach((first + 2) * kDay), within_reach((last - 1) * kDay)});
  }
  return lost;
}

Micros Calendar::add_working(Micros t, Micros length) const noexcept {
  if (length <= 0) return next_open(t);
  return length > kReach / 2 ? kNever : hours_.reach(hours_.count(t) + length);
}

Micros Calendar::add_days(Micros t, int n) const noexcept {
  const Micros start = next_open(t);
  if (start == kNever || n <= 0) return start;
  const Micros end = days_.reach(days_.count(local(start)) + n * kDay);
  if (end == kNever) return kNever;
  const Micros day = days_.next_open(end); // midnight after a Friday is Monday's
  return day == kNever ? kNever : next_open(instant(day));
}

} // namespace pql
