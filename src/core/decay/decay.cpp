#include "core/decay/decay.hpp"

#include <algorithm>
#include <cmath>

#include "core/decay/pow2.hpp"

namespace pql {
namespace {

using i128 = __int128;
using u128 = unsigned __int128;

constexpr int kBlockHalfLives = 32, kFractionBits = 40;

std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept {
  const std::int64_t q = a / b;
  return q - (a % b < 0);
}

// v · 2^40 · 2^(offset/half_life), rounded once (half away from zero).
i128 contribution(Micros half_life, Micros offset, double v) noexcept {
  int exponent = 0;
  const auto mantissa = static_cast<std::int64_t>(std::ldexp(std::frexp(v, &exponent), 53));
  if (mantissa == 0) return 0;
  const auto whole = static_cast<int>(offset / half_life);
  const auto rest = static_cast<std::uint64_t>(offset % half_life);
  const u128 magnitude = static_cast<u128>(mantissa < 0 ? -mantissa : mantissa) *
                         pow2_fraction(rest, static_cast<std::uint64_t>(half_life));
  const int shift = 53 + 63 - kFractionBits - exponent - whole; // at least 21, given the bounds on v and offset
  if (shift > 126) return 0;
  const auto rounded = static_cast<i128>((magnitude + (static_cast<u128>(1) << (shift - 1))) >> shift);
  return mantissa < 0 ? -rounded : rounded;
}

} // namespace

Wide *Decay::block(std::int64_t k) noexcept {
  if (!started) {
    started = true;
    top = k;
  }
  if (k > top) {
    const std::int64_t by = k - top;
    for (int i = kBlocks - 1; i >= 0; i--) sum[i] = i >= by ? sum[i - by] : Wide{};
    top = k;
  }
  return top - k < kBlocks ? &sum[top - k] : nullptr;
}

void Decay::add(Micros half_life, Micros t, double v) noexcept {
  const Micros width = half_life * kBlockHalfLives;
  const std::int64_t k = floor_div(t, width);
  Wide *at = block(k);
  if (at) *at = Wide::of(at->value() + contribution(half_life, t - k * width, v));
}

void Decay::merge(const Decay &o) noexcept {
  if (!o.started) return;
  // The newest first: the window moves at once, so that what falls out does not depend on the order of merges.
  for (int i = 0; i < kBlocks; i++) {
    if (Wide *at = block(o.top - i)) *at = Wide::of(at->value() + o.sum[i].value());
  }
}

double Decay::read(Micros half_life, Micros as_of) const noexcept {
  if (!started) return 0;
  const Micros width = half_life * kBlockHalfLives;
  double total = 0;
  for (int i = 0; i < kBlocks; i++) {
    const i128 v = sum[i].value();
    if (v == 0) continue;
    const i128 away = static_cast<i128>(top - i) * width - as_of; // to the block's start; may need more than 64 bits
    const auto near = static_cast<Micros>(std::clamp<i128>(away, kAlways, kNever));
    total += std::ldexp(static_cast<double>(v), -kFractionBits) * pow2_ratio(near, half_life);
  }
  return total;
}

} // namespace pql
