#include "core/state/delta.hpp"

#include <algorithm>
#include <cmath>

namespace pql {
namespace {

std::uint64_t mix(std::uint64_t h) noexcept {
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ull;
  return h ^ h >> 32;
}

// For this process only: never stored.
std::uint64_t hash_of(std::string_view s, std::uint64_t seed) noexcept {
  std::uint64_t h = seed ^ (s.size() * 0x9e3779b97f4a7c15ull);
  while (s.size() >= 8) {
    std::uint64_t w;
    std::memcpy(&w, s.data(), 8);
    h = mix(h ^ w);
    s.remove_prefix(8);
  }
  std::uint64_t rest = 0;
  if (!s.empty()) std::memcpy(&rest, s.data(), s.size());
  return mix(h ^ rest);
}

} // namespace

void Batch::grow() {
  Vec<Slot> old = table_;
  table_ = {};
  const std::size_t n = old.size ? old.size * 2 : 64;
  table_.reserve(arena_, n);
  table_.size = static_cast<std::uint32_t>(n);
  std::memset(static_cast<void *>(table_.data), 0, n * sizeof(Slot));
  for (const Slot &s : old) {
    if (!s.home) continue;
    std::size_t i = s.hash & (n - 1);
    while (table_[i].home) i = (i + 1) & (n - 1);
    table_[i] = s;
  }
}

// The slot of a home (in null: by its key) or of a member of a home; free when there is none.
Batch::Slot &Batch::find(std::uint64_t hash, const HomeDelta *in, std::string_view key) {
  if ((used_ + 1) * 2 > table_.size) grow();
  for (std::size_t i = hash & (table_.size - 1);; i = (i + 1) & (table_.size - 1)) {
    Slot &s = table_[i];
    if (!s.home) return s;
    if (s.hash != hash) continue;
    if (!in ? s.member == 0 && s.home->key == key
            : s.home == in && s.member > 0 && s.home->home.members[s.member - 1].id.view() == key)
      return s;
  }
}

HomeDelta &Batch::home(bool account, std::string_view id) {
  char small[256];
  std::string_view key;
  if (id.size() + 2 <= sizeof small) {
    small[0] = account ? 'a' : 'u';
    small[1] = ':';
    std::memcpy(small + 2, id.data(), id.size());
    key = {small, id.size() + 2};
  } else {
    char *big = static_cast<char *>(arena_.allocate(id.size() + 2));
    big[0] = account ? 'a' : 'u';
    big[1] = ':';
    std::memcpy(big + 2, id.data(), id.size());
    key = {big, id.size() + 2};
  }
  const std::uint64_t hash = hash_of(key, 1);
  Slot &s = find(hash, nullptr, key);
  if (s.home) return *s.home;
  HomeDelta &h = *(arena_.array<HomeDelta>(1)) = HomeDelta{};
  h.key = arena_.copy(key);
  h.home.head = true;
  h.home.owner.id = Bytes::borrow(home_id(h.key));
  s = {hash, &h, 0};
  used_++;
  homes_.push(arena_, &h);
  return h;
}

Subject &Batch::user(HomeDelta &h, std::string_view id) {
  if (!is_account_home(h.key)) return h.home.owner;
  const std::uint64_t hash = hash_of(id, reinterpret_cast<std::uintptr_t>(&h));
  Slot &s = find(hash, &h, id);
  if (!s.home) {
    Subject member;
    member.id.assign(arena_, id);
    h.home.members.push(arena_, member);
    s = {hash, &h, h.home.members.size};
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

void Batch::apply(Subject &s, const Event &e, std::span<const Action> actions) {
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
    }
  }
}

void Batch::fold(const Event &e, const EventActions &actions, bool members) {
  lasting_id_ = {};
  const std::string_view owner = e.has_account ? e.account : e.user;
  HomeDelta *h = last_home_;
  if (!h || is_account_home(h->key) != e.has_account || home_id(h->key) != owner) {
    h = last_home_ = &home(e.has_account, owner);
    last_member_ = 0;
  }
  Subject *user = &h->home.owner;
  if (e.has_account) {
    const bool same = last_member_ > 0 && h->home.members[last_member_ - 1].id.view() == e.user;
    user = same ? &h->home.members[last_member_ - 1] : &this->user(*h, e.user);
    if (members) h->home.owner.fold_seen(e.at);
    apply(h->home.owner, e, actions.on_account);
  }
  if (members) user->fold_seen(e.at);
  apply(*user, e, actions.on_user);
  if (e.at > h->newest) h->newest = e.at;
  events_++;
}

void Batch::add(std::string_view key, const Home &base) {
  HomeDelta &h = home(is_account_home(key), home_id(key));
  (void)h.home.owner.merge(arena_, trackers_, base.owner);
  for (const Subject &s : base.members) (void)user(h, s.id.view()).merge(arena_, trackers_, s);
}

std::span<HomeDelta *const> Batch::sorted() {
  std::sort(homes_.begin(), homes_.end(), [](const HomeDelta *a, const HomeDelta *b) { return a->key < b->key; });
  return {homes_.data, homes_.size};
}

} // namespace pql
