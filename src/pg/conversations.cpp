#include "pg/topics.hpp"

#include "pg/conversations.hpp"

#include <map>

#include "pg/identity.hpp"
#include "pg/ingest.hpp"
#include "pg/spi.hpp"

namespace pql::pg {
namespace {

constexpr std::size_t kTogether = 1000; // of intents that are written at once
constexpr std::size_t kLongestId = 1000;

bool writing = false;

// What is written to pql.intent meanwhile becomes events.
struct Writing {
  bool before = std::exchange(writing, true);
  ~Writing() { writing = before; }
};

struct Part {
  RowExpression expression;
  bool present;
};

struct Reader {
  Part user, account, body, at, channel, conversation, id;
  ExprContext *context;
  bool can_fail;
};

struct CachedReader {
  Oid relation;
  int source;
  Reader *reader; ///< null: its columns aren't there any more
};

constexpr int kMostCached = 64;
CachedReader cached[kMostCached];
int cached_count = 0;
std::uint64_t cached_generation = 0;
MemoryContext cache_memory = nullptr;

Reader *compile(Relation rel, const ConversationSource &s, MemoryContext cx) {
  auto *r = static_cast<Reader *>(MemoryContextAllocZero(cx, sizeof(Reader)));
  const auto part = [&](const std::string &text, const char *argument, Oid wanted) -> Part {
    if (text.empty()) return {{}, false};
    return {compile_argument(rel, text.c_str(), wanted, argument, cx), true};
  };
  r->user = part(s.user_id, "user_id", InvalidOid);
  r->account = part(s.account_id, "account_id", InvalidOid);
  r->body = part(s.body, "body", TEXTOID);
  r->at = part(s.occurred_at, "occurred_at", TIMESTAMPTZOID);
  r->channel = part(s.channel, "channel", InvalidOid);
  r->conversation = part(s.conversation_id, "conversation_id", InvalidOid);
  r->id = part(s.message_id, "message_id", InvalidOid);
  for (const Part *p : {&r->user, &r->account, &r->body, &r->at, &r->channel, &r->conversation, &r->id}) {
    if (p->present && p->expression.column <= 0) r->can_fail = true;
  }
  MemoryContext before = MemoryContextSwitchTo(cx);
  r->context = CreateStandaloneExprContext();
  MemoryContextSwitchTo(before);
  return r;
}

Reader *reader_for(Relation rel, const ConversationSource &source) {
  if (cached_generation != definitions_generation() || cached_count == kMostCached) {
    cached_generation = definitions_generation();
    cached_count = 0;
    if (cache_memory) MemoryContextReset(cache_memory);
  }
  if (!cache_memory) cache_memory = AllocSetContextCreateInternal(CacheMemoryContext, "pql conversations", ALLOCSET_DEFAULT_SIZES);
  const Oid relation = RelationGetRelid(rel);
  for (int i = 0; i < cached_count; i++) {
    if (cached[i].relation == relation && cached[i].source == source.id) return cached[i].reader;
  }
  watch_relation(relation);
  struct Work {
    Relation rel;
    const ConversationSource *source;
    Reader *made;
  } work{rel, &source, nullptr};
  const bool compiled = guarded_by(
      [](void *p) {
        auto *w = static_cast<Work *>(p);
        w->made = compile(w->rel, *w->source, cache_memory);
      },
      &work, [](int sqlstate) { return ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION ||
                                       ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_FEATURE_NOT_SUPPORTED; });
  cached[cached_count++] = {relation, source.id, compiled ? work.made : nullptr};
  return cached[cached_count - 1].reader;
}

// What a row says, where it lies.
struct Raw {
  std::string_view user, account, body, channel, conversation, id;
  bool has_time = false, has_body = false;
  Micros at = 0;
};

std::string_view text_of(const Reader &r, const Part &p, TupleTableSlot *slot, std::size_t most, bool *there = nullptr) {
  bool isnull = true;
  if (there) *there = false;
  if (!p.present) return {};
  const Datum d = eval_row_expression(p.expression, r.context, slot, &isnull);
  if (isnull) return {};
  if (there) *there = true;
  if (p.expression.type == TEXTOID || p.expression.type == VARCHAROID) {
    const struct varlena *t = most ? PG_DETOAST_DATUM_SLICE(d, 0, static_cast<int32>(most)) : PG_DETOAST_DATUM_PACKED(d);
    return {VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)};
  }
  Oid output;
  bool varlena;
  getTypeOutputInfo(p.expression.type, &output, &varlena);
  return OidOutputFunctionCall(output, d);
}

void read(const Reader &r, TupleTableSlot *slot, Raw &out) {
  MemoryContext before = MemoryContextSwitchTo(r.context->ecxt_per_tuple_memory);
  out = {};
  out.id = text_of(r, r.id, slot, 0);
  out.user = text_of(r, r.user, slot, 0);
  out.account = text_of(r, r.account, slot, 0);
  out.channel = text_of(r, r.channel, slot, 0);
  out.conversation = text_of(r, r.conversation, slot, 0);
  bool isnull = true;
  const Datum at = eval_row_expression(r.at.expression, r.context, slot, &isnull);
  out.has_time = !isnull;
  if (!isnull) out.at = DatumGetTimestampTz(at);
  out.body = text_of(r, r.body, slot, topic::kMostRead + 4, &out.has_body);
  MemoryContextSwitchTo(before);
}

const char *problem_of(const Raw &m) {
  if (m.id.empty()) return "message id missing";
  if (m.user.empty()) return "message without user";
  if (!m.has_time) return "message without time";
  if (!finite(m.at)) return "message's time infinite";
  if (m.user.size() > kLongestId || m.account.size() > kLongestId || m.id.size() > kLongestId) return "id longer than 1000 bytes";
  return nullptr;
}

// Empty: the user, or the account, was erased.
std::string home_of(const std::string &user, const std::string &account) {
  Owner o{user, account, !account.empty()};
  if (identities_in_force) call([&] { (void)identify(o); });
  if (o.erased) return {};
  return home_key(o.has_account, o.has_account ? o.account : o.user);
}

// Of a user who was moved away from an account that was erased, rows may still say it.
std::string said_account(const Message &m) { return is_erased(home_key(true, m.account)) ? std::string() : m.account; }

} // namespace

