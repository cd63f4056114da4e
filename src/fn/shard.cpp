// Shards of a cluster, as SQL enters them.
#include "pg/shard.hpp"

PQL_FUNCTION(_enter_shard) {
  using namespace pql::pg;
  const Oid relation = PG_GETARG_OID(0);
  if (!enter_shard(relation)) {
    const char *const name = call([&] { return static_cast<const char *>(get_rel_name(relation)); });
    fail(ERRCODE_WRONG_OBJECT_TYPE, "relation \"" + std::string(name ? name : "?") + "\" is no shard");
  }
  return Datum{0};
}

PQL_FUNCTION(_leave_shard) {
  (void)fcinfo;
  pql::pg::leave_shard();
  return Datum{0};
}

PQL_FUNCTION(_is_spread) {
  (void)fcinfo;
  return pql::pg::call([] { return BoolGetDatum(!pql::pg::within_shard() && pql::pg::is_spread()); });
}
