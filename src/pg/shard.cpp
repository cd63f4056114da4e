#include "core/shard/shard.hpp"
#include "pg/shard.hpp"

#include "pg/ingest.hpp"
#include "pg/held_homes.hpp"
#include "pg/people.hpp"
#include "pg/spi.hpp"
#include "pg/store.hpp"

extern "C" {
#include "catalog/pg_constraint.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#if PG_VERSION_NUM >= 160000
#include "parser/parse_relation.h"
#endif
#include "utils/plancache.h"
}

namespace pql::pg {
namespace {

constexpr const char *kSchema = "pql_cluster";

// One shard of the events with what lies beside it.
struct Shard {
  Oid events = InvalidOid;                ///< the shard itself
  std::unordered_map<Oid, Oid> stands_in; ///< for whom: pql's own tables, and the events table
};

// Never destroyed: PostgreSQL's state is gone when static destructors run.
std::unordered_map<Oid, Shard> &known_shards() {
  static auto &shards = *new std::unordered_map<Oid, Shard>;
  return shards;
}
std::unordered_map<Oid, Oid> &known_spread() {
  static auto &tables = *new std::unordered_map<Oid, Oid>;
  return tables;
}

const Shard *current = nullptr; ///< in known_shards()
Oid planned_in = InvalidOid;    ///< the shard in which plans were made that may be kept
bool stale = false;             ///< the catalogue changed: what is known is read anew when no shard is entered
bool spread = false, spread_known = false;
bool leaving = false;
needs_fmgr_hook_type next_needs_hook = nullptr;

extern "C" void catalog_changed(Datum, int, uint32) {
  stale = true;
  spread_known = false;
}

// Citus' own connections between nodes ask for one shard's part of a query each.
bool between_nodes() noexcept {
  return application_name && (std::strncmp(application_name, "citus_internal", 14) == 0 || std::strncmp(application_name, "citus_rebalancer", 16) == 0);
}

void forget_stale() {
  if (!stale || current) return;
  stale = false;
  known_shards().clear();
  known_spread().clear();
}

// Plans are kept by whoever made them: PL/pgSQL, queries of our own, prepared statements.
void plan_in(Oid shard) {
  if (planned_in == shard) return;
  planned_in = shard;
  call([] { ResetPlanCache(); });
}

// The relation is as it is called a shard, and the catalogue of the cluster knows it. Empty if not.
Shard look_up(Oid relation) {
  Shard s;
  const char *const name = call([&]() -> const char * {
    if (!OidIsValid(get_relname_relid("pg_dist_shard", PG_CATALOG_NAMESPACE))) return nullptr;
    return get_rel_name(relation);
  });
  const std::optional<std::int64_t> id = name ? shard_of(name) : std::nullopt;
  if (!id) return s;
  Spi spi;
  const std::uint64_t n = spi.run_once(
      "SELECT d.logicalrelid::oid::bigint, pg_catalog.shard_name(d.logicalrelid, d.shardid, false)::regclass::oid::bigint, d.shardid = s.shardid"
      " FROM pg_catalog.pg_dist_shard AS s JOIN pg_catalog.pg_dist_partition AS p ON p.logicalrelid = s.logicalrelid"
      " JOIN pg_catalog.pg_dist_partition AS q ON q.colocationid = p.colocationid AND q.partmethod = 'h'"
      " JOIN pg_catalog.pg_dist_shard AS d ON d.logicalrelid = q.logicalrelid AND d.shardminvalue = s.shardminvalue"
      " WHERE s.shardid = $1 AND pg_catalog.to_regclass(pg_catalog.shard_name(s.logicalrelid, s.shardid, false))::oid::bigint = $2"
      " AND p.partmethod = 'h' AND pg_catalog.to_regclass(pg_catalog.shard_name(d.logicalrelid, d.shardid, false)) IS NOT NULL",
      {Arg::of(*id), Arg::of(static_cast<std::int64_t>(relation))});
  for (std::uint64_t i = 0; i < n; i++) {
    const Oid table = static_cast<Oid>(spi.number(i, 1)), part = static_cast<Oid>(spi.number(i, 2));
    const Oid own = call([&] {
      const Oid schema = get_namespace_oid("pql", true);
      const bool of_homes = get_rel_namespace(table) == get_namespace_oid(kSchema, true);
      return of_homes && OidIsValid(schema) ? get_relname_relid(get_rel_name(table), schema) : InvalidOid;
    });
    if (OidIsValid(own)) s.stands_in[own] = part;
    if (spi.number(i, 3) || !OidIsValid(own)) s.stands_in[table] = part;
  }
  spi.finish();
  if (n) s.events = relation;
  return s;
}

void go_to(const Shard *shard) {
  current = shard;
  forget_known_state();
}

// pql's table of homes on a cluster that has the name of one of its own; the relation itself if there is none. Inside call().
Oid spread_relation(Oid relation) {
  const auto known = known_spread().find(relation);
  if (known != known_spread().end()) return known->second;
  Oid found = relation;
  const Oid schema = get_rel_namespace(relation);
  if (schema == get_namespace_oid("pql", true) && get_rel_relkind(relation) == RELKIND_RELATION) {
    const Oid there = get_relname_relid(get_rel_name(relation), get_namespace_oid(kSchema, true));
    if (OidIsValid(there)) found = there;
  }
  return known_spread()[relation] = found;
}

struct Setting {
  bool here;
};

using Walker = bool (*)(Node *, void *);
#if PG_VERSION_NUM >= 160000
bool walk(Node *n, Walker f, void *x) { return expression_tree_walker(n, f, x); }
bool walk(Query *q, Walker f, void *x) { return query_tree_walker(q, f, x, QTW_EXAMINE_RTES_BEFORE); }
#else // functions without a prototype, whose type C++ has no name for
using Opaque = void (*)();
bool walk(Node *n, Walker f, void *x) {
  return expression_tree_walker(n, reinterpret_cast<bool (*)()>(reinterpret_cast<Opaque>(f)), x);
}
bool walk(Query *q, Walker f, void *x) {
  return query_tree_walker(q, reinterpret_cast<bool (*)()>(reinterpret_cast<Opaque>(f)), x, QTW_EXAMINE_RTES_BEFORE);
}
#endif

// ON CONFLICT ON CONSTRAINT: that of the relation that stands in, which has its name, within a shard with the number.
void set_constraint(Query *query) {
  OnConflictExpr *const c = query->onConflict;
  if (!c || !OidIsValid(c->constraint)) return;
  const Oid relation = rt_fetch(query->resultRelation, query->rtable)->relid;
  const char *const name = get_constraint_name(c->constraint);
  if (!name || !OidIsValid(relation)) return;
  Oid found = get_relation_constraint_oid(relation, name, true);
  if (!OidIsValid(found)) {
    const std::int64_t id = shard_of(get_rel_name(relation)).value_or(0);
    found = get_relation_constraint_oid(relation, psprintf("%s_%lld", name, static_cast<long long>(id)), true);
  }
  if (OidIsValid(found)) c->constraint = found;
}

bool set_in(Node *node, void *context) {
  if (!node) return false;
  if (IsA(node, Query)) {
    auto *const query = reinterpret_cast<Query *>(node);
    (void)walk(query, set_in, context);
    set_constraint(query);
    return false;
  }
  if (!IsA(node, RangeTblEntry)) return walk(node, set_in, context);
  auto *const e = reinterpret_cast<RangeTblEntry *>(node);
  if (e->rtekind != RTE_RELATION) return false;
  const bool here = static_cast<const Setting *>(context)->here;
  const Oid instead = here ? standing_in(e->relid) : spread_relation(e->relid);
  if (instead == e->relid) return false;
  if (!here && e->securityQuals)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("row security of table \"%s\" is not enforced on a cluster", get_rel_name(e->relid)),
                    errhint("Ask as a role to which it does not apply: the tables' owner.")));
  e->relid = instead;
  LockRelationOid(instead, e->rellockmode);
  return false;
}

