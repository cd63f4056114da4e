#include "core/topic/pattern.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <re2/re2.h>

namespace pql::topic {
namespace {

// What can be said of a character before it is seen, or of what has been matched so far. `begin`: nothing has.
enum class Side : unsigned char { begin, none, letter, blankless, hangul, word, unknown };

Side side_of(Word w) { return static_cast<Side>(static_cast<int>(Side::none) + static_cast<int>(w)); }
bool is_word(Side s) { return s >= Side::letter && s <= Side::word; }
Side either(Side a, Side b) { return a == b ? a : is_word(a) && is_word(b) ? Side::word : Side::unknown; }

constexpr int kMostDepth = 50, kMostRepeats = 1000;
constexpr std::size_t kFewMembers = 16;
constexpr int kMostEmitted = 100'000;
constexpr const char *kAny = "[^\\x{1}-\\x{3}\\n]", *kAnyWord = "[\\pL\\pM\\pN_]", *kAnyOther = "[^\\pL\\pM\\pN_\\x{1}-\\x{3}\\n]";

struct Node {
  enum Kind { character, any, word, other, set, sequence, choice, repeat, line_begin, line_end, boundary } kind;
  std::string text = {};    // of a character or a set, for RE2
  Side side = Side::unknown; // of a character or a set
  int least = 0, most = -1; // of a repeat; -1: no limit
  bool lazy = false;
  std::vector<Node> parts = {};
  std::size_t at = 0;
  std::vector<std::string> members = {}; ///< of a set that is a list of few characters
};

struct Refused {
  std::size_t at;
  std::string problem;
};

// --------------------------------------------------------------------------------------------------------------- reading

class Reader {
public:
  Reader(Normaliser &n, std::string_view s) : n_(n), s_(s) {}

  Node read() {
    Node all = choice(0);
    if (at_ < s_.size()) refuse(at_, "unmatched )");
    return all;
  }

private:
  [[noreturn]] static void refuse(std::size_t at, std::string problem) { throw Refused{at, std::move(problem)}; }
  bool more() const { return at_ < s_.size(); }
  bool sees(std::string_view t) const { return s_.substr(at_).starts_with(t); }
  bool takes(std::string_view t) { return sees(t) && (at_ += t.size(), true); }

  Node choice(int depth) {
    if (depth > kMostDepth) refuse(at_, "groups are nested too deeply");
    Node out{Node::choice};
    out.parts.push_back(sequence(depth));
    while (takes("|")) out.parts.push_back(sequence(depth));
    return out.parts.size() == 1 ? std::move(out.parts.front()) : out;
  }

  Node sequence(int depth) {
    Node out{Node::sequence};
    while (more() && s_[at_] != '|' && s_[at_] != ')') {
      const std::size_t from = at_;
      std::vector<Node> atoms = atom(depth);
      if (!atoms.empty()) quantify(atoms, from);
      for (Node &a : atoms) {
        const bool blank_again = is_blank(a) && !out.parts.empty() && is_blank(out.parts.back());
        if (!blank_again) out.parts.push_back(std::move(a));
      }
    }
    return out;
  }

  static bool is_blank(const Node &n) { return n.kind == Node::character && n.text == " "; }

  // A quantifier is of the last character.
  void quantify(std::vector<Node> &atoms, std::size_t from) {
    int least, most;
    const std::size_t here = at_;
    if (takes("*")) least = 0, most = -1;
    else if (takes("+")) least = 1, most = -1;
    else if (takes("?")) least = 0, most = 1;
    else if (!counts(least, most)) return;
    const Node::Kind k = atoms.back().kind;
    if (k == Node::line_begin || k == Node::line_end || k == Node::boundary) refuse(here, "nothing to repeat");
    Node r{Node::repeat};
    r.at = from;
    r.least = least;
    r.most = most;
    r.lazy = takes("?");
    r.parts.push_back(std::move(atoms.back()));
    atoms.back() = std::move(r);
    if (more() && (s_[at_] == '*' || s_[at_] == '+' || s_[at_] == '?')) refuse(at_, "a quantifier follows another");
  }

