// What people do with routing rows: claim, accept, touch and so on. The rules are SQL (sql/src/86_routing.sql) and run with the rights of
// the extension's owner, so that whoever may call these needs no right on the tables, and can't go around the rules. And whose rows one sees.
#include "pg/identity.hpp"
#include "pg/ingest.hpp"
#include "pg/shard.hpp"
#include "pg/spi.hpp"
#include "pg/srf.hpp"

extern "C" {
#include "utils/tuplestore.h"
}

namespace pql::pg {
namespace {

Arg words(FunctionCallInfo fcinfo, int n) {
  return PG_ARGISNULL(n) ? Arg::nothing(TEXTOID) : Arg::of(bytes_arg(fcinfo, n)); // a text is laid out as a bytea is
}

Arg number(FunctionCallInfo fcinfo, int n, Oid type) {
  if (PG_ARGISNULL(n)) return Arg::nothing(type);
  switch (type) {
  case INT4OID: return Arg::of(PG_GETARG_INT32(n));
  case BOOLOID: return Arg::of(PG_GETARG_BOOL(n));
  case TIMESTAMPTZOID: return Arg::time(PG_GETARG_TIMESTAMPTZ(n));
  default: return Arg::of(static_cast<std::int64_t>(PG_GETARG_INT64(n)));
  }
}

// By whose rights it is called.
Arg caller() {
  return Arg::of(call([] { return std::string_view(GetUserNameFromId(GetUserId(), false)); }));
}

std::string literal(const Arg &a) {
  if (a.null) return "NULL";
  switch (a.type) {
  case TEXTOID: {
    const std::string text(a.text);
    return call([&] { return static_cast<const char *>(quote_literal_cstr(text.c_str())); });
  }
  case BOOLOID: return a.number ? "true" : "false";
  case TIMESTAMPTZOID: return "pg_catalog.to_timestamp(" + std::to_string(a.number) + "::numeric / 1000000) + interval '10957 days'"; // from 2000 on
  default: return std::to_string(a.number);
  }
}

// A statement with its arguments in it, to be run elsewhere.
std::string complete(const char *sql, std::initializer_list<Arg> args) {
  std::string out;
  for (; *sql; sql++) {
    if (*sql == '$') out += literal(args.begin()[*++sql - '1']);
    else out += *sql;
  }
  return out;
}

bool is_elsewhere() {
  return call([] { return !within_shard() && is_spread(); });
}

// Runs a statement, which takes the caller first, as the owner, and gives its rows. On a cluster it is run where the home is of the row that
// its second argument names, unless it finds its rows itself.
Datum work(FunctionCallInfo fcinfo, const char *sql, std::initializer_list<Arg> args, bool finds = false) {
  ResultRows result(fcinfo);
  lock_identities();
  flush_pending();
  const bool sends = !finds && is_elsewhere();
  const std::string sent = sends ? complete(sql, args) : std::string();
  Spi spi;
  const std::uint64_t rows = sends ? spi.run("SELECT * FROM pql._work_on_cluster($1, $2)", {args.begin()[1], Arg::of(sent)}) : spi.run(sql, args);
  call([&] {
    auto *info = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    for (std::uint64_t i = 0; i < rows; i++) tuplestore_puttuple(info->setResult, SPI_tuptable->vals[i]);
  });
  spi.finish();
  return Datum{0};
}

} // namespace
} // namespace pql::pg

PQL_FUNCTION(_visible_owners) {
  using namespace pql::pg;
  const Arg who = caller(); // before we are the owner
  Spi spi;
  spi.run("SELECT pql._seen_by($1)", {who});
  bool none;
  Datum owners = spi.datum(0, 1, &none);
  if (!none) owners = call([&] { return SPI_datumTransfer(owners, false, -1); });
  spi.finish();
  if (none) PG_RETURN_NULL();
  return owners;
}

PQL_FUNCTION(_is_rep) {
  using namespace pql::pg;
  const Arg who = caller(); // before we are the owner
  Spi spi;
  spi.run("SELECT pql._acts_as_rep($1)", {who});
  const bool is_rep = spi.number(0, 1) != 0;
  spi.finish();
  PG_RETURN_BOOL(is_rep);
}

PQL_FUNCTION(claim) {
  using namespace pql::pg;
  return work(fcinfo, is_elsewhere() ? "SELECT * FROM pql._claim_on_cluster($1, $2, $3, $4)" : "SELECT * FROM pql._claim($1, $2, $3, $4)",
              {caller(), words(fcinfo, 0), number(fcinfo, 1, INT4OID), number(fcinfo, 2, INT8OID)}, true);
}

PQL_FUNCTION(accept) {
  using namespace pql::pg;
  return work(fcinfo, "SELECT * FROM pql._accept($1, $2)", {caller(), number(fcinfo, 0, INT8OID)});
}

PQL_FUNCTION(decline) {
  using namespace pql::pg;
  return work(fcinfo, "SELECT * FROM pql._decline($1, $2, $3)", {caller(), number(fcinfo, 0, INT8OID), words(fcinfo, 1)});
}

PQL_FUNCTION(touch) {
  using namespace pql::pg;
  return work(fcinfo, "SELECT * FROM pql._touch($1, $2, $3, $4, $5)",
              {caller(), number(fcinfo, 0, INT8OID), words(fcinfo, 1), words(fcinfo, 2), number(fcinfo, 3, TIMESTAMPTZOID)});
}

PQL_FUNCTION(dispose) {
  using namespace pql::pg;
  return work(fcinfo, "SELECT * FROM pql._dispose($1, $2, $3, $4, $5, $6, $7, $8)",
              {caller(), number(fcinfo, 0, INT8OID), words(fcinfo, 1), number(fcinfo, 2, BOOLOID), number(fcinfo, 3, BOOLOID),
               number(fcinfo, 4, BOOLOID), words(fcinfo, 5), words(fcinfo, 6)});
}

PQL_FUNCTION(reassign) {
  using namespace pql::pg;
  return work(fcinfo, "SELECT * FROM pql._reassign($1, $2, $3, $4)",
              {caller(), number(fcinfo, 0, INT8OID), words(fcinfo, 1), words(fcinfo, 2)});
}

PQL_FUNCTION(snooze) {
  using namespace pql::pg;
  return work(fcinfo, "SELECT * FROM pql._snooze($1, $2, $3, $4)",
              {caller(), number(fcinfo, 0, INT8OID), number(fcinfo, 1, TIMESTAMPTZOID), words(fcinfo, 2)});
}
