#include "pg/identity.hpp"

#include "pg/compat.hpp"
#include "pg/conversations.hpp"
#include "pg/derive.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "access/relscan.h"
#include "catalog/pg_collation.h"
#include "common/sha2.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
}

namespace pql::pg {

// ---------------------------------------------------------------------------------------------------------- what is known
//
// A backend knows of the ids that it has met what they were merged into, most often nothing. It drops none of that when
// others merge, which may happen with every sign-up, but reads what they have changed since: by the numbers of changes, which are
// made one after the other, each committed before the next.

namespace {

enum Column : AttrNumber { kMergeId = 1, kKind, kOldId, kNewId, kAt, kActor, kUndoneAt, kChanged };

struct Name {
  std::uint32_t size;
  char text[1];

  std::string_view view() const noexcept { return {text, size}; }
};

// What is known of an id, which may be a user's and an account's.
struct Known {
  std::uint64_t hash;
  const Name *id;
  const Name *user, *account; // what it was merged into, or null
  const Name *moved_to;       // of a user who was moved; null: to no account
  bool moved, stale;
  bool erased_user, erased_account;
};

constexpr std::size_t kMostKnown = std::size_t{1} << 18; // ids, which take about 100 bytes each

MemoryContext memory = nullptr;
Known **slots = nullptr; // by the hash; at most half of them is taken
std::size_t slot_count = 0, known_count = 0;
std::int64_t seen = 0; // the last change that was read
Oid table_id = InvalidOid, lock_id = InvalidOid;
std::uint64_t told = 1, heard = 0; // how often a change was announced, and how often when it was read last
bool forget = false;               // what is known may have been taken back
char key[64];                      // that the ids of the erased are hashed with, if anybody was
std::size_t key_size = 0;

struct Continued {
  std::int32_t program;
  std::string subject;
  SubTransactionId within;
};

// What this transaction changed, so that it goes with a savepoint.
struct Own {
  std::vector<SubTransactionId> changed;
  std::vector<Continued> continued;
};

// Never destroyed: PostgreSQL's state is gone when static destructors run. Empty containers allocate nothing: it can't fail.
Own &own() noexcept {
  alignas(Own) static unsigned char room[sizeof(Own)];
  static auto &o = *new (room) Own;
  return o;
}

extern "C" void identities_changed(Datum, Oid relation) {
  if (!OidIsValid(relation) || relation == lock_id) lock_id = InvalidOid;
  if (!OidIsValid(relation) || !OidIsValid(lock_id) || relation == table_id) told++;
}

// --- Inside call() from here on.

const Name *keep(std::string_view s) {
  auto *n = static_cast<Name *>(MemoryContextAlloc(memory, sizeof(Name) + s.size()));
  n->size = static_cast<std::uint32_t>(s.size());
  std::memcpy(n->text, s.data(), s.size());
  return n;
}

// A scan of pql.identity as it is committed now, by the index on one of its columns.
class Scan {
public:
  Scan(const char *index, AttrNumber column) : column_(column) {
    snapshot_ = RegisterSnapshot(GetLatestSnapshot());
    table_ = table_open(table_id, AccessShareLock);
    index_ = index_open(pql_relation(index), AccessShareLock);
    slot_ = table_slot_create(table_, nullptr);
    scan_ = begin_index_scan(table_, index_, snapshot_, column_ == kChanged ? 0 : 1);
    if (column_ == kChanged) index_rescan(scan_, nullptr, 0, nullptr, 0);
  }
  void find(std::string_view id) {
    if (id_) pfree(id_);
    id_ = cstring_to_text_with_len(id.data(), static_cast<int>(id.size()));
    ScanKeyData key;
    ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ, PointerGetDatum(id_));
    index_rescan(scan_, &key, 1, nullptr, 0);
  }
  bool next(ScanDirection direction = ForwardScanDirection) { return index_getnext_slot(scan_, direction, slot_); }
  std::int64_t number(AttrNumber column) {
    bool isnull;
    return DatumGetInt64(slot_getattr(slot_, column, &isnull));
  }
  std::string_view words(AttrNumber column, bool *isnull) {
    const Datum d = slot_getattr(slot_, column, isnull);
    if (*isnull) return {};
    const struct varlena *t = PG_DETOAST_DATUM_PACKED(d);
    return {VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)};
  }
  void close() {
    index_endscan(scan_);
    ExecDropSingleTupleTableSlot(slot_);
    index_close(index_, NoLock);
    table_close(table_, NoLock);
    UnregisterSnapshot(snapshot_);
    if (id_) pfree(id_);
  }

private:
  AttrNumber column_;
  text *id_ = nullptr;
  Snapshot snapshot_;
  Relation table_, index_;
  TupleTableSlot *slot_;
  IndexScanDesc scan_;
};

