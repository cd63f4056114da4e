#include "core/base/distance.hpp"
#include "pg/expression.hpp"

extern "C" {
#include "catalog/pg_collation.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parse_type.h"
#include "parser/parser.h"
#include "pgtime.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/regproc.h"
}

namespace pql::pg {
namespace {

// An expression on its way from text to state. Trivial: errors leave it by longjmp.
struct Work {
  const char *text;
  const char *what, *name; // for the error's context: rule "signals.x.where"
  ParseState *parse;
  List *instants; // places of literals such as 'now'

  const RuleVariable *variables; // of a rule
  int count, as_of;

  Relation rel; // of a row
  ParseNamespaceItem *item;

  bool is_row() const noexcept { return rel != nullptr; }
  bool is_of_event() const noexcept;
};

// ----------------------------------------------------------------------------------------------------------------
// walkers

// Before 16, walkers are declared without parameters, which C++ takes for none.
extern "C" {
typedef bool (*Walker)(Node *, void *);
typedef Node *(*Mutator)(Node *, void *);
}

#if PG_VERSION_NUM >= 160000
bool walk(Node *n, Walker f, void *x) { return expression_tree_walker(n, f, x); }
bool walk_raw(Node *n, Walker f, void *x) { return raw_expression_tree_walker(n, f, x); }
Node *mutate(Node *n, Mutator f, void *x) { return expression_tree_mutator(n, f, x); }
#else
using Opaque = void (*)();
bool walk(Node *n, Walker f, void *x) {
  return expression_tree_walker(n, reinterpret_cast<bool (*)()>(reinterpret_cast<Opaque>(f)), x);
}
bool walk_raw(Node *n, Walker f, void *x) {
  return raw_expression_tree_walker(n, reinterpret_cast<bool (*)()>(reinterpret_cast<Opaque>(f)), x);
}
Node *mutate(Node *n, Mutator f, void *x) {
  return expression_tree_mutator(n, reinterpret_cast<Node *(*)()>(reinterpret_cast<Opaque>(f)), x);
}
#endif

template <class T> T *as(Node *n) { return reinterpret_cast<T *>(n); }

// -----------------------------------------------------------------------------------------------------------------
// errors

extern "C" void add_place(void *arg) {
  const auto *w = static_cast<const Work *>(arg);
  const int position = geterrposition();
  if (position > 0) { // of the expression, not of the query that led here
    errposition(0);
    internalerrposition(position);
    internalerrquery(w->text);
  }
  errcontext("%s \"%s\"", w->what, w->name);
}

extern "C" void add_rule(void *arg) {
  const auto *r = static_cast<const Rule *>(arg);
  errcontext("rule \"%s\": %s", r->path, r->text);
}

int index_of(const RuleVariable *variables, std::size_t count, const char *name, Oid type) {
  for (std::size_t i = 0; i < count; i++) {
    if (variables[i].type == type && std::strcmp(variables[i].name, name) == 0) return static_cast<int>(i);
  }
  return -1;
}

bool Work::is_of_event() const noexcept {
  return is_row() || index_of(variables, static_cast<std::size_t>(count), "event", TEXTOID) >= 0;
}

const char *sees_one(const Work *w) {
  return w->is_of_event() ? "An expression sees one event only, and nothing besides it."
                          : "A rule sees one subject only, and nothing besides it.";
}

[[noreturn]] void refuse(const Work *w, int location, const char *what, const char *hint) {
  ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s are not allowed in expressions", what),
                  hint ? errhint("%s", hint) : 0, parser_errposition(w->parse, location)));
  pg_unreachable();
}

[[noreturn]] void refuse_type(const Work *w, int location, Oid type) {
  ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                  errmsg("values of type %s are not allowed in expressions", format_type_be(type)),
                  errdetail("Allowed are PostgreSQL's own scalar types, arrays of them, and enumerations."),
                  parser_errposition(w->parse, location)));
  pg_unreachable();
}

constexpr const char *kTimeHint =
    "Use a column of type timestamp with time zone, to_timestamp() of seconds since 1970, or make_timestamp() AT TIME ZONE 'UTC'.";
constexpr const char *kZoneHint = "Say which zone is meant, as in occurred_at AT TIME ZONE 'UTC'.";

// --------------------------------------------------------------------------------------------------------------
// settings

