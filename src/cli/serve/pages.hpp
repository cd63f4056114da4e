// The pages on which reps answer.
// Law: nothing that was sent is in a page unescaped; no page needs scripts.
#pragma once

#include <string>

namespace pql::cli {

/// What a page shows of a routing row.
struct ReplyRow {
  std::string rep, subject, headline, story, state, owner, disposition, contact_by;
  bool snoozed = false;
};

/// The style sheet of all of them.
const std::string &style_sheet();

/// The row, and the forms to answer with; the one that the link was for comes first.
std::string reply_page(const ReplyRow &row, const std::string &action);

/// What came of an answer, or why there is none: a title, and a sentence or two.
std::string plain_page(const std::string &title, const std::string &text, bool good);

} // namespace pql::cli
