#include "core/aggregate/events_state.hpp"

#include <algorithm>

namespace pql {
namespace {

constexpr std::size_t kMostBytes = (std::size_t{1} << 30) - 64; // a state can't be larger

EventsState &read(State &s) noexcept { return static_cast<EventsState &>(s); }
const EventsState &read(const State &s) noexcept { return static_cast<const EventsState &>(s); }

bool valid(const State &s) noexcept {
  if (s.size() < sizeof(EventsState)) return false;
  const EventsState &e = read(s);
  if (e.small > kMaxConditions || e.keeps > Keeps::excluded || e.unused || e.within < -1) return false;
  if (e.packed && (!e.open || e.ordered)) return false;
  if (e.size() < e.head_size() || e.count > e.room()) return false;
  if (e.pattern().find('\0') != std::string_view::npos) return false; // no text has one
  const std::uint32_t none = e.small == 0 || e.small == kMaxConditions ? 0 : ~0u << e.small;
  for (std::uint32_t i = 0; i < e.count; i++) {
    const EventRow r = e.row(i);
    if (!is_instant(r.at) || (r.steps & none) || r.excluded > (e.keeps == Keeps::excluded) || !e.wants(r)) return false;
  }
  return !e.ordered || in_order(e.all());
}

const char *differs(const State &x, const State &y) noexcept {
  const EventsState &a = read(x), &b = read(y);
  if (a.small != b.small) return "numbers of conditions";
  if (a.keeps != b.keeps) return "rows kept";
  if (a.within != b.within) return "windows";
  return a.pattern() == b.pattern() ? nullptr : "patterns";
}

State *merge(State *into, const State &from, Allocate allocate) { return read(*into).merge(read(from), allocate); }

State *canonical(const State &s, Allocate allocate) {
  const EventsState &e = read(s);
  EventsState *copy = EventsState::make(e.setting(), e.count, allocate);
  copy->open = 0;
  copy->count = e.count;
  e.copy_rows(copy->rows());
  copy->ordered = e.ordered;
  copy->sort();
  return copy;
}

void print(const State &s, TextWriter &out) {
  const EventsState &e = read(s);
  out.member("conditions", e.small);
  out.member("keeps", static_cast<int>(e.keeps));
  out.member("within", e.within);
  out.key("pattern");
  out.string(e.pattern());
  out.key("rows");
  out.put('[');
  for (std::uint32_t i = 0; i < e.count; i++) {
    const EventRow r = e.row(i);
    if (i) out.text(", ");
    out.put('[');
    out.integer(r.at);
    out.text(", ");
    out.integer(r.steps);
    if (r.excluded) out.text(", 1");
    out.put(']');
  }
  out.put(']');
}

State *parse(TextReader &in, Allocate allocate) {
  EventsSetting setting;
  const std::int64_t conditions = in.member("conditions"), keeps = in.member("keeps");
  setting.within = in.member("within");
  in.key("pattern");
  setting.pattern = in.string(allocate);
  if (conditions < 0 || conditions > kMaxConditions || keeps < 0 || keeps > 2 || setting.pattern.size() > 0xffff) return nullptr;
  setting.conditions = static_cast<int>(conditions);
  setting.keeps = static_cast<Keeps>(keeps);
  EventsState *e = EventsState::make(setting, 0, allocate);
  in.key("rows");
  in.expect('[');
  if (!in.next(']')) {
    do {
      EventRow r{};
      in.expect('[');
      r.at = in.integer();
      in.expect(',');
      const std::int64_t steps = in.integer();
      if (in.next(',')) r.excluded = static_cast<std::uint32_t>(in.integer() == 1);
      in.expect(']');
      if (!in.ok() || steps < 0 || steps > 0xffff'ffff) return nullptr;
      r.steps = static_cast<std::uint32_t>(steps);
      e = e->add(r, allocate);
    } while (in.next(','));
    in.expect(']');
  }
  e->set_size(e->head_size() + e->count * sizeof(EventRow));
  e->open = 0;
  e->ordered = in_order(e->all());
  return e;
}

void describe(const State &s, TextWriter &out) {
  const EventsState &e = read(s);
  if (e.small) out.member("conditions", e.small);
  out.key("keeps");
  out.string(e.keeps == Keeps::steps ? "events with a condition" : e.keeps == Keeps::all ? "all events" : "events with a condition, and excluded ones");
  out.member("events", e.count);
  if (!e.count) return;
  Micros first = kNever, last = kAlways;
  for (std::uint32_t i = 0; i < e.count; i++) {
    first = std::min(first, e.row(i).at);
    last = std::max(last, e.row(i).at);
  }
  out.member_instant("first", first, s.times());
  out.member_instant("last", last, s.times());
}

} // namespace

constinit const StateKind kEventsState = {10, {"events_state", "events_timestamp_state", "events_bigint_state"}, valid, differs, merge, canonical, print, parse, describe, true};

EventsState *EventsState::make(const EventsSetting &setting, std::uint32_t room, Allocate allocate) {
  const std::size_t head = sizeof(EventsState) + ((setting.pattern.size() + 7) & ~std::size_t{7});
  auto *e = make_state<EventsState>(kEventsState, head + room * sizeof(EventRow), allocate);
  e->set_times(setting.times);
  e->open = 1;
  e->small = static_cast<std::uint8_t>(setting.conditions);
  e->keeps = setting.keeps;
  e->ordered = 1;
  e->pattern_size = static_cast<std::uint16_t>(setting.pattern.size());
  e->within = setting.within;
  if (!setting.pattern.empty()) std::memcpy(e + 1, setting.pattern.data(), setting.pattern.size());
  return e;
}

EventsState *EventsState::begin(const EventsSetting &setting, Allocate allocate) {
  EventsState *e = make(setting, kFirstRoom, allocate);
  e->packed = setting.conditions <= 8 && setting.keeps != Keeps::excluded;
  e->ordered = !e->packed;
  return e;
}

void EventsState::copy_rows(EventRow *to) const noexcept {
  if (packed) {
    std::transform(all_packed().begin(), all_packed().end(), to, [](const PackedRow &r) { return r.row(); });
  } else {
    std::copy_n(rows(), count, to);
  }
}

// Doubles, so that rows cost the same however many there are; to a power of two, since that is what memory contexts give.
EventsState *EventsState::with_room(std::size_t more, Allocate allocate) {
  if (count + more <= room()) return this;
  const std::size_t needed = head_size() + (count + more) * row_size();
  EventsState *s = resized(*this, std::max(needed, std::min(std::bit_ceil(needed), kMostBytes)), allocate);
  s->open = 1;
  return s;
}

// A copy with its rows as they are stored, and room for more.
EventsState *EventsState::unpacked(std::size_t more, Allocate allocate) const {
  const std::size_t needed = head_size() + (count + more) * sizeof(EventRow);
  EventsState *s = resized(*this, std::max(needed, std::min(std::bit_ceil(needed), kMostBytes)), allocate);
  s->packed = 0;
  copy_rows(s->rows());
  return s;
}

EventsState *EventsState::merge(const EventsState &o, Allocate allocate) {
  if (!o.count) return this;
  EventsState *s = packed && !o.packed ? unpacked(o.count, allocate) : with_room(o.count, allocate);
  s->open = 1;
  s->ordered = s->ordered && o.ordered && (!s->count || !before(o.rows()[0], s->rows()[s->count - 1]));
  if (s->packed)
    std::copy_n(o.all_packed().begin(), o.count, s->packed_rows() + s->count);
  else
    o.copy_rows(s->rows() + s->count);
  s->count += o.count;
  return s;
}

void EventsState::sort() noexcept {
  if (packed) {
    PackedRow *const first = packed_rows();
    if (!std::is_sorted(first, first + count)) std::sort(first, first + count);
    return;
  }
  if (!ordered) sort_events({rows(), count});
  ordered = 1;
}

// Rows that have left are dropped when they are most of what there is.
void EventsFrame::add(const EventRow &r, const EventsSetting &setting, Allocate allocate) {
  seen++;
  if (!state) state = EventsState::make(setting, EventsState::kFirstRoom, allocate);
  if (!state->wants(r)) return;
  if (gone > 1024 && gone > state->count / 2) {
    state->count -= gone;
    std::memmove(static_cast<void *>(state->rows()), state->rows() + gone, state->count * sizeof(EventRow));
    gone = 0;
  }
  state = state->add(r, allocate);
}

bool EventsFrame::remove(const EventRow &r) noexcept {
  seen--;
  if (!state || !state->wants(r)) return true;
  if (gone == state->count || state->rows()[gone] != r) return false;
  gone++;
  return true;
}

EventsState *EventsFrame::value(Allocate allocate) const {
  EventsState *s = EventsState::make(state->setting(), state->count - gone, allocate);
  s->open = 0;
  s->count = state->count - gone;
  if (s->count) std::memcpy(static_cast<void *>(s->rows()), state->rows() + gone, s->count * sizeof(EventRow));
  s->ordered = 0;
  s->sort();
  return s;
}

} // namespace pql
