#include "core/qualify/qualify.hpp"
#include "core/qualify/route.hpp"
#include "core/state/deferred.hpp"
#include "pg/ingest.hpp"

#include <cmath>
#include <map>

#include "pg/deferred.hpp"
#include "pg/derive.hpp"
#include "pg/held_homes.hpp"
#include "pg/identity.hpp"
#include "pg/packet.hpp"
#include "pg/people.hpp"
#include "pg/read.hpp"
#include "pg/shard.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "common/hashfn.h"
}

namespace pql::pg {

// ---------------------------------------------------------------------------------------------------------------- folding

namespace {

std::string id_key(std::string home, std::string_view id) {
  home.push_back('\0');
  home.append(id);
  return home;
}

std::string own_key(const Extracted &e) { return id_key(e.home(), event_id_text(e.id.view())); }
std::string workspace_key(const Extracted &e) { return id_key(e.workspace_home(), event_id_text(e.id.view())); }

std::string home_of(const std::string &id_key) { return id_key.substr(0, id_key.find('\0')); }

Ids::Rank rank_of(const Extracted &e, std::uint64_t seed = 0) {
  const auto mix = [](std::string_view s, std::uint64_t before) {
    return hash_bytes_extended(reinterpret_cast<const unsigned char *>(s.data()), static_cast<int>(s.size()), before);
  };
  std::uint64_t digest = mix(e.event, mix(e.user, seed));
  if (!e.has_properties) return {e.arrived, e.at, digest};
  const struct varlena *json = PG_DETOAST_DATUM_PACKED(e.properties);
  return {e.arrived, e.at, mix({VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json)}, digest)};
}

// In a workspace rows of several accounts may have one id.
Ids::Rank rank_in_workspace(const Extracted &e) {
  if (!e.has_account) return rank_of(e);
  const auto *const account = reinterpret_cast<const unsigned char *>(e.account.data());
  return rank_of(e, hash_bytes_extended(account, static_cast<int>(e.account.size()), 1));
}

// As text that sorts as ranks do.
std::string to_text(const Ids::Rank &r) {
  const auto of_time = [](Micros t) { return static_cast<unsigned long long>(t) ^ (1ull << 63); }; // negative ones first
  char text[49];
  snprintf(text, sizeof text, "%016llx%016llx%016llx", of_time(r.arrived), of_time(r.at), static_cast<unsigned long long>(r.digest));
  return text;
}

Ids::Rank from_text(const std::string &s) {
  const auto number = [&](std::size_t at) { return std::stoull(s.substr(at, 16), nullptr, 16); };
  return {static_cast<Micros>(number(0) ^ (1ull << 63)), static_cast<Micros>(number(16) ^ (1ull << 63)), number(32)};
}

// Homes, ids and ranks side by side.
struct Columns {
  std::vector<std::string> homes, ids, ranks;

  Columns() = default;
  // Of several rows with one id the last.
  explicit Columns(const Ids &from) {
    for (const auto &[key, ranks_of] : from.ranks) add(key, ranks_of.back());
  }
  void add(const std::string &key, const Ids::Rank &r) {
    const std::size_t end = key.find('\0');
    homes.push_back(key.substr(0, end));
    ids.push_back(key.substr(end + 1));
    ranks.push_back(to_text(r));
  }
};

} // namespace

void Ids::add(const Extracted &e, Homes in) {
  const Rank own = in.own ? rank_of(e) : Rank{}, there = in.workspace ? rank_in_workspace(e) : Rank{}; // may raise, with nothing to destroy
  if (in.own) ranks[own_key(e)].push_back(own);
  if (in.workspace) ranks[workspace_key(e)].push_back(there);
}

Ids Ids::part_workspaces() {
  Ids parted(horizon_);
  const auto part = [](auto &from, auto &to) {
    for (auto at = from.begin(); at != from.end();) {
      const auto next = std::next(at);
      if (is_workspace_home(at->first)) to.insert(from.extract(at));
      at = next;
    }
  };
  part(ranks, parted.ranks);
  part(passed_over_, parted.passed_over_);
  return parted;
}

