// Requests and responses of HTTP/1.1, as far as a small server needs them: whole requests of a few kilobytes, one a
// connection.
// Law: what isn't wholly right is refused.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pql::cli {

constexpr std::size_t kMostRequestHead = 8192, kMostRequestBody = 16384;

struct Request {
  std::string method, path;                   ///< the path without the query, as it was sent
  std::map<std::string, std::string> headers; ///< by their names in small letters
  std::string body;
};

/// How far a request has come.
enum class Arrival { more, done, bad, too_large };

/// Reads a request from what came so far.
std::pair<Arrival, Request> read_request(std::string_view data);

struct Response {
  int status = 200;
  std::string type = "text/html; charset=utf-8", body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// With the headers that keep pages from being framed, sniffed, cached and from leaking where they were.
std::string response_text(const Response &response, bool head_only);

/// The fields of a form (application/x-www-form-urlencoded); the first one of a name counts.
std::map<std::string, std::string> form_fields(std::string_view body);

} // namespace pql::cli
