// Ids of events in a compact form that sorts: numbers by value, uuids and texts by their bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pql {

/// A small buffer for one encoded id.
struct EventId {
  static constexpr std::size_t kMax = 128; ///< longer texts are shortened to their beginning and a hash
  char data[kMax + 1];
  std::uint8_t size = 0;

  std::string_view view() const noexcept { return {data, size}; }
  static EventId of_int(std::int64_t v) noexcept;
  static EventId of_uuid(const unsigned char (&bytes)[16]) noexcept;
  static EventId of_text(std::string_view text) noexcept;
};

/// The id as SQL prints it. Empty for an empty or damaged encoding.
std::string event_id_text(std::string_view encoded);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