struct Token {
  char text[sizeof "sha256:" - 1 + 2 * PG_SHA256_DIGEST_LENGTH];

  std::string_view view() const noexcept { return {text, sizeof text}; }
};

// The hash that stays of an id: SHA-256 with a key of this database's, so that lists of known ids tell nothing elsewhere.
Token token_of(std::string_view id) {
  const std::size_t size = key_size + id.size();
  auto *const all = static_cast<bytea *>(palloc(VARHDRSZ + size));
  SET_VARSIZE(all, VARHDRSZ + size);
  std::memcpy(VARDATA(all), key, key_size);
  std::memcpy(VARDATA(all) + key_size, id.data(), id.size());
  auto *const hash = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea, PointerGetDatum(all)));
  Token token;
  std::memcpy(token.text, "sha256:", 7);
  (void)hex_encode(VARDATA_ANY(hash), PG_SHA256_DIGEST_LENGTH, token.text + 7);
  pfree(all);
  pfree(hash);
  return token;
}

void read_erasures(Scan &scan, Known &k) {
  if (key_size == 0) return;
  scan.find(token_of(k.id->view()).view());
  while (scan.next()) {
    bool isnull;
    const std::string_view kind = scan.words(kKind, &isnull);
    k.erased_user |= kind == "erased_user";
    k.erased_account |= kind == "erased_account";
  }
}

void read(Known &k) {
  Known fresh{k.hash, k.id, nullptr, nullptr, nullptr, false, false, false, false};
  std::int64_t newest = 0;
  Scan scan("identity_old_id", kOldId);
  scan.find(k.id->view());
  while (scan.next()) {
    bool isnull;
    const std::string_view kind = scan.words(kKind, &isnull);
    const std::int64_t id = scan.number(kMergeId);
    const std::string_view to = scan.words(kNewId, &isnull);
    if (kind == "user") fresh.user = keep(to);
    else if (kind == "account") fresh.account = keep(to);
    else if (id > newest) {
      newest = id;
      fresh.moved = true;
      fresh.moved_to = isnull ? nullptr : keep(to);
    }
  }
  read_erasures(scan, fresh);
  scan.close();
  k = fresh;
}

Known **place_of(std::uint64_t hash, std::string_view id) {
  std::size_t i = hash & (slot_count - 1);
  while (slots[i] && !(slots[i]->hash == hash && slots[i]->id->view() == id)) i = (i + 1) & (slot_count - 1);
  return &slots[i];
}

void make_room() {
  if (known_count * 2 < slot_count) return;
  Known **const old = slots;
  const std::size_t n = slot_count, more = std::max<std::size_t>(1024, n * 2);
  slots = static_cast<Known **>(MemoryContextAllocExtended(memory, more * sizeof(Known *), MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE));
  slot_count = more;
  for (std::size_t i = 0; i < n; i++) {
    if (old[i]) *place_of(old[i]->hash, old[i]->id->view()) = old[i];
  }
  if (old) pfree(old);
}

