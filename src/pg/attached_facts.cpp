#include "pg/attached_facts.hpp"

#include "pg/compat.hpp"
#include "pg/derive.hpp"
#include "pg/identity.hpp"
#include "pg/extract.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "utils/acl.h"
}

namespace pql::pg {

// ------------------------------------------------------------------------------------------------------------------ sources

std::vector<FactName> fact_names() {
  std::vector<FactName> out;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT fact, unit, measure = 'newest', measure IN ('count', 'sum') FROM pql.fact_source ORDER BY fact COLLATE \"C\"", {}, true);
  for (std::uint64_t i = 0; i < n; i++)
    out.push_back({spi.text(i, 1), unit_named(spi.text(i, 2)), spi.number(i, 3) != 0, spi.number(i, 4) != 0});
  spi.finish();
  return out;
}

std::optional<FactSource> fact_source(const std::string &fact) {
  Spi spi;
  const std::uint64_t n = spi.run("SELECT unit, schema_name, relation_name, owner, attached_by, key_column, columns,"
                                  " ARRAY(SELECT t::regtype::oid::text FROM unnest(types) WITH ORDINALITY AS x(t, place) ORDER BY place),"
                                  " broken IS NOT NULL, condition, value, measure"
                                  " FROM pql.fact_source WHERE fact = $1",
                                  {Arg::of(fact)});
  std::optional<FactSource> out;
  if (n) {
    out.emplace();
    AttributeSource &s = out->rows;
    s.unit = spi.text(0, 1);
    s.schema = spi.text(0, 2);
    s.relation = spi.text(0, 3);
    s.owner = spi.text(0, 4);
    s.attached_by = spi.text(0, 5);
    s.key = spi.text(0, 6);
    s.columns = spi.texts(0, 7);
    for (const std::string &t : spi.texts(0, 8)) s.types.push_back(static_cast<Oid>(std::stoul(t)));
    s.broken = spi.number(0, 9) != 0;
    s.what = "facts";
    s.attach_again = "pql.attach_facts()";
    out->fact = fact;
    out->where = spi.text(0, 10);
    out->value = spi.text(0, 11);
    out->measure = spi.text(0, 12);
  }
  spi.finish();
  return out;
}

std::vector<std::string> expression_columns(Oid relation, const std::vector<std::pair<std::string, Oid>> &expressions) {
  struct Names {
    const char **all;
    int n;
  };
  const Names found = call([&]() -> Names {
    Relation rel = table_open(relation, AccessShareLock);
    Bitmapset *columns = nullptr;
    for (const auto &[text, wanted] : expressions) {
      if (text.empty()) continue;
      columns = bms_add_members(columns, compile_row_expression(rel, text.c_str(), wanted, wanted == BOOLOID ? "where" : "value", CurrentMemoryContext).columns);
    }
    auto **all = static_cast<const char **>(palloc(sizeof(char *) * static_cast<Size>(bms_num_members(columns) + 1)));
    int n = 0;
    for (int i = -1; (i = bms_next_member(columns, i)) >= 0;) all[n++] = pstrdup(NameStr(TupleDescAttr(RelationGetDescr(rel), i - 1)->attname));
    table_close(rel, NoLock);
    return {all, n};
  });
  return {found.all, found.all + found.n};
}

// ------------------------------------------------------------------------------------------------------------------ reading

