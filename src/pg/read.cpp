#include "core/qualify/qualify.hpp"
#include "core/qualify/route.hpp"
#include "pg/read.hpp"

#include <set>
#include <unordered_set>

#include "pg/assess.hpp"
#include "pg/identity.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "utils/acl.h"
}

namespace pql::pg {

void refuse_sealed(const Definitions &plan, Micros as_of) {
  for (const SourceInfo &s : plan.sources()) {
    if (as_of < s.sealed_before)
      fail(ERRCODE_INVALID_PARAMETER_VALUE, "the instant lies before what is retained", {},
           "Older events were sealed by pql.retain(); ask for a later instant.");
  }
}

namespace {

// The subjects of a unit in a batch, each user's homes merged.
class Collector {
public:
  Collector(const Definitions &plan, Arena &arena, Unit unit) : plan_(plan), arena_(arena), unit_(unit) {}

  void add_home(std::string_view key, const Home &h) {
    const Unit home = unit_of_home(key);
    if (h.head && home == unit_) add(h.owner);
    if (unit_ == Unit::user && home == Unit::account) {
      for (const Subject &s : h.members) add(s);
    }
  }
  /// The subject as it is collected so far, to be settled after the last share; nothing when nothing is left of it.
  Subject *add(const Subject &s) {
    if (!s.exists()) return nullptr;
    const auto [at, fresh] = found_.try_emplace(std::string(s.id.view()), copy_of(arena_, s));
    if (!fresh) {
      at->second.learn(arena_, s);
      at->second.absorb(arena_, plan_.trackers(), s);
    }
    return &at->second;
  }
  /// Milestones of a member (empty: the owner) of a home.
  void add_milestones(std::string_view key, std::string_view member, std::string_view body) {
    if ((member.empty() ? unit_of_home(key) : Unit::user) != unit_) return;
    Subject *s = find(std::string(member.empty() ? home_id(key) : member));
    if (s) fold_milestones(arena_, key, body, *s);
  }
  Subject *find(const std::string &id) {
    const auto at = found_.find(id);
    return at == found_.end() ? nullptr : &at->second;
  }
  std::unordered_map<std::string, Subject> &all() noexcept { return found_; }

private:
  const Definitions &plan_;
  Arena &arena_;
  Unit unit_;
  std::unordered_map<std::string, Subject> found_;
};

void collect_batch(Collector &to, Batch &batch) {
  for (HomeDelta *d : batch.sorted()) to.add_home(d->key, d->home);
}

// What is decoded borrows from the body, which must outlive the row.
Home stored_home(Arena &arena, std::string_view key, std::string_view body) { return read_home(arena, key, arena.copy(body)); }

// Rows of source, time, user, account, event, id, properties and home.
void fold_rows(const Definitions &plan, Arena &arena, Batch &into, const Spi &spi, std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; i++) {
    const SourceInfo *source = plan.source(static_cast<int>(spi.number(i, 1)));
    if (!source) continue;
    const std::string user = spi.text(i, 3), account = spi.text(i, 4), event = spi.text(i, 5);
    bool isnull;
    Extracted e;
    e.at = spi.number(i, 2);
    e.user = user;
    e.account = account;
    e.has_account = !spi.is_null(i, 4);
    e.event = event;
    const std::string_view id = spi.bytes(arena, i, 6);
    if (id.size() <= EventId::kMax + 1) {
      std::memcpy(e.id.data, id.data(), id.size());
      e.id.size = static_cast<std::uint8_t>(id.size());
    }
    e.properties = spi.datum(i, 7, &isnull);
    e.has_properties = !isnull;
    const std::string home = spi.text(i, 8);
    if (is_workspace_home(home)) e.workspace = home_id(home);
    Folder folder(plan, *source, plan.events(), arena, e.at, into); // which ones are due was the query's matter
    folder.wanted = [](void *, const Extracted &x) -> Homes { return {x.workspace.empty(), true}; };
    call([&] { folder.take(e); });
  }
}

} // namespace

void fold_due(const Definitions &plan, Arena &arena, Batch &into, const std::vector<std::string> *homes, Micros as_of, std::string_view user) {
  static const std::vector<std::string> none;
  Spi spi;
  const std::uint64_t n =
      spi.run("SELECT source_id, occurred_at, user_id, account_id, event, event_id, properties, home FROM pql.held_event"
              " WHERE ($1 OR home = ANY ($2) OR user_id = $4) AND occurred_at <= $3",
              {Arg::of(homes == nullptr), Arg::of(homes ? *homes : none), Arg::time(as_of), Arg::of(user)});
  fold_rows(plan, arena, into, spi, n);
  spi.finish();
}

