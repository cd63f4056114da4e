#include "cli/deliver/address.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace pql::cli {
namespace {

struct Network4 {
  std::uint32_t network;
  int bits;
};

constexpr std::uint32_t ip(unsigned a, unsigned b, unsigned c, unsigned d) { return a << 24 | b << 16 | c << 8 | d; }

// IANA's special-purpose registry, and multicast.
constexpr std::array kNotPublic4{
    Network4{ip(0, 0, 0, 0), 8},      Network4{ip(10, 0, 0, 0), 8},     Network4{ip(100, 64, 0, 0), 10},
    Network4{ip(127, 0, 0, 0), 8},    Network4{ip(169, 254, 0, 0), 16}, Network4{ip(172, 16, 0, 0), 12},
    Network4{ip(192, 0, 0, 0), 24},   Network4{ip(192, 0, 2, 0), 24},   Network4{ip(192, 88, 99, 0), 24},
    Network4{ip(192, 168, 0, 0), 16}, Network4{ip(198, 18, 0, 0), 15},  Network4{ip(198, 51, 100, 0), 24},
    Network4{ip(203, 0, 113, 0), 24}, Network4{ip(224, 0, 0, 0), 4},    Network4{ip(240, 0, 0, 0), 4},
};

bool is_public4(std::uint32_t address) noexcept {
  for (const Network4 &n : kNotPublic4)
    if ((address ^ n.network) >> (32 - n.bits) == 0) return false;
  return true;
}

std::uint32_t word(const unsigned char *b) noexcept {
  return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
}

bool is_public6(const unsigned char *b) noexcept {
  constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr unsigned char kTranslated[12] = {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
  if (std::memcmp(b, kMapped, 12) == 0 || std::memcmp(b, kTranslated, 12) == 0) return is_public4(word(b + 12));
  if (b[0] == 0x20 && b[1] == 0x02) return is_public4(word(b + 2)); // 6to4
  if ((b[0] & 0xe0) != 0x20) return false;                          // all that is public lies in 2000::/3
  if (b[0] == 0x20 && b[1] == 0x01 && b[2] < 0x02) return false;    // 2001::/23: Teredo and other protocols
  if (b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8) return false; // documentation
  return !(b[0] == 0x3f && b[1] == 0xff && b[2] < 0x10);                          // documentation, too
}

} // namespace

bool is_public_address(const sockaddr *address) noexcept {
  if (address->sa_family == AF_INET) {
    sockaddr_in a{};
    std::memcpy(&a, address, sizeof a);
    return is_public4(ntohl(a.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 a{};
    std::memcpy(&a, address, sizeof a);
    return is_public6(a.sin6_addr.s6_addr);
  }
  return false;
}

std::optional<bool> is_public_address(const std::string &address) noexcept {
  in_addr four{};
  if (inet_pton(AF_INET, address.c_str(), &four) == 1) return is_public4(ntohl(four.s_addr));
  in6_addr six{};
  if (inet_pton(AF_INET6, address.c_str(), &six) == 1) return is_public6(six.s6_addr);
  return std::nullopt;
}

std::string address_text(const sockaddr *address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    sockaddr_in a{};
    std::memcpy(&a, address, sizeof a);
    inet_ntop(AF_INET, &a.sin_addr, text, sizeof text);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 a{};
    std::memcpy(&a, address, sizeof a);
    inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof text);
  }
  return text;
}

} // namespace pql::cli
