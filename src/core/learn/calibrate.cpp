#include "core/learn/calibrate.hpp"

#include <algorithm>
#include <cmath>

#include "core/learn/isotonic.hpp"
#include "core/learn/ridge.hpp"

namespace pql {
namespace {

double log_odds_of(double chance) noexcept {
  constexpr double kLeast = 1e-6;
  const double p = std::clamp(chance, kLeast, 1 - kLeast);
  return std::log(p / (1 - p));
}

// The label where it is open: how likely it is to come yet.
double expected_label(const Forecast &f, double chance) noexcept {
  return f.converted ? 1 : chance * (1 - f.seen) / std::max(1e-12, 1 - chance * f.seen);
}

Calibration line(std::span<const Forecast> forecasts, Pause pause) {
  constexpr double kTrustInSlope = 5;
  Design d;
  d.columns = 2;
  d.pause = pause;
  for (const Forecast &f : forecasts) {
    const double row[] = {1, f.log_odds};
    d.add(row, f.weight, f.seen, f.converted);
  }
  const Penalty penalties[] = {{0.01, 0, -1}, {kTrustInSlope, 1, -1}};
  const Fit fit = fit_ridge(d, penalties);
  constexpr double kLeastSlope = 0.05;
  return {fit.coefficients[0], std::max(kLeastSlope, fit.coefficients[1]), {}};
}

struct Piece {
  double chance, label, weight;
};

// Bins of about equal weight, each with as many labels as if the line were right, besides those that there are.
std::vector<Knot> shape(std::vector<Piece> pieces) {
  constexpr double kBins = 15, kTrustInLine = 20;
  std::sort(pieces.begin(), pieces.end(), [](const Piece &a, const Piece &b) { return a.chance < b.chance; });
  double all = 0;
  for (const Piece &p : pieces) all += p.weight;
  std::vector<Observed> bins;
  for (std::size_t i = 0; i < pieces.size();) {
    Piece sum{};
    for (; i < pieces.size() && sum.weight < all / kBins; i++) {
      sum.chance += pieces[i].weight * pieces[i].chance;
      sum.label += pieces[i].weight * pieces[i].label;
      sum.weight += pieces[i].weight;
    }
    if (!(sum.weight > 0)) continue;
    const double predicted = sum.chance / sum.weight;
    bins.push_back({predicted, (sum.label + kTrustInLine * predicted) / (sum.weight + kTrustInLine), sum.weight + kTrustInLine});
  }
  // Where neighbours were pooled, the line goes through the middle of them.
  std::vector<Knot> knots;
  for (const Level &l : isotonic(bins)) {
    double at = 0, weight = 0;
    for (const Observed &b : bins) {
      if (b.at < l.from || b.at > l.to) continue;
      at += b.at * b.weight;
      weight += b.weight;
    }
    knots.push_back({log_odds_of(at / weight), log_odds_of(l.value)});
  }
  return knots;
}

double joined(std::span<const Knot> knots, double at) noexcept {
  if (at <= knots.front().at) return at - knots.front().at + knots.front().log_odds;
  if (at >= knots.back().at) return at - knots.back().at + knots.back().log_odds;
  if (std::isnan(at)) return at;
  const auto above = std::upper_bound(knots.begin(), knots.end(), at, [](double x, const Knot &k) { return x < k.at; });
  const Knot &hi = *above, &lo = above[-1];
  return lo.log_odds + (hi.log_odds - lo.log_odds) * (at - lo.at) / (hi.at - lo.at);
}

} // namespace

double Calibration::chance(double log_odds) const noexcept {
  const double on_line = shift + slope * log_odds;
  return chance_of(knots.empty() ? on_line : joined(knots, on_line));
}

Calibration calibrate(std::span<const Forecast> forecasts, Pause pause) {
  if (forecasts.empty()) return {};
  Calibration c = line(forecasts, pause);
  double labels = 0, converted = 0;
  for (const Forecast &f : forecasts) {
    labels += f.weight * f.seen;
    converted += f.converted ? f.weight : 0;
  }
  if (labels < kLeastForShape || converted < kLeastConvertedForShape) return c;
  std::vector<Piece> pieces;
  for (const Forecast &f : forecasts) {
    const double chance = c.chance(f.log_odds);
    pieces.push_back({chance, expected_label(f, chance), f.weight * f.seen + (f.converted ? f.weight * (1 - f.seen) : 0)});
  }
  c.knots = shape(std::move(pieces));
  return c;
}

} // namespace pql
