#include "cli/commands.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/base/bars.hpp"
#include "cli/base/rows.hpp"
#include "cli/base/terminal.hpp"
#include "cli/base/text.hpp"
#include "cli/publish/document.hpp"
#include "cli/session.hpp"

namespace pql::cli {
namespace {

struct Options {
  std::vector<std::string> programs;
  std::string from = "now() - interval '90 days'", to = "now()", outcomes;
  int capacity = 0;
};

struct Candidate {
  std::string name, json;
};

bool is_file(const std::string &path) { return std::ifstream(path).good(); }

std::string contents(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream all;
  all << file.rdbuf();
  return std::move(all).str();
}

// A file, or a program that is published: its live version, else the newest in force; name@3 is version 3, name@draft
// its draft.
Candidate candidate(Connection &db, const std::string &what) {
  if (is_file(what)) {
    try {
      return {what, read_document(contents(what)).value.dump()};
    } catch (const DocumentError &e) {
      throw wrong_usage(what + ":" + std::to_string(e.place.line) + ":" + std::to_string(e.place.column) + ": " +
                        e.message);
    }
  }
  const std::size_t at = what.rfind('@');
  const std::string name = what.substr(0, at), version = at == std::string::npos ? "" : what.substr(at + 1);
  const Result r = db.exec(
      "SELECT p.document, p.version, p.status FROM pql.program AS p WHERE p.program = $1"
      " AND CASE $2 WHEN '' THEN p.status <> 'draft' WHEN 'draft' THEN p.status = 'draft' ELSE p.version::text = $2 END"
      " ORDER BY p.status = 'live' DESC, p.status = 'shadow' DESC, p.version DESC LIMIT 1",
      {name, version});
  if (r.rows() == 0)
    throw wrong_usage("there is neither a file nor a program \"" + what + "\"",
                      "Say a file with a program in JSON or YAML, a program, or program@version.");
  return {name + "@" + (r.text(0, 2) == "draft" ? "draft" : std::string(r.text(0, 1))), std::string(r.text(0, 0))};
}

// An instant, or an expression of one, as the server says it.
std::string instant(Connection &db, const std::string &text, const char *option) {
  if (text.find("now()") == 0) return std::string(db.exec("SELECT " + text).text(0, 0));
  try {
    return std::string(db.exec("SELECT $1::timestamptz", {text}).text(0, 0));
  } catch (const SqlError &e) {
    throw wrong_usage(std::string(option) + ": " + e.what(), "Write it as '2026-01-31' or '2026-01-31 12:00'.");
  }
}

std::string share(const Result &r, int row) {
  if (r.null(row, r.column("precision"))) return "";
  char text[32];
  std::snprintf(text, sizeof text, "%.0f %%", 100 * r.real(row, r.column("precision")));
  return std::string(text) + (r.truth(row, r.column("settled")) ? "" : " …");
}

std::int64_t most(const Result &r) {
  std::int64_t n = 1;
  for (int i = 0; i < r.rows(); i++) n = std::max(n, r.integer(i, r.column("qualified")));
  return n;
}

std::int64_t total(const Result &r, const char *column) {
  std::int64_t n = 0;
  for (int i = 0; i < r.rows(); i++) n += r.integer(i, r.column(column));
  return n;
}

void show_one(const Output &out, const Candidate &d, const Result &r, bool capacity) {
  using Align = Table::Align;
  std::vector<Table::Column> columns{
      {"week", Align::left},      {"entries", Align::right},   {"", Align::left},           {"subjects", Align::right},
      {"also now", Align::right}, {"converted", Align::right}, {"precision", Align::right}, {"lead", Align::right}};
  if (capacity) columns.insert(columns.end(), {{"over capacity", Align::right}, {"score", Align::right}});
  Table table(columns);
  const std::size_t width = terminal_width() > 100 ? 24 : 12;
  const double scale = static_cast<double>(most(r));
  for (int i = 0; i < r.rows(); i++) {
    const auto text = [&](const char *c) { return std::string(r.text(i, c)); };
    std::vector<std::string> cells{text("week").substr(0, 10),
                                   text("qualified"),
                                   bar(static_cast<double>(r.integer(i, r.column("qualified"))) / scale, width),
                                   text("subjects"),
                                   text("with_live"),
                                   text("converted"),
                                   share(r, i),
                                   text("lead_text")};
    if (capacity) cells.insert(cells.end(), {text("over_capacity"), text("score_at_capacity")});
    table.add(cells);
  }
  out.line(out.styled(Style::bold, d.name));
  out.table(table);
  const std::int64_t entries = total(r, "qualified"), converted = total(r, "converted");
  out.line(counted(entries, "entry", "entries") + ", of which " + grouped(converted) + " were followed by an outcome");
}

void show_two(const Output &out, const std::vector<Candidate> &d, const std::vector<Result> &r) {
  using Align = Table::Align;
  Table table({{"week", Align::left},
               {d[0].name, Align::right},
               {"", Align::left},
               {"precision", Align::right},
               {d[1].name, Align::right},
               {"", Align::left},
               {"precision", Align::right}});
  const double scale = static_cast<double>(std::max(most(r[0]), most(r[1])));
  const std::size_t width = terminal_width() > 100 ? 20 : 10;
  const int weeks = std::max(r[0].rows(), r[1].rows());
  for (int i = 0; i < weeks; i++) {
    std::vector<std::string> cells{std::string(r[i < r[0].rows() ? 0 : 1].text(i, "week").substr(0, 10))};
    for (const Result &one : r) {
      const bool there = i < one.rows();
      cells.push_back(there ? std::string(one.text(i, "qualified")) : "");
      cells.push_back(there ? bar(static_cast<double>(one.integer(i, one.column("qualified"))) / scale, width) : "");
      cells.push_back(there ? share(one, i) : "");
    }
    table.add(cells);
  }
  out.table(table);
  for (std::size_t i = 0; i < 2; i++)
    out.line(d[i].name + ": " + counted(total(r[i], "qualified"), "entry", "entries") + ", of which " +
             grouped(total(r[i], "converted")) + " were followed by an outcome");
}

void run(Session &session, const Options &o) {
  Connection &db = session.connection();
  db.exec("SET DateStyle = 'ISO'");
  const std::string from = instant(db, o.from, "--from"), to = instant(db, o.to, "--to");
  std::vector<Candidate> documents;
  for (const std::string &p : o.programs) documents.push_back(candidate(db, p));
  std::vector<Result> results;
  for (const Candidate &d : documents)
    results.push_back(db.exec("SELECT b.*, CASE WHEN b.median_lead IS NOT NULL THEN round(extract(epoch FROM "
                              "b.median_lead) / 86400, 1) || ' d' END AS lead_text"
                              " FROM pql.backtest($1::jsonb, $2, $3, $4::regclass, $5) AS b ORDER BY b.week",
                              {d.json, from, to, o.outcomes.empty() ? Value() : Value(o.outcomes),
                               o.capacity ? Value(std::to_string(o.capacity)) : Value()}));
  if (session.out.json) {
    Json all = Json::array();
    for (std::size_t i = 0; i < results.size(); i++) {
      Json weeks = json_rows(results[i]);
      for (Json &w : weeks) w.erase("lead_text");
      all.push_back({{"program", documents[i].name}, {"from", from}, {"to", to}, {"weeks", weeks}});
    }
    return session.out.document(all);
  }
  if (results.size() == 2)
    show_two(session.out, documents, results);
  else
    show_one(session.out, documents[0], results[0], o.capacity > 0);
  const bool open = std::any_of(results.begin(), results.end(), [](const Result &r) {
    for (int i = 0; i < r.rows(); i++)
      if (!r.truth(i, r.column("settled"))) return true;
    return false;
  });
  if (open) session.out.line(session.out.styled(Style::dim, "… outcomes may still come: 90 days have not passed"));
}

} // namespace

void add_backtest(CLI::App &app, Session &session) {
  CLI::App *const command =
      app.add_subcommand("backtest", "Show what a program would have led to, week by week; or compare two");
  auto o = std::make_shared<Options>();
  command
      ->add_option("PROGRAM", o->programs,
                   "A file with a program (JSON or YAML), a program's name, or name@version; one, or two to compare")
      ->required()
      ->expected(1, 2);
  command->add_option("--from", o->from, "The first day (90 days ago)");
  command->add_option("--to", o->to, "The end (now)");
  command->add_option("--outcomes", o->outcomes,
                      "A table or view with the columns subject_id and at; without it, pql.outcome");
  command->add_option("--capacity", o->capacity, "How many can be worked in a week: shows how many came above that")
      ->check(CLI::PositiveNumber);
  command->callback([&session, o] { run(session, *o); });
}

} // namespace pql::cli
