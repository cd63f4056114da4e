#include "core/learn/fading.hpp"

#include <algorithm>

namespace pql {

FadingWeight fading_weight(Micros half_life, Micros t) noexcept {
  const Weight weight(half_life, t);
  return {weight.block(), weight.of_one()};
}

std::string print_units(__int128 units) {
  std::string digits;
  auto rest = units < 0 ? -static_cast<unsigned __int128>(units) : static_cast<unsigned __int128>(units);
  do digits.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
  while (rest /= 10);
  if (units < 0) digits.push_back('-');
  std::reverse(digits.begin(), digits.end());
  return digits;
}

bool parse_units(std::string_view text, __int128 &units) noexcept {
  const bool minus = text.starts_with('-');
  if (minus) text.remove_prefix(1);
  constexpr std::size_t kMostDigits = 38;
  if (text.empty() || text.size() > kMostDigits) return false;
  unsigned __int128 n = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    n = n * 10 + static_cast<unsigned>(c - '0');
  }
  units = minus ? -static_cast<__int128>(n) : static_cast<__int128>(n);
  return true;
}

} // namespace pql
