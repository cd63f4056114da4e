#include "core/pilot/beta.hpp"

#include <cmath>
#include <limits>

namespace pql::pilot {
namespace {

double log_gamma(double x) noexcept {
  int sign = 0; // of its own: std::lgamma writes a global one
  return lgamma_r(x, &sign);
}

// The continued fraction of the lower tail, by Lentz; for x below (a + 1) / (a + b + 2) it converges in about sqrt(max(a, b)) steps.
double fraction(double x, double a, double b) noexcept {
  constexpr double kTiny = 1e-300, kClose = 1e-15;
  constexpr int kMost = 100000;
  const auto kept = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / kept(1 - (a + b) * x / (a + 1)), h = d;
  for (int m = 1; m < kMost; m++) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / kept(1 + even * d);
    c = kept(1 + even / c);
    h *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / kept(1 + odd * d);
    c = kept(1 + odd / c);
    h *= c * d;
    if (std::abs(c * d - 1) < kClose) break;
  }
  return h;
}

// The log of the lower tail, where the fraction is good.
double log_below(double x, double a, double b) noexcept {
  return a * std::log(x) + b * std::log1p(-x) - log_beta(a, b) - std::log(a) + std::log(fraction(x, a, b));
}

double log_of_rest(double log_p) noexcept { return std::log(-std::expm1(log_p)); }

} // namespace

double log_beta(double a, double b) noexcept { return log_gamma(a) + log_gamma(b) - log_gamma(a + b); }

double log_beta_above(double x, double a, double b) noexcept {
  if (!(a > 0 && b > 0)) return std::numeric_limits<double>::quiet_NaN();
  if (x <= 0) return 0;
  if (x >= 1) return -std::numeric_limits<double>::infinity();
  if (x < (a + 1) / (a + b + 2)) return log_of_rest(log_below(x, a, b));
  return log_below(1 - x, b, a);
}

} // namespace pql::pilot
