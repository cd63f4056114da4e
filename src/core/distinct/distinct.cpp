#include "core/distinct/distinct.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace pql {
namespace {

using u64 = std::uint64_t;

constexpr std::size_t kHeadWords = 3, kLeastRoom = 16;
constexpr std::size_t kRegisterWords = kRegisters / sizeof(u64);

std::span<std::uint8_t> registers_in(std::span<u64> words) noexcept {
  return {reinterpret_cast<std::uint8_t *>(words.data()), kRegisters};
}
std::span<const std::uint8_t> registers_in(std::span<const u64> words) noexcept {
  return {reinterpret_cast<const std::uint8_t *>(words.data()), kRegisters};
}

// The first bits choose the register; it keeps the place of the first set bit of the rest.
void note(std::span<std::uint8_t> registers, u64 hash) noexcept {
  std::uint8_t &at = registers[hash >> (64 - kRegisterBits)];
  const int zeros = std::min(std::countl_zero(hash << kRegisterBits), 64 - kRegisterBits);
  at = std::max(at, static_cast<std::uint8_t>(zeros + 1));
}

// Where a hash is looked for first, in a table of any size.
std::size_t place(u64 hash, std::size_t slots) noexcept {
  return static_cast<std::size_t>(static_cast<unsigned __int128>(hash) * slots >> 64);
}
std::size_t after(std::size_t place, std::size_t slots) noexcept { return place + 1 == slots ? 0 : place + 1; }

} // namespace

// The finalizer of splitmix64 (Steele, Lea, Flood, OOPSLA 2014), which is a bijection.
u64 scatter(u64 hash) noexcept {
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9ull;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111ebull;
  hash ^= hash >> 31;
  return hash ? hash : 1;
}

std::size_t Distinct::room_for(std::size_t hashes) noexcept {
  return std::bit_ceil(std::max(kLeastRoom, hashes + hashes / 3 + 1 + kHeadWords)) - kHeadWords;
}

std::size_t Distinct::words() const noexcept {
  return head_.form == DistinctHead::table ? room_.size() : settled_words(head_);
}

std::size_t settled_words(const DistinctHead &head) noexcept {
  return head.form == DistinctHead::registers ? kRegisterWords : static_cast<std::size_t>(head.size);
}

bool Distinct::add(u64 scattered) noexcept {
  if (head_.form == DistinctHead::registers) {
    note(registers_in(room_), scattered);
    return true;
  }
  return head_.form == DistinctHead::table && insert(scattered);
}

bool Distinct::insert(u64 scattered) noexcept {
  std::size_t i = place(scattered, room_.size());
  for (; room_[i]; i = after(i, room_.size())) {
    if (room_[i] == scattered) return true;
  }
  if (head_.approximate && head_.size == kExactHashes) {
    to_registers();
    note(registers_in(room_), scattered);
    return true;
  }
  if (room_for(static_cast<std::size_t>(head_.size + 1)) > room_.size()) return false;
  room_[i] = scattered;
  head_.size++;
  return true;
}

// The table has more room than registers take: it holds as many hashes as they have words, and free slots.
void Distinct::to_registers() noexcept {
  u64 hashes[kExactHashes];
  std::size_t n = 0;
  for (u64 word : room_) {
    if (word) hashes[n++] = word;
  }
  std::fill(room_.begin(), room_.end(), 0);
  for (std::size_t i = 0; i < n; i++) note(registers_in(room_), hashes[i]);
  head_.form = DistinctHead::registers;
  head_.size = 0;
}

bool Distinct::merge(const DistinctHead &head, std::span<const u64> words) noexcept {
  if (head.form != DistinctHead::registers) {
    for (u64 word : words) {
      if (word && !add(word)) return false;
    }
    return true;
  }
  if (head_.form != DistinctHead::registers) {
    if (head_.form == DistinctHead::list || room_.size() < kRegisterWords) return false;
    to_registers();
  }
  const std::span<std::uint8_t> mine = registers_in(room_);
  const std::span<const std::uint8_t> others = registers_in(words);
  for (std::size_t i = 0; i < kRegisters; i++) mine[i] = std::max(mine[i], others[i]);
  return true;
}

void Distinct::move_to(std::span<u64> room) noexcept {
  if (head_.form == DistinctHead::registers) {
    std::copy_n(room_.begin(), kRegisterWords, room.begin());
    room_ = room;
    return;
  }
  const std::span<const u64> old = room_.first(words());
  room_ = room;
  head_.form = DistinctHead::table;
  head_.size = 0;
  for (u64 word : old) {
    if (word) insert(word);
  }
}

