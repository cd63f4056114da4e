// Queries of our own, run with the extension owner's rights under a pinned search_path.
#pragma once

#include <initializer_list>
#include <optional>

#include "pg/memory.hpp"

namespace pql::pg {

/// An argument of a query. Views need to live until the query is done.
struct Arg {
  Oid type = TEXTOID;
  bool null = false;
  std::int64_t number = 0;
  std::string_view text;
  const std::vector<std::string> *texts = nullptr;

  static Arg of(std::string_view s) { return {TEXTOID, false, 0, s, nullptr}; }
  static Arg of(const std::string &s) { return of(std::string_view(s)); }
  static Arg of(const char *s) { return of(std::string_view(s)); }
  static Arg of(int v) { return {INT4OID, false, v, {}, nullptr}; }
  static Arg of(std::int64_t v) { return {INT8OID, false, v, {}, nullptr}; }
  static Arg of(bool v) { return {BOOLOID, false, v, {}, nullptr}; }
  static Arg of(const std::vector<std::string> &v) { return {TEXTARRAYOID, false, 0, {}, &v}; }
  static Arg time(Micros at) { return {TIMESTAMPTZOID, false, at, {}, nullptr}; }
  static Arg bytes(std::string_view s) { return {BYTEAOID, false, 0, s, nullptr}; }
  static Arg nothing(Oid type) { return {type, true, 0, {}, nullptr}; }
};

/// While one is there, queries, reads of the state and scans of events see what the active snapshot does, so that they agree however much
/// is committed meanwhile; but for queries for the latest. For whoever only reads.
class AsOfActiveSnapshot {
public:
  AsOfActiveSnapshot();
  ~AsOfActiveSnapshot();
  AsOfActiveSnapshot(const AsOfActiveSnapshot &) = delete;
  AsOfActiveSnapshot &operator=(const AsOfActiveSnapshot &) = delete;

private:
  Snapshot outer_;
};

/// That snapshot, if there is one.
Snapshot snapshot_shown() noexcept;

/// While one is there, queries for the latest see one snapshot, be it taken then or given, so that what is read by several of them fits together.
class OneLatest {
public:
  explicit OneLatest(Snapshot given = nullptr);
  ~OneLatest();
  OneLatest(const OneLatest &) = delete;
  OneLatest &operator=(const OneLatest &) = delete;

private:
  Snapshot outer_, taken_ = nullptr;
};

/// A session of queries. Not to be left open across a return to SQL: finish() it. On an error PostgreSQL cleans up.
class Spi {
public:
  Spi();
  Spi(const Spi &) = delete;
  Spi &operator=(const Spi &) = delete;
  void finish();

  /// Runs one statement, a literal (its plan is kept); returns the number of rows. `latest` reads what is committed now, whatever the isolation level.
  std::uint64_t run(const char *sql, std::initializer_list<Arg> args = {}, bool latest = false);
  /// Runs a statement that was made for this once.
  std::uint64_t run_once(const std::string &sql, std::initializer_list<Arg> args = {});
  /// Runs a query that was made for this once, whose rows go elsewhere; in several processes if PostgreSQL finds that worth it.
  void run_into(DestReceiver *to, const char *sql, std::initializer_list<Arg> args, bool parallel);
  /// Runs a query as of a snapshot, or writes what it sees in it.
  std::uint64_t run_at(Snapshot snapshot, const char *sql, std::initializer_list<Arg> args, bool writes = false);

  /// Frees what the last statement returned, where many are to follow.
  void forget_rows();

  bool is_null(std::uint64_t row, int column) const;
  std::string text(std::uint64_t row, int column) const;  ///< empty for NULL
  std::int64_t number(std::uint64_t row, int column) const; ///< of a smallint, int, bigint, bool or timestamptz; 0 for NULL
  std::vector<std::string> texts(std::uint64_t row, int column) const; ///< of a text[]
  std::string_view bytes(Arena &a, std::uint64_t row, int column) const; ///< of a bytea, copied; empty for NULL
  Datum datum(std::uint64_t row, int column, bool *isnull) const;

private:
  Oid user_;
  int security_, guc_level_;
};

/// The owner of the extension's tables.
Oid extension_owner();

} // namespace pql::pg