// What a literal or name means must not depend on who compiles the expression, nor when.
int fix_settings() {
  static constexpr struct {
    const char *name, *value;
  } settings[] = {{"search_path", "pg_catalog, pg_temp"},
                  {"TimeZone", "UTC"},
                  {"DateStyle", "ISO, YMD"},
                  {"IntervalStyle", "postgres"},
                  {"timezone_abbreviations", "Default"},
                  {"standard_conforming_strings", "on"},
                  {"transform_null_equals", "off"},
                  {"array_nulls", "on"},
                  {"extra_float_digits", "1"},
                  {"bytea_output", "hex"},
                  {"quote_all_identifiers", "off"}};
  const int level = NewGUCNestLevel();
  for (const auto &s : settings) {
    const char *now = GetConfigOption(s.name, false, false);
    if (std::strcmp(now, s.value) != 0)
      (void)set_config_option(s.name, s.value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  }
  return level;
}

// -----------------------------------------------------------------------------------------------------------------
// types

bool is_scalar(Oid type) {
  switch (type) {
  case BOOLOID:
  case INT2OID:
  case INT4OID:
  case INT8OID:
  case FLOAT4OID:
  case FLOAT8OID:
  case NUMERICOID:
  case TEXTOID:
  case VARCHAROID:
  case BPCHAROID:
  case NAMEOID:
  case CHAROID:
  case BYTEAOID:
  case UUIDOID:
  case DATEOID:
  case TIMEOID:
  case TIMESTAMPOID:
  case TIMESTAMPTZOID:
  case INTERVALOID:
  case JSONOID:
  case JSONBOID:
  case JSONPATHOID:
  case INETOID:
  case CIDROID:
  case MACADDROID:
  case BITOID:
  case VARBITOID:
    return true;
  default:
    return false;
  }
}

bool is_enum(Oid type) { return OidIsValid(type) && get_typtype(type) == TYPTYPE_ENUM; }

bool is_allowed(Oid type) {
  if (is_scalar(type)) return true;
  const Oid element = get_element_type(type);
  // json and jsonpath can't be compared: an array of them fails only when it is
  if (OidIsValid(element)) return is_scalar(element) && element != JSONOID && element != JSONPATHOID;
  return is_enum(type);
}

bool is_polymorphic(Oid type) {
  switch (type) {
  case ANYOID:
  case ANYELEMENTOID:
  case ANYARRAYOID:
  case ANYNONARRAYOID:
  case ANYENUMOID:
  case ANYCOMPATIBLEOID:
  case ANYCOMPATIBLEARRAYOID:
  case ANYCOMPATIBLENONARRAYOID:
    return true;
  default:
    return false;
  }
}

bool is_time(Oid type) {
  switch (type) {
  case DATEOID:
  case TIMEOID:
  case TIMETZOID:
  case TIMESTAMPOID:
  case TIMESTAMPTZOID:
    return true;
  default:
    return false;
  }
}

bool is_text(Oid type) { return type == TEXTOID || type == VARCHAROID || type == BPCHAROID || type == UNKNOWNOID; }

// Types whose values are written as text in one way only, whatever the settings.
bool writes_one_way(Oid type) {
  switch (type) {
  case BOOLOID:
  case INT2OID:
  case INT4OID:
  case INT8OID:
  case NUMERICOID:
  case NAMEOID:
  case CHAROID:
  case UUIDOID:
  case JSONOID:
  case JSONBOID:
  case INETOID:
  case CIDROID:
  case MACADDROID:
  case BITOID:
  case VARBITOID:
    return true;
  default:
    return is_text(type) || is_enum(type);
  }
}

// Types whose values are read from text in one way only.
bool reads_one_way(Oid type) {
  return type == FLOAT4OID || type == FLOAT8OID || type == BYTEAOID || (writes_one_way(type) && !is_enum(type));
}

// ------------------------------------------------------------------------------------------------------------- raw
// trees

// Whether a literal has a word that a time literal replaces by the current time. In a time literal these words mean
// nothing else.
bool names_instant(const char *s) {
  static constexpr const char *words[] = {"now", "today", "tomorrow", "yesterday"};
  while (*s) {
    const char *end = s;
    while ((*end >= 'a' && *end <= 'z') || (*end >= 'A' && *end <= 'Z')) end++;
    for (const char *w : words) {
      const std::size_t n = std::strlen(w);
      if (static_cast<std::size_t>(end - s) == n && pg_strncasecmp(s, w, n) == 0) return true;
    }
    s = end > s ? end : s + 1;
  }
  return false;
}

bool is_foreign(const List *qualified) {
  return list_length(qualified) > 1 && std::strcmp(strVal(linitial(qualified)), "pg_catalog") != 0;
}

// The one function of ours: an account can be told by the domain of somebody's address. Which domains form none can be edited, after
// which everything is derived again, and indexes are made anew; a rule's meaning must not depend on it.
bool is_email_domain(const Work *w, const List *qualified) {
  return w->is_row() && list_length(qualified) == 2 && std::strcmp(strVal(linitial(qualified)), "pql") == 0 &&
         std::strcmp(strVal(lsecond(qualified)), "email_domain") == 0;
}

bool is_email_domain(const Work *w, const FormData_pg_proc &proc) {
  return w->is_row() && proc.prolang == ClanguageId && std::strcmp(NameStr(proc.proname), "email_domain") == 0 &&
         proc.pronamespace == get_namespace_oid("pql", true);
}

// What can be told, or must be stopped, before names are resolved: parsing a literal of a user's type runs the user's
// code.
extern "C" bool check_raw(Node *node, void *arg) {
  auto *w = static_cast<Work *>(arg);
  if (!node) return false;
  switch (nodeTag(node)) {
  case T_List:
  case T_Integer:
  case T_A_ArrayExpr:
  case T_A_Indirection:
  case T_A_Indices:
  case T_String: // the field of an indirection
  case T_CollateClause:
  case T_NullTest:
  case T_BooleanTest:
  case T_BoolExpr:
  case T_CaseExpr:
  case T_CaseWhen:
  case T_CoalesceExpr:
  case T_MinMaxExpr:
  case T_SQLValueFunction:
  case T_NamedArgExpr:
  case T_RowExpr:
  case T_TypeCast:
  case T_ColumnRef:
    break;
  case T_A_Const: {
    auto *c = as<A_Const>(node);
    if (!c->isnull && IsA(&c->val, String) && names_instant(strVal(&c->val)))
      w->instants = lappend_int(w->instants, c->location);
    break;
  }
  case T_TypeName: {
    auto *t = as<TypeName>(node);
    const Oid type = typenameTypeId(w->parse, t);
    if (t->setof || !is_allowed(type)) refuse_type(w, t->location, type);
    break;
  }
  case T_A_Expr: {
    auto *e = as<A_Expr>(node);
    if (is_foreign(e->name))
      ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                      errmsg("operator %s is not allowed in expressions", NameListToString(e->name)),
                      errdetail("Only operators that come with PostgreSQL are allowed."),
                      parser_errposition(w->parse, e->location)));
    break;
  }
  case T_FuncCall: {
    auto *f = as<FuncCall>(node);
    if (f->over) refuse(w, f->location, "window functions", sees_one(w));
    if (f->agg_star || f->agg_distinct || f->agg_order || f->agg_filter || f->agg_within_group)
      refuse(w, f->location, "aggregate functions", sees_one(w));
    if (is_foreign(f->funcname) && !is_email_domain(w, f->funcname))
      ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                      errmsg("function %s is not allowed in expressions", NameListToString(f->funcname)),
                      errdetail("Only functions that come with PostgreSQL are allowed."),
                      parser_errposition(w->parse, f->location)));
    break;
  }
  case T_SubLink:
    refuse(w, exprLocation(node), "subqueries", sees_one(w));
  case T_GroupingFunc:
    refuse(w, exprLocation(node), "aggregate functions", sees_one(w));
  case T_ParamRef:
    refuse(w, exprLocation(node), "parameters", w->is_row() ? "Name a column." : "Use a name.");
  case T_A_Star:
    refuse(w, -1, "whole rows", "Name one column.");
  case T_XmlExpr:
  case T_XmlSerialize:
    refuse(w, exprLocation(node), "XML functions", nullptr);
  default:
    refuse(w, exprLocation(node), "constructs of this kind", nullptr);
  }
  return walk_raw(node, check_raw, w);
}

// The expression in the text, which must be one and nothing else.
Node *parse_raw(Work *w) {
  List *statements = raw_parser(w->text, RAW_PARSE_PLPGSQL_EXPR);
  auto *s = as<SelectStmt>(linitial_node(RawStmt, statements)->stmt);
  if (s->targetList == NIL && !s->fromClause && !s->whereClause)
    ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("the expression is empty")));
  if (list_length(s->targetList) > 1)
    ereport(ERROR,
            (errcode(ERRCODE_SYNTAX_ERROR), errmsg("more than one expression"),
             parser_errposition(w->parse, as<ResTarget>(static_cast<Node *>(lsecond(s->targetList)))->location)));
  if (s->targetList == NIL || s->distinctClause || s->intoClause || s->fromClause || s->whereClause || s->groupClause ||
      s->havingClause || s->windowClause || s->valuesLists || s->sortClause || s->limitOffset || s->limitCount ||
      s->lockingClause || s->withClause || s->op != SETOP_NONE)
    ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("an expression can't have clauses of a query"),
                    errhint("Write what would stand between SELECT and FROM, and no more.")));
  auto *t = linitial_node(ResTarget, s->targetList);
  if (t->name)
    ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("an expression can't have a name: \"%s\"", t->name),
                    parser_errposition(w->parse, t->location)));
  check_raw(t->val, w);
  return t->val;
}

// -----------------------------------------------------------------------------------------------------------------
// names

Param *make_param(const Work *w, int variable, int location) {
  auto *p = makeNode(Param);
  p->paramkind = PARAM_EXTERN;
  p->paramid = variable + 1;
  p->paramtype = w->variables[variable].type;
  p->paramtypmod = -1;
  p->paramcollid = get_typcollation(p->paramtype);
  p->location = location;
  return p;
}

bool is_any(std::string_view variable) { return variable.ends_with(".*"); }

// How far a name is from one that may have been meant, be it with another word in front or none.
std::size_t likeness(std::string_view wrong, std::string_view name) {
  const std::size_t far = wrong.npos;
  const std::string_view its = wrong.substr(wrong.find('.') + 1), end = name.substr(name.find('.') + 1);
  const std::size_t whole = distance(wrong, name), part = distance(its, end);
  return std::min(is_near(whole, wrong, name) ? whole : far, is_near(part, its, end) ? part + 1 : far);
}

