#include "pg/topics.hpp"

#include "pg/guard.hpp"
#include "pg/spi.hpp"
#include "pg/store.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace pql::pg {
namespace {

// Freed when the lexicon changes: what it needs lies outside of PostgreSQL's memory, and is bounded by how many patterns it keeps compiled.
std::unique_ptr<topic::Matcher> &in_force() {
  static auto &m = *new std::unique_ptr<topic::Matcher>();
  return m;
}

bool valid = false;
Oid lexicon = InvalidOid;

extern "C" void lexicon_changed(Datum, Oid relation) {
  if (!OidIsValid(relation) || relation == lexicon) valid = false;
}

void watch() {
  static bool watching = false;
  if (!watching) CacheRegisterRelcacheCallback(lexicon_changed, Datum{0});
  watching = true;
  lexicon = pql_relation("lexicon");
}

bool is_readable_as_it_is() { return GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII; }

// Another encoding's text; what can't be said in the other is lost.
std::string converted(std::string_view s, bool to_utf8) {
  if (is_readable_as_it_is() || s.empty()) return std::string(s);
  struct Work {
    std::string_view from;
    bool to_utf8;
    const char *to;
  } work{s, to_utf8, nullptr};
  const bool done = call([&] {
    return trapped_by(
        [](void *p) {
          auto *w = static_cast<Work *>(p);
          char *const copy = pnstrdup(w->from.data(), w->from.size());
          w->to = w->to_utf8 ? pg_server_to_any(copy, static_cast<int>(w->from.size()), PG_UTF8) : pg_any_to_server(copy, static_cast<int>(w->from.size()), PG_UTF8);
        },
        &work, [](int sqlstate) { return ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_DATA_EXCEPTION; });
  });
  return done ? work.to : "";
}

std::vector<topic::Entry> read_entries() {
  std::vector<topic::Entry> out;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT language, kind, topic, pattern FROM pql.lexicon WHERE active"
                                  " ORDER BY language COLLATE \"C\", kind COLLATE \"C\", topic COLLATE \"C\", pattern COLLATE \"C\"",
                                  {}, true);
  for (std::uint64_t i = 0; i < n; i++) {
    const std::optional<topic::Kind> kind = topic::kind_named(spi.text(i, 2));
    if (kind) out.push_back({spi.text(i, 1), *kind, spi.text(i, 3), converted(spi.text(i, 4), true)});
  }
  spi.finish();
  return out;
}

topic::Matcher &matcher() {
  if (valid && in_force()) return *in_force();
  call([] { watch(); });
  for (int attempt = 0; attempt < 3; attempt++) {
    valid = true; // before reading: what changes while we read makes it invalid again
    try {
      std::vector<topic::Entry> entries = read_entries();
      in_force().reset(); // one at a time
      in_force() = std::make_unique<topic::Matcher>(std::move(entries));
    } catch (...) {
      valid = false;
      throw;
    }
    if (valid) break;
  }
  return *in_force();
}

} // namespace

std::optional<topic::PatternProblem> check_pattern(topic::Kind kind, std::string_view pattern) {
  static auto &n = *new topic::Normaliser();
  return topic::check_pattern(n, converted(pattern, true), topic::extent_of(kind));
}

std::vector<FoundTopic> topics_of(std::string_view message) {
  std::vector<FoundTopic> out;
  const std::string text = converted(message.substr(0, topic::kMostRead), true);
  topic::Matcher &m = matcher();
  for (topic::Finding &f : m.find(text)) {
    const topic::Entry &e = m.entries()[f.entry];
    out.push_back({e.topic, e.language, converted(f.quote, false)});
  }
  return out;
}

} // namespace pql::pg
