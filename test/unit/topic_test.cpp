// Topics in messages: what is normalised, what a pattern may be, what is denied, quoted, and kept as the quote. (S1-29 to S1-33, S1-42)
// Law: the cases below read as a person reads them, in each of their scripts.
#include "core/topic/matcher.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace pql::topic {
namespace {

std::string normalised(std::string_view s) {
  Normaliser n;
  Normalised out;
  n.normalise(s, out);
  std::string plain;
  for (char c : out.text) {
    if (!is_mark(c)) plain += c;
  }
  if (!plain.empty()) plain.pop_back(); // the last sentence's end
  return plain;
}

TEST(Normalise, WritesOneSpelling) {
  EXPECT_EQ(normalised("What  does\tＳＳＯ cost?"), "what does sso cost?");
  EXPECT_EQ(normalised("don’t “quote” – me"), "don't \"quote\" - me");
  EXPECT_EQ(normalised("zero\u200Bwidth \u00ADsoft"), "zerowidth soft");
  EXPECT_EQ(normalised("e\u0301 \u00e9"), "\u00e9 \u00e9");
  EXPECT_EQ(normalised("e\u200D\u0301"), "\u00e9");
  EXPECT_EQ(normalised("FİYAT ıSI"), "fiyat isi");
  EXPECT_EQ(normalised("Größe ﬁn ①"), "grösse fin 1");
  EXPECT_EQ(normalised("ｶﾞ ㎏"), "ガ kg");
  EXPECT_EQ(normalised("각"), "각");
  EXPECT_EQ(normalised("a\xff" "b"), "a\uFFFDb");
  EXPECT_EQ(normalised("\xED\xA0\x80x"), "\uFFFD\uFFFD\uFFFDx");
}

TEST(Normalise, EndsSentences) {
  EXPECT_EQ(normalised("One. Two! \"Three?\" Four… five\nsix\r\nseven"), "one.\ntwo!\n\"three?\"\nfour...\nfive\nsix\nseven");
  EXPECT_EQ(normalised("e.g. 3.5 at app.example.com"), "e.g. 3.5 at app.example.com");
  EXPECT_EQ(normalised("導入します。料金は？はい「高い。」次"), "導入します。\n料金は?\nはい「高い。」\n次");
  EXPECT_EQ(normalised("كم السعر؟ شكرا"), "كم السعر؟\nشكرا");
  EXPECT_EQ(normalised("  \n\n .  "), ".");
  EXPECT_EQ(normalised(""), "");
}

TEST(Normalise, MarksTheEndsOfWords) {
  Normaliser n;
  Normalised out;
  n.normalise("a-b SSOを x_1", out);
  EXPECT_EQ(out.text, "\1a\2-\1b\2 \1sso\3を\2 \1x_1\2\n");
  n.normalise("SSO를", out);
  EXPECT_EQ(out.text, "\1sso\3를\2\n");
}

TEST(Normalise, KnowsWhereSentencesComeFrom) {
  Normaliser n;
  Normalised out;
  std::vector<std::uint32_t> map;
  const std::string text = " Ｏne.  Two\n\nThree";
  n.normalise(text, out, &map);
  ASSERT_EQ(out.sentences.size(), 3u);
  const auto original = [&](std::size_t i) { return text.substr(out.sentences[i].from, out.sentences[i].until - out.sentences[i].from); };
  EXPECT_EQ(original(0), "Ｏne.");
  EXPECT_EQ(original(1), "Two");
  EXPECT_EQ(original(2), "Three");
  EXPECT_EQ(out.sentences[1].line, 0u);
  EXPECT_EQ(out.sentences[2].line, 2u);
  EXPECT_EQ(map.size(), out.text.size() + 1);
}

std::string problem(std::string_view pattern, Extent extent = Extent::within) {
  Normaliser n;
  const auto p = check_pattern(n, pattern, extent);
  return p ? std::to_string(p->position) + ": " + p->problem : "";
}

TEST(Pattern, IsRefusedWithThePlace) {
  EXPECT_EQ(problem("\\b(?:sso|saml)\\b.{0,40}\\bcost"), "");
  EXPECT_EQ(problem("a(b"), "2: missing )");
  EXPECT_EQ(problem("ab)"), "3: unmatched )");
  EXPECT_EQ(problem("a[b"), "2: missing ]");
  EXPECT_EQ(problem("*a"), "1: nothing to repeat");
  EXPECT_EQ(problem("a\\Bc"), "2: \\B can't be used");
  EXPECT_EQ(problem("a(?=b)"), "2: only the groups (...) and (?:...) can be used");
  EXPECT_EQ(problem("a\\bc"), "2: \\b within a word never matches");
  EXPECT_EQ(problem(" \\b-"), "2: \\b between two characters that no word holds never matches");
  EXPECT_EQ(problem("a{3,1}"), "2: bad count");
  EXPECT_EQ(problem("[ß]"), "1: a character of the class is more than one, or none, in normalised texts: write (?:...|...)");
  EXPECT_EQ(problem("a*"), "1: the pattern matches everything");
  EXPECT_EQ(problem(""), "1: the pattern is empty");
  EXPECT_EQ(problem("\\p{Nonsense}"), "1: no such class of characters");
  EXPECT_EQ(problem("(?:(?:a.{0,200}){0,40}b){0,20}"), "1: the pattern needs too much memory");
  std::string nested = "ab";
  for (int i = 0; i < 40; i++) nested = "(?:" + nested + ")+";
  EXPECT_TRUE(problem(nested).ends_with("the pattern needs too much memory"));
  EXPECT_EQ(problem("a\xff"), "2: not UTF-8");
  EXPECT_EQ(problem(std::string(kLongPattern + 1, 'a')), "2001: the pattern is longer than 2000 bytes");
  EXPECT_EQ(problem(".+:", Extent::whole), "");
}

class Topics : public testing::Test {
protected:
  Matcher make(std::string_view en, std::string_view other = {}, std::string_view language = "de") {
    Normaliser n;
    std::vector<Entry> entries;
    std::vector<LexiconProblem> problems;
    read_lexicon(n, "en", en, entries, problems);
    read_lexicon(n, language, other, entries, problems);
    for (const LexiconProblem &p : problems) ADD_FAILURE() << p.line << ": " << p.problem;
    return Matcher(std::move(entries));
  }
  static std::string topics(Matcher &m, std::string_view text) {
    std::string out;
    for (const Finding &f : m.find(text)) out += (out.empty() ? "" : ",") + m.entries()[f.entry].topic;
    return out;
  }
  static bool matches(std::string_view pattern, std::string_view text) {
    Matcher m({{"en", Kind::topic, "x", std::string(pattern)}});
    EXPECT_EQ(m.patterns(), 1u) << pattern;
    return !m.find(text).empty();
  }

