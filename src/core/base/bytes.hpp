// Writing and reading versioned binary forms.
// Law: a Reader never reads outside its input; after the first failure it yields zeros and stays failed.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/base/arena.hpp"

namespace pql {

inline constexpr std::size_t kMostOfVarint = 10;

/// Writes a number as a LEB128 varint, and gives what is behind it.
inline char *put_varint(char *at, std::uint64_t v) noexcept {
  for (; v >= 0x80; v >>= 7) *at++ = static_cast<char>(v | 0x80);
  *at++ = static_cast<char>(v);
  return at;
}

/// Appends to a buffer in an arena. Little-endian fixed-width integers, LEB128 varints, length-prefixed strings.
class Writer {
public:
  explicit Writer(Arena &a) : arena_(&a) { out_.reserve(a, 2048); }

  /// Where the next n bytes go at the most: for who writes many small things, and then says up to where.
  char *room(std::size_t n) {
    if (out_.size + n > out_.capacity) out_.reserve(*arena_, (out_.size + n) * 2);
    return out_.data + out_.size;
  }
  void wrote_to(const char *end) noexcept { out_.size = static_cast<std::uint32_t>(end - out_.data); }

  void raw(const void *p, std::size_t n) {
    if (n) std::memcpy(room(n), p, n); // nothing may have no address
    out_.size += static_cast<std::uint32_t>(n);
  }
  /// The first n of 16 bytes, which are copied in one piece.
  void first_of(const unsigned char (&b)[16], std::size_t n) {
    std::memcpy(room(sizeof b), b, sizeof b);
    out_.size += static_cast<std::uint32_t>(n);
  }
  void u8(std::uint8_t v) {
    *room(1) = static_cast<char>(v);
    out_.size++;
  }
  void zeros(std::size_t n) {
    std::memset(room(n), 0, n);
    out_.size += static_cast<std::uint32_t>(n);
  }
  void i64(std::int64_t v) { raw(&v, 8); }
  void varint(std::uint64_t v) {
    if (v < 0x80) [[likely]]
      return u8(static_cast<std::uint8_t>(v));
    wrote_to(put_varint(room(kMostOfVarint), v));
  }
  void zigzag(std::int64_t v) {
    varint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
  }
  /// An instant by its distance from another: near ones are short.
  void time(std::int64_t at, std::int64_t from) {
    zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(at) - static_cast<std::uint64_t>(from)));
  }
  void string(std::string_view s) {
    varint(s.size());
    raw(s.data(), s.size());
  }
  /// Puts the length of what follows in front of it: begin() before it is written, end(begin's result) after.
  std::size_t begin() {
    u8(0);
    return out_.size;
  }
  void end(std::size_t from) {
    std::uint64_t n = out_.size - from;
    out_.data[from - 1] = static_cast<char>(n < 0x80 ? n : n | 0x80);
    for (n >>= 7; n > 0; n >>= 7, from++) out_.insert(*arena_, from, static_cast<char>(n < 0x80 ? n : n | 0x80));
  }
  std::string_view view() const noexcept { return {out_.data, out_.size}; }
  std::size_t size() const noexcept { return out_.size; }

private:
  Arena *arena_;
  Vec<char> out_;
};

/// Validating reader over bytes that may be hostile.
class Reader {
public:
  explicit Reader(std::string_view in) noexcept : at_(in.data()), end_(in.data() + in.size()) {}

  bool ok() const noexcept { return ok_; }
  bool done() const noexcept { return at_ == end_; }
  void fail() noexcept {
    ok_ = false;
    at_ = end_;
  }
  std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  /// What has not been read yet.
  std::string_view rest() const noexcept { return {at_, left()}; }

  void raw(void *p, std::size_t n) noexcept {
    if (n > left()) {
      std::memset(p, 0, n);
      return fail();
    }
    std::memcpy(p, at_, n);
    at_ += n;
  }
  /// Sets the first n of 16 bytes, and some or none of the others.
  void first_of(unsigned char (&b)[16], std::size_t n) noexcept {
    if (n > sizeof b || left() < sizeof b) return n > sizeof b ? fail() : raw(b, n);
    std::memcpy(b, at_, sizeof b);
    at_ += n;
  }
  std::uint8_t u8() noexcept {
    if (at_ < end_) [[likely]]
      return static_cast<std::uint8_t>(*at_++);
    fail();
    return 0;
  }
  /// Passes over bytes that are zero, n at the most. How many there were.
  std::size_t zeros(std::size_t n) noexcept {
    const char *const from = at_, *const last = n < left() ? at_ + n : end_;
    while (at_ < last && *at_ == 0) at_++;
    return static_cast<std::size_t>(at_ - from);
  }
  std::int64_t i64() noexcept {
    std::int64_t v;
    raw(&v, 8);
    return v;
  }
  std::uint64_t varint() noexcept {
    std::uint64_t v = u8();
    if (v < 0x80) [[likely]]
      return v;
    v &= 0x7f;
    for (int shift = 7; shift < 64; shift += 7) {
      std::uint8_t b = u8();
      v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
      if (!(b & 0x80)) return v;
    }
    fail();
    return 0;
  }
  std::int64_t zigzag() noexcept {
    std::uint64_t v = varint();
    return static_cast<std::int64_t>((v >> 1) ^ (~(v & 1) + 1));
  }
  std::int64_t time(std::int64_t from) noexcept {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(from) + static_cast<std::uint64_t>(zigzag()));
  }
  /// A count of things of at least `each` bytes: refused when the rest of the input can't hold them.
  std::size_t count(std::size_t each) noexcept {
    std::uint64_t n = varint();
    if (n > left() / (each ? each : 1)) {
      fail();
      return 0;
    }
    return static_cast<std::size_t>(n);
  }
  std::string_view string() noexcept {
    std::size_t n = count(1);
    if (!ok_) return {};
    std::string_view s{at_, n};
    at_ += n;
    return s;
  }

private:
  const char *at_, *end_;
  bool ok_ = true;
};

} // namespace pql
