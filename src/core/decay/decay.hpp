// Exponentially decayed sums in fixed point: Σ v·2^((t − as_of)/half_life).
// Law: associative, commutative and deterministic. Any order, any batching, any merge tree of the same (t, v) gives the same
// bits; adding and removing the same contribution is exact while its block is kept.
// Source: forward decay (Cormode, Shkapenyuk, Srivastava, Xu, ICDE 2009), with the landmark on an absolute grid.
#pragma once

#include <bit>
#include <cstdint>

#include "core/base/time.hpp"
#include "core/decay/pow2.hpp"

namespace pql {

/// A 128-bit integer that needs no 16-byte alignment.
struct Wide {
  std::uint64_t lo = 0;
  std::int64_t hi = 0;

  static Wide of(__int128 v) noexcept {
    return {static_cast<std::uint64_t>(v), static_cast<std::int64_t>(v >> 64)};
  }
  __int128 value() const noexcept { return (static_cast<__int128>(hi) << 64) | lo; }
  bool operator==(const Wide &) const = default;
};

/// The shortest and the longest half-life: one second, about a hundred years.
inline constexpr Micros kMinHalfLife = kSecond, kMaxHalfLife = 36'525 * kDay;
/// Of times that are numbers: 2^57, so that no block is too wide.
inline constexpr Micros kMaxNumberHalfLife = Micros{1} << 57;
inline constexpr bool is_half_life(Micros h, Times times) noexcept {
  return times == Times::numbers ? h >= 1 && h <= kMaxNumberHalfLife : h >= kMinHalfLife && h <= kMaxHalfLife;
}

/// Values must be smaller than this (2^24), so that 2^31 of them in one block can't overflow.
inline constexpr double kMaxDecayValue = 16'777'216.0;

/// Time is cut into blocks of this many half-lives, on an absolute grid.
inline constexpr int kBlockBits = 5, kBlockHalfLives = 1 << kBlockBits;

/// The number of the block of that width that an instant lies in.
inline constexpr std::int64_t block_of(Micros t, Micros width) noexcept { return t / width - (t % width < 0); }

/// A half-life that many rows are divided by: with its inverse, a multiplication does what otherwise takes two divisions.
class HalfLife {
public:
  /// Requires one between the two bounds.
  explicit HalfLife(Micros length) noexcept : length_(length) {
    const unsigned __int128 inverse = ~static_cast<unsigned __int128>(0) / static_cast<std::uint64_t>(length);
    high_ = static_cast<std::uint64_t>(inverse >> 64);
    low_ = static_cast<std::uint64_t>(inverse);
  }

  Micros length() const noexcept { return length_; }

  /// t / length in half-lives, rounded down, with 64 fractional bits. Requires that t can be negated.
  __int128 halvings(Micros t) const noexcept {
    const auto u = static_cast<std::uint64_t>(t < 0 ? -t : t), den = static_cast<std::uint64_t>(length_);
    unsigned __int128 q = static_cast<unsigned __int128>(u) * high_ + pow2::high(u, low_);
    // The inverse is less than two too small, u less than 2^63: so at most one is missing.
    std::uint64_t rest = -(static_cast<std::uint64_t>(q) * den);
    if (rest >= den) {
      q++;
      rest -= den;
    }
    return static_cast<__int128>(t < 0 ? -(q + (rest > 0)) : q);
  }

private:
  Micros length_;
  std::uint64_t high_, low_; // 2^128 / length
};

/// What a value counts at an instant of its block, in units of 2^-40: 2^(offset/half_life), once for all sums of a row.
class Weight {
public:
  static constexpr int kFractionBits = 40;

  Weight(Micros half_life, Micros t) noexcept {
    Micros halvings = t / half_life, rest = t % half_life;
    if (rest < 0) {
      halvings--;
      rest += half_life;
    }
    place(halvings);
    fraction_ = pow2_fraction(static_cast<std::uint64_t>(rest), static_cast<std::uint64_t>(half_life));
  }

