// How long conversions take: which share of those that come within the horizon has come after some time.
// Source: the distribution of delays among final labels; open ones are judged by it (Chapelle, KDD 2014).
#pragma once

#include <vector>

#include "core/base/time.hpp"

namespace pql {

class DelayCurve {
public:
  /// The delays of conversions whose labels are final, in any order, and the horizon.
  DelayCurve(std::vector<Micros> delays, Micros horizon);

  /// The share seen at this age: 1 from the horizon on; 0 before it where too few delays are known.
  double seen(Micros age) const noexcept;

  static constexpr std::size_t kLeastDelays = 20;

private:
  std::vector<Micros> delays_; // sorted
  Micros horizon_;
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
