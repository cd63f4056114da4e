// pql.score, pql.explain, pql.scoreboard, pql.qualification, pql.triage: what subjects are worth, and what they lack, now or at any instant.
#include <map>

#include <nlohmann/json.hpp>

#include "core/base/instant.hpp"
#include "pg/board.hpp"
#include "pg/identity.hpp"
#include "pg/packet.hpp"
#include "pg/spi.hpp"
#include "pg/srf.hpp"

extern "C" {
#include "utils/typcache.h"
}

namespace pql::pg {
namespace {

struct Episode {
  Micros since;
  bool over; // when it ended is known; otherwise it lasts as long as the score does
};

// Episodes of a program at an instant, by subject.
std::map<std::string, Episode, std::less<>> episodes_at(const Program &p, Micros as_of) {
  std::map<std::string, Episode, std::less<>> found;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT subject_id, min(entered_at), bool_or(left_at IS NOT NULL) FROM pql.episode"
                                  " WHERE program_id = $1 AND entered_at <= $2 AND (left_at IS NULL OR left_at > $2)"
                                  " GROUP BY subject_id",
                                  {Arg::of(p.id), Arg::time(as_of)});
  for (std::uint64_t i = 0; i < n; i++) found[spi.text(i, 1)] = {spi.number(i, 2), spi.number(i, 3) != 0};
  spi.finish();
  return found;
}

/// What somebody said who flagged a subject.
struct Flag {
  std::string author, reason;
  Micros expires_at;
};

// The newest of each signal that hold at an instant.
std::map<std::string, Flag, std::less<>> flags_of(const Asked &a, std::string_view id) {
  std::map<std::string, Flag, std::less<>> found;
  if (!needs_of(*a.plan, *a.program).flags) return found;
  const Unit unit = a.program->def.unit;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT DISTINCT ON (f.signal) f.signal, f.author, f.reason, f.expires_at FROM pql.flag AS f"
                                  " WHERE f.home = $1 AND f.program = $2 AND f.flagged_at <= $3"
                                  " AND coalesce(f.expires_at, 'infinity') > $3 AND coalesce(f.lifted_at, 'infinity') > $3"
                                  " ORDER BY f.signal, f.flagged_at DESC",
                                  {Arg::of(home_key(unit == Unit::account, canonical_id(unit, id))), Arg::of(a.program->def.name),
                                   Arg::time(a.now ? call([] { return GetCurrentTimestamp(); }) : a.as_of)});
  for (std::uint64_t i = 0; i < n; i++)
    found[spi.text(i, 1)] = {spi.text(i, 2), spi.text(i, 3), spi.is_null(i, 4) ? kNever : spi.number(i, 4)};
  spi.finish();
  return found;
}

std::string flag_json(const SignalDef &d, const Flag &f) {
  nlohmann::ordered_json out = {{"author", f.author}, {"reason", f.reason}, {"expires_at", nullptr}};
  if (finite(f.expires_at)) out["expires_at"] = print_instant(f.expires_at);
  if (!d.why.empty()) out["why"] = d.why;
  return out.dump();
}

// ------------------------------------------------------------------------------------------------------- who is in, who isn't

/// The last episode of a subject that had begun by an instant.
struct Stay {
  Micros entered, left, leaves, cools; ///< left: kNever while it lasts
};

std::map<std::string, Stay, std::less<>> stays_at(const Asked &a, const Program &p, const std::string *id) {
  std::map<std::string, Stay, std::less<>> found;
  Spi spi;
  const std::uint64_t n =
      id ? spi.run("SELECT subject_id, entered_at, CASE WHEN left_at <= $2 THEN left_at END, leaves_at, cools_until FROM pql.episode"
                   " WHERE program_id = $1 AND subject_id = $3 AND entered_at <= $2"
                   " ORDER BY left_at IS NULL OR left_at > $2 DESC, entered_at DESC, episode_id DESC LIMIT 1",
                   {Arg::of(p.id), Arg::time(a.as_of), Arg::of(*id)})
         : spi.run("SELECT DISTINCT ON (subject_id) subject_id, entered_at, CASE WHEN left_at <= $2 THEN left_at END, leaves_at, cools_until"
                   " FROM pql.episode WHERE program_id = $1 AND entered_at <= $2"
                   " ORDER BY subject_id, left_at IS NULL OR left_at > $2 DESC, entered_at DESC, episode_id DESC",
                   {Arg::of(p.id), Arg::time(a.as_of)});
  const auto time = [&](std::uint64_t row, int column, Micros otherwise) { return spi.is_null(row, column) ? otherwise : spi.number(row, column); };
  for (std::uint64_t i = 0; i < n; i++) {
    Stay s{spi.number(i, 2), time(i, 3, kNever), spi.number(i, 4), 0};
    s.cools = s.left == kNever ? kNever : time(i, 5, s.left + p.def.qualify.cool_down);
    found[spi.text(i, 1)] = s;
  }
  spi.finish();
  return found;
}

