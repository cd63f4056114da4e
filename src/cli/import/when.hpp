// Times as files have them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pql::cli {

/// What a time without a zone means.
enum class Zoneless {
  refused, ///< nobody said
  utc,     ///< the format says so
  session  ///< --timezone says so: the database reads it
};

/// A time as PostgreSQL reads it ("2026-03-02 10:11:12.5+00"), from ISO 8601, or from seconds, milliseconds or
/// microseconds since 1970 (by their size). Nothing if it can't be read; `why` then says what is wrong.
std::optional<std::string> read_time(std::string_view text, Zoneless zoneless, std::string &why);

/// Seconds since 1970 as PostgreSQL reads them.
std::string epoch_text(long long micros);

} // namespace pql::cli
