#include "core/qualify/qualify.hpp"
#include "core/qualify/route.hpp"
#include "pg/attributes.hpp"

#include "pg/assess.hpp"
#include "pg/compat.hpp"
#include "pg/derive.hpp"
#include "pg/identity.hpp"
#include "pg/people.hpp"
#include "pg/spi.hpp"
#include "pg/store.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "utils/acl.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/tuplestore.h"
}

namespace pql::pg {

// ---------------------------------------------------------------------------------------------------------------- reading

void AttributeReader::Table::open(const char *name, MemoryContext memory) {
  if (table) return;
  MemoryContext const before = MemoryContextSwitchTo(memory);
  table = table_open(pql_relation(name), AccessShareLock);
  index = index_open(primary_key_index(table), AccessShareLock);
  slot = table_slot_create(table, nullptr);
  MemoryContextSwitchTo(before);
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
    now_.open("attribute", memory_);
    const bool known = find_row(now_.table, now_.index, now_.slot, snapshot, keys, 1);
    if (known && DatumGetTimestampTz(slot_getattr(now_.slot, kSince, &isnull)) <= as_of) {
      pfree(key);
      return taken(now_.slot, kBody);
    }
    ExecClearTuple(now_.slot);
    if (as_of == kNever) {
      pfree(key);
      return {};
    }
    past_.open("attribute_history", memory_);
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
                                  " LATERAL unnest(s.usable_columns, s.usable_types) WITH ORDINALITY AS c(name, type, place)"
                                  " WHERE s.unit = $1 ORDER BY c.place",
                                  {Arg::of(name_of(unit))}, true);
  for (std::uint64_t i = 0; i < n; i++) out.push_back({spi.text(i, 1), static_cast<Oid>(spi.number(i, 2))});
  spi.finish();
  return out;
}

// ------------------------------------------------------------------------------------------------------- the relation

std::optional<AttributeSource> attribute_source(const std::string &unit) {
  Spi spi;
  const std::uint64_t n = spi.run("SELECT schema_name, relation_name, owner, attached_by, key_column, account_column, columns,"
                                  " ARRAY(SELECT t::regtype::oid::text FROM unnest(types) WITH ORDINALITY AS x(t, place) ORDER BY place),"
                                  " broken IS NOT NULL"
                                  " FROM pql.attribute_source WHERE unit = $1",
                                  {Arg::of(unit)});
  std::optional<AttributeSource> out;
  if (n) {
    out = AttributeSource{unit,           spi.text(0, 1), spi.text(0, 2),  spi.text(0, 3), spi.text(0, 4),
                          spi.text(0, 5), spi.text(0, 6), spi.texts(0, 7), {},             spi.number(0, 9) != 0};
    for (const std::string &t : spi.texts(0, 8)) out->types.push_back(static_cast<Oid>(std::stoul(t)));
  }
  spi.finish();
  return out;
}

Oid attribute_type(Oid type) {
  const Oid base = getBaseType(type);
  if (get_typtype(base) == TYPTYPE_ENUM) return TEXTOID;
  return is_rule_scalar(base) ? base : InvalidOid;
}

namespace {

std::string quoted(const std::string &name) {
  return call([&] { return quote_identifier(name.c_str()); });
}

std::string named(const std::string &name) { return "\"" + name + "\""; }

std::string attach_again(const AttributeSource &s) { return s.attach_again.empty() ? "pql.attach_" + s.unit + "s()" : s.attach_again; }

} // namespace

std::string relation_text(const AttributeSource &s) { return quoted(s.schema) + "." + quoted(s.relation); }

std::string relation_name(const AttributeSource &s) { return named(s.schema + "." + s.relation); }

void fail_unreadable(const AttributeSource &s, std::string why) {
  fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, s.what + " in relation " + relation_name(s) + " can't be read", std::move(why),
       "What is known of them stays. Attach it again with " + attach_again(s) + ".");
}

