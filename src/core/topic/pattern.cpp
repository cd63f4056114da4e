#include "core/topic/pattern.hpp"

#include <algorithm>
#include <cmath>
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
  std::uint32_t at = 0;
  std::vector<Node> parts = {}; ///< of a set that is a list of few characters: those
};

bool is_blank(const Node &n) { return n.kind == Node::character && n.text == " "; }

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
      const std::size_t from = at_, before = out.parts.size();
      atom(depth, out.parts);
      if (out.parts.size() > before) quantify(out.parts.back(), from);
      const bool blank_again = before > 0 && out.parts.size() > before && is_blank(out.parts[before - 1]) && is_blank(out.parts[before]);
      if (blank_again) out.parts.erase(out.parts.begin() + static_cast<std::ptrdiff_t>(before));
    }
    return out;
  }

  // A quantifier is of the last character.
  void quantify(Node &last, std::size_t from) {
    int least, most;
    const std::size_t here = at_;
    if (takes("*")) least = 0, most = -1;
    else if (takes("+")) least = 1, most = -1;
    else if (takes("?")) least = 0, most = 1;
    else if (!counts(least, most)) return;
    const Node::Kind k = last.kind;
    if (k == Node::line_begin || k == Node::line_end || k == Node::boundary) refuse(here, "nothing to repeat");
    Node r{Node::repeat};
    r.at = static_cast<std::uint32_t>(from);
    r.least = least;
    r.most = most;
    r.lazy = takes("?");
    r.parts.push_back(std::move(last));
    last = std::move(r);
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

  // Adds what stands there: a character may be several in normalised texts, or none.
  void atom(int depth, std::vector<Node> &out) {
    const std::size_t from = at_;
    const auto one = [&](Node n) { out.push_back(std::move(n)); };
    switch (s_[at_]) {
    case '(': return one(group(depth));
    case '[': return one(set());
    case '.': at_++; return one({Node::any});
    case '^': at_++; return one({Node::line_begin});
    case '$': at_++; return one({Node::line_end});
    case '*': case '+': case '?': refuse(from, "nothing to repeat");
    case '\\': return escape(out);
    default: return folded(code_point(), out);
    }
  }

  std::uint32_t code_point() {
    std::uint32_t c = 0;
    const unsigned n = decode(s_, at_, c);
    if (!n) refuse(at_, "not UTF-8");
    at_ += n;
    return c;
  }

  void folded(std::uint32_t c, std::vector<Node> &out) {
    const std::string all = n_.fold(c);
    std::uint32_t each = 0;
    for (std::size_t i = 0; i < all.size();) {
      const unsigned length = decode(all, i, each);
      out.push_back({Node::character, all.substr(i, length), side_of(n_.word(each))});
      i += length;
    }
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

  void escape(std::vector<Node> &out) {
    const std::size_t from = at_++;
    if (!more()) refuse(from, "a \\ at the end");
    const char c = s_[at_];
    const auto one = [&](Node n) {
      at_++;
      out.push_back(std::move(n));
    };
    switch (c) {
    case 'b': return one({.kind = Node::boundary, .at = static_cast<std::uint32_t>(from)});
    case 'w': return one({Node::word});
    case 'W': return one({Node::other});
    case 'd': return one(digit());
    case 'D': return one({Node::set, "[^0-9\\x{1}-\\x{3}\\n]"});
    case 's': case 't': return one({Node::character, " ", Side::none});
    case 'S': return one({Node::set, "[^ \\x{1}-\\x{3}\\n]"});
    case 'p': case 'P': {
      Side side = Side::unknown;
      const std::string p = property(side);
      out.push_back(c == 'p' ? Node{Node::set, "[" + p + "]", side} : Node{Node::set, "[^" + p + "\\x{1}-\\x{3}\\n]"});
      return;
    }
    default: break;
    }
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) refuse(from, std::string("\\") + c + " can't be used");
    folded(code_point(), out);
  }

  static Node digit() {
    Node out{Node::set, "[0-9]", Side::letter};
    for (char c = '0'; c <= '9'; c++) out.parts.push_back({Node::character, std::string(1, c), Side::none});
    return out;
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
    std::vector<Node> members;
    const auto listed_as = [&](std::string text, Side s) { members.push_back({Node::character, std::move(text), s}); };
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
        if (c == 's' || c == 't') { at_ += 2; items += " "; listed_as(" ", Side::none); add(Side::none); continue; }
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
      std::string text;
      encode(low, text);
      listed_as(std::move(text), side_of(n_.word(low)));
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
    if (listed && members.size() <= kFewMembers) out.parts = std::move(members);
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

// ---------------------------------------------------------------------------------------------------------------- phrases

constexpr int kLongPhrase = 40; // bytes
constexpr std::size_t kMostPhrases = 6, kMostSteps = 20'000;

// How often a character is met where one looks, roughly: of a word by the bytes that it has, which tell its script; or another.
constexpr double kLetter[] = {1, 0.07, 0.07, 0.002, 0.0005}, kBlank = 0.2, kSign = 0.01;

int far(long n) { return static_cast<int>(std::min<long>(n, kFar)); }

// The phrases of a pattern. A stretch of nodes that match few texts is one; where anything may stand there is a gap.
class Phrasing {
public:
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
    Chain all;
    walk(n, all);
    close(all);
    out.push_back(written(all));
    return out;
  }

private:
  using Run = std::vector<const Node *>;
  struct Piece {
    std::vector<Run> choices;
    double chance; ///< to be met where one looks
    int before;    ///< most code points between the end of the one before it and its beginning
    int most;      ///< of its code points
  };
  struct Chain {
    std::vector<Piece> pieces = {};
    Run run = {}; ///< what the next piece begins with
    int gap = 0;  ///< since the last one
  };

  // ---- what a node may be

  // Bytes at the most; kFar of what isn't a phrase's.
  static int bytes(const Node &n) {
    switch (n.kind) {
    case Node::character: return static_cast<int>(n.text.size());
    case Node::set: return n.parts.empty() ? kFar : 4;
    case Node::boundary: case Node::line_begin: case Node::line_end: return 0;
    case Node::sequence: {
      long all = 0;
      for (const Node &p : n.parts) all += bytes(p);
      return far(all);
    }
    case Node::choice: {
      int most = 0;
      for (const Node &p : n.parts) most = std::max(most, bytes(p));
      return most;
    }
    case Node::repeat: return n.most < 0 ? kFar : far(static_cast<long>(std::max(1, bytes(n.parts.front()))) * n.most);
    default: return kFar;
    }
  }

  // Code points at the most.
  static int length(const Node &n) {
    switch (n.kind) {
    case Node::boundary: case Node::line_begin: case Node::line_end: return 0;
    case Node::sequence: return length(Run(pointers(n)));
    case Node::choice: {
      int most = 0;
      for (const Node &p : n.parts) most = std::max(most, length(p));
      return most;
    }
    case Node::repeat: return n.most < 0 ? kFar : far(static_cast<long>(length(n.parts.front())) * n.most);
    default: return 1;
    }
  }
  static int length(const Run &run) {
    long all = 0;
    for (const Node *p : run) all += length(*p);
    return far(all);
  }
  static Run pointers(const Node &n) {
    Run out;
    for (const Node &p : n.parts) out.push_back(&p);
    return out;
  }

  static double chance(const Node &n) {
    switch (n.kind) {
    case Node::character: return is_word(n.side) ? kLetter[n.text.size()] : is_blank(n) ? kBlank : kSign;
    case Node::boundary: return 2 * kBlank;
    case Node::sequence: return chance(pointers(n));
    case Node::set:
    case Node::choice: {
      double all = 0;
      for (const Node &p : n.parts) all += chance(p);
      return std::min(all, 1.0);
    }
    case Node::repeat: return n.least == 0 ? 1 : std::pow(chance(n.parts.front()), n.least);
    default: return 1;
    }
  }
  static double chance(const Run &run) {
    double all = 1;
    for (const Node *p : run) all *= chance(*p);
    return all;
  }

  // ---- pieces

  static void walk(const Node &n, Chain &to) {
    if (const int b = bytes(n); b <= kLongPhrase) {
      long all = b;
      for (const Node *p : to.run) all += bytes(*p);
      if (all > kLongPhrase) close(to);
      to.run.push_back(&n);
      return;
    }
    switch (n.kind) {
    case Node::sequence:
      for (const Node &p : n.parts) walk(p, to);
      return;
    case Node::choice: return choose(n, to);
    case Node::repeat:
      if (n.least > 0) {
        walk(n.parts.front(), to);
        close(to);
        to.gap = far(to.gap + (n.most < 0 ? kFar : static_cast<long>(n.most - 1) * length(n.parts.front())));
        return;
      }
      [[fallthrough]];
    default:
      close(to);
      to.gap = far(to.gap + static_cast<long>(length(n)));
    }
  }

  // Of each alternative, behind what stands before them, the piece that tells most.
  static void choose(const Node &n, Chain &to) {
    Piece all{{}, 0, 0, 0};
    int behind = 0;
    for (const Node &p : n.parts) {
      Chain one;
      one.run = to.run;
      walk(p, one);
      close(one);
      if (one.pieces.empty()) {
        close(to);
        to.gap = far(to.gap + static_cast<long>(length(n)));
        return;
      }
      keep_best(one, 1);
      Piece &best = one.pieces.front();
      all.choices.insert(all.choices.end(), best.choices.begin(), best.choices.end());
      all.chance += best.chance;
      all.before = std::max(all.before, best.before);
      all.most = std::max(all.most, best.most);
      behind = std::max(behind, one.gap);
    }
    to.run.clear();
    all.before = far(static_cast<long>(all.before) + to.gap);
    add(std::move(all), to);
    to.gap = far(static_cast<long>(to.gap) + behind);
  }

  // Ends the run: it is a piece, or part of the gap.
  static void close(Chain &to) {
    trim(to);
    if (to.run.empty()) return;
    Piece piece{{}, chance(to.run), to.gap, length(to.run)};
    const bool tells = !std::ranges::all_of(to.run, [](const Node *p) { return may_be_empty(*p); });
    if (tells) piece.choices.push_back(to.run);
    to.run.clear();
    add(std::move(piece), to);
  }

  // A piece begins where a word does, if it can: fewer places to look from.
  static void trim(Chain &to) {
    const auto first = std::ranges::find_if(to.run, [](const Node *p) { return p->kind != Node::boundary && !is_blank(*p); });
    if (first == to.run.begin()) return;
    const bool word = first != to.run.end() && begins_a_word(**first);
    to.gap = far(to.gap + static_cast<long>(length(Run(to.run.begin(), first))));
    to.run.erase(to.run.begin(), first);
    static const Node boundary{Node::boundary};
    if (word) to.run.insert(to.run.begin(), &boundary);
  }

  static bool begins_a_word(const Node &n) {
    switch (n.kind) {
    case Node::character: return is_word(n.side);
    case Node::sequence: return !n.parts.empty() && begins_a_word(n.parts.front());
    case Node::set:
    case Node::choice: return std::ranges::all_of(n.parts, begins_a_word);
    default: return false;
    }
  }

  static bool may_be_empty(const Node &n) {
    switch (n.kind) {
    case Node::boundary: case Node::line_begin: case Node::line_end: return true;
    case Node::sequence: return std::ranges::all_of(n.parts, may_be_empty);
    case Node::choice: return std::ranges::any_of(n.parts, may_be_empty);
    case Node::repeat: return n.least == 0 || may_be_empty(n.parts.front());
    default: return false;
    }
  }

  static void add(Piece piece, Chain &to) {
    if (piece.choices.empty()) {
      to.gap = far(static_cast<long>(piece.before) + piece.most);
      return;
    }
    to.gap = 0;
    to.pieces.push_back(std::move(piece));
  }

  static void keep_best(Chain &c, std::size_t most) {
    while (c.pieces.size() > most) {
      const auto worst = std::max_element(c.pieces.begin(), c.pieces.end(), [](const Piece &a, const Piece &b) { return a.chance < b.chance; });
      const long width = static_cast<long>(worst->before) + worst->most;
      int &next = worst + 1 == c.pieces.end() ? c.gap : (worst + 1)->before;
      next = far(next + width);
      c.pieces.erase(worst);
    }
  }

  // ---- writing

  static Needed written(Chain &c) {
    keep_best(c, kMostPhrases);
    Needed out;
    for (const Piece &p : c.pieces) {
      Phrase &to = out.emplace_back();
      to.chance = p.chance;
      to.before = p.before;
      to.most = p.most;
      choices(p.choices.size(), to.steps, [&](std::size_t i) {
        if (to.steps.size() > kMostSteps) return;
        for (const Node *n : p.choices[i]) write(*n, to.steps);
      });
      if (to.steps.size() > kMostSteps) return {};
      to.steps.push_back({Step::end, 0, 0});
    }
    return out;
  }

  static void go_ahead(std::vector<Step> &to, std::size_t from) { to[from].over = static_cast<std::uint32_t>(to.size() - from) & Step::kMostOver; }

  template <class F> static void choices(std::size_t n, std::vector<Step> &to, F &&one) {
    std::vector<std::size_t> ends;
    for (std::size_t i = 0; i < n; i++) {
      const std::size_t fork = to.size();
      if (i + 1 < n) to.push_back({Step::fork, 0, 0});
      one(i);
      if (i + 1 == n) break;
      ends.push_back(to.size());
      to.push_back({Step::jump, 0, 0});
      go_ahead(to, fork);
    }
    for (std::size_t e : ends) go_ahead(to, e);
  }

  static void write(const Node &n, std::vector<Step> &to) {
    switch (n.kind) {
    case Node::character:
      for (char c : n.text) to.push_back({Step::byte, static_cast<unsigned char>(c), 0});
      return;
    case Node::boundary: to.push_back({Step::boundary, 0, 0}); return;
    case Node::sequence:
      for (const Node &p : n.parts) write(p, to);
      return;
    case Node::set:
    case Node::choice: return choices(n.parts.size(), to, [&](std::size_t i) { write(n.parts[i], to); });
    case Node::repeat: {
      for (int i = 0; i < n.least; i++) write(n.parts.front(), to);
      std::vector<std::size_t> forks;
      for (int i = n.least; i < n.most; i++) {
        forks.push_back(to.size());
        to.push_back({Step::fork, 0, 0});
        write(n.parts.front(), to);
      }
      for (std::size_t f : forks) go_ahead(to, f);
      return;
    }
    default: return; // where a line begins or ends: it may be anywhere
    }
  }
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
    return Phrasing().ways(read(n, pattern));
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
