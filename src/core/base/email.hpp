// The domain of an e-mail address, by which accounts can be told apart.
#pragma once

#include <string>
#include <string_view>

namespace pql {

/// What follows the @, in lower case; empty for what is no address. Domains are names of two or more labels (RFC 1035), in ASCII: an
/// internationalised one in its ASCII form. Quoted local parts aren't known.
std::string email_domain(std::string_view address);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