std::string column_value(Oid relation, const std::string &name) {
  struct Found {
    Oid type, base;
    const char *base_name;
  };
  const Found f = call([&]() -> Found {
    const Oid type = get_atttype(relation, get_attnum(relation, name.c_str()));
    const Oid base = getBaseType(type);
    return {type, base, format_type_be_qualified(base)};
  });
  const std::string column = "t." + quoted(name);
  const bool is_enum = call([&] { return get_typtype(f.base) == TYPTYPE_ENUM; });
  if (is_enum) return "CASE WHEN " + column + " IS NOT NULL THEN format('%s', " + column + ") END";
  return f.type == f.base ? column : "(" + column + ")::" + f.base_name;
}

std::string mismatch(const AttributeSource &s, Oid relation) {
  const auto type_of = [&](const std::string &column) {
    return call([&] {
      const AttrNumber n = get_attnum(relation, column.c_str());
      return n > 0 ? attribute_type(get_atttype(relation, n)) : InvalidOid;
    });
  };
  const auto exists = [&](const std::string &column) { return call([&] { return get_attnum(relation, column.c_str()) > 0; }); };
  for (const std::string *c : {&s.key, &s.account}) {
    if (!c->empty() && !exists(*c)) return "Column " + named(*c) + " doesn't exist any more.";
    if (!c->empty() && !OidIsValid(type_of(*c))) return "Column " + named(*c) + " is of another type than it was.";
  }
  for (std::size_t i = 0; i < s.columns.size(); i++) {
    if (!exists(s.columns[i])) return "Column " + named(s.columns[i]) + " doesn't exist any more.";
    if (type_of(s.columns[i]) != s.types[i]) return "Column " + named(s.columns[i]) + " is of another type than it was.";
  }
  return {};
}

namespace {

// Rows (home, account_id, body) of something that has the relation's columns. Ids longer than those of events are nobody's.
std::string rows_of(const AttributeSource &s, Oid relation, const std::string &from) {
  std::string columns;
  for (const std::string &c : s.columns) columns += (columns.empty() ? "" : ", ") + column_value(relation, c) + " AS " + quoted(c);
  const std::string account = s.account.empty() ? "NULL::text" : "nullif((" + column_value(relation, s.account) + ")::text, '')";
  return std::string("SELECT CASE WHEN octet_length(x.k) BETWEEN 1 AND 1000 THEN ('") + s.prefix() +
         "' || x.k) COLLATE \"C\" END AS home, x.account_id, to_jsonb(x.r) AS body FROM (SELECT (" + column_value(relation, s.key) + ")::text AS k, " + account +
         " AS account_id, r FROM " + from + " AS t, LATERAL (SELECT " + columns + ") AS r) AS x";
}

} // namespace

Oid find_relation(const AttributeSource &s) {
  return call([&] {
    const Oid schema = get_namespace_oid(s.schema.c_str(), true);
    return OidIsValid(schema) ? get_relname_relid(s.relation.c_str(), schema) : InvalidOid;
  });
}

namespace {

// Whether that role attached that relation, as the tables say: who may write what to those is their triggers' business.
bool is_attached(const AttributeSource &s) {
  Spi spi;
  const std::uint64_t n = spi.run("SELECT FROM (SELECT schema_name, relation_name, attached_by FROM pql.attribute_source"
                                  " UNION ALL SELECT schema_name, relation_name, attached_by FROM pql.fact_source"
                                  " UNION ALL SELECT schema_name, relation_name, attached_by FROM pql.consent_source"
                                  " UNION ALL SELECT schema_name, relation_name, attached_by FROM pql.disposition_source"
                                  " UNION ALL SELECT schema_name, relation_name, attached_by FROM pql.outcome_source) AS a"
                                  " WHERE a.schema_name = $1 AND a.relation_name = $2 AND a.attached_by = $3 LIMIT 1",
                                  {Arg::of(s.schema), Arg::of(s.relation), Arg::of(s.attached_by)});
  spi.finish();
  return n > 0;
}

} // namespace

