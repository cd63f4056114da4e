#include "pg/boundary.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace pql::pg {

// Cut at a character's edge: a broken character in a message is an error of its own.
static void clip(char *to, std::size_t room, std::string_view from) noexcept {
  std::size_t n = from.size() < room ? from.size() : room - 1;
  if (n < from.size()) {
    while (n > 0 && (static_cast<unsigned char>(from[n]) & 0xC0) == 0x80) n--;
  }
  std::memcpy(to, from.data(), n);
  to[n] = '\0';
}

void Caught::copy(const SqlError &e) noexcept {
  sqlstate = e.sqlstate;
  clip(message, sizeof message, e.message);
  clip(detail, sizeof detail, e.detail);
  clip(hint, sizeof hint, e.hint);
}

void Caught::copy(const std::exception &e) noexcept { clip(message, sizeof message, e.what()); }

void Caught::raise() {
  if (error) ReThrowError(error);
  ereport(ERROR, (errcode(sqlstate), errmsg("%s", message), detail[0] ? errdetail("%s", detail) : 0,
                  hint[0] ? errhint("%s", hint) : 0));
  pg_unreachable();
}

} // namespace pql::pg
