// Instants as text, against dates known from elsewhere.
// Law: ISO 8601 in UTC, the proleptic Gregorian calendar, and no more digits of a second than it has.
#include "core/base/instant.hpp"

#include <gtest/gtest.h>

namespace pql {
namespace {

constexpr Micros kUnixEpoch = -10'957 * kDay;

TEST(PrintInstant, KnowsKnownDates) {
  EXPECT_EQ(print_instant(kUnixEpoch), "1970-01-01T00:00:00Z");
  EXPECT_EQ(print_instant(kUnixEpoch + 1'000'000'000 * kSecond), "2001-09-09T01:46:40Z");
  EXPECT_EQ(print_instant(kUnixEpoch + 1'234'567'890 * kSecond), "2009-02-13T23:31:30Z");
  EXPECT_EQ(print_instant(kUnixEpoch + 2'147'483'647 * kSecond), "2038-01-19T03:14:07Z");
  EXPECT_EQ(print_instant(kUnixEpoch - 2'147'483'648 * kSecond), "1901-12-13T20:45:52Z");
  EXPECT_EQ(print_instant(-152'384 * kDay), "1582-10-15T00:00:00Z");
}

TEST(PrintInstant, KnowsLeapYears) {
  EXPECT_EQ(print_instant(60 * kDay - 1), "2000-02-29T23:59:59.999999Z"); // divisible by 400
  EXPECT_EQ(print_instant(60 * kDay), "2000-03-01T00:00:00Z");
  EXPECT_EQ(print_instant(365 * kDay), "2000-12-31T00:00:00Z");
  EXPECT_EQ(print_instant(366 * kDay), "2001-01-01T00:00:00Z");
  EXPECT_EQ(print_instant((366 + 58) * kDay), "2001-02-28T00:00:00Z");
  EXPECT_EQ(print_instant((366 + 59) * kDay), "2001-03-01T00:00:00Z");
  EXPECT_EQ(print_instant((4 * 365 + 1 + 59) * kDay), "2004-02-29T00:00:00Z");
  EXPECT_EQ(print_instant((100 * 365 + 25 + 58) * kDay), "2100-02-28T00:00:00Z"); // divisible by 100
  EXPECT_EQ(print_instant((100 * 365 + 25 + 59) * kDay), "2100-03-01T00:00:00Z");
}

TEST(PrintInstant, KnowsTimesBeforeItsEpoch) {
  EXPECT_EQ(print_instant(-1), "1999-12-31T23:59:59.999999Z");
  EXPECT_EQ(print_instant(-kSecond), "1999-12-31T23:59:59Z");
  EXPECT_EQ(print_instant(-kDay), "1999-12-31T00:00:00Z");
  EXPECT_EQ(print_instant(-730'119 * kDay), "0001-01-01T00:00:00Z");
  EXPECT_EQ(print_instant(-730'120 * kDay), "0000-12-31T00:00:00Z");
  EXPECT_EQ(print_instant(-730'485 * kDay), "0000-01-01T00:00:00Z"); // a leap year
  EXPECT_EQ(print_instant(-730'426 * kDay), "0000-02-29T00:00:00Z");
}

TEST(PrintInstant, KnowsTheEndsOfTheDatabasesRange) {
  EXPECT_EQ(print_instant(-211'813'488'000 * kSecond), "-4713-11-24T00:00:00Z"); // 4714 BC: year 0 is 1 BC
  EXPECT_EQ(print_instant(9'223'371'331'200 * kSecond - 1), "294276-12-31T23:59:59.999999Z");
  EXPECT_EQ(print_instant(kNever), "infinity");
  EXPECT_EQ(print_instant(kAlways), "-infinity");
  EXPECT_EQ(print_instant(kNever - 1).substr(0, 7), "294277-");
  EXPECT_EQ(print_instant(kAlways + 1).substr(0, 8), "-290278-");
}

TEST(PrintInstant, ShowsOnlyTheDigitsThatASecondHas) {
  EXPECT_EQ(print_instant(1), "2000-01-01T00:00:00.000001Z");
  EXPECT_EQ(print_instant(10), "2000-01-01T00:00:00.00001Z");
  EXPECT_EQ(print_instant(100'000), "2000-01-01T00:00:00.1Z");
  EXPECT_EQ(print_instant(120'300), "2000-01-01T00:00:00.1203Z");
  EXPECT_EQ(print_instant(kSecond), "2000-01-01T00:00:01Z");
  EXPECT_EQ(print_instant(13 * kHour + 5 * kMinute + 9 * kSecond), "2000-01-01T13:05:09Z");
}

} // namespace
} // namespace pql
