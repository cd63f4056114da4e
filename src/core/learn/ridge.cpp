#include "core/learn/ridge.hpp"

#include <algorithm>
#include <cmath>

namespace pql {

std::vector<double> Design::row(std::size_t i) const {
  std::vector<double> all(columns);
  for (std::size_t a = starts[i]; a < starts[i + 1]; a++) all[column[a]] = number[a];
  return all;
}

void Design::add(std::span<const double> row, double row_weight, double row_seen, bool row_converted) {
  for (std::size_t j = 0; j < columns; j++) {
    if (row[j] == 0) continue;
    column.push_back(static_cast<unsigned>(j));
    number.push_back(row[j]);
  }
  starts.push_back(number.size());
  weight.push_back(row_weight);
  seen.push_back(row_seen);
  converted.push_back(row_converted);
}

double chance_of(double log_odds) noexcept { return log_odds >= 0 ? 1 / (1 + std::exp(-log_odds)) : std::exp(log_odds) / (1 + std::exp(log_odds)); }

double log_likelihood(double chance, double seen, bool converted) noexcept {
  constexpr double kLeast = 1e-300;
  return converted ? std::log(std::max(chance, kLeast)) : std::log(std::max(1 - chance * seen, kLeast));
}

bool factorise(std::vector<double> &m, std::size_t n) noexcept {
  for (std::size_t i = 0; i < n; i++) {
    double *const row = m.data() + i * n;
    for (std::size_t j = 0; j <= i; j++) {
      const double *const other = m.data() + j * n;
      double sum = row[j];
      for (std::size_t k = 0; k < j; k++) sum -= row[k] * other[k];
      if (i != j) row[j] = sum / other[j];
      else if (sum > 0) row[i] = std::sqrt(sum);
      else return false;
    }
  }
  return true;
}

void solve(const std::vector<double> &l, std::size_t n, std::span<double> v) noexcept {
  for (std::size_t i = 0; i < n; i++) {
    for (std::size_t k = 0; k < i; k++) v[i] -= l[i * n + k] * v[k];
    v[i] /= l[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; k++) v[i] -= l[k * n + i] * v[k];
    v[i] /= l[i * n + i];
  }
}

std::vector<double> inverse(const std::vector<double> &l, std::size_t n) {
  std::vector<double> all(n * n);
  std::vector<double> column(n);
  for (std::size_t j = 0; j < n; j++) {
    std::fill(column.begin(), column.end(), 0);
    column[j] = 1;
    solve(l, n, column);
    for (std::size_t i = 0; i < n; i++) all[i * n + j] = column[i];
  }
  return all;
}

namespace {

// What the labels say at some coefficients: the likelihood, where it rises, and how sharply it is curved.
struct Labels {
  double likelihood = 0;
  std::vector<double> gradient, information; // of the latter the lower triangle
};

// Observed: the curvature that is there, by which steps end where they should; with open labels it may bend the wrong way.
// Expected: the mean of it over what the labels might have been (Fisher scoring), which never does.
enum class Curvature { kNone, kObserved, kExpected };

class Reader {
public:
  explicit Reader(const Design &d) : d_(d) {}

  Labels read(std::span<const double> coefficients, Curvature curvature) const {
    Labels out;
    const std::size_t n = d_.columns;
    if (curvature != Curvature::kNone) {
      out.gradient.resize(n);
      out.information.resize(n * n);
    }
    for (std::size_t i = 0; i < d_.rows(); i++) {
      pause_at(d_.pause, i);
      const std::size_t from = d_.starts[i], to = d_.starts[i + 1];
      double odds = 0;
      for (std::size_t a = from; a < to; a++) odds += coefficients[d_.column[a]] * d_.number[a];
      const double p = chance_of(odds), w = d_.weight[i], seen = d_.seen[i];
      const bool converted = d_.converted[i] != 0;
      out.likelihood += w * log_likelihood(p, seen, converted);
      if (curvature == Curvature::kNone) continue;
      const double missing = std::max(1 - p * seen, 1e-12);
      const double slope = w * (converted ? 1 - p : -p * seen * (1 - p) / missing);
      const double curve = w * p * (1 - p) * (curvature == Curvature::kExpected ? seen * (1 - p) / missing : bend(p, seen, converted));
      for (std::size_t a = from; a < to; a++) {
        const std::size_t j = d_.column[a];
        out.gradient[j] += slope * d_.number[a];
        const double part = curve * d_.number[a];
        double *const row = out.information.data() + j * n;
        for (std::size_t b = from; b <= a; b++) row[d_.column[b]] += part * d_.number[b];
      }
    }
    return out;
  }

private:
  // The second derivative of the log likelihood by the log odds, as a share of -p(1 - p).
  static double bend(double p, double seen, bool converted) noexcept {
    const double missing = std::max(1 - p * seen, 1e-12);
    return converted || seen == 1 ? 1 : seen * (1 - 2 * p + seen * p * p) / (missing * missing);
  }

  const Design &d_;
};

class Newton {
public:
  Newton(const Design &d, std::span<const Penalty> penalties, bool estimate, std::span<const double> start)
      : n_(d.columns), reader_(d), penalties_(penalties.begin(), penalties.end()), estimate_(estimate) {
    for (const Penalty &p : penalties_) first_.push_back(p.strength);
    fit_.coefficients.resize(n_);
    if (start.size() == n_) fit_.coefficients.assign(start.begin(), start.end());
    else
      for (std::size_t j = 0; j < n_; j++) fit_.coefficients[j] = penalties_[j].strength > 0 ? penalties_[j].expected : 0;
  }

