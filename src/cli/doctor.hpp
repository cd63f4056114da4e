// pqlctl doctor: what is wrong with an installation, from the connection to pql.health, and how to mend it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pql::cli {

/// Something that was looked at.
struct Finding {
  std::string check, status; ///< status: ok, warning, error
  std::string what, detail, hint;
};

/// Whether a hint may be run without thinking: it loses nothing, changes no definition, and can be run again.
bool is_safe_to_run(std::string_view statement);

/// What pqlctl itself is told of by three versions: its own, the extension's, and the one on disk ("" for none).
std::vector<Finding> version_findings(std::string_view mine, std::string_view installed, std::string_view available);

} // namespace pql::cli
