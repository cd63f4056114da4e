#include "core/pilot/limit.hpp"

#include <algorithm>
#include <cmath>

#include "core/pilot/beta.hpp"

namespace pql::pilot {

double above_limit_p(double k, double n, double limit) noexcept {
  if (limit >= 1 || !(n > 0)) return 1; // no share is above it
  if (limit <= 0) return k > 0 ? 0 : 1;
  const double prior = std::max(1.0, 1 / (3 * limit) - 1), a = k + 1, b = n - k + prior;
  const double log_mixture = log_beta(a, b) + log_beta_above(limit, a, b) - log_beta(1, prior) - log_beta_above(limit, 1, prior);
  return std::exp(-std::max(log_mixture - k * std::log(limit) - (n - k) * std::log1p(-limit), 0.0));
}

} // namespace pql::pilot
