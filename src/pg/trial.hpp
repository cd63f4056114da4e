// Programs tried on the events that there are: nothing is written, nothing is emitted.
// Law: what a replay decides upon a subject is what the trigger would have decided, had the same events come one by one in the order
// of their times.
#pragma once

#include "core/qualify/qualify.hpp"
#include "core/qualify/route.hpp"
#include "pg/outside.hpp"
#include "pg/tape.hpp"

namespace pql::pg {

/// What is gathered.
struct Gathering {
  Micros until = kNever;                           ///< later events are left out
  const std::vector<std::string> *homes = nullptr; ///< only these (null: all)
  std::string_view user;                           ///< only this user's events
  bool every_event = false;                        ///< also those that do nothing
  int part = 0, parts = 1;                         ///< only such a share of the subjects
};

/// Gathers what matters to the programs of a plan, of subjects of a unit: events that do something there, milestones that were
/// stated, and what was sealed. Others have no points, and points only fall while nothing else happens; where rules or rising scores
/// look at time, all events, so that what is decided at each of them is.
void gather(const Definitions &plan, Unit unit, const Gathering &what, Tape &to);

/// A subject, as its entries are played.
class Life {
public:
  /// `now`: attributes and flags are wanted as they are, not as they were then.
  Life(const Definitions &plan, Unit unit, bool now = false) : plan_(plan), unit_(unit), now_(now), batch_(scratch_.arena(), plan.trackers()) {}

  /// Begins another subject, whose entries must stay where they are.
  void begin(std::span<const Entry> entries) { begin(entries.front().subject, entries); }
  /// One of whom there may be none.
  void begin(std::string_view id, std::span<const Entry> entries = {});
  /// Takes what comes up to an instant.
  void live_until(Micros at);
  /// Takes the next entry; false when there is none.
  bool step();
  /// When the next entry comes; kNever when there is none.
  Micros next() const noexcept { return played_ < entries_.size() ? entries_[played_].at : kNever; }

  std::string_view id() const noexcept { return subject_.id.view(); }
  const Subject &subject() const noexcept { return subject_; }
  int points(const Program &p, Micros at) { return look_at(p, at).score; }
  /// All that entering and staying depend on.
  Sight look_at(const Program &p, Micros at);
  std::span<const Reason> reasons() const noexcept { return reasons_; } ///< of the last points() or look_at()
  /// Since when a subject that is low at an instant has been, if nothing happened since it was seen last.
  Micros fell(const Program &p, const Sight &sight, Micros at);
  /// Gives back what facts were read by. On an error PostgreSQL does it instead.
  void close() { outside_.close(); }

private:
  void take(const Entry &e);
  void settle();
  Facts facts_of(const Program &p, Micros at);

  const Definitions &plan_;
  Unit unit_;
  const bool now_;
  Scratch scratch_{"pql life"};
  Batch batch_;
  Subject subject_;
  std::span<const Entry> entries_;
  std::size_t played_ = 0;
  std::vector<Reason> reasons_;
  std::span<const double> given_;              ///< what the last look was given besides the state
  std::map<std::string_view, Micros> seen_;    ///< an account's users, or a user's account, and when they were seen last
  Outside outside_;
};

/// A spell above a threshold.
struct Spell {
  Micros entered = kAlways, left = kNever;
  int score = 0;
};

/// Plays a subject's whole life up to an instant and calls f(program, spell) for each spell, as it ends; the last may be open.
void replay(std::span<const Program> programs, Life &life, Micros until, const std::function<void(const Program &, const Spell &)> &f);

} // namespace pql::pg