namespace {

// What a value counts as: exact where it is added up, so that the order of rows doesn't matter.
const char *type_of_value(const FactSource &s) {
  if (s.measure == "newest") return "timestamptz";
  return s.measure == "sum" ? "numeric" : "float8";
}

// The rows (k, v) that count, of something that has the relation's columns. Ids are text here.
std::string rows_of(const FactSource &s, Oid relation, const std::string &from, const std::string &keys = {}) {
  std::string sql = "SELECT (" + column_value(relation, s.rows.key) + ")::text AS k, ";
  sql += s.value.empty() ? "NULL::numeric AS v" : "((" + s.value + "\n))::" + type_of_value(s) + " AS v";
  sql += " FROM " + from + " AS t WHERE " + (keys.empty() ? "true" : keys);
  if (!s.where.empty()) sql += " AND (" + s.where + "\n)";
  return sql;
}

// So that an index on the key finds them.
std::string have_keys(const FactSource &s, Oid relation) {
  const char *const type = call([&]() -> const char * {
    const Oid base = getBaseType(get_atttype(relation, get_attnum(relation, s.rows.key.c_str())));
    return get_typtype(base) == TYPTYPE_ENUM ? "text" : format_type_be_qualified(base);
  });
  return "(" + column_value(relation, s.rows.key) + ") = ANY ($1::" + type + "[])";
}

std::string folded(const FactSource &s) {
  if (s.measure == "count") return "count(*)::float8, NULL::timestamptz";
  if (s.measure == "sum") return "coalesce(sum(x.v), 0)::float8, NULL::timestamptz";
  if (s.measure == "newest") return "NULL::float8, max(x.v)";
  return s.measure + "(x.v)::float8, NULL::timestamptz"; // max, min
}

} // namespace

void read_facts(const FactSource &source, std::optional<Datum> keys, void (*f)(void *, Datum *values, bool *nulls), void *arg) {
  const AttributeSource &s = source.rows;
  const Oid relation = lock_relation(s);
  const Oid reader = reader_of(s, relation);
  if (std::string why = mismatch(s, relation); !why.empty()) fail_unreadable(s, std::move(why));
  const std::string sql = std::string("SELECT CASE WHEN octet_length(x.k) BETWEEN 1 AND 1000 THEN ('") + s.prefix() +
                          "' || x.k) COLLATE \"C\" END AS home, " + folded(source) + ", count(*) FROM (" +
                          rows_of(source, relation, relation_text(s), keys ? have_keys(source, relation) : std::string()) + ") AS x GROUP BY 1";
  call([&] {
    each_row_as(reader, sql, keys, [&](HeapTuple row, TupleDesc columns) {
      Datum values[4];
      bool nulls[4];
      for (int c = 0; c < 4; c++) values[c] = SPI_getbinval(row, columns, c + 1, &nulls[c]);
      f(arg, values, nulls);
    });
  });
}

// ----------------------------------------------------------------------------------------------------------------- the copy

