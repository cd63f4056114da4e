// Laws that states of every kind keep, for the properties of each.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/aggregate/state.hpp"
#include "core/base/arena.hpp"
#include "property/any.hpp"

namespace pql {

/// Memory of the current property; forgotten by the next one.
inline thread_local Arena test_arena;
inline void *test_allocate(std::size_t n) { return test_arena.allocate(n); }

inline std::string bytes_of(const StateKind &k, const State &s) {
  RC_ASSERT(is_state(k, s, s.size()));
  const State *c = k.canonical(s, test_allocate);
  RC_ASSERT(is_canonical(k, *c, c->size(), test_allocate));
  return {reinterpret_cast<const char *>(c), c->size()};
}

inline std::string text_of(const StateKind &k, const State &s) {
  TextWriter out(test_allocate);
  print_state(k, s, out);
  return std::string(out.view());
}

/// Aggregates some of the rows, in this order; null when there are none.
using Aggregation = std::function<State *(const std::vector<std::size_t> &)>;

/// Of n rows: any order and any tree of merges gives the same bytes, and they can be printed and read back.
inline void states_keep_their_laws(const StateKind &k, std::size_t n, const Aggregation &of_instants) {
  test_arena.release();
  const Times times = k.name(Times::numbers) ? static_cast<Times>(number(0, 3)) : Times::instants;
  const Aggregation aggregate = [&](const std::vector<std::size_t> &rows) {
    State *s = of_instants(rows);
    if (s) s->set_times(times);
    return s;
  };
  std::vector<std::size_t> all(n);
  for (std::size_t i = 0; i < n; i++) all[i] = i;
  const State *whole = aggregate(all);
  if (!whole) return;
  const std::string expected = bytes_of(k, *whole);

  const std::vector<std::size_t> mixed = shuffled(all);
  RC_ASSERT(bytes_of(k, *aggregate(mixed)) == expected);

  // Split it, make some of the parts canonical, and merge neighbours until one is left.
  std::vector<State *> parts;
  for (std::size_t i = 0; i < n;) {
    const std::size_t size = number<std::size_t>(1, n + 1);
    const std::size_t end = i + size < n ? i + size : n;
    State *s = aggregate({mixed.begin() + static_cast<std::ptrdiff_t>(i), mixed.begin() + static_cast<std::ptrdiff_t>(end)});
    if (s) parts.push_back(one_in(2) ? k.canonical(*s, test_allocate) : s);
    i = end;
  }
  while (parts.size() > 1) {
    const std::size_t i = number<std::size_t>(0, parts.size() - 1);
    RC_ASSERT(!k.differs(*parts[i], *parts[i + 1]));
    const std::string right = bytes_of(k, *parts[i + 1]);
    parts[i] = k.merge(parts[i], *parts[i + 1], test_allocate);
    RC_ASSERT(parts[i]);
    RC_ASSERT(bytes_of(k, *parts[i + 1]) == right);
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
  RC_ASSERT(bytes_of(k, *parts[0]) == expected);

  const State *canonical = k.canonical(*whole, test_allocate);
  const std::string text = text_of(k, *canonical);
  TextReader in(text);
  const State *again = parse_state(k, times, in, test_allocate);
  RC_ASSERT(again && same_bytes(*again, *canonical));
}

} // namespace pql
