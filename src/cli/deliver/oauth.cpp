#include "cli/deliver/oauth.hpp"

#include "cli/base/failure.hpp"
#include "cli/base/text.hpp"

namespace pql::cli {
namespace {

constexpr const char *kExpired = "INVALID_SESSION_ID";

std::string text_in(const Json &from, const char *key) {
  const auto it = from.find(key);
  return it == from.end() || !it->is_string() ? std::string() : it->get<std::string>();
}

void add_field(std::string &form, const char *name, const std::string &value) {
  form += (form.empty() ? "" : "&") + std::string(name) + "=" + url_encoded(value);
}

} // namespace

bool has_tokens(const Destination &to) { return to.kind == "salesforce"; }

bool gets_tokens(const Destination &to) { return has_tokens(to) && !text_in(to.settings, "oauth").empty(); }

// https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_client_credentials_flow.htm
// https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_refresh_token_flow.htm
Message token_request(const Destination &to, const std::optional<std::string> &secret,
                      const std::optional<std::string> &client_secret) {
  const std::string grant = text_in(to.settings, "oauth"), client = text_in(to.settings, "client_id");
  if (client.empty()) throw wrong_usage("destination " + to.name + " has no setting client_id");
  if (!secret)
    throw wrong_usage("there is no secret " + to.secret_name + " to get a token by for destination " + to.name,
                      "Set PQL_SECRET_… in the environment, or name it in the file of --secrets.");
  Message m;
  m.url = base_of(to) + "/services/oauth2/token";
  m.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  add_field(m.body, "grant_type", grant);
  add_field(m.body, "client_id", client);
  if (grant == "refresh_token") {
    add_field(m.body, "refresh_token", *secret);
    if (client_secret) add_field(m.body, "client_secret", *client_secret);
  } else {
    add_field(m.body, "client_secret", *secret);
  }
  return m;
}

TokenAnswer token_in(long status, const std::string &response) {
  const Json answer = Json::parse(response, nullptr, false);
  if (status == 200 && answer.is_object() && !text_in(answer, "access_token").empty()) {
    const std::string token = text_in(answer, "access_token");
    if (token.find_first_of("\r\n") == std::string::npos) return {token, "", text_in(answer, "refresh_token")};
  }
  std::string why = answer.is_object() ? text_in(answer, "error") : std::string();
  if (why.empty()) return {"", "HTTP " + std::to_string(status), ""};
  if (const std::string more = text_in(answer, "error_description"); !more.empty()) why += ": " + more;
  return {"", why, ""};
}

bool says_expired(const Destination &to, long status, const std::string &response) {
  if (!has_tokens(to) || status != 401) return false;
  const Json answer = Json::parse(response, nullptr, false);
  if (!answer.is_array()) return false;
  for (const Json &one : answer)
    if (one.is_object() && text_in(one, "errorCode") == kExpired) return true;
  return false;
}

} // namespace pql::cli