namespace {

bool is_used(const std::string &fact) {
  Spi spi;
  const bool used = spi.run("SELECT FROM pql.fact_use WHERE name = 'fact.' || $1", {Arg::of(fact)}) > 0;
  spi.finish();
  return used;
}

// Compares and writes until nothing is left to do: what somebody else has changed meanwhile is looked at again. With homes, only these,
// which are locked.
FactChanges merge_copy(const FactSource &s, Micros now, const std::vector<std::string> *keys, std::vector<std::string> &homes) {
  FactChanges out;
  const std::vector<std::string> none;
  Spi spi;
  for (int round = 0;; round++) {
    call([] { CHECK_FOR_INTERRUPTS(); });
    spi.run("WITH read AS MATERIALIZED (SELECT r.* FROM pql._read_facts($1, CASE WHEN $3 THEN $4 END) AS r"
            "  WHERE NOT pql._is_erased(r.home)),"
            " diff AS MATERIALIZED (SELECT coalesce(f.home, c.home) AS home, f.home IS NULL AS gone, f.number, f.\"time\", c.since, c.number AS old_number,"
            "  c.\"time\" AS old_time"
            "  FROM (SELECT r.* FROM read AS r WHERE r.home IS NOT NULL) AS f FULL JOIN (SELECT v.* FROM pql.fact_value AS v WHERE v.fact = $1"
            "   AND (NOT $3 OR v.home = ANY (SELECT $5 || k FROM unnest($4) AS k))) AS c ON c.home = f.home"
            "  WHERE c.home IS NULL OR (coalesce(f.number, CASE WHEN $6 THEN 0 END), f.\"time\")"
            "   IS DISTINCT FROM (coalesce(c.number, CASE WHEN $6 THEN 0 END), c.\"time\")),"
            " updated AS (UPDATE pql.fact_value AS v"
            "  SET since = CASE WHEN d.since = 'infinity' THEN $2 ELSE greatest($2, d.since + interval '1 us') END, number = d.number, \"time\" = d.\"time\""
            "  FROM diff AS d WHERE v.fact = $1 AND v.home = d.home AND v.since = d.since"
            "  RETURNING v.home, d.since AS valid_from, v.since AS valid_to, d.old_number, d.old_time),"
            " added AS (INSERT INTO pql.fact_value (home, fact, since, number, \"time\")"
            "  SELECT d.home, $1, greatest($2, (SELECT max(h.valid_to) FROM pql.fact_history AS h WHERE h.home = d.home AND h.fact = $1)),"
            "   d.number, d.\"time\" FROM diff AS d WHERE d.since IS NULL ORDER BY d.home ON CONFLICT (home, fact) DO NOTHING RETURNING home),"
            " past AS (INSERT INTO pql.fact_history (home, fact, valid_from, valid_to, number, \"time\")"
            "  SELECT u.home, $1, u.valid_from, u.valid_to, u.old_number, u.old_time FROM updated AS u WHERE u.valid_from < 'infinity')"
            " SELECT (SELECT count(*) FROM read AS r WHERE r.home IS NOT NULL), (SELECT coalesce(sum(r.rows), 0) FROM read AS r WHERE r.home IS NOT NULL)::bigint,"
            " (SELECT coalesce(sum(r.rows), 0) FROM read AS r WHERE r.home IS NULL)::bigint, (SELECT count(*) FROM diff),"
            " ARRAY(SELECT u.home::text FROM updated AS u UNION ALL SELECT i.home FROM added AS i)",
            {Arg::of(s.fact), Arg::time(now), Arg::of(keys != nullptr), Arg::of(keys ? *keys : none), Arg::of(s.rows.prefix()),
             Arg::of(s.measure == "count" || s.measure == "sum")});
    out.subjects = spi.number(0, 1);
    out.rows = spi.number(0, 2);
    out.without_key = spi.number(0, 3);
    const std::int64_t differing = spi.number(0, 4);
    const std::vector<std::string> done = spi.texts(0, 5);
    out.changed += static_cast<std::int64_t>(done.size());
    homes.insert(homes.end(), done.begin(), done.end());
    if (static_cast<std::int64_t>(done.size()) == differing) break;
    if (round == 100) fail(ERRCODE_T_R_SERIALIZATION_FAILURE, "facts are being changed by others all the time", {}, "Try again.");
  }
  spi.finish();
  return out;
}

// Of two who write rows of one subject, the later one sees the earlier one's: a greatest or newest value tells nothing of the others.
// What nobody knew yet has no beginning.
void lock_values(const FactSource &s, const std::vector<std::string> &keys) {
  Spi spi;
  spi.run("INSERT INTO pql.fact_value (home, fact, since) SELECT $2 || k, $1, 'infinity' FROM unnest($3) AS k ORDER BY 1 ON CONFLICT DO NOTHING",
          {Arg::of(s.fact), Arg::of(s.rows.prefix()), Arg::of(keys)});
  spi.run("SELECT FROM pql.fact_value AS v WHERE v.fact = $1 AND v.home = ANY (SELECT $2 || k FROM unnest($3) AS k) ORDER BY v.home FOR UPDATE",
          {Arg::of(s.fact), Arg::of(s.rows.prefix()), Arg::of(keys)});
  spi.finish();
}

} // namespace

