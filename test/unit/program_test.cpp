// Tests of the program document's parser, and of the schema that describes the same document.
// Law: every mistake is reported at its path, in one pass, and nothing makes the parser throw.
// covers: S1-6, S2-10, S2-11, S2u-2, S2u-3
#include "core/program/trackers.hpp"
#include "core/program/write.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pql {

void PrintTo(const Change &c, std::ostream *out) { *out << c.path << ": " << c.change; }
void PrintTo(const Problem &p, std::ostream *out) { *out << p.path << ": " << p.problem << " (" << p.hint << ")"; }

namespace {

using nlohmann::ordered_json;

// The smallest document that is right.
ordered_json minimal() {
  return ordered_json::parse(R"({
    "program": "trial", "unit": "user",
    "signals": {"calls": {"kind": "depth", "event": "api_call", "half_life": "7 days", "max_points": 20}},
    "qualify": {"enter": 10}})");
}

// One that uses every key that has been served from the beginning.
constexpr char kFull[] = R"({
  "program": "workspace_expansion", "unit": "account", "objective": "expansion", "description": "Bigger workspaces",
  "milestones": {"signed_up": {"event": "signup"},
                 "invited": {"event": "invite_sent", "where": "(props->>'count')::int >= 2"}},
  "activation": {"steps": ["signed_up", "invited"], "order": "any_order", "within": "14 days"},
  "signals": {
    "zeal": {"kind": "activation", "milestone": "activation_complete", "max_points": 20},
    "invited": {"kind": "breadth", "milestone": "invited", "max_points": 5, "may_score": false},
    "calls": {"kind": "depth", "event": "api_call", "where": "ok", "measure": "sum", "of": "units", "half_life": "1.5 days",
              "points_each": 0.5, "max_points": 20},
    "errors": {"kind": "risk", "event": "error", "measure": "count", "half_life": "1 hour", "saturates_at": 50, "max_points": 1},
    "icp": {"kind": "fit", "event": "enriched", "half_life": "36525 days", "half_saturation": 3, "max_points": 1000},
    "sso": {"kind": "intent", "event": "sso_requested", "half_life": "2 weeks", "max_points": 25, "why": "enterprise only",
            "owner": "sales", "false_positive_risk": "low", "may_score": true, "may_show_rep": false, "may_mention": false}},
  "qualify": {"enter": 70, "leave": 55},
  "motions": [{"otherwise": true, "motion": "enterprise", "after": "30 minutes", "by": "3 days",
               "next_best_action": "Offer a call"}]})";

// One that uses every key of the language, and every measure.
constexpr char kWhole[] = R"({
  "program": "workspace_expansion", "unit": "account", "objective": "expansion", "description": "Bigger workspaces",
  "segment": "attr.plan in ('free', 'team') and attr.employees between 20 and 2000",
  "milestones": {"signed_up": {"event": "signup"}, "integrated": {"event": "integration_activated", "where": "props ? 'kind'"},
                 "invited": {"event": "invite_sent", "where": "(props->>'count')::int >= 2"}},
  "activation": {"steps": ["signed_up", "integrated", "invited"], "order": "any_order", "within": "14 days"},
  "measures": {
    "usage_value": {"event": "api_call", "measure": "sum", "of": "(props->>'units')::float8", "window": "30 days", "cap": 1e6},
    "seat_count": {"value": "attr.seats", "cap": 500},
    "success": {"measure": "success_rate", "event": "deploy", "success": "props->>'ok' = 'true'", "where": "true", "window": "7 days"},
    "units_growth": {"measure": "growth", "of": "sum", "sum_of": "(props->>'units')::float8", "event": "api_call", "window": "28 days"},
    "hours_growth": {"measure": "growth", "of": "time_in_product", "gap": "1 hour", "window": "7 days"},
    "quiet": {"measure": "recency"}, "zeal": {"measure": "streak", "event": "api_call"},
    "hours": {"measure": "time_in_product", "window": "7 days"}, "named": {"measure": "flag"}, "done": {"measure": "activation"},
    "busy_days": {"measure": "active_days", "window": "28 days"}},
  "signals": {
    "activated": {"kind": "activation", "milestone": "activation_complete", "max_points": 20, "half_life": "90 days"},
    "invited": {"kind": "breadth", "milestone": "invited", "window": "30 days", "max_points": 5, "may_score": false},
    "api_calls": {"kind": "depth", "event": "api_call", "half_life": "7 days", "saturates_at": 50, "max_points": 20},
    "demos": {"kind": "intent", "event": "demo_viewed", "repeat": "once", "half_life": "7 days", "max_points": 5, "explicit": true},
    "work": {"kind": "depth", "event": "*", "where": "true", "repeat": "per_day", "window": "28 days", "half_saturation": 5,
             "max_points": 10},
    "limits_hit": {"kind": "intent", "event": "limit_reached", "repeat": "capped", "cap": 3, "window": "7 days", "points_each": 2,
                   "max_points": 6},
    "teammates": {"kind": "breadth", "measure": "distinct_users", "window": "7 days", "points_each": 4, "max_points": 20},
    "seat_growth": {"kind": "breadth", "measure": "growth", "of": "distinct_users", "window": "28 days", "over": 0.5, "max_points": 10},
    "rollout": {"kind": "intent", "measure": "pattern", "all_of": ["admin_setup", "integrated", "invited"], "within": "72 hours",
                "max_points": 15, "contact": {"after": "1 working day", "by": "2 days"}},
    "path": {"kind": "intent", "sequence": ["pricing_viewed", "checkout_opened"], "within": "1 day", "half_life": "7 days",
             "max_points": 5},
    "procurement": {"kind": "intent", "topic": "enterprise_procurement", "half_life": "30 days", "max_points": 25},
    "referral": {"kind": "intent", "flag": true, "max_points": 30},
    "icp": {"kind": "fit", "value": "case when attr.employees > 50 then 15 else 0 end", "max_points": 15},
    "asleep": {"kind": "risk", "measure": "recency", "event": "api_call", "over": 14, "max_points": -20},
    "failing": {"kind": "risk", "event": "error", "measure": "count", "window": "1 hour", "max_points": 0, "why": "it fails",
                "owner": "support", "false_positive_risk": "high", "may_show_rep": false, "may_mention": false}},
  "qualify": {"enter": 70, "leave": 55, "dwell": "1 day", "cool_down": "30 days", "min_kinds": 2, "required_kinds": ["intent", "depth"],
              "when": "usage_value > 100 and seat_count < 5", "at_least": {"count": 2, "of": ["attr.a", "attr.b", "attr.c"]},
              "capacity": true},
  "motions": [{"when": "signal.failing > 5", "motion": "customer_success", "after": "0", "by": "4 hours",
               "on_breach": "escalate", "escalate_to": {"rep": "max"}},
              {"when": "signal.procurement > 0", "motion": "enterprise", "next_best_action": "Offer a call", "skills": ["security", "SSO"],
               "after": "90 working minutes", "by": "3 working days", "when_nobody": "downgrade", "downgrade_to": "email",
               "channel": "phone",
               "play": {"say": "Thank them for the rollout.", "never": ["Discounts.", "Discovery questions."]},
               "accept_when": "attr.seats > 5", "accept_because": "five seats",
               "hold": {"session": "30 minutes", "activation": "1 day"},
               "not_within": [{"milestone": "integrated", "for": "3 days"}, {"milestone": "invited", "for": "12 hours"}],
               "on_breach": "escalate", "escalate_to": {"team": "leads"}},
              {"otherwise": true, "motion": "account_executive", "after": "1 day", "by": "3 days",
               "on_breach": "escalate", "escalate_to": {"skill": "closing"}, "offer": "a 10-minute setup call", "floor": 0.6}],
  "guardrails": [{"block_when": "attr.employees < 10 and kind.intent < 30", "reason": "tiny account"},
                 {"block_when": "attr.open_deal", "reason": "open deal"}],
  "quiet_hours": {"zone": "attr.timezone", "default_zone": "Europe/Berlin", "hours": ["21:00-08:00"],
                  "days": {"mon": ["08:00-09:00"], "tue": ["12:00-13:00"], "wed": ["12:00-13:00"], "thu": ["12:00-13:00"],
                           "fri": ["17:00-24:00"], "sat": ["00:00-24:00"], "sun": ["00:00-24:00", "21:00-23:00"]}},
  "known": {"team size": {"value": "attr.seats", "may_mention": true}, "CRM": "attr.crm"},
  "outreach": {"may_mention": ["attr.company", "attr.seats", "attr.renews_at"], "stop": {"unanswered": 2, "pause": "4 days", "most": 3, "per": "28 days"},
    "templates": {
      "invite": {"motion": ["enterprise", "email"], "channel": "email", "language": "de", "subject": "Hilfe beim Einladen",
        "body": "Hallo {{company}},\n\nbei etwa {{seats}} Plätzen lohnt sich {{next}}: {{open}}. Der Vertrag läuft noch {{left}}, bis {{until}}.\n\n{{ask}}\n\n{{opt_out}}",
        "ask": "Passen zehn Minuten am Dienstag?", "opt_out": "Ein kurzes Nein genügt.",
        "variables": {"company": {"type": "text", "from": "attr.company", "default": "Team"}, "seats": {"type": "number", "from": "attr.seats"},
          "next": {"type": "text", "from": "activation.next", "say": {"signed_up": "die Anmeldung", "integrated": "die Anbindung", "invited": "das Einladen"}},
          "open": {"type": "list", "from": "activation.skipped", "say": {"signed_up": "anmelden", "integrated": "anbinden", "invited": "einladen"}},
          "left": {"type": "until", "from": "attr.renews_at"}, "until": {"type": "date", "from": "attr.renews_at"}}},
      "hello": {"motion": "account_executive", "body": "I can help with {{topic}} and {{start}}. We offer {{offer}}.\n\n{{ask}}", "ask": "Is that useful?",
        "variables": {"topic": {"type": "text", "from": "signal.seat_growth", "say": "seats"}, "start": {"type": "text", "from": "milestone.signed_up", "say": "your first project"},
                      "offer": {"type": "text", "from": "offer", "default": "an audit"}}}}},
  "examples": [{"subject": "acme", "expect": "enterprise"}, {"subject": "tiny", "expect": "not_qualified"}],
  "outcome": {"converted": ["paid", "renewed"], "lost": ["churned", "cancelled"], "horizon": "60 days",
              "worked": {"touches": 5, "kinds": 3, "channels": ["phone", "email", "chat"], "meeting": false}},
  "holdout": 0.1, "holdout_exempt": ["explicit_requests"], "consent": "opt_in", "limits": {"min_days_between_versions": 14}, "re_evaluate": "30 minutes"})";

ParsedProgram parse(const ordered_json &document) { return parse_program(document.dump(), Served::all); }