const Known &known(std::string_view id) {
  const std::uint64_t hash = hash_of(id, 0);
  Known **at = slot_count ? place_of(hash, id) : nullptr;
  if (at && *at) {
    if ((*at)->stale) read(**at);
    return **at;
  }
  const MemoryContext before = MemoryContextSwitchTo(memory);
  auto *k = static_cast<Known *>(palloc0(sizeof(Known)));
  k->hash = hash;
  k->id = keep(id);
  read(*k);
  make_room();
  *place_of(hash, id) = k;
  known_count++;
  MemoryContextSwitchTo(before);
  return *k;
}

const Known &root(Unit unit, std::string_view id) {
  const Known *k = &known(id);
  for (int steps = 0; const Name *to = unit == Unit::user ? k->user : k->account; steps++) {
    if (steps == 100000) elog(ERROR, "merges of \"%s\" go in a circle: pql.identity was changed by hand", k->id->text);
    k = &known(to->view());
  }
  return *k;
}

// Nobody may be in the middle of an event.
void clear() {
  slots = nullptr;
  slot_count = known_count = 0;
  if (memory) MemoryContextReset(memory);
}

void read_key() {
  Scan scan("identity_old_id", kOldId);
  scan.find("");
  while (scan.next()) {
    bool isnull;
    if (scan.words(kKind, &isnull) != "erasure_key") continue;
    const std::string_view words = scan.words(kNewId, &isnull);
    key_size = std::min(words.size(), sizeof key);
    std::memcpy(key, words.data(), key_size);
  }
  scan.close();
}

void refresh() {
  if (told == heard) return;
  const std::uint64_t now = told; // before reading: what changes while we read is read again
  const Oid table = pql_relation("identity");
  if (forget || table != table_id) {
    clear();
    seen = 0;
    key_size = 0;
    forget = false;
  }
  table_id = table;
  if (!memory) memory = AllocSetContextCreateInternal(CacheMemoryContext, "pql identities", ALLOCSET_DEFAULT_SIZES);
  std::int64_t newest = seen;
  bool erased = false;
  Scan scan("identity_changed", kChanged);
  while (scan.next(BackwardScanDirection)) { // mostly one
    const std::int64_t change = scan.number(kChanged);
    if (change <= seen) break;
    newest = std::max(newest, change);
    if (known_count == 0) break;
    bool isnull;
    erased |= scan.words(kKind, &isnull).starts_with("eras");
    const std::string_view id = scan.words(kOldId, &isnull);
    if (Known *const k = *place_of(hash_of(id, 0), id)) k->stale = true;
  }
  scan.close();
  if (erased) clear(); // a hash doesn't say whose
  if (newest > seen) read_key();
  seen = newest;
  identities_in_force = newest > 0;
  heard = now;
}

void lock(LOCKMODE mode) {
  do {
    if (!OidIsValid(lock_id)) lock_id = pql_relation("identity_lock");
    LockRelationOid(lock_id, mode); // learns of what was committed while we waited
  } while (!OidIsValid(lock_id));
  refresh();
}

} // namespace

void watch_identities() { CacheRegisterRelcacheCallback(identities_changed, Datum{0}); }

void lock_identities() {
  call([] { lock(RowExclusiveLock); });
}

void refresh_identities() {
  call([] { refresh(); });
}

void forget_identities() {
  if (known_count > kMostKnown) clear();
}

bool identify(Owner &o) {
  const Known &user = root(Unit::user, o.user);
  const std::string_view said = o.account;
  const bool had = o.has_account, other = user.id->view() != o.user;
  if (other) o.user = user.id->view();
  if (user.moved) {
    o.has_account = user.moved_to != nullptr;
    o.account = o.has_account ? user.moved_to->view() : std::string_view{};
  }
  o.erased = user.erased_user;
  if (!o.has_account) return other || had;
  const Known &account = root(Unit::account, o.account);
  o.erased |= account.erased_account;
  if (account.id->view() != o.account) o.account = account.id->view();
  return other || !had || o.account != said;
}

