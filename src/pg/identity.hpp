// Who is who: ids that were merged into others, users who were moved to an account, and who was erased (pql.identity).
// Law: whoever writes state holds the lock that keeps merges out, from before he resolves the first id until his transaction
// ends; so no event is folded by anything but the newest committed merges.
#pragma once

#include <set>

#include "pg/boundary.hpp"

namespace pql::pg {

/// Whether anything was ever merged or moved; as of the last lock or refresh.
inline bool identities_in_force = false;

/// Keeps merges out until the transaction ends, and learns of those that were made. Before any home is locked.
void lock_identities();
/// Learns of merges that were made. For those who only read.
void refresh_identities();

/// Forgets what is known of ids when there are too many. Not between the reading of an event and its use.
void forget_identities();

/// Whose an event is, as its row says it, and as it counts. Views live until ids are forgotten, learnt of, or locked.
struct Owner {
  std::string_view user, account;
  bool has_account = false;
  bool erased = false; ///< the user, or the account in which it would count: it counts for nobody
};
/// Resolves the ids of an event. True when it changed any. Inside call(), and only while identities_in_force.
bool identify(Owner &owner);

/// Whom an id stands for, and which home a key.
std::string canonical_id(Unit unit, std::string_view id);
std::string canonical_home(std::string_view key);

/// Whether anybody was ever erased; as of the last lock or refresh.
bool anybody_erased() noexcept;
/// Whether the user or the account whose own home it is was erased.
bool is_erased(std::string_view home);

/// Ids as rows may say them.
struct SaidIds {
  std::vector<std::string> accounts, users, workspaces;
};
/// The ids, or more, of all events that count in some homes.
SaidIds said_in(const std::vector<std::string> &homes);
/// An id, and all that were merged into it.
std::vector<std::string> said_as(Unit unit, std::string_view id);
/// Homes, and those that were merged into them.
std::vector<std::string> said_homes(const std::vector<std::string> &homes);

/// Merges of these ids, as rows say them, can't be undone any more: what they were told by was sealed.
void note_sealed(const std::set<std::string, std::less<>> &said);

std::int64_t merge_ids(Unit unit, const std::string &old_id, const std::string &new_id);
std::int64_t move_user(const std::string &user, const std::optional<std::string> &account);
void undo_merge(std::int64_t id);

/// Whom an erasure concerns.
struct Erasure {
  std::vector<std::string> ids;    ///< all that stood for the user or the account
  std::vector<std::string> tokens; ///< what is kept of them, in the same order
  std::vector<std::string> homes;  ///< to be derived again, when what else is known of them is gone
  std::vector<std::string> events; ///< ids of a user's events, as SQL prints them
};
/// From here on no event of a user or an account counts, whoever tells it: pql.identity keeps hashes of the ids, and nothing else of them.
Erasure erase_identity(Unit unit, const std::string &said);

/// Whether an episode goes on that was open under another id when this transaction merged them: it has its routing row.
bool goes_on(std::int32_t program, std::string_view subject) noexcept;

/// Registers the invalidation callback. Called once, when the library is loaded.
void watch_identities();
/// The ends of transactions: what was merged in them may be taken back.
void end_identities(bool committed) noexcept;
void end_identities_of(SubXactEvent event, SubTransactionId mine, SubTransactionId parent);

} // namespace pql::pg
