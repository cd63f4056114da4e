// The latest start that can still reach a step dominates all earlier ones, so one start per step is enough. What chains may do
// within one instant is all that modes change: see Ties.
#include "core/sequence/window_funnel.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace pql {
namespace {

using Starts = std::array<Micros, kMaxConditions>; // [s]: the latest start of a chain of steps 1..s+1; kAlways: none

// Which runs of steps the events of one instant can serve.
class Ties {
public:
  explicit Ties(const FunnelQuery &q) noexcept : q_(q) {}

  void take(const Instant &x) noexcept {
    steps_ = x.steps;
    matched_ = q_.modes.once && !q_.modes.increase && x.rows.size() > 1;
    if (matched_) list_candidates(x.rows);
  }

  /// The same, an event's step at a time: begin(), then add() for each.
  void begin() noexcept {
    steps_ = 0;
    matched_ = !q_.modes.increase;
    count_ = {};
    events_ = 0;
  }

  /// Events are named by their place among those of the instant. False: more candidates make no difference.
  bool add(int s, std::uint32_t event) noexcept {
    steps_ |= 1u << s;
    if (!matched_) return true;
    if (count_[s] == q_.steps) return false;
    const auto known = std::find(names_.begin(), names_.begin() + events_, event);
    const auto e = static_cast<std::uint16_t>(known - names_.begin());
    if (e == events_) names_[static_cast<std::size_t>(events_++)] = event;
    candidates_[s][count_[s]++] = e;
    return true;
  }

  // The greatest b for which steps from+1..b can all be taken now. Each prefix of the run can, too.
  int extent(int from) noexcept {
    if (matched_) return match(from);
    if (q_.modes.increase || q_.modes.once) return from + static_cast<int>(steps_ >> from & 1);
    const int run = std::countr_one(steps_ >> from);
    return std::min(from + run, q_.steps);
  }

private:
  // A step with as many candidates as there are steps finds a free one whatever the others take, so more are not needed.
  void list_candidates(std::span<const EventRow> rows) noexcept {
    count_ = {};
    events_ = 0;
    const std::uint32_t all = q_.steps == kMaxConditions ? ~0u : (1u << q_.steps) - 1;
    std::uint32_t wanted = all;
    for (const EventRow &r : rows) {
      std::uint32_t rest = r.steps & wanted;
      if (!rest) continue;
      const auto event = static_cast<std::uint16_t>(events_++);
      for (; rest; rest &= rest - 1) {
        const int s = std::countr_zero(rest);
        candidates_[s][count_[s]++] = event;
        if (count_[s] == q_.steps) wanted &= ~(1u << s);
      }
      if (!wanted) return;
    }
  }

  // Bipartite matching of steps and events, a step at a time.
  int match(int from) noexcept {
    std::fill_n(taken_by_.begin(), events_, std::int8_t{-1});
    std::fill_n(seen_.begin(), events_, std::uint8_t{0xff});
    int s = from;
    while (s < q_.steps && augment(s, static_cast<std::uint8_t>(s))) s++;
    return s;
  }

  // Depth at most kMaxConditions: each call displaces another step.
  bool augment(int s, std::uint8_t mark) noexcept { // NOLINT(misc-no-recursion)
    for (int i = 0; i < count_[s]; i++) {
      const std::uint16_t e = candidates_[s][i];
      if (seen_[e] == mark) continue;
      seen_[e] = mark;
      if (taken_by_[e] >= 0 && !augment(taken_by_[e], mark)) continue;
      taken_by_[e] = static_cast<std::int8_t>(s);
      return true;
    }
    return false;
  }

  static constexpr int kMost = kMaxConditions * kMaxConditions;

  const FunnelQuery &q_;
  std::uint32_t steps_ = 0;
  bool matched_ = false; // the candidates say what can be taken, not just steps_
  int events_ = 0;
  std::array<std::uint32_t, kMost> names_;
  std::array<int, kMaxConditions> count_;
  std::array<std::array<std::uint16_t, kMaxConditions>, kMaxConditions> candidates_;
  std::array<std::int8_t, kMost> taken_by_;
  std::array<std::uint8_t, kMost> seen_;
};

// How far, when first, and the latest start of those who got there then.
struct Reached {
  int level = 0;
  Micros at = kAlways, start = kAlways;
};

// Any mode that is defined by the chains that exist.
class Chains {
public:
  explicit Chains(const FunnelQuery &q) noexcept : q_(q), ties_(q) { starts_.fill(kAlways); }

  const Reached &best() const noexcept { return best_; }
  bool complete() const noexcept { return best_.level == q_.steps; }

