#include "cli/report/html.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/base/text.hpp"

namespace pql::cli::report {
namespace {

constexpr const char *kNothing = "–";

std::string formatted(const char *format, double x) {
  char text[64];
  std::snprintf(text, sizeof text, format, x);
  return text;
}

// A position or a length of the width.
std::string of_width(double share) { return formatted("%.2f%%", 100 * std::clamp(share, 0.0, 1.0)); }

std::string pixels(double n) { return formatted("%.0f", n); }

std::string begin_svg(const std::string &id, const std::string &title, const std::string &description, double height) {
  return "<svg role=\"img\" aria-labelledby=\"" + id + "-t " + id + "-d\" width=\"100%\" height=\"" + pixels(height) +
         "\"><title id=\"" + id + "-t\">" + html_text(title) + "</title><desc id=\"" + id + "-d\">" +
         html_text(description) + "</desc>";
}

// The words above a bar: what it is at the left, cut where how much stands at the right.
std::string words(const std::string &label, const std::string &value, double y) {
  return "<svg class=\"cut\" y=\"" + pixels(y) + "\" width=\"" + of_width(value.size() > 14 ? 0.54 : 0.64) +
         "\" height=\"18\"><text y=\"14\">" + html_text(label) + "<title>" + html_text(label) +
         "</title></text></svg><text class=\"value\" x=\"100%\" y=\"" + pixels(y + 14) + "\" text-anchor=\"end\">" +
         html_text(value) + "</text>";
}

std::string rectangle(double x, double y, double width, double height, const std::string &kind) {
  return "<rect class=\"" + kind + "\" x=\"" + of_width(x) + "\" y=\"" + pixels(y) + "\" width=\"" + of_width(width) +
         "\" height=\"" + pixels(height) + "\" rx=\"3\"/>";
}

constexpr double kRow = 42; // height of a bar with its words

constexpr const char *kStyle = R"(
:root{color-scheme:light dark;--page:#f6f7f9;--card:#ffffff;--text:#1b1f24;--quiet:#57606a;--line:#d5dae0;--track:#e9ecf0;--bar:#2f6fb5;--second:#7fb0e3;--third:#1d4a7d;--good:#1f7a45;--bad:#b3451b;--link:#1f5fa8}
@media (prefers-color-scheme:dark){:root{--page:#101418;--card:#181d23;--text:#e6e9ed;--quiet:#a3adb8;--line:#323a43;--track:#262d35;--bar:#6ba6e6;--second:#3c6a9c;--third:#b8d6f5;--good:#5dbd87;--bad:#ec9468;--link:#8abef5}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1180px;margin:0 auto;padding:24px 20px 48px}
header h1{margin:0;font-size:1.7rem;line-height:1.25}
header p{margin:.3rem 0 1.4rem;color:var(--quiet)}
h2{margin:0 0 .2rem;font-size:1.1rem;line-height:1.3}
.grid{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px;align-items:start}.stack{display:grid;gap:18px;min-width:0}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px;min-width:0}
.wide{grid-column:1/-1}
.card>p{margin:0 0 .9rem;color:var(--quiet);font-size:.92rem}
dl.figures{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:12px;margin:0 0 18px}
dl.figures div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}
dl.figures dt{color:var(--quiet);font-size:.85rem}
dl.figures dd{margin:0;font-size:1.55rem;font-weight:600;line-height:1.25}
dl.figures dd small{display:block;font-size:.8rem;font-weight:400;color:var(--quiet)}
figure{margin:0}
svg{display:block;overflow:visible}svg.cut{overflow:hidden}
svg text{fill:var(--text);font-size:13px}
svg text.value{font-weight:600}
svg text.axis{fill:var(--quiet);font-size:12px}
.track{fill:var(--track)}.bar,.part-0{fill:var(--bar)}.part-0{fill:var(--second)}.part-1{fill:var(--bar)}.part-2{fill:var(--third)}
.good{fill:var(--good)}.bad{fill:var(--bad)}.quiet{fill:var(--quiet)}
line{stroke:var(--line);stroke-width:1}line.bar{stroke:var(--bar);stroke-width:4;stroke-linecap:round}line.good{stroke:var(--good);stroke-width:4;stroke-linecap:round}line.bad{stroke:var(--bad);stroke-width:4;stroke-linecap:round}line.quiet{stroke:var(--quiet);stroke-width:4;stroke-linecap:round}line.compare{stroke:var(--quiet);stroke-dasharray:4 4}
ul.legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;margin:0 0 .7rem;padding:0;font-size:.88rem;color:var(--quiet)}
ul.legend svg{display:inline-block;vertical-align:-1px;margin-right:6px}
details{margin-top:14px;font-size:.92rem}summary{cursor:pointer;color:var(--link)}summary:focus-visible{outline:2px solid var(--link);outline-offset:3px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--quiet);padding:6px 0}
th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600}tbody th{font-weight:400}
.n{text-align:right;white-space:nowrap}th.n:last-child,td.n:last-child{padding-right:0}
.none{margin:.6rem 0 0;color:var(--quiet)}
footer{margin-top:26px;color:var(--quiet);font-size:.88rem}
@media (max-width:760px){.grid{grid-template-columns:minmax(0,1fr)}main{padding:18px 12px 36px}.card{padding:14px 14px}header h1{font-size:1.4rem}dl.figures{grid-template-columns:repeat(2,minmax(0,1fr))}}
@media print{body{background:none}.card{break-inside:avoid}}
)";

} // namespace

