// pql.preview, pql.backtest, pql.score_history and what else asks "what if": programs tried on the events that there are.
#include "pg/trial.hpp"

#include <map>
#include <set>

#include "pg/facts.hpp"
#include "pg/identity.hpp"
#include "pg/packet.hpp"
#include "pg/read.hpp"
#include "pg/spi.hpp"
#include "pg/srf.hpp"

namespace pql::pg {
namespace {

void require_argument(FunctionCallInfo fcinfo, int n, const char *name) {
  if (PG_ARGISNULL(n)) fail(ERRCODE_NULL_VALUE_NOT_ALLOWED, std::string(name) + " must not be null");
}

// A document that could be published: a rule that doesn't compile would be taken for one that says no.
std::string document_arg(FunctionCallInfo fcinfo, int n) {
  require_argument(fcinfo, n, "program");
  std::string document = jsonb_arg(fcinfo, n);
  ParsedProgram parsed = parse_program(document);
  if (parsed.problems.empty()) check_rules(*current_definitions(), parsed.program, parsed.problems);
  if (parsed.problems.empty()) return document;
  const Problem &x = parsed.problems.front();
  fail(ERRCODE_INVALID_PARAMETER_VALUE, x.path.empty() ? x.problem : x.path + ": " + x.problem, {}, x.hint);
}

// What there is to read for whoever may.
void prepare() {
  require_read_access();
  flush_pending();
}

// A span of time: arguments n and n + 1.
struct Stretch {
  Micros from, until;
};

Stretch span_arg(FunctionCallInfo fcinfo, const Definitions &plan, int n) {
  require_argument(fcinfo, n, "starts_at");
  require_argument(fcinfo, n + 1, "ends_at");
  const Stretch s{PG_GETARG_TIMESTAMPTZ(n), PG_GETARG_TIMESTAMPTZ(n + 1)};
  if (!finite(s.from) || !finite(s.until)) fail(ERRCODE_INVALID_PARAMETER_VALUE, "starts_at and ends_at must be finite");
  if (s.until < s.from) fail(ERRCODE_INVALID_PARAMETER_VALUE, "ends_at lies before starts_at");
  refuse_sealed(plan, s.from);
  return s;
}

// A step of a fixed length.
Micros step_arg(FunctionCallInfo fcinfo, int n) {
  require_argument(fcinfo, n, "step");
  const Interval *const i = PG_GETARG_INTERVAL_P(n);
  if (i->month)
    fail(ERRCODE_INVALID_PARAMETER_VALUE, "step must have a fixed length", {}, "Months and years have none: say '30 days'.");
  const __int128 length = static_cast<__int128>(i->day) * kDay + i->time;
  if (length <= 0) fail(ERRCODE_INVALID_PARAMETER_VALUE, "step must be above 0");
  if (length > kNever) fail(ERRCODE_INVALID_PARAMETER_VALUE, "step is too long");
  return static_cast<Micros>(length);
}

// The entries of one subject, if there are any.
void gather_one(const Definitions &plan, Unit unit, const std::string &id, Micros until, Tape &to) {
  const std::vector<std::string> homes = homes_of(unit, id);
  Gathering what;
  what.until = until;
  what.homes = &homes;
  if (unit == Unit::user) what.user = id;
  gather(plan, unit, what, to);
}

// Who is in an episode of a program at an instant; whether it is known when it ended, for otherwise it lasts as long as the score does.
std::map<std::string, bool, std::less<>> standing_at(const Program &p, Micros as_of) {
  std::map<std::string, bool, std::less<>> found;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT subject_id, bool_or(left_at IS NOT NULL) FROM pql.episode WHERE program_id = $1"
                                  " AND entered_at <= $2 AND (left_at IS NULL OR left_at > $2) GROUP BY subject_id",
                                  {Arg::of(p.id), Arg::time(as_of)});
  for (std::uint64_t i = 0; i < n; i++) found[spi.text(i, 1)] = spi.number(i, 2) != 0;
  spi.finish();
  return found;
}

// Those of whom no entry tells, but attributes or flags may have points for them. Nobody where none of the programs can be entered so.
class Others {
public:
  Others(const Definitions &plan, bool now) {
    refresh_identities();
    RuleNeeds needs;
    for (const Program &p : plan.programs()) {
      if (!takes_unseen(plan, p)) continue;
      needs.attributes |= needs_of(plan, p).attributes;
      needs.flags |= needs_of(plan, p).flags;
    }
    const Unit unit = plan.programs()[0].def.unit;
    for (const std::string_view id : ids_outside(scratch_.arena(), unit, needs, !now, call([] { return GetActiveSnapshot(); }))) {
      if (canonical_id(unit, id) == id) ids_.insert(id);
    }
  }
  void leave_out(std::string_view id) { ids_.erase(id); }
  template <class F>
  void each(F &&f) const {
    for (const std::string_view id : ids_) f(id);
  }

private:
  Scratch scratch_{"pql others"};
  std::set<std::string_view> ids_;
};

// Whether all that programs on trial look at is kept anyway, and up to date.
bool is_kept(const Definitions &live, const Definitions &trial) {
  return live.unfinished_jobs().empty() && std::ranges::all_of(trial.infos(), [&](const TrackerInfo &t) {
           const TrackerInfo *const there = live.info(t.id);
           return there && there->active && there->spec == t.spec;
         });
}

// A document, and the version of its name in force, looked at everybody as of an instant: as he is kept, or by a replay of the events.
class Looks {
public:
  using Told = std::function<void(std::string_view id, int before, const Sight &, std::span<const Reason>)>;
  Looks(const Definitions &plan, Micros as_of, bool now)
      : plan_(plan), as_of_(as_of), now_(now), tried_(plan.programs()[0]), before_(plan.programs().size() > 1 ? &plan.programs()[1] : nullptr),
        others_(plan, now) {}

