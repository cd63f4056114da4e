#include "core/qualify/qualify.hpp"
#include "core/qualify/route.hpp"
#include "pg/review.hpp"

#include <map>

#include "pg/derive.hpp"
#include "pg/facts.hpp"
#include "pg/held_homes.hpp"
#include "pg/people.hpp"
#include "pg/spi.hpp"

namespace pql::pg {

std::int64_t release_held(Micros as_of, int most) {
  const std::vector<std::string> homes = lock_due(as_of, most);
  if (homes.empty()) return 0;
  const std::shared_ptr<const Definitions> now = definitions_now(); // by which whoever wrote these homes meanwhile did so
  const Definitions &plan = *now;
  Scratch memory("pql held events");
  Batch batch(memory.arena(), plan.trackers());
  take_due(plan, memory.arena(), batch, as_of, homes);
  const auto n = static_cast<std::int64_t>(batch.events());
  if (batch.size() == 0) return 0;
  MergeOptions o;
  o.as_of = std::min(as_of, reading_time(plan));
  merge_batch(plan, batch, o);
  return n;
}

void review(const Definitions &plan, const std::vector<Reviewed> &subjects, Micros as_of) {
  Scratch memory("pql review");
  Batch batch(memory.arena(), plan.trackers());
  for (const Reviewed &s : subjects) {
    if (s.unit == Unit::user) note_person(s.home, s.subject, {.as_of = as_of, .may_enter = true, .review = true});
    else batch.home(s.home);
  }
  MergeOptions o;
  o.as_of = as_of;
  o.review = true;
  merge_batch(plan, batch, o);
}

namespace {

// Returns the homes that were left out: tick takes homes several times over, and mustn't keep whoever writes events waiting in a circle.
std::vector<std::string> lock_and_review(const Definitions &plan, std::vector<Reviewed> subjects, Micros as_of) {
  std::vector<std::string> homes, left_out;
  for (const Reviewed &s : subjects) homes.push_back(s.home);
  std::sort(homes.begin(), homes.end());
  homes.erase(std::unique(homes.begin(), homes.end()), homes.end());
  if (homes.empty()) return left_out;
  if (holds_homes()) {
    const std::set<std::string, std::less<>> locked = lock_free_homes(homes);
    std::ranges::copy_if(homes, std::back_inserter(left_out), [&](const std::string &h) { return !locked.contains(h); });
    std::erase_if(subjects, [&](const Reviewed &s) { return !locked.contains(s.home); });
  } else {
    lock_homes(homes);
  }
  review(plan, subjects, as_of);
  return left_out;
}

/// Somebody whose episode is open: by which version, and what is done about it.
struct Insider {
  int version;
  std::string state, blocked_by; // of the row that people work on, or else of the newest; empty without one
  int rank;
  bool found = false; // among the subjects
};
using Insiders = std::map<std::string, Insider, std::less<>>;

Insiders insiders(const Program &p) {
  Insiders found;
  Spi spi;
  const std::uint64_t n =
      spi.run("SELECT DISTINCT ON (e.subject_id) e.subject_id, e.version, r.state, r.blocked_by, r.motion_rank"
              " FROM pql.episode AS e LEFT JOIN pql.routing AS r ON r.home = e.home AND r.episode = e.episode_id"
              " WHERE e.program_id = $1 AND e.left_at IS NULL"
              " ORDER BY e.subject_id, r.state IN ('pending', 'ready', 'blocked', 'claimed', 'accepted') DESC, r.routing_id DESC",
              {Arg::of(p.id)});
  for (std::uint64_t i = 0; i < n; i++)
    found[spi.text(i, 1)] = {static_cast<int>(spi.number(i, 2)), spi.text(i, 3), spi.text(i, 4), static_cast<int>(spi.number(i, 5))};
  spi.finish();
  return found;
}

bool turns(const Definitions &plan, const ProgramDef &p, const Insider &in, const Assessment &a) {
  if (in.state.empty() || !has_choice(plan, p)) return false;
  const Route now = route_of(p, a, in.rank);
  return turn_of({row_state(in.state), in.rank, in.blocked_by}, now.motion, blocked_by(p, now)).kind != Turn::Kind::none;
}

// Whether time alone can change what a version says.
bool moves(const Definitions &plan, const Program &p) { return rises_by_itself(p) || needs_of(plan, p).time; }

// Whether the time of a program has come; notes that it had.
bool is_turn_of(const Program &p, Micros as_of) {
  Spi spi;
  // ON CONFLICT would lock the row even if it isn't its turn, and so write.
  const bool done = spi.run("SELECT FROM pql.evaluation WHERE program_id = $1 AND evaluated_at > $2", {Arg::of(p.id), Arg::time(as_of - p.def.re_evaluate)}) > 0;
  const bool turn = !done && spi.run("INSERT INTO pql.evaluation AS e (program_id, evaluated_at) VALUES ($1, $2)"
                            " ON CONFLICT (program_id) DO UPDATE SET evaluated_at = excluded.evaluated_at WHERE e.evaluated_at <= $3 RETURNING 1",
                            {Arg::of(p.id), Arg::time(as_of), Arg::time(as_of - p.def.re_evaluate)}) > 0;
  spi.finish();
  return turn;
}

// Looks again as soon as there is a tick: there were more than could be dealt with.
void look_again(const Program &p) {
  Spi spi;
  spi.run("UPDATE pql.evaluation SET evaluated_at = '-infinity' WHERE program_id = $1", {Arg::of(p.id)});
  spi.finish();
}

void find_rising(const Definitions &plan, const Program &p, Micros as_of, std::size_t most, std::vector<Reviewed> &found) {
  Insiders inside = insiders(p);
  std::vector<std::string> turned;
  for (const auto &[id, in] : inside) { // the others are looked at here, by the version in force
    const Program *const by = in.version == p.version ? nullptr : plan.version(p.id, in.version);
    if (by && moves(plan, *by)) turned.push_back(id);
  }
  std::vector<Reason> reasons(p.def.signals.size());
  Scratch scratch("pql review");
  FactReader facts(plan, p, as_of, true);
  const auto look = [&](const Subject &s, const Home *row) {
    const auto in = inside.find(s.id.view());
    const bool is_in = in != inside.end();
    if (is_in) in->second.found = true;
    if (is_in && in->second.version != p.version && plan.version(p.id, in->second.version)) return;
    const Assessment a = assess(plan, p, s, as_of, facts.of(s, row), reasons, nullptr, is_in && has_choice(plan, p.def) ? Ask::route : Ask::score);
    if (is_in ? is_below(p.def.qualify, a.sight()) || turns(plan, p.def, in->second, a) : enters(p.def.qualify, nullptr, a.sight(), as_of))
      turned.emplace_back(s.id.view());
  };
  subjects_at(plan, scratch.arena(), p.def.unit, as_of, MilestonesWanted::of(plan, p), look);
  unseen_at(plan, p, as_of, true, look);
  for (const auto &[id, in] : inside) { // of whom nothing is left that has points
    if (!in.found && in.version == p.version) turned.push_back(id);
  }
  facts.close();
  for (const std::string &id : turned) {
    if (found.size() >= most) return look_again(p);
    found.push_back({homes_of(p.def.unit, id).front(), p.def.unit, id});
  }
}

} // namespace

std::int64_t review_due(const Definitions &plan, Micros as_of, int most) {
  std::vector<Reviewed> due;
  Micros cooled = kAlways;
  std::vector<std::string> in_force; // episodes of a program that was retired stay as they are, due forever
  for (const Program &p : plan.programs()) in_force.push_back(p.def.name);
  Spi spi;
  const std::uint64_t n = spi.run("SELECT e.home, e.unit, e.subject_id, max(e.cools_until) FROM ("
                                  " (SELECT home, unit, subject_id, NULL::timestamptz AS cools_until FROM pql.episode"
                                  "   WHERE left_at IS NULL AND leaves_at <= $1 AND program = ANY ($3) ORDER BY leaves_at LIMIT $2)"
                                  " UNION ALL (SELECT home, unit, subject_id, cools_until FROM pql.episode"
                                  "   WHERE cools_until <= $1 ORDER BY cools_until FETCH FIRST ($2) ROWS WITH TIES)) AS e GROUP BY 1, 2, 3",
                                  {Arg::time(as_of), Arg::of(most), Arg::of(in_force)});
  for (std::uint64_t i = 0; i < n; i++) {
    due.push_back({spi.text(i, 1), unit_named(spi.text(i, 2)), spi.text(i, 3)});
    if (!spi.is_null(i, 4)) cooled = std::max(cooled, spi.number(i, 4));
  }
  spi.finish();
  const std::vector<std::string> left_out = lock_and_review(plan, std::move(due), as_of); // these stay due
  if (cooled == kAlways) return static_cast<std::int64_t>(n);
  Spi ended;
  ended.run("UPDATE pql.episode SET cools_until = NULL WHERE cools_until <= $1 AND home <> ALL ($2)", {Arg::time(cooled), Arg::of(left_out)});
  ended.finish();
  return static_cast<std::int64_t>(n);
}

std::int64_t review_rising(const Definitions &plan, Micros as_of, int most) {
  std::vector<Reviewed> found;
  for (const Program &p : plan.programs()) {
    const auto moving = [&](const Program &x) { return x.id == p.id && moves(plan, x); };
    if ((moves(plan, p) || std::ranges::any_of(plan.finishing(), moving)) && found.size() < static_cast<std::size_t>(most) && is_turn_of(p, as_of))
      find_rising(plan, p, as_of, static_cast<std::size_t>(most), found);
  }
  if (!lock_and_review(plan, found, as_of).empty()) {
    for (const Program &p : plan.programs()) look_again(p);
  }
  return static_cast<std::int64_t>(found.size());
}

} // namespace pql::pg
