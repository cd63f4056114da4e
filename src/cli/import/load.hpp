// Writing events into a table by COPY, batch by batch, each in one transaction with what is known of the file's import.
// Law: when a batch is committed, pql.import says so; whatever kills pqlctl or the server, nothing is written twice or
// left out.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/base/connection.hpp"
#include "cli/import/event.hpp"

namespace pql::cli {

/// The table that events are written to.
struct Target {
  std::string oid, name;                      ///< the name as SQL has it
  std::array<std::string, kFields> columns{}; ///< as SQL has them; empty: there is none
  bool unique_ids = false;                    ///< an index refuses a second event of an id
  bool ids_needed = false;                    ///< no event can do without an id
  bool attached = false;
};

/// Looks the table up, and which of its columns mean what; `columns` are names that the user gave. Throws Failure.
Target find_target(Connection &connection, const std::string &table, const std::array<std::string, kFields> &columns);
/// Is there a table of that name?
bool table_exists(Connection &connection, const std::string &table);
/// The statements that make a table for events.
std::string create_statements(Connection &connection, const std::string &table, bool text_ids);
/// Attaches it; true if there is history to be folded.
bool attach_target(Connection &connection, const Target &target);

/// What became of the records of a file so far.
struct Counts {
  std::int64_t written = 0, repeated = 0, merged = 0, passed_over = 0, rejected = 0;
  std::int64_t records() const noexcept { return written + repeated + merged + passed_over + rejected; }
  Counts &operator+=(const Counts &other) noexcept;
};

/// How far a file was read.
struct Position {
  std::int64_t bytes = 0, lines = 0;
  std::string digest;
};

/// A line of pql.import.
struct Import {
  std::int64_t id = 0; ///< 0: not there yet
  std::string source, format;
  Position position;
  Counts counts;
  bool finished = false;
};

/// All imports into the table, by how much was read.
std::vector<Import> imports_into(Connection &connection, const Target &target);
/// One import into a table at a time; waits a little for one that is ending. Throws Failure.
void lock_imports(Connection &connection, const Target &target);

/// A record that the database, or the reader, would not have.
struct Rejected {
  std::int64_t line;
  std::string reason, record;
};

/// Events on their way to the table.
class Batch {
public:
  void add(const Event &event, std::int64_t line, std::string_view raw, const Target &target);
  void add_merge(std::string old_user, std::string new_user, std::int64_t line, std::string_view raw);
  void reject(std::int64_t line, std::string reason, std::string_view raw);
  void pass_over() noexcept { passed_over_++; }
  std::size_t records() const noexcept {
    return rows_.size() + merges_.size() + rejected_.size() + static_cast<std::size_t>(passed_over_);
  }
  std::size_t bytes() const noexcept { return copy_.size() + raw_.size(); }
  void clear();

private:
  friend class Loader;
  struct Row {
    std::size_t copy, raw; // where its texts begin
    std::int64_t line;
  };
  struct Merge {
    std::string old_user, new_user, raw;
    std::int64_t line;
  };
  std::string copy_, raw_;
  std::vector<Row> rows_;
  std::vector<Merge> merges_;
  std::vector<Rejected> rejected_;
  std::int64_t passed_over_ = 0;
};

class Loader {
public:
  /// Whether pql.import is told of what is written.
  enum class Keep { import, nothing };
  Loader(Connection &connection, Target target, Keep keep = Keep::import);
  /// Writes the batch and what is known of the import, which it brings up to date; gives what was rejected, in the
  /// order of lines. `before_commit` is told of them first.
  template <class F>
  void write(const Batch &batch, Import &import, const Position &position, bool last, F &&before_commit) {
    for (int attempt = 0;; attempt++) {
      Import next = import;
      std::vector<Rejected> rejected;
      if (!try_write(batch, next, position, last, rejected, attempt)) continue;
      before_commit(rejected);
      commit();
      import = std::move(next);
      return;
    }
  }

private:
  bool try_write(const Batch &batch, Import &import, const Position &position, bool last,
                 std::vector<Rejected> &rejected, int attempt);
  void merge(const Batch &batch, Counts &counts, std::vector<Rejected> &rejected);
  void copy(const Batch &batch, std::size_t begin, std::size_t end, Counts &counts, std::vector<Rejected> &rejected);
  std::int64_t copy_rows(std::string_view rows);
  bool takes_last(const Batch &batch);
  void keep_import(Import &import);
  void commit();

  Connection &connection_;
  Target target_;
  Keep keep_;
  std::string copy_sql_, insert_sql_;
  bool taken_ = false;       // was any row of the file, by now?
  std::int64_t refused_ = 0; // rows, while none was
};

} // namespace pql::cli