#if PG_VERSION_NUM >= 160000
void set_permissions(List *infos, bool here) {
  for (int i = 0; i < list_length(infos); i++) {
    auto *const p = list_nth_node(RTEPermissionInfo, infos, i);
    p->relid = here ? standing_in(p->relid) : spread_relation(p->relid);
  }
}
#endif

// SQL functions of ours are not to become part of the query that calls them: nobody sets their relations then.
extern "C" bool is_not_inlined(Oid function) {
  if (next_needs_hook && next_needs_hook(function)) return true;
  if (!current && !(spread_known && spread)) return false;
  HeapTuple t = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
  if (!HeapTupleIsValid(t)) return false;
  const auto *const p = reinterpret_cast<Form_pg_proc>(GETSTRUCT(t));
  const bool ours = p->prolang == SQLlanguageId && p->pronamespace == get_namespace_oid("pql", true);
  ReleaseSysCache(t);
  return ours;
}

} // namespace

bool within_shard() noexcept { return current != nullptr; }

bool enter_shard(Oid relation) {
  if (current && current->events == relation) return true;
  forget_stale();
  auto known = known_shards().find(relation);
  if (known == known_shards().end()) {
    known = known_shards().emplace(relation, look_up(relation)).first;
  }
  if (!OidIsValid(known->second.events)) return false;
  if (current) leave_shard();
  go_to(&known->second);
  plan_in(relation);
  return true;
}

