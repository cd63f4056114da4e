// Laws of funnels.
// Law: what is streamed equals a search of all chains; any order and batching gives the same state or says inexact.
// covers: S3-10, S3-7
#include "core/sequence/funnel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <ostream>
#include <vector>

#include "property/any.hpp"

namespace pql {

static void showValue(const FunnelLevel &l, std::ostream &os) {
  os << "level " << l.level << " done " << l.done << " started " << l.started << " reached " << l.reached;
}

namespace {

using Rows = std::vector<StepAt>;

FunnelSpec any_spec(int most_steps) { return {number(1, most_steps + 1), one_in(2), number<Micros>(0, 20)}; }

Rows any_rows(const FunnelSpec &spec, int most, int span) {
  Rows rows;
  const int n = number(0, most + 1);
  const bool rare_last = one_in(2); // so that many rows come before the end
  for (int i = 0; i < n; i++) {
    std::uint32_t mask = 1u << number(0, spec.steps);
    if (one_in(4)) mask |= 1u << number(0, spec.steps);
    if (rare_last && spec.steps > 1 && !one_in(8)) mask &= ~(1u << (spec.steps - 1));
    if (mask == 0) mask = 1;
    rows.push_back({number<Micros>(-span / 2, span / 2 + 1), mask});
    if (one_in(6)) rows.push_back(rows.back());
  }
  return rows;
}

Rows sorted(Rows rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const StepAt &a, const StepAt &b) { return a.at < b.at; });
  return rows;
}

// --- the oracle: no streaming, no domination, only the definition
// -------------------------------------------------------

// Is there a chain of the first `level` steps that starts at `start` and ends at `end`? Times do not fall, the last
// lies within the window, and one row may serve several steps: then any row between the two will do for the steps
// between.
bool chain(const FunnelSpec &spec, const Rows &rows, int level, Micros start, Micros end) {
  if (end < start || end - start > spec.within) return false;
  std::vector<std::vector<Micros>> of(static_cast<std::size_t>(level));
  for (const StepAt &r : rows) {
    for (int s = 0; s < level; s++) {
      if (r.steps >> s & 1) of[static_cast<std::size_t>(s)].push_back(r.at);
    }
  }
  // All ways to choose a time for each step, from the first to the last.
  std::vector<Micros> reach;
  for (Micros t : of[0]) {
    if (t == start) reach.push_back(t);
  }
  for (std::size_t s = 1; s < of.size(); s++) {
    std::vector<Micros> next;
    for (Micros t : of[s]) {
      for (Micros before : reach) {
        if (before <= t && t <= end) next.push_back(t);
      }
    }
    std::sort(next.begin(), next.end());
    next.erase(std::unique(next.begin(), next.end()), next.end());
    reach = next;
  }
  return std::find(reach.begin(), reach.end(), end) != reach.end();
}

FunnelLevel oracle_in_order(const FunnelSpec &spec, const Rows &rows) {
  for (int level = spec.steps; level > 0; level--) {
    FunnelLevel best;
    for (const StepAt &end : rows) {
      for (const StepAt &start : rows) {
        if (!chain(spec, rows, level, start.at, end.at)) continue;
        const bool better =
            best.level == 0 || end.at < best.reached || (end.at == best.reached && start.at > best.started);
        if (better) best = {level, static_cast<std::uint32_t>((std::uint64_t{1} << level) - 1), start.at, end.at};
      }
    }
    if (best.level) return best;
  }
  return {};
}

// Every window [start, end]: the most distinct steps in one, the earliest end of such a one, then its latest start.
FunnelLevel oracle_any_order(const FunnelSpec &spec, const Rows &rows) {
  FunnelLevel best;
  for (const StepAt &start : rows) {
    for (const StepAt &end : rows) {
      if (end.at < start.at || end.at - start.at > spec.within) continue;
      std::uint32_t mask = 0;
      for (const StepAt &r : rows) {
        if (r.at >= start.at && r.at <= end.at) mask |= r.steps;
      }
      const int level = std::popcount(mask);
      const bool better =
          level > best.level ||
          (level == best.level && (end.at < best.reached || (end.at == best.reached && start.at > best.started)));
      if (better) best = {level, mask, start.at, end.at};
    }
  }
  return best;
}

