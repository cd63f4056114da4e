#include "core/score/score.hpp"

#include <algorithm>
#include <cmath>

#include "core/decay/pow2.hpp"

namespace pql {
namespace {

// 2^-x for x >= 0, by the same integer arithmetic everywhere.
double halved(double x) noexcept {
  if (x >= 1100) return 0;
  constexpr std::int64_t kUnit = std::int64_t{1} << 40;
  return pow2_ratio(-static_cast<std::int64_t>(std::llround(std::ldexp(x, 40))), kUnit);
}

Reason reason(const SignalDef &d, TrackerId t, Trackers trackers, const Subject &s, Micros as_of) noexcept {
  Reason r;
  switch (d.measure) {
  case Measure::count:
  case Measure::sum:
    if (const DecayedSum *x = s.decay(t)) {
      r.value = x->sum.read(trackers[t].half_life, as_of);
      r.event = x->event.view();
      r.at = x->newest;
    }
    break;
  case Measure::milestone:
    if (const FirstTime *x = s.milestone(t); x && x->at <= as_of) {
      r.value = 1;
      r.event = x->event();
      r.at = x->at;
    }
    break;
  case Measure::activation:
    if (const FunnelState *x = s.funnel(t)) {
      const FunnelLevel level = x->funnel.read(trackers[t].funnel, as_of);
      if (level.level == trackers[t].funnel.steps && level.reached <= as_of) {
        r.value = 1;
        r.at = level.reached;
      }
    }
    break;
  default: break; // no document has it yet
  }
  r.raw = raw_points(d, r.value);
  return r;
}

} // namespace

double raw_points(const SignalDef &d, double value) noexcept {
  if (!(value > 0)) return 0;
  const double top = d.max_points;
  if (d.half_saturation > 0) return top * (1 - halved(value / d.half_saturation));
  if (d.points_each > 0) return std::min(top, d.points_each * value);
  const double full = d.saturates_at > 0 ? d.saturates_at : 1;
  return value >= full ? top : top * value / full;
}

int score(const Program &p, Trackers trackers, const Subject &s, Micros as_of, std::span<Reason> out) noexcept {
  double sum = 0;
  int floors = 0;
  const std::size_t n = p.def.signals.size();
  for (std::size_t i = 0; i < n; i++) {
    out[i] = reason(p.def.signals[i], p.signal_trackers[i], trackers, s, as_of);
    if (!p.def.signals[i].may_score) out[i].raw = 0;
    out[i].points = static_cast<int>(std::floor(out[i].raw));
    sum += out[i].raw;
    floors += out[i].points;
  }
  const int total = static_cast<int>(std::floor(sum + 0.5));
  for (int missing = total - floors; missing > 0; missing--) {
    std::size_t best = 0;
    double most = -1;
    for (std::size_t i = 0; i < n; i++) {
      const double rest = out[i].raw - out[i].points; // below 0 once rounded up
      if (rest > most) {
        most = rest;
        best = i;
      }
    }
    out[best].points++;
  }
  return total;
}

Micros falls_below(const Program &p, Trackers trackers, const Subject &s, Micros now, int threshold) noexcept {
  std::vector<Reason> reasons(p.def.signals.size());
  auto below = [&](Micros t) { return score(p, trackers, s, t, reasons) < threshold; };
  constexpr Micros kHorizon = 36'525 * kDay;
  if (now > kNever - kHorizon - 1 || !below(now + kHorizon)) return kNever;
  Micros lo = now, hi = now + kHorizon; // every signal only falls while nothing happens
  while (hi - lo > 1) {
    const Micros mid = lo + (hi - lo) / 2;
    (below(mid) ? hi : lo) = mid;
  }
  return hi;
}

Micros signal_time(std::span<const Reason> reasons) noexcept {
  Micros newest = kAlways;
  for (const Reason &r : reasons) {
    if (r.points > 0) newest = std::max(newest, r.at);
  }
  return newest;
}

} // namespace pql