  static constexpr std::string_view kEnglish = "sso\t\\b(?:sso|saml)\\b\n"
                                               "cost\t\\bcosts?\\b\n"
                                               "# a comment\n\n"
                                               "!before\t\\b(?:don't|do not) need\\b\n"
                                               "!after\t\\bisn't needed\\b\n"
                                               "!break\t\\bbut\\b\n"
                                               "!question\t^why\\b\n"
                                               "!quote\ton .+ wrote:\n";
  static constexpr std::string_view kGerman = "sso\t\\bsso\\b\ncost\t\\bkostet\\b\n!before\t\\bkein(?:e|en)?\\b\n!after\t\\bbrauchen wir nicht\\b\n!break\t\\baber\\b\n";
};

TEST_F(Topics, WordsHaveUnicodeBoundaries) {
  EXPECT_TRUE(matches("\\bsso\\b", "(SSO)"));
  EXPECT_FALSE(matches("\\bsso\\b", "lasso"));
  EXPECT_FALSE(matches("\\bsso\\b", "ssoé"));
  EXPECT_FALSE(matches("\\bцена\\b", "ценами"));
  EXPECT_TRUE(matches("\\bцена\\b", "Какая ЦЕНА?"));
  EXPECT_FALSE(matches("\\bцена", "оцена"));
  EXPECT_TRUE(matches("sso", "SSOが必要"));
  EXPECT_TRUE(matches("\\bsso\\b", "SSOが必要"));
  EXPECT_TRUE(matches("\\bsso\\b", "SSO를 지원"));
  EXPECT_TRUE(matches("料金", "御社の料金を"));
  EXPECT_TRUE(matches("don't\\b", "I don’t"));
}

TEST_F(Topics, PatternsMeanWhatTheySay) {
  EXPECT_TRUE(matches("\\bcancel\\b.{0,20}\\bplan\\b", "cancel my plan"));
  EXPECT_FALSE(matches("\\bcancel\\b.{0,20}\\bplan\\b", "cancel my airplan"));
  EXPECT_FALSE(matches("\\bcancel\\b.{0,20}\\bplan\\b", "cancel. The plan"));
  EXPECT_FALSE(matches("\\bcancel\\b.{0,3}\\bplan\\b", "cancel this plan"));
  EXPECT_TRUE(matches("\\bcancel\\b.{0,4}\\bplan\\b", "cancel my plan"));
  EXPECT_TRUE(matches("integrat\\w* with", "Integrating with"));
  EXPECT_FALSE(matches("integrat\\w* with", "integrat-e with"));
  EXPECT_TRUE(matches("\\b\\w+ing\\b", "we are migrating"));
  EXPECT_TRUE(matches("(?:^|, )how", "how"));
  EXPECT_TRUE(matches("(?:a|b)? ?sso$", "my sso"));
  EXPECT_TRUE(matches("^sso", "Hello. SSO please"));
  EXPECT_TRUE(matches("(?:\\bsso\\b|\\bsaml\\b) price", "the SAML  price"));
  EXPECT_TRUE(matches("\\b(?:two )?factor\\b", "two factor"));
  EXPECT_TRUE(matches("soc ?2", "SOC2"));
  EXPECT_TRUE(matches("\\bfoo\\W+bar\\b", "foo -- bar"));
  EXPECT_TRUE(matches("[^a]sso", "xsso"));
  EXPECT_FALSE(matches("x[^a]sso", "x sso") && matches("x[^ ]sso", "x sso"));
  EXPECT_TRUE(matches("größe", "GRÖSSE"));
  EXPECT_TRUE(matches("(?:\\d+ )+seats", "10 20 seats"));
  EXPECT_TRUE(matches("\\p{Han}+費用", "導入費用"));
  EXPECT_TRUE(matches(".*sso", "we want sso"));
  EXPECT_TRUE(matches("a{2,3}b\\b", "caaab"));
}

TEST_F(Topics, WhatIsDeniedIsNotFound) {
  Matcher m = make(kEnglish, kGerman);
  EXPECT_EQ(topics(m, "We need SSO."), "sso");
  EXPECT_EQ(topics(m, "We don't need SSO."), "");
  EXPECT_EQ(topics(m, "We don’t  need any SAML or SSO"), "");
  EXPECT_EQ(topics(m, "We don't need SSO, but what does it cost"), "cost");
  EXPECT_EQ(topics(m, "We don't need SSO; the costs matter"), "cost");
  EXPECT_EQ(topics(m, "We don't need all of the other big things that come with SSO"), "sso");
  EXPECT_EQ(topics(m, "SSO isn't needed."), "");
  EXPECT_EQ(topics(m, "Don't need it. SSO!"), "sso");
  EXPECT_EQ(topics(m, "Do you say we do not need SSO?"), "sso");
  EXPECT_EQ(topics(m, "Why do not need SSO"), "sso");
  EXPECT_EQ(topics(m, "Wir brauchen kein SSO"), "");
  EXPECT_EQ(topics(m, "SSO brauchen wir nicht, aber was kostet es"), "cost");
  EXPECT_EQ(topics(m, "Haben Sie kein SSO?"), "sso");
  EXPECT_EQ(topics(m, "We don't need SSO. We need SAML."), "sso");
}

TEST_F(Topics, DenialReachesTwelveLettersOfScriptsWithoutBlanks) {
  Matcher m = make({}, "sso\tsso\n!after\t必要(?:ない|ありません)\n", "ja");
  EXPECT_EQ(topics(m, "SSOは必要ありません。"), "");
  EXPECT_EQ(topics(m, "SSOが必要です。"), "sso");
  EXPECT_EQ(topics(m, "SSOはとてもとてもとてもとてもとても必要ない。"), "sso");
  EXPECT_EQ(topics(m, "SSOは必要ない？"), "sso");
}

TEST_F(Topics, AnAsideDeniesItsSentenceAlsoWhereItAsks) {
  Matcher m = make("sso\t\\bsso\\b\ncost\t\\bcosts?\\b\n!break\t\\bbut\\b\n!aside\t\\b(?:podcast|went well)\\b\n", kGerman);
  EXPECT_EQ(topics(m, "Did you hear the podcast about SSO?"), "");
  EXPECT_EQ(topics(m, "SSO, with all of the other things that we set up in the spring of last year, went well"), "");
  EXPECT_EQ(topics(m, "The podcast is long, but what does SSO cost?"), "");
  EXPECT_EQ(topics(m, "The podcast is long. What does SSO cost?"), "cost,sso");
  EXPECT_EQ(topics(m, "Kostet der Podcast was?"), "cost"); // of another language
}

TEST_F(Topics, WhatLooksLikeAnotherLanguagesPatternIsNotFound) {
  constexpr std::string_view dutch = "budget\t\\bgeld\\b\nauth\t\\boauth\\b\n!common\t\\b(?:het|een|wij)\\b\n";
  Matcher m = make("auth\toauth2\n!common\t\\b(?:the|and|we)\\b\n", dutch, "nl");
  EXPECT_EQ(topics(m, "Geld"), "budget");
  EXPECT_EQ(topics(m, "Wij hebben geld"), "budget");
  EXPECT_EQ(topics(m, "The geld and the rest"), "");
  EXPECT_EQ(topics(m, "The geld and the rest of het"), "budget"); // it has one of its words
  EXPECT_EQ(topics(m, "The geld, and more"), "budget");           // too few to tell
  EXPECT_EQ(topics(m, "And the OAuth we use"), "");
  EXPECT_EQ(topics(m, "And the OAuth2 we use"), "auth");
  EXPECT_EQ(topics(m, "The rest and the end. Geld"), "budget"); // sentence by sentence
  Matcher without = make({}, "budget\t\\bgeld\\b\n", "nl");
  EXPECT_EQ(topics(without, "The geld and the rest"), "budget"); // whose words nobody listed
  EXPECT_EQ(topics(m, "The geld and the rest and the end of het"), "budget");
  EXPECT_EQ(topics(m, "The geld and the rest and the end we het"), ""); // six outweigh one
}

TEST_F(Topics, AnAsideOfTheSentencesLanguageDeniesWhatOthersFind) {
  constexpr std::string_view dutch = "budget\t\\bgeld\\b\n!common\t\\b(?:het|een|wij)\\b\n";
  Matcher m = make("!aside\t\\bpodcast\\b\n!common\t\\b(?:the|and|we)\\b\n", dutch, "nl");
  EXPECT_EQ(topics(m, "We like the podcast Geld"), "");
  EXPECT_EQ(topics(m, "Podcast geld"), "budget");                  // in no language that one could tell
  EXPECT_EQ(topics(m, "Het is een podcast en wij, wij hebben geld"), "budget"); // in Dutch, where it is no aside
}

TEST_F(Topics, WhatIsQuotedIsNotFound) {
  Matcher m = make(kEnglish);
  EXPECT_EQ(topics(m, "> we need SSO\nfine"), "");
  EXPECT_EQ(topics(m, "  > we need SSO"), "");
  EXPECT_EQ(topics(m, "On Monday, 5. Jan, Anna wrote:\nwe need SSO\nsoon"), "");
  EXPECT_EQ(topics(m, "On Monday Anna wrote:\n\nwe need SSO"), "");
  EXPECT_EQ(topics(m, "On Monday Anna wrote:\nhello\n\nwe need SSO"), "sso");
  EXPECT_EQ(topics(m, "On Monday Anna wrote:\n> hello\nwe need SSO"), "sso");
  EXPECT_EQ(topics(m, "I wrote on Monday: we need SSO"), "sso");
  EXPECT_EQ(topics(m, "costs?\n-----Original Message-----\nwe need SSO"), "cost");
  EXPECT_EQ(topics(m, "costs?\n-- \nAnna, SSO Inc."), "cost");
  EXPECT_EQ(topics(m, "5 > 4, so we need SSO"), "sso");
}

TEST_F(Topics, TheQuoteIsTheSentenceAsItWasWritten) {
  Matcher m = make(kEnglish);
  std::vector<Finding> f = m.find("Hello.  Do YOU “have”  ＳＳＯ ?\nBye");
  ASSERT_EQ(f.size(), 1u);
  EXPECT_EQ(f[0].quote, "Do YOU “have”  ＳＳＯ ?");
  std::string longer;
  for (int i = 0; i < 100; i++) longer += "wört ";
  f = m.find(longer + "SSO " + longer);
  ASSERT_EQ(f.size(), 1u);
  EXPECT_TRUE(f[0].quote.starts_with("…") && f[0].quote.ends_with("…"));
  EXPECT_NE(f[0].quote.find("SSO"), f[0].quote.npos);
  EXPECT_LE(f[0].quote.size(), 4 * kLongQuote);
}

TEST_F(Topics, WhatIsCompiledIsBoundedAndForgotten) {
  constexpr int kPatterns = 2200; // of which 2048 fit
  std::vector<Entry> entries;
  std::vector<std::string> words;
  for (int i = 0; i < kPatterns; i++) {
    words.push_back({'w', static_cast<char>('a' + i / 676), static_cast<char>('a' + i / 26 % 26), static_cast<char>('a' + i % 26)});
    entries.push_back({"en", Kind::topic, "t" + std::to_string(i), "\\b" + words.back() + "\\b"});
  }
  Matcher m(std::move(entries));
  std::string all;
  for (const std::string &w : words) all += w + ".\n";
  for (int round = 0; round < 3; round++) {
    EXPECT_EQ(m.find(all).size(), static_cast<std::size_t>(kPatterns));
    for (const std::string &w : words) ASSERT_EQ(m.find("some " + w).size(), 1u) << w;
    EXPECT_GT(m.memory(), 0);
    EXPECT_LE(m.memory(), kCompiledMemory);
  }
}

TEST_F(Topics, LexiconLinesAreReadOrRefused) {
  Normaliser n;
  std::vector<Entry> entries;
  std::vector<LexiconProblem> problems;
  read_lexicon(n, "en", "# x\nsso\tsso\nsso\tsso\nsso sso\n!never\tx\nBad\tx\nsso\t(x\na\tb\tc\n!quote\t.+:\r\n", entries, problems);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[1].kind, Kind::quote);
  EXPECT_EQ(entries[1].pattern, ".+:");
  std::string all;
  for (const LexiconProblem &p : problems) all += std::to_string(p.line) + " ";
  EXPECT_EQ(all, "3 4 5 6 7 8 ");
}

