// Events written down for tests: "A@0 AC@5 -@6 !@7 !B@8": conditions by letter, - none of them, ! excluded.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "core/sequence/events.hpp"

namespace pql {

inline std::vector<EventRow> events(const std::string &text) {
  std::vector<EventRow> rows;
  std::istringstream in(text);
  for (std::string word; in >> word;) {
    const std::size_t at = word.find('@');
    EventRow r{std::stoll(word.substr(at + 1)), 0, 0};
    for (const char c : word.substr(0, at)) {
      if (c == '!') r.excluded = 1;
      if (c >= 'A' && c <= 'Z') r.steps |= 1u << (c - 'A');
    }
    rows.push_back(r);
  }
  sort_events(rows);
  return rows;
}

inline std::vector<Micros> listed(const Vec<Micros> &v) { return {v.begin(), v.end()}; }

} // namespace pql
