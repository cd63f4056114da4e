#include "core/stat/interval.hpp"

#include "core/stat/normal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pql {
namespace {

double share_of(Count c) noexcept { return static_cast<double>(c.part) / static_cast<double>(c.whole); }

// How many standard deviations to both sides.
double width_of(double confidence) noexcept { return -normal_quantile((1 - confidence) / 2); }

// None and all have no finite logarithm, or no variance.
double counted(Count c) noexcept {
  return std::clamp(static_cast<double>(c.part), 0.5, static_cast<double>(c.whole) - 0.5);
}

} // namespace

Estimate share(Count c, double confidence) noexcept {
  if (c.whole == 0) return {std::nullopt, 0, 1};
  const double n = static_cast<double>(c.whole), p = share_of(c), z = width_of(confidence);
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  // None and all are bounds themselves, which rounding misses.
  return {p, c.part == 0 ? 0 : std::clamp(middle - half, 0.0, p), c.part == c.whole ? 1 : std::clamp(middle + half, p, 1.0)};
}

Estimate difference(Count a, Count b, double confidence) noexcept {
  if (a.whole == 0 || b.whole == 0) return {std::nullopt, -1, 1};
  const Estimate x = share(a, confidence), y = share(b, confidence);
  const double d = *x.value - *y.value;
  return {d, std::max(-1.0, d - std::hypot(*x.value - x.low, y.high - *y.value)), std::min(1.0, d + std::hypot(x.high - *x.value, *y.value - y.low))};
}

Estimate ratio(Count a, Count b, double confidence) noexcept {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (a.whole == 0 || b.whole == 0 || (a.part == 0 && b.part == 0)) return {std::nullopt, 0, kInfinity};
  const double m = static_cast<double>(a.whole), n = static_cast<double>(b.whole), x = counted(a), y = counted(b);
  const double middle = std::log(x / m) - std::log(y / n);
  const double half = width_of(confidence) * std::sqrt(1 / x - 1 / m + 1 / y - 1 / n);
  const double value = b.part == 0 ? kInfinity : share_of(a) / share_of(b);
  return {value, a.part == 0 ? 0 : std::min(value, std::exp(middle - half)), b.part == 0 ? kInfinity : std::max(value, std::exp(middle + half))};
}

} // namespace pql
