#include "pg/leaves.hpp"

extern "C" {
#include "access/sysattr.h"
#include "access/transam.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_trigger.h"
#include "nodes/parsenodes.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
}

namespace pql::pg {
namespace {

// Rows that came with a table are in front; those that came later are behind them.
constexpr BlockNumber kFirstPages = 100;

// A transaction's number with its epoch; it is less than 2^32 ago.
std::uint64_t full(TransactionId xid) {
  if (!TransactionIdIsNormal(xid)) return 0;
  const std::uint64_t next = U64FromFullTransactionId(ReadNextFullTransactionId());
  const std::uint64_t f = (next & ~std::uint64_t{0xffffffff}) | xid;
  return f >= next ? f - (std::uint64_t{1} << 32) : f;
}

// Who wrote a row, and with which of the transaction's commands.
struct Written {
  std::uint64_t by;
  CommandId command;

  static Written of(HeapTupleHeader t) { return {full(HeapTupleHeaderGetRawXmin(t)), HeapTupleHeaderGetRawCommandId(t)}; }
};

// Whether one of the first rows is wanted. Inside call().
template <class Wanted> Older look(Oid leaf, Wanted &&wanted) {
  if (!ConditionalLockRelationOid(leaf, AccessShareLock)) return Older::unknown;
  if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(leaf)) || get_rel_relkind(leaf) != RELKIND_RELATION) {
    UnlockRelationOid(leaf, AccessShareLock);
    return Older::unknown;
  }
  Relation rel = table_open(leaf, NoLock);
  Older found = Older::no;
  if (RelationGetNumberOfBlocks(rel) > 0) {
    Snapshot now = RegisterSnapshot(GetLatestSnapshot());
    ItemPointerData low, high;
    ItemPointerSet(&low, 0, 1);
    ItemPointerSet(&high, kFirstPages - 1, MaxOffsetNumber);
    TupleTableSlot *slot = table_slot_create(rel, nullptr);
    TableScanDesc scan = table_beginscan_tidrange(rel, now, &low, &high);
    while (found == Older::no && table_scan_getnextslot_tidrange(scan, ForwardScanDirection, slot)) {
      CHECK_FOR_INTERRUPTS();
      bool isnull;
      const TransactionId by = DatumGetTransactionId(slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull));
      const CommandId command = DatumGetCommandId(slot_getsysattr(slot, MinCommandIdAttributeNumber, &isnull));
      if (wanted(Written{full(by), command})) found = Older::yes;
    }
    table_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    UnregisterSnapshot(now);
  }
  table_close(rel, AccessShareLock);
  return found;
}

// Who made a trigger; false when it isn't this table's. Inside call().
bool trigger_written(Oid trigger, Oid leaf, Written *out) {
  Relation catalog = table_open(TriggerRelationId, AccessShareLock);
  ScanKeyData key;
  ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(trigger));
  SysScanDesc scan = systable_beginscan(catalog, TriggerOidIndexId, true, nullptr, 1, &key);
  HeapTuple t = systable_getnext(scan);
  const bool found = HeapTupleIsValid(t) && reinterpret_cast<Form_pg_trigger>(GETSTRUCT(t))->tgrelid == leaf;
  if (found) *out = Written::of(t->t_data);
  systable_endscan(scan);
  table_close(catalog, AccessShareLock);
  return found;
}

// Who made a table: its system columns never change. Inside call().
std::uint64_t table_made_by(Oid relation) {
  HeapTuple t = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relation), Int16GetDatum(TableOidAttributeNumber));
  if (!HeapTupleIsValid(t)) return 0;
  const std::uint64_t by = Written::of(t->t_data).by;
  ReleaseSysCache(t);
  return by;
}

// Whether a table is partitioned by ranges of the column that events' times are in, before all other keys. Inside call().
bool by_time(const SourceInfo &source, Oid parent) {
  HeapTuple t = SearchSysCache1(PARTRELID, ObjectIdGetDatum(parent));
  if (!HeapTupleIsValid(t)) return false;
  const auto *const p = reinterpret_cast<Form_pg_partitioned_table>(GETSTRUCT(t));
  const AttrNumber column = p->partstrat == PARTITION_STRATEGY_RANGE ? p->partattrs.values[0] : InvalidAttrNumber;
  ReleaseSysCache(t);
  if (column <= 0 || get_atttype(parent, column) != TIMESTAMPTZOID) return false;
  const char *name = get_attname(parent, column, true);
  return name && source.occurred_at == quote_identifier(name);
}

// The upper bound of a partition by time. Inside call().
Micros upper_bound(Oid child) {
  HeapTuple t = SearchSysCache1(RELOID, ObjectIdGetDatum(child));
  if (!HeapTupleIsValid(t)) return kNever;
  bool isnull;
  const Datum bound = SysCacheGetAttr(RELOID, t, Anum_pg_class_relpartbound, &isnull);
  const auto *spec = isnull ? nullptr : static_cast<PartitionBoundSpec *>(stringToNode(text_to_cstring(DatumGetTextPP(bound))));
  ReleaseSysCache(t);
  if (!spec || spec->is_default || spec->upperdatums == NIL) return kNever;
  for (int i = 1; i < list_length(spec->upperdatums); i++) { // of other keys there may be events at the bound itself
    if (list_nth_node(PartitionRangeDatum, spec->upperdatums, i)->kind != PARTITION_RANGE_DATUM_MINVALUE) return kNever;
  }
  const auto *const first = linitial_node(PartitionRangeDatum, spec->upperdatums);
  if (first->kind != PARTITION_RANGE_DATUM_VALUE) return kNever;
  return DatumGetTimestampTz(castNode(Const, first->value)->constvalue);
}

} // namespace

Older came_with_rows(Oid leaf, Oid trigger) {
  return call([&] {
    Written made;
    if (!trigger_written(trigger, leaf, &made)) return Older::unknown;
    // A table that was made as a partition, or by the transaction that attached it, nobody else has written to before.
    const bool together = table_made_by(leaf) == made.by;
    return look(leaf, [&](const Written &row) {
      return row.by == made.by ? row.command < made.command : !together && row.by < made.by;
    });
  });
}

Older has_rows_before(Oid leaf, std::uint64_t xid) {
  return call([&] { return look(leaf, [&](const Written &row) { return row.by < xid; }); });
}

Micros holds_until(const SourceInfo &source, Oid leaf) {
  return call([&] {
    Micros until = kNever;
    Oid child = leaf;
    const List *above = get_partition_ancestors(leaf);
    for (int i = 0; i < list_length(above); i++) {
      const Oid parent = list_nth_oid(above, i);
      if (by_time(source, parent)) until = std::min(until, upper_bound(child));
      if (parent == source.relation) return until;
      child = parent;
    }
    return kNever; // it is no partition of it
  });
}

void require_part(Oid part, Oid root) {
  if (part == root) return;
  call([&] {
    if (get_rel_relispartition(part) && list_member_oid(get_partition_ancestors(part), root)) return;
    if (pg_class_aclcheck(part, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
      aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(part));
  });
}

} // namespace pql::pg
