// Arguments in, rows out: the take and give of set-returning functions.
#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "pg/boundary.hpp"

namespace pql::pg {

/// Integers by name.
using NamedNumbers = std::vector<std::pair<std::string_view, int>>;

/// One value of a result row. Views need to live until the row is added.
struct Cell {
  enum class Type : unsigned char { null, ready, text, jsonb, int2, int4, int8, boolean, float8, time, bytes, length, texts, numbers };
  Type type = Type::null;
  std::string_view text;
  std::int64_t number = 0;
  double real = 0;
  const std::vector<std::string> *list = nullptr;
  const NamedNumbers *numbers = nullptr;

  static Cell null() { return {}; }
  static Cell of(std::string_view s) { return {Type::text, s, 0, 0, nullptr}; }
  static Cell of(const std::string &s) { return of(std::string_view(s)); }
  static Cell of(const char *s) { return of(std::string_view(s)); }
  /// A value as PostgreSQL has it.
  static Cell ready(Datum d) { return {Type::ready, {}, static_cast<std::int64_t>(d), 0, nullptr}; }
  static Cell json(std::string_view s) { return {Type::jsonb, s, 0, 0, nullptr}; }
  static Cell of(bool b) { return {Type::boolean, {}, b, 0, nullptr}; }
  static Cell of(int v) { return {Type::int4, {}, v, 0, nullptr}; }
  static Cell small(int v) { return {Type::int2, {}, v, 0, nullptr}; }
  static Cell of(std::int64_t v) { return {Type::int8, {}, v, 0, nullptr}; }
  static Cell of(double v) { return {Type::float8, {}, 0, v, nullptr}; }
  static Cell time(Micros t) { return {Type::time, {}, t, 0, nullptr}; }
  static Cell time_or_null(Micros t) { return finite(t) ? time(t) : null(); }
  static Cell length(Micros t) { return {Type::length, {}, t, 0, nullptr}; }
  static Cell bytes(std::string_view s) { return {Type::bytes, s, 0, 0, nullptr}; }
  /// A jsonb object of integers.
  static Cell of(const NamedNumbers &v) { return {Type::numbers, {}, 0, 0, nullptr, &v}; }
  static Cell of(const std::vector<std::string> &v) { return {Type::texts, {}, 0, 0, &v}; }
};

/// The rows of a set-returning function, materialised.
class ResultRows {
public:
  explicit ResultRows(FunctionCallInfo fcinfo);
  void add(std::initializer_list<Cell> cells);

private:
  ReturnSetInfo *info_;
  MemoryContext memory_;
};

/// A jsonb object of integers. Call inside call().
Datum jsonb_of(const NamedNumbers &all);

/// A text argument as a string. Not for NULL.
std::string text_arg(FunctionCallInfo fcinfo, int n);
/// A jsonb argument as JSON text. Not for NULL.
std::string jsonb_arg(FunctionCallInfo fcinfo, int n);
/// A bytea argument's bytes, valid during the call. Not for NULL.
std::string_view bytes_arg(FunctionCallInfo fcinfo, int n);
/// The elements of a bytea[] argument, without those that are null, valid during the call. Not for NULL.
std::vector<std::string_view> bytes_array_arg(FunctionCallInfo fcinfo, int n);
/// The same of a text[].
std::vector<std::string_view> text_array_arg(FunctionCallInfo fcinfo, int n);

} // namespace pql::pg
