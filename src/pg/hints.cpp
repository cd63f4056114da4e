#include "pg/hints.hpp"

#include "pg/compat.hpp"
#include "pg/memory.hpp"

extern "C" {
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
}

namespace pql::pg {
namespace {

class Hints {
public:
  static std::uint32_t hash(std::string_view home, int part) noexcept {
    return static_cast<std::uint32_t>(hash_of(home, static_cast<std::uint64_t>(part)) >> 32) | 1u << 31;
  }
  void approach(std::uint32_t h) const noexcept {
    if (slots_) bring_near(set_of(h));
  }
  Hint *find(std::uint32_t h) const noexcept {
    if (!slots_) return nullptr;
    Hint *const e = std::find_if(set_of(h), set_of(h) + kWays, [h](const Hint &x) { return x.hash == h; });
    return e == set_of(h) + kWays ? nullptr : e;
  }
  void put(const Hint &e) {
    if (used_ * 2 >= size_ && size_ < kMost) grow();
    place(e);
  }

private:
  static constexpr std::uint32_t kFirst = 1 << 10, kMost = 1 << 18; // 20 KB to 5 MB
  static constexpr std::uint32_t kWays = 4; ///< where one of several rows may lie; the one remembered longest ago gives way

  Hint *set_of(std::uint32_t h) const noexcept { return slots_ + (h & (size_ - 1) & ~(kWays - 1)); }

  void place(const Hint &e) noexcept {
    Hint *const set = set_of(e.hash);
    Hint *at = std::find_if(set, set + kWays, [&](const Hint &x) { return x.hash == e.hash || !x.hash; });
    if (at == set + kWays) at--;
    else if (!at->hash) used_++;
    std::move_backward(set, at, at + 1);
    *set = e;
  }

  void grow() {
    const std::uint32_t n = size_, size = n ? n * 4 : kFirst;
    auto *const slots = static_cast<Hint *>(MemoryContextAllocZero(TopMemoryContext, sizeof(Hint) * size));
    Hint *const old = slots_;
    slots_ = slots;
    size_ = size;
    used_ = 0;
    for (std::uint32_t i = n; i-- > 0;) {
      if (old[i].hash) place(old[i]);
    }
    if (old) pfree(old);
  }

