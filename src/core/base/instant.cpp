#include "core/base/instant.hpp"

#include <cstdio>

namespace pql {

std::string print_instant(Micros at) {
  if (at == kNever) return "infinity";
  if (at == kAlways) return "-infinity";
  std::int64_t days = at / kDay;
  Micros rest = at % kDay;
  if (rest < 0) {
    rest += kDay;
    days--;
  }
  // Days since 0000-03-01, in years that begin in March (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  const std::int64_t z = days + 730'425;
  const std::int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  const std::int64_t doe = z - era * 146'097;
  const std::int64_t yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
  const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::int64_t mp = (5 * doy + 2) / 153;
  const std::int64_t day = doy - (153 * mp + 2) / 5 + 1;
  const std::int64_t month = mp < 10 ? mp + 3 : mp - 9;
  const std::int64_t year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  char b[64];
  int n = std::snprintf(b, sizeof b, "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld", static_cast<long long>(year),
                        static_cast<long long>(month), static_cast<long long>(day),
                        static_cast<long long>(rest / kHour), static_cast<long long>(rest / kMinute % 60),
                        static_cast<long long>(rest / kSecond % 60));
  std::string out(b, static_cast<std::size_t>(n));
  if (const Micros fraction = rest % kSecond) {
    n = std::snprintf(b, sizeof b, ".%06lld", static_cast<long long>(fraction));
    out.append(b, static_cast<std::size_t>(n));
    while (out.back() == '0') out.pop_back();
  }
  return out + 'Z';
}

} // namespace pql
