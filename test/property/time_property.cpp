// Laws of lengths of time.
// Law: parse_length reads back whatever print_length writes, and its parts add up in any order.
#include "core/base/time.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace pql {
namespace {

// Lengths of every order of magnitude, not only the huge ones.
rc::Gen<Micros> any_length() {
  return rc::gen::exec([] {
    const int bits = *rc::gen::inRange(0, 63);
    return *rc::gen::inRange<Micros>(0, (Micros{1} << bits));
  });
}

void check(const char *law, bool holds) { EXPECT_TRUE(holds) << law; }

TEST(TimeLaws, ParseReadsWhatPrintWrites) {
  check("parse(print(x)) == x", rc::check([] {
          const Micros x = *any_length();
          RC_ASSERT(parse_length(print_length(x)) == std::optional<Micros>(x));
        }));
}

TEST(TimeLaws, UnitsScale) {
  check("n units == n * unit", rc::check([] {
          static const std::pair<const char *, Micros> kUnits[] = {
              {"us", 1}, {"ms", 1'000}, {"s", kSecond}, {"min", kMinute}, {"h", kHour}, {"d", kDay}, {"w", 7 * kDay}};
          const auto [unit, size] = kUnits[*rc::gen::inRange<std::size_t>(0, std::size(kUnits))];
          const Micros n = *rc::gen::inRange<Micros>(0, 10'000'000);
          RC_ASSERT(parse_length(std::to_string(n) + " " + unit) == std::optional<Micros>(n * size));
        }));
}

TEST(TimeLaws, OrderOfPartsDoesNotMatter) {
  check("a b == b a", rc::check([] {
          const std::string days = std::to_string(*rc::gen::inRange(0, 100'000)) + " days";
          const std::string seconds = std::to_string(*rc::gen::inRange(0, 100'000)) + " seconds";
          RC_ASSERT(parse_length(days + " " + seconds) == parse_length(seconds + " " + days));
        }));
}

TEST(TimeLaws, AnyTextIsReadOrExplained) {
  check("length or reason", rc::check([](const std::string &text) {
          std::string why;
          const auto length = parse_length(text, &why);
          RC_ASSERT(length.has_value() == why.empty());
          if (length) RC_ASSERT(*length >= 0 && *length < kNever);
        }));
}

} // namespace
} // namespace pql
