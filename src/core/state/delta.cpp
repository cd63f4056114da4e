#include "core/state/delta.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/hash.hpp"
#include "core/base/near.hpp"

namespace pql {

void Batch::grow() {
  const Vec<Slot> old = table_;
  table_ = {};
  const std::uint32_t n = old.size ? old.size * 2 : 64;
  table_.reserve(arena_, n);
  table_.size = n;
  std::memset(static_cast<void *>(table_.data), 0, n * sizeof(Slot));
  for (const Slot &s : old) {
    if (!s.home) continue;
    std::uint32_t i = s.hash & (n - 1);
    while (table_[i].home) i = (i + 1) & (n - 1);
    table_[i] = s;
  }
}

// The slot with this hash of which `same` says that it is the one; free when there is none.
template <class F>
Batch::Slot &Batch::find(std::uint32_t hash, F &&same) {
  if ((used_ + 1) * 2 > table_.size) grow();
  for (std::uint32_t i = hash;; i++) {
    Slot &s = table_[i & (table_.size - 1)];
    if (!s.home || (s.hash == hash && same(s))) return s;
  }
}

Batch::Place Batch::place_of(bool account, std::string_view owner, std::string_view user) const noexcept {
  const auto home = static_cast<std::uint32_t>(hash_of(owner, account));
  return {home, static_cast<std::uint32_t>(hash_of(user, home))};
}

// The first slot with this hash, which is the one as good as always; null when there is none nearby.
const Batch::Slot *Batch::likely(std::uint32_t hash) const noexcept {
  for (std::uint32_t i = hash; i < hash + 4 && table_.size; i++) {
    const Slot &s = table_[i & (table_.size - 1)];
    if (!s.home) return nullptr;
    if (s.hash == hash) return &s;
  }
  return nullptr;
}

void Batch::approach(const Place &at, Step step) const noexcept {
  if (step == Step::slots) {
    if (!table_.size) return;
    bring_near(&table_[at.home & (table_.size - 1)]);
    return bring_near(&table_[at.user & (table_.size - 1)]);
  }
  if (step == Step::home) {
    const Slot *const s = likely(at.home);
    if (!s) return;
    const char *const home = reinterpret_cast<const char *>(s->home);
    for (std::size_t i = 0; i < sizeof(HomeDelta); i += 64) bring_near(home + i);
    return;
  }
  const Slot *const s = likely(at.user);
  if (!s || s->member == 0) return;
  const Subject *const member = &s->home->home.members[s->member - 1];
  bring_near(s->home->key.data());
  bring_near(s->home->home.owner.decays.data);
  bring_near(member);
  bring_near(reinterpret_cast<const char *>(member) + 64);
}

HomeDelta &Batch::home(Unit unit, std::string_view id) {
  return home(unit, id, static_cast<std::uint32_t>(hash_of(id, static_cast<std::uint64_t>(unit))));
}

HomeDelta &Batch::home(Unit unit, std::string_view id, std::uint32_t hash) {
  Slot &s = find(hash, [&](const Slot &x) {
    return x.member == 0 && unit_of_home(x.home->key) == unit && home_id(x.home->key) == id;
  });
  if (s.home) return *s.home;
  static constexpr HomeDelta nothing{};
  HomeDelta &h = *(arena_.array<HomeDelta>(1)) = nothing;
  char *const key = static_cast<char *>(arena_.allocate(id.size() + 2));
  key[0] = unit == Unit::account ? 'a' : unit == Unit::workspace ? 'w' : 'u';
  key[1] = ':';
  std::memcpy(key + 2, id.data(), id.size());
  h.key = {key, id.size() + 2};
  h.hash = hash;
  h.home.head = true;
  h.home.owner.id = Bytes::borrow(home_id(h.key));
  s = {&h, hash, 0};
  used_++;
  homes_.push(arena_, &h);
  return h;
}

Subject &Batch::user(HomeDelta &h, std::string_view id) {
  return user(h, id, static_cast<std::uint32_t>(hash_of(id, h.hash)));
}

Subject &Batch::user(HomeDelta &h, std::string_view id, std::uint32_t hash) {
  if (unit_of_home(h.key) == Unit::user) return h.home.owner;
  Slot &s = find(hash, [&](const Slot &x) {
    return x.home == &h && x.member > 0 && h.home.members[x.member - 1].id.view() == id;
  });
  if (!s.home) {
    static constexpr Subject nobody{};
    h.home.members.push(arena_, nobody).id.assign(arena_, id);
    s = {&h, hash, h.home.members.size};
    used_++;
  }
  if (&h == last_home_) last_member_ = s.member; // others' members must not be taken for its own
  return h.home.members[s.member - 1];
}

// One copy of an event's id is enough for all the milestones that rest on it.
std::string_view Batch::lasting(std::string_view id) {
  if (!lasting_id_.data()) lasting_id_ = arena_.copy(id);
  return lasting_id_;
}

void Batch::apply(Subject &s, const Event &e, std::span<const Action> actions, bool of_user) {
  for (const Action &x : actions) {
    if (x.rule >= 0 && !e.rules[static_cast<std::size_t>(x.rule)]) continue;
    switch (x.kind) {
    case Tracker::Kind::milestone:
      if (FirstTime *m = s.news_of(arena_, x.tracker, e.at, e.id)) *m = FirstTime::of(x.tracker, e.at, lasting(e.id));
      break;
    case Tracker::Kind::decay: {
      const double v = x.value < 0 ? 1 : e.values[static_cast<std::size_t>(x.value)];
      if (!std::isnan(v)) s.fold_decay(arena_, x.tracker, trackers_[x.tracker].half_life, e.at, v, e.id);
      break;
    }
    case Tracker::Kind::funnel: s.fold_steps(arena_, x.tracker, trackers_[x.tracker].funnel, e.at, x.steps); break;
    case Tracker::Kind::none: break;
    default: {
      const double v = x.value < 0 ? 1 : e.values[static_cast<std::size_t>(x.value)];
      if (x.account) {
        if (e.has_account) s.fold_mark(arena_, x.tracker, trackers_[x.tracker].marks, e.at, 0, 1, e.account);
        break;
      }
      const bool whose = !of_user && (x.kind == Tracker::Kind::users || x.kind == Tracker::Kind::sessions);
      if (!std::isnan(v)) s.fold_mark(arena_, x.tracker, trackers_[x.tracker].marks, e.at, whose ? user_key(e.user) : 0, v, e.id);
    }
    }
  }
}

void Batch::fold(const Event &e, const EventActions &actions, const Place &at, bool members) {
  lasting_id_ = {};
  const std::string_view owner = e.has_account ? e.account : e.user;
  HomeDelta *h = last_home_;
  if (!h || h->hash != at.home || is_account_home(h->key) != e.has_account || home_id(h->key) != owner) {
    h = last_home_ = &home(e.has_account ? Unit::account : Unit::user, owner, at.home);
    last_member_ = 0;
  }
  Subject *user = &h->home.owner;
  if (e.has_account) {
    const bool same = last_member_ > 0 && h->home.members[last_member_ - 1].id.view() == e.user;
    user = same ? &h->home.members[last_member_ - 1] : &this->user(*h, e.user, at.user);
    if (members) h->home.owner.fold_seen(e.at);
    apply(h->home.owner, e, actions.on_account, false);
  }
  if (members) user->fold_seen(e.at);
  apply(*user, e, actions.on_user, true);
  if (e.at > h->newest) h->newest = e.at;
  events_++;
}

void Batch::fold_workspace(const Event &e, std::span<const Action> actions, bool members) {
  lasting_id_ = {};
  HomeDelta &h = home(Unit::workspace, e.workspace);
  if (members) {
    h.home.owner.fold_seen(e.at);
    user(h, e.user).fold_seen(e.at);
  }
  apply(h.home.owner, e, actions, false);
  if (e.at > h.newest) h.newest = e.at;
}

void Batch::add(std::string_view key, const Home &base) {
  HomeDelta &h = home(key);
  const auto add = [&](Subject &to, const Subject &from) {
    to.learn(arena_, from);
    to.absorb(arena_, trackers_, from);
  };
  add(h.home.owner, base.owner);
  for (const Subject &s : base.members) add(user(h, s.id.view()), s);
}

std::span<HomeDelta *const> Batch::sorted() {
  std::sort(homes_.begin(), homes_.end(), [](const HomeDelta *a, const HomeDelta *b) { return a->key < b->key; });
  return {homes_.data, homes_.size};
}

} // namespace pql
