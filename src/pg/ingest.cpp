#include "pg/ingest.hpp"

#include <cmath>
#include <map>

#include "pg/derive.hpp"
#include "pg/packet.hpp"
#include "pg/read.hpp"
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

std::string id_key(const Extracted &e) {
  return id_key(e.home(), event_id_text(e.id.view()));
}

Ids::Rank rank_of(const Extracted &e) {
  const auto mix = [](std::string_view s, std::uint64_t seed) {
    return hash_bytes_extended(reinterpret_cast<const unsigned char *>(s.data()), static_cast<int>(s.size()), seed);
  };
  std::uint64_t digest = mix(e.event, mix(e.user, 0));
  if (!e.has_properties) return {e.at, digest};
  const struct varlena *json = PG_DETOAST_DATUM_PACKED(e.properties);
  return {e.at, mix({VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json)}, digest)};
}

// As text that sorts as ranks do.
std::string to_text(const Ids::Rank &r) {
  char text[33];
  snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(r.at) ^ (1ull << 63), // negative ones first
                static_cast<unsigned long long>(r.digest));
  return text;
}

Ids::Rank from_text(const std::string &s) {
  return {static_cast<Micros>(std::stoull(s.substr(0, 16), nullptr, 16) ^ (1ull << 63)), std::stoull(s.substr(16), nullptr, 16)};
}

// Homes, ids and ranks side by side; of several rows with one id the last.
struct Columns {
  std::vector<std::string> homes, ids, ranks;

  explicit Columns(const Ids &from) {
    for (const auto &[key, ranks_of] : from.ranks) {
      const std::size_t end = key.find('\0');
      homes.push_back(key.substr(0, end));
      ids.push_back(key.substr(end + 1));
      ranks.push_back(to_text(ranks_of.back()));
    }
  }
};

} // namespace

void Ids::add(const Extracted &e) {
  const Rank r = rank_of(e); // may raise, with nothing to destroy
  ranks[id_key(e)].push_back(r);
}

bool Ids::repeats(const Rank &row, const Rank &earlier) const noexcept {
  if (row < earlier) return false;
  return static_cast<std::uint64_t>(row.at) - static_cast<std::uint64_t>(earlier.at) <= static_cast<std::uint64_t>(horizon_);
}

bool Ids::may_repeat(const Rank &row, const Rank &forgotten) const noexcept { return row < forgotten || repeats(row, forgotten); }

void Ids::settle() {
  for (auto &[key, rows] : ranks) {
    std::sort(rows.begin(), rows.end());
    std::size_t kept = 0;
    for (const Rank &r : rows) {
      if (kept == 0 || !repeats(r, rows[kept - 1])) rows[kept++] = r;
    }
    rows.resize(kept);
  }
}

bool Ids::take(const Extracted &e) {
  const Rank r = rank_of(e);
  const auto found = ranks.find(id_key(e));
  return found != ranks.end() && std::erase(found->second, r) > 0;
}

Folder::Folder(const Definitions &plan, const SourceInfo &source, const EventTable &events, Arena &arena, Micros now, Batch &into,
               bool members)
    : plan_(plan), source_(source), events_(events), arena_(arena), batch_(into),
      hold_after_(source.event_clock ? now + source.max_future : now), members_(members) {}

const EventPlan *Folder::find(std::string_view event) {
  Named &n = recent_[hash_of(event, 0) % std::size(recent_)];
  if (n.event == event) return n.plan;
  const auto it = events_.find(event);
  if (it == events_.end()) return nullptr;
  n = {it->first, &it->second};
  return n.plan;
}

void Folder::count_unusable(const char *reason, std::int64_t n) {
  for (Unusable &u : unusable_) {
    if (u.reason == reason) {
      u.events += n;
      return;
    }
  }
  unusable_.push(arena_, {reason, n});
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
  if (e.at > until || e.at < since) return;
  if (e.at < source_.sealed_before && since == kAlways) return count_unusable("sealed");
  if (wanted && !wanted(wanted_arg, e)) return;
  if (ranking) return e.id.size ? ids->add(e) : void();
  if (ids && e.id.size && !ids->take(e)) return count_unusable("duplicate");
  if (!only_user.empty() && e.user != only_user) return;
  if (e.at > hold_after_) return hold(e);
  Event event{e.user, e.account, e.has_account, e.at, e.id.view(), {}, {}};
  EventActions actions{};
  if (const EventPlan *p = find(e.event)) {
    actions = p->actions();
    if (p->needs_properties()) {
      evaluate(*p, e);
      event.rules = {rule_results_, p->rules.size()};
      event.values = {value_results_, p->values.size()};
    }
  }
  batch_.fold(event, actions, at, members_);
  if (e.at > newest_) newest_ = e.at;
}