std::string canonical_id(Unit unit, std::string_view id) {
  if (!identities_in_force || unit == Unit::workspace) return std::string(id);
  return std::string(call([&] { return root(unit, id).id->view(); }));
}

std::string canonical_home(std::string_view key) {
  const Unit unit = unit_of_home(key);
  return home_key(unit, canonical_id(unit, home_id(key)));
}

bool anybody_erased() noexcept { return key_size > 0; }

bool is_erased(std::string_view home) {
  if (!anybody_erased() || is_workspace_home(home)) return false;
  return call([&] {
    const Unit unit = unit_of_home(home);
    const Known &k = root(unit, home_id(home));
    return unit == Unit::user ? k.erased_user : k.erased_account;
  });
}

namespace {

// Adds what was merged into ids that are there, and into those. Of moves: who was moved to accounts.
void add_merged(const char *kind, std::vector<std::string> &ids, std::vector<std::string> &into) {
  Scratch scratch("pql ids");
  std::vector<std::string_view> found;
  call([&] {
    MemoryContext before = MemoryContextSwitchTo(scratch.context());
    Scan scan("identity_new_id", kNewId);
    for (std::size_t i = 0; i < ids.size(); i++) {
      CHECK_FOR_INTERRUPTS();
      scan.find(ids[i]);
      found.clear();
      while (scan.next()) {
        bool isnull;
        if (scan.words(kKind, &isnull) == kind) found.push_back(scratch.arena().copy(scan.words(kOldId, &isnull)));
      }
      for (std::string_view f : found) into.emplace_back(f);
    }
    scan.close();
    MemoryContextSwitchTo(before);
  });
}

void sort(std::vector<std::string> &ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

} // namespace

SaidIds said_in(const std::vector<std::string> &homes) {
  SaidIds said;
  for (const std::string &h : homes) {
    const Unit unit = unit_of_home(h);
    (unit == Unit::account ? said.accounts : unit == Unit::user ? said.users : said.workspaces).emplace_back(home_id(h));
  }
  if (!identities_in_force) return said;
  add_merged("account", said.accounts, said.accounts);
  add_merged("move", said.accounts, said.users);
  add_merged("user", said.users, said.users);
  sort(said.accounts);
  sort(said.users);
  return said;
}

std::vector<std::string> said_as(Unit unit, std::string_view id) {
  std::vector<std::string> ids{std::string(id)};
  if (identities_in_force && unit != Unit::workspace) add_merged(unit == Unit::user ? "user" : "account", ids, ids);
  return ids;
}

std::vector<std::string> said_homes(const std::vector<std::string> &homes) {
  std::vector<std::string> out;
  for (const std::string &h : homes) {
    const Unit unit = unit_of_home(h);
    for (const std::string &id : said_as(unit, home_id(h))) out.push_back(home_key(unit, id));
  }
  return out;
}

void note_sealed(const std::set<std::string, std::less<>> &said) {
  if (said.empty()) return;
  const std::vector<std::string> ids(said.begin(), said.end());
  Spi spi;
  spi.run("WITH RECURSIVE used(id) AS (SELECT pg_catalog.unnest($1) COLLATE \"C\" UNION SELECT i.new_id FROM used AS u JOIN pql.identity AS i"
          "  ON i.old_id = u.id WHERE i.undone_at IS NULL AND i.new_id IS NOT NULL)"
          " UPDATE pql.identity AS i SET sealed = true FROM used AS u WHERE i.old_id = u.id AND i.undone_at IS NULL AND NOT i.sealed",
          {Arg::of(ids)});
  spi.finish();
}

// -------------------------------------------------------------------------------------------------------------- changes

namespace {

// A merge or a move, from the moment at which no other writer is left.
class Change {
public:
  Change() {
    call([] { lock(ShareRowExclusiveLock); });
    flush_pending(); // by what was so before
    plan_ = current_definitions();
    require_readable(*plan_);
  }

