#include "cli/commands.hpp"

#include <ctime>
#include <set>

#include <CLI/CLI.hpp>

#include "cli/base/text.hpp"
#include "cli/deliver/secrets.hpp"
#include "cli/deliver/token.hpp"
#include "cli/serve/pages.hpp"
#include "cli/serve/server.hpp"
#include "cli/session.hpp"

namespace pql::cli {
namespace {

struct Options {
  std::string address = "127.0.0.1", secrets_file;
  int port = 8484;
  double seconds = 10;
  std::size_t connections = 256;
};

using Fields = std::map<std::string, std::string>;

std::string field(const Fields &fields, const char *name) {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : std::string(trimmed(found->second));
}

Value yes_or_no(const Fields &fields, const char *name) {
  const std::string said = field(fields, name);
  return said == "yes" ? Value("true") : said == "no" ? Value("false") : Value();
}

Response shown(int status, const std::string &title, const std::string &text) {
  return {status, "text/html; charset=utf-8", plain_page(title, text, status == 200), {}};
}

class Replies {
public:
  Replies(Session &session, const Options &options)
      : session_(session), keys_([&] {
          const Secrets secrets = options.secrets_file.empty() ? Secrets() : Secrets(options.secrets_file);
          const auto text = secrets.find("reply");
          if (!text)
            throw wrong_usage("there is no secret reply",
                              "Set PQL_SECRET_REPLY to name:secret, the same as for pqlctl deliver.");
          return ReplyKeys(*text);
        }()) {
    connect(); // whatever is wrong is said at the beginning
  }

  Response answer(const Request &request);

private:
  void connect();
  Response answer_link(const Request &request, std::string_view token);
  Response post(const Reply &reply, const Fields &fields);
  Response say(const Reply &reply, const Fields &fields);
  Response refused(const Reply &reply, const SqlError &e);
  std::optional<ReplyRow> row_of(const Reply &reply);
  // Until the transaction ends, what is done is the rep's doing.
  void act_as(const std::string &rep) { connection_->exec("SELECT set_config('pql.rep', $1, true)", {rep}); }
  Response metrics();
  void count(const std::string &what) { counts_[what]++; }

