// A connection to the database, and what it answers.
// Law: a statement either gives its result or throws SqlError (Interrupted after Ctrl-C); nothing of libpq is left to
// be freed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct pg_conn;
struct pg_result;

namespace pql::cli {

/// Where to connect, as psql is told; what isn't said comes from PGHOST and the like, and from service files.
struct ConnectionOptions {
  std::string dbname; ///< a name, a connection string or a URI
  std::string host, port, user, service;
  bool no_password = false; ///< never ask for one
};

/// A value of a statement; nothing is NULL.
using Value = std::optional<std::string>;
using Values = std::vector<Value>;

/// The rows of a statement, all of them in memory.
class Result {
public:
  explicit Result(pg_result *result) noexcept;

  int rows() const noexcept;
  int columns() const noexcept;
  std::string_view name(int column) const noexcept;
  /// Throws std::out_of_range if there is none of that name.
  int column(std::string_view name) const;
  /// The type's OID.
  unsigned type(int column) const noexcept;

  bool null(int row, int column) const noexcept;
  /// The value as text, "" if it is NULL.
  std::string_view text(int row, int column) const noexcept;
  std::string_view text(int row, std::string_view name) const { return text(row, column(name)); }
  Value value(int row, int column) const;
  /// The value as a whole number, 0 if it is NULL.
  std::int64_t integer(int row, int column) const;
  double real(int row, int column) const;
  bool truth(int row, int column) const noexcept { return text(row, column) == "t"; }
  /// Rows that the statement wrote.
  std::int64_t affected() const noexcept;

private:
  struct Clear {
    void operator()(pg_result *r) const noexcept;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

/// What the server says beside its answers.
struct Notice {
  std::string severity, message, detail, hint;
};

class Connection {
public:
  /// Connects, asking for a password on the terminal if one is needed. Throws Failure (Exit::unreachable).
  explicit Connection(const ConnectionOptions &options);
  Connection(Connection &&) noexcept = default;
  Connection &operator=(Connection &&) noexcept = default;

  /// One statement with $1, $2, ….
  Result exec(const std::string &sql, const Values &values = {});
  /// Statements without values, one after the other (in one transaction unless they say otherwise); gives the last
  /// one's result.
  Result script(const std::string &sql);

  /// COPY … FROM STDIN: begin, put as often as needed, and end, which gives the rows written.
  void copy_begin(const std::string &sql);
  void copy_put(std::string_view data);
  std::int64_t copy_end();

  std::string identifier(std::string_view name) const;
  std::string literal(std::string_view text) const;

  std::string database() const;
  std::string user() const;
  int server_version() const noexcept; ///< 150020
  /// Notices and warnings come here; without a handler they go to standard error.
  void on_notice(std::function<void(const Notice &)> handler);
  pg_conn *raw() const noexcept { return conn_.get(); }

private:
  struct Finish {
    void operator()(pg_conn *c) const noexcept;
  };
  Result checked(pg_result *result) const;
  std::unique_ptr<pg_conn, Finish> conn_;
  std::unique_ptr<std::function<void(const Notice &)>> notice_; // where libpq finds it, however the connection is moved
};

/// BEGIN now; ROLLBACK at the end of the scope unless commit() was called.
class Transaction {
public:
  explicit Transaction(Connection &connection, const std::string &begin = "BEGIN");
  Transaction(const Transaction &) = delete;
  Transaction &operator=(const Transaction &) = delete;
  ~Transaction();
  void commit();

private:
  Connection &connection_;
  bool open_ = true;
};

} // namespace pql::cli