void Ids::join(Ids &&o) {
  ranks.merge(o.ranks);
  passed_over_.merge(o.passed_over_);
}

bool Ids::repeats(const Rank &row, const Rank &earlier) const noexcept {
  if (row < earlier) return false;
  return static_cast<std::uint64_t>(row.arrived) - static_cast<std::uint64_t>(earlier.arrived) <= static_cast<std::uint64_t>(horizon_);
}

bool Ids::may_repeat(const Rank &row, const Rank &forgotten) const noexcept { return row < forgotten || repeats(row, forgotten); }

void Ids::settle() {
  for (auto &[key, rows] : ranks) {
    std::sort(rows.begin(), rows.end());
    std::size_t kept = 0;
    for (const Rank &r : rows) {
      if ((kept == 0 || !repeats(r, rows[kept - 1])) && !repeats_sealed(key, r)) rows[kept++] = r;
    }
    if (const Rank &last = rows.back(); kept == 0 || rows[kept - 1] < last) passed_over_.insert_or_assign(key, last);
    rows.resize(kept);
  }
  for (const auto &[key, sealed] : sealed_) {
    std::vector<Rank> &rows = ranks[key];
    rows.insert(rows.end(), sealed.begin(), sealed.end());
    std::sort(rows.begin(), rows.end());
  }
}

// One that came before it, too: the sealed one counts already.
bool Ids::repeats_sealed(const std::string &id_key, const Rank &row) const {
  const auto found = sealed_.find(id_key);
  return found != sealed_.end() &&
         std::any_of(found->second.begin(), found->second.end(), [&](const Rank &s) { return repeats(row, s) || repeats(s, row); });
}

const Ids::Rank &Ids::last(const std::string &id_key) const {
  const auto found = passed_over_.find(id_key);
  return found != passed_over_.end() ? found->second : ranks.at(id_key).back();
}

Homes Ids::take(const Extracted &e, Homes of) {
  const Rank own = of.own ? rank_of(e) : Rank{}, there = of.workspace ? rank_in_workspace(e) : Rank{};
  const auto take = [&](const std::string &key, const Rank &r) {
    const auto found = ranks.find(key);
    return found != ranks.end() && std::erase(found->second, r) > 0;
  };
  return {of.own && take(own_key(e), own), of.workspace && take(workspace_key(e), there)};
}

Folder::Folder(const Definitions &plan, const SourceInfo &source, const EventTable &events, Arena &arena, Micros now, Batch &into,
               bool members)
    : plan_(plan), source_(source), events_(events), arena_(arena), batch_(into), members_(members) {
  hold_after(now);
}

void Folder::hold_after(Micros now) noexcept { hold_after_ = source_.event_clock ? now + source_.max_future : now; }

void count_unusable(Arena &arena, Vec<Unusable> &counts, std::string_view reason, std::int64_t n) {
  for (Unusable &u : counts) {
    if (u.reason != reason) continue;
    u.events += n;
    return;
  }
  char *const copy = static_cast<char *>(arena.allocate(reason.size()));
  std::memcpy(copy, reason.data(), reason.size());
  counts.push(arena, {{copy, reason.size()}, n});
}

void Folder::take(std::span<const Extracted> events) {
  Batch::Place places[kTogether];
  for (; !events.empty(); events = events.subspan(std::min(events.size(), kTogether))) {
    const auto some = events.first(std::min(events.size(), kTogether));
    for (std::size_t i = 0; i < some.size(); i++) places[i] = place_of(batch_, some[i]);
    for (const auto step : {Batch::Step::slots, Batch::Step::home, Batch::Step::member}) {
      for (std::size_t i = 0; i < some.size(); i++) batch_.approach(places[i], step);
    }
    for (std::size_t i = 0; i < some.size(); i++) take(some[i], places[i]);
  }
}

void Folder::take(const Extracted &e) { take(e, place_of(batch_, e)); }

