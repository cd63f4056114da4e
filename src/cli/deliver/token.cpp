#include "cli/deliver/token.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "cli/base/failure.hpp"
#include "cli/base/text.hpp"
#include "cli/deliver/signature.hpp"

namespace pql::cli {
namespace {

constexpr std::size_t kShortestSecret = 16, kLongestToken = 2048;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

// What the secret signs begins with what it is for, so that no signature for something else can be used for it.
std::string mac(std::string_view secret, std::string_view payload) {
  return hmac_sha256(secret, "pql reply 1 " + std::string(payload));
}

} // namespace

ReplyKeys::ReplyKeys(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view one = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t colon = one.find(':');
    if (colon == std::string_view::npos || !is_name(one.substr(0, colon)))
      throw wrong_usage("a reply key must be a name of letters and digits, a colon, and the secret");
    if (one.size() - colon - 1 < kShortestSecret)
      throw wrong_usage("the secret of reply key " + std::string(one.substr(0, colon)) +
                            " is shorter than 16 characters",
                        "Make one with: openssl rand -base64 32");
    keys_.push_back({std::string(one.substr(0, colon)), std::string(one.substr(colon + 1))});
  }
  if (keys_.empty()) throw wrong_usage("there is no reply key");
}

std::string ReplyKeys::sign(const Reply &r) const {
  const nlohmann::json said = {keys_.front().name, r.routing_id, r.rep, r.action, r.expires};
  const std::string payload = base64url(said.dump());
  return payload + '.' + base64url(mac(keys_.front().secret, payload));
}

std::pair<ReplyKeys::Answer, Reply> ReplyKeys::check(std::string_view token, std::int64_t now) const {
  const std::size_t dot = token.find('.');
  if (token.size() > kLongestToken || dot == std::string_view::npos) return {Answer::forged, {}};
  const std::string_view payload = token.substr(0, dot);
  const auto given = from_base64url(token.substr(dot + 1));
  const auto text = from_base64url(payload);
  if (!given || !text) return {Answer::forged, {}};
  const auto said = nlohmann::json::parse(*text, nullptr, false);
  if (!said.is_array() || said.size() != 5 || !said[0].is_string() || !said[1].is_number_integer() ||
      !said[2].is_string() || !said[3].is_string() || !said[4].is_number_integer())
    return {Answer::forged, {}};
  for (const Key &key : keys_) {
    if (key.name != said[0].get<std::string>() || !equal_in_constant_time(mac(key.secret, payload), *given)) continue;
    Reply r{said[1].get<std::int64_t>(), said[2].get<std::string>(), said[3].get<std::string>(),
            said[4].get<std::int64_t>()};
    const Answer answer = r.expires > now ? Answer::right : Answer::expired;
    return {answer, std::move(r)};
  }
  return {Answer::forged, {}};
}

} // namespace pql::cli
