#include "cli/base/backoff.hpp"

#include <algorithm>
#include <cmath>

namespace pql::cli {

double backoff_seconds(const Backoff &how, int failures, double random) noexcept {
  constexpr double kLeast = 1;
  const double most = std::min(how.most, how.first * std::exp2(std::clamp(failures, 1, 31) - 1));
  return std::max(kLeast, most * random);
}

} // namespace pql::cli
