#include "pg/extract.hpp"

#include "pg/identity.hpp"

namespace pql::pg {
namespace {

bool is_id_type(Oid type) {
  switch (type) {
  case TEXTOID:
  case VARCHAROID:
  case INT2OID:
  case INT4OID:
  case INT8OID:
  case UUIDOID: return true;
  default: return false;
  }
}

struct Cached {
  Oid relation;
  int source;
  bool workspaces; // a trial may read them while nothing else does
  Extractor *extractor;
};

constexpr int kMostCached = 128;
Cached cached[kMostCached];
int cached_count = 0;
std::uint64_t cached_generation = 0;
MemoryContext cache_memory = nullptr;

} // namespace

void Extracted::resolve() {
  Owner owner{user, account, has_account};
  const bool other = identify(owner);
  if (owner.erased) unusable = "erased";
  if (!other) return;
  renamed = true;
  said_user = user;
  said_account = account;
  user = owner.user;
  account = owner.account;
  has_account = owner.has_account;
}

RowExpression compile_argument(Relation rel, const char *text, Oid wanted, const char *argument, MemoryContext cx) {
  RowExpression e = compile_row_expression(rel, text, wanted, argument, cx);
  if (OidIsValid(wanted) || is_id_type(e.type)) return e;
  return compile_row_expression(rel, text, TEXTOID, argument, cx);
}

Extractor *Extractor::compile(Relation rel, const SourceInfo &s, MemoryContext cx) {
  auto *x = static_cast<Extractor *>(MemoryContextAllocZero(cx, sizeof(Extractor)));
  const auto part = [&](const std::string &text, const char *argument, Oid wanted) -> Part {
    if (text.empty()) return {{}, false};
    return {compile_argument(rel, text.c_str(), wanted, argument, cx), true};
  };
  x->user_ = part(s.user_id, "user_id", InvalidOid);
  x->account_ = part(s.account_id, "account_id", InvalidOid);
  x->event_ = part(s.event, "event", TEXTOID);
  x->at_ = part(s.occurred_at, "occurred_at", TIMESTAMPTZOID);
  x->id_ = part(s.event_id, "event_id", InvalidOid);
  x->properties_ = part(s.properties, "properties", JSONBOID);
  if (s.dedup) x->received_ = part(s.received_at, "received_at", TIMESTAMPTZOID); // read for nothing else
  x->workspace_ = part(s.workspace, "workspace", InvalidOid);
  for (const Part *p : {&x->user_, &x->account_, &x->event_, &x->at_, &x->id_, &x->properties_, &x->received_, &x->workspace_}) {
    if (p->present && p->expression.column <= 0) x->can_fail_ = true;
    if (p->present) x->last_column_ = std::max(x->last_column_, p->expression.column);
  }
  MemoryContext before = MemoryContextSwitchTo(cx);
  x->context_ = CreateStandaloneExprContext();
  MemoryContextSwitchTo(before);
  return x;
}

void Extractor::forget() {
  ResetExprContext(context_);
  forget_identities();
}

Datum Extractor::value(const Part &p, TupleTableSlot *slot, bool *isnull) {
  if (p.expression.column > 0) return slot_getattr(slot, p.expression.column, isnull);
  context_->ecxt_scantuple = slot;
  return ExecEvalExprSwitchContext(p.expression.state, context_, isnull);
}

std::string_view Extractor::text(const Part &p, TupleTableSlot *slot, char (&room)[40], bool *isnull) {
  const Datum d = value(p, slot, isnull);
  if (*isnull) return {};
  switch (p.expression.type) {
  case INT2OID: return {room, static_cast<std::size_t>(pg_lltoa(DatumGetInt16(d), room))};
  case INT4OID: return {room, static_cast<std::size_t>(pg_lltoa(DatumGetInt32(d), room))};
  case INT8OID: return {room, static_cast<std::size_t>(pg_lltoa(DatumGetInt64(d), room))};
  case UUIDOID: {
    static constexpr char hex[] = "0123456789abcdef";
    const pg_uuid_t *u = DatumGetUUIDP(d);
    std::size_t n = 0;
    for (int i = 0; i < UUID_LEN; i++) {
      if (i == 4 || i == 6 || i == 8 || i == 10) room[n++] = '-';
      room[n++] = hex[u->data[i] >> 4];
      room[n++] = hex[u->data[i] & 15];
    }
    return {room, n};
  }
  default: {
    MemoryContext before = MemoryContextSwitchTo(context_->ecxt_per_tuple_memory);
    const struct varlena *t = PG_DETOAST_DATUM_PACKED(d);
    MemoryContextSwitchTo(before);
    return {VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)};
  }
  }
}

