// Laws of what outreach may say. covers: S2-28, S2-30
#include "core/outreach/render.hpp"

#include "core/outreach/fold.hpp"
#include "core/outreach/phrases.hpp"
#include "property/any.hpp"

#include <rapidcheck/gtest.h>

namespace pql {
namespace {

template <class T, std::size_t N> const T &one_of(const T (&all)[N]) { return all[number<std::size_t>(0, N)]; }

const char *const kHarmless[] = {"I", "help", "teams", "with", "their", "setup", "in", "ten", "minutes", "Ihr", "équipe", "für", "{{name}}", "42", "a", "week", "日本"};
const char *const kBad[] = {"we noticed you", "you visited our pricing page", "our data shows", "wir haben gesehen", "j'ai remarqué", "hemos visto", "você clicou",
                            "sso_requested", "12 clicks", "14:02", "0190f3c27a1e7cc1"};
const char *const kAsks[] = {"let me know", "https://example.com/x", "bitte", "book a call"};
const char *const kBetween[] = {" ", "  ", "\n", ", ", " - "};

std::string any_text() {
  std::string out;
  for (int i = number(0, 30); i > 0; i--) out += std::string(one_of(kHarmless)) + one_of(kBetween);
  return out;
}

std::string shouted(std::string text) {
  for (char &c : text) {
    if (c >= 'a' && c <= 'z' && one_in(2)) c = static_cast<char>(c - 32);
  }
  return text;
}

RC_GTEST_PROP(Outreach, HarmlessWordsAreHarmless, ()) {
  const std::string text = any_text();
  check("nothing is found", look_at(text).faults.empty() && look_at(text).asks.empty());
}

RC_GTEST_PROP(Outreach, WhateverStandsAroundItIsFound, ()) {
  const std::string before = any_text(), after = any_text();
  const std::string bad = one_in(2) ? std::string(one_of(kBad)) : shouted(one_of(kBad));
  check("what is bad", !look_at(before + "so " + bad + " " + after).faults.empty()); // "in 12 clicks" isn't
  check("what asks", look_at(before + one_of(kAsks) + " " + after).asks.size() == 1);
  check("a question", look_at(before + "so? " + after).asks.size() == 1);
}

// What is invisible, and spelling with letters that look the same, hides nothing.
RC_GTEST_PROP(Outreach, TricksHideNothing, ()) {
  const std::string bad = one_of(kBad);
  std::string tricked;
  for (const char c : bad) {
    if (one_in(3)) tricked += "\xe2\x80\x8b";
    if (c == 'o' && one_in(2)) tricked += "о";
    else if (c == 'e' && one_in(2)) tricked += "е";
    else if (c == 'a' && one_in(2)) tricked += "а";
    else tricked += c;
  }
  check("it is found", !look_at(tricked).faults.empty());
}

RC_GTEST_PROP(Outreach, FoldingTwiceIsFoldingOnce, ()) {
  const std::string text = any_text() + *rc::gen::arbitrary<std::string>();
  const std::string once = fold(text).text;
  check("the same", fold(once).text == once);
  check("each byte has its origin", fold(text).origin.size() == once.size() + 1);
}

// Each phrase is found where its words stand.
RC_GTEST_PROP(Outreach, PhrasesAreFound, ()) {
  const Phrase &p = phrases()[number<std::size_t>(0, phrases().size())];
  std::string text;
  std::string_view rest = p.words;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (word == "^" || word[0] == '!') continue;
    if (word == "*") {
      for (int i = number(0, 4); i > 0; i--) text += "so ";
      continue;
    }
    std::string_view some = word[0] == '[' ? word.substr(1, word.size() - 2) : word;
    if (word[0] == '[' && one_in(2)) continue;
    std::vector<std::string_view> alternatives;
    for (; !some.empty(); some.remove_prefix(std::min(some.size(), alternatives.back().size() + 1))) alternatives.push_back(some.substr(0, some.find('|')));
    const std::string_view chosen = alternatives[number<std::size_t>(0, alternatives.size())];
    text += (chosen == "#" ? "7" : std::string(chosen)) + " ";
  }
  const Look look = look_at(text);
  check(std::string(p.words).c_str(), p.says == Says::asks ? look.asks.size() == 1 : !look.faults.empty());
}

// A rendered text has passed what the template passed, whatever the value was.
RC_GTEST_PROP(Outreach, RenderedTextsPass, ()) {
  ProgramDef p;
  TemplateDef t;
  t.subject = "For {{name}}";
  t.body = "Hi {{name}},\n\nI can help.\n\n{{ask}}";
  t.ask = "Is ten minutes all right?";
  t.variables = {{"name", VariableType::text, "attr.name", "there", {}}};
  const std::string value = one_in(2) ? any_text() : one_in(2) ? std::string(one_of(kBad)) + any_text() : *rc::gen::arbitrary<std::string>();
  const Rendered r = render(p, t, {{"name", {{value}, {}, {}, {}}}}, 2026);
  check("a text or a reason", r.refused.empty() != r.body.empty());
  if (!r.refused.empty()) return;
  check("nothing is found", look_at(r.body).faults.empty() && look_at(r.subject).faults.empty());
  check("one ask", look_at(r.body).asks.size() == 1 && look_at(r.subject).asks.empty());
  check("nothing hidden", !has_invisible(r.body));
}

} // namespace
} // namespace pql
