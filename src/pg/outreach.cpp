#include "core/outreach/render.hpp"
#include "pg/outreach.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "pg/attributes.hpp"

namespace pql::pg {
namespace {

struct Column {
  Unit unit;
  const AttributeColumn *column; ///< null: there is none
};

Column column_of(const Definitions &plan, const ProgramDef &p, const SourceDef &source) {
  const Unit unit = source.of == SourceDef::Of::account ? Unit::account : p.unit;
  const std::vector<AttributeColumn> &all = plan.attributes(unit);
  const auto at = std::find_if(all.begin(), all.end(), [&](const AttributeColumn &c) { return c.name == source.name; });
  return {unit, at == all.end() ? nullptr : &*at};
}

bool is_attribute(const std::optional<SourceDef> &s) noexcept { return s && s->of <= SourceDef::Of::account; }

bool fits(VariableType wanted, Oid type) noexcept {
  switch (wanted) {
  case VariableType::number:
    return type == INT2OID || type == INT4OID || type == INT8OID || type == FLOAT4OID || type == FLOAT8OID || type == NUMERICOID;
  case VariableType::since:
  case VariableType::until:
  case VariableType::date: return type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID;
  default: return true;
  }
}

// "2026-03-04"; nothing for what isn't of that form.
std::optional<Day> day_of(const std::string &text) {
  Day d{};
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d", &d.year, &d.month, &d.day) != 3 || d.month < 1 || d.month > 12) return std::nullopt;
  return d;
}

} // namespace

void check_outreach(const Definitions &plan, const ProgramDef &p, std::vector<Problem> &problems) {
  if (!p.outreach) return;
  for (std::size_t i = 0; i < p.outreach->may_mention.size(); i++) {
    const std::string &name = p.outreach->may_mention[i];
    const std::optional<SourceDef> source = source_of(name);
    if (!is_attribute(source)) continue;
    const Column c = column_of(plan, p, *source);
    if (c.column) continue;
    const std::string unit(name_of(c.unit)), path = "outreach.may_mention[" + std::to_string(i) + "]";
    if (plan.attributes(c.unit).empty())
      problems.push_back({path, "no table of " + unit + "s is attached", "Attach it by pql.attach_" + unit + "s('" + unit + "s', " + unit + "_id => 'id')."});
    else
      problems.push_back({path, name + " is no column of the table of " + unit + "s", "View pql.attribute_sources has those that there are."});
  }
  for (const TemplateDef &t : p.outreach->templates) {
    for (const VariableDef &v : t.variables) {
      const std::optional<SourceDef> source = source_of(v.from);
      if (!is_attribute(source)) continue;
      const Column c = column_of(plan, p, *source);
      if (!c.column || fits(v.type, c.column->type)) continue;
      problems.push_back({"outreach.templates." + t.name + ".variables." + v.name + ".type",
                          v.from + " is no " + (v.type == VariableType::number ? "number" : "date or timestamp"), "Write \"text\", or say another column."});
    }
  }
}

std::set<AttributeName> attributes_mentioned(const Definitions &plan, const ProgramDef &p) {
  std::set<AttributeName> out;
  if (!p.outreach) return out;
  for (const std::string &name : p.outreach->may_mention) {
    const std::optional<SourceDef> source = source_of(name);
    if (!is_attribute(source)) continue;
    if (const Column c = column_of(plan, p, *source); c.column) out.insert({c.unit, c.column->name});
  }
  return out;
}

std::map<std::string, Given> given_of(const std::string &values) {
  using nlohmann::json;
  std::map<std::string, Given> out;
  const json all = json::parse(values, nullptr, false);
  if (!all.is_object()) return out;
  for (const auto &[name, j] : all.items()) {
    Given &g = out[name];
    if (j.contains("texts") && j["texts"].is_array()) {
      for (const json &t : j["texts"]) {
        if (t.is_string()) g.texts.push_back(t.get<std::string>());
      }
    }
    if (j.contains("number") && j["number"].is_number()) g.number = j["number"].get<double>();
    if (j.contains("seconds") && j["seconds"].is_number()) {
      constexpr double kMost = 1e11;
      const double seconds = j["seconds"].get<double>();
      if (seconds > -kMost && seconds < kMost) g.span = static_cast<Micros>(seconds) * kSecond;
    }
    if (j.contains("day") && j["day"].is_string()) g.day = day_of(j["day"].get<std::string>());
  }
  return out;
}

} // namespace pql::pg
