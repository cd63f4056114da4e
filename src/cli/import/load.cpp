#include "cli/import/load.hpp"

#include <algorithm>
#include <optional>

#include "cli/base/failure.hpp"
#include "cli/base/interrupt.hpp"
#include "cli/import/format.hpp"

namespace pql::cli {
namespace {

constexpr std::size_t at(Field f) noexcept { return static_cast<std::size_t>(f); }

std::string qualified(Connection &connection, const std::string &table) {
  const Result parts = connection.exec("SELECT pg_catalog.unnest(pg_catalog.parse_ident($1))", {table});
  std::string name;
  for (int r = 0; r < parts.rows(); r++) name += (r ? "." : "") + connection.identifier(parts.text(r, 0));
  return name;
}

// One value of COPY's text format.
void put_text(std::string &out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
    case '\\':
      out += "\\\\";
      break;
    case '\t':
      out += "\\t";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    default:
      out += c;
    }
  }
}

// Errors that one row makes, and another one doesn't: bad values, broken constraints, what triggers raise.
bool of_a_row(const std::string &sqlstate) {
  const std::string kind = sqlstate.substr(0, 2);
  return kind == "22" || kind == "23" || kind == "P0" || sqlstate == "54000";
}

} // namespace

Counts &Counts::operator+=(const Counts &o) noexcept {
  written += o.written;
  repeated += o.repeated;
  merged += o.merged;
  passed_over += o.passed_over;
  rejected += o.rejected;
  return *this;
}

bool table_exists(Connection &connection, const std::string &table) {
  return !connection.exec("SELECT pg_catalog.to_regclass($1)", {table}).null(0, 0);
}

std::string create_statements(Connection &connection, const std::string &table, bool text_ids) {
  const std::string name = qualified(connection, table);
  return "CREATE TABLE " + name + " (\n  " +
         (text_ids ? "id    text PRIMARY KEY" : "id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY") +
         ",\n  at    timestamptz NOT NULL,\n  who   text NOT NULL,\n  org   text,\n  name  text NOT NULL,\n"
         "  props jsonb NOT NULL DEFAULT '{}'\n);\n"
         "CREATE INDEX ON " +
         name + " (org, at);\nCREATE INDEX ON " + name + " (who, at);";
}

Target find_target(Connection &connection, const std::string &table, const std::array<std::string, kFields> &columns) {
  const Result found = connection.exec("SELECT c.oid, c.oid::pg_catalog.regclass::text, c.relkind IN ('r', 'p'), "
                                       "s.user_id, s.account_id, s.event, s.occurred_at, "
                                       "s.event_id, s.properties, s.source_id IS NOT NULL FROM pg_catalog.pg_class AS "
                                       "c LEFT JOIN pql.source AS s ON s.relation = c.oid "
                                       "WHERE c.oid = pg_catalog.to_regclass($1)",
                                       {table});
  if (found.rows() == 0)
    throw Failure(Exit::usage, "there is no table " + table, {}, "--create makes one; --table names another.");
  if (!found.truth(0, 2)) throw Failure(Exit::usage, table + " is not a table");
  Target target;
  target.oid = found.text(0, 0);
  target.name = found.text(0, 1);
  target.attached = found.truth(0, 9);

  const Result all = connection.exec(
      "SELECT a.attname, pg_catalog.quote_ident(a.attname), a.attidentity = 'a' OR a.attgenerated <> '', "
      "a.attidentity <> '' OR (a.atthasdef AND t.typcategory = 'N'), a.attnotnull AND NOT a.atthasdef AND "
      "a.attidentity = '', "
      "EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid "
      "AND i.indpred IS NULL "
      "AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS "
      "t ON t.oid = a.atttypid "
      "WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
      {target.oid});
  std::vector<std::string> names;
  for (int r = 0; r < all.rows(); r++) names.emplace_back(all.text(r, 0));
  const auto row_of = [&](std::string_view name, int column) {
    for (int r = 0; r < all.rows(); r++)
      if (all.text(r, column) == name) return r;
    return -1;
  };

  Mapping said;
  said.name = columns;
  for (std::size_t f = 0; f < kFields; f++) { // what pql.attach was told, where that is a column
    const int r = row_of(found.text(0, static_cast<int>(f == at(Field::account) ? 4
                                                        : f == at(Field::event) ? 5
                                                        : f == at(Field::time)  ? 6
                                                        : f == at(Field::id)    ? 7
                                                        : f == at(Field::user)  ? 3
                                                                                : 8)),
                         1);
    if (said.name[f].empty() && r >= 0) said.name[f] = all.text(r, 0);
  }
  const auto guessed = guess_fields(names, said);
  for (std::size_t f = 0; f < kFields; f++) {
    if (guessed[f].empty()) continue;
    const int r = row_of(guessed[f], 0);
    if (r < 0) throw Failure(Exit::usage, "table " + target.name + " has no column \"" + guessed[f] + "\"");
    const bool numbered = f == at(Field::id) && columns[f].empty() && all.truth(r, 3);
    if (all.truth(r, 2) || numbered) continue; // the database fills it in
    target.columns[f] = all.text(r, 1);
    if (f == at(Field::id)) {
      target.unique_ids = all.truth(r, 5);
      target.ids_needed = all.truth(r, 4);
    }
  }
  for (const Field f : {Field::user, Field::event, Field::time})
    if (target.columns[at(f)].empty())
      throw Failure(Exit::usage, "which column of " + target.name + " is the " + std::string(kFieldNames[at(f)]) + "?",
                    {}, "Say it with --columns " + std::string(kFieldNames[at(f)]) + "=COLUMN.");
  for (int r = 0; r < all.rows(); r++)
    if (all.truth(r, 4) &&
        std::find(target.columns.begin(), target.columns.end(), all.text(r, 1)) == target.columns.end())
      throw Failure(Exit::usage,
                    "column \"" + std::string(all.text(r, 0)) + "\" of " + target.name +
                        " must not be null, and nothing is written to it",
                    {}, "Give it a default, or say with --columns what it is.");
  return target;
}

