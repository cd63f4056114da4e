// Any bytes as a pattern, and events to match it with: the first byte chooses the base of times, how many conditions
// there are, and whether times are numbers; then the pattern up to a line's end, then two bytes for each event (time since the
// last one, conditions).
// Law: never crashes; problems keep their style and lie within the text; match, count and times agree.
#include "core/sequence/pattern.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace pql;

void require(bool holds) {
  if (!holds) std::abort();
}

void run(Arena &a, const Pattern &p, std::span<const EventRow> all) {
  const std::span<const EventRow> rows = with_steps(a, all);
  for (const Micros within : {kNever, Micros{20} * kSecond}) {
    const PatternQuery q{p, within};
    const std::int64_t n = pattern_count(a, q, rows);
    require(n >= 0 && n <= static_cast<std::int64_t>(rows.size()));
    if (!rows.empty()) require(pattern_matches(a, q, rows) == (n > 0));
    const Vec<Micros> first = pattern_times(a, q, Which::first, rows), last = pattern_times(a, q, Which::last, rows),
                      longest = pattern_times(a, q, Which::longest, rows);
    require(first.size == last.size && longest.size >= first.size);
    if (n > 0 && first.size) require(first[0] <= last[0] && longest.size == first.size && longest[0] <= first[0]);
    for (std::uint32_t i = 1; i < longest.size; i++) require(longest[i - 1] <= longest[i]);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  if (size == 0) return 0;
  const TimeBase base = data[0] & 1 ? TimeBase::clickhouse : TimeBase::element;
  const int conditions = 1 + (data[0] >> 1) % kMaxConditions;
  std::string_view text(reinterpret_cast<const char *>(data) + 1, size - 1);
  const std::size_t end = text.find('\n');
  const std::string_view events = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  text = text.substr(0, end);
  Arena a;
  PatternProblem why;
  const auto p = parse_pattern(a, text, conditions, base, &why, data[0] & 0x80 ? Times::numbers : Times::instants);
  if (!p) {
    require(why.position >= 1 && why.position <= text.size() + 1);
    require(!why.problem.empty() && why.problem.back() != '.');
    return 0;
  }
  if (p->elements.size > 1000) return 0; // enough time is spent as it is
  Vec<EventRow> rows;
  Micros at = 0;
  for (std::size_t i = 0; i + 1 < events.size(); i += 2) {
    at += static_cast<std::uint8_t>(events[i]) * kSecond;
    rows.push(a, {at, static_cast<std::uint8_t>(events[i + 1]), 0});
  }
  sort_events({rows.data, rows.size});
  run(a, *p, {rows.data, rows.size});
  return 0;
}
