// What workers of delivery count, as Prometheus reads it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pql::cli {

/// A line of pql.delivery_stats.
struct DeliveryStats {
  std::string destination;
  std::int64_t pending = 0, claimed = 0, retrying = 0, sent = 0, dead = 0, void_ = 0;
  double oldest_seconds = 0;
  bool paused = false;
};

/// What this process did.
struct DeliveryCounts {
  std::map<std::pair<std::string, std::string>, std::int64_t> attempts; ///< by destination and result
  std::map<std::string, std::pair<double, std::int64_t>> seconds;       ///< by destination: sum, count
};

/// In Prometheus' text format.
std::string metrics_text(const std::vector<DeliveryStats> &stats, const DeliveryCounts &counts);

/// Writes a file whole, or not at all. Throws Failure.
void replace_file(const std::string &path, const std::string &text);

} // namespace pql::cli
