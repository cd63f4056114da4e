#include "core/topic/matcher.hpp"

#include <algorithm>
#include <utility>

#include <re2/re2.h>

namespace pql::topic {
namespace {

constexpr std::int64_t kLeastMemory = kPatternMemory / 8; // of a pattern by itself, with what it remembers
constexpr const char *kNothing = "[^\\x{0}-\\x{10FFFF}]"; // a pattern that matches it
constexpr std::size_t kMostSpans = 64; // of one pattern in one sentence

RE2::Options options(std::int64_t memory) {
  RE2::Options o(RE2::Quiet);
  o.set_max_mem(memory);
  return o;
}

std::int64_t memory_of(const RE2 &re) { return re.options().max_mem(); }

// In as much memory as it takes to remember some dozens of states: with less, RE2 goes a way that takes several times as long.
std::unique_ptr<RE2> compiled(const std::string &text) {
  constexpr std::int64_t kEach = 256, kBesides = 64 << 10; // bytes for an instruction of its program
  auto re = std::make_unique<RE2>(text, options(kLeastMemory));
  const std::int64_t wanted = re->ok() ? std::min<std::int64_t>(kBesides + kEach * re->ProgramSize(), kPatternMemory) : kPatternMemory;
  return wanted > kLeastMemory ? std::make_unique<RE2>(text, options(wanted)) : std::move(re);
}

re2::StringPiece piece(std::string_view s) { return {s.data(), s.size()}; }

bool closes(char c) { return c == ' ' || c == '"' || c == '\'' || c == ')' || c == ']' || c == '}' || c == '!' || c == '.' || is_mark(c); }

// Whether a sentence ends in a question mark, whatever closes it.
bool asks(std::string_view s) {
  while (!s.empty() && closes(s.back())) s.remove_suffix(1);
  return s.ends_with('?') || s.ends_with("\xD8\x9F") || s.ends_with("\xD5\x9E");
}

// A signature's line, or "-----Original Message-----" in any language.
bool ends_message(std::string_view line) {
  return line == "--" || (line.starts_with("---") && line.ends_with("---") && line.find(kStarts) != line.npos);
}

unsigned group_of(Kind k) { return static_cast<unsigned>(k); }

bool is_blank(unsigned char c) { return c <= ' '; }

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

} // namespace

// What denies, parts and asks in a language.
struct Matcher::Cues {
  std::array<std::vector<std::string>, kKindNames.size()> texts;
  std::array<std::vector<std::unique_ptr<RE2>>, kKindNames.size()> compiled;
  bool ready = false;
  std::array<bool, kKindNames.size()> may = {}; // match in the sentence that is looked at

  bool &may_match(Kind k) { return may[static_cast<std::size_t>(k)]; }

  void compile() {
    if (ready) return;
    ready = true;
    for (std::size_t k = 0; k < texts.size(); k++) {
      std::string together;
      for (const std::string &t : texts[k]) together += (together.empty() ? "(?:" : "|(?:") + t + ")";
      if (together.empty()) continue;
      auto one = std::make_unique<RE2>(together, options(kPatternMemory));
      if (one->ok()) {
        compiled[k].push_back(std::move(one));
        continue;
      }
      for (const std::string &t : texts[k]) compiled[k].push_back(std::make_unique<RE2>(t, options(kPatternMemory)));
    }
  }

  /// Calls f(begin, end) for what matches of a kind in s[from, until), until it says true.
  template <class F> bool each(Kind kind, std::string_view s, std::size_t from, std::size_t until, F &&f) {
    if (!may_match(kind)) return false;
    compile();
    for (const auto &re : compiled[static_cast<std::size_t>(kind)]) {
      for (std::size_t at = from; at < until;) {
        re2::StringPiece found;
        if (!re->Match(piece(s), at, until, RE2::UNANCHORED, &found, 1)) break;
        const auto begin = static_cast<std::size_t>(found.data() - s.data());
        if (f(begin, begin + found.size())) return true;
        at = begin + std::max<std::size_t>(found.size(), 1);
      }
    }
    return false;
  }
};

struct Matcher::Span {
  std::size_t begin, end, entry;
  bool denied;
};

// ---------------------------------------------------------------------------------------------------------------- matcher

Matcher::Matcher(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::map<std::string, int> numbers;
  for (const Entry &e : entries_) {
    if (e.kind == Kind::topic) numbers.emplace(e.topic, 0);
  }
  for (auto &[name, number] : numbers) number = topics_count_++; // in the order of their names
  topic_of_.resize(entries_.size(), -1);
  patterns_.resize(entries_.size());
  used_.resize(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); i++) {
    const Entry &e = entries_[i];
    std::vector<Needed> ways = ways_to_match(n_, e.pattern);
    const bool is_cue = e.kind != Kind::topic && e.kind != Kind::quote;
    if (is_cue) add_cue(i);
    else if (e.kind == Kind::topic && !ways.empty()) topic_of_[i] = numbers[e.topic];
    for (Needed &way : ways) (is_cue ? cue_filter_ : filter_).add(group_of(e.kind), i, std::move(way));
  }
}

