// What is written to standard output: for people, tables and colours; with --json, JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace pql::cli {

/// Keys keep the order they were written in.
using Json = nlohmann::ordered_json;

enum class Style { plain, bold, dim, red, green, yellow, blue, cyan };

/// Aligned columns, like psql's.
class Table {
public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// As many cells as there are columns. A cell may hold line feeds, and colours.
  void add(std::vector<std::string> cells);
  bool empty() const noexcept { return rows_.empty(); }
  /// With lines no longer than the width if the columns that hold text can be wrapped to it; a width of 0 wraps
  /// nothing.
  std::string text(std::size_t width, bool colour = false) const;

private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Standard output. Nothing but this writes to it.
class Output {
public:
  bool json = false;  ///< --json was given
  bool quiet = false; ///< --quiet was given
  /// Is there a terminal, and no NO_COLOR?
  bool colour() const noexcept;

  /// One JSON document (the whole answer), or one JSON line of a stream.
  void document(const Json &value) const;
  void json_line(const Json &value) const;

  void line(std::string_view text) const;
  void table(const Table &table) const;
  std::string styled(Style style, std::string_view text) const;

  /// A remark to standard error, unless --quiet.
  void remark(std::string_view text) const;
};

/// The text in a style, whatever the stream.
std::string painted(Style style, std::string_view text);

/// Text broken into lines no wider than that, at blanks if possible.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

} // namespace pql::cli
