#include "core/learn/delay.hpp"

#include <algorithm>

namespace pql {

DelayCurve::DelayCurve(std::vector<Micros> delays, Micros horizon) : delays_(std::move(delays)), horizon_(horizon) {
  std::sort(delays_.begin(), delays_.end());
}

double DelayCurve::seen(Micros age) const noexcept {
  if (age >= horizon_) return 1;
  if (delays_.size() < kLeastDelays) return 0;
  const auto by_then = std::upper_bound(delays_.begin(), delays_.end(), age) - delays_.begin();
  return static_cast<double>(by_then) / static_cast<double>(delays_.size() + 1); // later ones may come yet
}

} // namespace pql
