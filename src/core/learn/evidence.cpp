#include "core/learn/evidence.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pql {

int bin_of(double share) noexcept {
  constexpr double kRounding = 1e-9; // a third is one however it was divided
  return share > 0 ? std::min(kBins - 1, static_cast<int>(std::ceil(share * (kBins - 1) - kRounding))) : 0;
}

double trigamma(double x) noexcept {
  if (!(x > 0)) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (; x < 8; x++) sum += 1 / (x * x);
  const double r = 1 / (x * x);
  return sum + 1 / x + r / 2 + r / x * (1.0 / 6 - r * (1.0 / 30 - r * (1.0 / 42 - r / 30)));
}

namespace {

// The share by its beta posterior, and the variance of its logarithm.
struct Posterior {
  double share, variance;
};
Posterior posterior(double in_bin, double all, double prior, double strength) noexcept {
  const double a = in_bin + strength * prior, whole = all + strength;
  return {a / whole, std::max(0.0, trigamma(a) - trigamma(whole))};
}

} // namespace

Evidence evidence_of(const Counts &cell, const Counts &all, const Shares &prior, double strength) noexcept {
  constexpr double kLeastShare = 1e-6, kTwoSided95 = 1.959963984540054, kNoLimit = std::numeric_limits<double>::infinity();
  if (!(cell.all() > 0) && !(prior.converted > 0 && prior.other > 0)) return {0, -kNoLimit, kNoLimit, prior};
  const Posterior one = posterior(cell.converted, all.converted, std::max(prior.converted, kLeastShare), strength);
  const Posterior zero = posterior(cell.other, all.other, std::max(prior.other, kLeastShare), strength);
  Evidence e;
  e.weight = std::log(one.share) - std::log(zero.share);
  const double half = kTwoSided95 * std::sqrt(one.variance + zero.variance);
  e.low = e.weight - half;
  e.high = e.weight + half;
  e.shares = {one.share, zero.share};
  return e;
}

double prior_strength(std::span<const Spread> groups) noexcept {
  constexpr std::size_t kLeastGroups = 4;
  double excess = 0, pairs = 0;
  std::size_t used = 0;
  for (const Spread &g : groups) {
    const double variance = g.expected * (1 - g.expected);
    if (!(variance > 0) || !(g.labels > 1)) continue;
    const double off = g.in_bin - g.labels * g.expected;
    excess += off * off / variance - g.labels;
    pairs += g.labels * (g.labels - 1);
    used++;
  }
  if (used < kLeastGroups || !(pairs > 0)) return kDefaultStrength;
  const double correlation = excess / pairs; // of two labels of one group: 1 / (strength + 1)
  if (correlation <= 1 / (kMostStrength + 1)) return kMostStrength;
  return std::clamp(1 / correlation - 1, kLeastStrength, kMostStrength);
}

} // namespace pql
