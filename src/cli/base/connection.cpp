#include "cli/base/connection.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <libpq-fe.h>

#include "cli/base/failure.hpp"
#include "cli/base/interrupt.hpp"
#include "cli/base/terminal.hpp"
#include "cli/base/text.hpp"

namespace pql::cli {
namespace {

// The statement that runs can be cancelled while one of these is alive.
class Cancellable {
public:
  explicit Cancellable(PGconn *conn) : cancel_(PQgetCancel(conn)), before_(cancel_on_interrupt(cancel_)) {}
  Cancellable(const Cancellable &) = delete;
  Cancellable &operator=(const Cancellable &) = delete;
  ~Cancellable() {
    cancel_on_interrupt(before_);
    PQfreeCancel(cancel_);
  }

private:
  PGcancel *cancel_, *before_;
};

std::string field(const PGresult *result, int code) {
  const char *const text = PQresultErrorField(result, code);
  return text ? text : "";
}

// libpq's messages end with a line feed, and may have several lines.
std::string message_of(const PGconn *conn) { return std::string(trimmed(PQerrorMessage(conn))); }

void to_stderr(const Notice &n) {
  std::fprintf(stderr, "%s: %s\n", n.severity.c_str(), n.message.c_str());
  if (!n.detail.empty()) std::fprintf(stderr, "DETAIL: %s\n", n.detail.c_str());
  if (!n.hint.empty()) std::fprintf(stderr, "HINT: %s\n", n.hint.c_str());
}

void receive_notice(void *handler, const PGresult *result) {
  const Notice n{field(result, PG_DIAG_SEVERITY), field(result, PG_DIAG_MESSAGE_PRIMARY),
                 field(result, PG_DIAG_MESSAGE_DETAIL), field(result, PG_DIAG_MESSAGE_HINT)};
  const auto &handle = *static_cast<std::function<void(const Notice &)> *>(handler);
  handle ? handle(n) : to_stderr(n);
}

PGconn *connect(const ConnectionOptions &o, const std::string &password) {
  std::vector<const char *> keys, values;
  const auto say = [&](const char *key, const std::string &value) {
    if (value.empty()) return;
    keys.push_back(key);
    values.push_back(value.c_str());
  };
  // What comes later wins over what the connection string says, as with psql.
  say("dbname", o.dbname);
  say("host", o.host);
  say("port", o.port);
  say("user", o.user);
  say("service", o.service);
  say("password", password);
  static const std::string name = "pqlctl", utf8 = "UTF8";
  say("fallback_application_name", name);
  say("client_encoding", utf8);
  keys.push_back(nullptr);
  values.push_back(nullptr);
  return PQconnectdbParams(keys.data(), values.data(), 1);
}

} // namespace

Result::Result(pg_result *result) noexcept : result_(result) {}
void Result::Clear::operator()(pg_result *r) const noexcept { PQclear(r); }
int Result::rows() const noexcept { return PQntuples(result_.get()); }
int Result::columns() const noexcept { return PQnfields(result_.get()); }
std::string_view Result::name(int column) const noexcept { return PQfname(result_.get(), column); }
unsigned Result::type(int column) const noexcept { return PQftype(result_.get(), column); }

int Result::column(std::string_view name) const {
  for (int c = 0; c < columns(); c++)
    if (this->name(c) == name) return c;
  throw std::out_of_range("no column " + std::string(name));
}

bool Result::null(int row, int column) const noexcept { return PQgetisnull(result_.get(), row, column) != 0; }

std::string_view Result::text(int row, int column) const noexcept {
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

Value Result::value(int row, int column) const {
  return null(row, column) ? Value() : Value(std::string(text(row, column)));
}

std::int64_t Result::integer(int row, int column) const {
  const std::string_view t = text(row, column);
  std::int64_t n = 0;
  std::from_chars(t.data(), t.data() + t.size(), n);
  return n;
}

double Result::real(int row, int column) const {
  const std::string_view t = text(row, column);
  double x = 0;
  std::from_chars(t.data(), t.data() + t.size(), x);
  return x;
}

std::int64_t Result::affected() const noexcept {
  const std::string_view t = PQcmdTuples(result_.get());
  std::int64_t n = 0;
  std::from_chars(t.data(), t.data() + t.size(), n);
  return n;
}

void Connection::Finish::operator()(pg_conn *c) const noexcept { PQfinish(c); }

Connection::Connection(const ConnectionOptions &options)
    : notice_(std::make_unique<std::function<void(const Notice &)>>()) {
  conn_.reset(connect(options, {}));
  if (conn_ && PQconnectionNeedsPassword(conn_.get()) && !options.no_password) {
    const char *const who = PQuser(conn_.get());
    const auto password = ask_password(who && *who ? "Password for user " + std::string(who) + ": " : "Password: ");
    if (password) conn_.reset(connect(options, *password));
  }
  check_interrupted();
  if (!conn_) throw Failure(Exit::unreachable, "out of memory while connecting");
  if (PQstatus(conn_.get()) != CONNECTION_OK)
    throw Failure(
        Exit::unreachable, message_of(conn_.get()), {},
        "Say where the database is with --dbname (or -h, -p, -U, --service), or with PGHOST, PGDATABASE and the like.");
  PQsetNoticeReceiver(conn_.get(), receive_notice, notice_.get());
}

Result Connection::checked(pg_result *result) const {
  Result owned(result);
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN || status == PGRES_COPY_OUT ||
      status == PGRES_EMPTY_QUERY)
    return owned;
  const std::string sqlstate = field(result, PG_DIAG_SQLSTATE);
  if (interrupted()) throw Interrupted();
  if (PQstatus(conn_.get()) != CONNECTION_OK && sqlstate.substr(0, 2) != "57")
    throw Failure(Exit::unreachable, "the connection to the database is lost: " + message_of(conn_.get()));
  std::string message = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = message_of(conn_.get());
  throw SqlError(sqlstate, message, field(result, PG_DIAG_MESSAGE_DETAIL), field(result, PG_DIAG_MESSAGE_HINT),
                 field(result, PG_DIAG_CONTEXT));
}

Result Connection::exec(const std::string &sql, const Values &values) {
  std::vector<const char *> texts;
  texts.reserve(values.size());
  for (const Value &v : values) texts.push_back(v ? v->c_str() : nullptr);
  const Cancellable here(conn_.get());
  return checked(PQexecParams(conn_.get(), sql.c_str(), static_cast<int>(texts.size()), nullptr, texts.data(), nullptr,
                              nullptr, 0));
}

Result Connection::script(const std::string &sql) {
  const Cancellable here(conn_.get());
  return checked(PQexec(conn_.get(), sql.c_str()));
}

void Connection::copy_begin(const std::string &sql) { script(sql); }

void Connection::copy_put(std::string_view data) {
  if (PQputCopyData(conn_.get(), data.data(), static_cast<int>(data.size())) != 1) copy_end(); // which says why
}

std::int64_t Connection::copy_end() {
  const Cancellable here(conn_.get());
  const int sent = PQputCopyEnd(conn_.get(), nullptr);
  PGresult *const result = PQgetResult(conn_.get());
  while (PGresult *const more = PQgetResult(conn_.get())) PQclear(more);
  if (!result && sent != 1)
    throw Failure(Exit::unreachable, "the connection to the database is lost: " + message_of(conn_.get()));
  return checked(result).affected();
}

std::string Connection::identifier(std::string_view name) const {
  char *const quoted = PQescapeIdentifier(conn_.get(), name.data(), name.size());
  if (!quoted) throw wrong_usage("invalid name: " + message_of(conn_.get()));
  std::string text = quoted;
  PQfreemem(quoted);
  return text;
}

std::string Connection::literal(std::string_view text) const {
  char *const quoted = PQescapeLiteral(conn_.get(), text.data(), text.size());
  if (!quoted) throw wrong_usage("invalid text: " + message_of(conn_.get()));
  std::string made = quoted;
  PQfreemem(quoted);
  return made;
}

std::string Connection::database() const { return PQdb(conn_.get()); }
std::string Connection::user() const { return PQuser(conn_.get()); }
int Connection::server_version() const noexcept { return PQserverVersion(conn_.get()); }
void Connection::on_notice(std::function<void(const Notice &)> handler) { *notice_ = std::move(handler); }

Transaction::Transaction(Connection &connection, const std::string &begin) : connection_(connection) {
  connection_.script(begin);
}

Transaction::~Transaction() {
  if (open_ && PQstatus(connection_.raw()) == CONNECTION_OK) PQclear(PQexec(connection_.raw(), "ROLLBACK"));
}

void Transaction::commit() {
  open_ = false;
  connection_.script("COMMIT");
}

} // namespace pql::cli
