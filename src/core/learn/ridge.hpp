// Logistic regression with a penalty for each coefficient's distance from where it is expected, by Newton's method.
// A label may still be open: then only a share of the conversions has been seen, and not having converted says as much less.
// Sources: ridge estimators in logistic regression (le Cessie and van Houwelingen, Applied Statistics 41, 1992); open labels as
// in a model of delayed feedback (Chapelle, KDD 2014), by Fisher scoring where the observed curvature is no use; strengths of penalties by the evidence (MacKay, Neural
// Computation 4, 1992).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/learn/pause.hpp"

namespace pql {

/// What is known of hand-offs: a row of numbers each, and what became of them. Most numbers are 0, and only the others are kept.
struct Design {
  std::size_t columns = 0;
  std::vector<std::size_t> starts{0}; ///< of each row among the numbers, and the end of the last
  std::vector<unsigned> column;       ///< of each number
  std::vector<double> number;
  std::vector<double> weight; ///< how much a row counts
  std::vector<double> seen;   ///< the share of conversions that would have been seen by now; 1: the label is final
  std::vector<char> converted;
  Pause pause = nullptr; ///< asked while they are read

  std::size_t rows() const noexcept { return weight.size(); }
  std::vector<double> row(std::size_t i) const;
  void add(std::span<const double> row, double row_weight, double row_seen, bool row_converted);
};

/// strength · (coefficient - expected)² / 2 is taken off the log likelihood. Columns of one group (0 or more) share a strength that is
/// estimated when asked for; a negative group keeps its own.
struct Penalty {
  double strength = 0, expected = 0;
  int group = -1;
};

struct Fit {
  std::vector<double> coefficients;
  std::vector<double> covariance; ///< columns × columns: the inverse of the penalised information
  std::vector<double> strengths;  ///< of each column's penalty
  double likelihood = 0;          ///< the log, without penalties
  int steps = 0;
  bool converged = false;

  double variance(std::size_t i, std::size_t j) const noexcept { return covariance[i * coefficients.size() + j]; }
};

/// Fits. `estimate`: strengths of groups, too. Starts from `start` if it has as many numbers as there are columns. Requires one penalty a column.
Fit fit_ridge(const Design &d, std::span<const Penalty> penalties, bool estimate = false, std::span<const double> start = {});

/// The log odds of a row.
inline double log_odds(std::span<const double> coefficients, const double *row) noexcept {
  double sum = 0;
  for (std::size_t j = 0; j < coefficients.size(); j++) sum += coefficients[j] * row[j];
  return sum;
}
double chance_of(double log_odds) noexcept;
/// The log likelihood of one label, given its chance and how much of it has been seen.
double log_likelihood(double chance, double seen, bool converted) noexcept;

/// The lower triangle of a positive definite matrix's factor, in its place; false if it isn't one.
bool factorise(std::vector<double> &matrix, std::size_t n) noexcept;
/// Solves by the factor, in the vector's place.
void solve(const std::vector<double> &factor, std::size_t n, std::span<double> vector) noexcept;
/// The whole inverse by the factor.
std::vector<double> inverse(const std::vector<double> &factor, std::size_t n);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