// As it must be written.
const char *written(const char *name) {
  const char *dot = std::strchr(name, '.'), *end = dot ? dot + 1 : name;
  if (end[std::strspn(end, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0') return name;
  return psprintf("%.*s%s", static_cast<int>(end - name), name, quote_identifier(end));
}

// Which names may have been meant, or else which there are.
const char *suggest_names(const Work *w, const char *wrong) {
  constexpr int kMost = 30;
  StringInfoData names;
  initStringInfo(&names);
  std::size_t nearest = std::string_view::npos;
  int found = 0;
  for (int i = 0; i < w->count; i++) {
    if (!w->variables[i].refused) nearest = std::min(nearest, likeness(wrong, w->variables[i].name));
  }
  const bool near = nearest < std::string_view::npos;
  for (int i = 0; i < w->count; i++) {
    const RuleVariable &v = w->variables[i];
    if (v.refused || (near && likeness(wrong, v.name) != nearest)) continue;
    if (found++ < kMost) appendStringInfo(&names, "%s%s", found == 1 ? "" : near ? " or " : ", ", written(v.name));
  }
  if (found == 0) return "No names are available here.";
  if (near) return psprintf("Perhaps you meant %s.", names.data);
  return psprintf("Available are %s%s.", names.data, found > kMost ? psprintf(" and %d more", found - kMost) : "");
}

[[noreturn]] void refuse_name(const Work *w, const char *name, const RuleVariable *v, int location) {
  const bool unknown = !v || is_any(v->name);
  ereport(ERROR, (errcode(unknown ? ERRCODE_UNDEFINED_COLUMN : ERRCODE_FEATURE_NOT_SUPPORTED),
                  unknown ? errmsg("name \"%s\" does not exist", name) : errmsg("\"%s\" can't be used in this rule", name),
                  errhint("%s", v ? v->refused : suggest_names(w, name)), parser_errposition(w->parse, location)));
  pg_unreachable();
}

extern "C" Node *resolve_variable(ParseState *parse, ColumnRef *c) {
  auto *w = static_cast<Work *>(parse->p_ref_hook_state);
  if (IsA(llast(c->fields), A_Star)) refuse(w, c->location, "whole rows", "Name one value.");
  const char *name = NameListToString(c->fields);
  const RuleVariable *refused = nullptr;
  for (int i = 0; i < w->count; i++) {
    const RuleVariable &v = w->variables[i];
    if (std::strcmp(v.name, name) == 0) {
      if (!v.refused) return reinterpret_cast<Node *>(make_param(w, i, c->location));
      refuse_name(w, name, &v, c->location);
    }
    if (is_any(v.name) && std::strncmp(v.name, name, std::strlen(v.name) - 1) == 0) refused = &v;
  }
  refuse_name(w, name, refused, c->location);
}

// A column as a value of a type that expressions may hold. A relabelling runs no code: domains become what they are
// based on, and types that are stored like text (citext) become text.
Node *column_value(const Work *w, Var *v) {
  if (is_allowed(v->vartype)) return reinterpret_cast<Node *>(v);
  int32 typmod = v->vartypmod;
  Oid type = getBaseTypeAndTypmod(v->vartype, &typmod);
  Oid function;
  if (!is_allowed(type) &&
      find_coercion_pathway(TEXTOID, type, COERCION_IMPLICIT, &function) == COERCION_PATH_RELABELTYPE) {
    type = TEXTOID;
    typmod = -1;
  }
  if (!is_allowed(type)) refuse_type(w, v->location, v->vartype);
  RelabelType *r =
      makeRelabelType(reinterpret_cast<Expr *>(v), type, typmod, get_typcollation(type), COERCE_IMPLICIT_CAST);
  r->location = v->location;
  return reinterpret_cast<Node *>(r);
}

extern "C" Node *resolve_column(ParseState *parse, ColumnRef *c) {
  auto *w = static_cast<Work *>(parse->p_ref_hook_state);
  constexpr const char *hint = "Name one column.";
  if (IsA(llast(c->fields), A_Star)) refuse(w, c->location, "whole rows", hint);
  const int n = list_length(c->fields);
  const char *column = strVal(llast(c->fields));
  const char *relation = n > 1 ? strVal(list_nth(c->fields, n - 2)) : nullptr;
  const char *schema = n > 2 ? strVal(list_nth(c->fields, n - 3)) : nullptr;
  if (n > 3 || (relation && std::strcmp(relation, RelationGetRelationName(w->rel)) != 0) ||
      (schema && std::strcmp(schema, get_namespace_name(RelationGetNamespace(w->rel))) != 0))
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("name \"%s\" does not exist", NameListToString(c->fields)),
                    errhint("Name a column of \"%s\".", RelationGetRelationName(w->rel)),
                    parser_errposition(parse, c->location)));
  auto *v = as<Var>(scanNSItemForColumn(parse, w->item, 0, column, c->location));
  if (!v) {
    if (n == 1 && std::strcmp(column, RelationGetRelationName(w->rel)) == 0) refuse(w, c->location, "whole rows", hint);
    errorMissingColumn(parse, relation, column, c->location);
  }
  if (v->varattno <= 0) refuse(w, c->location, "system columns", "Name a column of the table's own.");
#ifdef ATTRIBUTE_GENERATED_VIRTUAL
  if (TupleDescAttr(RelationGetDescr(w->rel), v->varattno - 1)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
    refuse(w, c->location, "virtual generated columns", "Use the column's own expression, or make it STORED.");
#endif
  return column_value(w, v);
}

// now() means as_of, where there is one.
extern "C" Node *put_as_of(Node *node, void *arg) {
  auto *w = static_cast<Work *>(arg);
  if (!node) return nullptr;
  if (IsA(node, FuncExpr)) {
    switch (as<FuncExpr>(node)->funcid) {
    case F_NOW:
    case F_TRANSACTION_TIMESTAMP:
    case F_STATEMENT_TIMESTAMP:
      return reinterpret_cast<Node *>(make_param(w, w->as_of, exprLocation(node)));
    default:
      break;
    }
  }
  if (IsA(node, SQLValueFunction) && as<SQLValueFunction>(node)->op == SVFOP_CURRENT_TIMESTAMP)
    return reinterpret_cast<Node *>(make_param(w, w->as_of, exprLocation(node)));
  return mutate(node, put_as_of, w);
}

// ------------------------------------------------------------------------------------------------------- what may be
// used

// How a node that calls a function is written.
const char *describe(Node *node, Oid function) {
  switch (nodeTag(node)) {
  case T_FuncExpr: {
    auto *f = as<FuncExpr>(node);
    if (f->funcformat == COERCE_EXPLICIT_CAST || f->funcformat == COERCE_IMPLICIT_CAST)
      return psprintf("the cast from %s to %s", format_type_be(exprType(static_cast<Node *>(linitial(f->args)))),
                      format_type_be(f->funcresulttype));
    return psprintf("function %s", format_procedure(function));
  }
  case T_OpExpr:
  case T_DistinctExpr:
  case T_NullIfExpr:
    return psprintf("operator %s", format_operator(as<OpExpr>(node)->opno));
  case T_ScalarArrayOpExpr:
    return psprintf("operator %s", format_operator(as<ScalarArrayOpExpr>(node)->opno));
  default:
    return psprintf("function %s", format_procedure(function));
  }
}

[[noreturn]] void refuse_call(const Work *w, Node *node, Oid function, const char *detail, const char *hint) {
  ereport(ERROR,
          (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s is not allowed in expressions", describe(node, function)),
           errdetail("%s", detail), hint ? errhint("%s", hint) : 0, parser_errposition(w->parse, exprLocation(node))));
  pg_unreachable();
}

[[noreturn]] void refuse_clock(const Work *w, const char *what, int location) {
  const char *hint = w->is_row()    ? "What an event says must not depend on when it is read: use a column."
                     : w->as_of < 0 ? "A rule over one event must not depend on when it is evaluated."
                                    : "Use as_of, or (as_of AT TIME ZONE 'UTC')::date for a day.";
  ereport(ERROR,
          (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s is not allowed in expressions", what),
           errdetail("It depends on the current time."), errhint("%s", hint), parser_errposition(w->parse, location)));
  pg_unreachable();
}

// An argument's value if it is constant. Its parts have been checked.
const Const *constant(Node *arg) {
  Node *n = eval_const_expressions(nullptr, arg);
  return IsA(n, Const) && !as<Const>(n)->constisnull ? as<Const>(n) : nullptr;
}

const char *constant_text(Node *arg) {
  const Const *c = constant(arg);
  return c && c->consttype == TEXTOID ? TextDatumGetCString(c->constvalue) : nullptr;
}

// A zone must be a name that means one zone: what abbreviations mean is a setting.
void check_zone(const Work *w, Node *zone) {
  const char *s = constant_text(zone);
  if (!s)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("a time zone must be a constant"),
                    errdetail("What an abbreviation of a zone means depends on the session's settings."),
                    parser_errposition(w->parse, exprLocation(zone))));
  for (const char *utc : {"UTC", "GMT", "UCT", "Z", "Zulu"}) {
    if (pg_strcasecmp(s, utc) == 0) return;
  }
  bool letters = true;
  for (const char *p = s; *p; p++) letters = letters && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'));
  if (letters)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("time zone \"%s\" is not allowed in expressions", s),
                    errdetail("What an abbreviation of a zone means depends on the session's settings."),
                    errhint("Use UTC or a full name, as in 'Europe/Berlin'."),
                    parser_errposition(w->parse, exprLocation(zone))));
  if (!pg_tzset(s))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("time zone \"%s\" not recognized", s),
                    parser_errposition(w->parse, exprLocation(zone))));
}

