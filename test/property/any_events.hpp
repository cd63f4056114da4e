// Random events: few times, so that instants have several, and few steps, so that chains come about.
#pragma once

#include <ostream>
#include <vector>

#include "core/sequence/events.hpp"
#include "property/any.hpp"

namespace pql {

inline void showValue(const EventRow &r, std::ostream &os) {
  os << (r.excluded ? "!" : "");
  for (int s = 0; s < kMaxConditions; s++) {
    if (r.steps >> s & 1) os << static_cast<char>('A' + s % 26);
  }
  os << '@' << r.at;
}

using Events = std::vector<EventRow>;

struct EventShape {
  int steps = 3;
  int most = 8;         ///< rows
  int span = 12;        ///< times
  bool foreign = false; ///< rows without a step
  bool excluded = false;
};

inline Events any_events(const EventShape &shape) {
  Events rows;
  const int n = number(0, shape.most + 1), most_steps = number(1, shape.steps + 1);
  for (int i = 0; i < n; i++) {
    EventRow r{number<Micros>(0, shape.span), 1u << number(0, most_steps), 0};
    while (one_in(3)) r.steps |= 1u << number(0, shape.steps);
    if (shape.foreign && one_in(6)) r.steps = 0;
    if (shape.excluded && one_in(5)) r.excluded = 1;
    if (r.excluded && one_in(2)) r.steps = 0;
    rows.push_back(r);
    if (one_in(6)) rows.push_back(r);
  }
  sort_events(rows);
  return rows;
}

} // namespace pql
