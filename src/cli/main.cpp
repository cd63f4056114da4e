// pqlctl: pql from the command line.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "cli/base/interrupt.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/session.hpp"
#include "cli/version.hpp"

namespace {

using namespace pql::cli;

// The options that psql has too, wherever they stand.
void add_shared_options(CLI::App &app, Session &session) {
  app.set_help_flag("-?,--help", "Show this help");
  app.set_version_flag("-V,--version", std::string("pqlctl ") + program_version(), "Show pqlctl's version");
  app.add_option("-d,--dbname", session.where.dbname, "Database, connection string or URI")->group("Connection");
  app.add_option("-h,--host", session.where.host, "Host, or directory of the socket")->group("Connection");
  app.add_option("-p,--port", session.where.port, "Port of the server")->group("Connection");
  app.add_option("-U,--username", session.where.user, "User of the database")->group("Connection");
  app.add_option("--service", session.where.service, "Service of pg_service.conf")->group("Connection");
  app.add_flag("-w,--no-password", session.where.no_password, "Never ask for a password")->group("Connection");
  app.add_flag("--json", session.out.json, "Answer in JSON")->group("Output");
  app.add_flag("-q,--quiet", session.out.quiet, "No progress and no remarks")->group("Output");
}

// Help shows a subcommand's own options only; those of all are named below them.
void name_shared_options(CLI::App &app) {
  for (CLI::App *const command : app.get_subcommands(nullptr)) {
    command->footer(
        "Of all subcommands: -d/--dbname, -h/--host, -p/--port, -U/--username, --service, -w/--no-password, --json, "
        "-q/--quiet\n(pqlctl --help)");
    name_shared_options(*command);
  }
}

int report(const Failure &f) {
  const auto *const sql = dynamic_cast<const SqlError *>(&f);
  std::fprintf(stderr, "pqlctl: %s%s\n", f.what(),
               sql && !sql->sqlstate().empty() ? (" (" + sql->sqlstate() + ")").c_str() : "");
  if (!f.detail().empty()) std::fprintf(stderr, "DETAIL: %s\n", f.detail().c_str());
  if (!f.hint().empty()) std::fprintf(stderr, "HINT: %s\n", f.hint().c_str());
  return static_cast<int>(f.exit());
}

} // namespace

int main(int argc, char **argv) {
  Session session;
  CLI::App app{"pql, product-led sales inside PostgreSQL, from the command line", "pqlctl"};
  set_help(app);
  add_shared_options(app, session);
  app.require_subcommand(1);
  app.fallthrough(); // shared options may follow the subcommand

  add_import(app, session);
  add_simulate(app, session);
  add_publish(app, session);
  add_backtest(app, session);
  add_watch(app, session);
  add_deliver(app, session);
  add_serve(app, session);
  add_report(app, session);
  add_bench(app, session);
  add_doctor(app, session);
  add_completion(app, session);
  add_man(app, session);
  add_version(app, session);
  name_shared_options(app);
  app.footer("pqlctl SUBCOMMAND --help shows the options of one; pqlctl man | man -l - is the manual page.");

  watch_interrupts();
  try {
    app.parse(argc, argv); // runs the subcommand
    return static_cast<int>(session.exit);
  } catch (const CLI::ParseError &e) {
    return app.exit(e) == 0 ? 0 : static_cast<int>(Exit::usage);
  } catch (const Failure &f) {
    return report(f);
  } catch (const std::exception &e) {
    return report(Failure(Exit::usage, e.what()));
  }
}