// Style of every message, whatever the document.
void check_style(const std::vector<Problem> &problems) {
  for (const Problem &p : problems) {
    ASSERT_FALSE(p.problem.empty()) << p.path;
    EXPECT_NE(p.problem.back(), '.') << p.problem;
    EXPECT_FALSE(std::isupper(static_cast<unsigned char>(p.problem[0]))) << p.problem;
    if (p.hint.empty()) continue;
    EXPECT_EQ(p.hint.back(), '.') << p.hint;
    EXPECT_FALSE(std::islower(static_cast<unsigned char>(p.hint[0]))) << p.hint;
    EXPECT_LT(p.path.size() + p.problem.size() + p.hint.size(), 6'000u);
  }
}

void expect_right(const ordered_json &document) {
  const ParsedProgram r = parse(document);
  EXPECT_EQ(r.problems, std::vector<Problem>{}) << document.dump(1);
}

// Exactly one problem; its hint is checked by the parts that are given.
void expect_text_problem(std::string_view text, std::string_view path, std::string_view problem,
                         std::string_view hint = {}) {
  const ParsedProgram r = parse_program(text, Served::all);
  check_style(r.problems);
  ASSERT_EQ(r.problems.size(), 1u) << text.substr(0, 500) << "\n" << testing::PrintToString(r.problems);
  EXPECT_EQ(r.problems[0].path, path) << text.substr(0, 500);
  EXPECT_EQ(r.problems[0].problem, problem) << text.substr(0, 500);
  EXPECT_NE(r.problems[0].hint.find(hint), std::string::npos) << r.problems[0].hint;
}

void expect_problem(const ordered_json &document, std::string_view path, std::string_view problem,
                    std::string_view hint = {}) {
  expect_text_problem(document.dump(), path, problem, hint);
}

std::vector<std::string> paths(const ParsedProgram &r) {
  std::vector<std::string> all;
  for (const Problem &p : r.problems) all.push_back(p.path);
  return all;
}

// The minimal document with a signal's key set.
ordered_json with_signal(const char *key, ordered_json value) {
  ordered_json d = minimal();
  d["signals"]["calls"][key] = std::move(value);
  return d;
}

// The minimal document on accounts with one more signal, or one measure.
ordered_json with_other(const char *text) {
  ordered_json d = minimal();
  d["unit"] = "account";
  d["signals"]["other"] = ordered_json::parse(text);
  return d;
}

ordered_json with_measure(const char *text) {
  ordered_json d = minimal();
  d["unit"] = "account";
  d["measures"]["m"] = ordered_json::parse(text);
  return d;
}

ordered_json with_milestones() {
  ordered_json d = minimal();
  d["milestones"] = {{"signed_up", {{"event", "signup"}}}, {"invited", {{"event", "invite_sent"}}}};
  d["activation"] = {{"steps", {"signed_up", "invited"}}, {"within", "14 days"}};
  return d;
}

ordered_json with_motion(ordered_json motion) {
  ordered_json d = minimal();
  d["motions"] = ordered_json::array({std::move(motion)});
  return d;
}

TEST(Program, ReadsTheSmallestDocument) {
  const ParsedProgram r = parse(minimal());
  ASSERT_EQ(r.problems, std::vector<Problem>{});
  const ProgramDef &p = r.program;
  EXPECT_EQ(p.name, "trial");
  EXPECT_EQ(p.unit, Unit::user);
  EXPECT_EQ(p.objective, "conversion");
  EXPECT_TRUE(p.description.empty());
  EXPECT_TRUE(p.milestones.empty());
  EXPECT_FALSE(p.activation.has_value());
  ASSERT_EQ(p.signals.size(), 1u);
  EXPECT_EQ(p.signals[0].kind, Kind::depth);
  EXPECT_EQ(p.signals[0].measure, Measure::count);
  EXPECT_EQ(p.signals[0].half_life, 7 * kDay);
  EXPECT_EQ(p.signals[0].saturates_at, 1);
  EXPECT_TRUE(p.signals[0].may_score && p.signals[0].may_show_rep && p.signals[0].may_mention);
  EXPECT_EQ(p.qualify.enter, 10);
  EXPECT_EQ(p.qualify.leave, 10);
  EXPECT_EQ(p.motions, (std::vector<MotionDef>{{}}));
  EXPECT_EQ(p.motions[0].motion, "account_executive");
}

TEST(Program, ReadsEveryKey) {
  const ParsedProgram r = parse_program(kFull, Served::all);
  ASSERT_EQ(r.problems, std::vector<Problem>{});
  const ProgramDef &p = r.program;
  EXPECT_EQ(p.unit, Unit::account);
  EXPECT_EQ(p.objective, "expansion");
  EXPECT_EQ(p.description, "Bigger workspaces");
  const std::vector<MilestoneDef> milestones = {{"signed_up", "signup", ""},
                                                {"invited", "invite_sent", "(props->>'count')::int >= 2"}};
  EXPECT_EQ(p.milestones, milestones);
  EXPECT_EQ(p.activation, (ActivationDef{{"signed_up", "invited"}, false, 14 * kDay}));
  ASSERT_EQ(p.signals.size(), 6u);
  EXPECT_EQ(p.signals[0].name, "zeal"); // the document's order decides ties, so it is kept
  EXPECT_EQ(p.signals[0].measure, Measure::activation);
  EXPECT_TRUE(p.signals[0].milestone.empty());
  EXPECT_EQ(p.signals[1].measure, Measure::milestone);
  EXPECT_EQ(p.signals[1].milestone, "invited");
  EXPECT_FALSE(p.signals[1].may_score);
  const SignalDef &calls = p.signals[2];
  EXPECT_EQ(calls.measure, Measure::sum);
  EXPECT_EQ(calls.event, "api_call");
  EXPECT_EQ(calls.where, "ok");
  EXPECT_EQ(calls.of, "units");
  EXPECT_EQ(calls.half_life, 36 * kHour);
  EXPECT_EQ(calls.points_each, 0.5);
  EXPECT_EQ(calls.saturates_at, 0);
  EXPECT_EQ(p.signals[3].kind, Kind::risk);
  EXPECT_EQ(p.signals[3].saturates_at, 50);
  EXPECT_EQ(p.signals[4].kind, Kind::fit);
  EXPECT_EQ(p.signals[4].half_life, kMaxHalfLife);
  EXPECT_EQ(p.signals[4].half_saturation, 3);
  EXPECT_EQ(p.signals[4].max_points, 1'000);
  const SignalDef &sso = p.signals[5];
  EXPECT_EQ(sso.why, "enterprise only");
  EXPECT_EQ(sso.owner, "sales");
  EXPECT_EQ(sso.false_positive_risk, "low");
  EXPECT_TRUE(sso.may_score);
  EXPECT_FALSE(sso.may_show_rep);
  EXPECT_FALSE(sso.may_mention);
  EXPECT_EQ(p.qualify.enter, 70);
  EXPECT_EQ(p.qualify.leave, 55);
  EXPECT_EQ(p.motions, (std::vector<MotionDef>{{"", "enterprise", 30 * kMinute, 3 * kDay, "Offer a call", {}}}));
}

TEST(Program, FindsMilestonesByName) {
  const ParsedProgram r = parse_program(kFull);
  ASSERT_NE(r.program.milestone("invited"), nullptr);
  EXPECT_EQ(r.program.milestone("invited")->event, "invite_sent");
  EXPECT_EQ(r.program.milestone("nothing"), nullptr);
  EXPECT_EQ(r.program.milestone(""), nullptr);
}

TEST(Program, NamesItsWords) {
  EXPECT_EQ(name_of(Unit::user), "user");
  EXPECT_EQ(name_of(Unit::account), "account");
  EXPECT_EQ(name_of(Kind::activation), "activation");
  EXPECT_EQ(name_of(Kind::risk), "risk");
  EXPECT_EQ(name_of(Measure::count), "count");
  EXPECT_EQ(name_of(Measure::activation), "activation");
}

TEST(Program, RefusesWhatIsNoDocument) {
  for (auto text : {"", " \n\t"}) expect_text_problem(std::string_view(text), "", "document is empty", "JSON object");
  expect_text_problem(std::string_view("null"), "", "document must be an object, not null");
  expect_text_problem(std::string_view("[]"), "", "document must be an object, not an array");
  expect_text_problem(std::string_view("\"program\""), "", "document must be an object, not a string");
  expect_text_problem(std::string_view("7"), "", "document must be an object, not a number");
  expect_text_problem(std::string_view("true"), "", "document must be an object, not a boolean");
  expect_text_problem(std::string_view("{\n \"a\": }"), "", "document is not valid JSON (line 2, column 7)",
                      "Unexpected '}'");
  expect_text_problem(std::string_view("{\"a\": 1} x"), "", "document is not valid JSON (line 1, column 10)",
                      "Invalid literal");
  expect_text_problem(std::string_view("{\"a\": 1e999}"), "", "document is not valid JSON (line 1, column 11)",
                      "out of range");
}

TEST(Program, RefusesGarbage) {
  using namespace std::string_view_literals;
  for (auto text : {"{"sv, "}"sv, "{\"a\""sv, "{\"a\":1,}"sv, "\xff\xfe{}"sv, "{\"\xc3\x28\": 1}"sv, "{} \0"sv, "\0"sv,
                    "{\"a\": \"\\ud800\"}"sv, "{'program': 1}"sv, "// no\n{}"sv, "{\"a\": NaN}"sv, "{\"a\": 01}"sv,
                    "\x00\x01\x02\xff"sv}) {
    const ParsedProgram r = parse_program(text);
    check_style(r.problems);
    ASSERT_EQ(r.problems.size(), 1u) << text;
    EXPECT_EQ(r.problems[0].path, "");
    EXPECT_EQ(r.problems[0].problem.find("document is not valid JSON (line "), 0u) << r.problems[0].problem;
    for (const char c : r.problems[0].hint) EXPECT_TRUE(c >= ' ' && c <= '~') << text; // nothing of what was read
  }
}

TEST(Program, BoundsSize) {
  std::string text = minimal().dump();
  text.append(kMaxDocument - text.size(), ' ');
  EXPECT_EQ(parse_program(text).problems, std::vector<Problem>{});
  text += ' ';
  expect_text_problem(std::string_view(text), "", "document is larger than 1048576 bytes", "1048577");
  expect_text_problem("{\"a\": [" + std::string(20'000, '1') + "]}", "",
                      "document is not valid JSON (line 1, column 20007)", "range");
  std::string many = "{\"a\": [0";
  for (int i = 0; i < 20'000; i++) many += ",0";
  expect_text_problem(many + "]}", "", "document has more than 20000 values");
}

TEST(Program, BoundsDepth) {
  ordered_json deep = 1;
  for (int i = 1; i < kMaxDepth; i++) deep = ordered_json::array({deep});
  ordered_json d = minimal();
  d["examples"] = deep;
  expect_problem(d, "examples[0]", "must be an object, not an array");
  d["examples"] = ordered_json::array({deep});
  expect_problem(d, "", "document is nested more than 32 levels deep");
  expect_text_problem(std::string(1'000'000, '['), "", "document is nested more than 32 levels deep");
}

TEST(Program, BoundsTheListOfProblems) {
  ordered_json d = minimal();
  for (int i = 0; i < 15'000; i++) d["key" + std::to_string(i)] = i;
  const ParsedProgram r = parse(d);
  check_style(r.problems);
  EXPECT_EQ(r.problems.size(), 1'001u);
  EXPECT_EQ(r.problems.back().problem, "document has more problems than are listed");
}

TEST(Program, ListsWhatIsMissing) {
  const ParsedProgram r = parse_program("{}");
  check_style(r.problems);
  EXPECT_EQ(paths(r), (std::vector<std::string>{"program", "unit", "signals", "qualify"}));
  for (const Problem &p : r.problems) {
    EXPECT_EQ(p.problem, "is required");
    EXPECT_FALSE(p.hint.empty()) << p.path;
  }
}

TEST(Program, ListsSeveralProblemsAtOnce) {
  ordered_json d = minimal();
  d["program"] = "Bad Name";
  d["unit"] = "acount";
  d["signals"]["calls"]["half_life"] = "2 months";
  d["signals"]["other"] = {{"kind", "intent"}, {"event", "x"}, {"half_life", "0"}};
  d["activation"] = {{"steps", {"nothing"}}, {"within", 14}};
  d["motions"] = ordered_json::array({{{"otherwise", true}, {"motion", "emial"}}});
  d["qualify"] = {{"enter", "ten"}};
  const ParsedProgram r = parse(d);
  check_style(r.problems);
  EXPECT_EQ(paths(r), (std::vector<std::string>{"program", "unit", "activation.steps[0]", "activation.within",
                                                "signals.calls.half_life", "signals.other.half_life",
                                                "signals.other.max_points", "qualify.enter", "motions[0].motion"}));
}

TEST(Program, SuggestsKeys) {
  ordered_json d = minimal();
  d["objectiv"] = "expansion";
  expect_problem(d, "objectiv", "is not a known key", "Perhaps you meant \"objective\". Known keys are program, unit,");
  // A misspelt required key is one mistake, not two.
  d = minimal();
  d["signals"]["calls"].erase("half_life");
  d["signals"]["calls"]["half_lfie"] = "7 days";
  expect_problem(d, "signals.calls.half_lfie", "is not a known key", "Perhaps you meant \"half_life\".");
  d = minimal();
  d["entirely_different"] = 1;
  expect_problem(d, "entirely_different", "is not a known key",
                 "Known keys are program, unit, objective, description, segment, milestones, "
                 "activation, measures, signals, qualify, motions, guardrails, examples, quiet_hours, known, outreach, outcome, holdout, holdout_exempt, consent, limits and re_evaluate.");
  expect_problem(with_signal(std::string(5'000, 'k').c_str(), 1), "signals.calls[\"" + std::string(70, 'k') + "...\"]",
                 "is not a known key");
}

// A right document that uses something of the language.
ordered_json using_it(const Unserved &u) {
  ordered_json whole = ordered_json::parse(kWhole), d = minimal();
  const std::string section(u.section), word(u.word);
  d["unit"] = "account";
  d["milestones"] = whole["milestones"];
  d["activation"] = whole["activation"];
  for (const auto &[name, signal] : whole["signals"].items()) {
    if (signal["kind"] != "risk") d["signals"][name] = signal;
  }
  if (section == "program") {
    d[word] = whole[word];
    d["motions"] = whole["motions"];
  } else if (section == "qualify") {
    d["qualify"][word] = whole["qualify"][word];
  } else if (section == "motion") {
    d["motions"] = whole["motions"];
  } else {
    d["signals"]["failing"] = whole["signals"]["failing"];
    d["signals"]["asleep"] = whole["signals"]["asleep"];
    for (const auto &[name, measure] : whole["measures"].items()) {
      d["signals"]["of_" + name] = measure;
      d["signals"]["of_" + name]["kind"] = "depth";
      d["signals"]["of_" + name]["max_points"] = 1;
    }
    d["signals"]["valued"] = {{"kind", "fit"}, {"measure", "value"}, {"value", "1"}, {"max_points", 1}};
  }
  return d;
}

TEST(Program, RefusesByNameWhatIsNotServed) {
  for (const Unserved &u : unserved()) {
    const std::string word(u.word);
    const ordered_json d = using_it(u);
    expect_right(d);
    const ParsedProgram r = parse_program(d.dump());
    check_style(r.problems);
    EXPECT_TRUE(std::any_of(r.problems.begin(), r.problems.end(), [&](const Problem &p) {
      const bool named = u.section == "use" || p.path.ends_with(word) || p.problem.find('"' + word + '"') != std::string::npos;
      return named && p.problem.find("is not supported by this version") != std::string::npos;
    })) << u.section << " " << u.word;
    for (const Problem &p : r.problems)
      EXPECT_NE(p.problem.find("is not supported by this version"), std::string::npos) << testing::PrintToString(p);
  }
}

TEST(Program, AsksNothingMoreOfWhatIsNotServed) {
  if (unserved().empty()) return;
  for (const Unserved &u : unserved()) {
    if (u.section != "program" && u.section != "qualify") continue;
    ordered_json d = minimal();
    (u.section == "program" ? d : d["qualify"])[std::string(u.word)] = ordered_json::array({1, nullptr}); // of no right type
    const ParsedProgram r = parse_program(d.dump());
    ASSERT_EQ(r.problems.size(), 1u) << testing::PrintToString(r.problems);
    EXPECT_EQ(r.problems[0].problem, "is not supported by this version");
  }
  EXPECT_TRUE(parse_program(kFull).problems.empty());
}

TEST(Program, RefusesDuplicateKeys) {
  std::string text = minimal().dump();
  text.insert(1, R"("unit": "user", )");
  expect_text_problem(std::string_view(text), "unit", "is given more than once", "Keep one of them.");
  expect_text_problem(
      std::string_view(R"({"program": "trial", "unit": "user", "qualify": {"enter": 1, "enter": 1, "enter": 1},
    "signals": {"a": {"kind": "fit", "event": "x", "half_life": "1 day", "max_points": 1}}})"),
      "qualify.enter", "is given more than once");
  expect_text_problem(std::string_view(R"({"program": "trial", "unit": "user", "qualify": {"enter": 1}, "signals": {
    "a": {"kind": "fit", "event": "x", "half_life": "1 day", "max_points": 1},
    "a": {"kind": "fit", "event": "y", "half_life": "1 day", "max_points": 1}}})"),
                      "signals.a", "is given more than once");
  expect_text_problem(std::string_view(R"({"program": "trial", "unit": "user", "qualify": {"enter": 1},
    "milestones": {"m": {"event": "x"}, "m": {"event": "x"}},
    "signals": {"a": {"kind": "fit", "event": "x", "half_life": "1 day", "max_points": 1}}})"),
                      "milestones.m", "is given more than once");
}

TEST(Program, ChecksNames) {
  for (auto name : {"a", "a1_b", "z"}) {
    ordered_json d = minimal();
    d["program"] = name;
    expect_right(d);
  }
  ordered_json d = minimal();
  d["program"] = std::string(63, 'a');
  expect_right(d);
  for (const std::string &name : {std::string("1a"), std::string("_a"), std::string("Trial"), std::string("a-b"),
                                  std::string("a b"), std::string("é"), std::string(64, 'a')}) {
    d["program"] = name;
    expect_problem(d, "program", '"' + name + "\" is not a valid name", "lower-case letter");
  }
  d["program"] = "";
  expect_problem(d, "program", "must not be empty");
  d = minimal();
  d["signals"]["Größe"] = d["signals"]["calls"];
  expect_problem(d, "signals[\"Größe\"]", "\"Größe\" is not a valid name");
  d = minimal();
  d["milestones"][""] = {{"event", "x"}};
  expect_problem(d, "milestones[\"\"]", "\"\" is not a valid name");
  d = minimal();
  d["milestones"]["activation_complete"] = {{"event", "x"}};
  expect_problem(d, "milestones.activation_complete", "\"activation_complete\" is a reserved name");
}

TEST(Program, KeepsUnicode) {
  ordered_json d = minimal();
  d["description"] = "日本語 🎉";
  d["signals"]["calls"]["event"] = "événement";
  d["signals"]["calls"]["why"] = "";
  const ParsedProgram r = parse(d);
  ASSERT_EQ(r.problems, std::vector<Problem>{});
  EXPECT_EQ(r.program.description, "日本語 🎉");
  EXPECT_EQ(r.program.signals[0].event, "événement");
}

TEST(Program, EscapesAndCutsWhatItQuotes) {
  ordered_json d = minimal();
  d["unit"] = "a\"b\\c\nd\x7f";
  expect_problem(d, "unit", R"("a\"b\\c\u000ad\u007f" is not a valid unit)");
  std::string long_text;
  for (int i = 0; i < 100; i++) long_text += "é"; // two bytes each: a cut at 69 would split one
  d["unit"] = "x" + long_text;
  const ParsedProgram r = parse(d);
  ASSERT_EQ(r.problems.size(), 1u);
  EXPECT_EQ(r.problems[0].problem, "\"x" + long_text.substr(0, 68) + "...\" is not a valid unit");
}

TEST(Program, RefusesNul) {
  expect_problem(with_signal("event", std::string("a\0b", 3)), "signals.calls.event",
                 "must not contain a NUL character");
  ordered_json d = minimal();
  d["description"] = std::string(1, '\0');
  expect_problem(d, "description", "must not contain a NUL character");
  d = minimal();
  d[std::string("unit\0", 5)] = 1;
  expect_problem(d, "[\"unit\\u0000\"]", "is not a known key", "\"unit\"");
}

void expect_wrong_type(const ordered_json &full, const ordered_json::json_pointer &at, const ordered_json &bad) {
  const bool number = full[at].is_number() && bad.is_number();
  const std::string place = at.to_string();
  const bool sentences = (place.find("/play/") != std::string::npos || place == "/outreach/templates/invite/motion") && bad.is_string(); // one, or a list
  const bool known = at.parent_pointer().to_string() == "/known" && (bad.is_string() || bad.is_object()); // a value, or more
  if (number || sentences || known || bad.type() == full[at].type()) return;
  ordered_json d = full;
  d[at] = bad;
  const ParsedProgram r = parse(d);
  check_style(r.problems);
  EXPECT_TRUE(std::any_of(r.problems.begin(), r.problems.end(), [](const Problem &p) {
    return p.problem.find("must be ") != std::string::npos;
  })) << at.to_string()
      << " = " << bad;
}

TEST(Program, RefusesWrongTypesEverywhere) {
  const ordered_json values[] = {nullptr, true, 7, 7.5, "text", ordered_json::array({1}), ordered_json{{"k", 1}}};
  for (const char *text : {kFull, kWhole}) {
    const ordered_json full = ordered_json::parse(text), flat = full.flatten();
    for (const auto &[pointer, good] : flat.items()) {
      // Every leaf, and everything above it.
      for (ordered_json::json_pointer at(pointer); !at.empty(); at.pop_back()) {
        for (const ordered_json &bad : values) expect_wrong_type(full, at, bad);
      }
    }
  }
}

TEST(Program, NeedsEveryRequiredKey) {
  const ordered_json full = ordered_json::parse(kFull);
  const std::pair<const char *, const char *> required[] = {
      {"/program", "program"},
      {"/unit", "unit"},
      {"/signals", "signals"},
      {"/qualify", "qualify"},
      {"/qualify/enter", "qualify.enter"},
      {"/milestones/signed_up/event", "milestones.signed_up.event"},
      {"/activation/steps", "activation.steps"},
      {"/activation/within", "activation.within"},
      {"/signals/zeal/kind", "signals.zeal.kind"},
      {"/signals/zeal/max_points", "signals.zeal.max_points"},
      {"/signals/calls/event", "signals.calls.event"},
      {"/signals/calls/half_life", "signals.calls.half_life"},
      {"/signals/calls/of", "signals.calls.of"},
      {"/motions/0/otherwise", "motions[0].otherwise"},
      {"/motions/0/motion", "motions[0].motion"}};
  for (const auto &[pointer, path] : required) {
    ordered_json d = full;
    const ordered_json::json_pointer at(pointer);
    d[at.parent_pointer()].erase(at.back());
    expect_problem(d, path, "is required");
  }
}

TEST(Program, ChecksTexts) {
  for (auto blank : {"", " ", "\t\n"}) {
    for (auto key : {"event", "where"})
      expect_problem(with_signal(key, blank), std::string("signals.calls.") + key, "must not be empty");
    ordered_json d = with_milestones();
    d["milestones"]["invited"]["where"] = blank;
    expect_problem(d, "milestones.invited.where", "must not be empty");
  }
}

TEST(Program, ChecksWords) {
  expect_problem(with_signal("kind", "dept"), "signals.calls.kind", "\"dept\" is not a valid kind",
                 "Perhaps you meant \"depth\".");
  expect_problem(with_signal("kind", "Depth"), "signals.calls.kind", "\"Depth\" is not a valid kind", "\"depth\"");
  expect_problem(with_signal("measure", "cuont"), "signals.calls.measure", "\"cuont\" is not a valid measure",
                 "\"count\"");
  expect_problem(with_signal("measure", "milestone"), "signals.calls.milestone", "is required");
  expect_problem(with_signal("false_positive_risk", "none"), "signals.calls.false_positive_risk",
                 "\"none\" is not a valid false_positive_risk", "Allowed are low, medium and high.");
  ordered_json d = minimal();
  d["objective"] = "sell";
  expect_problem(d, "objective", "\"sell\" is not a valid objective", "Allowed are conversion and expansion.");
  d = with_milestones();
  d["activation"]["order"] = "inorder";
  expect_problem(d, "activation.order", "\"inorder\" is not a valid order", "\"in_order\"");
}

TEST(Program, ChecksNumbers) {
  for (auto good : {1, 1000}) {
    ordered_json d = with_signal("max_points", good);
    d["qualify"]["enter"] = 1;
    expect_right(d);
  }
  expect_right(with_signal("max_points", 20.0));
  for (auto bad : {-1001, 1001}) {
    expect_problem(with_signal("max_points", bad), "signals.calls.max_points",
                   "must be an integer between -1000 and 1000, not " + std::to_string(bad));
  }
  expect_problem(with_signal("max_points", 1.5), "signals.calls.max_points",
                 "must be an integer between -1000 and 1000, not 1.5");
  expect_problem(with_signal("max_points", 1e300), "signals.calls.max_points",
                 "must be an integer between -1000 and 1000, not 1e+300");
  expect_problem(with_signal("max_points", 10'000'000'000'000'000'000u), "signals.calls.max_points",
                 "must be an integer between -1000 and 1000, not 1e+19");
  expect_problem(with_signal("max_points", "20"), "signals.calls.max_points", "must be a number, not a string",
                 "without quotes");
  for (auto key : {"points_each", "saturates_at", "half_saturation"}) {
    expect_right(with_signal(key, 1e-300));
    expect_right(with_signal(key, UINT64_MAX));
    expect_problem(with_signal(key, 0), std::string("signals.calls.") + key, "must be greater than 0, not 0");
    expect_problem(with_signal(key, -0.5), std::string("signals.calls.") + key, "must be greater than 0, not -0.5");
  }
}

TEST(Program, ChecksLengths) {
  expect_right(with_signal("half_life", "1 second"));
  expect_problem(with_signal("half_life", "999999 us"), "signals.calls.half_life",
                 "must be at least 1 second, not 0.999999 seconds");
  expect_problem(with_signal("half_life", "36525 days 1 us"), "signals.calls.half_life",
                 "must be at most 36525 days, not 36525 days 0.000001 seconds");
  expect_problem(with_signal("half_life", "2 months"), "signals.calls.half_life", "a month has no fixed length",
                 "\"7 days\"");
  expect_problem(with_signal("half_life", "-1 day"), "signals.calls.half_life",
                 "a length of time must not be negative");
  expect_problem(with_signal("half_life", 7), "signals.calls.half_life", "must be a string, not a number",
                 "\"7 days\"");
  ordered_json d = with_milestones();
  d["activation"]["within"] = "0";
  expect_problem(d, "activation.within", "must be longer than 0");
  d["activation"]["within"] = "40000 days";
  expect_problem(d, "activation.within", "must be at most 36525 days, not 40000 days");
}

TEST(Program, ChecksMilestones) {
  ordered_json d = with_milestones();
  d["milestones"]["invited"]["window"] = "1 day";
  expect_problem(d, "milestones.invited.window", "is not a known key", "Known keys are event and where.");
  d = minimal();
  for (std::size_t i = 0; i < kMaxMilestones; i++) d["milestones"]["m" + std::to_string(i)] = {{"event", "x"}};
  expect_right(d);
  d["milestones"]["one_more"] = {{"event", "x"}};
  expect_problem(d, "milestones", "must have at most 256 entries, not 257");
}

TEST(Program, RefusesMilestonesOfMilestones) {
  ordered_json d = with_milestones();
  d["milestones"]["invited"] = {{"milestone", "signed_up"}};
  expect_problem(d, "milestones.invited.milestone", "cannot define a milestone by another milestone", "\"event\"");
  d["milestones"]["invited"] = {{"milestone", "invited"}};
  expect_problem(d, "milestones.invited.milestone", "defines \"invited\" by itself, which is a cycle", "\"event\"");
  d["milestones"]["signed_up"] = {{"milestone", "invited"}};
  d["milestones"]["invited"] = {{"milestone", "signed_up"}};
  const ParsedProgram r = parse(d);
  ASSERT_EQ(r.problems.size(), 2u);
  for (const Problem &p : r.problems) EXPECT_NE(p.problem.find("cycle"), std::string::npos);
}

TEST(Program, ChecksSteps) {
  ordered_json d = with_milestones();
  d["activation"]["steps"] = ordered_json::array();
  expect_problem(d, "activation.steps", "must list 1 to 32 milestones, not 0");
  d["activation"]["steps"] = {"signed_up", "invted"};
  expect_problem(d, "activation.steps[1]", "milestone \"invted\" is not defined",
                 "Perhaps you meant \"invited\". The milestones are signed_up and invited.");
  d["activation"]["steps"] = {"signed_up", "invited", "signed_up"};
  expect_problem(d, "activation.steps[2]", "repeats the step \"signed_up\"");
  d["activation"]["steps"] = {"signed_up", "activation_complete"};
  expect_problem(d, "activation.steps[1]", "makes the activation a step of itself, which is a cycle");
  d["activation"]["steps"] = {"signed_up", 7};
  expect_problem(d, "activation.steps[1]", "must be a string, not a number");
  d["activation"]["steps"] = ordered_json::array();
  for (int i = 0; i < kMaxSteps; i++) {
    d["milestones"]["m" + std::to_string(i)] = {{"event", "x"}};
    d["activation"]["steps"].push_back("m" + std::to_string(i));
  }
  expect_right(d);
  d["activation"]["steps"].push_back("signed_up");
  expect_problem(d, "activation.steps", "must list 1 to 32 milestones, not 33");
  d = minimal();
  d["activation"] = {{"steps", {"signed_up"}}, {"within", "1 day"}};
  expect_problem(d, "activation.steps[0]", "milestone \"signed_up\" is not defined", "Define it under \"milestones\".");
}

TEST(Program, ChecksSignals) {
  ordered_json d = minimal();
  d["signals"] = ordered_json::object();
  expect_problem(d, "signals", "must not be empty", "at least one signal");
  d = minimal();
  for (std::size_t i = 1; i < kMaxSignals; i++) d["signals"]["s" + std::to_string(i)] = d["signals"]["calls"];
  expect_right(d);
  d["signals"]["one_more"] = d["signals"]["calls"];
  expect_problem(d, "signals", "must have at most 64 entries, not 65");
  expect_problem(with_signal("of", "units"), "signals.calls.of", "is only for the measures sum or growth");
}

TEST(Program, TakesOneCurve) {
  for (auto key : {"points_each", "saturates_at", "half_saturation"}) expect_right(with_signal(key, 2));
  ordered_json d = with_signal("points_each", 4);
  d["signals"]["calls"]["half_saturation"] = 3;
  expect_problem(d, "signals.calls.half_saturation", "cannot be combined with \"points_each\"",
                 "Keep one of points_each, saturates_at, half_saturation or over.");
}

TEST(Program, KeepsMilestoneSignalsApart) {
  const ordered_json other = {{"event", "x"},         {"where", "true"},  {"measure", "count"}, {"of", "x"},
                              {"cap", 1},
                              {"success", "x"},       {"points_each", 1}, {"saturates_at", 1},  {"half_saturation", 1}};
  for (const auto &[key, value] : other.items()) {
    ordered_json d = with_milestones();
    d["signals"]["calls"] = {{"kind", "depth"}, {"milestone", "invited"}, {"max_points", 20}, {key, value}};
    expect_problem(d, "signals.calls." + key, "cannot be combined with \"milestone\"");
  }
  ordered_json d = with_milestones();
  d["signals"]["calls"] = {{"kind", "depth"}, {"milestone", "invted"}, {"max_points", 20}};
  expect_problem(d, "signals.calls.milestone", "milestone \"invted\" is not defined", "\"invited\"");
  d["signals"]["calls"]["milestone"] = "activation_complete";
  expect_right(d);
  d.erase("activation");
  expect_problem(d, "signals.calls.milestone", "needs an activation, and the program has none");
}

TEST(Program, ChecksQualify) {
  ordered_json d = minimal();
  d["qualify"] = {{"enter", 10}, {"leave", 0}};
  expect_right(d);
  d["qualify"] = {{"enter", 20}, {"leave", 20}};
  expect_right(d);
  d["qualify"] = {{"enter", 10}, {"leave", 11}};
  expect_problem(d, "qualify.leave", "is 11, which is more than enter (10)");
  d["qualify"] = {{"enter", 10}, {"leave", -1}};
  expect_problem(d, "qualify.leave", "must be an integer between 0 and 64000, not -1");
  d["qualify"] = {{"enter", 0}};
  expect_problem(d, "qualify.enter", "must be an integer between 1 and 64000, not 0");
  d["qualify"] = {{"enter", 70.5}};
  expect_problem(d, "qualify.enter", "must be an integer between 1 and 64000, not 70.5");
}

TEST(Program, RefusesAScoreThatCannotBeReached) {
  ordered_json d = minimal();
  d["qualify"]["enter"] = 21;
  expect_problem(d, "qualify.enter", "is 21, but the signals that may score give at most 20 points together",
                 "max_points");
  d["signals"]["more"] = d["signals"]["calls"];
  expect_right(d);
  d["signals"]["more"]["may_score"] = false;
  expect_problem(d, "qualify.enter", "is 21, but the signals that may score give at most 20 points together");
  // While a signal's part isn't known nothing is said.
  d["signals"]["more"]["may_score"] = "yes";
  expect_problem(d, "signals.more.may_score", "must be a boolean, not a string");
}

TEST(Program, ChecksMotions) {
  for (auto motion : {"none", "in_app", "email", "inside_sales", "account_executive", "enterprise",
                      "solutions_engineer", "customer_success"}) {
    expect_right(with_motion({{"otherwise", true}, {"motion", motion}}));
  }
  ordered_json d = minimal();
  d["motions"] = ordered_json::array();
  expect_problem(d, "motions", "must list 1 to 32 motions, not 0");
  d["motions"] =
      ordered_json::array({{{"otherwise", true}, {"motion", "email"}}, {{"otherwise", true}, {"motion", "none"}}});
  expect_problem(d, "motions[1]", "is never chosen, because the motion before it is for everybody");
  expect_problem(with_motion({{"otherwise", false}, {"motion", "email"}}), "motions[0].otherwise", "must be true");
  expect_problem(with_motion({{"otherwise", true}, {"motion", "emial"}}), "motions[0].motion",
                 "\"emial\" is not a valid motion", "Perhaps you meant \"email\".");
  expect_right(with_motion({{"otherwise", true}, {"motion", "email"}, {"after", "0"}}));
  expect_problem(with_motion({{"otherwise", true}, {"motion", "email"}, {"by", "0"}}), "motions[0].by",
                 "must be longer than 0");
  expect_right(with_motion({{"otherwise", true}, {"motion", "email"}, {"by", "4 working hours"}}));
  expect_problem(with_motion({{"otherwise", true}, {"motion", "email"}, {"by", "4 working weeks"}}), "motions[0].by",
                 "working time is one number of minutes, hours or days", "Write \"4 working hours\"");
  expect_problem(with_motion({{"otherwise", true}, {"motion", "email"}, {"by", "0 working days"}}), "motions[0].by", "must be longer than 0");
}

TEST(Program, ReadsTheWholeLanguage) {
  const ParsedProgram r = parse_program(kWhole, Served::all);
  ASSERT_EQ(r.problems, std::vector<Problem>{});
  const ProgramDef &p = r.program;
  EXPECT_EQ(p.segment, "attr.plan in ('free', 'team') and attr.employees between 20 and 2000");
  EXPECT_EQ(p.qualify, (QualifyDef{70, 55, kDay, 30 * kDay, 2, {Kind::intent, Kind::depth},
                                   "usage_value > 100 and seat_count < 5", AtLeastDef{2, {"attr.a", "attr.b", "attr.c"}}, true}));
  std::vector<MotionDef> motions = {{"signal.failing > 5", "customer_success", 0, 4 * kHour, "", {}},
                                          {"signal.procurement > 0", "enterprise", 90 * kMinute, 3 * kDay, "Offer a call", {"security", "SSO"},
                                           WhenNobody::downgrade, "email", "phone", Counted::working_hours, Counted::working_days,
                                           {{"Thank them for the rollout."}, {"Discounts.", "Discovery questions."}}, "attr.seats > 5", "five seats",
                                           {30 * kMinute, kDay}, {{"integrated", 3 * kDay}, {"invited", 12 * kHour}}},
                                          {"", "account_executive", kDay, 3 * kDay, "", {}}};
  for (MotionDef &m : motions) m.on_breach = OnBreach::escalate;
  motions[0].escalate_to = {Escalation::To::rep, "max"};
  motions[1].escalate_to = {Escalation::To::team, "leads"};
  motions[2].escalate_to = {Escalation::To::skill, "closing"};
  motions[2].offer = "a 10-minute setup call";
  motions[2].floor = 0.6;
  EXPECT_EQ(p.known, (std::vector<KnownDef>{{"team size", "attr.seats", true}, {"CRM", "attr.crm", false}}));
  EXPECT_EQ(p.motions, motions);
  EXPECT_EQ(p.guardrails[0], (GuardrailDef{"attr.employees < 10 and kind.intent < 30", "tiny account"}));
  EXPECT_EQ(p.examples[1], (ExampleDef{"tiny", "not_qualified"}));
  EXPECT_EQ(p.outcome, (OutcomeDef{{"paid", "renewed"}, {"churned", "cancelled"}, 60 * kDay, {5, 3, {"phone", "email", "chat"}, false}}));
  EXPECT_EQ(p.holdout, 0.1);
  EXPECT_EQ(p.min_days_between_versions, 14);
  EXPECT_EQ(p.re_evaluate, 30 * kMinute);
  EXPECT_EQ(p.measures[0].name, "usage_value");
  EXPECT_EQ(p.measures[0].cap, 1e6);
  EXPECT_EQ(p.measures[1].value, "attr.seats");
  EXPECT_EQ(p.signals[0].half_life, 90 * kDay);
  EXPECT_EQ(p.signals[1].window, 30 * kDay);
  EXPECT_EQ(p.signals[12].points_each, 1); // of a value
  EXPECT_EQ(p.signals[13].max_points, -20);
  EXPECT_EQ(p.signals[13].over, 14);
  EXPECT_EQ(p.signals[13].saturates_at, 0);
}

// Every key of every section stands in the whole document, so that what is said of it is said of them all.
TEST(Program, TheWholeDocumentUsesEveryKey) {
  const ordered_json whole = ordered_json::parse(kWhole);
  const auto members = [&](const char *key) {
    ordered_json all = ordered_json::array();
    for (const auto &[name, j] : whole[key].items()) all.push_back(j);
    return all;
  };
  const std::pair<const char *, ordered_json> objects[] = {{"program", ordered_json::array({whole})},
                                                           {"milestone", members("milestones")},
                                                           {"activation", ordered_json::array({whole["activation"]})},
                                                           {"signal", members("signals")},
                                                           {"qualify", ordered_json::array({whole["qualify"]})},
                                                           {"at_least", ordered_json::array({whole["qualify"]["at_least"]})},
                                                           {"motion", whole["motions"]},
                                                           {"guardrail", whole["guardrails"]},
                                                           {"example", whole["examples"]},
                                                           {"limits", ordered_json::array({whole["limits"]})},
                                                           {"play", ordered_json::array({whole["motions"][1]["play"]})},
                                                           {"contact", ordered_json::array({whole["signals"]["rollout"]["contact"]})},
                                                           {"hold", ordered_json::array({whole["motions"][1]["hold"]})},
                                                           {"not_within", whole["motions"][1]["not_within"]},
                                                           {"known", members("known")},
                                                           {"quiet_hours", ordered_json::array({whole["quiet_hours"]})},
                                                           {"quiet_days", ordered_json::array({whole["quiet_hours"]["days"]})},
                                                           {"outreach", ordered_json::array({whole["outreach"]})},
                                                           {"outreach_template", ordered_json::array({whole["outreach"]["templates"]["invite"]})},
                                                           {"variable", ordered_json::array({whole["outreach"]["templates"]["invite"]["variables"]["company"],
                                                                                             whole["outreach"]["templates"]["invite"]["variables"]["next"]})},
                                                           {"stop", ordered_json::array({whole["outreach"]["stop"]})},
                                                           {"outcome", ordered_json::array({whole["outcome"]})},
                                                           {"worked", ordered_json::array({whole["outcome"]["worked"]})},
                                                           {"escalate_to", ordered_json::array({whole["motions"][0]["escalate_to"], whole["motions"][1]["escalate_to"], whole["motions"][2]["escalate_to"]})}};
  ordered_json both = members("signals");
  for (const ordered_json &m : members("measures")) both.push_back(m);
  for (const Section &section : sections()) {
    if (section.name == "measure") continue; // its keys are signals' keys
    const auto object = std::find_if(std::begin(objects), std::end(objects), [&](const auto &o) { return o.first == section.name; });
    ASSERT_NE(object, std::end(objects)) << section.name;
    for (const std::string_view key : section.keys) {
      const ordered_json &all = section.name == "signal" ? both : object->second;
      EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const ordered_json &j) { return j.contains(std::string(key)); }))
          << section.name << "." << key;
    }
  }
  std::vector<std::string_view> used;
  const ProgramDef p = parse_program(kWhole, Served::all).program;
  for (const SignalDef &s : p.signals) used.push_back(name_of(s.measure));
  for (const NamedMeasure &m : p.measures) used.push_back(name_of(m.measure));
  for (int m = 0; m <= static_cast<int>(Measure::flag); m++)
    EXPECT_NE(std::find(used.begin(), used.end(), name_of(static_cast<Measure>(m))), used.end()) << name_of(static_cast<Measure>(m));
}

MeasureDef of_events(Measure measure, const char *event, Micros half_life, Micros window) {
  MeasureDef m;
  m.measure = measure;
  m.event = event;
  m.half_life = half_life;
  m.window = window;
  return m;
}

TEST(Program, LowersMeasures) {
  const auto capped = [](MeasureDef m, double cap) {
    m.cap = cap;
    return m;
  };
  const auto growing = [](Measure of, const char *event, const char *sum, Micros gap) {
    MeasureDef m = of_events(Measure::growth, event, 0, 7 * kDay);
    m.growth_of = of;
    m.of = sum;
    m.gap = gap;
    return m;
  };
  const auto pattern = [](bool in_order) {
    MeasureDef m;
    m.measure = Measure::pattern;
    m.steps = {"a", "b"};
    m.in_order = in_order;
    m.within = 3 * kDay;
    return m;
  };
  MeasureDef timed = of_events(Measure::time_in_product, "*", 0, kDay), flag, done, reached, value, rate;
  timed.gap = 30 * kMinute;
  flag.measure = Measure::flag;
  done.measure = Measure::activation;
  reached.measure = Measure::milestone;
  reached.milestone = "invited";
  reached.half_life = kDay;
  value.measure = Measure::value;
  value.value = "attr.x";
  rate = of_events(Measure::success_rate, "e", 0, kDay);
  rate.success = "ok";
  const std::pair<const char *, MeasureDef> cases[] = {
      {R"({"event": "e", "half_life": "1 day"})", of_events(Measure::count, "e", kDay, 0)},
      {R"({"event": "e", "window": "1 day"})", of_events(Measure::count, "e", 0, kDay)},
      {R"({"event": "*", "window": "1 day"})", of_events(Measure::count, "*", 0, kDay)},
      {R"({"topic": "procurement", "half_life": "1 day"})", of_events(Measure::count, "topic:procurement", kDay, 0)},
      {R"({"event": "e", "window": "1 day", "repeat": "each"})", of_events(Measure::count, "e", 0, kDay)},
      {R"({"event": "e", "window": "1 day", "repeat": "once"})", capped(of_events(Measure::count, "e", 0, kDay), 1)},
      {R"({"event": "e", "half_life": "1 day", "repeat": "capped", "cap": 2.5})", capped(of_events(Measure::count, "e", kDay, 0), 2.5)},
      {R"({"event": "e", "half_life": "1 day", "cap": 2.5})", capped(of_events(Measure::count, "e", kDay, 0), 2.5)},
      {R"({"event": "e", "window": "9 days", "repeat": "per_day"})", of_events(Measure::active_days, "e", 0, 9 * kDay)},
      {R"({"event": "e", "window": "9 days", "repeat": "per_day", "cap": 5})",
       capped(of_events(Measure::active_days, "e", 0, 9 * kDay), 5)},
      {R"({"measure": "distinct_users", "window": "7 days"})", of_events(Measure::distinct_users, "*", 0, 7 * kDay)},
      {R"({"measure": "distinct_users", "event": "e", "window": "7 days"})", of_events(Measure::distinct_users, "e", 0, 7 * kDay)},
      {R"({"measure": "active_days", "window": "7 days"})", of_events(Measure::active_days, "*", 0, 7 * kDay)},
      {R"({"measure": "streak"})", of_events(Measure::streak, "*", 0, 90 * kDay)},
      {R"({"measure": "streak", "event": "e", "window": "30 days"})", of_events(Measure::streak, "e", 0, 30 * kDay)},
      {R"({"measure": "recency"})", of_events(Measure::recency, "*", 0, 0)},
      {R"({"measure": "time_in_product", "window": "1 day"})", timed},
      {R"({"measure": "success_rate", "event": "e", "success": "ok", "window": "1 day"})", rate},
      {R"({"measure": "growth", "of": "count", "event": "e", "window": "7 days"})", growing(Measure::count, "e", "", 0)},
      {R"({"measure": "growth", "of": "sum", "sum_of": "x", "event": "e", "window": "7 days"})", growing(Measure::sum, "e", "x", 0)},
      {R"({"measure": "growth", "of": "distinct_users", "window": "7 days"})", growing(Measure::distinct_users, "*", "", 0)},
      {R"({"measure": "growth", "of": "active_days", "window": "7 days"})", growing(Measure::active_days, "*", "", 0)},
      {R"({"measure": "growth", "of": "time_in_product", "window": "7 days"})", growing(Measure::time_in_product, "*", "", 30 * kMinute)},
      {R"({"all_of": ["a", "b"], "within": "72 hours"})", pattern(false)},
      {R"({"measure": "pattern", "sequence": ["a", "b"], "within": "72 hours"})", pattern(true)},
      {R"({"milestone": "invited", "half_life": "1 day"})", reached},
      {R"({"measure": "milestone", "milestone": "invited", "half_life": "1 day"})", reached},
      {R"({"milestone": "activation_complete"})", done},
      {R"({"measure": "activation"})", done},
      {R"({"value": "attr.x"})", value},
      {R"({"measure": "value", "value": "attr.x"})", value},
      {R"({"flag": true})", flag},
      {R"({"measure": "flag"})", flag},
  };
  for (const auto &[text, wanted] : cases) {
    ordered_json d = with_milestones();
    d["unit"] = "account";
    d["measures"]["m"] = ordered_json::parse(text);
    d["signals"]["other"] = d["measures"]["m"];
    d["signals"]["other"]["kind"] = "depth";
    d["signals"]["other"]["max_points"] = 5;
    const ParsedProgram r = parse(d);
    ASSERT_EQ(r.problems, std::vector<Problem>{}) << text;
    EXPECT_TRUE(static_cast<const MeasureDef &>(r.program.measures[0]) == wanted) << text;
    EXPECT_TRUE(static_cast<const MeasureDef &>(r.program.signals[1]) == wanted) << text;
    EXPECT_EQ(parse_program(write_program(r.program), Served::all).program, r.program) << text;
  }
}

TEST(Program, RefusesMeasures) {
  struct Case {
    const char *text, *key, *problem, *hint;
  };
  const Case cases[] = {
      {R"({"half_life": "1 day"})", "event", "is required", "\"milestone\""},
      {R"({"event": "e"})", "half_life", "is required", "\"window\""},
      {R"({"event": "e", "half_life": "1 day", "window": "1 day"})", "window", "cannot be combined with \"half_life\"",
       "Keep one of half_life or window."},
      {R"({"event": "e", "windwo": "1 day"})", "windwo", "is not a known key", "\"window\""},
      {R"({"event": "e", "window": "0"})", "window", "must be at least 1 second, not 0 seconds", ""},
      {R"({"event": "e", "topic": "t", "window": "1 day"})", "topic", "cannot be combined with \"event\"", "event or topic"},
      {R"({"topic": "No name", "window": "1 day"})", "topic", "\"No name\" is not a valid name", ""},
      {R"({"event": "e", "window": "1 day", "success": "x"})", "success", "is only for the measure success_rate", "measure"},
      {R"({"event": "e", "window": "1 day", "gap": "1 hour"})", "gap", "is only for the measures time_in_product or growth", ""},
      {R"({"event": "e", "window": "1 day", "within": "1 hour"})", "within", "is only for the measure pattern", ""},
      {R"({"event": "e", "window": "1 day", "repeat": "daily"})", "repeat", "\"daily\" is not a valid repeat", "per_day"},
      {R"({"event": "e", "window": "1 day", "repeat": "capped"})", "cap", "is required", ""},
      {R"({"event": "e", "window": "1 day", "repeat": "once", "cap": 2})", "cap", "cannot be combined with \"repeat\": \"once\"", "capped"},
      {R"({"event": "e", "window": "1 day", "repeat": "each", "cap": 2})", "cap", "cannot be combined with \"repeat\": \"each\"", "capped"},
      {R"({"event": "e", "window": "1 day", "cap": 0})", "cap", "must be greater than 0, not 0", ""},
      {R"({"event": "e", "repeat": "per_day"})", "window", "is required", "30 days"},
      {R"({"event": "e", "half_life": "1 day", "repeat": "per_day"})", "half_life",
       "cannot be combined with \"repeat\": \"per_day\"", "window"},
      {R"({"measure": "sum", "event": "e", "of": "x", "window": "1 day", "repeat": "once"})", "repeat",
       "is only for the measure count", ""},
      {R"({"measure": "sum", "event": "e", "window": "1 day"})", "of", "is required", "number"},
      {R"({"measure": "distinct_users"})", "window", "is required", ""},
      {R"({"measure": "distinct_users", "half_life": "7 days"})", "half_life",
       "is only for the measures count, sum, milestone, activation or pattern", ""},
      {R"({"measure": "active_days"})", "window", "is required", ""},
      {R"({"measure": "time_in_product"})", "window", "is required", ""},
      {R"({"measure": "time_in_product", "window": "1 day", "gap": "0"})", "gap", "must be at least 1 second, not 0 seconds", ""},
      {R"({"measure": "recency", "window": "1 day"})", "window",
       "is only for the measures count, sum, milestone, activation, distinct_users, active_days, streak, pattern, time_in_product, "
       "success_rate or growth", ""},
      {R"({"measure": "success_rate", "event": "e", "window": "1 day"})", "success", "is required", "condition"},
      {R"({"measure": "success_rate", "success": "x", "window": "1 day"})", "event", "is required", ""},
      {R"({"measure": "success_rate", "event": "e", "success": "x", "window": "1 day", "cap": 1})", "cap",
       "is only for the measures count, sum, distinct_users, active_days, streak, recency, time_in_product, growth or value", ""},
      {R"({"measure": "growth", "window": "1 day"})", "of", "is required", "distinct_users"},
      {R"({"measure": "growth", "of": "users", "window": "1 day"})", "of", "\"users\" is not a valid measure to grow", ""},
      {R"({"measure": "growth", "of": "count", "window": "1 day"})", "event", "is required", ""},
      {R"({"measure": "growth", "of": "count", "event": "e"})", "window", "is required", ""},
      {R"({"measure": "growth", "of": "sum", "event": "e", "window": "1 day"})", "sum_of", "is required", ""},
      {R"({"measure": "growth", "of": "count", "event": "e", "sum_of": "x", "window": "1 day"})", "sum_of",
       "is only for the growth of a sum", ""},
      {R"({"measure": "growth", "of": "count", "event": "e", "gap": "1 hour", "window": "1 day"})", "gap",
       "is only for the growth of time_in_product", ""},
      {R"({"measure": "pattern", "within": "1 day"})", "all_of", "is required", "sequence"},
      {R"({"all_of": ["a", "b"]})", "within", "is required", "72 hours"},
      {R"({"all_of": ["a"], "within": "1 day"})", "all_of", "must list 2 to 32 steps, not 1", ""},
      {R"({"all_of": ["a", "b"], "sequence": ["a", "b"], "within": "1 day"})", "sequence", "cannot be combined with \"all_of\"", ""},
      {R"({"sequence": ["a", "b", "a"], "within": "1 day"})", "sequence[2]", "repeats \"a\"", "once"},
      {R"({"sequence": ["a", " "], "within": "1 day"})", "sequence[1]", "must not be empty", ""},
      {R"({"sequence": ["a", 7], "within": "1 day"})", "sequence[1]", "must be a string, not a number", ""},
      {R"({"sequence": ["a", "*"], "within": "1 day"})", "sequence", "\"*\" cannot be a step", ""},
      {R"({"sequence": ["a", "activation_complete"], "within": "1 day"})", "sequence", "\"activation_complete\" cannot be a step", ""},
      {R"({"measure": "sum", "value": "1"})", "measure", "cannot be combined with \"value\"", "Keep one"},
      {R"({"milestone": "invited", "value": "1"})", "value", "cannot be combined with \"milestone\"", "Keep one"},
      {R"({"milestone": "invited", "half_life": "1 day", "window": "1 day"})", "window", "cannot be combined with \"half_life\"", ""},
      {R"({"measure": "milestone"})", "milestone", "is required", ""},
      {R"({"measure": "activation", "milestone": "invited"})", "milestone",
       "must be \"activation_complete\" for the measure activation", ""},
      {R"({"measure": "value"})", "value", "is required", ""},
      {R"({"value": " "})", "value", "must not be empty", ""},
      {R"({"value": "1", "window": "1 day"})", "window", "cannot be combined with \"value\"", ""},
      {R"({"flag": false})", "flag", "must be true", ""},
      {R"({"flag": true, "event": "e"})", "event", "cannot be combined with \"flag\"", ""},
      {R"({"measure": "median", "event": "e"})", "measure", "\"median\" is not a valid measure", "distinct_users"},
  };
  for (const Case &c : cases) {
    ordered_json d = with_milestones();
    d["unit"] = "account";
    d["measures"]["m"] = ordered_json::parse(c.text);
    expect_problem(d, std::string("measures.m.") + c.key, c.problem, c.hint);
    d["signals"]["other"] = d["measures"]["m"];
    d.erase("measures");
    d["signals"]["other"]["kind"] = "depth";
    d["signals"]["other"]["max_points"] = 5;
    expect_problem(d, std::string("signals.other.") + c.key, c.problem, c.hint);
  }
}

TEST(Program, CountsUsersOfAccountsOnly) {
  for (auto [text, path] : {std::pair(R"({"measure": "distinct_users", "window": "7 days"})", "measures.m.measure"),
                            std::pair(R"({"measure": "growth", "of": "distinct_users", "window": "7 days"})", "measures.m.of")}) {
    ordered_json d = with_measure(text);
    expect_right(d);
    d["unit"] = "user";
    expect_problem(d, path, "cannot count the users of a user", "active_days");
  }
}

TEST(Program, NeedsAnActivationToMeasureIt) {
  expect_problem(with_measure(R"({"measure": "activation"})"), "measures.m.measure", "needs an activation, and the program has none");
}

TEST(Program, ChecksNamesOfMeasures) {
  ordered_json d = minimal();
  d["measures"]["calls"] = {{"value", "1"}};
  expect_problem(d, "measures.calls", "has the name of a signal", "signal.calls");
  for (auto name : {"score", "users_active", "as_of", "attr", "account", "signal", "points", "kind", "milestone", "event", "props"}) {
    d = minimal();
    d["measures"][name] = {{"value", "1"}};
    expect_problem(d, std::string("measures.") + name, '"' + std::string(name) + "\" is a reserved name");
  }
  d = minimal();
  d["measures"]["m"] = 7;
  expect_problem(d, "measures.m", "must be an object, not a number");
  d["measures"]["m"] = {{"value", "1"}, {"points_each", 2}};
  expect_problem(d, "measures.m.points_each", "is not a known key");
  d = minimal();
  for (std::size_t i = 0; i < kMaxMeasures; i++) d["measures"]["m" + std::to_string(i)] = {{"value", "1"}};
  expect_right(d);
  d["measures"]["one_more"] = {{"value", "1"}};
  expect_problem(d, "measures", "must have at most 64 entries, not 65");
}

TEST(Program, TakesPointsOff) {
  for (const char *curve : {"points_each", "saturates_at", "half_saturation", "over"}) {
    ordered_json d = with_other(R"({"kind": "risk", "event": "error", "window": "1 day", "max_points": -20})");
    d["signals"]["other"][curve] = 3;
    expect_right(d);
  }
  ordered_json d = with_other(R"({"kind": "risk", "event": "error", "window": "1 day", "max_points": 0})");
  expect_right(d);
  d["signals"]["other"]["kind"] = "intent";
  expect_problem(d, "signals.other.max_points", "must not be 0", "may_score");
  d["signals"]["other"]["may_score"] = false;
  expect_right(d);
  // Points that are taken off can't be had.
  d = with_other(R"({"kind": "risk", "event": "error", "window": "1 day", "max_points": -20})");
  d["qualify"]["enter"] = 20;
  expect_right(d);
  d["qualify"]["enter"] = 21;
  expect_problem(d, "qualify.enter", "is 21, but the signals that may score give at most 20 points together");
}

TEST(Program, GivesPointsOverAValue) {
  for (const double over : {-0.5, 0.0, 1e300}) {
    ordered_json d = with_other(R"({"kind": "fit", "value": "attr.x", "max_points": 5})");
    d["signals"]["other"]["over"] = over;
    const ParsedProgram r = parse(d);
    ASSERT_TRUE(r.problems.empty());
    EXPECT_EQ(r.program.signals[1].over, over);
    EXPECT_EQ(r.program.signals[1].points_each, 0);
  }
}

TEST(Program, HasNoCurveForYesOrNo) {
  for (const char *text : {R"({"flag": true})", R"({"milestone": "invited"})", R"({"all_of": ["a", "b"], "within": "1 day"})"}) {
    ordered_json d = with_milestones();
    d["signals"]["other"] = ordered_json::parse(text);
    const std::string form = d["signals"]["other"].items().begin().key();
    d["signals"]["other"]["kind"] = "fit";
    d["signals"]["other"]["max_points"] = 5;
    expect_right(d);
    d["signals"]["other"]["points_each"] = 5;
    expect_problem(d, "signals.other.points_each", "cannot be combined with " + ('"' + form + '"'));
  }
}

TEST(Program, ChecksKinds) {
  ordered_json d = with_other(R"({"kind": "intent", "event": "sso", "half_life": "7 days", "max_points": 5})");
  d["qualify"]["min_kinds"] = 2;
  d["qualify"]["required_kinds"] = {"intent", "depth"};
  expect_right(d);
  d["qualify"]["required_kinds"] = {"intent", "intent"};
  expect_problem(d, "qualify.required_kinds[1]", "repeats \"intent\"");
  d["qualify"]["required_kinds"] = {"fit"};
  expect_problem(d, "qualify.required_kinds[0]", "no signal of the kind fit gives points", "add such a signal");
  d["qualify"]["required_kinds"] = {"intnet"};
  expect_problem(d, "qualify.required_kinds[0]", "\"intnet\" is not a valid kind", "Perhaps you meant \"intent\".");
  d["qualify"]["required_kinds"] = ordered_json::array();
  expect_problem(d, "qualify.required_kinds", "must list 1 to 6 kinds, not 0");
  d["qualify"].erase("required_kinds");
  d["qualify"]["min_kinds"] = 3;
  expect_problem(d, "qualify.min_kinds", "is 3, but the signals that give points are of 2 kinds");
  d["qualify"]["min_kinds"] = 7;
  expect_problem(d, "qualify.min_kinds", "must be an integer between 1 and 6, not 7");
  // A kind without points isn't there.
  d["qualify"]["min_kinds"] = 2;
  d["signals"]["other"]["may_score"] = false;
  expect_problem(d, "qualify.min_kinds", "is 2, but the signals that give points are of 1 kind");
  d["signals"]["other"] = ordered_json::parse(R"({"kind": "risk", "event": "e", "half_life": "7 days", "max_points": -5})");
  d["qualify"] = {{"enter", 10}, {"required_kinds", {"risk"}}};
  expect_problem(d, "qualify.required_kinds[0]", "no signal of the kind risk gives points");
  // Nothing is said while a kind isn't known.
  d["signals"]["other"]["kind"] = "rsik";
  expect_problem(d, "signals.other.kind", "\"rsik\" is not a valid kind");
}

TEST(Program, ChecksRulesOfQualification) {
  ordered_json d = minimal();
  d["qualify"]["at_least"] = {{"count", 2}, {"of", {"a", "b", "c"}}};
  expect_right(d);
  d["qualify"]["at_least"]["count"] = 4;
  expect_problem(d, "qualify.at_least.count", "is 4, but there are only 3 rules");
  d["qualify"]["at_least"]["count"] = 0;
  expect_problem(d, "qualify.at_least.count", "must be an integer between 1 and 32, not 0");
  d["qualify"]["at_least"] = {{"count", 1}, {"of", {"a", "a"}}};
  expect_problem(d, "qualify.at_least.of[1]", "repeats \"a\"");
  d["qualify"]["at_least"] = {{"count", 1}, {"of", ordered_json::array()}};
  expect_problem(d, "qualify.at_least.of", "must list 1 to 32 rules, not 0");
  d["qualify"]["at_least"] = ordered_json::object();
  EXPECT_EQ(paths(parse(d)), (std::vector<std::string>{"qualify.at_least.of", "qualify.at_least.count"}));
  d = minimal();
  d["qualify"]["when"] = " ";
  expect_problem(d, "qualify.when", "must not be empty");
  for (auto key : {"dwell", "cool_down"}) {
    d = minimal();
    d["qualify"][key] = "0";
    expect_right(d);
    d["qualify"][key] = "1 month";
    expect_problem(d, std::string("qualify.") + key, "a month has no fixed length");
  }
}

TEST(Program, ChecksSeveralMotions) {
  ordered_json d = minimal();
  const ordered_json sso = {{"when", "signal.calls > 1"}, {"motion", "enterprise"}}, rest = {{"otherwise", true}, {"motion", "none"}};
  d["motions"] = {sso, rest};
  expect_right(d);
  d["motions"] = {rest, sso};
  expect_problem(d, "motions[1]", "is never chosen, because the motion before it is for everybody", "last");
  d["motions"] = {rest, sso, sso, rest};
  expect_problem(d, "motions[1]", "is never chosen, because the motion before it is for everybody");
  d["motions"] = ordered_json::array({sso});
  expect_problem(d, "motions", "must end with a motion for everybody else", "otherwise");
  d["motions"] = {sso, sso, rest};
  expect_problem(d, "motions[1].when", "repeats the condition of motions[0]");
  d["motions"] = {{{"when", "true"}, {"otherwise", true}, {"motion", "email"}}, rest};
  expect_problem(d, "motions[0].otherwise", "cannot be combined with \"when\"");
  d["motions"] = {{{"motion", "email"}}, rest};
  expect_problem(d, "motions[0].otherwise", "is required", "\"when\"");
  d["motions"] = {{{"when", ""}, {"motion", "email"}}, rest};
  expect_problem(d, "motions[0].when", "must not be empty");
  d["motions"] = ordered_json::array();
  for (int i = 0; i < 32; i++) d["motions"].push_back({{"when", std::to_string(i)}, {"motion", "email"}});
  d["motions"].push_back(rest);
  EXPECT_EQ(paths(parse(d)), (std::vector<std::string>{"motions", "motions"}));
  expect_problem(with_motion({{"otherwise", true}, {"motion", "email"}, {"skills", {"a", "a"}}}), "motions[0].skills[1]", "repeats \"a\"");
  expect_right(with_motion({{"otherwise", true}, {"motion", "email"}, {"after", "3 business days"}}));
  d = minimal();
  d["qualify"]["dwell"] = "3 working days";
  expect_problem(d, "qualify.dwell", "is not a length of working time", "Only the \"after\" and \"by\" of motions are");
  d = with_motion({{"otherwise", true}, {"motion", "enterprise"}, {"when_nobody", "downgrade"}});
  expect_problem(d, "motions[0].downgrade_to", "is required", "none, in_app or email");
  d["motions"][0]["downgrade_to"] = "inside_sales";
  expect_problem(d, "motions[0].downgrade_to", "\"inside_sales\" is not a valid motion that needs nobody");
  d["motions"][0]["downgrade_to"] = "in_app";
  expect_right(d);
  d["motions"][0]["when_nobody"] = "wait";
  expect_problem(d, "motions[0].downgrade_to", "needs \"when_nobody\": \"downgrade\"");
}

// covers: S1-1, S3-8
TEST(Program, ChecksPlaysAndAcceptance) {
  const auto with = [](const char *key, const char *value) {
    ordered_json m = {{"otherwise", true}, {"motion", "inside_sales"}};
    m[key] = ordered_json::parse(value);
    return with_motion(m);
  };
  expect_right(with("play", R"({"say": "Hello."})"));
  expect_right(with("play", R"({"never": ["Prices.", "Discounts."]})"));
  expect_problem(with("play", "{}"), "motions[0].play", "must not be empty", "\"say\"");
  expect_problem(with("play", R"({"say": " "})"), "motions[0].play.say", "must not be empty");
  expect_problem(with("play", R"({"say": []})"), "motions[0].play.say", "must list 1 to 32 sentences, not 0");
  expect_problem(with("play", R"({"never": ["a", "a"]})"), "motions[0].play.never[1]", "repeats \"a\"");
  expect_problem(with("play", R"({"says": "Hello."})"), "motions[0].play.says", "is not a known key", "\"say\"");
  expect_right(with("accept_when", R"("score > 5")"));
  expect_problem(with("accept_when", R"("")"), "motions[0].accept_when", "must not be empty");
  expect_problem(with("accept_because", R"("seats")"), "motions[0].accept_because", "needs \"accept_when\"");
  expect_problem(with_motion({{"otherwise", true}, {"motion", "email"}, {"accept_when", "true"}}), "motions[0].accept_when",
                 "is of motions that need a rep", "\"when\"");
}

// covers: S1-34, S1-47, S2-29, S3-16
TEST(Program, ChecksWhatIsKnownAndOffered) {
  const auto with = [](std::string_view known) {
    ordered_json d = minimal();
    d["known"] = ordered_json::parse(known);
    return d;
  };
  expect_right(with(R"({"team size": "attr.seats", "CRM": {"value": "attr.crm", "may_mention": true}})"));
  expect_problem(with(R"({"size": 3})"), "known.size", "must be a string or an object", "attr.seats");
  expect_problem(with(R"({"size": " "})"), "known.size", "must not be empty");
  expect_problem(with(R"({"size": {"may_mention": true}})"), "known.size.value", "is required", "attr.seats");
  expect_problem(with(R"({"size": {"value": "attr.a", "mention": true}})"), "known.size.mention", "is not a known key", "value and may_mention");
  expect_problem(with(R"({"two\nlines": "attr.a"})"), "known[\"two\\u000alines\"]", "must be one line as a label", "\"team size\"");
  ordered_json many = with("{}");
  for (int i = 0; i <= 32; i++) many["known"]["k" + std::to_string(i)] = "attr.a";
  expect_problem(many, "known", "must have at most 32 entries, not 33");
  ordered_json m = {{"otherwise", true}, {"motion", "enterprise"}, {"floor", 0.6}, {"offer", "office hours"}};
  expect_right(with_motion(m));
  EXPECT_EQ(parse(with_motion(m)).program.motions[0].floor, 0.6);
  m["floor"] = 1.1;
  expect_problem(with_motion(m), "motions[0].floor", "must be between 0 and 1, not 1.1");
  m["floor"] = 0.1;
  m["motion"] = "in_app";
  expect_problem(with_motion(m), "motions[0].floor", "is of motions that need a rep");
  m["floor"] = 0;
  expect_right(with_motion(m));
}

// covers: S1-2, S1-26, S1-27, S1-28
TEST(Program, ChecksTiming) {
  ordered_json d = with_signal("contact", {{"after", "4 working hours"}});
  expect_right(d);
  expect_problem(with_signal("contact", ordered_json::object()), "signals.calls.contact", "must not be empty", "\"after\"");
  expect_problem(with_signal("contact", {{"by", "0"}}), "signals.calls.contact.by", "must be longer than 0");
  d = with_milestones();
  d["motions"] = ordered_json::array({{{"otherwise", true}, {"motion", "email"}, {"by", "1 day"}}});
  ordered_json &m = d["motions"][0];
  m["hold"] = {{"session", "30 minutes"}, {"activation", "1 day"}};
  m["not_within"] = ordered_json::array({{{"milestone", "invited"}, {"for", "3 days"}}});
  expect_right(d);
  m["hold"] = ordered_json::object();
  expect_problem(d, "motions[0].hold", "must not be empty", "\"session\"");
  m["hold"] = {{"session", "0"}};
  expect_problem(d, "motions[0].hold.session", "must be longer than 0");
  m["hold"] = {{"session", "1 working hour"}};
  expect_problem(d, "motions[0].hold.session", "is not a length of working time");
  m["hold"] = {{"activation", "1 day"}};
  m.erase("by");
  expect_problem(d, "motions[0].hold", "needs \"by\"", "for ever");
  m["by"] = "1 day";
  m["not_within"].push_back({{"milestone", "invted"}, {"for", "3 days"}});
  expect_problem(d, "motions[0].not_within[1].milestone", "milestone \"invted\" is not defined", "Perhaps you meant \"invited\".");
  m["not_within"][1]["milestone"] = "invited";
  expect_problem(d, "motions[0].not_within[1].milestone", "repeats \"invited\"");
  m["not_within"].erase(1);
  m["not_within"][0].erase("for");
  expect_problem(d, "motions[0].not_within[0].for", "is required", "\"3 days\"");
  d = minimal();
  d["motions"] = ordered_json::array({{{"otherwise", true}, {"motion", "email"}, {"by", "1 day"}, {"hold", {{"activation", "1 day"}}}}});
  expect_problem(d, "motions[0].hold.activation", "needs an activation");
}

TEST(Program, ChecksQuietHours) {
  const auto with = [](const char *text) {
    ordered_json d = minimal();
    d["quiet_hours"] = ordered_json::parse(text);
    return d;
  };
  expect_right(with(R"({"zone": "attr.zone", "hours": ["21:00-08:00"]})"));
  expect_right(with(R"({"zone": "attr.zone", "days": {"sun": ["00:00-24:00"]}})"));
  expect_problem(with(R"({"hours": ["21:00-08:00"]})"), "quiet_hours.zone", "is required", "attr.timezone");
  expect_problem(with(R"({"zone": "attr.zone"})"), "quiet_hours", "must have hours", "21:00-08:00");
  for (const char *wrong : {"21-08", "21:00-8:00", "25:00-08:00", "08:00-08:00", "24:00-08:00", "21:60-08:00", "21:00 - 08:00"}) {
    ordered_json d = with(R"({"zone": "attr.zone"})");
    d["quiet_hours"]["hours"] = ordered_json::array({wrong});
    expect_problem(d, "quiet_hours.hours", '"' + std::string(wrong) + "\" is not a time of day until another", "21:00-08:00");
  }
  expect_problem(with(R"({"zone": "attr.zone", "hours": ["00:00-24:00"]})"), "quiet_hours", "leave no time for contact");
  expect_problem(with(R"({"zone": "attr.zone", "hours": ["12:00-11:00", "10:00-13:00"]})"), "quiet_hours", "leave no time for contact");
  expect_problem(with(R"({"zone": "attr.zone", "days": {"sunday": ["00:00-24:00"]}})"), "quiet_hours.days.sunday", "is not a known key", "Known keys are mon, tue,");
  const ParsedProgram r = parse(with(R"({"zone": "attr.zone", "hours": ["21:00-08:00"], "days": {"sun": ["00:00-24:00"]}})"));
  std::vector<WorkBlock> week;
  for (int day = 0; day < 6; day++) week.push_back({day * 1440 + 480, day * 1440 + 1260});
  ASSERT_TRUE(r.program.quiet_hours);
  EXPECT_EQ(r.program.quiet_hours->week(), week);
}

TEST(Program, ChecksEscalations) {
  const ordered_json rest = {{"otherwise", true}, {"motion", "enterprise"}, {"by", "1 day"}, {"on_breach", "escalate"}};
  const auto with = [&](const ordered_json &to) {
    ordered_json m = rest;
    m["escalate_to"] = to;
    return with_motion(m);
  };
  expect_problem(with_motion(rest), "motions[0].escalate_to", "is required", "{\"rep\": …}");
  expect_problem(with("max"), "motions[0].escalate_to", "must be an object, not a string");
  expect_problem(with(ordered_json::object()), "motions[0].escalate_to.rep", "is required", "\"team\"");
  expect_problem(with({{"rep", "max"}, {"team", "leads"}}), "motions[0].escalate_to.team", "cannot be combined with \"rep\"");
  expect_problem(with({{"skill", " "}}), "motions[0].escalate_to.skill", "must not be empty");
  for (const char *what : {"rep", "team", "skill"}) {
    expect_right(with({{what, "max"}}));
    EXPECT_EQ(parse(with({{what, "max"}})).program.motions[0].escalate_to.name, "max");
  }
  ordered_json d = with({{"rep", "max"}});
  d["motions"][0]["on_breach"] = "reassign";
  expect_problem(d, "motions[0].escalate_to", "needs \"on_breach\": \"escalate\"");
  d["motions"][0].erase("on_breach");
  expect_problem(d, "motions[0].escalate_to", "needs \"on_breach\": \"escalate\"");
  d = with({{"rep", "max"}});
  d["motions"][0].erase("by");
  expect_problem(d, "motions[0].on_breach", "needs \"by\"");
  d["motions"][0]["by"] = "1 day";
  d["motions"][0]["motion"] = "email";
  expect_problem(d, "motions[0].on_breach", "is of a motion that takes nobody");
}

// A program with one template, of which one part is another.
ordered_json with_template(const char *key, const ordered_json &value) {
  ordered_json d = ordered_json::parse(kWhole);
  ordered_json &t = d["outreach"]["templates"];
  t = {{"one", {{"motion", "email"}, {"subject", "A hand"}, {"body", "I can help.\n\n{{ask}}"}, {"ask", "Is ten minutes all right?"}}}};
  if (value.is_null()) t["one"].erase(key);
  else t["one"][key] = value;
  return d;
}
ordered_json with_variable(const ordered_json &v) {
  ordered_json d = with_template("variables", {{"x", v}});
  d["outreach"]["templates"]["one"]["body"] = "I can help with {{x}}.\n\n{{ask}}";
  return d;
}

// covers: S2-28, S2-29, S2-30, S2u-8, S2u-10
TEST(Program, ChecksOutreach) {
  const auto one = [](const char *key, const ordered_json &value, std::string_view path, std::string_view problem, std::string_view hint = {}) {
    expect_problem(with_template(key, value), "outreach.templates.one" + (path.empty() ? "" : "." + std::string(path)), problem, hint);
  };
  expect_right(with_template("opt_out", nullptr));
  one("body", "We noticed you clicked on pricing. {{ask}}", "body", "tells the reader that they were watched: \"We noticed you clicked\"", "not what you saw");
  one("body", "Do you like it? {{ask}}", "body", "asks for something outside of \"ask\": \"Do you like it?\"", "one thing");
  one("subject", "Free on Tuesday?", "subject", "asks for something outside of \"ask\": \"Free on Tuesday?\"", "one thing");
  one("ask", "Is it useful? Or call me.", "ask", "asks for 2 things: \"Is it useful?\", \"Or call me.\"", "one thing");
  one("ask", "I keep Tuesday free.", "ask", "asks nothing", "question mark");
  one("body", "You are at integration_activated. {{ask}}", "body", "has a name as software writes it: \"integration_activated\"", "in words");
  one("body", "12 clicks. {{ask}}", "body", "counts what the reader did: \"12 clicks\"", "Leave the number out");
  one("body", "Since 14:02. {{ask}}", "body", "has an instant to the minute: \"14:02\"", "multiples of five");
  one("body", "Ticket 0190f3c27a1e7cc1. {{ask}}", "body", "has an id: \"0190f3c27a1e7cc1\"", "No reader");
  one("body", "When it is failing. {{ask}}", "body", "speaks of what may not be mentioned: \"failing\"", "may_mention");
  one("body", "I\u200b can help. {{ask}}", "body", "has characters that nobody sees", "Type it anew");
  one("body", std::string(1'200, 'x') + "{{ask}}", "body", "has more than 1200 characters", "Nobody reads");
  one("subject", std::string(81, 'x'), "subject", "has more than 80 characters", "fewer words");
  one("subject", "two\nlines", "subject", "must be one line", "Only the body");
  one("subject", nullptr, "subject", "is required", "e-mail");
  one("body", "I can help.", "body", "must have {{ask}} once, not 0 times");
  one("body", "{{ask}} {{ask}}", "body", "must have {{ask}} once, not 2 times");
  one("body", "{{x}} {{ask}}", "body", "variable \"x\" is not defined", "variables");
  one("body", "{{Mr X}} {{ask}}", "body", "has a placeholder that isn't one: \"{{Mr X}} {{ask}}\"", "{{name}}");
  one("body", "{{opt_out}} {{ask}}", "body", "has {{opt_out}}, of which there is none", "opt_out");
  one("opt_out", "A short no is enough.", "body", "must have {{opt_out}} once, not 0 times");
  one("ask", "{{ask}} or so?", "ask", "must not have {{ask}}", "body");
  one("motion", "none", "motion", "\"none\" contacts nobody");
  one("motion", "solutions_engineer", "motion", "none of the motions is \"solutions_engineer\"");
  one("motion", "mail", "motion", "\"mail\" is not a valid motion", "email");
  one("language", "it", "language", "\"it\" is not a valid language");
  one("variables", {{"x", {{"type", "text"}, {"from", "attr.company"}}}}, "variables.x", "is used nowhere");
  one("subjekt", "x", "subjekt", "is not a known key", "subject");
}

// A version of pql that knows more phrases must not take a program out of force.
TEST(Program, IsReadWhateverItsTextsSayOncePublished) {
  const std::string text = with_template("body", "We noticed you clicked 12 times today? {{ask}}").dump();
  EXPECT_FALSE(parse_program(text).problems.empty());
  EXPECT_FALSE(parse_program(text, Served::all).problems.empty());
  const ParsedProgram r = parse_program(text, Served::published);
  EXPECT_EQ(r.problems, std::vector<Problem>{});
  EXPECT_EQ(r.program, parse_program(text).program);
}

TEST(Program, ChecksVariablesOfOutreach) {
  const auto one = [](const ordered_json &v, std::string_view path, std::string_view problem, std::string_view hint = {}) {
    expect_problem(with_variable(v), "outreach.templates.one.variables.x." + std::string(path), problem, hint);
  };
  expect_right(with_variable({{"type", "text"}, {"from", "attr.company"}, {"say", {{"acme", "Acme"}}}}));
  expect_right(with_variable({{"type", "text"}, {"from", "signal.rollout"}, {"say", "the rollout"}}));
  one({{"type", "text"}, {"from", "attr.revenue"}}, "from", "attr.revenue may not be mentioned", "outreach.may_mention");
  one({{"type", "text"}, {"from", "signal.failing"}, {"say", "it"}}, "from", "signal \"failing\" may not be mentioned", "may_mention");
  one({{"type", "text"}, {"from", "signal.fialing"}, {"say", "it"}}, "from", "signal \"fialing\" is not defined");
  one({{"type", "text"}, {"from", "milestone.left"}, {"say", "it"}}, "from", "milestone \"left\" is not defined");
  one({{"type", "text"}, {"from", "props.x"}}, "from", "\"props.x\" is no source", "Sources are");
  one({{"type", "number"}, {"from", "signal.rollout"}, {"say", "it"}}, "type", "signal.rollout is a text");
  one({{"type", "list"}, {"from", "attr.company"}}, "type", "an attribute is no list");
  one({{"type", "text"}, {"from", "signal.rollout"}}, "say", "is required", "words");
  one({{"type", "text"}, {"from", "signal.rollout"}, {"say", "what we saw you do"}}, "say", "tells the reader that they were watched: \"we saw you\"");
  one({{"type", "text"}, {"from", "attr.company"}, {"default", "12 clicks"}}, "default", "counts what the reader did: \"12 clicks\"");
  one({{"type", "text"}, {"from", "people"}, {"say", {{"a", "b"}}}}, "say", "has nothing to say for");
  one({{"type", "text"}, {"from", "activation.next"}, {"say", {{"signed_up", "a"}, {"invited", "b"}}}}, "say", "has no words for the step \"integrated\"");
  one({{"type", "word"}, {"from", "attr.company"}}, "type", "\"word\" is not a valid type");
  one({{"type", "text"}}, "from", "is required", "Sources are");
  ordered_json d = with_template("variables", {{"ask", {{"type", "text"}, {"from", "offer"}}}});
  expect_problem(d, "outreach.templates.one.variables.ask", "\"ask\" is a reserved name");
  d = with_variable({{"type", "text"}, {"from", "milestone.signed_up"}, {"say", "it"}});
  d["signals"]["failing"]["event"] = "signup";
  expect_problem(d, "outreach.templates.one.variables.x.from", "milestone \"signed_up\" rests on what signal \"failing\" does, which may not be mentioned");
  d = with_variable({{"type", "text"}, {"from", "signal.rollout"}, {"say", "it"}});
  d["signals"]["rollout"]["may_show_rep"] = false;
  expect_problem(d, "outreach.templates.one.variables.x.from", "signal \"rollout\" may not be shown");
  d = with_template("variables", {{"a", {{"type", "text"}, {"from", "people"}}}, {"b", {{"type", "text"}, {"from", "signal.rollout"}, {"say", "it"}}},
                                  {"c", {{"type", "text"}, {"from", "signal.path"}, {"say", "it"}}}});
  d["outreach"]["templates"]["one"]["body"] = "{{a}} {{b}} {{c}} {{ask}}";
  expect_problem(d, "outreach.templates.one.variables", "say 3 things of what the reader did, and at most 2 are plausible", "surveillance");
  d = with_template("opt_out", nullptr);
  d["outreach"]["may_mention"] = {"attr.a", "signal.b"};
  expect_problem(d, "outreach.may_mention", "\"signal.b\" is no attribute");
  d["outreach"]["may_mention"] = {"account.a"};
  expect_problem(d, "outreach.may_mention", "\"account.a\" is of a program on users or workspaces");
  d = with_template("opt_out", nullptr);
  d["outreach"]["stop"] = {{"per", "1 hour"}};
  expect_problem(d, "outreach.stop.per", "must be at least 1 day, not 1 hour");
  d["outreach"]["templates"] = ordered_json::object();
  d["outreach"].erase("stop");
  expect_problem(d, "outreach.templates", "must not be empty");
}

TEST(Program, ChecksGuardrailsAndExamples) {
  ordered_json d = minimal();
  d["guardrails"] = {{{"block_when", "a"}, {"reason", "tiny"}}, {{"block_when", "a"}, {"reason", "small"}}};
  expect_problem(d, "guardrails[1].block_when", "repeats the condition of another guardrail");
  d["guardrails"] = ordered_json::array({ordered_json::object()});
  EXPECT_EQ(paths(parse(d)), (std::vector<std::string>{"guardrails[0].block_when", "guardrails[0].reason"}));
  d["guardrails"] = ordered_json::array();
  expect_problem(d, "guardrails", "must list 1 to 32 guardrails, not 0");
  d = minimal();
  d["examples"] = {{{"subject", "a"}, {"expect", "qualified"}}, {{"subject", "b"}, {"expect", "not_qualified"}},
                   {{"subject", "c"}, {"expect", "account_executive"}}};
  expect_right(d);
  d["examples"][1]["subject"] = "a";
  expect_problem(d, "examples[1].subject", "repeats \"a\"");
  d["examples"][1] = {{"subject", "b"}, {"expect", "email"}};
  expect_problem(d, "examples[1].expect", "none of the motions is \"email\"");
  d["examples"][1] = {{"subject", "b"}, {"expect", "qualfied"}};
  expect_problem(d, "examples[1].expect", "\"qualfied\" is not a valid expectation", "Perhaps you meant \"qualified\".");
  d["examples"][1] = ordered_json::object();
  EXPECT_EQ(paths(parse(d)), (std::vector<std::string>{"examples[1].subject", "examples[1].expect"}));
}

TEST(Program, ChecksLimits) {
  ordered_json d = minimal();
  for (const double share : {0.0, 0.1, 0.5}) {
    d["holdout"] = share;
    expect_right(d);
  }
  for (const double share : {-0.1, 0.51}) {
    d["holdout"] = share;
    EXPECT_EQ(paths(parse(d)), (std::vector<std::string>{"holdout"}));
  }
  d["holdout"] = 1;
  expect_problem(d, "holdout", "must be between 0 and 0.5, not 1");
  d = minimal();
  d["limits"] = {{"min_days_between_versions", 365}};
  expect_right(d);
  d["limits"] = {{"min_days_between_versions", 366}};
  expect_problem(d, "limits.min_days_between_versions", "must be an integer between 0 and 365, not 366");
  d["limits"] = {{"min_days", 1}};
  expect_problem(d, "limits.min_days", "is not a known key");
  d = minimal();
  d["consent"] = "opt_on";
  expect_problem(d, "consent", "\"opt_on\" is not a valid consent", "Perhaps you meant \"opt_in\".");
  d = minimal();
  d["holdout_exempt"] = ordered_json::array();
  expect_right(d);
  d["holdout_exempt"] = {"named_accounts", "explicit"};
  expect_problem(d, "holdout_exempt[1]", "\"explicit\" is not a valid entry");
  d = minimal();
  d["motions"] = {{{"otherwise", true}, {"motion", "inside_sales"}, {"channel", "Phone"}}};
  expect_problem(d, "motions[0].channel", "\"Phone\" is not a valid name");
  d = minimal();
  d["re_evaluate"] = "30 seconds";
  expect_problem(d, "re_evaluate", "must be at least 1 minute, not 30 seconds");
  d["re_evaluate"] = "2 days";
  expect_problem(d, "re_evaluate", "must be at most 1 day, not 2 days");
}

// What is an outcome, and what is work: rule 9 of those that a real team runs.
TEST(Program, SaysWhatCounts) {
  const auto with = [](const ordered_json &outcome) {
    ordered_json d = minimal();
    d["outcome"] = outcome;
    return d;
  };
  expect_right(with(ordered_json::object()));
  EXPECT_EQ(parse(with(ordered_json::object())).program.outcome, OutcomeDef());
  expect_problem(with({{"converted", ordered_json::array()}}), "outcome.converted", "must list 1 to 32 outcomes, not 0");
  expect_problem(with({{"converted", {"Paid"}}}), "outcome.converted", "\"Paid\" is not a valid name");
  expect_problem(with({{"converted", {"paid"}}, {"lost", {"paid"}}}), "outcome.lost", "\"paid\" is among \"converted\", too");
  expect_problem(with({{"horizon", "3 months"}}), "outcome.horizon", "a month has no fixed length");
  expect_problem(with({{"horizon", "30 minutes"}}), "outcome.horizon", "must be at least 1 hour, not 30 minutes");
  expect_problem(with({{"horizont", "30 days"}}), "outcome.horizont", "is not a known key", "Perhaps you meant \"horizon\".");
  expect_problem(with({{"worked", {{"touches", 0}}}}), "outcome.worked.touches", "must be an integer between 1 and 1000, not 0");
  expect_problem(with({{"worked", {{"touches", 3}, {"kinds", 4}}}}), "outcome.worked.kinds", "must not be more than \"touches\", 3");
  expect_problem(with({{"worked", {{"kinds", 5}}}}), "outcome.worked.kinds", "must not be more than \"touches\", 4");
  expect_problem(with({{"worked", {{"channels", {"phone", "phone"}}}}}), "outcome.worked.channels[1]", "repeats \"phone\"");
  expect_problem(with({{"worked", {{"kinds", 2}, {"channels", {"phone"}}}}}), "outcome.worked.kinds", "must not be more than the number of \"channels\", 1");
  EXPECT_EQ(parse(with({{"worked", {{"channels", {"phone"}}}}})).program.outcome.worked.kinds, 1);
  expect_right(with({{"worked", {{"touches", 1}}}}));
  EXPECT_EQ(parse(with({{"worked", {{"touches", 1}}}})).program.outcome.worked.kinds, 1);
}

TEST(Program, MayBeAboutWorkspaces) {
  ordered_json d = minimal();
  d["unit"] = "workspace";
  const ParsedProgram r = parse(d);
  EXPECT_TRUE(r.problems.empty());
  EXPECT_EQ(r.program.unit, Unit::workspace);
  EXPECT_EQ(name_of(r.program.unit), "workspace");
  const std::vector<TrackerSpec> all = tracker_specs(r.program);
  ASSERT_FALSE(all.empty());
  EXPECT_TRUE(tells_account(all[0]));
  EXPECT_EQ(std::count_if(all.begin(), all.end(), tells_account), 1);
}

TEST(Program, AMilestoneIsOfOneEvent) {
  ordered_json d = with_milestones();
  d["milestones"]["invited"]["event"] = "*";
  expect_problem(d, "milestones.invited.event", "must be the name of one event");
}

TEST(WriteProgram, IsReadBack) {
  for (const std::string &text : {minimal().dump(), std::string(kFull), std::string(kWhole), with_milestones().dump()}) {
    const ProgramDef p = parse_program(text, Served::all).program;
    const std::string written = write_program(p);
    const ParsedProgram again = parse_program(written, Served::all);
    EXPECT_EQ(again.problems, std::vector<Problem>{}) << written;
    EXPECT_EQ(again.program, p) << written;
    EXPECT_EQ(write_program(again.program), written);
  }
  // What is served is written in words that are served.
  EXPECT_TRUE(parse_program(write_program(parse_program(kFull).program)).problems.empty());
}

TEST(WriteProgram, SaysNothingThatGoesWithoutSaying) {
  EXPECT_EQ(write_program(parse(minimal()).program),
            R"({"program":"trial","unit":"user","objective":"conversion","signals":{"calls":{"kind":"depth","event":"api_call",)"
            R"("half_life":"7 days","max_points":20}},"qualify":{"enter":10,"leave":10},)"
            R"("motions":[{"otherwise":true,"motion":"account_executive"}]})");
}

TEST(WriteProgram, KeepsShortForms) {
  const ordered_json written = ordered_json::parse(write_program(parse_program(kWhole, Served::all).program));
  EXPECT_EQ(written["signals"]["procurement"]["topic"], "enterprise_procurement");
  EXPECT_EQ(written["signals"]["demos"]["repeat"], "once");
  EXPECT_EQ(written["signals"]["path"]["sequence"], ordered_json({"pricing_viewed", "checkout_opened"}));
  EXPECT_EQ(written["signals"]["activated"]["milestone"], "activation_complete");
  ordered_json d = minimal();
  d["signals"]["calls"]["event"] = "topic:No Name";
  EXPECT_EQ(ordered_json::parse(write_program(parse(d).program))["signals"]["calls"]["event"], "topic:No Name");
}

std::vector<Change> changes(const ordered_json &from, const ordered_json &to) {
  const ParsedProgram a = parse(from), b = parse(to);
  EXPECT_EQ(a.problems, std::vector<Problem>{});
  EXPECT_EQ(b.problems, std::vector<Problem>{});
  return diff_programs(a.program, b.program);
}

TEST(DiffPrograms, SaysNothingOfEqualOnes) {
  EXPECT_EQ(changes(ordered_json::parse(kWhole), ordered_json::parse(kWhole)), std::vector<Change>{});
  // However they are written.
  ordered_json d = minimal();
  d["signals"]["calls"]["half_life"] = "168 hours";
  d["signals"]["calls"]["measure"] = "count";
  d["signals"]["calls"]["may_score"] = true;
  d["qualify"]["leave"] = 10;
  EXPECT_EQ(changes(minimal(), d), std::vector<Change>{});
}

TEST(DiffPrograms, TellsWhatChanged) {
  ordered_json from = ordered_json::parse(kWhole);
  from.erase("outreach"); // see TellsWhatChangedOfOutreach
  ordered_json to = from;
  to["objective"] = "conversion";
  to.erase("segment");
  to["milestones"]["integrated"].erase("where");
  to["activation"]["steps"] = {"signed_up", "integrated"};
  to["measures"].erase("zeal");
  to["measures"]["spend"] = {{"value", "attr.spend"}};
  to["signals"]["api_calls"]["max_points"] = 25;
  to["signals"]["api_calls"]["where"] = "true";
  to["signals"]["limits_hit"]["points_each"] = 2.5;
  to["signals"]["failing"].erase("may_mention");
  to["signals"].erase("referral");
  to["signals"]["sso_request"] = {{"kind", "intent"}, {"event", "sso_requested"}, {"half_life", "14 days"}, {"max_points", 25}};
  to["signals"]["angry"] = {{"kind", "risk"}, {"flag", true}, {"max_points", -10}};
  to["qualify"]["enter"] = 65;
  to["qualify"].erase("at_least");
  to["qualify"].erase("dwell");
  to["qualify"].erase("capacity");
  to["motions"].erase(0);
  to["motions"][0]["motion"] = "solutions_engineer";
  to["guardrails"].push_back({{"block_when", "attr.bad"}, {"reason", "bad debt"}});
  to["examples"][0]["expect"] = "qualified";
  to["holdout"] = 0.2;
  to.erase("limits");
  to.erase("re_evaluate");
  const std::vector<Change> wanted = {
      {"objective", "expansion → conversion"},
      {"milestones.integrated.where", "props ? 'kind' → none"},
      {"activation.steps", "signed_up, integrated, invited → signed_up, integrated"},
      {"measures.spend", "added (value)"},
      {"measures.zeal", "removed"},
      {"signals.api_calls.where", "none → true"},
      {"signals.api_calls.max_points", "20 → 25"},
      {"signals.limits_hit.points_each", "2 → 2.5"},
      {"signals.failing.may_mention", "false → true"},
      {"signals.sso_request", "added (intent, up to 25 points)"},
      {"signals.angry", "added (risk, down to -10 points)"},
      {"signals.referral", "removed"},
      {"qualify.enter", "70 → 65"},
      {"qualify.dwell", "1 day → none"},
      {"qualify.at_least", "removed"},
      {"qualify.capacity", "true → false"},
      {"motions[0].motion", "enterprise → solutions_engineer"},
      {"motions[0]", "removed (customer_success when signal.failing > 5)"},
      {"guardrails[2]", "added (bad debt)"},
      {"examples[0].expect", "enterprise → qualified"},
      {"holdout", "0.1 → 0.2"},
      {"segment", "attr.plan in ('free', 'team') and attr.employees between 20 and 2000 → none"},
      {"limits.min_days_between_versions", "14 → none"},
      {"re_evaluate", "30 minutes → 1 hour"},
  };
  EXPECT_EQ(changes(from, to), wanted);
}

TEST(DiffPrograms, TellsWhatChangedOfOutreach) {
  const ordered_json from = with_template("opt_out", nullptr);
  ordered_json to = from;
  to["outreach"]["may_mention"] = {"attr.company"};
  to["outreach"]["stop"]["unanswered"] = 3;
  to["outreach"]["templates"]["one"]["ask"] = "Are ten minutes all right?";
  to["outreach"]["templates"]["two"] = from["outreach"]["templates"]["one"];
  const std::vector<Change> wanted = {{"outreach.may_mention", "attr.company, attr.seats, attr.renews_at → attr.company"},
                                      {"outreach.templates.one.ask", "Is ten minutes all right? → Are ten minutes all right?"},
                                      {"outreach.templates.two", "added (email)"},
                                      {"outreach.stop.unanswered", "2 → 3"}};
  EXPECT_EQ(diff_programs(parse(from).program, parse(to).program), wanted);
  ordered_json none = from;
  none.erase("outreach");
  EXPECT_EQ(diff_programs(parse(from).program, parse(none).program).size(), 3u);
}

TEST(DiffPrograms, TellsWhatChangedOfOutcomes) {
  const ordered_json from = minimal();
  ordered_json to = from;
  to["outcome"] = {{"horizon", "30 days"}, {"worked", {{"touches", 3}, {"meeting", false}}}};
  const std::vector<Change> wanted = {{"outcome.horizon", "90 days → 30 days"}, {"outcome.worked.touches", "4 → 3"}, {"outcome.worked.meeting", "true → false"}};
  EXPECT_EQ(diff_programs(parse(from).program, parse(to).program), wanted);
}

TEST(DiffPrograms, TellsOfAnotherOrder) {
  ordered_json from = minimal(), to = minimal();
  const ordered_json calls = from["signals"]["calls"];
  from["signals"] = {{"calls", calls}, {"more", calls}};
  to["signals"] = {{"more", calls}, {"calls", calls}};
  EXPECT_EQ(changes(from, to), (std::vector<Change>{{"signals", "in another order"}}));
  const ordered_json a = {{"when", "a"}, {"motion", "email"}}, b = {{"when", "b"}, {"motion", "none"}},
                     rest = {{"otherwise", true}, {"motion", "none"}};
  from = to = minimal();
  from["motions"] = {a, b, rest};
  to["motions"] = {b, a, rest};
  EXPECT_EQ(changes(from, to), (std::vector<Change>{{"motions", "in another order"}}));
}

// Whatever key or entry of the whole document goes, it is told.
TEST(DiffPrograms, MissesNothing) {
  const ordered_json whole = ordered_json::parse(kWhole);
  const ProgramDef p = parse(whole).program;
  const ordered_json flat = whole.flatten();
  int tried = 0;
  for (const auto &[pointer, value] : flat.items()) {
    for (ordered_json::json_pointer at(pointer); !at.empty(); at.pop_back()) {
      ordered_json d = whole;
      ordered_json &parent = d[at.parent_pointer()];
      if (parent.is_array())
        parent.erase(std::stoul(at.back()));
      else
        parent.erase(at.back());
      const ParsedProgram r = parse(d);
      if (!r.problems.empty()) continue;
      tried++;
      EXPECT_EQ(diff_programs(p, r.program).empty(), p == r.program) << at.to_string();
      EXPECT_EQ(diff_programs(r.program, p).empty(), p == r.program) << at.to_string();
    }
  }
  EXPECT_GT(tried, 100);
}

// A file of the source tree, from wherever the tests run.
ordered_json from_tree(const std::string &file) {
  namespace fs = std::filesystem;
  fs::path found = fs::path(__FILE__).parent_path() / ".." / ".." / file;
  for (fs::path at = fs::current_path(); !fs::exists(found); at = at.parent_path()) {
    found = at / file;
    if (at == at.root_path()) break;
  }
  std::ifstream in(found);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  return ordered_json::parse(text, nullptr, false);
}

ordered_json schema() { return from_tree("doc/program.schema.json"); }

// covers: S2u-7
TEST(Programs, ToStartFromHaveTheFiveClassicSignals) {
  for (const std::string name : {"trial_conversion", "workspace_expansion", "usage_limit"}) {
    const ordered_json d = from_tree("programs/" + name + ".json");
    ASSERT_TRUE(d.is_object()) << name;
    const ParsedProgram r = parse(d);
    EXPECT_EQ(r.problems, std::vector<Problem>{}) << name;
    EXPECT_EQ(r.program.name, name); // so that the file can be found again
    for (auto signal : {"feature_adoption", "usage_frequency", "team_invitations", "api_calls", "integrations_activated"})
      EXPECT_TRUE(d["signals"].contains(signal)) << name << " has no " << signal;
    for (const SignalDef &s : r.program.signals)
      EXPECT_FALSE(s.why.empty() || s.owner.empty() || s.false_positive_risk.empty()) << name << " " << s.name;
    for (const MotionDef &m : r.program.motions) EXPECT_FALSE(m.next_best_action.empty()) << name << " " << m.motion;
    EXPECT_EQ(parse_program(write_program(r.program), Served::all).program, r.program);
  }
}

// What teams really run can be said.
TEST(Programs, SayTheRulesThatATeamRuns) {
  const ordered_json rules = from_tree("test/data/rules.json");
  ASSERT_EQ(rules.size(), 10u);
  for (const ordered_json &rule : rules) EXPECT_EQ(parse(rule["program"]).problems, std::vector<Problem>{}) << rule["rule"];
}

TEST(ProgramSchema, HasExactlyTheKeysOfTheParser) {
  const ordered_json s = schema();
  ASSERT_TRUE(s.is_object());
  EXPECT_EQ(s["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(sections().size(), 25u);
  for (const Section &section : sections()) {
    const std::string name(section.name);
    const ordered_json &part = name == "program" ? s : s["$defs"][name];
    ASSERT_TRUE(part.is_object()) << name;
    EXPECT_EQ(part["additionalProperties"], false) << name;
    std::vector<std::string> described, accepted(section.keys.begin(), section.keys.end());
    for (const auto &[key, value] : part["properties"].items()) described.push_back(key);
    std::sort(described.begin(), described.end());
    std::sort(accepted.begin(), accepted.end());
    EXPECT_EQ(described, accepted) << name;
  }
}

TEST(ProgramSchema, RequiresWhatTheParserRequires) {
  const ordered_json s = schema();
  EXPECT_EQ(s["required"], ordered_json({"program", "unit", "signals", "qualify"}));
  EXPECT_EQ(paths(parse_program("{}")), s["required"].get<std::vector<std::string>>());
}

TEST(ProgramSchema, HasTheWordsOfTheParser) {
  const ordered_json s = schema();
  auto each = [](const ordered_json &words, auto &&document) {
    ASSERT_TRUE(words.is_array() && !words.empty());
    for (const ordered_json &word : words) expect_right(document(word));
  };
  const ordered_json &signal = s["$defs"]["signal"]["properties"];
  each(s["$defs"]["kind"]["enum"], [](const ordered_json &w) { return with_signal("kind", w); });
  std::vector<std::string_view> measures;
  for (int m = 0; m <= static_cast<int>(Measure::flag); m++) measures.push_back(name_of(static_cast<Measure>(m)));
  EXPECT_EQ(s["$defs"]["measure"]["properties"]["measure"]["enum"], ordered_json(measures));
  each(s["$defs"]["measure"]["properties"]["repeat"]["enum"], [](const ordered_json &w) {
    ordered_json d = with_signal("repeat", w);
    d["signals"]["calls"].erase("half_life");
    d["signals"]["calls"]["window"] = "1 day";
    if (w == "capped") d["signals"]["calls"]["cap"] = 2;
    return d;
  });
  each(s["$defs"]["example"]["properties"]["expect"]["enum"], [](const ordered_json &w) {
    ordered_json d = minimal();
    const bool any = w == "qualified" || w == "not_qualified";
    d["motions"] = ordered_json::array({{{"otherwise", true}, {"motion", any ? ordered_json("email") : w}}});
    d["examples"] = ordered_json::array({{{"subject", "acme"}, {"expect", w}}});
    return d;
  });
  for (const ordered_json &word : s["properties"]["measures"]["propertyNames"]["allOf"][1]["not"]["enum"]) {
    ordered_json d = minimal();
    d["measures"][word.get<std::string>()] = {{"value", "1"}};
    EXPECT_FALSE(parse(d).problems.empty()) << word;
  }
  each(signal["false_positive_risk"]["enum"],
       [](const ordered_json &w) { return with_signal("false_positive_risk", w); });
  each(s["$defs"]["motion"]["properties"]["motion"]["enum"], [](const ordered_json &w) {
    return with_motion({{"otherwise", true}, {"motion", w}});
  });
  each(s["properties"]["objective"]["enum"], [](const ordered_json &w) {
    ordered_json d = minimal();
    d["objective"] = w;
    return d;
  });
  EXPECT_EQ(s["properties"]["milestones"]["maxProperties"], kMaxMilestones);
  EXPECT_EQ(s["properties"]["signals"]["maxProperties"], kMaxSignals);
  EXPECT_EQ(s["$defs"]["activation"]["properties"]["steps"]["maxItems"], kMaxSteps);
  EXPECT_EQ(s["properties"]["measures"]["maxProperties"], kMaxMeasures);
  EXPECT_EQ(s["properties"]["motions"]["maxItems"], kMaxMotions);
  EXPECT_EQ(s["properties"]["guardrails"]["maxItems"], kMaxGuardrails);
  EXPECT_EQ(s["properties"]["examples"]["maxItems"], kMaxExamples);
  EXPECT_EQ(s["$defs"]["at_least"]["properties"]["of"]["maxItems"], kMaxRules);
  EXPECT_EQ(s["$defs"]["motion"]["properties"]["skills"]["maxItems"], kMaxSkills);
  EXPECT_EQ(s["$defs"]["steps"]["maxItems"], kMaxSteps);
  EXPECT_EQ(s["properties"]["known"]["maxProperties"], kMaxKnown);
  const ordered_json &outreach = s["$defs"]["outreach"]["properties"], &text = s["$defs"]["outreach_template"]["properties"];
  EXPECT_EQ(outreach["templates"]["maxProperties"], kMaxTemplates);
  EXPECT_EQ(outreach["may_mention"]["maxItems"], kMaxMentioned);
  EXPECT_EQ(text["variables"]["maxProperties"], kMaxVariables);
  EXPECT_EQ(text["language"]["enum"], ordered_json({"en", "de", "fr", "es", "pt"}));
  EXPECT_EQ(s["$defs"]["variable"]["properties"]["type"]["enum"], ordered_json({"text", "number", "since", "until", "date", "list"}));
  EXPECT_EQ(signal["max_points"]["maximum"], kMaxPoints);
  EXPECT_EQ(signal["max_points"]["minimum"], -kMaxPoints);
}

} // namespace
} // namespace pql
