#include "pg/attributes.hpp"

#include "pg/compat.hpp"
#include "pg/spi.hpp"
#include "pg/store.hpp"

extern "C" {
#include "catalog/pg_collation.h"
#include "utils/fmgroids.h"
}

namespace pql::pg {

// ---------------------------------------------------------------------------------------------------------------- reading

void AttributeReader::Table::open(const char *name) {
  if (table) return;
  table = table_open(pql_relation(name), AccessShareLock);
  index = index_open(primary_key_index(table), AccessShareLock);
  slot = table_slot_create(table, nullptr);
}

void AttributeReader::Table::close() {
  if (!table) return;
  ExecDropSingleTupleTableSlot(slot);
  index_close(index, NoLock);
  table_close(table, NoLock);
  table = nullptr;
}

namespace {

// Columns of pql.attribute and pql.attribute_history.
enum : AttrNumber { kSince = 2, kBody = 4, kValidTo = 3, kPastBody = 5 };

// Inside call(). Leaves the first row in the slot; the last one by the index when there are two keys.
bool find_row(Relation table, Relation index, TupleTableSlot *slot, Snapshot snapshot, ScanKey keys, int n) {
  IndexScanDesc scan = begin_index_scan(table, index, snapshot, n);
  index_rescan(scan, keys, n, nullptr, 0);
  const bool found = index_getnext_slot(scan, n == 1 ? ForwardScanDirection : BackwardScanDirection, slot);
  index_endscan(scan);
  return found;
}

void set_home_key(ScanKey key, text *home) {
  ScanKeyEntryInitialize(key, 0, 1, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ, PointerGetDatum(home));
}

// Inside call(). The slot's page is given back.
Datum taken(TupleTableSlot *slot, AttrNumber column) {
  bool isnull;
  const Datum d = PointerGetDatum(PG_DETOAST_DATUM_COPY(slot_getattr(slot, column, &isnull)));
  ExecClearTuple(slot);
  return d;
}

} // namespace

std::optional<Datum> AttributeReader::current(std::string_view home, Snapshot snapshot) {
  return at(home, kNever, snapshot);
}

std::optional<Datum> AttributeReader::at(std::string_view home, Micros as_of, Snapshot snapshot) {
  return call([&]() -> std::optional<Datum> {
    text *const key = cstring_to_text_with_len(home.data(), static_cast<int>(home.size()));
    ScanKeyData keys[2];
    set_home_key(&keys[0], key);
    bool isnull;
    now_.open("attribute");
    if (find_row(now_.table, now_.index, now_.slot, snapshot, keys, 1) &&
        DatumGetTimestampTz(slot_getattr(now_.slot, kSince, &isnull)) <= as_of)
      return taken(now_.slot, kBody);
    ExecClearTuple(now_.slot);
    if (as_of == kNever) return {};
    past_.open("attribute_history");
    ScanKeyEntryInitialize(&keys[1], 0, 2, BTLessEqualStrategyNumber, InvalidOid, InvalidOid, F_TIMESTAMPTZ_LE, TimestampTzGetDatum(as_of));
    if (find_row(past_.table, past_.index, past_.slot, snapshot, keys, 2) &&
        DatumGetTimestampTz(slot_getattr(past_.slot, kValidTo, &isnull)) > as_of)
      return taken(past_.slot, kPastBody);
    ExecClearTuple(past_.slot);
    return {};
  });
}

void AttributeReader::close() {
  call([&] {
    now_.close();
    past_.close();
  });
}

std::optional<Datum> current_attributes(std::string_view home, Snapshot snapshot) { return attributes_at(home, kNever, snapshot); }

std::optional<Datum> attributes_at(std::string_view home, Micros as_of, Snapshot snapshot) {
  AttributeReader reader;
  const std::optional<Datum> body = reader.at(home, as_of, snapshot);
  reader.close();
  return body;
}

std::vector<AttributeColumn> attribute_columns(Unit unit) {
  std::vector<AttributeColumn> out;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT c.name, c.type::regtype::oid FROM pql.attribute_source AS s,"
                                  " LATERAL unnest(s.columns, s.types) WITH ORDINALITY AS c(name, type, place) WHERE s.unit = $1 ORDER BY c.place",
                                  {Arg::of(name_of(unit))});
  for (std::uint64_t i = 0; i < n; i++) out.push_back({spi.text(i, 1), static_cast<Oid>(spi.number(i, 2))});
  spi.finish();
  return out;
}

} // namespace pql::pg
