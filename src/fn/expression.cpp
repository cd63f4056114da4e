// pql._check_rule, pql._check_expression and pql._eval_rule: expressions as SQL sees them.
// Law: what is wrong with a definition is an answer; anything else that goes wrong is an error.
#include "pg/extract.hpp"

extern "C" {
#include "utils/array.h"
}

namespace {

using namespace pql::pg;

// NULL would read as an answer.
void require(FunctionCallInfo fcinfo, int i) {
  if (PG_ARGISNULL(i))
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument %d must not be null", i + 1)));
}

const char *argument_text(FunctionCallInfo fcinfo, int i) {
  require(fcinfo, i);
  return text_to_cstring(PG_GETARG_TEXT_PP(i));
}

// Reads ARRAY['props jsonb', …].
RuleVariable *read_variables(ArrayType *array, int *count) {
  Datum *items;
  deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &items, nullptr, count);
  auto *v = static_cast<RuleVariable *>(palloc(sizeof(RuleVariable) * (*count + 1)));
  for (int i = 0; i < *count; i++) {
    char *name = TextDatumGetCString(items[i]);
    char *space = std::strchr(name, ' ');
    if (!space)
      ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" is not a name and a type", name)));
    *space = '\0';
    v[i] = {name, DatumGetObjectId(DirectFunctionCall1(regtypein, CStringGetDatum(space + 1)))};
  }
  return v;
}

Datum answer(FunctionCallInfo fcinfo, const Complaint *c) {
  if (!c) {
    fcinfo->isnull = true;
    return 0;
  }
  StringInfoData s;
  initStringInfo(&s);
  appendStringInfo(&s, "%s: %s", unpack_sql_state(c->sqlstate), c->message);
  if (c->position > 0) appendStringInfo(&s, " (character %d)", c->position);
  if (c->detail) appendStringInfo(&s, "\nDETAIL:  %s", c->detail);
  if (c->hint) appendStringInfo(&s, "\nHINT:  %s", c->hint);
  return PointerGetDatum(cstring_to_text_with_len(s.data, s.len));
}

} // namespace

PQL_FUNCTION(_check_rule) {
  return call([&]() -> Datum {
    int count = 0;
    require(fcinfo, 1);
    require(fcinfo, 2);
    const RuleVariable *variables = read_variables(PG_GETARG_ARRAYTYPE_P(1), &count);
    return answer(fcinfo, check_rule(argument_text(fcinfo, 0), variables, count, PG_GETARG_OID(2), "rule"));
  });
}

PQL_FUNCTION(_check_expression) {
  return call([&]() -> Datum {
    const char *text = argument_text(fcinfo, 1);
    const Oid wanted = PG_ARGISNULL(2) ? InvalidOid : PG_GETARG_OID(2);
    const char *argument = argument_text(fcinfo, 3);
    require(fcinfo, 0);
    Relation rel = table_open(PG_GETARG_OID(0), AccessShareLock);
    const Complaint *c =
        complaint_of([&] { (void)compile_row_expression(rel, text, wanted, argument, CurrentMemoryContext); });
    table_close(rel, NoLock);
    return answer(fcinfo, c);
  });
}

PQL_FUNCTION(_eval_rule) {
  return call([&]() -> Datum {
    static constexpr RuleVariable variables[] = {
        {"props", JSONBOID}, {"event", TEXTOID}, {"occurred_at", TIMESTAMPTZOID}, {"as_of", TIMESTAMPTZOID}};
    constexpr int count = static_cast<int>(std::size(variables));
    require(fcinfo, count + 1);
    Rule *r = compile_rule(argument_text(fcinfo, 0), variables, count, PG_GETARG_OID(count + 1), "rule",
                           CurrentMemoryContext);
    for (int i = 0; i < count; i++) set_variable(r, i, fcinfo->args[i + 1].value, fcinfo->args[i + 1].isnull);
    bool isnull;
    const Datum d = eval_rule(r, &isnull);
    if (isnull) PG_RETURN_NULL();
    Oid output;
    bool varlena;
    getTypeOutputInfo(r->type, &output, &varlena);
    return CStringGetTextDatum(OidOutputFunctionCall(output, d));
  });
}

// As pql.attach compiles an argument: raises what is wrong with it.
PQL_FUNCTION(_compile_expression) {
  return call([&]() -> Datum {
    const Oid wanted = PG_ARGISNULL(2) ? InvalidOid : PG_GETARG_OID(2);
    Relation rel = table_open(PG_GETARG_OID(0), AccessShareLock);
    compile_argument(rel, argument_text(fcinfo, 1), wanted, argument_text(fcinfo, 3), CurrentMemoryContext);
    table_close(rel, NoLock);
    return Datum{0};
  });
}
