#include "core/pilot/sequential.hpp"

#include <algorithm>
#include <cmath>

namespace pql::pilot {

namespace {

// The variance of the prior over that of the estimate.
double relative_prior(const Look &look) noexcept {
  const double twice = -2 * std::log(look.alpha);
  return (twice + std::log1p(twice)) * look.subjects / look.planned;
}

} // namespace

double radius(const Look &look) noexcept {
  const double prior = relative_prior(look);
  return std::sqrt((1 + 1 / prior) * (std::log1p(prior) - 2 * std::log(look.alpha)));
}

double sequential_p(const Estimate &e, const Look &look) noexcept {
  if (!(e.variance > 0)) return 1;
  const double prior = relative_prior(look);
  const double log_ratio = prior / (1 + prior) * e.value * e.value / e.variance / 2 - std::log1p(prior) / 2;
  return std::exp(-std::max(log_ratio, 0.0));
}

bool says_something(const Arm &treated, const Arm &held_out) noexcept {
  const double fewer = std::min(treated.n, held_out.n), share = (treated.y + held_out.y) / (treated.n + held_out.n);
  return fewer >= kFewest && fewer * std::min(share, 1 - share) >= kFewestExpected;
}

} // namespace pql::pilot
