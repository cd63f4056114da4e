// Any bytes and any text as states of aggregates, two of them merged.
// Law: what is no state is refused; what is one can be described, merged with another, made canonical, printed and read again.
#include "core/aggregate/state.hpp"

#include <cstdint>
#include <cstdlib>

#include "core/base/arena.hpp"

namespace {

using namespace pql;

Arena arena;
void *allocate(std::size_t n) { return arena.allocate(n); }

void require(bool holds) {
  if (!holds) std::abort();
}

const State *checked(const StateKind &k, const State *s) {
  require(is_state(k, *s, s->size()));
  const State *c = k.canonical(*s, allocate);
  require(is_canonical(k, *c, c->size(), allocate));
  TextWriter text(allocate), people(allocate);
  print_state(k, *c, text);
  k.describe(*c, people);
  TextReader in(text.view());
  const State *again = parse_state(k, s->times(), in, allocate);
  require(again && same_bytes(*again, *c));
  return s;
}

// As the database takes it: canonical only from outside; open ones (from other processes) are safe at least.
const State *take(const StateKind &k, Times times, std::string_view in) {
  if (!in.empty() && in[0] == '{') {
    TextReader text(in);
    const State *s = parse_state(k, times, text, allocate);
    return s && is_canonical(k, *s, s->size(), allocate) ? checked(k, s) : nullptr;
  }
  auto *s = static_cast<State *>(allocate(sizeof(State) + in.size()));
  std::memset(s, 0, sizeof(State));
  s->set_size(sizeof(State::length) + in.size());
  if (!in.empty()) std::memcpy(reinterpret_cast<char *>(s) + sizeof(State::length), in.data(), in.size());
  return is_state(k, *s, s->size()) ? checked(k, s) : nullptr;
}

} // namespace

// The kind (a letter, from 'A' = 1 on; small: of timestamps; bytes from 0x81 on: of numbers), then two states, the first one's
// length before it in two digits of base 64.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  arena.release();
  if (size < 3) return 0;
  const StateKind *k = kind_of(data[0] & 31);
  const auto times = static_cast<Times>(((data[0] >> 5) + 2) & 3); // 'A' is 0x41, 'a' 0x61
  if (!k || !k->name(times)) return 0;
  const std::string_view in(reinterpret_cast<const char *>(data) + 3, size - 3);
  const std::size_t first = static_cast<std::size_t>((data[1] - '0') & 63) * 64 + static_cast<std::size_t>((data[2] - '0') & 63);
  const State *a = take(*k, times, in.substr(0, first)), *b = first < in.size() ? take(*k, times, in.substr(first)) : nullptr;
  if (!a || !b || a->times() != b->times() || k->differs(*a, *b) || (k->clash && k->clash(*a, *b))) return 0;
  if (const State *ab = k->merge(resized(*a, a->size(), allocate), *b, allocate)) {
    checked(*k, ab);
    const State *ba = k->merge(resized(*b, b->size(), allocate), *a, allocate);
    require(ba && same_bytes(*k->canonical(*ab, allocate), *k->canonical(*ba, allocate)));
  }
  return 0;
}
