#include "cli/version.hpp"

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/session.hpp"

namespace pql::cli {
namespace {

void show_version(Session &session) {
  const std::string mine = program_version();
  const Result r = session.connection().exec("SELECT current_setting('server_version'), (SELECT extversion FROM "
                                             "pg_catalog.pg_extension WHERE extname = 'pql')");
  const bool there = !r.null(0, 1);
  const std::string theirs(r.text(0, 1));
  if (!there || theirs != mine) session.exit = Exit::no;
  if (session.out.json) {
    session.out.document({{"pqlctl", mine},
                          {"extension", there ? Json(theirs) : Json(nullptr)},
                          {"server", std::string(r.text(0, 0))},
                          {"database", session.connection().database()}});
    return;
  }
  session.out.line("pqlctl " + mine);
  session.out.line((there ? "pql " + theirs : "no pql") + " in database " + session.connection().database() +
                   ", PostgreSQL " + std::string(r.text(0, 0)));
  if (!there) session.out.remark("HINT: CREATE EXTENSION pql;");
  if (there && theirs != mine)
    session.out.remark("HINT: Use the pqlctl of the extension's version, or ALTER EXTENSION pql UPDATE.");
}

} // namespace

const char *program_version() noexcept { return PQL_VERSION; }

void add_version(CLI::App &app, Session &session) {
  CLI::App *const command =
      app.add_subcommand("version", "Show the versions of pqlctl and of the extension in the database");
  command->callback([&session] { show_version(session); });
}

} // namespace pql::cli
