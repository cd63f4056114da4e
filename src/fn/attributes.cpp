// Attributes: the copy of what customers' relations say of accounts and users.
#include "core/base/email.hpp"
#include "pg/attributes.hpp"
#include "pg/email.hpp"
#include "pg/ingest.hpp"
#include "pg/srf.hpp"

extern "C" {
#include "utils/acl.h"
}

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

// The type that rules see for a column's; null for one that they can't use.
PQL_FUNCTION(_attribute_type) {
  using namespace pql::pg;
  const Oid type = call([&] { return attribute_type(PG_GETARG_OID(0)); });
  fcinfo->isnull = !OidIsValid(type);
  return ObjectIdGetDatum(type);
}

// The rows of the relation attached for a unit, read as whoever attached it.
PQL_FUNCTION(_read_attributes) {
  using namespace pql::pg;
  const std::string unit = text_arg(fcinfo, 0);
  const std::optional<AttributeSource> source = attribute_source(unit);
  if (!source) fail(ERRCODE_UNDEFINED_OBJECT, "no relation with attributes of " + unit + "s is attached");
  call([&] { InitMaterializedSRF(fcinfo, 0); });
  auto *const result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
  read_attributes(
      *source,
      [](void *arg, Datum *values, bool *nulls) {
        const auto *const r = static_cast<ReturnSetInfo *>(arg);
        tuplestore_putvalues(r->setResult, r->setDesc, values, nulls);
      },
      result);
  return Datum{0};
}

// Brings the copy of a unit in line with its relation.
PQL_FUNCTION(_refresh_attributes) {
  using namespace pql::pg;
  flush_pending();
  const AttributeChanges c = refresh_attributes(text_arg(fcinfo, 0));
  ResultRows rows(fcinfo);
  rows.add({Cell::of(c.rows), Cell::of(c.without_key), Cell::of(c.changed), Cell::of(c.added), Cell::of(c.removed)});
  return Datum{0};
}

// The trigger on relations with attributes.
PQL_FUNCTION(_attributes_written) {
  using namespace pql::pg;
  const auto *t = reinterpret_cast<TriggerData *>(fcinfo->context);
  if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(t->tg_event) || t->tg_trigger->tgnargs != 1)
    fail(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "pql._attributes_written() must be called as an AFTER trigger", {},
         "It is created by pql.attach_accounts() and pql.attach_users().");
  attributes_written(t);
  return PointerGetDatum(nullptr);
}

// Decides anew upon accounts and users, by the keys of their own homes.
PQL_FUNCTION(_attributes_changed) {
  using namespace pql::pg;
  flush_pending();
  std::vector<std::string> homes;
  for (std::string_view h : text_array_arg(fcinfo, 0)) homes.emplace_back(h);
  attributes_changed(*current_definitions(), homes);
  return Datum{0};
}

// Runs a command as a role that the caller may act as. Arguments: role, command.
PQL_FUNCTION(_execute_as) {
  using namespace pql::pg;
  const std::string role = text_arg(fcinfo, 0), command = text_arg(fcinfo, 1);
  call([&] {
    const Oid as = get_role_oid(role.c_str(), false);
    Oid user;
    int security;
    GetUserIdAndSecContext(&user, &security);
    if (!has_privs_of_role(user, as))
      ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to act as role \"%s\"", role.c_str())));
    SetUserIdAndSecContext(as, security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
    SPI_connect();
    if (SPI_execute(command.c_str(), false, 0) < 0) elog(ERROR, "an internal command failed");
    SPI_finish();
    SetUserIdAndSecContext(user, security);
  });
  return Datum{0};
}

// The domain of an address, unless it is nobody's in particular.
PQL_FUNCTION(email_domain) {
  using namespace pql;
  using namespace pql::pg;
  const std::string domain = email_domain(text_arg(fcinfo, 0));
  fcinfo->isnull = domain.empty() || is_free_mail(domain);
  if (fcinfo->isnull) return Datum{0};
  return call([&] { return PointerGetDatum(cstring_to_text_with_len(domain.data(), static_cast<int>(domain.size()))); });
}
