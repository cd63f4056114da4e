// What all subcommands share: the options before and after their name, the connection, the output, and the status to
// end with.
#pragma once

#include <optional>

#include "cli/base/connection.hpp"
#include "cli/base/failure.hpp"
#include "cli/base/output.hpp"

namespace pql::cli {

struct Session {
  ConnectionOptions where;
  Output out;
  Exit exit = Exit::right; ///< a command that was done sets it if the answer is "no"

  /// Connects when it is asked for the first time.
  Connection &connection() {
    if (!connection_) connection_.emplace(where);
    return *connection_;
  }

private:
  std::optional<Connection> connection_;
};

} // namespace pql::cli