void Folder::take(const Extracted &e, const Batch::Place &at) {
  if (e.unusable) return count_unusable(e.unusable);
  if (e.at < since || (e.at > until && !ranking)) return; // a later one that arrived before counts, and not what repeats it
  if (e.at < source_.sealed_before && since == kAlways) return count_unusable("sealed");
  Homes in{true, events_.of_workspaces && !e.workspace.empty()};
  if (wanted) in = in & wanted(wanted_arg, e);
  if (!in) return;
  if (ranking) return e.id.size ? ids->add(e, in) : void();
  if (ids && e.id.size) {
    const Homes counts = ids->take(e, in);
    if (in.own && !counts.own) count_unusable("duplicate");
    in = counts;
    if (!in) return;
  }
  if (!only_user.empty() && e.user != only_user) return;
  if (e.at > hold_after_) return hold(e, in);
  if (renamed && e.renamed) renamed->insert({std::string(e.said_user), std::string(e.said_account)});
  Event event{e.user, e.account, e.has_account, e.at, e.id.view(), {}, {}, e.workspace};
  EventActions actions{};
  const EventPlan *const p = events_.find(e.event);
  if (p) {
    actions = p->actions();
    if (p->needs_properties()) {
      evaluate(*p, e);
      event.rules = {rule_results_, p->rules.size()};
      event.values = {value_results_, p->values.size()};
    }
  }
  if (sink.take) return (sink.workspaces ? in.workspace : in.own) ? sink.take(sink.arg, event, p) : void();
  if (in.own) batch_.fold(event, actions, at, members_);
  if (in.workspace && (events_.builds_workspaces || !actions.on_workspace.empty()))
    batch_.fold_workspace(event, actions.on_workspace, events_.builds_workspaces);
  if (e.at > newest_) newest_ = e.at;
}

void Folder::evaluate(const EventPlan &p, const Extracted &x) {
  const auto all = [&] { evaluate_each(p, x); };
  if (!guarded_already() && p.rules.size() + p.values.size() > 1 && guarded(all)) return;
  all();
}

void Folder::evaluate_each(const EventPlan &p, const Extracted &x) {
  std::int64_t failed = 0, out_of_range = 0; // counted at the end: an error on the way starts over
  for (std::size_t i = 0; i < p.rules.size(); i++) {
    const RuleResult r = run_event_rule(p.rules[i], x.properties, x.has_properties, x.event, x.at);
    rule_results_[i] = r == RuleResult::yes;
    failed += r == RuleResult::error;
  }
  for (std::size_t i = 0; i < p.values.size(); i++) {
    double v = std::nan("");
    failed += run_event_value(p.values[i], x.properties, x.has_properties, x.event, x.at, &v) == RuleResult::error;
    if (!std::isnan(v) && !(std::fabs(v) < kMaxDecayValue)) {
      out_of_range++;
      v = std::nan("");
    }
    value_results_[i] = v;
  }
  if (failed) count_unusable("rule failed", failed);
  if (out_of_range) count_unusable("value out of range", out_of_range);
}

void Folder::hold(const Extracted &e, Homes in) {
  Held h{};
  h.user.assign(arena_, e.user);
  h.has_account = e.has_account;
  if (e.has_account) h.account.assign(arena_, e.account);
  h.event.assign(arena_, e.event);
  h.id.assign(arena_, e.id.view());
  h.at = e.at;
  if (e.has_properties) {
    const char *json = DatumGetCString(DirectFunctionCall1(jsonb_out, e.properties));
    h.properties.assign(arena_, json);
  }
  const auto hold_in = [&](std::string_view prefix, std::string_view id) {
    char *const key = static_cast<char *>(arena_.allocate(prefix.size() + id.size()));
    std::memcpy(key, prefix.data(), prefix.size());
    std::memcpy(key + prefix.size(), id.data(), id.size());
    h.home = Bytes::borrow({key, prefix.size() + id.size()});
    held_.push(arena_, h);
  };
  if (in.own) hold_in(e.has_account ? "a:" : "u:", e.has_account ? e.account : e.user);
  if (in.workspace) hold_in("w:", e.workspace);
}

