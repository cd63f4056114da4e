// How far two words are from each other, to find the one that was probably meant.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace pql {

/// Edits (insert, delete, replace, swap neighbours) from one word to the other; words of more than 64 letters are as far from all
/// others as can be.
constexpr std::size_t distance(std::string_view a, std::string_view b) noexcept {
  constexpr std::size_t kLongest = 64;
  if (a.size() > kLongest || b.size() > kLongest) return std::max(a.size(), b.size());
  std::size_t rows[3][kLongest + 1] = {}; // the last three, in turn
  for (std::size_t j = 0; j <= b.size(); j++) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); i++) {
    std::size_t *const row = rows[i % 3], *const last = rows[(i + 2) % 3], *const before = rows[(i + 1) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); j++) {
      const bool same = a[i - 1] == b[j - 1];
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return rows[a.size() % 3][b.size()];
}

/// Whether a word at this distance may have been meant.
constexpr bool is_near(std::size_t distance, std::string_view wrong, std::string_view word) noexcept {
  return distance <= std::max<std::size_t>(2, wrong.size() / 3) && distance < word.size();
}

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
