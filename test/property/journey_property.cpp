// Laws of journeys, against the definition: sort all events, keep both ends.
// Law: any order and any split give the same events; a frame's are those of its events.
#include "core/journey/journey.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/aggregate/journeys.hpp"
#include "property/any.hpp"
#include "property/states.hpp"
#include "support/flat.hpp"

namespace pql {
namespace {

// The first and the last after sorting; all, while there aren't more.
std::vector<Step> by_definition(JourneySpec spec, std::vector<Step> all) {
  std::sort(all.begin(), all.end());
  if (all.size() <= spec.kept()) return all;
  std::vector<Step> ends(all.begin(), all.begin() + spec.first);
  ends.insert(ends.end(), all.end() - spec.last, all.end());
  return ends;
}

std::vector<Step> any_steps(std::size_t most = 60) {
  static const std::string labels[] = {"", "a", "b", "view", "a longer label, of more than a few letters", "\xff"};
  std::vector<Step> all(number<std::size_t>(0, most));
  const Micros span = *rc::gen::element<Micros>(3, 30, kLastInstant); // many at one time
  for (Step &s : all) s = {number<Micros>(std::max(-span, kFirstInstant), span), labels[number<std::size_t>(0, std::size(labels))]};
  return all;
}

JourneySpec any_spec() { return {number<std::uint32_t>(0, 8), number<std::uint32_t>(0, 8)}; }

FlatJourney fold(JourneySpec spec, const std::vector<Step> &all) {
  FlatJourney j(spec);
  for (const Step &s : all) j.add(s);
  return j;
}

TEST(JourneyLaws, AreThoseOfTheDefinitionInAnyOrder) {
  check("fold == definition", rc::check([] {
          const JourneySpec spec = any_spec();
          std::vector<Step> all = any_steps();
          if (one_in(3)) std::sort(all.begin(), all.end());
          FlatJourney j = fold(spec, all);
          j.tidy();
          const std::span<Step> steps = j.steps();
          RC_ASSERT(std::vector<Step>(steps.begin(), steps.end()) == by_definition(spec, all));
          RC_ASSERT(j.head.total == all.size());
          RC_ASSERT(is_valid(j.head, j.log()));
        }));
}

TEST(JourneyLaws, AnySplitGivesTheSame) {
  check("merge == fold", rc::check([] {
          const JourneySpec spec = any_spec();
          const std::vector<Step> all = any_steps();
          std::vector<FlatJourney> parts(number<std::size_t>(1, 8), FlatJourney(spec));
          for (const Step &s : all) parts[number<std::size_t>(0, parts.size())].add(s);
          while (parts.size() > 1) {
            FlatJourney &into = parts[number<std::size_t>(0, parts.size() - 1)];
            if (one_in(2)) into.tidy();
            into.merge(parts.back());
            parts.pop_back();
            if (!all.empty() && one_in(4)) into.add(all[0]), parts.push_back(fold(spec, {})); // and some more
          }
          FlatJourney whole = fold(spec, all);
          while (whole.head.total < parts[0].head.total) whole.add(all[0]);
          whole.tidy();
          parts[0].tidy();
          RC_ASSERT(parts[0].log() == whole.log());
          RC_ASSERT(parts[0].head.total == whole.head.total);
        }));
}

TEST(JourneyLaws, LegsAddUpToTheTotal) {
  check("story", rc::check([] {
          const JourneySpec spec = any_spec();
          FlatJourney j = fold(spec, any_steps());
          j.tidy();
          const std::span<Step> steps = j.steps();
          const Story s = story_of(spec, j.head.total, steps, allocate);
          std::uint64_t told = s.elided;
          for (const std::span<const Leg> *legs : {&s.first, &s.last}) {
            for (std::size_t i = 0; i < legs->size(); i++) {
              RC_ASSERT((i == 0 || (*legs)[i].label != (*legs)[i - 1].label));
              RC_ASSERT((*legs)[i].from <= (*legs)[i].to);
              told += (*legs)[i].n;
            }
          }
          RC_ASSERT(told == j.head.total);
        }));
}

TEST(JourneyLaws, AFramesAreThoseOfItsEvents) {
  check("moving == definition", rc::check([] {
          const JourneySpec spec = any_spec();
          std::vector<Step> all = any_steps(80);
          std::stable_sort(all.begin(), all.end(), [](const Step &a, const Step &b) { return a.at < b.at; });
          MovingJourney m(spec);
          std::size_t begin = 0;
          for (std::size_t end = 1; end <= all.size(); end++) {
            m.push(all[end - 1], allocate);
            while (begin + 1 < end && one_in(2)) RC_ASSERT(m.pop(all[begin++]));
            const std::vector<Step> frame(all.begin() + static_cast<long>(begin), all.begin() + static_cast<long>(end));
            RC_ASSERT(m.total() == frame.size());
            const std::span<const Step> steps = m.tidy(allocate);
            RC_ASSERT(std::vector<Step>(steps.begin(), steps.end()) == by_definition(spec, frame));
          }
        }));
}

TEST(JourneyStateLaws, AnyOrderAndAnyMerge) {
  check("journey states", rc::check([] {
          const JourneySpec spec = any_spec();
          std::vector<Step> all = any_steps(40);
          for (Step &s : all) { // what is printed is text
            if (s.label == "\xff") s.label = "\"\\\n";
          }
          states_keep_their_laws(kJourneyState, all.size(), [&](const auto &some) {
            JourneyState *s = some.empty() ? nullptr : JourneyState::make(spec, test_allocate, number<std::size_t>(0, 100));
            for (const std::size_t i : some) s = s->add(all[i], test_allocate);
            return s;
          });
        }));
}

TEST(JourneyStateLaws, AFramesStateIsThatOfItsRows) {
  check("moving == plain", rc::check([] {
          test_arena.release();
          const JourneySpec spec = any_spec();
          std::vector<Step> all = any_steps();
          if (all.empty()) return;
          if (one_in(2)) std::sort(all.begin(), all.end());
          MovingJourney frame(spec);
          JourneyState *s = JourneyState::make(spec, test_allocate);
          for (const Step &step : all) {
            frame.push(step, test_allocate);
            s = s->add(step, test_allocate);
          }
          RC_ASSERT(same_bytes(*state_of(frame, test_allocate), *kJourneyState.canonical(*s, test_allocate)));
        }));
}

} // namespace
} // namespace pql
