// Reading what is known of subjects, now or in the past.
// Law: an instant before a subject's newest event is answered from the events, never by extrapolation.
#pragma once

#include <unordered_set>

#include "pg/derive.hpp"

namespace pql::pg {

/// The subject as of an instant; nothing when it is unknown then. In the caller's arena.
std::optional<Subject> subject_at(const Definitions &plan, Arena &arena, Unit unit, std::string_view id, Micros as_of);

/// The homes in which a subject's events may be.
std::vector<std::string> homes_of(Unit unit, std::string_view id);
/// Raises 22023 for an instant before what a source retains.
void refuse_sealed(const Definitions &plan, Micros as_of);

/// Which milestones of subjects are wanted, and of which it matters when they were reached. They are kept apart from the rest.
struct MilestonesWanted {
  bool all = false;
  std::vector<TrackerId> dated;   ///< unless all
  std::vector<TrackerId> reached; ///< that they were is enough

  bool any() const noexcept { return all || !dated.empty() || !reached.empty(); }
  /// What a program's points need, and its rules; or its points alone.
  static MilestonesWanted of(const Definitions &plan, const Program &p);
  static MilestonesWanted of_points(const Definitions &plan, const Program &p);

  /// Unless all are wanted: gives them to an account, as of an instant. What the home's log has of kOwner is asked for only where
  /// it matters.
  using Log = std::function<std::vector<LoggedMilestones>()>;
  void add(Arena &arena, std::string_view home, Micros as_of, Subject &s, const Log &log) const;
  static constexpr std::string_view kOwner{};
};

using Telling = std::function<void(const Subject &, const Home *)>;
/// Calls f(subject, row) for every subject of a unit, as of an instant, in no order; a user of several homes comes once. `row` is an
/// account's, if that has all of its members; else null.
void subjects_at(const Definitions &plan, Arena &arena, Unit unit, Micros as_of, const MilestonesWanted &milestones, const Telling &f);

/// Tells accounts or workspaces by itself, but for the homes that it is given: those with held events that are due. Returns them and
/// what else it leaves.
using Others = std::function<std::vector<std::string>(const std::unordered_set<std::string_view> &awaited)>;
/// The same of those that others leave.
void subjects_left_at(const Definitions &plan, Arena &arena, Unit unit, Micros as_of, const MilestonesWanted &milestones, const Telling &f,
                      const Others &others);

/// Folds held events that are due into what was read. In memory only.
void fold_due(const Definitions &plan, Arena &arena, Batch &into, const std::vector<std::string> *homes, Micros as_of, std::string_view user = {});

/// Locks the homes of held events that are due by an instant and by their source's clock: those that have the `most` earliest ones. Due is
/// what would not be held if it came now: no instant asked for makes an event of the future count before its time.
std::vector<std::string> lock_due(Micros as_of, int most);
/// Takes the held events of homes that are locked away, as far as they are due, and folds them.
void take_due(const Definitions &plan, Arena &arena, Batch &into, Micros as_of, const std::vector<std::string> &homes);

/// Raises 42501 unless the current user may read pql.state and pql.milestone_log: functions read them directly, where no right is
/// checked.
void require_read_access();

/// The program in force under a name. Fails with 42704 and the names there are.
const Program &program_named(const Definitions &plan, const std::string &name);

/// The instant an argument means: NULL is now; infinite ones are refused.
Micros instant_arg(const Definitions &plan, FunctionCallInfo fcinfo, int n);

} // namespace pql::pg
