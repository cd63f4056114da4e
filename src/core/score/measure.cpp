#include "core/score/measure.hpp"

#include <cmath>
#include <limits>

#include "core/decay/pow2.hpp"

namespace pql {
namespace {

// What was reached counts half after a half-life, or for as long as a window says, or for ever.
double faded(const MeasureDef &d, Micros at, Micros as_of) noexcept {
  if (at > as_of) return 0;
  if (d.window > 0) return at > earlier(as_of, d.window) ? 1 : 0;
  return d.half_life > 0 ? pow2_ratio(at - as_of, d.half_life) : 1;
}

void find_reached(Finding &out, const MeasureDef &d, Micros at, Micros as_of) noexcept {
  if (at > as_of) return;
  out.parts.main.value = faded(d, at, as_of);
  out.at = at;
}

void find_complete(Finding &out, const MeasureDef &d, const FunnelState *x, const FunnelSpec &spec, Micros as_of) noexcept {
  if (!x) return;
  const FunnelLevel level = x->funnel.read(spec, as_of);
  if (level.level == spec.steps) find_reached(out, d, level.reached, as_of);
}

void find_marks(Finding &out, const MeasureDef &d, const Marks &x, const MarksSpec &spec, Micros as_of) noexcept {
  const Micros after = earlier(as_of, spec.window);
  out.event = x.event.view();
  out.at = x.newest;
  switch (d.measure) {
  case Measure::streak: out.parts.main.value = x.streak(spec, as_of); break;
  case Measure::recency: out.parts.main.value = std::max(0.0, (static_cast<double>(as_of) - static_cast<double>(x.newest)) / static_cast<double>(kDay)); break;
  case Measure::growth:
    out.parts = {x.read(spec, after, as_of), x.read(spec, earlier(after, spec.window), after)};
    break;
  default: out.parts.main = x.read(spec, after, as_of);
  }
}

} // namespace

Finding find_measure(const MeasureDef &d, const MeasureTrackers &t, Trackers trackers, const Subject &s, Micros as_of) noexcept {
  Finding out;
  if (t.main >= trackers.size()) return out;
  switch (trackers[t.main].kind) {
  case Tracker::Kind::none: break;
  case Tracker::Kind::decay:
    if (const DecayedSum *x = s.decay(t.main)) {
      out = {{{x->sum.read(trackers[t.main].half_life, as_of), 0}, {}}, x->event.view(), x->newest};
    }
    break;
  case Tracker::Kind::milestone:
    if (const FirstTime *x = s.milestone(t.main)) {
      find_reached(out, d, x->at, as_of);
      if (finite(out.at)) out.event = x->event();
    }
    break;
  case Tracker::Kind::funnel: find_complete(out, d, s.funnel(t.main), trackers[t.main].funnel, as_of); break;
  default:
    if (const Marks *x = s.marks_of(t.main)) find_marks(out, d, *x, trackers[t.main].marks, as_of);
  }
  if (d.measure != Measure::success_rate) return out;
  out.parts.second = out.parts.main;
  out.parts.main = {};
  if (const Marks *x = t.second < trackers.size() ? s.marks_of(t.second) : nullptr) {
    out.parts.main = x->read(trackers[t.second].marks, earlier(as_of, trackers[t.second].marks.window), as_of);
  }
  return out;
}

double value_of(const MeasureDef &d, double main, double second) noexcept {
  double v = main;
  if (d.measure == Measure::growth) v = (main - second) / std::max(second, 1.0);
  if (d.measure == Measure::success_rate) v = second > 0 ? main / second : 0;
  return d.cap > 0 ? std::min(v, d.cap) : v;
}

Measured measured(const MeasureDef &d, const Parts &p) noexcept {
  const double v = value_of(d, p.main.value, p.second.value);
  if (p.main.error == 0 && p.second.error == 0) return {v, 0};
  if (std::isinf(p.main.error) || std::isinf(p.second.error)) return {v, std::numeric_limits<double>::infinity()};
  double error = 0; // both are monotone in either part: the corners tell
  for (const double main : {-p.main.error, p.main.error}) {
    for (const double second : {-p.second.error, p.second.error}) {
      const double whole = std::max(0.0, p.second.value + second);
      error = std::max(error, std::fabs(value_of(d, p.main.value + main, whole) - v));
    }
  }
  return {v, d.measure == Measure::success_rate ? std::min(error, 1.0) : error};
}

bool turns_by_itself(const MeasureDef &d) noexcept {
  return d.measure == Measure::growth || d.measure == Measure::success_rate || (d.measure == Measure::sum && d.window > 0);
}

bool rises_by_itself(const MeasureDef &d) noexcept {
  switch (d.measure) {
  case Measure::recency:
  case Measure::growth:
  case Measure::success_rate: return true;
  case Measure::sum: return d.window > 0; // what leaves it may be negative
  default: return false;
  }
}

bool falls_by_itself(const MeasureDef &d) noexcept {
  switch (d.measure) {
  case Measure::recency:
  case Measure::value:
  case Measure::flag: return false;
  case Measure::milestone:
  case Measure::activation:
  case Measure::pattern: return d.half_life > 0 || d.window > 0;
  default: return true;
  }
}

bool only_adds(const MeasureDef &d) noexcept {
  switch (d.measure) {
  case Measure::count:
  case Measure::sum: return d.half_life > 0; // in a window, an instant that goes to a bucket may count less
  case Measure::milestone:
  case Measure::activation:
  case Measure::pattern: return d.half_life == 0 && d.window == 0; // what was reached earlier has faded more
  case Measure::distinct_users:
  case Measure::active_days:
  case Measure::time_in_product: return true;
  default: return false;
  }
}

} // namespace pql
