// Merging users and accounts, moving users, and taking that back.
#include "pg/identity.hpp"
#include "pg/srf.hpp"

namespace pql::pg {
namespace {

std::string id_arg(FunctionCallInfo fcinfo, int n, const char *name) {
  const std::string id = PG_ARGISNULL(n) ? std::string() : text_arg(fcinfo, n);
  if (id.empty()) fail(ERRCODE_NULL_VALUE_NOT_ALLOWED, std::string(name) + " must not be null or empty");
  if (id.size() > 1000) fail(ERRCODE_INVALID_PARAMETER_VALUE, std::string(name) + " is longer than 1000 bytes");
  return id;
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