void remember_ids(const SourceInfo &source, Ids &ids) {
  if (ids.ranks.empty()) return;
  const Columns x(ids);
  Spi spi;
  std::uint64_t n = spi.run("INSERT INTO pql.seen_event AS e (home, source_id, event_id, rank, arrived_at)"
                            " SELECT x.home, $1, x.id, x.rank, pg_catalog.statement_timestamp() FROM unnest($2, $3, $4) AS x(home, id, rank)"
                            " ORDER BY 1, 3 ON CONFLICT DO NOTHING RETURNING home, event_id",
                            {Arg::of(source.id), Arg::of(x.homes), Arg::of(x.ids), Arg::of(x.ranks)});
  std::unordered_set<std::string> fresh;
  for (std::uint64_t i = 0; i < n; i++) fresh.insert(id_key(spi.text(i, 1), spi.text(i, 2)));
  // After that: an id may have become free because it was forgotten while we waited for it.
  const bool latest = call([] { return IsolationUsesXactSnapshot(); });
  if (!fresh.empty() && spi.run("SELECT f.rank FROM pql.forgotten_event AS f WHERE f.source_id = $1", {Arg::of(source.id)}, latest)) {
    const Ids::Rank forgotten = from_text(spi.text(0, 1));
    for (const std::string &key : fresh) {
      if (ids.may_repeat(ids.ranks[key].front(), forgotten)) mark_dirty(home_of(key)); // only its table knows whether it came before
    }
  }
  if (fresh.size() == ids.ranks.size()) return spi.finish();
  n = spi.run("SELECT e.home, e.event_id, e.rank FROM unnest($2, $3) AS x(home, id)"
              " JOIN pql.seen_event AS e ON e.home = x.home AND e.source_id = $1 AND e.event_id = x.id",
              {Arg::of(source.id), Arg::of(x.homes), Arg::of(x.ids)});
  std::unordered_set<std::string> known = fresh;
  for (std::uint64_t i = 0; i < n; i++) {
    const std::string home = spi.text(i, 1), key = id_key(home, spi.text(i, 2));
    if (!known.insert(key).second) continue;
    const Ids::Rank before = from_text(spi.text(i, 3));
    const auto &rows = ids.ranks[key];
    // What repeats a row that repeats the known one may be past the horizon of that.
    if (ids.repeats(rows.front(), before) && ids.repeats(ids.last(key), before)) continue;
    mark_dirty(home);
    if (rows.back() > before) fresh.insert(key); // past the horizon: it is no duplicate
  }
  spi.finish();
  for (const auto &[key, rows] : ids.ranks) {
    if (!known.contains(key)) mark_dirty(home_of(key)); // forgotten after it had kept ours out
  }
  std::erase_if(ids.ranks, [&](const auto &entry) { return !fresh.contains(entry.first); });
}

void remember_again(const SourceInfo &source, const Ids &ids, const std::vector<std::string> &homes, Snapshot snapshot) {
  const Columns x(ids);
  const std::initializer_list<Arg> args{Arg::of(source.id), Arg::of(homes), Arg::of(x.homes), Arg::of(x.ids), Arg::of(x.ranks)};
  Spi spi;
  spi.run_at(snapshot,
             "DELETE FROM pql.seen_event AS e WHERE e.source_id = $1 AND e.home = ANY ($2)"
             " AND NOT EXISTS (SELECT FROM unnest($3, $4, $5) AS x(home, id, rank) WHERE x.home = e.home AND x.id = e.event_id)",
             args, true);
  spi.run("INSERT INTO pql.seen_event AS e (home, source_id, event_id, rank, arrived_at)"
          " SELECT x.home, $1, x.id, x.rank, pg_catalog.statement_timestamp() FROM unnest($3, $4, $5) AS x(home, id, rank)"
          " WHERE $2 IS NOT NULL AND (x.rank > coalesce((SELECT f.rank FROM pql.forgotten_event AS f WHERE f.source_id = $1), '')"
          "  OR EXISTS (SELECT FROM pql.seen_event AS o WHERE o.home = x.home AND o.source_id = $1 AND o.event_id = x.id))"
          " ORDER BY 1, 3 ON CONFLICT (home, source_id, event_id) DO UPDATE SET rank = excluded.rank WHERE e.rank <> excluded.rank",
          args);
  spi.finish();
}

