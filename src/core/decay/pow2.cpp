#include "core/decay/pow2.hpp"

#include <bit>
#include <cmath>

namespace pql {

constinit const std::uint64_t pow2::kTable[64] = {
#include "core/decay/pow2_table.inc"
};

double pow2_ratio(std::int64_t num, std::int64_t den) noexcept {
  std::int64_t whole = num / den, rest = num % den;
  if (rest < 0) {
    rest += den;
    whole -= 1;
  }
  if (whole > 1100) whole = 1100;
  if (whole < -1200) whole = -1200;
  const double m = static_cast<double>(pow2_fraction(static_cast<std::uint64_t>(rest), static_cast<std::uint64_t>(den)));
  const std::int64_t exponent = whole - 63 + 1023; // of 2^(whole - 63), as a double has it
  if (exponent > 0 && whole < 1023) return m * std::bit_cast<double>(static_cast<std::uint64_t>(exponent) << 52);
  return std::ldexp(m, static_cast<int>(whole) - 63);
}

} // namespace pql
