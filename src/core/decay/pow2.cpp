#include "core/decay/pow2.hpp"

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
  return pow2_number(whole, pow2::quotient(static_cast<std::uint64_t>(rest), static_cast<std::uint64_t>(den)));
}

} // namespace pql
