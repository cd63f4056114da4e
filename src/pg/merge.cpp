#include "core/qualify/qualify.hpp"
#include "core/qualify/route.hpp"
#include "core/route/timing.hpp"
#include "pg/merge.hpp"

#include <unordered_map>

#include "pg/calendar.hpp"
#include "pg/hints.hpp"
#include "pg/identity.hpp"
#include "pg/ingest.hpp"
#include "pg/outside.hpp"
#include "pg/packet.hpp"
#include "pg/people.hpp"
#include "pg/statement.hpp"
#include "pg/spi.hpp"
#include "pg/timing.hpp"

namespace pql::pg {
namespace {

// A home grows out of its row at this many bytes: its members then go to parts of about half of it. Small rows keep updates on
// their page and in few bytes of log.
constexpr std::size_t kRowLimit = 1000;

// How crowded a home is: each wait for its head warms it, each write without one cools it. Where every ninth or more have to wait it gets
// hot, and lanes.
constexpr std::uint8_t kLanes = 8, kWarmth = 8, kHot = 64, kHottest = 250;
static_assert(kLanes <= kMaxLanes);

// Of a person it is told who else of the account is there, unless it lies in more parts than 2 to the power of this: some thousands are no company.
constexpr std::uint8_t kFewParts = 8;

class Merger {
public:
  Merger(const Definitions &plan, const MergeOptions &o)
      : plan_(plan), options_(o), staff_(counts_working_time(plan) ? current_staff() : nullptr), store_(Store::Access::write, o.people), rows_("pql home") {}

  void merge(std::span<HomeDelta *const> homes) {
    if (homes.size() == 1) return merge(*homes[0]);
    ReadAhead ahead(store_.table(), homes);
    for (HomeDelta *d : homes) {
      ahead.advance();
      merge(*d);
    }
  }

  std::vector<Decision> finish() {
    store_.close();
    if (latest_) call([&] { UnregisterSnapshot(latest_); });
    outside_.close();
    errors_.record();
    for (const int stage : {2, 1}) std::ranges::stable_partition(decisions_, [&](const Decision &d) { return stage_of(d.kind) < stage; });
    return std::move(decisions_);
  }

private:
  // What people may have locked comes after what only this home's owner writes, and after whatever says anew when an episode ends.
  static int stage_of(Decision::Kind kind) {
    if (kind == Decision::Kind::turns || kind == Decision::Kind::follows) return 1;
    return kind == Decision::Kind::fades ? 2 : 0;
  }

  void merge(HomeDelta &d) {
    made_ = false;
    for (bool queue = false;; queue = true) {
      call([] { CHECK_FOR_INTERRUPTS(); });
      rows_.arena().reset();
      fresh_.clear();
      gone_.clear();
      const std::size_t decided = decisions_.size();
      if (attempt(d, queue)) return;
      decisions_.resize(decided);
      store_.refresh();
    }
  }

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
    parts_.clear();
    lanes_.clear();
    quiet_ = false;
    facts_for_ = nullptr;
    StoredRow row = store_.fetch(arena(), d.key, 0);
    if (queue && row.found && !store_.lock(row)) return false;
    if (!row.found && asks_outside(unit_of_home(d.key))) {
      if (!make_home(d.key)) return false;
      row = store_.fetch(arena(), d.key, 0);
    }
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
    if (head.lanes) return attempt_in_turn(d, row, queue);
    if (queue && row.found && options_.alone && may_have_lanes()) head.heat = static_cast<std::uint8_t>(head.heat + kWarmth);
    else if (head.heat) head.heat--;
    const bool hot = head.heat >= kHot;
    if (hot) {
      head.lanes = kLanes;
      head.heat = kHottest;
    }
    if (!merge_into(d, head, row)) return false;
    if (hot) make_lanes(d.key);
    return true;
  }

  bool merge_into(HomeDelta &d, Home &head, const StoredRow &row) {
    head_ = &head;
    if (!row.found && unit_of_home(d.key) == Unit::user) fresh_.push_back(home_id(d.key));
    for (const Subject &m : d.home.members) load_part(d.key, head, m.id.view());
    bool exact = true;
    changed_ = false;
    if (options_.replace) {
      load_all_parts(d.key, head);
      replace(d, head);
    } else {
      for (const Lane &l : lanes_) {
        if (l.emptied) exact &= take_share(d.key, head, l.share);
      }
      exact &= add(d, head);
    }
    may_enter_ = d.newest >= options_.emit_since;
    if (!exact) mark_dirty(d.key); // and decided upon when it is derived
    else if (options_.decide && !quiet_) decide(d, head);
    if ((made_ || !row.found) && is_nothing(d, head)) {
      if (made_) store_.remove(row);
      return true;
    }
    if ((options_.people || options_.only_program) && !changed_) return true;
    if (!write(d.key, head, row)) return false;
    note_people(d);
    if (options_.replace) store_.forget_milestones(d.key);
    for (const News &n : news_) store_.log_milestones(d.key, n.member, encode_milestones(arena(), n.milestones));
    for (std::string_view user : fresh_) {
      store_.add_user_home(d.key, user);
      if (of_people(d.key)) fresh_users_.emplace(user);
    }
    if (of_people(d.key)) written_.insert(d.key);
    return true;
  }

  // ------------------------------------------------------------------------------------------------------------ new homes
  //
  // Somebody's first event, and attributes or a flag of his, may come at the same time: the later of the two must know of the
  // earlier. So both make the home first, which one of them does, for whom the other waits; and then look at what is known. Whoever
  // made it for nothing takes it away again: those whom only a list knows, and who enter nothing, have none.

  // Whether what is decided of homes of a unit rests on more than the state.
  bool asks_outside(Unit unit) const {
    return options_.decide && !options_.people && unit != Unit::user && std::ranges::any_of(plan_.programs(), [&](const Program &p) {
             const RuleNeeds needs = needs_of(plan_, p);
             return p.def.unit == unit && (needs.attributes || needs.account || needs.flags || needs.facts || needs.account_facts || needs.consent);
           });
  }

  // False when somebody else did.
  bool make_home(std::string_view key) {
    if (!store_.insert(key, 0, encoded(nothing(key)))) return false;
    made_ = true;
    see_own_writes();
    call([&] { // a transaction's own snapshot is older than what whoever was waited for has done
      if (!IsolationUsesXactSnapshot()) return;
      if (latest_) UnregisterSnapshot(latest_);
      latest_ = RegisterSnapshot(GetLatestSnapshot());
    });
    return true;
  }

