// Laws of working time.
// Law: what the calendar computes is what counting minute by minute gives, with clock changes, holidays and absences.
#include "core/calendar/calendar.hpp"

#include <algorithm>

#include "property/any.hpp"

namespace pql {
namespace {

constexpr int kDays = 50; // of the time that is drawn from, from kStart on
constexpr Micros kStart = 9'500 * kDay;
constexpr int kMinutes = kDays * 1440;

// Sorted and without overlaps; those of a week end on their day.
std::vector<WorkBlock> any_week() {
  std::vector<WorkBlock> week;
  const int step = number(0, 2) ? 15 : 1; // many that meet, or odd ones
  for (int day = 0; day < 7; day++) {
    if (one_in(3)) continue;
    std::vector<int> at;
    for (int i = 2 * number(1, 4); i > 0; i--) at.push_back(number(0, 1440 / step + 1) * step);
    std::sort(at.begin(), at.end());
    for (std::size_t i = 0; i + 1 < at.size(); i += 2) {
      if (at[i] < at[i + 1]) week.push_back({day * 1440 + at[i], day * 1440 + at[i + 1]});
    }
  }
  return week;
}

CalendarDef any_calendar() {
  CalendarDef def{any_week(), {}, {}, {}};
  if (!one_in(4)) {
    Micros at = kStart - number(0, 5) * kDay;
    for (int i = number(1, 6); i > 0; i--) {
      def.zone.push_back({at, number(-48, 57) * 15 * kMinute}); // from -12:00 to 14:00
      at += number(3 * 1440, 20 * 1440) * kMinute;
    }
    if (one_in(2)) { // as zones are: an hour, or half of one
      for (std::size_t i = 1; i < def.zone.size(); i++) def.zone[i].offset = def.zone[0].offset + (i % 2) * (one_in(4) ? 30 : 60) * kMinute;
    }
  }
  for (int day = 0; day < kDays; day++) {
    if (one_in(12)) def.holidays.push_back(static_cast<std::int32_t>(kStart / kDay) + day);
  }
  for (int i = number(0, 4); i > 0; i--) {
    const Micros from = kStart + number(-1440, kMinutes) * kMinute;
    def.away.push_back({from, one_in(12) ? kNever : from + number(0, one_in(2) ? 12'000 : 900) * kMinute});
  }
  return def;
}

// What a person with a clock, a calendar and much time would find.
class Oracle {
public:
  explicit Oracle(const CalendarDef &def) : def_(def) {
    for (int m = 0; m < kMinutes; m++) open_.push_back(is_open(kStart + m * kMinute));
  }

  bool open(int m) const { return open_[static_cast<std::size_t>(m)]; }

  Micros between(int a, int b) const {
    return std::count(open_.begin() + a, open_.begin() + b, true) * kMinute;
  }

  // -1: not in the time that is drawn from.
  int next_open(int m) const {
    while (m < kMinutes && !open(m)) m++;
    return m < kMinutes ? m : -1;
  }

  int add(int m, int minutes) const {
    for (; m < kMinutes; m++) {
      if (open(m) && --minutes == 0) return m + 1;
    }
    return -1;
  }

  int add_days(int m, int n) const {
    m = next_open(m);
    if (m < 0) return -1;
    std::vector<bool> days(kStart / kDay + kDays + 2); // by local date, whether anything of it is open
    for (int i = 0; i < kMinutes; i++) days[static_cast<std::size_t>(local(i) / kDay)] = days[static_cast<std::size_t>(local(i) / kDay)] || open(i);
    Micros day = local(m) / kDay;
    const Micros time = local(m) % kDay;
    for (; n > 0; n -= days[static_cast<std::size_t>(day)]) {
      if (++day >= local(kMinutes - 1) / kDay) return -1;
    }
    for (int i = m; i < kMinutes; i++) { // a clock that is put back by hours has shown that time before m, too
      if (local(i) >= day * kDay + time) return next_open(i);
    }
    return -1;
  }

  Micros local(int m) const { return local_of(kStart + m * kMinute); }

private:
  Micros local_of(Micros t) const {
    Micros offset = def_.zone.empty() ? 0 : def_.zone[0].offset;
    for (const ZoneChange &z : def_.zone) {
      if (z.at <= t) offset = z.offset;
    }
    return t + offset;
  }

  bool is_open(Micros t) const {
    const Micros local = local_of(t), day = local / kDay;
    const auto weekday = (day + 5) % 7; // 2000-01-01 was a Saturday
    const auto minute = weekday * 1440 + local % kDay / kMinute;
    if (std::find(def_.holidays.begin(), def_.holidays.end(), day) != def_.holidays.end()) return false;
    for (const Span &s : def_.away) {
      if (s.from <= t && t < s.until) return false;
    }
    return std::any_of(def_.week.begin(), def_.week.end(), [&](const WorkBlock &b) { return b.from <= minute && minute < b.until; });
  }

  const CalendarDef &def_;
  std::vector<bool> open_;
};

Micros instant(int m) { return kStart + m * kMinute; }

// The oracle sees no further than the end; where it finds nothing, the calendar's answer lies beyond it.
void same(Micros got, int expected) {
  if (expected < 0) RC_ASSERT(got >= instant(kMinutes));
  else RC_ASSERT(got == instant(expected));
}

TEST(CalendarLaws, CountsAsMinuteByMinute) {
  check("working_between, is_open", rc::check([] {
          const CalendarDef def = any_calendar();
          const Calendar c(def);
          const Oracle o(def);
          for (int i = 0; i < 20; i++) {
            const int a = number(0, kMinutes), b = number(a, kMinutes);
            RC_ASSERT(c.working_between(instant(a), instant(b)) == o.between(a, b));
            RC_ASSERT(c.working_between(instant(b), instant(a)) == -o.between(a, b));
            const Micros within = number<Micros>(0, kMinute);
            RC_ASSERT(c.is_open(instant(a) + within) == o.open(a));
            RC_ASSERT(c.working_between(instant(a), instant(a) + within) == (o.open(a) ? within : 0));
          }
        }));
}

TEST(CalendarLaws, AddsAsMinuteByMinute) {
  check("next_open, add_working", rc::check([] {
          const CalendarDef def = any_calendar();
          const Calendar c(def);
          const Oracle o(def);
          for (int i = 0; i < 20; i++) {
            const int a = number(0, kMinutes), minutes = number(1, one_in(2) ? 20'000 : 600);
            same(c.next_open(instant(a)), o.next_open(a));
            RC_ASSERT(c.add_working(instant(a), 0) == c.next_open(instant(a)));
            same(c.add_working(instant(a), minutes * kMinute), o.add(a, minutes));
          }
        }));
}

TEST(CalendarLaws, AddsDaysAsDayByDay) {
  check("add_days", rc::check([] {
          const CalendarDef def = any_calendar();
          const Calendar c(def);
          const Oracle o(def);
          for (int i = 0; i < 5; i++) {
            const int a = number(2 * 1440, kMinutes), n = number(0, 20);
            const int expected = o.add_days(a, n);
            const Micros got = c.add_days(instant(a), n);
            if (expected >= 0) RC_ASSERT(got == instant(expected));
            else RC_ASSERT(got >= instant(kMinutes - 3 * 1440));
          }
        }));
}

TEST(CalendarLaws, AddingGoesThereAndBack) {
  check("working_between(t, add_working(t, d)) == d", rc::check([] {
          const CalendarDef def = any_calendar();
          const Calendar c(def);
          const Micros t = number<Micros>(-kStart, 9 * kStart), d = number<Micros>(1, 3'000 * kHour);
          const Micros end = c.add_working(t, d);
          if (end == kNever) return;
          RC_ASSERT(c.working_between(t, end) == d);
          RC_ASSERT(c.working_between(t, end - 1) == d - 1);
        }));
}

TEST(CalendarLaws, NothingOpensAnEmptyWeek) {
  check("never", rc::check([] {
          CalendarDef def = any_calendar();
          def.week.clear();
          const Calendar c(def);
          const Micros t = *rc::gen::arbitrary<Micros>();
          RC_ASSERT(c.next_open(t) == kNever && c.add_working(t, kHour) == kNever && c.add_days(t, 1) == kNever && !c.is_open(t));
          RC_ASSERT(c.working_between(t, 0) == 0);
        }));
}

} // namespace
} // namespace pql
