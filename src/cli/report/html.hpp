// HTML and SVG as text: escaped, with positions in percent, so that drawings get wider and narrower without their
// letters getting larger or smaller. Law: nothing that comes from outside reaches a page but through html_text().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pql::cli::report {

/// "1,234", "38 %", "3.2", "12.5 h" or "2.1 d"; "–" for nothing.
std::string number(double n);
std::string percent(std::optional<double> share);
std::string decimal(std::optional<double> x, int digits = 1);
std::string hours(std::optional<double> h);

/// A table: the first column names its rows, the others are right-aligned if they are numbers.
struct TableData {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<bool> numbers; ///< by column; missing: text
};
std::string table(const std::string &caption, const TableData &data);

struct Bar {
  std::string label, value; ///< value: what stands at the right
  double share = 0;         ///< of the width, from 0 to 1
  std::string kind;         ///< class of its colour: "", "good", "bad", "quiet"
};
/// Bars below one another.
std::string bars(const std::string &id, const std::string &title, const std::string &description,
                 const std::vector<Bar> &rows);

struct Span {
  std::string label, value;
  std::optional<double> at; ///< the estimate
  double low = 0, high = 0; ///< its bounds; all from 0 to 1
  std::string kind;
};
/// Estimates with their intervals, below one another, and a line to compare with.
std::string spans(const std::string &id, const std::string &title, const std::string &description,
                  const std::vector<Span> &rows, std::optional<double> line, const std::string &line_label);

struct Column {
  std::string label;
  std::vector<double> parts; ///< each within the one before, from 0 to 1
};
/// Columns side by side; the highest has the label of the top.
std::string columns(const std::string &id, const std::string &title, const std::string &description,
                    const std::vector<Column> &all, const std::string &top);

/// Colours and words, for what has several.
std::string legend(const std::vector<std::string> &words);

/// The whole document.
std::string page(const std::string &title, const std::string &body);

} // namespace pql::cli::report
