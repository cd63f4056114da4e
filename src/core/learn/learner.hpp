// From hand-offs and what became of them to weights of signals and a chance of conversion.
// What is learned of a signal is how far its weight is from what the program says and the evidence suggests: the score and the sum of the
// evidence are columns of their own, and the penalty is on what differs from them. So with few labels the program's own proportions remain.
// Sources: ridge.hpp, evidence.hpp, calibrate.hpp, delay.hpp; forecasts without a label's own influence by one step of Newton's method
// (Pregibon, Annals of Statistics 9, 1981), but for what the evidence of its bins has of it; how fast the past fades by forecasting what came next (Dawid, JRSS A 147, 1984).
#pragma once

#include <array>
#include <vector>

#include "core/base/time.hpp"
#include "core/learn/calibrate.hpp"
#include "core/learn/evidence.hpp"
#include "core/learn/metrics.hpp"

namespace pql {

/// What is known of one hand-off. The shares of the signals' points lie in the study.
struct HandOff {
  Micros at = 0;
  Micros converted_at = kNever; ///< when, if it did
  bool converted = false;       ///< within the horizon
  bool treated = true;          ///< whether somebody worked it
  int segment = -1;
};

struct Study {
  std::vector<int> points;        ///< what the program gives for each signal at the most, not 0
  int segments = 0;
  std::vector<HandOff> hand_offs;
  std::vector<double> shares;     ///< hand-offs × signals, from 0 to 1
  Micros as_of = 0, horizon = 90 * kDay;
  Pause pause = nullptr; ///< asked while it is learned from

  const double *shares_of(std::size_t i) const noexcept { return shares.data() + i * points.size(); }
};

/// A part of the log odds.
struct Term {
  enum class Of : unsigned char { one, signal, present, bin, pair, segment, treated } of = Of::one;
  int a = 0, b = 0; ///< the signal (and its bin, or the other signal), or the segment
  double weight = 0;

  double value(const double *shares, int segment, bool treated) const noexcept;
};

/// A signal's weight: what all its points add to the log odds.
struct SignalWeight {
  double weight = 0, low = 0, high = 0; ///< with its 95 % interval
  double prior = 0;                     ///< as the program has it, in the proportion that fits all signals best

  bool proven() const noexcept { return low > 0 || high < 0; }
  /// Not known to be other than nothing, nor other than what the program says.
  bool is_open() const noexcept { return !proven() && low <= prior && prior <= high; }
};

/// How good forecasts of final labels were, each without its own influence on the coefficients.
struct Quality {
  double brier = 0, log_loss = 0, area = 0, error = 0;
  std::vector<Bin> bins;
};

struct Learned {
  std::vector<Term> terms;
  Calibration calibration;
  std::vector<SignalWeight> signals;
  Micros half_life = 0;  ///< after which a label counts half
  double labels = 0, converted = 0, open = 0; ///< final ones, those of them that converted, and others that count in part
  double counted = 0;    ///< the sum of all weights: labels of today that it is as good as
  bool richer = false;   ///< whether more than one weight a signal forecast better
  Quality quality;
  std::vector<std::array<double, kBins>> population; ///< by signal and bin, faded: what later hand-offs are compared with

  double log_odds(const double *shares, int segment, bool treated) const noexcept;
  double chance(const double *shares, int segment, bool treated) const noexcept { return calibration.chance(log_odds(shares, segment, treated)); }
};

/// How few labels of each kind there may be.
inline constexpr std::size_t kLeastOfEach = 20;
/// Requires that many final labels that converted, and that didn't.
Learned learn(const Study &study);

/// New points in proportion to the weights, at least one; of what is open the old ones. Their absolute values sum to what the old ones' do.
std::vector<int> propose_points(std::span<const int> old, std::span<const SignalWeight> weights);
/// The score by new points that corresponds to one by old ones, on these hand-offs.
double corresponding_score(const Study &study, std::span<const int> proposed, double old_score);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
