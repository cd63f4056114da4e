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

const State *read(const StateKind &k, std::string_view text, Times times = Times::instants) {
  TextReader in(text);
  const State *s = parse_state(k, times, in, allocate);
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
  DecayState *d = DecayState::make(kDay, 0, 1, allocate)->add(0, Weight(kDay, 0), 1, 1, allocate);
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
    if (const StateKind *k = kind_of(i)) {
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

TEST(States, SayWhatTheirTimesAre) {
  DecayState *d = DecayState::make(kDay, 0, 1, allocate)->add(0, Weight(kDay, 0), 1, 1, allocate);
  for (const Times t : {Times::instants, Times::timestamps, Times::numbers}) {
    d->set_times(t);
    EXPECT_EQ(d->number(), kDecayState.kind);
    const std::string text = printed(kDecayState, *d);
    EXPECT_TRUE(text.starts_with("{\"" + std::string(kDecayState.name(t)) + "\": 1, ")) << text;
    for (const Times other : {Times::instants, Times::timestamps, Times::numbers}) {
      const State *again = read(kDecayState, text, other);
      EXPECT_EQ(again != nullptr, other == t);
      if (again) {
        EXPECT_EQ(again->times(), t);
      }
    }
  }
  d->set_times(static_cast<Times>(3));
  EXPECT_FALSE(is_state(kDecayState, *d, d->size()));
  RetentionState *r = RetentionState::make(2, 3, allocate);
  r->set_times(Times::numbers); // it knows none
  EXPECT_FALSE(is_state(kRetentionState, *r, r->size()));
}

// Numbers of any unit have half-lives, windows and periods that no times have.
TEST(States, NumbersAreBoundByWhatCanBeCounted) {
  EXPECT_FALSE(is_half_life(kSecond - 1, Times::timestamps));
  EXPECT_FALSE(is_window(kMaxNumberHalfLife, Times::instants));
  EXPECT_FALSE(is_period(1, Times::instants));
  for (const Micros n : {Micros{1}, kMaxNumberHalfLife}) {
    EXPECT_TRUE(is_half_life(n, Times::numbers) && is_window(n, Times::numbers) && is_period(n, Times::numbers));
    for (const Micros t : {kFirstInstant, Micros{0}, kLastInstant}) {
      DecayState *d = DecayState::make(n, t, 1, allocate)->add(t, Weight(n, t), 1, 1, allocate);
      d->set_times(Times::numbers);
      CohortState *c = CohortState::make(n, allocate)->add(period_of(t, n, Times::numbers), true, allocate);
      c->set_times(Times::numbers);
      EXPECT_TRUE(is_state(kDecayState, *d, d->size()) && is_state(kCohortState, *c, c->size())) << n << " at " << t;
      EXPECT_LE(period_start(c->first, n, Times::numbers), t);
    }
  }
  EXPECT_FALSE(is_half_life(kMaxNumberHalfLife + 1, Times::numbers) || is_window(0, Times::numbers) || is_period(-1, Times::numbers));
  EXPECT_EQ(period_of(0, 10, Times::numbers), 0);
  EXPECT_EQ(period_of(-1, 10, Times::numbers), -1);
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
  EXPECT_EQ(period_of(monday, 7 * kDay, Times::instants), 0);
  EXPECT_EQ(period_of(monday - 1, 7 * kDay, Times::instants), -1);
  EXPECT_EQ(period_start(1, 7 * kDay, Times::instants), monday + 7 * kDay);
}

} // namespace
} // namespace pql