// Which events are due: by an instant, and by their sources' clocks.
#define IS_DUE "h.occurred_at <= $1 AND h.occurred_at <= $2 + CASE s.clock WHEN 'event' THEN s.max_future ELSE '0' END"

std::vector<std::string> lock_due(Micros as_of, int most) {
  Spi spi;
  std::vector<std::string> homes;
  const std::uint64_t of =
      spi.run("SELECT DISTINCT d.home FROM ("
              " SELECT h.home FROM pql.held_event AS h JOIN pql.source AS s USING (source_id)"
              "  WHERE " IS_DUE " ORDER BY h.occurred_at LIMIT $3) AS d ORDER BY 1",
              {Arg::time(as_of), Arg::time(GetCurrentStatementStartTimestamp()), Arg::of(most)});
  for (std::uint64_t i = 0; i < of; i++) homes.push_back(spi.text(i, 1));
  spi.finish();
  lock_homes(homes); // as by whoever derives a home, and looks at its held events then
  return homes;
}

void take_due(const Definitions &plan, Arena &arena, Batch &into, Micros as_of, const std::vector<std::string> &homes) {
  Spi spi;
  const std::uint64_t n =
      spi.run("DELETE FROM pql.held_event AS h USING pql.source AS s WHERE s.source_id = h.source_id AND h.home = ANY ($3)"
              " AND " IS_DUE " RETURNING h.source_id, h.occurred_at, h.user_id, h.account_id, h.event, h.event_id, h.properties, h.home",
              {Arg::time(as_of), Arg::time(GetCurrentStatementStartTimestamp()), Arg::of(homes)});
  fold_rows(plan, arena, into, spi, n);
  spi.finish();
}

namespace {

std::vector<std::string> homes_in(Store &store, Arena &arena, Unit unit, std::string_view id) {
  if (unit != Unit::user) return {home_key(unit, id)};
  std::vector<std::string_view> keys;
  store.homes_of(arena, id, keys);
  if (keys.empty()) return {home_key(false, id)};
  return {keys.begin(), keys.end()};
}

} // namespace

std::vector<std::string> homes_of(Unit unit, std::string_view id) {
  refresh_identities();
  const std::string key = canonical_id(unit, id);
  id = key;
  Scratch scratch("pql homes");
  Store store(Store::Access::read);
  std::vector<std::string> homes = homes_in(store, scratch.arena(), unit, id);
  store.close();
  return homes;
}

std::optional<Subject> subject_at(const Definitions &plan, Arena &arena, Unit unit, std::string_view id, Micros as_of) {
  refresh_identities();
  const std::string key = canonical_id(unit, id);
  id = key;
  Collector found(plan, arena, unit);
  Store store(Store::Access::read);
  const std::vector<std::string> homes = homes_in(store, arena, unit, id);
  for (const std::string &home : homes) {
    const std::string_view whose = is_account_home(home) && unit == Unit::user ? id : std::string_view{};
    const std::vector<Subject> shares = shares_of(store, arena, home, whose);
    for (const Subject &s : shares) found.add(s);
    if (shares.empty()) continue;
    for (const LoggedMilestones &l : store.logged(arena, home, &whose)) found.add_milestones(home, whose, l.body);
  }
  store.close();
  Subject *now = found.find(key);
  const bool inexact = now && !now->settle(arena, plan.trackers());
  if (now && (now->last_seen > as_of || inexact)) {
    refuse_sealed(plan, as_of);
    Batch past(arena, plan.trackers());
    ScanRange range;
    range.until = as_of;
    range.homes = &homes;
    if (unit == Unit::user) range.user = id;
    scan_events(plan, arena, past, range);
    Collector then(plan, arena, unit);
    collect_batch(then, past);
    Subject *s = then.find(key);
    if (!s) return {};
    (void)s->settle(arena, plan.trackers());
    return *s;
  }
  Batch due(arena, plan.trackers());
  fold_due(plan, arena, due, &homes, as_of, unit == Unit::user ? id : std::string_view{}); // he may come to homes where he was never seen
  if (due.size()) {
    collect_batch(found, due);
    now = found.find(key);
    if (now) (void)now->settle(arena, plan.trackers());
  }
  if (!now) return {};
  return *now;
}