bool writing_intents() noexcept { return writing; }

const ConversationSource *conversation_source(int id) {
  static auto &known = *new std::map<int, ConversationSource>();
  static std::uint64_t generation = 0;
  (void)current_definitions();
  if (generation != definitions_generation()) {
    known.clear();
    Spi spi;
    const std::uint64_t n = spi.run("SELECT source_id, relation::oid::bigint, user_id, account_id, body, occurred_at, channel, conversation_id, message_id"
                                    " FROM pql.conversation_source",
                                    {}, true);
    for (std::uint64_t i = 0; i < n; i++) {
      const int number = static_cast<int>(spi.number(i, 1));
      known[number] = {number, static_cast<Oid>(spi.number(i, 2)), spi.text(i, 3), spi.text(i, 4), spi.text(i, 5), spi.text(i, 6), spi.text(i, 7), spi.text(i, 8), spi.text(i, 9)};
    }
    spi.finish();
    generation = definitions_generation();
  }
  const auto found = known.find(id);
  return found == known.end() ? nullptr : &found->second;
}

bool read_message(const ConversationSource &source, Relation rel, TupleTableSlot *slot, Message &out) {
  Raw raw;
  Reader *const reader = call([&] { return reader_for(rel, source); });
  if (!reader) return false;
  const bool ok = call([&] {
    ResetExprContext(reader->context);
    if (!reader->can_fail) return read(*reader, slot, raw), true;
    struct Work {
      const Reader *reader;
      TupleTableSlot *slot;
      Raw *raw;
    } work{reader, slot, &raw};
    return guarded_by(
        [](void *p) {
          auto *w = static_cast<Work *>(p);
          read(*w->reader, w->slot, *w->raw);
        },
        &work, is_data_error);
  });
  out = {};
  if (!ok) {
    out.unusable = "message's expression failed";
    return true;
  }
  out.id = raw.id;
  out.unusable = problem_of(raw);
  if (out.unusable) return true;
  out.user = raw.user;
  out.account = raw.account;
  out.channel = raw.channel;
  out.conversation = raw.conversation;
  out.body = raw.body;
  out.at = raw.at;
  return true;
}

void Intents::add(const Message &m) {
  if (m.unusable) {
    if (replace) return; // counted when it was written
    Scratch scratch("pql message");
    Vec<Unusable> unusable;
    count_unusable(scratch.arena(), unusable, m.unusable);
    record_unusable(kIntentSource, unusable);
    return;
  }
  std::vector<std::string> topics;
  std::vector<FoundTopic> found = topics_of(m.body);
  const std::string home = found.empty() ? std::string() : home_of(m.user, m.account);
  if (home.empty()) found.clear();
  for (FoundTopic &f : found) {
    topics.push_back(f.topic);
    homes_.push_back(home);
    ids_.push_back(m.id);
    users_.push_back(m.user);
    accounts_.push_back(said_account(m));
    topics_.push_back(std::move(f.topic));
    times_.push_back(std::to_string(m.at));
    channels_.push_back(m.channel);
    conversations_.push_back(m.conversation);
    quotes_.push_back(std::move(f.quote));
    languages_.push_back(std::move(f.language));
    found_++;
  }
  if (replace) {
    const Writing now;
    Spi spi;
    spi.run("DELETE FROM pql.intent WHERE source_id = $1 AND event_id = $2 AND topic <> ALL ($3)", {Arg::of(source_), Arg::of(m.id), Arg::of(topics)});
    spi.finish();
  }
  if (homes_.size() >= kTogether) flush();
}

