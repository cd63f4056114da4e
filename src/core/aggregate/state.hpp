// States of aggregates: flat, in one piece of memory each, changed in place, stored as they are.
// Law: equal inputs of an aggregate give equal bytes in the canonical form, whatever their order and however they are split and
// merged; bytes that are no state are told from those that are before anything else reads them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/aggregate/text.hpp"
#include "core/base/time.hpp"

namespace pql {

static_assert(std::endian::native == std::endian::little, "states are stored as they lie in memory");

/// The instants that PostgreSQL has. Numbers keep within them, too.
inline constexpr Micros kFirstInstant = -211'813'488'000 * kSecond, kLastInstant = 9'223'371'331'200 * kSecond - 1;
inline constexpr bool is_instant(Micros t) noexcept { return t >= kFirstInstant && t <= kLastInstant; }

/// What every state begins with. A state is either canonical, or open: it is being aggregated, and may have room to grow and
/// things out of order.
struct alignas(8) State {
  std::uint32_t length; ///< PostgreSQL's length word: the size in bytes, times four
  std::uint8_t kind;    ///< number of its StateKind, never used for another one, and from bit 6 on its Times
  std::uint8_t version; ///< of the layout
  std::uint8_t open;    ///< 1 or, in canonical states, 0
  std::uint8_t small;   ///< the kind's own

  std::size_t size() const noexcept { return length >> 2; }
  void set_size(std::size_t n) noexcept { length = static_cast<std::uint32_t>(n << 2); }
  int number() const noexcept { return kind & 63; }
  Times times() const noexcept { return static_cast<Times>(kind >> 6); }
  void set_times(Times t) noexcept { kind = static_cast<std::uint8_t>(number() | static_cast<int>(t) << 6); }
};

/// One kind of state, as far as it is the same for all. The functions may jump out of Allocate: they hold nothing that has a
/// destructor.
struct StateKind {
  std::uint8_t kind;
  const char *names[3]; ///< of its types in SQL, by their Times; null: there is none, as the kind knows no time

  /// Whether the s.size() bytes, of this kind and version 1, are a state: open or canonical, from anywhere.
  bool (*valid)(const State &s) noexcept;
  /// The setting in which two states differ, so that they can't be merged ("half-lives"), or nothing.
  const char *(*differs)(const State &a, const State &b) noexcept;
  /// Adds what `from` has. Gives `into` or a larger copy; null when a number gets out of range.
  State *(*merge)(State *into, const State &from, Allocate allocate);
  /// A copy in canonical form.
  State *(*canonical)(const State &s, Allocate allocate);
  /// The members after the first of a JSON object, each with ", " before it.
  void (*print)(const State &s, TextWriter &out);
  /// Reads what print wrote. What comes out may still be no valid state; null: not even that.
  State *(*parse)(TextReader &in, Allocate allocate);
  /// As print, for people.
  void (*describe)(const State &s, TextWriter &out);
  /// Whether there are texts in it, which must be right in the database's encoding.
  bool has_texts = false;
  const char *name(Times t) const noexcept { return t <= Times::numbers ? names[static_cast<int>(t)] : nullptr; }

  /// Why two states of the same settings can't be merged all the same: they "overlap in time". Most kinds have no such thing.
  const char *(*clash)(const State &a, const State &b) noexcept = nullptr;
};

/// The kind of that number, or null.
const StateKind *kind_of(int number) noexcept;

/// Whether these bytes (at least a State's, of which `size` are there) are a state of the kind.
inline bool is_state(const StateKind &k, const State &s, std::size_t size) noexcept {
  return size >= sizeof(State) && s.size() == size && s.number() == k.kind && k.name(s.times()) && s.version == 1 && s.open <= 1 && k.valid(s);
}

inline bool same_bytes(const State &a, const State &b) noexcept {
  return a.size() == b.size() && std::memcmp(&a, &b, a.size()) == 0;
}

/// Valid, and canonical: what may come from outside.
inline bool is_canonical(const StateKind &k, const State &s, std::size_t size, Allocate allocate) {
  return is_state(k, s, size) && !s.open && same_bytes(s, *k.canonical(s, allocate));
}

/// {"decay_state": 1, ...}
void print_state(const StateKind &k, const State &s, TextWriter &out);
/// Reads it back, or gives null.
State *parse_state(const StateKind &k, Times times, TextReader &in, Allocate allocate);

/// A new state of `size` bytes, zero but for its header, of instants.
template <class S>
S *make_state(const StateKind &k, std::size_t size, Allocate allocate) {
  auto *s = static_cast<S *>(allocate(size));
  std::memset(static_cast<void *>(s), 0, size);
  s->set_size(size);
  s->kind = k.kind;
  s->version = 1;
  return s;
}

/// A copy with another size: cut, or with zeros at its end.
template <class S>
S *resized(const S &s, std::size_t size, Allocate allocate) {
  auto *copy = static_cast<S *>(allocate(size));
  const std::size_t kept = s.size() < size ? s.size() : size;
  std::memcpy(static_cast<void *>(copy), &s, kept);
  std::memset(reinterpret_cast<char *>(copy) + kept, 0, size - kept);
  copy->set_size(size);
  return copy;
}

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
