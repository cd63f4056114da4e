#include "cli/watch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>
#include <vector>

#include <CLI/CLI.hpp>
#include <poll.h>
#include <unistd.h>

#include "cli/base/backoff.hpp"
#include "cli/base/interrupt.hpp"
#include "cli/base/rows.hpp"
#include "cli/base/terminal.hpp"
#include "cli/base/text.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"

namespace pql::cli {
namespace {

struct Options {
  std::string program, rep, since;
  double interval = 2;
  std::int64_t count = 0;
  bool story = false, changes = false;
};

// A row as it is shown; what of it changes is its state and whose it is.
constexpr const char *kColumns = "r.routing_id, r.program, r.unit, r.subject_id, r.account_id, r.score, r.motion, "
                                 "r.owner, r.state, r.blocked_by, r.headline, r.next_best_action,"
                                 " r.qualified_at, r.state_since, r.contact_after, r.contact_by, "
                                 "to_char(r.qualified_at, 'YYYY-MM-DD HH24:MI:SS') AS at,"
                                 " to_char(r.contact_by, CASE WHEN r.contact_by::date = r.qualified_at::date THEN "
                                 "'HH24:MI' ELSE 'YYYY-MM-DD HH24:MI' END) AS by";

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

class Watch {
public:
  Watch(Session &session, const Options &options) : session_(session), o_(options), random_(std::random_device{}()) {}

  void run() {
    connection_.emplace(session_.where); // the first time it must be there
    begin();
    for (;;) {
      check_interrupted();
      attempt([&] { look(); });
      if (is_done()) return;
      wait(o_.interval);
    }
  }

private:
  // Where to begin: with what qualified since an instant, or with what comes from now on.
  void begin() {
    Connection &db = *connection_;
    db.exec("SET DateStyle = 'ISO'");
    if (!o_.rep.empty() && db.exec("SELECT FROM pql.reps AS r WHERE r.rep_id = $1", {o_.rep}).rows() == 0 &&
        db.exec("SELECT FROM pql.reps LIMIT 1").rows() > 0)
      throw wrong_usage("rep \"" + o_.rep + "\" does not exist", "Table pql.reps has those who do.");
    if (!o_.program.empty() &&
        db.exec("SELECT FROM pql.program AS p WHERE p.program = $1 LIMIT 1", {o_.program}).rows() == 0)
      throw wrong_usage("program \"" + o_.program + "\" does not exist", "Table pql.program has those that do.");
    seen_.emplace(db.exec("SELECT coalesce(max(r.routing_id), 0) FROM pql.routing AS r").integer(0, 0));
    if (!o_.rep.empty()) // those that the rep has by now are no news
      for (const Result r = mine(); at_ < r.rows(); at_++) owned_.insert(r.integer(at_, 0));
    if (!o_.since.empty()) show_since();
    session_.out.remark("watching " + (o_.program.empty() ? std::string("all programs") : "program " + o_.program) +
                        (o_.rep.empty() ? "" : ", rep " + o_.rep) +
                        (input_is_terminal() && output_is_terminal()
                             ? ": Enter shows the last row's story, a number that row's, Ctrl-C ends"
                             : ""));
  }

  Result mine() {
    return connection_->exec(
        std::string("SELECT ") + kColumns +
            " FROM pql.routing AS r WHERE r.owner = $1 AND r.state <> 'disposed' AND r.state <> 'expired'"
            " AND ($2 = '' OR r.program = $2) ORDER BY r.routing_id",
        {o_.rep, o_.program});
  }

  // An interval counts from now; anything else is an instant.
  void show_since() {
    const Result from = connection_->exec("SELECT CASE WHEN $1 ~ '^\\s*[0-9.]+\\s*[a-z]' THEN statement_timestamp() - "
                                          "$1::interval ELSE $1::timestamptz END",
                                          {o_.since});
    const Result r = connection_->exec(
        std::string("SELECT ") + kColumns +
            " FROM pql.routing AS r WHERE r.qualified_at >= $1 AND r.routing_id <= $2"
            " AND ($3 = '' OR r.program = $3) AND ($4 = '' OR r.owner = $4) ORDER BY r.qualified_at, r.routing_id",
        {std::string(from.text(0, 0)), std::to_string(seen_->low()), o_.program, o_.rep});
    show_all(r, false);
  }

