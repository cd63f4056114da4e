// What the core costs by itself, without a database: nanoseconds of the operations that the trigger repeats.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "core/base/event_id.hpp"
#include "core/calendar/calendar.hpp"
#include "core/decay/decay.hpp"
#include "core/route/route.hpp"
#include "core/sequence/funnel.hpp"
#include "core/state/delta.hpp"
#include "core/state/home.hpp"

namespace {

using namespace pql;

constexpr Micros kHalfLife = 7 * kDay, kStart = 9'000 * kDay;

// Times as a stream has them: ascending, some seconds apart.
std::vector<Micros> times(std::size_t n) {
  std::mt19937_64 random(1);
  std::vector<Micros> out(n);
  Micros t = kStart;
  for (Micros &x : out) x = t += static_cast<Micros>(random() % (20 * kSecond));
  return out;
}

void decay_add(benchmark::State &state) {
  const auto at = times(4096);
  Decay d;
  std::size_t i = 0;
  for (auto _ : state) {
    d.add(kHalfLife, at[i++ & 4095], 3.0);
    benchmark::DoNotOptimize(d);
  }
}
BENCHMARK(decay_add);

void decay_merge(benchmark::State &state) {
  Decay a, b;
  for (const Micros t : times(64)) a.add(kHalfLife, t, 1.0), b.add(kHalfLife, t + kHour, 2.0);
  for (auto _ : state) {
    Decay c = a;
    c.merge(b);
    benchmark::DoNotOptimize(c);
  }
}
BENCHMARK(decay_merge);

void decay_read(benchmark::State &state) {
  Decay d;
  for (const Micros t : times(64)) d.add(kHalfLife, t, 1.0);
  Micros as_of = kStart + kDay;
  for (auto _ : state) benchmark::DoNotOptimize(d.read(kHalfLife, as_of++));
}
BENCHMARK(decay_read);

constexpr FunnelSpec kFunnel{3, true, 14 * kDay};

// Events of a subject that never finishes (0) or has finished (1).
void funnel_add(benchmark::State &state) {
  const auto at = times(4096);
  Arena arena;
  for (auto _ : state) {
    state.PauseTiming();
    arena.release();
    Funnel f;
    if (state.range(0))
      for (std::uint32_t s = 0; s < 3; s++) f.add(arena, kFunnel, kStart - kDay + s, 1u << s);
    f.settle(arena, kFunnel);
    state.ResumeTiming();
    for (std::size_t i = 0; i < 256; i++) f.add(arena, kFunnel, at[i], 1u << (i % 2));
    f.settle(arena, kFunnel);
    benchmark::DoNotOptimize(f);
  }
  state.SetItemsProcessed(state.iterations() * 256);
}
BENCHMARK(funnel_add)->Arg(0)->Arg(1);

void funnel_merge(benchmark::State &state) {
  const auto at = times(64);
  Arena arena;
  Funnel stored, delta;
  for (std::size_t i = 0; i < 12; i++) stored.add(arena, kFunnel, at[i], 1u << (i % 2));
  for (std::size_t i = 20; i < 23; i++) delta.add(arena, kFunnel, at[i], 1u << (i % 2));
  stored.settle(arena, kFunnel);
  delta.settle(arena, kFunnel);
  Arena scratch;
  for (auto _ : state) {
    Funnel f;
    f.merge(scratch, kFunnel, stored);
    f.merge(scratch, kFunnel, delta);
    f.settle(scratch, kFunnel);
    benchmark::DoNotOptimize(f);
    if (scratch.used() > (std::size_t{1} << 20)) scratch.release();
  }
}
BENCHMARK(funnel_merge);

// What the benchmark's program keeps: 40 milestones, three sums, a funnel of three steps.
struct Trackers40 {
  std::vector<Tracker> trackers;
  Trackers40() {
    trackers.resize(44);
    for (std::size_t i = 0; i < 40; i++) trackers[i].kind = Tracker::Kind::milestone;
    for (std::size_t i = 40; i < 43; i++) trackers[i].kind = Tracker::Kind::decay, trackers[i].half_life = kHalfLife;
    trackers[43].kind = Tracker::Kind::funnel;
    trackers[43].funnel = kFunnel;
  }
};

std::string eight_bytes(std::int64_t v) { return std::string(EventId::of_int(v).view()); }

// A home of an account with members who have each reached some milestones.
Home make_home(Arena &arena, const Trackers40 &t, std::size_t members, std::size_t milestones) {
  Home h;
  h.head = true;
  h.owner.id.assign(arena, "account_17");
  const auto at = times(64);
  auto fill = [&](Subject &s, bool owner) {
    for (std::size_t m = 0; m < milestones; m++) {
      s.fold_seen(at[m]);
      s.fold_milestone(arena, static_cast<TrackerId>(m), at[m], eight_bytes(static_cast<std::int64_t>(1000 + m)));
    }
    if (owner)
      for (std::size_t k = 0; k < 3; k++)
        for (const Micros x : at) s.fold_decay(arena, static_cast<TrackerId>(40 + k), kHalfLife, x, 1.0, eight_bytes(1));
    s.fold_steps(arena, 43, kFunnel, at[1], 1);
    s.fold_steps(arena, 43, kFunnel, at[2], 2);
    (void)s.settle(arena, t.trackers);
  };
  fill(h.owner, true);
  for (std::size_t u = 0; u < members; u++) {
    Subject s;
    s.id.assign(arena, "user_" + std::to_string(100'000 + u));
    fill(s, false);
    h.members.push(arena, s);
  }
  return h;
}

void home_encode(benchmark::State &state) {
  const Trackers40 t;
  Arena arena;
  const Home h = make_home(arena, t, static_cast<std::size_t>(state.range(0)), 10);
  Arena scratch;
  std::size_t bytes = 0;
  for (auto _ : state) {
    bytes = encode(scratch, h).size();
    benchmark::DoNotOptimize(bytes);
    if (scratch.used() > (std::size_t{1} << 20)) scratch.release();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(home_encode)->Arg(1)->Arg(10)->Arg(50);

void home_decode(benchmark::State &state) {
  const Trackers40 t;
  Arena arena;
  const std::string stored(encode(arena, make_home(arena, t, static_cast<std::size_t>(state.range(0)), 10)));
  Arena scratch;
  for (auto _ : state) {
    auto h = decode(scratch, stored);
    benchmark::DoNotOptimize(h);
    if (scratch.used() > (std::size_t{1} << 20)) scratch.release();
  }
}
BENCHMARK(home_decode)->Arg(1)->Arg(10)->Arg(50);

// What a burst of five events adds to the account of a stored home, all milestones known.
void subject_merge(benchmark::State &state) {
  const Trackers40 t;
  Arena arena;
  const std::string stored(encode(arena, make_home(arena, t, 10, 10)));
  Subject delta;
  const auto at = times(5);
  for (std::size_t i = 0; i < 5; i++) {
    const Micros when = at[i] + kDay;
    delta.fold_seen(when);
    delta.fold_milestone(arena, static_cast<TrackerId>(i), when, eight_bytes(5));
    delta.fold_decay(arena, static_cast<TrackerId>(40 + i % 3), kHalfLife, when, 1.0, eight_bytes(5));
    delta.fold_steps(arena, 43, kFunnel, when, 1u << (i % 3));
  }
  Arena scratch;
  for (auto _ : state) {
    auto h = decode(scratch, stored);
    benchmark::DoNotOptimize(h->owner.merge(scratch, t.trackers, delta));
    benchmark::DoNotOptimize(encode(scratch, *h));
    if (scratch.used() > (std::size_t{1} << 20)) scratch.release();
  }
}
BENCHMARK(subject_merge);

// Folding a stream: sessions of eight events of one user, as many users as given.
void batch_fold(benchmark::State &state) {
  const Trackers40 t;
  const std::size_t n = 8192, users = static_cast<std::size_t>(state.range(0));
  std::vector<std::string> user_ids, account_ids, event_ids;
  for (std::size_t i = 0; i < n; i++) {
    const std::size_t u = i / 8 * 7919 % users;
    user_ids.push_back("u" + std::to_string(u));
    account_ids.push_back("a" + std::to_string(u / 10));
    event_ids.push_back(eight_bytes(static_cast<std::int64_t>(i)));
  }
  const auto at = times(n);
  std::vector<std::vector<Action>> on_user(40), on_account(40);
  for (std::size_t e = 0; e < 40; e++) {
    on_user[e].push_back({Tracker::Kind::milestone, static_cast<TrackerId>(e)});
    on_account[e].push_back({Tracker::Kind::milestone, static_cast<TrackerId>(e)});
    if (e < 3) on_account[e].push_back({Tracker::Kind::decay, static_cast<TrackerId>(40 + e)});
    if (e < 3) on_account[e].push_back({Tracker::Kind::funnel, 43, 1u << e});
  }
  for (auto _ : state) {
    Arena arena;
    Batch batch(arena, t.trackers);
    for (std::size_t i = 0; i < n; i++) {
      const std::size_t e = i * 31 % 40;
      Event event;
      event.user = user_ids[i];
      event.account = account_ids[i];
      event.has_account = true;
      event.at = at[i];
      event.id = event_ids[i];
      batch.fold(event, {on_user[e], on_account[e]});
    }
    benchmark::DoNotOptimize(batch.sorted());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}
BENCHMARK(batch_fold)->Arg(100)->Arg(1000)->Arg(100'000);

// Who takes a routing row, of n reps, with what is told of each.
void choose_rep(benchmark::State &state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < n; i++) names.push_back("rep" + std::to_string(i));
  std::vector<Candidate> all(n);
  for (std::size_t i = 0; i < n; i++) {
    all[i].rep = names[i];
    all[i].weight = static_cast<double>(1 + i % 3);
    all[i].capacity = static_cast<int>(i % 4 ? 1'000'000 : 0);
  }
  for (auto _ : state) {
    const RouteDecision d = choose(all, "");
    for (std::size_t i = 0; i < n; i++) {
      all[i].deficit += d.gains[i];
      benchmark::DoNotOptimize(reason_of(d.verdicts[i], all[i], false));
    }
  }
}
BENCHMARK(choose_rep)->Arg(10)->Arg(200);

// A year ahead, in a calendar with 40 clock changes, 120 holidays and 20 absences.
void add_working_year(benchmark::State &state) {
  CalendarDef def;
  for (int day = 0; day < 5; day++) def.week.insert(def.week.end(), {{day * 1440 + 540, day * 1440 + 750}, {day * 1440 + 810, day * 1440 + 1020}});
  for (int i = 0; i < 40; i++) def.zone.push_back({(9'000 + i * 182) * kDay, (1 + i % 2) * kHour});
  for (int i = 0; i < 120; i++) def.holidays.push_back(9'100 + i * 31);
  for (int i = 0; i < 20; i++) def.away.push_back({(9'200 + i * 50) * kDay, (9'205 + i * 50) * kDay});
  const Calendar calendar(def);
  Micros at = 9'300 * kDay;
  for (auto _ : state) benchmark::DoNotOptimize(calendar.add_working(at += kHour, 2'000 * kHour));
}
BENCHMARK(add_working_year);

} // namespace