bool is_in(const Program &p, const Stay *s, const Assessment &a, Micros as_of) {
  return s && s->left == kNever && (s->leaves > as_of || !is_below(p.def.qualify, a.sight()));
}
bool is_cooling(const Stay *s, Micros as_of) { return s && s->left != kNever && s->cools > as_of; }

// What it lacks to enter.
std::vector<std::string> missing(const ProgramDef &p, const Assessment &a) {
  const QualifyDef &q = p.qualify;
  std::vector<std::string> out;
  const auto text = [](auto n) { return std::to_string(n); };
  const int short_of = q.enter - a.score;
  if (!a.in_segment && !p.segment.empty()) out.push_back("segment: " + p.segment);
  if (short_of > 0) out.push_back("score: " + text(short_of) + (short_of == 1 ? " more point" : " more points"));
  for (const Kind k : q.required_kinds) {
    if (a.kinds[static_cast<std::size_t>(k)] <= 0) out.push_back("kind " + std::string(name_of(k)));
  }
  const auto kinds = std::ranges::count_if(a.kinds, [](int points) { return points > 0; });
  if (kinds < q.min_kinds) out.push_back("min_kinds: points of " + text(kinds) + ", " + text(q.min_kinds) + " needed");
  if (!a.rule && !q.when.empty()) out.push_back("when: " + q.when);
  if (q.at_least && a.held < q.at_least->count)
    out.push_back("at_least: " + text(a.held) + " of " + text(q.at_least->of.size()) + " hold, " + text(q.at_least->count) + " needed");
  return out;
}

// Those who would be in by their score alone, and aren't.
void triage(const Asked &a, const Program &p, ResultRows &rows) {
  const auto stays = stays_at(a, p, nullptr);
  Scratch scratch("pql triage");
  std::vector<Reason> reasons(p.def.signals.size());
  FactReader facts(*a.plan, p, a.as_of, a.now);
  const auto tell = [&](const Subject &s, const Home *row) {
    const Assessment x = assess(*a.plan, p, s, a.as_of, facts.of(s, row), reasons, nullptr, Ask::all);
    if (x.score < p.def.qualify.leave || !x.in_segment || (x.when && x.kinds_met)) return;
    const auto stay = stays.find(s.id.view());
    const Stay *const last = stay == stays.end() ? nullptr : &stay->second;
    if (is_in(p, last, x, a.as_of) || is_cooling(last, a.as_of)) return;
    const std::vector<std::string> lacks = missing(p.def, x);
    rows.add({Cell::of(p.def.name), Cell::of(s.id.view()), Cell::of(x.score), Cell::of(lacks)});
  };
  subjects_at(*a.plan, scratch.arena(), p.def.unit, a.as_of, MilestonesWanted::of(*a.plan, p), tell);
  unseen_at(*a.plan, p, a.as_of, a.now, tell);
  facts.close();
}

} // namespace
} // namespace pql::pg

PQL_FUNCTION(score) {
  using namespace pql;
  using namespace pql::pg;
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) {
    fcinfo->isnull = true;
    return Datum{0};
  }
  const Asked a(fcinfo, 2);
  Scratch scratch("pql score");
  const std::string id = text_arg(fcinfo, 1);
  std::vector<Reason> reasons(a.program->def.signals.size());
  return Int32GetDatum(assess_one(a, scratch.arena(), id, reasons).score);
}

PQL_FUNCTION(explain) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return Datum{0};
  const Asked a(fcinfo, 2);
  Scratch scratch("pql explain");
  const std::string id = text_arg(fcinfo, 1);
  std::vector<Reason> reasons(a.program->def.signals.size());
  assess_one(a, scratch.arena(), id, reasons);
  const auto flags = flags_of(a, id);
  for (std::size_t i = 0; i < reasons.size(); i++) {
    const SignalDef &d = a.program->def.signals[i];
    const auto flag = d.measure == Measure::flag ? flags.find(d.name) : flags.end();
    const std::string evidence = flag == flags.end() ? evidence_json(d, reasons[i]) : flag_json(d, flag->second);
    rows.add({Cell::of(d.name), Cell::of(name_of(d.kind)), Cell::of(reasons[i].points), Cell::of(reasons[i].value),
              Cell::json(evidence)});
  }
  return Datum{0};
}

