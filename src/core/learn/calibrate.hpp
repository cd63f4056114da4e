// From log odds to a chance that comes true as often as it says.
// Few labels move the line only (Platt, 1999, with a prior that it is right); many, its shape as well: isotonic regression of what is
// left, over bins that hold what the line says as well as what was observed, joined by straight lines so that order is kept.
// Sources: Platt, Advances in Large Margin Classifiers, 1999; Zadrozny and Elkan, KDD 2002; Niculescu-Mizil and Caruana, ICML 2005, on how
// many labels it takes.
#pragma once

#include <span>
#include <vector>

#include "core/learn/pause.hpp"

namespace pql {

/// A forecast that was made without the label as far as that can be (learner.cpp), and the label as far as it is known (ridge.hpp).
struct Forecast {
  double log_odds, weight, seen;
  bool converted;
};

struct Knot {
  double at, log_odds;
};

struct Calibration {
  double shift = 0, slope = 1;
  std::vector<Knot> knots; ///< of what the line gives; empty: it is all

  double chance(double log_odds) const noexcept;
};

/// How many labels, and how many of them converted, isotonic regression takes.
inline constexpr double kLeastForShape = 5000, kLeastConvertedForShape = 1000;

Calibration calibrate(std::span<const Forecast> forecasts, Pause pause = nullptr);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
