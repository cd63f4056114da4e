// Laws of funnel summaries and of funnels over a moving frame.
// Law: both say what window_funnel says of all the rows.
#include "core/sequence/summary.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include "core/sequence/moving.hpp"
#include "property/any_events.hpp"

namespace pql {
namespace {

struct Kind {
  int steps;
  Micros within;
  bool increase;

  int level(std::span<const EventRow> rows) const { return funnel_level({steps, within, {.increase = increase}}, rows); }
};

Kind any_kind() { return {number(1, 7), number<Micros>(0, 30), one_in(2)}; }

// A summary with its numbers.
struct Summary {
  explicit Summary(const Kind &k, std::span<const EventRow> rows = {})
      : numbers(static_cast<std::size_t>(FunnelSummary::numbers_of(k.steps))),
        it(FunnelSummary::of(numbers.data(), k.steps, k.within, k.increase)) {
    summarise(it, rows);
  }
  std::vector<Micros> numbers;
  FunnelSummary it;
};

bool same(const Summary &a, const Summary &b) {
  return a.it.first == b.it.first && a.it.last == b.it.last && a.numbers == b.numbers;
}

TEST(SummaryLaws, IsWhatTheFunnelSays) {
  check("level", rc::check([] {
          const Kind k = any_kind();
          const Events rows = any_events({k.steps, 30, 60, one_in(2)});
          const Summary s(k, rows);
          RC_ASSERT(s.it.level() == k.level(rows));
          RC_ASSERT(plausible(s.it));
        }));
}

TEST(SummaryLaws, AnyTreeOfStretchesGivesTheSameNumbers) {
  check("tree", rc::check([] {
          const Kind k = any_kind();
          const Events rows = any_events({k.steps, 40, 80});
          std::vector<std::unique_ptr<Summary>> parts;
          for (std::size_t i = 0; i < rows.size() || parts.empty();) {
            const std::size_t begin = i;
            for (int n = number(0, 8); n > 0 && i < rows.size(); n--) i += instant_at(rows, i).rows.size();
            parts.push_back(std::make_unique<Summary>(k, std::span(rows).subspan(begin, i - begin)));
          }
          while (parts.size() > 1) {
            const std::size_t i = number<std::size_t>(0, parts.size() - 1);
            RC_ASSERT(parts[i]->it.precedes(parts[i + 1]->it));
            parts[i]->it.append(parts[i + 1]->it);
            parts.erase(parts.begin() + static_cast<long>(i) + 1);
          }
          RC_ASSERT(same(*parts[0], Summary(k, rows)));
        }));
}

// RANGE frames let whole instants come and go, ROWS frames one row at a time.
TEST(MovingLaws, TheLevelIsThatOfTheRowsInTheFrame) {
  std::map<int, int> levels;
  check("frame", rc::check([&] {
          const Kind k = any_kind();
          const Events rows = any_events({k.steps, 120, *rc::gen::element(15, 300), one_in(3)});
          MovingFunnel m(std::pmr::get_default_resource(), k.steps, k.within, k.increase);
          const std::size_t longest = number<std::size_t>(1, 40);
          std::size_t head = 0;
          for (std::size_t i = 0; i < rows.size(); i++) {
            m.push(rows[i].at, rows[i].steps);
            while (i - head >= longest || (head < i && one_in(8))) {
              RC_ASSERT(m.pop(rows[head].at, rows[head].steps));
              head++;
            }
            const int expected = k.level(std::span(rows).subspan(head, i + 1 - head));
            levels[expected]++;
            RC_ASSERT(m.level() == expected);
          }
        }));
  EXPECT_GT(levels.size(), 2u);
}

TEST(MovingLaws, RowsOutOfOrderAreReadButNotForgotten) {
  check("disorder", rc::check([] {
          const Kind k = any_kind();
          const Events rows = shuffled(any_events({k.steps, 30, 60}));
          RC_PRE(rows.size() > 1 && !std::is_sorted(rows.begin(), rows.end(), [](auto &x, auto &y) { return x.at < y.at; }));
          MovingFunnel m(std::pmr::get_default_resource(), k.steps, k.within, k.increase);
          for (const EventRow &r : rows) m.push(r.at, r.steps);
          Events sorted = rows;
          sort_events(sorted);
          RC_ASSERT(m.level() == k.level(sorted));
          RC_ASSERT(!m.pop(rows[0].at, rows[0].steps));
        }));
}

TEST(MovingLaws, ARowThatIsNotTheFirstIsRefused) {
  MovingFunnel m(std::pmr::get_default_resource(), 2, 10, false);
  m.push(1, 1);
  m.push(2, 2);
  EXPECT_FALSE(m.pop(2, 2));
  EXPECT_FALSE(m.pop(1, 3));
  EXPECT_TRUE(m.pop(1, 1));
  EXPECT_EQ(m.level(), 0);
}

// Long enough for rows to be given back.
TEST(MovingLaws, LongFrames) {
  MovingFunnel m(std::pmr::get_default_resource(), 3, 1000, false);
  constexpr int kFrame = 5000;
  for (int i = 0; i < 40'000; i++) {
    m.push(i / 2, 1u << (i * 7 / 5) % 3);
    if (i >= kFrame) {
      const int gone = i - kFrame;
      ASSERT_TRUE(m.pop(gone / 2, 1u << (gone * 7 / 5) % 3));
    }
  }
  EXPECT_EQ(m.level(), 3);
}

} // namespace
} // namespace pql
