// SQL expressions, the product's rule language: over a row of a customer's table, and over named variables.
// Law: what compiles gives the same result in every session and for ever, and runs no code but PostgreSQL's own.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include "nodes/params.h"
#include "utils/float.h"
}

namespace pql::pg {

// Everything here is called inside call(). What it makes is trivial, and lives in the memory context it is given.

// ------------------------------------------------------------------------------------------------------ over a row

/// What an argument of attach says about a row: a column, or an expression.
struct RowExpression {
  ExprState *state;   ///< over ecxt_scantuple
  Oid type;           ///< of the result; a plain column is stored as if it were of this type
  AttrNumber column;  ///< > 0: a plain column, to be read from the slot
  Bitmapset *columns; ///< the columns that it reads
};

/// Compiles an expression over rows of `rel`, which the caller has locked. `wanted` is the type that the result is
/// coerced to (implicitly or by assignment), or InvalidOid: as it is. `argument` is its name in messages.
RowExpression compile_row_expression(Relation rel, const char *text, Oid wanted, const char *argument,
                                     MemoryContext cx);

/// The expression's value; a value that is a pointer lives in the slot or in the context's per-tuple memory. May raise.
inline Datum eval_row_expression(const RowExpression &e, ExprContext *context, TupleTableSlot *slot, bool *isnull) {
  if (e.column > 0) return slot_getattr(slot, e.column, isnull);
  context->ecxt_scantuple = slot;
  return ExecEvalExprSwitchContext(e.state, context, isnull);
}

// ------------------------------------------------------------------------------------------------ over named variables

/// A name that a rule may use; "attr.plan" is one, too. With as_of (timestamptz) among them, now() means that.
struct RuleVariable {
  const char *name; ///< or "attr.*": any other name that begins so
  Oid type;
  const char *refused = nullptr; ///< if the rule may not use it: a hint that says why, or what to do
};

/// The values of variables, and memory to evaluate in, for rules that are evaluated together.
struct RuleFrame {
  ParamListInfo params;
  ExprContext *context;
};

/// A frame for rules over these variables.
RuleFrame make_frame(const RuleVariable *variables, std::size_t count, MemoryContext cx);

/// A compiled rule with its variables' values.
struct Rule {
  ExprState *state;
  ExprContext *context;
  ParamListInfo params;
  const char *text, *path;
  Oid type;
  Bitmapset *used;                      ///< indexes of the variables that it reads
  int props, event, occurred_at, as_of; ///< where these are among the variables it reads, or -1
  bool can_fail;                        ///< whether a value can make it raise
  bool fails_cleanly;                   ///< and then it leaves nothing behind: it may be tried with trapped_by()
};

/// Compiles a rule whose result is a bool or float8 (numbers are coerced), or of any other type that assignment leads
/// to. `path` says where it is written: "signals.api_calls.where". With a frame, the rule shares its values and memory.
Rule *compile_rule(const char *text, const RuleVariable *variables, std::size_t count, Oid wanted, const char *path,
                   MemoryContext cx, const RuleFrame *frame = nullptr);

/// Sets a variable by its index. A value that is a pointer must live until the evaluation.
inline void set_variable(Rule *r, int variable, Datum value, bool isnull) {
  r->params->params[variable].value = value;
  r->params->params[variable].isnull = isnull;
}

/// Evaluates. A result that is a pointer lives until the rule's next evaluation. May raise.
Datum eval_rule(Rule *r, bool *isnull);

/// Evaluates without forgetting what the rules of the same frame gave. May raise.
Datum eval_rule_in_frame(Rule *r, bool *isnull);

/// Evaluates a condition: NULL is false. May raise.
inline bool eval_rule_bool(Rule *r) {
  bool isnull;
  const Datum d = eval_rule(r, &isnull);
  return !isnull && DatumGetBool(d);
}

/// Evaluates a float8: NULL is NaN. May raise.
inline double eval_rule_float(Rule *r) {
  bool isnull;
  const Datum d = eval_rule(r, &isnull);
  return isnull ? get_float8_nan() : DatumGetFloat8(d);
}

enum class RuleResult : unsigned char { no, yes, error };

/// A condition over an event; as_of is the event's own time. An error of the data (classes 22, 54 and 0A) is
/// RuleResult::error, outside of guarded(); inside it is raised, and ends the batch.
RuleResult run_event_rule(Rule *r, Datum props, bool has_props, std::string_view event, Micros at);

/// A number of an event: yes and its value, or no for NULL (the value is left alone); errors as above.
RuleResult run_event_value(Rule *r, Datum props, bool has_props, std::string_view event, Micros at, double *value);

// ------------------------------------------------------------------------------------------------------ when they fail

/// Whether what runs is inside guarded().
bool guarded_already() noexcept;
/// guarded() without the template.
bool guarded_batch(void (*f)(void *), void *arg);

/// Whether an error, by its SQLSTATE, is one that data can cause (classes 22, 54 and 0A).
bool is_data_error(int sqlstate);

/// Runs f in an internal subtransaction. False when the data made it fail (as above): what it did is rolled back, and
/// the caller goes row by row. Any other error is raised again. Guard a batch: a subtransaction costs as much as many
/// rows.
template <class F> bool guarded(F &&f) {
  using Fn = std::remove_reference_t<F>;
  return guarded_batch([](void *p) { (*static_cast<Fn *>(p))(); }, const_cast<void *>(static_cast<const void *>(&f)));
}

/// What is wrong with a definition.
struct Complaint {
  int sqlstate;
  int position;                        ///< of the character in the expression, from 1; 0: none
  const char *message, *detail, *hint; ///< detail and hint may be null
};

/// complaint_of() without the template.
Complaint *find_complaint(void (*f)(void *), void *arg);

/// Runs f, which compiles something, in an internal subtransaction. Null when that went well, else what is wrong with
/// the definition, in the current memory context. An error that is not the definition's fault is raised again.
template <class F> Complaint *complaint_of(F &&f) {
  using Fn = std::remove_reference_t<F>;
  return find_complaint([](void *p) { (*static_cast<Fn *>(p))(); }, const_cast<void *>(static_cast<const void *>(&f)));
}

/// Whether rules can use values of a type (arrays and enums aside).
bool is_rule_scalar(Oid type);
/// Settings under which text means the same whoever writes or reads it, until AtEOXact_GUC ends what this returns.
int fixed_settings();

/// Whether a rule compiles: null, or what is wrong with it.
Complaint *check_rule(const char *text, const RuleVariable *variables, std::size_t count, Oid wanted, const char *path);

} // namespace pql::pg