namespace {

// Users, who may lie in several homes: all are gathered before any of them is known.
void users_at(const Definitions &plan, Arena &arena, Micros as_of, const MilestonesWanted &milestones, const Telling &f) {
  Collector found(plan, arena, Unit::user);
  bool past = false;
  Store store(Store::Access::read);
  store.scan([&](std::string_view home, int, std::string_view body) { found.add_home(home, stored_home(arena, home, body)); });
  if (milestones.any()) {
    store.scan_log(Store::Order::none, [&](std::string_view home, std::string_view member, std::string_view body) {
      found.add_milestones(home, member, body);
    });
  }
  store.close();
  for (auto &[id, s] : found.all()) {
    past |= s.last_seen > as_of || !s.settle(arena, plan.trackers());
  }
  Batch batch(arena, plan.trackers());
  if (past) {
    refuse_sealed(plan, as_of);
    found.all().clear();
    ScanRange range;
    range.until = as_of;
    scan_events(plan, arena, batch, range);
  } else {
    fold_due(plan, arena, batch, nullptr, as_of);
  }
  collect_batch(found, batch);
  for (auto &[id, s] : found.all()) {
    (void)s.settle(arena, plan.trackers());
    f(s, nullptr);
  }
}

// Accounts or workspaces, each of which mostly is what its head says: they are told one by one as they are read. The others are gathered: crowded
// ones, which lie in several rows; those that held events add to; those that were seen after the instant, whom only the events tell.
class Owners {
public:
  Owners(const Definitions &plan, Arena &arena, Unit unit, Micros as_of, const MilestonesWanted &milestones, const Telling &f)
      : plan_(plan), arena_(arena), unit_(unit), as_of_(as_of), milestones_(milestones), f_(f), held_(arena, plan.trackers()),
        apart_(plan, arena, unit) {}

  void tell() {
    find_awaited();
    Store store(Store::Access::read);
    if (milestones_.all) {
      store.scan_log(Store::Order::none, [&](std::string_view home, std::string_view member, std::string_view body) {
        if (member.empty() && unit_of_home(home) == unit_) note(home, body);
      });
    }
    store.scan([&](std::string_view home, int part, std::string_view body) {
      if (unit_of_home(home) == unit_ && part <= 0) take(store, home, part, body);
    });
    tell_rest(store);
  }

  void tell_left_by(const Others &others) {
    find_awaited();
    const std::vector<std::string> left = others(awaited_);
    Store store(Store::Access::read);
    for (const std::string &home : left) fetch(store, home);
    tell_rest(store);
  }

private:
  void find_awaited() {
    fold_due(plan_, arena_, held_, nullptr, as_of_);
    for (const HomeDelta *d : held_.sorted()) awaited_.emplace(d->key);
  }

  void fetch(Store &store, const std::string &home) {
    Scratch scratch("pql owner");
    int lanes = 0;
    for (int part = 0; part >= -lanes; part--) {
      const StoredRow row = store.fetch(scratch.arena(), home, part);
      if (!row.found) continue;
      if (part == 0) lanes = read_home(scratch.arena(), home, row.body, Members::asleep).lanes;
      take(store, home, part, row.body);
    }
  }

  void tell_rest(Store &store) {
    tell_apart(store);
    store.close();
    tell_later();
  }

  struct Logged {
    std::string_view body;
    const Logged *next;
  };

  void note(std::string_view home, std::string_view body) {
    const auto at = logged_.find(home);
    auto *const l = new (arena_.allocate(sizeof(Logged))) Logged{arena_.copy(body), nullptr};
    if (at == logged_.end()) logged_.emplace(arena_.copy(home), l);
    else l->next = std::exchange(at->second, l);
  }

  void add_milestones(Store &store, Arena &arena, std::string_view home, Subject &s) const {
    if (!milestones_.all) return milestones_.add(arena, home, as_of_, s, [&] { return store.logged(arena, home, &MilestonesWanted::kOwner); });
    const auto at = logged_.find(home);
    for (const Logged *l = at == logged_.end() ? nullptr : at->second; l; l = l->next) fold_milestones(arena, home, l->body, s);
  }

  void take(Store &store, std::string_view key, int part, std::string_view body) {
    Scratch scratch("pql owner");
    Home h = read_home(scratch.arena(), key, body, Members::asleep);
    if (part < 0 || h.lanes || awaited_.contains(key)) return apart_.add_home(key, stored_home(arena_, key, body));
    if (h.owner.last_seen > as_of_) return later_.push_back(std::string(key));
    if (!h.owner.exists()) return;
    add_milestones(store, scratch.arena(), key, h.owner);
    f_(h.owner, h.depth ? nullptr : &h);
  }

  void tell_apart(Store &store) {
    for (auto &[id, s] : apart_.all()) {
      add_milestones(store, arena_, home_key(unit_, id), s);
      if (s.last_seen > as_of_ || !s.settle(arena_, plan_.trackers())) later_.push_back(home_key(unit_, id));
    }
    for (const std::string &home : later_) apart_.all().erase(std::string(home_id(home)));
    std::set<std::string_view> later(later_.begin(), later_.end());
    for (HomeDelta *d : held_.sorted()) {
      if (!later.contains(d->key)) apart_.add_home(d->key, d->home);
    }
    for (auto &[id, s] : apart_.all()) {
      (void)s.settle(arena_, plan_.trackers());
      f_(s, nullptr);
    }
  }