  /// The same.
  Weight(const HalfLife &half_life, Micros t) noexcept {
    const __int128 halvings = half_life.halvings(t);
    place(static_cast<Micros>(halvings >> 64));
    fraction_ = pow2_of(static_cast<std::uint64_t>(halvings));
  }

  /// The number of the block that the instant lies in.
  std::int64_t block() const noexcept { return block_; }

  /// v times the weight, rounded once (half away from zero). Requires |v| < kMaxDecayValue.
  __int128 of(double v) const noexcept {
    // v = mantissa * 2^(exponent - 53), the mantissa's highest of 53 bits set. Smaller numbers than that come to nothing.
    const auto bits = std::bit_cast<std::uint64_t>(v);
    const int biased = static_cast<int>(bits >> 52 & 0x7ff);
    if (biased == 0) return 0;
    const std::uint64_t mantissa = (bits & ((std::uint64_t{1} << 52) - 1)) | std::uint64_t{1} << 52;
    const int shift = 53 + 63 - kFractionBits - (biased - 1022) - whole_; // at least 21, given the bounds on v and offset
    if (shift > 126) return 0;
    const unsigned __int128 magnitude = static_cast<unsigned __int128>(mantissa) * fraction_;
    const auto rounded = static_cast<__int128>((magnitude + (static_cast<unsigned __int128>(1) << (shift - 1))) >> shift);
    return bits >> 63 ? -rounded : rounded;
  }

  __int128 of_one() const noexcept {
    const int shift = 63 - kFractionBits - whole_;
    if (shift <= 0) return static_cast<__int128>(fraction_) << -shift;
    return static_cast<__int128>((static_cast<unsigned __int128>(fraction_) + (std::uint64_t{1} << (shift - 1))) >> shift);
  }

private:
  void place(std::int64_t halvings) noexcept {
    block_ = halvings >> kBlockBits;
    whole_ = static_cast<int>(halvings & (kBlockHalfLives - 1));
  }

  std::int64_t block_;
  std::uint64_t fraction_; // of the power, in [1, 2), with 63 fractional bits
  int whole_;
};

/// What a block's sum is worth so many half-lives and 2^-64s of one before 0.
inline double decayed(__int128 sum, std::int64_t block, __int128 before, std::uint64_t fraction) noexcept {
  const __int128 away = static_cast<__int128>(block) * kBlockHalfLives + before; // to the block's start; may need more than 64 bits
  static_assert(Weight::kFractionBits == 40);
  return static_cast<double>(sum) * 0x1p-40 * pow2_number(static_cast<std::int64_t>(std::clamp<__int128>(away, kAlways, kNever)), fraction);
}
/// What it is worth at an instant.
double decayed(__int128 sum, std::int64_t block, Micros half_life, Micros as_of) noexcept;
/// The same.
inline double decayed(__int128 sum, std::int64_t block, const HalfLife &half_life, Micros as_of) noexcept {
  const __int128 before = half_life.halvings(-as_of);
  return decayed(sum, block, before >> 64, static_cast<std::uint64_t>(before));
}

/// The state of one decayed sum. The four newest blocks that hold anything are
/// kept (what is older weighs less than 2^-96). 40 fractional bits.
struct Decay {
  static constexpr int kBlocks = 4;
  std::int64_t top = 0;        ///< index of the newest block; meaningful when not empty()
  Wide sum[kBlocks] = {};      ///< sum[i] belongs to block top - i
  bool started = false;

  bool empty() const noexcept { return !started; }
  bool operator==(const Decay &) const = default;

  /// Adds v at t. Requires |v| < kMaxDecayValue, finite t, and a half-life between the two bounds (always the same one).
  void add(Micros half_life, Micros t, double v) noexcept;
  /// Adds another state of the same half-life.
  void merge(const Decay &o) noexcept;
  /// The decayed sum as of an instant. Earlier than the newest contribution it extrapolates (weights above 1).
  double read(Micros half_life, Micros as_of) const noexcept;

private:
  Wide *block(std::int64_t k) noexcept;
};

} // namespace pql