  Fit run() {
    const int most_steps = estimate_ ? 40 : 100;
    constexpr double kGainEstimating = 1e-7;
    Labels labels = reader_.read(fit_.coefficients, Curvature::kObserved);
    while (fit_.steps < most_steps) {
      fit_.steps++;
      if (!set_curve(labels)) break;
      std::vector<double> step = direction(labels);
      const Advance made = advance(labels, step);
      labels = reader_.read(fit_.coefficients, Curvature::kObserved);
      const bool moved = estimate_ && set_curve(labels) && set_strengths();
      const double gain = made.gain / (1 + std::abs(labels.likelihood));
      if ((estimate_ ? gain <= kGainEstimating : is_there(gain, made.length)) && !moved) {
        fit_.converged = true;
        break;
      }
    }
    if (set_curve(labels)) fit_.covariance = inverse(factor_, n_);
    else fit_.covariance.assign(n_ * n_, 0);
    fit_.likelihood = labels.likelihood;
    for (const Penalty &p : penalties_) fit_.strengths.push_back(p.strength);
    return std::move(fit_);
  }

private:
  double penalty(std::span<const double> at) const noexcept {
    double sum = 0;
    for (std::size_t j = 0; j < n_; j++) sum += penalties_[j].strength * (at[j] - penalties_[j].expected) * (at[j] - penalties_[j].expected) / 2;
    return sum;
  }

  bool set_curve(const Labels &labels) {
    return is_curve(labels.information) || is_curve(reader_.read(fit_.coefficients, Curvature::kExpected).information);
  }

  // A direction that nothing is known in gets a little curvature: no step is taken there.
  bool is_curve(const std::vector<double> &information) {
    constexpr double kLeast = 1e-9;
    factor_ = information;
    for (std::size_t j = 0; j < n_; j++) factor_[j * n_ + j] += std::max(penalties_[j].strength, kLeast);
    return factorise(factor_, n_);
  }

  std::vector<double> direction(const Labels &labels) const {
    std::vector<double> step = labels.gradient;
    for (std::size_t j = 0; j < n_; j++) step[j] -= penalties_[j].strength * (fit_.coefficients[j] - penalties_[j].expected);
    solve(factor_, n_, step);
    return step;
  }

  struct Advance {
    double gain = 0, length = 0;
  };

  // Near the top the gain is lost in rounding long before the coefficients are right: the step tells. Labels that a rule separates have
  // no top: there nothing is gained anymore.
  bool is_there(double gain, double length) const noexcept {
    constexpr double kClose = 1e-10, kFar = 1e-2, kNoGain = 1e-12;
    double largest = 1;
    for (const double c : fit_.coefficients) largest = std::max(largest, std::abs(c));
    return length <= kClose * largest || (length > kFar && gain <= kNoGain);
  }

  // A step that is too long is halved.
  Advance advance(const Labels &labels, std::span<const double> step) {
    constexpr int kHalvings = 30;
    constexpr double kRounding = 1e-13;
    const double before = labels.likelihood - penalty(fit_.coefficients);
    std::vector<double> next(n_);
    double length = 1;
    for (int i = 0; i < kHalvings; i++, length /= 2) {
      for (std::size_t j = 0; j < n_; j++) next[j] = fit_.coefficients[j] + length * step[j];
      const double gain = reader_.read(next, Curvature::kNone).likelihood - penalty(next) - before;
      if (!(gain >= -kRounding * (1 + std::abs(before)))) continue; // not a number is no gain
      fit_.coefficients = next;
      double furthest = 0;
      for (const double s : step) furthest = std::max(furthest, std::abs(length * s));
      return {std::max(gain, 0.0), furthest};
    }
    return {};
  }

  // MacKay's fixed point: as much penalty as the coefficients that the labels determine are far from where they are expected. What it was
  // at first counts as some coefficients that were so far off: a few that happen to be near don't make all certain.
  bool set_strengths() {
    constexpr double kLeast = 1e-2, kMost = 1e4, kClose = 0.02, kTrustInFirst = 3;
    const std::vector<double> v = inverse(factor_, n_);
    int groups = 0;
    for (const Penalty &p : penalties_) groups = std::max(groups, p.group + 1);
    bool moved = false;
    for (int g = 0; g < groups; g++) {
      double determined = kTrustInFirst, distance = 0, old = 0, first = 0;
      for (std::size_t j = 0; j < n_; j++) {
        const Penalty &p = penalties_[j];
        if (p.group != g) continue;
        old = p.strength;
        first = first_[j];
        determined += 1 - p.strength * v[j * n_ + j];
        distance += (fit_.coefficients[j] - p.expected) * (fit_.coefficients[j] - p.expected);
      }
      if (old == 0) continue;
      const double strength = std::clamp(std::max(determined, 1e-3) / (distance + kTrustInFirst / first), kLeast, kMost);
      for (Penalty &p : penalties_) {
        if (p.group == g) p.strength = strength;
      }
      moved |= std::abs(std::log(strength / old)) > kClose;
    }
    return moved;
  }

  std::size_t n_;
  Reader reader_;
  std::vector<Penalty> penalties_;
  bool estimate_;
  std::vector<double> first_; // strengths
  std::vector<double> factor_;
  Fit fit_;
};

} // namespace

Fit fit_ridge(const Design &d, std::span<const Penalty> penalties, bool estimate, std::span<const double> start) {
  return Newton(d, penalties, estimate, start).run();
}

} // namespace pql
