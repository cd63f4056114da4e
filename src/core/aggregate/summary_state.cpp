#include "core/aggregate/summary_state.hpp"

#include <algorithm>

namespace pql {
namespace {

SummaryState &read(State &s) noexcept { return static_cast<SummaryState &>(s); }
const SummaryState &read(const State &s) noexcept { return static_cast<const SummaryState &>(s); }

bool valid(const State &s) noexcept {
  if (s.size() < sizeof(SummaryState)) return false;
  const SummaryState &x = read(s);
  if (x.small < 1 || x.small > kMaxConditions || x.increase > 1 || x.within < 0) return false;
  if (x.size() != sizeof(SummaryState) + x.parts * x.part_size() * sizeof(Micros)) return false;
  for (std::size_t i = 0; i < x.parts; i++) {
    const FunnelSummary f = x.summary(i);
    if (f.empty() || !is_instant(f.first) || !is_instant(f.last) || !plausible(f)) return false;
    if (i > 0 && x.part(i - 1)[1] >= f.first) return false;
  }
  return true;
}

const char *differs(const State &x, const State &y) noexcept {
  const SummaryState &a = read(x), &b = read(y);
  if (a.small != b.small) return "numbers of steps";
  if (a.within != b.within) return "windows";
  return a.increase == b.increase ? nullptr : "modes";
}

const char *clash(const State &x, const State &y) noexcept {
  const SummaryState &a = read(x), &b = read(y);
  for (std::size_t i = 0, j = 0; i < a.parts && j < b.parts;) {
    if (a.part(i)[1] < b.part(j)[0])
      i++;
    else if (b.part(j)[1] < a.part(i)[0])
      j++;
    else
      return "overlap in time";
  }
  return nullptr;
}

// Parts stay apart, since others may come between them.
State *merge(State *into, const State &from, Allocate allocate) {
  SummaryState &a = read(*into);
  const SummaryState &b = read(from);
  if (b.parts == 0) return into;
  SummaryState *s = SummaryState::make(a.small, a.within, a.increase, a.parts + b.parts, allocate);
  s->set_times(a.times());
  s->open = 1;
  for (std::size_t i = 0, j = 0, n = 0; n < s->parts; n++) {
    const bool mine = j == b.parts || (i < a.parts && a.part(i)[0] < b.part(j)[0]);
    std::copy_n(mine ? a.part(i++) : b.part(j++), s->part_size(), s->part(n));
  }
  return s;
}

State *canonical(const State &state, Allocate allocate) {
  const SummaryState &x = read(state);
  SummaryState *s = SummaryState::make(x.small, x.within, x.increase, x.parts ? 1 : 0, allocate);
  s->set_times(x.times());
  if (!x.parts) return s;
  std::copy_n(x.part(0), x.part_size(), s->part(0));
  FunnelSummary joined = s->summary(0);
  for (std::size_t i = 1; i < x.parts; i++) joined.append(x.summary(i));
  s->store(0, joined);
  return s;
}

void print(const State &state, TextWriter &out) {
  const SummaryState &s = read(state);
  out.member("steps", s.small);
  out.member("within", s.within);
  out.member("increase", s.increase);
  out.key("numbers");
  out.put('[');
  for (std::size_t i = 0; i < s.parts * s.part_size(); i++) {
    if (i) out.text(", ");
    out.integer(s.part(0)[i]);
  }
  out.put(']');
}

State *parse(TextReader &in, Allocate allocate) {
  const std::int64_t steps = in.member("steps"), within = in.member("within"), increase = in.member("increase");
  if (steps < 1 || steps > kMaxConditions || increase < 0 || increase > 1) return nullptr;
  in.key("numbers");
  in.expect('[');
  if (in.next(']')) return SummaryState::make(static_cast<int>(steps), within, increase != 0, 0, allocate);
  SummaryState *s = SummaryState::make(static_cast<int>(steps), within, increase != 0, 1, allocate);
  for (std::size_t i = 0; i < s->part_size(); i++) {
    if (i) in.expect(',');
    s->part(0)[i] = in.integer();
  }
  in.expect(']');
  return s;
}

void describe(const State &state, TextWriter &out) {
  const SummaryState &s = read(state);
  out.member("steps", s.small);
  out.member_length("within", s.within, s.times());
  if (s.increase) out.member("increase", 1);
  if (!s.parts) return;
  out.member_instant("first", s.part(0)[0], s.times());
  out.member_instant("last", s.part(s.parts - 1)[1], s.times());
}

} // namespace

constinit const StateKind kSummaryState = {
    11, {"funnel_summary_state", "funnel_summary_timestamp_state", "funnel_summary_bigint_state"}, valid, differs, merge, canonical, print, parse, describe, false, clash};

SummaryState *SummaryState::make(int steps, Micros within, bool increase, std::uint32_t parts, Allocate allocate) {
  const std::size_t part = (2 + static_cast<std::size_t>(FunnelSummary::numbers_of(steps))) * sizeof(Micros);
  auto *s = make_state<SummaryState>(kSummaryState, sizeof(SummaryState) + parts * part, allocate);
  s->small = static_cast<std::uint8_t>(steps);
  s->parts = parts;
  s->increase = increase;
  s->within = within;
  return s;
}

FunnelSummary SummaryState::summary(std::size_t i) const noexcept {
  auto *const at = const_cast<Micros *>(part(i));
  return {small, within, increase != 0, at[0], at[1], at + 2};
}

void SummaryState::store(std::size_t i, const FunnelSummary &s) noexcept {
  part(i)[0] = s.first;
  part(i)[1] = s.last;
}

} // namespace pql
