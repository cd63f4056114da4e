// The subcommands of pqlctl, in the order in which its help shows them.
#pragma once

namespace CLI {
class App;
}

namespace pql::cli {

struct Session;

/// Each adds its subcommand, which runs as soon as it was parsed, with what all subcommands share.
void add_import(CLI::App &app, Session &session); ///< events from files into a table
void add_simulate(CLI::App &app, Session &session); ///< a company to try pql on, for who has no events at hand
void add_publish(CLI::App &app, Session &session); ///< a program from a file into force
void add_backtest(CLI::App &app, Session &session); ///< what a program would have led to, week by week, and two of them side by side
void add_watch(CLI::App &app, Session &session); ///< routing rows as they come
void add_deliver(CLI::App &app, Session &session); ///< posts what pql.delivery holds to where people work
void add_serve(CLI::App &app, Session &session); ///< receives what reps answer by the links that deliver sends
void add_report(CLI::App &app, Session &session); ///< the life of hand-offs as one page of HTML
void add_bench(CLI::App &app, Session &session); ///< what pql costs and gives on this server
void add_doctor(CLI::App &app, Session &session); ///< what is wrong with an installation, and how to mend it
void add_completion(CLI::App &app, Session &session); ///< scripts by which shells complete subcommands and options
void add_man(CLI::App &app, Session &session); ///< the manual page
void add_version(CLI::App &app, Session &session); ///< pqlctl's version, and that of the extension in the database

} // namespace pql::cli
