// Who takes a routing row.
// Law: the choice depends on what is known of the candidates, not on their order; nobody gets more than his capacity; every candidate is
// told why, or why not.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/calendar/calendar.hpp"
#include "core/program/program.hpp"

namespace pql {

/// A rep, as far as one decision goes.
struct Candidate {
  std::string_view rep;
  bool active = true, declined = false, in_segment = true, in_territory = true;
  bool breached = false;  ///< the promise of this row was broken while it was his
  bool escalated = false; ///< it is escalated to him
  std::string_view missing_skill;      ///< empty: none
  Micros away_until = kAlways;         ///< not away
  Micros at_work_from = kAlways;       ///< in the time for contact
  bool late = false;                   ///< that is after contact_by
  int open = 0, capacity = -1;         ///< rows at once; -1: no limit
  int this_week = 0, weekly_capacity = -1;
  double weight = 1;   ///< his part in the shares; 0: none
  double deficit = 0;  ///< rows that he is behind what was his share
  std::int64_t seed = 0;
};

enum class Verdict : unsigned char {
  owner,    ///< chosen: the account is his
  chosen,   ///< furthest behind his share
  overflow, ///< chosen, though others would fit better
  escalated, ///< chosen of those to whom it is escalated
  last,     ///< chosen, though he let the promise pass: nobody else can
  passed,   ///< able; another was further behind
  late,     ///< able, but not in time, as others are
  inactive, declined, away, full, full_this_week, no_share, other_territory, other_segment, no_skill,
  yields, ///< able; the account is another's
  breached, ///< able; but he let the promise pass, and others can
  below,  ///< able; it is escalated to others
};
std::string_view name_of(Verdict) noexcept;
constexpr bool takes(Verdict v) noexcept { return v <= Verdict::last; }

struct RouteDecision {
  int chosen = -1;               ///< nobody
  std::vector<Verdict> verdicts; ///< of each candidate
  std::vector<double> gains;     ///< what is to be added to each deficit; their sum is 0
};

/// Those to whom it is escalated first, if one of them is able. Else the owner, if he is; else, of those who fit and are able, whoever is furthest behind his share, in time if anybody is.
/// Who let the row's promise pass gets it again only if nobody else can.
RouteDecision choose(std::span<const Candidate> candidates, std::string_view owner, WhenNobody when_nobody = WhenNobody::wait);

/// A verdict for people: "at capacity, 5 of 5".
std::string reason_of(Verdict verdict, const Candidate &candidate, bool owner);

/// So many rows of one score.
struct Arrivals {
  int score = 0;
  std::int64_t count = 0;
};
/// The score from which on reps can take those who arrived, given the best first and places for so many of them: `enter`, where there
/// are places for all. Of equal scores all are in, and the best always are, though there be no place: they wait for the next one.
int capacity_threshold(std::span<const Arrivals> best_first, std::int64_t places, int enter) noexcept;

/// When contact is to be made: not before `earliest`; kNever where there is no limit, or no working time.
struct ContactWindow {
  Micros after = 0, by = kNever;
};
ContactWindow contact_window(const MotionDef &motion, const Calendar &calendar, Micros signal_at, Micros earliest);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
