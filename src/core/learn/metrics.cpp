#include "core/learn/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pql {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double ratio(double a, double b) noexcept { return b > 0 ? a / b : kNone; }

std::vector<Judged> highest_first(std::span<const Judged> all) {
  std::vector<Judged> sorted(all.begin(), all.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const Judged &a, const Judged &b) { return a.chance > b.chance; });
  return sorted;
}

// Those of one chance, from `i` on, which moves behind them.
struct Tied {
  double converted = 0, other = 0;
  double all() const noexcept { return converted + other; }
};
Tied next_tied(std::span<const Judged> sorted, std::size_t &i) noexcept {
  Tied t;
  const double chance = sorted[i].chance;
  do (sorted[i].converted ? t.converted : t.other) += sorted[i].weight;
  while (++i < sorted.size() && sorted[i].chance == chance);
  return t;
}

} // namespace

double brier_score(std::span<const Judged> all) noexcept {
  double sum = 0, weight = 0;
  for (const Judged &j : all) {
    const double off = j.chance - (j.converted ? 1 : 0);
    sum += j.weight * off * off;
    weight += j.weight;
  }
  return ratio(sum, weight);
}

double log_loss(std::span<const Judged> all) noexcept {
  constexpr double kLeast = 1e-15;
  double sum = 0, weight = 0;
  for (const Judged &j : all) {
    sum -= j.weight * std::log(std::clamp(j.converted ? j.chance : 1 - j.chance, kLeast, 1.0));
    weight += j.weight;
  }
  return ratio(sum, weight);
}

double area_under_curve(std::span<const Judged> all) {
  const std::vector<Judged> sorted = highest_first(all);
  double right = 0, above = 0, others = 0;
  for (std::size_t i = 0; i < sorted.size();) {
    const Tied t = next_tied(sorted, i);
    right += t.other * (above + t.converted / 2);
    above += t.converted;
    others += t.other;
  }
  return ratio(right, above * others);
}

double lift_at(std::span<const Judged> all, double share) {
  const std::vector<Judged> sorted = highest_first(all);
  Tied whole;
  for (const Judged &j : all) (j.converted ? whole.converted : whole.other) += j.weight;
  const double cut = share * whole.all();
  double taken = 0, converted = 0;
  for (std::size_t i = 0; i < sorted.size() && taken < cut;) {
    const Tied t = next_tied(sorted, i);
    const double part = std::min(1.0, (cut - taken) / t.all());
    taken += part * t.all();
    converted += part * t.converted;
  }
  return ratio(ratio(converted, taken), ratio(whole.converted, whole.all()));
}

std::vector<Bin> bins_of(std::span<const Judged> all, std::size_t bins) {
  std::vector<Judged> sorted = highest_first(all);
  std::reverse(sorted.begin(), sorted.end());
  double left = 0;
  for (const Judged &j : all) left += j.weight;
  std::vector<Bin> out;
  for (std::size_t i = 0; i < sorted.size();) {
    const double most = left / static_cast<double>(std::max<std::size_t>(1, bins - std::min(bins, out.size())));
    Bin b;
    while (i < sorted.size() && b.count < most * (1 - 1e-12)) {
      const double chance = sorted[i].chance;
      const Tied t = next_tied(sorted, i);
      b.count += t.all();
      b.predicted += chance * t.all();
      b.observed += t.converted;
    }
    left -= b.count;
    if (!(b.count > 0)) break;
    b.predicted /= b.count;
    b.observed /= b.count;
    out.push_back(b);
  }
  return out;
}

double calibration_error(std::span<const Bin> bins) noexcept {
  double sum = 0, count = 0;
  for (const Bin &b : bins) {
    sum += b.count * std::abs(b.predicted - b.observed);
    count += b.count;
  }
  return ratio(sum, count);
}

double stability_index(std::span<const double> expected, std::span<const double> actual) noexcept {
  constexpr double kEmpty = 0.5;
  double e = 0, a = 0, sum = 0;
  for (std::size_t i = 0; i < expected.size(); i++) {
    e += std::max(expected[i], kEmpty);
    a += std::max(actual[i], kEmpty);
  }
  for (std::size_t i = 0; i < expected.size(); i++) {
    const double p = std::max(expected[i], kEmpty) / e, q = std::max(actual[i], kEmpty) / a;
    sum += (q - p) * std::log(q / p);
  }
  return sum;
}

} // namespace pql
