// How far a subject came through a list of steps within a time, read from all its events: window_funnel.
// Law: a function of the multiset of events. The level is the most steps 1..j for which events r1..rj exist where step i
// holds in ri, times do not fall, and the last lies within the window (inclusive) of the first; modes ask for more.
#pragma once

#include <optional>
#include <string_view>

#include "core/sequence/events.hpp"

namespace pql {

/// What a chain must keep to, besides its order and window.
struct FunnelModes {
  bool increase = false;    ///< times rise
  bool once = false;        ///< an event serves one step only (those of one instant in any order)
  bool dedup = false;       ///< it ends when a step that was reached comes again
  bool order = false;       ///< it ends at a foreign event, and at a step that comes too early
  bool reentry = false;     ///< with order: steps that come too early are passed over
  bool steps_only = false;  ///< with order: foreign events are passed over
  bool operator==(const FunnelModes &) const = default;

  /// These are defined by what happens at one event after another, not by what chains exist.
  bool stepwise() const noexcept { return dedup || order; }
};

/// The names that set_mode knows, for hints. ClickHouse's (strict_increase ...) are known as well.
inline constexpr char kFunnelModes[] = "increase, once, dedup, order, reentry, steps_only";

/// False: no such mode.
bool set_mode(FunnelModes &m, std::string_view name) noexcept;

/// What is wrong with this combination, in one sentence without a full stop; nothing: it is allowed.
std::optional<std::string_view> problem_with(const FunnelModes &m) noexcept;

struct FunnelQuery {
  int steps = 0;      ///< 1 to 32
  Micros within = 0;  ///< not negative
  FunnelModes modes;
};

/// The level, 0 to steps. Rows in canonical order; where rows are excluded, modes must not be stepwise: then a chain is void
/// if an excluded event lies strictly between the times of two neighbouring steps.
int funnel_level(const FunnelQuery &q, std::span<const EventRow> rows);
/// The same without modes, of rows in the order of time.
int plain_funnel_level(int steps, Micros within, std::span<const PackedRow> rows) noexcept;

/// When the steps of the winning chain were taken: one time per step reached. Of the chains that reach the level first the
/// one that starts last; of those with that start, each step as early as it can be.
Vec<Micros> funnel_times(Arena &a, const FunnelQuery &q, std::span<const EventRow> rows);

/// The most distinct steps within a window, in any order, with no excluded event strictly between the first and the last.
int steps_in_any_order(int steps, Micros within, std::span<const EventRow> rows) noexcept;

/// A histogram of levels: how many reached each step. Counts one that reached `level` of them, or (-1) takes it back.
void count_level(std::span<std::int64_t> reached, int level, int by) noexcept;
/// Adds up two of as many steps.
void add_levels(std::span<std::int64_t> into, std::span<const std::int64_t> from) noexcept;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
