#include "pg/trial.hpp"

#include <array>

#include "pg/derive.hpp"

namespace pql::pg {
namespace {

struct Gatherer {
  Tape &tape;
  Unit unit;
  std::uint64_t part, parts;
  bool every; // also events that do nothing

  bool wants(std::string_view subject) const noexcept { return parts == 1 || hash_of(subject, 1) % parts == part; }
  void add(const Entry &e) const {
    if (wants(e.subject)) tape.add(e);
  }
};

bool does_something(std::span<const Action> actions, std::span<const bool> rules) noexcept {
  return std::any_of(actions.begin(), actions.end(), [&](const Action &a) { return a.rule < 0 || rules[static_cast<std::size_t>(a.rule)]; });
}

void take_event(void *arg, const Event &e, const EventPlan *plan) {
  const auto &to = *static_cast<const Gatherer *>(arg);
  if (to.unit == Unit::account ? !e.has_account : to.unit == Unit::workspace && e.workspace.empty()) return;
  const bool does = plan && does_something(plan->on(to.unit), e.rules);
  if (!does && !to.every) return;
  Entry x;
  x.at = e.at;
  x.plan = does ? plan : nullptr;
  x.subject = to.unit == Unit::account ? e.account : to.unit == Unit::workspace ? e.workspace : e.user;
  if (to.unit != Unit::user) x.other = e.user;
  else if (e.has_account) x.other = e.account;
  if (to.unit == Unit::workspace && e.has_account) x.account = e.account;
  x.id = e.id;
  if (does) {
    x.rules = e.rules;
    x.values = e.values;
  }
  to.add(x);
}

void gather_stated(const Definitions &plan, const ScanRange &range, const Gatherer &to) {
  each_asserted(range, [&](std::string_view user, std::string_view name, Micros at, std::string_view event) {
    if (!range.user.empty() && user != range.user) return;
    Entry e;
    e.kind = Entry::Kind::stated;
    e.at = at;
    e.subject = user;
    e.id = event;
    for (TrackerId t : plan.user_milestones(name)) {
      e.tracker = t;
      call([&] { to.add(e); });
    }
  });
}

void gather_sealed(const Definitions &plan, const ScanRange &range, const Gatherer &to) {
  Scratch scratch("pql sealed");
  const auto add = [&](const Subject &s) {
    if (!range.user.empty() && s.id.view() != range.user) return;
    Home alone;
    alone.head = true;
    alone.owner = s;
    Entry e;
    e.kind = Entry::Kind::share;
    e.subject = s.id.view();
    e.body = encode(scratch.arena(), alone);
    call([&] { to.add(e); });
  };
  for (const SourceInfo &source : plan.sources()) {
    each_base(source, scratch.arena(), range, [&](std::string_view key, const Home &base) {
      if (unit_of_home(key) == to.unit) add(base.owner);
      if (to.unit == Unit::user && is_account_home(key)) {
        for (const Subject &s : base.members) add(s);
      }
      scratch.arena().reset();
    });
  }
}

} // namespace

void gather(const Definitions &plan, Unit unit, const Gathering &what, Tape &to) {
  Gatherer gatherer{to, unit, static_cast<std::uint64_t>(what.part), static_cast<std::uint64_t>(what.parts), what.every_event};
  for (const Program &p : plan.programs()) {
    const RuleNeeds needs = needs_of(plan, p);
    gatherer.every |= needs.users || needs.account || needs.time;
  }
  ScanRange range;
  range.until = what.until;
  range.homes = what.homes;
  range.user = what.user;
  range.sink = {take_event, &gatherer, unit == Unit::workspace};
  gather_sealed(plan, range, gatherer); // first: they are older than all that comes
  if (unit == Unit::user) gather_stated(plan, range, gatherer);
  Scratch scratch("pql gathering");
  Batch nothing(scratch.arena(), plan.trackers());
  scan_events(plan, scratch.arena(), nothing, range);
}

void Life::begin(std::string_view id, std::span<const Entry> entries) {
  scratch_.arena().reset();
  entries_ = entries;
  played_ = 0;
  seen_.clear();
  subject_ = {};
  subject_.id = Bytes::borrow(id);
}

bool Life::step() {
  if (played_ == entries_.size()) return false;
  take(entries_[played_++]);
  settle();
  return true;
}

void Life::live_until(Micros at) {
  const std::size_t before = played_;
  while (played_ < entries_.size() && entries_[played_].at <= at) take(entries_[played_++]);
  if (played_ > before) settle();
}

void Life::take(const Entry &e) {
  Arena &arena = scratch_.arena();
  if (e.kind == Entry::Kind::stated) return subject_.fold_milestone(arena, e.tracker, e.at, e.id);
  if (e.kind == Entry::Kind::share) {
    const std::optional<Home> h = decode(arena, e.body);
    if (!h) fail(ERRCODE_INTERNAL_ERROR, "what was gathered is damaged");
    subject_.learn(arena, h->owner);
    return subject_.absorb(arena, plan_.trackers(), h->owner);
  }
  const bool of_many = unit_ != Unit::user;
  const std::string_view account = unit_ == Unit::account ? e.subject : e.account;
  if (!e.other.empty()) {
    Micros &seen = seen_.try_emplace(e.other, e.at).first->second;
    seen = std::max(seen, e.at);
  }
  const Event event{of_many ? e.other : e.subject, account, !account.empty(), e.at, e.id, e.rules, e.values};
  batch_.fold_into(subject_, unit_, event, e.plan ? e.plan->actions() : EventActions{});
}

// Of events of one instant one may have completed an activation that all of them together complete otherwise: as in a derivation
// they are taken together then.
void Life::settle() {
  if (subject_.settle(scratch_.arena(), plan_.trackers())) return;
  const Bytes id = subject_.id;
  subject_ = {};
  subject_.id = id;
  for (const Entry &e : entries_.first(played_)) take(e);
  (void)subject_.settle(scratch_.arena(), plan_.trackers());
}

Sight Life::look_at(const Program &p, Micros at) {
  reasons_.resize(p.def.signals.size());
  const Assessment a = assess(plan_, p, subject_, at, facts_of(p, at), reasons_);
  given_ = a.given;
  return a.sight();
}

// As they were then: attributes have a past, from when they were attached.
Facts Life::facts_of(const Program &p, Micros at) {
  const RuleNeeds needs = needs_of(plan_, p);
  Facts f;
  const bool of_many = unit_ != Unit::user;
  if (needs.users && of_many)
    f.users_active = static_cast<int>(std::ranges::count_if(seen_, [&](const auto &u) { return is_active(u.second, at); }));
  else if (needs.users) f.users_active = subject_.events && is_active(subject_.last_seen, at);
  const auto last = std::ranges::max_element(seen_, [](const auto &x, const auto &y) { return x.second < y.second; });
  const std::string_view account = unit_ == Unit::workspace ? plan_.account_of(subject_) : of_many || last == seen_.end() ? std::string_view{} : last->first;
  outside_.add(f, plan_, p, needs, id(), account, at, now_, call([] { return GetActiveSnapshot(); }));
  return f;
}

Micros Life::fell(const Program &p, const Sight &sight, Micros at) {
  if (sight.score >= p.def.qualify.leave || !finite(subject_.last_seen)) return at;
  if (needs_of(plan_, p).time_to_stay) { // values were others before: see merge
    const std::optional<Micros> since = fell_between(subject_.last_seen, at, [&](Micros t) { return look_at(p, t).score < p.def.qualify.leave; });
    look_at(p, at);
    if (since) return *since;
  }
  return falls_below(p, plan_.trackers(), subject_, subject_.last_seen, p.def.qualify.leave, given_);
}

namespace {

// One program's view of the subject that is played.
class Watch {
public:
  explicit Watch(const Program &p) : program_(p) {}

