// The words of the document, and which of them a parser takes.
// Law: each word stands in one table; what the schema describes, what is read and what is written are compared with it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/program/fields.hpp"
#include "core/program/program.hpp"

namespace pql {

inline constexpr std::array<std::string_view, 3> kUnits = {"user", "account", "workspace"};
inline constexpr std::array<std::string_view, 6> kKinds = {"activation", "depth", "breadth", "fit", "intent", "risk"};
inline constexpr std::array<std::string_view, 14> kMeasures = {
    "count",   "sum",     "milestone",       "activation",   "distinct_users", "active_days", "streak",
    "recency", "pattern", "time_in_product", "success_rate", "growth",         "value",       "flag"};
inline constexpr std::array<std::string_view, 2> kObjectives = {"conversion", "expansion"};
inline constexpr std::array<std::string_view, 2> kOrders = {"in_order", "any_order"};
inline constexpr std::array<std::string_view, 3> kRisks = {"low", "medium", "high"};
inline constexpr std::array<std::string_view, 4> kRepeats = {"each", "once", "per_day", "capped"};
/// Motions, then what else an example may expect.
inline constexpr std::array<std::string_view, 10> kExpectations = {
    "none",       "in_app",             "email",            "inside_sales", "account_executive",
    "enterprise", "solutions_engineer", "customer_success", "qualified",    "not_qualified"};
inline constexpr Words kMotions = Words(kExpectations).first(8);
/// Those that need no rep.
inline constexpr Words kUnstaffed = Words(kExpectations).first(3);
/// In the order of WhenNobody.
inline constexpr std::array<std::string_view, 2> kOnBreach = {"reassign", "escalate"};
inline constexpr std::array<std::string_view, 3> kEscalateTo = {"rep", "team", "skill"};
inline constexpr std::array<std::string_view, 3> kWhenNobody = {"wait", "overflow", "downgrade"};
/// In the order of Consent.
inline constexpr std::array<std::string_view, 2> kConsents = {"opt_out", "opt_in"};
/// In the order of Exempt.
inline constexpr std::array<std::string_view, 2> kExempts = {"named_accounts", "explicit_requests"};
/// In the order of VariableType.
inline constexpr std::array<std::string_view, 6> kVariableTypes = {"text", "number", "since", "until", "date", "list"};
/// At most one of them.
inline constexpr std::array<std::string_view, 4> kCurves = {"points_each", "saturates_at", "half_saturation", "over"};
/// What rules know by these names, so that no measure may have one.
inline constexpr std::array<std::string_view, 13> kReserved = {
    "score", "users_active", "as_of", "attr", "account", "fact", "history", "signal", "points", "kind", "milestone", "event", "props"};

/// The kinds of objects, in the order of sections().
enum class At : unsigned char {
  program, milestone, activation, measure, signal, qualify, at_least, motion, guardrail, example, limits, play,
  contact, hold, not_within, quiet_hours, quiet_days, escalate_to, known,
  outreach, outreach_template, variable, stop, outcome, worked
};

/// The language, whole or without what isn't served.
class Language {
public:
  explicit Language(Served served);

  const Section &section(At at) const noexcept { return sections_[static_cast<std::size_t>(at)]; }
  Words measures() const noexcept { return measures_; }
  Words planned_measures() const noexcept { return planned_measures_; }
  /// Whether a use of what is served otherwise is served, too.
  bool serves(std::string_view use) const noexcept;

private:
  struct Keys {
    std::vector<std::string_view> served, planned;
  };
  Served served_;
  std::vector<Keys> keys_;
  std::vector<Section> sections_;
  std::vector<std::string_view> measures_, planned_measures_;
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
