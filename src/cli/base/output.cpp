#include "cli/base/output.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "cli/base/failure.hpp"
#include "cli/base/terminal.hpp"

namespace pql::cli {
namespace {

const char *escape_of(Style style) noexcept {
  switch (style) {
  case Style::plain:
    return "";
  case Style::bold:
    return "\033[1m";
  case Style::dim:
    return "\033[2m";
  case Style::red:
    return "\033[31m";
  case Style::green:
    return "\033[32m";
  case Style::yellow:
    return "\033[33m";
  case Style::blue:
    return "\033[34m";
  case Style::cyan:
    return "\033[36m";
  }
  return "";
}

void put(std::string_view text) {
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!whole || std::fflush(stdout) != 0) throw Failure(Exit::usage, "standard output can't be written");
}

std::string padded(const std::string &cell, std::size_t width, Table::Align align) {
  const std::size_t taken = display_width(cell);
  const std::string blanks(width > taken ? width - taken : 0, ' ');
  return align == Table::Align::right ? blanks + cell : cell + blanks;
}

std::vector<std::string> lines_of(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    const std::string_view one = text.substr(0, end);
    if (width == 0) {
      lines.emplace_back(one);
    } else {
      for (std::string &l : wrapped(one, width)) lines.push_back(std::move(l));
    }
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

} // namespace

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  while (display_width(text) > width) {
    std::string_view line = fitting(text, width);
    std::size_t next = line.size();
    if (next < text.size() && text[next] == ' ') {
      next++;
    } else if (const std::size_t blank = line.rfind(' '); blank != std::string_view::npos && blank > 0) {
      line = line.substr(0, blank);
      next = blank + 1;
    }
    lines.emplace_back(line);
    text.remove_prefix(next);
  }
  if (lines.empty() || !text.empty()) lines.emplace_back(text);
  return lines;
}

std::string painted(Style style, std::string_view text) {
  return style == Style::plain ? std::string(text) : escape_of(style) + std::string(text) + "\033[0m";
}

void Table::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::text(std::size_t width, bool colour) const {
  constexpr std::size_t kNarrowest = 12; // what a column of text may be wrapped to
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); c++) {
    widths.push_back(display_width(columns_[c].title));
    for (const auto &row : rows_)
      for (const std::string &line : lines_of(row[c], 0)) widths[c] = std::max(widths[c], display_width(line));
  }
  // The widest column that holds text gives columns away until all fits: " a | b " takes three for each column but the
  // last's one.
  const std::size_t between = columns_.empty() ? 0 : columns_.size() * 3 - 1;
  std::vector<std::size_t> wrap(columns_.size(), 0);
  while (width && std::accumulate(widths.begin(), widths.end(), between) > width) {
    std::size_t widest = columns_.size();
    for (std::size_t c = 0; c < columns_.size(); c++) {
      if (columns_[c].align == Align::right || widths[c] <= std::max(kNarrowest, display_width(columns_[c].title)))
        continue;
      if (widest == columns_.size() || widths[c] > widths[widest]) widest = c;
    }
    if (widest == columns_.size()) break;
    wrap[widest] = --widths[widest];
  }

  std::string out;
  const auto write = [&](const std::vector<std::vector<std::string>> &cells, bool head) {
    std::size_t height = 1;
    for (const auto &lines : cells) height = std::max(height, lines.size());
    for (std::size_t l = 0; l < height; l++) {
      std::string line;
      for (std::size_t c = 0; c < cells.size(); c++) {
        const std::string &cell = l < cells[c].size() ? cells[c][l] : std::string();
        line += c ? " | " : " ";
        const std::string shown = padded(cell, widths[c], columns_[c].align);
        line += head && colour ? painted(Style::bold, shown) : shown;
      }
      while (!line.empty() && line.back() == ' ') line.pop_back();
      out += line + "\n";
    }
  };
  std::vector<std::vector<std::string>> titles;
  for (const Column &c : columns_) titles.push_back({c.title});
  write(titles, true);
  for (std::size_t c = 0; c < columns_.size(); c++) out += (c ? "+" : "") + std::string(widths[c] + 2, '-');
  out += "\n";
  for (const auto &row : rows_) {
    std::vector<std::vector<std::string>> cells;
    for (std::size_t c = 0; c < row.size(); c++) cells.push_back(lines_of(row[c], wrap[c]));
    write(cells, false);
  }
  return out;
}

bool Output::colour() const noexcept {
  const char *const no = std::getenv("NO_COLOR");
  return !json && output_is_terminal() && !(no && *no);
}

void Output::document(const Json &value) const {
  put(value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}
void Output::json_line(const Json &value) const {
  put(value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}
void Output::line(std::string_view text) const { put(std::string(text) + "\n"); }
void Output::table(const Table &table) const { put(table.text(output_is_terminal() ? terminal_width() : 0, colour())); }

std::string Output::styled(Style style, std::string_view text) const {
  return colour() ? painted(style, text) : std::string(text);
}

void Output::remark(std::string_view text) const {
  if (!quiet) std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

} // namespace pql::cli
