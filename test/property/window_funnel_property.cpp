// Laws of window_funnel.
// Law: what is read equals a search of all chains, or for the stepwise modes their definition taken literally.
#include "core/sequence/window_funnel.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "property/any_events.hpp"

namespace pql {
namespace {

using Times = std::vector<Micros>;

Times times_of(const FunnelQuery &q, const Events &rows) {
  Arena a;
  const Vec<Micros> t = funnel_times(a, q, rows);
  return {t.begin(), t.end()};
}

// --- the oracle of the modes that are defined by chains: tries every chain of rows ----------------------------------------

bool allowed(const FunnelQuery &q, const Events &rows, const std::vector<std::size_t> &chain) {
  for (std::size_t i = 1; i < chain.size(); i++) {
    const Micros from = rows[chain[i - 1]].at, to = rows[chain[i]].at;
    if (to < from || (q.modes.increase && to == from)) return false;
    for (const EventRow &r : rows) {
      if (r.excluded && r.at > from && r.at < to) return false;
    }
    for (std::size_t j = 0; j < i && q.modes.once; j++) {
      if (chain[j] == chain[i]) return false;
    }
  }
  return rows[chain.back()].at - rows[chain.front()].at <= q.within;
}

// The times of the best chain: most steps, then the earliest end, then the latest start, then each step as early as it can be.
Times best_chain(const FunnelQuery &q, const Events &rows) {
  Times best;
  std::vector<std::size_t> chain;
  const std::function<void()> extend = [&] {
    Times times;
    for (const std::size_t i : chain) times.push_back(rows[i].at);
    const auto key = [](const Times &t) { return std::tuple(-static_cast<int>(t.size()), t.back(), -t.front()); };
    if (!times.empty() && (best.empty() || key(times) < key(best) || (key(times) == key(best) && times < best))) best = times;
    if (static_cast<int>(chain.size()) == q.steps) return;
    for (std::size_t i = 0; i < rows.size(); i++) {
      if (!(rows[i].steps >> chain.size() & 1)) continue;
      chain.push_back(i);
      if (allowed(q, rows, chain)) extend();
      chain.pop_back();
    }
  };
  extend();
  return best;
}

TEST(WindowFunnelLaws, EqualsASearchOfAllChains) {
  int full = 0;
  check("chains", rc::check([&] {
          const int steps = number(1, 5);
          FunnelQuery q{steps, number<Micros>(0, 12), {}};
          q.modes.increase = one_in(3);
          q.modes.once = one_in(2);
          const Events rows = any_events({steps, 7, 7, one_in(3), one_in(3)});
          const Times expected = best_chain(q, rows);
          full += static_cast<int>(expected.size()) == steps;
          RC_ASSERT(times_of(q, rows) == expected);
          RC_ASSERT(funnel_level(q, rows) == static_cast<int>(expected.size()));
        }));
  EXPECT_GT(full, 10);
}

TEST(WindowFunnelLaws, OnceMatchesManyEventsOfOneInstant) {
  check("ties", rc::check([] {
          FunnelQuery q{number(2, 5), number<Micros>(0, 4), {.once = true}};
          const Events rows = any_events({q.steps, 8, 2});
          RC_ASSERT(times_of(q, rows) == best_chain(q, rows));
        }));
}

// --- the oracle of the stepwise modes: their definition, entry by entry -----------------------------------------------------

int walked(const FunnelQuery &q, const Events &rows) {
  struct Entry {
    Micros at;
    int step;
  };
  std::vector<Entry> entries;
  for (const EventRow &r : rows) {
    if (!r.steps) entries.push_back({r.at, 0});
    for (int s = 0; s < q.steps; s++) {
      if (r.steps >> s & 1) entries.push_back({r.at, s + 1});
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](auto &x, auto &y) { return std::tie(x.at, x.step) < std::tie(y.at, y.step); });
  struct Level {
    bool set = false;
    Micros start = 0, last = 0;
  };
  std::vector<Level> level(static_cast<std::size_t>(q.steps) + 1);
  const auto most = [&] {
    int m = 0;
    for (int i = 1; i <= q.steps; i++) {
      if (level[static_cast<std::size_t>(i)].set) m = i;
    }
    return m;
  };
  bool first_seen = false;
  for (const Entry &e : entries) {
    const auto i = static_cast<std::size_t>(e.step);
    if (e.step == 0) {
      if (q.modes.order && !q.modes.steps_only && first_seen) break;
    } else if (e.step == 1) {
      level[1] = {true, e.at, e.at};
      first_seen = true;
      if (q.steps == 1) return 1;
    } else if (q.modes.dedup && level[i].set) {
      return most();
    } else if (q.modes.order && first_seen && !level[i - 1].set) {
      if (!q.modes.reentry) return static_cast<int>(std::find_if(level.begin() + 1, level.end(), [](auto &l) { return !l.set; }) - level.begin()) - 1;
    } else if (level[i - 1].set && e.at - level[i - 1].start <= q.within && (!q.modes.increase || level[i - 1].last < e.at)) {
      level[i] = {true, level[i - 1].start, e.at};
      if (e.step == q.steps) return q.steps;
    }
  }
  return most();
}

TEST(WindowFunnelLaws, StepwiseModesAreTheirDefinition) {
  std::set<int> levels;
  check("stepwise", rc::check([&] {
          const int steps = number(1, 6);
          FunnelQuery q{steps, number<Micros>(0, 20), {}};
          q.modes.dedup = one_in(2);
          q.modes.order = !q.modes.dedup || one_in(2);
          q.modes.increase = one_in(3);
          q.modes.reentry = q.modes.order && one_in(2);
          q.modes.steps_only = q.modes.order && one_in(3);
          const Events rows = any_events({steps, 14, 20, one_in(2)});
          const int expected = walked(q, rows);
          levels.insert(expected);
          RC_ASSERT(funnel_level(q, rows) == expected);
          const Times times = times_of(q, rows);
          RC_ASSERT(static_cast<int>(times.size()) == expected);
          RC_ASSERT(std::is_sorted(times.begin(), times.end()));
          if (!times.empty()) RC_ASSERT(times.back() - times.front() <= q.within);
          for (std::size_t i = 0; i < times.size(); i++) {
            RC_ASSERT(std::any_of(rows.begin(), rows.end(), [&](auto &r) { return r.at == times[i] && r.steps >> i & 1; }));
          }
        }));
  EXPECT_GT(levels.size(), 2u); // several are drawn, whatever the seed
}

// The same with all chains there are: an event serves one step only.
int walked_once(const FunnelQuery &q, const Events &rows) {
  struct Chain {
    std::vector<std::size_t> rows;
  };
  struct Entry {
    Micros at;
    int step;
    std::size_t row;
  };
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < rows.size(); i++) {
    if (!rows[i].steps) entries.push_back({rows[i].at, 0, i});
    for (int s = 0; s < q.steps; s++) {
      if (rows[i].steps >> s & 1) entries.push_back({rows[i].at, s + 1, i});
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](auto &x, auto &y) { return std::tie(x.at, x.step) < std::tie(y.at, y.step); });
  std::vector<std::vector<Chain>> chains(static_cast<std::size_t>(q.steps) + 1);
  const auto most = [&] {
    int m = 0;
    for (int i = 1; i <= q.steps; i++) {
      if (!chains[static_cast<std::size_t>(i)].empty()) m = i;
    }
    return m;
  };
  for (const Entry &e : entries) {
    const auto i = static_cast<std::size_t>(e.step);
    if (e.step == 0) {
      if (q.modes.order && !q.modes.steps_only && !chains[1].empty()) break;
    } else if (e.step == 1) {
      chains[1].push_back({{e.row}});
    } else if (q.modes.dedup && !chains[i].empty()) {
      return most();
    } else if (q.modes.order && !chains[1].empty() && chains[i - 1].empty()) {
      if (!q.modes.reentry) return most();
    } else {
      for (const Chain &c : chains[i - 1]) {
        if (e.at - rows[c.rows.front()].at > q.within || (q.modes.increase && rows[c.rows.back()].at == e.at)) continue;
        if (std::find(c.rows.begin(), c.rows.end(), e.row) != c.rows.end()) continue;
        chains[i].push_back(c);
        chains[i].back().rows.push_back(e.row);
      }
    }
    if (most() == q.steps) return q.steps;
  }
  return most();
}

TEST(WindowFunnelLaws, StepwiseAndOnceIsTheDefinitionWithAllChains) {
  std::set<int> levels;
  check("stepwise once", rc::check([&] {
          const int steps = number(1, 5);
          FunnelQuery q{steps, number<Micros>(0, 12), {.once = true}};
          q.modes.dedup = one_in(2);
          q.modes.order = !q.modes.dedup || one_in(2);
          q.modes.increase = one_in(4);
          q.modes.reentry = q.modes.order && one_in(2);
          q.modes.steps_only = q.modes.order && one_in(3);
          const Events rows = any_events({steps, 9, *rc::gen::element(3, 12), one_in(2)});
          const int expected = walked_once(q, rows);
          RC_LOG() << "dedup " << q.modes.dedup << " order " << q.modes.order << " increase " << q.modes.increase << " reentry "
                   << q.modes.reentry << " steps_only " << q.modes.steps_only << " rows " << rc::toString(rows);
          levels.insert(expected);
          RC_ASSERT(funnel_level(q, rows) == expected);
          const Times times = times_of(q, rows);
          RC_ASSERT(static_cast<int>(times.size()) == expected);
          if (!times.empty()) RC_ASSERT(times.back() - times.front() <= q.within);
        }));
  EXPECT_GT(levels.size(), 2u);
}

// --- laws -------------------------------------------------------------------------------------------------------------------

FunnelQuery any_query(int most_steps) {
  FunnelQuery q{number(1, most_steps + 1), number<Micros>(0, 30), {}};
  q.modes.increase = one_in(3);
  q.modes.once = one_in(3);
  return q;
}

TEST(WindowFunnelLaws, MoreTimeAndMoreRowsNeverLower) {
  check("monotone", rc::check([] {
          FunnelQuery q = any_query(6);
          Events rows = any_events({q.steps, 30, 60});
          const int level = funnel_level(q, rows);
          FunnelQuery wider = q;
          wider.within += number<Micros>(0, 20);
          RC_ASSERT(funnel_level(wider, rows) >= level);
          const Events more = any_events({q.steps, 10, 60});
          rows.insert(rows.end(), more.begin(), more.end());
          sort_events(rows);
          RC_ASSERT(funnel_level(q, rows) >= level);
        }));
}

TEST(WindowFunnelLaws, ARepeatedRowChangesNothingButOnce) {
  check("duplicates", rc::check([] {
          FunnelQuery q = any_query(5);
          q.modes.once = false;
          Events rows = any_events({q.steps, 20, 40, true, one_in(2)});
          const Times before = times_of(q, rows);
          const Events copy = rows;
          for (const EventRow &r : copy) {
            if (one_in(2)) rows.push_back(r);
          }
          sort_events(rows);
          RC_ASSERT(times_of(q, rows) == before);
        }));
}

TEST(WindowFunnelLaws, TimeHasNoPreferredOrigin) {
  check("shift", rc::check([] {
          const FunnelQuery q = any_query(5);
          Events rows = any_events({q.steps, 30, 60, false, one_in(3)});
          Times times = times_of(q, rows);
          const Micros by = number<Micros>(-(Micros{1} << 62), Micros{1} << 62);
          for (EventRow &r : rows) r.at += by;
          for (Micros &t : times) t += by;
          RC_ASSERT(times_of(q, rows) == times);
        }));
}

TEST(WindowFunnelLaws, InAnyOrderIsTheBestWindow) {
  check("any order", rc::check([] {
          const int steps = number(1, 6);
          const Micros within = number<Micros>(0, 15);
          const Events rows = any_events({steps, 12, 25});
          int best = 0;
          for (const EventRow &end : rows) {
            std::uint32_t in = 0;
            for (const EventRow &r : rows) in |= r.at <= end.at && end.at - r.at <= within ? r.steps : 0;
            best = std::max(best, std::popcount(in));
          }
          RC_ASSERT(steps_in_any_order(steps, within, rows) == best);
        }));
}

// One event for each step; none excluded strictly between the first and the last.
TEST(WindowFunnelLaws, InAnyOrderPassesNoExcludedEvent) {
  check("any order, excluded", rc::check([] {
          const int steps = number(1, 5);
          const Micros within = number<Micros>(0, 12);
          const Events rows = any_events({steps, 6, 8, false, true});
          int best = 0;
          std::vector<Micros> chosen;
          const std::function<void(int)> choose = [&](int s) {
            if (s == steps) {
              std::vector<Micros> t = chosen;
              std::sort(t.begin(), t.end());
              bool holds = t.empty() || t.back() - t.front() <= within;
              for (const EventRow &r : rows) holds &= t.empty() || !r.excluded || r.at <= t.front() || r.at >= t.back();
              if (holds) best = std::max(best, static_cast<int>(t.size()));
              return;
            }
            choose(s + 1);
            for (const EventRow &r : rows) {
              if (!(r.steps >> s & 1)) continue;
              chosen.push_back(r.at);
              choose(s + 1);
              chosen.pop_back();
            }
          };
          choose(0);
          RC_ASSERT(steps_in_any_order(steps, within, rows) == best);
        }));
}

} // namespace
} // namespace pql
