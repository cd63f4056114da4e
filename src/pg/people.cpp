#include "pg/people.hpp"

#include <map>
#include <set>

#include "pg/merge.hpp"

extern "C" {
#include "storage/lock.h"
}

namespace pql::pg {
namespace {

struct Place {
  std::string home, user;
  auto operator<=>(const Place &) const = default;
};

// Notes are kept by subtransaction: what a savepoint takes back must go with it.
using Notes = std::map<std::pair<SubTransactionId, Place>, PersonNote>;

// Never destroyed: PostgreSQL's state is gone when static destructors run. Empty containers allocate nothing: it can't fail.
Notes &notes() noexcept {
  alignas(Notes) static unsigned char room[sizeof(Notes)];
  static auto &n = *new (room) Notes;
  return n;
}

void add(PersonNote &to, const PersonNote &n) {
  to.as_of = std::max(to.as_of, n.as_of);
  to.may_enter |= n.may_enter;
  to.review |= n.review;
  to.fresh |= n.fresh;
  to.decided &= n.decided;
}

// So few that even a transaction with everybody in it has room for its locks.
constexpr std::uint32_t kStripes = 128;

void lock_stripe(std::uint32_t stripe, LOCKMODE mode) {
  call([&] {
    LOCKTAG tag;
    SET_LOCKTAG_OBJECT(tag, MyDatabaseId, pql_relation("user_home"), stripe, 0);
    LockAcquire(&tag, mode, false, false);
  });
}

// Of those who write a person in one home each is behind the other's lock of that home already. They share the person's, unless he
// has another home, or is new to theirs. Of two that write him in different homes one doesn't share: each home is new to him in
// the transaction that wrote it first, and one of the two that know him in their own home only would have had to look before the
// other's was committed, and after.
void lock_people(const std::map<std::string, PersonNote> &people) {
  std::map<std::uint32_t, LOCKMODE> stripes;
  Scratch scratch("pql people");
  Store store(Store::Access::read, true);
  std::vector<std::string_view> homes;
  for (const auto &[user, note] : people) {
    scratch.arena().reset();
    if (!note.fresh) store.homes_of(scratch.arena(), user, homes);
    LOCKMODE &mode = stripes.try_emplace(static_cast<std::uint32_t>(hash_of(user, 0) >> 32) % kStripes, ShareLock).first->second;
    if (note.fresh || homes.size() != 1) mode = ExclusiveLock;
  }
  store.close();
  for (const auto &[stripe, mode] : stripes) lock_stripe(stripe, mode);
}

} // namespace

void note_person(std::string_view home, std::string_view user, const PersonNote &note) {
  const SubTransactionId now = call([] { return GetCurrentSubTransactionId(); });
  const auto [at, fresh] = notes().try_emplace({now, Place{std::string(home), std::string(user)}}, note);
  if (!fresh) add(at->second, note);
}

bool people_noted() noexcept { return !notes().empty(); }

void lock_all_people() {
  for (std::uint32_t i = 0; i < kStripes; i++) lock_stripe(i, ExclusiveLock);
}

namespace {

struct Noted {
  std::map<std::string, PersonNote> people;
  std::set<Place> places;

  void take(const Place &at, const PersonNote &note) {
    const auto [p, fresh] = people.try_emplace(at.user, note);
    if (!fresh) add(p->second, note);
    places.insert(at);
  }
};

bool is_there() {
  return OidIsValid(call([] { return get_namespace_oid("pql", true); })); // the extension, which may have been dropped meanwhile
}

void decide(const Noted &noted) {
  const auto &[people, places] = noted;
  const std::shared_ptr<const Definitions> plan = current_definitions();
  std::map<std::tuple<Micros, bool, bool>, std::vector<const Place *>> alike;
  for (const Place &p : places) {
    const PersonNote &n = people.at(p.user);
    alike[{n.as_of, n.may_enter, n.review}].push_back(&p);
  }
  for (const auto &[how, of] : alike) {
    Scratch memory("pql people");
    Batch batch(memory.arena(), plan->trackers());
    for (const Place *p : of) {
      HomeDelta &h = batch.home(p->home);
      if (is_account_home(p->home)) batch.user(h, p->user);
    }
    MergeOptions o;
    o.people = true;
    o.as_of = std::get<0>(how);
    o.emit_since = std::get<1>(how) ? kAlways : kNever;
    o.review = std::get<2>(how);
    merge_batch(*plan, batch, o);
  }
}

} // namespace

void foresee_people() {
  Noted fresh;
  for (auto &[key, note] : notes()) {
    if (!std::exchange(note.decided, true)) fresh.take(key.second, note);
  }
  if (!fresh.people.empty() && is_there()) decide(fresh);
}

void decide_people() {
  Noted all;
  for (const auto &[key, note] : notes()) all.take(key.second, note);
  forget_people();
  if (all.people.empty() || !is_there()) return;
  lock_people(all.people);
  decide(all);
}

void forget_people() noexcept { notes().clear(); }

void end_people_of(SubXactEvent event, SubTransactionId mine, SubTransactionId parent) {
  const auto first = notes().lower_bound({mine, Place{}});
  if (event == SUBXACT_EVENT_ABORT_SUB) notes().erase(first, notes().end());
  if (event != SUBXACT_EVENT_COMMIT_SUB) return;
  for (auto at = first; at != notes().end(); at = notes().erase(at)) {
    const auto [outer, fresh] = notes().try_emplace({parent, at->first.second}, at->second);
    if (!fresh) add(outer->second, at->second);
  }
}

} // namespace pql::pg
