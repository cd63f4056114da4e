// Attributes: the copy of what customers' relations say of accounts and users.
#include "pg/attributes.hpp"
#include "pg/srf.hpp"

// What is kept of a home. Arguments: home, instant (null: now).
PQL_FUNCTION(_attributes_of) {
  using namespace pql;
  using namespace pql::pg;
  if (PG_ARGISNULL(0)) {
    fcinfo->isnull = true;
    return Datum{0};
  }
  const std::string home = text_arg(fcinfo, 0);
  const Snapshot snapshot = call([] { return GetActiveSnapshot(); });
  const std::optional<Datum> body =
      PG_ARGISNULL(1) ? current_attributes(home, snapshot) : attributes_at(home, PG_GETARG_TIMESTAMPTZ(1), snapshot);
  fcinfo->isnull = !body;
  return body.value_or(Datum{0});
}
