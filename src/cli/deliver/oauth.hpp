// Access tokens that expire: Salesforce's, by OAuth's client credentials or a refresh token.
// Law: a token is in memory only; no text made here holds one, nor a secret.
#pragma once

#include <optional>
#include <string>

#include "cli/deliver/message.hpp"

namespace pql::cli {

/// Does the destination's secret get tokens, instead of being one?
bool gets_tokens(const Destination &to);

/// May a token expire there at all?
bool has_tokens(const Destination &to);

/// Asks for a token, at the destination's own host. The secret is the client's, or the refresh token; then the client's
/// secret comes besides, if the connected app has to name it. Throws Failure if settings or secrets are missing.
Message token_request(const Destination &to, const std::optional<std::string> &secret,
                      const std::optional<std::string> &client_secret);

/// What came of asking: a token, or why there is none.
struct TokenAnswer {
  std::string token, error;
  std::string refresh_token; ///< in place of the one that was used, where they are changed each time
};
TokenAnswer token_in(long status, const std::string &response);

/// Does an answer say that the token has expired?
bool says_expired(const Destination &to, long status, const std::string &response);

} // namespace pql::cli
