#include "cli/bench.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>

#include <CLI/CLI.hpp>
#include <libpq-fe.h>
#include <unistd.h>

#include "cli/base/interrupt.hpp"
#include "cli/base/progress.hpp"
#include "cli/base/text.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"

namespace pql::cli {
namespace {

struct Options {
  std::int64_t events = 100000, accounts = 1000, singles = 1000, reads = 1000;
  std::int64_t batch = 1000;
};

constexpr const char *kProgram = R"({"program": "bench", "unit": "account",
 "milestones": {"signed_up": {"event": "signup"}, "integrated": {"event": "integration"}},
 "signals": {
   "calls": {"kind": "depth", "event": "api_call", "points_each": 1, "half_life": "7 days", "max_points": 30},
   "people": {"kind": "breadth", "measure": "distinct_users", "window": "28 days", "points_each": 4, "max_points": 20},
   "pricing": {"kind": "intent", "event": "pricing", "points_each": 5, "half_life": "3 days", "max_points": 25},
   "integrated": {"kind": "activation", "milestone": "integrated", "max_points": 15}},
 "qualify": {"enter": 40, "leave": 20},
 "motions": [{"otherwise": true, "motion": "account_executive", "after": "0", "by": "1 day"}]})";

// Sixty days of events of all accounts, seven people each.
constexpr const char *kInput = R"(CREATE UNLOGGED TABLE bench.input AS
SELECT n AS id, now() - interval '60 days' * (1 - n::float8 / $EVENTS) AS at, 'org' || (n * 7919 % $ACCOUNTS) AS org, 'org' || (n * 7919 % $ACCOUNTS) || '-' || (n / 31 % 7) AS who,
       (ARRAY['api_call', 'api_call', 'api_call', 'page_view', 'page_view', 'page_view', 'page_view', 'pricing', 'integration', 'signup'])[1 + n * 48271 % 2147483647 % 10] AS name,
       jsonb_build_object('path', '/p/' || n % 100, 'ms', n % 1000) AS props
FROM generate_series(1, $EVENTS::bigint) AS n)";

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The connection's own words, with another database.
ConnectionOptions elsewhere(Connection &db, const std::string &database) {
  std::string words;
  PQconninfoOption *const all = PQconninfo(db.raw());
  for (const PQconninfoOption *o = all; o && o->keyword; o++) {
    const std::string key = o->keyword;
    const std::string value = key == "dbname" ? database : o->val ? o->val : "";
    if (value.empty() || key == "service") continue;
    words += key + "='";
    for (const char c : value) {
      if (c == '\'' || c == '\\') words += '\\';
      words += c;
    }
    words += "' ";
  }
  PQconninfoFree(all);
  ConnectionOptions made;
  made.dbname = words;
  return made;
}

// A database that is gone when this is.
class Scratch {
public:
  Scratch(Connection &admin) : admin_(admin), name_("pql_bench_" + std::to_string(getpid())) {
    admin_.exec("CREATE DATABASE " + name_ + " TEMPLATE template0");
  }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  ~Scratch() {
    PQclear(PQexec(admin_.raw(),
                   ("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)").c_str())); // also after an interrupt
  }
  const std::string &name() const noexcept { return name_; }

private:
  Connection &admin_;
  std::string name_;
};

std::string replaced(std::string text, const std::string &what, const std::string &with) {
  for (std::size_t at; (at = text.find(what)) != std::string::npos;) text.replace(at, what.size(), with);
  return text;
}

class Bench {
public:
  Bench(Session &session, const Options &o) : session_(session), o_(o) {}

  void run() {
    Connection &admin = session_.connection();
    Scratch scratch(admin);
    Connection db(elsewhere(admin, scratch.name()));
    db.on_notice([](const Notice &) {});
    machine(db);
    prepare(db);
    ingest(db);
    singles(db);
    reads(db);
    sizes(db);
    show();
  }

private:
  void say(const std::string &what) { session_.out.remark(what); }

  void put(const std::string &key, const std::string &what, double value, const std::string &shown) {
    figures_.push_back({key, what, shown});
    json_[key] = std::isfinite(value) ? Json(std::round(value * 1e6) / 1e6) : Json(nullptr);
  }