  /// The homes of a user, as he is now.
  void add_homes_of(const std::string &user) {
    Scratch scratch("pql homes");
    Store store(Store::Access::read, true);
    std::vector<std::string_view> homes;
    for (const auto of : {Store::Of::people, Store::Of::workspaces}) {
      store.homes_of(scratch.arena(), user, homes, of);
      for (std::string_view h : homes) homes_.emplace(h);
    }
    store.close();
    Spi spi;
    const std::uint64_t n = spi.run("SELECT home FROM pql.held_event WHERE user_id = $1", {Arg::of(user)}, true);
    for (std::uint64_t i = 0; i < n; i++) homes_.insert(spi.text(i, 1));
    spi.finish();
  }
  /// The homes of workspaces whose account it may be, as it is now: those in which its users were seen.
  void add_workspaces_of(const std::string &account) {
    if (!plan_->keeps_workspaces()) return;
    Spi spi;
    const std::uint64_t n = spi.run("SELECT u.home FROM pql.state AS s, LATERAL pql._state_subjects(s.home, s.body) AS m"
                                    " JOIN pql.user_home AS u ON u.user_id = m.user_id WHERE s.home = 'a:' || $1 AND u.home LIKE 'w:%'"
                                    " UNION SELECT h.home FROM pql.held_event AS h WHERE h.account_id = $1 AND h.home LIKE 'w:%'",
                                    {Arg::of(account)}, true);
    for (std::uint64_t i = 0; i < n; i++) homes_.insert(spi.text(i, 1));
    spi.finish();
  }
  /// The homes in which the events count now that say a user, or whoever was merged into him.
  void add_homes_by_events(const std::string &user) {
    for (std::string &h : homes_of_user(*plan_, user)) homes_.insert(std::move(h));
  }
  void add_home(std::string_view home) { homes_.emplace(home); }
  void add_home(bool account, std::string_view id) { homes_.insert(home_key(account, id)); }
  bool has_home(bool account, std::string_view id) const { return homes_.contains(home_key(account, id)); }

  std::int64_t make(const char *kind, const std::string &old_id, const std::optional<std::string> &new_id) {
    begin();
    Spi spi;
    spi.run("WITH n AS (SELECT pql.next_id() AS id) INSERT INTO pql.identity (merge_id, kind, old_id, new_id, changed)"
            " SELECT n.id, $1, $2, $3, n.id FROM n RETURNING merge_id",
            {Arg::of(kind), Arg::of(old_id), new_id ? Arg::of(*new_id) : Arg::nothing(TEXTOID)});
    const std::int64_t id = spi.number(0, 1);
    spi.finish();
    refresh_identities();
    return id;
  }

  void unmake(std::int64_t id) {
    begin();
    Spi spi;
    spi.run("UPDATE pql.identity SET undone_at = pg_catalog.clock_timestamp(), changed = pql.next_id() WHERE merge_id = $1",
            {Arg::of(id)});
    spi.finish();
    refresh_identities();
  }

  /// An episode that is open for one of two who were one, or will be, goes on for the other. Before homes are derived.
  void carry_episodes(Unit unit, const std::string &one, const std::string &other) {
    const SubTransactionId within = call([] { return GetCurrentSubTransactionId(); });
    const std::vector<std::string> both{one, other};
    for (const Program &p : plan_->programs()) {
      if (p.def.unit != unit) continue;
      Spi spi;
      const bool open = spi.run("SELECT FROM pql.episode WHERE program_id = $1 AND subject_id = ANY ($2) AND left_at IS NULL AND NOT shadow",
                                {Arg::of(p.id), Arg::of(both)}, true) > 0;
      spi.finish();
      if (!open) continue;
      for (const std::string &subject : both) own().continued.push_back({p.id, subject, within});
    }
  }

  void derive() {
    const std::vector<std::string> homes(homes_.begin(), homes_.end());
    follow_identities(homes);
    derive_homes(*plan_, homes);
  }

