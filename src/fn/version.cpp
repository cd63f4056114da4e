// pql.version(): the library's version; the regression tests hold it against the extension's.
#include "pg/boundary.hpp"

PQL_FUNCTION(version) {
  return pql::pg::call([] { return PointerGetDatum(cstring_to_text(PQL_VERSION)); });
}