void Distinct::settle() noexcept {
  if (head_.form != DistinctHead::table) return;
  const auto end = std::remove(room_.begin(), room_.end(), u64{0});
  std::sort(room_.begin(), end);
  head_.form = DistinctHead::list;
}

bool is_table(const DistinctHead &head, std::span<const u64> room) noexcept {
  if (head.form != DistinctHead::table) return false;
  if (head.size > room.size() || Distinct::room_for(static_cast<std::size_t>(head.size)) > room.size()) return false;
  if (head.approximate && head.size > kExactHashes) return false;
  std::size_t n = 0;
  for (std::size_t i = 0; i < room.size(); i++) {
    if (!room[i]) continue;
    n++;
    // Where it is looked for: without a free slot, or the same one, before it.
    for (std::size_t at = place(room[i], room.size()); at != i; at = after(at, room.size())) {
      if (!room[at] || room[at] == room[i]) return false;
    }
  }
  return n == head.size;
}

bool is_settled(const DistinctHead &head, std::span<const u64> words) noexcept {
  if (head.form == DistinctHead::registers) {
    if (!head.approximate || head.size != 0 || words.size() != kRegisterWords) return false;
    const std::span<const std::uint8_t> all = registers_in(words);
    return std::all_of(all.begin(), all.end(), [](std::uint8_t r) { return r <= kMaxRegister; });
  }
  if (head.form != DistinctHead::list || head.size != words.size()) return false;
  if (head.approximate && head.size > kExactHashes) return false;
  u64 before = 0;
  for (u64 word : words) {
    if (word <= before) return false;
    before = word;
  }
  return true;
}

u64 count_of(const DistinctHead &head, std::span<const u64> words) noexcept {
  if (head.form != DistinctHead::registers) return head.size;
  const double n = estimate(registers_in(words));
  return n < 0x1p62 ? static_cast<u64>(std::llround(n)) : u64{1} << 62; // registers that somebody made up may say infinity
}

namespace {

// What the registers that are still 0 tell.
double sigma(double x) noexcept {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double y = 1, z = x, before;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (z != before);
  return z;
}

// What those tell that are full.
double tau(double x) noexcept {
  if (x == 0 || x == 1) return 0;
  double y = 1, z = 1 - x, before;
  do {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (z != before);
  return z / 3;
}

} // namespace

double estimate(std::span<const std::uint8_t> registers) noexcept {
  constexpr int q = 64 - kRegisterBits;
  constexpr auto m = static_cast<double>(kRegisters);
  constexpr double alpha = 0.72134752044448170368; // 1 / (2 ln 2)
  std::uint32_t count[kMaxRegister + 1] = {};
  for (std::uint8_t r : registers) count[std::min(r, kMaxRegister)]++;
  double z = m * tau(1 - count[q + 1] / m);
  for (int k = q; k >= 1; k--) z = 0.5 * (z + count[k]);
  z += m * sigma(count[0] / m);
  return alpha * m * m / z;
}

std::size_t MovingDistinct::find(u64 hash) const noexcept {
  std::size_t i = hash & (capacity_ - 1);
  while (slots_[i].hash && slots_[i].hash != hash) i = (i + 1) & (capacity_ - 1);
  return i;
}

void MovingDistinct::push(u64 scattered, Allocate allocate) {
  if (size_ + size_ / 3 + 1 >= capacity_) grow(allocate);
  Slot &s = slots_[find(scattered)];
  if (!s.hash) {
    s.hash = scattered;
    size_++;
  }
  s.rows++;
}

bool MovingDistinct::pop(u64 scattered) noexcept {
  if (capacity_ == 0) return false;
  std::size_t free = find(scattered);
  if (!slots_[free].hash) return false;
  if (--slots_[free].rows) return true;
  size_--;
  // What lies behind it moves up, unless it would come to lie before the place that it belongs to.
  const std::size_t mask = capacity_ - 1;
  for (std::size_t i = (free + 1) & mask; slots_[i].hash; i = (i + 1) & mask) {
    if (((i - slots_[i].hash) & mask) < ((i - free) & mask)) continue;
    slots_[free] = slots_[i];
    free = i;
  }
  slots_[free] = {};
  return true;
}

void MovingDistinct::grow(Allocate allocate) {
  const Slot *const old = slots_;
  const std::size_t n = capacity_, wider = n ? n * 2 : 16;
  slots_ = static_cast<Slot *>(allocate(wider * sizeof(Slot)));
  capacity_ = wider;
  std::fill_n(slots_, capacity_, Slot{});
  for (std::size_t i = 0; i < n; i++) {
    if (old[i].hash) slots_[find(old[i].hash)] = old[i];
  }
}

} // namespace pql
