// Facts: what rows of customers' tables come to for an account, a user or a workspace: how many deals are open, the newest ticket.
// Law: whoever writes events reads pql's copy and never those tables; a change of the copy is decided upon in the same transaction.
#pragma once

#include "pg/attributes.hpp"

namespace pql::pg {

/// A fact that rules may name: "fact.open_deals".
struct FactName {
  std::string name;
  Unit unit;
  bool is_time; ///< the newest of some instants; otherwise a number
  bool counts;  ///< 0, and not nothing, without rows
};
/// All that are attached, by their names.
std::vector<FactName> fact_names();

/// A table, view or foreign table whose rows a fact is made of.
struct FactSource {
  AttributeSource rows; ///< with the columns that the expressions read
  std::string fact, where, value, measure;
};
std::optional<FactSource> fact_source(const std::string &fact);

/// What bringing the copy in line came to.
struct FactChanges {
  std::int64_t subjects = 0, rows = 0, without_key = 0, changed = 0;
};

/// Calls f(home, number, time, rows) for every subject that the relation has rows of, read as whoever attached it; home is null for rows
/// without a key. With keys (a text[]), only of these.
void read_facts(const FactSource &source, std::optional<Datum> keys, void (*f)(void *, Datum *values, bool *nulls), void *arg);
/// Brings the copy in line with the relation. Fails when it can't be read.
FactChanges refresh_facts(const std::string &fact);
/// The trigger on the relation. Never fails because of how the relation has changed: then the copy stays as it is.
void facts_written(const TriggerData *t);
/// The columns that expressions over the relation read; empty ones are left out. Raises what is wrong with one.
std::vector<std::string> expression_columns(Oid relation, const std::vector<std::pair<std::string, Oid>> &expressions);

} // namespace pql::pg
