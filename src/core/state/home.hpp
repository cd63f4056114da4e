// A home: the account with its members, a person without an account, or a workspace; what one row of pql.state holds.
// Law: decode(encode(h)) equals h; decode never crashes and refuses what encode can't have written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/unit.hpp"
#include "core/state/subject.hpp"

namespace pql {

/// A home, or a part of one. The head (part 0) has the owner and, while they are few, the members; the other parts have
/// members only. A lane is a part that has a share of both: what they are is the sum of the home's rows.
struct Home {
  bool head = false;          ///< or a lane
  std::uint8_t depth = 0;     ///< members lie in 2^depth further parts; 0: in the head itself
  std::uint8_t lanes = 0;     ///< parts -1 to -lanes are lanes
  std::uint8_t heat = 0;      ///< how often somebody had to wait for the head lately; lanes stay until it is 0
  Subject owner;              ///< the account, the person, or the workspace (head only)
  Vec<Subject> members;       ///< users of the account; of a workspace, when they were seen there and nothing else
  Vec<std::int32_t> included; ///< unfinished backfills whose history this home has already

  Subject *member(std::string_view id) const noexcept;
  bool includes(std::int32_t job) const noexcept;
};

/// The key of a home: "a:" and the account's id, "u:" and the user's, or "w:" and the workspace's.
std::string home_key(Unit unit, std::string_view id);
inline std::string home_key(bool account, std::string_view id) { return home_key(account ? Unit::account : Unit::user, id); }
/// Whose home a key is.
inline bool is_account_home(std::string_view key) noexcept { return key.starts_with("a:"); }
inline bool is_workspace_home(std::string_view key) noexcept { return key.starts_with("w:"); }
inline Unit unit_of_home(std::string_view key) noexcept {
  return is_account_home(key) ? Unit::account : is_workspace_home(key) ? Unit::workspace : Unit::user;
}
/// The id in a key.
inline std::string_view home_id(std::string_view key) noexcept { return key.substr(2); }

/// In which part a member of a home lies.
std::uint32_t member_part(std::string_view user_id, std::uint8_t depth) noexcept;

inline constexpr std::uint8_t kMaxHomeDepth = 14, kMaxLanes = 16;

/// Where milestones are: in the stored form itself, or kept apart (pql.milestone_log), so that it only says which are known.
/// A home's row is written with every event, a milestone once.
enum class Milestones : std::uint8_t { inside, apart };

/// The stored form, of subjects whose marks are settled. What every event changes (when a subject was seen) lies together, next to what some do (sums), so that an
/// update logs few bytes.
std::string_view encode(Arena &a, const Home &h, Milestones where = Milestones::inside);

/// How members are read: whole, or, when only a few of many are wanted, with what hardly any event changes left asleep.
enum class Members : std::uint8_t { whole, asleep };

/// Reads the stored form; what it returns borrows from `stored`. Nothing when it isn't one.
std::optional<Home> decode(Arena &a, std::string_view stored, Members members = Members::whole);
/// How deep a stored home is, without reading the rest of it; 0 when that isn't one.
std::uint8_t depth_of(std::string_view stored) noexcept;
/// Reads what decode left asleep, before a member is merged or looked at (encode needs not). False when it is damaged.
[[nodiscard]] bool wake(Arena &a, Subject &s);

/// Milestones that are kept apart, and back.
std::string_view encode_milestones(Arena &a, const Vec<FirstTime> &milestones);
std::optional<Vec<FirstTime>> decode_milestones(Arena &a, std::string_view stored);

/// The subject's state (without its ledger, and without milestones that are kept apart) in one canonical form: equal states
/// give equal bytes.
std::string_view canonical(Arena &a, const Subject &s);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
