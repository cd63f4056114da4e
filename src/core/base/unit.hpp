// Of whom something is kept, and who may qualify.
#pragma once

namespace pql {

enum class Unit : unsigned char { user, account, workspace };

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