bool attach_target(Connection &connection, const Target &target) {
  const auto column = [&](Field f) { return target.columns[at(f)].empty() ? Value() : Value(target.columns[at(f)]); };
  Value id = column(Field::id);
  if (!id) { // one that the database numbers
    const Result key = connection.exec(
        "SELECT pg_catalog.quote_ident(a.attname) FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_attribute AS a ON "
        "a.attrelid = i.indrelid "
        "AND a.attnum = i.indkey[0] WHERE i.indrelid = $1::oid AND i.indisprimary AND i.indnkeyatts = 1",
        {target.oid});
    if (key.rows() == 1) id = key.value(0, 0);
  }
  const Result said = connection.exec("SELECT * FROM pql.attach($1::oid::regclass, user_id => $2, event => $3, "
                                      "occurred_at => $4, account_id => $5, event_id => $6, "
                                      "properties => $7)",
                                      {target.oid, column(Field::user), column(Field::event), column(Field::time),
                                       column(Field::account), id, column(Field::properties)});
  for (int r = 0; r < said.rows(); r++)
    if (said.text(r, 0) == "history") return said.text(r, 1) != "none";
  return false;
}

std::vector<Import> imports_into(Connection &connection, const Target &target) {
  const Result r = connection.exec("SELECT import_id, source, format, bytes, lines, digest, written, repeated, merged, "
                                   "passed_over, rejected, finished_at IS NOT NULL "
                                   "FROM pql.import WHERE relation = $1::oid AND bytes > 0 ORDER BY bytes, import_id",
                                   {target.oid});
  std::vector<Import> all;
  for (int i = 0; i < r.rows(); i++)
    all.push_back({r.integer(i, 0),
                   std::string(r.text(i, 1)),
                   std::string(r.text(i, 2)),
                   {r.integer(i, 3), r.integer(i, 4), std::string(r.text(i, 5))},
                   {r.integer(i, 6), r.integer(i, 7), r.integer(i, 8), r.integer(i, 9), r.integer(i, 10)},
                   r.truth(i, 11)});
  return all;
}

void lock_imports(Connection &connection, const Target &target) {
  for (int attempt = 0; attempt < 100; attempt++) {
    if (connection
            .exec("SELECT pg_catalog.pg_try_advisory_lock(1886481769, ($1::oid::bigint - 2147483648)::int)",
                  {target.oid})
            .truth(0, 0))
      return;
    if (!sleep_for(0.1)) throw Interrupted();
  }
  throw Failure(Exit::usage, "another import into " + target.name + " is running", {}, "Wait until it has ended.");
}

// --- batches
// --------------------------------------------------------------------------------------------------------------