void Extractor::read(TupleTableSlot *slot, Extracted &out, bool with_properties, bool with_workspace) {
  bool isnull;
  if (last_column_ > 0) slot_getsomeattrs(slot, last_column_); // once, rather than column by column
  out.unusable = nullptr;
  out.account = out.workspace = {}; // not what an earlier row left
  out.user = text(user_, slot, out.user_room, &isnull);
  if (isnull || out.user.empty()) {
    out.unusable = "user missing";
    return;
  }
  out.event = text(event_, slot, out.event_room, &isnull);
  if (isnull || out.event.empty()) {
    out.unusable = "event missing";
    return;
  }
  const Datum at = value(at_, slot, &isnull);
  if (isnull) {
    out.unusable = "time missing";
    return;
  }
  out.at = DatumGetTimestampTz(at);
  if (!finite(out.at)) {
    out.unusable = "time infinite";
    return;
  }
  out.arrived = out.at;
  if (received_.present) {
    const Datum received = value(received_, slot, &isnull);
    // Not known: history from before there was such a column, which arrived soon after it happened.
    if (!isnull && finite(DatumGetTimestampTz(received))) out.arrived = DatumGetTimestampTz(received);
  }
  out.has_account = false;
  if (account_.present) {
    out.account = text(account_, slot, out.account_room, &isnull);
    out.has_account = !isnull && !out.account.empty();
  }
  if (out.user.size() > 1000 || out.account.size() > 1000) {
    out.unusable = "id longer than 1000 bytes";
    return;
  }
  out.id.size = 0;
  if (id_.present) {
    const Datum id = value(id_, slot, &isnull);
    if (!isnull) {
      switch (id_.expression.type) {
      case INT2OID: out.id = EventId::of_int(DatumGetInt16(id)); break;
      case INT4OID: out.id = EventId::of_int(DatumGetInt32(id)); break;
      case INT8OID: out.id = EventId::of_int(DatumGetInt64(id)); break;
      case UUIDOID: out.id = EventId::of_uuid(DatumGetUUIDP(id)->data); break;
      default: {
        MemoryContext before = MemoryContextSwitchTo(context_->ecxt_per_tuple_memory);
        const struct varlena *t = PG_DETOAST_DATUM_PACKED(id);
        MemoryContextSwitchTo(before);
        out.id = EventId::of_text({VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)});
      }
      }
    }
  }
  out.has_properties = false;
  if (with_properties && properties_.present) {
    out.properties = value(properties_, slot, &isnull);
    out.has_properties = !isnull;
  }
  if (workspace_.present && with_workspace) read_workspace(slot, out);
  out.renamed = false;
  if (identities_in_force && !out.as_said) out.resolve();
}

// What is wrong with a workspace makes no event unusable: those that were folded before anything was kept of workspaces count as well.
void Extractor::read_workspace(TupleTableSlot *slot, Extracted &out) {
  bool isnull;
  const std::string_view id = text(workspace_, slot, out.workspace_room, &isnull);
  if (!isnull && id.size() <= 1000) out.workspace = id;
}

void Extractor::read_safely(TupleTableSlot *slot, Extracted &out, bool with_properties) {
  if (!can_fail_) return read(slot, out, with_properties);
  if (guarded([&] { read(slot, out, with_properties); })) return;
  if (!workspace_.present || !guarded([&] { read(slot, out, with_properties, false); })) out.unusable = "expression failed";
}

Extractor *extractor_for(Relation rel, const SourceInfo &source) {
  if (cached_generation != definitions_generation() || cached_count == kMostCached) {
    cached_generation = definitions_generation();
    cached_count = 0;
    if (cache_memory) MemoryContextReset(cache_memory);
  }
  if (!cache_memory)
    cache_memory = AllocSetContextCreateInternal(CacheMemoryContext, "pql extractors", ALLOCSET_DEFAULT_SIZES);
  const Oid relation = RelationGetRelid(rel);
  for (int i = 0; i < cached_count; i++) {
    if (cached[i].relation == relation && cached[i].source == source.id && cached[i].workspaces == !source.workspace.empty()) return cached[i].extractor;
  }
  watch_relation(relation);
  struct Work {
    Relation rel;
    const SourceInfo *source;
    Extractor *made;
  } work{rel, &source, nullptr};
  const bool compiled = guarded_by(
      [](void *p) {
        auto *w = static_cast<Work *>(p);
        w->made = Extractor::compile(w->rel, *w->source, cache_memory);
      },
      &work, [](int sqlstate) { return ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION ||
                                       ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_FEATURE_NOT_SUPPORTED; });
  cached[cached_count++] = {relation, source.id, !source.workspace.empty(), compiled ? work.made : nullptr};
  return cached[cached_count - 1].extractor;
}

} // namespace pql::pg
