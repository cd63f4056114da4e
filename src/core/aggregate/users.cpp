#include "core/aggregate/users.hpp"

#include <algorithm>

namespace pql {
namespace {

using Words = std::span<const std::uint64_t>;

constexpr std::size_t size_of(std::size_t words) noexcept { return sizeof(UsersState) + words * sizeof(std::uint64_t); }

const UsersState &read(const State &s) noexcept { return static_cast<const UsersState &>(s); }

bool valid(const State &state) noexcept {
  if (state.size() < sizeof(UsersState) || (state.size() - sizeof(UsersState)) % sizeof(std::uint64_t) != 0 || state.small) return false;
  const UsersState &s = read(state);
  if (s.head.approximate > 1 || std::any_of(s.head.unused, std::end(s.head.unused), [](std::uint8_t b) { return b != 0; })) return false;
  if (s.head.form == DistinctHead::table) return s.open && s.head.size > 0 && is_table(s.head, s.room()); // who aggregates a row has one
  const std::size_t words = settled_words(s.head);
  if (words < 1 || words > s.room().size() || (!s.open && words != s.room().size())) return false;
  return is_settled(s.head, s.room().first(words));
}

const char *differs(const State &a, const State &b) noexcept {
  return read(a).head.approximate == read(b).head.approximate ? nullptr : "settings of \"approximate\"";
}

State *merge(State *into, const State &from, Allocate allocate) {
  return static_cast<UsersState *>(into)->merge(read(from), allocate);
}

UsersState *of_size(const DistinctHead &head, std::size_t words, Allocate allocate) {
  auto *s = make_state<UsersState>(kUsersState, size_of(words), allocate);
  s->head = head;
  return s;
}

State *canonical(const State &state, Allocate allocate) {
  const UsersState &s = read(state);
  UsersState *copy = of_size(s.head, settled_words(s.head), allocate);
  if (s.head.form != DistinctHead::table) {
    std::copy_n(s.room().begin(), copy->room().size(), copy->room().begin());
    return copy;
  }
  std::copy_if(s.room().begin(), s.room().end(), copy->room().begin(), [](std::uint64_t word) { return word != 0; });
  Distinct(copy->head, copy->room()).settle();
  copy->set_size(size_of(copy->head.size));
  return copy;
}

// Registers are letters: there are as many as values of one.
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static_assert(kLetters.size() == kMaxRegister + 1);

void print(const State &state, TextWriter &out) {
  const UsersState &s = read(state);
  out.member("approximate", s.head.approximate);
  out.key("values");
  if (s.head.form == DistinctHead::registers) {
    out.put('"');
    const auto *r = reinterpret_cast<const std::uint8_t *>(s.room().data());
    for (std::size_t i = 0; i < kRegisters; i++) out.put(kLetters[r[i]]);
    out.put('"');
    return;
  }
  for (std::size_t i = 0; i < s.head.size; i++) {
    out.text(i ? ", " : "[");
    out.integer(s.room()[i]);
  }
  out.put(']');
}

State *parse_registers(TextReader &in, Allocate allocate) {
  UsersState *s = of_size({0, DistinctHead::registers, 1}, kExactHashes, allocate);
  const std::string_view letters = in.string(allocate);
  if (letters.size() != kRegisters) return nullptr;
  auto *r = reinterpret_cast<std::uint8_t *>(s->room().data());
  for (const char c : letters) {
    const std::size_t value = kLetters.find(c);
    if (value == kLetters.npos) return nullptr;
    *r++ = static_cast<std::uint8_t>(value);
  }
  return s;
}

State *parse(TextReader &in, Allocate allocate) {
  const std::int64_t approximate = in.member("approximate");
  if (approximate < 0 || approximate > 1) return nullptr;
  in.key("values");
  if (!in.next('[')) return approximate ? parse_registers(in, allocate) : nullptr;
  UsersState *s = of_size({0, DistinctHead::list, static_cast<std::uint8_t>(approximate)}, 8, allocate);
  do {
    if (s->head.size == s->room().size()) s = resized(*s, size_of(s->room().size() * 2), allocate);
    const __int128 word = in.wide();
    if (word < 0 || word > ~std::uint64_t{0}) return nullptr;
    s->room()[s->head.size++] = static_cast<std::uint64_t>(word);
  } while (in.next(','));
  in.expect(']');
  s->set_size(size_of(s->head.size));
  return s;
}

void describe(const State &state, TextWriter &out) {
  const UsersState &s = read(state);
  out.key("approximate");
  out.text(s.head.approximate ? "true" : "false");
  out.key("form");
  out.string(s.head.form == DistinctHead::registers ? "registers" : "hashes");
  out.member("active_users", s.count());
}

} // namespace

constinit const StateKind kUsersState = {21, {"active_users_state"}, valid, differs, merge, canonical, print, parse, describe};

UsersState *UsersState::make(bool approximate, Allocate allocate) {
  UsersState *s = of_size({0, DistinctHead::table, approximate}, Distinct::room_for(1), allocate);
  s->open = 1;
  return s;
}

UsersState *UsersState::wider(Allocate allocate) {
  const std::size_t slots = head.form == DistinctHead::table ? room().size() : settled_words(head);
  UsersState *s = of_size(head, Distinct::room_for(slots + 1), allocate);
  s->open = 1;
  Distinct(s->head, room()).move_to(s->room());
  return s;
}

UsersState *UsersState::add(std::uint64_t scattered, Allocate allocate) {
  UsersState *s = this;
  while (!Distinct(s->head, s->room()).add(scattered)) s = s->wider(allocate);
  s->open = 1;
  return s;
}

UsersState *UsersState::merge(const UsersState &o, Allocate allocate) {
  UsersState *s = this;
  const Words words = o.room().first(o.head.form == DistinctHead::table ? o.room().size() : settled_words(o.head));
  while (!Distinct(s->head, s->room()).merge(o.head, words)) s = s->wider(allocate);
  s->open = 1;
  return s;
}

UsersState *state_of(const MovingDistinct &frame, bool approximate, Allocate allocate) {
  if (approximate && frame.size() > kExactHashes) {
    UsersState *s = of_size({0, DistinctHead::registers, 1}, kExactHashes, allocate);
    frame.each([&](std::uint64_t hash) { Distinct(s->head, s->room()).add(hash); });
    return s;
  }
  UsersState *s = of_size({0, DistinctHead::list, approximate}, frame.size(), allocate);
  frame.each([&](std::uint64_t hash) { s->room()[s->head.size++] = hash; });
  std::sort(s->room().begin(), s->room().end());
  return s;
}

} // namespace pql
