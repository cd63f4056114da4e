// How long to wait before something that failed is tried again.
#pragma once

namespace pql::cli {

/// Seconds: anything up to `first`, doubled with each failure, `most` at the most.
struct Backoff {
  double first, most;
};

inline constexpr Backoff kPostAgain{5, 3600};  ///< a delivery, and a token for some
inline constexpr Backoff kConnectAgain{2, 30}; ///< to the database

/// Seconds to wait after so many failures in a row (1 is the first), any moment within what there is to wait, so that
/// not all come at once; but a second at least. random lies in [0, 1).
double backoff_seconds(const Backoff &how, int failures, double random) noexcept;

} // namespace pql::cli
