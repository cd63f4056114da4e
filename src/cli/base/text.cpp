#include "cli/base/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>

#include <utf8proc.h>

namespace pql::cli {
namespace {

template <class... A> std::string printed(const char *format, A... arguments) {
  std::array<char, 64> text{};
  const int n = std::snprintf(text.data(), text.size(), format, arguments...);
  return {text.data(), static_cast<std::size_t>(std::clamp(n, 0, static_cast<int>(text.size()) - 1))};
}

} // namespace

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string counted(std::int64_t number, std::string_view one, std::string_view many) {
  return grouped(number) + " " + std::string(number == 1 ? one : many);
}

std::string size_text(double bytes) {
  static constexpr std::array<const char *, 6> kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  for (; bytes >= 999.5 && unit + 1 < kUnits.size(); unit++) bytes /= 1000;
  if (unit == 0) return printed("%.0f B", bytes);
  return printed(bytes < 9.95 ? "%.1f %s" : "%.0f %s", bytes, kUnits[unit]);
}

std::string span_text(double seconds) {
  if (seconds < 9.95) return printed("%.1f s", std::max(0.0, seconds));
  const auto s = static_cast<long long>(std::llround(std::min(seconds, 1e15)));
  if (s < 60) return printed("%lld s", s);
  if (s < 3600) return printed("%lld min %02lld s", s / 60, s % 60);
  if (s < 86400) return printed("%lld h %02lld min", s / 3600, s % 3600 / 60);
  return printed("%lld d %lld h", s / 86400, s % 86400 / 3600);
}

std::string rate_text(double per_second) {
  if (per_second < 999.5) return printed(per_second < 9.95 ? "%.1f/s" : "%.0f/s", per_second);
  if (per_second < 999500) return printed("%.1fk/s", per_second / 1000);
  return printed("%.1fM/s", per_second / 1e6);
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string lowered(std::string_view text) {
  std::string small(text);
  for (char &c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return small;
}

const char *text_problem(std::string_view text) noexcept {
  const auto *p = reinterpret_cast<const utf8proc_uint8_t *>(text.data());
  const auto *const end = p + text.size();
  while (p < end) {
    std::uint64_t eight = 0;
    if (end - p >= 8) {
      std::memcpy(&eight, p, 8);
      const bool ascii = (eight & 0x8080808080808080u) == 0;
      const bool no_zero = ((eight - 0x0101010101010101u) & ~eight & 0x8080808080808080u) == 0;
      if (ascii && no_zero) {
        p += 8;
        continue;
      }
    }
    if (*p == 0) return "a NUL byte";
    if (*p < 0x80) {
      p++;
      continue;
    }
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t n = utf8proc_iterate(p, end - p, &point);
    if (n <= 0) return "invalid UTF-8";
    p += n;
  }
  return nullptr;
}

std::string one_line(std::string_view text, std::size_t most) {
  std::string line;
  for (const char c : text.substr(0, most)) line += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
  if (text.size() > most) // perhaps within a character
    for (int i = 0; i < 3 && text_problem(line) != nullptr; i++) line.pop_back();
  if (text_problem(line) != nullptr)
    for (char &c : line)
      if ((static_cast<unsigned char>(c) & 0x80) != 0) c = '?';
  return std::string(trimmed(line));
}

std::string html_text(std::string_view text) {
  std::string made;
  made.reserve(text.size());
  for (const char c : text) {
    switch (c) {
    case '&':
      made += "&amp;";
      break;
    case '<':
      made += "&lt;";
      break;
    case '>':
      made += "&gt;";
      break;
    case '"':
      made += "&quot;";
      break;
    case '\'':
      made += "&#39;";
      break;
    default:
      if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
        made += "\xEF\xBF\xBD"; // no document may hold it
      else
        made += c;
    }
  }
  return made;
}

} // namespace pql::cli
