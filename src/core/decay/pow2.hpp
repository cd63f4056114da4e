// Powers of two in integer arithmetic.
// Law: the same bits on every machine and build; no libm, no FMA, no rounding mode.
#pragma once

#include <cstdint>

namespace pql {

/// 2^(num/den) as an unsigned fixed-point number with 63 fractional bits, in [2^63, 2^64).
/// Requires 0 <= num < den. Relative error below 2^-57.
std::uint64_t pow2_fraction(std::uint64_t num, std::uint64_t den) noexcept;

/// 2^(num/den) as a double, for any num and den > 0. Relative error below 2^-52.
double pow2_ratio(std::int64_t num, std::int64_t den) noexcept;

} // namespace pql