PQL_FUNCTION(scoreboard) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  if (PG_ARGISNULL(0)) return Datum{0};
  const Asked a(fcinfo, 1);
  const std::map<std::string, Episode, std::less<>> episodes = episodes_at(*a.program, a.as_of);
  score_everybody(a, [&](std::string_view subject, int points, Datum kinds) {
    const auto e = episodes.find(subject);
    const bool qualified = e != episodes.end() && (e->second.over || points >= a.program->def.qualify.leave);
    rows.add({Cell::of(subject), Cell::of(points), Cell::ready(kinds), Cell::of(qualified),
              qualified ? Cell::time(e->second.since) : Cell::null()});
  });
  return Datum{0};
}

// Arguments: the program's number and version, the instant, a home, its row, attributes. Null for nobody; without a score for one whom
// his row alone doesn't tell.
PQL_FUNCTION(_row_score) {
  using namespace pql;
  using namespace pql::pg;
  static auto &scorer = *new std::optional<RowScorer>; // of the query that is running; never destroyed
  const RowScorer::Asked asked{PG_GETARG_INT32(0), PG_GETARG_INT32(1), PG_GETARG_TIMESTAMPTZ(2)};
  if (!scorer || scorer->asked() != asked || scorer->generation() != definitions_generation()) scorer.emplace(asked);
  const std::string_view home = bytes_arg(fcinfo, 3);
  const RowScorer::Score score = scorer->of(home, bytes_arg(fcinfo, 4), PG_ARGISNULL(5) ? std::nullopt : std::optional(PG_GETARG_DATUM(5)));
  if (score.of == RowScorer::Score::Of::nobody) {
    fcinfo->isnull = true;
    return Datum{0};
  }
  const std::string_view id = home_id(home);
  return call([&] {
    auto *&row = reinterpret_cast<TupleDesc &>(fcinfo->flinfo->fn_extra);
    if (!row) {
      MemoryContext const before = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
      row = lookup_rowtype_tupdesc_copy(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
      MemoryContextSwitchTo(before);
    }
    const bool left = score.of == RowScorer::Score::Of::left;
    Datum values[] = {PointerGetDatum(cstring_to_text_with_len(id.data(), static_cast<int>(id.size()))), Int32GetDatum(score.points),
                      PointerGetDatum(score.kinds.data())};
    bool nulls[] = {false, left, left};
    return HeapTupleGetDatum(heap_form_tuple(row, values, nulls));
  });
}

PQL_FUNCTION(qualification) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return Datum{0};
  const Asked a(fcinfo, 2);
  const ProgramDef &p = a.program->def;
  const std::string id = canonical_id(p.unit, text_arg(fcinfo, 1));
  Scratch scratch("pql qualification");
  std::vector<Reason> reasons(p.signals.size());
  const Assessment x = assess_one(a, scratch.arena(), id, reasons, nullptr, Ask::all);
  const auto stays = stays_at(a, *a.program, &id);
  const Stay *const last = stays.empty() ? nullptr : &stays.begin()->second;
  const bool in = is_in(*a.program, last, x, a.as_of), cooling = is_cooling(last, a.as_of);
  const std::vector<std::string> lacks = in ? std::vector<std::string>{} : missing(p, x);
  const Route route = route_of(p, x);
  const bool kept_out = is_kept_out(*a.program, home_key(p.unit, id), id, a.as_of);
  const bool held_out = lot_of(p, id, kept_out, x, reasons, p.unit == Unit::account ? std::string_view(id) : std::string_view{}).held_out;
  const std::string blocked = held_out ? "holdout" : blocked_by(p, route);
  rows.add({Cell::of(x.score), Cell::of(p.qualify.enter), Cell::of(p.qualify.leave), Cell::of(in ? "in" : cooling ? "cooling" : "out"),
            in ? Cell::time(last->entered) : cooling ? Cell::time(last->left) : Cell::null(),
            in ? Cell::time_or_null(last->leaves) : Cell::null(), cooling ? Cell::time(last->cools) : Cell::null(), Cell::of(lacks),
            x.motion < 0 ? Cell::null() : Cell::of(p.motions[static_cast<std::size_t>(route.motion)].motion),
            blocked.empty() ? Cell::null() : Cell::of(blocked)});
  return Datum{0};
}

PQL_FUNCTION(triage) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  const Asked a(fcinfo, 1);
  for (const Program &p : a.plan->programs()) {
    if (a.program ? &p == a.program : a.plan->program(p.def.name) == &p) triage(a, p, rows);
  }
  return Datum{0};
}