  void each(bool replay, const Told &f) {
    const std::shared_ptr<const Definitions> live = current_definitions();
    if (replay || !is_kept(*live, plan_)) each_replayed(f);
    else each_kept(*live, f);
  }

private:
  void each_replayed(const Told &f) {
    Tape tape;
    Gathering what;
    what.until = as_of_;
    gather(plan_, tried_.def.unit, what, tape);
    Life life(plan_, tried_.def.unit, now_);
    const auto tell = [&] {
      const int was = before_ ? life.points(*before_, as_of_) : 0;
      const Sight sight = life.look_at(tried_, as_of_);
      f(life.id(), was, sight, life.reasons());
    };
    tape.play([&](std::span<const Entry> entries) {
      life.begin(entries);
      life.live_until(as_of_);
      others_.leave_out(life.id());
      tell();
    });
    others_.each([&](std::string_view id) {
      life.begin(id);
      tell();
    });
    life.close();
  }

  // The live definitions read what is kept, which has more than what is on trial.
  void each_kept(const Definitions &live, const Told &f) {
    FactReader facts(plan_, tried_, as_of_, now_);
    std::optional<FactReader> facts_before;
    MilestonesWanted wanted = MilestonesWanted::of(plan_, tried_);
    std::vector<Reason> reasons(tried_.def.signals.size()), reasons_before;
    if (before_) {
      facts_before.emplace(plan_, *before_, as_of_, now_);
      reasons_before.resize(before_->def.signals.size());
      const MilestonesWanted more = MilestonesWanted::of(plan_, *before_);
      wanted.all |= more.all;
      wanted.dated.insert(wanted.dated.end(), more.dated.begin(), more.dated.end());
      wanted.reached.insert(wanted.reached.end(), more.reached.begin(), more.reached.end());
    }
    const auto tell = [&](const Subject &s, const Home *row) {
      const int was = before_ ? assess(plan_, *before_, s, as_of_, facts_before->of(s, row), reasons_before, nullptr, Ask::points).score : 0;
      const Sight sight = assess(plan_, tried_, s, as_of_, facts.of(s, row), reasons).sight();
      f(s.id.view(), was, sight, reasons);
    };
    Scratch scratch("pql preview");
    subjects_at(live, scratch.arena(), tried_.def.unit, as_of_, wanted, [&](const Subject &s, const Home *row) {
      others_.leave_out(s.id.view());
      tell(s, row);
    });
    others_.each([&](std::string_view id) {
      Subject s;
      s.id = Bytes::borrow(id);
      tell(s, nullptr);
    });
    facts.close();
    if (facts_before) facts_before->close();
  }

  const Definitions &plan_;
  const Micros as_of_;
  const bool now_; ///< attributes are wanted as they are
  const Program &tried_, *const before_;
  Others others_;
};

// What one signal of a program rests on.
struct Use {
  std::int64_t events = 0, subjects = 0, single = 0, converted = 0;
  std::vector<std::int64_t> shared; // with each signal
};

class Audit {
public:
  explicit Audit(const Program &p) : program_(p), uses_(p.def.signals.size()), counts_(p.def.signals.size()) {
    for (Use &u : uses_) u.shared.resize(uses_.size());
  }
  const std::vector<Use> &uses() const noexcept { return uses_; } ///< by signal

