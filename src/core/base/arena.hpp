// A bump allocator and the two containers that live in it.
// Law: nothing in an arena has a destructor, so dropping the arena (or a longjmp over it) loses nothing but memory that
// its upstream resource frees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory_resource>
#include <span>
#include <string_view>
#include <type_traits>

namespace pql {

/// Bump allocator over a memory resource. Throws what the resource throws (std::bad_alloc).
class Arena {
public:
  /// `first`, aligned to 8 bytes, is used before anything is asked for.
  explicit Arena(std::pmr::memory_resource *up = std::pmr::get_default_resource(), std::span<std::byte> first = {}) noexcept
      : up_(up), first_(first), at_(reinterpret_cast<char *>(first.data())), left_(first.size()) {}
  Arena(const Arena &) = delete;
  Arena &operator=(const Arena &) = delete;
  ~Arena() { release(); }

  void *allocate(std::size_t n) {
    n = (n + 7) & ~std::size_t{7};
    if (n > left_) grow(n);
    void *p = at_;
    at_ += n;
    left_ -= n;
    return p;
  }

  template <class T>
  T *array(std::size_t n) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
    return static_cast<T *>(allocate(n * sizeof(T)));
  }

  std::string_view copy(std::string_view v) {
    char *const at = static_cast<char *>(allocate(v.size()));
    if (!v.empty()) std::memcpy(at, v.data(), v.size());
    return {at, v.size()};
  }

  /// Bytes taken from the upstream resource so far.
  std::size_t used() const noexcept { return taken_; }

  /// Gives everything back. What was allocated is gone.
  void release() noexcept {
    while (head_) {
      Chunk *next = head_->next;
      up_->deallocate(head_, head_->size, 8);
      head_ = next;
    }
    taken_ = 0;
    start_over();
  }

  /// Forgets what was allocated but keeps the newest chunk for what comes next.
  void reset() noexcept {
    if (!head_) return start_over();
    while (Chunk *older = head_->next) {
      head_->next = older->next;
      taken_ -= older->size;
      up_->deallocate(older, older->size, 8);
    }
    at_ = reinterpret_cast<char *>(head_) + sizeof(Chunk);
    left_ = head_->size - sizeof(Chunk);
  }

private:
  static constexpr std::size_t kFirst = 4096;

  struct Chunk {
    Chunk *next;
    std::size_t size;
  };

  void start_over() noexcept {
    at_ = reinterpret_cast<char *>(first_.data());
    left_ = first_.size();
  }

  void grow(std::size_t n) {
    std::size_t size = taken_ == 0 ? kFirst : taken_ < (std::size_t{1} << 20) ? taken_ : std::size_t{1} << 20;
    if (size < n + sizeof(Chunk)) size = n + sizeof(Chunk);
    auto *c = static_cast<Chunk *>(up_->allocate(size, 8));
    c->next = head_;
    c->size = size;
    head_ = c;
    taken_ += size;
    at_ = reinterpret_cast<char *>(c) + sizeof(Chunk);
    left_ = size - sizeof(Chunk);
  }

  std::pmr::memory_resource *up_;
  std::span<std::byte> first_;
  Chunk *head_ = nullptr;
  char *at_;
  std::size_t left_, taken_ = 0;
};

/// A growing array in an arena. Trivial: copying it copies the handle, not the elements.
template <class T>
struct Vec {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
  T *data = nullptr;
  std::uint32_t size = 0, capacity = 0;

  T *begin() const noexcept { return data; }
  T *end() const noexcept { return data + size; }
  bool empty() const noexcept { return size == 0; }
  T &operator[](std::size_t i) const noexcept { return data[i]; }
  T &back() const noexcept { return data[size - 1]; }
  void clear() noexcept { size = 0; }

  void reserve(Arena &a, std::size_t n) {
    if (n <= capacity) return;
    T *grown = a.array<T>(n);
    if (size) std::memcpy(static_cast<void *>(grown), data, size * sizeof(T));
    data = grown;
    capacity = static_cast<std::uint32_t>(n);
  }

  T &push(Arena &a, const T &v) {
    if (size == capacity) reserve(a, capacity ? capacity * 2 : 2);
    return data[size++] = v;
  }

  /// n of the same.
  void fill(Arena &a, std::size_t n, const T &v) {
    reserve(a, n);
    for (std::size_t i = 0; i < n; i++) data[i] = v;
    size = static_cast<std::uint32_t>(n);
  }

  T &insert(Arena &a, std::size_t at, const T &v) {
    push(a, v);
    std::memmove(static_cast<void *>(data + at + 1), data + at, (size - 1 - at) * sizeof(T));
    return data[at] = v;
  }

  void erase(std::size_t at) noexcept {
    std::memmove(static_cast<void *>(data + at), data + at + 1, (size - 1 - at) * sizeof(T));
    size--;
  }

  void erase_front(std::size_t n) noexcept {
    std::memmove(static_cast<void *>(data), data + n, (size - n) * sizeof(T));
    size -= static_cast<std::uint32_t>(n);
  }
};

/// Bytes owned by an arena (or by what was decoded). Overwritten in place while they fit, so that "the newest event's id"
/// does not grow with the number of events.
struct Bytes {
  char *data = nullptr;
  std::uint32_t size = 0, capacity = 0;

  std::string_view view() const noexcept { return {data, size}; }
  bool empty() const noexcept { return size == 0; }

  void assign(Arena &a, std::string_view v) {
    if (v.size() > capacity) {
      data = static_cast<char *>(a.allocate(v.size()));
      capacity = static_cast<std::uint32_t>((v.size() + 7) & ~std::size_t{7});
    }
    if (!v.empty()) std::memcpy(data, v.data(), v.size());
    size = static_cast<std::uint32_t>(v.size());
  }

  /// A view of memory that somebody else owns: never written in place (capacity 0).
  static Bytes borrow(std::string_view v) noexcept {
    return {const_cast<char *>(v.data()), static_cast<std::uint32_t>(v.size()), 0};
  }
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
