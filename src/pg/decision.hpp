// What was decided upon a subject, and how it is written: episodes, and their routing rows.
// Law: a row that people are at is never changed, nor waited for; tick looks again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/base/unit.hpp"
#include "pg/boundary.hpp"

namespace pql::pg {

/// A packet as it is read.
struct PacketText {
  std::string headline, reasons, context;
  bool operator==(const PacketText &) const = default;
};

/// What a merge led to, to be written down once all homes are.
struct Decision {
  enum class Kind : unsigned char { enters, leaves, stays, fades, retracts, turns, follows } kind;
  std::string home, program, subject_id, account_id, user_id;
  std::int32_t program_id;
  int version;
  bool shadow, continues; ///< the latter: an episode that was open under another id
  Unit unit;
  int score;
  Micros at, signal_at, leaves_at;
  Micros cools_until = kAlways; ///< until when it can't enter again
  std::string reasons, context, headline, motion, next_best_action; ///< the first empty: they stay as they are
  Micros contact_after, contact_by; ///< kNever: no limit
  int rank;                         ///< of the motion, among the version's
  std::string blocked_by;
  bool holdout, rises;              ///< turns: the latter, to another motion
  std::string exempt;               ///< enters: why it is contacted though the holdout's lot fell on it
  std::int64_t routing_id;          ///< turns, follows: the row that there is
  std::optional<PacketText> whole;  ///< where reps don't see all: all
};

/// Writes decisions down, in their order.
void write_down(const std::vector<Decision> &decisions);

} // namespace pql::pg
