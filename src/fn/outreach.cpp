// pql.render_outreach: the text that a template comes to for a routing row, or why there is none. Nothing is sent.
#include <nlohmann/json.hpp>

#include "core/outreach/render.hpp"
#include "pg/outreach.hpp"

#include "pg/ingest.hpp"
#include "pg/spi.hpp"
#include "pg/srf.hpp"

extern "C" {
#include "executor/spi.h"
#include "utils/tuplestore.h"
}

namespace pql::pg {
namespace {

using nlohmann::json;

// Whether the current role sees a routing row: asked with its own rights, so that whatever guards the rows counts.
bool sees(std::int64_t routing_id) {
  return call([&] {
    Oid type = INT8OID;
    Datum value = Int64GetDatum(routing_id);
    SPI_connect();
    SPI_execute_with_args("SELECT FROM pql.routing AS r WHERE r.routing_id OPERATOR(pg_catalog.=) $1", 1, &type, &value, nullptr, true, 1);
    const bool found = SPI_processed > 0;
    SPI_finish();
    return found;
  });
}

// The template that argument 1 names; null: the program has none of that name.
const TemplateDef *asked_template(const ProgramDef &p, FunctionCallInfo fcinfo) {
  return p.outreach ? p.outreach->find(text_arg(fcinfo, 1)) : nullptr;
}

} // namespace
} // namespace pql::pg

PQL_FUNCTION(render_outreach) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
    fail(ERRCODE_NULL_VALUE_NOT_ALLOWED, std::string(PG_ARGISNULL(0) ? "routing_id" : "template") + " must not be null");
  const std::int64_t id = PG_GETARG_INT64(0);
  const std::string name = text_arg(fcinfo, 1);
  if (!sees(id)) return Datum{0};
  flush_pending();
  Spi spi;
  const std::uint64_t n = spi.run("SELECT * FROM pql._render_outreach($1, $2)", {Arg::of(id), Arg::of(name)});
  call([&] {
    auto *info = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    for (std::uint64_t i = 0; i < n; i++) tuplestore_puttuple(info->setResult, SPI_tuptable->vals[i]);
  });
  spi.finish();
  return Datum{0};
}

PQL_FUNCTION(_outreach_terms) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  const ParsedProgram parsed = parse_program(jsonb_arg(fcinfo, 0), Served::published);
  const ProgramDef &p = parsed.program;
  const TemplateDef *t = asked_template(p, fcinfo);
  if (!t) return Datum{0};
  const StopDef &s = p.outreach->stop;
  rows.add({Cell::of(t->motions), t->channel.empty() ? Cell::null() : Cell::of(t->channel), Cell::of(s.unanswered), Cell::length(s.pause), Cell::of(s.most),
            Cell::length(s.per), Cell::of(p.consent == Consent::opt_in), Cell::of(p.objective)});
  return Datum{0};
}

PQL_FUNCTION(_render_template) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  const ParsedProgram parsed = parse_program(jsonb_arg(fcinfo, 0), Served::published);
  const ProgramDef &p = parsed.program;
  const TemplateDef *t = asked_template(p, fcinfo);
  if (!t) return Datum{0};
  const Rendered r = render(p, *t, given_of(jsonb_arg(fcinfo, 2)), PG_GETARG_INT32(3));
  const std::string said = json(r.said).dump(-1, ' ', false, json::error_handler_t::replace);
  const auto text_or_null = [](const std::string &s) { return s.empty() ? Cell::null() : Cell::of(s); };
  rows.add({text_or_null(r.subject), text_or_null(r.body), text_or_null(r.refused), Cell::of(r.defaults), Cell::json(said)});
  return Datum{0};
}
