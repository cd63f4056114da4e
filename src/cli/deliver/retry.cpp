#include "cli/deliver/retry.hpp"

#include <algorithm>
#include <charconv>

#include <curl/curl.h>

#include "cli/base/text.hpp"

namespace pql::cli {
namespace {
constexpr double kDay = 86400;
} // namespace

std::optional<double> retry_after_seconds(std::string_view header, std::int64_t now) {
  header = trimmed(header);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (error == std::errc::result_out_of_range) return kDay;
  if (error == std::errc() && end == header.data() + header.size() && seconds >= 0)
    return std::min(kDay, static_cast<double>(seconds));
  if (header.find(':') == std::string_view::npos) return std::nullopt; // curl_getdate takes numbers for dates, too
  const time_t at = curl_getdate(std::string(header).c_str(), nullptr);
  if (at < 0) return std::nullopt;
  return std::clamp(static_cast<double>(at - now), 0.0, kDay);
}

Verdict verdict_of(long status) noexcept {
  if (status >= 200 && status < 300) return Verdict::sent;
  if (status == 408 || status == 409 || status == 425 || status == 429 || status >= 500 || status < 200)
    return Verdict::retry;
  return Verdict::dead;
}

bool asks_for_a_pause(long status) noexcept { return status == 429 || status == 503; }

} // namespace pql::cli
