// pql.active_users_agg, pql.count_active_users and what is read from their states.
#include "core/aggregate/users.hpp"

#include "pg/aggregate.hpp"

extern "C" {
#include "utils/typcache.h"
}

namespace pql::pg {
namespace {

[[noreturn]] void unknown_type() {
  ereport(ERROR, (errcode(ERRCODE_INDETERMINATE_DATATYPE), errmsg("could not determine the type of the values to count"),
                  errhint("On a distributed table, group by the distribution column.")));
}

[[noreturn]] void not_hashable(Oid type) {
  ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION), errmsg("values of type %s can't be hashed", format_type_be(type)),
                  errhint("Cast them to text.")));
}

// Of the values' type: what is equal has one hash, also across integers of different sizes. Kept by PostgreSQL for the session.
FmgrInfo *hash_function(FunctionCallInfo fcinfo) {
  if (!fcinfo->flinfo->fn_extra) {
    const Oid type = get_fn_expr_argtype(fcinfo->flinfo, 1);
    if (!OidIsValid(type)) unknown_type();
    TypeCacheEntry *t = lookup_type_cache(type, TYPECACHE_HASH_EXTENDED_PROC | TYPECACHE_HASH_EXTENDED_PROC_FINFO);
    if (!OidIsValid(t->hash_extended_proc)) not_hashable(type);
    fcinfo->flinfo->fn_extra = &t->hash_extended_proc_finfo;
  }
  return static_cast<FmgrInfo *>(fcinfo->flinfo->fn_extra);
}

// A row as active_users_agg gets it: (state, value[, approximate]).
struct Row {
  std::uint64_t hash;
  bool approximate;
};

// Whether the row counts.
inline bool read_row(FunctionCallInfo fcinfo, Row *r) {
  const bool has_mode = PG_NARGS() > 2;
  if (PG_ARGISNULL(1)) return false;
  if (has_mode) not_null(fcinfo, 2, "approximate");
  r->approximate = has_mode && PG_GETARG_BOOL(2);
  r->hash = scatter(DatumGetUInt64(FunctionCall2Coll(hash_function(fcinfo), PG_GET_COLLATION(), PG_GETARG_DATUM(1), Int64GetDatum(0))));
  return true;
}

// The moving form: how many of the frame's rows each value has.
struct Moving {
  bool started = false, approximate = false;
  MovingDistinct frame;

  void add(const Row &r) {
    if (started && approximate != r.approximate) setting_changed("approximate");
    started = true;
    approximate = r.approximate;
    frame.push(r.hash, allocate);
  }
};
static_assert(std::is_trivially_destructible_v<Moving>);

// The moving state, unless there are no rows.
const Moving *moved(FunctionCallInfo fcinfo) {
  require_aggregate(fcinfo);
  const auto *m = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<const Moving *>(PG_GETARG_POINTER(0));
  return m && m->frame.size() ? m : nullptr;
}

std::int64_t number_of(const UsersState &s) { return static_cast<std::int64_t>(s.count()); }

const UsersState &users_arg(FunctionCallInfo fcinfo) {
  return static_cast<const UsersState &>(state_arg(fcinfo, 0, &kUsersState));
}

} // namespace
} // namespace pql::pg

PQL_DIRECT_FUNCTION(active_users_state_in) { return pql::pg::state_in(fcinfo, pql::kUsersState); }
PQL_DIRECT_FUNCTION(active_users_state_recv) { return pql::pg::state_recv(fcinfo, pql::kUsersState); }

PQL_DIRECT_FUNCTION(_active_users_add) {
  using namespace pql::pg;
  auto *s = own_state<pql::UsersState>(fcinfo);
  Row r;
  if (!read_row(fcinfo, &r)) return same_state(fcinfo);
  if (!s) s = pql::UsersState::make(r.approximate, allocate);
  if (s->head.approximate != r.approximate) setting_changed("approximate");
  return state_result(s->add(r.hash, allocate));
}

PQL_DIRECT_FUNCTION(_active_users_move) {
  using namespace pql::pg;
  Row r;
  const bool counts = read_row(fcinfo, &r); // what hashing leaves behind need not stay
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    auto *m = PG_ARGISNULL(0) ? new (palloc(sizeof(Moving))) Moving : reinterpret_cast<Moving *>(PG_GETARG_POINTER(0));
    if (counts) m->add(r);
    return m;
  }));
}

PQL_DIRECT_FUNCTION(_active_users_unmove) {
  using namespace pql::pg;
  require_aggregate(fcinfo);
  auto *m = reinterpret_cast<Moving *>(PG_GETARG_POINTER(0));
  Row r;
  const bool done = !read_row(fcinfo, &r) || m->frame.pop(r.hash);
  return done ? PointerGetDatum(m) : null_result(fcinfo); // null: begin again with the rows of the frame
}

PQL_DIRECT_FUNCTION(_active_users_moved) {
  using namespace pql::pg;
  const Moving *m = moved(fcinfo);
  return m ? state_result(pql::state_of(m->frame, m->approximate, allocate)) : null_result(fcinfo);
}

PQL_DIRECT_FUNCTION(_active_users_count) {
  using namespace pql::pg;
  const auto *own = own_state<pql::UsersState>(fcinfo);
  return Int64GetDatum(own ? number_of(*own) : 0);
}

PQL_DIRECT_FUNCTION(_active_users_moved_count) {
  using namespace pql::pg;
  const Moving *m = moved(fcinfo);
  return Int64GetDatum(m ? static_cast<int64>(m->frame.size()) : 0);
}

PQL_DIRECT_FUNCTION(active_users) {
  using namespace pql::pg;
  return Int64GetDatum(number_of(users_arg(fcinfo)));
}

PQL_DIRECT_FUNCTION(active_users_upto) {
  using namespace pql::pg;
  const std::int64_t most = PG_GETARG_INT64(1);
  if (most < 0)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("n must not be negative"),
                    errhint("Use the number up to which it matters how many there are.")));
  const std::int64_t n = number_of(users_arg(fcinfo));
  return Int64GetDatum(n > most ? most + 1 : n);
}
