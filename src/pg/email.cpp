#include "pg/store.hpp"

#include "pg/email.hpp"

namespace pql::pg {
namespace {

Oid known = InvalidOid; // the table, when the list was read from it
bool changed = false;   // since then

extern "C" void list_changed(Datum, Oid relation) { changed |= !OidIsValid(relation) || relation == known; }

using List = std::unordered_set<std::string>;

List &list() {
  static auto &l = *new List; // never destroyed
  return l;
}

struct Row {
  const char *domain;
  bool free, builtin;
};
struct Rows {
  Row *rows;
  std::size_t n;
};

// Inside call(). Read as PostgreSQL reads its catalogs: what is committed now, whatever the isolation level, in workers too.
Rows read_rows() {
  Relation rel = table_open(pql_relation("free_mail_domain"), AccessShareLock);
  known = RelationGetRelid(rel);
  changed = false;
  Rows out{static_cast<Row *>(palloc(sizeof(Row) * 256)), 0};
  std::size_t room = 256;
  SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, nullptr, 0, nullptr);
  while (HeapTuple t = systable_getnext(scan)) {
    if (out.n == room) out.rows = static_cast<Row *>(repalloc(out.rows, sizeof(Row) * (room *= 2)));
    bool isnull;
    out.rows[out.n++] = {TextDatumGetCString(heap_getattr(t, 1, RelationGetDescr(rel), &isnull)),
                         DatumGetBool(heap_getattr(t, 2, RelationGetDescr(rel), &isnull)),
                         DatumGetBool(heap_getattr(t, 3, RelationGetDescr(rel), &isnull))};
  }
  systable_endscan(scan);
  table_close(rel, AccessShareLock);
  return out;
}

void read_list() {
  static bool watching = false;
  if (!watching) call([] { CacheRegisterRelcacheCallback(list_changed, Datum{0}); });
  watching = true;
  List fresh;
  const Rows all = call([] { return read_rows(); });
  for (const bool builtin : {true, false}) { // what the user says comes last
    for (std::size_t i = 0; i < all.n; i++) {
      const Row &r = all.rows[i];
      if (r.builtin != builtin) continue;
      if (r.free) fresh.emplace(r.domain);
      else fresh.erase(r.domain);
    }
  }
  list() = std::move(fresh);
}

} // namespace

bool is_free_mail(std::string_view domain) {
  if (!OidIsValid(known) || changed) {
    changed = true; // until it is read
    read_list();
  }
  return list().contains(std::string(domain));
}

} // namespace pql::pg
