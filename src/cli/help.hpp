// How an option is told of, in --help and in the manual page.
#pragma once

#include <string>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace pql::cli {

/// What stands for an option's value: "N", "FILE", "TEXT"; "" if it has none.
std::string value_name(const CLI::Option &option);

/// What it does, which numbers it may be, and what it is if nobody says so: "At most so many posts at once, 1 to 256
/// (8)".
std::string option_text(const CLI::Option &option);

/// Has the app, and the subcommands that are added afterwards, tell of their options so.
void set_help(CLI::App &app);

} // namespace pql::cli
