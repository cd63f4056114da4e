#include "core/pilot/ratio.hpp"

#include <algorithm>
#include <cmath>

#include "core/pilot/beta.hpp"

namespace pql::pilot {
namespace {

// How sure the two priors are of the expected share, in subjects: with the one mismatches of some points are seen, with the other an arm that is
// missing is seen soon.
constexpr double kSure = 100, kUnsure = 2;

// The log of the mixture of likelihood ratios over one of them.
double log_ratio(double k, double n, double expected, double prior) noexcept {
  const double a = prior * expected, b = prior - a;
  return log_beta(a + k, b + n - k) - log_beta(a, b) - k * std::log(expected) - (n - k) * std::log1p(-expected);
}

} // namespace

double ratio_p(double k, double n, double expected) noexcept {
  if (!(n > 0)) return 1;
  if (expected <= 0) return k > 0 ? 0 : 1;
  if (expected >= 1) return k < n ? 0 : 1;
  const double sure = log_ratio(k, n, expected, kSure), unsure = log_ratio(k, n, expected, kUnsure), larger = std::max(sure, unsure);
  const double mean = larger + std::log((std::exp(sure - larger) + std::exp(unsure - larger)) / 2);
  return std::exp(-std::max(mean, 0.0));
}

} // namespace pql::pilot
