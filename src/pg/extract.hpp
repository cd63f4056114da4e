// From a row of a customer's table to an event: who, what, when.
// Law: a row that can't be used says why; only a real database error is raised.
#pragma once

#include "pg/guard.hpp"
#include "pg/definitions.hpp"

namespace pql::pg {

/// Which of an event's homes are meant.
struct Homes {
  bool own = true, workspace = true;
  explicit operator bool() const noexcept { return own || workspace; }
  Homes operator&(const Homes &o) const noexcept { return {own && o.own, workspace && o.workspace}; }
};

/// One event as read from a row. Views live until the next read.
struct Extracted {
  const char *unusable = nullptr; ///< why the row can't be used, or null
  bool as_said = false;           ///< set before it is read: ids are left as the row says them
  std::string_view user, account, event; ///< whose it is (identity.hpp)
  std::string_view workspace; ///< empty for none
  std::string_view said_user, said_account; ///< what the row says of that, if it is renamed
  bool has_account = false, renamed = false;
  Micros at = 0;
  Micros arrived = 0; ///< what distances of equal ids are measured by: when it was received, or else `at`
  EventId id;
  Datum properties = 0;
  bool has_properties = false;

  /// The keys of the homes that it counts in: its account's or its user's own, and its workspace's, if it has one.
  std::string home() const { return home_key(has_account, has_account ? account : user); }
  std::string workspace_home() const { return home_key(Unit::workspace, workspace); }
  Homes homes() const noexcept { return {true, !workspace.empty()}; }
  /// Makes ids that are as said those of whom the event is (identity.hpp). Inside call(), and only while identities_in_force.
  void resolve();

private:
  friend class Extractor;
  char user_room[40], account_room[40], event_room[40], workspace_room[40];
};

/// The compiled columns and expressions of a source over one table (a partition's column numbers may differ from its
/// parent's). Trivial; lives in a memory context.
class Extractor {
public:
  /// Compiles; raises what is wrong with a column or expression. Call inside call().
  static Extractor *compile(Relation rel, const SourceInfo &source, MemoryContext cx);

  /// Reads a row. May raise when an expression fails (never for plain columns). Call inside call().
  void read(TupleTableSlot *slot, Extracted &out, bool with_properties = true, bool with_workspace = true);

  /// Reads a row; an expression that fails on its values makes it unusable, or, if it is the workspace's, an event without one. Slow
  /// where one can fail.
  void read_safely(TupleTableSlot *slot, Extracted &out, bool with_properties = true);

  /// Whether reading evaluates anything that could fail on a value.
  bool can_fail() const noexcept { return can_fail_; }
  Oid user_type() const noexcept { return user_.expression.type; }
  Oid account_type() const noexcept { return account_.present ? account_.expression.type : InvalidOid; }
  Oid workspace_type() const noexcept { return workspace_.present ? workspace_.expression.type : InvalidOid; }
  /// Frees what the last rows left behind. Call every few thousand rows.
  void forget();

private:
  struct Part {
    RowExpression expression;
    bool present;
  };
  Datum value(const Part &p, TupleTableSlot *slot, bool *isnull);
  std::string_view text(const Part &p, TupleTableSlot *slot, char (&room)[40], bool *isnull);

  void read_workspace(TupleTableSlot *slot, Extracted &out);

  Part user_, account_, event_, at_, id_, properties_, received_, workspace_;
  ExprContext *context_;
  AttrNumber last_column_; ///< of those that are read as they are
  bool can_fail_;
};

/// Compiles one argument of attach: of the wanted type, or (InvalidOid) an identifier: texts, integers and uuids are read as
/// they are, whatever else identifies somebody is cast to text. Call inside call().
RowExpression compile_argument(Relation rel, const char *text, Oid wanted, const char *argument, MemoryContext cx);

/// The extractor of a table that a source covers, from the backend's cache. Null when it can't be compiled any more (a
/// column was dropped): then every event is unusable. Call inside call().
Extractor *extractor_for(Relation rel, const SourceInfo &source);

} // namespace pql::pg
