// What becomes of a delivery after an attempt: sent, tried again (when), or dead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pql::cli {

/// The header Retry-After: seconds from now, whether it is a number or a date; nothing if it is neither. Never below
/// zero, and a day at the most.
std::optional<double> retry_after_seconds(std::string_view header, std::int64_t now);

enum class Verdict { sent, retry, dead };

/// What an HTTP status says. A 4xx is final, but for timeouts, conflicts, "too early" and "too many"; a redirection
/// that wasn't followed is final.
Verdict verdict_of(long status) noexcept;

/// Do these statuses ask to leave the whole destination alone for as long as Retry-After says?
bool asks_for_a_pause(long status) noexcept;

} // namespace pql::cli
