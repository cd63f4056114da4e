// Exponentially decayed sums in fixed point: Σ v·2^((t − as_of)/half_life).
// Law: associative, commutative and deterministic. Any order, any batching, any merge tree of the same (t, v) gives the same
// bits; adding and removing the same contribution is exact while its block is kept.
// Source: forward decay (Cormode, Shkapenyuk, Srivastava, Xu, ICDE 2009), with the landmark on an absolute grid.
#pragma once

#include <cstdint>

#include "core/base/time.hpp"

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
inline constexpr int kBlockHalfLives = 32;

/// The number of the block of that width that an instant lies in.
inline constexpr std::int64_t block_of(Micros t, Micros width) noexcept { return t / width - (t % width < 0); }

/// What a value counts at an instant of its block, in units of 2^-40: 2^(offset/half_life), once for all sums of a row.
class Weight {
public:
  /// Requires 0 <= offset < 32 half-lives.
  Weight(Micros half_life, Micros offset) noexcept;
  /// v times the weight, rounded once (half away from zero). Requires |v| < kMaxDecayValue.
  __int128 of(double v) const noexcept;
  __int128 of_one() const noexcept;

private:
  std::uint64_t fraction_; // of the power, in [1, 2), with 63 fractional bits
  int whole_;
};

/// What a block's sum is worth at an instant.
double decayed(__int128 sum, std::int64_t block, Micros half_life, Micros as_of) noexcept;

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
