// Tests of lengths of time.
// Law: what is accepted has one length in whole microseconds; what is refused says why.
#include "core/base/time.hpp"

#include <gtest/gtest.h>

namespace pql {
namespace {

void expect_length(std::string_view text, Micros want) {
  std::string why;
  const auto got = parse_length(text, &why);
  ASSERT_TRUE(got.has_value()) << text << ": " << why;
  EXPECT_EQ(*got, want) << text;
  EXPECT_TRUE(why.empty()) << text;
}

void expect_refused(std::string_view text, std::string_view want) {
  std::string why;
  EXPECT_FALSE(parse_length(text, &why).has_value()) << text;
  EXPECT_EQ(why, want) << text;
  EXPECT_FALSE(parse_length(text).has_value()) << text; // why is optional
}

TEST(ParseLength, ReadsOneUnit) {
  expect_length("90 seconds", 90 * kSecond);
  expect_length("30 minutes", 30 * kMinute);
  expect_length("36 hours", 36 * kHour);
  expect_length("7 days", 7 * kDay);
  expect_length("2 weeks", 14 * kDay);
  expect_length("5 milliseconds", 5'000);
  expect_length("5 microseconds", 5);
}

TEST(ParseLength, ReadsEveryWordOfAUnit) {
  for (auto w : {"us", "usec", "usecs", "microsecond", "microseconds"}) expect_length(std::string("1 ") + w, 1);
  for (auto w : {"ms", "msec", "msecs", "millisecond", "milliseconds"}) expect_length(std::string("1 ") + w, 1'000);
  for (auto w : {"s", "sec", "secs", "second", "seconds"}) expect_length(std::string("1 ") + w, kSecond);
  for (auto w : {"m", "min", "mins", "minute", "minutes"}) expect_length(std::string("1 ") + w, kMinute);
  for (auto w : {"h", "hr", "hrs", "hour", "hours"}) expect_length(std::string("1 ") + w, kHour);
  for (auto w : {"d", "day", "days"}) expect_length(std::string("1 ") + w, kDay);
  for (auto w : {"w", "week", "weeks"}) expect_length(std::string("1 ") + w, 7 * kDay);
}

TEST(ParseLength, ReadsSums) {
  expect_length("1 day 12 hours", 36 * kHour);
  expect_length("1d12h", 36 * kHour);
  expect_length("1 hour 30 min 15 sec", kHour + 30 * kMinute + 15 * kSecond);
  expect_length("30 minutes 1 hour", 90 * kMinute);
}

TEST(ParseLength, TakesSpaceAndCapitals) {
  expect_length("  7   DAYS\t", 7 * kDay);
  expect_length("7days", 7 * kDay);
  expect_length("1\nDay", kDay);
}

TEST(ParseLength, ReadsZero) {
  expect_length("0", 0);
  expect_length(" 0 ", 0);
  expect_length("0 days", 0);
  expect_length("0.0 seconds", 0);
  expect_length("00:00:00", 0);
}

TEST(ParseLength, ReadsFractionsOfWholeMicroseconds) {
  expect_length("1.5 days", 36 * kHour);
  expect_length("0.25 hours", 15 * kMinute);
  expect_length("1.000001 seconds", kSecond + 1);
  expect_length("0.10000000000000000000000000000000 seconds", kSecond / 10);
  expect_length("0.0000000125 weeks", 7'560);
  expect_length("0.000000015625 days", 1'350);
}

TEST(ParseLength, ReadsClocks) {
  expect_length("01:30:00", 90 * kMinute);
  expect_length("1:30", 90 * kMinute);
  expect_length("100:00:00.5", 100 * kHour + kSecond / 2);
  expect_length("1 day 12:00:00", 36 * kHour);
  expect_length("12:00 1 day", 36 * kHour);
}

TEST(ParseLength, RefusesUnitsWithoutAFixedLength) {
  for (auto w : {"1 mon", "1 mons", "1 month", "2 months", "1 day 2 months", "1.5 MONTHS"})
    expect_refused(w, "a month has no fixed length");
  for (auto w : {"1 y", "1 yr", "1 year", "20 years", "1 year 2 months"})
    expect_refused(w, "a year has no fixed length");
  expect_refused("1 quarter", "a quarter has no fixed length");
  expect_refused("1 decade", "a decade has no fixed length");
  expect_refused("1 century", "a century has no fixed length");
  expect_refused("1 millennium", "a millennium has no fixed length");
}

TEST(ParseLength, RefusesNegative) {
  for (auto w : {"-1 day", "- 1 day", "1 day -1 hour", "-0", "1 day ago", "-01:00:00"}) {
    expect_refused(w, "a length of time must not be negative");
  }
}

TEST(ParseLength, RefusesWithoutUnit) {
  for (auto w : {"7", "1.5", "00", "1 day 7", "7 7 days"}) expect_refused(w, "a length of time needs a unit");
}

TEST(ParseLength, RefusesUnknownUnits) {
  expect_refused("1 fortnight", "unknown unit of time \"fortnight\"");
  expect_refused("1 dayss", "unknown unit of time \"dayss\"");
  expect_refused("1 " + std::string(5'000, 'x'), "unknown unit of time");
  expect_refused("4 working hours", "working time is no fixed length");
  expect_refused("3 business days", "working time is no fixed length");
}

TEST(ParseLength, RefusesTheSameUnitTwice) {
  expect_refused("1 day 2 days", "the days are given twice");
  expect_refused("1 h 1 hour", "the hours are given twice");
  expect_refused("1 hour 00:10:00", "the hours, minutes or seconds are given twice");
  expect_refused("00:10:00 1 sec", "the seconds are given twice");
}

TEST(ParseLength, RefusesPartsOfMicroseconds) {
  expect_refused("0.5 us", "0.5 us is not a whole number of microseconds");
  expect_refused("0.0000001 seconds", "0.0000001 seconds is not a whole number of microseconds");
  expect_refused("0.3333333333333333333333333 days",
                 "0.3333333333333333333333333 days is not a whole number of microseconds");
  expect_refused("00:00:00.0000001", "the seconds are not a whole number of microseconds");
}

TEST(ParseLength, RefusesWhatIsTooLong) {
  static constexpr char kWhy[] = "a length of time this long is out of range";
  expect_length("9223372036854775806 us", kNever - 1);
  for (auto w :
       {"9223372036854775807 us", "106751992 days", "99999999999999999999999999999999999999999 weeks",
        "18446744073709551617 us", "9999999999999999999:00:00", "340282366920938463463374607431768211457 us"}) {
    expect_refused(w, kWhy);
  }
  expect_refused("106751991 days 5 hours", kWhy);
  expect_refused(std::string(100'000, '9') + " weeks " + std::string(100'000, '9') + " days", kWhy);
}

TEST(ParseLength, RefusesOtherThings) {
  for (auto w : {"", " ", "\t\n"}) expect_refused(w, "a length of time must not be empty");
  for (auto w : {"soon",      "days",        "infinity",  "P1D",      "1 day,",   "1,5 days", ".5 days", "5. days",
                 "1e3 days",  "+1 day",      "1.5:00:00", "12:60:00", "12:30:60", "12:5",     "12:30:",  "1:",
                 "12:00:00x", "12:30:15:10", "7 días",    "７ days",  "\xff\xfe", "1 \xff"}) {
    std::string why;
    EXPECT_FALSE(parse_length(w, &why).has_value()) << w;
    EXPECT_FALSE(why.empty()) << w;
  }
  expect_refused("soon", "not a length of time");
  expect_refused(std::string_view("1 day\0", 6), "not a length of time");
}

TEST(PrintLength, WritesAsPeopleDo) {
  EXPECT_EQ(print_length(0), "0 seconds");
  EXPECT_EQ(print_length(7 * kDay), "7 days");
  EXPECT_EQ(print_length(kDay), "1 day");
  EXPECT_EQ(print_length(90 * kMinute), "1 hour 30 minutes");
  EXPECT_EQ(print_length(36 * kHour), "1 day 12 hours");
  EXPECT_EQ(print_length(kSecond), "1 second");
  EXPECT_EQ(print_length(kSecond + kSecond / 2), "1.5 seconds");
  EXPECT_EQ(print_length(1), "0.000001 seconds");
  EXPECT_EQ(print_length(kNever), "106751991 days 4 hours 54.775807 seconds");
}

TEST(PrintLength, WritesNegativeLengthsWithoutOverflow) {
  EXPECT_EQ(print_length(-90 * kMinute), "-1 hour -30 minutes");
  EXPECT_EQ(print_length(kAlways), "-106751991 days -4 hours -54.775808 seconds");
}

} // namespace
} // namespace pql
