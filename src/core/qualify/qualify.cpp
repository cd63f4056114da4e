#include "core/qualify/qualify.hpp"

#include <algorithm>

namespace pql {
namespace {

Micros later(Micros t, Micros by) noexcept { return t > kNever - 1 - by ? kNever : t + by; }

} // namespace

Micros look(Standing &open, const QualifyDef &q, const Sight &s, Micros at, Micros fell) noexcept {
  if (!is_below(q, s)) {
    open.since = kNever;
    return kNever;
  }
  if (open.since == kNever) open.since = std::min(fell, at);
  const Micros end = later(open.since, q.dwell);
  return end <= at ? end : kNever;
}

Micros end_of(const Standing &open, const QualifyDef &q, Micros falls) noexcept {
  return later(std::min(open.since, falls), q.dwell);
}

bool has_kinds(const QualifyDef &q, std::span<const int> points) noexcept {
  const auto has = [&](Kind k) { return points[static_cast<std::size_t>(k)] > 0; };
  return std::ranges::count_if(points, [](int p) { return p > 0; }) >= q.min_kinds && std::ranges::all_of(q.required_kinds, has);
}

} // namespace pql
