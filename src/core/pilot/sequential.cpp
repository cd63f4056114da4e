#include "core/pilot/sequential.hpp"

#include <algorithm>
#include <cmath>

namespace pql {

double tuned(double alpha) noexcept {
  const double twice = -2 * std::log(alpha);
  return twice + std::log1p(twice);
}

double radius(double v, double prior, double alpha) noexcept {
  return std::sqrt(v * (1 + v / prior) * (std::log1p(prior / v) - 2 * std::log(alpha)));
}

double sequential_p(const Estimate &e, double prior) noexcept {
  const double log_ratio = prior * e.value * e.value / (2 * e.variance * (e.variance + prior)) - std::log1p(prior / e.variance) / 2;
  return std::isnan(log_ratio) ? 1 : std::exp(-std::max(log_ratio, 0.0));
}

bool says_something(const Arm &treated, const Arm &held_out) noexcept {
  const double fewer = std::min(treated.n, held_out.n), share = (treated.y + held_out.y) / (treated.n + held_out.n);
  return fewer >= kFewest && fewer * std::min(share, 1 - share) >= kFewestExpected;
}

} // namespace pql