// Runs a function once on values that it must accept, so that a wrong constant is found now and not by every event.
void try_call(const Work *w, Oid function, Oid collation, Datum first, List *args, int from) {
  FmgrInfo info;
  LOCAL_FCINFO(call, FUNC_MAX_ARGS);
  fmgr_info(function, &info);
  InitFunctionCallInfoData(*call, &info, static_cast<short>(list_length(args)), collation, nullptr, nullptr);
  for (int i = 0; i < list_length(args); i++) {
    auto *arg = static_cast<Node *>(list_nth(args, i));
    const Const *c = i < from ? nullptr : constant(arg);
    if (i >= from && !c) return;
    call->args[i].value = c ? c->constvalue : first;
    call->args[i].isnull = false;
  }
  ParseCallbackState place;
  setup_parser_errposition_callback(&place, w->parse, exprLocation(static_cast<Node *>(list_nth(args, from))));
  (void)FunctionCallInvoke(call);
  cancel_parser_errposition_callback(&place);
}

// extract, date_part and date_trunc: the field must be known, and exist for the type.
void check_field(const Work *w, Node *node, Oid function, List *args) {
  auto *field = static_cast<Node *>(linitial(args));
  auto *value = static_cast<Node *>(lsecond(args));
  const char *name = constant_text(field);
  if (!name)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("the field of a date or time must be a constant"),
                    parser_errposition(w->parse, exprLocation(field))));
  FmgrInfo info;
  fmgr_info(function, &info);
  auto *zero = static_cast<Interval *>(palloc0(sizeof(Interval)));
  const Datum sample = exprType(value) == INTERVALOID ? PointerGetDatum(zero) : Int64GetDatum(0);
  ParseCallbackState place;
  setup_parser_errposition_callback(&place, w->parse, exprLocation(node));
  if (list_length(args) == 3)
    (void)FunctionCall3Coll(&info, DEFAULT_COLLATION_OID, CStringGetTextDatum(name), sample,
                            CStringGetTextDatum("UTC"));
  else
    (void)FunctionCall2Coll(&info, DEFAULT_COLLATION_OID, CStringGetTextDatum(name), sample);
  cancel_parser_errposition_callback(&place);
}

// Functions that write their arguments as text: allowed where that is done in one way only.
void check_written(const Work *w, Node *node, Oid function, List *args) {
  ListCell *lc;
  foreach (lc, args) {
    auto *arg = static_cast<Node *>(lfirst(lc));
    const Oid type = exprType(arg), element = get_element_type(type);
    if (writes_one_way(OidIsValid(element) ? element : type)) continue;
    refuse_call(w, node, function,
                psprintf("How values of type %s are written depends on the session's settings.", format_type_be(type)),
                type == FLOAT4OID || type == FLOAT8OID ? "Cast to numeric first." : nullptr);
  }
}