  /// Users who were moved to one of some accounts.
  std::vector<std::string> moved_to(const std::vector<std::string> &accounts) {
    std::vector<std::string> users;
    Spi spi;
    const std::uint64_t n = spi.run("SELECT DISTINCT old_id FROM pql.identity WHERE kind = 'move' AND undone_at IS NULL AND new_id = ANY ($1)", {Arg::of(accounts)}, true);
    for (std::uint64_t i = 0; i < n; i++) users.push_back(spi.text(i, 1));
    spi.finish();
    return users;
  }

  /// What stays of ids: hashes, and nothing that was said of them.
  std::vector<std::string> erase(Unit unit, const std::vector<std::string> &ids) {
    begin();
    const bool user = unit == Unit::user;
    Spi spi;
    spi.run("INSERT INTO pql.identity (merge_id, kind, old_id, new_id, changed)"
            " SELECT n.id, 'erasure_key', '', pg_catalog.replace(pg_catalog.gen_random_uuid()::text || pg_catalog.gen_random_uuid()::text, '-', ''), n.id"
            " FROM (SELECT pql.next_id() AS id) AS n WHERE NOT EXISTS (SELECT FROM pql.identity AS i WHERE i.kind = 'erasure_key')");
    spi.finish();
    refresh_identities(); // the key
    std::vector<std::string> tokens;
    for (const std::string &id : ids) tokens.emplace_back(call([&] { return token_of(id); }).view());
    Spi write;
    write.run("DELETE FROM pql.identity AS i WHERE i.kind = $1 AND (i.old_id = ANY ($2) OR i.new_id = ANY ($2))"
              " OR i.kind = 'move' AND CASE WHEN $3 THEN i.old_id ELSE i.new_id END = ANY ($2)",
              {Arg::of(user ? "user" : "account"), Arg::of(ids), Arg::of(user)});
    write.run("INSERT INTO pql.identity (merge_id, kind, old_id, changed) SELECT n.id, $1, n.token, n.id"
              " FROM (SELECT t.token, pql.next_id() AS id FROM pg_catalog.unnest($2) AS t(token)) AS n"
              " WHERE NOT EXISTS (SELECT FROM pql.identity AS i WHERE i.old_id = n.token AND i.kind = $1)",
              {Arg::of(user ? "erased_user" : "erased_account"), Arg::of(tokens)});
    write.finish();
    refresh_identities();
    return tokens;
  }

  const Definitions &plan() const { return *plan_; }
  std::vector<std::string> homes() const { return {homes_.begin(), homes_.end()}; }

  void audit(const char *action, const std::string &object, std::int64_t id, const std::optional<std::string> &to = {}) {
    Spi spi;
    spi.run("SELECT pql._audit($1, $2, pg_catalog.jsonb_build_object('merge_id', $3, 'new_id', $4))",
            {Arg::of(action), Arg::of(object), Arg::of(id), to ? Arg::of(*to) : Arg::nothing(TEXTOID)});
    spi.finish();
  }

private:
  // What this backend learns from here on may be taken back.
  void begin() {
    own().changed.push_back(call([] { return GetCurrentSubTransactionId(); }));
  }

