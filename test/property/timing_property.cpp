// Laws of what contact waits for.
// Law: quiet hours are what a person with a clock would count minute by minute, whatever that clock does; a delayed contact is in nobody's night,
// never sooner, and has the time that was promised.
// covers: S1-2, S1-26, S1-28
#include "core/route/timing.hpp"

#include <algorithm>
#include <array>

#include "property/any.hpp"

namespace pql {
namespace {

constexpr int kMinutes = 30 * 1440; // of the time that is drawn from, from kBegin on
constexpr Micros kBegin = 9'600 * kDay;

std::string clock_text(int minutes) {
  const auto two = [](int n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
  return two(minutes / 60) + ":" + two(minutes % 60);
}

// Mostly nights, as people have them; at any minute.
std::string any_times() {
  const int from = one_in(2) ? number(18 * 60, 1440) : number(0, 1440);
  int until = one_in(2) ? number(0, 10 * 60) : number(0, 1441);
  if (until == from) until = (from + 1) % 1440;
  return clock_text(from) + "-" + clock_text(until);
}

std::vector<std::string> any_list() {
  std::vector<std::string> all;
  for (int i = number(0, 3); i > 0; i--) all.push_back(any_times());
  return all;
}

QuietDef any_quiet() {
  QuietDef q;
  q.hours = any_list();
  for (auto &day : q.days) {
    if (one_in(3)) day = any_list();
    if (one_in(8)) day = {"00:00-24:00"};
  }
  return q;
}

// An hour back and forth, or half of one, at any minute; or more, as at the date line.
std::vector<ZoneChange> any_zone() {
  std::vector<ZoneChange> zone;
  Micros at = kBegin - kDay;
  const Micros offset = number(-44, 52) * 15 * kMinute, step = (one_in(4) ? 30 : one_in(6) ? 1440 : 60) * kMinute;
  for (int i = number(0, 7); i > 0; i--) {
    zone.push_back({at, offset + (i % 2) * step});
    at += number(1440, 9 * 1440) * kMinute;
  }
  return zone;
}

Micros local_of(const std::vector<ZoneChange> &zone, Micros t) {
  Micros offset = zone.empty() ? 0 : zone[0].offset;
  for (const ZoneChange &z : zone) {
    if (z.at <= t) offset = z.offset;
  }
  return t + offset;
}

int minutes_at(std::string_view text, std::size_t at) {
  return (text[at] - '0') * 600 + (text[at + 1] - '0') * 60 + (text[at + 3] - '0') * 10 + text[at + 4] - '0';
}

// By the clock on the wall and the words of the document alone.
bool is_quiet(const QuietDef &q, const std::vector<ZoneChange> &zone, Micros t) {
  const Micros local = local_of(zone, t), day = local / kDay;
  const int minute = static_cast<int>(local % kDay / kMinute);
  const auto on = [&](Micros d, int m) {
    const auto &list = q.days[static_cast<std::size_t>((d + 5) % 7)]; // 2000-01-01 was a Saturday
    return std::ranges::any_of(std::array{&q.hours, &list}, [&](const auto *all) {
      return std::ranges::any_of(*all, [&](const std::string &text) {
        const int from = minutes_at(text, 0), until = minutes_at(text, 6);
        return from <= m && m < (until > from ? until : until + 1440);
      });
    });
  };
  return on(day, minute) || on(day - 1, minute + 1440);
}

TEST(TimingLaws, QuietHoursAreCountedByMinutes) {
  check("next_open(t) is the first minute that isn't quiet", rc::check([] {
          const QuietDef q = any_quiet();
          const std::vector<ZoneChange> zone = any_zone();
          const Calendar awake(CalendarDef{q.week(), zone, {}, {}});
          for (int i = 0; i < 20; i++) {
            int m = number(0, kMinutes - 15 * 1440);
            const Micros found = awake.next_open(kBegin + m * kMinute);
            while (m < kMinutes && is_quiet(q, zone, kBegin + m * kMinute)) m++;
            if (m < kMinutes) RC_ASSERT(found == kBegin + m * kMinute);
            else RC_ASSERT(found >= kBegin + m * kMinute);
          }
        }));
}

Calendar any_work() {
  std::vector<WorkBlock> week;
  for (int day = 0; day < 7; day++) {
    if (!one_in(4)) week.push_back({day * 1440 + number(6, 11) * 60, day * 1440 + number(12, 20) * 60});
  }
  return Calendar(CalendarDef{week, any_zone(), {}, {}});
}

TEST(TimingLaws, NobodyIsDisturbed) {
  check("a delayed contact", rc::check([] {
          const QuietDef q = any_quiet();
          const Calendar awake(CalendarDef{q.week(), any_zone(), {}, {}}), work = any_work(), always;
          const auto instant = [] { return one_in(3) ? kAlways : kBegin + number(0, 3 * 1440) * kMinute; };
          MotionDef m;
          m.by = number(1, 3000) * kMinute;
          ContactWindow w{kBegin + number(0, 2 * 1440) * kMinute, kNever};
          if (!one_in(5)) w.by = w.after + m.by;
          const Delays d{instant(), instant(), one_in(3) ? nullptr : &awake, one_in(2) ? nullptr : &work};
          const Delayed out = delayed(w, d, m, always);
          const Micros after = out.contact.after, bound = std::max({w.after, std::min(d.held_until, w.by), d.barred_until});
          RC_ASSERT(after >= bound);
          RC_ASSERT((out.contact.by == kNever) == (w.by == kNever));
          if (w.by != kNever) RC_ASSERT(out.contact.by - after == m.by);
          RC_ASSERT((out.why == Delayed::Why::nothing) || after > w.after);
          const bool ever = awake.next_open(bound) != kNever;
          if (d.awake && ever) RC_ASSERT(awake.is_open(after));
          if (!d.awake && !d.work) RC_ASSERT(after == bound);
          // Where both have a minute in common, nothing later is chosen, and nothing sooner.
          if (!d.awake || !d.work || after == w.after) return;
          for (int i = 0; i < 12 * 1440; i++) {
            const Micros t = bound + i * kMinute;
            if (!awake.is_open(t) || !work.is_open(t)) continue;
            RC_ASSERT(after <= t);
            if (bound > w.after) RC_ASSERT(after == t);
            return;
          }
        }));
}

TEST(TimingLaws, WhatIsDelayedTwiceIsDelayedOnce) {
  check("delayed is idempotent", rc::check([] {
          const QuietDef q = any_quiet();
          const Calendar awake(CalendarDef{q.week(), any_zone(), {}, {}});
          MotionDef m;
          m.by = kHour;
          const ContactWindow w{kBegin + number(0, 1440) * kMinute, kNever};
          const Delays bars{kAlways, kBegin + number(0, 3 * 1440) * kMinute, &awake, nullptr};
          const Delayed once = delayed(w, bars, m, Calendar());
          RC_ASSERT(delayed(once.contact, bars, m, Calendar()).contact.after == once.contact.after);
        }));
}

} // namespace
} // namespace pql
