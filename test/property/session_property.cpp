// Laws of sessions, against the definition: sort, and begin anew where the distance is more than the gap.
// Law: any order and any split give the same sessions; a frame's are those of its instants.
#include "core/session/session.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/aggregate/sessions.hpp"
#include "property/any.hpp"
#include "property/states.hpp"
#include "support/flat.hpp"

namespace pql {
namespace {

std::vector<Session> by_definition(Micros gap, std::vector<Micros> instants) {
  std::sort(instants.begin(), instants.end());
  std::vector<Session> all;
  for (Micros at : instants) {
    if (all.empty() || static_cast<__int128>(at) - all.back().end > gap) all.push_back({at, at, 0});
    all.back().end = at;
    all.back().n++;
  }
  return all;
}

FlatSessions fold(SessionSpec spec, const std::vector<Micros> &instants) {
  FlatSessions f(spec);
  for (Micros at : instants) f.add(at);
  return f;
}

// Close to each other and far; the ends of time included.
std::vector<Micros> any_instants(int most = 60) {
  std::vector<Micros> all(number<std::size_t>(0, static_cast<std::size_t>(most)));
  const Micros span = *rc::gen::element<Micros>(5, 100, 100'000, kLastInstant);
  for (Micros &at : all) at = number<Micros>(std::max(-span, kFirstInstant), span);
  return all;
}

Micros any_gap() { return *rc::gen::element<Micros>(0, 1, 3, 20, 1000, kNever / 2, kNever); }

TEST(SessionLaws, AreThoseOfTheDefinitionInAnyOrder) {
  check("fold == definition", rc::check([] {
          const Micros gap = any_gap();
          std::vector<Micros> all = any_instants();
          if (one_in(3)) std::sort(all.begin(), all.end());
          const std::vector<Session> found = fold({gap, 0}, all).tidy();
          RC_ASSERT(found == by_definition(gap, all));
          RC_ASSERT(is_tidy({gap, 0}, found));
        }));
}

TEST(SessionLaws, AnySplitGivesTheSame) {
  check("merge == fold", rc::check([] {
          const SessionSpec spec{any_gap(), 0};
          const std::vector<Micros> all = any_instants();
          std::vector<FlatSessions> parts(number<std::size_t>(1, 8), FlatSessions(spec));
          for (Micros at : all) parts[number<std::size_t>(0, parts.size())].add(at);
          while (parts.size() > 1) {
            FlatSessions &into = parts[number<std::size_t>(0, parts.size() - 1)];
            if (one_in(2)) into.tidy();
            if (one_in(2)) parts.back().tidy();
            into.merge(parts.back());
            parts.pop_back();
          }
          RC_ASSERT(parts[0].tidy() == by_definition(spec.gap, all));
        }));
}

TEST(SessionLaws, AWiderGapNeverMakesMore) {
  check("sessions(gap)", rc::check([] {
          const std::vector<Micros> all = any_instants();
          const Micros gap = number<Micros>(0, 1000), wider = gap + number<Micros>(0, 1000);
          const SessionTotals narrow = totals_of({gap, 0}, fold({gap, 0}, all).tidy());
          const SessionTotals wide = totals_of({wider, 0}, fold({wider, 0}, all).tidy());
          RC_ASSERT(wide.sessions <= narrow.sessions);
          RC_ASSERT(wide.length >= narrow.length);
        }));
}

TEST(SessionLaws, AFramesAreThoseOfItsInstants) {
  check("moving == fold of the frame", rc::check([] {
          const SessionSpec spec{number<Micros>(0, 20), number<Micros>(0, 15)};
          std::vector<Micros> all(number<std::size_t>(1, 80));
          Micros at = 0;
          for (Micros &each : all) each = at += number<Micros>(0, 30);
          MovingSessions m(spec);
          std::size_t begin = 0;
          for (std::size_t end = 1; end <= all.size(); end++) {
            m.push(all[end - 1], allocate);
            while (begin + 1 < end && one_in(2)) RC_ASSERT(m.pop(all[begin++]));
            const std::vector<Micros> frame(all.begin() + static_cast<long>(begin), all.begin() + static_cast<long>(end));
            const std::vector<Session> expected = by_definition(spec.gap, frame);
            RC_ASSERT(m.totals() == totals_of(spec, expected));
            RC_ASSERT(m.size() == expected.size());
            for (std::size_t i = 0; i < expected.size(); i++) RC_ASSERT(m[i] == expected[i]);
          }
        }));
}

TEST(SessionStateLaws, AnyOrderAndAnyMerge) {
  check("session states", rc::check([] {
          const SessionSpec spec{any_gap(), number<Micros>(0, 50)};
          std::vector<Micros> all = any_instants(number(2, 500)); // in room of every size up to some thousand bytes
          if (one_in(3)) std::sort(all.begin(), all.end());
          states_keep_their_laws(kSessionState, all.size(), [&](const auto &some) {
            SessionState *s = some.empty() ? nullptr : SessionState::make(spec, test_allocate);
            for (const std::size_t i : some) s = s->add(all[i], test_allocate);
            return s;
          });
        }));
}

TEST(SessionStateLaws, OpenAndDamagedFormsHoldNothingElse) {
  check("open and damaged", rc::check([] {
          test_arena.release();
          const SessionSpec spec{any_gap(), 0};
          SessionState *s = SessionState::make(spec, test_allocate);
          std::vector<Micros> all = any_instants(40);
          all.push_back(0);
          for (Micros at : all) {
            s = s->add(at, test_allocate);
            RC_ASSERT(is_state(kSessionState, *s, s->size()));
          }
          const std::vector<Session> expected = by_definition(spec.gap, all);
          const auto *c = static_cast<const SessionState *>(kSessionState.canonical(*s, test_allocate));
          RC_ASSERT(std::equal(c->sessions().begin(), c->sessions().end(), expected.begin(), expected.end()));
          RC_ASSERT(is_state(kSessionState, *s, s->size()) && s->open == 1); // as it was

          const auto words = static_cast<std::uint32_t>(s->room().size());
          const SessionHead before = s->head;
          s->head.loose = words - before.size * kSessionWords + 1;
          RC_ASSERT(!is_state(kSessionState, *s, s->size()));
          s->head.loose = ~0u >> 1;
          RC_ASSERT(!is_state(kSessionState, *s, s->size()));
          s->head = before;
          s->head.size = words / kSessionWords + 1;
          RC_ASSERT(!is_state(kSessionState, *s, s->size()));
          s->head = before;
          if (before.loose) {
            const Micros there = s->room().back();
            for (const Micros no : {kNever, kAlways, kLastInstant + 1, kFirstInstant - 1}) {
              s->room().back() = no;
              RC_ASSERT(!is_state(kSessionState, *s, s->size()));
            }
            s->room().back() = there;
            s->open = 0;
            RC_ASSERT(!is_state(kSessionState, *s, s->size()));
          }
        }));
}

TEST(SessionStateLaws, AloneARowTakesEightBytesUntilTheEnd) {
  test_arena.release();
  SessionState *s = SessionState::make({0, 0}, test_allocate);
  for (Micros at = 0; at < 500; at++) s = s->add(at * 7919 % 500, test_allocate);
  EXPECT_EQ(s->size(), 4096u);
  for (Micros at = 0; at < 100'000; at++) s = s->add(at % 3, test_allocate); // these are known
  EXPECT_LE(s->size(), 32768u);
  EXPECT_EQ(kSessionState.canonical(*s, test_allocate)->size(), sizeof(SessionState) + 500 * sizeof(Session));
}

TEST(SessionStateLaws, AFramesStateIsThatOfItsRows) {
  check("moving == plain", rc::check([] {
          test_arena.release();
          const SessionSpec spec{any_gap(), 0};
          std::vector<Micros> all = any_instants();
          if (one_in(2)) std::sort(all.begin(), all.end());
          if (all.empty()) return;
          MovingSessions frame(spec);
          SessionState *s = SessionState::make(spec, test_allocate);
          for (Micros at : all) {
            frame.push(at, test_allocate);
            s = s->add(at, test_allocate);
          }
          RC_ASSERT(same_bytes(*state_of(frame, test_allocate), *kSessionState.canonical(*s, test_allocate)));
        }));
}

} // namespace
} // namespace pql
