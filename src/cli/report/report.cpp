#include "cli/commands.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>

#include <CLI/CLI.hpp>

#include "cli/base/rows.hpp"
#include "cli/base/text.hpp"
#include "cli/report/html.hpp"
#include "cli/session.hpp"
#include "core/stat/interval.hpp"

namespace pql::cli {
namespace {

using namespace report;

struct Options {
  std::string output = "pql-report.html", program, title;
  int weeks = 26;
};

// What the page says, read in one snapshot. $1 is the program ('' for all), $2 the first day of the first week.
constexpr const char *kSince =
    "(date_trunc('week', statement_timestamp() AT TIME ZONE 'UTC') - make_interval(weeks => $2::int - 1))::date";

struct Query {
  const char *name, *sql;
};

constexpr Query kQueries[] = {
    {"totals",
     R"(SELECT count(*) AS qualified, count(*) FILTER (WHERE o.offered) AS offered, count(h.first_touch_at) FILTER (WHERE o.offered) AS contacted,
       count(h.met_at) FILTER (WHERE o.offered) AS meetings, count(*) FILTER (WHERE h.converted AND h.final) AS mature_converted, count(*) FILTER (WHERE h.final) AS mature,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY h.hours_to_first_touch) FILTER (WHERE o.offered) AS median_hours,
       count(*) FILTER (WHERE h.promise = 'kept' AND NOT h.blocked) AS kept, count(*) FILTER (WHERE h.promise IN ('kept', 'broken') AND NOT h.blocked) AS promised,
       count(*) FILTER (WHERE h.false_positive) AS false_positives, avg(h.completeness) AS completeness, count(h.completeness) AS packets,
       count(*) FILTER (WHERE h.need_matched) AS need_matched, count(h.need_matched) AS need_answered, count(*) FILTER (WHERE h.timing_right) AS timing_right,
       count(h.timing_right) AS timing_answered, count(*) FILTER (WHERE h.context_enough) AS context_enough, count(h.context_enough) AS context_answered,
       count(DISTINCT h.program) AS programs
     FROM pql.bi_handoffs AS h CROSS JOIN LATERAL (SELECT h.for_people AND NOT h.held_out AND NOT h.blocked AS offered) AS o
     WHERE h.follows IS NULL AND ($1 = '' OR h.program = $1) AND h.week >= SINCE)"},
    {"funnel", "SELECT f.place, f.step, sum(f.handoffs)::bigint AS handoffs FROM pql.bi_funnel AS f WHERE ($1 = '' OR "
               "f.program = $1) AND f.week >= SINCE GROUP BY 1, 2 ORDER BY 1"},
    {"weeks",
     R"(SELECT w.week::date AS week, count(h.routing_id) AS qualified, count(h.first_touch_at) FILTER (WHERE h.for_people) AS contacted,
       count(*) FILTER (WHERE h.converted AND h.first_touch_at <= h.converted_at) AS converted
     FROM generate_series(SINCE::timestamp, date_trunc('week', statement_timestamp() AT TIME ZONE 'UTC'), interval '7 days') AS w(week)
       LEFT JOIN pql.bi_handoffs AS h ON h.week = w.week::date AND h.follows IS NULL AND NOT h.held_out AND ($1 = '' OR h.program = $1)
     GROUP BY 1 ORDER BY 1)"},
    {"delays",
     R"(SELECT d.place, d.delay, sum(d.handoffs)::bigint AS handoffs, sum(d.mature)::bigint AS mature, sum(d.converted)::bigint AS converted
     FROM pql.bi_delays AS d WHERE ($1 = '' OR d.program = $1) AND $2::int IS NOT NULL GROUP BY 1, 2 ORDER BY 1)"},
    {"motions",
     R"(SELECT m.program, m.motion, m.handoffs, m.touched, m.mature, m.converted, m.conversion, m.low, m.high, m.held_out, m.uplift, m.uplift_low, m.uplift_high, m.false_positives
     FROM pql.bi_motions AS m WHERE ($1 = '' OR m.program = $1) AND $2::int IS NOT NULL ORDER BY m.program, m.handoffs DESC, m.motion)"},
    {"reps",
     R"(SELECT r.rep, r.team, r.open, r.capacity, r.load, r.handoffs, r.touched, r.hours_to_first_touch, r.sla, r.meetings, r.converted FROM pql.bi_reps AS r
     WHERE $1::text IS NOT NULL AND $2::int IS NOT NULL ORDER BY r.load DESC NULLS LAST, r.open DESC, r.rep LIMIT 40)"},
    {"signals",
     R"(SELECT s.program, s.signal, s.kind, s.handoffs, s.mature, s.converted, s.conversion, s.lift, s.lift_low, s.lift_high, s.false_positives, s.verdict
     FROM pql.bi_signals AS s WHERE ($1 = '' OR s.program = $1) AND $2::int IS NOT NULL ORDER BY s.program, s.lift DESC NULLS LAST, s.signal LIMIT 40)"},
    {"blocked", R"(SELECT coalesce(r.blocked_by, r.state) AS reason, r.state, count(*) AS rows FROM pql.routing AS r
     WHERE r.state IN ('blocked', 'suppressed') AND ($1 = '' OR r.program = $1) AND r.qualified_at >= SINCE GROUP BY 1, 2 ORDER BY 3 DESC, 1 LIMIT 20)"},
    {"overdue",
     R"(SELECT i.routing_id, i.subject_id, i.program, i.motion, i.rep, i.state, to_char(i.contact_by AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS contact_by, i.score, i.headline,
       count(*) OVER () AS all_rows
     FROM pql.inbox AS i WHERE i.sla = 'broken' AND i.state IN ('ready', 'claimed', 'accepted') AND ($1 = '' OR i.program = $1) AND $2::int IS NOT NULL ORDER BY i.contact_by, i.routing_id LIMIT 20)"},
    {"now", "SELECT current_database() AS database, to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD "
            "HH24:MI') AS at, SINCE::text AS since, pql.version() AS version WHERE $1::text IS NOT NULL"},
};

using Data = std::map<std::string, Json>;

std::string with_since(std::string sql) {
  for (std::size_t at; (at = sql.find("SINCE")) != std::string::npos;) sql.replace(at, 5, kSince);
  return sql;
}

Data read(Connection &db, const Options &o) {
  if (!o.program.empty() &&
      db.exec("SELECT FROM pql.program AS p WHERE p.program = $1 LIMIT 1", {o.program}).rows() == 0)
    throw wrong_usage("program \"" + o.program + "\" does not exist", "Table pql.program has those that do.");
  Transaction snapshot(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); // so that all figures are of one moment
  db.exec("SET LOCAL DateStyle = 'ISO'");
  Data data;
  for (const Query &q : kQueries)
    data[q.name] = json_rows(db.exec(with_since(q.sql), {o.program, std::to_string(o.weeks)}));
  snapshot.commit();
  return data;
}

// --- values of rows
// -------------------------------------------------------------------------------------------------------

double real(const Json &row, const char *name) { return row[name].is_number() ? row[name].get<double>() : 0; }

// Infinite ones come as text.
std::optional<double> maybe(const Json &row, const char *name) {
  const Json &v = row[name];
  if (v.is_number()) return v.get<double>();
  if (v.is_string() && v == "Infinity") return INFINITY;
  return std::nullopt;
}

std::string text(const Json &row, const char *name) {
  return row[name].is_string() ? row[name].get<std::string>() : row[name].is_null() ? std::string() : row[name].dump();
}

std::string readable(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::optional<double> quotient(double part, double whole) {
  return whole > 0 ? std::optional(part / whole) : std::nullopt;
}

std::string of(double part, double whole) { return number(part) + " of " + number(whole); }

// The name of a row of a program's, with the program where there are several.
std::string named(const Json &row, const char *name, bool several) {
  return readable(text(row, name)) + (several ? " · " + text(row, "program") : "");
}

bool has_several_programs(const Json &rows) {
  return std::any_of(rows.begin(), rows.end(), [&](const Json &r) { return r["program"] != rows.front()["program"]; });
}

// --- sections
// -------------------------------------------------------------------------------------------------------------

std::string card(const std::string &id, const std::string &title, const std::string &lead, const std::string &body,
                 bool wide = false) {
  return "<section class=\"card" + std::string(wide ? " wide" : "") + "\" aria-labelledby=\"" + id + "\"><h2 id=\"" +
         id + "\">" + html_text(title) + "</h2><p>" + html_text(lead) + "</p>" + body + "</section>\n";
}

std::string none(const std::string &why) { return "<p class=\"none\">" + html_text(why) + "</p>"; }

std::string drawn(const std::string &drawing, const std::string &caption, const TableData &data) {
  return "<figure>" + drawing + "</figure><details><summary>The numbers</summary>" + table(caption, data) +
         "</details>";
}

std::string figure(const std::string &what, const std::string &value, const std::string &remark) {
  return "<div><dt>" + html_text(what) + "</dt><dd>" + html_text(value) + "<small>" + html_text(remark) +
         "</small></dd></div>";
}

std::string figures(const Json &t, const Json &steps, double overdue) {
  const double converted = steps.empty() ? 0 : real(steps.back(), "handoffs");
  return "<dl class=\"figures\">" +
         figure("Qualified", number(real(t, "qualified")), number(real(t, "offered")) + " offered to reps") +
         figure("Contacted", percent(quotient(real(t, "contacted"), real(t, "offered"))),
                of(real(t, "contacted"), real(t, "offered"))) +
         figure("First contact after", hours(maybe(t, "median_hours")), "median, n = " + number(real(t, "contacted"))) +
         figure("Promises kept", percent(quotient(real(t, "kept"), real(t, "promised"))),
                of(real(t, "kept"), real(t, "promised"))) +
         figure("Meetings", number(real(t, "meetings")),
                percent(quotient(real(t, "meetings"), real(t, "contacted"))) + " of those contacted") +
         figure("Converted", number(converted),
                percent(quotient(converted, real(t, "contacted"))) + " of those contacted") +
         figure("Precision", percent(quotient(real(t, "mature_converted"), real(t, "mature"))),
                of(real(t, "mature_converted"), real(t, "mature")) + " final converted") +
         figure("Overdue now", number(overdue), "promised, and not contacted") + "</dl>\n";
}

std::string funnel(const Json &rows) {
  const char *const lead = "How far hand-offs came, without those that followed another of the same episode. Each step "
                           "is of those before it.";
  if (rows.empty() || real(rows[0], "handoffs") == 0)
    return card("funnel", "From qualifying to converting", lead, none("Nobody has qualified in these weeks."));
  std::vector<Bar> bars_of;
  TableData data{{"step", "hand-offs", "of the step before", "of all"}, {}, {false, true, true, true}};
  const double all = real(rows[0], "handoffs");
  double before = all;
  for (const Json &r : rows) {
    const double n = real(r, "handoffs");
    bars_of.push_back(
        {text(r, "step"), number(n) + (&r == &rows[0] ? "" : " · " + percent(quotient(n, before))), n / all, {}});
    data.rows.push_back(
        {text(r, "step"), number(n), &r == &rows[0] ? "–" : percent(quotient(n, before)), percent(quotient(n, all))});
    before = n;
  }
  return card("funnel", "From qualifying to converting", lead,
              drawn(bars("funnel", "Funnel of hand-offs", "Bars, one for each step: how many hand-offs came that far.",
                         bars_of),
                    "Funnel of hand-offs", data));
}

std::string weeks(const Json &rows) {
  double most = 0;
  for (const Json &r : rows) most = std::max({most, real(r, "qualified"), real(r, "contacted"), real(r, "converted")});
  const char *const lead = "By the week (from Monday, UTC) in which they qualified, without those held out. The last "
                           "weeks' may still convert.";
  if (most == 0) return card("weeks", "Week by week", lead, none("Nobody has qualified in these weeks."), true);
  std::vector<Column> all;
  TableData data{{"week", "qualified", "contacted", "converted after contact"}, {}, {false, true, true, true}};
  for (const Json &r : rows) {
    all.push_back(
        {text(r, "week"), {real(r, "qualified") / most, real(r, "contacted") / most, real(r, "converted") / most}});
    data.rows.push_back(
        {text(r, "week"), number(real(r, "qualified")), number(real(r, "contacted")), number(real(r, "converted"))});
  }
  return card("weeks", "Week by week", lead,
              legend({"qualified", "contacted", "converted after contact"}) +
                  drawn(columns("weeks", "Hand-offs by week",
                                "Columns, one for each week: those who qualified, in them those who were contacted, "
                                "and in them those who converted.",
                                all, number(most)),
                        "Hand-offs by week", data),
              true);
}

std::string delays(const Json &rows) {
  const char *const lead = "Conversion by the time until somebody reached out, with 95 % intervals; of all hand-offs "
                           "that are final, since the beginning.";
  const bool some = std::any_of(rows.begin(), rows.end(), [](const Json &r) { return real(r, "handoffs") > 0; });
  if (!some) return card("delays", "Time to first touch", lead, none("Nobody has been contacted yet."));
  std::vector<Span> all;
  TableData data{{"first contact", "hand-offs", "final", "converted", "conversion", "from", "to"},
                 {},
                 {false, true, true, true, true, true, true}};
  for (const Json &r : rows) {
    const Estimate e =
        share({static_cast<std::int64_t>(real(r, "converted")), static_cast<std::int64_t>(real(r, "mature"))}, 0.95);
    all.push_back({text(r, "delay"),
                   real(r, "mature") > 0 ? percent(e.value) + ", n = " + number(real(r, "mature")) : "n = 0", e.value,
                   e.low, e.high, text(r, "delay") == "never" ? "quiet" : ""});
    data.rows.push_back({text(r, "delay"), number(real(r, "handoffs")), number(real(r, "mature")),
                         number(real(r, "converted")), percent(e.value), percent(e.low), percent(e.high)});
  }
  return card("delays", "Time to first touch", lead,
              drawn(spans("delays", "Conversion by time to first contact",
                          "One line for each span of time: the share that converted, as a dot, and its interval. From "
                          "0 at the left to 100 % at the right.",
                          all, std::nullopt, ""),
                    "Conversion by time to first contact", data));
}

std::string motions(const Json &rows) {
  const char *const lead = "Conversion of final hand-offs by what was to happen, with 95 % intervals; uplift is "
                           "against those held out. Since the beginning.";
  if (rows.empty()) return card("motions", "By motion", lead, none("No hand-off yet."));
  const bool several = has_several_programs(rows);
  std::vector<Span> all;
  TableData data{{"motion", "hand-offs", "contacted", "final", "conversion", "from", "to", "held out", "uplift",
                  "false positives"},
                 {},
                 {false, true, true, true, true, true, true, true, true, true}};
  for (const Json &r : rows) {
    all.push_back({named(r, "motion", several),
                   percent(maybe(r, "conversion")) + ", n = " + number(real(r, "mature")),
                   maybe(r, "conversion"),
                   real(r, "low"),
                   real(r, "high"),
                   {}});
    data.rows.push_back({named(r, "motion", several), number(real(r, "handoffs")), number(real(r, "touched")),
                         number(real(r, "mature")), percent(maybe(r, "conversion")), percent(maybe(r, "low")),
                         percent(maybe(r, "high")), number(real(r, "held_out")), percent(maybe(r, "uplift")),
                         number(real(r, "false_positives"))});
  }
  return card("motions", "By motion", lead,
              drawn(spans("motions", "Conversion by motion",
                          "One line for each motion: the share that converted, as a dot, and its interval. From 0 at "
                          "the left to 100 % at the right.",
                          all, std::nullopt, ""),
                    "Conversion by motion", data));
}

std::string reps(const Json &rows) {
  const char *const lead = "Open hand-offs by capacity, now; what became of all of theirs, in the table.";
  if (rows.empty()) return card("reps", "Reps", lead, none("There are no reps: rows have no owner."));
  double most = 1;
  for (const Json &r : rows) most = std::max({most, real(r, "open"), real(r, "capacity")});
  std::vector<Bar> all;
  TableData data{{"rep", "team", "open", "capacity", "hand-offs", "contacted", "hours to first contact",
                  "promises kept", "meetings", "converted"},
                 {},
                 {false, false, true, true, true, true, true, true, true, true}};
  for (const Json &r : rows) {
    const std::optional<double> capacity = maybe(r, "capacity"), load = maybe(r, "load");
    all.push_back({text(r, "rep"), number(real(r, "open")) + (capacity ? " of " + number(*capacity) : ", no limit"),
                   load ? *load : real(r, "open") / most, load && *load >= 0.9 ? "bad" : ""});
    data.rows.push_back({text(r, "rep"), text(r, "team"), number(real(r, "open")), capacity ? number(*capacity) : "–",
                         number(real(r, "handoffs")), number(real(r, "touched")),
                         decimal(maybe(r, "hours_to_first_touch")), percent(maybe(r, "sla")),
                         number(real(r, "meetings")), number(real(r, "converted"))});
  }
  return card("reps", "Reps", lead,
              drawn(bars("reps", "Open hand-offs by capacity",
                         "Bars, one for each rep: how much of their capacity is taken.", all),
                    "Reps", data));
}

// Lifts from a quarter to four, by their logarithm: 1 is in the middle.
double place_of_lift(double lift) {
  if (!(lift > 0)) return 0;
  return std::isinf(lift) ? 1 : std::clamp(0.5 + std::log2(lift) / 4, 0.0, 1.0);
}

std::string signals(const Json &rows) {
  const char *const lead = "How many times likelier those with the signal are to convert than those without it, with "
                           "95 % intervals; final hand-offs since the beginning.";
  if (rows.empty()) return card("signals", "Signals", lead, none("No hand-off is final yet."));
  const bool several = has_several_programs(rows);
  std::vector<Span> all;
  TableData data{
      {"signal", "kind", "hand-offs", "final", "conversion", "lift", "from", "to", "false positives", "verdict"},
      {},
      {false, false, true, true, true, true, true, true, true, false}};
  for (const Json &r : rows) {
    const std::optional<double> lift = maybe(r, "lift"), low = maybe(r, "lift_low"), high = maybe(r, "lift_high");
    const std::string verdict = text(r, "verdict");
    const std::string kind = verdict == "tells of conversion" ? "good"
                             : verdict == "tells against it"  ? "bad"
                                                              : "quiet";
    all.push_back({named(r, "signal", several), decimal(lift, 2) + " ×, n = " + number(real(r, "mature")),
                   lift ? std::optional(place_of_lift(*lift)) : std::nullopt, place_of_lift(low.value_or(0)),
                   high ? place_of_lift(*high) : 1, kind});
    data.rows.push_back({named(r, "signal", several), text(r, "kind"), number(real(r, "handoffs")),
                         number(real(r, "mature")), percent(maybe(r, "conversion")), decimal(lift, 2), decimal(low, 2),
                         decimal(high, 2), number(real(r, "false_positives")), verdict});
  }
  return card("signals", "Signals", lead,
              drawn(spans("signals", "Lift by signal",
                          "One line for each signal: the lift, as a dot, and its interval, on a scale from a quarter "
                          "at the left to four times at the right.",
                          all, 0.5, "no difference (1 ×)"),
                    "Lift by signal", data));
}

// The three things that a good hand-off does (S1-16): it keeps the context, it is the right motion, and it comes at the
// right moment.
std::string quality(const Json &t) {
  const char *const lead =
      "What reps answered: a hand-off keeps the context, matches the need, and comes at the right moment.";
  const struct {
    const char *label, *part, *whole;
  } answers[] = {{"the context was enough", "context_enough", "context_answered"},
                 {"the need was matched", "need_matched", "need_answered"},
                 {"the timing was right", "timing_right", "timing_answered"}};
  std::vector<Bar> all;
  TableData data{{"answer", "yes", "answered", "share"}, {}, {false, true, true, true}};
  double answered = real(t, "packets");
  if (t["completeness"].is_number())
    all.push_back({"packets are complete",
                   percent(maybe(t, "completeness")) + " on average, n = " + number(real(t, "packets")),
                   real(t, "completeness"),
                   {}});
  for (const auto &a : answers) {
    const double yes = real(t, a.part), n = real(t, a.whole);
    answered += n;
    all.push_back({a.label, percent(quotient(yes, n)) + ", n = " + number(n), n > 0 ? yes / n : 0, {}});
    data.rows.push_back({a.label, number(yes), number(n), percent(quotient(yes, n))});
  }
  if (answered == 0) return card("quality", "Quality of hand-offs", lead, none("Nobody has answered yet."));
  return card("quality", "Quality of hand-offs", lead,
              drawn(bars("quality", "Quality of hand-offs",
                         "Bars: the share of answers that were yes, and how complete packets are.", all),
                    "What reps answered", data));
}

std::string blocked(const Json &rows) {
  const char *const lead = "Who qualified in these weeks and is not to be contacted, and why. Blocked ones may pass; "
                           "suppressed ones are final.";
  if (rows.empty()) return card("blocked", "Blocked", lead, none("Nobody is blocked."));
  double most = 1;
  for (const Json &r : rows) most = std::max(most, real(r, "rows"));
  std::vector<Bar> all;
  TableData data{{"reason", "state", "hand-offs"}, {}, {false, false, true}};
  for (const Json &r : rows) {
    all.push_back(
        {text(r, "reason") + " (" + text(r, "state") + ")", number(real(r, "rows")), real(r, "rows") / most, "quiet"});
    data.rows.push_back({text(r, "reason"), text(r, "state"), number(real(r, "rows"))});
  }
  return card("blocked", "Blocked", lead,
              drawn(bars("blocked", "Blocked hand-offs by reason",
                         "Bars, one for each reason: how many it keeps from being worked.", all),
                    "Blocked hand-offs by reason", data));
}

std::string overdue(const Json &rows, double count) {
  const std::string lead = count == 0
                               ? "Hand-offs whose promise is broken, and that nobody has touched."
                               : "Hand-offs whose promise is broken, and that nobody has touched: " + number(count) +
                                     (count > static_cast<double>(rows.size()) ? ", the oldest here." : ".");
  if (rows.empty()) return card("overdue", "Overdue now", lead, none("Nothing is overdue."), true);
  TableData data{{"subject", "contact by (UTC)", "rep", "motion", "state", "score", "why"},
                 {},
                 {false, false, false, false, false, true, false}};
  for (const Json &r : rows)
    data.rows.push_back({text(r, "subject_id"), text(r, "contact_by"), r["rep"].is_null() ? "nobody's" : text(r, "rep"),
                         readable(text(r, "motion")), text(r, "state"), number(real(r, "score")), text(r, "headline")});
  return card("overdue", "Overdue now", lead, table("Overdue hand-offs, the oldest first", data), true);
}

std::string made_of(const Data &data, const Options &o) {
  const auto rows = [&](const char *name) -> const Json & { return data.at(name); };
  const Json &now = rows("now")[0], &totals = rows("totals")[0];
  const double late = rows("overdue").empty() ? 0 : real(rows("overdue")[0], "all_rows");
  const std::string title =
      !o.title.empty() ? o.title
                       : "Product-led sales: " + (o.program.empty() ? text(now, "database") : readable(o.program));
  std::string body =
      "<header><h1>" + html_text(title) + "</h1><p>" +
      html_text(std::to_string(o.weeks) + (o.weeks == 1 ? " week" : " weeks") + ", from " + text(now, "since") +
                " to " + text(now, "at") + " UTC; database " + text(now, "database") +
                (o.program.empty() ? ", all programs" : ", program " + o.program)) +
      "</p></header>\n";
  const auto stack = [](const std::string &cards) { return "<div class=\"stack\">\n" + cards + "</div>\n"; };
  body += figures(totals, rows("funnel"), late) + "<div class=\"grid\">\n" + weeks(rows("weeks")) +
          stack(funnel(rows("funnel")) + motions(rows("motions")) + reps(rows("reps")) + blocked(rows("blocked"))) +
          stack(delays(rows("delays")) + signals(rows("signals")) + quality(totals)) + overdue(rows("overdue"), late) +
          "</div>\n<footer><p>" +
          html_text("Made by pqlctl report from the views pql.bi_*, as of one moment; pql " + text(now, "version") +
                    ". Contacted are those whom somebody reached; final are those whose horizon has passed.") +
          "</p></footer>\n";
  return page(title, body);
}

void write(const std::string &path, const std::string &contents) {
  if (path == "-") {
    if (std::fwrite(contents.data(), 1, contents.size(), stdout) != contents.size() || std::fflush(stdout) != 0)
      throw wrong_usage("the page can't be written");
    return;
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << contents;
  file.close();
  if (!file)
    throw wrong_usage("file " + path + " can't be written", "Say another with --output, or - for standard output.");
}

void run(Session &session, const Options &o) {
  const Data data = read(session.connection(), o);
  if (session.out.json) {
    Json all = Json::object();
    for (const Query &q : kQueries) all[q.name] = data.at(q.name);
    return session.out.document(all);
  }
  const std::string html = made_of(data, o);
  write(o.output, html);
  if (o.output != "-") session.out.remark("wrote " + o.output + ", " + size_text(static_cast<double>(html.size())));
}

} // namespace

void add_report(CLI::App &app, Session &session) {
  CLI::App *const command = app.add_subcommand("report", "Write the life of hand-offs as one page of HTML");
  auto o = std::make_shared<Options>();
  command->add_option("-o,--output", o->output, "The file; - for standard output")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_option("--program", o->program, "Only hand-offs of this program");
  command->add_option("--weeks", o->weeks, "How many weeks, with this one")
      ->check(CLI::Range(1, 520))
      ->capture_default_str();
  command->add_option("--title", o->title, "The heading");
  command->callback([&session, o] { run(session, *o); });
}

} // namespace pql::cli
