#include "pg/outside.hpp"

#include "pg/compat.hpp"
#include "pg/spi.hpp"
#include "pg/store.hpp"

extern "C" {
#include "catalog/pg_collation.h"
#include "utils/fmgroids.h"
}

namespace pql::pg {
namespace {

// Columns of pql.flag; of pql.fact_value and, of its past, pql.fact_history.
enum : AttrNumber { kProgram = 3, kSignal = 4, kFlaggedAt = 7, kEndsAt = 8, kLiftedAt = 9 };
enum : AttrNumber { kFact = 2, kSince = 3, kNumber = 4, kTime = 5 };
enum : AttrNumber { kFrom = 3, kTo = 4, kPastNumber = 5, kPastTime = 6 };

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

// Adds those in a table whose primary key begins with a home's.
void add_ids(Arena &arena, const char *name, Unit unit, Snapshot snapshot, std::vector<std::string_view> &to) {
  const std::string first = home_key(unit, {});
  call([&] {
    Relation const table = table_open(pql_relation(name), AccessShareLock);
    Relation const index = index_open(primary_key_index(table), AccessShareLock);
    TupleTableSlot *const slot = table_slot_create(table, nullptr);
    ScanKeyData key;
    ScanKeyEntryInitialize(&key, 0, 1, BTGreaterEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXT_GE,
                           PointerGetDatum(cstring_to_text_with_len(first.data(), static_cast<int>(first.size()))));
    IndexScanDesc const scan = begin_index_scan(table, index, snapshot, 1);
    index_rescan(scan, &key, 1, nullptr, 0);
    while (index_getnext_slot(scan, ForwardScanDirection, slot)) {
      CHECK_FOR_INTERRUPTS();
      bool isnull;
      const text *const t = DatumGetTextPP(slot_getattr(slot, 1, &isnull));
      const std::string_view home(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
      if (!home.starts_with(first)) break;
      to.push_back(arena.copy(home.substr(first.size())));
    }
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    index_close(index, NoLock);
    table_close(table, NoLock);
  });
}

} // namespace

std::vector<std::string_view> ids_outside(Arena &arena, Unit unit, const RuleNeeds &needs, bool past, Snapshot snapshot) {
  std::vector<std::string_view> ids;
  if (needs.attributes) add_ids(arena, "attribute", unit, snapshot, ids);
  if (needs.attributes && past) add_ids(arena, "attribute_history", unit, snapshot, ids);
  if (needs.flags) add_ids(arena, "flag", unit, snapshot, ids);
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

void Outside::add(Facts &f, const Definitions &plan, const Program &p, const RuleNeeds &needs, std::string_view id, std::string_view account,
                  Micros at, bool now, Snapshot snapshot) {
  f.account_id = account;
  if (needs.history) find_history(f, p.def.unit, id, account, at, now, snapshot);
  if (needs.consent) {
    find_consent(p.def.unit, id, account, at, now, snapshot);
    f.consent = consent_;
  }
  if (!needs.attributes && !needs.account && !needs.flags && !needs.facts && !needs.account_facts) return;
  const Micros as_of = now ? kNever : at;
  call([&] { MemoryContextReset(bodies_.context()); });
  const struct Within {
    MemoryContext before;
    ~Within() { MemoryContextSwitchTo(before); }
  } within{MemoryContextSwitchTo(bodies_.context())};
  if (needs.attributes) f.attributes = attributes_of(p.def.unit, id, as_of, snapshot);
  if (needs.account && !account.empty()) f.account = attributes_of(Unit::account, account, as_of, snapshot);
  if (needs.facts || needs.account_facts) {
    const std::vector<FactName> &names = plan.facts();
    values_.clear();
    for (const FactName &n : names) values_.push_back(n.counts ? FactValue{0, kAlways} : FactValue{});
    if (needs.facts) find_facts(names, p.def.unit, home_key(p.def.unit, id), as_of, snapshot);
    if (needs.account_facts && !account.empty()) find_facts(names, Unit::account, home_key(Unit::account, account), as_of, snapshot);
    f.facts = values_;
  }
  if (!needs.flags) return;
  find_flags(home_key(p.def.unit, id), p.def.name, as_of, snapshot);
  f.flags = flagged_;
}

std::optional<Datum> Outside::attributes_of(Unit unit, std::string_view id, Micros as_of, Snapshot snapshot) {
  return attributes_.at(home_key(unit, id), as_of, snapshot);
}

template <class F>
void Outside::Table::each(const char *name, MemoryContext memory, const std::string &home, Snapshot snapshot, F &&f) {
  if (!table) {
    table = table_open(pql_relation(name), AccessShareLock);
    index = index_open(primary_key_index(table), AccessShareLock);
    MemoryContext const before = MemoryContextSwitchTo(memory);
    slot = table_slot_create(table, nullptr);
    MemoryContextSwitchTo(before);
  }
  ScanKeyData key;
  ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ,
                         PointerGetDatum(cstring_to_text_with_len(home.data(), static_cast<int>(home.size()))));
  IndexScanDesc scan = begin_index_scan(table, index, snapshot, 1);
  index_rescan(scan, &key, 1, nullptr, 0);
  while (index_getnext_slot(scan, ForwardScanDirection, slot) && f(slot)) {
  }
  index_endscan(scan);
  ExecClearTuple(slot);
}

void Outside::Table::close() {
  if (!table) return;
  ExecDropSingleTupleTableSlot(slot);
  index_close(index, NoLock);
  table_close(table, NoLock);
  table = nullptr;
}

void Outside::find_flags(const std::string &home, const std::string &program, Micros as_of, Snapshot snapshot) {
  flagged_.clear();
  flagged_.reserve(kMaxSignals);
  call([&] {
    const Micros at = as_of == kNever ? GetCurrentTimestamp() : as_of;
    flags_.each("flag", memory_, home, snapshot, [&](TupleTableSlot *flag) {
      if (!is_text(flag, kProgram, program) || !holds(flag, at)) return true;
      bool isnull;
      const text *const signal = DatumGetTextPCopy(slot_getattr(flag, kSignal, &isnull));
      flagged_.push_back({VARDATA_ANY(signal), VARSIZE_ANY_EXHDR(signal)}); // there is room
      return flagged_.size() < kMaxSignals;
    });
  });
}

void Outside::find_facts(const std::vector<FactName> &names, Unit unit, const std::string &home, Micros as_of, Snapshot snapshot) {
  const auto take = [&](TupleTableSlot *row, AttrNumber number, AttrNumber time) {
    for (std::size_t i = 0; i < names.size(); i++) {
      if (names[i].unit != unit || !is_text(row, kFact, names[i].name)) continue;
      bool no_number, no_time;
      const Datum n = slot_getattr(row, number, &no_number), t = slot_getattr(row, time, &no_time);
      if (!no_number) values_[i].number = DatumGetFloat8(n);
      if (!no_time) values_[i].at = DatumGetTimestampTz(t);
    }
    return true;
  };
  const auto time = [](TupleTableSlot *row, AttrNumber column) {
    bool isnull;
    return DatumGetTimestampTz(slot_getattr(row, column, &isnull));
  };
  call([&] {
    facts_.each("fact_value", memory_, home, snapshot, [&](TupleTableSlot *row) { return time(row, kSince) > as_of || take(row, kNumber, kTime); });
    if (as_of == kNever) return;
    past_facts_.each("fact_history", memory_, home, snapshot, [&](TupleTableSlot *row) {
      return time(row, kFrom) > as_of || time(row, kTo) <= as_of || take(row, kPastNumber, kPastTime);
    });
  });
}

void Outside::find_history(Facts &f, Unit unit, std::string_view id, std::string_view account, Micros at, bool now, Snapshot snapshot) {
  Spi spi;
  (void)spi.run_at(snapshot,
                   "SELECT h.touches_7d, h.touches_14d, h.touches_30d, h.days_since_touch, h.days_since_disqualified, h.days_since_converted,"
                   " (h.days_since_converted IS NOT NULL)::int::float8 FROM pql._history_of($1, $2, $3, $4, $5) AS h",
                   {Arg::of(name_of(unit)), Arg::of(id), account.empty() ? Arg::nothing(TEXTOID) : Arg::of(account), Arg::time(at), Arg::of(now)});
  for (std::size_t i = 0; i < f.history.size(); i++) {
    bool isnull;
    const Datum d = spi.datum(0, static_cast<int>(i) + 1, &isnull);
    f.history[i] = isnull ? std::numeric_limits<double>::quiet_NaN() : DatumGetFloat8(d);
  }
  spi.finish();
}

void Outside::find_consent(Unit unit, std::string_view id, std::string_view account, Micros at, bool now, Snapshot snapshot) {
  consent_.clear();
  Spi spi;
  const std::uint64_t n = spi.run_at(
      snapshot,
      "SELECT DISTINCT ON (c.unit, c.channel) c.channel, c.granted, c.unit = 'account', c.at FROM pql.consent AS c"
      " WHERE (c.unit = $1 AND c.subject_id = $2 OR c.unit = 'account' AND c.subject_id = $3) AND ($5 OR c.at <= $4)"
      " ORDER BY c.unit, c.channel, c.at DESC",
      {Arg::of(name_of(unit)), Arg::of(id), account.empty() ? Arg::nothing(TEXTOID) : Arg::of(account), Arg::time(at), Arg::of(now)});
  for (std::uint64_t i = 0; i < n; i++) consent_.push_back({spi.text(i, 1), spi.number(i, 2) != 0, spi.number(i, 3) != 0, spi.number(i, 4)});
  spi.finish();
}

void Outside::close() {
  attributes_.close();
  call([&] {
    flags_.close();
    facts_.close();
    past_facts_.close();
  });
}

} // namespace pql::pg
