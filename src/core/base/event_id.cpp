#include "core/base/event_id.hpp"

#include <cstring>

namespace pql {

EventId EventId::of_int(std::int64_t v) noexcept {
  EventId id;
  const auto biased = static_cast<std::uint64_t>(v) ^ (std::uint64_t{1} << 63);
  id.data[0] = 'i';
  for (int i = 0; i < 8; i++) id.data[1 + i] = static_cast<char>(biased >> (56 - 8 * i));
  id.size = 9;
  return id;
}

EventId EventId::of_uuid(const unsigned char (&bytes)[16]) noexcept {
  EventId id;
  id.data[0] = 'u';
  std::memcpy(id.data + 1, bytes, 16);
  id.size = 17;
  return id;
}

EventId EventId::of_text(std::string_view text) noexcept {
  EventId id;
  const std::size_t n = text.size() < kMax ? text.size() : kMax;
  id.data[0] = 't';
  if (n) std::memcpy(id.data + 1, text.data(), n);
  id.size = static_cast<std::uint8_t>(n + 1);
  return id;
}

std::string event_id_text(std::string_view e) {
  if (e.size() == 9 && e[0] == 'i') {
    std::uint64_t v = 0;
    for (int i = 1; i < 9; i++) v = v << 8 | static_cast<unsigned char>(e[static_cast<std::size_t>(i)]);
    return std::to_string(static_cast<std::int64_t>(v ^ (std::uint64_t{1} << 63)));
  }
  if (e.size() == 17 && e[0] == 'u') {
    static constexpr char hex[] = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 1; i < 17; i++) {
      if (i == 5 || i == 7 || i == 9 || i == 11) out += '-';
      out += hex[static_cast<unsigned char>(e[i]) >> 4];
      out += hex[static_cast<unsigned char>(e[i]) & 15];
    }
    return out;
  }
  if (!e.empty() && e[0] == 't') return std::string(e.substr(1));
  return {};
}

} // namespace pql
