#include "cli/commands.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <deque>
#include <random>
#include <set>

#include <CLI/CLI.hpp>
#include <libpq-fe.h>
#include <unistd.h>

#include "cli/base/backoff.hpp"
#include "cli/base/interrupt.hpp"
#include "cli/base/text.hpp"
#include "cli/deliver/message.hpp"
#include "cli/deliver/metrics.hpp"
#include "cli/deliver/oauth.hpp"
#include "cli/deliver/poster.hpp"
#include "cli/deliver/retry.hpp"
#include "cli/deliver/secrets.hpp"
#include "cli/deliver/token.hpp"
#include "cli/session.hpp"

namespace pql::cli {
namespace {

struct Options {
  std::vector<std::string> only, private_hosts;
  std::string secrets_file, ca_file, metrics_file, reply_url;
  int parallel = 8, batch = 20;
  double interval = 2, reply_days = 14;
  bool once = false, dry_run = false;
};

using Clock = std::chrono::steady_clock;
constexpr double kMetricsEvery = 5, kLeaseBeyond = 30, kLongestLease = 3600;

std::string worker_name() {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return std::string(host) + "/" + std::to_string(getpid());
}

std::string utc_now() {
  char at[32];
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  std::strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
  return at;
}

// How long a delivery is this worker's. A token that has expired costs two more posts.
double lease_of(const Destination &to) {
  return std::min(kLongestLease, to.timeout * (has_tokens(to) ? 3 : 1) + kLeaseBeyond);
}

// Some of Slack's refusals pass.
bool passes(const std::string &refusal) {
  for (const char *const one :
       {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})
    if (refusal == one) return true;
  return false;
}

class Deliverer {
public:
  Deliverer(Session &session, const Options &options)
      : session_(session),
        options_(options),
        secrets_(options.secrets_file.empty() ? Secrets() : Secrets(options.secrets_file)),
        poster_({{options.private_hosts.begin(), options.private_hosts.end()}, options.ca_file}) {
    if (options.reply_url.empty()) return;
    const auto keys = secrets_.find("reply");
    if (!keys)
      throw wrong_usage("links to reply by need the secret reply",
                        "Set PQL_SECRET_REPLY to name:secret, for pqlctl serve as well.");
    keys_.emplace(*keys);
  }

  void preview();
  void run();

private:
  struct InFlight {
    Destination to;
    Delivery delivery;
    bool followed = false;
    std::string token = {}; // that it was posted with
    bool renewed = false;   // that is newer than one that had expired
    bool waits = false;     // for a token
  };

  // The access token of a destination whose tokens expire.
  struct Token {
    Destination to;
    std::string value;         // empty: there is none
    std::string refresh_token; // newer than the secret
    std::int64_t asked = 0;    // the number of the post that asks for one
    int failures = 0;          // in a row
    Clock::time_point again{}; // not asked for before
    bool lost = false;         // those that wait for it are given back
  };

  std::vector<Destination> destinations();
  ReplyLinks links_for(const Delivery &d) const;
  std::optional<std::string> secret_of(const Destination &to) const { return secrets_.find(to.secret_name); }
  std::string worker_of(const Destination &to) const { return has_tokens(to) ? worker_ + "/" + to.name : worker_; }
  bool has_token(const Destination &to);
  void ask_for_token(Token &token);
  void take_token(Token &token, const Posted &posted);
  void lose_token(Token &token, const std::string &why, const std::string &retry_after);
  bool wait_for_token(InFlight &f, const Posted &posted);
  void give_back(Token &token);
  void post(std::int64_t id, InFlight &f);
  std::size_t claim(const Destination &to);
  void start(const Destination &to, Delivery d);
  void finish(const Posted &posted);
  void finish_delivery(const Posted &posted);
  void report(const InFlight &f, const Posted &posted, Verdict verdict, const std::string &error);
  Result say(const std::string &sql, const Values &values);
  void log(const InFlight &f, const Posted &posted, const std::string &result, const std::string &error,
           double retry_in);
  void write_metrics(bool now);
  bool round();
  int room_for(const Destination &to) const;
  void settle();
  bool pause(double seconds);
  void drain();
  void finish_up() noexcept;
  double wait_after(const Backoff &how, int failures) {
    return backoff_seconds(how, failures, std::uniform_real_distribution<double>()(random_));
  }