  bool counts(int &least, int &most) {
    if (!sees("{")) return false;
    const std::size_t from = at_;
    at_++;
    const auto number = [&](int &n) {
      const std::size_t first = at_;
      for (n = 0; more() && s_[at_] >= '0' && s_[at_] <= '9' && n <= kMostRepeats; at_++) n = n * 10 + (s_[at_] - '0');
      return at_ > first;
    };
    if (!number(least)) refuse(from, "a { begins a count such as {2} or {1,3}; write \\{ for the sign");
    most = least;
    if (takes(",") && !number(most)) most = -1;
    if (!takes("}")) refuse(from, "a { begins a count such as {2} or {1,3}; write \\{ for the sign");
    if (least > kMostRepeats || most > kMostRepeats || (most >= 0 && most < least)) refuse(from, "bad count");
    return true;
  }

  std::vector<Node> atom(int depth) {
    const std::size_t from = at_;
    const char c = s_[at_];
    switch (c) {
    case '(': return {group(depth)};
    case '[': return {set()};
    case '.': at_++; return {Node{Node::any}};
    case '^': at_++; return {Node{Node::line_begin}};
    case '$': at_++; return {Node{Node::line_end}};
    case '*': case '+': case '?': refuse(from, "nothing to repeat");
    case '\\': return escape();
    default: return folded(code_point());
    }
  }

  std::uint32_t code_point() {
    std::uint32_t c = 0;
    const unsigned n = decode(s_, at_, c);
    if (!n) refuse(at_, "not UTF-8");
    at_ += n;
    return c;
  }

  std::vector<Node> folded(std::uint32_t c) {
    std::vector<Node> out;
    const std::string all = n_.fold(c);
    std::uint32_t each = 0;
    for (std::size_t i = 0; i < all.size();) {
      const unsigned length = decode(all, i, each);
      out.push_back({Node::character, all.substr(i, length), side_of(n_.word(each))});
      i += length;
    }
    return out;
  }

  Node group(int depth) {
    const std::size_t from = at_++;
    if (takes("?")) {
      if (takes("P<") || takes("<")) {
        const std::size_t end = s_.find('>', at_);
        if (end == s_.npos) refuse(from, "missing >");
        at_ = end + 1;
      } else if (!takes(":") && !takes("i:")) {
        if (takes("i)")) return Node{Node::sequence}; // case never matters
        refuse(from, "only the groups (...) and (?:...) can be used");
      }
    }
    Node out = choice(depth + 1);
    if (!takes(")")) refuse(from, "missing )");
    if (out.kind == Node::sequence || out.kind == Node::choice) return out;
    Node wrapped{Node::sequence};
    wrapped.parts.push_back(std::move(out));
    return wrapped;
  }

  std::vector<Node> escape() {
    const std::size_t from = at_++;
    if (!more()) refuse(from, "a \\ at the end");
    const char c = s_[at_];
    switch (c) {
    case 'b': {
      at_++;
      Node b{Node::boundary};
      b.at = from;
      return {b};
    }
    case 'w': at_++; return {Node{Node::word}};
    case 'W': at_++; return {Node{Node::other}};
    case 'd': at_++; return {Node{Node::set, "[0-9]", Side::letter}};
    case 'D': at_++; return {Node{Node::set, "[^0-9\\x{1}-\\x{3}\\n]"}};
    case 's': at_++; return {Node{Node::character, " ", Side::none}};
    case 'S': at_++; return {Node{Node::set, "[^ \\x{1}-\\x{3}\\n]"}};
    case 't': at_++; return {Node{Node::character, " ", Side::none}};
    case 'p': case 'P': {
      Side side = Side::unknown;
      const std::string p = property(side);
      if (c == 'p') return {Node{Node::set, "[" + p + "]", side}};
      return {Node{Node::set, "[^" + p + "\\x{1}-\\x{3}\\n]"}};
    }
    default: break;
    }
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) refuse(from, std::string("\\") + c + " can't be used");
    return folded(code_point());
  }

  // \pL, \p{Han}: at_ is at the p.
  std::string property(Side &side) {
    const std::size_t from = at_++ - 1;
    std::string name;
    if (takes("{")) {
      const std::size_t end = s_.find('}', at_);
      if (end == s_.npos) refuse(from, "missing }");
      name = s_.substr(at_, end - at_);
      at_ = end + 1;
    } else if (more()) {
      name = s_.substr(at_++, 1);
    }
    constexpr std::string_view kHoldMarks[] = {"Any", "C", "Cc", "Common"};
    if (!RE2("\\p{" + name + "}", RE2::Quiet).ok() || name.starts_with("^") || std::ranges::find(kHoldMarks, name) != std::end(kHoldMarks))
      refuse(from, "no such class of characters");
    const bool script = name.size() > 2; // holds signs as well
    side = script ? Side::unknown : name[0] == 'L' || name[0] == 'M' || name[0] == 'N' ? Side::word : Side::unknown;
    return "\\p{" + name + "}";
  }