  void look() {
    if (o_.rep.empty()) {
      const Result r = connection_->exec(
          std::string("SELECT ") + kColumns +
              " FROM pql.routing AS r WHERE r.routing_id > $1 AND ($2 = '' OR r.program = $2) ORDER BY r.routing_id",
          {std::to_string(seen_->low()), o_.program});
      show_all(r, true);
    } else {
      const Result r = mine();
      for (int i = 0; i < r.rows() && !is_done(); i++)
        if (owned_.insert(r.integer(i, 0)).second) show(r, i, false);
    }
    seen_->pass(now());
    if (o_.changes && !is_done()) look_for_changes();
  }

  void show_all(const Result &r, bool news) {
    for (int i = 0; i < r.rows() && !is_done(); i++)
      if (!news || seen_->note(r.integer(i, 0), now())) show(r, i, false);
  }

  // Of the newest rows that were shown.
  void look_for_changes() {
    if (followed_.empty()) return;
    std::string ids = "{";
    for (const auto &[id, state] : followed_) ids += std::to_string(id) + ",";
    ids.back() = '}';
    const Result r = connection_->exec(
        std::string("SELECT ") + kColumns +
            " FROM pql.routing AS r WHERE r.routing_id = ANY ($1::bigint[]) ORDER BY r.state_since, r.routing_id",
        {ids});
    for (int i = 0; i < r.rows() && !is_done(); i++)
      if (state_of(r, i) != followed_[r.integer(i, 0)]) show(r, i, true);
  }

  static std::string state_of(const Result &r, int row) {
    return std::string(r.text(row, "state")) + " " + std::string(r.text(row, "owner"));
  }

  void show(const Result &r, int row, bool changed) {
    last_ = r.integer(row, 0);
    shown_++;
    if (o_.changes) {
      followed_[last_] = state_of(r, row);
      while (followed_.size() > 500) followed_.erase(followed_.begin());
    }
    if (session_.out.json) {
      Json line = json_row(r, row);
      line.erase("at");
      line.erase("by");
      if (o_.changes) line["changed"] = changed;
      if (o_.story) line["story"] = story_of(last_);
      return session_.out.json_line(line);
    }
    show_text(r, row, changed);
    if (o_.story) show_story(last_);
  }

  void show_text(const Result &r, int row, bool changed) {
    const Output &out = session_.out;
    const auto text = [&](std::string_view column) { return std::string(r.text(row, column)); };
    const std::string state = text("state");
    const Style style = state == "ready"                                                    ? Style::green
                        : state == "blocked" || state == "suppressed" || state == "expired" ? Style::yellow
                                                                                            : Style::blue;
    std::string line = out.styled(Style::dim, text(changed ? "state_since" : "at").substr(0, 19)) + "  " +
                       (changed ? "↻ " : "") + out.styled(Style::bold, text("subject_id")) + "  " + text("score") +
                       "  " + out.styled(style, state);
    if (const std::string by = text("blocked_by"); !by.empty()) line += " (" + by + ")";
    line += "  " + text("motion");
    if (const std::string owner = text("owner"); !owner.empty()) line += " → " + owner;
    if (const std::string by = text("by");
        !by.empty() && (state == "pending" || state == "ready" || state == "claimed" || state == "accepted"))
      line += "  by " + by;
    out.line(line +
             out.styled(Style::dim, "  #" + std::to_string(last_) + (o_.program.empty() ? " " + text("program") : "")));
    if (changed) return;
    const std::size_t width = std::max<std::size_t>(terminal_width(), 40) - 4;
    for (const std::string &l : wrapped(text("headline"), width)) out.line("    " + l);
    if (const std::string next = text("next_best_action"); !next.empty())
      for (const std::string &l : wrapped("→ " + next, width)) out.line("    " + l);
  }

  std::string story_of(std::int64_t id) {
    const Result r = connection_->exec("SELECT pql.story(r.routing_id) FROM pql.routing AS r WHERE r.routing_id = $1",
                                       {std::to_string(id)});
    return r.rows() ? std::string(r.text(0, 0)) : std::string();
  }