void recall_sealed(const SourceInfo &source, const std::vector<std::string> *homes, Ids &ids) {
  static const std::vector<std::string> none;
  if (source.sealed_before == kAlways) return;
  std::set<std::string> wanted;
  if (homes) wanted.insert(homes->begin(), homes->end());
  Spi spi;
  const std::uint64_t n = spi.run("SELECT home, event_id, rank FROM pql.sealed_event WHERE source_id = $1 AND ($2 OR home = ANY ($3))",
                                  {Arg::of(source.id), Arg::of(homes == nullptr), Arg::of(homes ? said_homes(*homes) : none)});
  for (std::uint64_t i = 0; i < n; i++) {
    const std::string home = canonical_home(spi.text(i, 1));
    if (homes && !wanted.contains(home)) continue;
    ids.add_sealed(id_key(home, spi.text(i, 2)), from_text(spi.text(i, 3)));
  }
  spi.finish();
}

void remember_sealed(const SourceInfo &source, const Ids &ids, const std::unordered_set<std::string> &open, Micros since) {
  const auto for_long = static_cast<std::uint64_t>(source.dedup_for) + static_cast<std::uint64_t>(source.max_event_age);
  Columns x;
  for (const auto &[key, rows] : ids.ranks) {
    for (const Ids::Rank &r : rows) {
      const bool recent = r.arrived >= since || static_cast<std::uint64_t>(since) - static_cast<std::uint64_t>(r.arrived) <= for_long;
      if (r.at < since && (recent || open.contains(key))) x.add(key, r);
    }
  }
  Spi spi;
  spi.run("DELETE FROM pql.sealed_event AS e WHERE e.source_id = $1", {Arg::of(source.id)});
  spi.run("INSERT INTO pql.sealed_event (home, source_id, event_id, rank) SELECT x.home, $1, x.id, x.rank"
          " FROM unnest($2, $3, $4) AS x(home, id, rank) ORDER BY 1, 3, 4",
          {Arg::of(source.id), Arg::of(x.homes), Arg::of(x.ids), Arg::of(x.ranks)});
  // Nor is an insert to know of what a derivation doesn't.
  spi.run("DELETE FROM pql.seen_event AS e WHERE e.source_id = $1 AND pg_catalog.substr(e.rank, 17, 16) < pg_catalog.substr($2, 17, 16)"
          " AND NOT EXISTS (SELECT FROM pql.sealed_event AS s WHERE s.home = e.home AND s.source_id = $1 AND s.event_id = e.event_id)",
          {Arg::of(source.id), Arg::of(to_text({since, since, 0}))});
  spi.finish();
}

void record_unusable(int source, const Vec<Unusable> &unusable) {
  if (unusable.empty()) return;
  Spi spi;
  for (const Unusable &u : unusable) {
    spi.run("INSERT INTO pql.unusable_event AS u (source_id, reason, slot, events, last_at)"
            " VALUES ($1, $2, pg_catalog.pg_backend_pid() % 64, $3, pg_catalog.statement_timestamp())"
            " ON CONFLICT (source_id, reason, slot) DO UPDATE SET events = u.events + excluded.events, last_at = excluded.last_at",
            {Arg::of(source), Arg::of(u.reason), Arg::of(u.events)});
  }
  spi.finish();
}

