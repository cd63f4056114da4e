// Journeys: both ends, what is left out between them, and equal labels in a row.
#include "core/journey/journey.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/flat.hpp"

namespace pql {
namespace {

std::string told(const FlatJourney &j) {
  const std::span<Step> steps = j.steps();
  const Story s = story_of(j.head.spec, j.head.total, steps, allocate);
  std::string out;
  for (const Leg &r : s.first) out += std::string(r.label) + std::to_string(r.n) + " ";
  if (s.elided) out += "(" + std::to_string(s.elided) + ") ";
  for (const Leg &r : s.last) out += std::string(r.label) + std::to_string(r.n) + " ";
  return out;
}

FlatJourney journey(JourneySpec spec, const std::string &labels) {
  FlatJourney j(spec);
  for (std::size_t i = 0; i < labels.size(); i++) j.add({static_cast<Micros>(i), {&labels[i], 1}});
  j.tidy();
  return j;
}

TEST(Journey, EqualLabelsInARowAreOneRun) {
  EXPECT_EQ(told(journey({}, "")), "");
  EXPECT_EQ(told(journey({}, "abbac")), "a1 b2 a1 c1 ");
}

TEST(Journey, TheMiddleIsLeftOut) {
  EXPECT_EQ(told(journey({2, 3}, "abcde")), "a1 b1 c1 d1 e1 ");
  EXPECT_EQ(told(journey({2, 3}, "abcdef")), "a1 b1 (1) d1 e1 f1 ");
  EXPECT_EQ(told(journey({2, 2}, "aaaaa")), "a2 (1) a2 ");
  EXPECT_EQ(told(journey({0, 2}, "abcde")), "(3) d1 e1 ");
  EXPECT_EQ(told(journey({2, 0}, "abcde")), "a1 b1 (3) ");
  EXPECT_EQ(told(journey({0, 0}, "abcde")), "(5) ");
}

TEST(Journey, AtOneTimeLabelsDecide) {
  FlatJourney j({1, 1});
  for (const char *label : {"b", "", "c", "a"}) j.add({5, label});
  j.tidy();
  EXPECT_EQ(told(j), "1 (2) c1 ");
}

TEST(Journey, WhatLiesBetweenTheEndsTakesNoRoom) {
  FlatJourney j({2, 2});
  for (Micros at = 0; at < 1000; at++) j.add({at, "label"});
  for (Micros at = 500; at < 100'000; at++) j.add({at % 996 + 2, "a longer label in the middle"});
  EXPECT_LE(j.room.size(), 512u);
  EXPECT_EQ(j.head.total, 100'500u);
}

TEST(Journey, WhatComesNext) {
  const FlatJourney j = journey({4, 3}, "abbcXXXdbe");
  const std::span<Step> steps = j.steps();
  const Story s = story_of(j.head.spec, j.head.total, steps, allocate);
  const auto next = [&](const char *label) {
    const Leg *r = next_after(s, label);
    return r ? std::string(r->label) : "none";
  };
  EXPECT_EQ(next("a"), "b");
  EXPECT_EQ(next("b"), "c"); // after the first one
  EXPECT_EQ(next("c"), "none"); // left out
  EXPECT_EQ(next("d"), "b");
  EXPECT_EQ(next("e"), "none");
  EXPECT_EQ(next("X"), "none");
}

TEST(Journey, WhatIsWrongIsToldFromWhatIsValid) {
  const FlatJourney j = journey({2, 2}, "abcdef");
  const std::vector<char> log = j.log();
  JourneyHead head = j.head;
  EXPECT_TRUE(is_valid(head, log));
  EXPECT_FALSE(is_valid(head, std::span(log).first(log.size() - 1)));
  head.total = 3;
  EXPECT_FALSE(is_valid(head, log));
  head = j.head;
  head.spec.first = kMaxJourneyEnd + 1;
  EXPECT_FALSE(is_valid(head, log));
  head = j.head;
  std::vector<char> wrong = log;
  wrong[0] = 99; // the first is the latest
  EXPECT_FALSE(is_valid(head, wrong));
  wrong = log;
  wrong[8] = 99; // longer than the log
  EXPECT_FALSE(is_valid(head, wrong));
  head.size = 3;
  EXPECT_FALSE(is_valid(head, log));
}

std::size_t taken = 0;
void *counted(std::size_t bytes) {
  taken += bytes;
  return allocate(bytes);
}

TEST(MovingJourney, LabelsMoveWithTheFrame) {
  MovingJourney m({2, 2});
  const auto label = [](int i) { return std::string(static_cast<std::size_t>(i % 50), static_cast<char>('a' + i % 26)); };
  for (int i = 0; i < 10'000; i++) {
    m.push({i, label(i)}, counted);
    if (i >= 20) {
      ASSERT_TRUE(m.pop({i - 20, label(i - 20)}));
      const std::span<const Step> steps = m.tidy(allocate);
      ASSERT_EQ(steps.size(), 4u);
      ASSERT_EQ(steps[0], (Step{i - 19, label(i - 19)}));
      ASSERT_EQ(steps[3], (Step{i, label(i)}));
    }
  }
  EXPECT_LT(taken, 20'000u);
  EXPECT_FALSE(m.pop({0, "a"}));
  m.push({0, "a"}, allocate);
  EXPECT_FALSE(m.pop({9'980, label(9'980)})); // not in order any more
}

} // namespace
} // namespace pql
