// Working hours and lengths of working time, as people write them.
// Law: never throws for bad input; says what is wrong, and how it is written.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"
#include "core/calendar/calendar.hpp"

namespace pql {

/// In which time a length is counted.
enum class Counted : unsigned char { always, working_hours, working_days };

/// A length of time: 24 hours a day, or of working time; whole days of that are days of 24 hours here.
struct Length {
  Micros micros = 0;
  Counted counted = Counted::always;
  bool operator==(const Length &) const = default;
};

/// Whether a text is about working time, right or wrong.
bool is_working_time(std::string_view text) noexcept;
/// Reads "4 working hours", "90 working minutes", "3 working days" (or "business"), and whatever parse_length reads.
std::optional<Length> parse_working_length(std::string_view text, std::string *why = nullptr);
std::string print_length(const Length &length);

/// When so much has passed since t, by a calendar. Working time ends when work does, not when it begins again.
Micros add(const Calendar &calendar, Micros t, const Length &length) noexcept;

/// What is left of a week, in order, when blocks of it are taken away. They may overlap, and one of Sunday may go on into Monday.
std::vector<WorkBlock> rest_of_week(std::vector<WorkBlock> taken);

/// The days as documents name them, from Monday.
inline constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/// Reads "21:00-08:00": from a time of day until another, of the next day where that isn't later. In minutes since midnight.
std::optional<WorkBlock> parse_times(std::string_view text) noexcept;

/// Why working hours can't be read; empty when they can.
struct HoursProblem {
  std::string problem, hint;
};

/// Reads {"mon": ["09:00-12:30", "13:30-17:00"], ...} (JSON). Days that aren't there are closed.
std::vector<WorkBlock> parse_hours(std::string_view json, HoursProblem &problem);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