// Megabytes of what is meant to take long take a second at the most, on a slow machine.
TEST_F(Topics, HostileMessagesAreBounded) {
  Matcher m = make(kEnglish, kGerman);
  std::vector<std::string> hostile(9);
  hostile[0] = std::string(8 << 20, 'a');
  for (int i = 0; i < 300'000; i++) {
    hostile[1] += i % 2 ? "\u0301" : "\u0327";
    hostile[2] += "\u200B";
    hostile[3] += "\uFDFA";
    hostile[4] += "don't need sso ";
    hostile[5] += "> \n";
    hostile[6] += "sso; ";
    hostile[7] += "on x wrote:\n\n";
  }
  hostile[8] = std::string(4 << 20, '\xff');
  for (const std::string &h : hostile) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_LE(m.find(h).size(), 2u);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  }
  EXPECT_EQ(topics(m, std::string(kMostRead, ' ') + "sso"), "") << "what is behind the first megabyte isn't read";
}

// Phrases that are nearly everywhere, forks that meet again, and repeats of repeats.
TEST_F(Topics, HostilePatternsAreBounded) {
  std::string forks, nested = "a?";
  for (int i = 0; i < 60; i++) forks += "(?:|b?)";
  for (int i = 0; i < 20; i++) nested = "(?:" + nested + "b?){0,2}";
  const std::string wide = "(?:a|ab|aab|aaab){1,12}";
  std::vector<Entry> entries;
  for (const std::string &p : std::vector<std::string>{forks + "c", nested + "c", wide + "(?:a.{0,9}b|" + wide + "c)x", "a{39}" + forks + "b", "a.{0,40}a.{0,40}a.{0,40}c"})
    entries.push_back({"en", Kind::topic, "x", p});
  const auto start = std::chrono::steady_clock::now();
  Matcher m(entries);
  std::string same(kMostRead, 'a'), words;
  while (words.size() < kMostRead) words += "aab ab a b. ";
  EXPECT_EQ(topics(m, same), "");
  EXPECT_EQ(topics(m, words), "");
  EXPECT_EQ(topics(m, "bc"), "x");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

} // namespace
} // namespace pql::topic
