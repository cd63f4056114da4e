#include "core/topic/normalise.hpp"

#include <algorithm>
#include <cstring>

#include <utf8proc.h>

namespace pql::topic {
namespace {

constexpr auto kOptions = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
constexpr std::uint32_t kReplacement = 0xFFFD, kDotAbove = 0x307;
constexpr std::size_t kMostJoined = 30; // of marks on one letter: more of them are another letter's (Unicode's stream-safe text)

bool in(std::uint32_t c, std::uint32_t from, std::uint32_t to) { return c >= from && c <= to; }

// Scripts whose words are not set apart by blanks.
bool is_blankless(std::uint32_t c) {
  return in(c, 0x0E00, 0x0EFF) || in(c, 0x1000, 0x109F) || in(c, 0x1780, 0x17FF) || in(c, 0x3005, 0x3007) || in(c, 0x3041, 0x30FF) ||
         in(c, 0x31F0, 0x31FF) || in(c, 0x3400, 0x4DBF) || in(c, 0x4E00, 0x9FFF) || in(c, 0xF900, 0xFAFF) || in(c, 0x20000, 0x3FFFF);
}

bool is_hangul(std::uint32_t c) { return in(c, 0x1100, 0x11FF) || in(c, 0x3130, 0x318F) || in(c, 0xA960, 0xA97F) || in(c, 0xAC00, 0xD7FF); }

Word word_of(std::uint32_t c) {
  if (c == '_') return Word::letter;
  const utf8proc_category_t k = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  if (k < UTF8PROC_CATEGORY_LU || k > UTF8PROC_CATEGORY_NO) return Word::none; // letters, marks, numbers
  return is_blankless(c) ? Word::blankless : is_hangul(c) ? Word::hangul : Word::letter;
}

// Signs that people, keyboards and text processors choose between without meaning anything by it; the Turkish i without a dot, which
// capitals don't tell from the other.
std::uint32_t plain_sign(std::uint32_t c) {
  switch (c) {
  case 0x2018: case 0x2019: case 0x201A: case 0x201B: case 0x2032: case 0x02BC: case 0x00B4: case 0x0060: case 0x2039: case 0x203A: return '\'';
  case 0x201C: case 0x201D: case 0x201E: case 0x201F: case 0x2033: case 0x00AB: case 0x00BB: case 0x301D: case 0x301E: return '"';
  case 0x2010: case 0x2011: case 0x2012: case 0x2013: case 0x2014: case 0x2015: case 0x2212: return '-';
  case 0x0131: return 'i';
  default: return c;
  }
}

Folding::Kind kind_of(std::uint32_t c) {
  switch (c) {
  case ' ': case '\t': case '\v': return Folding::blank;
  case '\n': case '\r': case '\f': case 0x85: case 0x2028: case 0x2029: return Folding::newline;
  case '.': case '!': case '?': case 0x061F: case 0x06D4: case 0x0964: case 0x0965: case 0x0589: case 0x1362: case 0x104B: case 0x17D4: return Folding::stop;
  case 0x3002: return Folding::end;
  case ')': case ']': case '}': case '"': case '\'': case 0x300D: case 0x300F: case 0x3011: return Folding::closer;
  default: break;
  }
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
  case UTF8PROC_CATEGORY_ZS: case UTF8PROC_CATEGORY_CC: case UTF8PROC_CATEGORY_CN: case UTF8PROC_CATEGORY_CS: return Folding::blank;
  case UTF8PROC_CATEGORY_CF: return Folding::dropped;
  default: return Folding::plain;
  }
}

// Whether it may become one with what stands before it, or change places with it.
bool may_join(std::uint32_t c) {
  const utf8proc_property_t *p = utf8proc_get_property(static_cast<utf8proc_int32_t>(c));
  return p->combining_class != 0 || (p->comb_index != UINT16_MAX && p->comb_index >= 0x8000) || in(c, 0x1161, 0x1175) || in(c, 0x11A8, 0x11C2);
}

} // namespace