  Session &session_;
  const Options &options_;
  const Secrets secrets_;
  std::optional<ReplyKeys> keys_;
  std::optional<Connection> connection_;
  Poster poster_;
  std::map<std::int64_t, InFlight> in_flight_;
  std::deque<Posted> ended_;        // what came of posts, and isn't noted yet
  std::vector<std::string> served_; // the destinations that are enabled
  std::size_t turn_ = 0;            // which of them comes first
  std::map<std::string, Token> tokens_;
  std::int64_t token_posts_ = 0; // their ids are negative
  DeliveryCounts counts_;
  const std::string worker_ = worker_name();
  std::mt19937_64 random_{std::random_device{}()};
  Clock::time_point metrics_at_{};
  std::int64_t sent_ = 0, failed_ = 0;
};

Delivery delivery_of(const Result &r, int i) {
  Delivery d;
  d.id = r.integer(i, 0);
  d.key = r.text(i, 1);
  d.event = r.text(i, 2);
  d.attempt = static_cast<int>(r.integer(i, 3));
  d.routing_id = r.integer(i, 4);
  d.owner = r.text(i, 5);
  d.payload = Json::parse(r.text(i, 6));
  return d;
}

std::vector<Destination> Deliverer::destinations() {
  const Result r = connection_->exec("SELECT destination, kind, url, settings, coalesce(secret, destination), "
                                     "extract(epoch FROM timeout)::float8, max_attempts"
                                     " FROM pql.destination WHERE enabled ORDER BY destination");
  std::vector<Destination> all;
  for (int i = 0; i < r.rows(); i++) {
    Destination d;
    d.name = r.text(i, 0);
    if (!options_.only.empty() && std::find(options_.only.begin(), options_.only.end(), d.name) == options_.only.end())
      continue;
    d.kind = r.text(i, 1);
    d.url = r.value(i, 2);
    d.settings = Json::parse(r.text(i, 3));
    d.secret_name = r.text(i, 4);
    d.timeout = r.real(i, 5);
    d.max_attempts = static_cast<int>(r.integer(i, 6));
    all.push_back(std::move(d));
  }
  for (const std::string &name : options_.only)
    if (std::none_of(all.begin(), all.end(), [&](const Destination &d) { return d.name == name; }))
      throw wrong_usage("destination \"" + name + "\" does not exist, or is not enabled",
                        "Table pql.destination has those that do.");
  return all;
}

ReplyLinks Deliverer::links_for(const Delivery &d) const {
  if (!keys_ || d.owner.empty() || d.event == "withdrawn") return {};
  std::string base = options_.reply_url;
  while (base.ends_with('/')) base.pop_back();
  const std::int64_t expires = std::time(nullptr) + std::llround(options_.reply_days * 86400);
  const auto link = [&](const char *action) {
    return base + "/r/" + keys_->sign({d.routing_id, d.owner, action, expires});
  };
  return {link("accept"), link("decline"), link("dispose")};
}

void Deliverer::preview() {
  connection_.emplace(session_.where);
  std::size_t n = 0;
  for (const Destination &to : destinations()) {
    const Result r =
        connection_->exec("SELECT * FROM pql.preview_deliveries($1, $2)", {to.name, std::to_string(options_.batch)});
    for (int i = 0; i < r.rows(); i++, n++) {
      const Delivery d = delivery_of(r, i);
      const auto secret = secret_of(to);
      // No secret is shown: what is posted to, and signed with, one is shown with a word in its place.
      const Message m = message_for(
          to, d, secret || to.kind == "slack" ? std::optional<std::string>("(secret)") : secret, links_for(d));
      Json shown = {{"destination", to.name}, {"event", d.event},   {"routing_id", d.routing_id},
                    {"attempt", d.attempt},   {"method", m.method}, {"url", m.url}};
      for (const auto &[name, value] : m.headers) shown["headers"][name] = value;
      shown["body"] = Json::parse(m.body);
      if (session_.out.json)
        session_.out.json_line(shown);
      else
        session_.out.line(m.method + " " + m.url + "\n" + shown["body"].dump(2) + "\n");
    }
  }
  if (!session_.out.json)
    session_.out.remark(counted(static_cast<std::int64_t>(n), "delivery", "deliveries") + " would be posted");
}

// What an attempt came to is said whatever happens: a statement that was cancelled by Ctrl-C is sent once more.
Result Deliverer::say(const std::string &sql, const Values &values) {
  try {
    return connection_->exec(sql, values);
  } catch (const Interrupted &) {
    return connection_->exec(sql, values);
  }
}

// Of others that have nothing on its way each has a place kept: one that hangs doesn't take all of them.
int Deliverer::room_for(const Destination &to) const {
  const int room = options_.parallel - static_cast<int>(in_flight_.size());
  std::set<std::string> idle;
  for (const std::string &name : served_) idle.insert(name);
  for (const auto &[id, f] : in_flight_) idle.erase(f.to.name);
  const bool has_none = idle.erase(to.name) > 0;
  return std::max(room - static_cast<int>(idle.size()), has_none ? std::min(room, 1) : 0);
}

std::size_t Deliverer::claim(const Destination &to) {
  const int room = std::min(options_.batch, room_for(to));
  if (room <= 0 || interrupted() || !has_token(to)) return 0;
  const Result r = connection_->exec("SELECT * FROM pql.claim_deliveries($1, $2, make_interval(secs => $3), $4)",
                                     {to.name, std::to_string(room), std::to_string(lease_of(to)), worker_of(to)});
  for (int i = 0; i < r.rows(); i++) start(to, delivery_of(r, i));
  return static_cast<std::size_t>(r.rows());
}

void Deliverer::start(const Destination &to, Delivery d) {
  const std::int64_t id = d.id;
  InFlight &f = in_flight_[id] = {to, std::move(d)};
  post(id, f);
}

void Deliverer::post(std::int64_t id, InFlight &f) {
  try {
    if (has_tokens(f.to)) f.token = tokens_[f.to.name].value;
    f.waits = false;
    const auto secret = has_tokens(f.to) ? std::optional(f.token) : secret_of(f.to);
    poster_.begin(id, message_for(f.to, f.delivery, secret, links_for(f.delivery)), f.to.timeout, secret.value_or(""));
  } catch (const Failure &why) { // what is missing may be there the next time
    Posted none;
    none.id = id;
    none.error = why.what();
    report(f, none, Verdict::retry, none.error);
    in_flight_.erase(id);
  }
}

// --- tokens

// Is there one to post with? If not, it is asked for, unless that failed just now.
bool Deliverer::has_token(const Destination &to) {
  if (!has_tokens(to)) return true;
  Token &token = tokens_[to.name];
  if (!token.value.empty()) return true;
  give_back(token);
  const bool too_early = options_.once ? token.failures > 0 : Clock::now() < token.again;
  if (token.lost || token.asked != 0 || too_early) return false;
  token.to = to;
  ask_for_token(token);
  return !token.value.empty();
}

void Deliverer::ask_for_token(Token &token) {
  const auto secret = secret_of(token.to);
  if (!gets_tokens(token.to)) { // the secret is one
    if (!secret) return lose_token(token, "there is no secret " + token.to.secret_name, "");
    token.value = *secret;
    return;
  }
  try {
    const auto newest = token.refresh_token.empty() ? secret : std::optional(token.refresh_token);
    const Message m = token_request(token.to, newest, secrets_.find(token.to.secret_name + "_client_secret"));
    poster_.begin(--token_posts_, m, token.to.timeout, "");
    token.asked = token_posts_;
  } catch (const Failure &why) {
    lose_token(token, why.what(), "");
  }
}

// Those that waited for it are posted once more: it is the same attempt.
void Deliverer::take_token(Token &token, const Posted &posted) {
  token.asked = 0;
  const TokenAnswer answer = posted.error.empty() ? token_in(posted.status, posted.response) : TokenAnswer{};
  if (answer.token.empty())
    return lose_token(token, posted.error.empty() ? answer.error : posted.error, posted.retry_after);
  token.value = answer.token;
  if (!answer.refresh_token.empty()) token.refresh_token = answer.refresh_token;
  std::vector<std::int64_t> waiting;
  for (const auto &[id, f] : in_flight_)
    if (f.waits && f.to.name == token.to.name) waiting.push_back(id);
  for (const std::int64_t id : waiting) {
    InFlight &f = in_flight_[id];
    f.renewed = true;
    post(id, f);
  }
}

// Without a token nothing is posted there for a while, and no attempt counts.
void Deliverer::lose_token(Token &token, const std::string &why, const std::string &retry_after) {
  const double asked = retry_after_seconds(retry_after, std::time(nullptr)).value_or(0);
  const double retry_in = std::max(asked, wait_after(kPostAgain, ++token.failures));
  token.value.clear();
  token.again = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(retry_in));
  token.lost = true;
  failed_++;
  const std::string error = "no access token: " + one_line(why, 300);
  if (session_.out.json)
    session_.out.json_line({{"at", utc_now()},
                            {"destination", token.to.name},
                            {"result", "no_token"},
                            {"error", error},
                            {"retry_in", std::round(retry_in * 1000) / 1000}});
  else
    session_.out.line(token.to.name + ": " + error + ", again in " + span_text(retry_in));
  give_back(token);
}

// When nothing of the destination's is on its way any more, so that what is given back is what was not posted.
void Deliverer::give_back(Token &token) {
  if (!token.lost) return;
  for (const auto &[id, f] : in_flight_)
    if (f.to.name == token.to.name && !f.waits) return;
  token.lost = false;
  if (std::erase_if(in_flight_, [&](const auto &one) { return one.second.to.name == token.to.name; }) == 0) return;
  say("SELECT pql.release_deliveries($1)", {worker_of(token.to)});
}

// True: the token had expired, and the message is posted again when there is another one.
bool Deliverer::wait_for_token(InFlight &f, const Posted &posted) {
  if (!has_tokens(f.to)) return false;
  Token &token = tokens_[f.to.name];
  if (!says_expired(f.to, posted.status, posted.response)) {
    if (posted.status != 0) token.failures = 0;
    return false;
  }
  f.waits = true;
  if (token.asked != 0 || token.lost) return true;      // another one has said so
  if (!token.value.empty() && token.value != f.token) { // there is a newer one by now
    f.renewed = true;
    post(posted.id, f);
  } else if (!gets_tokens(f.to)) {
    lose_token(token, "it has expired, and nothing is set to renew it (settings oauth and client_id)", "");
  } else if (f.renewed) {
    lose_token(token, "a new one is refused, too", "");
  } else {
    token.value.clear();
    token.to = f.to;
    ask_for_token(token);
  }
  return true;
}

void Deliverer::finish(const Posted &posted) {
  if (posted.id < 0) {
    for (auto &[name, token] : tokens_)
      if (token.asked == posted.id) return take_token(token, posted);
    return;
  }
  finish_delivery(posted);
  for (auto &[name, token] : tokens_) give_back(token);
}

void Deliverer::finish_delivery(const Posted &posted) {
  const auto found = in_flight_.find(posted.id);
  if (found == in_flight_.end()) return;
  InFlight &f = found->second;
  if (wait_for_token(f, posted)) return;
  Verdict verdict = posted.final ? Verdict::dead : posted.status == 0 ? Verdict::retry : verdict_of(posted.status);
  std::string error = posted.error;
  if (verdict != Verdict::sent && error.empty())
    error = "HTTP " + std::to_string(posted.status) +
            (posted.response.empty() ? "" : ": " + one_line(posted.response, 200));
  if (verdict == Verdict::sent) {
    const std::string refusal = refusal_in(f.to, posted.response);
    if (!refusal.empty()) {
      verdict = passes(refusal) ? Verdict::retry : Verdict::dead;
      error = one_line(refusal, 200);
    } else if (!f.followed) {
      const auto secret = secret_of(f.to);
      if (const auto more = follow_up(f.to, f.delivery, secret, posted.response)) {
        f.followed = true;
        poster_.begin(posted.id, *more, f.to.timeout, secret.value_or(""));
        return;
      }
    }
  }
  report(f, posted, verdict, error);
  in_flight_.erase(found);
}

void Deliverer::report(const InFlight &f, const Posted &posted, Verdict verdict, const std::string &error) {
  const Value status = posted.status ? Value(std::to_string(posted.status)) : Value();
  const std::string id = std::to_string(f.delivery.id);
  std::string result = "sent";
  double retry_in = 0;
  if (verdict == Verdict::sent) {
    say("SELECT pql.delivery_done($1, $2)", {id, status});
    sent_++;
  } else if (verdict == Verdict::dead) {
    say("SELECT pql.delivery_dead($1, $2, $3)", {id, error, status});
    result = "dead";
    failed_++;
  } else {
    retry_in = wait_after(kPostAgain, f.delivery.attempt);
    const auto asked = retry_after_seconds(posted.retry_after, std::time(nullptr));
    if (asked) retry_in = std::max(retry_in, *asked);
    const bool pause = asked && asks_for_a_pause(posted.status);
    const Result r = say("SELECT pql.delivery_failed($1, $2, clock_timestamp() + make_interval(secs => $3), $4, $5,"
                         " clock_timestamp() + make_interval(secs => $6))",
                         {id, std::to_string(f.delivery.attempt), std::to_string(retry_in), error, status,
                          pause ? Value(std::to_string(*asked)) : Value()});
    result = r.text(0, 0) == "dead" ? "dead" : "retry";
    failed_++;
  }
  counts_.attempts[{f.to.name, result}]++;
  auto &[sum, n] = counts_.seconds[f.to.name];
  sum += posted.seconds;
  n++;
  log(f, posted, result, error, result == "retry" ? retry_in : 0);
}

void Deliverer::log(const InFlight &f, const Posted &posted, const std::string &result, const std::string &error,
                    double retry_in) {
  if (session_.out.json) {
    Json line = {{"at", utc_now()},
                 {"destination", f.to.name},
                 {"delivery_id", f.delivery.id},
                 {"routing_id", f.delivery.routing_id},
                 {"event", f.delivery.event},
                 {"key", f.delivery.key},
                 {"attempt", f.delivery.attempt},
                 {"result", result},
                 {"seconds", std::round(posted.seconds * 1e6) / 1e6}};
    if (posted.status) line["status"] = posted.status;
    if (!error.empty()) line["error"] = error;
    if (retry_in > 0) line["retry_in"] = std::round(retry_in * 1000) / 1000;
    session_.out.json_line(line);
    return;
  }
  if (session_.out.quiet && result == "sent") return;
  session_.out.line(f.to.name + " " + f.delivery.event + " " + std::to_string(f.delivery.routing_id) + ": " + result +
                    (error.empty() ? "" : " (" + error + ")") +
                    (retry_in > 0 ? ", again in " + span_text(retry_in) : ""));
}

void Deliverer::write_metrics(bool now) {
  if (options_.metrics_file.empty()) return;
  if (!now && std::chrono::duration<double>(Clock::now() - metrics_at_).count() < kMetricsEvery) return;
  metrics_at_ = Clock::now();
  const Result r = say("SELECT destination, pending, claimed, retrying, sent, dead, void, coalesce(extract(epoch FROM "
                       "clock_timestamp() - oldest_pending_at), 0)::float8,"
                       " paused_until IS NOT NULL FROM pql.delivery_stats ORDER BY destination",
                       {});
  std::vector<DeliveryStats> stats;
  for (int i = 0; i < r.rows(); i++)
    stats.push_back({std::string(r.text(i, 0)), r.integer(i, 1), r.integer(i, 2), r.integer(i, 3), r.integer(i, 4),
                     r.integer(i, 5), r.integer(i, 6), r.real(i, 7), r.truth(i, 8)});
  try {
    replace_file(options_.metrics_file, metrics_text(stats, counts_));
  } catch (const Failure &f) {
    session_.out.remark(f.what()); // no reason to keep anything from being delivered
  }
}

// Takes what there is room for, and looks after what is on its way. False: there was nothing to do.
bool Deliverer::round() {
  std::size_t claimed = 0;
  if (static_cast<int>(in_flight_.size()) < options_.parallel) {
    std::vector<Destination> all = destinations();
    served_.clear();
    for (const Destination &to : all) served_.push_back(to.name);
    if (!all.empty())
      std::rotate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(turn_++ % all.size()), all.end());
    for (const Destination &to : all) claimed += claim(to);
  }
  if (poster_.busy() == 0 && claimed == 0 && ended_.empty()) return false;
  for (Posted &posted : poster_.wait(options_.interval)) ended_.push_back(std::move(posted));
  settle();
  return true;
}

