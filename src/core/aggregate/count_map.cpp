#include "core/aggregate/count_map.hpp"

#include <algorithm>

#include "core/base/hash.hpp"

namespace pql {
namespace {

using Entry = CountMapState::Entry;

const CountMapState &read(const State &s) noexcept { return static_cast<const CountMapState &>(s); }

constexpr std::size_t size_of(std::size_t room, std::size_t slots, std::size_t bytes) noexcept {
  return sizeof(CountMapState) + room * sizeof(Entry) + slots * sizeof(std::uint32_t) + bytes;
}

std::size_t bytes_of(const CountMapState &m) noexcept { return m.size() - size_of(m.room, m.slots, 0); }

// Where the key is in the table, or would be.
std::uint32_t slot_of(const CountMapState &m, std::string_view key) noexcept {
  const std::uint32_t mask = m.slots - 1;
  auto i = static_cast<std::uint32_t>(hash_of(key, 0)) & mask;
  for (;; i = (i + 1) & mask) {
    const std::uint32_t number = m.table()[i];
    if (!number || m.key(m.entries()[number - 1]) == key) return i;
  }
}

void append(CountMapState &m, std::uint32_t &slot, std::string_view key, std::int64_t sum) noexcept {
  m.entries()[m.count] = {sum, m.used, static_cast<std::uint32_t>(key.size())};
  if (!key.empty()) std::memcpy(m.keys() + m.used, key.data(), key.size());
  m.used += static_cast<std::uint32_t>(key.size());
  slot = ++m.count;
}

// A copy with room for as many keys again and one of that length, without those whose sum is zero.
CountMapState *with_room(const CountMapState &m, std::size_t length, Allocate allocate) {
  std::size_t live = 1, bytes = length;
  for (std::uint32_t i = 0; i < m.count; i++) {
    if (m.entries()[i].sum == 0) continue;
    live++;
    bytes += m.entries()[i].length;
  }
  const std::size_t room = live * 2, slots = std::bit_ceil(room * 2);
  auto *copy = make_state<CountMapState>(kCountMapState, size_of(room, slots, (bytes * 2 + 7) & ~std::size_t{7}), allocate);
  copy->open = 1;
  copy->room = static_cast<std::uint32_t>(room);
  copy->slots = static_cast<std::uint32_t>(slots);
  for (std::uint32_t i = 0; i < m.count; i++) {
    const Entry &e = m.entries()[i];
    if (e.sum) append(*copy, copy->table()[slot_of(*copy, m.key(e))], m.key(e), e.sum);
  }
  return copy;
}

bool valid(const State &s) noexcept {
  if (s.size() < sizeof(CountMapState) || s.small) return false;
  const CountMapState &m = read(s);
  if (m.count > m.room || (m.slots && (!std::has_single_bit(m.slots) || m.slots < 2 * std::size_t{m.room}))) return false;
  if (m.size() < size_of(m.room, m.slots, 0) || m.used > bytes_of(m)) return false;
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; i < m.count; i++) {
    const Entry &e = m.entries()[i];
    bytes += e.length;
    if (e.offset > m.used || e.length > m.used - e.offset || m.key(e).find('\0') != std::string_view::npos) return false;
    if (!s.open && i && m.key(m.entries()[i - 1]) >= m.key(e)) return false; // a key twice has no canonical form
  }
  if (bytes != m.used) return false;
  std::uint32_t taken = 0;
  for (std::uint32_t i = 0; i < m.slots; i++) {
    if (m.table()[i] > m.count) return false;
    taken += m.table()[i] != 0;
  }
  if (!s.open || !m.slots) return !s.open && !m.slots;
  if (taken != m.count || taken == m.slots) return false;
  for (std::uint32_t i = 0; i < m.count; i++) { // each is found, so that none is there twice
    if (m.table()[slot_of(m, m.key(m.entries()[i]))] != i + 1) return false;
  }
  return true;
}

const char *differs(const State &, const State &) noexcept { return nullptr; }

State *merge(State *into, const State &from, Allocate allocate) {
  auto *m = static_cast<CountMapState *>(into);
  for (std::uint32_t i = 0; m && i < read(from).count; i++) {
    const Entry &e = read(from).entries()[i];
    m = m->add(read(from).key(e), e.sum, allocate);
  }
  return m;
}

State *canonical(const State &s, Allocate allocate) {
  const CountMapState &m = read(s);
  auto *sorted = static_cast<Entry *>(allocate(m.count * sizeof(Entry) + 1));
  Entry *const end = std::copy_if(m.entries(), m.entries() + m.count, sorted, [](const Entry &e) { return e.sum != 0; });
  if (s.open) std::sort(sorted, end, [&](const Entry &a, const Entry &b) { return m.key(a) < m.key(b); });
  std::size_t bytes = 0;
  for (const Entry *e = sorted; e != end; e++) bytes += e->length;
  const auto n = static_cast<std::size_t>(end - sorted);
  auto *copy = make_state<CountMapState>(kCountMapState, size_of(n, 0, bytes), allocate);
  copy->room = static_cast<std::uint32_t>(n);
  for (const Entry *e = sorted; e != end; e++) {
    std::uint32_t no_slot;
    append(*copy, no_slot, m.key(*e), e->sum);
  }
  return copy;
}

void print(const State &s, TextWriter &out) {
  out.key("counts");
  out.put('{');
  for (std::uint32_t i = 0; i < read(s).count; i++) {
    if (i) out.text(", ");
    out.string(read(s).key(read(s).entries()[i]));
    out.text(": ");
    out.integer(read(s).entries()[i].sum);
  }
  out.put('}');
}

State *parse(TextReader &in, Allocate allocate) {
  in.key("counts");
  in.expect('{');
  CountMapState *m = CountMapState::make(allocate);
  if (in.next('}')) return canonical(*m, allocate);
  std::string_view before;
  do {
    const std::string_view key = in.string(allocate);
    in.expect(':');
    const std::int64_t sum = in.integer();
    if (!in.ok() || sum == 0 || (m->count && before >= key)) return nullptr; // only what print would write again
    m = m->add(key, sum, allocate);
    before = key;
  } while (in.next(','));
  in.expect('}');
  return canonical(*m, allocate);
}

void describe(const State &s, TextWriter &out) { out.member("keys", read(s).count); }

} // namespace