Oid reader_of(const AttributeSource &s, Oid relation) {
  const Oid owner = extension_owner();
  struct Roles {
    Oid attached_by, relation_owner;
    const char *owner_name;
    bool super, own;
  };
  const Roles r = call([&]() -> Roles {
    HeapTuple t = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(t)) elog(ERROR, "cache lookup failed for relation %u", relation);
    const Oid o = reinterpret_cast<Form_pg_class>(GETSTRUCT(t))->relowner;
    ReleaseSysCache(t);
    const Oid by = get_role_oid(s.attached_by.c_str(), true);
    const bool own = OidIsValid(by) && has_privs_of_role(GetUserId(), by);
    return {by, o, GetUserNameFromId(o, false), OidIsValid(by) && superuser_arg(by), own};
  });
  if (s.owner != r.owner_name)
    fail_unreadable(s, "It belongs to role " + named(r.owner_name) + " now, and to " + named(s.owner) + " when it was attached.");
  if (!OidIsValid(r.attached_by)) fail_unreadable(s, "Role " + named(s.attached_by) + ", who attached it, doesn't exist any more.");
  if (!r.own && !is_attached(s)) fail(ERRCODE_INSUFFICIENT_PRIVILEGE, "permission denied to act as role " + named(s.attached_by));
  return r.super || r.attached_by == owner ? r.relation_owner : r.attached_by;
}

Oid lock_relation(const AttributeSource &s) {
  for (;;) {
    const Oid relation = find_relation(s);
    if (!OidIsValid(relation)) fail_unreadable(s, "It doesn't exist.");
    call([&] { LockRelationOid(relation, AccessShareLock); });
    if (find_relation(s) == relation) return relation;
    call([&] { UnlockRelationOid(relation, AccessShareLock); });
  }
}

void read_attributes(const AttributeSource &source, void (*f)(void *, Datum *values, bool *nulls), void *arg) {
  const Oid relation = lock_relation(source);
  const Oid reader = reader_of(source, relation);
  if (std::string why = mismatch(source, relation); !why.empty()) fail_unreadable(source, std::move(why));
  const std::string sql = rows_of(source, relation, relation_text(source));
  call([&] {
    each_row_as(reader, sql, {}, [&](HeapTuple row, TupleDesc columns) {
      Datum values[3];
      bool nulls[3];
      for (int c = 0; c < 3; c++) values[c] = SPI_getbinval(row, columns, c + 1, &nulls[c]);
      f(arg, values, nulls);
    });
  });
}

// ---------------------------------------------------------------------------------------------------------------- the copy

