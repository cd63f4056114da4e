#include "cli/doctor.hpp"

#include <algorithm>
#include <array>

#include <CLI/CLI.hpp>

#include "cli/base/terminal.hpp"
#include "cli/base/text.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "cli/version.hpp"

namespace pql::cli {
namespace {

struct Options {
  bool all = false, fix = false, yes = false;
};

constexpr int kOldest = 15, kNewest = 18; // majors of PostgreSQL that are supported

Finding error(std::string check, std::string what, std::string detail, std::string hint) {
  return {std::move(check), "error", std::move(what), std::move(detail), std::move(hint)};
}

Finding warning(std::string check, std::string what, std::string detail, std::string hint) {
  return {std::move(check), "warning", std::move(what), std::move(detail), std::move(hint)};
}

Finding right(std::string check, std::string what) { return {std::move(check), "ok", std::move(what), {}, {}}; }

Finding server_finding(Connection &db) {
  const int major = db.server_version() / 10000;
  const std::string said = "PostgreSQL " + std::to_string(major);
  if (major < kOldest)
    return error("server", said + " is too old", "pql needs PostgreSQL " + std::to_string(kOldest) + " or later.",
                 "Upgrade the server with pg_upgrade.");
  if (major > kNewest)
    return warning("server", said + " is newer than what pql is tested with",
                   "Tested are " + std::to_string(kOldest) + " to " + std::to_string(kNewest) + ".",
                   "See whether there is a newer pql.");
  return right("server", said);
}

// Before there is an extension: can there be one?
void look_before(Connection &db, const std::string &available, std::vector<Finding> &findings) {
  const std::string major = std::to_string(db.server_version() / 10000);
  if (available.empty()) {
    findings.push_back(
        error("package", "the server has no extension pql to install", "Its files are not on the server's machine.",
              "apt-get install postgresql-" + major +
                  "-pql, or from the sources: make install PG_CONFIG=/usr/lib/postgresql/" + major + "/bin/pg_config"));
    return;
  }
  findings.push_back(right("package", "version " + available + " can be installed"));
  const Result r = db.exec("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user");
  const bool super = r.rows() == 1 && r.truth(0, 0);
  findings.push_back(error("extension", "database " + db.database() + " has no pql",
                           super ? "It is created once in each database that is to have it."
                                 : "It takes a superuser, which " + db.user() + " is not.",
                           "CREATE EXTENSION pql;"));
}

void look_at_rights(Connection &db, std::vector<Finding> &findings) {
  const Result r = db.exec("SELECT count(*) FROM pg_catalog.pg_class AS c WHERE c.relnamespace = "
                           "'pql'::pg_catalog.regnamespace AND c.relkind IN ('r', 'v')"
                           " AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT')");
  if (r.integer(0, 0) == 0) {
    findings.push_back(right("rights", db.user() + " may read what pql has"));
    return;
  }
  findings.push_back(warning("rights",
                             db.user() + " may not read " +
                                 counted(r.integer(0, 0), "table or view of pql", "tables and views of pql"),
                             "What can't be read isn't looked at.",
                             "GRANT SELECT ON ALL TABLES IN SCHEMA pql TO " + db.identifier(db.user()) + ";"));
}

void look_at_health(Connection &db, std::vector<Finding> &findings) {
  const Result r = db.exec("SELECT h.\"check\", h.status, h.what, h.detail, h.hint FROM pql.health AS h");
  for (int i = 0; i < r.rows(); i++) {
    if (r.text(i, 0) == "versions" && r.text(i, 1) != "ok") continue; // told of already
    findings.push_back({std::string(r.text(i, 0)), std::string(r.text(i, 1)), std::string(r.text(i, 2)),
                        std::string(r.text(i, 3)), std::string(r.text(i, 4))});
  }
}

// The library is loaded by the first function that is called: its version, or nothing when it can't be loaded.
void look_at_library(Connection &db, const std::string &installed, std::vector<Finding> &findings) {
  try {
    const Result r = db.exec("SELECT pql.version()");
    const std::string loaded(r.text(0, 0));
    if (loaded == installed) return findings.push_back(right("library", "the library is of version " + loaded));
    findings.push_back(error("library", "the library is of version " + loaded + ", and the extension of " + installed,
                             "Only one of the two was updated.",
                             "ALTER EXTENSION pql UPDATE; if pql is preloaded, restart the server"));
  } catch (const SqlError &e) {
    findings.push_back(error("library", "the library can't be loaded", e.what(),
                             "Install the package of the server's major version again."));
  }
}

std::vector<Finding> look(Connection &db) {
  std::vector<Finding> findings{server_finding(db)};
  const Result r =
      db.exec("SELECT (SELECT e.extversion FROM pg_catalog.pg_extension AS e WHERE e.extname = 'pql'),"
              " (SELECT a.default_version FROM pg_catalog.pg_available_extensions AS a WHERE a.name = 'pql')");
  const std::string installed(r.text(0, 0)), available(r.text(0, 1));
  if (installed.empty()) {
    look_before(db, available, findings);
    return findings;
  }
  for (Finding &f : version_findings(program_version(), installed, available)) findings.push_back(std::move(f));
  look_at_library(db, installed, findings);
  look_at_rights(db, findings);
  try {
    look_at_health(db, findings);
  } catch (const SqlError &e) {
    findings.push_back(warning("health", "pql.health can't be read", e.what(), "Ask as the extension's owner."));
  }
  const auto rank = [](const Finding &f) { return f.status == "error" ? 0 : f.status == "warning" ? 1 : 2; };
  std::stable_sort(findings.begin(), findings.end(),
                   [&](const Finding &a, const Finding &b) { return rank(a) < rank(b); });
  return findings;
}

void show_json(const Output &out, const std::vector<Finding> &findings) {
  Json all = Json::array();
  for (const Finding &f : findings) {
    const auto or_null = [](const std::string &s) { return s.empty() ? Json(nullptr) : Json(s); };
    all.push_back({{"check", f.check},
                   {"status", f.status},
                   {"what", f.what},
                   {"detail", or_null(f.detail)},
                   {"hint", or_null(f.hint)}});
  }
  out.document(all);
}

void show_lines(const Output &out, std::string_view text, std::string_view before) {
  const std::size_t width = std::max<std::size_t>(terminal_width(), 40);
  for (const std::string &l : wrapped(text, width - before.size())) out.line(std::string(before) + l);
}

void show(const Output &out, const std::vector<Finding> &findings, bool all) {
  std::int64_t well = 0;
  for (const Finding &f : findings) {
    if (f.status == "ok" && !all) {
      well++;
      continue;
    }
    const Style style = f.status == "error" ? Style::red : f.status == "warning" ? Style::yellow : Style::green;
    out.line(out.styled(style, f.status) + "  " + out.styled(Style::bold, f.check) + ": " + f.what);
    if (!f.detail.empty()) show_lines(out, f.detail, "       ");
    if (!f.hint.empty()) out.line("       " + out.styled(Style::cyan, f.hint)); // in one line, to be copied
  }
  if (well) out.line(out.styled(Style::green, "ok") + "  " + counted(well, "other check", "other checks"));
}

// Runs the hints that are safe, asking for each.
void mend(Session &session, const std::vector<Finding> &findings, bool yes) {
  if (!yes && !input_is_terminal())
    throw wrong_usage("--fix asks, and there is no terminal", "Add --yes to run what is safe without being asked.");
  std::vector<std::string> done;
  for (const Finding &f : findings) {
    if (f.status == "ok" || !is_safe_to_run(f.hint) || std::find(done.begin(), done.end(), f.hint) != done.end())
      continue;
    done.push_back(f.hint);
    if (!yes && !ask_yes_no(f.what + "\n  " + f.hint + "\nRun it?")) continue;
    session.out.remark(f.hint);
    try {
      session.connection().script(f.hint);
    } catch (const SqlError &e) {
      session.out.remark(std::string("pqlctl: ") + e.what());
    }
  }
}

void run(Session &session, const Options &o) {
  std::vector<Finding> findings = look(session.connection());
  if (o.fix) {
    mend(session, findings, o.yes);
    findings = look(session.connection());
  }
  if (session.out.json)
    show_json(session.out, findings);
  else
    show(session.out, findings, o.all);
  if (std::any_of(findings.begin(), findings.end(), [](const Finding &f) { return f.status == "error"; }))
    session.exit = Exit::no;
}

} // namespace

bool is_safe_to_run(std::string_view statement) {
  static constexpr std::array<std::string_view, 10> kSafe = {"SELECT * FROM pql.tick();",
                                                             "SELECT * FROM pql.refresh_",
                                                             "SELECT pql.restore_triggers(",
                                                             "CALL pql.backfill(",
                                                             "CREATE INDEX ",
                                                             "CREATE UNIQUE INDEX ",
                                                             "REINDEX INDEX ",
                                                             "ANALYZE ",
                                                             "VACUUM ",
                                                             "SELECT pg_reload_conf();"};
  // One statement, and after it a remark at most.
  const std::size_t end = statement.find(';');
  const std::string_view rest = end == std::string_view::npos ? "" : trimmed(statement.substr(end + 1));
  if (statement.find('\n') != std::string_view::npos || (!rest.empty() && rest.substr(0, 2) != "--")) return false;
  return std::any_of(kSafe.begin(), kSafe.end(),
                     [&](std::string_view s) { return statement.substr(0, s.size()) == s; });
}

std::vector<Finding> version_findings(std::string_view mine, std::string_view installed, std::string_view available) {
  std::vector<Finding> findings;
  const std::string m(mine), i(installed), a(available);
  if (a.empty())
    findings.push_back(error("package", "the extension's files are gone from the server",
                             "Version " + i + " is in the database.",
                             "Install the package of the server's major version again."));
  else if (a != i)
    findings.push_back(warning("package", "version " + a + " is on the server, and the database has " + i,
                               "The new one waits to be taken.", "ALTER EXTENSION pql UPDATE;"));
  else
    findings.push_back(right("package", "the extension is of version " + i));
  if (m != i)
    findings.push_back(warning("client", "pqlctl is of version " + m + ", and the extension of " + i,
                               "What one of them can the other may not know.", "Use the pqlctl of that version."));
  else
    findings.push_back(right("client", "pqlctl is of the same version"));
  return findings;
}

void add_doctor(CLI::App &app, Session &session) {
  CLI::App *const command =
      app.add_subcommand("doctor", "Say what is wrong with this installation, and how to mend it");
  auto o = std::make_shared<Options>();
  command->add_flag("--all", o->all, "Show also the checks that find nothing");
  command->add_flag("--fix", o->fix, "Run the statements that mend it and are safe, asking for each");
  command->add_flag("--yes", o->yes, "With --fix: don't ask");
  command->callback([&session, o] { run(session, *o); });
}

} // namespace pql::cli
