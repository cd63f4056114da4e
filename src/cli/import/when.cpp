#include "cli/import/when.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "cli/base/text.hpp"

namespace pql::cli {
namespace {

constexpr long long kSecond = 1'000'000;
constexpr long long kDay = 86'400 * kSecond;

struct Date {
  long long year;
  int month, day;
};

bool leap(long long y) noexcept { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; }

int days_in(long long year, int month) noexcept {
  static constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year) ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

// Howard Hinnant's civil_from_days.
Date date_of(long long days) noexcept {
  days += 719468;
  const long long era = (days >= 0 ? days : days - 146096) / 146097;
  const long long doe = days - era * 146097;
  const long long yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const long long doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const long long mp = (5 * doy + 2) / 153;
  const int month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  return {yoe + era * 400 + (month <= 2), month, static_cast<int>(doy - (153 * mp + 2) / 5 + 1)};
}

// Reads digits from the front of the text.
struct Scanner {
  std::string_view rest;

  bool digits(int n, int &value) noexcept {
    if (rest.size() < static_cast<std::size_t>(n)) return false;
    value = 0;
    for (int i = 0; i < n; i++) {
      const char c = rest[static_cast<std::size_t>(i)];
      if (c < '0' || c > '9') return false;
      value = value * 10 + (c - '0');
    }
    rest.remove_prefix(static_cast<std::size_t>(n));
    return true;
  }
  bool take(char c) noexcept {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
};

bool is_number(std::string_view text) noexcept {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  bool point = false, digit = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      digit = true;
    } else {
      return false;
    }
  }
  return digit;
}

// 20240131: as seconds it would be a day of 1970, of which nobody has events.
bool is_basic_date(std::string_view text) noexcept {
  if (text.size() != 8 || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  int year = 0, month = 0, day = 0;
  std::from_chars(text.data(), text.data() + 4, year);
  std::from_chars(text.data() + 4, text.data() + 6, month);
  std::from_chars(text.data() + 6, text.data() + 8, day);
  return year >= 1990 && year < 2100 && std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)), std::chrono::day(static_cast<unsigned>(day))).ok();
}

std::string dashed(std::string_view date) {
  return std::string(date.substr(0, 4)).append("-").append(date.substr(4, 2)).append("-").append(date.substr(6));
}

std::optional<std::string> epoch(std::string_view text, std::string &why) {
  long double x = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), x);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    why = "can't read the time \"" + std::string(text) + "\"";
    return std::nullopt;
  }
  const long double size = x < 0 ? -x : x;
  // Seconds reach 1e11 in the year 5138, milliseconds in 1973: what is larger is finer.
  const long double micros = size < 1e11L ? x * 1e6L : size < 1e14L ? x * 1e3L : x;
  if (size >= 1e17L) {
    why = "the time " + std::string(text) + " is too large for microseconds since 1970";
    return std::nullopt;
  }
  return epoch_text(static_cast<long long>(micros < 0 ? micros - 0.5L : micros + 0.5L));
}

} // namespace

std::string epoch_text(long long micros) {
  const long long days = micros >= 0 ? micros / kDay : -((-micros + kDay - 1) / kDay), left = micros - days * kDay;
  const Date d = date_of(days);
  char text[64];
  std::snprintf(text, sizeof text, "%04lld-%02d-%02d %02lld:%02lld:%02lld.%06lld+00", d.year, d.month, d.day,
                left / (3600 * kSecond), left / (60 * kSecond) % 60, left / kSecond % 60, left % kSecond);
  return text;
}

std::optional<std::string> read_time(std::string_view text, Zoneless zoneless, std::string &why) {
  text = trimmed(text);
  if (text.empty()) {
    why = "no time";
    return std::nullopt;
  }
  std::string with_dashes;
  if (is_basic_date(text)) text = with_dashes = dashed(text);
  if (is_number(text)) return epoch(text, why);

  const auto bad = [&](const char *what) {
    why = std::string(what) + " \"" + std::string(text.substr(0, 60)) + "\"";
    return std::nullopt;
  };
  Scanner s{text};
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, zone_hour = 0, zone_minute = 0;
  if (!s.digits(4, year) || !s.take('-') || !s.digits(2, month) || !s.take('-') || !s.digits(2, day))
    return bad("can't read the time");
  std::string fraction;
  if (!s.rest.empty() && (s.take('T') || s.take('t') || s.take(' '))) {
    if (!s.digits(2, hour) || !s.take(':') || !s.digits(2, minute)) return bad("can't read the time");
    if (s.take(':')) {
      if (!s.digits(2, second)) return bad("can't read the time");
      if (s.take('.') || s.take(',')) {
        for (int digit = 0; s.digits(1, digit);) fraction += static_cast<char>('0' + digit);
        if (fraction.empty()) return bad("can't read the time");
      }
    }
  }
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in(year, month) || hour > 24 || minute > 59 ||
      second > 60 || (hour == 24 && (minute || second)))
    return bad("there is no such time:");

  while (s.take(' ')) {
  }
  std::string zone;
  if (s.rest == "Z" || s.rest == "z" || s.rest == "UTC" || s.rest == "GMT") {
    zone = "+00";
  } else if (!s.rest.empty()) {
    const char sign = s.rest.front();
    if ((sign != '+' && sign != '-') || !s.take(sign) || !s.digits(2, zone_hour))
      return bad("can't read the zone of the time");
    if (!s.rest.empty() && ((s.take(':'), false) || !s.digits(2, zone_minute) || !s.rest.empty()))
      return bad("can't read the zone of the time");
    if (zone_hour > 15 || zone_minute > 59) return bad("there is no such zone:");
    char offset[32];
    std::snprintf(offset, sizeof offset, "%c%02d:%02d", sign, zone_hour, zone_minute);
    zone = offset;
  } else if (zoneless == Zoneless::refused) {
    return bad("the time has no zone (--timezone says which):");
  } else if (zoneless == Zoneless::utc) {
    zone = "+00";
  }
  char stamp[96];
  std::snprintf(stamp, sizeof stamp, "%04d-%02d-%02d %02d:%02d:%02d", year, month, day, hour, minute, second);
  return stamp + (fraction.empty() ? "" : "." + fraction.substr(0, 6)) + zone;
}

} // namespace pql::cli
