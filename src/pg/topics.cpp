#include "pg/topics.hpp"

#include "pg/spi.hpp"
#include "pg/store.hpp"

extern "C" {
#include "catalog/namespace.h"
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

// A text from one encoding to another. For each character that the other doesn't have, lost(character) is there instead.
template <class Lost> std::string converted(std::string_view s, int from, int to, Lost &&lost) {
  const Oid proc = call([&] { return FindDefaultConversionProc(from, to); });
  if (!OidIsValid(proc)) return lost(s);
  std::string out, room(MAX_CONVERSION_GROWTH * (s.size() + 2) + 2, '\0');
  auto *const text = reinterpret_cast<unsigned char *>(room.data());
  while (!s.empty()) {
    const auto done = static_cast<std::size_t>(call([&] {
      auto *const begin = reinterpret_cast<unsigned char *>(const_cast<char *>(s.data())); // which it only reads
      return pg_do_encoding_conversion_buf(proc, from, to, begin, static_cast<int>(s.size()), text, static_cast<int>(room.size()), true);
    }));
    out += room.c_str();
    s.remove_prefix(done);
    if (s.empty()) break;
    const auto length = static_cast<std::size_t>(call([&] { return pg_encoding_mblen(from, s.data()); }));
    out += lost(s.substr(0, length));
    s.remove_prefix(std::min(length, s.size()));
  }
  return out;
}

// A message, of which the matcher sees that something isn't there.
std::string message_in_utf8(std::string_view s) {
  if (s.size() > topic::kMostRead) s = s.substr(0, call([&] { return static_cast<std::size_t>(pg_mbcliplen(s.data(), static_cast<int>(s.size()), topic::kMostRead)); }));
  if (is_readable_as_it_is()) return std::string(s);
  return converted(s, GetDatabaseEncoding(), PG_UTF8, [](std::string_view) { return "\xEF\xBF\xBD"; });
}

// A part of a message, which can be said but for what stands where it was cut.
std::string quote_as_written(const std::string &s) {
  if (is_readable_as_it_is()) return s;
  return converted(s, PG_UTF8, GetDatabaseEncoding(), [](std::string_view c) { return c == "\xE2\x80\xA6" ? "..." : "?"; });
}

// A pattern says all that it says, or nothing.
std::optional<std::string> pattern_in_utf8(std::string_view s) {
  if (is_readable_as_it_is()) return std::string(s);
  bool whole = true;
  std::string out = converted(s, GetDatabaseEncoding(), PG_UTF8, [&](std::string_view) { return whole = false, ""; });
  if (!whole) return std::nullopt;
  return out;
}

std::vector<topic::Entry> read_entries() {
  std::vector<topic::Entry> out;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT language, kind, topic, pattern FROM pql.lexicon WHERE active"
                                  " ORDER BY language COLLATE \"C\", kind COLLATE \"C\", topic COLLATE \"C\", pattern COLLATE \"C\"",
                                  {}, true);
  for (std::uint64_t i = 0; i < n; i++) {
    const std::optional<topic::Kind> kind = topic::kind_named(spi.text(i, 2));
    std::optional<std::string> pattern = pattern_in_utf8(spi.text(i, 4));
    if (kind && pattern) out.push_back({spi.text(i, 1), *kind, spi.text(i, 3), std::move(*pattern)});
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
  const std::optional<std::string> text = pattern_in_utf8(pattern);
  if (!text) return topic::PatternProblem{1, "it has a character that can't be said in UTF-8"};
  return topic::check_pattern(n, *text, topic::extent_of(kind));
}

std::vector<FoundTopic> topics_of(std::string_view message) {
  std::vector<FoundTopic> out;
  const std::string text = message_in_utf8(message);
  topic::Matcher &m = matcher();
  for (topic::Finding &f : m.find(text)) {
    const topic::Entry &e = m.entries()[f.entry];
    out.push_back({e.topic, e.language, quote_as_written(f.quote)});
  }
  return out;
}

} // namespace pql::pg
