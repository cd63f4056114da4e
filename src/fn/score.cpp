// pql.score, pql.explain, pql.scoreboard: what subjects are worth, now or at any instant.
#include "pg/packet.hpp"
#include "pg/read.hpp"
#include "pg/spi.hpp"
#include "pg/srf.hpp"

#include <map>

namespace pql::pg {
namespace {

struct Asked {
  std::shared_ptr<const Definitions> plan;
  const Program *program;
  Micros as_of;
};

Asked asked(FunctionCallInfo fcinfo, int as_of) {
  require_read_access();
  flush_pending();
  Asked a{current_definitions(), nullptr, 0};
  a.program = &program_named(*a.plan, text_arg(fcinfo, 0));
  a.as_of = instant_arg(*a.plan, fcinfo, as_of);
  return a;
}

struct Episode {
  Micros since;
  bool over; // when it ended is known; otherwise it lasts as long as the score does
};

// Episodes of a program at an instant, by subject.
std::map<std::string, Episode> episodes_at(const Program &p, Micros as_of) {
  std::map<std::string, Episode> found;
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
  const Asked a = asked(fcinfo, 2);
  Scratch scratch("pql score");
  const auto s = subject_at(*a.plan, scratch.arena(), a.program->def.unit, text_arg(fcinfo, 1), a.as_of);
  std::vector<Reason> reasons(a.program->def.signals.size());
  return Int32GetDatum(s ? score(*a.program, a.plan->trackers(), *s, a.as_of, reasons) : 0);
}

PQL_FUNCTION(explain) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return Datum{0};
  const Asked a = asked(fcinfo, 2);
  Scratch scratch("pql explain");
  const auto s = subject_at(*a.plan, scratch.arena(), a.program->def.unit, text_arg(fcinfo, 1), a.as_of);
  std::vector<Reason> reasons(a.program->def.signals.size());
  score(*a.program, a.plan->trackers(), s ? *s : Subject{}, a.as_of, reasons);
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
  const Asked a = asked(fcinfo, 1);
  const std::map<std::string, Episode> episodes = episodes_at(*a.program, a.as_of);
  Scratch scratch("pql scoreboard");
  std::vector<Reason> reasons(a.program->def.signals.size());
  subjects_at(*a.plan, scratch.arena(), a.program->def.unit, a.as_of, a.program->def.scores_milestones(), [&](const Subject &s) {
    const int points = score(*a.program, a.plan->trackers(), s, a.as_of, reasons);
    const auto e = episodes.find(std::string(s.id.view()));
    const bool qualified = e != episodes.end() && (e->second.over || points >= a.program->def.qualify.leave);
    rows.add({Cell::of(s.id.view()), Cell::of(points), Cell::json(kinds_json(*a.program, reasons)), Cell::of(qualified),
              qualified ? Cell::time(e->second.since) : Cell::null()});
  });
  return Datum{0};
}
