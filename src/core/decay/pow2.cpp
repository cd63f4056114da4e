#include "core/decay/pow2.hpp"

#include <cmath>

namespace pql {
namespace {

using u64 = std::uint64_t;
using u128 = unsigned __int128;

// 2^(i/64) with 63 fractional bits, rounded from 60 decimal digits.
constexpr u64 kTable[64] = {
#include "core/decay/pow2_table.inc"
};

constexpr u64 kLn2 = 0xb17217f7d1cf79acull; // ln 2 with 64 fractional bits

constexpr u64 high(u64 a, u64 b) noexcept { return static_cast<u64>((static_cast<u128>(a) * b) >> 64); }

} // namespace

u64 pow2_fraction(u64 num, u64 den) noexcept {
  const u64 f = static_cast<u64>((static_cast<u128>(num) << 64) / den);
  const u64 base = kTable[f >> 58];
  // 2^g = e^y for the remainder g < 1/64, y < 0.011: what the series leaves out after y^6 is below 2^-57 of the whole.
  const u64 y = high(f & (~u64{0} >> 6), kLn2);
  u64 s = y / 720;
  s = high(s + ~u64{0} / 120, y);
  s = high(s + ~u64{0} / 24, y);
  s = high(s + ~u64{0} / 6, y);
  s = high(s + ~u64{0} / 2, y);
  s = high(s, y) + y;
  const u64 extra = high(base, s);
  const u64 sum = base + extra;
  return sum < base ? ~u64{0} : sum; // rounding may carry past the open end of the range
}

double pow2_ratio(std::int64_t num, std::int64_t den) noexcept {
  std::int64_t whole = num / den, rest = num % den;
  if (rest < 0) {
    rest += den;
    whole -= 1;
  }
  if (whole > 1100) whole = 1100;
  if (whole < -1200) whole = -1200;
  const double m = static_cast<double>(pow2_fraction(static_cast<u64>(rest), static_cast<u64>(den)));
  return std::ldexp(m, static_cast<int>(whole) - 63);
}

} // namespace pql
