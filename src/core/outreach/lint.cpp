#include "core/outreach/lint.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "core/outreach/fold.hpp"
#include "core/outreach/phrases.hpp"

namespace pql {
namespace {

using Word = std::string_view;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_blank(char c) noexcept { return c == ' ' || c == '\n' || c == '\r'; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; }
bool is_word(char c) noexcept { return is_letter(c) || is_digit(c); }
bool is_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f'); }

// --- phrases ------------------------------------------------------------------------------------------------------------

/// A part of a phrase.
struct Part {
  enum class Kind : unsigned char { words, gap, number, start, unless } kind = Kind::words;
  bool optional = false;
  std::vector<Word> words{};
};
struct Compiled {
  Says says;
  std::vector<Part> parts;
};

std::vector<Word> split(Word text, char by) {
  std::vector<Word> out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(by, at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

Compiled compile(const Phrase &phrase) {
  using enum Part::Kind;
  Compiled out{phrase.says, {}};
  for (Word word : split(phrase.words, ' ')) {
    Part &part = out.parts.emplace_back();
    if (word == "*") part.kind = gap;
    else if (word == "#") part.kind = number;
    else if (word == "^") part.kind = start;
    else if (word.front() == '!') part = {unless, false, split(word.substr(1), '|')};
    else if (word.front() == '[') part = {words, true, split(word.substr(1, word.size() - 2), '|')};
    else part = {words, false, split(word, '|')};
  }
  return out;
}

/// Phrases by the words that they can begin with.
class Phrases {
public:
  Phrases() {
    for (const Phrase &p : phrases()) all_.push_back(compile(p));
    for (const Compiled &c : all_) {
      const Part &first = *std::find_if(c.parts.begin(), c.parts.end(), [](const Part &p) { return p.kind == Part::Kind::words || p.kind == Part::Kind::number; });
      if (first.kind == Part::Kind::number) numbers_.push_back(&c);
      else
        for (const Word w : first.words) by_word_[w].push_back(&c);
    }
  }
  const std::vector<const Compiled *> &of(Word word, bool is_number) const {
    static const auto &none = *new std::vector<const Compiled *>;
    if (is_number) return numbers_;
    const auto at = by_word_.find(word);
    return at == by_word_.end() ? none : at->second;
  }

private:
  std::vector<Compiled> all_;
  std::vector<const Compiled *> numbers_;
  std::unordered_map<Word, std::vector<const Compiled *>> by_word_;
};

const Phrases &known_phrases() {
  static const auto &all = *new Phrases;
  return all;
}

// --- a text as words ----------------------------------------------------------------------------------------------------

struct Token {
  Word word; ///< folded
  std::size_t begin, end;
  std::uint32_t sentence;
  bool number, first;
};

struct Sentence {
  std::size_t begin = 0, end = 0;
  bool asks = false;
  int links = 0;
};

class Reader {
public:
  Reader(std::string_view text, const Vocabulary &vocabulary) : original_(text), vocabulary_(vocabulary), folded_(fold(text)), text_(folded_.text) {}

  Look run() {
    if (has_invisible(original_)) found_.push_back({Fault::What::invisible, 0, 0});
    find_events();
    read();
    match();
    Look out{faults(), {}};
    for (const Sentence &s : sentences_) {
      const int n = std::max(s.links, s.asks || s.links ? 1 : 0);
      for (int i = 0; i < n && out.asks.size() < kMaxFaults; i++) out.asks.push_back(source(s.begin, s.end));
    }
    return out;
  }

private:
  std::string source(std::size_t begin, std::size_t end) const {
    constexpr std::size_t kLongest = 200;
    const std::size_t from = folded_.origin[begin], to = folded_.origin[std::min(end, text_.size())];
    std::string out = on_one_line(original_.substr(from, std::min(to - from, kLongest)));
    return out;
  }
  struct Found {
    Fault::What what;
    std::size_t begin, end;
  };

  // What overlaps with the one before is the same thing, said at more length: words are looked at from the first to the last.
  void add(Fault::What what, std::size_t begin, std::size_t end) {
    for (Found &f : found_) {
      if (f.what != what || begin >= f.end || end < f.begin) continue;
      f.end = std::max(f.end, end);
      return;
    }
    if (found_.size() < kMaxFaults) found_.push_back({what, begin, end});
  }

  std::vector<Fault> faults() {
    std::vector<Fault> out;
    for (const Found &f : found_) {
      Fault fault{f.what, source(f.begin, f.end)};
      if (std::find(out.begin(), out.end(), fault) == out.end()) out.push_back(std::move(fault));
    }
    for (std::string &name : events_) out.push_back({Fault::What::event, std::move(name)});
    return out;
  }

  // Names of events that no language has as words, as they are written: "Project Created" is one, "signup" isn't. Those with an underscore
  // are found among the words, in any case.
  void find_events() {
    for (const std::string &name : vocabulary_.events) {
      const auto odd = [](char c) { return c == '_' || c == ':' || c == '.' || c == '/' || c == ' ' || is_digit(c); };
      if (name.size() < 3 || std::none_of(name.begin(), name.end(), odd)) continue;
      const std::size_t at = original_.find(name);
      const bool known = name.find('_') != std::string::npos; // found as a word, too
      if (at != std::string_view::npos && !known && events_.size() < kMaxFaults) events_.push_back(name);
    }
  }

  void read() {
    sentences_.emplace_back();
    for (std::size_t i = 0; i < text_.size();) {
      const char c = text_[i];
      if (is_blank(c)) i = skip_blanks(i);
      else if (!i || is_blank(text_[i - 1])) i = read_chunk(i);
      else i = read_one(i);
    }
    end_sentence(text_.size());
  }

  std::size_t skip_blanks(std::size_t i) {
    int lines = 0;
    for (; i < text_.size() && is_blank(text_[i]); i++) lines += text_[i] == '\n';
    if (lines > 1) end_sentence(i);
    return i;
  }

  // What stands between two blanks: a link, an address, something else that isn't read as words, or words.
  std::size_t read_chunk(std::size_t i) {
    std::size_t end = i;
    while (end < text_.size() && !is_blank(text_[end])) end++;
    std::size_t from = i, to = end;
    const auto around = [](char c) { return Word("()[]<>\"'.,;:!?*-~`").find(c) != Word::npos; };
    while (from < to && around(text_[from])) from++;
    while (to > from && around(text_[to - 1])) to--;
    const Word chunk = text_.substr(from, to - from);
    if (is_link(chunk)) {
      sentence().links++;
      put({"", from, to, 0, false, false});
      return to;
    }
    if (is_address(chunk)) {
      put({"", from, to, 0, false, false});
      return to;
    }
    if (chunk.find("{{") == Word::npos) judge(chunk, from);
    return read_one(i);
  }

  static bool is_link(Word w) noexcept {
    if (w.find("://") != Word::npos || w.starts_with("www.") || w.starts_with("mailto:")) return true;
    const std::size_t slash = w.find('/'), dot = w.substr(0, slash).rfind('.');
    return slash != Word::npos && dot != Word::npos && dot > 0 && slash - dot >= 3 && is_letter(w[dot + 1]) && is_letter(w[dot - 1]);
  }

  static bool is_address(Word w) noexcept {
    const std::size_t at = w.find('@');
    return at != Word::npos && at > 0 && w.find('.', at) != Word::npos;
  }

  void judge(Word chunk, std::size_t from) {
    using enum Fault::What;
    const std::size_t to = from + chunk.size();
    for (std::size_t i = 1; i + 1 < chunk.size(); i++) {
      if (chunk[i] != '_' || !is_word(chunk[i - 1]) || !is_word(chunk[i + 1])) continue;
      return add(event, from, to);
    }
    if (is_moment(chunk)) return add(moment, from, to);
    if (is_id(chunk)) add(id, from, to);
  }

  // A clock time of an appointment is a multiple of five minutes; what a log has isn't, or has seconds, or a date in front.
  static bool is_moment(Word w) noexcept {
    const auto digits = [&](std::size_t at, std::size_t n) {
      return at + n <= w.size() && std::all_of(w.begin() + static_cast<std::ptrdiff_t>(at), w.begin() + static_cast<std::ptrdiff_t>(at + n), is_digit);
    };
    const std::size_t colon = w.find(':');
    if (colon == Word::npos || colon == 0 || !is_digit(w[colon - 1]) || !digits(colon + 1, 2)) return false;
    const std::size_t after = colon + 3;
    if (after < w.size() && is_digit(w[after])) return false;
    if (after < w.size() && w[after] == ':' && digits(after + 1, 2)) return true;
    if (digits(0, 4) && w.size() > 4 && w[4] == '-') return true;
    return (w[colon + 2] - '0') % 5 != 0;
  }

  static bool is_id(Word w) noexcept {
    std::size_t digits = 0, letters = 0, hex = 0, other = 0, dashes = 0;
    for (const char c : w) {
      if (static_cast<unsigned char>(c) >= 0x80) return false;
      digits += is_digit(c);
      letters += is_letter(c);
      hex += is_hex(c);
      dashes += c == '-';
      other += !is_word(c) && c != '-';
    }
    if (other == 3 && !letters && digits >= 4 && std::count(w.begin(), w.end(), '.') == 3 && is_digit(w.back())) return true; // an IP address
    if (other) return false;
    if (dashes == 4 && hex == 32) return true; // a UUID
    if (dashes) return digits >= 4 && letters >= 1 && hex == digits + letters && hex >= 12;
    if (!letters) return digits >= 9;
    return w.size() >= 12 && digits >= 3;
  }

  std::size_t read_one(std::size_t i) {
    const char c = text_[i];
    if (c == '{') {
      if (const std::size_t end = placeholder_end(i)) {
        const std::string_view name = text_.substr(i + 2, end - i - 4);
        const bool number = std::find(vocabulary_.numbers.begin(), vocabulary_.numbers.end(), name) != vocabulary_.numbers.end();
        put({"", i, end, 0, number, false});
        return end;
      }
    }
    if (is_word(c)) return read_word(i);
    if (c == '?') {
      if (open_) sentence().asks = true;
      end_sentence(i + 1);
    } else if (c == '!' || (c == '.' && (i + 1 == text_.size() || !is_word(text_[i + 1])))) {
      end_sentence(i + 1);
    }
    return i + 1;
  }

  std::size_t placeholder_end(std::size_t i) const noexcept {
    constexpr std::size_t kLongest = 63 + 4;
    if (!text_.substr(i).starts_with("{{")) return 0;
    std::size_t end = i + 2;
    while (end < text_.size() && end - i < kLongest && (is_word(text_[end]) || text_[end] == '_')) end++;
    return text_.substr(end).starts_with("}}") ? end + 2 : 0;
  }

  std::size_t read_word(std::size_t i) {
    std::size_t end = i;
    bool digits = true;
    while (end < text_.size() && is_word(text_[end])) digits &= is_digit(text_[end++]);
    while (digits && end + 1 < text_.size() && Word(".,'").find(text_[end]) != Word::npos && is_digit(text_[end + 1])) {
      end++;
      while (end < text_.size() && is_digit(text_[end])) end++;
    }
    const Word word = text_.substr(i, end - i);
    put({word, i, end, 0, digits || is_number_word(word), false});
    return end;
  }

  Sentence &sentence() { return sentences_.back(); }

  void put(Token t) {
    t.sentence = static_cast<std::uint32_t>(sentences_.size() - 1);
    t.first = !open_ || (tokens_.back().first && opens_sentence(tokens_.back().word));
    if (!open_) sentence().begin = t.begin;
    open_ = true;
    sentence().end = t.end;
    tokens_.push_back(t);
  }

  void end_sentence(std::size_t end) {
    if (!open_) return;
    sentence().end = std::min(end, text_.size());
    sentences_.emplace_back();
    open_ = false;
  }

  // --- what the words say ---

  void match() {
    std::unordered_map<Word, std::vector<std::vector<Word>>> barred;
    std::vector<std::string> names;
    names.reserve(vocabulary_.barred.size());
    for (const std::string &name : vocabulary_.barred) {
      names.push_back(fold(name).text);
      std::replace_if(names.back().begin(), names.back().end(), [](char c) { return !is_word(c); }, ' ');
      const std::vector<Word> words = split(names.back(), ' ');
      if (!words.empty()) barred[words[0]].push_back(words);
    }
    for (std::size_t i = 0; i < tokens_.size(); i++) {
      const Token &t = tokens_[i];
      for (const bool as_number : {false, true}) {
        if (as_number && !t.number) continue;
        for (const Compiled *c : known_phrases().of(t.word, as_number)) try_phrase(*c, i);
      }
      if (const auto some = barred.find(t.word); some != barred.end()) {
        for (const std::vector<Word> &words : some->second) try_words(words, i);
      }
    }
  }

  void try_phrase(const Compiled &c, std::size_t i) {
    std::size_t part = 0;
    if (c.parts[0].kind == Part::Kind::start) {
      if (!tokens_[i].first) return;
      part = 1;
    } else if (c.parts[0].kind == Part::Kind::unless) {
      if (i && tokens_[i - 1].sentence == tokens_[i].sentence && has(c.parts[0], i - 1)) return;
      part = 1;
    }
    const std::size_t end = matched(c, part, i, tokens_[i].sentence);
    if (!end) return;
    if (c.says == Says::asks) sentences_[tokens_[i].sentence].asks = true;
    else add(c.says == Says::observed ? Fault::What::observed : Fault::What::counted, tokens_[i].begin, tokens_[end - 1].end);
  }

  bool has(const Part &part, std::size_t i) const noexcept {
    const auto holds = [&](Word w) { return std::find(part.words.begin(), part.words.end(), w) != part.words.end(); };
    return part.kind == Part::Kind::number ? tokens_[i].number : holds(tokens_[i].word) || (tokens_[i].number && holds("#"));
  }

  // Behind the last word when the parts from one on match the words from one on; else 0. Parts are few: so are the ways to try.
  std::size_t matched(const Compiled &c, std::size_t part, std::size_t i, std::uint32_t sentence) const noexcept {
    if (part == c.parts.size()) return i;
    const Part &p = c.parts[part];
    if (p.kind == Part::Kind::gap) {
      constexpr std::size_t kWidest = 3;
      for (std::size_t skip = 0; skip <= kWidest && i + skip < tokens_.size(); skip++) {
        if (const std::size_t end = matched(c, part + 1, i + skip, sentence)) return end;
      }
      return 0;
    }
    if (i < tokens_.size() && tokens_[i].sentence == sentence && has(p, i)) {
      if (const std::size_t end = matched(c, part + 1, i + 1, sentence)) return end;
    }
    return p.optional ? matched(c, part + 1, i, sentence) : 0;
  }

  void try_words(const std::vector<Word> &words, std::size_t i) {
    for (std::size_t n = 0; n < words.size(); n++) {
      if (i + n >= tokens_.size() || tokens_[i + n].sentence != tokens_[i].sentence || tokens_[i + n].word != words[n]) return;
    }
    add(Fault::What::barred, tokens_[i].begin, tokens_[i + words.size() - 1].end);
  }

  std::string_view original_;
  const Vocabulary &vocabulary_;
  const Folded folded_;
  const std::string_view text_;
  std::vector<Token> tokens_;
  std::vector<Sentence> sentences_;
  std::vector<Found> found_;
  std::vector<std::string> events_; ///< names as they stand in the text
  bool open_ = false; ///< the sentence has a word
};

} // namespace

Look look_at(std::string_view text, const Vocabulary &vocabulary) { return Reader(text, vocabulary).run(); }

} // namespace pql
