// Powers of two in integer arithmetic.
// Law: the same bits on every machine and build; no libm, no FMA, no rounding mode.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace pql {

namespace pow2 {

/// 2^(i/64) with 63 fractional bits, rounded from 60 decimal digits.
extern const std::uint64_t kTable[64];

inline constexpr std::uint64_t kLn2 = 0xb17217f7d1cf79acull; // ln 2 with 64 fractional bits

inline std::uint64_t high(std::uint64_t a, std::uint64_t b) noexcept {
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(a) * b) >> 64);
}

/// num * 2^64 / den, rounded down. Requires num < den: so the processor's own division serves.
inline std::uint64_t quotient(std::uint64_t num, std::uint64_t den) noexcept {
#if defined(__x86_64__)
  std::uint64_t q, rest;
  asm("divq %4" : "=a"(q), "=d"(rest) : "a"(std::uint64_t{0}), "d"(num), "r"(den) : "cc");
  return q;
#else
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(num) << 64) / den);
#endif
}

} // namespace pow2

/// 2^f, of a number f in [0, 1) with 64 fractional bits, as one with 63 of them, in [2^63, 2^64). Relative error below 2^-57.
/// Inline: it is what a row of a decayed sum costs.
inline std::uint64_t pow2_of(std::uint64_t f) noexcept {
  using namespace pow2;
  constexpr std::uint64_t all = ~std::uint64_t{0};
  const std::uint64_t base = kTable[f >> 58];
  // 2^g = e^y for the remainder g < 1/64, y < 0.011: what the series leaves out after y^6 is below 2^-57 of the whole.
  const std::uint64_t y = high(f & (all >> 6), kLn2);
  std::uint64_t s = y / 720;
  s = high(s + all / 120, y);
  s = high(s + all / 24, y);
  s = high(s + all / 6, y);
  s = high(s + all / 2, y);
  s = high(s, y) + y;
  const std::uint64_t extra = high(base, s);
  const std::uint64_t sum = base + extra;
  return sum < base ? all : sum; // rounding may carry past the open end of the range
}

/// 2^(num/den) in the same form. Requires 0 <= num < den.
inline std::uint64_t pow2_fraction(std::uint64_t num, std::uint64_t den) noexcept { return pow2_of(pow2::quotient(num, den)); }

/// 2^(whole + fraction / 2^64) as a double. Relative error below 2^-52.
inline double pow2_number(std::int64_t whole, std::uint64_t fraction) noexcept {
  whole = std::clamp<std::int64_t>(whole, -1200, 1100);
  const auto m = static_cast<double>(pow2_of(fraction));
  const std::int64_t exponent = whole - 63 + 1023; // of 2^(whole - 63), as a double has it
  if (exponent > 0 && whole < 1023) [[likely]] return m * std::bit_cast<double>(static_cast<std::uint64_t>(exponent) << 52);
  return std::ldexp(m, static_cast<int>(whole) - 63);
}

/// 2^(num/den) as a double, for any num and den > 0. Relative error below 2^-52.
double pow2_ratio(std::int64_t num, std::int64_t den) noexcept;

} // namespace pql