void record_held(int source, const Vec<Folder::Held> &held, const std::set<std::string, std::less<>> *but) {
  if (held.empty()) return;
  Spi spi;
  for (const Folder::Held &h : held) {
    const std::string_view home = h.home.view();
    if (but && but->contains(home)) continue;
    spi.run("INSERT INTO pql.held_event (home, source_id, occurred_at, user_id, account_id, event, event_id, properties)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb)",
            {Arg::of(home), Arg::of(source), Arg::time(h.at), Arg::of(h.user.view()),
             h.has_account ? Arg::of(h.account.view()) : Arg::nothing(TEXTOID), Arg::of(h.event.view()),
             Arg::bytes(h.id.view()), h.properties.empty() ? Arg::nothing(TEXTOID) : Arg::of(h.properties.view())});
  }
  spi.finish();
}

// ---------------------------------------------------------------------------------------------------------------- clock

Micros decision_time(const Definitions &plan, const SourceInfo *source, Micros newest_in_batch) {
  if (!source || !source->event_clock) return std::max(GetCurrentStatementStartTimestamp(), newest_in_batch);
  return std::max(event_clock(), newest_in_batch);
}

// --------------------------------------------------------------------------------------------------------------- pending

namespace {

// Rows that row triggers collected, by subtransaction: what a savepoint takes back must go with it.
struct Collected {
  SubTransactionId subtransaction; // whose rows they are
  SubTransactionId flushed = InvalidSubTransactionId; // in which they were merged
  int source;
  std::shared_ptr<const Definitions> plan;
  std::unique_ptr<Scratch> memory;
  std::unique_ptr<Batch> batch;
  std::unique_ptr<Folder> folder;
  std::unique_ptr<Deferral> deferral; // of a deferred source; then there is neither batch nor folder
};

// What was done within a subtransaction may be taken back with it, and is then to be done again.
struct Pending {
  std::vector<Collected> collected, merged;
  std::set<std::string, std::less<>> dirty;
  std::map<std::string, SubTransactionId> derived;
  SubTransactionId all_derived = InvalidSubTransactionId;
  bool all_dirty = false, truncated = false;
  bool flushing = false;