void Matcher::add_cue(std::size_t entry) {
  const Entry &e = entries_[entry];
  std::unique_ptr<Cues> &c = cues_[e.language];
  if (!c) c = std::make_unique<Cues>();
  if (std::optional<std::string> text = translate(n_, e.pattern, Extent::within, nullptr)) c->texts[static_cast<std::size_t>(e.kind)].push_back(std::move(*text));
}

Matcher::~Matcher() = default;

std::size_t Matcher::patterns() const noexcept {
  return static_cast<std::size_t>(std::count_if(topic_of_.begin(), topic_of_.end(), [](int t) { return t >= 0; }));
}

RE2 &Matcher::pattern(std::size_t entry) {
  std::unique_ptr<RE2> &p = patterns_[entry];
  used_[entry] = true;
  if (p) return *p;
  const std::string text = translate(n_, entries_[entry].pattern, extent_of(entries_[entry].kind), nullptr).value_or(kNothing);
  p = compiled(text);
  compiled_ += memory_of(*p);
  if (compiled_ > kCompiledMemory) forget_patterns(entry);
  return *p;
}

// Those that weren't used since the last time; all, if that isn't half of them.
void Matcher::forget_patterns(std::size_t but) {
  const auto forget = [&](auto &&which) {
    for (std::size_t i = 0; i < patterns_.size(); i++) {
      if (i == but || !patterns_[i] || !which(i)) continue;
      compiled_ -= memory_of(*patterns_[i]);
      patterns_[i].reset();
    }
  };
  forget([&](std::size_t i) { return !used_[i]; });
  if (compiled_ > kCompiledMemory / 2) forget([](std::size_t) { return true; });
  used_.assign(used_.size(), false);
}

std::vector<Finding> Matcher::find(std::string_view message) {
  std::vector<Finding> found;
  if (message.size() > kMostRead) {
    std::size_t end = kMostRead;
    while (end > kMostRead - 4 && continues(message[end])) end--;
    message = message.substr(0, end);
  }
  n_.normalise(message, text_);
  done_.assign(static_cast<std::size_t>(topics_count_), false);
  looks_ = 0;
  bool quoted = false;        // by an earlier line, up to an empty one,
  std::uint32_t quoted_to = 0; // which it ends at only if it is this one or later: one right after who is quoted belongs to it
  std::uint32_t expected = 0;
  const std::span<const Sentence> all = text_.sentences;
  for (std::size_t i = 0, end = 0; i < all.size() && looks_ < kMostLooks && found.size() < done_.size(); i = end) {
    for (end = i + 1; end < all.size() && all[end].line == all[i].line;) end++;
    const std::span<const Sentence> line = all.subspan(i, end - i);
    const std::string_view first = sentence(line[0]);
    if (line[0].line > expected && expected > quoted_to) quoted = false;
    expected = line[0].line + 1;
    if (first.starts_with('>')) {
      quoted = false; // each line says so itself
      continue;
    }
    if (line.size() == 1 && ends_message(first)) break;
    const std::string_view whole(text_.text.data() + line[0].begin, line.back().end - line[0].begin);
    const bool together = whole.size() <= kLongSentence;
    if (together) filter_.look(whole);
    if (together && is_quote(whole)) {
      quoted = true;
      quoted_to = expected;
    } else if (!quoted) {
      for (const Sentence &x : line) {
        if (!together) filter_.look(sentence(x));
        look_at(x, together ? x.begin - line[0].begin : 0, message, found);
      }
    }
  }
  if (text_.text.capacity() > 4 * kMostRead) text_ = {};
  return found;
}

// Sentences of a line have newlines between them where it has blanks.
bool Matcher::is_quote(std::string_view line) {
  filter_.candidates(group_of(Kind::quote), 0, line.size(), candidates_);
  if (candidates_.empty()) return false;
  std::string all(line);
  std::replace(all.begin(), all.end(), '\n', ' ');
  return std::ranges::any_of(candidates_, [&](std::size_t entry) { return RE2::FullMatch(piece(all), pattern(entry)); });
}

