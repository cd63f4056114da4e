// Values as a person says them, in the language of the text: rounded, and never more exact than is polite.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/time.hpp"

namespace pql {

enum class Tongue : unsigned char { en, de, fr, es, pt };
inline constexpr std::array<std::string_view, 5> kLanguages = {"en", "de", "fr", "es", "pt"};

/// "three", "about 40", "about 1,200" is 1,200: at most two digits mean something. Nothing for what is no number.
std::optional<std::string> say_number(double number, Tongue tongue);

/// "a day", "three weeks": nothing shorter than a day is said, and not whether it is past. In German as it stands after "seit", "vor" and "in".
std::string say_span(Micros length, Tongue tongue);

struct Day {
  int year, month, day;
};
/// "3 March", and with the year when that is another one than today's.
std::string say_day(Day day, int this_year, Tongue tongue);

/// "a", "a and b", "a, b and c".
std::string say_list(std::span<const std::string> items, Tongue tongue);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
