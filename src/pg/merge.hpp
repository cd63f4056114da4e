// Merging what a batch does into the stored homes, and deciding what follows.
// Law: every decision rests on all that others have committed; what nothing can follow from needs no lock.
#pragma once

#include <set>

#include "core/state/delta.hpp"
#include "pg/decision.hpp"
#include "pg/definitions.hpp"
#include "pg/store.hpp"

namespace pql::pg {

/// How a batch is merged.
struct MergeOptions {
  Micros as_of = kNever;          ///< the instant of decisions
  Micros emit_since = kAlways;    ///< nobody enters without an event as new as this
  bool decide = true;
  std::int32_t only_program = 0;  ///< decide for this program only, and write homes where that changes something
  bool review = false;            ///< also say anew when those that stay will leave
  bool closes_lanes = false;      ///< something else than events changed: who adds to a lane meanwhile would not know
  bool replace = false;           ///< the batch is the whole state of its homes, not an addition (a derivation)
  bool anew = false;              ///< episodes end here, and others begin, of those that reach the threshold to enter
  bool people = false;            ///< decide upon the batch's people, whose homes are locked; else they are noted (people.hpp)
  bool alone = false;             ///< one home, and the transaction does nothing after this but wait for its commit
  std::set<std::string, std::less<>> *passed_over = nullptr; ///< gets the homes that were
  std::int32_t backfill_job = 0;  ///< history: homes that include it already are passed over
};

/// Merges a batch into the stored homes, in the order of their keys, and writes down what was decided upon accounts.
void merge_batch(const Definitions &plan, Batch &batch, const MergeOptions &options);

} // namespace pql::pg
