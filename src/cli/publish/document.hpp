// A program document in a file: JSON, or YAML with comments, and where in the file each part of it stands.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cli/base/output.hpp"

namespace pql::cli {

/// A place in a file, from 1.
struct Place {
  int line = 1, column = 1;
};

/// What is wrong with a file, and where.
struct DocumentError {
  Place place;
  std::string message;
};

struct Document {
  Json value;
  /// By path, as pql.check_program writes it: "signals.api_usage.half_life", "motions[0]"; the whole is "".
  std::map<std::string, Place> places;

  /// Where the path stands; of what isn't there, where it would be in.
  Place place(std::string path) const;
};

/// JSON if it begins with a brace, else YAML 1.2 with its core schema. Throws DocumentError.
Document read_document(const std::string &text);

} // namespace pql::cli
