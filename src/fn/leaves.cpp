// What happened to partitions without a trigger's knowing, and its mending.
#include "pg/leaves.hpp"
#include "pg/derive.hpp"
#include "pg/identity.hpp"
#include "pg/srf.hpp"

namespace {

using namespace pql::pg;

const SourceInfo &source_arg(FunctionCallInfo fcinfo, const Definitions &plan) {
  const SourceInfo *source = plan.source(PG_GETARG_INT32(0));
  if (!source) fail(ERRCODE_UNDEFINED_OBJECT, "the source does not exist");
  return *source;
}

} // namespace

// Whether a partition has rows from before its trigger, or, given a transaction, from before that. Null when it can't be told now.
PQL_FUNCTION(_has_older_rows) {
  using namespace pql::pg;
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) PG_RETURN_NULL();
  const Older older = PG_ARGISNULL(2) ? came_with_rows(PG_GETARG_OID(0), PG_GETARG_OID(1))
                                      : has_rows_before(PG_GETARG_OID(0), static_cast<std::uint64_t>(PG_GETARG_INT64(2)));
  if (older == Older::unknown) PG_RETURN_NULL();
  return BoolGetDatum(older == Older::yes);
}

PQL_FUNCTION(_holds_until) {
  using namespace pql::pg;
  const std::shared_ptr<const Definitions> plan = current_definitions();
  const SourceInfo *source = plan->source(PG_GETARG_INT32(0));
  return TimestampTzGetDatum(source ? holds_until(*source, PG_GETARG_OID(1)) : pql::kNever);
}

PQL_FUNCTION(_homes_in) {
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  const std::shared_ptr<const Definitions> plan = current_definitions();
  const SourceInfo &source = source_arg(fcinfo, *plan);
  SourceInfo it = source;
  it.relation = PG_GETARG_OID(1);
  require_part(it.relation, source.relation);
  if (!source_readable(it)) {
    const std::string name = call([&] { return static_cast<const char *>(get_rel_name(it.relation)); });
    fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "partition \"" + name + "\" can't be read as its events table was attached",
         "A column that pql reads was dropped, renamed or changed.", "Derive everything again: CALL pql.rebuild().");
  }
  std::int64_t place = 0;
  for (const std::string &home : homes_in(*plan, source, it.relation)) rows.add({Cell::of(++place), Cell::of(home)});
  return Datum{0};
}

// Derives some homes again. History emits nothing.
PQL_FUNCTION(_derive_homes) {
  using namespace pql::pg;
  lock_identities();
  flush_pending();
  const std::shared_ptr<const Definitions> plan = current_definitions();
  require_readable(*plan);
  std::vector<std::string> homes;
  for (std::string_view h : text_array_arg(fcinfo, 0)) {
    homes.emplace_back(h);
    homes.push_back(canonical_home(h)); // merged since it was listed
  }
  derive_homes(*plan, homes, false);
  return Datum{0};
}