unsigned decode(std::string_view s, std::size_t at, std::uint32_t &c) noexcept {
  const auto *b = reinterpret_cast<const unsigned char *>(s.data()) + at;
  const std::size_t n = s.size() - at;
  const auto next = [&](std::size_t i) { return i < n && (b[i] & 0xC0) == 0x80; };
  if (b[0] < 0x80) return c = b[0], 1;
  if (b[0] < 0xE0) {
    if (b[0] < 0xC2 || !next(1)) return 0;
    return c = (b[0] & 0x1Fu) << 6 | (b[1] & 0x3Fu), 2;
  }
  if (b[0] < 0xF0) {
    if (!next(1) || !next(2)) return 0;
    c = (b[0] & 0x0Fu) << 12 | (b[1] & 0x3Fu) << 6 | (b[2] & 0x3Fu);
    return c < 0x800 || in(c, 0xD800, 0xDFFF) ? 0 : 3;
  }
  if (b[0] > 0xF4 || !next(1) || !next(2) || !next(3)) return 0;
  c = (b[0] & 0x07u) << 18 | (b[1] & 0x3Fu) << 12 | (b[2] & 0x3Fu) << 6 | (b[3] & 0x3Fu);
  return c < 0x10000 || c > 0x10FFFF ? 0 : 4;
}

void encode(std::uint32_t c, std::string &to) {
  utf8proc_uint8_t bytes[4];
  const auto n = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes);
  to.append(reinterpret_cast<char *>(bytes), static_cast<std::size_t>(n));
}

// ------------------------------------------------------------------------------------------------------- single code points

Normaliser::Normaliser() = default;
Normaliser::~Normaliser() = default;

const Folding &Normaliser::fill(std::uint32_t c) {
  auto page = std::make_unique<Page>();
  for (std::uint32_t i = 0; i < 256; i++) (*page)[i] = make((c & ~255u) | i);
  pages_[c >> 8] = std::move(page);
  return (*pages_[c >> 8])[c & 255];
}

Folding Normaliser::make(std::uint32_t c) {
  Folding f;
  f.at = static_cast<std::uint32_t>(pool_.size());
  f.kind = kind_of(c);
  if (f.kind == Folding::blank || f.kind == Folding::newline || f.kind == Folding::dropped) return f;
  utf8proc_int32_t into[64];
  int last = 0;
  utf8proc_ssize_t n = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), into, std::size(into), kOptions, &last);
  if (n < 0 || n > static_cast<utf8proc_ssize_t>(std::size(into))) n = 0;
  if (n == 0) return f.kind = Folding::dropped, f;
  const bool joining = may_join(static_cast<std::uint32_t>(into[0]));
  n = utf8proc_normalize_utf32(into, n, static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
  for (utf8proc_ssize_t i = 0; i < n; i++) {
    if (into[i] == static_cast<utf8proc_int32_t>(kDotAbove) && i > 0 && into[i - 1] == 'i') continue;
    encode(plain_sign(static_cast<std::uint32_t>(into[i])), pool_);
  }
  f.size = static_cast<std::uint8_t>(pool_.size() - f.at);
  const std::string_view all = std::string_view(pool_).substr(f.at);
  std::uint32_t first = 0;
  const bool one = decode(all, 0, first) == all.size();
  f.word = word_of(first);
  if (joining) f.kind = Folding::joins;
  else if (!one) f.kind = Folding::several;
  else f.kind = kind_of(first);
  return f;
}

std::string Normaliser::fold(std::uint32_t c) {
  const Folding f = folding(c);
  if (f.kind == Folding::blank || f.kind == Folding::newline) return " ";
  return pool_.substr(f.at, f.size);
}

// ------------------------------------------------------------------------------------------------------------------- texts

// One text on its way.
class Normaliser::Run {
public:
  Run(Normaliser &n, std::string_view text, Normalised &out, std::vector<std::uint32_t> *map) : n_(n), text_(text), out_(out), map_(map) {
    out_.clear();
    out_.text.resize(text.size() + text.size() / 2 + 256);
    to_ = out_.text.data();
    full_ = to_ + out_.text.size();
    if (map_) map_->clear();
  }

