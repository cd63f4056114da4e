// What counts tell of shares, and how sure that is.
// Law: an interval holds its estimate, lies within what is possible, and is the narrower the more was counted.
#pragma once

#include <cstdint>
#include <optional>

namespace pql {

/// So many of so many.
struct Count {
  std::int64_t part = 0, whole = 0;

  bool is_possible() const noexcept { return part >= 0 && part <= whole; }
};

/// An estimate with the bounds between which the truth lies, with some confidence. Nothing counted: no value, and all that is possible.
struct Estimate {
  std::optional<double> value;
  double low = 0, high = 0;
};

/// A share, with Wilson's score interval (E. B. Wilson, 1927).
Estimate share(Count c, double confidence) noexcept;

/// The share of `a` less that of `b`, with the interval made of the two score intervals (R. G. Newcombe, Statistics in Medicine 17:873, 1998, method 10).
Estimate difference(Count a, Count b, double confidence) noexcept;

/// The share of `a` by that of `b`, with the interval of its logarithm (D. Katz and others, Biometrics 34:469, 1978). None, and all, are counted as half of one
/// away from that in the bounds, which have no finite logarithm, or no width, otherwise. Without a `b` there is no value, unless it is infinite.
Estimate ratio(Count a, Count b, double confidence) noexcept;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
