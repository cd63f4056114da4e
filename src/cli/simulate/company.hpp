// A simulated developer-tools company: what its customers' people do. Pure, and the same for the same seed on every
// machine. Law: hidden intent drives both what people do and whether the account buys; nothing here knows a program or
// its points.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pql::cli {

struct SimulatedEvent {
  double at = 0; ///< seconds since the beginning
  std::string user, account, name, properties;
};

struct Company {
  std::vector<SimulatedEvent> events; ///< by time
  int accounts = 0, buyers = 0;
};

/// So many accounts, which sign up over the first two thirds of so many days.
Company simulate_company(std::uint64_t seed, int accounts, int days);

} // namespace pql::cli
