#include "core/outreach/fold.hpp"

#include <algorithm>

#include "core/topic/normalise.hpp"

namespace pql {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t length = 0; ///< 0: no UTF-8; it is one byte then
};

Character read_character(std::string_view text, std::size_t at) noexcept {
  std::uint32_t code = 0;
  const unsigned length = topic::decode(text, at, code);
  return length ? Character{code, length} : Character{};
}

bool is_invisible(char32_t c) noexcept {
  if (c < 0x20) return c != '\n';
  return (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x34f || c == 0x61c || (c >= 0x115f && c <= 0x1160) || (c >= 0x17b4 && c <= 0x17b5) ||
         (c >= 0x180b && c <= 0x180e) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
         c == 0x3164 || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || c == 0xffa0 || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

// Of these, scripts and emoji need some.
bool is_joiner(char32_t c) noexcept { return c == 0x200c || c == 0x200d || (c >= 0xfe00 && c <= 0xfe0f); }
bool is_hidden(char32_t c) noexcept { return is_invisible(c) && !is_joiner(c); }

bool is_mark(char32_t c) noexcept { return (c >= 0x300 && c <= 0x36f) || (c >= 0x1ab0 && c <= 0x1aff) || (c >= 0x20d0 && c <= 0x20ff); }

// From U+00C0, and from U+0100: what stands for two letters is written as the first of them, and completed below.
constexpr std::string_view kLatin1 = "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty";
constexpr std::string_view kLatinA = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllll"
                                     "nnnnnnnnnooooooOOrrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static_assert(kLatin1.size() == 64 && kLatinA.size() == 128);

struct Twin {
  char32_t code;
  char latin;
};
// Letters of other scripts that look like Latin ones.
constexpr Twin kTwins[] = {
    {0x391, 'a'}, {0x392, 'b'}, {0x395, 'e'}, {0x396, 'z'}, {0x397, 'h'}, {0x399, 'i'}, {0x39a, 'k'}, {0x39c, 'm'}, {0x39d, 'n'}, {0x39f, 'o'},
    {0x3a1, 'p'}, {0x3a4, 't'}, {0x3a5, 'y'}, {0x3a7, 'x'}, {0x3b1, 'a'}, {0x3b5, 'e'}, {0x3b9, 'i'}, {0x3ba, 'k'}, {0x3bd, 'v'}, {0x3bf, 'o'},
    {0x3c1, 'p'}, {0x3c5, 'u'}, {0x405, 's'}, {0x406, 'i'}, {0x408, 'j'}, {0x410, 'a'}, {0x412, 'b'}, {0x415, 'e'}, {0x41a, 'k'}, {0x41c, 'm'},
    {0x41d, 'h'}, {0x41e, 'o'}, {0x420, 'p'}, {0x421, 'c'}, {0x422, 't'}, {0x423, 'y'}, {0x425, 'x'}, {0x430, 'a'}, {0x435, 'e'}, {0x43a, 'k'},
    {0x43e, 'o'}, {0x440, 'p'}, {0x441, 'c'}, {0x443, 'y'}, {0x445, 'x'}, {0x455, 's'}, {0x456, 'i'}, {0x458, 'j'}, {0x4bb, 'h'}, {0x501, 'd'},
    {0x51b, 'q'}, {0x51d, 'w'}};

// An ASCII letter, digit or punctuation mark that a character is compared as; 0: it is a letter of its own.
char plain(char32_t c) noexcept {
  if (c < 0x80) return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c == '\t' ? ' ' : c);
  if (c < 0xc0) return c == 0xaa ? 'a' : c == 0xba ? 'o' : ' ';
  if (c < 0x100) return kLatin1[c - 0xc0];
  if (c < 0x180) return c == 0x152 || c == 0x153 ? 'o' : kLatinA[c - 0x100];
  const auto *twin = std::lower_bound(std::begin(kTwins), std::end(kTwins), c, [](const Twin &t, char32_t x) { return t.code < x; });
  if (twin != std::end(kTwins) && twin->code == c) return twin->latin;
  if (c >= 0x660 && c <= 0x669) return static_cast<char>('0' + (c - 0x660));
  if (c >= 0xff01 && c <= 0xff5e) return plain(c - 0xfee0);
  if (c >= 0x1d400 && c < 0x1d6a4) return static_cast<char>('a' + (c - 0x1d400) % 26);
  if (c >= 0x1d7ce && c <= 0x1d7ff) return static_cast<char>('0' + (c - 0x1d7ce) % 10);
  switch (c) {
  case 0x2018: case 0x2019: case 0x201b: case 0x2bc: case 0x2032: return '\'';
  case 0x2010: case 0x2011: case 0x2012: return '-';
  case 0x2026: case 0x3002: case 0xff61: return '.';
  case 0x37e: case 0x61f: case 0x2047: case 0x203d: case 0x2e2e: return '?';
  case 0x203c: case 0x2048: case 0x2049: return c == 0x203c ? '!' : '?';
  default: break;
  }
  return (c >= 0x2000 && c <= 0x2bff) || (c >= 0x2e00 && c <= 0x303f) || (c >= 0xfe10 && c <= 0xfe6f) ? ' ' : '\0';
}

// The second letter of those that stand for two.
char second(char32_t c) noexcept {
  switch (c) {
  case 0xc6: case 0xe6: case 0x152: case 0x153: return 'e';
  case 0xde: case 0xfe: return 'h';
  case 0xdf: case 0x1e9e: return 's';
  default: return '\0';
  }
}

template <class F> void each_character(std::string_view text, F &&f) {
  for (std::size_t at = 0; at < text.size();) {
    const Character c = read_character(text, at);
    f(c, at);
    at += std::max<std::size_t>(c.length, 1);
  }
}

} // namespace

Folded fold(std::string_view text) {
  Folded out;
  out.text.reserve(text.size());
  out.origin.reserve(text.size() + 1);
  const auto put = [&](char c, std::size_t at) {
    out.text += c;
    out.origin.push_back(static_cast<std::uint32_t>(at));
  };
  each_character(text, [&](const Character &c, std::size_t at) {
    if (!c.length || c.code == '\t') return put(' ', at);
    if (is_invisible(c.code) || is_mark(c.code)) return;
    if (c.code == 0x1e9e) return put('s', at), put('s', at);
    const char p = plain(c.code);
    if (!p) {
      for (std::size_t i = 0; i < c.length; i++) put(text[at + i], at);
      return;
    }
    put(p, at);
    if (const char s = second(c.code)) put(s, at);
  });
  out.origin.push_back(static_cast<std::uint32_t>(text.size()));
  return out;
}

bool has_invisible(std::string_view text) noexcept {
  bool found = false;
  each_character(text, [&](const Character &c, std::size_t) { found |= !c.length || is_hidden(c.code); });
  return found;
}

std::string on_one_line(std::string_view text) {
  std::string out;
  each_character(text, [&](const Character &c, std::size_t at) {
    const bool blank = c.code == ' ' || c.code == '\n' || c.code == '\t' || c.code == '\r' || c.code == 0xa0 || c.code == 0x2028 || c.code == 0x2029;
    if (blank) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else if (c.length && !is_hidden(c.code)) {
      out += text.substr(at, c.length);
    }
  });
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::size_t count_characters(std::string_view text) noexcept {
  std::size_t n = 0;
  each_character(text, [&](const Character &, std::size_t) { n++; });
  return n;
}

} // namespace pql