  void add(std::span<const Entry> entries, bool converted) {
    std::fill(counts_.begin(), counts_.end(), 0);
    for (const Entry &e : entries) count(e);
    for (std::size_t i = 0; i < uses_.size(); i++) {
      if (!counts_[i]) continue;
      uses_[i].events += counts_[i];
      uses_[i].subjects++;
      uses_[i].single += counts_[i] == 1;
      uses_[i].converted += converted;
      for (std::size_t j = 0; j < uses_.size(); j++) uses_[i].shared[j] += counts_[j] > 0;
    }
  }

private:
  void count(const Entry &e) {
    if (!e.plan) return; // what was sealed has no events any more
    for (const Action &a : e.plan->on(program_.def.unit)) {
      if (a.rule >= 0 && !e.rules[static_cast<std::size_t>(a.rule)]) continue;
      for (std::size_t i = 0; i < uses_.size(); i++) counts_[i] += program_.signals[i].main == a.tracker;
    }
  }

  const Program &program_;
  std::vector<Use> uses_;
  std::vector<std::int64_t> counts_; // of one subject
};

} // namespace
} // namespace pql::pg

// Arguments: document, instant, whether the events are to be replayed even if what is kept of them would do.
PQL_FUNCTION(preview) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  prepare();
  const Definitions plan(document_arg(fcinfo, 0));
  const Program &tried = plan.programs()[0], *const before = plan.programs().size() > 1 ? &plan.programs()[1] : nullptr;
  const Micros as_of = instant_arg(plan, fcinfo, 1);
  refuse_sealed(plan, as_of);
  auto standing = before ? standing_at(*before, as_of) : std::map<std::string, bool, std::less<>>{};
  std::int64_t stay = 0, below = 0;
  const auto add = [&](const char *change, std::string_view id, Cell was, int is, std::string_view reasons) {
    rows.add({Cell::of(change), Cell::of(id), was, Cell::of(is), Cell::json(reasons), Cell::of(std::int64_t{1})});
  };
  Looks looks(plan, as_of, PG_ARGISNULL(1) || as_of >= GetCurrentStatementStartTimestamp());
  looks.each(!PG_ARGISNULL(2) && PG_GETARG_BOOL(2), [&](std::string_view id, int was, const Sight &sight, std::span<const Reason> reasons) {
    const auto in = standing.find(id);
    const bool qualified = in != standing.end() && (in->second || was >= before->def.qualify.leave);
    if (in != standing.end()) standing.erase(in);
    const bool qualifies = qualified ? !is_below(tried.def.qualify, sight) : enters(tried.def.qualify, nullptr, sight, as_of);
    stay += qualified && qualifies;
    below += qualified && qualifies && was >= before->def.qualify.enter && !enters(tried.def.qualify, nullptr, sight, as_of);
    if (qualified == qualifies) return;
    add(qualifies ? "enters" : "leaves", id, before ? Cell::of(was) : Cell::null(), sight.score, reasons_json(tried, reasons));
  });
  for (const auto &[id, over] : standing) { // of whom there is nothing left
    if (over) add("leaves", id, Cell::of(0), 0, "[]");
  }
  const auto sum_up = [&](const char *change, std::int64_t n) {
    rows.add({Cell::of(change), Cell::null(), Cell::null(), Cell::null(), Cell::null(), Cell::of(n)});
  };
  if (below) sum_up("stays, below enter", below);
  sum_up("stays", stay);
  return Datum{0};
}

// Arguments: document, span, whether of the version in force too, which of how many shares of the subjects.
PQL_FUNCTION(backtest_episodes) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  prepare();
  const Definitions plan(document_arg(fcinfo, 0));
  const Stretch span = span_arg(fcinfo, plan, 1);
  Gathering what;
  what.until = std::min(span.until, reading_time(plan)); // nobody knows what comes
  const bool both = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
  what.part = PG_ARGISNULL(4) ? 0 : PG_GETARG_INT32(4);
  what.parts = PG_ARGISNULL(5) ? 1 : PG_GETARG_INT32(5);
  if (what.parts < 1 || what.part < 0 || what.part >= what.parts)
    fail(ERRCODE_INVALID_PARAMETER_VALUE, "part must be from 0 to parts - 1");
  const Program &tried = plan.programs()[0];
  const std::span<const Program> programs = std::span(plan.programs()).first(both ? plan.programs().size() : 1);
  // Where who cools down, or rises by himself, enters at whatever event comes next.
  what.every_event = std::ranges::any_of(programs, [](const Program &p) { return p.def.qualify.cool_down > 0 || rises_by_itself(p); });
  Tape tape;
  gather(plan, tried.def.unit, what, tape);
  Life life(plan, tried.def.unit);
  tape.play([&](std::span<const Entry> entries) {
    life.begin(entries);
    replay(programs, life, what.until, [&](const Program &p, const Spell &s) {
      if (s.entered >= span.until || s.left < span.from) return;
      rows.add({Cell::of(life.id()), Cell::time(s.entered), Cell::time_or_null(s.left), Cell::of(s.score), Cell::of(&p != &tried)});
    });
  });
  life.close();
  return Datum{0};
}