// The functions that need a closer look than their label. True: allowed (types are still checked).
bool check_known(const Work *w, Node *node, Oid function, List *args) {
  switch (function) {
  case F_NOW:
  case F_TRANSACTION_TIMESTAMP:
  case F_STATEMENT_TIMESTAMP:
  case F_CLOCK_TIMESTAMP:
  case F_TIMEOFDAY:
  case F_AGE_TIMESTAMP:
  case F_AGE_TIMESTAMPTZ:
    refuse_clock(w, describe(node, function), exprLocation(node));

  // Labelled immutable, but not so.
  case F_AGE_TIMESTAMPTZ_TIMESTAMPTZ:
    refuse_call(w, node, function, "Its result depends on the session's setting \"TimeZone\".",
                "Subtract, or use age(a AT TIME ZONE 'UTC', b AT TIME ZONE 'UTC').");
  case F_QUOTE_IDENT:
    refuse_call(w, node, function, "Its result depends on the session's setting \"quote_all_identifiers\".", nullptr);
  case F_XML_IS_WELL_FORMED:
  case F_XML_IS_WELL_FORMED_DOCUMENT:
  case F_XML_IS_WELL_FORMED_CONTENT:
    refuse(w, exprLocation(node), "XML functions", nullptr);

  case F_TIMEZONE_TEXT_TIMESTAMP:
  case F_TIMEZONE_TEXT_TIMESTAMPTZ:
    check_zone(w, static_cast<Node *>(linitial(args)));
    return true;
#if PG_VERSION_NUM >= 160000
  case F_DATE_ADD_TIMESTAMPTZ_INTERVAL_TEXT:
  case F_DATE_SUBTRACT_TIMESTAMPTZ_INTERVAL_TEXT:
    check_zone(w, static_cast<Node *>(lthird(args)));
    return true;
#endif

  case F_EXTRACT_TEXT_DATE:
  case F_EXTRACT_TEXT_TIME:
  case F_EXTRACT_TEXT_TIMESTAMP:
  case F_EXTRACT_TEXT_INTERVAL:
  case F_DATE_PART_TEXT_DATE:
  case F_DATE_PART_TEXT_TIME:
  case F_DATE_PART_TEXT_TIMESTAMP:
  case F_DATE_PART_TEXT_INTERVAL:
  case F_DATE_TRUNC_TEXT_TIMESTAMP:
  case F_DATE_TRUNC_TEXT_INTERVAL:
    check_field(w, node, function, args);
    return true;

  // Labelled stable, but with these arguments the same in every session.
  case F_EXTRACT_TEXT_TIMESTAMPTZ:
  case F_DATE_PART_TEXT_TIMESTAMPTZ: {
    const char *field = constant_text(static_cast<Node *>(linitial(args)));
    return field && pg_strcasecmp(field, "epoch") == 0;
  }
  case F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT:
    check_zone(w, static_cast<Node *>(lthird(args)));
    check_field(w, node, function, args);
    return true;
  case F_TIMESTAMPTZ_PL_INTERVAL:
  case F_TIMESTAMPTZ_MI_INTERVAL:
  case F_INTERVAL_PL_TIMESTAMPTZ: {
    const Const *c =
        constant(static_cast<Node *>(function == F_INTERVAL_PL_TIMESTAMPTZ ? linitial(args) : lsecond(args)));
    const Interval *i = c ? DatumGetIntervalP(c->constvalue) : nullptr;
    if (i && i->day == 0 && i->month == 0) return true;
    refuse_call(w, node, function, "How long a day is depends on the session's setting \"TimeZone\".",
                "Write the interval in hours, as in interval '168 hours', or calculate AT TIME ZONE 'UTC'.");
  }
  case F_FORMAT_TEXT:
  case F_FORMAT_TEXT_ANY: {
    const char *s = constant_text(static_cast<Node *>(linitial(args)));
    bool quotes = !s;
    for (; s && *s; s++) {
      if (*s != '%') continue;
      s += 1 + std::strspn(s + 1, "0123456789$*-");
      if (*s == 'I') quotes = true;
      if (!*s) break;
    }
    if (quotes)
      refuse_call(w, node, function, "How identifiers are quoted depends on the session's settings.",
                  "Use a constant format without %I.");
    check_written(w, node, function, args);
    return true;
  }
  case F_CONCAT:
  case F_CONCAT_WS:
  case F_TEXTANYCAT:
  case F_ANYTEXTCAT:
  case F_ARRAY_TO_STRING_ANYARRAY_TEXT:
  case F_ARRAY_TO_STRING_ANYARRAY_TEXT_TEXT:
  case F_TO_JSON:
  case F_TO_JSONB:
  case F_JSON_BUILD_ARRAY_:
  case F_JSON_BUILD_ARRAY_ANY:
  case F_JSON_BUILD_OBJECT_:
  case F_JSON_BUILD_OBJECT_ANY:
  case F_JSONB_BUILD_ARRAY_:
  case F_JSONB_BUILD_ARRAY_ANY:
  case F_JSONB_BUILD_OBJECT_:
  case F_JSONB_BUILD_OBJECT_ANY:
    check_written(w, node, function, args);
    return true;
  default:
    return false;
  }
}

bool is_regular_expression(const char *name) {
  return std::strncmp(name, "regexp_", 7) == 0 || std::strcmp(name, "textregexeq") == 0 ||
         std::strcmp(name, "textregexne") == 0 || std::strcmp(name, "texticregexeq") == 0 ||
         std::strcmp(name, "texticregexne") == 0;
}

void check_function(const Work *w, Node *node, Oid function, List *args, Oid collation) {
  HeapTuple t = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
  if (!HeapTupleIsValid(t)) elog(ERROR, "cache lookup failed for function %u", function);
  const FormData_pg_proc proc = *reinterpret_cast<Form_pg_proc>(GETSTRUCT(t));
  Oid types[FUNC_MAX_ARGS + 1];
  int n = 0;
  const oidvector &declared = reinterpret_cast<Form_pg_proc>(GETSTRUCT(t))->proargtypes;
  for (int i = 0; i < declared.dim1 && i < FUNC_MAX_ARGS; i++) types[n++] = declared.values[i];
  types[n++] = proc.prorettype;
  ReleaseSysCache(t);
  const int location = exprLocation(node);

  if (proc.proretset) refuse(w, location, "set-returning functions", "Use a function that returns one value.");
  // Objects with assigned OIDs come with PostgreSQL; what an extension or a user puts into pg_catalog has others.
  if (!is_email_domain(w, proc) &&
      (function >= FirstGenbkiObjectId || (proc.prolang != INTERNALlanguageId && proc.prolang != SQLlanguageId)))
    refuse_call(w, node, function, "Only functions and operators that come with PostgreSQL are allowed.", nullptr);

  if (!check_known(w, node, function, args)) {
    bool zoned = false;
    for (int i = 0; i < n; i++) zoned = zoned || types[i] == TIMESTAMPTZOID || types[i] == TIMETZOID;
    switch (proc.provolatile) {
    case PROVOLATILE_IMMUTABLE:
      break;
    case PROVOLATILE_STABLE:
      if (zoned) refuse_call(w, node, function, "Its result depends on the session's setting \"TimeZone\".", kZoneHint);
      refuse_call(w, node, function, "Its result depends on the session's settings or on the database's contents.",
                  nullptr);
    default:
      refuse_call(w, node, function, "It does not give the same result every time, or has side effects.", nullptr);
    }
  }
  for (int i = 0; i < n; i++) {
    if (!is_allowed(types[i]) && !is_polymorphic(types[i])) refuse_type(w, location, types[i]);
  }
  bool collatable = false;
  ListCell *lc;
  foreach (lc, args) {
    auto *arg = static_cast<Node *>(lfirst(lc));
    const Oid type = exprType(arg);
    if (!is_allowed(type) && type != UNKNOWNOID) refuse_type(w, exprLocation(arg), type);
    collatable = collatable || type_is_collatable(type);
  }
  if (collatable && !OidIsValid(collation))
    ereport(ERROR, (errcode(ERRCODE_INDETERMINATE_COLLATION),
                    errmsg("could not determine which collation to use for %s", describe(node, function)),
                    errhint("Use the COLLATE clause to set the collation explicitly."),
                    parser_errposition(w->parse, location)));
  if (OidIsValid(collation) && !get_collation_isdeterministic(collation))
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("nondeterministic collations are not allowed in expressions"),
                    errhint("Use the COLLATE clause, as in COLLATE \"C\"."), parser_errposition(w->parse, location)));
  if (list_length(args) > 1 && types[0] == TEXTOID && is_regular_expression(NameStr(proc.proname)))
    try_call(w, function, collation, CStringGetTextDatum(""), args, 1);
}

void check_value_function(const Work *w, SQLValueFunction *f) {
  static constexpr struct {
    SQLValueFunctionOp op;
    const char *name;
  } clocks[] = {{SVFOP_CURRENT_DATE, "CURRENT_DATE"},
                {SVFOP_CURRENT_TIME, "CURRENT_TIME"},
                {SVFOP_CURRENT_TIME_N, "CURRENT_TIME"},
                {SVFOP_CURRENT_TIMESTAMP, "CURRENT_TIMESTAMP"},
                {SVFOP_CURRENT_TIMESTAMP_N, "CURRENT_TIMESTAMP with a precision"},
                {SVFOP_LOCALTIME, "LOCALTIME"},
                {SVFOP_LOCALTIME_N, "LOCALTIME"},
                {SVFOP_LOCALTIMESTAMP, "LOCALTIMESTAMP"},
                {SVFOP_LOCALTIMESTAMP_N, "LOCALTIMESTAMP"}};
  for (const auto &c : clocks) {
    if (c.op == f->op) refuse_clock(w, c.name, f->location);
  }
  refuse(w, f->location, "names of the session's user, role, database or schema", nullptr);
}