  Hint *slots_ = nullptr;
  std::uint32_t size_ = 0, used_ = 0;
};

constinit Hints hints{};

// The page that a hint tells of, or whatever is there by now: good for looking where else to look, as no pin keeps it.
const char *page_of(const Hint &h) noexcept {
  return h.seen && h.buffer > 0 && h.buffer <= NBuffers ? BufferGetPage(h.buffer) : nullptr;
}

const char *line_of(const char *page, const Hint &h) noexcept {
  return page + SizeOfPageHeaderData + sizeof(ItemIdData) * (h.seen - 1u);
}

void approach_page(const Hint &h) noexcept {
  const char *const page = page_of(h);
  if (!page) return;
  bring_near(GetBufferDescriptor(static_cast<std::uint32_t>(h.buffer) - 1));
  bring_near(page);
  bring_near(line_of(page, h));
}

// The row, and the room in which its next version will lie.
void approach_row(const Hint &h) noexcept {
  constexpr std::size_t kLine = 64, kSize = 448; // most rows
  const char *const page = page_of(h);
  if (!page) return;
  ItemIdData line;
  std::memcpy(&line, line_of(page, h), sizeof line);
  const std::size_t from = line.lp_off, upper = reinterpret_cast<const PageHeaderData *>(page)->pd_upper;
  for (std::size_t i = from; i < from + kSize && i < BLCKSZ; i += kLine) bring_near(page + i);
  for (std::size_t i = kLine; i <= kSize && i <= upper && upper <= BLCKSZ; i += kLine) bring_near(page + upper - i);
}

Hint unknown(std::uint32_t hash) noexcept {
  Hint h{};
  h.hash = hash;
  ItemPointerSetInvalid(&h.root);
  return h;
}

// Completes a hint from what is remembered.
void recall(Hint &h) noexcept {
  if (const Hint *const known = hints.find(h.hash)) h = *known;
}

} // namespace

Hint *hint_for(std::string_view home, int part) noexcept { return hints.find(Hints::hash(home, part)); }

void remember_row(std::string_view home, int part, const ItemPointerData &root, const ItemPointerData &seen) {
  Hint h{};
  h.hash = Hints::hash(home, part);
  h.root = root;
  h.saw(seen);
  hints.put(h);
}

void ReadAhead::begin(std::size_t home) noexcept {
  Rows &r = rows_of(home);
  r.row[0] = unknown(Hints::hash(homes_[home]->key, 0));
  r.size = 1;
  hints.approach(r.row[0].hash);
}

void ReadAhead::find_head(std::size_t home) noexcept {
  Rows &r = rows_of(home);
  recall(r.row[0]);
  approach_page(r.row[0]);
  if (r.row[0].depth == 0) return;
  for (const Subject &m : homes_[home]->home.members) {
    if (r.size == kRows) return;
    const auto part = static_cast<int>(member_part(m.id.view(), r.row[0].depth));
    r.row[r.size] = unknown(Hints::hash(homes_[home]->key, part));
    hints.approach(r.row[r.size++].hash);
  }
}

void ReadAhead::find_parts(std::size_t home) noexcept {
  Rows &r = rows_of(home);
  approach_row(r.row[0]);
  for (std::size_t i = 1; i < r.size; i++) {
    recall(r.row[i]);
    approach_page(r.row[i]);
  }
}

// Where the pages are in memory, and PostgreSQL's own entries that tell it. Looking up an entry waits for memory twice, and taking a lock
// waits for that: so all locks are taken first.
void ReadAhead::find_pages(std::size_t from, std::size_t to) {
  struct Page {
    BufferTag tag;
    std::uint32_t hash;
    Buffer *buffer;
  };
  std::array<Page, kAhead * kRows> pages;
  std::size_t n = 0;
  for (std::size_t home = from; home < to; home++) {
    Rows &r = rows_of(home);
    for (Hint &h : std::span(r.row).first(r.size)) {
      if (!ItemPointerIsValid(&h.root)) continue;
      Page &p = pages[n++];
      p.tag = page_tag(state_, ItemPointerGetBlockNumber(&h.root));
      p.hash = BufTableHashCode(&p.tag);
      p.buffer = &h.buffer;
    }
  }
  const std::span wanted(pages.data(), n);
  const auto partition = [](const Page &p) { return BufTableHashPartition(p.hash); };
  std::ranges::sort(wanted, {}, partition); // the order in which everybody takes several
  const auto each_lock = [&](auto &&f) {
    for (std::size_t i = 0; i < n; i++) {
      if (i == 0 || partition(wanted[i]) != partition(wanted[i - 1])) f(BufMappingPartitionLock(wanted[i].hash));
    }
  };
  call([&] {
    each_lock([](LWLock *lock) { LWLockAcquire(lock, LW_SHARED); });
    for (Page &p : wanted) *p.buffer = BufTableLookup(&p.tag, p.hash) + 1; // InvalidBuffer: not in memory
    each_lock([](LWLock *lock) { LWLockRelease(lock); });
  });
}

void ReadAhead::approach_parts(std::size_t home) noexcept {
  const Rows &r = rows_of(home);
  for (std::size_t i = 1; i < r.size; i++) approach_row(r.row[i]);
}

void ReadAhead::reach(std::size_t &done, std::size_t ahead, void (ReadAhead::*step)(std::size_t) noexcept) noexcept {
  for (const std::size_t end = std::min(next_ + ahead, homes_.size()); done < end; done++) (this->*step)(done);
}

void ReadAhead::advance() {
  reach(begun_, 13, &ReadAhead::begin);
  reach(heads_, 11, &ReadAhead::find_head);
  reach(parts_, 9, &ReadAhead::find_parts);
  if (next_ % kGroup == 0) {
    const std::size_t end = std::min(next_ + 2 * kGroup, homes_.size());
    find_pages(pages_, end);
    pages_ = end;
  }
  reach(near_parts_, 2, &ReadAhead::approach_parts);
  next_++;
}

} // namespace pql::pg