PQL_FUNCTION(score_history) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return Datum{0};
  prepare();
  const std::shared_ptr<const Definitions> plan = current_definitions();
  const std::string name = text_arg(fcinfo, 0);
  const Program &p = program_named(*plan, name);
  const Stretch span = span_arg(fcinfo, *plan, 2);
  const Micros step = step_arg(fcinfo, 4);
  constexpr Micros kMost = 10'000;
  const std::uint64_t steps = (static_cast<std::uint64_t>(span.until) - static_cast<std::uint64_t>(span.from)) / static_cast<std::uint64_t>(step);
  if (steps >= kMost)
    fail(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "the history has more than 10000 steps", {}, "Take longer steps, or a shorter span.");
  Tape tape;
  gather_one(*plan, p.def.unit, text_arg(fcinfo, 1), span.until, tape);
  const auto tell = [&](Micros at, int points, std::span<const Reason> reasons) {
    rows.add({Cell::time(at), Cell::of(points), Cell::of(points_by_kind(p, reasons))});
  };
  const auto instant = [&](std::uint64_t i) { return span.from + static_cast<Micros>(i) * step; };
  Life life(*plan, p.def.unit);
  tape.play([&](std::span<const Entry> entries) {
    life.begin(entries);
    for (std::uint64_t i = 0; i <= steps; i++) {
      life.live_until(instant(i));
      const int points = life.points(p, instant(i));
      tell(instant(i), points, life.reasons());
    }
  });
  const std::string id = canonical_id(p.def.unit, text_arg(fcinfo, 1));
  if (tape.entries() == 0) life.begin(id);
  for (std::uint64_t i = 0; tape.entries() == 0 && i <= steps; i++) {
    const int points = life.points(p, instant(i));
    tell(instant(i), points, life.reasons());
  }
  life.close();
  return Datum{0};
}

// Arguments: document, subjects.
PQL_FUNCTION(_judge) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  flush_pending();
  const Definitions plan(jsonb_arg(fcinfo, 0));
  const Program &p = plan.programs()[0];
  const Micros now = reading_time(plan);
  Life life(plan, p.def.unit, true);
  for (std::string_view id : text_array_arg(fcinfo, 1)) {
    Tape tape;
    gather_one(plan, p.def.unit, std::string(id), now, tape);
    const auto judge = [&] {
      const Sight sight = life.look_at(p, now);
      const bool qualified = enters(p.def.qualify, nullptr, sight, now);
      rows.add({Cell::of(id), Cell::of(sight.score), Cell::of(qualified), qualified ? Cell::of(p.def.motions.back().motion) : Cell::null()});
    };
    tape.play([&](std::span<const Entry> entries) {
      life.begin(entries);
      life.live_until(now);
      judge();
    });
    if (tape.entries()) continue;
    const std::string who = canonical_id(p.def.unit, id);
    life.begin(who);
    judge();
  }
  life.close();
  return Datum{0};
}

// Arguments: program, subjects that had an outcome.
PQL_FUNCTION(_audit_signals) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  prepare();
  const std::shared_ptr<const Definitions> plan = current_definitions();
  const std::string name = text_arg(fcinfo, 0);
  const Program &p = program_named(*plan, name);
  std::unordered_set<std::string_view> converted;
  for (std::string_view id : text_array_arg(fcinfo, 1)) converted.insert(id);
  Tape tape;
  Gathering what;
  what.until = reading_time(*plan);
  gather(*plan, p.def.unit, what, tape);
  Audit audit(p);
  tape.play([&](std::span<const Entry> entries) { audit.add(entries, converted.contains(entries.front().subject)); });
  for (std::size_t i = 0; i < audit.uses().size(); i++) {
    const Use &u = audit.uses()[i];
    std::size_t other = i == 0 ? 1 : 0;
    for (std::size_t j = 0; j < u.shared.size(); j++) {
      if (j != i && u.shared[j] > u.shared[other]) other = j;
    }
    const bool some = other < u.shared.size() && u.shared[other] > 0;
    rows.add({Cell::of(static_cast<int>(i) + 1), Cell::of(p.def.signals[i].name), Cell::of(name_of(p.def.signals[i].kind)),
              Cell::of(u.events), Cell::of(u.subjects), Cell::of(u.single), some ? Cell::of(p.def.signals[other].name) : Cell::null(),
              Cell::of(some ? u.shared[other] : std::int64_t{0}), Cell::of(u.converted)});
  }
  return Datum{0};
}
