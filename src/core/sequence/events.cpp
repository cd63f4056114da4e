#include "core/sequence/events.hpp"

#include <algorithm>

namespace pql {

bool in_order(std::span<const EventRow> rows) noexcept {
  for (std::size_t i = 1; i < rows.size(); i++) {
    if (before(rows[i], rows[i - 1])) return false;
  }
  return true;
}

void sort_events(std::span<EventRow> rows) noexcept {
  if (!in_order(rows)) std::sort(rows.begin(), rows.end(), before);
}

std::span<const EventRow> with_steps(Arena &a, std::span<const EventRow> rows) {
  const auto foreign = [](const EventRow &r) { return r.steps == 0; };
  if (std::none_of(rows.begin(), rows.end(), foreign)) return rows;
  auto *const kept = a.array<EventRow>(rows.size());
  return {kept, std::remove_copy_if(rows.begin(), rows.end(), kept, foreign)};
}

} // namespace pql
