// Hashing of short texts, for tables of this process: never stored.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace pql {

inline std::uint64_t mix(std::uint64_t h) noexcept {
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ull;
  return h ^ h >> 32;
}

/// Eight bytes at a time. Not against somebody who chooses texts to collide: they cost him his own time.
inline std::uint64_t hash_of(std::string_view s, std::uint64_t seed) noexcept {
  std::uint64_t h = seed ^ (s.size() * 0x9e3779b97f4a7c15ull);
  while (s.size() >= 8) {
    std::uint64_t w;
    std::memcpy(&w, s.data(), 8);
    h = mix(h ^ w);
    s.remove_prefix(8);
  }
  std::uint64_t rest = 0;
  if (!s.empty()) std::memcpy(&rest, s.data(), s.size());
  return mix(h ^ rest);
}

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
