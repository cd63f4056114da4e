// What readers give to a program's rules besides the state: attributes, who is active, as of an instant.
// Law: what no rule names isn't read.
#pragma once

#include "pg/outside.hpp"
#include "pg/read.hpp"

namespace pql::pg {

class FactReader {
public:
  /// `now`: attributes are wanted as they are, not as they were at the instant.
  FactReader(const Definitions &plan, const Program &p, Micros as_of, bool now, Ask ask = Ask::all);
  FactReader(const FactReader &) = delete;
  FactReader &operator=(const FactReader &) = delete;

  /// Looks at one subject's homes. Without it, all of them are looked at when that is needed.
  void look_at(Arena &arena, std::string_view id);

  /// The facts of a subject, which live until the next one's are asked for. `row`: of an account, if it has all of its members.
  Facts of(const Subject &s, const Home *row = nullptr);
  /// Gives everything back. On an error PostgreSQL does it instead.
  void close() { outside_.close(); }

private:
  struct Seen {
    Micros at;
    std::string account;
  };
  bool looks() const noexcept { return (asks_account_ && program_.def.unit == Unit::user) || (needs_.users && program_.def.unit != Unit::user); }
  void look_at_all();
  void take(std::string_view home, const Home &row);
  void take_batch(Batch &batch);
  void look_back(Arena &arena, const ScanRange &range);

  const Definitions &plan_;
  const Program &program_;
  const RuleNeeds needs_;
  const bool asks_account_; ///< in which account a user was seen last
  const Micros as_of_;
  const bool now_;
  bool looked_ = false;
  bool later_ = false; ///< something of what was seen is later than the instant
  std::map<std::string, ActiveUsers, std::less<>> active_; ///< by account, or workspace
  std::map<std::string, Seen, std::less<>> account_of_;    ///< of users: where they were seen last
  Outside outside_;
};

/// What a function is asked: of which program, its first argument, as of which instant. Does what is pending.
struct Asked {
  Asked(FunctionCallInfo fcinfo, int as_of);

  std::shared_ptr<const Definitions> plan;
  const Program *program; ///< null: none was named
  Micros as_of;
  bool now; ///< attributes are wanted as they are

  /// Whether subjects are to be read with their milestones.
  bool milestones() const { return program->def.scores_milestones() || needs_of(*plan, *program).milestones; }
};

/// Whether somebody of whom there is no event may come near to entering a program, by what attributes or flags say of him.
bool takes_unseen(const Definitions &plan, const Program &p);
/// Calls f(subject, null), after subjects_at, for those of whom there is no event as of an instant, and who have points all the same;
/// of programs that they can't come near to, for nobody.
void unseen_at(const Definitions &plan, const Program &p, Micros as_of, bool now, const std::function<void(const Subject &, const Home *)> &f);

/// Assesses one subject. One of whom nothing is known has no points.
Assessment assess_one(const Asked &a, Arena &arena, std::string_view id, std::span<Reason> reasons, RuleErrors *errors = nullptr,
                      Ask ask = Ask::score);

} // namespace pql::pg
