// What a signal says about conversion by itself: weights of evidence on bins of its points, shrunk towards what is pooled.
// Source: weight of evidence (Good, Probability and the Weighing of Evidence, 1950); shrinkage by a beta prior whose strength is
// estimated from the data by the method of moments (Kleinman, JASA 68, 1973; Casella, The American Statistician 39, 1985).
#pragma once

#include <span>

namespace pql {

/// A signal's points by their share of the most that it gives: none, up to a third, up to two thirds, more.
inline constexpr int kBins = 4;
int bin_of(double share) noexcept;

/// Labels by what became of them, faded or not.
struct Counts {
  double converted = 0, other = 0;

  double all() const noexcept { return converted + other; }
  Counts &operator+=(const Counts &o) noexcept {
    converted += o.converted;
    other += o.other;
    return *this;
  }
};

/// How likely a bin is among those who converted, and among the others: what a narrower group is shrunk towards.
struct Shares {
  double converted = 0, other = 0;
};

/// The log of how much likelier the bin is among those who converted, with its 95 % interval.
struct Evidence {
  double weight = 0, low = 0, high = 0;
  Shares shares; ///< shrunk: the prior of what lies within this group
};

/// Evidence of a bin that `cell` of `all` fell into, with a prior that weighs `strength` labels.
Evidence evidence_of(const Counts &cell, const Counts &all, const Shares &prior, double strength) noexcept;

/// Of n labels, those of a bin were expected to be a share of them.
struct Spread {
  double in_bin, labels, expected;
};

/// How many labels the prior is worth where groups differ as these do: few where they differ much. kDefaultStrength where too little is known.
inline constexpr double kDefaultStrength = 10, kLeastStrength = 1, kMostStrength = 1000;
double prior_strength(std::span<const Spread> groups) noexcept;

/// The second derivative of log gamma, for x > 0.
double trigamma(double x) noexcept;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
