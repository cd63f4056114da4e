// Facts: what rows of customers' tables come to.
#include "pg/assess.hpp"
#include "pg/expression.hpp"
#include "pg/guard.hpp"
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
  const ParsedProgram parsed = parse_program(jsonb_arg(fcinfo, 0), Served::published);
  if (!parsed.problems.empty()) return Datum{0};
  for (const std::string &name : facts_named(*current_definitions(), parsed.program)) {
    const std::size_t dot = name.find('.');
    rows.add({Cell::of(name.substr(0, dot)), Cell::of(name.substr(dot + 1))});
  }
  return Datum{0};
}

namespace pql::pg {
namespace {

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
  call([&] {
    const auto *const result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    each_row_as(reader, sql, {}, [&](HeapTuple tuple, TupleDesc desc) {
      Datum values[2];
      bool nulls[2];
      for (int c = 0; c < 2; c++) values[c] = SPI_getbinval(tuple, desc, c + 1, &nulls[c]);
      tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    });
  });
  return Datum{0};
}

namespace pql::pg {
namespace {

// What is read of a row with consent.
struct ConsentRow {
  ExprContext *context;
  TupleTableSlot *slot;
  RowExpression channel, given, at, which;
  bool has_at, has_which;
  bool counts; ///< and says something
  Datum values[5];
  bool nulls[5];
};

void read_row(void *arg) {
  auto *const r = static_cast<ConsentRow *>(arg);
  const auto holds = [&](const RowExpression &e, bool *isnull) {
    const Datum d = eval_row_expression(e, r->context, r->slot, isnull);
    return !*isnull && DatumGetBool(d);
  };
  bool isnull = false;
  r->counts = !r->has_which || holds(r->which, &isnull);
  if (!r->counts) return;
  r->values[2] = BoolGetDatum(holds(r->given, &r->nulls[2]));
  r->counts = !r->nulls[2];
  if (!r->counts) return;
  r->values[1] = eval_row_expression(r->channel, r->context, r->slot, &r->nulls[1]);
  if (r->has_at) r->values[3] = eval_row_expression(r->at, r->context, r->slot, &r->nulls[3]);
}

// One that fails is somebody's all the same, and is told with what is wrong.
void add_row(ConsentRow *r, HeapTupleHeader row, const ReturnSetInfo *result) {
  HeapTupleData tuple{};
  tuple.t_len = HeapTupleHeaderGetDatumLength(row);
  tuple.t_data = row;
  ItemPointerSetInvalid(&tuple.t_self);
  ExecStoreHeapTuple(&tuple, r->slot, false);
  ResetExprContext(r->context);
  for (int c = 1; c < 5; c++) r->nulls[c] = true;
  ErrorData *error = nullptr;
  if (!guarded_by(read_row, r, is_data_error, &error)) {
    for (int c = 1; c < 4; c++) r->nulls[c] = true;
    r->values[4] = CStringGetTextDatum(error->message);
    r->nulls[4] = false;
    r->counts = true;
  }
  if (r->counts) tuplestore_putvalues(result->setResult, result->setDesc, r->values, r->nulls);
  ExecClearTuple(r->slot);
}

} // namespace
} // namespace pql::pg

// What a relation's rows say of consent, and what is wrong with those of which it can't be told. Arguments: schema, relation, its owner and
// who attached it then, the column that says whose it is, and expressions over the row: channel, given, at (may be null), which rows
// count (may be null).
PQL_FUNCTION(_read_consent) {
  using namespace pql::pg;
  call([&] { InitMaterializedSRF(fcinfo, 0); });
  const AttributeSource s = attached_rows(fcinfo, "consent", "pql.attach_consent()");
  const std::string key = text_arg(fcinfo, 4), channel = text_arg(fcinfo, 5), given = text_arg(fcinfo, 6);
  const std::string at = PG_ARGISNULL(7) ? "" : text_arg(fcinfo, 7), which = PG_ARGISNULL(8) ? "" : text_arg(fcinfo, 8);
  const Oid relation = lock_relation(s);
  const Oid reader = reader_of(s, relation);
  if (!call([&] { return get_attnum(relation, key.c_str()) > 0; })) fail_unreadable(s, "Column \"" + key + "\" doesn't exist any more.");
  const std::string sql = "SELECT (" + column_value(relation, key) + ")::text, (t.*)::" + relation_text(s) + " FROM " + relation_text(s) + " AS t";
  call([&] {
    ConsentRow row{};
    Relation rel = table_open(relation, AccessShareLock);
    row.channel = compile_row_expression(rel, channel.c_str(), TEXTOID, "channel", CurrentMemoryContext);
    row.given = compile_row_expression(rel, given.c_str(), BOOLOID, "given", CurrentMemoryContext);
    row.has_at = !at.empty();
    if (row.has_at) row.at = compile_row_expression(rel, at.c_str(), TIMESTAMPTZOID, "at", CurrentMemoryContext);
    row.has_which = !which.empty();
    if (row.has_which) row.which = compile_row_expression(rel, which.c_str(), BOOLOID, "where", CurrentMemoryContext);
    row.context = CreateStandaloneExprContext();
    row.slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
    each_row_as(reader, sql, {}, [&](HeapTuple tuple, TupleDesc desc) {
      bool isnull;
      row.values[0] = SPI_getbinval(tuple, desc, 1, &row.nulls[0]);
      const Datum whole = SPI_getbinval(tuple, desc, 2, &isnull);
      add_row(&row, DatumGetHeapTupleHeader(whole), reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo));
    });
    ExecDropSingleTupleTableSlot(row.slot);
    FreeExprContext(row.context, true);
    table_close(rel, NoLock);
  });
  return Datum{0};
}