std::string number(double n) { return grouped(static_cast<std::int64_t>(std::llround(n))); }

std::string percent(std::optional<double> share) {
  if (!share || !std::isfinite(*share)) return kNothing;
  return formatted(*share != 0 && *share < 0.1 ? "%.1f %%" : "%.0f %%", 100 * *share);
}

std::string decimal(std::optional<double> x, int digits) {
  if (!x || std::isnan(*x)) return kNothing;
  if (std::isinf(*x)) return "∞";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, *x);
  return text;
}

std::string hours(std::optional<double> h) {
  if (!h || !std::isfinite(*h)) return kNothing;
  if (*h < 1) return formatted("%.0f min", 60 * *h);
  return *h < 48 ? formatted("%.1f h", *h) : formatted("%.1f d", *h / 24);
}

std::string table(const std::string &caption, const TableData &data) {
  const auto kind = [&](std::size_t column) {
    return column < data.numbers.size() && data.numbers[column] ? " class=\"n\"" : "";
  };
  std::string made = "<div class=\"scroll\"><table><caption>" + html_text(caption) + "</caption><thead><tr>";
  for (std::size_t i = 0; i < data.columns.size(); i++)
    made += "<th scope=\"col\"" + std::string(kind(i)) + ">" + html_text(data.columns[i]) + "</th>";
  made += "</tr></thead><tbody>";
  for (const auto &row : data.rows) {
    made += "<tr>";
    for (std::size_t i = 0; i < row.size(); i++) {
      const std::string tag = i == 0 ? "th" : "td";
      made += "<" + tag + (i == 0 ? " scope=\"row\"" : "") + kind(i) + ">" + html_text(row[i]) + "</" + tag + ">";
    }
    made += "</tr>";
  }
  return made + "</tbody></table></div>";
}

std::string bars(const std::string &id, const std::string &title, const std::string &description,
                 const std::vector<Bar> &rows) {
  std::string made = begin_svg(id, title, description, kRow * static_cast<double>(rows.size()));
  double y = 0;
  for (const Bar &b : rows) {
    made += words(b.label, b.value, y) + rectangle(0, y + 20, 1, 10, "track");
    if (b.share > 0) made += rectangle(0, y + 20, std::max(b.share, 0.004), 10, b.kind.empty() ? "bar" : b.kind);
    y += kRow;
  }
  return made + "</svg>";
}

