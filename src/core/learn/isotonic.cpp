#include "core/learn/isotonic.hpp"

#include <algorithm>

namespace pql {
namespace {

void pool(Level &into, const Level &next) noexcept {
  const double weight = into.weight + next.weight;
  into.value = (into.value * into.weight + next.value * next.weight) / weight;
  into.weight = weight;
  into.to = next.to;
}

} // namespace

std::vector<Level> isotonic(std::span<const Observed> observed) {
  std::vector<Observed> sorted;
  std::copy_if(observed.begin(), observed.end(), std::back_inserter(sorted), [](const Observed &o) { return o.weight > 0; });
  std::stable_sort(sorted.begin(), sorted.end(), [](const Observed &a, const Observed &b) { return a.at < b.at; });
  std::vector<Level> levels;
  for (std::size_t i = 0; i < sorted.size();) {
    Level next{sorted[i].at, sorted[i].at, sorted[i].value, sorted[i].weight};
    for (i++; i < sorted.size() && sorted[i].at == next.from; i++) pool(next, {next.from, next.from, sorted[i].value, sorted[i].weight});
    while (!levels.empty() && levels.back().value >= next.value) {
      Level last = levels.back();
      levels.pop_back();
      pool(last, next);
      next = last;
    }
    levels.push_back(next);
  }
  return levels;
}

} // namespace pql
