#include "pg/tape.hpp"

extern "C" {
#include "miscadmin.h"
}

namespace pql::pg {
namespace {

constexpr std::size_t rounded(std::size_t n) { return (n + 7) & ~std::size_t{7}; }

} // namespace

Tape::Tape() : context_(memory_.context()), most_(static_cast<std::size_t>(work_mem) * 1024) {}

void Tape::add(const Entry &e) {
  const std::size_t numbers = e.values.size() * sizeof(double);
  const std::size_t size =
      rounded(sizeof(Head) + numbers + e.subject.size() + e.other.size() + e.account.size() + e.id.size() + e.rules.size() + e.body.size());
  Head h{};
  h.hash = hash_of(e.subject, 0);
  h.at = e.at;
  h.plan = e.plan;
  h.size = static_cast<std::uint32_t>(size);
  h.body = static_cast<std::uint32_t>(e.body.size());
  h.subject = static_cast<std::uint16_t>(e.subject.size());
  h.other = static_cast<std::uint16_t>(e.other.size());
  h.account = static_cast<std::uint16_t>(e.account.size());
  h.id = static_cast<std::uint16_t>(e.id.size());
  h.rules = static_cast<std::uint16_t>(e.rules.size());
  h.values = static_cast<std::uint16_t>(e.values.size());
  h.tracker = e.tracker;
  h.kind = e.kind;
  Part &p = parts_[h.hash % kParts];
  if (p.size + size > p.capacity) {
    if (used_ + size > most_) spill();
    const std::size_t wider = std::max(p.capacity * 2, std::max<std::size_t>(size, 1024));
    if (p.size + size > p.capacity) {
      p.data = static_cast<char *>(p.data ? repalloc_huge(p.data, wider) : MemoryContextAllocHuge(context_, wider));
      used_ += wider - p.capacity;
      p.capacity = wider;
    }
  }
  char *at = p.data + p.size;
  const auto put = [&](const void *from, std::size_t n) {
    if (n) std::memcpy(at, from, n);
    at += n;
  };
  put(&h, sizeof h);
  put(e.values.data(), numbers);
  for (std::string_view v : {e.subject, e.other, e.account, e.id}) put(v.data(), v.size());
  put(e.rules.data(), e.rules.size());
  put(e.body.data(), e.body.size());
  p.size += size;
  added_++;
}

// Everything that is in memory goes to files. Inside call().
void Tape::spill() {
  MemoryContext before = MemoryContextSwitchTo(context_);
  for (Part &p : parts_) {
    if (p.size) {
      if (!p.file) p.file = BufFileCreateTemp(false);
      BufFileWrite(p.file, p.data, p.size);
      p.spilled += p.size;
    }
    if (p.data) pfree(p.data);
    p.data = nullptr;
    p.size = p.capacity = 0;
  }
  used_ = 0;
  MemoryContextSwitchTo(before);
}

void Tape::load(Part &p) {
  loaded_ = nullptr;
  keys_.clear();
  const std::size_t size = p.spilled + p.size;
  if (!size) return;
  loaded_ = call([&] {
    CHECK_FOR_INTERRUPTS();
    if (!p.file) return static_cast<const char *>(p.data);
    char *const all = static_cast<char *>(MemoryContextAllocHuge(context_, size));
    if (BufFileSeek(p.file, 0, 0, SEEK_SET) != 0 || BufFileRead(p.file, all, p.spilled) != p.spilled)
      ereport(ERROR, (errcode_for_file_access(), errmsg("could not read from a temporary file")));
    BufFileClose(p.file);
    p.file = nullptr;
    if (p.size) std::memcpy(all + p.spilled, p.data, p.size);
    if (p.data) pfree(p.data);
    p.data = all;
    return static_cast<const char *>(all);
  });
  for (std::size_t at = 0; at < size;) {
    Head h;
    std::memcpy(&h, loaded_ + at, sizeof h);
    keys_.push_back({h.hash, h.at, at});
    at += h.size;
  }
  std::sort(keys_.begin(), keys_.end());
}

Entry Tape::entry_at(std::size_t place) const noexcept {
  const char *at = loaded_ + place;
  Head h;
  std::memcpy(&h, at, sizeof h);
  Entry e;
  e.kind = h.kind;
  e.tracker = h.tracker;
  e.at = h.at;
  e.plan = h.plan;
  at += sizeof h;
  e.values = {reinterpret_cast<const double *>(at), h.values}; // entries begin at multiples of eight bytes
  at += h.values * sizeof(double);
  const auto take = [&](std::size_t n) {
    const std::string_view v(at, n);
    at += n;
    return v;
  };
  e.subject = take(h.subject);
  e.other = take(h.other);
  e.account = take(h.account);
  e.id = take(h.id);
  e.rules = {reinterpret_cast<const bool *>(at), h.rules};
  at += h.rules;
  e.body = {at, h.body};
  return e;
}

// The entries of the subject at a place among the keys; returns where the next one's begin. Of subjects that share a hash, which
// is hardly ever, the first's: theirs change places so that the others follow.
std::size_t Tape::next_subject(std::size_t at) {
  entries_.clear();
  std::size_t end = at, mine = at;
  const Entry first = entry_at(keys_[at].place);
  for (; end < keys_.size() && keys_[end].hash == keys_[at].hash; end++) {
    const Entry e = entry_at(keys_[end].place);
    if (e.subject != first.subject) continue;
    entries_.push_back(e);
    mine++;
  }
  if (mine == end) return end;
  std::stable_partition(keys_.begin() + static_cast<std::ptrdiff_t>(at), keys_.begin() + static_cast<std::ptrdiff_t>(end),
                        [&](const Key &k) { return entry_at(k.place).subject == first.subject; });
  return mine;
}

void Tape::drop(Part &p) noexcept {
  if (p.data) pfree(p.data);
  p = {};
}

} // namespace pql::pg
