// What is posted to each kind of destination, made from what the database says of a delivery.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/base/output.hpp"

namespace pql::cli {

/// A row of pql.destination.
struct Destination {
  std::string name, kind;
  std::optional<std::string> url;
  Json settings;
  std::string secret_name;
  double timeout = 10; ///< seconds
  int max_attempts = 1;
};

/// What pql.claim_deliveries gave.
struct Delivery {
  std::int64_t id = 0;
  std::string key, event;
  int attempt = 1;
  std::int64_t routing_id = 0;
  std::string owner; ///< "" if it is nobody's
  Json payload;
};

/// Where a rep answers; empty ones are left out.
struct ReplyLinks {
  std::string accept, decline, dispose;
  bool empty() const { return accept.empty() && decline.empty() && dispose.empty(); }
};

/// A request, whole but for the signature, which needs the instant.
struct Message {
  std::string method = "POST", url, body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool sign = false; ///< as Standard Webhooks are
};

/// Anything as a part of a path, or a value of a form.
std::string url_encoded(const std::string &text);
/// The url without slashes at its end.
std::string base_of(const Destination &to);

/// The message of a delivery. Throws Failure if settings or the secret are not enough for one.
Message message_for(const Destination &to, const Delivery &d, const std::optional<std::string> &secret,
                    const ReplyLinks &links);

/// What must follow once the first one was taken: in HubSpot, a task's link to its company. Nothing mostly.
std::optional<Message> follow_up(const Destination &to, const Delivery &d, const std::optional<std::string> &secret,
                                 const std::string &response);

/// What a response of status 2xx says went wrong all the same (Slack's API answers so); empty: nothing.
std::string refusal_in(const Destination &to, const std::string &response);

} // namespace pql::cli
