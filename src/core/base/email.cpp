#include "core/base/email.hpp"

#include <algorithm>

namespace pql {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_local(std::string_view s) noexcept {
  constexpr std::size_t kMost = 64;
  return !s.empty() && s.size() <= kMost && s.find_first_of("@<>()[],;:\\\"") == s.npos &&
         std::ranges::none_of(s, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 127; });
}

bool is_label(std::string_view s) noexcept {
  constexpr std::size_t kMost = 63;
  return !s.empty() && s.size() <= kMost && s.front() != '-' && s.back() != '-' &&
         std::ranges::all_of(s, [](char c) { return is_digit(c) || is_letter(c) || c == '-'; });
}

bool is_domain(std::string_view s) noexcept {
  constexpr std::size_t kMost = 253;
  if (s.size() > kMost || s.find('.') == s.npos) return false;
  for (std::size_t from = 0;;) {
    const std::size_t dot = std::min(s.find('.', from), s.size());
    const std::string_view label = s.substr(from, dot - from);
    if (!is_label(label)) return false;
    if (dot == s.size()) return !std::ranges::all_of(label, is_digit); // an address of the internet's is no name
    from = dot + 1;
  }
}

} // namespace

std::string email_domain(std::string_view address) {
  const std::size_t at = address.rfind('@');
  if (at == address.npos || !is_local(address.substr(0, at)) || !is_domain(address.substr(at + 1))) return {};
  std::string out(address.substr(at + 1));
  for (char &c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

} // namespace pql
