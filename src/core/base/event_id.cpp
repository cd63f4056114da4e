#include "core/base/event_id.hpp"

#include <cstdlib>
#include <cstring>

namespace pql {
namespace {

constexpr std::size_t kHashDigits = 16;
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
  std::size_t n = text.size();
  id.data[0] = 't';
  if (n > kMax) {
    // Its beginning, up to a character's edge, and a hash of the whole: different ids stay different.
    n = kMax - kHashDigits - 1;
    while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80) n--;
    std::uint64_t hash = 0xcbf29ce484222325ull; // FNV-1a: stored, so never to be changed
    for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    char *at = id.data + 1 + n;
    *at++ = '~';
    for (std::size_t i = 0; i < kHashDigits; i++) *at++ = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
    id.size = static_cast<std::uint8_t>(at - id.data);
  } else {
    id.size = static_cast<std::uint8_t>(n + 1);
  }
  if (n) std::memcpy(id.data + 1, text.data(), n);
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
