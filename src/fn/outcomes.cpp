// What puts homes on the list of those whose labels are to be made anew.
#include <map>

#include "pg/spi.hpp"

extern "C" {
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/guc.h"
#include "utils/rls.h"
}

// What a restore loads was told of when it was written, and the list comes with it. Only scripts of pg_dump set both of these.
static bool is_restored() noexcept { return !check_function_bodies && !row_security; }

// The trigger on what labels are made of. Its argument is an SQL expression for the homes of a written row. Plans are kept by table and
// statement: deciding writes its rows one by one, and planning took longer than writing them down.
PQL_FUNCTION(_handoffs_written) {
  using namespace pql::pg;
  static auto &plans = *new std::map<std::pair<Oid, std::string>, SPIPlanPtr>; // never destroyed
  const auto *t = reinterpret_cast<TriggerData *>(fcinfo->context);
  if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(t->tg_event) || t->tg_trigger->tgnargs != 1)
    fail(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "pql._handoffs_written() must be called as an AFTER trigger");
  if (is_restored()) return PointerGetDatum(nullptr);
  const std::string sql = std::string("INSERT INTO pql.handoff_due (home) SELECT DISTINCT h FROM ") +
                          (TRIGGER_FIRED_BY_DELETE(t->tg_event) ? "pql_old" : "pql_new") + " AS n, pg_catalog.unnest(" +
                          t->tg_trigger->tgargs[0] + ") AS h";
  SPIPlanPtr &plan = plans[{RelationGetRelid(t->tg_relation), sql}];
  Spi spi;
  call([&] {
    if (SPI_register_trigger_data(const_cast<TriggerData *>(t)) < 0) elog(ERROR, "could not see what was written");
    if (!plan) {
      SPIPlanPtr fresh = SPI_prepare(sql.c_str(), 0, nullptr);
      if (!fresh) elog(ERROR, "could not prepare an internal query: %s", SPI_result_code_string(SPI_result));
      SPI_keepplan(fresh);
      plan = fresh;
    }
    if (SPI_execute_plan(plan, nullptr, nullptr, false, 0) < 0) elog(ERROR, "could not note what was written");
  });
  spi.finish();
  return PointerGetDatum(nullptr);
}
