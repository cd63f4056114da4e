// Attributes of accounts and users: pql's own copy of what relations of the customer's say of them.
// Law: whoever writes events reads the copy and never those relations; what changes in the copy is decided upon in the same
// transaction, by writing the homes it concerns, so that who decided with older attributes loses the race and decides again.
#pragma once

#include "pg/memory.hpp"

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
    void open(const char *name);
    void close();
  };
  Table now_, past_;
};

/// One look-up, with all that it takes.
std::optional<Datum> current_attributes(std::string_view home, Snapshot snapshot);
std::optional<Datum> attributes_at(std::string_view home, Micros as_of, Snapshot snapshot);

/// A column that is kept.
struct AttributeColumn {
  std::string name;
  Oid type; ///< of the column, or of what its domain is made of; text for an enum
};
/// The columns kept of a unit, in their order; none when nothing is attached.
std::vector<AttributeColumn> attribute_columns(Unit unit);

} // namespace pql::pg
