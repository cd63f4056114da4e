// Signing: HMAC, the Standard Webhooks signature, and the encodings that they are written in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pql::cli {

/// 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view message);

std::string base64(std::string_view bytes);
/// Nothing unless it is base64, padded as it should be.
std::optional<std::string> from_base64(std::string_view text);
/// Without padding, for URLs.
std::string base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

/// Takes as long whatever differs.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

/// The header webhook-signature of Standard Webhooks: "v1,…" for each secret (several, apart by blanks, while one is
/// replaced by another). A secret is "whsec_" and base64, or else the bytes themselves.
std::string webhook_signature(std::string_view secrets, std::string_view id, std::int64_t timestamp,
                              std::string_view body);

} // namespace pql::cli