namespace {

// Writes what differs between rows of the relation (`fresh`) and a part of the copy (`scope`, of a). What somebody else has changed
// meanwhile is left alone: the caller looks again. Whatever is replaced goes to the history.
std::string merge_of(const std::string &fresh, const std::string &scope) {
  lock_identities();
  const std::string others = !anybody_erased() ? fresh
    : "SELECT r.home, CASE WHEN NOT pql._is_erased('a:' || r.account_id) THEN r.account_id END AS account_id, r.body FROM (" + fresh +
      ") AS r WHERE NOT pql._is_erased(r.home)";
  return "WITH read AS MATERIALIZED (" + others + "),"
         " fresh AS MATERIALIZED (SELECT r.home, (array_agg(r.account_id))[1] AS account_id, (array_agg(r.body))[1] AS body, count(*) AS n"
         "  FROM read AS r WHERE r.home IS NOT NULL GROUP BY r.home),"
         " diff AS MATERIALIZED (SELECT coalesce(f.home, a.home) AS home, f.account_id, f.body,"
         "  a.since, a.account_id AS old_account, a.body AS old_body"
         "  FROM fresh AS f FULL JOIN (SELECT a.* FROM pql.attribute AS a WHERE " + scope + ") AS a ON a.home = f.home"
         "  WHERE a.body IS DISTINCT FROM f.body OR a.account_id IS DISTINCT FROM f.account_id),"
         " updated AS (UPDATE pql.attribute AS a"
         "  SET since = greatest($1, d.since + interval '1 us'), account_id = d.account_id, body = d.body"
         "  FROM diff AS d WHERE a.home = d.home AND a.since = d.since AND d.body IS NOT NULL"
         "  RETURNING a.home, d.since AS valid_from, a.since AS valid_to, d.old_account, d.old_body),"
         " removed AS (DELETE FROM pql.attribute AS a USING diff AS d WHERE a.home = d.home AND a.since = d.since AND d.body IS NULL"
         "  RETURNING a.home, d.since AS valid_from, greatest($1, d.since + interval '1 us') AS valid_to, d.old_account, d.old_body),"
         " added AS (INSERT INTO pql.attribute (home, since, account_id, body)"
         "  SELECT d.home, greatest($1, (SELECT max(h.valid_to) FROM pql.attribute_history AS h WHERE h.home = d.home)),"
         "   d.account_id, d.body"
         "  FROM diff AS d WHERE d.since IS NULL ORDER BY d.home ON CONFLICT (home) DO NOTHING RETURNING home),"
         " past AS (INSERT INTO pql.attribute_history (home, valid_from, valid_to, account_id, body)"
         "  SELECT * FROM updated UNION ALL SELECT * FROM removed)"
         " SELECT (SELECT count(*) FROM fresh), (SELECT count(*) FROM read AS r WHERE r.home IS NULL),"
         " (SELECT count(*) FROM fresh AS f WHERE f.n > 1),"
         " ARRAY(SELECT substr(f.home, 3) FROM fresh AS f WHERE f.n > 1 ORDER BY f.home LIMIT 3), (SELECT count(*) FROM diff),"
         " ARRAY(SELECT u.home::text FROM updated AS u), ARRAY(SELECT i.home::text FROM added AS i),"
         " ARRAY(SELECT r.home::text FROM removed AS r)";
}

bool is_used(const std::string &unit) {
  Spi spi;
  const bool used = spi.run("SELECT FROM pql._named_attributes() AS n WHERE n.unit = $1 LIMIT 1", {Arg::of(unit)}) > 0;
  spi.finish();
  return used;
}

struct Merged {
  AttributeChanges changes;
  std::vector<std::string> homes; ///< whose attributes are others now
};

// Compares and writes until nothing is left to do.
Merged merge_copy(const std::string &sql, Micros now, const TriggerData *t) {
  Merged out;
  AttributeChanges &c = out.changes;
  Spi spi;
  call([&] {
    (void)fixed_settings(); // ends with spi's
    if (t && SPI_register_trigger_data(const_cast<TriggerData *>(t)) < 0) elog(ERROR, "could not see what was written");
  });
  for (int round = 0;; round++) {
    call([] { CHECK_FOR_INTERRUPTS(); });
    spi.run_once(sql, {Arg::time(now)});
    c.rows = spi.number(0, 1);
    c.without_key = spi.number(0, 2);
    c.repeated = spi.number(0, 3);
    c.repeated_keys = spi.texts(0, 4);
    const auto differing = static_cast<std::size_t>(spi.number(0, 5));
    const std::size_t before = out.homes.size();
    const auto take = [&](int column, std::int64_t &count) {
      const std::vector<std::string> some = spi.texts(0, column);
      count += static_cast<std::int64_t>(some.size());
      out.homes.insert(out.homes.end(), some.begin(), some.end());
    };
    take(6, c.changed);
    take(7, c.added);
    take(8, c.removed);
    if (out.homes.size() - before == differing) break;
    if (round == 100) fail(ERRCODE_T_R_SERIALIZATION_FAILURE, "attributes are being changed by others all the time", {}, "Try again.");
  }
  spi.finish();
  return out;
}

void decide_anew(const Definitions &plan, const std::string &unit, const std::vector<std::string> &homes) {
  if (!homes.empty() && is_used(unit)) attributes_changed(plan, homes);
}

std::string whole(const AttributeSource &s) {
  const std::string prefix(s.prefix(), 1);
  return "a.home >= '" + prefix + ":' AND a.home < '" + prefix + ";'";
}

} // namespace

