#include "core/base/event_id.hpp"

#include <cstdlib>
#include <cstring>

namespace pql {
namespace {

constexpr int kZero = 0x10; // tags of numbers lie around it, below those of uuids and texts

} // namespace

// A number is a tag that tells its sign and how many bytes follow, and those bytes, most significant first: bytes compare as
// the numbers do, and small ids stay small.
EventId EventId::of_int(std::int64_t v) noexcept {
  EventId id;
  const auto magnitude = static_cast<std::uint64_t>(v < 0 ? -(v + 1) : v);
  int bytes = 1;
  while (bytes < 8 && magnitude >> (8 * bytes)) bytes++;
  id.data[0] = static_cast<char>(v < 0 ? kZero - bytes : kZero + bytes);
  const std::uint64_t shown = v < 0 ? ~magnitude : magnitude;
  for (int i = 0; i < bytes; i++) id.data[1 + i] = static_cast<char>(shown >> (8 * (bytes - 1 - i)));
  id.size = static_cast<std::uint8_t>(1 + bytes);
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
  if (e.empty()) return {};
  const int bytes = e[0] - kZero;
  if (bytes >= -8 && bytes <= 8 && bytes != 0 && e.size() == static_cast<std::size_t>(1 + std::abs(bytes))) {
    std::uint64_t v = bytes < 0 ? ~std::uint64_t{0} : 0;
    for (char c : e.substr(1)) v = v << 8 | static_cast<unsigned char>(c);
    return std::to_string(static_cast<std::int64_t>(v)); // the complement of a magnitude is the negative number itself
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
  if (e[0] == 't') return std::string(e.substr(1));
  return {};
}

} // namespace pql