FunnelLevel oracle(const FunnelSpec &spec, const Rows &rows) {
  return spec.in_order ? oracle_in_order(spec, rows) : oracle_any_order(spec, rows);
}

// --- states as values
// ---------------------------------------------------------------------------------------------------

struct State {
  FunnelLevel best;
  Micros floor = 0;
  std::vector<Micros> sweep;
  std::vector<std::pair<Micros, std::uint32_t>> kept;
  bool operator==(const State &) const = default;
};

State state_of(const Funnel &f) {
  State s{f.best, f.floor, {f.sweep.begin(), f.sweep.end()}, {}};
  for (const StepAt &k : f.kept) s.kept.emplace_back(k.at, k.steps);
  return s;
}

Funnel fold(Arena &a, const FunnelSpec &spec, const Rows &rows) {
  Funnel f;
  for (const StepAt &r : rows) f.add(a, spec, r.at, r.steps);
  return f;
}

Funnel settled(Arena &a, const FunnelSpec &spec, const Rows &rows) {
  Funnel f = fold(a, spec, rows);
  f.settle(a, spec);
  return f;
}

// --- laws
// ---------------------------------------------------------------------------------------------------------------

TEST(FunnelLaws, EqualsTheSearchOfAllChains) {
  check("oracle", rc::check([] {
          for (int i = 0; i < 30; i++) {
            const FunnelSpec spec = any_spec(5);
            const Rows rows = any_rows(spec, 14, *rc::gen::element(8, 30, 60));
            Arena a;
            Funnel f = fold(a, spec, rows);
            const FunnelLevel expected = oracle(spec, rows);
            RC_ASSERT(f.read(spec) == expected);
            f.settle(a, spec);
            RC_ASSERT(!f.inexact);
            RC_ASSERT(f.read(spec) == expected);
          }
        }));
}

TEST(FunnelLaws, EqualsTheSearchWhenOldInstantsAreFolded) {
  check("oracle, long", rc::check([] {
          const FunnelSpec spec = any_spec(4);
          const Rows rows = any_rows(spec, 90, 300);
          Arena a;
          const Funnel f = settled(a, spec, rows);
          RC_ASSERT(f.read(spec) == oracle(spec, rows));
          RC_ASSERT(f.kept.size <= Funnel::kKept);
        }));
}

TEST(FunnelLaws, ReadsThePastFromTheFloorOn) {
  check("as of", rc::check([] {
          const FunnelSpec spec = any_spec(4);
          const Rows rows = any_rows(spec, 40, 120);
          Arena a;
          const Funnel f = settled(a, spec, rows);
          RC_PRE(!f.complete(spec));
          const Micros as_of = number<Micros>(std::max<Micros>(f.floor, -70), 70);
          Rows until;
          for (const StepAt &r : rows) {
            if (r.at <= as_of) until.push_back(r);
          }
          RC_ASSERT(f.read(spec, as_of) == oracle(spec, until));
        }));
}

TEST(FunnelLaws, TheOrderOfRowsDoesNotMatter) {
  check("shuffled", rc::check([] {
          const FunnelSpec spec = any_spec(5);
          const Rows rows = any_rows(spec, 60, *rc::gen::element(20, 200));
          Arena a;
          RC_ASSERT(state_of(settled(a, spec, rows)) == state_of(settled(a, spec, shuffled(rows))));
        }));
}

