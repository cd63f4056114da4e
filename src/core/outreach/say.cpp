#include "core/outreach/say.hpp"

#include <cmath>

namespace pql {
namespace {

using Word = std::string_view;

/// A unit of time: one of it, several, and whether the numbers before it are feminine.
struct UnitWords {
  Word one, many;
  bool feminine = false;
};

struct LanguageWords {
  std::array<Word, 13> numbers; ///< empty: in figures, as the gender isn't known
  Word two_feminine, about, conjunction;
  char thousands;
  std::array<UnitWords, 4> units; ///< days, weeks, months, years
  std::array<Word, 12> months;
  Word before_month, before_year;
};

constexpr LanguageWords kWords[] = {
    {{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}, "two", "about ", " and ", ',',
     {{{"a day", " days"}, {"a week", " weeks"}, {"a month", " months"}, {"a year", " years"}}},
     {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}, " ", " "},
    {{"", "", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"}, "zwei", "etwa ", " und ", '.',
     {{{"einem Tag", " Tagen"}, {"einer Woche", " Wochen"}, {"einem Monat", " Monaten"}, {"einem Jahr", " Jahren"}}},
     {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}, ". ", " "},
    {{"", "", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"}, "deux", "environ ", " et ", ' ',
     {{{"un jour", " jours"}, {"une semaine", " semaines"}, {"un mois", " mois"}, {"un an", " ans"}}},
     {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}, " ", " "},
    {{"", "", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"}, "dos", "cerca de ", " y ", '.',
     {{{"un día", " días"}, {"una semana", " semanas"}, {"un mes", " meses"}, {"un año", " años"}}},
     {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"}, " de ", " de "},
    {{"", "", "", "três", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez", "onze", "doze"}, "duas", "cerca de ", " e ", '.',
     {{{"um dia", " dias"}, {"uma semana", " semanas", true}, {"um mês", " meses"}, {"um ano", " anos"}}},
     {"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"}, " de ", " de "}};
static_assert(std::size(kWords) == kLanguages.size());

const LanguageWords &words_of(Tongue l) noexcept { return kWords[static_cast<std::size_t>(l)]; }

std::string figures(std::int64_t n, char thousands) {
  std::string out = std::to_string(n);
  for (std::size_t i = out.size(); i > (n < 0 ? 4u : 3u) && i > 3; i -= 3) out.insert(i - 3, 1, thousands);
  return out;
}

// A number of units, which is at least two.
std::string number_of(std::int64_t n, const UnitWords &unit, const LanguageWords &w) {
  if (n == 2) return std::string(unit.feminine ? w.two_feminine : w.numbers[2].empty() ? Word("dois") : w.numbers[2]);
  if (n < static_cast<std::int64_t>(w.numbers.size())) return std::string(w.numbers[static_cast<std::size_t>(n)]);
  return std::to_string(n);
}

} // namespace

std::optional<std::string> say_number(double number, Tongue tongue) {
  constexpr double kMost = 1e15;
  if (!std::isfinite(number) || std::fabs(number) > kMost) return std::nullopt;
  const LanguageWords &w = words_of(tongue);
  const double whole = std::round(number);
  if (whole >= 0 && whole < static_cast<double>(w.numbers.size())) {
    const Word word = w.numbers[static_cast<std::size_t>(whole)];
    const std::string said = word.empty() ? figures(static_cast<std::int64_t>(whole), w.thousands) : std::string(word);
    return std::fabs(number - whole) < 0.05 ? said : std::string(w.about) + said;
  }
  if (whole < 0 && whole > -static_cast<double>(w.numbers.size())) { // no words for these
    const std::string said = figures(static_cast<std::int64_t>(whole), w.thousands);
    return std::fabs(number - whole) < 0.05 ? said : std::string(w.about) + said;
  }
  const double size = std::floor(std::log10(std::fabs(whole))), step = std::pow(10, std::max(size - 1, std::fabs(whole) < 100 ? 1.0 : 0.0));
  const double rounded = std::round(whole / step) * step;
  const std::string said = figures(static_cast<std::int64_t>(rounded), w.thousands);
  return rounded == number ? said : std::string(w.about) + said;
}

std::string say_span(Micros length, Tongue tongue) {
  const LanguageWords &w = words_of(tongue);
  const double days = std::fabs(static_cast<double>(length)) / static_cast<double>(kDay);
  constexpr double kMonth = 30.4375, kYear = 365.25;
  const auto said = [&](std::size_t unit, double each) {
    const auto n = static_cast<std::int64_t>(std::round(days / each));
    if (n <= 1) return std::string(w.units[unit].one);
    return number_of(n, w.units[unit], w).append(w.units[unit].many);
  };
  if (days < 13.5) return said(0, 1);
  if (days < 26) return said(1, 7);
  if (days < 334) return said(2, kMonth);
  return said(3, kYear);
}

std::string say_day(Day day, int this_year, Tongue tongue) {
  const LanguageWords &w = words_of(tongue);
  std::string out = std::to_string(day.day);
  if (tongue == Tongue::fr && day.day == 1) out += "er";
  out.append(w.before_month).append(w.months[static_cast<std::size_t>(day.month - 1) % 12]);
  return day.year == this_year ? out : out.append(w.before_year).append(std::to_string(day.year));
}

std::string say_list(std::span<const std::string> items, Tongue tongue) {
  std::string out;
  for (std::size_t i = 0; i < items.size(); i++) {
    if (i) out += i + 1 == items.size() ? words_of(tongue).conjunction : Word(", ");
    out += items[i];
  }
  return out;
}

} // namespace pql
