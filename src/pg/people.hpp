// Deciding upon people, who may be seen in several homes: when a statement has written all of them, and again when the transaction commits.
// Law: a transaction locks people after all of its homes, in the order of their stripes, and no home after them; what it knows of a
// person is read after that, so that of two transactions that write him the later one sees the earlier.
#pragma once

#include "pg/boundary.hpp"

namespace pql::pg {

class Store;

/// What became of a person in a home that this transaction wrote or locked.
struct PersonNote {
  Micros as_of;           ///< the instant of decisions
  bool may_enter = false; ///< an event new enough came
  bool review = false;    ///< less may be left of the score than was foreseen
  bool fresh = false;     ///< he may not have been seen in that home before
  bool decided = false;   ///< by what was committed when the statement ended
};

/// Notes a person to be decided upon at the commit. The home must be locked.
void note_person(std::string_view home, std::string_view user, const PersonNote &note);
/// Whether anybody is noted.
bool people_noted() noexcept;
/// Decides upon those who were noted since the last time, so that the transaction sees what follows from its statements. Locks nobody.
void foresee_people();
/// Decides upon all that are noted. At the commit, when everything else has been done.
void decide_people();
/// Locks everybody. Call when all homes that there are are locked.
void lock_all_people();

/// The ends of transactions: nobody is noted any more, or not for what was taken back.
void forget_people() noexcept;
void end_people_of(SubXactEvent event, SubTransactionId mine, SubTransactionId parent);

} // namespace pql::pg
