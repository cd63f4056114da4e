// What lexica find in labelled messages, held against the labels.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace pql::topic {

/// What is measured, and what is shown.
struct Measuring {
  std::string only = "all";                     ///< all, test, or dev: every fourth message of a file, beginning with the first
  std::string messages = "test/topics/messages"; ///< the directory of LANGUAGE.tsv
  bool misses = false;                          ///< each message that came out otherwise than it is labelled
  bool why = false;                             ///< and the patterns that were wrong
  std::vector<std::string> lexica;              ///< files LANGUAGE.tsv, used together, as a database uses them
};

/// Writes precision and recall by language and topic to `out`, what is wrong with the lexica to `err`. The messages are those of the
/// lexica's languages. Returns whether the lexica have no wrong line.
bool measure(const Measuring &m, std::ostream &out, std::ostream &err);

} // namespace pql::topic
