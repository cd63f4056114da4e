// Conversations: the trigger on tables with messages, and what is asked of the lexicon.
#include "pg/topics.hpp"

#include "pg/conversations.hpp"
#include "pg/identity.hpp"
#include "pg/ingest.hpp"
#include "pg/leaves.hpp"
#include "pg/srf.hpp"

extern "C" {
#include "catalog/partition.h"
}

namespace pql::pg {
namespace {

// Only of the table that its argument names, or of a partition of it: otherwise anybody who may create a trigger could write intents.
const ConversationSource *source_of(const TriggerData *t) {
  const ConversationSource *s = conversation_source(std::atoi(t->tg_trigger->tgargs[0]));
  if (!s) return nullptr;
  const Oid rel = RelationGetRelid(t->tg_relation);
  if (rel == s->relation) return s;
  const bool below = call([&] { return t->tg_relation->rd_rel->relispartition && list_member_oid(get_partition_ancestors(rel), s->relation); });
  return below ? s : nullptr;
}

void inserted(const ConversationSource &source, const Message &m) {
  Intents intents(source.id);
  intents.add(m);
  intents.flush();
}

// What it revealed stays as long as its words are the same, whatever the lexicon says by now.
void updated(const ConversationSource &source, const Message &before, const Message &after) {
  if (before.unusable && after.unusable) return; // counted when it was written
  const bool usable = !before.unusable && !after.unusable;
  if (usable && before.id == after.id && before.body == after.body) {
    if (!before.same_frame(after)) move_message(source.id, after);
    return;
  }
  if (!before.id.empty()) forget_message(source.id, before.id);
  inserted(source, after);
}

} // namespace
} // namespace pql::pg

PQL_FUNCTION(_hear) {
  using namespace pql::pg;
  if (!CALLED_AS_TRIGGER(fcinfo))
    fail(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "pql._hear() must be called as a trigger", {}, "It is created by pql.attach_conversations().");
  const auto *t = reinterpret_cast<TriggerData *>(fcinfo->context);
  if (!TRIGGER_FIRED_AFTER(t->tg_event) || t->tg_trigger->tgnargs != 1 || TRIGGER_FIRED_FOR_ROW(t->tg_event) == TRIGGER_FIRED_BY_TRUNCATE(t->tg_event))
    fail(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "pql._hear() must be an AFTER trigger made by pql.attach_conversations()");
  lock_identities();
  const ConversationSource *source = source_of(t);
  if (!source)
    fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, std::string("table \"") + RelationGetRelationName(t->tg_relation) + "\" is not attached to pql",
         "Its trigger \"" + std::string(t->tg_trigger->tgname) + "\" belongs to another table, or was copied.", "Drop the trigger, or attach the table with pql.attach_conversations().");
  const ConversationSource s = *source; // definitions may change on the way
  Message before, after;
  if (TRIGGER_FIRED_BY_TRUNCATE(t->tg_event)) {
    forget_messages(s.id);
  } else if (!read_message(s, t->tg_relation, t->tg_trigslot, before)) {
    after.unusable = "definition of messages broken";
    if (!TRIGGER_FIRED_BY_DELETE(t->tg_event)) inserted(s, after);
  } else if (TRIGGER_FIRED_BY_INSERT(t->tg_event)) {
    inserted(s, before);
  } else if (TRIGGER_FIRED_BY_DELETE(t->tg_event)) {
    if (!before.id.empty()) forget_message(s.id, before.id);
  } else if (read_message(s, t->tg_relation, t->tg_newslot, after)) {
    updated(s, before, after);
  }
  return PointerGetDatum(nullptr);
}

// Arguments: source, table, instant, whether what isn't found any more is taken back.
PQL_FUNCTION(_match_messages) {
  using namespace pql;
  using namespace pql::pg;
  lock_identities();
  const ConversationSource *source = conversation_source(PG_GETARG_INT32(0));
  if (!source) fail(ERRCODE_UNDEFINED_OBJECT, "the source does not exist");
  const ConversationSource s = *source;
  require_part(PG_GETARG_OID(1), s.relation);
  const Matched m = match_messages(s, PG_GETARG_OID(1), PG_ARGISNULL(2) ? kAlways : PG_GETARG_TIMESTAMPTZ(2), PG_GETARG_BOOL(3));
  ResultRows rows(fcinfo);
  rows.add({Cell::of(m.messages), Cell::of(m.topics)});
  return Datum{0};
}

// Takes back what messages revealed. Arguments: source, ids (null: all messages).
PQL_FUNCTION(_forget_messages) {
  using namespace pql::pg;
  lock_identities();
  if (PG_ARGISNULL(1)) {
    forget_messages(PG_GETARG_INT32(0));
    return Datum{0};
  }
  for (std::string_view id : text_array_arg(fcinfo, 1)) forget_message(PG_GETARG_INT32(0), std::string(id));
  return Datum{0};
}

// Whether what is written to pql.intent becomes events.
PQL_FUNCTION(_writing_intents) { return BoolGetDatum(pql::pg::writing_intents()); }

PQL_FUNCTION(match_topics) {
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  if (PG_ARGISNULL(0)) return Datum{0};
  struct Text {
    const char *data;
    std::size_t size;
  };
  const Text t = call([&]() -> Text {
    const struct varlena *v = PG_GETARG_TEXT_P_SLICE(0, 0, static_cast<int32>(pql::topic::kMostRead + 4));
    return {VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v)};
  });
  for (const FoundTopic &f : topics_of({t.data, t.size})) rows.add({Cell::of(f.topic), Cell::of(f.language), Cell::of(f.quote)});
  return Datum{0};
}

// What is wrong with a pattern. Arguments: kind, pattern.
PQL_FUNCTION(_check_pattern) {
  using namespace pql::pg;
  const std::string pattern = text_arg(fcinfo, 1);
  const auto kind = pql::topic::kind_named(text_arg(fcinfo, 0));
  ResultRows rows(fcinfo);
  const auto wrong = check_pattern(kind.value_or(pql::topic::Kind::topic), pattern);
  if (wrong) rows.add({Cell::of(static_cast<int>(wrong->position)), Cell::of(wrong->problem)});
  return Datum{0};
}
