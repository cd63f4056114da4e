// What is done about a subject that is in: whom the decision calls, what speaks against it, and when it is another one.
// Law: a decision only ever follows a better motion; what people have taken up is theirs, and who is held out stays so.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "core/program/program.hpp"
#include "core/qualify/standing.hpp"

namespace pql {

/// What a program says of a subject at an instant.
struct Route {
  int motion = 0;              ///< its place among the motions: the first is the best
  int guardrail = -1;          ///< what blocks: the first guardrail that does, or one of the following; -1: nothing
  int called = 0;              ///< the motion that the row calls for, which may be a better one that was decided upon before
};

/// What blocks besides guardrails: from here on, a motion (by its place) that isn't accepted yet; and a human motion of which nobody
/// knows what to do.
inline constexpr int kNotAccepted = kMaxGuardrails, kNoAction = kNotAccepted + static_cast<int>(kMaxMotions);
inline constexpr int kNoConsent = 1000; ///< to the channel of the motion
inline constexpr int kInternal = 1001;  ///< and the kind of the domain: whose it is isn't to be contacted
inline constexpr int kThin = 1100;      ///< and what it lacks, by a bit each: the context is less complete than the motion's floor
inline constexpr int kMostParts = 7;    ///< of a context
static_assert(kNoAction < kNoConsent && kNoConsent < kInternal && kInternal < kThin);
static_assert(kThin + (1 << kMostParts) <= INT16_MAX, "a standing remembers it");

/// Whether something in a program can block.
bool may_block(const ProgramDef &p) noexcept;
/// What blocks a motion, guardrails, consent and domains apart; -1: nothing. `accepted` has a bit for each motion; `speaks`: a reason may
/// be mentioned.
int obstacle(const ProgramDef &p, int motion, std::uint32_t accepted, bool speaks) noexcept;

/// What a row of pql.routing is to deciding anew.
enum class RowState : std::uint8_t {
  waiting, ///< pending, ready: nobody has it
  blocked,
  taken,   ///< claimed, accepted: somebody has it, and hasn't made contact
  done,    ///< touched, disposed and so on: what comes now is another decision
  final_   ///< suppressed
};
RowState row_state(std::string_view state) noexcept;

/// A decision as it was written down.
struct RoutingRow {
  RowState state = RowState::waiting;
  int motion = 0;
  std::string_view blocked_by; ///< a guardrail's reason; empty: nothing
};

/// What becomes of it.
struct Turn {
  enum class Kind : std::uint8_t { none, changes, follows } kind = Kind::none; ///< follows: by another row
  bool rises = false; ///< to a better motion
  bool frees = false; ///< nothing speaks against it any more
  bool operator==(const Turn &) const = default;
};
/// `blocked_by` is the reason of what blocks now; empty: nothing does.
Turn turn_of(const RoutingRow &row, int motion, std::string_view blocked_by) noexcept;

/// Whether what a program says of a subject could lead to another decision than the one remembered. `guarded`: something else than the
/// program may block.
inline bool may_turn(const Standing &open, const ProgramDef &p, bool guarded = false) noexcept {
  return open.motion > 0 || (open.motion == 0 && (guarded || may_block(p)));
}

/// Whether it does, as far as one remembers.
inline bool differs(const Standing &open, const Route &now) noexcept { return now.motion < open.motion || now.guardrail != open.guardrail; }

/// Whether nothing but what the context lacked may have changed, which only making it anew tells.
inline bool is_still_thin(const Standing &open, const Route &now) noexcept {
  return open.guardrail >= kThin && now.guardrail < 0 && now.motion >= open.motion;
}

/// Whether a subject is one of those that a program doesn't contact: the same ones always and, when the share is raised, more.
bool is_held_out(const ProgramDef &p, std::string_view subject) noexcept;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
