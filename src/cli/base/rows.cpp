#include "cli/base/rows.hpp"

#include <cmath>

namespace pql::cli {
namespace {

// Types whose OIDs are fixed (pg_type.dat).
enum : unsigned {
  kBool = 16,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kNumeric = 1700,
  kJsonb = 3802
};

} // namespace

Json json_value(const Result &result, int row, int column) {
  if (result.null(row, column)) return nullptr;
  const std::string_view text = result.text(row, column);
  switch (result.type(column)) {
  case kBool:
    return text == "t";
  case kInt2:
  case kInt4:
  case kInt8:
    return result.integer(row, column);
  case kFloat4:
  case kFloat8:
  case kNumeric: {
    const double x = result.real(row, column);
    return std::isfinite(x) ? Json(x) : Json(text); // JSON has no infinity
  }
  case kJson:
  case kJsonb:
    return Json::parse(text);
  default:
    return text;
  }
}

Json json_row(const Result &result, int row) {
  Json made = Json::object();
  for (int c = 0; c < result.columns(); c++) made[std::string(result.name(c))] = json_value(result, row, c);
  return made;
}

Json json_rows(const Result &result) {
  Json made = Json::array();
  for (int r = 0; r < result.rows(); r++) made.push_back(json_row(result, r));
  return made;
}

} // namespace pql::cli
