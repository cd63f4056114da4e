// Time as the product knows it: whole microseconds, and lengths of time that are always the same length.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace pql {

/// Microseconds since 2000-01-01 UTC (PostgreSQL's timestamptz), or a length in microseconds.
using Micros = std::int64_t;

/// What times are in SQL: timestamptz; timestamp, taken as if it were UTC; or bigint, a number of whatever unit, in which
/// lengths are, too.
enum class Times : std::uint8_t { instants, timestamps, numbers };

inline constexpr Micros kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
inline constexpr Micros kNever = std::numeric_limits<Micros>::max();    // 'infinity'
inline constexpr Micros kAlways = std::numeric_limits<Micros>::min();   // '-infinity'

inline constexpr bool finite(Micros t) noexcept { return t != kNever && t != kAlways; }

/// Parses "90 seconds", "30 minutes", "36 hours", "7 days", "2 weeks", sums of them ("1 day 12 hours"), and "0".
/// A day is 24 hours. Returns nothing for anything else; `why` then says what is wrong in one sentence without a full stop
/// (months and years are refused by name, because they have no fixed length).
std::optional<Micros> parse_length(std::string_view text, std::string *why = nullptr);

/// The length as a person writes it: "7 days", "1 hour 30 minutes", "0 seconds". parse_length reads it back.
std::string print_length(Micros length);

} // namespace pql