  static bool is_nothing(const HomeDelta &d, const Home &head) {
    return !d.home.owner.exists() && d.home.members.empty() && head.owner.standings.empty();
  }

  // ---------------------------------------------------------------------------------------------------------------- lanes
  //
  // A home's head is locked until its writer's commit is on disk, and who waits for it waits for that. A home that many
  // wait for gets lanes: rows that have a share of it, like a delta that is stored. Whoever finds the head taken adds his
  // events to a lane that is free, if they are quiet: nothing follows from them, not even when all that others are about to
  // commit is added, nor when some of it isn't. What might follow from them is for the head's owner, who waits for the others.
  //
  // Looking and writing is done in turn, so that of two whose events cross a threshold only together, the later one sees
  // the earlier's. Who holds the turn waits for lanes only, and only as owner of the head; who wrote a lane has
  // nothing left to do but to commit (MergeOptions::alone): nobody waits in a circle.

  struct Lane {
    int number;
    LiveRow live;
    Home share;
    bool emptied;
  };

  // Of a person scored across homes the sum is in no home alone; and what is read as of a snapshot can't see who is about to commit.
  bool may_have_lanes() const {
    return !plan_.has_unit(Unit::user) && std::ranges::all_of(plan_.programs(), rises_only) && options_.decide && !options_.review && !options_.replace && !options_.only_program &&
           !options_.backfill_job && is_account_home(delta_->key) && !call([] { return IsolationUsesXactSnapshot(); });
  }

  // Whether more events make more points, so that of several writers' events none takes back what another's decide.
  static bool rises_only(const Program &p) {
    return p.def.segment.empty() && only_adds_up(p) &&
           std::ranges::none_of(p.def.signals, [](const SignalDef &d) { return d.measure >= Measure::value; });
  }

  bool attempt_in_turn(HomeDelta &d, const StoredRow &row, bool queue) {
    const bool own = queue || !may_have_lanes();
    if (own && !queue && !store_.lock(row)) return false;
    store_.take_turn(d.key);
    const bool done = merge_in_turn(d, own);
    store_.end_turn(d.key);
    return done;
  }

  bool merge_in_turn(HomeDelta &d, bool own) {
    store_.see_own_writes();
    LiveRow live = store_.fetch_live(arena(), d.key, 0);
    while (live.unseen) { // the head's parts must be as new as it is
      store_.refresh();
      live = store_.fetch_live(arena(), d.key, 0);
    }
    if (!live.row.found) return false;
    Home head = read(d.key, live.row);
    if (!head.lanes) return false;
    load_lanes(d.key, head);
    quiet_ = is_quiet(d, head, live);
    if (!own && live.busy) return quiet_ && options_.alone && write_lane(d, head);
    const bool close = head.heat == 0 || options_.closes_lanes;
    if (quiet_ && folds(head.owner, d.home.owner)) quiet_ = false; // what lanes have may be older
    if (!own && (!quiet_ || close)) return false;
    if (!quiet_ || close) wait_for_lanes(d.key, head);
    if (std::ranges::any_of(lanes_, [](const Lane &l) { return l.live.busy; })) head.heat = kHottest;
    else if (head.heat) head.heat--;
    if (close) head.lanes = 0;
    for (Lane &l : lanes_) l.emptied = !l.live.busy && (!quiet_ || close || is_full(l));
    if (!own && !store_.try_lock(live.row)) return false; // somebody came without a turn, and may wait for it now
    if (!merge_into(d, head, live.row)) return false;
    for (const Lane &l : lanes_) {
      if (close) store_.remove(l.live.row);
      else if (l.emptied && l.share.owner.events) write_share(d.key, l, nothing(d.key));
    }
    return true;
  }

  static bool is_full(const Lane &l) {
    return l.live.row.body.size() > kRowLimit / 2 ||
           std::ranges::any_of(l.share.owner.funnels, [](const FunnelState &f) { return f.funnel.kept.size > Funnel::kKept / 2; });
  }

  // Whether a delta would end a funnel, or fold some of what is kept.
  bool folds(const Subject &mine, const Subject &delta) {
    if (delta.funnels.empty()) return false;
    Subject after = copy_of(arena(), mine);
    (void)after.merge_but_milestones(arena(), plan_.trackers(), delta);
    return std::ranges::any_of(after.funnels, [&](const FunnelState &f) {
      const FunnelState *const had = mine.funnel(f.tracker);
      return f.funnel.floor != (had ? had->funnel.floor : kAlways);
    });
  }

  Home nothing(std::string_view key) {
    Home h;
    h.head = true;
    h.owner.id = Bytes::borrow(home_id(key));
    return h;
  }

  void make_lanes(std::string_view key) {
    for (int i = 1; i <= kLanes; i++) (void)store_.insert(key, -i, encoded(nothing(key)));
  }

  void load_lanes(std::string_view key, const Home &head) {
    lanes_.clear();
    for (int i = 1; i <= head.lanes; i++) {
      const LiveRow live = store_.fetch_live(arena(), key, -i);
      if (live.unseen && call([] { return IsolationUsesXactSnapshot(); })) store_.refresh(); // raises: it can't be decided without
      if (live.row.found) lanes_.push_back({i, live, read(key, live.row), false});
    }
  }

  // Until all that was written to lanes is committed or taken back. Under the head's lock, so that nobody but the writers of
  // lanes can have locked one.
  void wait_for_lanes(std::string_view key, const Home &head) {
    for (;;) {
      call([] { CHECK_FOR_INTERRUPTS(); });
      const auto busy = std::find_if(lanes_.begin(), lanes_.end(), [](const Lane &l) { return l.live.busy; });
      if (busy == lanes_.end()) return;
      if (store_.lock(busy->live.row)) store_.see_own_writes();
      else store_.refresh(); // it was changed
      load_lanes(key, head);
    }
  }

  void write_share(std::string_view key, const Lane &l, const Home &share) {
    if (store_.update(l.live.row, key, -l.number, encoded(share))) return;
    store_.refresh(); // may say that the transaction's snapshot is too old
    fail(ERRCODE_INTERNAL_ERROR, "a lane of home \"" + std::string(key) + "\" changed in another's turn");
  }

