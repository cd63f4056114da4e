#include "core/aggregate/text.hpp"

#include <limits>

#include "core/base/instant.hpp"

namespace pql {
namespace {

constexpr char kHex[] = "0123456789abcdef";

int hex(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// At the end of an escape's `u`: a character below 0x80, or -1. Others are written as they are.
int escaped(const char *at, const char *end) noexcept {
  if (end - at < 4) return -1;
  int v = 0;
  for (int i = 0; i < 4; i++) {
    const int digit = hex(at[i]);
    if (digit < 0) return -1;
    v = v * 16 + digit;
  }
  return v > 0 && v < 0x80 ? v : -1; // no text has a zero
}

constexpr char kEscapes[] = "\"\\/bfnrt", kEscaped[] = "\"\\/\b\f\n\r\t";

} // namespace

void TextWriter::grow(std::size_t more) {
  std::size_t wanted = room_ ? room_ * 2 : 256;
  if (wanted < size_ + more) wanted = size_ + more;
  auto *larger = static_cast<char *>(allocate_(wanted));
  if (size_) std::memcpy(larger, data_, size_);
  data_ = larger;
  room_ = wanted;
}

void TextWriter::integer(__int128 v) {
  char digits[48];
  int n = sizeof digits;
  auto rest = v < 0 ? -static_cast<unsigned __int128>(v) : static_cast<unsigned __int128>(v);
  do {
    digits[--n] = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest);
  if (v < 0) digits[--n] = '-';
  text({digits + n, sizeof digits - static_cast<std::size_t>(n)});
}

void TextWriter::string(std::string_view s) {
  put('"');
  for (const char c : s) {
    if (c == '"' || c == '\\') {
      put('\\');
      put(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      text("\\u00");
      put(kHex[c >> 4]);
      put(kHex[c & 15]);
    } else {
      put(c);
    }
  }
  put('"');
}

void TextWriter::member_instant(std::string_view name, Micros at, Times times) {
  if (times == Times::numbers) return member(name, at);
  char copy[64];
  std::size_t n;
  {
    const std::string printed = print_instant(at);
    n = printed.copy(copy, sizeof copy);
  }
  if (times == Times::timestamps && copy[n - 1] == 'Z') n--; // of no time zone
  key(name);
  string({copy, n});
}

void TextWriter::member_length(std::string_view name, Micros length, Times times) {
  if (times == Times::numbers) return member(name, length);
  char copy[128];
  std::size_t n;
  {
    const std::string printed = print_length(length);
    n = printed.copy(copy, sizeof copy);
  }
  key(name);
  string({copy, n});
}

void TextReader::name_is(std::string_view name) noexcept {
  space();
  if (left() < name.size() + 2 || at_[0] != '"' || std::memcmp(at_ + 1, name.data(), name.size()) != 0 || at_[name.size() + 1] != '"')
    return fail();
  at_ += name.size() + 2;
}

bool TextReader::next_member(std::string_view name) noexcept {
  const TextReader before = *this;
  key(name);
  if (ok_) return true;
  *this = before;
  return false;
}

__int128 TextReader::wide() noexcept {
  const bool negative = next('-');
  if (!negative) space();
  unsigned __int128 v = 0;
  const unsigned __int128 most = (static_cast<unsigned __int128>(1) << 127) - (negative ? 0 : 1);
  const char *const first = at_;
  for (; at_ != end_ && *at_ >= '0' && *at_ <= '9'; at_++) {
    const auto digit = static_cast<unsigned>(*at_ - '0');
    if (v > (most - digit) / 10) {
      fail();
      return 0;
    }
    v = v * 10 + digit;
  }
  if (at_ == first) {
    fail();
    return 0;
  }
  return static_cast<__int128>(negative ? -v : v);
}

std::int64_t TextReader::integer() noexcept {
  const __int128 v = wide();
  if (v < std::numeric_limits<std::int64_t>::min() || v > std::numeric_limits<std::int64_t>::max()) {
    fail();
    return 0;
  }
  return static_cast<std::int64_t>(v);
}

std::string_view TextReader::string(Allocate allocate) {
  expect('"');
  const char *close = at_;
  while (close != end_ && *close != '"') close += *close == '\\' && end_ - close > 1 ? 2 : 1;
  if (!ok_ || close == end_) {
    fail();
    return {};
  }
  auto *out = static_cast<char *>(allocate(static_cast<std::size_t>(close - at_) + 1));
  std::size_t n = 0;
  while (at_ != close) {
    const char c = *at_++;
    if (static_cast<unsigned char>(c) < 0x20) {
      fail();
      return {};
    }
    if (c != '\\') {
      out[n++] = c;
      continue;
    }
    const char what = *at_++;
    const char *const simple = what ? std::strchr(kEscapes, what) : nullptr;
    const int code = simple ? kEscaped[simple - kEscapes] : what == 'u' ? escaped(at_, close) : -1;
    if (code < 0) {
      fail();
      return {};
    }
    if (!simple) at_ += 4;
    out[n++] = static_cast<char>(code);
  }
  at_++;
  return {out, n};
}

} // namespace pql
