#include "core/route/timing.hpp"

#include <algorithm>

namespace pql {
namespace {

// The first instant from t on that both calendars allow. Where a rep never works while the subject may be disturbed, the subject's rest is
// what counts.
Micros first_free(Micros t, const Calendar &awake, const Calendar *work) noexcept {
  constexpr int kTries = 128; // more than a week has parts
  Micros at = t;
  for (int i = 0; i < kTries; i++) {
    const Micros next = awake.next_open(at);
    if (next == kNever || !work) return next == kNever ? t : next;
    at = work->next_open(next);
    if (at == next || at == kNever) return next;
  }
  return std::max(t, awake.next_open(t));
}

} // namespace

Delayed delayed(const ContactWindow &undelayed, const Delays &d, const MotionDef &m, const Calendar &calendar) noexcept {
  Delayed out{undelayed};
  Micros &after = out.contact.after;
  const auto wait = [&](Micros until, Delayed::Why why) {
    if (until <= after) return;
    after = until;
    out.why = why;
  };
  wait(std::min(d.held_until, undelayed.by), Delayed::Why::held);
  wait(d.barred_until, Delayed::Why::barred);
  if (d.work && after > undelayed.after && d.work->next_open(after) != kNever) after = d.work->next_open(after);
  if (d.awake) wait(first_free(after, *d.awake, d.work), Delayed::Why::quiet);
  if (after == undelayed.after || undelayed.by == kNever) return out;
  out.contact.by = undelayed.by + (after - undelayed.after);
  if (m.by_in == Counted::always || !m.by) return out;
  const Micros by = add(calendar, after, {m.by, m.by_in});
  if (by != kNever) out.contact.by = by;
  return out;
}

std::string reason_of(Delayed::Why why, std::string_view held_by) {
  switch (why) {
  case Delayed::Why::nothing: break;
  case Delayed::Why::held: return "waits: " + std::string(held_by);
  case Delayed::Why::barred: return "waits: a milestone is fresh";
  case Delayed::Why::quiet: return "waits: quiet hours";
  }
  return "waits no longer";
}

int motion_named(const ProgramDef &p, std::string_view name) noexcept {
  const auto found = std::find_if(p.motions.begin(), p.motions.end(), [&](const MotionDef &m) { return m.motion == name; });
  return found == p.motions.end() ? -1 : static_cast<int>(found - p.motions.begin());
}

MotionDef timed_by(const MotionDef &motion, const ContactDef &contact) {
  MotionDef m = motion;
  if (contact.after) {
    m.after = contact.after->micros;
    m.after_in = contact.after->counted;
  }
  if (contact.by) {
    m.by = contact.by->micros;
    m.by_in = contact.by->counted;
  }
  return m;
}

const SignalDef *newest_signal(const Program &p, std::span<const Reason> reasons) noexcept {
  const SignalDef *found = nullptr;
  Micros newest = kAlways;
  for (std::size_t i = 0; i < reasons.size(); i++) {
    if (reasons[i].points <= 0 || reasons[i].at <= newest) continue;
    newest = reasons[i].at;
    found = &p.def.signals[i];
  }
  return found;
}

} // namespace pql