  bool empty() const noexcept { return collected.empty() && dirty.empty() && !all_dirty && !truncated; }
};

// Never destroyed: PostgreSQL's state is gone when static destructors run. Empty containers allocate nothing: it can't fail.
Pending &pending() noexcept {
  alignas(Pending) static unsigned char room[sizeof(Pending)];
  static auto &p = *new (room) Pending;
  return p;
}

void merge_collected(Collected &c) {
  const SourceInfo *source = c.plan->source(c.source);
  record_unusable(c.source, c.folder->unusable());
  record_held(c.source, c.folder->held());
  MergeOptions o;
  o.as_of = decision_time(*c.plan, source, c.folder->newest());
  o.emit_since = source ? o.as_of - source->max_event_age : kAlways;
  if (source && source->event_clock) advance_event_clock(c.folder->newest());
  merge_batch(*c.plan, *c.batch, o);
}

void flush_collected() {
  while (!pending().collected.empty()) {
    Collected c = std::move(pending().collected.front());
    pending().collected.erase(pending().collected.begin());
    if (c.deferral) c.deferral->append();
    else merge_collected(c);
    c.flushed = GetCurrentSubTransactionId();
    if (c.flushed != TopSubTransactionId) pending().merged.push_back(std::move(c));
  }
}

void derive_dirty() {
  const SubTransactionId within = GetCurrentSubTransactionId();
  if (pending().all_dirty) {
    pending().all_dirty = pending().truncated = false;
    pending().dirty.clear();
    pending().all_derived = within;
    derive_all();
    return;
  }
  const std::shared_ptr<const Definitions> plan = current_definitions();
  if (pending().truncated) { // not derive_all: other tables' writers need not be waited for, who may wait for this one's
    pending().truncated = false;
    for (const std::string &h : deferred_homes(*plan)) pending().dirty.insert(h); // before those of the state, where others may be taking them to
    for (const std::string &h : all_homes()) pending().dirty.insert(h);
  }
  const std::set<std::string, std::less<>> dirty = std::exchange(pending().dirty, {});
  if (within != TopSubTransactionId) {
    for (const std::string &h : dirty) pending().derived[h] = within;
  }
  // Homes may be locked, for which somebody waits who folds.
  if (plan->defers() && !try_fold_alone()) return defer_homes(dirty);
  derive_homes(*plan, {dirty.begin(), dirty.end()});
}

extern "C" void transaction_event(XactEvent event, void *) {
  switch (event) {
  case XACT_EVENT_PRE_COMMIT:
  case XACT_EVENT_PRE_PREPARE:
    if (pending().empty() && !people_noted() && !is_left_to_tick() && !within_shard()) return;
    enter([] {
      call([] { PushActiveSnapshot(GetTransactionSnapshot()); });
      flush_pending();
      decide_people();
      write_left_to_tick();
      leave_shard();
      call([] { PopActiveSnapshot(); });
    });
    return;
  case XACT_EVENT_ABORT:
  case XACT_EVENT_COMMIT:
  case XACT_EVENT_PREPARE: {
    pending() = Pending();
    forget_shard();
    forget_people();
    forget_homes();
    forget_left_to_tick();
    end_identities(event == XACT_EVENT_COMMIT);
    return;
  }
  default: return;
  }
}

extern "C" void subtransaction_event(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *) {
  Pending &p = pending();
  end_people_of(event, mine, parent);
  end_identities_of(event, mine, parent);
  if (event == SUBXACT_EVENT_ABORT_SUB) {
    for (Collected &c : p.merged) {
      if (c.flushed >= mine) p.collected.push_back(std::move(c));
    }
    std::erase_if(p.merged, [](const Collected &c) { return !c.plan; }); // moved away
    std::erase_if(p.collected, [&](const Collected &c) { return c.subtransaction >= mine; });
    for (auto at = p.derived.begin(); at != p.derived.end();) {
      if (at->second >= mine) {
        p.dirty.insert(at->first);
        at = p.derived.erase(at);
      } else {
        ++at;
      }
    }
    if (p.all_derived >= mine && p.all_derived != InvalidSubTransactionId) p.all_dirty = true;
    p.flushing = false;
  }
  if (event == SUBXACT_EVENT_COMMIT_SUB) {
    for (auto *list : {&p.collected, &p.merged}) {
      for (Collected &c : *list) {
        if (c.subtransaction >= mine) c.subtransaction = parent;
        if (c.flushed >= mine) c.flushed = parent;
      }
    }
    for (auto &[home, within] : p.derived) {
      if (within >= mine) within = parent;
    }
    if (p.all_derived >= mine) p.all_derived = parent;
  }
}

} // namespace

void watch_transactions() {
  RegisterXactCallback(transaction_event, nullptr);
  RegisterSubXactCallback(subtransaction_event, nullptr);
}

bool is_pending() noexcept { return !pending().empty() && !pending().flushing; }

void mark_dirty(std::string_view home) { pending().dirty.emplace(home); }
void mark_all_dirty() { pending().all_dirty = true; }

void mark_truncated(const SourceInfo &source) {
  Spi spi;
  spi.run("UPDATE pql.backfill_job SET finished_at = pg_catalog.clock_timestamp(), next_page = pages"
          " WHERE source_id = $1 AND finished_at IS NULL",
          {Arg::of(source.id)});
  spi.run("SELECT pql._know_leaves($1)", {Arg::of(source.id)}); // each has a new file, and nothing in it that isn't known
  spi.finish();
  if (!source.deferred) return mark_truncated();
  Deferral deferral(*current_definitions(), source);
  deferral.truncate();
  deferral.append();
}

void mark_truncated() { pending().truncated = true; }

