#include "core/aggregate/decayed.hpp"
#include "core/aggregate/state.hpp"

namespace pql {
namespace {

// By their numbers, which are stored: never used again, never changed.
constexpr const StateKind *kKinds[] = {nullptr, &kDecayState};

} // namespace

const StateKind *kind_of(std::uint8_t kind) noexcept {
  return kind < std::size(kKinds) ? kKinds[kind] : nullptr;
}

void print_state(const StateKind &k, const State &s, TextWriter &out) {
  out.put('{');
  out.string(k.name);
  out.text(": 1");
  k.print(s, out);
  out.put('}');
}

State *parse_state(const StateKind &k, TextReader &in, Allocate allocate) {
  in.expect('{');
  in.name_is(k.name);
  in.expect(':');
  if (in.integer() != 1) return nullptr;
  State *s = k.parse(in, allocate);
  in.expect('}');
  return s && in.done() ? s : nullptr;
}

} // namespace pql