AttributeChanges refresh_attributes(const std::string &unit) {
  const std::optional<AttributeSource> s = attribute_source(unit);
  if (!s) fail(ERRCODE_UNDEFINED_OBJECT, "no relation with attributes of " + unit + "s is attached");
  const std::shared_ptr<const Definitions> plan = current_definitions();
  const std::string rows = "SELECT r.home COLLATE \"C\" AS home, r.account_id, r.body FROM pql._read_attributes('" + unit + "') AS r";
  const Merged merged = merge_copy(merge_of(rows, whole(*s)), reading_time(*plan), nullptr);
  const AttributeChanges &out = merged.changes;
  if (out.repeated == 0) {
    decide_anew(*plan, unit, merged.homes);
    return out;
  }
  std::string keys;
  for (const std::string &k : out.repeated_keys) keys += (keys.empty() ? "Key (" + s->key + ")=(" : ", (") + k + ")";
  const std::int64_t more = out.repeated - static_cast<std::int64_t>(out.repeated_keys.size());
  if (more > 0) keys += " and " + std::to_string(more) + " more";
  fail(ERRCODE_UNIQUE_VIOLATION, "column " + named(s->key) + " of relation " + relation_name(*s) + " is not unique",
       keys + (out.repeated > 1 ? " are in several rows." : " is in several rows."),
       "Attach a relation with one row for each " + unit + ".");
}

// ---------------------------------------------------------------------------------------------------------------- triggers

namespace {

// Who is first says why; nobody waits for him.
void mark_broken(const AttributeSource &s, const std::string &why) {
  Spi spi;
  const bool first = spi.run("UPDATE pql.attribute_source SET broken = $2 WHERE unit IN"
                             " (SELECT o.unit FROM pql.attribute_source AS o WHERE o.unit = $1 AND o.broken IS NULL"
                             "  FOR UPDATE SKIP LOCKED)",
                             {Arg::of(s.unit), Arg::of(why)}) > 0;
  spi.finish();
  if (first) warn_of_broken(s, why);
}

} // namespace

void warn_of_broken(const AttributeSource &s, const std::string &why) {
  const std::string name = relation_name(s), again = attach_again(s);
  call([&] {
    ereport(WARNING, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("%s in relation %s can't be read", s.what.c_str(), name.c_str()),
                      errdetail("%s", why.c_str()),
                      errhint("What is known of them stays. Attach it again with %s.", again.c_str())));
  });
}

bool changes_columns(const AttributeSource &s, const TriggerData *t) {
  std::vector<AttrNumber> columns;
  const Oid relation = RelationGetRelid(t->tg_relation);
  const auto add = [&](const std::string &c) { columns.push_back(call([&] { return get_attnum(relation, c.c_str()); })); };
  add(s.key);
  if (!s.account.empty()) add(s.account);
  for (const std::string &c : s.columns) add(c);
  const std::span<const AttrNumber> all = columns;
  return call([&] {
    const TupleDesc desc = RelationGetDescr(t->tg_relation);
    const auto same = [&](TupleTableSlot *a, TupleTableSlot *b) {
      for (const AttrNumber n : all) {
        bool a_null, b_null;
        const Datum x = slot_getattr(a, n, &a_null), y = slot_getattr(b, n, &b_null);
        if (a_null != b_null) return false;
        const Form_pg_attribute c = TupleDescAttr(desc, n - 1);
        if (!a_null && !datum_image_eq(x, y, c->attbyval, c->attlen)) return false;
      }
      return true;
    };
    const auto pass = [](Tuplestorestate *rows) {
      const int pointer = tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND);
      tuplestore_select_read_pointer(rows, pointer);
      tuplestore_rescan(rows);
    };
    TupleTableSlot *const a = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
    TupleTableSlot *const b = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
    pass(t->tg_oldtable);
    pass(t->tg_newtable);
    bool differs = false;
    while (!differs && tuplestore_gettupleslot(t->tg_oldtable, true, false, a)) {
      CHECK_FOR_INTERRUPTS();
      differs = !tuplestore_gettupleslot(t->tg_newtable, true, false, b) || !same(a, b);
    }
    ExecDropSingleTupleTableSlot(a);
    ExecDropSingleTupleTableSlot(b);
    return differs;
  });
}

namespace {

std::string merge_of_written(const AttributeSource &s, Oid relation, TriggerEvent event) {
  const auto of = [&](const char *rows) { return rows_of(s, relation, rows); };
  const std::string none = "SELECT NULL::text COLLATE \"C\" AS home, NULL::text AS account_id, NULL::jsonb AS body WHERE false";
  if (TRIGGER_FIRED_BY_TRUNCATE(event)) return merge_of(none, whole(s));
  if (TRIGGER_FIRED_BY_INSERT(event)) return merge_of(of("pql_new"), "a.home IN (SELECT r.home FROM read AS r)");
  if (TRIGGER_FIRED_BY_DELETE(event)) return merge_of(none, "a.home IN (SELECT o.home FROM (" + of("pql_old") + ") AS o)");
  return merge_of(of("pql_new"), "a.home IN (SELECT r.home FROM read AS r UNION SELECT o.home FROM (" + of("pql_old") + ") AS o)");
}

} // namespace

