// Patterns over the events of one subject: sequence_match, sequence_count, sequence_events.
//
//   (?1)  an event for which condition 1 holds     .  any event     .*  any number of events
//   ^  the first event comes next (only at the beginning)              $  it was the last event (only at the end)
//   (?t<=7d)  the time since the element before, up to the next event: < <= == != >= >. A number without a unit is seconds
//             (where times are numbers, there are no units); several in a row must all hold, of the same event.
//
// Otherwise a pattern may begin and end anywhere. An event serves one element; events without a condition are not seen.
// Law: exact, without a limit on steps and without backtracking: the work is the events times the elements.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/sequence/events.hpp"

namespace pql {

/// What lies between two elements: first times, or any number of events.
struct PatternLink {
  bool any = false;            ///< .*
  Micros least = 0;            ///< otherwise: the time since the element before must not be less
  Micros most = kNever;        ///< nor more
  bool may_end = false;        ///< at the end of all events there need be no next one
  bool unequal = false;        ///< the time must not be `least`: such links follow that of the other times, rising
};

struct PatternElement {
  int condition = -1;          ///< 0 to 31; -1: any event
  bool takes = true;           ///< false: only looks at the event (ClickHouse's base of times after .*)
  std::uint32_t link = 0, links = 0; ///< which of Pattern::links come after it: the first, and how many
};

struct Pattern {
  Vec<PatternElement> elements;
  Vec<PatternLink> links;      ///< of the first element, then of the second ...
  bool may_be_empty = false;   ///< matches where there are no events
  bool at_start = false, at_end = false; ///< the first element takes the first event, the last one the last
};

struct PatternProblem {
  std::size_t position = 0; ///< counted in characters, from 1
  std::string problem;      ///< one sentence without a full stop
};

/// Where the time of (?t...) counts from after .*: from the last element that took an event, or, as in ClickHouse, from the
/// first event that the .* left.
enum class TimeBase { element, clickhouse };

std::optional<Pattern> parse_pattern(Arena &a, std::string_view text, int conditions, TimeBase base, PatternProblem *why,
                                      Times times = Times::instants);

struct PatternQuery {
  const Pattern &pattern;
  Micros within = kNever; ///< the most between the first event that the pattern takes and the last
  Poll poll = nullptr;
};

/// Rows in canonical order, all with a condition (with_steps). Memory: some bytes for each event, and for which() for each
/// event and element.
bool pattern_matches(Arena &a, const PatternQuery &q, std::span<const EventRow> rows);
/// Matches that do not overlap: the leftmost, in it each element as early as it can be, and so on after its end.
std::int64_t pattern_count(Arena &a, const PatternQuery &q, std::span<const EventRow> rows);

enum class Which { first, last, longest };

/// When the elements (?N) matched: in the first or last match of those counted, or in the longest beginning of the pattern
/// that matches, up to such an element (of several the leftmost, whether the rest matches as well or not).
Vec<Micros> pattern_times(Arena &a, const PatternQuery &q, Which which, std::span<const EventRow> rows);

/// A chain of neighbouring events, and the one after it (before it, when going backward).
struct NextQuery {
  enum class Base { head, tail, first_match, last_match };
  std::span<const int> chain; ///< conditions, from the base on; not empty
  bool forward = true;
  Base base = Base::first_match; ///< *_match: the first or last event for which the first condition holds
};

/// All rows count, those without a condition as well. Nothing: the chain isn't there, or there is no event after it.
std::optional<EventRow> next_event(const NextQuery &q, std::span<const EventRow> rows) noexcept;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