  void tell_later() {
    if (later_.empty()) return;
    constexpr std::size_t kFew = 1'000; // more are found sooner by reading everything
    refuse_sealed(plan_, as_of_);
    Batch past(arena_, plan_.trackers());
    ScanRange range;
    range.until = as_of_;
    if (later_.size() <= kFew) range.homes = &later_;
    scan_events(plan_, arena_, past, range);
    const std::unordered_set<std::string_view> later(later_.begin(), later_.end());
    Collector then(plan_, arena_, unit_);
    for (HomeDelta *d : past.sorted()) {
      if (later.contains(d->key)) then.add_home(d->key, d->home);
    }
    for (auto &[id, s] : then.all()) {
      (void)s.settle(arena_, plan_.trackers());
      f_(s, nullptr);
    }
  }

  const Definitions &plan_;
  Arena &arena_;
  const Unit unit_;
  const Micros as_of_;
  const MilestonesWanted &milestones_;
  const Telling &f_;
  Batch held_;      ///< of events that are due
  std::unordered_set<std::string_view> awaited_; ///< homes that have some
  Collector apart_; ///< accounts that one row doesn't tell
  std::vector<std::string> later_; ///< seen after the instant
  std::unordered_map<std::string_view, const Logged *> logged_; ///< milestones, by home
};

} // namespace

MilestonesWanted MilestonesWanted::of(const Definitions &plan, const Program &p) {
  MilestonesWanted w = of_points(plan, p);
  w.all = needs_of(plan, p).milestones;
  return w;
}

MilestonesWanted MilestonesWanted::of_points(const Definitions &plan, const Program &p) {
  MilestonesWanted w;
  w.all = needs_of(plan, p, Ask::points).milestones;
  const auto add = [&](const MeasureDef &d, const MeasureTrackers &t) {
    if (d.measure == Measure::milestone) (d.half_life || d.window ? w.dated : w.reached).push_back(t.main);
  };
  for (std::size_t i = 0; i < p.signals.size(); i++) add(p.def.signals[i], p.signals[i]);
  for (std::size_t i = 0; i < p.measures.size(); i++) add(p.def.measures[i], p.measures[i]);
  return w;
}

void MilestonesWanted::add(Arena &arena, std::string_view home, Micros as_of, Subject &s, const Log &log) const {
  const auto knows = [&](TrackerId t) { return s.known.has(t); };
  const bool later = s.newest_known > as_of; // and may have been reached after the instant
  if (std::ranges::any_of(dated, knows) || (later && std::ranges::any_of(reached, knows))) {
    for (const LoggedMilestones &l : log()) fold_milestones(arena, home, l.body, s);
    return;
  }
  for (const TrackerId t : reached) {
    if (knows(t)) s.fold_milestone(arena, t, s.first_seen, {});
  }
}

void subjects_at(const Definitions &plan, Arena &arena, Unit unit, Micros as_of, const MilestonesWanted &milestones, const Telling &f) {
  if (unit == Unit::user) users_at(plan, arena, as_of, milestones, f);
  else Owners(plan, arena, unit, as_of, milestones, f).tell();
}

void subjects_left_at(const Definitions &plan, Arena &arena, Unit unit, Micros as_of, const MilestonesWanted &milestones, const Telling &f,
                      const Others &others) {
  Owners(plan, arena, unit, as_of, milestones, f).tell_left_by(others);
}

void require_read_access() {
  call([] {
    for (const char *table : {"state", "milestone_log"}) {
      if (pg_class_aclcheck(pql_relation(table), GetUserId(), ACL_SELECT) != ACLCHECK_OK)
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to read pql's state"),
                        errhint("It takes SELECT on tables pql.state and pql.milestone_log.")));
    }
  });
}

const Program &program_named(const Definitions &plan, const std::string &name) {
  if (const Program *p = plan.program(name)) return *p;
  std::string known;
  for (const Program &p : plan.programs()) {
    if (known.find("\"" + p.def.name + "\"") == known.npos) known += (known.empty() ? "\"" : ", \"") + p.def.name + "\"";
  }
  fail(ERRCODE_UNDEFINED_OBJECT, "program \"" + name + "\" is not in force", {},
       known.empty() ? "Publish one with pql.publish(); one that is still building needs CALL pql.backfill()."
                     : "Programs in force: " + known + ".");
}

Micros instant_arg(const Definitions &plan, FunctionCallInfo fcinfo, int n) {
  if (PG_ARGISNULL(n)) return reading_time(plan);
  const Micros at = PG_GETARG_TIMESTAMPTZ(n);
  if (!finite(at)) fail(ERRCODE_INVALID_PARAMETER_VALUE, "as_of must be finite");
  return at;
}

} // namespace pql::pg
