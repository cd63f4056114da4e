// pql.score, pql.explain, pql.scoreboard: what subjects are worth, now or at any instant.
#include "pg/facts.hpp"
#include "pg/packet.hpp"
#include "pg/spi.hpp"
#include "pg/srf.hpp"

#include <map>

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
  for (std::size_t i = 0; i < reasons.size(); i++) {
    const SignalDef &d = a.program->def.signals[i];
    const std::string evidence = evidence_json(d, reasons[i]);
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
  Scratch scratch("pql scoreboard");
  std::vector<Reason> reasons(a.program->def.signals.size());
  FactReader facts(*a.plan, *a.program, a.as_of, a.now);
  subjects_at(*a.plan, scratch.arena(), a.program->def.unit, a.as_of, MilestonesWanted::of(*a.plan, *a.program), [&](const Subject &s, const Home *row) {
    const int points = assess(*a.plan, *a.program, s, a.as_of, facts.of(s, row), reasons, nullptr, Ask::points).score;
    const auto e = episodes.find(s.id.view());
    const bool qualified = e != episodes.end() && (e->second.over || points >= a.program->def.qualify.leave);
    rows.add({Cell::of(s.id.view()), Cell::of(points), Cell::of(points_by_kind(*a.program, reasons)), Cell::of(qualified),
              qualified ? Cell::time(e->second.since) : Cell::null()});
  });
  facts.close();
  return Datum{0};
}
