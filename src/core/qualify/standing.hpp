// The ledger of a subject: what was decided about it, and is not state that its events give.
#pragma once

#include <cstdint>

#include "core/base/time.hpp"

namespace pql {

/// What a program remembers of a subject between two looks: its open episode, or that one ended lately.
struct Standing {
  std::int32_t program = 0;
  std::int32_t version = 0;   ///< under which the episode began; it ends under that one, too
  bool open = true;
  Micros since = kNever;      ///< open: since when it has been low enough to leave (kNever: it isn't); else until when the cool-down lasts
  Micros leaves_at = kNever;  ///< open: when it leaves if nothing happens; may be early, never late
  std::int16_t motion = -1;   ///< open: what its newest routing row calls for, by its place in the version; -1: it has none, or a final one
  std::int16_t guardrail = -1; ///< open: what blocked at the last look; -1: nothing

  bool operator==(const Standing &) const = default;
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