  Node set() {
    const std::size_t from = at_++;
    const bool negated = takes("^");
    std::string items;
    std::vector<std::string> members;
    bool listed = !negated;
    Side side = Side::begin;
    const auto add = [&](Side s) { side = side == Side::begin ? s : either(side, s); };
    for (bool first = true;; first = false) {
      if (!more()) refuse(from, "missing ]");
      if (!first && takes("]")) break;
      if (takes("[:")) refuse(at_ - 2, "[:...:] can't be used");
      if (sees("\\") && at_ + 1 < s_.size()) {
        const char c = s_[at_ + 1];
        listed &= c != 'w' && c != 'd' && c != 'p';
        if (c == 'w') { at_ += 2; items += "\\pL\\pM\\pN_"; add(Side::word); continue; }
        if (c == 'd') { at_ += 2; items += "0-9"; add(Side::letter); continue; }
        if (c == 's' || c == 't') { at_ += 2; items += " "; members.emplace_back(" "); add(Side::none); continue; }
        if (c == 'p') {
          at_++;
          Side s = Side::unknown;
          items += property(s);
          add(s);
          continue;
        }
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) refuse(at_, std::string("\\") + c + " can't be used in a class");
        at_++;
      }
      const std::uint32_t low = member(from);
      add(side_of(n_.word(low)));
      items += quoted(low);
      encode(low, members.emplace_back());
      if (!sees("-") || s_.substr(at_ + 1).starts_with("]")) continue;
      at_++;
      listed = false;
      if (sees("\\")) at_++;
      if (!more()) refuse(from, "missing ]");
      const std::uint32_t high = member(from);
      if (high < low) refuse(from, "bad range in a class");
      for (std::uint32_t c = low; c <= high; c++) add(side_of(n_.word(c)));
      items += "-" + quoted(high);
    }
    if (negated) return {Node::set, "[^" + items + "\\x{1}-\\x{3}\\n]"};
    Node out{Node::set, "[" + items + "]", side};
    if (listed && members.size() <= kFewMembers) out.members = std::move(members);
    return out;
  }

  // A member of a class is one character in normalised texts as well.
  std::uint32_t member(std::size_t from) {
    const std::uint32_t c = code_point();
    const std::string all = n_.fold(c);
    std::uint32_t one = 0;
    if (all.empty() || decode(all, 0, one) != all.size()) refuse(from, "a character of the class is more than one, or none, in normalised texts: write (?:...|...)");
    return one;
  }

  static std::string quoted(std::uint32_t c) {
    char text[16];
    std::snprintf(text, sizeof text, "\\x{%x}", static_cast<unsigned>(c));
    return text;
  }

  Normaliser &n_;
  std::string_view s_;
  std::size_t at_ = 0;
};

// ------------------------------------------------------------------------------------------------------------------ words

constexpr std::size_t kMostWords = 400, kLongWord = 24, kMostLists = 4;

using Texts = std::vector<std::string>;

std::size_t shortest(const Texts &t) {
  std::size_t least = t.empty() ? 0 : t.front().size();
  for (const std::string &x : t) least = std::min(least, x.size());
  return least;
}

// What is rarer: longer texts, or fewer.
bool tells_more(const Texts &a, const Texts &b) {
  const std::size_t x = std::min<std::size_t>(shortest(a), 8), y = std::min<std::size_t>(shortest(b), 8);
  return x != y ? x > y : a.size() < b.size();
}

void tidy(Texts &texts) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
}

// What is in whatever a part of a pattern matches: one text of each list. Exact: there is one list, and it matches these and nothing else.
struct Words {
  bool exact = false;
  std::vector<Texts> all = {};

  const Texts &best() const { return *std::max_element(all.begin(), all.end(), [](const Texts &a, const Texts &b) { return tells_more(b, a); }); }
};

// The words of a pattern, with boundaries as whoever looks for them writes them.
class Wording {
public:
  explicit Wording(Normaliser &n) : n_(n) {}