void Batch::add(const Event &e, std::int64_t line, std::string_view raw, const Target &target) {
  rows_.push_back({copy_.size(), raw_.size(), line});
  raw_ += raw;
  bool first = true;
  const auto put = [&](Field f, const std::string *text) {
    if (target.columns[at(f)].empty()) return;
    if (!first) copy_ += '\t';
    first = false;
    text ? put_text(copy_, *text) : static_cast<void>(copy_ += "\\N");
  };
  put(Field::user, &e.user);
  put(Field::account, e.account ? &*e.account : nullptr);
  put(Field::event, &e.name);
  put(Field::time, &e.at);
  put(Field::id, e.id ? &*e.id : nullptr);
  put(Field::properties, &e.properties);
  copy_ += '\n';
}

void Batch::add_merge(std::string old_user, std::string new_user, std::int64_t line, std::string_view raw) {
  merges_.push_back({std::move(old_user), std::move(new_user), std::string(raw), line});
}

void Batch::reject(std::int64_t line, std::string reason, std::string_view raw) {
  rejected_.push_back({line, std::move(reason), std::string(raw.substr(0, 20'000))});
}

void Batch::clear() {
  copy_.clear();
  raw_.clear();
  rows_.clear();
  merges_.clear();
  rejected_.clear();
  passed_over_ = 0;
}

Loader::Loader(Connection &connection, Target target, Keep keep)
    : connection_(connection), target_(std::move(target)), keep_(keep) {
  std::string columns;
  for (const std::string &c : target_.columns)
    if (!c.empty()) columns += (columns.empty() ? "" : ", ") + c;
  if (!target_.unique_ids) {
    copy_sql_ = "COPY " + target_.name + " (" + columns + ") FROM STDIN";
    return;
  }
  // COPY can't pass over what is there already: through a table of this session's.
  connection_.script(
      "SET client_min_messages = warning; DROP TABLE IF EXISTS pg_temp.pql_import_batch; RESET client_min_messages");
  connection_.script("CREATE TEMP TABLE pql_import_batch ON COMMIT DELETE ROWS AS SELECT " + columns + " FROM " +
                     target_.name + " WITH NO DATA");
  copy_sql_ = "COPY pg_temp.pql_import_batch (" + columns + ") FROM STDIN";
  insert_sql_ = "INSERT INTO " + target_.name + " (" + columns + ") SELECT " + columns +
                " FROM pg_temp.pql_import_batch ON CONFLICT (" + target_.columns[at(Field::id)] + ") DO NOTHING";
}

// Rows that were written.
std::int64_t Loader::copy_rows(std::string_view rows) {
  constexpr std::size_t kPiece = 1 << 20;
  connection_.copy_begin(copy_sql_);
  for (std::size_t from = 0; from < rows.size(); from += kPiece) connection_.copy_put(rows.substr(from, kPiece));
  const std::int64_t copied = connection_.copy_end();
  return insert_sql_.empty() ? copied : connection_.script(insert_sql_).affected();
}

// Would the database take the batch's last row? Nothing is written.
bool Loader::takes_last(const Batch &batch) {
  connection_.script("SAVEPOINT last");
  bool is_taken = true;
  try {
    copy_rows(std::string_view(batch.copy_).substr(batch.rows_.back().copy));
  } catch (const SqlError &e) {
    if (!of_a_row(e.sqlstate())) throw;
    is_taken = false;
  }
  connection_.script("ROLLBACK TO last; RELEASE last");
  return is_taken;
}

// All rows at once; if the database refuses them, each half, until the row is found that it refuses.
void Loader::copy(const Batch &batch, std::size_t begin, std::size_t end, Counts &counts,
                  std::vector<Rejected> &rejected) {
  if (begin == end) return;
  check_interrupted();
  const std::size_t from = batch.rows_[begin].copy,
                    to = end < batch.rows_.size() ? batch.rows_[end].copy : batch.copy_.size();
  connection_.script("SAVEPOINT rows");
  try {
    const std::int64_t written = copy_rows(std::string_view(batch.copy_).substr(from, to - from));
    taken_ = true;
    connection_.script(insert_sql_.empty() ? "RELEASE rows" : "DELETE FROM pg_temp.pql_import_batch; RELEASE rows");
    counts.written += written;
    counts.repeated += static_cast<std::int64_t>(end - begin) - written;
    return;
  } catch (const SqlError &e) {
    if (!of_a_row(e.sqlstate())) throw;
    connection_.script("ROLLBACK TO rows; RELEASE rows");
    if (end - begin == 1) {
      const std::size_t raw = batch.rows_[begin].raw,
                        next = end < batch.rows_.size() ? batch.rows_[end].raw : batch.raw_.size();
      rejected.push_back({batch.rows_[begin].line, "the database refuses it: " + std::string(e.what()),
                          batch.raw_.substr(raw, next - raw)});
      constexpr std::int64_t kHopeless = 1000; // perhaps: then the batch's other end is tried
      if (!taken_ && ++refused_ % kHopeless == 0 && !takes_last(batch))
        throw SqlError(e.sqlstate(), "the database refuses all rows: " + std::string(e.what()), e.detail(),
                       e.hint().empty() ? "When the table takes them, import them with --again." : e.hint());
      return;
    }
  }
  const std::size_t middle = begin + (end - begin) / 2;
  copy(batch, begin, middle, counts, rejected);
  copy(batch, middle, end, counts, rejected);
}

void Loader::merge(const Batch &batch, Counts &counts, std::vector<Rejected> &rejected) {
  for (std::size_t i = 0; i < batch.merges_.size(); i++) {
    const Batch::Merge &m = batch.merges_[i];
    connection_.script("SAVEPOINT merge");
    try {
      connection_.exec("SELECT pql.merge_users($1, $2)", {m.old_user, m.new_user});
      connection_.script("RELEASE merge");
      counts.merged++;
    } catch (const SqlError &e) {
      if (!of_a_row(e.sqlstate()) && e.sqlstate().substr(0, 2) != "55") throw;
      connection_.script("ROLLBACK TO merge; RELEASE merge");
      rejected.push_back({m.line, "pql refuses to merge: " + std::string(e.what()), m.raw});
      counts.rejected++;
    }
  }
}

// What is known of the import, with the batch.
void Loader::keep_import(Import &import) {
  const auto n = [](std::int64_t value) { return Value(std::to_string(value)); };
  const Counts &c = import.counts;
  Values values = {n(import.position.bytes),
                   n(import.position.lines),
                   import.position.digest,
                   n(c.written),
                   n(c.repeated),
                   n(c.merged),
                   n(c.passed_over),
                   n(c.rejected),
                   import.finished ? "t" : "f"};
  if (import.id == 0) {
    values.insert(values.end(), {target_.oid, import.source, import.format});
    import.id = connection_
                    .exec("INSERT INTO pql.import (bytes, lines, digest, written, repeated, merged, passed_over, "
                          "rejected, finished_at, relation, "
                          "source, format) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, CASE WHEN $9::boolean THEN now() "
                          "END, $10::oid, $11, $12) "
                          "RETURNING import_id",
                          values)
                    .integer(0, 0);
    return;
  }
  values.push_back(n(import.id));
  connection_.exec(
      "UPDATE pql.import SET bytes = $1, lines = $2, digest = $3, written = $4, repeated = $5, merged = $6, "
      "passed_over = $7, "
      "rejected = $8, finished_at = CASE WHEN $9::boolean THEN now() END, last_batch_at = now() WHERE import_id = $10",
      values);
}

// Leaves the transaction open; false if it has to be tried again, because others were in the way.
bool Loader::try_write(const Batch &batch, Import &import, const Position &position, bool last,
                       std::vector<Rejected> &rejected, int attempt) {
  try {
    connection_.script("BEGIN ISOLATION LEVEL READ COMMITTED");
    Counts counts;
    taken_ = taken_ || import.counts.written + import.counts.repeated > 0;
    rejected = batch.rejected_;
    merge(batch, counts, rejected); // before events, as its manual says
    copy(batch, 0, batch.rows_.size(), counts, rejected);
    counts.rejected = static_cast<std::int64_t>(rejected.size());
    counts.passed_over = batch.passed_over_;
    std::stable_sort(rejected.begin(), rejected.end(),
                     [](const Rejected &a, const Rejected &b) { return a.line < b.line; });
    import.counts += counts;
    import.position = position;
    import.finished = last;
    if (keep_ == Keep::import) keep_import(import);
    return true;
  } catch (const SqlError &e) {
    connection_.script("ROLLBACK");
    constexpr int kAttempts = 5;
    if ((e.sqlstate() != "40001" && e.sqlstate() != "40P01") || attempt >= kAttempts) throw;
    return false;
  }
}

void Loader::commit() { connection_.script("COMMIT"); }

} // namespace pql::cli
