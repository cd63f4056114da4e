// A JSON text as a tree that keeps what checking needs: the order of keys, and keys that are given twice.
// Law: never throws for bad input; depth, size and number of values are bounded before anything is built from them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pql {

struct Json {
  enum class Type : unsigned char { null, boolean, integer, number, string, array, object };
  Type type = Type::null;
  bool flag = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;
  std::string key;         ///< in its object
  std::vector<Json> items; ///< elements of an array, members of an object

  const Json *find(std::string_view member) const noexcept;
};

/// Why a text isn't a usable JSON document: what, in PostgreSQL's style, and what to do about it (may be empty).
struct JsonError {
  std::string problem, hint;
};

/// Reads a whole text. Returns nothing, and fills `error`, when it can't.
std::optional<Json> read_json(std::string_view text, std::size_t max_bytes, int max_depth, JsonError &error);

/// "a string", "a number", …
std::string_view name_of(Json::Type) noexcept;

/// A text between double quotes as it may stand in a message: control characters escaped, cut when long.
std::string quoted(std::string_view text);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
