// Facts: what rows of customers' tables come to.
#include "pg/assess.hpp"
#include "pg/ingest.hpp"
#include "pg/srf.hpp"

// What the relation of a fact says of whom. Arguments: fact, keys (null: all).
PQL_FUNCTION(_read_facts) {
  using namespace pql::pg;
  call([&] { InitMaterializedSRF(fcinfo, 0); });
  const std::string fact = text_arg(fcinfo, 0);
  const std::optional<FactSource> source = fact_source(fact);
  if (!source) fail(ERRCODE_UNDEFINED_OBJECT, "fact \"" + fact + "\" is not attached");
  auto *const result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
  read_facts(
      *source, PG_ARGISNULL(1) ? std::optional<Datum>() : PG_GETARG_DATUM(1),
      [](void *arg, Datum *values, bool *nulls) {
        const auto *const r = static_cast<ReturnSetInfo *>(arg);
        tuplestore_putvalues(r->setResult, r->setDesc, values, nulls);
      },
      result);
  return Datum{0};
}

// Brings the copy of a fact in line with its relation.
PQL_FUNCTION(_refresh_facts) {
  using namespace pql::pg;
  flush_pending();
  const FactChanges c = refresh_facts(text_arg(fcinfo, 0));
  ResultRows rows(fcinfo);
  rows.add({Cell::of(c.subjects), Cell::of(c.rows), Cell::of(c.without_key), Cell::of(c.changed)});
  return Datum{0};
}

// The columns that two expressions over a relation read. Arguments: relation, condition, value, the type of the latter.
PQL_FUNCTION(_expression_columns) {
  using namespace pql::pg;
  const std::vector<std::string> columns =
      expression_columns(PG_GETARG_OID(0), {{PG_ARGISNULL(1) ? std::string() : text_arg(fcinfo, 1), BOOLOID},
                                            {PG_ARGISNULL(2) ? std::string() : text_arg(fcinfo, 2), PG_GETARG_OID(3)}});
  ResultRows rows(fcinfo);
  for (const std::string &c : columns) {
    const std::string type = call([&]() -> const char * {
      const Oid relation = PG_GETARG_OID(0);
      return format_type_be_qualified(attribute_type(get_atttype(relation, get_attnum(relation, c.c_str()))));
    });
    rows.add({Cell::of(c), Cell::of(type)});
  }
  return Datum{0};
}

// The trigger on relations with facts.
PQL_FUNCTION(_facts_written) {
  using namespace pql::pg;
  const auto *t = reinterpret_cast<TriggerData *>(fcinfo->context);
  if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(t->tg_event) || t->tg_trigger->tgnargs != 1)
    fail(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "pql._facts_written() must be called as an AFTER trigger", {},
         "It is created by pql.attach_facts().");
  facts_written(t);
  return PointerGetDatum(nullptr);
}

// The facts that a document's rules name: what pql.fact_use is to have.
PQL_FUNCTION(_program_facts) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  const ParsedProgram parsed = parse_program(jsonb_arg(fcinfo, 0), Served::all);
  if (!parsed.problems.empty()) return Datum{0};
  for (const std::string &name : facts_named(*current_definitions(), parsed.program)) {
    const std::size_t dot = name.find('.');
    rows.add({Cell::of(name.substr(0, dot)), Cell::of(name.substr(dot + 1))});
  }
  return Datum{0};
}

