// Tests of the program document's parser, and of the schema that describes the same document.
// Law: every mistake is reported at its path, in one pass, and nothing makes the parser throw.
#include "core/program/program.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pql {

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

// One that uses every key.
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

ParsedProgram parse(const ordered_json &document) { return parse_program(document.dump()); }

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
  const ParsedProgram r = parse_program(text);
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
  const ParsedProgram r = parse_program(kFull);
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
  expect_problem(d, "examples", "is not supported by this version");
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
                 "Known keys are program, unit, objective, description, milestones, "
                 "activation, signals, qualify and motions.");
  expect_problem(with_signal(std::string(5'000, 'k').c_str(), 1), "signals.calls[\"" + std::string(70, 'k') + "...\"]",
                 "is not a known key");
}

TEST(Program, SaysWhatThisVersionCannotDo) {
  for (auto key : {"segment", "measures", "guardrails", "examples", "holdout", "limits", "capacity", "re_evaluate"}) {
    ordered_json d = minimal();
    d[key] = 1;
    expect_problem(d, key, "is not supported by this version");
  }
  for (auto key : {"window", "topic", "value", "over", "all_of", "within", "when"}) {
    expect_problem(with_signal(key, "x"), std::string("signals.calls.") + key, "is not supported by this version");
  }
  for (auto key : {"dwell", "cool_down", "min_kinds", "required_kinds", "when", "capacity"}) {
    ordered_json d = minimal();
    d["qualify"][key] = "1 day";
    expect_problem(d, std::string("qualify.") + key, "is not supported by this version");
  }
  for (auto measure : {"distinct_users", "growth", "pattern"}) {
    expect_problem(with_signal("measure", measure), "signals.calls.measure",
                   '"' + std::string(measure) + "\" is not supported by this version", "Use count or sum.");
  }
  expect_problem(with_motion({{"when", "true"}, {"motion", "email"}}), "motions[0].when",
                 "is not supported by this version");
  expect_problem(with_motion({{"otherwise", true}, {"motion", "email"}, {"skills", {"x"}}}), "motions[0].skills",
                 "is not supported by this version");
  // What a later version's signal lacks of this version's is no problem of its own.
  ordered_json d = minimal();
  d["signals"]["procurement"] = {{"kind", "intent"}, {"topic", "enterprise_procurement"}, {"max_points", 25}};
  expect_problem(d, "signals.procurement.topic", "is not supported by this version");
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

TEST(Program, RefusesWrongTypesEverywhere) {
  const ordered_json values[] = {nullptr, true, 7, 7.5, "text", ordered_json::array({1}), ordered_json{{"k", 1}}};
  const ordered_json full = ordered_json::parse(kFull);
  const ordered_json flat = full.flatten();
  for (const auto &[pointer, good] : flat.items()) {
    // Every leaf, and everything above it.
    for (ordered_json::json_pointer at(pointer); !at.empty(); at.pop_back()) {
      for (const ordered_json &bad : values) {
        const bool number = full[at].is_number() && bad.is_number();
        if (number || bad.type() == full[at].type()) continue;
        ordered_json d = full;
        d[at] = bad;
        const ParsedProgram r = parse(d);
        check_style(r.problems);
        EXPECT_FALSE(r.problems.empty()) << at.to_string() << " = " << bad;
        EXPECT_TRUE(std::any_of(r.problems.begin(), r.problems.end(),
                                [](const Problem &p) { return p.problem.find("must be ") != std::string::npos; }))
            << at.to_string() << " = " << bad;
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
  expect_problem(with_signal("measure", "milestone"), "signals.calls.measure", "\"milestone\" is not a valid measure");
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
  for (auto bad : {0, -1, 1001}) {
    expect_problem(with_signal("max_points", bad), "signals.calls.max_points",
                   "must be an integer between 1 and 1000, not " + std::to_string(bad));
  }
  expect_problem(with_signal("max_points", 1.5), "signals.calls.max_points",
                 "must be an integer between 1 and 1000, not 1.5");
  expect_problem(with_signal("max_points", 1e300), "signals.calls.max_points",
                 "must be an integer between 1 and 1000, not 1e+300");
  expect_problem(with_signal("max_points", 10'000'000'000'000'000'000u), "signals.calls.max_points",
                 "must be an integer between 1 and 1000, not 1e+19");
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
  expect_problem(with_signal("of", "units"), "signals.calls.of", "is only for the measure sum");
}

TEST(Program, TakesOneCurve) {
  for (auto key : {"points_each", "saturates_at", "half_saturation"}) expect_right(with_signal(key, 2));
  ordered_json d = with_signal("points_each", 4);
  d["signals"]["calls"]["half_saturation"] = 3;
  expect_problem(d, "signals.calls.half_saturation", "cannot be combined with \"points_each\"",
                 "Keep one of points_each, saturates_at or half_saturation.");
}

TEST(Program, KeepsMilestoneSignalsApart) {
  const ordered_json other = {{"event", "x"},         {"where", "true"},  {"measure", "count"}, {"of", "x"},
                              {"half_life", "1 day"}, {"points_each", 1}, {"saturates_at", 1},  {"half_saturation", 1}};
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
  expect_problem(d, "motions", "must not be empty");
  d["motions"] =
      ordered_json::array({{{"otherwise", true}, {"motion", "email"}}, {{"otherwise", true}, {"motion", "none"}}});
  expect_problem(d, "motions", "has more than one motion, which is not supported by this version");
  expect_problem(with_motion({{"otherwise", false}, {"motion", "email"}}), "motions[0].otherwise", "must be true");
  expect_problem(with_motion({{"otherwise", true}, {"motion", "emial"}}), "motions[0].motion",
                 "\"emial\" is not a valid motion", "Perhaps you meant \"email\".");
  expect_right(with_motion({{"otherwise", true}, {"motion", "email"}, {"after", "0"}}));
  expect_problem(with_motion({{"otherwise", true}, {"motion", "email"}, {"by", "0"}}), "motions[0].by",
                 "must be longer than 0");
  expect_problem(with_motion({{"otherwise", true}, {"motion", "email"}, {"by", "4 working hours"}}), "motions[0].by",
                 "working time is not supported by this version");
}

// The source tree, from wherever the tests run.
ordered_json schema() {
  namespace fs = std::filesystem;
  const char *const file = "doc/program.schema.json";
  fs::path found = fs::path(__FILE__).parent_path() / ".." / ".." / file;
  for (fs::path at = fs::current_path(); !fs::exists(found); at = at.parent_path()) {
    found = at / file;
    if (at == at.root_path()) break;
  }
  std::ifstream in(found);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  return ordered_json::parse(text, nullptr, false);
}

TEST(ProgramSchema, HasExactlyTheKeysOfTheParser) {
  const ordered_json s = schema();
  ASSERT_TRUE(s.is_object());
  EXPECT_EQ(s["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(sections().size(), 6u);
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
  each(signal["kind"]["enum"], [](const ordered_json &w) { return with_signal("kind", w); });
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
  EXPECT_EQ(signal["max_points"]["maximum"], kMaxPoints);
}

} // namespace
} // namespace pql
