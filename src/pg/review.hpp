// What time alone brings: held events fall due, scores fall, cool-downs end, and rules come to say something else.
// Law: done at any time, and again, it leads to the same episodes.
#pragma once

#include "pg/merge.hpp"

namespace pql::pg {

/// Folds held events that are due (see take_due). Returns how many. `most`, here and below, is how many it deals with, about.
std::int64_t release_held(Micros as_of, int most);

/// Somebody to look at again: in which home, and who.
struct Reviewed {
  std::string home;
  Unit unit;
  std::string subject;
};
/// Decides anew upon subjects; people's homes must be locked.
void review(const Definitions &plan, const std::vector<Reviewed> &subjects, Micros as_of);
/// Decides anew upon open episodes whose time to leave has come, and upon who has cooled down. Returns how many there were.
std::int64_t review_due(const Definitions &plan, Micros as_of, int most);
/// Decides anew upon whoever would enter or leave a program now, or get another motion, or be blocked or not any more, though nothing
/// happened: where time alone can raise the score, or change what a rule says. Each program as often as its re_evaluate says. Returns how many there were.
std::int64_t review_rising(const Definitions &plan, Micros as_of, int most);

} // namespace pql::pg
