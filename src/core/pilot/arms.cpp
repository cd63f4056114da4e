#include "core/pilot/arms.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pql::pilot {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Sums of squares and of products about the means.
struct Spread {
  double yy, xx, xy;
};

Spread spread_of(const Arm &a) noexcept {
  if (a.n < 1) return {0, 0, 0};
  return {std::max(a.yy - a.y * a.y / a.n, 0.0), std::max(a.xx - a.x * a.x / a.n, 0.0), a.xy - a.x * a.y / a.n};
}

Arm together(const Arm &a, const Arm &b) noexcept { return {a.n + b.n, a.y + b.y, a.yy + b.yy, a.x + b.x, a.xx + b.xx, a.xy + b.xy}; }

// What is left of the squares of y when theta * x is taken off.
double rest(const Spread &s, double theta) noexcept { return std::max(s.yy - 2 * theta * s.xy + theta * theta * s.xx, 0.0); }

double variance_of_mean(const Arm &a, double theta) noexcept { return rest(spread_of(a), theta) / (a.n - 1) / a.n; }

Estimate estimate_of(const Arm &t, const Arm &c, double weight, double theta) noexcept {
  if (t.n < 2 || c.n < 2) return {kNone, kNone};
  const Arm all = together(t, c);
  const double common = rest(spread_of(all), theta) / (all.n - 1), value = (t.y - theta * t.x) / t.n - weight * (c.y - theta * c.x) / c.n;
  constexpr double kRounding = 1e-12; // what is left of sums of squares that are the same
  if (!(common > kRounding * all.yy / all.n)) return {value, kNone};
  return {value,
          std::max(variance_of_mean(t, theta) + weight * weight * variance_of_mean(c, theta), common * (1 / t.n + weight * weight / c.n))};
}

} // namespace

void Arm::add(double outcome, double known) noexcept {
  n++;
  y += outcome;
  yy += outcome * outcome;
  x += known;
  xx += known * known;
  xy += known * outcome;
}

Estimate difference(const Arm &treated, const Arm &held_out, double weight) noexcept { return estimate_of(treated, held_out, weight, 0); }

Adjusted adjusted_difference(const Arm &treated, const Arm &held_out) noexcept {
  const Spread t = spread_of(treated), c = spread_of(held_out);
  const double xx = t.xx + c.xx, theta = xx > 0 ? (t.xy + c.xy) / xx : 0;
  const Estimate plain = estimate_of(treated, held_out, 1, 0), adjusted = estimate_of(treated, held_out, 1, theta);
  if (std::isnan(adjusted.variance)) return {plain, 0, 0}; // x tells all of y: no spread is left to judge by
  return {adjusted, theta, adjusted.variance < plain.variance ? 1 - adjusted.variance / plain.variance : 0};
}

} // namespace pql::pilot
