// Patterns by example: what ClickHouse 26.7 answers (with its base of times where that matters).
#include "core/sequence/pattern.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "unit/event_rows.hpp"

namespace pql {
namespace {

using Times = std::vector<Micros>;
constexpr auto kOurs = TimeBase::element, kTheirs = TimeBase::clickhouse;

// In the tests a second is the unit.
std::vector<EventRow> in_seconds(const std::string &text) {
  std::vector<EventRow> rows = events(text);
  for (EventRow &r : rows) r.at *= kSecond;
  return rows;
}

Pattern parsed(Arena &a, const std::string &text, TimeBase base = kTheirs) {
  PatternProblem why;
  const auto p = parse_pattern(a, text, 32, base, &why);
  EXPECT_TRUE(p) << text << ": " << why.problem;
  return p.value_or(Pattern{});
}

bool match(const std::string &pattern, const std::string &rows, TimeBase base = kTheirs, Micros within = kNever) {
  Arena a;
  const Pattern p = parsed(a, pattern, base);
  const std::vector<EventRow> all = in_seconds(rows);
  const bool found = pattern_matches(a, {p, within}, with_steps(a, all));
  EXPECT_TRUE(all.empty() || found == (pattern_count(a, {p, within}, with_steps(a, all)) > 0)) << pattern << " on " << rows;
  return found;
}

std::int64_t count(const std::string &pattern, const std::string &rows, TimeBase base = kTheirs) {
  Arena a;
  const Pattern p = parsed(a, pattern, base);
  return pattern_count(a, {p}, in_seconds(rows));
}

Times times(const std::string &pattern, Which which, const std::string &rows, TimeBase base = kTheirs) {
  Arena a;
  const Pattern p = parsed(a, pattern, base);
  Times t = listed(pattern_times(a, {p}, which, in_seconds(rows)));
  for (Micros &at : t) at /= kSecond;
  return t;
}

TEST(Pattern, UnequalTimes) {
  EXPECT_TRUE(match("(?1)(?t!=5)(?2)", "A@0 B@4", kOurs));
  EXPECT_FALSE(match("(?1)(?t!=5)(?2)", "A@0 B@5 B@5", kOurs));
  EXPECT_TRUE(match("(?1)(?t!=5)(?2)", "A@0 B@5 B@6", kOurs));
  EXPECT_FALSE(match("(?1)(?t>=4)(?t!=5)(?t!=4)(?t<=6)(?t!=6)(?t!=5)(?2)", "A@0 B@4 B@5 B@6 B@7", kOurs));
  EXPECT_TRUE(match("(?1)(?t!=4)(?t<=6)(?t!=6)(?2)", "A@0 B@4 B@5 B@6 B@7", kOurs));
  EXPECT_EQ(times("(?1)(?t!=4)(?2)", Which::first, "A@0 B@4 B@7", kOurs), (Times{0, 7}));
  EXPECT_FALSE(match("(?1)(?t!=5)", "A@0", kOurs)); // there has to be a next event
  EXPECT_FALSE(match("(?1)(?t!=5)", "A@0 B@5", kOurs));
  EXPECT_TRUE(match("(?1)(?t!=5)", "A@0 B@5 B@6", kOurs));
  EXPECT_TRUE(match("(?1)(?t!=5).*(?2)", "A@0 C@5 C@6 B@7", kOurs)); // it is C that comes after another time
  EXPECT_FALSE(match("(?1)(?t!=5).*(?2)", "A@0 B@5", kOurs));
}

// The laziest choice, C at 6, leads to what takes too long, since D at 11 is at the time that isn't wanted.
TEST(Pattern, UnequalTimesWithin) {
  const std::string rows = "A@0 C@6 C@8 D@11 D@30";
  const std::string pattern = "(?1)(?t>=1)(?3)(?t!=5)(?4)";
  EXPECT_TRUE(match(pattern, rows, kOurs));
  EXPECT_TRUE(match(pattern, rows, kOurs, 11 * kSecond));
  EXPECT_FALSE(match(pattern, rows, kOurs, 10 * kSecond));
  EXPECT_EQ(times(pattern, Which::first, rows, kOurs), (Times{0, 6, 30}));
}

TEST(Pattern, Anchors) {
  EXPECT_TRUE(match("^(?1)(?2)", "A@0 B@1 C@2"));
  EXPECT_FALSE(match("^(?2)", "A@0 B@1 C@2"));
  EXPECT_TRUE(match("^.(?2)", "A@0 B@1 C@2"));
  EXPECT_TRUE(match("(?2)(?3)$", "A@0 B@1 C@2"));
  EXPECT_FALSE(match("(?1)(?2)$", "A@0 B@1 C@2"));
  EXPECT_TRUE(match("^(?1).*(?3)$", "A@0 B@1 C@2"));
  EXPECT_FALSE(match("^(?1)$", "A@0 A@1"));
  EXPECT_TRUE(match("^(?1)$", "-@0 A@1 -@2")); // events without a condition are not seen
  EXPECT_FALSE(match("^(?1)$", "-@0"));
  EXPECT_EQ(count("(?1)", "A@0 A@1 A@2"), 3);
  EXPECT_EQ(count("^(?1)", "A@0 A@1 A@2"), 1);
  EXPECT_EQ(count("(?1)$", "A@0 A@1 A@2"), 1);
  EXPECT_EQ(times("(?1)(?1)$", Which::first, "A@0 A@1 A@2"), (Times{1, 2}));
  EXPECT_EQ(times("^(?1)(?2)$", Which::longest, "B@0 A@1 B@2"), Times{});
  EXPECT_EQ(times("^(?1)(?2)$", Which::longest, "A@1 B@2 B@3"), (Times{1, 2})); // the rest need not match
}

TEST(Pattern, NumbersHaveNoUnits) {
  Arena a;
  PatternProblem why;
  const auto p = parse_pattern(a, "(?1)(?t<=7)(?t!=3)(?2)", 2, kOurs, &why, pql::Times::numbers);
  ASSERT_TRUE(p);
  EXPECT_EQ(p->links[0].most, 7);
  EXPECT_EQ(p->links[1].least, 3);
  EXPECT_FALSE(parse_pattern(a, "(?1)(?t<=7s)(?2)", 2, kOurs, &why, pql::Times::numbers));
  EXPECT_EQ(why.position, 10u);
  EXPECT_TRUE(parse_pattern(a, "(?1)(?t>9223372036854775807)(?2)", 2, kOurs, &why, pql::Times::numbers));
  EXPECT_FALSE(parse_pattern(a, "(?1)(?t>9223372036854775808)(?2)", 2, kOurs, &why, pql::Times::numbers));
}

TEST(Pattern, Neighbours) {
  EXPECT_TRUE(match("(?1)(?2)", "A@0 B@10"));
  EXPECT_FALSE(match("(?1)(?2)", "A@0 C@3 B@10"));
  EXPECT_TRUE(match("(?1)(?2)", "A@0 -@3 B@10")); // an event without a condition is not seen
  EXPECT_TRUE(match("(?1).(?2)", "A@0 C@3 B@10"));
  EXPECT_TRUE(match("(?1).*(?2)", "A@0 C@3 C@4 B@10"));
  EXPECT_FALSE(match("(?1)(?2)", "AB@0")); // one event, one element
  EXPECT_TRUE(match("(?1)(?2)", "AB@0 AB@1"));
  EXPECT_FALSE(match("(?2)(?1)", "A@0 B@1"));
  EXPECT_TRUE(match(" (?1) .* (?2) ", "A@0 B@1"));
}

TEST(Pattern, Nothing) {
  EXPECT_TRUE(match("", ""));
  EXPECT_TRUE(match(".*", ""));
  EXPECT_FALSE(match(".", ""));
  EXPECT_FALSE(match("(?1)", ""));
  EXPECT_TRUE(match("(?t<=5)", ""));
  EXPECT_TRUE(match("(?t>=0)", ""));
  EXPECT_FALSE(match("(?t>0)", ""));
  EXPECT_EQ(count("", "A@0 B@1 C@2"), 3);
  EXPECT_EQ(count("", ""), 0);
}

TEST(Pattern, Times) {
  for (const TimeBase base : {kOurs, kTheirs}) {
    EXPECT_TRUE(match("(?1)(?t<=10)(?2)", "A@0 B@10", base));
    EXPECT_FALSE(match("(?1)(?t<10)(?2)", "A@0 B@10", base));
    EXPECT_TRUE(match("(?1)(?t<=10)(?2)", "A@0 C@3 B@10", base));
    EXPECT_TRUE(match("(?1)(?t<=10)(?2)", "A@0 A@50 B@55", base));
    EXPECT_TRUE(match("(?1)(?t==10)(?2)", "A@0 B@4 B@10", base));
    EXPECT_FALSE(match("(?1)(?t==9)(?2)", "A@0 B@4 B@10", base));
    EXPECT_TRUE(match("(?1)(?t>=10)(?2)", "A@0 B@4 B@10", base));
    EXPECT_FALSE(match("(?1)(?t>10)(?2)", "A@0 B@4 B@10", base));
    EXPECT_TRUE(match("(?1)(?t<=10)", "A@0", base)); // nothing has to come after it
    EXPECT_FALSE(match("(?1)(?t<=10)", "A@0 B@100", base));
    EXPECT_FALSE(match("(?1)(?t==10)", "A@0", base));
    EXPECT_TRUE(match("(?1)(?t<= 1 day)(?2)", "A@0 B@86400", base));
    EXPECT_FALSE(match("(?1)(?t<1d)(?2)", "A@0 B@86400", base));
  }
}

TEST(Pattern, ARangeOfTimes) {
  for (const char *range : {"(?1)(?t>=5)(?t<=10)(?2)", "(?1)(?t<=10)(?t>=5)(?2)"}) {
    EXPECT_FALSE(match(range, "A@0 B@4"));
    EXPECT_TRUE(match(range, "A@0 B@4 B@5"));
    EXPECT_TRUE(match(range, "A@0 B@4 B@10"));
    EXPECT_FALSE(match(range, "A@0 B@4 B@11"));
  }
  EXPECT_FALSE(match("(?1)(?t>=5)(?t<=4)(?2)", "A@0 B@4 B@5"));
}

// The trap of ClickHouse: .* moves the base.
TEST(Pattern, TheBaseOfATimeAfterAnyNumber) {
  EXPECT_TRUE(match("(?1).*(?t<=10)(?2)", "A@0 B@100", kTheirs));
  EXPECT_FALSE(match("(?1).*(?t<=10)(?2)", "A@0 B@100", kOurs));
  EXPECT_TRUE(match("(?1).*(?t<=10)(?2)", "A@0 C@5 B@10", kOurs));
  EXPECT_TRUE(match("(?t<=10)(?1)", "A@0", kTheirs));
}

TEST(Pattern, TheWholeWithinATime) {
  EXPECT_TRUE(match("(?1).*(?2)", "A@0 B@10", kOurs, 10 * kSecond));
  EXPECT_FALSE(match("(?1).*(?2)", "A@0 B@11", kOurs, 10 * kSecond));
  EXPECT_TRUE(match("(?1).*(?2)", "A@0 A@5 B@11", kOurs, 10 * kSecond));
}

TEST(Pattern, Counts) {
  EXPECT_EQ(count("(?1).*(?2)", "A@0 A@1 B@2 B@3"), 1);
  EXPECT_EQ(count("(?1)(?1)", "A@0 A@1 A@2 A@3 A@4"), 2);
  EXPECT_EQ(count("(?1)", "A@0 B@1 A@2"), 2);
  EXPECT_EQ(count(".", "A@0 B@1 A@2"), 3);
  EXPECT_EQ(count("(?1)(?2)", "A@0 B@1 A@2 B@3 A@4"), 2);
}

TEST(Pattern, Events) {
  EXPECT_EQ(times("(?1)(?t<=10)(?2)(?3)", Which::longest, "A@0 B@5 B@100 C@101"), (Times{0, 5})); // before 26.9: 0, 100, 101
  EXPECT_EQ(times("(?1)(?2)", Which::first, "A@0 B@1 A@2 B@3"), (Times{0, 1}));
  EXPECT_EQ(times("(?1)(?2)", Which::last, "A@0 B@1 A@2 B@3"), (Times{2, 3}));
  EXPECT_EQ(times("(?1)(?2)", Which::longest, "A@0 B@1 A@2 B@3"), (Times{0, 1}));
  EXPECT_EQ(times("(?1).(?2)", Which::first, "A@0 C@1 B@3"), (Times{0, 3}));
  EXPECT_EQ(times("(?1)(?t<5).", Which::longest, "A@3 B@8 A@10 B@12"), Times{3}); // which is no match
  EXPECT_EQ(times("(?1)(?t<5).", Which::first, "A@3 B@8 A@10 B@12"), Times{10});
  EXPECT_EQ(times("(?3)", Which::longest, "A@0 B@1"), Times{});
  EXPECT_EQ(times("(?1).*(?2).*(?3)", Which::longest, "A@0 A@1 B@2 B@3"), (Times{0, 2}));
  EXPECT_EQ(times("(?1).*(?2).*(?3)", Which::first, "A@0 A@1 B@2 B@3"), Times{});
}

TEST(Pattern, ErrorsKnowTheirPlace) {
  const auto problem = [](const std::string &text, TimeBase base = kOurs) {
    Arena a;
    PatternProblem why;
    EXPECT_FALSE(parse_pattern(a, text, 3, base, &why)) << text;
    return std::to_string(why.position) + ": " + why.problem;
  };
  EXPECT_EQ(problem("(?1)x"), "5: no element of a pattern begins like this");
  EXPECT_EQ(problem("(?4)"), "3: there is no condition 4, only 1 to 3");
  EXPECT_EQ(problem("(?0)"), "3: there is no condition 0, only 1 to 3");
  EXPECT_EQ(problem("(?99999999999999999999999)"), "3: there is no condition 999999999, only 1 to 3");
  EXPECT_EQ(problem("(?)"), "1: (? needs the number of a condition, or t and a length of time");
  EXPECT_EQ(problem("(?1"), "4: a condition ends with )");
  EXPECT_EQ(problem("(?1)(?t!5)(?2)"), "8: (?t needs one of < <= == != >= >");
  EXPECT_EQ(problem("(?1)(?t<=5(?2)"), "10: not a length of time");
  EXPECT_EQ(problem("(?1)(?t<=5"), "11: a time ends with )");
  EXPECT_EQ(problem("(?1)(?t<=5mon)"), "10: a month has no fixed length");
  EXPECT_EQ(problem("(?1)(?t<=-5s)"), "10: a length of time must not be negative");
  EXPECT_EQ(problem("(?1)(?t<=)"), "10: a length of time must not be empty");
  EXPECT_EQ(problem(".*(?t<=5)(?1)"), "3: a time needs an element before it that takes an event");
  EXPECT_EQ(problem("(?1)\u00e9\u00e9(?"), "5: no element of a pattern begins like this");
  EXPECT_EQ(problem("(?1)*"), "5: no element of a pattern begins like this");
  EXPECT_EQ(problem("(?1)^(?2)"), "5: ^ may only be at the beginning");
  EXPECT_EQ(problem(".*^(?2)"), "3: ^ may only be at the beginning");
  EXPECT_EQ(problem("^^(?2)"), "2: ^ may only be at the beginning");
  EXPECT_EQ(problem("^"), "2: after ^ comes an element that takes an event");
  EXPECT_EQ(problem("^.*(?2)"), "2: after ^ comes an element that takes an event");
  EXPECT_EQ(problem("^ (?t<=5)(?2)", kTheirs), "3: after ^ comes an element that takes an event");
  EXPECT_EQ(problem("$"), "1: before $ comes an element that takes an event");
  EXPECT_EQ(problem("(?1).*$"), "7: before $ comes an element that takes an event");
  EXPECT_EQ(problem("(?1)(?t!=5)$"), "12: before $ comes an element that takes an event");
  EXPECT_EQ(problem("(?1)$ (?2)"), "7: nothing may follow $");
}

// ClickHouse gives up after a million steps.
TEST(Pattern, AMillionEventsAreNotTooMany) {
  std::vector<EventRow> rows;
  for (int i = 0; i < 1'000'000; i++) rows.push_back({i, 1u << i % 2, 0});
  Arena a;
  EXPECT_FALSE(pattern_matches(a, {parsed(a, "(?1).*(?2).*(?1).*(?3)")}, rows));
  EXPECT_FALSE(pattern_matches(a, {parsed(a, "(?1)(?t>=0).*(?2)(?t>=0).*(?1)(?t<=1d)(?3)", kOurs)}, rows));
}

std::string after(std::vector<int> chain, const std::string &rows, bool forward, NextQuery::Base base) {
  const auto next = next_event({chain, forward, base}, events(rows));
  return next ? std::to_string(next->at) : "none";
}

TEST(NextEvent, AfterAChainOfNeighbours) {
  using B = NextQuery::Base;
  EXPECT_EQ(after({0, 1}, "A@0 D@1 A@2 B@3 C@4", true, B::first_match), "none"); // no other base is looked for
  EXPECT_EQ(after({0, 1}, "A@0 D@1 A@2 B@3 C@4", true, B::last_match), "4");
  EXPECT_EQ(after({0}, "A@0 D@1", true, B::head), "1");
  EXPECT_EQ(after({1}, "A@0 D@1", true, B::head), "none");
  EXPECT_EQ(after({3}, "A@0 D@1", false, B::tail), "0");
  EXPECT_EQ(after({1, 0}, "C@0 A@1 B@2 D@3", false, B::first_match), "0");
  EXPECT_EQ(after({0, 2}, "C@0 A@1 B@2", false, B::last_match), "none"); // nothing before it
  EXPECT_EQ(after({0}, "A@0", true, B::first_match), "none");
  EXPECT_EQ(after({0}, "", true, B::first_match), "none");
  EXPECT_EQ(after({0}, "", false, B::tail), "none");
  EXPECT_EQ(after({0}, "", true, B::last_match), "none");
  EXPECT_EQ(after({0}, "A@0 -@1 B@2", true, B::first_match), "1"); // every event counts
}

} // namespace
} // namespace pql