// What can't be noted now stays, and is noted later.
void Deliverer::settle() {
  for (; !ended_.empty(); ended_.pop_front()) finish(ended_.front());
}

// The database can't be spoken to: what is on its way goes on. False: the program was interrupted.
bool Deliverer::pause(double seconds) {
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  const auto left = [&] { return std::chrono::duration<double>(until - Clock::now()).count(); };
  while (poster_.busy() > 0 && left() > 0 && !interrupted())
    for (Posted &posted : poster_.wait(std::min(left(), 0.5))) ended_.push_back(std::move(posted));
  return sleep_for(std::max(0.0, left()));
}

// What is on its way has its time to arrive; nothing new is taken.
void Deliverer::drain() {
  for (settle(); poster_.busy() > 0; settle())
    for (Posted &posted : poster_.wait(1)) ended_.push_back(std::move(posted));
  say("SELECT pql.release_deliveries($1)", {worker_});
  for (const auto &[name, token] : tokens_) say("SELECT pql.release_deliveries($1)", {worker_of(token.to)});
  write_metrics(true);
}

// What is on its way is waited for, and noted, before a failure ends it all.
void Deliverer::finish_up() noexcept {
  try {
    drain();
  } catch (const std::exception &) { // there is a failure to tell of already
  }
}

void Deliverer::run() {
  int failures = 0;
  bool once_more = true;
  while (once_more && !interrupted()) {
    try {
      if (!connection_) {
        connection_.emplace(session_.where);
        connection_->exec("SET application_name = 'pqlctl deliver'");
        connection_->exec("LISTEN pql_delivery");
        failures = 0;
      }
      write_metrics(false);
      if (round()) continue;
      if (options_.once) break;
      poster_.wait(options_.interval, PQsocket(connection_->raw())); // until a hint comes, or it is time to look
      PQconsumeInput(connection_->raw());
      while (PGnotify *const hint = PQnotifies(connection_->raw())) PQfreemem(hint);
    } catch (const Interrupted &) {
      once_more = false;
    } catch (const Failure &f) {
      const bool lost = is_lost(f);
      if (options_.once || !(lost || passes(f)) || (!connection_ && failures == 0 && sent_ + failed_ == 0)) {
        if (!lost && connection_) finish_up();
        throw;
      }
      // What was on its way is noted by the next connection; if its lease ends before, whoever takes it posts it again,
      // by the same key.
      const double wait = wait_after(kConnectAgain, ++failures);
      session_.out.remark(std::string(f.what()) + "; trying again in " + span_text(wait));
      if (lost) connection_.reset();
      if (!pause(wait)) break;
    }
  }
  if (connection_) drain();
  if (options_.once && !session_.out.json && !session_.out.quiet)
    session_.out.remark(std::to_string(sent_) + " sent, " + std::to_string(failed_) + " failed");
  if (options_.once && failed_ > 0) session_.exit = Exit::remote;
}

} // namespace

