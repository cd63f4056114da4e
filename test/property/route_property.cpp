// Laws of assignment.
// Law: shares follow weights, capacity holds, and the order of the candidates means nothing.
#include "core/route/route.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "property/any.hpp"

namespace pql {
namespace {

constexpr std::array<std::string_view, 12> kReps = {"ada", "bob", "cyd", "dan", "eve", "fay", "gus", "hal", "ida", "jim", "kay", "leo"};

Candidate any_candidate(std::size_t i) {
  Candidate c;
  c.rep = kReps[i];
  c.active = !one_in(8);
  c.declined = one_in(10);
  c.in_segment = !one_in(6);
  c.in_territory = !one_in(6);
  if (one_in(5)) c.missing_skill = "sso";
  if (one_in(8)) c.away_until = kHour;
  c.late = one_in(5);
  c.open = number(0, 5);
  c.capacity = one_in(3) ? -1 : number(0, 6);
  c.this_week = number(0, 5);
  c.weekly_capacity = one_in(2) ? -1 : number(0, 6);
  c.weight = number(0, 5);
  c.breached = one_in(4);
  c.escalated = one_in(4);
  c.deficit = number(-300, 300) / 100.0;
  c.seed = number(0, 3);
  return c;
}

std::vector<Candidate> any_candidates() {
  std::vector<Candidate> all;
  for (std::size_t i = 0, n = number<std::size_t>(0, kReps.size() + 1); i < n; i++) all.push_back(any_candidate(i));
  return all;
}

bool is_free(const Candidate &c) {
  return c.active && !c.declined && c.away_until == kAlways && (c.capacity < 0 || c.open < c.capacity) &&
         (c.weekly_capacity < 0 || c.this_week < c.weekly_capacity);
}

TEST(RouteLaws, OrderMeansNothing) {
  check("choose(permuted) == choose", rc::check([] {
          const std::vector<Candidate> all = any_candidates(), mixed = shuffled(all);
          const auto when = static_cast<WhenNobody>(number(0, 3));
          const std::string_view owner = one_in(2) ? "" : kReps[number<std::size_t>(0, kReps.size())];
          const RouteDecision a = choose(all, owner, when), b = choose(mixed, owner, when);
          RC_ASSERT((a.chosen < 0) == (b.chosen < 0));
          if (a.chosen < 0) return;
          RC_ASSERT(all[static_cast<std::size_t>(a.chosen)].rep == mixed[static_cast<std::size_t>(b.chosen)].rep);
          for (std::size_t i = 0; i < all.size(); i++) {
            for (std::size_t j = 0; j < mixed.size(); j++) {
              if (all[i].rep == mixed[j].rep) RC_ASSERT(a.verdicts[i] == b.verdicts[j] && a.gains[i] == b.gains[j]);
            }
          }
        }));
}

TEST(RouteLaws, WhoeverIsChosenIsAble) {
  check("able, and exactly one", rc::check([] {
          const std::vector<Candidate> all = any_candidates();
          const std::string_view owner = one_in(2) ? "" : kReps[number<std::size_t>(0, kReps.size())];
          const auto when = static_cast<WhenNobody>(number(0, 3));
          const RouteDecision d = choose(all, owner, when);
          double sum = 0;
          int taken = 0;
          for (std::size_t i = 0; i < all.size(); i++) {
            const Candidate &c = all[i];
            sum += d.gains[i];
            taken += takes(d.verdicts[i]);
            RC_ASSERT(takes(d.verdicts[i]) == (static_cast<int>(i) == d.chosen));
            RC_ASSERT(!reason_of(d.verdicts[i], c, c.rep == owner).empty());
            const bool free = is_free(c);
            const bool fits = c.weight > 0 && c.in_segment && c.in_territory && c.missing_skill.empty();
            const bool above = std::any_of(all.begin(), all.end(), [](const Candidate &x) { return is_free(x) && x.escalated && !x.breached; });
            if (takes(d.verdicts[i])) RC_ASSERT(free && (c.rep == owner || fits || when == WhenNobody::overflow || c.escalated));
            if (free && (fits || c.rep == owner)) RC_ASSERT(d.chosen >= 0);
            if (free && c.rep == owner && !c.breached && !above) RC_ASSERT(takes(d.verdicts[i]));
            if (above && takes(d.verdicts[i])) RC_ASSERT(c.escalated && !c.breached);
            // who let the promise pass gets it only when nobody else can
            if (takes(d.verdicts[i]) && c.breached && (when != WhenNobody::overflow || fits || c.rep == owner)) {
              for (const Candidate &x : all) {
                RC_ASSERT(x.breached || !is_free(x) || !(x.rep == owner || (x.weight > 0 && x.in_segment && x.in_territory && x.missing_skill.empty())));
              }
            }
          }
          RC_ASSERT(taken == (d.chosen >= 0) && std::abs(sum) < 1e-9);
        }));
}

// However long it goes on, and from wherever it began, nobody is a whole row and what he began with from his share.
TEST(RouteLaws, SharesFollowWeights) {
  check("|taken - n * weight / total| is bounded", rc::check([] {
          std::vector<Candidate> all;
          double total = 0;
          for (std::size_t i = 0, n = number<std::size_t>(1, kReps.size() + 1); i < n; i++) {
            Candidate &c = all.emplace_back();
            c.rep = kReps[i];
            c.weight = number(1, 20);
            c.seed = number(0, 3);
            total += c.weight;
          }
          const int rows = number(1, 2'000);
          for (int i = 0; i < rows; i++) {
            const RouteDecision d = choose(all, "");
            all[static_cast<std::size_t>(d.chosen)].open++;
            for (std::size_t k = 0; k < all.size(); k++) all[k].deficit += d.gains[k];
          }
          for (const Candidate &c : all) RC_ASSERT(std::abs(c.open - rows * c.weight / total) < static_cast<double>(all.size()));
        }));
}

TEST(RouteLaws, AsManyAreAboveTheThresholdAsThereArePlaces) {
  check("capacity_threshold == the score of the last who has a place", rc::check([] {
          std::vector<int> scores;
          for (int i = 0, n = number(0, 40); i < n; i++) scores.push_back(number(10, 30));
          std::sort(scores.begin(), scores.end(), std::greater<>());
          std::vector<Arrivals> best_first;
          for (const int s : scores) {
            if (best_first.empty() || best_first.back().score != s) best_first.push_back({s, 0});
            best_first.back().count++;
          }
          const std::size_t places = number<std::size_t>(0, 45);
          const int enter = number(5, 15), t = capacity_threshold(best_first, static_cast<std::int64_t>(places), enter);
          RC_ASSERT(t >= enter);
          if (places >= scores.size()) RC_ASSERT(t == enter);
          else RC_ASSERT(t == std::max(enter, scores[places ? places - 1 : 0]));
        }));
}

TEST(RouteLaws, WhoComesBackIsNotFlooded) {
  check("a newcomer gets his share, not what went before", rc::check([] {
          std::vector<Candidate> all(3);
          for (std::size_t i = 0; i < 3; i++) all[i].rep = kReps[i];
          all[2].away_until = kNever;
          for (int i = 0; i < 400; i++) {
            if (i == 300) all[2].away_until = kAlways;
            const RouteDecision d = choose(all, "");
            all[static_cast<std::size_t>(d.chosen)].open++;
            for (std::size_t k = 0; k < 3; k++) all[k].deficit += d.gains[k];
          }
          RC_ASSERT(std::abs(all[2].open - 33) <= 1);
        }));
}

} // namespace
} // namespace pql
