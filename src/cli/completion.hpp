// pqlctl completion: scripts by which shells complete pqlctl's subcommands and options.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace pql::cli {

/// The script for a shell ("bash" or "zsh"), of all subcommands and options that the program has.
std::string completion_script(const CLI::App &app, const std::string &shell);

} // namespace pql::cli