std::string_view Matcher::sentence(const Sentence &s) const { return std::string_view(text_.text).substr(s.begin, s.end - s.begin); }

// `at`: of what the filter looked at.
void Matcher::look_at(const Sentence &s, std::size_t at, std::string_view message, std::vector<Finding> &found) {
  const std::string_view sentence = this->sentence(s);
  filter_.candidates(group_of(Kind::topic), at, at + sentence.size(), candidates_);
  if (candidates_.empty()) return;
  cues_known_ = false;
  std::vector<Span> spans;
  for (std::size_t entry : candidates_) {
    if (!done_[static_cast<std::size_t>(topic_of_[entry])] && looks_++ < kMostLooks) spans_of(entry, sentence, spans);
  }
  const auto topic = [&](const Span &x) { return topic_of_[x.entry]; };
  std::stable_sort(spans.begin(), spans.end(), [&](const Span &a, const Span &b) { return topic(a) != topic(b) ? topic(a) < topic(b) : a.begin < b.begin; });
  for (const Span &x : spans) {
    if (x.denied || done_[static_cast<std::size_t>(topic(x))]) continue;
    // What one language denies, another that only shares its words doesn't assert.
    const bool contradicted = std::any_of(spans.begin(), spans.end(), [&](const Span &o) {
      return o.denied && topic(o) == topic(x) && entries_[o.entry].language != entries_[x.entry].language && o.begin < x.end && x.begin < o.end;
    });
    if (contradicted) continue;
    done_[static_cast<std::size_t>(topic(x))] = true;
    found.push_back(finding(x, s, message));
  }
}

void Matcher::spans_of(std::size_t entry, std::string_view sentence, std::vector<Span> &out) {
  const RE2 &re = pattern(entry);
  const Entry &e = entries_[entry];
  std::size_t n = 0;
  for (std::size_t at = 0; at <= sentence.size() && n < kMostSpans; n++) {
    re2::StringPiece found;
    if (!re.Match(piece(sentence), at, sentence.size(), RE2::UNANCHORED, &found, 1)) break;
    std::size_t begin = static_cast<std::size_t>(found.data() - sentence.data()), end = begin + found.size();
    at = std::max(end, begin + 1);
    while (begin < end && (is_mark(sentence[begin]) || sentence[begin] == ' ')) begin++;
    while (begin < end && (is_mark(sentence[end - 1]) || sentence[end - 1] == ' ')) end--;
    if (begin == end) continue;
    looks_++; // at what denies it
    if (is_foreign(e.language, sentence)) return;
    out.push_back({begin, end, entry, is_denied(e, sentence, begin, end)});
  }
}

// Which kinds could match in a sentence: most that could be denied aren't.
void Matcher::look_for_cues(std::string_view s) {
  if (std::exchange(cues_known_, true)) return;
  for (auto &[language, c] : cues_) c->may = {};
  cue_filter_.look(s);
  for (Kind k : {Kind::before, Kind::after, Kind::clause, Kind::question, Kind::aside, Kind::common}) {
    cue_filter_.candidates(group_of(k), 0, s.size(), cue_candidates_);
    for (std::size_t entry : cue_candidates_) cues_.find(entries_[entry].language)->second->may_match(k) = true;
  }
}

// Whether a sentence is in another language: it has more everyday words of that than it could have by sharing some with this one.
bool Matcher::is_foreign(std::string_view language, std::string_view s) {
  look_for_cues(s);
  const auto own = cues_.find(language);
  if (own == cues_.end() || own->second->texts[static_cast<std::size_t>(Kind::common)].empty()) return false;
  const auto has = [&](Cues &c, int n) { return c.each(Kind::common, s, 0, s.size(), [&](std::size_t, std::size_t) { return --n == 0; }); };
  int others = kOtherWords; // that tell of another language
  for (int n = 1; n <= kOwnWords && has(*own->second, n); n++) others += kOtherWords;
  return std::ranges::any_of(cues_, [&](const auto &x) { return x.first != language && has(*x.second, others); });
}

// What is said in many languages may be denied in any.
bool Matcher::is_denied(const Entry &e, std::string_view s, std::size_t begin, std::size_t end) {
  look_for_cues(s);
  if (e.language == kAnyLanguage) return std::ranges::any_of(cues_, [&](const auto &x) { return denies(*x.second, s, begin, end); });
  if (is_aside(s)) return true;
  const auto found = cues_.find(e.language);
  return found != cues_.end() && denies(*found->second, s, begin, end);
}

