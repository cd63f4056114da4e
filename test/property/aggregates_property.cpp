// Laws of what window_count_agg, count_map_agg, retention_agg and cohort_retention_agg keep, and what is read from it, against
// counting by hand.
#include <map>
#include <set>

#include "core/aggregate/count_map.hpp"
#include "core/aggregate/retained.hpp"
#include "core/aggregate/window_count.hpp"
#include "property/states.hpp"

namespace pql {
namespace {

std::vector<Micros> any_instants(Micros span, int most = 60) {
  std::vector<Micros> all(static_cast<std::size_t>(number(0, most)));
  const Micros from = number<Micros>(-9000 * kDay, 9000 * kDay);
  for (Micros &t : all) t = one_in(3) ? from + number(0, 5) : from + number<Micros>(0, span);
  return all;
}

WindowCountState *count(Micros longest, const std::vector<Micros> &at, const std::vector<std::size_t> &some) {
  WindowCountState *s = nullptr;
  for (const std::size_t i : some) {
    if (!s) s = WindowCountState::make(longest, test_allocate);
    s = s->add({at[i], 1}, test_allocate);
  }
  return s;
}

std::vector<std::size_t> all_of(std::size_t n) {
  std::vector<std::size_t> all(n);
  for (std::size_t i = 0; i < n; i++) all[i] = i;
  return all;
}

TEST(WindowCountLaws, AnyOrderAndAnyMerge) {
  check("window counts", rc::check([] {
          const Micros longest = number<Micros>(1, 20 * kDay);
          const auto at = any_instants(number<Micros>(1, 40 * kDay));
          states_keep_their_laws(kWindowCountState, at.size(), [&](const auto &some) { return count(longest, at, some); });
        }));
}

TEST(WindowCountLaws, CountsWhatIsInTheWindow) {
  check("count_in", rc::check([] {
          test_arena.release();
          const Micros longest = number<Micros>(1, 20 * kDay);
          auto at = any_instants(number<Micros>(1, 40 * kDay));
          at.push_back(0);
          const State *s = kWindowCountState.canonical(*count(longest, at, all_of(at.size())), test_allocate);
          const auto &w = static_cast<const WindowCountState &>(*s);
          for (int i = 0; i < 20; i++) {
            const Micros to = w.newest + number<Micros>(-longest, kDay), from = to - number<Micros>(0, longest + 1);
            if (!w.knows(from)) continue;
            RC_ASSERT(w.rows_between(from, to) == std::count_if(at.begin(), at.end(), [&](Micros t) { return from < t && t <= to; }));
          }
          RC_ASSERT(w.knows(w.newest - longest));
        }));
}

struct Sum {
  std::string key;
  std::int64_t n;
};

std::vector<Sum> any_sums() {
  std::vector<Sum> all(static_cast<std::size_t>(number(0, 80)));
  const int keys = number(1, 60), longest = one_in(3) ? 300 : 4;
  for (Sum &s : all) {
    s.key.assign(static_cast<std::size_t>(number(0, longest)), static_cast<char>(number(1, 256)));
    s.key += std::to_string(number(0, keys));
    s.n = number(-2, 3);
  }
  return all;
}

TEST(CountMapLaws, AnyOrderAndAnyMerge) {
  check("count maps", rc::check([] {
          const auto rows = any_sums();
          states_keep_their_laws(kCountMapState, rows.size(), [&](const auto &some) {
            CountMapState *s = nullptr;
            for (const std::size_t i : some) {
              if (!s) s = CountMapState::make(test_allocate);
              s = s->add(rows[i].key, rows[i].n, test_allocate);
            }
            return s;
          });
        }));
}

TEST(CountMapLaws, SumsAndForgets) {
  check("sums", rc::check([] {
          test_arena.release();
          std::map<std::string, std::int64_t> expected;
          CountMapState *s = CountMapState::make(test_allocate);
          for (const Sum &r : any_sums()) {
            expected[r.key] += r.n;
            s = s->add(r.key, r.n, test_allocate);
          }
          for (const auto &[key, n] : std::map(expected)) { // some keys are taken back
            if (!one_in(2)) continue;
            s = s->add(key, -n, test_allocate);
            expected[key] = 0;
          }
          std::erase_if(expected, [](const auto &e) { return e.second == 0; });
          const auto &c = static_cast<const CountMapState &>(*kCountMapState.canonical(*s, test_allocate));
          RC_ASSERT(c.count == expected.size());
          std::uint32_t i = 0;
          for (const auto &[key, n] : expected) {
            RC_ASSERT(c.key(c.entries()[i]) == key);
            RC_ASSERT(c.entries()[i++].sum == n);
            RC_ASSERT(sum_of(c, key) == n);
          }
          RC_ASSERT(sum_of(c, "not there") == 0);
        }));
}

TEST(RetentionLaws, AnyOrderAndAnyMerge) {
  check("retention", rc::check([] {
          const int k = number(1, 33), n = number(0, 10);
          std::vector<std::uint32_t> rows;
          for (int i = 0; i < n; i++) rows.push_back(number<std::uint32_t>(0, ~0u) & (k == 32 ? ~0u : (1u << k) - 1));
          states_keep_their_laws(kRetentionState, rows.size(), [&](const auto &some) -> State * {
            if (some.empty()) return nullptr;
            RetentionState *s = RetentionState::make(k, 0, test_allocate);
            for (const std::size_t i : some) s->seen |= rows[i];
            return s;
          });
        }));
}

struct Visit {
  Micros at;
  bool anchor;
};

TEST(CohortLaws, AnyOrderAndAnyMerge) {
  check("cohorts", rc::check([] {
          const Micros period = number<Micros>(kHour, 40 * kDay);
          std::vector<Visit> rows;
          for (const Micros t : any_instants(number<Micros>(1, 4000 * kDay))) rows.push_back({t, one_in(4)});
          const auto aggregate = [&](const auto &some) {
            CohortState *s = nullptr;
            for (const std::size_t i : some) {
              if (!s) s = CohortState::make(period, test_allocate);
              s = s->add(period_of(rows[i].at, period, Times::instants), rows[i].anchor, test_allocate);
            }
            return s;
          };
          states_keep_their_laws(kCohortState, rows.size(), aggregate);

          const CohortState *s = aggregate(all_of(rows.size()));
          if (!s) return;
          std::set<std::int64_t> numbers, expected;
          std::int64_t first = CohortState::kNoAnchor;
          for (const Visit &v : rows) {
            RC_ASSERT(period_start(period_of(v.at, period, Times::instants), period, Times::instants) <= v.at);
            RC_ASSERT(period_start(period_of(v.at, period, Times::instants) + 1, period, Times::instants) > v.at);
            expected.insert(period_of(v.at, period, Times::instants));
            if (v.anchor) first = std::min(first, period_of(v.at, period, Times::instants));
          }
          for (std::uint32_t i = 0; i < s->count; i++) {
            for (int b = 0; b < 64; b++)
              if (s->words()[i].bits >> b & 1) numbers.insert(s->words()[i].at * 64 + b);
          }
          RC_ASSERT(numbers == expected);
          RC_ASSERT(s->first == first);
        }));
}

} // namespace
} // namespace pql
