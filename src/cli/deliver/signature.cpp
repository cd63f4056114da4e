#include "cli/deliver/signature.hpp"

#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "cli/base/failure.hpp"

namespace pql::cli {
namespace {

const unsigned char *bytes(std::string_view s) noexcept { return reinterpret_cast<const unsigned char *>(s.data()); }

std::string translated(std::string text, std::string_view from, std::string_view to) {
  for (char &c : text)
    if (const auto at = from.find(c); at != std::string_view::npos) c = to[at];
  return text;
}

} // namespace

std::string hmac_sha256(std::string_view key, std::string_view message) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(message), message.size(), mac, &size))
    throw std::runtime_error("could not compute an HMAC");
  return {reinterpret_cast<const char *>(mac), size};
}

std::string base64(std::string_view raw) {
  std::string text(4 * ((raw.size() + 2) / 3) + 1, '\0');
  const int n =
      EVP_EncodeBlock(reinterpret_cast<unsigned char *>(text.data()), bytes(raw), static_cast<int>(raw.size()));
  text.resize(static_cast<std::size_t>(n));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.empty()) return std::string();
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const auto is_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  for (const char c : text.substr(0, text.size() - padding)) // the library's decoder lets blanks pass
    if (!is_digit(c)) return std::nullopt;
  std::string raw(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char *>(raw.data()), bytes(text), static_cast<int>(text.size())) < 0)
    return std::nullopt;
  raw.resize(raw.size() - padding);
  if (base64(raw) != text) return std::nullopt; // bits that don't belong to any byte
  return raw;
}

std::string base64url(std::string_view raw) {
  std::string text = translated(base64(raw), "+/", "-_");
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  std::string padded = translated(std::string(text), "-_", "+/");
  padded.append((4 - padded.size() % 4) % 4, '=');
  return from_base64(padded);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string webhook_signature(std::string_view secrets, std::string_view id, std::int64_t timestamp,
                              std::string_view body) {
  const std::string message = std::string(id) + '.' + std::to_string(timestamp) + '.' + std::string(body);
  std::string header;
  while (!secrets.empty()) {
    const std::size_t end = std::min(secrets.find(' '), secrets.size());
    const std::string_view secret = secrets.substr(0, end);
    secrets.remove_prefix(std::min(end + 1, secrets.size()));
    if (secret.empty()) continue;
    std::string key(secret);
    if (secret.starts_with("whsec_")) {
      const auto decoded = from_base64(secret.substr(6));
      if (!decoded) throw wrong_usage("a signing secret that begins with whsec_ must go on in base64");
      key = *decoded;
    }
    header += (header.empty() ? "v1," : " v1,") + base64(hmac_sha256(key, message));
  }
  return header;
}

} // namespace pql::cli