void check_conversion(const Work *w, CoerceViaIO *c) {
  const Oid from = getBaseType(exprType(reinterpret_cast<Node *>(c->arg))), to = c->resulttype;
  if (writes_one_way(from) && reads_one_way(to)) return;
  const char *hint = nullptr;
  if (is_time(to))
    hint = kTimeHint;
  else if (to == INTERVALOID)
    hint = "Use make_interval(), as in make_interval(secs => ...).";
  else if (from == FLOAT4OID || from == FLOAT8OID)
    hint = "Cast to numeric first.";
  else if (from == BYTEAOID)
    hint = "Use encode(..., 'hex').";
  else if (is_enum(to))
    hint = "Cast the enumeration to text.";
  else if (is_time(from))
    hint = "Use extract(epoch FROM ...).";
  ereport(ERROR,
          (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
           errmsg("the cast from %s to %s is not allowed in expressions", format_type_be(from), format_type_be(to)),
           errdetail("%s", is_enum(to) ? "Which labels an enumeration has may change."
                                       : "Its result depends on the session's settings."),
           hint ? errhint("%s", hint) : 0, parser_errposition(w->parse, exprLocation(reinterpret_cast<Node *>(c)))));
}

// Nothing passes that isn't named here.
extern "C" bool check_tree(Node *node, void *arg) {
  auto *w = static_cast<Work *>(arg);
  if (!node) return false;
  switch (nodeTag(node)) {
  case T_Aggref:
    refuse(w, exprLocation(node), "aggregate functions", sees_one(w));
  case T_WindowFunc:
    refuse(w, exprLocation(node), "window functions", sees_one(w));
  case T_RowExpr:
  case T_RowCompareExpr:
    refuse(w, exprLocation(node), "rows of values", "Compare the values one by one.");
  case T_SQLValueFunction:
    check_value_function(w, as<SQLValueFunction>(node));
    break;
  case T_List:
  case T_Const:
  case T_Param:
  case T_Var:
  case T_FuncExpr:
  case T_OpExpr:
  case T_DistinctExpr:
  case T_NullIfExpr:
  case T_ScalarArrayOpExpr:
  case T_BoolExpr:
  case T_RelabelType:
  case T_CoerceViaIO:
  case T_ArrayCoerceExpr:
  case T_CollateExpr:
  case T_CaseExpr:
  case T_CaseWhen:
  case T_CaseTestExpr:
  case T_ArrayExpr:
  case T_CoalesceExpr:
  case T_MinMaxExpr:
  case T_NullTest:
  case T_BooleanTest:
  case T_NamedArgExpr:
  case T_SubscriptingRef:
    break;
  default:
    refuse(w, exprLocation(node), "constructs of this kind", nullptr);
  }
  walk(node, check_tree, w); // first the parts

  switch (nodeTag(node)) {
  case T_List:
  case T_CaseWhen:
  case T_Var:
    return false; // a column's type was seen when it was resolved
  case T_Const: {
    auto *c = as<Const>(node);
    const Oid element = get_element_type(c->consttype);
    if (is_time(OidIsValid(element) ? element : c->consttype) && list_member_int(w->instants, c->location))
      refuse_clock(w, "a date or time literal that names the current time", c->location);
    if (c->consttype == UNKNOWNOID) return false;
    break;
  }
  case T_FuncExpr: {
    auto *f = as<FuncExpr>(node);
    check_function(w, node, f->funcid, f->args, f->inputcollid);
    break;
  }
  case T_OpExpr:
  case T_DistinctExpr:
  case T_NullIfExpr: {
    auto *o = as<OpExpr>(node);
    set_opfuncid(o);
    check_function(w, node, o->opfuncid, o->args, o->inputcollid);
    break;
  }
  case T_ScalarArrayOpExpr: {
    auto *o = as<ScalarArrayOpExpr>(node);
    set_sa_opfuncid(o);
    check_function(w, node, o->opfuncid, o->args, o->inputcollid);
    break;
  }
  case T_CoerceViaIO:
    check_conversion(w, as<CoerceViaIO>(node));
    break;
  case T_SubscriptingRef:
    if (!is_allowed(as<SubscriptingRef>(node)->refcontainertype))
      refuse_type(w, exprLocation(node), as<SubscriptingRef>(node)->refcontainertype);
    break;
  case T_NullTest:
    if (as<NullTest>(node)->argisrow) refuse(w, exprLocation(node), "rows of values", nullptr);
    break;
  default:
    break;
  }
  const Oid type = exprType(node);
  if (!is_allowed(type)) refuse_type(w, exprLocation(node), type);
  return false;
}

// ------------------------------------------------------------------------------------------------------------
// compilation

const char *quoted(const char *s) {
  StringInfoData q;
  initStringInfo(&q);
  for (; *s; s++) {
    if (*s == '\'') appendStringInfoChar(&q, '\'');
    appendStringInfoChar(&q, *s);
  }
  return q.data;
}

// The expression as a value of the wanted type.
Node *coerce_result(const Work *w, Node *e, Oid wanted) {
  const Oid type = exprType(e);
  if (!OidIsValid(wanted)) {
    if (type == UNKNOWNOID) return coerce_to_common_type(w->parse, e, TEXTOID, "expression");
    return e;
  }
  const bool zoneless = type == TIMESTAMPOID || type == DATEOID;
  if (w->is_row() && wanted == TIMESTAMPTZOID && zoneless) {
    // A hint that can be pasted.
    const char *day = type == DATEOID ? "::timestamp" : "";
    const bool column = IsA(e, Var) || IsA(e, RelabelType);
    ereport(ERROR,
            (errcode(ERRCODE_DATATYPE_MISMATCH),
             errmsg("%s is of type %s, which does not say when: its zone is missing", w->name, format_type_be(type)),
             errhint("Say which zone is meant: %s => '%s%s%s%s AT TIME ZONE ''UTC'''.", w->name, column ? "" : "(",
                     quoted(w->text), column ? "" : ")", day)));
  }
  if (w->is_row() && is_text(wanted) && (type == JSONOID || type == JSONBOID))
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("%s must be %s, not %s", w->name, format_type_be(wanted), format_type_be(type)),
                    errdetail("As text, a JSON string is in quotes."), errhint("Use ->> in place of the last ->.")));
  // How a double is written is for the session to say; how a numeric is, for nobody.
  if (!w->is_row() && is_text(wanted) && type == FLOAT8OID) e = coerce_to_target_type(w->parse, e, type, NUMERICOID, -1, COERCION_EXPLICIT, COERCE_IMPLICIT_CAST, -1);
  Node *r = coerce_to_target_type(w->parse, e, exprType(e), wanted, -1, COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
  if (!r) {
    const char *hint = nullptr;
    const bool words = is_text(type) || type == JSONOID || type == JSONBOID;
    if (wanted == TIMESTAMPTZOID) {
      if (type == INT4OID || type == INT8OID || type == NUMERICOID || type == FLOAT8OID)
        hint = "If these are seconds since 1970, use to_timestamp(...).";
      else if (words)
        hint = kTimeHint;
    } else if (wanted == FLOAT8OID && type == BOOLOID) {
      hint = "Write (...)::int for 1 and 0.";
    } else if (words || (wanted == BOOLOID && type == INT4OID)) {
      hint = psprintf("Cast it: (...)::%s.", wanted == FLOAT8OID ? "float8"
                                             : wanted == BOOLOID ? "bool"
                                                                 : format_type_be(wanted));
    }
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("the expression must be %s, not %s", format_type_be(wanted), format_type_be(type)),
                    hint ? errhint("%s", hint) : 0, parser_errposition(w->parse, exprLocation(e))));
  }
  return r;
}

