// C++ memory that lives in a PostgreSQL memory context, and is seen, limited and freed as PostgreSQL does.
#pragma once

#include "pg/boundary.hpp"

namespace pql::pg {

/// A std::pmr resource over a memory context. Throws std::bad_alloc; never raises. Alignment up to 8.
class ContextResource : public std::pmr::memory_resource {
public:
  explicit ContextResource(MemoryContext cx) noexcept : cx_(cx) {}

protected:
  void *do_allocate(std::size_t n, std::size_t align) override {
    if (align > MAXIMUM_ALIGNOF || n > MaxAllocHugeSize) throw std::bad_alloc();
    void *p = MemoryContextAllocExtended(cx_, n ? n : 1, MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE);
    if (!p) throw std::bad_alloc();
    return p;
  }
  void do_deallocate(void *p, std::size_t, std::size_t) override { pfree(p); }
  bool do_is_equal(const memory_resource &o) const noexcept override { return this == &o; }

  MemoryContext cx_;
};

/// Memory for the length of a scope: some of its own, and, when that is used up, a memory context, which PostgreSQL frees with its parent
/// on an error. What a single row needs is had without asking anybody.
class Scratch final : ContextResource {
public:
  explicit Scratch(const char *name, MemoryContext parent = CurrentMemoryContext) noexcept
      : ContextResource(nullptr), name_(name), parent_(parent), arena_(this, first_) {}
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  ~Scratch() {
    arena_.release();
    if (cx_) MemoryContextDelete(cx_);
  }

  /// Throws PgError.
  MemoryContext context() {
    if (!cx_) cx_ = call([&] { return AllocSetContextCreateInternal(parent_, name_, ALLOCSET_DEFAULT_SIZES); });
    return cx_;
  }
  Arena &arena() noexcept { return arena_; }

private:
  void *do_allocate(std::size_t n, std::size_t align) override {
    (void)context();
    return ContextResource::do_allocate(n, align);
  }

  const char *name_;
  MemoryContext parent_;
  Arena arena_;
  alignas(MAXIMUM_ALIGNOF) std::byte first_[4096];
};

} // namespace pql::pg