  void whole() {
    std::size_t i = 0;
    while (i < text_.size()) {
      i = words(i);
      if (i < text_.size()) i = one(i);
    }
    end_sentence(text_.size());
    out_.text.resize(static_cast<std::size_t>(to_ - out_.text.data()));
    if (map_) map_->resize(out_.text.size() + 1, static_cast<std::uint32_t>(text_.size()));
  }

private:
  static bool is_small(unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

  // The letters and digits of ASCII, which most texts mostly are.
  std::size_t words(std::size_t i) {
    const std::size_t from = i;
    const auto *s = reinterpret_cast<const unsigned char *>(text_.data());
    for (; i < text_.size(); i++) {
      unsigned char c = s[i];
      if (c >= 'A' && c <= 'Z') c = static_cast<unsigned char>(c | 0x20);
      if (!is_small(c)) break;
      if (i + 1 < text_.size() && s[i + 1] >= 0x80) break; // maybe a mark on it
      if ((i - from) % 32 == 0) begin_visible(i, Word::letter);
      letters_++;
      put(static_cast<char>(c), i);
    }
    return i;
  }

  // Whatever stands at i, with the marks on it.
  std::size_t one(std::size_t i) {
    std::uint32_t c = 0;
    const unsigned length = decode(text_, i, c);
    if (!length) {
      visible({}, kReplacement, "\xEF\xBF\xBD", i);
      return i + 1;
    }
    const std::size_t behind = i + length;
    const Folding f = n_.folding(c);
    if (behind < text_.size() && static_cast<unsigned char>(text_[behind]) >= 0x80 && f.kind != Folding::newline) {
      std::uint32_t next = 0;
      if (decode(text_, behind, next)) {
        const Folding::Kind k = n_.folding(next).kind;
        if (k == Folding::joins || k == Folding::dropped) return joined(i);
      }
    }
    take(f, c, i);
    return behind;
  }

  // A code point, those that may join it, and what has no width between them.
  std::size_t joined(std::size_t i) {
    std::string piece;
    std::uint32_t c = 0;
    unsigned length = decode(text_, i, c);
    std::size_t from = i;
    const Folding first = n_.folding(c);
    const bool alone = first.kind != Folding::plain && first.kind != Folding::several && first.kind != Folding::joins && first.kind != Folding::dropped;
    if (alone) take(first, c, i);
    else if (first.kind != Folding::dropped) piece.append(text_, i, length);
    i += length;
    for (std::size_t marks = 0; i < text_.size(); i += length) {
      length = decode(text_, i, c);
      if (!length) break;
      const Folding::Kind k = n_.folding(c).kind;
      if (k == Folding::dropped) continue;
      if (k != Folding::joins || marks++ == kMostJoined) break;
      if (piece.empty()) from = i;
      piece.append(text_, i, length);
    }
    compose(piece, from);
    return i;
  }

  void compose(const std::string &piece, std::size_t from) {
    if (piece.empty()) return;
    utf8proc_int32_t into[1024];
    const auto *s = reinterpret_cast<const utf8proc_uint8_t *>(piece.data());
    utf8proc_ssize_t n = utf8proc_decompose(s, static_cast<utf8proc_ssize_t>(piece.size()), into, std::size(into), kOptions);
    if (n < 0 || n > static_cast<utf8proc_ssize_t>(std::size(into))) return;
    n = utf8proc_normalize_utf32(into, n, static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    for (utf8proc_ssize_t i = 0; i < n; i++) {
      const auto c = static_cast<std::uint32_t>(into[i]);
      if (c == kDotAbove && i > 0 && into[i - 1] == 'i') continue;
      const std::uint32_t sign = plain_sign(c);
      take_folded(sign, from);
    }
  }

  void take(const Folding &f, std::uint32_t c, std::size_t at) {
    switch (f.kind) {
    case Folding::dropped: return;
    case Folding::several:
    case Folding::joins: {
      char copy[256];
      std::memcpy(copy, n_.pool_.data() + f.at, f.size); // the pool may move
      const std::string_view all(copy, f.size);
      std::uint32_t each = 0;
      for (std::size_t i = 0; i < all.size();) {
        const unsigned length = decode(all, i, each);
        if (!length) return;
        take_folded(each, at);
        i += length;
      }
      return;
    }
    case Folding::newline: return new_line(c, at);
    case Folding::blank: return blank(at);
    default: return visible(f, c, {n_.pool_.data() + f.at, f.size}, at);
    }
  }

  // A code point that is folded already.
  void take_folded(std::uint32_t c, std::size_t at) {
    Folding f = n_.folding(c);
    if (f.kind == Folding::blank || f.kind == Folding::newline) return blank(at);
    if (f.kind == Folding::dropped) return;
    std::string text;
    encode(c, text);
    if (f.kind == Folding::several || f.kind == Folding::joins) f.kind = Folding::plain;
    visible(f, c, text, at);
  }

  void new_line(std::uint32_t c, std::size_t at) {
    end_sentence(at);
    if (c == '\n' && at > 0 && text_[at - 1] == '\r') return;
    line_++;
  }

  void blank(std::size_t at) {
    if (to_ == start()) return;
    if (ending_ || static_cast<std::size_t>(to_ - start()) > kLongSentence) return end_sentence(at);
    if (!blank_) blank_at_ = at;
    blank_ = true;
  }

  // What ends a sentence when a blank follows it, or another sentence when it is clear without: not the dot of "e.g.".
  void visible(const Folding &f, std::uint32_t c, std::string_view bytes, std::size_t at) {
    const bool ends = f.kind == Folding::stop && !(c == '.' && letters_ == 1 && last_ == Word::letter);
    if (ended_ && f.kind != Folding::closer && f.kind != Folding::stop && f.kind != Folding::end) end_sentence(at);
    begin_visible(at, f.word);
    if (f.word != Word::none) letters_++;
    for (char b : bytes) put(b, at);
    if (f.kind == Folding::end || (c >= 0xFF01 && f.kind == Folding::stop)) ended_ = ending_ = true;
    else if (ends) ending_ = true;
    else if (f.kind != Folding::closer) ending_ = ended_ = false;
  }

  // A blank that stands before it, and the mark between it and what is there.
  void begin_visible(std::size_t at, Word w) {
    if (static_cast<std::size_t>(to_ - start()) > 2 * kLongSentence || (ended_ && w != Word::none)) end_sentence(at);
    if (full_ - to_ < 64) grow();
    if (to_ == start()) sentence_.from = static_cast<std::uint32_t>(at);
    if (blank_) {
      mark(Word::none, blank_at_);
      put(' ', blank_at_);
      blank_ = false;
    }
    mark(w, at);
    if (w != Word::none) ending_ = ended_ = false;
  }

  void mark(Word w, std::size_t at) {
    if (w == last_) return;
    put(last_ == Word::none ? kStarts : w == Word::none ? kEnds : kMeets, at);
    last_ = w;
    letters_ = 0;
  }

  void end_sentence(std::size_t at) {
    blank_ = ending_ = ended_ = false;
    if (to_ == start()) return;
    if (full_ - to_ < 64) grow();
    mark(Word::none, at);
    sentence_.end = static_cast<std::uint32_t>(to_ - out_.text.data());
    sentence_.until = static_cast<std::uint32_t>(at);
    sentence_.line = line_;
    out_.sentences.push_back(sentence_);
    put('\n', at);
    sentence_.begin = sentence_.end + 1;
    letters_ = 0;
  }

  char *start() { return out_.text.data() + sentence_.begin; }

  void put(char c, std::size_t at) {
    *to_++ = c;
    if (map_) map_->push_back(static_cast<std::uint32_t>(at));
  }

  void grow() {
    const auto size = static_cast<std::size_t>(to_ - out_.text.data());
    out_.text.resize(out_.text.size() * 2);
    to_ = out_.text.data() + size;
    full_ = out_.text.data() + out_.text.size();
  }

  Normaliser &n_;
  std::string_view text_;
  Normalised &out_;
  std::vector<std::uint32_t> *map_;
  char *to_, *full_;
  Sentence sentence_;
  std::uint32_t line_ = 0;
  std::size_t letters_ = 0, blank_at_ = 0;
  Word last_ = Word::none;
  bool blank_ = false;  ///< before whatever comes
  bool ending_ = false; ///< a blank would end the sentence
  bool ended_ = false;  ///< anything but what closes it is another sentence
};

void Normaliser::normalise(std::string_view text, Normalised &out, std::vector<std::uint32_t> *map) { Run(*this, text, out, map).whole(); }

} // namespace pql::topic
