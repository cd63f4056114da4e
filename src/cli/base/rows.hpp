// Rows of a result as JSON.
#pragma once

#include "cli/base/connection.hpp"
#include "cli/base/output.hpp"

namespace pql::cli {

/// A value by its column's type: numbers, booleans and JSON as such, everything else as text, NULL as null.
Json json_value(const Result &result, int row, int column);

/// {"column": value, …}, in the order of the columns.
Json json_row(const Result &result, int row);

/// All rows, as an array.
Json json_rows(const Result &result);

} // namespace pql::cli