  Session &session_;
  const ReplyKeys keys_;
  std::optional<Connection> connection_;
  std::map<std::string, std::int64_t> counts_;
};

// All requests are answered one after the other: who waits for a lock keeps the others waiting.
void Replies::connect() {
  connection_.emplace(session_.where);
  connection_->exec("SET lock_timeout = '2s'");
}

Response Replies::answer(const Request &request) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (request.path == "/style.css" && reads) return {200, "text/css; charset=utf-8", style_sheet()};
  // The database may have gone and come back: once more, with a new connection.
  for (int attempt = 0;; attempt++) {
    try {
      if (!connection_) connect();
      if (request.path == "/healthz" && reads) {
        connection_->exec("SELECT 1");
        return {200, "text/plain; charset=utf-8", "ok\n"};
      }
      if (request.path == "/metrics" && reads) return metrics();
      if (!request.path.starts_with("/r/"))
        return shown(404, "Nothing here", "The link is not whole, or not one of ours.");
      if (!reads && request.method != "POST")
        return shown(405, "Not possible", "Links are opened, and forms are sent.");
      return answer_link(request, std::string_view(request.path).substr(3));
    } catch (const Interrupted &) {
      return shown(503, "Not now", "The service is being stopped. Try again in a minute.");
    } catch (const Failure &f) {
      connection_.reset();
      if (attempt > 0) {
        session_.out.remark(f.what());
        count("unavailable");
        return shown(
            503, "Not now",
            "The database can't be reached, or didn't understand. Nothing was changed; try again in a minute.");
      }
    }
  }
}

Response Replies::answer_link(const Request &request, std::string_view token) {
  const auto [good, reply] = keys_.check(token, std::time(nullptr));
  if (good == ReplyKeys::Answer::forged) {
    count("forged");
    return shown(403, "This link is not valid",
                 "It isn't whole, or it wasn't made by us. Open it again from the message.");
  }
  if (good == ReplyKeys::Answer::expired) {
    count("expired");
    return shown(410, "This link has expired", "Answer where you work on your rows, or by a newer message.");
  }
  if (request.method == "POST") {
    const Fields fields = form_fields(request.body);
    for (const auto &[name, value] : fields)
      if (text_problem(value) != nullptr) return shown(400, "Not understood", "The form can't be read.");
    return post(reply, fields);
  }
  const auto row = row_of(reply); // and changes nothing, whoever follows links
  if (!row) return shown(410, "It isn't yours any more", "The row is another team's now, or gone.");
  if (row->owner != reply.rep && !(row->owner.empty() && row->state == "ready"))
    return shown(409, "It isn't yours any more",
                 row->owner.empty() ? row->subject + " waits for whoever gets it next."
                                    : row->subject + " is " + row->owner + "'s now (" + row->state + ").");
  count("shown");
  return {200, "text/html; charset=utf-8", reply_page(*row, reply.action), {}};
}

std::optional<ReplyRow> Replies::row_of(const Reply &reply) {
  Transaction transaction(*connection_, "BEGIN READ ONLY");
  act_as(reply.rep);
  const Result r =
      connection_->exec("SELECT r.subject_id, r.headline, pql.story(r.routing_id, 'text'), r.state, r.owner, "
                        "r.disposition, r.snoozed_until IS NOT NULL,"
                        " to_char(r.contact_by, 'FMDD FMMon HH24:MI TZ') FROM pql.routing AS r WHERE r.routing_id = $1",
                        {std::to_string(reply.routing_id)});
  transaction.commit();
  if (r.rows() == 0) return std::nullopt;
  ReplyRow row;
  row.rep = reply.rep;
  row.subject = r.text(0, 0);
  row.headline = r.text(0, 1);
  row.story = r.text(0, 2);
  row.state = r.text(0, 3);
  row.owner = r.text(0, 4);
  row.disposition = r.text(0, 5);
  row.snoozed = r.truth(0, 6);
  row.contact_by = r.text(0, 7);
  return row;
}

Response Replies::post(const Reply &reply, const Fields &fields) {
  try {
    Transaction transaction(*connection_);
    act_as(reply.rep);
    const Response response = say(reply, fields);
    if (response.status != 200) return response;
    transaction.commit();
    count(field(fields, "action"));
    return response;
  } catch (const SqlError &e) {
    if (is_lost(e)) throw;
    return refused(reply, e);
  }
}

// One answer, as the rep, in one transaction. What was said before, and is said again, is the same.
Response Replies::say(const Reply &reply, const Fields &fields) {
  static const std::set<std::string> without_contact{"disqualified", "nurture", "routed_to_cs"};
  const std::string id = std::to_string(reply.routing_id), action = field(fields, "action");
  const auto row = connection_->exec("SELECT state, subject_id FROM pql.routing WHERE routing_id = $1", {id});
  if (row.rows() == 0) return shown(410, "It isn't yours any more", "The row is another team's now, or gone.");
  const std::string subject(row.text(0, 1));
  std::string state(row.text(0, 0));
  if (action == "decline") {
    const std::string words = field(fields, "words"), reason = field(fields, "reason");
    const std::string why = words.empty() ? reason : reason.empty() ? words : reason + ": " + words;
    if (why.empty()) return shown(400, "Why not?", "Go back and say why: whoever gets it next reads it.");
    connection_->exec("SELECT pql.decline($1, $2)", {id, why});
    return shown(200, "Declined", subject + " goes to somebody else.");
  }
  if (action != "accept" && action != "dispose") return shown(400, "Not understood", "The form can't be read.");
  const std::string disposition = field(fields, "disposition");
  if (action == "dispose" && disposition.empty())
    return shown(400, "What came of it?", "Go back and choose what came of it.");
  if (state == "ready") {
    const Result claimed = connection_->exec("SELECT state FROM pql.claim($1, 1, $2)", {reply.rep, id});
    if (claimed.rows() == 0)
      return shown(409, "Not possible right now",
                   "Somebody is at work on " + subject + ", or you have as many rows as you take on.");
    state = claimed.text(0, 0);
  }
  if (action == "accept") {
    if (state == "touched" || state == "disposed")
      return shown(409, "It was answered already", subject + " is " + state + ".");
    connection_->exec("SELECT pql.accept($1)", {id});
    return shown(200, "Accepted", subject + " is yours. Tell how it went by the same message.");
  }
  if ((state == "claimed" || state == "accepted") && !without_contact.contains(disposition)) {
    const std::string channel = field(fields, "channel");
    connection_->exec("SELECT pql.touch($1, $2)", {id, channel.empty() ? "other" : channel});
  }
  const std::string note = field(fields, "note"), failure = field(fields, "failure");
  connection_->exec("SELECT pql.dispose($1, $2, $3, $4, $5, $6, $7)",
                    {id, disposition, yes_or_no(fields, "need_matched"), yes_or_no(fields, "timing_right"),
                     yes_or_no(fields, "context_enough"), note.empty() ? Value() : Value(note),
                     failure.empty() ? Value() : Value(failure)});
  return shown(200, "Saved", "Thank you. What you said makes the next hand-off better.");
}

// The database refused, and nothing was changed: how things are by now says it best.
Response Replies::refused(const Reply &reply, const SqlError &e) {
  count("refused");
  const auto row = row_of(reply);
  if (!row) return shown(410, "It isn't yours any more", "The row is another team's now, or gone.");
  if (row->owner != reply.rep)
    return shown(409, "It isn't yours any more",
                 row->owner.empty() ? row->subject + " waits for whoever gets it next."
                                    : row->subject + " is " + row->owner + "'s now (" + row->state + ").");
  if (row->state == "disposed")
    return shown(409, "It was answered already", row->subject + ": " + row->disposition + ".");
  if (e.sqlstate() == "55000")
    return shown(409, "Not possible", std::string(e.what()) + ". " + e.detail() + " " + e.hint());
  if (e.sqlstate() == "42501") {
    session_.out.remark(std::string(e.what()) + " (" + e.sqlstate() + ")");
    return shown(403, "Not allowed", "This service may not answer for " + reply.rep + ".");
  }
  if (e.sqlstate().starts_with("22")) return shown(400, "Not understood", e.what());
  if (passes(e)) return shown(409, "Try again", "Somebody changed it at the same moment.");
  session_.out.remark(std::string(e.what()) + " (" + e.sqlstate() + ")");
  return shown(503, "Not now", "The database refused it. Nothing was changed.");
}

Response Replies::metrics() {
  std::string text =
      "# HELP pql_replies_total Answers of this process, by what they were.\n# TYPE pql_replies_total counter\n";
  for (const char *const what :
       {"accept", "decline", "dispose", "shown", "refused", "forged", "expired", "unavailable"})
    text += "pql_replies_total{what=\"" + std::string(what) + "\"} " + std::to_string(counts_[what]) + "\n";
  return {200, "text/plain; version=0.0.4; charset=utf-8", text};
}

} // namespace

void add_serve(CLI::App &app, Session &session) {
  CLI::App *const command = app.add_subcommand("serve", "Receive what reps answer by the links of pqlctl deliver");
  auto options = std::make_shared<Options>();
  command->add_option("--listen", options->address, "Address to listen on; put a proxy with TLS in front")
      ->capture_default_str();
  command->add_option("--listen-port", options->port, "Port; 0: any")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command
      ->add_option("--secrets", options->secrets_file,
                   "File of secrets, \"name = value\"; PQL_SECRET_<NAME> of the environment wins")
      ->type_name("FILE");
  command->add_option("--timeout", options->seconds, "Seconds that a request may take to arrive")
      ->check(CLI::Range(0.1, 600.0))
      ->capture_default_str();
  command->add_option("--connections", options->connections, "At most so many connections at once")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command->callback([&session, options] {
    Replies replies(session, *options);
    Server server(options->address, options->port, options->seconds, options->connections);
    session.out.line("listening on " + options->address + " port " + std::to_string(server.port()));
    server.run([&replies](const Request &request) { return replies.answer(request); });
  });
}

} // namespace pql::cli
