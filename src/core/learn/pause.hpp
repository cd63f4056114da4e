// How what takes long is ended from outside: now and then it asks whether it may go on.
#pragma once

#include <cstddef>

namespace pql {

/// Called now and then. It may throw, which ends what is being done; null: nobody asks.
using Pause = void (*)();

/// Asks with every few thousandth row.
inline void pause_at(Pause pause, std::size_t row) {
  constexpr std::size_t kRows = 1 << 13;
  if (pause && row % kRows == 0) pause();
}

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
