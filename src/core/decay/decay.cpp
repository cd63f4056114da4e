#include "core/decay/decay.hpp"

#include <algorithm>

#include "core/decay/pow2.hpp"

namespace pql {

using i128 = __int128;

double decayed(i128 sum, std::int64_t block, Micros half_life, Micros as_of) noexcept {
  if (sum == 0) return 0;
  Micros whole = as_of / half_life, rest = as_of % half_life;
  if (rest > 0) {
    whole++;
    rest -= half_life;
  }
  return decayed(sum, block, -static_cast<i128>(whole), pow2::quotient(static_cast<std::uint64_t>(-rest), static_cast<std::uint64_t>(half_life)));
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
  const Weight weight(half_life, t);
  Wide *at = block(weight.block());
  if (at) *at = Wide::of(at->value() + weight.of(v));
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
