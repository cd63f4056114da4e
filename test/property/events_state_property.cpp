// Laws of what events_agg and funnel_summary keep.
#include <memory>

#include "core/aggregate/events_state.hpp"
#include "core/aggregate/summary_state.hpp"
#include "core/sequence/window_funnel.hpp"
#include "property/any_events.hpp"
#include "property/states.hpp"

namespace pql {
namespace {

constexpr Micros kPackedEnd = Micros{1} << 55; // what packed rows don't know any more

// As it is stored, or packed as long as it can be.
EventsState *aggregated(const EventsSetting &setting, const Events &rows, const std::vector<std::size_t> &some) {
  EventsState *s = one_in(3) ? EventsState::make(setting, 0, test_allocate) : EventsState::begin(setting, test_allocate);
  for (const std::size_t i : some) {
    if (s->wants(rows[i])) s = s->add(rows[i], test_allocate);
  }
  return s;
}

TEST(EventsStateLaws, AnyOrderAndAnyMerge) {
  check("events", rc::check([] {
          EventsSetting setting;
          setting.keeps = *rc::gen::element(Keeps::steps, Keeps::all, Keeps::excluded);
          setting.conditions = one_in(4) ? 0 : one_in(4) ? number(7, 12) : number(1, 6);
          if (one_in(4)) setting.within = number<Micros>(0, 100);
          if (one_in(4)) setting.pattern = *rc::gen::element<std::string_view>("(?1)", "(?1).*\"\\(?2)", ".");
          const int steps = setting.conditions ? setting.conditions : *rc::gen::element(5, 12);
          Events rows = any_events({steps, 40, 30, true, setting.keeps == Keeps::excluded});
          const bool far = one_in(3);
          for (EventRow &r : rows) {
            if (far && one_in(8)) r.at += *rc::gen::element(kPackedEnd, kLastInstant - 40, -kPackedEnd - 1, kFirstInstant);
          }
          states_keep_their_laws(kEventsState, rows.size(), [&](const auto &some) {
            return some.empty() ? nullptr : aggregated(setting, rows, some);
          });
        }));
}

TEST(EventsStateLaws, APackedRowIsTheRow) {
  check("packed", rc::check([] {
          EventRow r{number<Micros>(0, 50), number<std::uint32_t>(0, 0x100), 0};
          r.at += *rc::gen::element(Micros{0}, Micros{-25}, kPackedEnd - 50, -kPackedEnd);
          RC_ASSERT(PackedRow::fits(r));
          RC_ASSERT(PackedRow::of(r).row() == r);
          EventRow other = r;
          other.at += number<Micros>(0, 2);
          other.steps = number<std::uint32_t>(0, 0x100);
          if (PackedRow::fits(other) && other.at > r.at) RC_ASSERT(PackedRow::of(r) < PackedRow::of(other));
        }));
  EXPECT_FALSE(PackedRow::fits({kPackedEnd, 1, 0}));
  EXPECT_FALSE(PackedRow::fits({-kPackedEnd - 1, 1, 0}));
  EXPECT_FALSE(PackedRow::fits({0, 0x100, 0}));
  EXPECT_FALSE(PackedRow::fits({0, 1, 1}));
}

// And grow back to what is stored by the first row that doesn't fit, whichever way it comes.
TEST(EventsStateLaws, RowsArePackedWhileAllOfThemFit) {
  test_arena.release();
  const EventsSetting setting{2};
  EventsState *s = EventsState::begin(setting, test_allocate);
  for (int i = 0; i < 100; i++) s = s->add({i, 1, 0}, test_allocate);
  EXPECT_TRUE(s->packed);
  EXPECT_LE(s->size(), 1024u);
  EventsState *far = EventsState::begin(setting, test_allocate)->add({kPackedEnd, 2, 0}, test_allocate);
  EXPECT_FALSE(far->packed);
  EventsState *both = EventsState::begin(setting, test_allocate)->merge(*s, test_allocate);
  EXPECT_TRUE(both->packed);
  both = both->merge(*far, test_allocate);
  EXPECT_FALSE(both->packed);
  s = s->add({kPackedEnd, 2, 0}, test_allocate);
  EXPECT_FALSE(s->packed);
  EventsState *as_stored = EventsState::make(setting, 0, test_allocate);
  for (int i = 0; i < 100; i++) as_stored = as_stored->add({i, 1, 0}, test_allocate);
  as_stored = as_stored->add({kPackedEnd, 2, 0}, test_allocate);
  EXPECT_EQ(bytes_of(kEventsState, *s), bytes_of(kEventsState, *as_stored));
  EXPECT_EQ(bytes_of(kEventsState, *both), bytes_of(kEventsState, *as_stored));
}

TEST(EventsStateLaws, ALevelIsThatOfTheStoredRows) {
  check("levels", rc::check([] {
          test_arena.release();
          const int steps = number(1, 9);
          const Micros within = number<Micros>(0, 30);
          const Events rows = shuffled(any_events({steps, 40, 30}));
          EventsState *s = EventsState::begin({steps}, test_allocate);
          for (const EventRow &r : rows) s = s->add(r, test_allocate);
          s->sort();
          RC_ASSERT(is_state(kEventsState, *s, s->size()));
          const auto *stored = static_cast<const EventsState *>(kEventsState.canonical(*s, test_allocate));
          RC_ASSERT(plain_funnel_level(steps, within, s->all_packed()) == funnel_level({steps, within, {}}, stored->all()));
        }));
}

TEST(EventsStateLaws, KeepsTheRowsThatItWants) {
  check("rows", rc::check([] {
          test_arena.release();
          const Keeps keeps = *rc::gen::element(Keeps::steps, Keeps::all, Keeps::excluded);
          const Events rows = any_events({4, 40, 30, true, keeps == Keeps::excluded});
          Events expected;
          std::vector<std::size_t> some;
          for (std::size_t i = 0; i < rows.size(); i++) {
            some.push_back(i);
            const bool wanted = keeps == Keeps::all || rows[i].steps || (rows[i].excluded && keeps == Keeps::excluded);
            if (wanted) expected.push_back(rows[i]);
          }
          const auto *s = static_cast<const EventsState *>(
              kEventsState.canonical(*aggregated({4, keeps}, rows, shuffled(some)), test_allocate));
          RC_ASSERT(Events(s->all().begin(), s->all().end()) == expected);
        }));
}

// Rows come at the end of the frame and go at its beginning, as PostgreSQL has it.
TEST(EventsStateLaws, AFrameIsTheStateOfItsRows) {
  check("frames", rc::check([] {
          test_arena.release();
          EventsSetting setting{.conditions = 4, .keeps = *rc::gen::element(Keeps::steps, Keeps::all, Keeps::excluded)};
          setting.times = static_cast<Times>(number(0, 3));
          const Events rows = shuffled(any_events({4, 40, 60, true, setting.keeps == Keeps::excluded}));
          EventsFrame frame{};
          std::size_t from = 0, to = 0;
          while (to < rows.size()) {
            if (from < to && one_in(3)) {
              RC_ASSERT(frame.remove(rows[from++]));
            } else {
              frame.add(rows[to++], setting, test_allocate);
            }
            RC_ASSERT(frame.seen == static_cast<std::int64_t>(to - from));
            std::vector<std::size_t> inside;
            for (std::size_t i = from; i < to; i++) inside.push_back(i);
            const State *expected = kEventsState.canonical(*aggregated(setting, rows, inside), test_allocate);
            RC_ASSERT(same_bytes(*frame.value(test_allocate), *expected));
          }
        }));
}

TEST(EventsStateLaws, AFrameHoldsWhatIsInIt) {
  test_arena.release();
  const auto row = [](int i) { return EventRow{i, 1, 0}; };
  EventsFrame frame{};
  for (int i = 0; i < 100'000; i++) {
    frame.add(row(i), {2}, test_allocate);
    if (i >= 10) {
      ASSERT_TRUE(frame.remove(row(i - 10)));
    }
  }
  EXPECT_EQ(frame.value(test_allocate)->count, 10u);
  EXPECT_LT(frame.state->room(), 5000u);
  EXPECT_FALSE(frame.remove(row(0)));
}

TEST(EventsStateLaws, OtherSettingsAreToldApart) {
  test_arena.release();
  const auto differs = [](const EventsSetting &a, const EventsSetting &b) {
    const char *what = kEventsState.differs(*EventsState::make(a, 0, test_allocate), *EventsState::make(b, 0, test_allocate));
    return std::string(what ? what : "");
  };
  EXPECT_EQ(differs({3}, {3}), "");
  EXPECT_EQ(differs({3}, {4}), "numbers of conditions");
  EXPECT_EQ(differs({3}, {3, Keeps::all}), "rows kept");
  EXPECT_EQ(differs({3, Keeps::steps, 1}, {3, Keeps::steps, 2}), "windows");
  EXPECT_EQ(differs({3, Keeps::steps, -1, "(?1)"}, {3, Keeps::steps, -1, "(?2)"}), "patterns");
}

// --- summaries --------------------------------------------------------------------------------------------------------------

SummaryState *summary_of(int steps, Micros within, bool increase, std::span<const EventRow> rows) {
  SummaryState *s = SummaryState::make(steps, within, increase, 1, test_allocate);
  FunnelSummary f = FunnelSummary::of(s->part(0) + 2, steps, within, increase);
  summarise(f, rows);
  s->store(0, f);
  return f.empty() ? SummaryState::make(steps, within, increase, 0, test_allocate) : s;
}

// Any order of stretches that don't overlap, and any merge tree of open states.
TEST(SummaryStateLaws, AnyOrderAndAnyMerge) {
  check("summaries", rc::check([] {
          test_arena.release();
          const int steps = number(1, 6);
          const Micros within = number<Micros>(0, 40);
          const bool increase = one_in(2);
          const Events rows = any_events({steps, 40, 60});
          std::vector<State *> parts;
          for (std::size_t i = 0; i < rows.size() || parts.empty();) {
            const std::size_t begin = i;
            for (int n = number(0, 6); n > 0 && i < rows.size(); n--) i += instant_at(rows, i).rows.size();
            parts.push_back(summary_of(steps, within, increase, std::span(rows).subspan(begin, i - begin)));
          }
          const State *whole = summary_of(steps, within, increase, rows);
          parts = shuffled(parts);
          while (parts.size() > 1) {
            const std::size_t i = number<std::size_t>(0, parts.size() - 1);
            RC_ASSERT(!kSummaryState.differs(*parts[i], *parts[i + 1]) && !kSummaryState.clash(*parts[i], *parts[i + 1]));
            parts[i] = kSummaryState.merge(parts[i], *parts[i + 1], test_allocate);
            RC_ASSERT(is_state(kSummaryState, *parts[i], parts[i]->size()));
            parts.erase(parts.begin() + static_cast<long>(i) + 1);
          }
          RC_ASSERT(bytes_of(kSummaryState, *parts[0]) == bytes_of(kSummaryState, *whole));
          const State *canonical = kSummaryState.canonical(*whole, test_allocate);
          const std::string text = text_of(kSummaryState, *canonical);
          TextReader in(text);
          const State *again = parse_state(kSummaryState, Times::instants, in, test_allocate);
          RC_ASSERT(again && same_bytes(*again, *canonical));
        }));
}

TEST(SummaryStateLaws, WhatOverlapsClashes) {
  test_arena.release();
  const Events a{{0, 1, 0}, {10, 2, 0}}, b{{10, 1, 0}, {20, 2, 0}}, c{{11, 1, 0}}, inside{{5, 1, 0}};
  const auto clash = [](const Events &x, const Events &y) {
    const char *why = kSummaryState.clash(*summary_of(2, 9, false, x), *summary_of(2, 9, false, y));
    return std::string(why ? why : "");
  };
  EXPECT_EQ(clash(a, b), "overlap in time"); // in one instant
  EXPECT_EQ(clash(b, a), "overlap in time");
  EXPECT_EQ(clash(a, inside), "overlap in time");
  EXPECT_EQ(clash(a, c), "");
  EXPECT_EQ(clash(c, a), "");
  EXPECT_EQ(clash(a, {}), "");
}

} // namespace
} // namespace pql
