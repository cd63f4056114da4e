#include "cli/serve/http.hpp"

#include <algorithm>
#include <charconv>

#include "cli/base/text.hpp"

namespace pql::cli {
namespace {

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

int digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      plain += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      plain += text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

const char *reason_of(int status) noexcept {
  switch (status) {
  case 200:
    return "OK";
  case 400:
    return "Bad Request";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 408:
    return "Request Timeout";
  case 409:
    return "Conflict";
  case 410:
    return "Gone";
  case 413:
    return "Content Too Large";
  case 503:
    return "Service Unavailable";
  default:
    return "Error";
  }
}

} // namespace

std::pair<Arrival, Request> read_request(std::string_view data) {
  Request r;
  const std::size_t head = data.find("\r\n\r\n");
  if (head == std::string_view::npos) return {data.size() > kMostRequestHead ? Arrival::too_large : Arrival::more, r};
  if (head > kMostRequestHead) return {Arrival::too_large, r};
  std::string_view lines = data.substr(0, head);
  const auto next_line = [&lines] {
    const std::size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 2);
    return line;
  };
  const std::string_view first = next_line();
  const std::size_t one = first.find(' '), two = first.rfind(' ');
  if (one == std::string_view::npos || two == one) return {Arrival::bad, r};
  const std::string_view target = first.substr(one + 1, two - one - 1), version = first.substr(two + 1);
  if (!is_token(first.substr(0, one)) || !is_printable(target) || !target.starts_with('/') ||
      (version != "HTTP/1.1" && version != "HTTP/1.0"))
    return {Arrival::bad, r};
  r.method = first.substr(0, one);
  r.path = target.substr(0, target.find('?'));
  while (!lines.empty()) {
    const std::string_view line = next_line();
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return {Arrival::bad, r};
    const auto [at, is_new] =
        r.headers.emplace(lowered(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1))));
    if (!is_new && (at->first == "content-length" || at->first == "host")) return {Arrival::bad, r};
  }
  if (r.headers.contains("transfer-encoding")) return {Arrival::bad, r};
  std::size_t length = 0;
  if (const auto said = r.headers.find("content-length"); said != r.headers.end()) {
    const std::string &text = said->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (error == std::errc::result_out_of_range) return {Arrival::too_large, r};
    if (error != std::errc() || end != text.data() + text.size()) return {Arrival::bad, r};
  }
  if (length > kMostRequestBody) return {Arrival::too_large, r};
  if (data.size() - head - 4 < length) return {Arrival::more, r};
  r.body = data.substr(head + 4, length);
  return {Arrival::done, std::move(r)};
}

std::string response_text(const Response &response, bool head_only) {
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + " " + reason_of(response.status) + "\r\n";
  const auto header = [&text](std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(value).append("\r\n");
  };
  header("Content-Type", response.type);
  header("Content-Length", std::to_string(response.body.size()));
  header("Connection", "close");
  header("Cache-Control", "no-store");
  header("Content-Security-Policy",
         "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
  header("Referrer-Policy", "no-referrer");
  header("X-Content-Type-Options", "nosniff");
  header("X-Frame-Options", "DENY");
  header("X-Robots-Tag", "noindex");
  for (const auto &[name, value] : response.headers) header(name, value);
  text += "\r\n";
  return head_only ? text : text + response.body;
}

std::map<std::string, std::string> form_fields(std::string_view body) {
  std::map<std::string, std::string> fields;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('&'), body.size());
    const std::string_view field = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    const std::size_t equals = std::min(field.find('='), field.size());
    fields.emplace(decoded(field.substr(0, equals)), decoded(field.substr(std::min(equals + 1, field.size()))));
  }
  return fields;
}

} // namespace pql::cli
