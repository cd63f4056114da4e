// Which addresses deliveries may be posted to.
// Law: what isn't known to be an address of the public internet is none.
#pragma once

#include <optional>
#include <string>

struct sockaddr;

namespace pql::cli {

/// Is it an address of the public internet, IPv4 or IPv6? Loopback, private, link-local, shared, reserved, multicast
/// and documentation addresses aren't, however they are written into an IPv6 address.
bool is_public_address(const sockaddr *address) noexcept;

/// The same for an address as text; nothing if it is none.
std::optional<bool> is_public_address(const std::string &address) noexcept;

/// The address as text, for a message.
std::string address_text(const sockaddr *address);

} // namespace pql::cli
