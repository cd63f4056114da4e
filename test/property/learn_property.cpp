// Laws of what is learned: counts that can be taken back, fits that are those of slower ways, points that sum.
#include "core/learn/isotonic.hpp"
#include "core/learn/learner.hpp"
#include "core/learn/metrics.hpp"
#include "core/learn/points.hpp"
#include "core/learn/ridge.hpp"

#include <algorithm>
#include <cmath>

#include "property/any.hpp"

namespace pql {
namespace {

double real(double lo, double hi) { return lo + (hi - lo) * number(0, 1'000'001) / 1e6; }

Design any_design(std::size_t most_rows, std::size_t columns) {
  Design d;
  d.columns = columns;
  for (auto n = static_cast<std::size_t>(number(2, static_cast<int>(most_rows))); n > 0; n--) {
    std::vector<double> row{1};
    while (row.size() < columns) row.push_back(one_in(3) ? 0 : real(-1, 1));
    d.add(row, real(0.1, 2), one_in(3) ? real(0.1, 1) : 1, one_in(3));
  }
  return d;
}

double objective(const Design &d, const std::vector<Penalty> &penalties, const std::vector<double> &at) {
  double sum = 0;
  for (std::size_t i = 0; i < d.rows(); i++) sum += d.weight[i] * log_likelihood(chance_of(log_odds(at, d.row(i).data())), d.seen[i], d.converted[i]);
  for (std::size_t j = 0; j < at.size(); j++) sum -= penalties[j].strength * (at[j] - penalties[j].expected) * (at[j] - penalties[j].expected) / 2;
  return sum;
}

// One coefficient at a time, by ever smaller steps.
std::vector<double> slowly(const Design &d, const std::vector<Penalty> &penalties) {
  std::vector<double> at(d.columns);
  double best = objective(d, penalties, at);
  for (double step = 1; step > 1e-9; step /= 2) {
    for (bool moved = true; moved;) {
      moved = false;
      for (double &x : at) {
        for (const double by : {step, -step}) {
          x += by;
          if (const double now = objective(d, penalties, at); now > best) best = now, moved = true;
          else x -= by;
        }
      }
    }
  }
  return at;
}

TEST(RidgeLaws, IsTheMaximumThatIsFoundSlowly) {
  check("ridge", rc::check([] {
          const Design d = any_design(30, 3);
          const std::vector<Penalty> penalties{{0.1, 0, -1}, {real(0.1, 3), real(-1, 1), -1}, {real(0.1, 3), 0, -1}};
          const Fit f = fit_ridge(d, penalties);
          const std::vector<double> slow = slowly(d, penalties);
          RC_ASSERT(f.converged);
          for (std::size_t j = 0; j < slow.size(); j++) RC_ASSERT(std::abs(f.coefficients[j] - slow[j]) < 1e-5);
        }));
}

TEST(RidgeLaws, ARowOfWeightTwoIsTwoRows) {
  check("weights", rc::check([] {
          const Design d = any_design(20, 3);
          Design twice = d, heavy = d;
          for (std::size_t i = 0; i < d.rows(); i++) {
            heavy.weight[i] *= 2;
            twice.add(d.row(i), d.weight[i], d.seen[i], d.converted[i]);
          }
          const std::vector<Penalty> penalties(3, Penalty{1, 0, -1});
          const Fit a = fit_ridge(twice, penalties), b = fit_ridge(heavy, penalties);
          for (std::size_t j = 0; j < 3; j++) RC_ASSERT(std::abs(a.coefficients[j] - b.coefficients[j]) < 1e-8);
        }));
}

// The least squares that never fall: the highest of the lowest means of what lies around.
TEST(IsotonicLaws, IsTheMinimaxOfMeans) {
  check("isotonic", rc::check([] {
          std::vector<Observed> all(static_cast<std::size_t>(number(1, 25)));
          for (Observed &o : all) o = {static_cast<double>(number(0, 12)), real(-1, 1), real(0.1, 3)};
          const std::vector<Level> levels = isotonic(all);
          for (std::size_t i = 1; i < levels.size(); i++) RC_ASSERT(levels[i - 1].value < levels[i].value && levels[i - 1].to < levels[i].from);
          for (const Observed &o : all) {
            double highest = -1e9;
            for (int from = 0; from <= static_cast<int>(o.at); from++) {
              double lowest = 1e9;
              for (int to = static_cast<int>(o.at); to < 12; to++) {
                double sum = 0, weight = 0;
                for (const Observed &x : all) {
                  if (x.at < from || x.at > to) continue;
                  sum += x.weight * x.value;
                  weight += x.weight;
                }
                if (weight > 0) lowest = std::min(lowest, sum / weight);
              }
              highest = std::max(highest, lowest);
            }
            const auto level = std::find_if(levels.begin(), levels.end(), [&](const Level &l) { return l.from <= o.at && o.at <= l.to; });
            RC_ASSERT(level != levels.end());
            RC_ASSERT(std::abs(level->value - highest) < 1e-9);
          }
        }));
}

TEST(PointsLaws, SumToTheTotalAndAreWithinOneOfTheirShare) {
  check("points", rc::check([] {
          std::vector<double> shares(static_cast<std::size_t>(number(1, 20)));
          for (double &x : shares) x = one_in(4) ? 0 : real(0, 5);
          shares[0] += 0.1;
          const int total = number(0, 300);
          const std::vector<int> out = largest_remainders(shares, total);
          double sum = 0;
          int points = 0;
          for (const double x : shares) sum += x;
          for (std::size_t i = 0; i < out.size(); i++) {
            points += out[i];
            RC_ASSERT(std::abs(out[i] - shares[i] / sum * total) < 1 + 1e-9);
          }
          RC_ASSERT(points == total);
        }));
}

TEST(PointsLaws, ProposedOnesSumToWhatTheOldOnesDo) {
  check("proposed points", rc::check([] {
          const auto n = static_cast<std::size_t>(number(1, 12));
          std::vector<int> old(n);
          std::vector<SignalWeight> weights(n);
          int before = 0, after = 0;
          for (std::size_t j = 0; j < n; j++) {
            old[j] = number(1, 40) * (one_in(5) ? -1 : 1);
            before += std::abs(old[j]);
            const double w = real(-2, 2), half = real(0, 2);
            weights[j] = {w, w - half, w + half, real(0, 1) * (old[j] > 0 ? 1 : -1)};
          }
          const std::vector<int> out = propose_points(old, weights);
          for (std::size_t j = 0; j < n; j++) {
            after += std::abs(out[j]);
            RC_ASSERT(out[j] * old[j] > 0);
            if (weights[j].is_open()) RC_ASSERT(out[j] == old[j]);
          }
          RC_ASSERT(before == after);
        }));
}

TEST(MetricsLaws, AreaIsTheShareOfPairsInOrder) {
  check("area", rc::check([] {
          std::vector<Judged> all(static_cast<std::size_t>(number(2, 30)));
          for (Judged &j : all) j = {number(0, 8) / 8.0, one_in(2), 1};
          double right = 0, pairs = 0;
          for (const Judged &a : all) {
            for (const Judged &b : all) {
              if (!a.converted || b.converted) continue;
              pairs++;
              right += a.chance > b.chance ? 1 : a.chance == b.chance ? 0.5 : 0;
            }
          }
          const double area = area_under_curve(all);
          if (pairs == 0) RC_ASSERT(std::isnan(area));
          else RC_ASSERT(std::abs(area - right / pairs) < 1e-12);
        }));
}

} // namespace
} // namespace pql