  void show_story(std::int64_t id) {
    const std::string story = story_of(id);
    if (story.empty()) return session_.out.remark("there is no routing row " + std::to_string(id));
    const std::size_t width = std::max<std::size_t>(terminal_width(), 40) - 4;
    for (std::size_t from = 0; from <= story.size();) {
      const std::size_t end = std::min(story.find('\n', from), story.size());
      const std::vector<std::string> lines = wrapped(std::string_view(story).substr(from, end - from), width);
      if (lines.empty()) session_.out.line("");
      for (const std::string &l : lines) session_.out.line("    " + l);
      from = end + 1;
    }
  }

  // What is typed meanwhile: a number, or just Enter, asks for a story.
  void wait(double seconds) {
    if (!input_is_terminal() || !output_is_terminal() || input_over_) {
      if (!sleep_for(seconds)) throw Interrupted();
      return;
    }
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = poll(&input, 1, static_cast<int>(seconds * 1000));
    check_interrupted();
    if (ready <= 0) return;
    char typed[256];
    const ssize_t n = read(STDIN_FILENO, typed, sizeof typed);
    check_interrupted();
    if (n <= 0) {
      input_over_ = true;
      return;
    }
    const std::string_view line = trimmed({typed, static_cast<std::size_t>(n)});
    if (line == "q") throw Interrupted();
    const std::int64_t id = line.empty() ? last_ : std::strtoll(std::string(line).c_str(), nullptr, 10);
    if (id > 0) attempt([&] { show_story(id); });
  }

  // Does it, or says that the connection is lost and has another one by the next time.
  template <class F> void attempt(F &&f) {
    for (int failures = 1;; failures++) {
      try {
        if (!connection_) {
          connection_.emplace(session_.where);
          connection_->exec("SET DateStyle = 'ISO'");
          session_.out.remark("connected again");
        }
        return f();
      } catch (const Interrupted &) {
        throw;
      } catch (const SqlError &e) { // the server goes down, or has just come up
        if (e.sqlstate().substr(0, 2) != "57" && e.sqlstate().substr(0, 2) != "08") throw;
        lose(e, failures);
      } catch (const Failure &e) {
        if (e.exit() != Exit::unreachable) throw;
        lose(e, failures);
      }
    }
  }

  void lose(const Failure &e, int failures) {
    connection_.reset();
    const double seconds = backoff_seconds(kConnectAgain, failures, std::uniform_real_distribution<double>()(random_));
    const std::string_view why = e.what();
    session_.out.remark(std::string(trimmed(why.substr(0, why.find('\n')))) + "; trying again in " +
                        span_text(seconds));
    if (!sleep_for(seconds)) throw Interrupted();
  }

  bool is_done() const noexcept { return o_.count > 0 && shown_ >= o_.count; }

  Session &session_;
  const Options &o_;
  std::optional<Connection> connection_;
  std::optional<Seen> seen_;
  std::set<std::int64_t> owned_; // of the rep who is watched
  std::map<std::int64_t, std::string> followed_;
  std::int64_t last_ = 0, shown_ = 0;
  int at_ = 0;
  bool input_over_ = false;
  std::mt19937 random_;
};

} // namespace

bool Seen::note(std::int64_t id, double now) {
  if (id <= low_ || !ids_.insert(id).second) return false;
  by_time_.emplace(now, id);
  return true;
}

void Seen::pass(double now) {
  while (!by_time_.empty() && by_time_.begin()->first <= now - seconds_) {
    low_ = std::max(low_, by_time_.begin()->second);
    by_time_.erase(by_time_.begin());
  }
  ids_.erase(ids_.begin(), ids_.upper_bound(low_));
}

void add_watch(CLI::App &app, Session &session) {
  CLI::App *const command = app.add_subcommand("watch", "Show routing rows as they come");
  auto o = std::make_shared<Options>();
  command->add_option("--program", o->program, "Only rows of this program");
  command->add_option("--rep", o->rep, "Only rows that this rep gets");
  command->add_option("--since", o->since, "Begin with those that qualified since then: '1 hour', '2026-01-31 12:00'");
  command->add_option("--interval", o->interval, "Seconds between two looks")
      ->check(CLI::Range(0.05, 3600.0))
      ->capture_default_str();
  command->add_option("--count", o->count, "End after so many rows")->check(CLI::PositiveNumber);
  command->add_flag("--changes", o->changes, "Show also when rows that were shown go to another state or owner");
  command->add_flag("--story", o->story, "Show the story of each");
  command->callback([&session, o] { Watch(session, *o).run(); });
}

} // namespace pql::cli
