// Working time on days that people remember, and how hours and lengths are written.
#include "core/calendar/hours.hpp"

#include <gtest/gtest.h>

#include "core/base/instant.hpp"

namespace pql {
namespace {

// Of the year 2026, which begins on a Thursday.
constexpr Micros k2026 = 9'497 * kDay;
constexpr int kDaysBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
constexpr Micros on(int month, int day, int hour, int minute = 0) {
  return k2026 + (kDaysBefore[month - 1] + day - 1) * kDay + hour * kHour + minute * kMinute;
}
constexpr std::int32_t date(int month, int day) { return static_cast<std::int32_t>(on(month, day, 0) / kDay); }

std::vector<WorkBlock> hours(std::string_view json) {
  HoursProblem problem;
  std::vector<WorkBlock> week = parse_hours(json, problem);
  EXPECT_EQ(problem.problem, "");
  return week;
}

std::vector<WorkBlock> nine_to_five() {
  return hours(R"({"mon": ["09:00-17:00"], "tue": ["09:00-17:00"], "wed": ["09:00-17:00"], "thu": ["09:00-17:00"], "fri": ["09:00-17:00"]})");
}

std::vector<ZoneChange> berlin() { return {{on(1, 1, 0), kHour}, {on(3, 29, 1), 2 * kHour}, {on(10, 25, 1), kHour}}; }

TEST(Calendar, GoesOverTheWeekend) {
  const Calendar c({nine_to_five(), {}, {}, {}});
  EXPECT_EQ(c.next_open(on(11, 20, 18)), on(11, 23, 9)); // Friday, Monday
  EXPECT_EQ(c.add_working(on(11, 20, 16), 4 * kHour), on(11, 23, 12));
  EXPECT_EQ(c.add_working(on(11, 20, 16), kHour), on(11, 20, 17)); // not Monday morning
  EXPECT_EQ(c.add_days(on(11, 20, 10), 3), on(11, 25, 10));
  EXPECT_EQ(c.add_days(on(11, 21, 10), 1), on(11, 24, 9)); // from Monday, when work begins
  EXPECT_EQ(c.working_between(on(1, 1, 0), on(12, 31, 24)), 261 * 8 * kHour);
}

TEST(Calendar, KnowsHolidaysAndAbsences) {
  const Calendar c({nine_to_five(), {}, {date(12, 25)}, {{on(12, 28, 0), on(12, 31, 12)}}});
  EXPECT_EQ(c.next_open(on(12, 24, 17)), on(12, 31, 12));
  EXPECT_EQ(c.add_working(on(12, 24, 16), 2 * kHour), on(12, 31, 13));
  EXPECT_EQ(c.add_days(on(12, 24, 10), 1), on(12, 31, 12));
  const Calendar gone({nine_to_five(), {}, {}, {{on(6, 1, 0), kNever}}});
  EXPECT_EQ(gone.next_open(on(6, 1, 10)), kNever);
  EXPECT_EQ(gone.add_days(on(5, 29, 10), 1), kNever);
  EXPECT_EQ(gone.add_working(on(5, 29, 16), kHour), on(5, 29, 17));
  EXPECT_EQ(gone.add_working(on(5, 29, 16), kHour + 1), kNever);
}

TEST(Calendar, CountsWhatThereWasWhenTheClockChanged) {
  const std::vector<WorkBlock> night = hours(R"({"sun": ["01:00-04:00"]})");
  const Calendar c({night, berlin(), {}, {}});
  EXPECT_EQ(c.working_between(on(3, 28, 12), on(3, 29, 12)), 2 * kHour);   // 02:00 to 03:00 was not
  EXPECT_EQ(c.working_between(on(10, 24, 12), on(10, 25, 12)), 4 * kHour); // it was twice
  EXPECT_EQ(c.working_between(on(3, 21, 12), on(3, 22, 12)), 3 * kHour);
  const Calendar day({nine_to_five(), berlin(), {}, {}});
  EXPECT_EQ(day.next_open(on(3, 27, 20)), on(3, 30, 7)); // 09:00 in summer
  EXPECT_EQ(day.add_days(on(3, 27, 9), 1), on(3, 30, 8)); // 10:00 by the clock, both times
}

TEST(Calendar, KnowsZonesOfQuartersOfAnHour) {
  const Calendar nepal({nine_to_five(), {{on(1, 1, 0), 5 * kHour + 45 * kMinute}}, {}, {}});
  EXPECT_EQ(nepal.next_open(on(11, 23, 0)), on(11, 23, 3, 15));
  EXPECT_EQ(nepal.local(on(11, 23, 3, 15)), on(11, 23, 9));
}

TEST(Calendar, NeverOpens) {
  const Calendar c;
  EXPECT_EQ(c.next_open(0), kNever);
  EXPECT_EQ(c.add_working(0, 1), kNever);
  EXPECT_EQ(c.add_days(0, 1), kNever);
  EXPECT_FALSE(c.is_open(kNever));
}

void expect_refused(std::string_view json, const char *problem) {
  HoursProblem p;
  parse_hours(json, p);
  EXPECT_EQ(p.problem, problem);
  EXPECT_NE(p.hint, "");
}

TEST(Hours, AreRead) {
  EXPECT_EQ(hours(R"({"tue": ["13:30-17:00", "09:00-12:30"], "sun": ["22:00-24:00"], "mon": []})"),
            (std::vector<WorkBlock>{{1980, 2190}, {2250, 2460}, {9960, 10080}}));
  EXPECT_EQ(hours(R"({"mon": ["09:00-12:00", "12:00-15:00"]})").size(), 2u);
  expect_refused(R"({"monday": []})", "\"monday\" is not a day of the week");
  expect_refused(R"({"mon": "09:00-17:00"})", "working hours of mon must be an array, not a string");
  expect_refused(R"({"mon": [9]})", "working hours of mon must be strings, not a number");
  expect_refused(R"({"mon": ["09:00-25:00"]})", "\"09:00-25:00\" of mon is not a time of day until another");
  expect_refused(R"({"mon": ["9-17"]})", "\"9-17\" of mon is not a time of day until another");
  expect_refused(R"({"mon": ["22:00-06:00"]})", "\"22:00-06:00\" of mon ends before it begins");
  expect_refused(R"({"mon": ["09:00-12:00", "11:00-13:00"]})", "working hours of mon overlap");
  expect_refused(R"(["mon"])", "working hours must be an object, not an array");
}

TEST(WorkingLength, IsReadAndWritten) {
  for (const auto &[text, length, printed] :
       {std::tuple{"4 working hours", Length{4 * kHour, Counted::working_hours}, "4 working hours"},
        std::tuple{"1 Business Day", Length{kDay, Counted::working_days}, "1 working day"},
        std::tuple{"90 working minutes", Length{90 * kMinute, Counted::working_hours}, "90 working minutes"},
        std::tuple{"1.5 working hours", Length{90 * kMinute, Counted::working_hours}, "90 working minutes"},
        std::tuple{"2 days", Length{2 * kDay, Counted::always}, "2 days"}}) {
    EXPECT_EQ(parse_working_length(text), length) << text;
    EXPECT_EQ(print_length(length), printed);
    EXPECT_EQ(parse_working_length(print_length(length)), length);
  }
  for (const char *text : {"working hours", "4 working weeks", "1 working day 4 working hours", "1 working day 4 hours", "1.5 working days", "-1 working day"}) {
    std::string why;
    EXPECT_EQ(parse_working_length(text, &why), std::nullopt) << text;
    EXPECT_NE(why, "") << text;
  }
}

} // namespace
} // namespace pql
