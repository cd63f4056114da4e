// Merging users and accounts, moving users, taking that back, and erasing.
#include "pg/identity.hpp"
#include "pg/spi.hpp"
#include "pg/srf.hpp"

extern "C" {
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/spi.h"
}

namespace pql::pg {
namespace {

std::string id_arg(FunctionCallInfo fcinfo, int n, const char *name) {
  const std::string id = PG_ARGISNULL(n) ? std::string() : text_arg(fcinfo, n);
  if (id.empty()) fail(ERRCODE_NULL_VALUE_NOT_ALLOWED, std::string(name) + " must not be null or empty");
  if (id.size() > 1000) fail(ERRCODE_INVALID_PARAMETER_VALUE, std::string(name) + " is longer than 1000 bytes");
  return id;
}

// Whom: any id that stands for the user or the account. With the extension owner's rights.
Datum erase(FunctionCallInfo fcinfo, const char *unit) {
  ResultRows out(fcinfo);
  const std::string name = std::string(unit) + "_id", id = id_arg(fcinfo, 0, name.c_str());
  if (IsolationUsesXactSnapshot())
    fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "erasing takes the isolation level READ COMMITTED", "What others have written since this transaction began would be left.",
         "BEGIN ISOLATION LEVEL READ COMMITTED, or no transaction block.");
  Spi spi;
  const std::uint64_t n = spi.run("SELECT relation, removed, changed FROM pql._erase($1, $2)", {Arg::of(unit), Arg::of(id)});
  for (std::uint64_t i = 0; i < n; i++) out.add({Cell::of(spi.text(i, 1)), Cell::of(spi.number(i, 2)), Cell::of(spi.number(i, 3))});
  spi.finish();
  return Datum{0};
}

} // namespace
} // namespace pql::pg

PQL_FUNCTION(merge_users) {
  using namespace pql::pg;
  return Int64GetDatum(merge_ids(pql::Unit::user, id_arg(fcinfo, 0, "old_id"), id_arg(fcinfo, 1, "new_id")));
}

PQL_FUNCTION(merge_accounts) {
  using namespace pql::pg;
  return Int64GetDatum(merge_ids(pql::Unit::account, id_arg(fcinfo, 0, "old_id"), id_arg(fcinfo, 1, "new_id")));
}

PQL_FUNCTION(move_user) {
  using namespace pql::pg;
  std::optional<std::string> account;
  if (!PG_ARGISNULL(1)) account = id_arg(fcinfo, 1, "new_account_id");
  return Int64GetDatum(move_user(id_arg(fcinfo, 0, "user_id"), account));
}

PQL_FUNCTION(undo_merge) {
  using namespace pql::pg;
  if (PG_ARGISNULL(0)) fail(ERRCODE_NULL_VALUE_NOT_ALLOWED, "merge_id must not be null");
  undo_merge(PG_GETARG_INT64(0));
  return Datum{0};
}

PQL_FUNCTION(_canonical_user) {
  using namespace pql::pg;
  lock_identities();
  const std::string user = canonical_id(pql::Unit::user, text_arg(fcinfo, 0));
  return call([&] { return PointerGetDatum(cstring_to_text_with_len(user.data(), static_cast<int>(user.size()))); });
}

PQL_FUNCTION(erase_user) { return pql::pg::erase(fcinfo, "user"); }

PQL_FUNCTION(erase_account) { return pql::pg::erase(fcinfo, "account"); }

PQL_FUNCTION(_erase_identity) {
  using namespace pql::pg;
  ResultRows out(fcinfo);
  const Erasure e = erase_identity(text_arg(fcinfo, 0) == "user" ? pql::Unit::user : pql::Unit::account, text_arg(fcinfo, 1));
  out.add({Cell::of(e.ids), Cell::of(e.tokens), Cell::of(e.homes), Cell::of(e.events)});
  return Datum{0};
}

PQL_FUNCTION(_is_erased) {
  using namespace pql::pg;
  if (PG_ARGISNULL(0)) PG_RETURN_BOOL(false);
  lock_identities();
  forget_identities();
  PG_RETURN_BOOL(is_erased(text_arg(fcinfo, 0)));
}

PQL_FUNCTION(_keep_out) {
  using namespace pql::pg;
  if (!CALLED_AS_TRIGGER(fcinfo)) fail(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "pql._keep_out() is a trigger");
  const auto *const t = reinterpret_cast<TriggerData *>(fcinfo->context);
  lock_identities();
  forget_identities();
  HeapTuple row = TRIGGER_FIRED_BY_UPDATE(t->tg_event) ? t->tg_newtuple : t->tg_trigtuple;
  if (!anybody_erased()) return PointerGetDatum(row);
  for (int i = 0; i + 1 < t->tg_trigger->tgnargs; i += 2) {
    const char *const id = call([&] {
      const TupleDesc columns = RelationGetDescr(t->tg_relation);
      return SPI_getvalue(row, columns, SPI_fnumber(columns, t->tg_trigger->tgargs[i + 1]));
    });
    if (id && is_erased(std::string(t->tg_trigger->tgargs[i]) + id)) return Datum{0};
  }
  return PointerGetDatum(row);
}