bool enter_shard(Relation events) {
  return shard_of(RelationGetRelationName(events)) && enter_shard(RelationGetRelid(events));
}

void leave_shard() {
  if (!current || leaving) return;
  leaving = true;
  struct Left {
    ~Left() { leaving = false; }
  } left;
  flush_pending();
  decide_people();
  write_left_to_tick();
  go_to(nullptr);
}

void forget_shard() noexcept {
  current = nullptr;
  forget_known_state();
}

bool is_part_of(Oid part, Oid table) noexcept {
  if (!current) return false;
  const auto found = current->stands_in.find(table);
  return found != current->stands_in.end() && found->second == part;
}

Oid standing_in(Oid relation) {
  if (!current) return relation;
  const auto found = current->stands_in.find(relation);
  if (found != current->stands_in.end()) return found->second;
  if (get_rel_relkind(relation) != RELKIND_INDEX) return relation;
  const Oid table = IndexGetRelation(relation, true);
  const auto of = current->stands_in.find(table);
  if (of == current->stands_in.end()) return relation;
  char name[NAMEDATALEN] = "";
  if (const std::optional<std::int64_t> id = shard_of(get_rel_name(of->second))) {
    if (const std::optional<std::string> n = shard_name(get_rel_name(relation), *id)) strlcpy(name, n->c_str(), sizeof name);
  }
  const Oid index = get_relname_relid(name, get_rel_namespace(of->second));
  if (!OidIsValid(index)) elog(ERROR, "index \"%s\" has no part in the shard", get_rel_name(relation));
  return index;
}

bool is_spread() {
  if (!spread_known) {
    const Oid schema = get_namespace_oid(kSchema, true);
    spread = OidIsValid(schema) && OidIsValid(get_relname_relid("state", schema));
    spread_known = true;
  }
  return spread;
}

void require_here() {
  if (current || !is_spread()) return;
  ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("what pql keeps is spread over the shards of a cluster"),
                  errhint("Ask within the shards, by pql.on_shards() or pql.on_home().")));
}

void set_relations(Query *query) {
  Setting setting{current != nullptr};
  if (!setting.here && spread_known && !spread) return;
  enter([&] {
    call([&] {
      if (!setting.here && (between_nodes() || !is_spread())) return;
      (void)set_in(reinterpret_cast<Node *>(query), &setting);
#if PG_VERSION_NUM >= 160000
      set_permissions(query->rteperminfos, setting.here);
#endif
    });
  });
}

void plan_afresh() {
  if (current || !OidIsValid(planned_in) || between_nodes()) return;
  planned_in = InvalidOid;
  ResetPlanCache();
}

void watch_shards() {
  CacheRegisterSyscacheCallback(RELNAMENSP, catalog_changed, Datum{0});
  CacheRegisterSyscacheCallback(NAMESPACENAME, catalog_changed, Datum{0});
  next_needs_hook = needs_fmgr_hook;
  needs_fmgr_hook = is_not_inlined;
}

} // namespace pql::pg
