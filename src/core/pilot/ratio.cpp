#include "core/pilot/ratio.hpp"

#include <algorithm>
#include <cmath>

#include "core/pilot/beta.hpp"

namespace pql {
namespace {

// How sure the prior is of the expected share, in subjects: mismatches of some points are what one looks for.
constexpr double kPriorSubjects = 100;

} // namespace

double ratio_p(double k, double n, double expected) noexcept {
  const double a = kPriorSubjects * expected, b = kPriorSubjects - a;
  const double log_ratio = log_beta(a + k, b + n - k) - log_beta(a, b) - k * std::log(expected) - (n - k) * std::log1p(-expected);
  return std::exp(-std::max(log_ratio, 0.0));
}

} // namespace pql