constinit const StateKind kCountMapState = {3, {"count_map_state"}, valid, differs, merge, canonical, print, parse, describe, true};

CountMapState *CountMapState::make(Allocate allocate) {
  constexpr std::size_t room = 6, slots = 16, bytes = 72; // 256 bytes: PostgreSQL's chunks are powers of two
  auto *m = make_state<CountMapState>(kCountMapState, size_of(room, slots, bytes), allocate);
  m->open = 1;
  m->room = room;
  m->slots = slots;
  return m;
}

CountMapState *CountMapState::add(std::string_view key, std::int64_t n, Allocate allocate) noexcept {
  CountMapState *m = slots ? this : with_room(*this, key.size(), allocate); // a canonical one has no table
  std::uint32_t *slot = &m->table()[slot_of(*m, key)];
  if (*slot) {
    std::int64_t &sum = m->entries()[*slot - 1].sum;
    return __builtin_add_overflow(sum, n, &sum) ? nullptr : m;
  }
  if (m->count == m->room || m->used + key.size() > bytes_of(*m)) {
    m = with_room(*m, key.size(), allocate);
    slot = &m->table()[slot_of(*m, key)];
  }
  append(*m, *slot, key, n);
  return m;
}

std::int64_t sum_of(const CountMapState &s, std::string_view key) noexcept {
  const Entry *const end = s.entries() + s.count;
  const Entry *const e = std::lower_bound(s.entries(), end, key, [&](const Entry &a, std::string_view k) { return s.key(a) < k; });
  return e != end && s.key(*e) == key ? e->sum : 0;
}

} // namespace pql
