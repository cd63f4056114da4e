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

bool is_given(const SignalDef &d) noexcept { return d.measure == Measure::value || d.measure == Measure::flag; }

double given_to(std::span<const double> given, std::size_t signal) noexcept { return signal < given.size() ? given[signal] : 0; }

// Into a fresh reason: copying one would wait for what was just written. Of most signals nothing is found.
void find_reason(Reason &r, const SignalDef &d, const MeasureTrackers &t, Trackers trackers, const Subject &s, Micros as_of, double given) noexcept {
  if (is_given(d)) {
    if (std::isnan(given)) return;
    r.value = d.cap > 0 ? std::min(given, d.cap) : given;
  } else if (const Finding x = find_measure(d, t, trackers, s, as_of); x.at != kAlways) {
    const Measured m = measured(d, x.parts);
    r.value = m.value;
    r.error = m.error;
    r.event = x.event;
    r.at = x.at;
  }
  r.raw = d.may_score ? raw_points(d, r.value) : 0;
}

double raw_of(const SignalDef &d, const MeasureTrackers &t, Trackers trackers, const Subject &s, Micros as_of, double given) noexcept {
  Reason r;
  find_reason(r, d, t, trackers, s, as_of, given);
  return r.raw;
}

// Of which trackers a subject has something, so that the others needn't be looked for: of most signals there is nothing.
class Present {
public:
  explicit Present(const Subject &s) noexcept {
    add(s.milestones);
    add(s.decays);
    add(s.funnels);
    add(s.marks);
  }
  /// Whether a signal's value may be anything but 0. Of trackers with large numbers it isn't told.
  bool may_have(const SignalDef &d, const MeasureTrackers &t) const noexcept {
    return is_given(d) || d.over || t.main >= kMost || (bits_[t.main / 64] >> t.main % 64 & 1);
  }

private:
  template <class T>
  void add(const Vec<T> &all) noexcept {
    for (const T &x : all) {
      if (x.tracker < kMost) bits_[x.tracker / 64] |= std::uint64_t{1} << x.tracker % 64;
    }
  }

  static constexpr TrackerId kMost = 512;
  std::uint64_t bits_[kMost / 64] = {};
};

// What a signal gives at the most, whatever rules say and whenever a milestone was reached.
double most(const SignalDef &d, const MeasureTrackers &t, Trackers trackers, const Subject &s, const Present &present, Micros as_of) noexcept {
  const double top = d.may_score ? std::max(d.max_points, 0) : 0;
  if (is_given(d)) return top;
  if (d.measure == Measure::milestone && (s.known.has(t.main) || s.milestone(t.main))) return top;
  return present.may_have(d, t) ? raw_of(d, t, trackers, s, as_of, 0) : 0;
}

// The moment at which a score falls. Signals may rise while others fall, but between two turns each part of a measure only grows or
// only falls: so what a signal is worth in between is not less than the least of what its parts at both ends give. Where
// the sum of that isn't below the threshold, the score isn't either; where it is, each half is looked at.
class Fall {
public:
  Fall(const Program &p, Trackers trackers, const Subject &s, int threshold, std::span<const double> given)
      : p_(p), trackers_(trackers), s_(s), threshold_(threshold), given_(given) {}

  Micros first(Micros now, Micros end) {
    const All last = find_moving(end);
    std::vector<Micros> turns{later(now, 1), later(end, 1)};
    for (std::size_t i = 0; i < size() && rises_by_itself(p_); i++) { // else all of it only falls
      each_turn(p_.def.signals[i], p_.signals[i], trackers_, s_, [&](Micros t) {
        if (t > turns[0] && t <= end) turns.push_back(t);
      });
    }
    std::sort(turns.begin(), turns.end());
    for (std::size_t i = 0; i + 1 < turns.size(); i++) {
      if (turns[i] == turns[i + 1]) continue;
      const Micros to = turns[i + 1] - 1;
      const Micros at = first(turns[i], at_instant(turns[i]), to, to == end ? last : at_instant(to));
      if (at != kNever) return at;
    }
    return kNever;
  }

private:
  using All = std::vector<Parts>;
  std::size_t size() const noexcept { return p_.def.signals.size(); }