void collect_row(const SourceInfo &source, Relation rel, TupleTableSlot *slot) {
  const SubTransactionId now = call([] { return GetCurrentSubTransactionId(); });
  auto &all = pending().collected;
  auto c = std::find_if(all.begin(), all.end(),
                        [&](const Collected &x) { return x.subtransaction == now && x.source == source.id && x.folder; });
  if (c == all.end()) {
    Collected fresh{now, InvalidSubTransactionId, source.id, current_definitions(), nullptr, nullptr, nullptr, nullptr};
    const SourceInfo *kept = fresh.plan->source(source.id);
    if (!kept) return;
    fresh.memory = std::make_unique<Scratch>("pql collected rows", TopTransactionContext);
    fresh.batch = std::make_unique<Batch>(fresh.memory->arena(), fresh.plan->trackers());
    fresh.folder = std::make_unique<Folder>(*fresh.plan, *kept, fresh.plan->events(), fresh.memory->arena(),
                                            GetCurrentTimestamp(), *fresh.batch);
    all.push_back(std::move(fresh));
    c = all.end() - 1;
  }
  Extracted event;
  const bool readable = call([&] {
    Extractor *x = extractor_for(rel, source);
    if (!x) return false;
    MemoryContext before = MemoryContextSwitchTo(c->memory->context());
    x->read_safely(slot, event);
    MemoryContextSwitchTo(before);
    return true;
  });
  if (!readable) return c->folder->count_unusable("definition broken");
  Ids ids(source.dedup_for);
  const bool by_id = may_count_by_id(source, event);
  if (by_id) {
    call([&] { ids.add(event, event.homes()); });
    remember_ids(source, ids);
  }
  struct Counting {
    Folder &folder;
    ~Counting() { folder.ids = nullptr; }
  } counting{*c->folder};
  if (by_id) c->folder->ids = &ids;
  c->folder->hold_after(GetCurrentTimestamp());
  call([&] {
    MemoryContext before = MemoryContextSwitchTo(c->memory->context());
    c->folder->take(event);
    MemoryContextSwitchTo(before);
    extractor_for(rel, source)->forget();
  });
  constexpr std::size_t kMost = std::size_t{64} << 20;
  if (c->batch->bytes() > kMost) flush_pending();
}

namespace {

// What rows of this subtransaction bring to a deferred source. What is full is written in it, and so goes with it.
template <class F>
void collect(const SourceInfo &source, F &&note) {
  const SubTransactionId now = call([] { return GetCurrentSubTransactionId(); });
  auto &all = pending().collected;
  auto c = std::find_if(all.begin(), all.end(),
                        [&](const Collected &x) { return x.subtransaction == now && x.source == source.id && x.deferral; });
  if (c == all.end()) {
    Collected fresh{now, InvalidSubTransactionId, source.id, current_definitions(), nullptr, nullptr, nullptr, nullptr};
    fresh.deferral = std::make_unique<Deferral>(*fresh.plan, source, TopTransactionContext);
    all.push_back(std::move(fresh));
    c = all.end() - 1;
  }
  note(*c->deferral);
  if (!c->deferral->is_full()) return;
  c->deferral->append();
  c->deferral->clear();
}

} // namespace

void collect_deferred(const SourceInfo &source, const Extracted &event) {
  collect(source, [&](Deferral &d) {
    if (event.unusable) d.count_unusable(event.unusable);
    else call([&] { d.take(event); });
  });
}

void collect_touched(const SourceInfo &source, std::initializer_list<const Extracted *> rows) {
  collect(source, [&](Deferral &d) {
    for (const Extracted *e : rows) {
      if (!e->unusable) call([&] { d.touch(*e); });
    }
  });
}

void flush_pending() {
  if (pending().flushing || pending().empty()) return;
  if (!OidIsValid(call([] { return get_namespace_oid("pql", true); }))) { // the extension was dropped meanwhile
    pending() = Pending();
    return;
  }
  lock_identities();
  pending().flushing = true;
  struct Done {
    ~Done() { pending().flushing = false; }
  } done;
  for (int round = 0; round < 100 && !pending().empty(); round++) {
    flush_collected();
    if (pending().all_dirty || pending().truncated || !pending().dirty.empty()) derive_dirty();
  }
}

} // namespace pql::pg