  // Adds the delta to a lane that is free. False when there is none, or the lane would have to fold a funnel: of two that did,
  // nobody can tell how far both together got. What is past a funnel's end changes nothing and is left out.
  bool write_lane(const HomeDelta &d, const Home &head) {
    if (lanes_.empty()) return false;
    const auto free = [](const Lane &l) { return !l.live.busy && !l.live.gone && l.live.row.body.size() <= kRowLimit; };
    std::ranges::rotate(lanes_, lanes_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(MyProcPid) % lanes_.size()));
    const auto lane = std::ranges::find_if(lanes_, free);
    if (lane == lanes_.end()) return false;
    Subject owner = d.home.owner;
    owner.funnels = {};
    for (const FunnelState &f : d.home.owner.funnels) {
      if (!is_past(head.owner, f)) owner.funnels.push(arena(), f);
    }
    if (folds(lane->share.owner, owner)) return false;
    (void)lane->share.owner.merge_but_milestones(arena(), plan_.trackers(), owner);
    for (Subject m : d.home.members) {
      m.funnels = {};
      (void)member_of(d.key, lane->share, m).merge_but_milestones(arena(), plan_.trackers(), m);
    }
    const std::string_view body = encoded(lane->share);
    return body.size() < 4 * kRowLimit && store_.try_lock(lane->live.row) && store_.update(lane->live.row, d.key, -lane->number, body);
  }

  // Takes what a lane has into the head and the parts.
  bool take_share(std::string_view key, Home &head, const Home &share) {
    bool exact = true;
    head.owner.absorb(arena(), plan_.trackers(), share.owner); // settled with the delta
    for (const Subject &m : share.members) load_part(key, head, m.id.view());
    for (Subject m : share.members) {
      wake_member(arena(), key, m);
      Part *part = load_part(key, head, m.id.view());
      if (part) part->touched = true;
      exact &= member_of(key, part ? part->home : head, m).merge_but_milestones(arena(), plan_.trackers(), m);
    }
    return exact;
  }

  // The member of a row, made if there is none.
  Subject &member_of(std::string_view key, Home &row, const Subject &like) {
    if (Subject *const there = row.member(like.id.view())) {
      wake_member(arena(), key, *there);
      return *there;
    }
    Subject s;
    s.id = like.id;
    return row.members.push(arena(), s);
  }

  // Whether nothing follows from the events: no milestone, nobody new, no funnel made inexact, and no account enters or
  // leaves, whoever of the others commits. That holds for all of them at once because each lane only adds to what decides.
  bool is_quiet(HomeDelta &d, Home &head, const LiveRow &live) {
    if (!may_have_lanes() || live.gone || !only_adds(d.home.owner) || !brings_no_news(d, head)) return false;
    const bool changing = live.newest.data() != live.row.body.data();
    const Home next = changing ? read_home(arena(), d.key, live.newest, Members::asleep) : head;
    if (!std::ranges::equal(head.owner.standings, next.owner.standings) || !head.owner.known.includes(next.owner.known)) return false;
    Subject certain = copy_of(arena(), head.owner), most = copy_of(arena(), next.owner), without = copy_of(arena(), head.owner);
    const auto into = [&](Subject &to, const Subject &s) { to.absorb(arena(), plan_.trackers(), s); };
    into(most, d.home.owner);
    into(without, d.home.owner);
    for (const Lane &l : lanes_) {
      if (l.live.gone) return false;
      const Home shown = l.live.newest.data() != l.live.row.body.data() ? read_home(arena(), d.key, l.live.newest, Members::asleep) : l.share;
      into(certain, l.share.owner);
      into(most, shown.owner);
      into(without, shown.owner.events < l.share.owner.events ? l.share.owner : shown.owner); // what was gathered returns
    }
    const Micros soonest = std::max(certain.last_seen, d.home.owner.last_seen);
    const auto settled = [&](Subject &s) { return s.settle(arena(), plan_.trackers()); };
    return settled(certain) && settled(most) && settled(without) && std::ranges::all_of(plan_.programs(), [&](const Program &p) {
             const Standing *const x = head.owner.standing(p.id);
             if (x && x->open) return stays_as_it_is(begun(p, *x), *x, certain, most.last_seen);
             return stays_below(p, most, soonest) && (!changing || stays_below(p, without, soonest));
           });
  }

  bool stays_as_it_is(const Program &p, const Standing &x, const Subject &certain, Micros seen) {
    return x.since == kNever && !may_turn(x, p.def, plan_.has_internal_domains()) && points_of(p, certain, seen) >= p.def.qualify.leave;
  }

  // As counts do, and sums of what isn't negative.
  static bool only_adds(const Subject &s) {
    return std::ranges::all_of(s.decays, [](const DecayedSum &x) {
      return std::ranges::all_of(x.sum.sum, [](const Wide &w) { return w.hi >= 0; });
    });
  }

  // Whether a subject had been through a funnel before it took these steps.
  bool is_past(const Subject &mine, const FunnelState &steps) const {
    const FunnelState *const had = mine.funnel(steps.tracker);
    return had && had->funnel.complete(plan_.trackers()[steps.tracker].funnel) && steps.funnel.floor == kAlways &&
           !steps.funnel.kept.empty() && steps.funnel.kept[0].at > had->funnel.best.reached;
  }

  bool brings_no_news(const HomeDelta &d, Home &head) {
    if (!head.owner.knows_all(d.home.owner)) return false;
    for (const Subject &m : d.home.members) load_part(d.key, head, m.id.view());
    return std::ranges::all_of(d.home.members, [&](const Subject &m) {
      Part *part = load_part(d.key, head, m.id.view());
      Subject *mine = (part ? part->home : head).member(m.id.view());
      if (!mine) return false;
      wake_member(arena(), d.key, *mine);
      return mine->knows_all(m) && std::ranges::all_of(m.funnels, [&](const FunnelState &f) { return is_past(*mine, f); });
    });
  }

  // Points fade: they are looked at as of the newest event that there may be, and of the newest that there will be for certain.
  bool stays_below(const Program &p, const Subject &s, Micros soonest) {
    return points_of(p, s, s.last_seen) < p.def.qualify.enter && (soonest == s.last_seen || points_of(p, s, soonest) < p.def.qualify.enter);
  }

  int points_of(const Program &p, const Subject &s, Micros seen) {
    reasons_.resize(p.def.signals.size());
    return score(p, plan_.trackers(), scored(p, delta_->key, s), std::max(options_.as_of, seen), reasons_);
  }