void Intents::flush() {
  if (homes_.empty()) return;
  const Writing now;
  Spi spi;
  spi.run("INSERT INTO pql.intent (home, source_id, event_id, user_id, account_id, topic, occurred_at, channel, conversation_id, quote, language)"
          " SELECT x.home, $1, x.id, x.user_id, nullif(x.account_id, ''), x.topic, '2000-01-01 00:00:00+00'::timestamptz + x.at::bigint * interval '1 microsecond',"
          " nullif(x.channel, ''), nullif(x.conversation, ''), x.quote, x.language"
          " FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS x(home, id, user_id, account_id, topic, at, channel, conversation, quote, language)"
          " ON CONFLICT DO NOTHING",
          {Arg::of(source_), Arg::of(homes_), Arg::of(ids_), Arg::of(users_), Arg::of(accounts_), Arg::of(topics_), Arg::of(times_), Arg::of(channels_),
           Arg::of(conversations_), Arg::of(quotes_), Arg::of(languages_)});
  spi.finish();
  for (auto *v : {&homes_, &ids_, &users_, &accounts_, &topics_, &times_, &channels_, &conversations_, &quotes_, &languages_}) v->clear();
}

void forget_message(int source, const std::string &id) {
  const Writing now;
  Spi spi;
  spi.run("DELETE FROM pql.intent WHERE source_id = $1 AND event_id = $2", {Arg::of(source), Arg::of(id)});
  spi.finish();
}

void move_message(int source, const Message &m) {
  const std::string home = home_of(m.user, m.account);
  if (home.empty()) return forget_message(source, m.id);
  const std::string account = said_account(m);
  const Writing now;
  Spi spi;
  spi.run("UPDATE pql.intent SET home = $3, user_id = $4, account_id = nullif($5, ''), occurred_at = $6, channel = nullif($7, ''), conversation_id = nullif($8, '')"
          " WHERE source_id = $1 AND event_id = $2",
          {Arg::of(source), Arg::of(m.id), Arg::of(home), Arg::of(m.user), Arg::of(account), Arg::time(m.at), Arg::of(m.channel), Arg::of(m.conversation)});
  spi.finish();
}

void forget_messages(int source) {
  const Writing now;
  Spi spi;
  spi.run("DELETE FROM pql.intent WHERE source_id = $1", {Arg::of(source)});
  spi.finish();
}

Matched match_messages(const ConversationSource &source, Oid table, Micros since, bool replace) {
  struct Open {
    Relation rel;
    TableScanDesc scan;
    TupleTableSlot *slot;
  };
  const Open o = call([&]() -> Open {
    Relation rel = table_open(table, AccessShareLock);
    return {rel, table_beginscan(rel, GetActiveSnapshot(), 0, nullptr), table_slot_create(rel, nullptr)};
  });
  Matched done;
  Intents intents(source.id);
  intents.replace = replace;
  Message m;
  while (call([&] {
    CHECK_FOR_INTERRUPTS();
    return table_scan_getnextslot(o.scan, ForwardScanDirection, o.slot);
  })) {
    if (!read_message(source, o.rel, o.slot, m))
      fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "the messages of \"" + std::string(RelationGetRelationName(o.rel)) + "\" can't be read", "It lost a column that they are read by.",
           "Attach it again with pql.attach_conversations().");
    if (!m.unusable && m.at < since) continue;
    done.messages++;
    intents.add(m);
  }
  intents.flush();
  done.topics = intents.found();
  call([&] {
    ExecDropSingleTupleTableSlot(o.slot);
    table_endscan(o.scan);
    table_close(o.rel, NoLock);
  });
  return done;
}

void follow_identities(const std::vector<std::string> &homes) {
  struct Row {
    std::string home, user, account;
  };
  std::vector<Row> rows;
  {
    Spi spi;
    const std::uint64_t n = spi.run("SELECT DISTINCT home, user_id, account_id FROM pql.intent WHERE home = ANY ($1)", {Arg::of(homes)}, true);
    for (std::uint64_t i = 0; i < n; i++) rows.push_back({spi.text(i, 1), spi.text(i, 2), spi.text(i, 3)});
    spi.finish();
  }
  for (const Row &r : rows) {
    const std::string home = home_of(r.user, r.account);
    if (home == r.home) continue;
    Spi spi; // homes are derived by whoever merges
    if (home.empty()) {
      spi.run("DELETE FROM pql.intent WHERE home = $1 AND user_id = $2 AND account_id IS NOT DISTINCT FROM nullif($3, '')",
              {Arg::of(r.home), Arg::of(r.user), Arg::of(r.account)});
      spi.finish();
      continue;
    }
    spi.run("UPDATE pql.intent SET home = $4 WHERE home = $1 AND user_id = $2 AND account_id IS NOT DISTINCT FROM nullif($3, '')",
            {Arg::of(r.home), Arg::of(r.user), Arg::of(r.account), Arg::of(home)});
    spi.finish();
  }
}

} // namespace pql::pg