void Folder::evaluate(const EventPlan &p, const Extracted &x) {
  for (std::size_t i = 0; i < p.rules.size(); i++) {
    switch (run_event_rule(p.rules[i], x.properties, x.has_properties, x.event, x.at)) {
    case RuleResult::yes: rule_results_[i] = true; break;
    case RuleResult::no: rule_results_[i] = false; break;
    case RuleResult::error:
      rule_results_[i] = false;
      count_unusable("rule failed");
    }
  }
  for (std::size_t i = 0; i < p.values.size(); i++) {
    double v = std::nan("");
    if (run_event_value(p.values[i], x.properties, x.has_properties, x.event, x.at, &v) == RuleResult::error)
      count_unusable("rule failed");
    if (!std::isnan(v) && !(std::fabs(v) < kMaxDecayValue)) {
      count_unusable("value out of range");
      v = std::nan("");
    }
    value_results_[i] = v;
  }
}

void Folder::hold(const Extracted &e) {
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
  held_.push(arena_, h);
}

void remember_ids(const SourceInfo &source, Ids &ids) {
  if (ids.ranks.empty()) return;
  const Columns x(ids);
  Spi spi;
  std::uint64_t n =
      spi.run("INSERT INTO pql.seen_event AS e (home, source_id, event_id, rank, arrived_at)"
              " SELECT x.home, $1, x.id, x.rank, pg_catalog.statement_timestamp() FROM unnest($2, $3, $4) AS x(home, id, rank)"
              " ORDER BY 1, 3 ON CONFLICT DO NOTHING"
              " RETURNING home, event_id, (SELECT f.rank FROM pql.forgotten_event AS f WHERE f.source_id = $1)",
              {Arg::of(source.id), Arg::of(x.homes), Arg::of(x.ids), Arg::of(x.ranks)});
  std::unordered_set<std::string> fresh;
  for (std::uint64_t i = 0; i < n; i++) {
    const std::string home = spi.text(i, 1), key = id_key(home, spi.text(i, 2));
    if (!spi.is_null(i, 3) && ids.may_repeat(ids.ranks[key].front(), from_text(spi.text(i, 3))))
      mark_dirty(home); // only its table knows whether it came before
    fresh.insert(key);
  }
  if (fresh.size() == ids.ranks.size()) return spi.finish();
  n = spi.run("SELECT e.home, e.event_id, e.rank FROM unnest($2, $3) AS x(home, id)"
              " JOIN pql.seen_event AS e ON e.home = x.home AND e.source_id = $1 AND e.event_id = x.id",
              {Arg::of(source.id), Arg::of(x.homes), Arg::of(x.ids)});
  for (std::uint64_t i = 0; i < n; i++) {
    const std::string home = spi.text(i, 1), key = id_key(home, spi.text(i, 2));
    if (fresh.contains(key)) continue;
    const Ids::Rank before = from_text(spi.text(i, 3));
    const auto &rows = ids.ranks[key];
    if (std::all_of(rows.begin(), rows.end(), [&](const Ids::Rank &r) { return ids.repeats(r, before); })) continue;
    mark_dirty(home);
    if (rows.back() > before) fresh.insert(key); // past the horizon: it is no duplicate
  }
  spi.finish();
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
          " WHERE $2 IS NOT NULL AND x.rank > coalesce((SELECT f.rank FROM pql.forgotten_event AS f WHERE f.source_id = $1), '')"
          " ORDER BY 1, 3 ON CONFLICT (home, source_id, event_id) DO UPDATE SET rank = excluded.rank WHERE e.rank <> excluded.rank",
          args);
  spi.finish();
}

