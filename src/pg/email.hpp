// E-mail domains that belong to nobody in particular: they form no account.
// Law: the list that this backend knows is never older than the newest one that it has been told of.
#pragma once

#include <string_view>

namespace pql::pg {

/// Whether pql.free_mail_domain says so.
bool is_free_mail(std::string_view domain);

} // namespace pql::pg