  // Only what something is known of, at the end at the latest, can change. Gives what it is then.
  All find_moving(Micros end) {
    All all(size());
    moving_.resize(size());
    still_.resize(size());
    for (std::size_t i = 0; i < size(); i++) {
      const SignalDef &d = p_.def.signals[i];
      const Finding x = d.may_score && !is_given(d) ? find_measure(d, p_.signals[i], trackers_, s_, end) : Finding{};
      moving_[i] = x.at != kAlways;
      all[i] = x.parts;
      if (!moving_[i]) still_[i] = raw_of(d, p_.signals[i], trackers_, s_, end, given_to(given_, i));
    }
    return all;
  }

  All at_instant(Micros t) {
    work_ += size();
    All all(size());
    for (std::size_t i = 0; i < size(); i++) {
      if (moving_[i]) all[i] = find_measure(p_.def.signals[i], p_.signals[i], trackers_, s_, t).parts;
    }
    return all;
  }

  // What the signal is worth at the least between two instants.
  double least(std::size_t i, const Parts &x, const Parts &y) const noexcept {
    if (!moving_[i]) return still_[i];
    const SignalDef &d = p_.def.signals[i];
    const auto worth = [&](const Parts &main, const Parts &second) { return raw_points(d, value_of(d, main.main.value, second.second.value)); };
    const double ends = std::min(worth(x, x), worth(y, y));
    const bool of_two = d.measure == Measure::growth || d.measure == Measure::success_rate;
    return of_two ? std::min({ends, worth(x, y), worth(y, x)}) : ends;
  }

  bool stays(const All &x, const All &y) const noexcept {
    double sum = 0; // as score() adds it up, so that it rounds no differently
    for (std::size_t i = 0; i < size(); i++) sum += least(i, x[i], y[i]);
    return std::floor(sum + 0.5) >= threshold_;
  }

  // Halves, but for long times: most fades within weeks, and what lasts is known after few steps.
  static Micros between(Micros from, Micros to) noexcept {
    const Micros length = to - from;
    return from + (length > kLong ? length / 64 : length / 2);
  }

  // The first instant from `from` to `to` at which the score is below the threshold; kNever if there is none.
  Micros first(Micros from, const All &x, Micros to, const All &y) {
    if (stays(x, y)) return kNever;
    if (!stays(x, x) || work_ > kMostWork) return from;
    if (to - from <= 1) return stays(y, y) ? kNever : to;
    const Micros mid = between(from, to);
    const All z = at_instant(mid);
    const Micros at = first(from, x, mid, z);
    return at != kNever ? at : first(mid, z, to, y);
  }

  static constexpr Micros kLong = 32 * kDay;
  static constexpr std::size_t kMostWork = 50'000; // measures read

  const Program &p_;
  Trackers trackers_;
  const Subject &s_;
  int threshold_;
  std::span<const double> given_;
  std::vector<bool> moving_;
  std::vector<double> still_; ///< what the others are worth
  std::size_t work_ = 0;
};

} // namespace

double raw_points(const SignalDef &d, double value) noexcept {
  const double top = d.max_points;
  if (d.over) return value > *d.over ? top : 0;
  if (!(value > 0)) return 0;
  if (d.half_saturation > 0) return top * (1 - halved(value / d.half_saturation));
  if (d.points_each > 0) return top < 0 ? std::max(top, -d.points_each * value) : std::min(top, d.points_each * value);
  const double full = d.saturates_at > 0 ? d.saturates_at : 1;
  return value >= full ? top : top * value / full;
}