TEST(FunnelLaws, AnyTreeOfPartsGivesTheSameStateOrSaysInexact) {
  int exact = 0, inexact = 0;
  check("merge tree", rc::check([&] {
          const FunnelSpec spec = any_spec(4);
          Rows rows = any_rows(spec, *rc::gen::element(10, 40, 80), *rc::gen::element(20, 200));
          if (one_in(2)) rows = sorted(rows);
          Arena a;
          const Funnel whole = settled(a, spec, rows);
          std::vector<Funnel> parts;
          for (std::size_t i = 0; i < rows.size() || parts.empty();) {
            Funnel part;
            for (std::size_t n = number<std::size_t>(0, 30); n > 0 && i < rows.size(); n--, i++)
              part.add(a, spec, rows[i].at, rows[i].steps);
            if (one_in(2)) part.settle(a, spec);
            parts.push_back(part);
          }
          while (parts.size() > 1) {
            const std::size_t from = number<std::size_t>(0, parts.size());
            std::size_t into = number<std::size_t>(0, parts.size() - 1);
            into += into >= from;
            parts[into].merge(a, spec, parts[from]);
            if (one_in(2)) parts[into].settle(a, spec);
            parts.erase(parts.begin() + static_cast<long>(from));
          }
          parts[0].settle(a, spec);
          (parts[0].inexact ? inexact : exact)++;
          if (!parts[0].inexact) RC_ASSERT(state_of(parts[0]) == state_of(whole));
        }));
  EXPECT_GT(exact, 20); // neither side is empty
  EXPECT_GT(inexact, 0);
}

TEST(FunnelLaws, InexactIsForEver) {
  check("inexact", rc::check([] {
          const FunnelSpec spec = any_spec(4);
          Arena a;
          Funnel doubtful = settled(a, spec, any_rows(spec, 30, 60));
          doubtful.inexact = true;
          const Funnel other = settled(a, spec, any_rows(spec, 30, 60));
          Funnel into = other;
          into.merge(a, spec, doubtful);
          RC_ASSERT(into.inexact);
          doubtful.merge(a, spec, other);
          doubtful.settle(a, spec);
          RC_ASSERT(doubtful.inexact);
        }));
}

TEST(FunnelLaws, EventsInTheOrderOfTimeAreAlwaysExact) {
  check("stream", rc::check([] {
          const FunnelSpec spec = any_spec(4);
          const Rows rows = sorted(any_rows(spec, 80, 300));
          Arena a;
          Funnel f;
          std::optional<Micros> reached;
          for (std::size_t i = 0; i < rows.size();) {
            Funnel part; // the whole of one or more instants: a statement
            const int instants = number(1, 25);
            for (int n = 0; n < instants && i < rows.size(); n++) {
              const Micros at = rows[i].at;
              for (; i < rows.size() && rows[i].at == at; i++) part.add(a, spec, at, rows[i].steps);
            }
            if (part.kept.size <= Funnel::kKept && one_in(2)) {
              f.merge(a, spec, part);
            } else {
              for (const StepAt &s : part.kept) f.add(a, spec, s.at, s.steps);
            }
            f.settle(a, spec);
            RC_ASSERT(!f.inexact);
            if (f.complete(spec) && !reached) reached = f.best.reached;
          }
          RC_ASSERT(state_of(f) == state_of(settled(a, spec, rows)));
          if (reached) RC_ASSERT(f.best.reached == *reached);
        }));
}

TEST(FunnelLaws, NoLaterThanSixteenInstantsIsExact) {
  check("late by 16", rc::check([] {
          // Only steps that can't finish it, so that lateness alone decides.
          const FunnelSpec spec{3, one_in(2), number<Micros>(0, 40)};
          const int n = number(18, 60), late = number(0, n), by = number(1, 30);
          Arena a;
          Funnel f, whole;
          const auto take = [&](int i) {
            Funnel one;
            one.add(a, spec, i * 3, 1u << i % 2);
            f.merge(a, spec, one);
            f.settle(a, spec);
            whole.add(a, spec, i * 3, 1u << i % 2);
          };
          for (int i = 0; i < n; i++) {
            if (i != late) take(i);
            if (i == std::min(n - 1, late + by)) take(late);
          }
          whole.settle(a, spec);
          const int passed = std::min(n - 1, late + by) - late;
          RC_ASSERT(f.inexact == (passed > static_cast<int>(Funnel::kKept)));
          if (!f.inexact) RC_ASSERT(state_of(f) == state_of(whole));
        }));
}

