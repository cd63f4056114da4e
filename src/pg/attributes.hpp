// Attributes of accounts and users: pql's own copy of what relations of the customer's say of them.
// Law: whoever writes events reads the copy and never those relations; what changes in the copy is decided upon in the same
// transaction, by writing the homes it concerns, so that who decided with older attributes loses the race and decides again.
#pragma once

#include "pg/definitions.hpp"
#include "pg/expression.hpp"

namespace pql::pg {

/// Reads attributes through the index, for the length of one operation. Opens nothing before it is asked. Every method may throw PgError.
class AttributeReader {
public:
  AttributeReader() = default;
  AttributeReader(const AttributeReader &) = delete;
  AttributeReader &operator=(const AttributeReader &) = delete;

  /// What is known of an account ("a:" and its id) or a user ("u:" and his id), as of a snapshot: a jsonb object, of column
  /// names and values, in the current memory context; nothing for one of whom nothing is known.
  std::optional<Datum> current(std::string_view home, Snapshot snapshot);
  /// The same, of what held at an instant.
  std::optional<Datum> at(std::string_view home, Micros as_of, Snapshot snapshot);

  /// Gives everything back. On an error PostgreSQL does it instead.
  void close();

private:
  struct Table {
    Relation table = nullptr, index = nullptr;
    TupleTableSlot *slot = nullptr;
    void open(const char *name, MemoryContext memory);
    void close();
  };
  MemoryContext const memory_ = CurrentMemoryContext; ///< outlives what is read
  Table now_, past_;
};

/// One look-up, with all that it takes.
std::optional<Datum> current_attributes(std::string_view home, Snapshot snapshot);
std::optional<Datum> attributes_at(std::string_view home, Micros as_of, Snapshot snapshot);

/// A column that rules may name.
struct AttributeColumn {
  std::string name;
  Oid type; ///< of the column, or of what its domain is made of; text for an enum
};
/// Those of a unit, in their order; none when nothing is attached.
std::vector<AttributeColumn> attribute_columns(Unit unit);

// ---------------------------------------------------------------------------------------------------------------- keeping

/// The relation that attributes of a unit come from: held by its name, not by its OID.
struct AttributeSource {
  std::string unit, schema, relation, owner, attached_by, key, account;
  std::vector<std::string> columns;
  std::vector<Oid> types;
  bool broken = false;
  std::string what = "attributes"; ///< that come from it, as messages say it
  std::string attach_again;        ///< how it is attached; empty: as attributes of the unit are

  const char *prefix() const noexcept { return unit == "account" ? "a:" : unit == "workspace" ? "w:" : "u:"; }
};
std::optional<AttributeSource> attribute_source(const std::string &unit);

/// The relation that has the name now, or InvalidOid.
Oid find_relation(const AttributeSource &s);
/// The same, locked: from then on nobody renames it, gives it to somebody else, or changes what it reads. Fails when there is none.
Oid lock_relation(const AttributeSource &s);
/// As whom the relation is read: whoever attached it, but never with rights over everything, which would be lent to the code of
/// somebody else's view. Then its owner does, as he does when a materialized view is refreshed.
Oid reader_of(const AttributeSource &s, Oid relation);

/// Calls f(row, its columns) for what a query gives, read with the rights of a role. $1, if there is one, is a text array. It sees what
/// its caller's statement sees, so that what it is compared with is of the same instant. Inside call().
template <class F> void each_row_as(Oid reader, const std::string &sql, std::optional<Datum> argument, F &&f) {
  Oid user;
  int security;
  GetUserIdAndSecContext(&user, &security);
  SetUserIdAndSecContext(reader, security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
  const int settings = fixed_settings();
  SPI_connect();
  Oid types[] = {TEXTARRAYOID};
  Datum values[] = {argument.value_or(Datum{0})};
  Portal rows = SPI_cursor_open_with_args(nullptr, sql.c_str(), argument ? 1 : 0, types, values, nullptr, true, 0);
  for (;;) {
    CHECK_FOR_INTERRUPTS();
    SPI_cursor_fetch(rows, true, 1000);
    if (SPI_processed == 0) break;
    SPITupleTable *const fetched = SPI_tuptable; // what f does may use SPI, too
    const std::uint64_t n = SPI_processed;
    for (std::uint64_t i = 0; i < n; i++) f(fetched->vals[i], fetched->tupdesc);
    SPI_freetuptable(fetched);
  }
  SPI_cursor_close(rows);
  SPI_finish();
  AtEOXact_GUC(false, settings); // whatever the code of a view has set
  SetUserIdAndSecContext(user, security);
}
/// Why the relation can't be read as it was attached; empty when it can.
std::string mismatch(const AttributeSource &s, Oid relation);
[[noreturn]] void fail_unreadable(const AttributeSource &s, std::string why);
/// Says once that the relation isn't followed any more.
void warn_of_broken(const AttributeSource &s, const std::string &why);
/// A column of the rows `t` as an expression that runs nobody's code but PostgreSQL's: an enum or a domain may have a cast that its owner
/// wrote.
std::string column_value(Oid relation, const std::string &name);
/// "schema.relation", as messages have it, and as a query does.
std::string relation_name(const AttributeSource &s);
std::string relation_text(const AttributeSource &s);
/// Whether an UPDATE changed the key, the account or one of the columns: most change others only.
bool changes_columns(const AttributeSource &s, const TriggerData *t);

/// The type that rules see for a column's type: that of a domain is what it is made of, and an enum is text. InvalidOid for one that
/// they can't use. Inside call().
Oid attribute_type(Oid type);

/// What bringing the copy in line came to.
struct AttributeChanges {
  std::int64_t rows = 0, without_key = 0, changed = 0, added = 0, removed = 0, repeated = 0;
  std::vector<std::string> repeated_keys; ///< some of them
};

/// Brings the copy in line with the relation, read as whoever attached it. Fails when it can't be read, or two of its rows have one key.
AttributeChanges refresh_attributes(const std::string &unit);
/// Calls f(home, account or null, attributes) for every row of the relation; home is null for a row without a key.
void read_attributes(const AttributeSource &source, void (*f)(void *, Datum *values, bool *nulls), void *arg);
/// The trigger on the relation. Never fails because of how the relation has changed: then the copy stays as it is.
void attributes_written(const TriggerData *t);

/// Decides anew upon accounts and users whose attributes changed, by the keys of their own homes.
void attributes_changed(const Definitions &plan, const std::vector<std::string> &homes);

} // namespace pql::pg