  // Whether an episode ended by an instant: as nobody looked, maybe before.
  template <class F>
  void end(Life &life, Micros at, F &&f) {
    if (!is_in()) return;
    const QualifyDef &q = program_.def.qualify;
    const Sight sight = life.look_at(program_, at);
    const Micros end = look(standing_, q, sight, at, life.fell(program_, sight, at));
    if (end == kNever) return;
    spell_.left = std::max(end, spell_.entered);
    f(program_, spell_);
    known_ = q.cool_down > 0;
    standing_ = {.open = false, .since = end + q.cool_down};
  }
  void enter(Life &life, Micros at) {
    const Sight sight = life.look_at(program_, at);
    if (!enters(program_.def.qualify, known_ ? &standing_ : nullptr, sight, at)) return;
    spell_ = {spell_.left == kNever ? at : std::max(at, spell_.left), kNever, sight.score};
    standing_ = {};
    known_ = true;
  }
  bool is_in() const noexcept { return known_ && standing_.open; }
  template <class F>
  void tell_if_open(F &&f) const {
    if (is_in()) f(program_, spell_);
  }

private:
  const Program &program_;
  Spell spell_;
  Standing standing_;
  bool known_ = false; ///< whether anything is remembered of the subject: standing_
};

} // namespace

void replay(std::span<const Program> programs, Life &life, Micros until, const std::function<void(const Program &, const Spell &)> &f) {
  std::vector<Watch> watches(programs.begin(), programs.end());
  const auto look = [&](Micros at) {
    for (Watch &w : watches) w.end(life, at, f);
  };
  while (life.next() <= until && life.next() != kNever) {
    const Micros now = life.next();
    if (finite(now)) look(now);
    (void)life.step();
    if (!finite(now)) continue; // what was sealed
    for (Watch &w : watches) { // in this order: an episode that has just ended is over
      const bool was_in = w.is_in();
      w.end(life, now, f);
      if (!was_in) w.enter(life, now);
    }
  }
  look(until);
  for (const Watch &w : watches) w.tell_if_open(f);
}

} // namespace pql::pg
