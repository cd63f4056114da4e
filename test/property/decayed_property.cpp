// Laws of what decay_agg keeps.
#include "core/aggregate/decayed.hpp"

#include <deque>

#include "property/states.hpp"

namespace pql {
namespace {

struct Row {
  Micros at;
  double value;
};

Micros any_half_life() { return number<Micros>(kMinHalfLife, kMinHalfLife << number(1, 24)); }

std::vector<Row> any_rows(Micros half_life, int most = 40) {
  std::vector<Row> rows(static_cast<std::size_t>(number(0, most)));
  const Micros span = half_life * number<Micros>(1, 200), from = number<Micros>(-kDay * 9000, kDay * 9000);
  for (Row &r : rows) {
    r.at = from + number<Micros>(0, span);
    r.value = one_in(3) ? 1 : std::ldexp(number(-1'000'000, 1'000'000), number(-20, 4));
    if (one_in(4)) r.at = rows.front().at;
  }
  return rows;
}

DecayState *add(DecayState *s, Micros half_life, const Row &r, int sign = 1) {
  if (!s) s = DecayState::make(half_life, r.at, 1, test_allocate);
  return s->add(r.at, Weight(half_life, r.at), r.value, sign, test_allocate);
}

DecayState *fold(Micros half_life, const std::vector<Row> &rows) {
  DecayState *s = nullptr;
  for (const Row &r : rows) s = add(s, half_life, r);
  return s;
}

TEST(DecayStateLaws, AnyOrderAndAnyMerge) {
  check("decay states", rc::check([] {
          const Micros h = any_half_life();
          const auto rows = any_rows(h);
          states_keep_their_laws(kDecayState, rows.size(), [&](const auto &some) {
            DecayState *s = nullptr;
            for (const std::size_t i : some) s = add(s, h, rows[i]);
            return s;
          });
        }));
}

TEST(DecayStateLaws, ReadsAsTheSumsOfTheTriggerDo) {
  check("as Decay", rc::check([] {
          test_arena.release();
          const Micros h = any_half_life();
          auto rows = any_rows(h);
          rows.push_back({number<Micros>(0, kDay), 2});
          Decay sum, count;
          for (const Row &r : rows) {
            sum.add(h, r.at, r.value);
            count.add(h, r.at, 1);
          }
          const DecayState *s = fold(h, rows);
          const Micros as_of = s->newest + number<Micros>(-h, 50 * h);
          RC_ASSERT(s->sum_at(as_of) == sum.read(h, as_of));
          RC_ASSERT(s->count_at(as_of) == count.read(h, as_of));
        }));
}

// As the moving form does: rows come and go in one order, and the newest of them stays.
TEST(DecayStateLaws, WhatIsTakenBackLeavesNoTrace) {
  check("inverse", rc::check([] {
          test_arena.release();
          const Micros h = any_half_life();
          auto rows = any_rows(h);
          std::sort(rows.begin(), rows.end(), [](const Row &a, const Row &b) { return a.at < b.at; });
          DecayState *s = nullptr;
          std::deque<Row> frame;
          for (const Row &r : rows) {
            s = add(s, h, r);
            frame.push_back(r);
            for (int n = number(0, 3); n > 0 && frame.size() > 1; n--) {
              s = add(s, h, frame.front(), -1);
              frame.pop_front();
            }
            RC_ASSERT(bytes_of(kDecayState, *s) == bytes_of(kDecayState, *fold(h, {frame.begin(), frame.end()})));
          }
        }));
}

TEST(DecayStateLaws, OverflowIsTold) {
  test_arena.release();
  DecayState *s = fold(kMinHalfLife, {{32 * kMinHalfLife - 1, std::nextafter(kMaxDecayValue, 0)}});
  int doublings = 0;
  while (State *more = kDecayState.merge(resized(*s, s->size(), test_allocate), *s, test_allocate)) {
    s = static_cast<DecayState *>(more);
    doublings++;
  }
  EXPECT_GE(doublings, 31);
  EXPECT_LE(doublings, 32);
}

} // namespace
} // namespace pql