std::string spans(const std::string &id, const std::string &title, const std::string &description,
                  const std::vector<Span> &rows, std::optional<double> line, const std::string &line_label) {
  const double head = line ? 20 : 0, height = head + kRow * static_cast<double>(rows.size());
  std::string made = begin_svg(id, title, description, height);
  double y = head;
  for (const Span &s : rows) {
    made += words(s.label, s.value, y) + rectangle(0, y + 24, 1, 2, "track");
    y += kRow;
  }
  if (line) {
    const char *const anchor = *line > 0.8 ? "end" : *line < 0.2 ? "start" : "middle";
    made += "<text class=\"axis\" x=\"" + of_width(*line) + "\" y=\"11\" text-anchor=\"" + anchor + "\">" +
            html_text(line_label) + "</text>";
  }
  y = head;
  for (const Span &s : rows) {
    const std::string kind = s.kind.empty() ? "bar" : s.kind, middle = pixels(y + 25);
    if (line)
      made += "<line class=\"compare\" x1=\"" + of_width(*line) + "\" x2=\"" + of_width(*line) + "\" y1=\"" +
              pixels(y + 18) + "\" y2=\"" + pixels(y + 32) + "\"/>";
    y += kRow;
    if (!s.at) continue;
    made += "<line class=\"" + kind + "\" opacity=\"0.55\" x1=\"" + of_width(s.low) + "\" x2=\"" + of_width(s.high) +
            "\" y1=\"" + middle + "\" y2=\"" + middle + "\"/>";
    made += "<circle class=\"" + kind + "\" cx=\"" + of_width(*s.at) + "\" cy=\"" + middle + "\" r=\"5\"/>";
  }
  return made + "</svg>";
}

std::string columns(const std::string &id, const std::string &title, const std::string &description,
                    const std::vector<Column> &all, const std::string &top) {
  constexpr double kTop = 20, kHeight = 150;
  std::string made = begin_svg(id, title, description, kTop + kHeight + 24);
  const std::string base = pixels(kTop + kHeight);
  made += "<line x1=\"0\" x2=\"100%\" y1=\"" + pixels(kTop) + "\" y2=\"" + pixels(kTop) +
          "\"/><line x1=\"0\" x2=\"100%\" y1=\"" + base + "\" y2=\"" + base +
          "\"/>"
          "<text class=\"axis\" x=\"0\" y=\"" +
          pixels(kTop - 6) + "\">" + html_text(top) + "</text>";
  const double each = all.empty() ? 1 : 1.0 / static_cast<double>(all.size());
  for (std::size_t i = 0; i < all.size(); i++) {
    for (std::size_t p = 0; p < all[i].parts.size(); p++) {
      const double height = kHeight * std::clamp(all[i].parts[p], 0.0, 1.0);
      if (height <= 0) continue;
      made += rectangle(each * (static_cast<double>(i) + 0.12), kTop + kHeight - height, each * 0.76, height,
                        "part-" + std::to_string(p));
    }
  }
  const auto label = [&](std::size_t i, const char *anchor, double x) {
    made += "<text class=\"axis\" x=\"" + of_width(x) + "\" y=\"" + pixels(kTop + kHeight + 17) + "\" text-anchor=\"" +
            anchor + "\">" + html_text(all[i].label) + "</text>";
  };
  if (!all.empty()) label(0, "start", 0);
  if (all.size() > 4) label(all.size() / 2, "middle", each * (static_cast<double>(all.size() / 2) + 0.5));
  if (all.size() > 1) label(all.size() - 1, "end", 1);
  return made + "</svg>";
}

std::string legend(const std::vector<std::string> &words) {
  std::string made = "<ul class=\"legend\">";
  for (std::size_t i = 0; i < words.size(); i++)
    made += "<li><svg width=\"12\" height=\"12\" aria-hidden=\"true\"><rect class=\"part-" + std::to_string(i) +
            "\" width=\"12\" height=\"12\" rx=\"3\"/></svg>" + html_text(words[i]) + "</li>";
  return made + "</ul>";
}

std::string page(const std::string &title, const std::string &body) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\"/>\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'\"/>\n<title>" +
         html_text(title) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<main>\n" + body +
         "</main>\n</body>\n</html>\n";
}

} // namespace pql::cli::report