// From text to a planned expression, in the current context and under fixed settings. w->parse has its hooks.
Node *analyze(Work *w, Oid wanted) {
  Node *e = parse_raw(w);
  w->parse->p_ref_hook_state = w;
  e = transformExpr(w->parse, e, EXPR_KIND_OTHER);
  e = coerce_result(w, e, wanted);
  assign_expr_collations(w->parse, e);
  if (w->as_of >= 0) e = put_as_of(e, w);
  check_tree(e, w);
  return reinterpret_cast<Node *>(expression_planner(reinterpret_cast<Expr *>(e)));
}

// What surrounds a compilation: settings, error context, and a memory context for what isn't kept.
struct Bench {
  ErrorContextCallback context;
  MemoryContext scratch, before;
  int level;
};

void begin(Bench *b, Work *w) {
  b->scratch = AllocSetContextCreateInternal(CurrentMemoryContext, "pql expression", ALLOCSET_DEFAULT_SIZES);
  b->before = MemoryContextSwitchTo(b->scratch);
  b->context = {error_context_stack, add_place, w};
  error_context_stack = &b->context;
  b->level = fix_settings();
  w->parse = make_parsestate(nullptr);
  w->parse->p_sourcetext = w->text;
}

void end(Bench *b) {
  AtEOXact_GUC(true, b->level);
  error_context_stack = b->context.previous;
  MemoryContextSwitchTo(b->before);
  MemoryContextDelete(b->scratch);
}

#if PG_VERSION_NUM >= 180000
List *orderings_of(Oid op) { return get_op_index_interpretation(op); }
#else
List *orderings_of(Oid op) { return get_op_btree_interpretation(op); }
#endif

// Operators and functions that never raise, whatever the values (of allowed types): comparisons, reading JSON, and making a
// number wider.
bool never_fails(Oid function, Oid op) {
  switch (function) {
  case F_JSONB_OBJECT_FIELD:
  case F_JSONB_OBJECT_FIELD_TEXT:
  case F_JSONB_ARRAY_ELEMENT:
  case F_JSONB_ARRAY_ELEMENT_TEXT:
  case F_JSONB_EXTRACT_PATH:
  case F_JSONB_EXTRACT_PATH_TEXT:
  case F_JSONB_EXISTS:
  case F_JSONB_CONTAINS:
  case F_JSONB_TYPEOF:
  case F_INT4_INT2:
  case F_INT8_INT2:
  case F_INT8_INT4:
  case F_FLOAT8_INT2:
  case F_FLOAT8_INT4:
  case F_FLOAT8_INT8:
  case F_FLOAT8_FLOAT4:
  case F_NUMERIC_INT2:
  case F_NUMERIC_INT4:
  case F_NUMERIC_INT8:
    return true;
  default:
    return OidIsValid(op) && orderings_of(op) != NIL;
  }
}

// Those that only calculate with numbers and times, all of them PostgreSQL's own: what they raise comes before anything is opened.
bool fails_cleanly(Oid function, Oid op) {
  const auto is_plain = [](Oid type) {
    switch (type) {
    case BOOLOID:
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case FLOAT4OID:
    case FLOAT8OID:
    case NUMERICOID:
    case DATEOID:
    case TIMEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
    case INTERVALOID: return true;
    default: return false;
    }
  };
  if (never_fails(function, op)) return true;
  Oid *types;
  int n;
  const Oid result = get_func_signature(function, &types, &n);
  return is_plain(result) && std::all_of(types, types + n, is_plain);
}

using Harmless = bool (*)(Oid function, Oid op);

// Whether an expression has anything but what is harmless (a Harmless *).
extern "C" bool may_fail(Node *node, void *harmless) {
  if (!node) return false;
  const Harmless is_harmless = *static_cast<Harmless *>(harmless);
  switch (nodeTag(node)) {
  case T_FuncExpr:
    if (!is_harmless(as<FuncExpr>(node)->funcid, InvalidOid)) return true;
    break;
  case T_OpExpr:
  case T_DistinctExpr:
  case T_NullIfExpr:
    if (!is_harmless(as<OpExpr>(node)->opfuncid, as<OpExpr>(node)->opno)) return true;
    break;
  case T_ScalarArrayOpExpr:
    if (!is_harmless(as<ScalarArrayOpExpr>(node)->opfuncid, as<ScalarArrayOpExpr>(node)->opno)) return true;
    break;
  case T_List:
  case T_Const:
  case T_Param:
  case T_Var:
  case T_BoolExpr:
  case T_RelabelType:
  case T_CollateExpr:
  case T_CaseExpr:
  case T_CaseWhen:
  case T_CaseTestExpr:
  case T_ArrayExpr:
  case T_CoalesceExpr:
  case T_MinMaxExpr:
  case T_NullTest:
  case T_BooleanTest:
    break;
  default:
    return true;
  }
  return walk(node, may_fail, harmless);
}

struct Uses {
  Bitmapset *variables;
};

extern "C" bool find_variables(Node *node, void *arg) {
  if (!node) return false;
  if (IsA(node, Param)) {
    auto *u = static_cast<Uses *>(arg);
    u->variables = bms_add_member(u->variables, as<Param>(node)->paramid - 1);
    return false;
  }
  return walk(node, find_variables, arg);
}

} // namespace

RowExpression compile_row_expression(Relation rel, const char *text, Oid wanted, const char *argument,
                                     MemoryContext cx) {
  Work w{};
  w.text = text;
  w.what = "argument";
  w.name = argument;
  w.as_of = -1;
  w.rel = rel;
  Bench b;
  begin(&b, &w);
  w.item = addRangeTableEntryForRelation(w.parse, rel, AccessShareLock, nullptr, false, false);
  addNSItemToQuery(w.parse, w.item, false, true, true);
  w.parse->p_pre_columnref_hook = resolve_column;
  Node *planned = analyze(&w, wanted);

  MemoryContextSwitchTo(cx);
  RowExpression r{};
  auto *kept = static_cast<Expr *>(copyObjectImpl(planned));
  r.state = ExecInitExpr(kept, nullptr);
  r.type = exprType(planned);
  Node *bare = planned;
  while (IsA(bare, RelabelType)) bare = reinterpret_cast<Node *>(as<RelabelType>(bare)->arg);
  if (IsA(bare, Var)) r.column = as<Var>(bare)->varattno;
  Bitmapset *offset = nullptr;
  pull_varattnos(planned, 1, &offset);
  for (int i = -1; (i = bms_next_member(offset, i)) >= 0;)
    r.columns = bms_add_member(r.columns, i + FirstLowInvalidHeapAttributeNumber);
  bms_free(offset);
  end(&b);
  return r;
}

RuleFrame make_frame(const RuleVariable *variables, std::size_t count, MemoryContext cx) {
  MemoryContext before = MemoryContextSwitchTo(cx);
  RuleFrame f{makeParamList(static_cast<int>(count)), CreateStandaloneExprContext()};
  for (std::size_t i = 0; i < count; i++) f.params->params[i] = {0, true, 0, variables[i].type};
  f.context->ecxt_param_list_info = f.params;
  MemoryContextSwitchTo(before);
  return f;
}

