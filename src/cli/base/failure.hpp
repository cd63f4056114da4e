// How pqlctl fails: each failure knows the status that the program ends with.
// Law: what a command throws is a Failure; anything else is a defect of pqlctl, and ends with 2 after its message.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace pql::cli {

/// The exit codes of pqlctl; doc/pqlctl.md promises them.
enum class Exit : int {
  right = 0,         ///< done; what was asked is so
  no = 1,            ///< the answer is "no": a check failed, problems were found, rows were rejected
  usage = 2,         ///< wrong usage, or input that can't be read
  unreachable = 3,   ///< there is no connection to the database
  refused = 4,       ///< the database refused: an SQL error
  remote = 5,        ///< another service failed
  interrupted = 130, ///< Ctrl-C, or SIGTERM
};

/// An error message in PostgreSQL's style: what, and perhaps a detail and a hint.
class Failure : public std::runtime_error {
public:
  Failure(Exit exit, const std::string &message, std::string detail = {}, std::string hint = {})
      : std::runtime_error(message), exit_(exit), detail_(std::move(detail)), hint_(std::move(hint)) {}

  Exit exit() const noexcept { return exit_; }
  const std::string &detail() const noexcept { return detail_; }
  const std::string &hint() const noexcept { return hint_; }

private:
  Exit exit_;
  std::string detail_, hint_;
};

/// What the user wrote can't be meant.
inline Failure wrong_usage(const std::string &message, std::string hint = {}) {
  return {Exit::usage, message, {}, std::move(hint)};
}

/// The user pressed Ctrl-C.
class Interrupted : public Failure {
public:
  Interrupted() : Failure(Exit::interrupted, "interrupted") {}
};

/// The database refused a statement.
class SqlError : public Failure {
public:
  SqlError(std::string sqlstate, const std::string &message, std::string detail = {}, std::string hint = {},
           std::string context = {})
      : Failure(Exit::refused, message, std::move(detail), std::move(hint)),
        sqlstate_(std::move(sqlstate)),
        context_(std::move(context)) {}

  const std::string &sqlstate() const noexcept { return sqlstate_; }
  /// Whether it is of one of these classes ("57", "08").
  bool is_of(std::initializer_list<std::string_view> classes) const noexcept {
    return std::any_of(classes.begin(), classes.end(), [&](std::string_view c) { return sqlstate_.starts_with(c); });
  }
  /// "PL/pgSQL function … line 3", or nothing.
  const std::string &context() const noexcept { return context_; }

private:
  std::string sqlstate_, context_;
};

/// Whether there is no connection any more, or none to be had.
inline bool is_lost(const Failure &f) noexcept {
  const auto *const sql = dynamic_cast<const SqlError *>(&f);
  return f.exit() == Exit::unreachable || (sql && sql->is_of({"08", "57"}));
}

/// Whether the same may well succeed later: somebody else was in the way, or there was no room.
inline bool passes(const Failure &f) noexcept {
  const auto *const sql = dynamic_cast<const SqlError *>(&f);
  return sql && sql->is_of({"40", "53", "55P03"});
}

} // namespace pql::cli
