// What learning costs: a model of 100,000 hand-offs and fifty signals, and a chance by it.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/learn/learner.hpp"
#include "core/learn/ridge.hpp"

namespace {

using namespace pql;

constexpr std::size_t kSignals = 50;

Study company(std::size_t n) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<> any;
  std::normal_distribution<> normal;
  Study s;
  s.as_of = 730 * kDay;
  s.segments = 3;
  for (std::size_t j = 0; j < kSignals; j++) s.points.push_back(5 + static_cast<int>(j % 4) * 5);
  for (std::size_t i = 0; i < n; i++) {
    HandOff h;
    h.at = static_cast<Micros>(any(random) * 730) * kDay;
    h.treated = any(random) < 0.8;
    h.segment = static_cast<int>(any(random) * 3);
    double odds = -6;
    const double intent = normal(random);
    for (std::size_t j = 0; j < kSignals; j++) {
      const double x = 0.5 * intent + normal(random) - 0.6, share = x > 0 ? std::round((1 - std::exp(-x)) * s.points[j]) / s.points[j] : 0;
      s.shares.push_back(share);
      odds += (j % 3 == 0 ? 1.5 : 0.3) * share;
    }
    const Micros delay = static_cast<Micros>(-std::log(any(random)) * 20) * kDay;
    h.converted = any(random) < chance_of(odds) && delay < s.horizon && h.at + delay <= s.as_of;
    if (h.converted) h.converted_at = h.at + delay;
    s.hand_offs.push_back(h);
  }
  return s;
}

void learn_refit(benchmark::State &state) {
  const Study s = company(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(learn(s).terms.size());
}
BENCHMARK(learn_refit)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

void learn_chance(benchmark::State &state) {
  const Study s = company(5'000);
  const Learned l = learn(s);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(l.chance(s.shares_of(i++ % s.hand_offs.size()), 1, true));
}
BENCHMARK(learn_chance);

} // namespace
