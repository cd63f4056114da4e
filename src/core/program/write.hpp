// A definition as a document again, and what changed between two of them.
// Law: parse(write(p)) == p, and there are changes exactly where two definitions differ.
#pragma once

#include <string>
#include <vector>

#include "core/program/program.hpp"

namespace pql {

/// The document of a definition, in one form only: short forms as far as there is one, and nothing that goes without saying.
std::string write_program(const ProgramDef &p);

/// What changed, as a person reads it.
struct Change {
  std::string path;   ///< where: "signals.api_calls.max_points"
  std::string change; ///< what: "20 → 25", "added (intent, up to 25 points)", "removed"

  bool operator==(const Change &) const = default;
};

/// What makes the second of two definitions from the first, in the order of the document.
std::vector<Change> diff_programs(const ProgramDef &from, const ProgramDef &to);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
