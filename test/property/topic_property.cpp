// Laws of topics in messages.
// Law: normalising is idempotent and equals Unicode's own; what is found doesn't depend on what was matched before, nor on the order
// of the lexicon's lines.
#include "core/topic/matcher.hpp"

#include <re2/re2.h>
#include <utf8proc.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <cstdlib>
#include <string>

#include "property/any.hpp"

namespace pql::topic {
namespace {

// Text of scripts, marks, blanks, ends of sentences and bytes that are none.
std::string any_text() {
  static const std::vector<std::string> pieces = {
      "sso", "SSO", "need", "don't", "no", "but", "price", " ", "  ", "\n", ". ", "? ", "! ", "。", "、", "é", "e\u0301", "\u0327", "\u200B", "İ", "ß", "ﬁ",
      "цена", "料金", "ガ", "ｶﾞ", "각", "\u1100\u1161\u11A8", "٤", "\u064E", "ไทย", ">", "-", "--", "-----", "wrote:", "\t", "\r\n", "\xff", "\xE3\x81", "😡", "\uFE0F", "1", "_", "’", "“", "x."};
  std::string out;
  for (int n = number(0, 40); n > 0; n--) out += pieces[number<std::size_t>(0, pieces.size())];
  return out;
}

std::string without_marks(const std::string &s) {
  std::string out;
  std::copy_if(s.begin(), s.end(), std::back_inserter(out), [](char c) { return !is_mark(c); });
  return out;
}

void normalising_is_idempotent() {
  static Normaliser n;
  const std::string text = any_text();
  Normalised once, twice;
  std::vector<std::uint32_t> map;
  n.normalise(text, once, &map);
  check("the map is as long as the text", map.size() == once.text.size() + 1);
  check("the map ascends", std::is_sorted(map.begin(), map.end()));
  n.normalise(without_marks(once.text), twice);
  check("normalised is normalised", once.text == twice.text);
  for (std::size_t i = 0; i < once.sentences.size(); i++) {
    const Sentence &s = once.sentences[i];
    check("sentences follow each other", s.begin < s.end && s.end < once.text.size() && once.text[s.end] == '\n' && (i == 0 || s.begin == once.sentences[i - 1].end + 1));
    Normalised piece;
    n.normalise(std::string_view(text).substr(s.from, s.until - s.from), piece);
    check("a sentence by itself is what it is in its text", piece.text == once.text.substr(s.begin, s.end + 1 - s.begin));
  }
}
TEST(Property, NormalisingIsIdempotent) { rc::check(normalising_is_idempotent); }

// Of letters and marks alone, which no sign is made plain of.
void normalising_is_unicodes() {
  static Normaliser n;
  std::string text;
  for (int i = number(1, 8); i > 0; i--) {
    static const std::uint32_t ranges[][2] = {{0xC0, 0x24F}, {0x300, 0x306}, {0x308, 0x345}, {0x386, 0x3FF}, {0x400, 0x4FF}, {0x5D0, 0x5EA}, {0x627, 0x64A}, {0x64B, 0x655}, {0x915, 0x93C},
                                              {0xAC00, 0xD7A3}, {0x1100, 0x1112}, {0x1161, 0x1175}, {0x11A8, 0x11C2}, {0x1E00, 0x1FBC}, {0x3041, 0x309A}, {0xFB00, 0xFB06}};
    const auto &r = ranges[number<std::size_t>(0, std::size(ranges))];
    const std::uint32_t c = number(r[0], r[1] + 1);
    if (utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_CN || c == 0x131 || c == 0x130 || c == 0x149) continue;
    encode(c, text);
  }
  utf8proc_uint8_t *expected = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t *>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &expected,
                                 static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE | UTF8PROC_STABLE));
  ASSERT_GE(size, 0);
  Normalised out;
  n.normalise(text, out);
  std::string got = without_marks(out.text), wanted(reinterpret_cast<char *>(expected), static_cast<std::size_t>(size));
  std::free(expected);
  if (!got.empty()) got.pop_back();
  // Signs like the acute accent by itself have a blank in them, or are made plain.
  if (wanted.find(' ') == wanted.npos && wanted.find('\'') == wanted.npos && got.find('\'') == got.npos) {
    EXPECT_EQ(got, wanted);
  }
}
TEST(Property, NormalisingIsUnicodes) { rc::check(normalising_is_unicodes); }

std::vector<Entry> lexicon() {
  return {{"en", Kind::topic, "sso", "\\bsso\\b"},       {"en", Kind::topic, "price", "\\b(?:price|цена)\\b"}, {"ja", Kind::topic, "price", "料金"},
          {"en", Kind::topic, "both", "need.{0,20}sso"}, {"en", Kind::before, "", "\\bdon't need\\b"},         {"en", Kind::before, "", "\\bno\\b"},
          {"ja", Kind::after, "", "no"},                 {"en", Kind::clause, "", "\\bbut\\b"},                {"en", Kind::quote, "", ".*wrote:"}};
}