TEST(FunnelLaws, AReplayChangesNothingOrSaysInexact) {
  check("idempotent", rc::check([] {
          const FunnelSpec spec = any_spec(4);
          const Rows rows = any_rows(spec, *rc::gen::element(12, 50), 100);
          Arena a;
          Funnel f = settled(a, spec, rows);
          const State before = state_of(f);
          for (const StepAt &r : rows) {
            if (one_in(2)) f.add(a, spec, r.at, r.steps);
          }
          f.settle(a, spec);
          RC_ASSERT(f.inexact || state_of(f) == before);
        }));
}

TEST(FunnelLaws, AFinishedFunnelIsMovedByNothingLater) {
  check("finished", rc::check([] {
          const FunnelSpec spec = any_spec(3);
          const Rows rows = any_rows(spec, 30, 40);
          Arena a;
          Funnel f = settled(a, spec, rows);
          RC_PRE(f.complete(spec));
          const State before = state_of(f);
          RC_ASSERT(before.kept.empty() && before.sweep.empty() && before.floor == f.best.reached);
          f.add(a, spec, f.best.reached + number<Micros>(1, 50), 1u << number(0, spec.steps));
          f.settle(a, spec);
          RC_ASSERT(!f.inexact && state_of(f) == before);
          f.add(a, spec, f.best.reached - number<Micros>(0, 50), 1u << number(0, spec.steps));
          RC_ASSERT(f.inexact);
        }));
}

TEST(FunnelLaws, MoreTimeAndMoreRowsNeverLower) {
  check("monotone", rc::check([] {
          FunnelSpec spec = any_spec(5);
          Rows rows = any_rows(spec, 30, 60);
          Arena a;
          const int level = settled(a, spec, rows).read(spec).level;
          FunnelSpec wider = spec;
          wider.within += number<Micros>(0, 20);
          RC_ASSERT(settled(a, wider, rows).read(wider).level >= level);
          FunnelSpec loose = spec;
          loose.in_order = false;
          RC_ASSERT(settled(a, loose, rows).read(loose).level >= level);
          const Rows more = any_rows(spec, 10, 60);
          rows.insert(rows.end(), more.begin(), more.end());
          RC_ASSERT(settled(a, spec, rows).read(spec).level >= level);
        }));
}

TEST(FunnelLaws, TimeHasNoPreferredOrigin) {
  check("shift", rc::check([] {
          const FunnelSpec spec = any_spec(5);
          Rows rows = any_rows(spec, 40, 100);
          Arena a;
          FunnelLevel here = settled(a, spec, rows).read(spec);
          const Micros by = number<Micros>(-(Micros{1} << 60), Micros{1} << 60);
          for (StepAt &r : rows) r.at += by;
          const FunnelLevel there = settled(a, spec, rows).read(spec);
          if (here.level) here.started += by, here.reached += by;
          RC_ASSERT(there.level == here.level && there.done == here.done);
          if (here.level) RC_ASSERT(there == here);
        }));
}

TEST(FunnelLaws, ThirtyTwoStepsAreNotTooMany) {
  for (const bool in_order : {true, false}) {
    const FunnelSpec spec{kMaxSteps, in_order, kMaxSteps};
    Arena a;
    Funnel f;
    for (int i = 0; i < kMaxSteps; i++) {
      f.add(a, spec, i, 1u << i);
      f.settle(a, spec);
      EXPECT_EQ(f.read(spec).level, i + 1);
    }
    EXPECT_EQ(f.read(spec), (FunnelLevel{32, 0xffffffffu, 0, 31}));
    EXPECT_TRUE(f.complete(spec));
  }
}

TEST(FunnelLaws, TheEndsOfTheDatabasesTimesAreNotTooFar) {
  constexpr Micros kOldest = -211'813'488'000 * kSecond, kNewest = 9'223'371'331'200 * kSecond - 1;
  for (const bool in_order : {true, false}) {
    const FunnelSpec spec{2, in_order, 36'525 * kDay};
    Arena a;
    const Funnel f = settled(a, spec, {{kOldest, 1}, {kNewest, 2}});
    EXPECT_EQ(f.read(spec).level, 1);
    EXPECT_EQ(f.read(spec).reached, kOldest);
  }
}

} // namespace
} // namespace pql