// What a sentence's own language tells to be about something else is so whoever's pattern was found in it.
bool Matcher::is_aside(std::string_view s) {
  const auto has = [&](Cues &c, Kind k) { return c.each(k, s, 0, s.size(), [](std::size_t, std::size_t) { return true; }); };
  for (auto &[language, c] : cues_)
    if (has(*c, Kind::aside) && has(*c, Kind::common) && !is_foreign(language, s)) return true;
  return false;
}

bool Matcher::denies(Cues &cues, std::string_view s, std::size_t begin, std::size_t end) {
  if (cues.each(Kind::aside, s, 0, s.size(), [](std::size_t, std::size_t) { return true; })) return true;
  if (!cues.may_match(Kind::before) && !cues.may_match(Kind::after)) return false;
  std::size_t from = 0, until = s.size(); // of the clause
  const auto part = [&](std::size_t b, std::size_t f) {
    if (f <= begin) from = std::max(from, f);
    else if (b >= end) until = std::min(until, b);
    return false;
  };
  cues.each(Kind::clause, s, 0, s.size(), part);
  for (std::size_t at = s.find(';'); at != s.npos; at = s.find(';', at + 1)) part(at, at + 1);
  const bool denied = cues.each(Kind::before, s, from, begin, [&](std::size_t, std::size_t f) { return is_near(s.substr(f, begin - f)); }) ||
                      cues.each(Kind::after, s, end, until, [&](std::size_t b, std::size_t) { return is_near(s.substr(end, b - end)); });
  if (!denied) return false;
  const bool question = (until == s.size() && asks(s)) || cues.each(Kind::question, s, from, until, [](std::size_t, std::size_t) { return true; });
  return !question;
}

// Whether few enough words lie in between.
bool Matcher::is_near(std::string_view between) {
  int halves = 0;
  bool starts = false;
  for (std::size_t i = 0; i < between.size() && halves <= 2 * kWithinWords;) {
    if (is_mark(between[i])) {
      starts = between[i++] != kEnds;
      continue;
    }
    std::uint32_t c = 0;
    const unsigned length = decode(between, i, c);
    if (!length) return false;
    if (n_.word(c) == Word::blankless) halves++;
    else if (starts) halves += 2;
    starts = false;
    i += length;
  }
  return halves <= 2 * kWithinWords;
}

Finding Matcher::finding(const Span &span, const Sentence &s, std::string_view message) {
  const std::string_view original = message.substr(s.from, s.until - s.from);
  std::vector<std::uint32_t> map;
  n_.normalise(original, piece_, &map);
  const auto place = [&](std::size_t at) { return std::min<std::size_t>(at < map.size() ? map[at] : original.size(), original.size()); };
  std::size_t begin = place(span.begin), end = std::max(place(span.end), begin);
  while (end > begin && is_blank(static_cast<unsigned char>(original[end - 1]))) end--;
  std::size_t from = 0, until = original.size();
  while (from < begin && is_blank(static_cast<unsigned char>(original[from]))) from++;
  while (until > end && is_blank(static_cast<unsigned char>(original[until - 1]))) until--;
  Finding f{span.entry, s.from + begin, s.from + end, {}};
  const auto length = [&](std::size_t a, std::size_t b) {
    return static_cast<std::size_t>(std::count_if(original.begin() + static_cast<std::ptrdiff_t>(a), original.begin() + static_cast<std::ptrdiff_t>(b), [](char c) { return !continues(c); }));
  };
  bool cut_before = false, cut_behind = false;
  if (length(from, until) > kLongQuote) {
    const std::size_t inner = length(begin, end);
    const std::size_t spare = inner < kLongQuote ? kLongQuote - inner : 0;
    std::size_t before = std::min(length(from, begin), spare / 2), behind = std::min(length(end, until), spare - before);
    before = std::min(length(from, begin), spare - behind);
    std::size_t a = begin, b = inner > kLongQuote ? begin : end;
    for (; before > 0 && a > from; before--) {
      do a--;
      while (a > from && continues(original[a]));
    }
    std::size_t more = inner > kLongQuote ? kLongQuote : behind;
    for (; more > 0 && b < until; more--) {
      do b++;
      while (b < until && continues(original[b]));
    }
    cut_before = a > from;
    cut_behind = b < until;
    from = a;
    until = b;
  }
  f.quote = (cut_before ? "…" : "") + std::string(original.substr(from, until - from)) + (cut_behind ? "…" : "");
  return f;
}

} // namespace pql::topic