void add_deliver(CLI::App &app, Session &session) {
  CLI::App *const command =
      app.add_subcommand("deliver", "Post routing rows to Slack, HubSpot, Salesforce and webhooks");
  auto options = std::make_shared<Options>();
  command->add_option("DESTINATION", options->only, "Only to these (all that are enabled)");
  command->add_flag("--once", options->once, "End when nothing is due any more; status 5 if an attempt failed");
  command->add_flag("--dry-run", options->dry_run, "Show what would be posted; nothing is posted, nothing written");
  command
      ->add_option("--secrets", options->secrets_file,
                   "File of secrets, \"name = value\"; PQL_SECRET_<NAME> of the environment wins")
      ->type_name("FILE");
  command->add_option("--parallel", options->parallel, "At most so many posts at once")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_option("--batch", options->batch, "Take at most so many at a time; with --dry-run, show so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--interval", options->interval, "Look for what is new every so many seconds")
      ->check(CLI::Range(0.05, 3600.0))
      ->capture_default_str();
  command->add_option("--reply-url", options->reply_url,
                      "Where pqlctl serve is reached: https://…; adds links to reply by (secret reply)");
  command->add_option("--reply-days", options->reply_days, "Such links are good for so many days")
      ->check(CLI::Range(0.001, 365.0))
      ->capture_default_str();
  command->add_option("--allow-private", options->private_hosts,
                      "A host whose address may be private (and which may be spoken to by http)");
  command->add_option("--ca-file", options->ca_file, "Trust these certificates instead of the system's")
      ->check(CLI::ExistingFile);
  command
      ->add_option("--metrics-file", options->metrics_file, "Write Prometheus metrics to this file, every few seconds")
      ->type_name("FILE");
  command->callback([&session, options] {
    Deliverer deliverer(session, *options);
    options->dry_run ? deliverer.preview() : deliverer.run();
  });
}

} // namespace pql::cli
