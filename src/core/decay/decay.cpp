#include "core/decay/decay.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/decay/pow2.hpp"

namespace pql {
namespace {

using i128 = __int128;
using u128 = unsigned __int128;

constexpr int kFractionBits = 40;

} // namespace

Weight::Weight(Micros half_life, Micros offset) noexcept
    : fraction_(pow2_fraction(static_cast<std::uint64_t>(offset % half_life), static_cast<std::uint64_t>(half_life))),
      whole_(static_cast<int>(offset / half_life)) {}

i128 Weight::of(double v) const noexcept {
  // v = mantissa * 2^(exponent - 53), the mantissa's highest of 53 bits set. Smaller numbers than that come to nothing.
  const auto bits = std::bit_cast<std::uint64_t>(v);
  const int biased = static_cast<int>(bits >> 52 & 0x7ff);
  if (biased == 0) return 0;
  const std::uint64_t mantissa = (bits & ((std::uint64_t{1} << 52) - 1)) | std::uint64_t{1} << 52;
  const int shift = 53 + 63 - kFractionBits - (biased - 1022) - whole_; // at least 21, given the bounds on v and offset
  if (shift > 126) return 0;
  const u128 magnitude = static_cast<u128>(mantissa) * fraction_;
  const auto rounded = static_cast<i128>((magnitude + (static_cast<u128>(1) << (shift - 1))) >> shift);
  return bits >> 63 ? -rounded : rounded;
}

i128 Weight::of_one() const noexcept {
  const int shift = 63 - kFractionBits - whole_;
  if (shift <= 0) return static_cast<i128>(fraction_) << -shift;
  return static_cast<i128>((static_cast<u128>(fraction_) + (std::uint64_t{1} << (shift - 1))) >> shift);
}

double decayed(i128 sum, std::int64_t block, Micros half_life, Micros as_of) noexcept {
  if (sum == 0) return 0;
  const i128 away = static_cast<i128>(block) * half_life * kBlockHalfLives - as_of; // to the block's start; may need more than 64 bits
  const auto near = static_cast<Micros>(std::clamp<i128>(away, kAlways, kNever));
  return std::ldexp(static_cast<double>(sum), -kFractionBits) * pow2_ratio(near, half_life);
}

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
  const std::int64_t k = block_of(t, width);
  Wide *at = block(k);
  if (at) *at = Wide::of(at->value() + Weight(half_life, t - k * width).of(v));
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
  double total = 0;
  for (int i = 0; i < kBlocks; i++) total += decayed(sum[i].value(), top - i, half_life, as_of);
  return total;
}

} // namespace pql
