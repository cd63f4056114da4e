#include "pg/outside.hpp"

#include "pg/compat.hpp"
#include "pg/store.hpp"

extern "C" {
#include "catalog/pg_collation.h"
#include "utils/fmgroids.h"
}

namespace pql::pg {
namespace {

// Columns of pql.flag.
enum : AttrNumber { kProgram = 3, kSignal = 4, kFlaggedAt = 7, kEndsAt = 8, kLiftedAt = 9 };

bool is_text(TupleTableSlot *slot, AttrNumber column, std::string_view value) {
  bool isnull;
  const text *const t = DatumGetTextPP(slot_getattr(slot, column, &isnull));
  return std::string_view(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)) == value;
}

// Whether what began is still so at an instant (kNever: now, of what ends some time).
bool holds(TupleTableSlot *slot, Micros at) {
  const auto time = [&](AttrNumber column, Micros otherwise) {
    bool isnull;
    const Datum d = slot_getattr(slot, column, &isnull);
    return isnull ? otherwise : DatumGetTimestampTz(d);
  };
  return time(kFlaggedAt, kAlways) <= at && time(kEndsAt, kNever) > at && time(kLiftedAt, kNever) > at;
}

} // namespace

void Outside::add(Facts &f, const Program &p, const RuleNeeds &needs, std::string_view id, std::string_view account, Micros as_of,
                  Snapshot snapshot) {
  if (!needs.attributes && !needs.account && !needs.flags) return;
  call([&] { MemoryContextReset(bodies_.context()); });
  const struct Within {
    MemoryContext before;
    ~Within() { MemoryContextSwitchTo(before); }
  } within{MemoryContextSwitchTo(bodies_.context())};
  if (needs.attributes) f.attributes = attributes_of(p.def.unit, id, as_of, snapshot);
  if (needs.account && !account.empty()) f.account = attributes_of(Unit::account, account, as_of, snapshot);
  if (!needs.flags) return;
  find_flags(home_key(p.def.unit, id), p.def.name, as_of, snapshot);
  f.flags = flagged_;
}

std::optional<Datum> Outside::attributes_of(Unit unit, std::string_view id, Micros as_of, Snapshot snapshot) {
  return attributes_.at(home_key(unit, id), as_of, snapshot);
}

void Outside::find_flags(const std::string &home, const std::string &program, Micros as_of, Snapshot snapshot) {
  flagged_.clear();
  flagged_.reserve(kMaxSignals);
  call([&] {
    if (!flags_) {
      flags_ = table_open(pql_relation("flag"), AccessShareLock);
      flags_index_ = index_open(primary_key_index(flags_), AccessShareLock);
      MemoryContext const before = MemoryContextSwitchTo(memory_);
      flag_ = table_slot_create(flags_, nullptr);
      MemoryContextSwitchTo(before);
    }
    ScanKeyData key;
    ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ,
                           PointerGetDatum(cstring_to_text_with_len(home.data(), static_cast<int>(home.size()))));
    IndexScanDesc scan = begin_index_scan(flags_, flags_index_, snapshot, 1);
    index_rescan(scan, &key, 1, nullptr, 0);
    const Micros at = as_of == kNever ? GetCurrentTimestamp() : as_of;
    while (index_getnext_slot(scan, ForwardScanDirection, flag_) && flagged_.size() < kMaxSignals) {
      if (!is_text(flag_, kProgram, program) || !holds(flag_, at)) continue;
      bool isnull;
      const text *const signal = DatumGetTextPCopy(slot_getattr(flag_, kSignal, &isnull));
      flagged_.push_back({VARDATA_ANY(signal), VARSIZE_ANY_EXHDR(signal)}); // there is room
    }
    index_endscan(scan);
    ExecClearTuple(flag_);
  });
}

void Outside::close() {
  attributes_.close();
  if (!flags_) return;
  call([&] {
    ExecDropSingleTupleTableSlot(flag_);
    index_close(flags_index_, NoLock);
    table_close(flags_, NoLock);
  });
  flags_ = nullptr;
}

} // namespace pql::pg
