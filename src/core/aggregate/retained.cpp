#include "core/aggregate/retained.hpp"

#include <algorithm>

namespace pql {

// --- retention_agg --------------------------------------------------------------------------------------------------------

namespace {

const RetentionState &retention(const State &s) noexcept { return static_cast<const RetentionState &>(s); }

constexpr std::uint32_t lowest(int n) noexcept { return n >= 32 ? ~0u : (1u << n) - 1; }

bool retention_valid(const State &s) noexcept {
  return s.size() == sizeof(RetentionState) && s.small >= 1 && s.small <= 32 && !(retention(s).seen & ~lowest(s.small)) &&
         retention(s).unused == 0 && !s.open;
}

const char *retention_differs(const State &a, const State &b) noexcept {
  return a.small == b.small ? nullptr : "numbers of conditions";
}

State *retention_merge(State *into, const State &from, Allocate) {
  static_cast<RetentionState *>(into)->seen |= retention(from).seen;
  return into;
}

State *retention_canonical(const State &s, Allocate allocate) { return resized(s, s.size(), allocate); }

void retention_print(const State &s, TextWriter &out) {
  out.key("seen");
  out.put('[');
  for (int i = 0; i < s.small; i++) {
    if (i) out.text(", ");
    out.put(retention(s).seen >> i & 1 ? '1' : '0');
  }
  out.put(']');
}

State *retention_parse(TextReader &in, Allocate allocate) {
  in.key("seen");
  in.expect('[');
  std::uint32_t seen = 0;
  int n = 0;
  do {
    const std::int64_t bit = in.integer();
    if (n == 32 || bit < 0 || bit > 1) return nullptr;
    seen |= static_cast<std::uint32_t>(bit) << n++;
  } while (in.next(','));
  in.expect(']');
  return RetentionState::make(n, seen, allocate);
}

void retention_describe(const State &s, TextWriter &out) { out.member("conditions", s.small); }

} // namespace

constinit const StateKind kRetentionState = {4, {"retention_state"}, retention_valid, retention_differs, retention_merge,
                                             retention_canonical, retention_print, retention_parse, retention_describe};

RetentionState *RetentionState::make(int conditions, std::uint32_t seen, Allocate allocate) {
  auto *s = make_state<RetentionState>(kRetentionState, sizeof(RetentionState), allocate);
  s->small = static_cast<std::uint8_t>(conditions);
  s->seen = seen;
  return s;
}

// --- cohort_retention_agg -------------------------------------------------------------------------------------------------

namespace {

constexpr std::size_t size_of(std::size_t words) noexcept { return sizeof(CohortState) + words * sizeof(CohortState::Word); }

const CohortState &cohort(const State &s) noexcept { return static_cast<const CohortState &>(s); }

// Periods of instants lie within these words, however short they are.
constexpr std::int64_t kFirstWord = -(std::int64_t{1} << 52), kLastWord = (std::int64_t{1} << 57) - 1;

bool cohort_valid(const State &s) noexcept {
  if (s.size() < sizeof(CohortState) || s.small) return false;
  const CohortState &c = cohort(s);
  if (c.size() != size_of(c.room()) || c.count > c.room() || c.unused || !is_period(c.period, c.times())) return false;
  bool anchored = c.first == CohortState::kNoAnchor;
  for (std::uint32_t i = 0; i < c.count; i++) {
    const CohortState::Word &w = c.words()[i];
    if (w.bits == 0 || w.at < kFirstWord || w.at > kLastWord || (i && w.at <= c.words()[i - 1].at)) return false;
    anchored = anchored || (w.at == c.first >> 6 && (w.bits >> (c.first & 63) & 1));
  }
  return anchored && c.count;
}

const char *cohort_differs(const State &a, const State &b) noexcept { return cohort(a).period == cohort(b).period ? nullptr : "periods"; }

State *cohort_canonical(const State &s, Allocate allocate) {
  CohortState *copy = resized(cohort(s), size_of(cohort(s).count), allocate);
  copy->open = 0;
  return copy;
}

void cohort_print(const State &s, TextWriter &out) {
  const CohortState &c = cohort(s);
  out.member("period", c.period);
  if (c.first != CohortState::kNoAnchor) out.member("first", c.first);
  out.key("words");
  for (std::uint32_t i = 0; i < c.count; i++) {
    out.text(i ? ", [" : "[[");
    out.integer(c.words()[i].at);
    out.text(", ");
    out.integer(c.words()[i].bits);
    out.put(']');
  }
  out.put(']');
}

State *cohort_parse(TextReader &in, Allocate allocate) {
  const Micros period = in.member("period");
  const std::int64_t first = in.next_member("first") ? in.integer() : CohortState::kNoAnchor;
  in.key("words");
  in.expect('[');
  CohortState *c = CohortState::make(period, allocate);
  c->first = first;
  do {
    in.expect('[');
    const std::int64_t at = in.integer();
    in.expect(',');
    const __int128 bits = in.wide();
    in.expect(']');
    if (!in.ok() || bits < 0 || bits >> 64) return nullptr;
    if (c->count == c->room()) c = resized(*c, size_of(c->room() * 2), allocate);
    c->words()[c->count++] = {at, static_cast<std::uint64_t>(bits)};
  } while (in.next(','));
  in.expect(']');
  return cohort_canonical(*c, allocate);
}

void cohort_describe(const State &s, TextWriter &out) {
  const CohortState &c = cohort(s);
  std::int64_t periods = 0;
  for (std::uint32_t i = 0; i < c.count; i++) periods += std::popcount(c.words()[i].bits);
  out.member_length("period", c.period, s.times());
  out.member("periods", periods);
}

State *cohort_merge(State *into, const State &from, Allocate allocate) {
  using Word = CohortState::Word;
  auto &a = static_cast<CohortState &>(*into);
  const CohortState &b = cohort(from);
  CohortState *both = resized(a, size_of(a.count + b.count), allocate);
  const Word *i = a.words(), *const i_end = i + a.count, *j = b.words(), *const j_end = j + b.count;
  Word *out = both->words();
  while (i != i_end || j != j_end) {
    if (j == j_end || (i != i_end && i->at < j->at))
      *out++ = *i++;
    else if (i == i_end || j->at < i->at)
      *out++ = *j++;
    else
      *out++ = {i->at, i->bits | j->bits}, i++, j++;
  }
  both->count = static_cast<std::uint32_t>(out - both->words());
  both->first = std::min(a.first, b.first);
  both->open = 1;
  return both;
}

} // namespace

constinit const StateKind kCohortState = {5, {"cohort_state", "cohort_timestamp_state", "cohort_bigint_state"}, cohort_valid, cohort_differs, cohort_merge,
                                          cohort_canonical, cohort_print, cohort_parse, cohort_describe};

CohortState *CohortState::make(Micros period, Allocate allocate) {
  auto *c = make_state<CohortState>(kCohortState, size_of(2), allocate);
  c->open = 1;
  c->period = period;
  c->first = kNoAnchor;
  return c;
}

CohortState *CohortState::add(std::int64_t number, bool anchor, Allocate allocate) noexcept {
  if (anchor && number < first) first = number;
  const Word w{number >> 6, std::uint64_t{1} << (number & 63)};
  std::uint32_t i = count;
  while (i > 0 && words()[i - 1].at > w.at) i--; // the last one, mostly
  if (i > 0 && words()[i - 1].at == w.at) {
    words()[i - 1].bits |= w.bits;
    return this;
  }
  CohortState *s = count < room() ? this : resized(*this, size_of(room() * 2 + 2), allocate);
  s->open = 1;
  std::copy_backward(s->words() + i, s->words() + s->count, s->words() + s->count + 1);
  s->words()[i] = w;
  s->count++;
  return s;
}

namespace {

constexpr Micros origin(Times times) noexcept { return times == Times::numbers ? 0 : 2 * kDay; }

} // namespace

std::int64_t period_of(Micros t, Micros period, Times times) noexcept {
  const Micros from = t - origin(times); // no instant is that early
  return from / period - (from % period < 0);
}

Micros period_start(std::int64_t number, Micros period, Times times) noexcept {
  const __int128 start = static_cast<__int128>(number) * period + origin(times);
  return static_cast<Micros>(std::clamp<__int128>(start, kFirstInstant, kLastInstant));
}

} // namespace pql