  // Each alternative by itself.
  std::vector<Needed> ways(const Node &n) {
    if (n.kind == Node::sequence && n.parts.size() == 1) return ways(n.parts.front());
    std::vector<Needed> out;
    if (n.kind == Node::choice) {
      for (const Node &p : n.parts) {
        for (Needed &way : ways(p)) out.push_back(std::move(way));
      }
      return out;
    }
    Words w = words(n);
    std::erase_if(w.all, [](const Texts &t) { return shortest(t) < kShortWord; });
    out.push_back(std::move(w.all));
    return out;
  }

private:
  // Characters of two kinds have a boundary between them, others don't.
  std::string one(const std::string &a, const std::string &b) {
    if (a.empty() || b.empty()) return a + b;
    const bool ends = a.back() == kBoundary, begins = b.front() == kBoundary;
    if (ends && begins) return a + b.substr(1);
    return !ends && !begins && last(a) != first(b) ? a + kBoundary + b : a + b;
  }
  Word first(const std::string &s) { return word_at(s, 0); }
  Word last(const std::string &s) {
    std::size_t at = s.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(s[at]) & 0xC0) == 0x80) at--;
    return word_at(s, at);
  }
  Word word_at(const std::string &s, std::size_t at) {
    std::uint32_t c = 0;
    return decode(s, at, c) ? n_.word(c) : Word::none;
  }

  // One after the other; nothing if that would be too many or too long.
  std::optional<Texts> joined(const Texts &a, const Texts &b) {
    if (a.size() * b.size() > kMostWords) return {};
    Texts out;
    for (const std::string &x : a) {
      for (const std::string &y : b) {
        if (x.size() + y.size() > kLongWord) return {};
        out.push_back(one(x, y));
      }
    }
    return out;
  }

  Words of_sequence(const Node &n) {
    Words out;
    Texts now{""};
    bool exact = true;
    const auto close = [&](Texts next) {
      if (shortest(now) >= kShortWord) out.all.push_back(std::move(now));
      now = std::move(next);
    };
    for (const Node &p : n.parts) {
      Words w = words(p);
      if (w.exact) {
        if (auto both = joined(now, w.all.front())) {
          now = std::move(*both);
          continue;
        }
        exact = false;
        close(std::move(w.all.front()));
        continue;
      }
      exact = false;
      close({""});
      for (Texts &t : w.all) out.all.push_back(std::move(t));
    }
    if (exact) return {true, {std::move(now)}};
    close({});
    std::stable_sort(out.all.begin(), out.all.end(), tells_more);
    if (out.all.size() > kMostLists) out.all.resize(kMostLists);
    return out;
  }

  Words of_choice(const Node &n) {
    Words out{true, {{}}};
    for (const Node &p : n.parts) {
      const Words w = words(p);
      if (w.all.empty()) return {}; // anything could be there
      out.exact &= w.exact;
      const Texts &best = w.best();
      out.all.front().insert(out.all.front().end(), best.begin(), best.end());
    }
    tidy(out.all.front());
    if (!out.exact && shortest(out.all.front()) < kShortWord) return {};
    return out;
  }

  Words of_repeat(const Node &n) {
    Words w = words(n.parts.front());
    if (n.least == 1 && n.most == 1) return w;
    if (n.least > 0) {
      std::erase_if(w.all, [](const Texts &t) { return shortest(t) < kShortWord; });
      return {false, std::move(w.all)};
    }
    if (n.most != 1 || !w.exact) return {};
    w.all.front().emplace_back();
    tidy(w.all.front());
    return w;
  }

  Words words(const Node &n) {
    switch (n.kind) {
    case Node::character: return {true, {{n.text}}};
    case Node::set: return n.members.empty() ? Words{} : Words{true, {n.members}};
    case Node::boundary: return {true, {{std::string(1, kBoundary)}}};
    case Node::line_begin:
    case Node::line_end: return {true, {{""}}};
    case Node::sequence: return of_sequence(n);
    case Node::choice: return of_choice(n);
    case Node::repeat: return of_repeat(n);
    default: return {};
    }
  }

  Normaliser &n_;
};

// --------------------------------------------------------------------------------------------------------------- writing

// Writes a tree for RE2, with the marks that lie between what it matches.
class Translator {
public:
  struct State {
    Side side = Side::begin;
    bool boundary = false; ///< one is due before whatever comes
    std::size_t boundary_at = 0;
    bool operator==(const State &o) const { return side == o.side && boundary == o.boundary; }
  };

