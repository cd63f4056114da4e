// C++ memory that lives in a PostgreSQL memory context, and is seen, limited and freed as PostgreSQL does.
#pragma once

#include "pg/boundary.hpp"

namespace pql::pg {

/// A std::pmr resource over a memory context. Throws std::bad_alloc; never raises. Alignment up to 8.
class ContextResource final : public std::pmr::memory_resource {
public:
  explicit ContextResource(MemoryContext cx) noexcept : cx_(cx) {}

private:
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

/// A memory context of its own for the length of a scope. On an error PostgreSQL frees it with its parent.
class Scratch {
public:
  explicit Scratch(const char *name, MemoryContext parent = CurrentMemoryContext)
      : cx_(call([&] { return AllocSetContextCreateInternal(parent, name, ALLOCSET_DEFAULT_SIZES); })),
        resource_(cx_), arena_(&resource_) {}
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  ~Scratch() {
    arena_.release();
    MemoryContextDelete(cx_);
  }

  MemoryContext context() const noexcept { return cx_; }
  Arena &arena() noexcept { return arena_; }

private:
  MemoryContext cx_;
  ContextResource resource_;
  Arena arena_;
};

} // namespace pql::pg
