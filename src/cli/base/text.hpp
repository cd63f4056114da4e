// Numbers, spans and sizes as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pql::cli {

/// 1234567 is "1,234,567".
std::string grouped(std::int64_t number);

/// "12 rows", "1 row".
std::string counted(std::int64_t number, std::string_view one, std::string_view many);

/// Bytes: "512 B", "1.5 kB", "3.2 GB" (powers of 1000).
std::string size_text(double bytes);

/// Seconds: "0.4 s", "12 s", "3 min 05 s", "2 h 07 min", "4 d 3 h".
std::string span_text(double seconds);

/// Something each second: "940/s", "81.3k/s", "1.2M/s".
std::string rate_text(double per_second);

/// Without blanks at both ends.
std::string_view trimmed(std::string_view text) noexcept;

/// ASCII letters made small.
std::string lowered(std::string_view text);

/// Is the text UTF-8 without a NUL byte, as PostgreSQL wants it? Says what isn't, or nullptr.
const char *text_problem(std::string_view text) noexcept;

/// Somebody else's words in one line of at most so many bytes; they may be anything, and what is no UTF-8 becomes
/// question marks.
std::string one_line(std::string_view text, std::size_t most);

/// Text in HTML, attributes included; what no document may hold is replaced.
std::string html_text(std::string_view text);

} // namespace pql::cli
