#include "core/pilot/power.hpp"

#include <algorithm>
#include <cmath>

#include "core/stat/normal.hpp"
#include "core/pilot/sequential.hpp"

namespace pql::pilot {
namespace {

// The variance of a difference with one subject in all, so to say: n times that with n.
double unit_variance(const Design &d) noexcept {
  const double p = d.baseline, q = d.baseline + d.effect;
  return p * (1 - p) / d.held_out + q * (1 - q) / (1 - d.held_out);
}

// The same if the arms didn't differ, having the share that both together have.
double null_variance(const Design &d) noexcept {
  const double common = d.baseline + (1 - d.held_out) * d.effect;
  return common * (1 - common) / (d.held_out * (1 - d.held_out));
}

// As difference() in arms.hpp has it.
double larger_variance(const Design &d) noexcept { return std::max(unit_variance(d), null_variance(d)); }

// Until the radius and the normal quantile of the power make up the effect.
double subjects_until_known(double variance, double effect, double alpha, double power) noexcept {
  const double errors = radius({1, 1, alpha}) + normal_quantile(power);
  return std::ceil(variance * errors * errors / (effect * effect));
}

} // namespace

bool Design::is_sound() const noexcept {
  const double with = baseline + effect;
  return baseline >= 0 && baseline <= 1 && with >= 0 && with <= 1 && effect != 0 && held_out > 0 && held_out < 1 && alpha > 0 && alpha < 1 && power > alpha &&
         power < 1;
}

double subjects_for_one_look(const Design &d) noexcept {
  const double errors = normal_quantile(1 - d.alpha / 2) * std::sqrt(null_variance(d)) + normal_quantile(d.power) * std::sqrt(unit_variance(d));
  return std::ceil(errors * errors / (d.effect * d.effect));
}

double subjects_for_exact_test(const Design &d) noexcept {
  const double n = subjects_for_one_look(d);
  const double root = 1 + std::sqrt(1 + 2 / (n * d.held_out * (1 - d.held_out) * std::abs(d.effect)));
  return std::ceil(n / 4 * root * root);
}

double subjects_for_any_look(const Design &d) noexcept { return subjects_until_known(larger_variance(d), d.effect, d.alpha, d.power); }

bool MeanDesign::is_sound() const noexcept {
  return deviation > 0 && std::isfinite(deviation) && effect != 0 && std::isfinite(effect) && held_out > 0 && held_out < 1 && alpha > 0 && alpha < 1 && power > alpha &&
         power < 1;
}

double subjects_for_mean(const MeanDesign &d) noexcept {
  return subjects_until_known(d.deviation * d.deviation / (d.held_out * (1 - d.held_out)), d.effect, d.alpha, d.power);
}

} // namespace pql::pilot