  void machine(Connection &db) {
    const Result r = db.exec("SELECT s.name, current_setting(s.name) FROM pg_catalog.pg_settings AS s"
                             " WHERE s.name IN ('server_version', 'shared_buffers', 'synchronous_commit', 'fsync', "
                             "'wal_level', 'max_connections', 'autovacuum', 'jit') ORDER BY 1");
    Json facts = Json::object();
    for (int i = 0; i < r.rows(); i++) facts[std::string(r.text(i, 0))] = r.text(i, 1);
    const char *const host = PQhost(db.raw());
    if (host && (*host == '/' || std::string_view(host) == "localhost")) {
      std::ifstream cpus("/proc/cpuinfo");
      std::string line, model;
      while (model.empty() && std::getline(cpus, line))
        if (line.rfind("model name", 0) == 0)
          model = std::string(trimmed(std::string_view(line).substr(line.find(':') + 1)));
      if (!model.empty()) facts["processor"] = model;
      facts["processors"] = sysconf(_SC_NPROCESSORS_ONLN);
      facts["memory"] =
          size_text(static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE)));
    }
    json_["machine"] = facts;
  }

  void prepare(Connection &db) {
    say("preparing " + grouped(o_.events) + " events of " + grouped(o_.accounts) +
        " accounts in a database of its own");
    db.script("CREATE EXTENSION pql; CREATE SCHEMA bench");
    json_["version"] = std::string(db.exec("SELECT pql.version()").text(0, 0));
    db.script(replaced(replaced(kInput, "$EVENTS", std::to_string(o_.events + 2 * o_.singles)), "$ACCOUNTS",
                       std::to_string(o_.accounts)));
    db.script("ALTER TABLE bench.input ADD PRIMARY KEY (id); ANALYZE bench.input");
    for (const char *name : {"plain", "watched"})
      db.script("CREATE TABLE bench." + std::string(name) +
                " (id bigint PRIMARY KEY, at timestamptz NOT NULL, org text, who text NOT NULL, name text NOT NULL, "
                "props jsonb); CREATE INDEX ON bench." +
                name + " (org, at)");
    db.exec("SELECT pql.attach('bench.watched', user_id => 'who', account_id => 'org', event => 'name', occurred_at => "
            "'at', event_id => 'id', properties => 'props')");
    db.exec("UPDATE pql.source SET max_event_age = '100 days'"); // all of them decide
    db.exec("SELECT pql.publish($1)", {kProgram});
    db.exec("SELECT pql.promote('bench', override => 'measured')");
  }

  // Rows from the prepared ones, a transaction for each batch; gives seconds.
  double load(Connection &db, const std::string &table) {
    Progress progress(table, "rows", Progress::fitting(session_.out.quiet));
    db.script("CHECKPOINT");
    const double begun = seconds();
    for (std::int64_t n = 0; n < o_.events; n += o_.batch) {
      check_interrupted();
      db.exec("INSERT INTO bench." + table +
                  " (id, at, org, who, name, props) SELECT i.id, i.at, i.org, i.who, i.name, i.props FROM bench.input "
                  "AS i WHERE i.id > $1 AND i.id <= $2",
              {std::to_string(n), std::to_string(std::min(n + o_.batch, o_.events))});
      progress.at(std::min(n + o_.batch, o_.events), static_cast<double>(n) / static_cast<double>(o_.events));
    }
    const double took = seconds() - begun;
    progress.finish();
    return took;
  }

  void ingest(Connection &db) {
    const double plain = load(db, "plain"), watched = load(db, "watched"), n = static_cast<double>(o_.events);
    put("plain_rate", "inserts of " + grouped(o_.batch) + " rows, without pql", n / plain, rate_text(n / plain));
    put("watched_rate", "the same, with pql's trigger", n / watched, rate_text(n / watched));
    put("trigger_us", "the trigger, for each event", 1e6 * (watched - plain) / n,
        microseconds(1e6 * (watched - plain) / n));
  }

  static std::string microseconds(double us) {
    char text[48];
    std::snprintf(text, sizeof text, us < 100 ? "%.1f µs" : us < 10000 ? "%.0f µs" : "%.0f µs", us);
    return text;
  }

  static std::string milliseconds(double s) {
    char text[48];
    std::snprintf(text, sizeof text, 1e3 * s < 10 ? "%.2f ms" : "%.0f ms", 1e3 * s);
    return text;
  }

  void singles(Connection &db) {
    say("single inserts, a transaction each");
    std::int64_t id = o_.events;
    for (const char *name : {"plain", "watched"}) {
      std::vector<double> took;
      for (std::int64_t n = 0; n < o_.singles; n++) {
        check_interrupted();
        const double begun = seconds();
        db.exec("INSERT INTO bench." + std::string(name) +
                    " (id, at, org, who, name, props) SELECT i.id, now(), i.org, i.who, i.name, i.props FROM "
                    "bench.input AS i WHERE i.id = $1",
                {std::to_string(++id)});
        took.push_back(seconds() - begun);
      }
      const std::string key = name, what = key == "plain" ? "without pql" : "with pql's trigger";
      put(key + "_single_p50", "a single insert " + what + ", median", quantile(took, 0.5),
          milliseconds(quantile(took, 0.5)));
      put(key + "_single_p95", "the slowest of twenty", quantile(took, 0.95), milliseconds(quantile(took, 0.95)));
    }
  }

  void reads(Connection &db) {
    say("scores");
    std::vector<double> score, explain, board;
    std::int64_t subjects = 0;
    for (std::int64_t n = 0; n < o_.reads; n++) {
      check_interrupted();
      const std::string org = "org" + std::to_string(n * 104729 % o_.accounts);
      double begun = seconds();
      db.exec("SELECT pql.score('bench', $1)", {org});
      score.push_back(seconds() - begun);
      if (n % 10) continue;
      begun = seconds();
      db.exec("SELECT * FROM pql.explain('bench', $1)", {org});
      explain.push_back(seconds() - begun);
    }
    for (int n = 0; n < 3; n++) {
      const double begun = seconds();
      subjects = db.exec("SELECT count(*) FROM pql.scoreboard('bench')").integer(0, 0);
      board.push_back(seconds() - begun);
    }
    put("score_p50", "pql.score, median", quantile(score, 0.5), milliseconds(quantile(score, 0.5)));
    put("score_p95", "the slowest of twenty", quantile(score, 0.95), milliseconds(quantile(score, 0.95)));
    put("explain_p50", "pql.explain, median", quantile(explain, 0.5), milliseconds(quantile(explain, 0.5)));
    put("scoreboard_s", "pql.scoreboard of " + counted(subjects, "account", "accounts"), quantile(board, 0.5),
        milliseconds(quantile(board, 0.5)));
    put("routing_rows", "routing rows that came of it",
        static_cast<double>(db.exec("SELECT count(*) FROM pql.routing").integer(0, 0)),
        grouped(db.exec("SELECT count(*) FROM pql.routing").integer(0, 0)));
  }

  // What is kept grows with who there is, and hardly with what they do.
  void sizes(Connection &db) {
    const Result r = db.exec(
        "SELECT (SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class AS c WHERE c.relnamespace = "
        "'pql'::regnamespace AND c.relkind = 'r'"
        "          AND c.relname IN ('state', 'milestone_log', 'user_home')),"
        " pg_total_relation_size('bench.watched'), (SELECT sum(m.total_bytes) FROM pg_backend_memory_contexts AS m)");
    const double kept = r.real(0, 0), each = kept / static_cast<double>(o_.accounts);
    const double million = r.real(0, 1) * 1e6 / static_cast<double>(o_.events + o_.singles);
    put("state_bytes", "the state of " + counted(o_.accounts, "account", "accounts"), kept, size_text(kept));
    put("state_bytes_per_account", "of each", each, size_text(each));
    put("events_bytes_per_million", "the events table, for a million", million, size_text(million));
    put("session_bytes", "memory of the session that wrote and read", r.real(0, 2), size_text(r.real(0, 2)));
  }

  void show() {
    if (session_.out.json) return session_.out.document(json_);
    std::string facts;
    for (const auto &[key, value] : json_["machine"].items())
      facts += (facts.empty() ? "" : ", ") + key + " " + (value.is_string() ? value.get<std::string>() : value.dump());
    session_.out.line("pql " + json_["version"].get<std::string>() + "; " + facts);
    session_.out.line("");
    Table table({{"what", Table::Align::left}, {"measured", Table::Align::right}});
    for (const Figure &f : figures_) table.add({f.what, f.shown});
    session_.out.table(table);
  }

  struct Figure {
    std::string key, what, shown;
  };

  Session &session_;
  const Options &o_;
  std::vector<Figure> figures_;
  Json json_ = Json::object();
};

} // namespace

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(at, 1, values.size()) - 1);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

void add_bench(CLI::App &app, Session &session) {
  CLI::App *const command = app.add_subcommand(
      "bench", "Measure what pql costs on this server, in a database that is made for it and dropped");
  auto o = std::make_shared<Options>();
  command->add_option("--events", o->events, "How many events")
      ->check(CLI::Range(1000, 100000000))
      ->capture_default_str();
  command->add_option("--accounts", o->accounts, "How many accounts they are of")
      ->check(CLI::Range(1, 10000000))
      ->capture_default_str();
  command->add_option("--batch", o->batch, "Rows of an insert")->check(CLI::Range(1, 1000000))->capture_default_str();
  command->callback([&session, o] { Bench(session, *o).run(); });
}

} // namespace pql::cli
