// The text form of states: JSON with its members in a fixed order.
// Law: what the writer wrote the reader reads back; the reader never reads outside its input, and after the first failure it
// yields zeros and stays failed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/base/time.hpp"

namespace pql {

/// Gets memory that somebody else frees. In the backend it jumps out when there is none: whoever calls it holds nothing that has
/// a destructor.
using Allocate = void *(*)(std::size_t bytes);

/// Appends to a buffer.
class TextWriter {
public:
  explicit TextWriter(Allocate allocate) : allocate_(allocate) {}

  void put(char c) {
    if (size_ == room_) grow(1);
    data_[size_++] = c;
  }
  void text(std::string_view s) {
    if (s.empty()) return;
    if (s.size() > room_ - size_) grow(s.size());
    std::memcpy(data_ + size_, s.data(), s.size());
    size_ += s.size();
  }
  void integer(__int128 v);
  /// In quotes.
  void string(std::string_view s);
  /// , "name": (the first member of all is the caller's)
  void key(std::string_view name) {
    text(", ");
    string(name);
    text(": ");
  }
  void member(std::string_view name, __int128 v) {
    key(name);
    integer(v);
  }
  /// For people: these two take memory of C++.
  void member_instant(std::string_view name, Micros at, Times times);
  void member_length(std::string_view name, Micros length, Times times);

  std::string_view view() const noexcept { return {data_, size_}; }
  /// The text with a zero at its end.
  char *c_str() {
    put('\0');
    size_--;
    return data_;
  }

private:
  void grow(std::size_t more);

  Allocate allocate_;
  char *data_ = nullptr;
  std::size_t size_ = 0, room_ = 0;
};

/// Reads JSON token by token.
class TextReader {
public:
  explicit TextReader(std::string_view in) noexcept : at_(in.data()), end_(in.data() + in.size()) {}

  bool ok() const noexcept { return ok_; }
  void fail() noexcept {
    ok_ = false;
    at_ = end_;
  }
  /// Whether nothing follows.
  bool done() noexcept {
    space();
    return ok_ && at_ == end_;
  }
  /// Whether this comes next; if so it is read.
  bool next(char c) noexcept {
    space();
    if (at_ == end_ || *at_ != c) return false;
    at_++;
    return true;
  }
  void expect(char c) noexcept {
    if (!next(c)) fail();
  }
  /// , "name":
  void key(std::string_view name) noexcept {
    expect(',');
    name_is(name);
    expect(':');
  }
  void name_is(std::string_view name) noexcept;
  /// As key, for one that may be left out: whether it is there.
  bool next_member(std::string_view name) noexcept;
  __int128 wide() noexcept;
  std::int64_t integer() noexcept;
  std::int64_t member(std::string_view name) noexcept {
    key(name);
    return integer();
  }
  /// A string, unescaped into memory of its own.
  std::string_view string(Allocate allocate);
  /// Bytes not read yet: more elements than that can't follow.
  std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

private:
  void space() noexcept {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) at_++;
  }

  const char *at_, *end_;
  bool ok_ = true;
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
