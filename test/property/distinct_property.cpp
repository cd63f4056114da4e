// Laws of different values, against std::set.
// Law: any order, repetition and split of the same values give the same words.
#include "core/distinct/distinct.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "core/aggregate/users.hpp"
#include "property/any.hpp"
#include "property/states.hpp"
#include "support/flat.hpp"

namespace pql {
namespace {

using Words = std::vector<std::uint64_t>;

// Few or many, with repetitions; around the bound of what is exact as well.
Words any_values() {
  const auto kinds = *rc::gen::element<std::uint64_t>(1, 10, 300, kExactHashes, kExactHashes + 1, 6000);
  Words all;
  const std::uint64_t from = number<std::uint64_t>(0, 1000);
  for (std::uint64_t v = 0; v < kinds; v++) all.push_back(from + v);
  for (int again = number(0, 50); again > 0; again--) all.push_back(from + number<std::uint64_t>(0, kinds));
  return all;
}

FlatDistinct fold(bool approximate, const Words &all) {
  FlatDistinct d(approximate);
  for (std::uint64_t v : all) d.add(v);
  return d;
}

TEST(DistinctLaws, ExactlyAsManyAsASetHas) {
  check("count == |set|", rc::check([] {
          const Words all = shuffled(any_values());
          FlatDistinct d = fold(false, all);
          const std::size_t n = std::set<std::uint64_t>(all.begin(), all.end()).size();
          RC_ASSERT(d.count() == n);
          const Words words = d.settled();
          RC_ASSERT(words.size() == n);
          RC_ASSERT(is_settled(d.head, words));
        }));
}

TEST(DistinctLaws, AnyOrderAndAnySplitGiveTheSameWords) {
  check("merge == fold", rc::check([] {
          const bool approximate = one_in(2);
          const Words all = any_values();
          FlatDistinct whole = fold(approximate, all);
          const Words expected = whole.settled();
          RC_ASSERT(is_settled(whole.head, expected));
          RC_ASSERT(fold(approximate, shuffled(all)).settled() == expected);
          std::vector<FlatDistinct> parts(number<std::size_t>(1, 6), FlatDistinct(approximate));
          for (std::uint64_t v : all) {
            parts[number<std::size_t>(0, parts.size())].add(v);
            if (one_in(20)) parts[number<std::size_t>(0, parts.size())].add(v); // in two of them
          }
          while (parts.size() > 1) {
            FlatDistinct &into = parts[number<std::size_t>(0, parts.size() - 1)];
            if (one_in(2)) into.settle();
            if (one_in(2)) parts.back().settle();
            into.merge(parts.back());
            parts.pop_back();
          }
          RC_ASSERT(parts[0].settled() == expected);
          RC_ASSERT(parts[0].head.form == whole.head.form);
        }));
}

TEST(DistinctLaws, MoreValuesNeverLessenTheEstimate) {
  check("monotone", rc::check([] {
          FlatDistinct d(true);
          for (std::uint64_t v = 0; v <= kExactHashes; v++) d.add(v);
          std::uint64_t before = d.count(), v = number<std::uint64_t>(0, 1'000'000);
          for (int i = 0; i < 100; i++) {
            d.add(v++);
            RC_ASSERT(d.count() >= before);
            before = d.count();
          }
        }));
}

TEST(DistinctLaws, AFrameKnowsWhatIsInIt) {
  check("moving == multiset", rc::check([] {
          MovingDistinct m;
          std::map<std::uint64_t, int> in;
          // Few places, so that runs in the table are long and go around its end.
          const auto any_hash = [] { return number<std::uint64_t>(1, 9) << 40 | number<std::uint64_t>(12, 18); };
          for (int i = 0; i < 200; i++) {
            const std::uint64_t h = any_hash();
            if (one_in(2)) {
              m.push(h, allocate);
              in[h]++;
            } else {
              RC_ASSERT(m.pop(h) == (in.count(h) > 0));
              if (in.count(h) && --in[h] == 0) in.erase(h);
            }
            RC_ASSERT(m.size() == in.size());
          }
          std::set<std::uint64_t> found;
          m.each([&](std::uint64_t h) { found.insert(h); });
          RC_ASSERT(found.size() == in.size());
          for (const auto &[h, n] : in) RC_ASSERT(found.count(h) == 1);
        }));
}

TEST(UsersStateLaws, AnyOrderAndAnyMerge) {
  check("active users states", rc::check([] {
          const bool approximate = one_in(2);
          Words all(number<std::size_t>(0, 40));
          for (std::uint64_t &v : all) v = number<std::uint64_t>(0, 60);
          // One row in ten brings many values, so that some are registers.
          states_keep_their_laws(kUsersState, all.size(), [&](const auto &some) {
            UsersState *s = some.empty() ? nullptr : UsersState::make(approximate, test_allocate);
            for (const std::size_t i : some) {
              for (std::uint64_t v = all[i], n = v % 10 ? 1 : 500; n > 0; n--) s = s->add(scatter(v++ * 1000), test_allocate);
            }
            return s;
          });
        }));
}

TEST(UsersStateLaws, AFramesStateIsThatOfItsRows) {
  check("moving == plain", rc::check([] {
          test_arena.release();
          const bool approximate = one_in(2);
          const Words all = any_values();
          MovingDistinct frame;
          UsersState *s = UsersState::make(approximate, test_allocate);
          for (std::uint64_t v : all) {
            frame.push(scatter(v), test_allocate);
            s = s->add(scatter(v), test_allocate);
          }
          RC_ASSERT(same_bytes(*state_of(frame, approximate, test_allocate), *kUsersState.canonical(*s, test_allocate)));
        }));
}

} // namespace
} // namespace pql
