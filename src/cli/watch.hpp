// pqlctl watch: routing rows as they come.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace pql::cli {

/// Which rows were shown. Ids are drawn before they are committed, so a lower one may come after a higher one: ids are
/// asked for again for a while, and those that were shown are remembered for as long.
class Seen {
public:
  explicit Seen(std::int64_t newest, double seconds = 60) : low_(newest), seconds_(seconds) {}

  /// Ids above this are asked for.
  std::int64_t low() const noexcept { return low_; }
  /// Notes an id; false if it was noted before.
  bool note(std::int64_t id, double now);
  /// Forgets what is old.
  void pass(double now);

private:
  std::int64_t low_;
  double seconds_;
  std::set<std::int64_t> ids_;
  std::multimap<double, std::int64_t> by_time_;
};

} // namespace pql::cli
