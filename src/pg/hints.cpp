#include "pg/hints.hpp"

extern "C" {
#include "storage/buf_internals.h"
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
const char *page_of(const Hint *h) noexcept {
  return h && h->buffer > 0 && h->buffer <= NBuffers ? BufferGetPage(h->buffer) : nullptr;
}

const char *line_of(const char *page, const Hint &h) noexcept {
  return page + SizeOfPageHeaderData + sizeof(ItemIdData) * (h.seen - 1u);
}

void approach_page(const Hint *h) noexcept {
  const char *const page = page_of(h);
  if (!page || h->seen == 0) return;
  bring_near(GetBufferDescriptor(static_cast<std::uint32_t>(h->buffer) - 1));
  bring_near(page);
  bring_near(line_of(page, *h));
}

// The row, and the room in which its next version will lie.
void approach_row(const Hint *h) noexcept {
  constexpr std::size_t kLine = 64, kSize = 448; // most rows
  const char *const page = page_of(h);
  if (!page || h->seen == 0) return;
  ItemIdData line;
  std::memcpy(&line, line_of(page, *h), sizeof line);
  const std::size_t from = line.lp_off, upper = reinterpret_cast<const PageHeaderData *>(page)->pd_upper;
  for (std::size_t i = from; i < from + kSize && i < BLCKSZ; i += kLine) bring_near(page + i);
  for (std::size_t i = kLine; i <= kSize && i <= upper && upper <= BLCKSZ; i += kLine) bring_near(page + upper - i);
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
  r.row[0] = {Hints::hash(homes_[home]->key, 0), nullptr};
  r.size = 1;
  hints.approach(r.row[0].hash);
}

void ReadAhead::find_head(std::size_t home) noexcept {
  Rows &r = rows_of(home);
  const Hint *const head = r.row[0].hint = hints.find(r.row[0].hash);
  approach_page(head);
  if (!head || head->depth == 0) return;
  for (const Subject &m : homes_[home]->home.members) {
    if (r.size == kRows) return;
    const auto part = static_cast<int>(member_part(m.id.view(), head->depth));
    r.row[r.size] = {Hints::hash(homes_[home]->key, part), nullptr};
    hints.approach(r.row[r.size++].hash);
  }
}

void ReadAhead::find_parts(std::size_t home) noexcept {
  Rows &r = rows_of(home);
  approach_row(r.row[0].hint);
  for (std::size_t i = 1; i < r.size; i++) {
    r.row[i].hint = hints.find(r.row[i].hash);
    approach_page(r.row[i].hint);
  }
}

void ReadAhead::advance() noexcept {
  const auto ahead = [&](std::size_t by, auto step) {
    if (next_ + by < homes_.size()) (this->*step)(next_ + by);
  };
  ahead(7, &ReadAhead::begin);
  ahead(5, &ReadAhead::find_head);
  ahead(3, &ReadAhead::find_parts);
  if (next_ + 1 < homes_.size()) {
    const Rows &r = rows_of(next_ + 1);
    for (std::size_t i = 1; i < r.size; i++) approach_row(r.row[i].hint);
  }
  next_++;
}

} // namespace pql::pg
