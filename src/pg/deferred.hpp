// Deferred sources: writers append what they bring to pql.deferred, and touch no state; whoever folds takes it out and merges it.
// Law: what is in pql.deferred isn't in the state, and the transaction that brings it into the state takes it out. So it is
// folded exactly once, in any order; and a derivation, which reads events that may still be waiting, takes out those that it read.
#pragma once

#include <memory>
#include <set>

#include "core/state/deferred.hpp"
#include "pg/ingest.hpp"

namespace pql::pg {

/// What a statement brings, on its way to pql.deferred: one row, or several of a bounded size.
class Deferral {
public:
  Deferral(const Definitions &plan, const SourceInfo &source, MemoryContext parent = CurrentMemoryContext);
  /// Notes an event, as its row says it. Inside call().
  void take(const Extracted &e);
  /// Notes a row that was changed or deleted. Inside call().
  void touch(const Extracted &e);
  void truncate();
  /// Of events that could not be used.
  void count_unusable(std::string_view reason, std::int64_t n = 1) { pql::pg::count_unusable(memory_.arena(), unusable_, reason, n); }
  bool is_full() const noexcept;
  bool empty() const noexcept;
  /// Writes what was noted.
  void append();
  /// Forgets it.
  void clear();

private:
  int source_;
  bool keeps_properties_;
  const EventTable &events_;
  std::int16_t trackers_; ///< those with smaller numbers fold it; for others it is history
  Micros now_;
  Scratch memory_;
  DeferredWriter out_;
  Vec<Datum> properties_;
  std::size_t property_bytes_ = 0;
  Vec<Unusable> unusable_;
};

/// Has homes derived by whoever folds next.
void defer_homes(const std::set<std::string, std::less<>> &homes);

/// Folding excludes derivations, which read what may be about to be folded; of those who fold many may be at work. Locks are taken
/// after that of identities (identity.hpp) and before any home's, and kept until the transaction ends.
void fold_beside_others();
void fold_alone();
/// Without waiting, since homes are locked already.
bool try_fold_alone();

/// How much was folded.
struct Folded {
  std::int64_t rows = 0, events = 0;
};
/// Folds some rows of one source, which nobody else is folding; of the next source the next time. Locks first.
Folded fold_deferred(bool alone);

/// A derivation has read a source, as of a snapshot, for some homes or (null) for all: events that are in them now need not be folded there
/// any more. Alone, and under the locks of the homes. False when none was waiting.
bool settle_deferred(const SourceInfo &source, const std::vector<std::string> *homes, Snapshot snapshot);

/// Homes that what waits to be folded is about.
std::vector<std::string> deferred_homes(const Definitions &plan);

/// Takes out whatever names a user or an account by one of these ids. While nobody folds: identities are locked against it.
std::int64_t erase_deferred(Unit unit, const std::vector<std::string> &ids);

} // namespace pql::pg
