// What blocks rows besides rules: who is looked at again when consent, the list of domains, or what was done about an account changes.
#include "core/qualify/qualify.hpp"
#include "core/qualify/route.hpp"
#include "pg/attributes.hpp"
#include "pg/spi.hpp"

namespace pql::pg {
namespace {

// Whether a rule or a motion of a published program rests on it.
bool is_named(const std::string &what) {
  Spi spi;
  const bool named = spi.run("SELECT FROM pql.fact_use AS u WHERE u.name LIKE $1 || '.%' LIMIT 1", {Arg::of(what)}) > 0;
  spi.finish();
  return named;
}

// The rows that a statement wrote, before and after it.
std::string rows_of(TriggerEvent event, const std::string &columns) {
  const auto from = [&](const char *rows) { return "SELECT " + columns + " FROM " + rows + " AS n"; };
  if (TRIGGER_FIRED_BY_INSERT(event)) return from("pql_new");
  if (TRIGGER_FIRED_BY_DELETE(event)) return from("pql_old");
  return from("pql_new") + " UNION " + from("pql_old");
}

std::vector<std::string> homes_written(const TriggerData *t, const std::string &homes) {
  Spi spi;
  call([&] {
    if (SPI_register_trigger_data(const_cast<TriggerData *>(t)) < 0) elog(ERROR, "could not see what was written");
  });
  spi.run_once("SELECT ARRAY(" + homes + ")");
  std::vector<std::string> out = spi.texts(0, 1);
  spi.finish();
  return out;
}

// Has the next tick look at whoever is qualified, in these homes or (null) anywhere. Whoever is writing an episode isn't waited for. Asks for
// nothing of definitions: a restore writes these tables before it has all of them.
void look_again(const std::vector<std::string> *homes) {
  const std::vector<std::string> none;
  Spi spi;
  spi.run("UPDATE pql.episode AS e SET leaves_at = least(e.leaves_at, e.entered_at) WHERE (e.home, e.episode_id) IN ("
          " SELECT o.home, o.episode_id FROM pql.episode AS o WHERE o.left_at IS NULL AND ($1 OR o.home = ANY ($2)) FOR NO KEY UPDATE SKIP LOCKED)",
          {Arg::of(homes == nullptr), Arg::of(homes ? *homes : none)});
  spi.finish();
}

void guards_written(const TriggerData *t, const std::string &what) {
  if (what == "domains") return look_again(nullptr);
  if (!is_named(what)) return;
  if (TRIGGER_FIRED_BY_TRUNCATE(t->tg_event)) return look_again(nullptr);
  if (what == "consent") {
    const std::vector<std::string> homes = homes_written(t, rows_of(t->tg_event, "DISTINCT pg_catalog.left(n.unit, 1) || ':' || n.subject_id"));
    return attributes_changed(*current_definitions(), homes);
  }
  const std::vector<std::string> homes = homes_written(
      t, "SELECT DISTINCT p.place FROM (" + rows_of(t->tg_event, "n.*") + ") AS n LEFT JOIN pql.routing AS r ON r.home = n.home"
         " AND r.routing_id::text = pg_catalog.to_jsonb(n) ->> 'routing_id',"
         " LATERAL pg_catalog.unnest(pql._places(r.account_id, n.home)) AS p(place)");
  look_again(&homes);
}

} // namespace
} // namespace pql::pg

// The trigger on what guards rest on. Writers need no rights on what follows. Its argument says what: consent, history or domains.
PQL_FUNCTION(_guards_written) {
  using namespace pql::pg;
  const auto *t = reinterpret_cast<TriggerData *>(fcinfo->context);
  if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(t->tg_event) || t->tg_trigger->tgnargs != 1)
    fail(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "pql._guards_written() must be called as an AFTER trigger");
  guards_written(t, t->tg_trigger->tgargs[0]);
  return PointerGetDatum(nullptr);
}
