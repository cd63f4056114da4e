#include "core/stat/interval.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pql {
namespace {

double share_of(Count c) noexcept { return static_cast<double>(c.part) / static_cast<double>(c.whole); }

// How many standard deviations to both sides.
double width_of(double confidence) noexcept { return normal_quantile(0.5 + confidence / 2); }

template <std::size_t N> double polynomial(const double (&c)[N], double x) noexcept {
  double y = 0;
  for (std::size_t i = N; i-- > 0;) y = y * x + c[i];
  return y;
}

// None and all have no finite logarithm, or no variance.
double counted(Count c) noexcept {
  return std::clamp(static_cast<double>(c.part), 0.5, static_cast<double>(c.whole) - 0.5);
}

} // namespace

double normal_quantile(double p) noexcept {
  static constexpr double kMiddle[] = {3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                       4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static constexpr double kUnderMiddle[] = {1.0,                      4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
                                            2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3};
  static constexpr double kTail[] = {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,  3.64784832476320460504e0,
                                     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double kUnderTail[] = {1.0,                      2.05319162663775882187e0,  1.67638483018380384940e0,  6.89767334985100004550e-1,
                                          1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9};
  static constexpr double kFar[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,  2.96560571828504891230e-1,
                                    2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double kUnderFar[] = {1.0,                       5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
                                         7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(kMiddle, r) / polynomial(kUnderMiddle, r);
  }
  const double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  const double x = r <= 5 ? polynomial(kTail, r - 1.6) / polynomial(kUnderTail, r - 1.6) : polynomial(kFar, r - 5) / polynomial(kUnderFar, r - 5);
  return q < 0 ? -x : x;
}

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
