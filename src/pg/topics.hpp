// The lexicon in force, compiled once per backend, and texts in the database's encoding.
// Law: as new as the newest committed line that this backend has been told of; a line that can't be used is passed over.
#pragma once

#include "core/topic/matcher.hpp"
#include "pg/boundary.hpp"

namespace pql::pg {

/// A topic that was found, in the database's encoding.
struct FoundTopic {
  std::string topic, language, quote;
};

/// The topics of a message: of its first megabyte.
std::vector<FoundTopic> topics_of(std::string_view message);

/// What is wrong with a pattern, in the database's encoding.
std::optional<topic::PatternProblem> check_pattern(topic::Kind kind, std::string_view pattern);

} // namespace pql::pg
