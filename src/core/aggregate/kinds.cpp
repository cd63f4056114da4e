#include "core/aggregate/count_map.hpp"
#include "core/aggregate/decayed.hpp"
#include "core/aggregate/events_state.hpp"
#include "core/aggregate/journeys.hpp"
#include "core/aggregate/retained.hpp"
#include "core/aggregate/sessions.hpp"
#include "core/aggregate/summary_state.hpp"
#include "core/aggregate/users.hpp"
#include "core/aggregate/window_count.hpp"

namespace pql {
namespace {

// By their numbers, which are stored: never used again, never changed.
constexpr const StateKind *kKinds[] = {
    nullptr, &kDecayState, &kWindowCountState, &kCountMapState, &kRetentionState, &kCohortState, nullptr, nullptr, nullptr, nullptr,
    &kEventsState, &kSummaryState, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, // from 10
    &kSessionState, &kUsersState, &kJourneyState, // from 20
};

} // namespace

const StateKind *kind_of(int number) noexcept {
  return number < static_cast<int>(std::size(kKinds)) ? kKinds[number] : nullptr;
}

void print_state(const StateKind &k, const State &s, TextWriter &out) {
  out.put('{');
  out.string(k.name(s.times()));
  out.text(": 1");
  k.print(s, out);
  out.put('}');
}

State *parse_state(const StateKind &k, Times times, TextReader &in, Allocate allocate) {
  in.expect('{');
  in.name_is(k.name(times));
  in.expect(':');
  if (in.integer() != 1) return nullptr;
  State *s = k.parse(in, allocate);
  in.expect('}');
  if (!s || !in.done()) return nullptr;
  s->set_times(times);
  return s;
}

} // namespace pql
