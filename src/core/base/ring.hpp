// A queue: what enters first leaves first.
// Law: grows with the most that it ever held at once, not with what went through it. What it outgrew isn't given back.
#pragma once

#include <cstddef>
#include <type_traits>

#include "core/aggregate/text.hpp"

namespace pql {

/// Trivial: copying it copies the handle. Its room is a power of two.
template <class T>
struct Ring {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
  T *data = nullptr;
  std::size_t first = 0, size = 0, capacity = 0;

  bool empty() const noexcept { return size == 0; }
  T &operator[](std::size_t i) const noexcept { return data[(first + i) & (capacity - 1)]; }
  T &front() const noexcept { return data[first]; }
  T &back() const noexcept { return (*this)[size - 1]; }
  void clear() noexcept { first = size = 0; }

  void push(const T &v, Allocate allocate) {
    if (size == capacity) grow(allocate);
    data[(first + size++) & (capacity - 1)] = v;
  }
  void pop() noexcept {
    first = (first + 1) & (capacity - 1);
    size--;
  }

private:
  void grow(Allocate allocate) {
    const std::size_t wider = capacity ? capacity * 2 : 16;
    auto *const to = static_cast<T *>(allocate(wider * sizeof(T)));
    for (std::size_t i = 0; i < size; i++) to[i] = (*this)[i];
    data = to;
    first = 0;
    capacity = wider;
  }
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