void record_unusable(int source, const Vec<Folder::Unusable> &unusable) {
  if (unusable.empty()) return;
  Spi spi;
  for (const Folder::Unusable &u : unusable) {
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
    const std::string home = h.home();
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
  if (!source || !source->event_clock) return GetCurrentStatementStartTimestamp();
  return std::max(event_clock(), newest_in_batch);
}

// --------------------------------------------------------------------------------------------------------------- merging

namespace {

// A home grows out of its row at this many bytes: its members then go to parts of about half of it. Small rows keep updates on
// their page and in few bytes of log.
constexpr std::size_t kRowLimit = 1000;

class Merger {
public:
  Merger(const Definitions &plan, const MergeOptions &o) : plan_(plan), options_(o), store_(Store::Access::write), rows_("pql home") {}

  void merge(HomeDelta &d) {
    call([] { CHECK_FOR_INTERRUPTS(); });
    for (bool queue = false;; queue = true) {
      rows_.arena().reset();
      fresh_.clear();
      const std::size_t decided = decisions_.size();
      if (attempt(d, queue)) return;
      decisions_.resize(decided);
      store_.refresh();
    }
  }

  std::vector<Decision> finish() {
    store_.close();
    return std::move(decisions_);
  }

private:
  struct Part {
    int number;
    StoredRow row;
    Home home;
    bool touched;
  };
  struct News {
    std::string_view member; ///< empty: the owner
    Vec<FirstTime> milestones;
  };

  Arena &arena() { return rows_.arena(); }

  Home read(std::string_view key, const StoredRow &row) { return read_home(arena(), key, row.body, Members::asleep); }

  // One try. False when somebody else changed the home meanwhile. Who lost once takes the row's lock, in the order of
  // arrival, before he merges again.
  bool attempt(HomeDelta &d, bool queue) {
    delta_ = &d;
    news_.clear();
    const StoredRow row = store_.fetch(arena(), d.key, 0);
    if (queue && row.found && !store_.lock(row)) return false;
    Home head;
    if (row.found) head = read(d.key, row);
    else {
      head.head = true;
      head.owner.id = Bytes::borrow(home_id(d.key));
    }
    if (options_.backfill_job && head.includes(options_.backfill_job)) {
      if (options_.passed_over) options_.passed_over->emplace(d.key);
      return true;
    }
    if (!row.found && !is_account_home(d.key)) fresh_.push_back(home_id(d.key));
    parts_.clear();
    for (const Subject &m : d.home.members) load_part(d.key, head, m.id.view());
    bool exact = true;
    if (options_.replace) {
      load_all_parts(d.key, head);
      replace(d, head);
    } else {
      exact = add(d, head);
    }
    may_enter_ = d.newest >= options_.emit_since;
    if (!exact) mark_dirty(d.key); // and decided upon when it is derived
    else if (options_.decide) decide(d, head);
    if (!write(d.key, head, row)) return false;
    if (options_.replace) store_.forget_milestones(d.key);
    for (const News &n : news_) store_.log_milestones(d.key, n.member, encode_milestones(arena(), n.milestones));
    for (std::string_view user : fresh_) {
      store_.add_user_home(d.key, user);
      if (plan_.has_unit(Unit::user)) fresh_users_.emplace(user);
    }
    if (plan_.has_unit(Unit::user)) written_.insert(d.key);
    return true;
  }

  Part *load_part(std::string_view key, const Home &head, std::string_view user) {
    const int number = static_cast<int>(member_part(user, head.depth));
    if (number == 0) return nullptr;
    for (Part &p : parts_) {
      if (p.number == number) return &p;
    }
    Part p{number, store_.fetch(arena(), key, number), {}, false};
    if (p.row.found) p.home = read(key, p.row);
    parts_.push_back(p);
    return &parts_.back();
  }

  void load_all_parts(std::string_view key, const Home &head) {
    for (int i = 1; head.depth && i <= 1 << head.depth; i++) {
      if (std::any_of(parts_.begin(), parts_.end(), [&](const Part &p) { return p.number == i; })) continue;
      Part p{i, store_.fetch(arena(), key, i), {}, false};
      if (p.row.found) p.home = read(key, p.row);
      parts_.push_back(p);
    }
  }

  // False when a funnel became inexact: only the events can tell.
  bool add(HomeDelta &d, Home &head) {
    end_what_ended(d.key, head.owner);
    learn({}, head.owner, d.home.owner);
    bool exact = head.owner.merge_but_milestones(arena(), plan_.trackers(), d.home.owner);
    const std::size_t before = head.members.size;
    for (const Subject &m : d.home.members) {
      Part *part = load_part(d.key, head, m.id.view());
      Home &in = part ? part->home : head;
      if (part) part->touched = true;
      Subject *mine = nullptr;
      const std::size_t look = part ? in.members.size : before; // those added here are distinct
      for (std::size_t i = 0; i < look && !mine; i++) {
        if (in.members[i].id.view() == m.id.view()) mine = &in.members[i];
      }
      if (!mine && options_.review) continue; // his events are gone, and with them his episode
      if (mine) wake_member(arena(), d.key, *mine);
      if (!mine) {
        Subject s;
        s.id = Bytes::borrow(m.id.view());
        mine = &in.members.push(arena(), s);
        fresh_.push_back(m.id.view());
      }
      end_what_ended(d.key, *mine);
      learn(m.id.view(), *mine, m);
      exact &= mine->merge_but_milestones(arena(), plan_.trackers(), m);
    }
    return exact;
  }

  // What of a delta's milestones the log doesn't have yet. The log is read for late occurrences only.
  void learn(std::string_view member, Subject &mine, const Subject &delta) {
    if (mine.knows_all(delta)) return;
    News news{member, {}};
    std::optional<Subject> logged;
    for (const FirstTime &m : delta.milestones) {
      if (mine.knows(m.tracker, m.at)) continue;
      if (mine.known.has(m.tracker)) {
        if (!logged) fold_logged(delta_->key, member, logged.emplace());
        const FirstTime *earlier = logged->milestone(m.tracker);
        if (earlier && !m.before(*earlier)) continue;
      }
      news.milestones.push(arena(), m);
    }
    if (news.milestones.empty()) return;
    for (const FirstTime &m : news.milestones) mine.note(arena(), m.tracker, m.at); // not before all were compared
    news_.push_back(news);
  }

  // A subject's milestones in the home's log.
  void fold_logged(std::string_view key, std::string_view member, Subject &into) {
    for (const LoggedMilestones &l : store_.logged(arena(), key, &member)) fold_milestones(arena(), key, l.body, into);
  }

  void fold_news(const News &n, Subject &into) {
    for (const FirstTime &m : n.milestones) into.fold_milestone(arena(), m.tracker, m.at, m.event());
  }

  // Gives members their milestones: what the log has, and what this batch brings.
  void fold_all_milestones(std::string_view key, const Home &members) {
    if (!options_.replace) {
      for (const LoggedMilestones &l : store_.logged(arena(), key)) {
        if (Subject *s = members.member(l.member)) fold_milestones(arena(), key, l.body, *s);
      }
    }
    for (const News &n : news_) {
      if (Subject *s = members.member(n.member)) fold_news(n, *s);
    }
  }

  // An episode that had ended before these events came, though nobody looked: what they start is another one.
  void end_what_ended(std::string_view key, Subject &s) {
    if (!options_.decide || s.open.empty()) return;
    for (const Program &p : plan_.programs()) {
      if (!s.is_open(p.id)) continue;
      const Subject whole = scored(p, key, s);
      reasons_.resize(p.def.signals.size());
      const Micros at = std::max(options_.as_of, whole.last_seen);
      const int points = score(p, plan_.trackers(), whole, at, reasons_);
      if (points < p.def.leave) leave(p, key, s, whole, points, at);
    }
  }

  // Nothing is left of a subject that qualified.
  void end_all(std::string_view key, const Subject &gone) {
    for (const Program &p : plan_.programs()) {
      if (!options_.decide || !gone.is_open(p.id)) continue;
      Subject nothing;
      nothing.id = gone.id;
      leave(p, key, nothing, nothing, 0, options_.as_of);
    }
  }

  void replace(HomeDelta &d, Home &head) {
    const Vec<std::int32_t> open = head.owner.open;
    std::vector<const Subject *> before;
    for (const Subject &s : head.members) before.push_back(&s);
    for (const Part &p : parts_) {
      for (const Subject &s : p.home.members) before.push_back(&s);
    }
    (void)d.home.owner.settle(arena(), plan_.trackers());
    head.owner = d.home.owner;
    head.owner.open = open;
    keep_apart({}, head.owner);
    head.members = {}; // the delta is needed again when somebody else was faster
    for (const Subject &s : d.home.members) head.members.push(arena(), s);
    std::sort(before.begin(), before.end(), [](auto *a, auto *b) { return a->id.view() < b->id.view(); });
    for (Subject &s : head.members) {
      (void)s.settle(arena(), plan_.trackers());
      keep_apart(s.id.view(), s);
      const auto old = std::lower_bound(before.begin(), before.end(), s.id.view(),
                                        [](const Subject *a, std::string_view id) { return a->id.view() < id; });
      if (old != before.end() && (*old)->id.view() == s.id.view()) s.open = (*old)->open;
      else fresh_.push_back(s.id.view());
    }
    for (const Subject *s : before) {
      if (!s->open.empty() && !d.home.member(s->id.view())) end_all(d.key, *s);
    }
    head.included = {};
    for (std::int32_t job : plan_.unfinished_jobs()) head.included.push(arena(), job);
    for (Part &p : parts_) p.home.members.clear();
    if (head.depth) spread(head, head.depth);
  }

  // All milestones of a subject that was derived are news: the log is emptied.
  void keep_apart(std::string_view member, Subject &s) {
    for (const FirstTime &m : s.milestones) s.note(arena(), m.tracker, m.at);
    if (!s.milestones.empty()) news_.push_back({member, s.milestones});
    s.milestones = {};
  }

  std::string_view encoded(const Home &h) { return encode(arena(), h, Milestones::apart); }

  bool write(std::string_view key, Home &head, const StoredRow &row) {
    std::string_view body = encoded(head);
    if (head.depth == 0 && body.size() > kRowLimit && head.members.size > 1) {
      std::uint8_t depth = 1;
      while (depth < kMaxHomeDepth && body.size() >> depth > kRowLimit / 2) depth++;
      spread(head, depth);
      body = encoded(head);
    }
    if (!(row.found ? store_.update(row, key, 0, body) : store_.insert(key, 0, body))) return false;
    // From here on the head is locked: nobody else changes the parts.
    write_parts(key, head);
    return true;
  }

  void write_parts(std::string_view key, Home &head) {
    bool outgrown = false;
    for (Part &p : parts_) {
      if (!p.touched) continue;
      const std::string_view body = encoded(p.home);
      if (body.size() > kRowLimit && p.home.members.size > 1 && head.depth < kMaxHomeDepth) outgrown = true;
      if (!(p.row.found ? store_.update(p.row, key, p.number, body) : store_.insert(key, p.number, body)))
        fail(ERRCODE_INTERNAL_ERROR, "a part of home \"" + std::string(key) + "\" changed under its lock");
    }
    if (outgrown) split(key, head);
  }

  // Twice as many parts. Amortised over the growth that led to it.
  void split(std::string_view key, Home &head) {
    see_own_writes();
    const StoredRow row = store_.fetch(arena(), key, 0);
    parts_.clear();
    load_all_parts(key, head);
    for (Part &p : parts_) {
      for (const Subject &s : p.home.members) head.members.push(arena(), s);
      p.home.members.clear();
    }
    spread(head, static_cast<std::uint8_t>(head.depth + 1));
    if (!store_.update(row, key, 0, encoded(head)))
      fail(ERRCODE_INTERNAL_ERROR, "the head of home \"" + std::string(key) + "\" changed under its lock");
    write_parts(key, head);
  }

  // Moves the head's members to 2^depth parts (those loaded are reused).
  void spread(Home &head, std::uint8_t depth) {
    head.depth = depth;
    for (const Subject &s : head.members) {
      const int number = static_cast<int>(member_part(s.id.view(), depth));
      auto p = std::find_if(parts_.begin(), parts_.end(), [&](const Part &x) { return x.number == number; });
      if (p == parts_.end()) p = parts_.insert(parts_.end(), Part{number, {}, {}, false});
      p->home.members.push(arena(), s);
    }
    for (Part &p : parts_) p.touched = true;
    head.members = {};
  }

  void decide(HomeDelta &d, Home &head) {
    const bool account = is_account_home(d.key);
    for (const Program &p : plan_.programs()) {
      if (options_.only_program && p.id != options_.only_program) continue;
      if (p.def.unit == Unit::account && account) evaluate(p, d.key, head, head.owner);
      if (p.def.unit == Unit::user && !account) evaluate(p, d.key, head, head.owner);
      if (p.def.unit == Unit::user && account) {
        for (const Subject &m : d.home.members) {
          Part *part = load_part(d.key, head, m.id.view());
          if (Subject *s = (part ? part->home : head).member(m.id.view())) evaluate(p, d.key, head, *s);
        }
      }
    }
  }

  void evaluate(const Program &p, std::string_view key, Home &head, Subject &subject) {
    const Subject whole = scored(p, key, subject);
    const Micros at = std::max(options_.as_of, whole.last_seen);
    reasons_.resize(p.def.signals.size());
    const int points = score(p, plan_.trackers(), whole, at, reasons_);
    const bool open = whole.is_open(p.id);
    if (open && !subject.is_open(p.id)) return; // kept in another home: see derive_homes and pql.tick
    if (!open && may_enter_ && points >= p.def.enter) enter(p, key, head, subject, whole, points, at);
    else if (open && points < p.def.leave) leave(p, key, subject, whole, points, at);
    else if (open && options_.review && !(options_.replace && p.def.unit == Unit::user)) stay(p, key, subject, whole, points, at);
  }

  // What a program's score rests on.
  Subject scored(const Program &p, std::string_view key, const Subject &s) {
    return whole_subject(p.def.unit, key, s, p.def.scores_milestones());
  }

  Subject whole_subject(Unit unit, std::string_view key, const Subject &s, bool milestones) {
    Subject whole = unit == Unit::user ? whole_user(key, s, milestones) : s;
    if (!milestones) return whole;
    const std::string_view member = unit == Unit::user && is_account_home(key) ? s.id.view() : std::string_view{};
    if (!options_.replace && !s.known.empty()) fold_logged(key, member, whole);
    for (const News &n : news_) {
      if (n.member == member) fold_news(n, whole);
    }
    return whole;
  }

  // A person seen under several homes is one person: what the other homes know is merged in for the evaluation.
  Subject whole_user(std::string_view key, const Subject &s, bool milestones) {
    if (fresh_users_.contains(s.id.view())) see_own_writes();
    store_.homes_of(arena(), s.id.view(), homes_);
    if (std::any_of(homes_.begin(), homes_.end(), [&](std::string_view h) { return written_.contains(h); })) see_own_writes();
    Subject whole = s;
    bool copied = false;
    for (std::string_view other : homes_) {
      if (other == key) continue;
      const StoredRow row = store_.fetch(arena(), other, 0);
      if (!row.found) continue;
      Home h = read(other, row);
      Subject *there = is_account_home(other) ? nullptr : &h.owner;
      if (is_account_home(other)) {
        if (h.depth) {
          const StoredRow part = store_.fetch(arena(), other, static_cast<int>(member_part(s.id.view(), h.depth)));
          if (!part.found) continue;
          h = read(other, part);
        }
        there = h.member(s.id.view());
      }
      if (!there) continue;
      wake_member(arena(), other, *there);
      if (!copied) {
        whole = copy_of(arena(), s);
        copied = true;
      }
      (void)whole.merge(arena(), plan_.trackers(), *there); // an inexact funnel keeps what is certain
      if (milestones && !there->known.empty()) fold_logged(other, is_account_home(other) ? s.id.view() : std::string_view{}, whole);
      for (std::int32_t program : there->open) whole.open.push(arena(), program);
    }
    return whole;
  }

  // What this batch wrote to other homes of the same person counts.
  void see_own_writes() {
    call([] { CommandCounterIncrement(); });
    store_.see_own_writes();
  }

  void enter(const Program &p, std::string_view key, Home &head, Subject &subject, const Subject &whole, int points, Micros at) {
    subject.open.push(arena(), p.id);
    const bool account = p.def.unit == Unit::account;
    Decision d{};
    d.kind = Decision::Kind::enters;
    fill(d, p, key, subject, points, at);
    if (is_account_home(key)) d.account_id = std::string(home_id(key));
    if (!account) d.user_id = d.subject_id;
    d.signal_at = signal_time(reasons_);
    if (!finite(d.signal_at)) d.signal_at = at;
    d.leaves_at = falls_below(p, plan_.trackers(), whole, at, p.def.leave);
    d.reasons = reasons_json(p, reasons_);
    d.headline = headline(p, d.subject_id, points, reasons_);
    Home all;
    if (account) {
      load_all_parts(key, head);
      for (const Subject &s : head.members) all.members.push(arena(), s);
      for (const Part &part : parts_) {
        for (const Subject &s : part.home.members) all.members.push(arena(), s);
      }
      for (Subject &s : all.members) wake_member(arena(), key, s);
      fold_all_milestones(key, all);
    }
    d.context = context_json(plan_, p, whole_subject(p.def.unit, key, subject, true), all, account);
    d.motion = p.def.motion.motion;
    d.next_best_action = p.def.motion.next_best_action;
    d.contact_after = std::max(d.signal_at + p.def.motion.after, at);
    d.contact_by = p.def.motion.by ? d.contact_after + p.def.motion.by : kNever;
    decisions_.push_back(std::move(d));
  }

  void leave(const Program &p, std::string_view key, Subject &subject, const Subject &whole, int points, Micros at) {
    for (std::size_t i = subject.open.size; i-- > 0;) {
      if (subject.open[i] == p.id) subject.open.erase(i);
    }
    // The end is when the score fell, not when somebody noticed.
    const Micros fell = finite(whole.last_seen) ? falls_below(p, plan_.trackers(), whole, whole.last_seen, p.def.leave) : at;
    Decision d{};
    d.kind = Decision::Kind::leaves;
    fill(d, p, key, subject, points, std::min(fell, at));
    decisions_.push_back(std::move(d));
  }

  void stay(const Program &p, std::string_view key, const Subject &subject, const Subject &whole, int points, Micros at) {
    Decision d{};
    d.kind = Decision::Kind::stays;
    fill(d, p, key, subject, points, at);
    d.leaves_at = falls_below(p, plan_.trackers(), whole, at, p.def.leave);
    decisions_.push_back(std::move(d));
  }

  static void fill(Decision &d, const Program &p, std::string_view key, const Subject &subject, int points, Micros at) {
    d.home = std::string(key);
    d.program = p.def.name;
    d.program_id = p.id;
    d.version = p.version;
    d.shadow = !p.live;
    d.unit = p.def.unit;
    d.subject_id = std::string(subject.id.view());
    d.score = points;
    d.at = at;
  }

  const Definitions &plan_;
  const MergeOptions &options_;
  Store store_;
  Scratch rows_;
  HomeDelta *delta_ = nullptr; ///< what is being merged
  std::vector<News> news_;     ///< milestones that the home's log does not have
  std::vector<Part> parts_;
  std::vector<std::string_view> fresh_, homes_; ///< users new to the home; homes of a user
  std::set<std::string_view> written_;              ///< homes written by this batch (where people are scored)
  std::set<std::string, std::less<>> fresh_users_;  ///< users whom it saw in a home for the first time
  bool may_enter_ = true;
  std::vector<Reason> reasons_;
  std::vector<Decision> decisions_;
};

void write_down(const std::vector<Decision> &decisions) {
  if (decisions.empty()) return;
  Spi spi;
  for (const Decision &d : decisions) {
    if (d.kind == Decision::Kind::leaves) {
      spi.run("UPDATE pql.episode SET left_at = greatest($4, entered_at)"
              " WHERE home = $1 AND program_id = $2 AND subject_id = $3 AND left_at IS NULL",
              {Arg::of(d.home), Arg::of(d.program_id), Arg::of(d.subject_id), Arg::time(d.at)});
      continue;
    }
    if (d.kind == Decision::Kind::stays) {
      spi.run("UPDATE pql.episode SET leaves_at = $4"
              " WHERE home = $1 AND program_id = $2 AND subject_id = $3 AND left_at IS NULL",
              {Arg::of(d.home), Arg::of(d.program_id), Arg::of(d.subject_id), Arg::time(d.leaves_at)});
      continue;
    }
    const auto text_or_null = [](const std::string &s) { return s.empty() ? Arg::nothing(TEXTOID) : Arg::of(s); };
    // Whoever waited for the home's lock decides as of an instant before that: never one in an episode that ended meanwhile.
    spi.run("WITH opened AS ("
            " INSERT INTO pql.episode (home, episode_id, program, program_id, version, unit, subject_id, shadow, entered_at,"
            "  score, leaves_at)"
            " VALUES ($1, pql.next_id(), $2, $3, $4, $5, $6, $7,"
            "  greatest($8, (SELECT max(e.left_at) FROM pql.episode AS e WHERE e.program_id = $3 AND e.subject_id = $6)), $9, $10)"
            " ON CONFLICT (home, program_id, subject_id) WHERE left_at IS NULL DO NOTHING RETURNING episode_id, entered_at)"
            " INSERT INTO pql.routing (routing_id, home, program, version, unit, subject_id, account_id, user_id, episode,"
            "  signal_at, qualified_at, score, reasons, headline, motion, next_best_action, contact_after, contact_by,"
            "  state_since, context)"
            " SELECT pql.next_id(), $1, $2, $4, $5, $6, $11, $12, episode_id, $13, entered_at, $9, $14::jsonb, $15, $16, $17,"
            "  greatest($18, entered_at), $19 + (greatest($18, entered_at) - $18), entered_at, $20::jsonb FROM opened WHERE NOT $7",
            {Arg::of(d.home), Arg::of(d.program), Arg::of(d.program_id), Arg::of(d.version), Arg::of(name_of(d.unit)),
             Arg::of(d.subject_id), Arg::of(d.shadow), Arg::time(d.at), Arg::of(d.score), Arg::time(d.leaves_at),
             text_or_null(d.account_id), text_or_null(d.user_id), Arg::time(d.signal_at), Arg::of(d.reasons),
             Arg::of(d.headline), Arg::of(d.motion), text_or_null(d.next_best_action), Arg::time(d.contact_after),
             d.contact_by == kNever ? Arg::nothing(TIMESTAMPTZOID) : Arg::time(d.contact_by), Arg::of(d.context)});
  }
  spi.finish();
}

} // namespace

void merge_batch(const Definitions &plan, Batch &batch, const MergeOptions &options) {
  if (batch.size() == 0) return;
  Merger merger(plan, options);
  for (HomeDelta *d : batch.sorted()) merger.merge(*d);
  write_down(merger.finish());
}

// ------------------------------------------------------------------------------------------------------- what time brings

std::int64_t release_held(const Definitions &plan, Micros as_of) {
  Scratch memory("pql held events");
  Batch batch(memory.arena(), plan.trackers());
  take_due(plan, memory.arena(), batch, as_of);
  const auto n = static_cast<std::int64_t>(batch.events());
  if (n == 0) return 0;
  MergeOptions o;
  o.as_of = std::min(as_of, reading_time(plan));
  merge_batch(plan, batch, o);
  return n;
}

void review(const Definitions &plan, const std::vector<OpenEpisode> &episodes, Micros as_of) {
  Scratch memory("pql review");
  Batch batch(memory.arena(), plan.trackers());
  for (const OpenEpisode &e : episodes) {
    HomeDelta &h = batch.home(is_account_home(e.home), home_id(e.home));
    if (e.unit == Unit::user) batch.user(h, e.subject);
  }
  MergeOptions o;
  o.as_of = as_of;
  o.review = true;
  merge_batch(plan, batch, o);
}

std::int64_t review_homes(const Definitions &plan, Micros as_of) {
  std::vector<OpenEpisode> due;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT home, unit, subject_id FROM pql.episode WHERE left_at IS NULL AND leaves_at <= $1",
                                  {Arg::time(as_of)});
  for (std::uint64_t i = 0; i < n; i++)
    due.push_back({spi.text(i, 1), spi.text(i, 2) == "user" ? Unit::user : Unit::account, spi.text(i, 3)});
  spi.finish();
  review(plan, due, as_of);
  return static_cast<std::int64_t>(n);
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

void flush_collected() {
  while (!pending().collected.empty()) {
    Collected c = std::move(pending().collected.front());
    pending().collected.erase(pending().collected.begin());
    const SourceInfo *source = c.plan->source(c.source);
    record_unusable(c.source, c.folder->unusable());
    record_held(c.source, c.folder->held());
    MergeOptions o;
    o.as_of = decision_time(*c.plan, source, c.folder->newest());
    o.emit_since = source ? o.as_of - source->max_event_age : kAlways;
    if (source && source->event_clock) advance_event_clock(c.folder->newest());
    merge_batch(*c.plan, *c.batch, o);
    c.flushed = GetCurrentSubTransactionId();
    if (c.flushed != TopSubTransactionId) pending().merged.push_back(std::move(c));
  }
}

void derive_dirty() {
  const std::shared_ptr<const Definitions> plan = current_definitions();
  const SubTransactionId within = GetCurrentSubTransactionId();
  if (pending().all_dirty) {
    pending().all_dirty = pending().truncated = false;
    pending().dirty.clear();
    pending().all_derived = within;
    derive_all(*plan);
    return;
  }
  if (pending().truncated) { // not derive_all: other tables' writers need not be waited for, who may wait for this one's
    pending().truncated = false;
    for (const std::string &h : all_homes()) pending().dirty.insert(h);
  }
  std::vector<std::string> homes(pending().dirty.begin(), pending().dirty.end());
  pending().dirty.clear();
  if (within != TopSubTransactionId) {
    for (const std::string &h : homes) pending().derived[h] = within;
  }
  derive_homes(*plan, homes);
}

extern "C" void transaction_event(XactEvent event, void *) {
  switch (event) {
  case XACT_EVENT_PRE_COMMIT:
  case XACT_EVENT_PRE_PREPARE:
    if (pending().empty()) return;
    enter([] {
      call([] { PushActiveSnapshot(GetTransactionSnapshot()); });
      flush_pending();
      call([] { PopActiveSnapshot(); });
    });
    return;
  case XACT_EVENT_ABORT:
  case XACT_EVENT_COMMIT:
  case XACT_EVENT_PREPARE: {
    pending() = Pending();
    return;
  }
  default: return;
  }
}

extern "C" void subtransaction_event(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *) {
  Pending &p = pending();
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
  spi.finish();
  pending().truncated = true;
}

void collect_row(const SourceInfo &source, Relation rel, TupleTableSlot *slot) {
  const SubTransactionId now = call([] { return GetCurrentSubTransactionId(); });
  auto &all = pending().collected;
  auto c = std::find_if(all.begin(), all.end(),
                        [&](const Collected &x) { return x.subtransaction == now && x.source == source.id; });
  if (c == all.end()) {
    Collected fresh{now, InvalidSubTransactionId, source.id, current_definitions(), nullptr, nullptr, nullptr};
    const SourceInfo *kept = fresh.plan->source(source.id);
    if (!kept) return;
    fresh.memory = std::make_unique<Scratch>("pql collected rows", TopTransactionContext);
    fresh.batch = std::make_unique<Batch>(fresh.memory->arena(), fresh.plan->trackers());
    fresh.folder = std::make_unique<Folder>(*fresh.plan, *kept, fresh.plan->events(), fresh.memory->arena(),
                                            GetCurrentStatementStartTimestamp(), *fresh.batch);
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
  if (source.dedup && !event.unusable && event.id.size) {
    Ids ids(source.dedup_for);
    call([&] { ids.add(event); });
    remember_ids(source, ids);
    if (ids.ranks.empty()) return c->folder->count_unusable("duplicate");
  }
  call([&] {
    MemoryContext before = MemoryContextSwitchTo(c->memory->context());
    c->folder->take(event);
    MemoryContextSwitchTo(before);
    extractor_for(rel, source)->forget();
  });
  constexpr std::size_t kMost = std::size_t{64} << 20;
  if (c->batch->bytes() > kMost) flush_pending();
}

void flush_pending() {
  if (pending().flushing || pending().empty()) return;
  if (!OidIsValid(call([] { return get_namespace_oid("pql", true); }))) { // the extension was dropped meanwhile
    pending() = Pending();
    return;
  }
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