  std::string write(const Node &all, Extent extent) {
    std::string out = "(?m)";
    State s;
    if (extent == Extent::whole) {
      out += "^";
      s.side = Side::none;
    }
    out += emit(all, s);
    if (extent == Extent::whole) out += line_end(s);
    else if (s.boundary) out += due(s);
    return out;
  }

private:
  static State merge(const State &a, const State &b) {
    State out{a.side == Side::begin || b.side == Side::begin ? (a.side == b.side ? Side::begin : Side::unknown) : either(a.side, b.side), false, 0};
    out.boundary = a.boundary && b.boundary;
    return out;
  }

  // A boundary with nothing behind it that says which.
  static std::string due(State &s) {
    s.boundary = false;
    const Side before = s.side;
    s.side = Side::unknown;
    if (is_word(before)) return "[\\x{2}\\x{3}]";
    return before == Side::none ? "\\x{1}" : "[\\x{1}-\\x{3}]";
  }

  static std::string line_end(State &s) {
    const bool boundary = s.boundary;
    const Side side = s.side;
    s = {};
    s.side = Side::none;
    if (is_word(side) || boundary) return "\\x{2}$";
    return side == Side::none ? "$" : "\\x{2}?$";
  }

  // What lies between what was matched and a character of that side.
  static std::string between(State &s, Side to) {
    const Side from = s.side;
    const bool must = s.boundary;
    s.boundary = false;
    s.side = to;
    if (from == Side::begin && !must) return "";
    const bool known = from != Side::unknown && from != Side::begin;
    if (!known) {
      if (to == Side::none) return must ? "\\x{2}" : "\\x{2}?";
      if (is_word(to)) return must ? "[\\x{1}\\x{3}]" : "[\\x{1}\\x{3}]?";
      return must ? "[\\x{1}-\\x{3}]" : "[\\x{1}-\\x{3}]?";
    }
    if (to == Side::unknown) {
      if (is_word(from)) return must ? "[\\x{2}\\x{3}]" : "[\\x{2}\\x{3}]?";
      return must ? "\\x{1}" : "\\x{1}?";
    }
    if (from == Side::none && to == Side::none) {
      if (must) throw Refused{s.boundary_at, "\\b between two characters that no word holds never matches"};
      return "";
    }
    if (from == Side::none) return "\\x{1}";
    if (to == Side::none) return "\\x{2}";
    if (from == Side::word || to == Side::word) return must ? "\\x{3}" : "\\x{3}?";
    if (from != to) return "\\x{3}";
    if (must) throw Refused{s.boundary_at, "\\b within a word never matches"};
    return "";
  }

  static std::string escaped(const std::string &c) { return RE2::QuoteMeta(c); }

  std::string emit(const Node &n, State &s) {
    if (++emitted_ > kMostEmitted) throw Refused{n.at, "the pattern needs too much memory"}; // each repeat writes what it holds again
    switch (n.kind) {
    case Node::character: {
      std::string mark = between(s, n.side);
      return mark + escaped(n.text);
    }
    case Node::set: {
      std::string mark = between(s, n.side);
      return mark + n.text;
    }
    case Node::any: {
      std::string mark = between(s, Side::unknown);
      return mark + kAny;
    }
    case Node::word: {
      const Side from = s.side;
      const bool sure = is_word(from) || from == Side::none || s.boundary; // the mark tells that a word goes on, or begins
      std::string mark = between(s, Side::word);
      return mark + (sure ? kAny : kAnyWord);
    }
    case Node::other: {
      const bool sure = is_word(s.side);
      std::string mark = between(s, Side::none);
      return mark + (sure ? kAny : kAnyOther);
    }
    case Node::line_begin: s = {}; s.side = Side::none; return "^";
    case Node::line_end: return line_end(s);
    case Node::boundary:
      if (s.boundary) return "";
      s.boundary = true;
      s.boundary_at = n.at;
      return "";
    case Node::sequence: {
      std::string out;
      for (const Node &p : n.parts) out += emit(p, s);
      return out;
    }
    case Node::choice: return choice(n, s);
    case Node::repeat: return repeat(n, s);
    }
    return "";
  }

