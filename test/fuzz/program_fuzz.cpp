// Any bytes as a program document.
// Law: never crashes; messages keep their style; a document that is right, written again from what was read, is equal.
#include "core/program/program.hpp"

#include <cstdint>
#include <cstdlib>

#include <nlohmann/json.hpp>

namespace {

using nlohmann::ordered_json;

void require(bool holds) {
  if (!holds) std::abort();
}

void put(ordered_json &to, const char *key, const std::string &text) {
  if (!text.empty()) to[key] = text;
}

ordered_json write(const pql::SignalDef &s) {
  ordered_json j = {{"kind", name_of(s.kind)}, {"max_points", s.max_points}};
  if (s.measure == pql::Measure::activation)
    j["milestone"] = pql::kActivationComplete;
  else if (s.measure == pql::Measure::milestone)
    j["milestone"] = s.milestone;
  else {
    j["measure"] = name_of(s.measure);
    j["half_life"] = pql::print_length(s.half_life);
    if (s.points_each > 0) j["points_each"] = s.points_each;
    if (s.saturates_at > 0) j["saturates_at"] = s.saturates_at;
    if (s.half_saturation > 0) j["half_saturation"] = s.half_saturation;
  }
  put(j, "event", s.event);
  put(j, "where", s.where);
  put(j, "of", s.of);
  put(j, "why", s.why);
  put(j, "owner", s.owner);
  put(j, "false_positive_risk", s.false_positive_risk);
  j["may_score"] = s.may_score;
  j["may_show_rep"] = s.may_show_rep;
  j["may_mention"] = s.may_mention;
  return j;
}

std::string write(const pql::ProgramDef &p) {
  ordered_json j = {{"program", p.name}, {"unit", name_of(p.unit)}, {"objective", p.objective}};
  put(j, "description", p.description);
  for (const pql::MilestoneDef &m : p.milestones) {
    j["milestones"][m.name]["event"] = m.event;
    put(j["milestones"][m.name], "where", m.where);
  }
  if (p.activation) {
    j["activation"] = {{"steps", p.activation->steps},
                       {"order", p.activation->in_order ? "in_order" : "any_order"},
                       {"within", pql::print_length(p.activation->within)}};
  }
  for (const pql::SignalDef &s : p.signals) j["signals"][s.name] = write(s);
  j["qualify"] = {{"enter", p.qualify.enter}, {"leave", p.qualify.leave}};
  const pql::MotionDef &m = p.motions.back();
  ordered_json motion = {{"otherwise", true}, {"motion", m.motion}, {"after", pql::print_length(m.after)}};
  if (m.by) motion["by"] = pql::print_length(m.by);
  put(motion, "next_best_action", m.next_best_action);
  j["motions"] = ordered_json::array({motion});
  return j.dump();
}

// What isn't UTF-8 is dropped when it is written.
bool valid_utf8(const std::string &text) {
  const std::string written = ordered_json(text).dump(-1, ' ', false, ordered_json::error_handler_t::ignore);
  return ordered_json::parse(written) == text;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  const pql::ParsedProgram read = pql::parse_program(text);
  for (const pql::Problem &p : read.problems) {
    require(!p.problem.empty() && p.problem.back() != '.');
    require(p.hint.empty() || p.hint.back() == '.');
    require(valid_utf8(p.path) && valid_utf8(p.problem) && valid_utf8(p.hint));
  }
  if (!read.problems.empty()) return 0;
  require(pql::parse_program(text).program == read.program);
  const pql::ParsedProgram again = pql::parse_program(write(read.program));
  require(again.problems.empty() && again.program == read.program);
  return 0;
}