namespace pql::pg {
namespace {

constexpr int kMostColumns = 4;

// What a query gives, read with the rights of a role, as the rows of a function.
void return_rows(FunctionCallInfo fcinfo, Oid reader, const std::string &sql, int columns) {
  call([&] {
    const auto *const result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    Oid user;
    int security;
    GetUserIdAndSecContext(&user, &security);
    SetUserIdAndSecContext(reader, security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
    const int settings = fixed_settings();
    SPI_connect();
    Portal rows = SPI_cursor_open_with_args(nullptr, sql.c_str(), 0, nullptr, nullptr, nullptr, true, 0);
    for (;;) {
      CHECK_FOR_INTERRUPTS();
      SPI_cursor_fetch(rows, true, 1000);
      if (SPI_processed == 0) break;
      for (std::uint64_t i = 0; i < SPI_processed; i++) {
        Datum values[kMostColumns];
        bool nulls[kMostColumns];
        for (int c = 0; c < columns; c++) values[c] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, c + 1, &nulls[c]);
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
      }
      SPI_freetuptable(SPI_tuptable);
    }
    SPI_cursor_close(rows);
    SPI_finish();
    AtEOXact_GUC(false, settings); // whatever the code of a view has set
    SetUserIdAndSecContext(user, security);
  });
}

AttributeSource attached_rows(FunctionCallInfo fcinfo, const char *what, const char *attach_again) {
  AttributeSource s;
  s.schema = text_arg(fcinfo, 0);
  s.relation = text_arg(fcinfo, 1);
  s.owner = text_arg(fcinfo, 2);
  s.attached_by = text_arg(fcinfo, 3);
  s.what = what;
  s.attach_again = attach_again;
  return s;
}

} // namespace
} // namespace pql::pg

// Columns of a relation's rows as text, by their arguments' names, read as attributes are. Arguments: schema, relation, its owner and
// who attached it then, names, columns.
PQL_FUNCTION(_read_columns) {
  using namespace pql::pg;
  call([&] { InitMaterializedSRF(fcinfo, 0); });
  const AttributeSource s = attached_rows(fcinfo, "rows", "the function that attached it");
  const std::vector<std::string_view> names = text_array_arg(fcinfo, 4), columns = text_array_arg(fcinfo, 5);
  const Oid relation = lock_relation(s);
  const Oid reader = reader_of(s, relation);
  std::string id, body;
  for (std::size_t i = 0; i < names.size(); i++) {
    const std::string column(columns[i]);
    if (!call([&] { return get_attnum(relation, column.c_str()) > 0; })) fail_unreadable(s, "Column \"" + column + "\" doesn't exist any more.");
    const std::string value = "(" + column_value(relation, column) + ")::text";
    if (i == 0) id = value;
    body += (body.empty() ? "'" : ", '") + std::string(names[i]) + "', " + value;
  }
  const std::string sql = "SELECT " + id + ", jsonb_strip_nulls(jsonb_build_object(" + body + ")) FROM " + relation_text(s) + " AS t";
  return_rows(fcinfo, reader, sql, 2);
  return Datum{0};
}

// What a relation's rows say of consent. Arguments: schema, relation, its owner and who attached it then, the column that says whose it
// is, and expressions over the row: channel, given, at (may be null), which rows count (may be null).
PQL_FUNCTION(_read_consent) {
  using namespace pql::pg;
  call([&] { InitMaterializedSRF(fcinfo, 0); });
  const AttributeSource s = attached_rows(fcinfo, "consent", "pql.attach_consent()");
  const std::string key = text_arg(fcinfo, 4), channel = text_arg(fcinfo, 5), given = text_arg(fcinfo, 6);
  const Oid relation = lock_relation(s);
  const Oid reader = reader_of(s, relation);
  if (!call([&] { return get_attnum(relation, key.c_str()) > 0; })) fail_unreadable(s, "Column \"" + key + "\" doesn't exist any more.");
  const std::string at = PG_ARGISNULL(7) ? "NULL" : "(" + text_arg(fcinfo, 7) + "\n)";
  const std::string which = PG_ARGISNULL(8) ? "true" : "(" + text_arg(fcinfo, 8) + "\n)";
  return_rows(fcinfo, reader,
              "SELECT x.* FROM (SELECT (" + column_value(relation, key) + ")::text, (" + channel + "\n)::text, (" + given + "\n)::boolean AS given, " + at +
                  "::timestamptz FROM " + relation_text(s) + " AS t WHERE " + which + ") AS x WHERE x.given IS NOT NULL",
              4);
  return Datum{0};
}
