// Secrets by their names: from the environment, or from a file that nobody else may read.
// Law: no secret is written anywhere, into no message and no log.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace pql::cli {

class Secrets {
public:
  Secrets() = default;
  /// Lines "name = value"; blank ones, and those that begin with #, say nothing. Throws Failure if the file can't be
  /// read, or others than its owner may read it.
  explicit Secrets(const std::string &file);

  /// PQL_SECRET_<NAME> of the environment, else what the file says.
  std::optional<std::string> find(const std::string &name) const;

private:
  std::map<std::string, std::string> values_;
};

} // namespace pql::cli