int score(const Program &p, Trackers trackers, const Subject &s, Micros as_of, std::span<Reason> out,
          std::span<const double> given) noexcept {
  const Present present(s);
  double sum = 0;
  int floors = 0;
  const std::size_t n = p.def.signals.size();
  for (std::size_t i = 0; i < n; i++) {
    out[i] = {};
    if (!present.may_have(p.def.signals[i], p.signals[i])) continue;
    find_reason(out[i], p.def.signals[i], p.signals[i], trackers, s, as_of, given_to(given, i));
    if (out[i].raw == 0) continue;
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

namespace {

// Points before rounding, which lie somewhere between two ends.
struct Range {
  double low, high;
  bool moves;
};

// Later than a milestone's time in the subject, no later than `latest`. Powers of two aren't monotone to the last bit.
Range range_of(const Reason &r, const SignalDef &d, const MeasureTrackers &t, Trackers trackers, const Subject &s, Micros as_of, Micros latest) noexcept {
  constexpr double kSlack = 1e-9;
  if (d.measure != Measure::milestone || (!d.half_life && !d.window) || !s.milestone(t.main)) return {r.raw, r.raw, false};
  FirstTime last = FirstTime::of(t.main, latest, {});
  Subject then;
  then.milestones = {&last, 1, 1};
  const double raw = raw_of(d, t, trackers, then, as_of, 0);
  return {std::min(r.raw, raw) - kSlack, std::max(r.raw, raw) + kSlack, true};
}

} // namespace

// As many signals are rounded up, and those with the largest remainders: so it must hold of each pair of which one moves that the remainder
// of the one that is rounded up stays the larger one.
bool same_points_until(const Program &p, Trackers trackers, const Subject &s, Micros as_of, Micros latest, std::span<const Reason> reasons) noexcept {
  constexpr double kNone = 2; // more than any remainder
  double low_sum = 0, high_sum = 0, up = kNone, moving_up = kNone, down = -kNone, moving_down = -kNone;
  for (std::size_t i = 0; i < p.def.signals.size(); i++) {
    const Range x = range_of(reasons[i], p.def.signals[i], p.signals[i], trackers, s, as_of, latest);
    if (x.low == 0 && x.high == 0) continue; // nothing is taken from it or added to it, unless all others are as whole
    const double floor = std::floor(x.low);
    if (std::floor(x.high) != floor) return false;
    low_sum += x.low;
    high_sum += x.high;
    if (reasons[i].points > floor) {
      up = std::min(up, x.low - floor);
      if (x.moves) moving_up = std::min(moving_up, x.low - floor);
    } else {
      down = std::max(down, x.high - floor);
      if (x.moves) moving_down = std::max(moving_down, x.high - floor);
    }
  }
  return std::floor(low_sum + 0.5) == std::floor(high_sum + 0.5) && moving_up > std::max(down, 0.0) && up > moving_down;
}

int most_score(const Program &p, Trackers trackers, const Subject &s, Micros as_of) noexcept {
  const Present present(s);
  double sum = 0;
  for (std::size_t i = 0; i < p.def.signals.size(); i++) sum += most(p.def.signals[i], p.signals[i], trackers, s, present, as_of);
  return static_cast<int>(std::floor(sum + 0.5));
}

Micros falls_below(const Program &p, Trackers trackers, const Subject &s, Micros now, int threshold, std::span<const double> given) {
  constexpr Micros kHorizon = 36'525 * kDay;
  if (now > kNever - kHorizon - 1) return kNever;
  return Fall(p, trackers, s, threshold, given).first(now, now + kHorizon);
}

bool rises_by_itself(const Program &p) noexcept {
  return std::any_of(p.def.signals.begin(), p.def.signals.end(), [](const SignalDef &d) {
    return d.may_score && (d.max_points < 0 ? falls_by_itself(d) : rises_by_itself(d));
  });
}

bool only_adds_up(const Program &p) noexcept {
  return !rises_by_itself(p) && std::all_of(p.def.signals.begin(), p.def.signals.end(), [](const SignalDef &d) {
    return !d.may_score || (d.max_points >= 0 && only_adds(d));
  });
}

Micros signal_time(std::span<const Reason> reasons) noexcept {
  Micros newest = kAlways;
  for (const Reason &r : reasons) {
    if (r.points > 0) newest = std::max(newest, r.at);
  }
  return newest;
}

} // namespace pql
