// pql.journey_agg and what is read from its states.
#include "core/aggregate/journeys.hpp"

#include "pg/aggregate.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace pql::pg {
namespace {

std::string_view view_arg(FunctionCallInfo fcinfo, int n) {
  const text *t = PG_GETARG_TEXT_PP(n);
  return {VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)};
}

Datum text_result(std::string_view s) {
  return PointerGetDatum(cstring_to_text_with_len(s.data(), static_cast<int>(s.size())));
}

std::uint32_t end_arg(FunctionCallInfo fcinfo, int n, const char *name) {
  not_null(fcinfo, n, name);
  const int32 v = PG_GETARG_INT32(n);
  if (v < 0 || v > static_cast<int32>(kMaxJourneyEnd))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is out of range", name),
                    errhint("Use 0 to %u events.", kMaxJourneyEnd)));
  return static_cast<std::uint32_t>(v);
}

// A row as journey_agg gets it: (state, ts, label[, max_first, max_last]).
struct Row {
  JourneySpec spec;
  Step step;
};

// Whether the row counts.
bool read_row(FunctionCallInfo fcinfo, Times times, Row *r) {
  if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) return false;
  r->spec = PG_NARGS() > 3 ? JourneySpec{end_arg(fcinfo, 3, "max_first"), end_arg(fcinfo, 4, "max_last")} : JourneySpec{};
  r->step = {instant_arg(fcinfo, 1, "ts", times), view_arg(fcinfo, 2)};
  return true;
}

void require_same(const JourneySpec &before, const JourneySpec &now) {
  if (before.first != now.first) setting_changed("max_first");
  if (before.last != now.last) setting_changed("max_last");
}

// The moving form: the frame's events. Its settings are those of the first row.
struct Moving {
  bool started = false;
  MovingJourney frame{JourneySpec{}};

  void add(const Row &r) {
    if (!started) frame = MovingJourney(r.spec);
    started = true;
    require_same(frame.spec(), r.spec);
    frame.push(r.step, allocate);
  }
};
static_assert(std::is_trivially_destructible_v<Moving>);

const JourneyState &journey_arg(FunctionCallInfo fcinfo) {
  return static_cast<const JourneyState &>(state_arg(fcinfo, 0, &kJourneyState));
}

// What a journey is written with, where the database's encoding has it.
struct Signs {
  std::string_view arrow, times, dots;
};
Signs signs() {
  if (GetDatabaseEncoding() == PG_UTF8) return {" \u2192 ", "\u00d7", "\u2026"};
  return {" -> ", "x", "..."};
}

// What comes between the parts of a line. That there is something before doesn't show in the line: a label may be empty.
class Separator {
public:
  explicit Separator(std::string_view s) : text_(s) {}
  void before_next(TextWriter &out) {
    if (!first_) out.text(text_);
    first_ = false;
  }

private:
  std::string_view text_;
  bool first_ = true;
};

void write_legs(TextWriter &out, std::span<const Leg> legs, Separator &separator, std::string_view times) {
  for (const Leg &leg : legs) {
    separator.before_next(out);
    out.text(leg.label);
    if (leg.n == 1) continue;
    out.text(times);
    out.integer(leg.n);
  }
}

void write_legs_json(TextWriter &out, std::span<const Leg> legs, Times times) {
  for (const Leg &leg : legs) {
    out.text(out.view().size() > 1 ? ", {\"label\": " : "{\"label\": ");
    out.string(leg.label);
    out.member("n", leg.n);
    out.member_instant("from", leg.from, times);
    out.member_instant("to", leg.to, times);
    out.put('}');
  }
}

} // namespace
} // namespace pql::pg

PQL_TIMED_STATE(journey, pql::kJourneyState)

PQL_TIMED_DIRECT_FUNCTION(_journey_add) {
  using namespace pql::pg;
  auto *s = own_state<pql::JourneyState>(fcinfo);
  Row r;
  if (!read_row(fcinfo, times, &r)) return same_state(fcinfo);
  if (!s) {
    s = pql::JourneyState::make(r.spec, allocate);
    s->set_times(times);
  }
  require_same(s->head.spec, r.spec);
  return state_result(s->add(r.step, allocate));
}

PQL_TIMED_DIRECT_FUNCTION(_journey_move) {
  using namespace pql::pg;
  Row r;
  const bool counts = read_row(fcinfo, times, &r); // a label out of its storage need not stay
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    auto *m = PG_ARGISNULL(0) ? new (palloc(sizeof(Moving))) Moving : reinterpret_cast<Moving *>(PG_GETARG_POINTER(0));
    if (counts) m->add(r);
    return m;
  }));
}

PQL_TIMED_DIRECT_FUNCTION(_journey_unmove) {
  using namespace pql::pg;
  require_aggregate(fcinfo);
  auto *m = reinterpret_cast<Moving *>(PG_GETARG_POINTER(0));
  Row r;
  const bool done = !read_row(fcinfo, times, &r) || m->frame.pop(r.step);
  return done ? PointerGetDatum(m) : null_result(fcinfo); // null: begin again with the rows of the frame
}

PQL_TIMED_DIRECT_FUNCTION(_journey_moved) {
  using namespace pql::pg;
  require_aggregate(fcinfo);
  if (PG_ARGISNULL(0)) return null_result(fcinfo);
  const auto *m = reinterpret_cast<const Moving *>(PG_GETARG_POINTER(0));
  if (!m->frame.total()) return null_result(fcinfo);
  auto *s = pql::state_of(m->frame, allocate);
  s->set_times(times);
  return state_result(s);
}

// (state[, separator])
PQL_DIRECT_FUNCTION(journey_text) {
  using namespace pql::pg;
  const pql::Story story = journey_arg(fcinfo).story(allocate);
  const Signs sign = signs();
  Separator separator(PG_NARGS() > 1 ? view_arg(fcinfo, 1) : sign.arrow);
  pql::TextWriter out(allocate);
  write_legs(out, story.first, separator, sign.times);
  if (story.elided) {
    separator.before_next(out);
    out.text(sign.dots);
    out.put(' ');
    out.integer(story.elided);
    out.text(" more ");
    out.text(sign.dots);
  }
  write_legs(out, story.last, separator, sign.times);
  return text_result(out.view());
}

PQL_FUNCTION(journey_steps) {
  using namespace pql::pg;
  return call([&]() -> Datum {
    const pql::JourneyState &s = journey_arg(fcinfo);
    const pql::Story story = s.story(allocate);
    pql::TextWriter out(allocate);
    out.put('[');
    write_legs_json(out, story.first, s.times());
    if (story.elided) {
      out.text(out.view().size() > 1 ? ", {\"elided\": " : "{\"elided\": ");
      out.integer(story.elided);
      out.put('}');
    }
    write_legs_json(out, story.last, s.times());
    out.put(']');
    return DirectFunctionCall1(jsonb_in, CStringGetDatum(out.c_str()));
  });
}

PQL_DIRECT_FUNCTION(next_after) {
  using namespace pql::pg;
  const pql::Leg *next = pql::next_after(journey_arg(fcinfo).story(allocate), view_arg(fcinfo, 1));
  return next ? text_result(next->label) : null_result(fcinfo);
}

PQL_DIRECT_FUNCTION(journey_count) {
  using namespace pql::pg;
  return Int64GetDatum(static_cast<int64>(journey_arg(fcinfo).head.total));
}

PQL_DIRECT_FUNCTION(journey_elided) {
  using namespace pql::pg;
  const pql::JourneyHead &head = journey_arg(fcinfo).head;
  return Int64GetDatum(static_cast<int64>(head.total - head.size));
}