  std::string choice(const Node &n, State &s) {
    std::vector<State> ends;
    std::vector<std::string> texts;
    for (const Node &p : n.parts) {
      ends.push_back(s);
      texts.push_back(emit(p, ends.back()));
    }
    // A boundary that is due at the end of some, but not of all.
    const bool all = std::all_of(ends.begin(), ends.end(), [](const State &e) { return e.boundary; });
    for (std::size_t i = 0; i < ends.size(); i++) {
      if (!all && ends[i].boundary) texts[i] += due(ends[i]);
    }
    std::string out = "(?:";
    for (std::size_t i = 0; i < texts.size(); i++) out += (i ? "|" : "") + texts[i];
    const std::size_t at = ends.front().boundary_at;
    s = ends.front();
    for (const State &e : ends) s = merge(s, e);
    s.boundary = all;
    s.boundary_at = at;
    return out + ")";
  }

  // The first time is by itself: what stands before it is known, and later ones stand behind what is repeated.
  std::string repeat(const Node &n, State &s) {
    const Node &inner = n.parts.front();
    const std::string lazy = n.lazy ? "?" : "";
    if (n.most == 0) return "";
    if (inner.kind == Node::any && n.most < 0 && n.least == 0 && !s.boundary) {
      s.side = s.side == Side::begin ? Side::begin : Side::unknown;
      return "[^\\n]*" + lazy;
    }
    const State before = s;
    const std::string first = once(inner, s);
    State after = s;
    std::string later;
    if (n.most != 1) {
      later = once(inner, after);
      if (!(after == s)) {
        const State either_way = merge(s, after);
        State again = either_way;
        later = once(inner, again);
        after = merge(either_way, again);
      }
      const int least = std::max(0, n.least - 1), most = n.most < 0 ? -1 : n.most - 1;
      later = "(?:" + later + ")" + count(least, most) + lazy;
      s = merge(s, after);
    }
    std::string all = first + later;
    if (n.least > 0) return all;
    // Not at all: then a boundary that is due still is.
    if (before.boundary) {
      State without = before;
      all = "(?:" + all + "|" + due(without) + ")";
      s = merge(s, without);
      s.side = Side::unknown;
      s.boundary = false;
      return all;
    }
    s = merge(s, before);
    s.boundary = false;
    return "(?:" + all + ")?" + lazy;
  }

  std::string once(const Node &n, State &s) {
    std::string out = emit(n, s);
    if (s.boundary) out += due(s);
    return out;
  }

  static std::string count(int least, int most) {
    if (most < 0) return least == 0 ? "*" : least == 1 ? "+" : "{" + std::to_string(least) + ",}";
    return "{" + std::to_string(least) + "," + std::to_string(most) + "}";
  }

  int emitted_ = 0;
};

} // namespace

namespace {

Node read(Normaliser &n, std::string_view pattern) {
  if (pattern.empty()) throw Refused{0, "the pattern is empty"};
  if (pattern.size() > kLongPattern) throw Refused{kLongPattern, "the pattern is longer than " + std::to_string(kLongPattern) + " bytes"};
  return Reader(n, pattern).read();
}

} // namespace

std::optional<std::string> translate(Normaliser &n, std::string_view pattern, Extent extent, PatternProblem *why) {
  try {
    return Translator().write(read(n, pattern), extent);
  } catch (const Refused &r) {
    if (why) *why = {r.at + 1, r.problem};
    return std::nullopt;
  }
}

std::vector<Needed> ways_to_match(Normaliser &n, std::string_view pattern) {
  try {
    return Wording(n).ways(read(n, pattern));
  } catch (const Refused &) {
    return {};
  }
}

std::optional<PatternProblem> check_pattern(Normaliser &n, std::string_view pattern, Extent extent) {
  PatternProblem why;
  const std::optional<std::string> text = translate(n, pattern, extent, &why);
  if (!text) return why;
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(kPatternMemory);
  const RE2 re(*text, options);
  if (re.ok()) {
    if (extent == Extent::within && RE2::PartialMatch("", re)) return PatternProblem{1, "the pattern matches everything"};
    return std::nullopt;
  }
  if (re.error_code() == RE2::ErrorPatternTooLarge || re.error_code() == RE2::ErrorRepeatSize) return PatternProblem{1, "the pattern needs too much memory"};
  return PatternProblem{1, re.error()};
}

} // namespace pql::topic
