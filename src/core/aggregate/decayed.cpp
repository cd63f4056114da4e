#include "core/aggregate/decayed.hpp"

#include <algorithm>

namespace pql {
namespace {

constexpr std::size_t size_of(std::int64_t blocks) noexcept {
  return sizeof(DecayState) + static_cast<std::size_t>(blocks) * sizeof(DecayState::Block);
}

const DecayState &read(const State &s) noexcept { return static_cast<const DecayState &>(s); }

bool valid(const State &s) noexcept {
  if (s.size() < sizeof(DecayState) || s.open) return false; // always canonical, but for blocks that hold nothing
  const DecayState &d = read(s);
  if (d.small < 1 || d.small > Decay::kBlocks || d.size() != size_of(d.small)) return false;
  if (!is_half_life(d.half_life, d.times()) || !is_instant(d.newest)) return false;
  if (d.top != block_of(d.newest, d.half_life * kBlockHalfLives)) return false;
  return std::all_of(d.blocks(), d.blocks() + d.small, [](const DecayState::Block &b) { return b.count.hi >= 0; });
}

const char *differs(const State &a, const State &b) noexcept {
  return read(a).half_life == read(b).half_life ? nullptr : "half-lives";
}

State *merge(State *into, const State &from, Allocate allocate) {
  return static_cast<DecayState *>(into)->merge(read(from), allocate);
}

// Without the oldest blocks that hold nothing: where they were depends on what has come and gone.
State *canonical(const State &s, Allocate allocate) {
  const DecayState &d = read(s);
  int n = d.small;
  while (n > 1 && d.blocks()[n - 1].empty()) n--;
  DecayState *copy = resized(d, size_of(n), allocate);
  copy->small = static_cast<std::uint8_t>(n);
  return copy;
}

void print(const State &s, TextWriter &out) {
  const DecayState &d = read(s);
  out.member("half_life", d.half_life);
  out.member("newest", d.newest);
  out.key("blocks");
  for (int i = 0; i < d.small; i++) {
    out.text(i ? ", [" : "[[");
    out.integer(d.blocks()[i].sum.value());
    out.text(", ");
    out.integer(d.blocks()[i].count.value());
    out.put(']');
  }
  out.put(']');
}

State *parse(TextReader &in, Allocate allocate) {
  const Micros half_life = in.member("half_life"), newest = in.member("newest");
  if (half_life < 1 || half_life > kMaxNumberHalfLife || !is_instant(newest)) return nullptr;
  DecayState::Block blocks[Decay::kBlocks];
  int n = 0;
  in.key("blocks");
  in.expect('[');
  do {
    if (n == Decay::kBlocks) return nullptr;
    in.expect('[');
    blocks[n].sum = Wide::of(in.wide());
    in.expect(',');
    blocks[n++].count = Wide::of(in.wide());
    in.expect(']');
  } while (in.next(','));
  in.expect(']');
  DecayState *d = DecayState::make(half_life, newest, n, allocate);
  std::copy_n(blocks, n, d->blocks());
  return d;
}

void describe(const State &s, TextWriter &out) {
  out.member_length("half_life", read(s).half_life, s.times());
  out.member_instant("last_seen", read(s).newest, s.times());
}

} // namespace

constinit const StateKind kDecayState = {1, {"decay_state", "decay_timestamp_state", "decay_bigint_state"}, valid, differs, merge, canonical, print, parse, describe};

DecayState *DecayState::make(Micros half_life, Micros newest, int blocks, Allocate allocate) {
  return make(half_life, newest, block_of(newest, half_life * kBlockHalfLives), blocks, allocate);
}

DecayState *DecayState::make(Micros half_life, Micros newest, std::int64_t top, int blocks, Allocate allocate) {
  auto *s = make_state<DecayState>(kDecayState, size_of(blocks), allocate);
  s->small = static_cast<std::uint8_t>(blocks);
  s->half_life = half_life;
  s->newest = newest;
  s->top = top;
  return s;
}

// Moves the blocks so that both are among them; the oldest falls out, though, where there would be more than four.
DecayState *DecayState::fit(std::int64_t newest_block, std::int64_t oldest_block, Allocate allocate) noexcept {
  const std::int64_t to = std::max(top, newest_block);
  const std::int64_t from = std::max(std::min(top - small + 1, oldest_block), to - Decay::kBlocks + 1);
  const auto n = static_cast<int>(to - from + 1), by = static_cast<int>(std::min<std::int64_t>(to - top, Decay::kBlocks));
  if (n == small && by == 0) return this;
  const int held = small;
  DecayState *s = n > held ? resized(*this, size_of(n), allocate) : this;
  for (int i = n - 1; i >= 0; i--) s->blocks()[i] = i >= by && i - by < held ? s->blocks()[i - by] : Block{};
  s->top = to;
  s->small = static_cast<std::uint8_t>(n);
  return s;
}

// In another block than the newest, where most rows are.
DecayState *DecayState::add_elsewhere(Micros t, const Weight &weight, double v, int sign, Allocate allocate) noexcept {
  DecayState *s = fit(weight.block(), weight.block(), allocate);
  if (s->top - weight.block() >= s->small) return s; // weighs less than 2^-96
  if (t > s->newest) s->newest = t;
  return s->blocks()[s->top - weight.block()].add(weight, v, sign) ? s : nullptr;
}

DecayState *DecayState::merge(const DecayState &o, Allocate allocate) noexcept {
  DecayState *s = fit(o.top, o.top - o.small + 1, allocate);
  s->newest = std::max(s->newest, o.newest);
  for (int i = 0; i < o.small; i++) {
    const std::int64_t at = s->top - (o.top - i);
    if (at >= s->small) break;
    Block &b = s->blocks()[at];
    if (!add_to(b.sum, o.blocks()[i].sum.value()) || !add_to(b.count, o.blocks()[i].count.value())) return nullptr;
  }
  return s;
}

double DecayState::sum_at(Micros as_of) const noexcept {
  double total = 0;
  for (int i = 0; i < small; i++) total += decayed(blocks()[i].sum.value(), top - i, half_life, as_of);
  return total;
}

double DecayState::count_at(Micros as_of) const noexcept {
  double total = 0;
  for (int i = 0; i < small; i++) total += decayed(blocks()[i].count.value(), top - i, half_life, as_of);
  return total;
}

} // namespace pql