  std::shared_ptr<const Definitions> plan_;
  std::set<std::string> homes_;
};

struct Made {
  std::int64_t id;
  std::string kind, old_id, new_id;
  bool undone, sealed;
};

Made made_of(const Spi &spi) {
  return {spi.number(0, 1), spi.text(0, 2), spi.text(0, 3), spi.text(0, 4), spi.number(0, 5) != 0, spi.number(0, 6) != 0};
}

std::optional<Made> merge_of(const char *kind, const std::string &old_id) {
  std::optional<Made> out;
  Spi spi;
  if (spi.run("SELECT merge_id, kind, old_id, new_id, false, sealed FROM pql.identity WHERE old_id = $1 AND kind = $2 AND undone_at IS NULL"
              " ORDER BY merge_id DESC LIMIT 1",
              {Arg::of(old_id), Arg::of(kind)}, true))
    out = made_of(spi);
  spi.finish();
  return out;
}

std::optional<Made> merge_numbered(std::int64_t id) {
  std::optional<Made> out;
  Spi spi;
  if (spi.run("SELECT merge_id, kind, old_id, new_id, undone_at IS NOT NULL, sealed FROM pql.identity WHERE merge_id = $1", {Arg::of(id)}, true))
    out = made_of(spi);
  spi.finish();
  return out;
}

bool is_moved(const std::string &user) {
  return call([&] { return known(user).moved; });
}

// Whether a user was moved to this very account.
bool is_moved(const std::string &said, const std::optional<std::string> &account) {
  refresh_identities();
  if (!identities_in_force) return false;
  return call([&] {
    const Known &k = root(Unit::user, said);
    return k.moved && (account ? k.moved_to && k.moved_to->view() == *account : !k.moved_to);
  });
}

// Whether an id was merged into this very other.
bool is_merged(Unit unit, const std::string &old_id, const std::string &new_id) {
  refresh_identities();
  if (!identities_in_force) return false;
  return call([&] {
    const Known &k = known(old_id);
    const Name *const to = unit == Unit::user ? k.user : k.account;
    return to && to->view() == new_id;
  });
}

std::string quoted(const std::string &id) { return "\"" + id + "\""; }

// The homes of two who become one, or cease to be.
void add_homes(Change &change, Unit unit, const std::string &old_id, const std::string &before, const std::string &after) {
  if (unit == Unit::account) {
    change.add_home(true, before);
    change.add_home(true, after);
    return;
  }
  if (change.has_home(false, before)) change.add_home(false, after);
  if (is_moved(before) || is_moved(after)) change.add_homes_by_events(old_id);
}

} // namespace

std::int64_t merge_ids(Unit unit, const std::string &old_id, const std::string &new_id) {
  const std::string what(name_of(unit));
  if (old_id == new_id) fail(ERRCODE_INVALID_PARAMETER_VALUE, what + " " + quoted(old_id) + " can't be merged into itself");
  if (is_merged(unit, old_id, new_id)) { // said again, as with every log-in: holds up nobody
    const std::optional<Made> there = merge_of(what.c_str(), old_id);
    if (there && there->new_id == new_id) return there->id;
  }
  Change change;
  if (const std::optional<Made> there = merge_of(what.c_str(), old_id)) {
    if (there->new_id == new_id) return there->id;
    fail(ERRCODE_DUPLICATE_OBJECT, what + " " + quoted(old_id) + " is merged into " + quoted(there->new_id) + " already", {},
         "Merge " + quoted(there->new_id) + ", or take that back: SELECT pql.undo_merge(" + std::to_string(there->id) + ").");
  }
  for (const std::string &one : {old_id, new_id}) {
    if (is_erased(home_key(unit, one))) fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, what + " " + quoted(one) + " was erased");
  }
  const std::string after = canonical_id(unit, new_id);
  if (after == old_id)
    fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, what + " " + quoted(new_id) + " is merged into " + quoted(old_id) + " already", {},
         "Take that back first, with pql.undo_merge(): table pql.identity has its number.");
  if (unit == Unit::user) change.add_homes_of(old_id);
  else change.add_workspaces_of(old_id);
  const std::int64_t id = change.make(what.c_str(), old_id, new_id);
  add_homes(change, unit, old_id, old_id, after);
  change.carry_episodes(unit, old_id, after);
  change.derive();
  change.audit(unit == Unit::user ? "merge_users" : "merge_accounts", old_id, id, new_id);
  return id;
}

std::int64_t move_user(const std::string &said, const std::optional<std::string> &account) {
  if (is_moved(said, account)) {
    const std::optional<Made> there = merge_of("move", canonical_id(Unit::user, said));
    if (there && there->new_id == account.value_or("")) return there->id;
  }
  Change change;
  const std::string user = canonical_id(Unit::user, said);
  if (is_erased(home_key(Unit::user, user))) fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "user " + quoted(said) + " was erased");
  if (account && is_erased(home_key(Unit::account, *account)))
    fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "account " + quoted(*account) + " was erased");
  change.add_homes_of(user);
  const std::int64_t id = change.make("move", user, account);
  if (account) change.add_home(true, canonical_id(Unit::account, *account));
  else change.add_home(false, user);
  change.derive();
  change.audit("move_user", user, id, account);
  return id;
}

