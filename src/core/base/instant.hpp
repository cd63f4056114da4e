// Instants as text.
#pragma once

#include <string>

#include "core/base/time.hpp"

namespace pql {

/// ISO 8601 in UTC: "2026-03-04T05:06:07Z", with a fraction where there is one; "infinity" and "-infinity".
std::string print_instant(Micros at);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
