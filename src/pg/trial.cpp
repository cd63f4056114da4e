#include "pg/trial.hpp"

#include "pg/derive.hpp"

namespace pql::pg {
namespace {

struct Gatherer {
  Tape &tape;
  Unit unit;
  std::uint64_t part, parts;

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
  if (!plan || (to.unit == Unit::account && !e.has_account)) return;
  if (!does_something(to.unit == Unit::account ? plan->on_account : plan->on_user, e.rules)) return;
  Entry x;
  x.at = e.at;
  x.plan = plan;
  x.subject = to.unit == Unit::account ? e.account : e.user;
  if (to.unit == Unit::account) x.user = e.user;
  x.id = e.id;
  x.rules = e.rules;
  x.values = e.values;
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
      if (is_account_home(key) == (to.unit == Unit::account)) add(base.owner);
      if (to.unit == Unit::user) {
        for (const Subject &s : base.members) add(s);
      }
      scratch.arena().reset();
    });
  }
}

} // namespace

void gather(const Definitions &plan, Unit unit, const Gathering &what, Tape &to) {
  Gatherer gatherer{to, unit, static_cast<std::uint64_t>(what.part), static_cast<std::uint64_t>(what.parts)};
  ScanRange range;
  range.until = what.until;
  range.homes = what.homes;
  range.user = what.user;
  range.sink = {take_event, &gatherer};
  gather_sealed(plan, range, gatherer); // first: they are older than all that comes
  if (unit == Unit::user) gather_stated(plan, range, gatherer);
  Scratch scratch("pql gathering");
  Batch nothing(scratch.arena(), plan.trackers());
  scan_events(plan, scratch.arena(), nothing, range);
}

void Life::begin(std::span<const Entry> entries) {
  scratch_.arena().reset();
  entries_ = entries;
  played_ = 0;
  subject_ = {};
  subject_.id = Bytes::borrow(entries.front().subject);
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
  const bool account = unit_ == Unit::account;
  const Event event{account ? e.user : e.subject, account ? e.subject : std::string_view{}, account, e.at, e.id, e.rules, e.values};
  batch_.fold_into(subject_, event, e.plan->actions());
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

int Life::points(const Program &p, Micros at) {
  reasons_.resize(p.def.signals.size());
  return score(p, plan_.trackers(), subject_, at, reasons_);
}

namespace {

bool enters(const QualifyDef &q, int points) noexcept { return points >= q.enter; }
bool leaves(const QualifyDef &q, int points) noexcept { return points < q.leave; }

// One program's view of the subject that is played.
struct Watch {
  const Program *program;
  Spell spell;
  bool open = false;
};

} // namespace

void replay(std::span<const Program> programs, Life &life, Micros until, const std::function<void(const Program &, const Spell &)> &f) {
  std::vector<Watch> watches;
  for (const Program &p : programs) watches.push_back({&p, {}});
  Micros last = kAlways; // the newest event
  const auto close = [&](Watch &w, Micros at) {
    w.open = false;
    w.spell.left = std::max(at, w.spell.entered);
    f(*w.program, w.spell);
  };
  // The end is when the score fell, be it that nobody looked before the next event.
  const auto end_what_ended = [&](Micros now) {
    for (Watch &w : watches) {
      const QualifyDef &q = w.program->def.qualify;
      if (!w.open || !leaves(q, life.points(*w.program, now))) continue;
      close(w, std::min(now, life.ends(*w.program, last)));
    }
  };
  while (life.next() <= until && life.next() != kNever) {
    const Micros now = life.next();
    end_what_ended(now);
    (void)life.step();
    if (!finite(now)) continue; // what was sealed
    last = now;
    for (Watch &w : watches) {
      const int points = life.points(*w.program, now);
      if (w.open && leaves(w.program->def.qualify, points)) close(w, now);
      else if (!w.open && enters(w.program->def.qualify, points)) {
        w.spell = {std::max(now, w.spell.left == kNever ? now : w.spell.left), kNever, points};
        w.open = true;
      }
    }
  }
  end_what_ended(until);
  for (const Watch &w : watches) {
    if (w.open) f(*w.program, w.spell);
  }
}

} // namespace pql::pg
