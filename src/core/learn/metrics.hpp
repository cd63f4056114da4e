// How good chances were, once it is known what became of them.
// Sources: Brier, Monthly Weather Review 78, 1950; area under the curve as the share of pairs in the right order (Hanley and McNeil,
// Radiology 143, 1982); calibration error over bins (Naeini, Cooper, Hauskrecht, AAAI 2015); population stability index as in
// Siddiqi, Credit Risk Scorecards, 2006.
#pragma once

#include <span>
#include <vector>

namespace pql {

struct Judged {
  double chance;
  bool converted;
  double weight = 1;
};

/// The mean square of what was off; NaN of nothing, as all of these.
double brier_score(std::span<const Judged> all) noexcept;
double log_loss(std::span<const Judged> all) noexcept;
/// Ties count half.
double area_under_curve(std::span<const Judged> all);
/// How often the share with the highest chances converts, by how often all do. Whoever ties at the cut counts in part.
double lift_at(std::span<const Judged> all, double share);

/// A bin of judgements whose chances were alike.
struct Bin {
  double count = 0, predicted = 0, observed = 0;
};
/// Bins of about equal numbers, in the order of chances; ties stay together.
std::vector<Bin> bins_of(std::span<const Judged> all, std::size_t bins);
/// The mean distance between what was predicted and what was observed.
double calibration_error(std::span<const Bin> bins) noexcept;

/// How far two populations differ, given counts by bin: below 0.1 little, above 0.25 much. Empty bins count as half a one.
double stability_index(std::span<const double> expected, std::span<const double> actual) noexcept;
inline constexpr double kShifted = 0.25;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