FactChanges refresh_facts(const std::string &fact) {
  const std::optional<FactSource> s = fact_source(fact);
  if (!s) fail(ERRCODE_UNDEFINED_OBJECT, "fact \"" + fact + "\" is not attached");
  const std::shared_ptr<const Definitions> plan = current_definitions();
  std::vector<std::string> homes;
  const FactChanges out = merge_copy(*s, reading_time(*plan), nullptr, homes);
  if (!homes.empty() && is_used(fact)) attributes_changed(*plan, homes);
  return out;
}

// ----------------------------------------------------------------------------------------------------------------- triggers

namespace {

void mark_broken(const FactSource &s, const std::string &why) {
  Spi spi;
  const bool first = spi.run("UPDATE pql.fact_source SET broken = $2 WHERE fact IN"
                             " (SELECT o.fact FROM pql.fact_source AS o WHERE o.fact = $1 AND o.broken IS NULL FOR UPDATE SKIP LOCKED)",
                             {Arg::of(s.fact), Arg::of(why)}) > 0;
  spi.finish();
  if (first) warn_of_broken(s.rows, why);
}

// Whose rows count otherwise than before the statement.
std::vector<std::string> written_keys(const FactSource &s, Oid relation, const TriggerData *t) {
  const auto of = [&](const char *rows) { return rows_of(s, relation, rows); };
  std::string rows;
  if (TRIGGER_FIRED_BY_INSERT(t->tg_event)) rows = of("pql_new");
  else if (TRIGGER_FIRED_BY_DELETE(t->tg_event)) rows = of("pql_old");
  else {
    const std::string before = of("pql_old"), after = of("pql_new");
    rows = "((" + before + ") EXCEPT ALL (" + after + ")) UNION ALL ((" + after + ") EXCEPT ALL (" + before + "))";
  }
  Spi spi;
  call([&] {
    (void)fixed_settings(); // ends with spi's
    if (SPI_register_trigger_data(const_cast<TriggerData *>(t)) < 0) elog(ERROR, "could not see what was written");
  });
  spi.run_once("SELECT ARRAY(SELECT DISTINCT x.k FROM (" + rows + ") AS x WHERE octet_length(x.k) BETWEEN 1 AND 1000 ORDER BY 1)");
  std::vector<std::string> keys = spi.texts(0, 1);
  lock_identities();
  std::erase_if(keys, [&](const std::string &key) { return is_erased(s.rows.prefix() + key); });
  spi.finish();
  return keys;
}

} // namespace

void facts_written(const TriggerData *t) {
  const std::optional<FactSource> s = fact_source(t->tg_trigger->tgargs[0]);
  if (!s || s->rows.broken) return;
  const Oid relation = RelationGetRelid(t->tg_relation);
  if (find_relation(s->rows) != relation) return; // renamed: another will take its name, or has
  if (const std::string why = mismatch(s->rows, relation); !why.empty()) return mark_broken(*s, why);
  if (TRIGGER_FIRED_BY_UPDATE(t->tg_event) && !changes_columns(s->rows, t)) return;
  const std::shared_ptr<const Definitions> plan = current_definitions();
  const Micros now = reading_time(*plan);
  std::vector<std::string> homes;
  const bool truncated = TRIGGER_FIRED_BY_TRUNCATE(t->tg_event);
  const auto merge = [&] {
    const std::vector<std::string> keys = truncated ? std::vector<std::string>() : written_keys(*s, relation, t);
    if (!truncated && keys.empty()) return;
    if (!truncated) lock_values(*s, keys);
    (void)merge_copy(*s, now, truncated ? nullptr : &keys, homes);
  };
  // A value that can't be had of some row, or is more than fits.
  if (!call([&] { return guarded([&] { enter(merge); }); })) return mark_broken(*s, "What its rows come to can't be had of a value that was written to it.");
  if (!homes.empty() && is_used(s->fact)) attributes_changed(*plan, homes);
}

} // namespace pql::pg
