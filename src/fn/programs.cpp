// What changed between two program documents.
#include "core/program/write.hpp"
#include "pg/srf.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace pql::pg {
namespace {

// Whatever a version of any time may have said.
ProgramDef definition(FunctionCallInfo fcinfo, int argument) {
  ParsedProgram p = parse_program(jsonb_arg(fcinfo, argument), Served::published);
  if (p.problems.empty()) return std::move(p.program);
  const Problem &first = p.problems[0];
  fail(ERRCODE_INVALID_PARAMETER_VALUE, first.path.empty() ? first.problem : first.path + ": " + first.problem, {}, first.hint);
}

// Not every encoding has an arrow.
std::string in_encoding(std::string change) {
  static constexpr std::string_view kArrow = "→";
  if (GetDatabaseEncoding() == PG_UTF8) return change;
  for (std::size_t at; (at = change.find(kArrow)) != std::string::npos;) change.replace(at, kArrow.size(), "->");
  return change;
}

} // namespace
} // namespace pql::pg

PQL_FUNCTION(_diff_documents) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  for (const Change &c : diff_programs(definition(fcinfo, 0), definition(fcinfo, 1))) {
    const std::string change = in_encoding(c.change);
    rows.add({Cell::of(c.path), Cell::of(change)});
  }
  return Datum{0};
}