  // ---------------------------------------------------------------------------------------------------------- what is there

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
      if (!mine && options_.people) continue; // his events are gone, and with them his episode
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
    std::unordered_map<std::string_view, Subject *> by_id;
    for (Subject &s : members.members) by_id.emplace(s.id.view(), &s);
    const auto member = [&](std::string_view id) {
      const auto at = by_id.find(id);
      return at == by_id.end() ? nullptr : at->second;
    };
    if (!options_.replace) {
      for (const LoggedMilestones &l : store_.logged(arena(), key)) {
        if (Subject *s = member(l.member)) fold_milestones(arena(), key, l.body, *s);
      }
    }
    for (const News &n : news_) {
      if (Subject *s = member(n.member)) fold_news(n, *s);
    }
  }

  // An episode that had ended before these events came, though nobody looked: what they start is another one.
  void end_what_ended(std::string_view key, Subject &s) {
    if (!options_.decide || quiet_) return;
    for (std::size_t i = s.standings.size; i-- > 0;) {
      Standing &x = s.standings[i];
      const Program *const p = x.open ? plan_.version(x.program, x.version) : nullptr;
      if (!p || (options_.only_program && p->id != options_.only_program) || lasts(*p, x, std::max(options_.as_of, s.last_seen))) continue;
      const Subject whole = scored(*p, key, s);
      const Micros at = std::max(options_.as_of, whole.last_seen);
      const Sight sight = look_at(*p, whole, at);
      const Micros since = x.since, end = look(x, p->def.qualify, sight, at, fell(*p, whole, x, sight, at));
      changed_ |= x.since != since;
      if (end != kNever) leave(*p, key, s, sight.score, end);
    }
  }

  // Whether an open episode is known to last beyond an instant, if nothing happened: it wasn't low, and can't have become so. What only
  // entering takes, or the motion, doesn't matter.
  bool lasts(const Program &p, const Standing &x, Micros at) const {
    return p.def.unit != Unit::user && x.since == kNever && at < x.leaves_at - p.def.qualify.dwell && !needs_of(plan_, p).time_to_stay;
  }

  // What stays of somebody whose events are gone: his episode, until it is known what all of his homes have, and that he cools down.
  void keep_ledger(Home &head, const Subject &gone) {
    if (!is_remembered(gone)) return;
    Subject s;
    s.id = gone.id;
    s.standings = gone.standings;
    head.members.push(arena(), s);
  }

  bool is_remembered(const Subject &s) const {
    return std::ranges::any_of(s.standings, [&](const Standing &x) { return x.open || x.since > options_.as_of; });
  }

  // Whether what a home has is asked when people are decided upon.
  bool of_people(std::string_view key) const { return plan_.has_unit(Unit::user) && !is_workspace_home(key); }

  // People are decided upon at the commit, when all homes of theirs that this transaction writes are written.
  void note_people(const HomeDelta &d) {
    if (!of_people(d.key) || !options_.decide || options_.people) return;
    const auto note = [&](std::string_view user) {
      const bool fresh = options_.replace || std::ranges::find(fresh_, user) != fresh_.end();
      note_person(d.key, user, {options_.as_of, may_enter_, options_.review, fresh});
    };
    if (!is_account_home(d.key)) return note(home_id(d.key));
    for (const Subject &m : d.home.members) note(m.id.view());
    for (std::string_view user : gone_) note(user);
  }

  void replace(HomeDelta &d, Home &head) {
    const Vec<Standing> standings = head.owner.standings;
    std::vector<const Subject *> before;
    for (const Subject &s : head.members) before.push_back(&s);
    for (const Part &p : parts_) {
      for (const Subject &s : p.home.members) before.push_back(&s);
    }
    (void)d.home.owner.settle(arena(), plan_.trackers());
    head.owner = d.home.owner;
    head.owner.standings = standings;
    keep_apart({}, head.owner);
    head.members = {}; // the delta is needed again when somebody else was faster
    for (const Subject &s : d.home.members) head.members.push(arena(), s);
    std::sort(before.begin(), before.end(), [](auto *a, auto *b) { return a->id.view() < b->id.view(); });
    for (Subject &s : head.members) {
      (void)s.settle(arena(), plan_.trackers());
      keep_apart(s.id.view(), s);
      const auto old = std::lower_bound(before.begin(), before.end(), s.id.view(),
                                        [](const Subject *a, std::string_view id) { return a->id.view() < id; });
      if (old != before.end() && (*old)->id.view() == s.id.view()) s.standings = (*old)->standings;
      else fresh_.push_back(s.id.view());
    }
    for (const Subject *s : before) {
      if (d.home.member(s->id.view())) continue;
      gone_.push_back(s->id.view());
      keep_ledger(head, *s);
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
    const Unit home = unit_of_home(d.key);
    for (const Program &p : plan_.programs()) {
      if (options_.only_program && p.id != options_.only_program) continue;
      if ((p.def.unit == Unit::user) != options_.people) continue;
      if (p.def.unit == home) evaluate(p, d.key, head.owner);
      else if (options_.people && home == Unit::account) evaluate_members(p, d, head);
    }
  }

  void evaluate_members(const Program &p, HomeDelta &d, Home &head) {
    for (const Subject &m : d.home.members) {
      Part *part = load_part(d.key, head, m.id.view());
      Home &in = part ? part->home : head;
      Subject *s = in.member(m.id.view());
      if (!s) {
        may_enter_ = false; // not where he isn't
        s = &in.members.push(arena(), Subject{});
        s->id = m.id;
      }
      evaluate(p, d.key, *s);
      may_enter_ = d.newest >= options_.emit_since;
      if (s->exists() || is_remembered(*s)) continue;
      Part *const still = load_part(d.key, head, m.id.view()); // more parts may have been loaded for a packet
      Home &there = still ? still->home : head;
      there.members.erase(static_cast<std::size_t>(s - there.members.begin()));
    }
  }

  void evaluate(const Program &p, std::string_view key, Subject &subject) {
    if (stays_out(p, subject)) return;
    const auto scores_with = [&](const Program &x) { return x.id == p.id && asks_milestones(x); }; // his episode may be of an earlier version
    const Subject whole = whole_subject(p.def.unit, key, subject, asks_milestones(p) || std::ranges::any_of(plan_.finishing(), scores_with));
    const Micros at = std::max(options_.as_of, whole.last_seen);
    const Standing *last = whole.standing(p.id);
    if (last && last->open) {
      if (options_.anew && subject.is_open(p.id)) {
        const Sight sight = look_at(p, whole, at);
        if (enters(p.def.qualify, nullptr, sight, at)) return begin_anew(p, key, subject, whole, sight.score, at);
      }
      const bool replaced = last->version != p.version && subject.is_open(p.id);
      go_on(begun(p, *last), key, subject, whole, at);
      if (!replaced || subject.is_open(p.id)) return;
      last = subject.standing(p.id); // who has left by the old version may be somebody for the new one
    }
    if (!may_enter_) return;
    const Sight sight = look_at(p, whole, at);
    if (!whole.exists() && !told_of_) return;
    if (enters(p.def.qualify, last, sight, at)) enter(p, key, subject, whole, sight.score, at);
  }

  // Whether an account is so far from entering that neither rules nor its milestones' times need be asked, as most are.
  bool stays_out(const Program &p, const Subject &s) const {
    if (p.def.unit == Unit::user || s.is_open(p.id)) return false;
    return !may_enter_ || most_score(p, plan_.trackers(), s, std::max(options_.as_of, s.last_seen)) < p.def.qualify.enter;
  }

  // An episode ends by the version that it began under.
  const Program &begun(const Program &p, const Standing &x) const {
    const Program *const there = plan_.version(p.id, x.version);
    return there ? *there : p;
  }

  void go_on(const Program &p, std::string_view key, Subject &subject, const Subject &whole, Micros at) {
    const Standing &known = *whole.standing(p.id);
    const bool routed = may_turn(known, p.def, plan_.has_internal_domains());
    const Assessment a = assessed(p, whole, at, routed ? Ask::route : Ask::score);
    const Sight sight = a.sight();
    const auto is_ours = [&](const Standing &x) { return x.open && x.program == p.id; };
    if (std::ranges::count_if(whole.standings, is_ours) > 1 && subject.is_open(p.id)) return retract(p, key, subject, sight.score, at);
    if (!subject.is_open(p.id)) { // kept in another home: who holds that, or tick, ends it or decides anew
      if (is_below(p.def.qualify, sight) || (routed && may_differ(p, key, known, route_of(p.def, a, known.motion), whole, at)))
        fade(p, key, subject, sight.score, at);
      return;
    }
    Standing &x = *subject.standing(p.id);
    const Standing was = x;
    const Micros end = look(x, p.def.qualify, sight, at, fell(p, whole, x, sight, at));
    if (end != kNever) return leave(p, key, subject, sight.score, end);
    if (routed) reroute(p, key, subject, whole, x, a, at);
    if (options_.review || x.since != was.since || ends_before(p, whole, x)) stay(p, key, subject, x, whole, sight.score, at);
  }

  // Decides anew upon what is done about somebody who is in, as of the last assessment. A row that somebody has changed meanwhile is as
  // remembered no more: reviews read it whatever is remembered.
  void reroute(const Program &p, std::string_view key, const Subject &subject, const Subject &whole, Standing &x, const Assessment &a, Micros at) {
    Route now = route_of(p.def, a, x.motion, may_enter_); // not to a better one by events too old to call somebody
    if (!options_.review && !may_differ(p, key, x, now, whole, at)) return;
    const Standing was = x;
    const std::optional<Written> row = find_row(key, p, subject);
    if (row) {
      now = route_of(p.def, a, row->rank, may_enter_);
      heed_downgrade(p.def, a, *row, now);
    }
    const RowState state = row ? row_state(row->state) : RowState::final_;
    Decision d{};
    fill(d, p, key, subject, a.score, at);
    // What reps have got isn't taken back for that.
    const bool asks = row && now.guardrail < 0 && p.def.motions[static_cast<std::size_t>(now.called)].floor > 0 && (state == RowState::blocked || now.motion < row->rank);
    const Thinness thin = asks ? fill_packet(d, p, key, subject, whole, std::min(now.motion, row->rank)) : Thinness{};
    if (thin) now.guardrail = kThin + thin.lacking;
    const std::string reason = thin ? thin.reason : blocked_by(p.def, now);
    const Turn turn = row ? turn_of({state, row->rank, row->blocked_by}, now.motion, reason) : Turn{};
    x.guardrail = static_cast<std::int16_t>(now.guardrail);
    if (state == RowState::final_) x.motion = -1;
    else if (state != RowState::taken) x.motion = static_cast<std::int16_t>(std::min(now.motion, row->rank));
    changed_ |= x != was || turn.kind != Turn::Kind::none;
    if (turn.kind == Turn::Kind::none) return;
    d.kind = turn.kind == Turn::Kind::follows ? Decision::Kind::follows : Decision::Kind::turns;
    d.routing_id = row->id;
    d.blocked_by = reason;
    d.rises = turn.rises;
    if (!turn.rises && !turn.frees) d.reasons.clear(), d.headline.clear(), d.context.clear(), d.whole.reset();
    else if (!asks) (void)fill_packet(d, p, key, subject, whole, std::min(now.motion, row->rank));
    decisions_.push_back(std::move(d));
  }

  // Whether a route may be another than the one that is remembered, as far as that can be told without making a context anew.
  bool may_differ(const Program &p, std::string_view key, const Standing &open, const Route &now, const Subject &whole, Micros at) {
    return is_still_thin(open, now) ? may_be_fuller(p, key, open, whole, at) : differs(open, now);
  }

  // Whether a context may have what it lacked. After assessed. Whoever changes attributes has the subject reviewed.
  bool may_be_fuller(const Program &p, std::string_view key, const Standing &open, const Subject &whole, Micros at) {
    const int lacking = open.guardrail - kThin;
    const auto lacks = [&](ContextPart part) { return (lacking >> static_cast<int>(part) & 1) != 0; };
    if ((lacks(ContextPart::milestones) || lacks(ContextPart::activation)) && !news_.empty()) return true;
    if (lacks(ContextPart::members) && (head_->depth || head_->members.size > static_cast<std::size_t>(p.def.unit == Unit::user))) return true;
    const MotionDef &m = p.def.motions[static_cast<std::size_t>(open.motion)];
    if (lacking & parts_of_state({plan_, p, whole, {}, m, reasons_, nullptr, {}, 0, at})) return true;
    return lacks(ContextPart::intents) && has_intents(key, at);
  }

  // A row of an open episode: what people work on, or else the newest.
  struct Written {
    std::int64_t id;
    std::string state, blocked_by, motion;
    int rank;
  };

  // What nobody could do became another motion, which keeps the place of the first but goes by a channel of its own.
  static void heed_downgrade(const ProgramDef &p, const Assessment &a, const Written &row, Route &now) {
    if (row.rank < 0 || row.rank >= static_cast<int>(p.motions.size()) || now.motion < row.rank) return;
    if (p.motions[static_cast<std::size_t>(row.rank)].motion == row.motion) return;
    const int done = motion_named(p, row.motion);
    if (done < 0 || (now.guardrail >= 0 && now.guardrail != kNoConsent)) return;
    now.called = done;
    now.guardrail = a.barred >> static_cast<unsigned>(done) & 1 ? kNoConsent : -1;
  }
  std::optional<Written> find_row(std::string_view key, const Program &p, const Subject &subject) const {
    Spi spi;
    std::optional<Written> found;
    if (spi.run("SELECT r.routing_id, r.state, r.blocked_by, r.motion, r.motion_rank FROM pql.episode AS e JOIN pql.routing AS r"
                " ON r.home = e.home AND r.episode = e.episode_id"
                " WHERE e.home = $1 AND e.program_id = $2 AND e.subject_id = $3 AND e.left_at IS NULL"
                " ORDER BY r.state IN ('pending', 'ready', 'blocked', 'claimed', 'accepted') DESC, r.routing_id DESC LIMIT 1",
                {Arg::of(key), Arg::of(p.id), Arg::of(subject.id.view())}))
      found = Written{spi.number(0, 1), spi.text(0, 2), spi.text(0, 3), spi.text(0, 4), static_cast<int>(spi.number(0, 5))};
    spi.finish();
    return found;
  }

  // Whether events have made the score fall sooner than was foreseen, as they can where some take points away, or move back a milestone
  // whose points don't last.
  bool ends_before(const Program &p, const Subject &whole, const Standing &x) {
    if (x.since != kNever || std::ranges::all_of(p.def.signals, only_gives)) return false;
    if (x.leaves_at == kNever) return falls(p, whole, whole.last_seen) != kNever;
    const Micros just_before = x.leaves_at - p.def.qualify.dwell - 1;
    if (just_before < whole.last_seen) return false;
    return score(p, plan_.trackers(), whole, just_before, reasons_, given_) < p.def.qualify.leave;
  }

  static bool only_gives(const SignalDef &d) {
    if (d.measure == Measure::milestone && (d.half_life || d.window)) return false;
    return d.max_points >= 0 && (d.measure == Measure::count || d.measure == Measure::milestone || d.measure == Measure::activation);
  }

  // Fills reasons_ and given_.
  Sight look_at(const Program &p, const Subject &whole, Micros at) { return assessed(p, whole, at, Ask::score).sight(); }

  Assessment assessed(const Program &p, const Subject &whole, Micros at, Ask ask) {
    reasons_.resize(p.def.signals.size());
    const Assessment a = assess(plan_, p, whole, at, facts_of(p, whole, at), reasons_, &errors_, ask);
    given_ = a.given;
    zone_ = a.zone;
    return a;
  }

  // What rules rest on besides the state, read under the snapshot of what is merged: whoever changes it writes the home, too.
  Facts facts_of(const Program &p, const Subject &whole, Micros at) {
    const RuleNeeds needs = needs_of(plan_, p);
    told_of_ = false;
    if (identities_in_force && canonical_id(p.def.unit, whole.id.view()) != whole.id.view()) return {}; // he is somebody else now
    const std::pair asked(whole.id.view(), account_);
    if (facts_for_ != &p || facts_asked_ != asked || (needs.history && facts_at_ != at)) {
      facts_ = {};
      outside_.add(facts_, plan_, p, needs, whole.id.view(), account_, at, true, made_ && latest_ ? latest_ : store_.snapshot());
      facts_for_ = &p;
      facts_asked_ = asked;
      facts_at_ = at;
    }
    if (needs.users) facts_.users_active = users_active(p, whole, at);
    told_of_ = facts_.attributes || !facts_.flags.empty();
    return facts_;
  }

  int users_active(const Program &p, const Subject &whole, Micros at) {
    return p.def.unit == Unit::user ? whole.events && is_active(whole.last_seen, at) : users_active(at);
  }

  int users_active(Micros at) {
    load_all_parts(delta_->key, *head_);
    if (lanes_.empty()) { // each member stands in one row
      int n = active_members(*head_, at);
      for (const Part &part : parts_) n += active_members(part.home, at);
      return n;
    }
    ActiveUsers users(at);
    users.add(*head_);
    for (const Part &part : parts_) users.add(part.home);
    for (const Lane &l : lanes_) users.add(l.share);
    return users.count();
  }

  // Since when a subject that is low now has been, if nothing happened since it was seen last, and nobody has noted it.
  Micros fell(const Program &p, const Subject &whole, const Standing &x, const Sight &sight, Micros at) {
    if (x.since != kNever || sight.score >= p.def.qualify.leave || !finite(whole.last_seen)) return at;
    return needs_of(plan_, p).time_to_stay ? fell_with_values(p, whole, at) : falls(p, whole, whole.last_seen);
  }

  // Values that time changes were others before, so that those of now don't tell when the score fell. Leaves what look_at left.
  Micros fell_with_values(const Program &p, const Subject &whole, Micros at) {
    const auto score_at = [&](Micros t) { return assess(plan_, p, whole, t, facts_of(p, whole, t), reasons_).score; };
    const std::optional<Micros> since = fell_between(whole.last_seen, at, [&](Micros t) { return score_at(t) < p.def.qualify.leave; });
    (void)score_at(at);
    return since ? *since : falls(p, whole, whole.last_seen);
  }

  // When the score falls below what keeps it in. After look_at.
  Micros falls(const Program &p, const Subject &whole, Micros since) {
    return falls_below(p, plan_.trackers(), whole, since, p.def.qualify.leave, given_);
  }

  // What a program's score rests on.
  Subject scored(const Program &p, std::string_view key, const Subject &s) {
    return whole_subject(p.def.unit, key, s, asks_milestones(p));
  }

  bool asks_milestones(const Program &p) const { return p.def.scores_milestones() || needs_of(plan_, p).milestones; }

  Subject whole_subject(Unit unit, std::string_view key, const Subject &s, bool milestones) {
    Subject whole = unit == Unit::user ? whole_user(key, s, milestones) : s;
    if (unit == Unit::workspace) account_ = plan_.account_of(s);
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
    Micros last = kAlways;
    account_ = {};
    const auto seen_in = [&](std::string_view home, const Subject &there) {
      if (!is_account_home(home) || !there.events || there.last_seen < last) return;
      if (there.last_seen > last || home_id(home) < account_) account_ = home_id(home);
      last = there.last_seen;
    };
    seen_in(key, s);
    for (std::string_view other : homes_) {
      if (other == key) continue;
      const std::string_view member = is_account_home(other) ? s.id.view() : std::string_view{};
      for (const Subject &there : shares_of(store_, arena(), other, member)) {
        seen_in(other, there);
        if (!copied) whole = copy_of(arena(), s);
        copied = true;
        (void)whole.merge(arena(), plan_.trackers(), there); // an inexact funnel keeps what is certain
        if (milestones && !there.known.empty()) fold_logged(other, member, whole);
        for (const Standing &x : there.standings) whole.standings.push(arena(), x);
      }
    }
    return whole;
  }

  // What this batch wrote to other homes of the same person counts.
  void see_own_writes() {
    call([] { CommandCounterIncrement(); });
    store_.see_own_writes();
  }

  void enter(const Program &p, std::string_view key, Subject &subject, const Subject &whole, int points, Micros at) {
    Decision d{};
    d.kind = Decision::Kind::enters;
    fill(d, p, key, subject, points, at);
    if (is_account_home(key)) d.account_id = std::string(home_id(key));
    if (is_workspace_home(key)) d.account_id = std::string(plan_.account_of(subject));
    if (p.def.unit == Unit::user) d.user_id = d.subject_id;
    d.continues = goes_on(p.id, subject.id.view());
    forget(p, subject);
    Standing &x = subject.standings.push(arena(), {.program = p.id, .version = p.version});
    const Assessment a = assessed(p, whole, at, Ask::route);
    Route route = route_of(p.def, a);
    d.leaves_at = x.leaves_at = end_of(x, p.def.qualify, falls(p, whole, at));
    const Lot lot = lot_of(p.def, d.subject_id, p.live && !d.continues && is_kept_out(p, key, d.subject_id, at), a, reasons_, d.account_id);
    d.holdout = lot.held_out;
    d.exempt = lot.exempt;
    if (lot.kept) d.shadow = true; // tick begins it anew when there is nothing left to spoil
    if (d.shadow || d.continues) return enter_without_row(std::move(d));
    const Thinness thin = fill_packet(d, p, key, subject, whole, route.motion);
    if (route.guardrail < 0 && thin) route.guardrail = kThin + thin.lacking;
    d.blocked_by = d.holdout ? "holdout" : route.guardrail >= kThin ? thin.reason : blocked_by(p.def, route);
    if (!d.holdout) {
      x.motion = static_cast<std::int16_t>(route.motion);
      x.guardrail = static_cast<std::int16_t>(route.guardrail);
    }
    decisions_.push_back(std::move(d));
  }

  // Nobody makes contact, so nobody is told anything.
  void enter_without_row(Decision d) {
    d.reasons = "[]";
    d.context = "{}";
    d.signal_at = d.contact_after = d.contact_by = d.at;
    decisions_.push_back(std::move(d));
  }

  // Why a context is too little for the motion, if it is.
  struct Thinness {
    std::string reason;
    int lacking = 0;
    explicit operator bool() const noexcept { return !reason.empty(); }
  };

  // What whoever makes contact gets to know, as of the last assessment, whose facts are gone then.
  Thinness fill_packet(Decision &d, const Program &p, std::string_view key, const Subject &subject, const Subject &whole, int motion) {
    d.signal_at = signal_time(reasons_);
    if (!finite(d.signal_at)) d.signal_at = d.at;
    Home all;
    if (p.def.unit != Unit::user || (is_account_home(key) && head_->depth <= kFewParts)) {
      load_all_parts(key, *head_);
      for (const Subject &s : head_->members) all.members.push(arena(), s);
      for (const Part &part : parts_) {
        for (const Subject &s : part.home.members) all.members.push(arena(), s);
      }
      for (Subject &s : all.members) wake_member(arena(), key, s);
      fold_all_milestones(key, all);
    }
    const MotionDef &m = p.def.motions[static_cast<std::size_t>(motion)];
    const Subject told = whole_subject(p.def.unit, key, subject, true);
    const std::optional<TimingNote> timing = set_contact(d, p, m, told);
    const Background background = background_for(p, key, told, d.at);
    Packet packet = make_packet({plan_, p, told, all, m, reasons_, timing ? &*timing : nullptr, background, d.score, d.at});
    d.headline = std::move(packet.shown.headline);
    d.reasons = std::move(packet.shown.reasons);
    d.context = std::move(packet.shown.context);
    d.whole = std::move(packet.whole);
    d.rank = motion;
    d.motion = m.motion;
    d.next_best_action = next_best_action(p, m, reasons_);
    return too_thin(m, packet);
  }

  static Thinness too_thin(const MotionDef &m, const Packet &packet) {
    if (packet.completeness >= m.floor) return {};
    const auto share = [](double x) { return std::to_string(static_cast<int>(std::lround(x * 100))) + "%"; };
    return {"the context is too thin: " + share(packet.completeness) + " of " + share(m.floor) + ", without " + packet.missing, packet.lacking};
  }

  // What it tells besides the state, some of which nothing else asks for.
  Background background_for(const Program &p, std::string_view key, const Subject &told, Micros at) {
    if (p.def.known.empty()) return background_of(plan_, p, key, told, facts_for_ == &p ? facts_ : Facts{}, {}, shares_for(p), at);
    const RuleNeeds needs = needs_of(plan_, p, Ask::packet);
    Facts facts;
    outside_.add(facts, plan_, p, needs, told.id.view(), account_, at, true, made_ && latest_ ? latest_ : store_.snapshot());
    facts_for_ = nullptr; // what was read before is gone
    if (needs.users) facts.users_active = users_active(p, told, at);
    const Assessment a = assess(plan_, p, told, at, facts, reasons_, nullptr, Ask::packet);
    given_ = a.given;
    return background_of(plan_, p, key, told, facts, a.known, shares_for(p), at);
  }

  const std::vector<StepShare> &shares_for(const Program &p) {
    const auto known = step_shares_.find(&p);
    return known != step_shares_.end() ? known->second : step_shares_.emplace(&p, step_shares_of(p)).first->second;
  }

  // When contact is to be made, and what that rests on besides the motion, if anything. What the subject is in the middle of is for tick to see.
  std::optional<TimingNote> set_contact(Decision &d, const Program &p, const MotionDef &told, const Subject &whole) {
    const SignalDef *const newest = newest_signal(p, reasons_);
    TimingNote note;
    if (newest && !newest->contact.empty()) note.signal = newest->name;
    const MotionDef m = note.signal.empty() ? told : timed_by(told, newest->contact);
    note.zone = QuietHours::zone_of(p.def, zone_);
    note.undelayed = contact_window(m, calendar(), d.signal_at, d.at);
    const Delays delays{kAlways, barred_until(plan_, p, m, whole), nights_.awake(p.def, note.zone), nullptr};
    const Delayed now = delayed(note.undelayed, delays, m, calendar());
    d.contact_after = note.delayed_to = now.contact.after;
    d.contact_by = now.contact.by;
    note.why = reason_of(now.why);
    if (note.signal.empty() && note.zone.empty() && m.hold.empty() && m.not_within.empty()) return {};
    return note;
  }

  // As long as no rep is chosen, who has his own.
  const Calendar &calendar() const {
    static const auto &none = *new Calendar;
    return staff_ ? staff_->calendar : none;
  }

  // Also versions that were replaced: who entered under one is rerouted by it.
  static bool counts_working_time(const Definitions &plan) {
    const auto counts = [](const Program &p) {
      return std::ranges::any_of(p.def.motions, [](const MotionDef &m) { return m.after_in != Counted::always || m.by_in != Counted::always; }) ||
             std::ranges::any_of(p.def.signals, [](const SignalDef &s) { return !s.contact.empty(); });
    };
    return std::ranges::any_of(plan.programs(), counts) || std::ranges::any_of(plan.finishing(), counts);
  }

  // Nothing is remembered of a subject in a program.
  void forget(const Program &p, Subject &subject) {
    for (std::size_t i = subject.standings.size; i-- > 0;) {
      if (subject.standings[i].program == p.id) subject.standings.erase(i);
    }
    changed_ = true;
  }

  // Entered when the statement ended, and in another home by somebody who has committed since: nobody has seen ours.
  void retract(const Program &p, std::string_view key, Subject &subject, int points, Micros at) {
    forget(p, subject);
    Decision d{};
    d.kind = Decision::Kind::retracts;
    fill(d, p, key, subject, points, at);
    decisions_.push_back(std::move(d));
  }

  void leave(const Program &p, std::string_view key, Subject &subject, int points, Micros end) {
    forget(p, subject);
    Decision d{};
    d.kind = Decision::Kind::leaves;
    fill(d, p, key, subject, points, end);
    d.continues = goes_on(p.id, subject.id.view()); // its row, too
    if (p.def.qualify.cool_down) d.cools_until = std::max(end, entered(p, key, subject)) + p.def.qualify.cool_down;
    if (p.def.qualify.cool_down) subject.standings.push(arena(), {.program = p.id, .version = p.version, .open = false, .since = d.cools_until});
    decisions_.push_back(std::move(d));
  }

  // When its open episode began: a correction may tell that it should have ended before that.
  static Micros entered(const Program &p, std::string_view key, const Subject &subject) {
    Spi spi;
    const bool found = spi.run("SELECT entered_at FROM pql.episode WHERE home = $1 AND program_id = $2 AND subject_id = $3 AND left_at IS NULL",
                               {Arg::of(key), Arg::of(p.id), Arg::of(subject.id.view())}) > 0;
    const Micros at = found ? spi.number(0, 1) : kAlways;
    spi.finish();
    return at;
  }

  void begin_anew(const Program &p, std::string_view key, Subject &subject, const Subject &whole, int points, Micros at) {
    Decision d{};
    d.kind = Decision::Kind::leaves;
    fill(d, p, key, subject, points, at);
    decisions_.push_back(std::move(d));
    enter(p, key, subject, whole, points, at);
  }

  void stay(const Program &p, std::string_view key, const Subject &subject, Standing &x, const Subject &whole, int points, Micros at) {
    Decision d{};
    d.kind = Decision::Kind::stays;
    fill(d, p, key, subject, points, at);
    d.leaves_at = x.leaves_at = end_of(x, p.def.qualify, x.since == kNever ? falls(p, whole, at) : kNever);
    changed_ = true;
    decisions_.push_back(std::move(d));
  }

  void fade(const Program &p, std::string_view key, const Subject &subject, int points, Micros at) {
    Decision d{};
    d.kind = Decision::Kind::fades;
    fill(d, p, key, subject, points, at);
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
  const std::shared_ptr<const Staff> staff_; ///< null: no motion asks for working time
  Store store_;
  Scratch rows_;
  HomeDelta *delta_ = nullptr; ///< what is being merged
  std::vector<News> news_;     ///< milestones that the home's log does not have
  std::vector<Part> parts_;
  std::vector<Lane> lanes_; ///< of a home that has some
  bool quiet_ = false;      ///< nothing follows from what is being merged
  std::vector<std::string_view> fresh_, homes_; ///< users new to the home; homes of a user
  std::set<std::string_view> written_;              ///< homes written by this batch (where people are scored)
  std::set<std::string, std::less<>> fresh_users_;  ///< users whom it saw in a home for the first time
  std::vector<std::string_view> gone_;              ///< members who were there before a derivation
  bool may_enter_ = true;
  bool changed_ = false; ///< the ledger of what is being merged
  bool made_ = false;    ///< its row is there since it is being merged
  bool told_of_ = false; ///< of whom was assessed last something is known besides the state
  Snapshot latest_ = nullptr; ///< for what a home is made with, where that of the transaction may be too old
  std::vector<Reason> reasons_;
  std::span<const double> given_; ///< what the last look was given besides the state
  std::string_view zone_;         ///< what it said of the subject's, for quiet hours
  QuietHours nights_;
  std::string_view account_;      ///< in which a person, or a workspace, was seen last
  Home *head_ = nullptr;          ///< of what is being merged
  Outside outside_;
  Facts facts_; ///< as last read, of this try
  const Program *facts_for_ = nullptr; ///< null: none were
  std::pair<std::string_view, std::string_view> facts_asked_; ///< with which subject and account
  Micros facts_at_ = 0;                                      ///< and when, which matters to histories
  RuleErrors errors_;
  std::unordered_map<const Program *, std::vector<StepShare>> step_shares_; ///< of those of whom a packet was made
  std::vector<Decision> decisions_;
};

} // namespace

void merge_batch(const Definitions &plan, Batch &batch, const MergeOptions &options) {
  if (batch.size() == 0) return;
  const Undisturbed deciding; // also by queries, at whose end nothing else must write what is being merged
  Merger merger(plan, options);
  merger.merge(batch.sorted());
  write_down(merger.finish());
}

} // namespace pql::pg