  void take(const Instant &x) noexcept {
    ties_.take(x);
    Starts now;
    now.fill(kAlways);
    for (int from = 0; from < q_.steps; from++) {
      if (!(x.steps >> from & 1)) continue;
      const Micros start = from == 0 ? x.at : starts_[from - 1];
      if (start == kAlways || later_by_more(x.at, start, q_.within)) continue;
      const int end = ties_.extent(from);
      for (int s = from; s < end; s++) now[s] = std::max(now[s], start);
    }
    for (int s = q_.steps; s-- > best_.level;) {
      if (now[s] == kAlways) continue;
      best_ = {s + 1, x.at, now[s]};
      break;
    }
    if (x.excluded) { // only chains that have a step right here pass it
      starts_ = now;
      return;
    }
    for (int s = 0; s < q_.steps; s++) starts_[s] = std::max(starts_[s], now[s]);
  }

private:
  const FunnelQuery &q_;
  Ties ties_;
  Starts starts_;
  Reached best_;
};

Micros time_of(const EventRow &r) noexcept { return r.at; }
Micros time_of(const PackedRow &r) noexcept { return r.at(); }
std::uint32_t steps_of(const EventRow &r) noexcept { return r.steps; }
std::uint32_t steps_of(const PackedRow &r) noexcept { return r.steps(); }

// The common case: an instant is its set of steps, and nothing is excluded.
template <bool kIncrease, class Row>
int plain_level(int steps, Micros within, std::span<const Row> rows) noexcept {
  Starts starts;
  starts.fill(kAlways);
  const std::uint32_t all = steps == kMaxConditions ? ~0u : (1u << steps) - 1;
  int level = 0;
  const auto take = [&](int s, Micros at) {
    if (s == 0) {
      starts[0] = at;
    } else {
      if (starts[s - 1] == kAlways || later_by_more(at, starts[s - 1], within)) return;
      starts[s] = starts[s - 1];
    }
    level = std::max(level, s + 1);
  };
  for (std::size_t i = 0; i < rows.size() && level < steps;) {
    const Micros at = time_of(rows[i]);
    std::uint32_t rest = steps_of(rows[i]);
    for (i++; i < rows.size() && time_of(rows[i]) == at; i++) rest |= steps_of(rows[i]);
    rest &= all;
    if constexpr (kIncrease) {
      for (; rest; rest &= ~(1u << (31 - std::countl_zero(rest)))) take(31 - std::countl_zero(rest), at);
    } else {
      for (; rest; rest &= rest - 1) take(std::countr_zero(rest), at);
    }
  }
  return level;
}

// The modes that are defined by what happens at one event after another: step by step within an instant, foreign events first.
class Walk {
public:
  Walk(const FunnelQuery &q, bool keep_times) noexcept : q_(q), keep_times_(keep_times) {
    starts_.fill(kAlways);
    lasts_.fill(kAlways);
  }

  void run(std::span<const EventRow> rows) noexcept {
    for (std::size_t i = 0; i < rows.size();) {
      const Instant x = instant_at(rows, i);
      if (!take(x)) return;
      i += x.rows.size();
    }
  }

  const Reached &best() const noexcept { return best_; }
  const std::array<Micros, kMaxConditions> &times() const noexcept { return winner_; }

private:
  // False: it ends here.
  bool take(const Instant &x) noexcept {
    if (q_.modes.order && !q_.modes.steps_only && x.rows.front().steps == 0 && started_) return false;
    for (std::uint32_t rest = x.steps; rest; rest &= rest - 1) {
      const int s = std::countr_zero(rest);
      if (s >= q_.steps) break;
      if (!step(s, x.at)) return false;
      if (q_.modes.dedup && again(x, s) && !step(s, x.at)) return false;
      if (best_.level == q_.steps) return false;
    }
    return true;
  }

  // Whether a second event of the instant has the step: it repeats what the first may have reached.
  static bool again(const Instant &x, int s) noexcept {
    int n = 0;
    for (const EventRow &r : x.rows) {
      n += static_cast<int>(r.steps >> s & 1);
      if (n > 1) return true;
    }
    return false;
  }

  bool step(int s, Micros at) noexcept {
    if (s == 0) {
      started_ = true;
      reach(s, at, at);
      return true;
    }
    if (q_.modes.dedup && starts_[s] != kAlways) return false;
    if (q_.modes.order && started_ && starts_[s - 1] == kAlways) return q_.modes.reentry;
    if (starts_[s - 1] == kAlways || later_by_more(at, starts_[s - 1], q_.within)) return true;
    if (q_.modes.increase && lasts_[s - 1] >= at) return true;
    reach(s, starts_[s - 1], at);
    return true;
  }

  void reach(int s, Micros start, Micros at) noexcept {
    starts_[s] = start;
    lasts_[s] = at;
    if (keep_times_) {
      if (s > 0) std::copy_n(times_[s - 1].begin(), s, times_[s].begin());
      times_[s][s] = at;
    }
    const bool better = s + 1 > best_.level || (s + 1 == best_.level && at == best_.at && start > best_.start);
    if (!better) return;
    best_ = {s + 1, at, start};
    if (keep_times_) winner_ = times_[s];
  }

