#include "core/learn/points.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace pql {

std::vector<int> largest_remainders(std::span<const double> shares, int total) {
  std::vector<int> out(shares.size());
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (!(sum > 0)) return out;
  std::vector<double> rest(shares.size());
  int left = total;
  for (std::size_t i = 0; i < shares.size(); i++) {
    const double exact = shares[i] / sum * total;
    out[i] = static_cast<int>(std::floor(exact));
    rest[i] = exact - out[i];
    left -= out[i];
  }
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return rest[a] > rest[b]; });
  for (int i = 0; i < left; i++) out[order[static_cast<std::size_t>(i) % order.size()]]++;
  return out;
}

} // namespace pql
