// States of aggregates: their text form, and examples of each kind.
#include <gtest/gtest.h>

#include <string>

#include "core/aggregate/count_map.hpp"
#include "core/aggregate/decayed.hpp"
#include "core/aggregate/retained.hpp"
#include "core/aggregate/window_count.hpp"
#include "core/base/arena.hpp"

namespace pql {
namespace {

Arena arena;
void *allocate(std::size_t n) { return arena.allocate(n); }

std::string printed(const StateKind &k, const State &s) {
  TextWriter out(allocate);
  print_state(k, *k.canonical(s, allocate), out);
  return std::string(out.view());
}

const State *read(const StateKind &k, std::string_view text) {
  TextReader in(text);
  const State *s = parse_state(k, in, allocate);
  return s && is_canonical(k, *s, s->size(), allocate) ? s : nullptr;
}

std::string unescaped(std::string_view text) {
  TextReader in(text);
  const std::string_view s = in.string(allocate);
  return in.done() ? std::string(s) : "refused";
}

TEST(StateText, Strings) {
  EXPECT_EQ(unescaped(R"("")"), "");
  EXPECT_EQ(unescaped(R"("a\"b\\c\/\b\f\n\r\t\u0041")"), "a\"b\\c/\b\f\n\r\tA");
  EXPECT_EQ(unescaped("\"\xc3\xa4\""), "\xc3\xa4");
  for (const char *bad : {"", "\"", "\"a", "a", R"("\")", R"("\x")", R"("\u004")", R"("\u0000")", R"("\u00e4")", "\"\n\"", R"("a"b)"})
    EXPECT_EQ(unescaped(bad), "refused") << bad;
}

TEST(StateText, Numbers) {
  const auto number = [](std::string_view text) {
    TextReader in(text);
    const __int128 v = in.wide();
    TextWriter out(allocate);
    if (in.done()) out.integer(v);
    return std::string(out.view());
  };
  for (const char *same : {"0", "-1", "170141183460469231731687303715884105727", "-170141183460469231731687303715884105728"})
    EXPECT_EQ(number(same), same);
  for (const char *bad : {"", "-", "x", "1.5", "- 1", "170141183460469231731687303715884105728",
                          "-170141183460469231731687303715884105729"})
    EXPECT_EQ(number(bad), "") << bad;
}

TEST(StateText, OnlyWhatIsPrintedIsRead) {
  DecayState *d = DecayState::make(kDay, 0, 1, allocate)->add(0, 1, 1, allocate);
  const std::string text = R"({"decay_state": 1, "half_life": 86400000000, "newest": 0, "blocks": [[1099511627776, 1099511627776]]})";
  EXPECT_EQ(printed(kDecayState, *d), text);
  ASSERT_TRUE(read(kDecayState, text));
  EXPECT_TRUE(read(kDecayState, " " + text + "\n"));
  EXPECT_FALSE(read(kDecayState, text + "}"));
  EXPECT_FALSE(read(kRetentionState, text));
  for (std::size_t n = 0; n < text.size(); n++) EXPECT_FALSE(read(kDecayState, text.substr(0, n))) << n;
}

TEST(States, KindsHaveTheirNumbersAndNames) {
  for (int i = 0; i < 256; i++) {
    if (const StateKind *k = kind_of(static_cast<std::uint8_t>(i))) {
      EXPECT_EQ(k->kind, i);
    }
  }
  EXPECT_EQ(kind_of(0), nullptr);
  EXPECT_EQ(kind_of(255), nullptr);
}

TEST(States, AnotherVersionIsRefused) {
  RetentionState *s = RetentionState::make(2, 3, allocate);
  EXPECT_TRUE(is_state(kRetentionState, *s, s->size()));
  s->version = 2;
  EXPECT_FALSE(is_state(kRetentionState, *s, s->size()));
}

TEST(WindowCount, ForgetsWhatNoWindowReaches) {
  WindowCountState *s = WindowCountState::make(10, allocate);
  for (const Micros t : {0, 1, 5, 5, 11}) s = s->add({t, 1}, allocate);
  EXPECT_EQ(printed(kWindowCountState, *s), R"({"window_count_state": 1, "longest": 10, "rows": [[5, 2], [11, 1]]})");
  EXPECT_TRUE(s->knows(1));
  EXPECT_FALSE(s->knows(0));
}

// In the order of time, whatever comes, a state holds a window and no more.
TEST(WindowCount, StaysSmall) {
  WindowCountState *s = WindowCountState::make(10, allocate);
  for (Micros t = 0; t < 100'000; t++) s = s->add({t, 1}, allocate);
  EXPECT_LE(s->room(), 32u);
}

TEST(CountMap, TakesBackWithoutATraceAndStaysSmall) {
  CountMapState *m = CountMapState::make(allocate);
  for (int i = 0; i < 10'000; i++) {
    const std::string key = "key" + std::to_string(i);
    m = m->add(key, 1, allocate)->add(key, -1, allocate);
  }
  EXPECT_EQ(printed(kCountMapState, *m), R"({"count_map_state": 1, "counts": {}})");
  EXPECT_LE(m->size(), 1000u);
}

TEST(Cohort, WeeksBeginOnMonday) {
  constexpr Micros monday = 2 * kDay; // 2000-01-03
  EXPECT_EQ(period_of(monday, 7 * kDay), 0);
  EXPECT_EQ(period_of(monday - 1, 7 * kDay), -1);
  EXPECT_EQ(period_start(1, 7 * kDay), monday + 7 * kDay);
}

} // namespace
} // namespace pql
