// Bringing memory into the processor's cache before it is needed, so that several waits for it overlap.
#pragma once

namespace pql {

/// A prefetch that stays. A function of nothing but prefetches counts as one without effect, and the compiler leaves out calls of it.
inline void bring_near(const void *p) noexcept {
  __builtin_prefetch(p);
  asm volatile("" ::"r"(p));
}

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
