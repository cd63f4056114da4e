#include "cli/commands.hpp"

#include <chrono>
#include <cmath>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/base/interrupt.hpp"
#include "cli/base/progress.hpp"
#include "cli/base/text.hpp"
#include "cli/import/load.hpp"
#include "cli/import/when.hpp"
#include "cli/session.hpp"
#include "cli/simulate/company.hpp"

namespace pql::cli {
namespace {

struct Options {
  std::uint64_t seed = 1;
  int accounts = 200, days = 30;
  double speed = 0;
  std::string table = "app_events";
  bool program = false;
};

constexpr std::size_t kBatch = 10'000; // events in a transaction

// For these events; pqlctl publish takes it as it is.
constexpr const char *kProgram = R"(# Which accounts of the simulated company deserve a conversation.
program: team_rollout
unit: account

milestones:
  signed_up: {event: signup}
  connected_an_integration: {event: integration_activated}
  invited_teammates: {event: invite_sent, where: "(props->>'count')::int >= 2"}

activation:
  steps: [signed_up, connected_an_integration, invited_teammates]
  order: any_order
  within: 14 days

# Points add up to the score. Each signal fades by its half-life.
signals:
  activation:
    {kind: activation, milestone: activation_complete, max_points: 20, why: finished the set-up within two weeks}
  teammates:
    {kind: breadth, event: invite_accepted, measure: count, half_life: 14 days, points_each: 3, max_points: 20,
     why: colleagues accepted their invitations lately}
  api_usage:
    {kind: depth, event: api_usage, measure: sum, of: "(props->>'calls')::float8", half_life: 7 days,
     half_saturation: 10000, max_points: 25, why: their own systems call the API}
  single_sign_on:
    {kind: intent, event: sso_requested, half_life: 14 days, max_points: 25, why: asked for what only the enterprise plan has}

qualify: {enter: 55, leave: 40}

motions:
  - otherwise: true
    motion: account_executive
    after: 2 hours
    by: 2 days
    next_best_action: Offer half an hour to plan the roll-out to the next team.
)";

void simulate(Session &session, const Options &o) {
  if (o.program) return session.out.line(kProgram);
  if (o.accounts < 1 || o.accounts > 1'000'000) throw wrong_usage("--accounts must be from 1 to 1000000");
  if (o.days < 1 || o.days > 3650) throw wrong_usage("--days must be from 1 to 3650");
  if (o.speed < 0) throw wrong_usage("--speed must not be negative");
  Connection &connection = session.connection();
  if (connection.exec("SELECT pg_catalog.to_regclass('pql.import')").null(0, 0))
    throw Failure(Exit::usage, "database " + connection.database() + " has no extension pql, or one that is too old",
                  {}, "CREATE EXTENSION pql;");
  if (!table_exists(connection, o.table)) {
    connection.script(create_statements(connection, o.table, true));
    session.out.remark("made table " + o.table);
  }
  Target target = find_target(connection, o.table, {});
  lock_imports(connection, target);
  const bool history = !target.attached && attach_target(connection, target);
  if (!target.attached) session.out.remark("attached " + target.name);

  const Company company = simulate_company(o.seed, o.accounts, o.days);
  const auto now =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  const long long begin = now - static_cast<long long>(o.days) * 86'400'000'000; // so that it ends now
  const std::string prefix =
      "sim-" + std::to_string(o.seed) + "-" + std::to_string(o.accounts) + "-" + std::to_string(o.days) + "-";
  Loader loader(connection, target, Loader::Keep::nothing);
  Progress progress("simulating", "events", Progress::fitting(session.out.quiet || session.out.json));
  Batch batch;
  Import done;
  const auto total = static_cast<double>(company.events.size());
  for (std::size_t i = 0; i < company.events.size();) {
    const double until = o.speed > 0 ? progress.seconds() * o.speed : INFINITY; // what has happened by now
    for (; i < company.events.size() && batch.records() < kBatch && company.events[i].at <= until; i++) {
      const SimulatedEvent &s = company.events[i];
      Event e;
      e.user = s.user;
      e.account = s.account;
      e.name = s.name;
      e.properties = s.properties;
      e.at = epoch_text(begin + static_cast<long long>(s.at * 1e6));
      e.id = prefix + std::to_string(i + 1);
      batch.add(e, static_cast<std::int64_t>(i + 1), s.name, target);
    }
    if (batch.records())
      loader.write(batch, done, {}, false, [](const std::vector<Rejected> &rejected) {
        if (!rejected.empty()) throw Failure(Exit::refused, rejected.front().reason);
      });
    batch.clear();
    progress.at(static_cast<std::int64_t>(i), static_cast<double>(i) / total);
    check_interrupted();
    if (o.speed > 0 && i < company.events.size() && !sleep_for(0.2)) throw Interrupted();
  }
  progress.finish();
  if (history) connection.script("CALL pql.backfill()");
  if (session.out.json)
    return session.out.document({{"table", target.name},
                                 {"accounts", company.accounts},
                                 {"buyers", company.buyers},
                                 {"days", o.days},
                                 {"written", done.counts.written},
                                 {"repeated", done.counts.repeated}});
  session.out.line(counted(done.counts.written, "event", "events") + " of " +
                   counted(company.accounts, "account", "accounts") + " over " + counted(o.days, "day", "days") +
                   ", of whom " + grouped(company.buyers) + " will buy" +
                   (done.counts.repeated ? "; " + grouped(done.counts.repeated) + " were there already" : ""));
}

} // namespace

void add_simulate(CLI::App &app, Session &session) {
  CLI::App *const command = app.add_subcommand("simulate", "Write the events of a simulated company");
  const auto o = std::make_shared<Options>();
  command->add_option("--accounts", o->accounts, "How many accounts")->capture_default_str();
  command->add_option("--days", o->days, "Days that they live, up to now")->capture_default_str();
  command->add_option("--seed", o->seed, "Another number makes another company")->capture_default_str();
  command->add_option("--speed", o->speed,
                      "Play it: so many simulated seconds a second (86400: a day); without, all at once");
  command->add_option("--table", o->table, "Table to write to, which is made and attached if need be")
      ->capture_default_str();
  command->add_flag("--print-program", o->program, "Write no events, and print a program for them");
  command->callback([&session, o] { simulate(session, *o); });
}

} // namespace pql::cli