void attributes_written(const TriggerData *t) {
  const std::optional<AttributeSource> s = attribute_source(t->tg_trigger->tgargs[0]);
  if (!s || s->broken) return;
  const Oid relation = RelationGetRelid(t->tg_relation);
  if (find_relation(*s) != relation) return; // renamed: another will take its name, or has
  if (const std::string why = mismatch(*s, relation); !why.empty()) return mark_broken(*s, why);
  if (TRIGGER_FIRED_BY_UPDATE(t->tg_event) && !changes_columns(*s, t)) return;
  const std::shared_ptr<const Definitions> plan = current_definitions();
  const Micros now = reading_time(*plan);
  const std::string sql = merge_of_written(*s, relation, t->tg_event);
  Merged merged;
  // A json that is no jsonb, or more than fits.
  if (!call([&] { return guarded([&] { enter([&] { merged = merge_copy(sql, now, t); }); }); }))
    return mark_broken(*s, "A value that was written to it can't be kept.");
  decide_anew(*plan, s->unit, merged.homes);
}

// ------------------------------------------------------------------------------------------------------- what follows from it

namespace {

// Whether rules about people rest on what is known of the accounts in which they were seen.
bool people_ask_accounts(const Definitions &plan) {
  const auto asks = [&](const Program &p) { return p.def.unit == Unit::user && needs_of(plan, p).asks_account(); };
  return std::ranges::any_of(plan.programs(), asks) || std::ranges::any_of(plan.finishing(), asks);
}

// Adds everybody who has been seen in an account, by the keys of their own homes.
void add_people_of(Store &store, Arena &arena, const std::string &account, std::set<std::string> &people) {
  const auto add = [&](int part) {
    const StoredRow row = store.fetch(arena, account, part);
    if (!row.found) return Home{};
    const Home h = read_home(arena, account, row.body, Members::asleep);
    for (const Subject &s : h.members) people.insert(home_key(Unit::user, s.id.view()));
    return h;
  };
  const Home head = add(0);
  for (int i = 1; i <= head.lanes; i++) (void)add(-i);
  for (int i = 1; head.depth && i <= 1 << head.depth; i++) (void)add(i);
}

} // namespace

void attributes_changed(const Definitions &plan, const std::vector<std::string> &changed) {
  lock_identities();
  Scratch memory("pql attributes");
  Batch batch(memory.arena(), plan.trackers());
  MergeOptions o;
  o.as_of = reading_time(plan);
  o.review = true;
  o.closes_lanes = true;
  Store store(Store::Access::read);
  std::vector<std::string_view> seen_in;
  std::set<std::string> homes(changed.begin(), changed.end());
  if (plan.has_unit(Unit::user) && people_ask_accounts(plan)) {
    for (const std::string &key : changed) {
      if (is_account_home(key)) add_people_of(store, memory.arena(), key, homes);
    }
  }
  for (const std::string &key : homes) {
    const std::string_view id = home_id(key);
    if (canonical_id(unit_of_home(key), id) != id) continue; // of who was merged into another nobody asks
    if (unit_of_home(key) != Unit::user) {
      if (!is_workspace_home(key) || plan.keeps_workspaces()) batch.home(key);
      continue;
    }
    store.homes_of(memory.arena(), id, seen_in);
    for (std::string_view home : seen_in) batch.home(home);
    if (!plan.has_unit(Unit::user)) continue;
    PersonNote note{.as_of = o.as_of, .may_enter = true, .review = true};
    for (std::string_view home : seen_in) note_person(home, id, note);
    // Who is about to be seen for the first time waits for us at the commit, or we for him.
    note.fresh = true;
    if (seen_in.empty()) note_person(key, id, note);
  }
  store.close();
  merge_batch(plan, batch, o);
}

} // namespace pql::pg
