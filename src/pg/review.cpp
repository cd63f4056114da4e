#include "core/qualify/qualify.hpp"
#include "pg/review.hpp"

#include <set>

#include "pg/derive.hpp"
#include "pg/facts.hpp"
#include "pg/people.hpp"
#include "pg/spi.hpp"

namespace pql::pg {

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

void review(const Definitions &plan, const std::vector<Reviewed> &subjects, Micros as_of) {
  Scratch memory("pql review");
  Batch batch(memory.arena(), plan.trackers());
  for (const Reviewed &s : subjects) {
    if (s.unit == Unit::user) note_person(s.home, s.subject, {.as_of = as_of, .may_enter = true, .review = true});
    else batch.home(is_account_home(s.home), home_id(s.home));
  }
  MergeOptions o;
  o.as_of = as_of;
  o.review = true;
  merge_batch(plan, batch, o);
}

namespace {

void lock_and_review(const Definitions &plan, const std::vector<Reviewed> &subjects, Micros as_of) {
  if (subjects.empty()) return;
  std::vector<std::string> homes;
  for (const Reviewed &s : subjects) homes.push_back(s.home);
  std::sort(homes.begin(), homes.end());
  lock_homes(homes);
  review(plan, subjects, as_of);
}

// Whose episodes are open.
std::set<std::string, std::less<>> insiders(const Program &p) {
  std::set<std::string, std::less<>> found;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT subject_id FROM pql.episode WHERE program_id = $1 AND left_at IS NULL", {Arg::of(p.id)});
  for (std::uint64_t i = 0; i < n; i++) found.insert(spi.text(i, 1));
  spi.finish();
  return found;
}

// Whether the time of a program has come; notes that it had.
bool is_turn_of(const Program &p, Micros as_of) {
  Spi spi;
  const bool turn = spi.run("INSERT INTO pql.evaluation AS e (program_id, evaluated_at) VALUES ($1, $2)"
                            " ON CONFLICT (program_id) DO UPDATE SET evaluated_at = excluded.evaluated_at WHERE e.evaluated_at <= $3 RETURNING 1",
                            {Arg::of(p.id), Arg::time(as_of), Arg::time(as_of - p.def.re_evaluate)}) > 0;
  spi.finish();
  return turn;
}

void find_rising(const Definitions &plan, const Program &p, Micros as_of, std::vector<Reviewed> &found) {
  const auto inside = insiders(p);
  std::vector<Reason> reasons(p.def.signals.size());
  std::vector<std::string> turned;
  Scratch scratch("pql review");
  FactReader facts(plan, p, as_of, true);
  subjects_at(plan, scratch.arena(), p.def.unit, as_of, MilestonesWanted::of(plan, p), [&](const Subject &s, const Home *row) {
    const Sight sight = assess(plan, p, s, as_of, facts.of(s, row), reasons).sight();
    const bool in = inside.contains(s.id.view());
    if (in ? is_below(p.def.qualify, sight) : enters(p.def.qualify, nullptr, sight, as_of)) turned.emplace_back(s.id.view());
  });
  facts.close();
  for (const std::string &id : turned) found.push_back({homes_of(p.def.unit, id).front(), p.def.unit, id});
}

} // namespace

std::int64_t review_due(const Definitions &plan, Micros as_of) {
  std::vector<Reviewed> due;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT home, unit, subject_id FROM pql.episode WHERE left_at IS NULL AND leaves_at <= $1"
                                  " UNION SELECT home, unit, subject_id FROM pql.episode WHERE cools_until <= $1",
                                  {Arg::time(as_of)});
  for (std::uint64_t i = 0; i < n; i++)
    due.push_back({spi.text(i, 1), spi.text(i, 2) == "user" ? Unit::user : Unit::account, spi.text(i, 3)});
  spi.finish();
  lock_and_review(plan, due, as_of);
  if (n == 0) return 0;
  Spi ended;
  ended.run("UPDATE pql.episode SET cools_until = NULL WHERE cools_until <= $1", {Arg::time(as_of)});
  ended.finish();
  return static_cast<std::int64_t>(n);
}

std::int64_t review_rising(const Definitions &plan, Micros as_of) {
  std::vector<Reviewed> found;
  for (const Program &p : plan.programs()) {
    if ((rises_by_itself(p) || needs_of(plan, p).time) && is_turn_of(p, as_of)) find_rising(plan, p, as_of, found);
  }
  lock_and_review(plan, found, as_of);
  return static_cast<std::int64_t>(found.size());
}

} // namespace pql::pg
