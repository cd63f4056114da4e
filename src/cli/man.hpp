// pqlctl man: the manual page, made of what the program knows of its subcommands and options.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace pql::cli {

/// The page in roff.
std::string manual_page(const CLI::App &app);

} // namespace pql::cli