  const FunnelQuery &q_;
  const bool keep_times_;
  bool started_ = false;
  Starts starts_;
  Starts lasts_;
  Reached best_;
  std::array<std::array<Micros, kMaxConditions>, kMaxConditions> times_; // [s]: of the chain behind starts_[s]
  std::array<Micros, kMaxConditions> winner_;
};

// Stepwise, and an event serves one step only: there is no telling which chain behind a start is the one to go on with, so a
// step is reached when any chain reaches it.
class WalkOnce {
public:
  explicit WalkOnce(const FunnelQuery &q) noexcept : q_(q), ties_(q) {
    starts_.fill(kAlways);
    now_.fill(kAlways);
  }

  void run(std::span<const EventRow> rows) noexcept {
    for (std::size_t i = 0; i < rows.size();) {
      const Instant x = instant_at(rows, i);
      if (!take(x)) return;
      for (int s = 0; s < q_.steps; s++) starts_[s] = std::max(starts_[s], now_[s]);
      now_.fill(kAlways);
      i += x.rows.size();
    }
  }

  const Reached &best() const noexcept { return best_; }

private:
  bool reached(int s) const noexcept { return starts_[s] != kAlways || now_[s] != kAlways; }

  // False: it ends here.
  bool take(const Instant &x) noexcept {
    if (q_.modes.order && !q_.modes.steps_only && x.rows.front().steps == 0 && reached(0)) return false;
    ties_.begin();
    for (std::uint32_t rest = x.steps; rest; rest &= rest - 1) {
      const int s = std::countr_zero(rest);
      if (s >= q_.steps) break;
      if (!take(x, s)) return false;
    }
    return true;
  }

  bool take(const Instant &x, int s) noexcept {
    for (std::uint32_t i = 0; i < x.rows.size(); i++) {
      if (!(x.rows[i].steps >> s & 1)) continue;
      if (s > 0 && q_.modes.dedup && reached(s)) return false;
      if (s > 0 && q_.modes.order && reached(0) && !reached(s - 1)) return q_.modes.reentry;
      if (!ties_.add(s, i)) { // makes no difference, but for being a repetition
        if (q_.modes.dedup) continue;
        return true;
      }
      if (now_[s] != x.at) reach(x, s);
      if (best_.level == q_.steps) return false;
    }
    return true;
  }

  void reach(const Instant &x, int s) noexcept {
    for (int from = 0; from <= s; from++) { // the fewer steps before this instant, the later the start
      const Micros start = from == 0 ? x.at : starts_[from - 1];
      if (start == kAlways) return;
      if (later_by_more(x.at, start, q_.within) || ties_.extent(from) <= s) continue;
      if (start <= now_[s]) return;
      now_[s] = start;
      if (s + 1 > best_.level || (s + 1 == best_.level && x.at == best_.at && start > best_.start)) best_ = {s + 1, x.at, start};
      return;
    }
  }

  const FunnelQuery &q_;
  Ties ties_;
  Starts starts_, now_; // of chains that end before this instant, and at it
  Reached best_;
};

bool any_excluded(std::span<const EventRow> rows) noexcept {
  return std::any_of(rows.begin(), rows.end(), [](const EventRow &r) { return r.excluded != 0; });
}

Reached run_chains(const FunnelQuery &q, std::span<const EventRow> rows) noexcept {
  Chains chains(q);
  for (std::size_t i = 0; i < rows.size() && !chains.complete();) {
    const Instant x = instant_at(rows, i);
    chains.take(x);
    i += x.rows.size();
  }
  return chains.best();
}

// An instant between the start of the winning chain and its end.
struct Stop {
  std::uint32_t row;      // where it begins
  std::uint32_t from = 0; // bit s: with s steps done before, the next ones can be taken here and the level reached in time
};

// The chain from `won.start` to `won.at`, each step as early as it can be: what can still get there is found backwards.
Vec<Micros> chain_of(Arena &a, const FunnelQuery &q, std::span<const EventRow> rows, const Reached &won) {
  Vec<Stop> stops;
  for (std::size_t i = 0; i < rows.size() && rows[i].at <= won.at;) {
    const std::size_t begin = i;
    while (i < rows.size() && rows[i].at == rows[begin].at) i++;
    if (rows[begin].at >= won.start) stops.push(a, {static_cast<std::uint32_t>(begin)});
  }
  Ties ties(q);
  std::uint32_t ahead = 0; // what can be gone on from at a later instant
  for (std::size_t g = stops.size; g-- > 0;) {
    const Instant x = instant_at(rows, stops[g].row);
    ties.take(x);
    for (int from = 0; from < won.level; from++) {
      if (!(x.steps >> from & 1)) continue;
      const int end = std::min(ties.extent(from), won.level);
      const std::uint32_t ends = end < 32 ? (1u << end) - (2u << from) : ~((2u << from) - 1); // from+1 .. end-1
      const bool arrives = end == won.level && x.at == won.at;
      const bool goes_on = ((ends | (end < won.level ? 1u << end : 0)) & ahead) != 0;
      if (arrives || goes_on) stops[g].from |= 1u << from;
    }
    ahead = x.excluded ? stops[g].from : ahead | stops[g].from;
  }
  Vec<Micros> times;
  int done = 0;
  for (std::size_t g = 0; g < stops.size && done < won.level; g++) {
    if (!(stops[g].from >> done & 1)) continue;
    const Instant x = instant_at(rows, stops[g].row);
    ties.take(x);
    int end = std::min(ties.extent(done), won.level);
    if (end == won.level && x.at != won.at) end--;
    // The next instants until one is excluded, that included.
    std::uint32_t reach = 0;
    for (std::size_t h = g + 1; h < stops.size && end < won.level; h++) {
      reach |= stops[h].from;
      if (instant_at(rows, stops[h].row).excluded) break;
    }
    while (end < won.level && !(reach >> end & 1)) end--;
    for (; done < end; done++) times.push(a, x.at);
  }
  return times;
}

} // namespace

