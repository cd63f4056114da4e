#include "cli/commands.hpp"

#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>

#include "cli/base/terminal.hpp"
#include "cli/base/text.hpp"
#include "cli/publish/document.hpp"
#include "cli/session.hpp"

namespace pql::cli {
namespace {

struct Options {
  std::string file, note, override_reason, standing;
  bool check = false, diff = false, promote = false, yes = false, no_preview = false;
};

std::string contents(const std::string &file) {
  std::ostringstream text;
  if (file == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream in(file, std::ios::binary);
  if (!in || !(text << in.rdbuf())) {
    in.clear();
    if (!in.is_open() || in.peek() != std::ifstream::traits_type::eof())
      throw Failure(Exit::usage, "can't read " + file);
  }
  return text.str();
}

struct Problem {
  Place place;
  std::string path, problem, hint;
};

// As a compiler does: the place, the problem, the line with a mark below it, and the hint.
void show(Session &session, const std::string &file, const std::string &text, const Problem &p) {
  const Output &out = session.out;
  const std::string name = file == "-" ? "<stdin>" : file;
  out.line(
      out.styled(Style::bold, name + ":" + std::to_string(p.place.line) + ":" + std::to_string(p.place.column) + ": ") +
      out.styled(Style::red, "error: ") + (p.path.empty() ? "" : p.path + ": ") + p.problem);
  std::istringstream lines(text);
  std::string line;
  for (int n = 0; n < p.place.line; n++)
    if (!std::getline(lines, line)) line.clear();
  const auto column = std::min<std::size_t>(line.size(), static_cast<std::size_t>(p.place.column - 1));
  if (!trimmed(line).empty() && display_width(line) <= 300) {
    std::string indent;
    for (const char c : line.substr(0, column))
      if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) indent += c == '\t' ? '\t' : ' ';
    out.line("  " + line);
    out.line("  " + indent + out.styled(Style::green, "^"));
  }
  if (!p.hint.empty()) out.line("  " + out.styled(Style::cyan, "hint: ") + p.hint);
}

std::vector<Problem> check(Session &session, const Document &document) {
  const Result found = session.connection().exec("SELECT path, problem, hint FROM pql.check_program($1::jsonb)",
                                                 {document.value.dump()});
  std::vector<Problem> problems;
  for (int r = 0; r < found.rows(); r++) {
    const std::string path(found.text(r, 0));
    problems.push_back({document.place(path), path, std::string(found.text(r, 1)), std::string(found.text(r, 2))});
  }
  std::stable_sort(problems.begin(), problems.end(), [](const Problem &a, const Problem &b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  return problems;
}

// The version in force, or the newest one: what a new one is compared with.
Value latest_version(Session &session, const std::string &program) {
  const Result r =
      session.connection().exec("SELECT version FROM pql.program WHERE program = $1 AND status <> 'draft' ORDER BY "
                                "status IN ('live', 'shadow', 'building') DESC, version DESC LIMIT 1",
                                {program});
  return r.rows() ? r.value(0, 0) : Value();
}

// Lines of "path: change". What isn't published has no version to be compared: the document is saved as a draft, and
// that is taken back.
std::vector<std::pair<std::string, std::string>> changes(Session &session, const std::string &document,
                                                         const std::string &program, const std::string &version) {
  Connection &connection = session.connection();
  const Transaction undone(connection);
  const Result draft = connection.exec("SELECT pql.save_draft($1::jsonb)", {document});
  const Result diff = connection.exec("SELECT path, change FROM pql.diff_programs($1, $2::int, $3::int)",
                                      {program, version, draft.value(0, 0)});
  std::vector<std::pair<std::string, std::string>> all;
  for (int r = 0; r < diff.rows(); r++) all.emplace_back(diff.text(r, 0), diff.text(r, 1));
  return all;
}

void publish(Session &session, const Options &o) {
  const std::string text = contents(o.file);
  const Output &out = session.out;
  Document document;
  std::vector<Problem> problems;
  bool readable = true;
  try {
    document = read_document(text);
  } catch (const DocumentError &e) {
    problems.push_back({e.place, "", e.message, ""});
    readable = false;
  }
  if (readable) problems = check(session, document);

  Json report = {{"file", o.file},
                 {"program", readable && document.value.contains("program") ? document.value["program"] : Json()}};
  Json listed = Json::array();
  for (const Problem &p : problems) {
    if (!out.json) show(session, o.file, text, p);
    listed.push_back({{"line", p.place.line},
                      {"column", p.place.column},
                      {"path", p.path},
                      {"problem", p.problem},
                      {"hint", p.hint.empty() ? Json() : Json(p.hint)}});
  }
  report["problems"] = listed;
  if (!problems.empty()) {
    session.exit = readable ? Exit::no : Exit::usage;
    out.json ? out.document(report)
             : out.line(counted(static_cast<std::int64_t>(problems.size()), "problem", "problems"));
    return;
  }

  Connection &connection = session.connection();
  const std::string json = document.value.dump(), program = document.value["program"].get<std::string>();
  const Value before = latest_version(session, program);
  if (o.diff && before) {
    Json diff = Json::array();
    for (const auto &[path, change] : changes(session, json, program, *before)) {
      diff.push_back({{"path", path}, {"change", change}});
      if (!out.json) out.line("  " + change);
    }
    report["since_version"] = std::stoi(*before);
    report["changes"] = diff;
    if (!out.json && diff.empty()) out.line("Nothing differs from version " + *before + ".");
  } else if (o.diff && !out.json) {
    out.line("Program " + program + " is new.");
  }
  if (o.check || o.diff) {
    if (out.json) return out.document(report);
    if (o.check) out.line(program + ": no problems");
    return;
  }

  if (!o.no_preview) {
    const std::string preview(connection.exec("SELECT pql.preview_summary($1::jsonb)", {json}).text(0, 0));
    report["preview"] = preview;
    if (!out.json)
      out.line(
          (before ? "Program " + program + ", after version " + *before : "Program " + program + ", which is new") +
          ": " + preview);
  }
  if (!o.yes) {
    if (!input_is_terminal() || out.json)
      throw wrong_usage("publishing has to be confirmed", "Say --yes where there is no terminal to ask on.");
    if (!ask_yes_no(o.promote ? "Publish and promote it?" : "Publish it?")) {
      out.line("Nothing was published.");
      session.exit = Exit::no;
      return;
    }
  }
  const auto given = [](const std::string &s) { return s.empty() ? Value() : Value(s); };
  Transaction both(connection);
  const std::string version(
      connection.exec("SELECT pql.publish($1::jsonb, $2, $3)", {json, given(o.note), given(o.override_reason)})
          .text(0, 0));
  if (o.promote) {
    const Result building =
        connection.exec("SELECT status FROM pql.program WHERE program = $1 AND version = $2::int", {program, version});
    if (building.text(0, 0) == "shadow")
      connection.exec("SELECT pql.promote($1, $2, $3)",
                      {program, o.standing.empty() ? "none" : o.standing, given(o.override_reason)});
  }
  both.commit();
  Result status =
      connection.exec("SELECT status FROM pql.program WHERE program = $1 AND version = $2::int", {program, version});
  if (status.text(0, 0) == "building") { // the history that it needs is read first
    out.remark("reading the history that it needs");
    connection.script("CALL pql.backfill()");
    if (o.promote &&
        connection.exec("SELECT status FROM pql.program WHERE program = $1 AND version = $2::int", {program, version})
                .text(0, 0) == "shadow")
      connection.exec("SELECT pql.promote($1, $2, $3)",
                      {program, o.standing.empty() ? "none" : o.standing, given(o.override_reason)});
    status =
        connection.exec("SELECT status FROM pql.program WHERE program = $1 AND version = $2::int", {program, version});
  }
  report["version"] = std::stoi(version);
  report["status"] = std::string(status.text(0, 0));
  if (out.json) return out.document(report);
  out.line("Published version " + version + " of " + program + ": " + std::string(status.text(0, 0)));
  if (status.text(0, 0) == "shadow")
    out.remark("HINT: It scores, and hands nobody over, until it is promoted (--promote, or pql.promote()).");
}

} // namespace

void add_publish(CLI::App &app, Session &session) {
  CLI::App *const command =
      app.add_subcommand("publish", "Check a program in a file, show what it would change, and publish it");
  const auto o = std::make_shared<Options>();
  command->add_option("FILE", o->file, "JSON, or YAML with comments; - is standard input")->required();
  command->add_flag("--check", o->check, "Check it, and publish nothing");
  command->add_flag("--diff", o->diff, "Check it, show what differs from the version in force, and publish nothing");
  command->add_option("--note", o->note, "Why it is published; kept with the version");
  command->add_flag("--promote", o->promote, "Put it into force at once");
  command->add_option("--standing", o->standing,
                      "What becomes of those that are above the threshold already: none, all, 'best 25'");
  command->add_option("--override", o->override_reason,
                      "Publish sooner than the program's limits allow, with this reason");
  command->add_flag("--no-preview", o->no_preview, "Don't compute what would change");
  command->add_flag("-y,--yes", o->yes, "Don't ask");
  command->callback([&session, o] { publish(session, *o); });
}

} // namespace pql::cli
