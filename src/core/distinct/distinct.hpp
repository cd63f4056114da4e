// How many different values there are, by 64-bit hashes: exactly; or, beyond a bound, by HyperLogLog.
// Law: the settled form is a function of the set of hashes and the mode, whatever the order, the repetitions and the splits.
// Sources: Flajolet, Fusy, Gandouet, Meunier, HyperLogLog, AofA 2007; the estimate is Ertl's, New cardinality estimation
// algorithms for HyperLogLog sketches, arXiv:1702.01284, algorithm 6: it needs no table of corrections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/aggregate/text.hpp"

namespace pql {

/// The bits of a hash that choose a register, and the number of registers: a standard error of 0.81 percent.
inline constexpr int kRegisterBits = 14;
inline constexpr std::size_t kRegisters = std::size_t{1} << kRegisterBits;
inline constexpr std::uint8_t kMaxRegister = 64 - kRegisterBits + 1;
/// With registers, so many hashes are still exact: they take the same room.
inline constexpr std::size_t kExactHashes = kRegisters / sizeof(std::uint64_t);

/// Spreads a hash over all bits, one to one (but for 0, which marks a free slot). Stored: never changes.
std::uint64_t scatter(std::uint64_t hash) noexcept;

/// The head of a flat state; the words lie elsewhere, in room that the caller gives.
struct DistinctHead {
  /// How the words are to be understood.
  enum Form : std::uint8_t {
    list,     ///< ascending hashes: the settled form
    table,    ///< open addressing; 0 is a free slot
    registers ///< one byte each: settled as well
  };
  std::uint64_t size = 0; ///< hashes in the list or the table
  std::uint8_t form = list;
  std::uint8_t approximate = 0;
  std::uint8_t unused[6] = {};
};

/// A set of hashes, changed in place.
class Distinct {
public:
  /// The words that a table of so many hashes takes: with the three of a state's head a power of two, as chunks of memory are.
  static std::size_t room_for(std::size_t hashes) noexcept;

  Distinct(DistinctHead &head, std::span<std::uint64_t> room) noexcept : head_(head), room_(room) {}

  /// Takes a scattered hash. False, and nothing changed, when the room must be doubled first: see move_to.
  bool add(std::uint64_t scattered) noexcept;
  /// Takes all of another state. False as add: a part may have been taken, the rest follows when it is called again.
  bool merge(const DistinctHead &head, std::span<const std::uint64_t> words) noexcept;
  /// A list becomes a table of the same hashes in other room, a table a wider one; registers are copied. That room is zero.
  void move_to(std::span<std::uint64_t> room) noexcept;
  /// Brings it to the settled form; the words in use are the first ones.
  void settle() noexcept;

  std::size_t words() const noexcept;

private:
  bool insert(std::uint64_t scattered) noexcept;
  void to_registers() noexcept;

  DistinctHead &head_;
  std::span<std::uint64_t> room_;
};

/// Words in use of a state in its settled form.
std::size_t settled_words(const DistinctHead &head) noexcept;
/// Whether this room holds a table: with as many hashes as it says, each where it is looked for.
bool is_table(const DistinctHead &head, std::span<const std::uint64_t> room) noexcept;
/// Whether these words are a settled form.
bool is_settled(const DistinctHead &head, std::span<const std::uint64_t> words) noexcept;
/// How many different values: exact, or the estimate.
std::uint64_t count_of(const DistinctHead &head, std::span<const std::uint64_t> words) noexcept;

/// The number of different values from the registers.
double estimate(std::span<const std::uint8_t> registers) noexcept;

/// Hashes that enter and leave a frame, in any order.
class MovingDistinct {
public:
  void push(std::uint64_t scattered, Allocate allocate);
  /// False when it isn't in.
  bool pop(std::uint64_t scattered) noexcept;

  std::size_t size() const noexcept { return size_; }
  template <class F> void each(F &&f) const {
    for (std::size_t i = 0; i < capacity_; i++) {
      if (slots_[i].hash) f(slots_[i].hash);
    }
  }

private:
  struct Slot {
    std::uint64_t hash, rows;
  };
  std::size_t find(std::uint64_t hash) const noexcept;
  void grow(Allocate allocate);

  Slot *slots_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