bool set_mode(FunnelModes &m, std::string_view name) noexcept {
  if (name == "increase" || name == "strict_increase")
    m.increase = true;
  else if (name == "once" || name == "strict_once")
    m.once = true;
  else if (name == "dedup" || name == "strict_deduplication")
    m.dedup = true;
  else if (name == "order" || name == "strict_order")
    m.order = true;
  else if (name == "reentry" || name == "allow_reentry")
    m.reentry = true;
  else if (name == "steps_only")
    m.steps_only = true;
  else
    return false;
  return true;
}

std::optional<std::string_view> problem_with(const FunnelModes &m) noexcept {
  if (m.reentry && !m.order) return "mode reentry needs mode order";
  if (m.steps_only && !m.order) return "mode steps_only needs mode order";
  return std::nullopt;
}

int funnel_level(const FunnelQuery &q, std::span<const EventRow> rows) {
  if (q.modes.stepwise() && q.modes.once) {
    WalkOnce walk(q);
    walk.run(rows);
    return walk.best().level;
  }
  if (q.modes.stepwise()) {
    Walk walk(q, false);
    walk.run(rows);
    return walk.best().level;
  }
  if (any_excluded(rows)) return run_chains(q, rows).level;
  if (q.modes.increase) return plain_level<true>(q.steps, q.within, rows);
  if (q.modes.once) return run_chains(q, rows).level;
  return plain_level<false>(q.steps, q.within, rows);
}

int plain_funnel_level(int steps, Micros within, std::span<const PackedRow> rows) noexcept {
  return plain_level<false>(steps, within, rows);
}

Vec<Micros> funnel_times(Arena &a, const FunnelQuery &q, std::span<const EventRow> rows) {
  if (!q.modes.stepwise() || q.modes.once) {
    WalkOnce walk(q);
    if (q.modes.stepwise()) walk.run(rows);
    const Reached won = q.modes.stepwise() ? walk.best() : run_chains(q, rows);
    return won.level ? chain_of(a, q, rows, won) : Vec<Micros>{};
  }
  Walk walk(q, true);
  walk.run(rows);
  Vec<Micros> times;
  for (int s = 0; s < walk.best().level; s++) times.push(a, walk.times()[s]);
  return times;
}

int steps_in_any_order(int steps, Micros within, std::span<const EventRow> rows) noexcept {
  Starts newest; // of each step
  newest.fill(kAlways);
  int most = 0;
  for (std::size_t i = 0; i < rows.size() && most < steps;) {
    const Instant x = instant_at(rows, i);
    i += x.rows.size();
    for (std::uint32_t rest = x.steps; rest; rest &= rest - 1) newest[std::countr_zero(rest)] = x.at;
    int now = 0;
    for (int s = 0; s < steps; s++) now += newest[s] != kAlways && !later_by_more(x.at, newest[s], within);
    most = std::max(most, now);
    if (!x.excluded) continue;
    for (Micros &t : newest) t = t == x.at ? t : kAlways;
  }
  return most;
}

void count_level(std::span<std::int64_t> reached, int level, int by) noexcept {
  for (int step = 0; step < level; step++) reached[static_cast<std::size_t>(step)] += by;
}

void add_levels(std::span<std::int64_t> into, std::span<const std::int64_t> from) noexcept {
  for (std::size_t step = 0; step < into.size(); step++) into[step] += from[step];
}

} // namespace pql
