#include "cli/deliver/metrics.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <unistd.h>

#include "cli/base/failure.hpp"

namespace pql::cli {
namespace {

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

void family(std::string &text, const char *name, const char *type, const char *help) {
  text += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

} // namespace

// Names of destinations are lower-case letters, digits and underscores: nothing in them needs escaping.
std::string metrics_text(const std::vector<DeliveryStats> &stats, const DeliveryCounts &counts) {
  std::string text;
  family(text, "pql_deliveries", "gauge", "Deliveries in the database, by state.");
  for (const DeliveryStats &s : stats)
    for (const auto &[state, n] : {std::pair{"pending", s.pending},
                                   {"claimed", s.claimed},
                                   {"retrying", s.retrying},
                                   {"sent", s.sent},
                                   {"dead", s.dead},
                                   {"void", s.void_}})
      text +=
          "pql_deliveries{destination=\"" + s.destination + "\",state=\"" + state + "\"} " + std::to_string(n) + "\n";
  family(text, "pql_delivery_oldest_pending_seconds", "gauge", "Age of the oldest delivery that is not sent.");
  for (const DeliveryStats &s : stats)
    text +=
        "pql_delivery_oldest_pending_seconds{destination=\"" + s.destination + "\"} " + number(s.oldest_seconds) + "\n";
  family(text, "pql_delivery_paused", "gauge", "Whether the destination asked to be left alone.");
  for (const DeliveryStats &s : stats)
    text += "pql_delivery_paused{destination=\"" + s.destination + "\"} " + (s.paused ? "1" : "0") + "\n";
  family(text, "pql_delivery_attempts_total", "counter", "Attempts of this process, by result.");
  for (const auto &[key, n] : counts.attempts)
    text += "pql_delivery_attempts_total{destination=\"" + key.first + "\",result=\"" + key.second + "\"} " +
            std::to_string(n) + "\n";
  family(text, "pql_delivery_seconds", "summary", "How long attempts of this process took.");
  for (const auto &[name, sum] : counts.seconds) {
    text += "pql_delivery_seconds_sum{destination=\"" + name + "\"} " + number(sum.first) + "\n";
    text += "pql_delivery_seconds_count{destination=\"" + name + "\"} " + std::to_string(sum.second) + "\n";
  }
  return text;
}

void replace_file(const std::string &path, const std::string &text) {
  const std::string next = path + ".new." + std::to_string(getpid());
  std::FILE *const file = std::fopen(next.c_str(), "w");
  const bool written = file && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = file && std::fclose(file) == 0;
  if (written && closed && std::rename(next.c_str(), path.c_str()) == 0) return;
  const std::string why = std::strerror(errno);
  std::remove(next.c_str());
  throw wrong_usage("could not write " + path + ": " + why);
}

} // namespace pql::cli