Erasure erase_identity(Unit unit, const std::string &said) {
  Change change;
  Erasure out;
  const std::string id = canonical_id(unit, said);
  out.ids = said_as(unit, id);
  if (unit == Unit::user) {
    change.add_homes_of(id);
    const EventsOfUser known = events_of_user(change.plan(), id);
    for (const std::string &home : known.homes) change.add_home(home);
    out.events.assign(known.events.begin(), known.events.end());
  } else {
    change.add_workspaces_of(id);
  }
  const std::vector<std::string> moved = unit == Unit::account ? change.moved_to(out.ids) : std::vector<std::string>();
  for (const std::string &one : out.ids) change.add_home(unit == Unit::account, one);
  if (unit == Unit::user) erase_from_bases(change.plan(), out.ids, change.homes());
  out.tokens = change.erase(unit, out.ids);
  for (const std::string &user : moved) change.add_homes_by_events(user); // back to where they say
  out.homes = change.homes();
  if (!moved.empty()) follow_identities(out.homes);
  return out;
}

void undo_merge(std::int64_t id) {
  Change change;
  const std::optional<Made> made = merge_numbered(id);
  if (!made) fail(ERRCODE_UNDEFINED_OBJECT, "there is no merge " + std::to_string(id), {}, "Table pql.identity lists them.");
  if (made->undone) fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "merge " + std::to_string(id) + " is undone already");
  if (made->kind.starts_with("eras"))
    fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "an erasure can't be undone", "What was known is gone.");
  if (made->sealed)
    fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "merge " + std::to_string(id) + " can't be undone",
         "Events that counted by it were sealed by pql.retain(): whose they were before isn't known any more.");
  const bool move = made->kind == "move";
  const Unit unit = made->kind == "account" ? Unit::account : Unit::user;
  const std::string before = canonical_id(unit, made->old_id);
  if (unit == Unit::user) change.add_homes_of(before);
  else change.add_workspaces_of(before);
  if (move) {
    change.unmake(id);
    change.add_homes_by_events(before);
  } else {
    change.unmake(id);
    add_homes(change, unit, made->old_id, before, made->old_id);
    change.carry_episodes(unit, before, made->old_id);
  }
  change.derive();
  change.audit("undo_merge", made->old_id, id, made->new_id.empty() ? std::nullopt : std::optional(made->new_id));
}

bool goes_on(std::int32_t program, std::string_view subject) noexcept {
  const auto &all = own().continued;
  return std::any_of(all.begin(), all.end(), [&](const Continued &c) { return c.program == program && c.subject == subject; });
}

// ----------------------------------------------------------------------------------------------------------------- ends

namespace {

void taken_back() noexcept {
  forget = true;
  told++;
}

} // namespace

void end_identities(bool committed) noexcept {
  if (!committed && !own().changed.empty()) taken_back();
  own().changed.clear();
  own().continued.clear();
}

void end_identities_of(SubXactEvent event, SubTransactionId mine, SubTransactionId parent) {
  if (event == SUBXACT_EVENT_ABORT_SUB) {
    if (std::erase_if(own().changed, [&](SubTransactionId s) { return s >= mine; })) taken_back();
    std::erase_if(own().continued, [&](const Continued &c) { return c.within >= mine; });
  }
  if (event == SUBXACT_EVENT_COMMIT_SUB) {
    for (SubTransactionId &s : own().changed) {
      if (s >= mine) s = parent;
    }
    for (Continued &c : own().continued) {
      if (c.within >= mine) c.within = parent;
    }
  }
}

} // namespace pql::pg