Rule *compile_rule(const char *text, const RuleVariable *variables, std::size_t count, Oid wanted, const char *path,
                   MemoryContext cx, const RuleFrame *frame) {
  Work w{};
  w.text = text;
  w.what = "rule";
  w.name = path;
  w.variables = variables;
  w.count = static_cast<int>(count);
  w.as_of = index_of(variables, count, "as_of", TIMESTAMPTZOID);
  Bench b;
  begin(&b, &w);
  for (std::size_t i = 0; i < count; i++) {
    if (!variables[i].refused && !is_allowed(variables[i].type)) refuse_type(&w, -1, variables[i].type);
  }
  w.parse->p_pre_columnref_hook = resolve_variable;
  Node *planned = analyze(&w, wanted);

  MemoryContextSwitchTo(cx);
  auto *r = static_cast<Rule *>(palloc0(sizeof(Rule)));
  r->text = pstrdup(text);
  r->path = pstrdup(path);
  r->type = exprType(planned);
  const RuleFrame own = frame ? *frame : make_frame(variables, count, cx);
  r->params = own.params;
  r->context = own.context;
  auto *kept = static_cast<Expr *>(copyObjectImpl(planned));
  r->state = ExecInitExprWithParams(kept, r->params);
  Uses uses{};
  find_variables(planned, &uses);
  r->used = uses.variables;
  const auto used = [&](const char *name, Oid type) {
    const int i = index_of(variables, count, name, type);
    return i >= 0 && bms_is_member(i, uses.variables) ? i : -1;
  };
  r->props = used("props", JSONBOID);
  r->event = used("event", TEXTOID);
  r->occurred_at = used("occurred_at", TIMESTAMPTZOID);
  r->as_of = used("as_of", TIMESTAMPTZOID);
  Harmless never = never_fails, cleanly = fails_cleanly;
  r->can_fail = may_fail(planned, &never);
  r->fails_cleanly = !may_fail(planned, &cleanly);
  end(&b);
  return r;
}

// -------------------------------------------------------------------------------------------------------------
// evaluation

// What an expression that compiled can make of some values: too long a string, a date compared with an instant. All else
// (cancel, memory, serialization) is no fault of theirs.
bool is_data_error(int sqlstate) {
  const int category = ERRCODE_TO_CATEGORY(sqlstate);
  return category == ERRCODE_DATA_EXCEPTION || category == ERRCODE_PROGRAM_LIMIT_EXCEEDED ||
         category == ERRCODE_FEATURE_NOT_SUPPORTED;
}

namespace {

int guards = 0; // how many guarded batches we are in

bool is_definition_error(int sqlstate) {
  const int category = ERRCODE_TO_CATEGORY(sqlstate);
  return category == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION || category == ERRCODE_DATA_EXCEPTION ||
         category == ERRCODE_FEATURE_NOT_SUPPORTED || category == ERRCODE_PROGRAM_LIMIT_EXCEEDED;
}

Datum evaluate(Rule *r, bool *isnull) {
  ErrorContextCallback context{error_context_stack, add_rule, r};
  error_context_stack = &context;
  const Datum d = ExecEvalExprSwitchContext(r->state, r->context, isnull);
  error_context_stack = context.previous;
  return d;
}

struct Evaluation {
  Rule *rule;
  Datum value;
  bool isnull;
};

// Evaluates a rule over an event. False when the data made it fail.
bool run(Evaluation *e, Datum props, bool has_props, std::string_view event, Micros at) {
  Rule *r = e->rule;
  ResetExprContext(r->context);
  if (r->props >= 0) set_variable(r, r->props, props, !has_props);
  if (r->event >= 0) {
    MemoryContext before = MemoryContextSwitchTo(r->context->ecxt_per_tuple_memory);
    set_variable(r, r->event, PointerGetDatum(cstring_to_text_with_len(event.data(), static_cast<int>(event.size()))),
                 false);
    MemoryContextSwitchTo(before);
  }
  if (r->occurred_at >= 0) set_variable(r, r->occurred_at, TimestampTzGetDatum(at), false);
  if (r->as_of >= 0) set_variable(r, r->as_of, TimestampTzGetDatum(at), false);
  if (guards > 0 || !r->can_fail) {
    e->value = evaluate(r, &e->isnull);
    return true;
  }
  return guarded_by(
      [](void *p) {
        auto *x = static_cast<Evaluation *>(p);
        x->value = evaluate(x->rule, &x->isnull);
      },
      e, is_data_error);
}

} // namespace

Datum eval_rule(Rule *r, bool *isnull) {
  ResetExprContext(r->context);
  return evaluate(r, isnull);
}

Datum eval_rule_in_frame(Rule *r, bool *isnull) { return evaluate(r, isnull); }

RuleResult run_event_rule(Rule *r, Datum props, bool has_props, std::string_view event, Micros at) {
  Evaluation e{r, 0, true};
  if (!run(&e, props, has_props, event, at)) return RuleResult::error;
  return !e.isnull && DatumGetBool(e.value) ? RuleResult::yes : RuleResult::no;
}

RuleResult run_event_value(Rule *r, Datum props, bool has_props, std::string_view event, Micros at, double *value) {
  Evaluation e{r, 0, true};
  if (!run(&e, props, has_props, event, at)) return RuleResult::error;
  if (e.isnull) return RuleResult::no;
  *value = DatumGetFloat8(e.value);
  return RuleResult::yes;
}

bool guarded_already() noexcept { return guards > 0; }

bool guarded_batch(void (*f)(void *), void *arg) {
  const int before = guards;
  volatile bool ok = false;
  PG_TRY();
  {
    guards = before + 1;
    ok = guarded_by(f, arg, is_data_error);
  }
  PG_FINALLY();
  { guards = before; }
  PG_END_TRY();
  return ok;
}

Complaint *find_complaint(void (*f)(void *), void *arg) {
  struct Attempt {
    void (*f)(void *);
    void *arg;
    MemoryContext home;
    Complaint *complaint;
  } attempt{f, arg, CurrentMemoryContext, nullptr};
  const bool right = guarded_by(
      [](void *p) {
        auto *a = static_cast<Attempt *>(p);
        PG_TRY();
        { a->f(a->arg); }
        PG_CATCH();
        {
          MemoryContext before = MemoryContextSwitchTo(a->home);
          const ErrorData *e = CopyErrorData();
          a->complaint = static_cast<Complaint *>(palloc(sizeof(Complaint)));
          *a->complaint = {e->sqlerrcode, e->internalpos > 0 ? e->internalpos : 0, e->message, e->detail, e->hint};
          MemoryContextSwitchTo(before);
          PG_RE_THROW();
        }
        PG_END_TRY();
      },
      &attempt, is_definition_error);
  return right ? nullptr : attempt.complaint;
}

Complaint *check_rule(const char *text, const RuleVariable *variables, std::size_t count, Oid wanted,
                      const char *path) {
  MemoryContext scratch = AllocSetContextCreateInternal(CurrentMemoryContext, "pql rule check", ALLOCSET_SMALL_SIZES);
  Complaint *c = complaint_of([&] {
    MemoryContext before = MemoryContextSwitchTo(scratch); // also what is left behind by an error
    (void)compile_rule(text, variables, count, wanted, path, scratch);
    MemoryContextSwitchTo(before);
  });
  MemoryContextDelete(scratch);
  return c;
}

bool is_rule_scalar(Oid type) { return is_scalar(type); }
int fixed_settings() { return fix_settings(); }

} // namespace pql::pg