std::string told(Matcher &m, const std::string &text) {
  std::string out;
  for (const Finding &f : m.find(text)) {
    EXPECT_LE(f.begin, f.end);
    EXPECT_LE(f.end, text.size());
    out += m.entries()[f.entry].topic + ":" + f.quote + "\n";
  }
  return out;
}

void findings_depend_on_the_message_alone() {
  static Matcher used(lexicon());
  Matcher fresh(shuffled(lexicon()));
  const std::string a = any_text(), b = any_text();
  told(used, b);
  check("neither on what came before, nor on the lines' order", told(used, a) == told(fresh, a));
  check("blanks around it don't matter", told(used, a) == told(used, "\n\n" + a + "\n "));
}
TEST(Property, FindingsDependOnTheMessageAlone) { rc::check(findings_depend_on_the_message_alone); }

// What a pattern needs is wherever it matches: otherwise nobody would look.
void needs_miss_nothing() {
  static const std::vector<std::string> patterns = {"need.{0,20}sso", "\\b(?:don't|no)\\b.*\\bprice\\b", "\\w+ \\bsso\\b", "(?:need|price\\b.{0,9}) ?.{0,30}sso", "e\\w* .{0,5}(?:sso|цена)", "(?:sso .{0,10}){2}", "料金.*ガ"};
  static Normaliser n;
  const std::string &pattern = patterns[number<std::size_t>(0, patterns.size())];
  const RE2 whole(*translate(n, pattern, Extent::within, nullptr));
  Matcher m({{"en", Kind::topic, "x", pattern}});
  const std::string text = any_text();
  if (text.find('>') != text.npos || text.find("--") != text.npos) return; // quoted
  Normalised out;
  n.normalise(text, out);
  const bool matches = std::any_of(out.sentences.begin(), out.sentences.end(), [&](const Sentence &s) {
    return RE2::PartialMatch({out.text.data() + s.begin, s.end - s.begin}, whole);
  });
  check("found is what matches", m.find(text).empty() != matches);
}
TEST(Property, NeedsMissNothing) { rc::check(needs_miss_nothing); }

std::string any_pattern(int depth) {
  static const std::vector<std::string> parts = {"sso", "no", "price", " ", ".", "\\w*", ".{0,9}", "[sp]", "[^s]", "\\b", "x", "цен", "料金", "wrote", "e?", "(?:ss|x)+", "1"};
  std::string out;
  for (int n = number(1, 5); n > 0; n--) {
    if (depth > 0 && one_in(4)) out += "(?:" + any_pattern(depth - 1) + "|" + any_pattern(depth - 1) + ")" + (one_in(3) ? "?" : "");
    else out += parts[number<std::size_t>(0, parts.size())];
  }
  return out;
}

int filtered_out = 0, matched = 0;

// What a pattern needs is in whatever it matches.
void a_pattern_that_matches_is_a_candidate() {
  static Normaliser n;
  Filter filter;
  std::vector<std::unique_ptr<RE2>> all;
  for (int i = number(1, 6); i > 0; i--) {
    const std::string pattern = any_pattern(2) + (one_in(2) ? "|" + any_pattern(1) : "");
    const std::optional<std::string> t = translate(n, pattern, Extent::within, nullptr);
    if (!t) continue;
    for (Needed &way : ways_to_match(n, pattern)) filter.add(0, all.size(), std::move(way));
    all.push_back(std::make_unique<RE2>(*t, RE2::Quiet));
  }
  std::vector<std::size_t> candidates;
  for (int i = 0; i < 10; i++) {
    Normalised text;
    n.normalise(any_text(), text);
    filter.look(text.text);
    for (const Sentence &s : text.sentences) {
      const std::string sentence = text.text.substr(s.begin, s.end - s.begin);
      filter.candidates(0, s.begin, s.end, candidates);
      check("candidates are in order, and there once", std::adjacent_find(candidates.begin(), candidates.end(), std::greater_equal<>()) == candidates.end());
      for (std::size_t e = 0; e < all.size(); e++) {
        const bool kept = std::binary_search(candidates.begin(), candidates.end(), e), matches = RE2::PartialMatch(sentence, *all[e]);
        check("a pattern that matches is kept", kept || !matches);
        filtered_out += !kept;
        matched += matches;
      }
    }
  }
}
TEST(Property, APatternThatMatchesIsACandidate) {
  rc::check(a_pattern_that_matches_is_a_candidate);
  EXPECT_GT(filtered_out, 100);
  EXPECT_GT(matched, 100);
}

} // namespace
} // namespace pql::topic
