// Any bytes as a program document.
// Law: never crashes; messages keep their style; a document that is right, written again from what was read, is equal; and
// what is served is a part of the language.
#include "core/program/write.hpp"

#include <cstdint>
#include <cstdlib>

#include <nlohmann/json.hpp>

namespace {

using nlohmann::ordered_json;

void require(bool holds) {
  if (!holds) std::abort();
}

// What isn't UTF-8 is dropped when it is written.
bool valid_utf8(const std::string &text) {
  const std::string written = ordered_json(text).dump(-1, ' ', false, ordered_json::error_handler_t::ignore);
  return ordered_json::parse(written) == text;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  const pql::ParsedProgram read = pql::parse_program(text, pql::Served::all), now = pql::parse_program(text);
  for (const std::vector<pql::Problem> *problems : {&read.problems, &now.problems}) {
    for (const pql::Problem &p : *problems) {
      require(!p.problem.empty() && p.problem.back() != '.');
      require(p.hint.empty() || p.hint.back() == '.');
      require(valid_utf8(p.path) && valid_utf8(p.problem) && valid_utf8(p.hint));
    }
  }
  require(!now.problems.empty() || (read.problems.empty() && now.program == read.program));
  if (!read.problems.empty()) return 0;
  require(pql::parse_program(text, pql::Served::all).program == read.program);
  const pql::ParsedProgram again = pql::parse_program(pql::write_program(read.program), pql::Served::all);
  require(again.problems.empty() && again.program == read.program);
  require(pql::diff_programs(read.program, again.program).empty());
  pql::ProgramDef other = read.program;
  other.signals[size % other.signals.size()].max_points ^= 1;
  require(pql::diff_programs(read.program, other).size() == 1);
  return 0;
}
