// What rules rest on besides the state: attributes, attached facts, and flags that people set by hand.
// Law: what no rule names isn't read.
#pragma once

#include "pg/assess.hpp"

namespace pql::pg {

/// The ids of those of a unit of whom more may be known than the state, each once: who has attributes (`past`: or had some) or flags, where
/// they are needed.
std::vector<std::string_view> ids_outside(Arena &arena, Unit unit, const RuleNeeds &needs, bool past, Snapshot snapshot);

/// Reads it through indexes, for the length of one operation. Opens nothing before it is needed.
class Outside {
public:
  Outside() : bodies_("pql attributes") {}
  Outside(const Outside &) = delete;
  Outside &operator=(const Outside &) = delete;

  /// Adds what a program's rules need of a subject, and of the account it is asked with (may be empty), as it is (`now`) or as it was
  /// at the instant of the assessment. It lives until the next call, and as long as these ids.
  void add(Facts &f, const Definitions &plan, const Program &p, const RuleNeeds &needs, std::string_view id, std::string_view account, Micros at,
           bool now, Snapshot snapshot);
  /// Gives everything back. On an error PostgreSQL does it instead.
  void close();

private:
  std::optional<Datum> attributes_of(Unit unit, std::string_view id, Micros as_of, Snapshot snapshot);
  /// A table whose primary key begins with a home.
  struct Table {
    Relation table = nullptr, index = nullptr;
    TupleTableSlot *slot = nullptr;
    /// Calls f(slot) for the rows of a home, until it says false. Inside call().
    template <class F> void each(const char *name, MemoryContext memory, const std::string &home, Snapshot snapshot, F &&f);
    void close();
  };

  void find_flags(const std::string &home, const std::string &program, Micros as_of, Snapshot snapshot);
  void find_history(Facts &f, Unit unit, std::string_view id, std::string_view account, Micros at, bool now, Snapshot snapshot);
  void find_consent(Unit unit, std::string_view id, std::string_view account, Micros at, bool now, Snapshot snapshot);
  void find_facts(const std::vector<FactName> &names, Unit unit, const std::string &home, Micros as_of, Snapshot snapshot);

  AttributeReader attributes_;
  Table flags_, facts_, past_facts_;
  std::vector<FactValue> values_;
  std::vector<ConsentWord> consent_;
  std::vector<std::string_view> flagged_; ///< signals, in bodies_
  MemoryContext memory_ = CurrentMemoryContext; ///< what is opened outlives what is looked at
  Scratch bodies_;
};

} // namespace pql::pg
