// Laws of patterns.
// Law: what is found equals lazy backtracking over the pattern's text, for both bases of time.
#include "core/sequence/pattern.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>

#include "property/any_events.hpp"

namespace pql {
namespace {

using Times = std::vector<Micros>;

struct Token {
  enum class Kind { condition, dot, star, time } kind;
  int condition = 0;
  std::string op = {};
  Micros length = 0; // microseconds here, so that rows need no scale

  std::string text() const {
    switch (kind) {
    case Kind::condition: return "(?" + std::to_string(condition) + ")";
    case Kind::dot: return ".";
    case Kind::star: return ".*";
    case Kind::time: return "(?t" + op + std::to_string(length) + "us)";
    }
    return "";
  }

  bool passes(Micros passed) const {
    if (op == "<") return passed < length;
    if (op == "<=") return passed <= length;
    if (op == "==") return passed == length;
    if (op == "!=") return passed != length;
    if (op == ">=") return passed >= length;
    return passed > length;
  }

  bool may_end() const {
    return kind == Kind::star || (kind == Kind::time && (op[0] == '<' || (op == ">=" && length == 0)));
  }
};

struct Tokens : std::vector<Token> {
  bool at_start = false, at_end = false;
};

std::string text_of(const Tokens &tokens) {
  std::string text = tokens.at_start ? "^" : "";
  for (const Token &t : tokens) text += t.text();
  return text + (tokens.at_end ? "$" : "");
}

Tokens any_tokens(TimeBase base, int conditions) {
  Tokens tokens;
  bool taken = false; // an event, by some element
  for (int n = number(0, 8); n > 0; n--) {
    switch (number(0, 7)) {
    case 0: tokens.push_back({Token::Kind::dot}), taken = true; break;
    case 1: tokens.push_back({Token::Kind::star}); break;
    case 2:
    case 3:
      if (base == TimeBase::element && !taken) break;
      tokens.push_back({Token::Kind::time, 0, *rc::gen::element<std::string>("<", "<=", "==", "!=", "!=", ">=", ">"), number<Micros>(0, 12)});
      break;
    default: tokens.push_back({Token::Kind::condition, number(1, conditions + 1)}), taken = true; break;
    }
  }
  const auto takes = [](const Token &t) { return t.kind == Token::Kind::condition || t.kind == Token::Kind::dot; };
  tokens.at_start = !tokens.empty() && takes(tokens.front()) && one_in(5);
  tokens.at_end = !tokens.empty() && takes(tokens.back()) && one_in(5);
  return tokens;
}

// A match: where it begins to take, where it ends, and the times of its conditions.
struct Match {
  std::size_t end = 0;
  Micros first = kNever, last = kAlways;
  Times times;
};

// Tries the choices one after another, each as lazily as it can. Times that stand together must hold of the same event.
class Backtracking {
public:
  Backtracking(const Tokens &tokens, TimeBase base, Micros within, const Events &rows)
      : tokens_(tokens), base_(base), within_(within), rows_(rows) {}

  std::optional<Match> from(std::size_t start) {
    for (std::size_t i = start; i < rows_.size() || i == start; i++) {
      if (tokens_.at_start && i > 0) break;
      Match m;
      if (go(0, i, i < rows_.size() ? rows_[i].at : 0, m)) return found_;
    }
    return std::nullopt;
  }

  Times longest;

private:
  bool go(std::size_t t, std::size_t i, Micros base, Match m) {
    if (m.times.size() > longest.size() && in_time(m)) longest = m.times;
    if (i == rows_.size()) {
      while (t < tokens_.size() && tokens_[t].may_end()) t++;
      // Only what took the last event ends there; what skips events doesn't.
    }
    if (t == tokens_.size()) {
      if (!in_time(m) || (tokens_.at_end && i < rows_.size())) return false;
      m.end = i;
      found_ = m;
      return true;
    }
    if (i == rows_.size()) return false;
    const Token &token = tokens_[t];
    switch (token.kind) {
    case Token::Kind::condition:
      if (!(rows_[i].steps >> (token.condition - 1) & 1)) return false;
      m.times.push_back(rows_[i].at);
      [[fallthrough]];
    case Token::Kind::dot:
      m.first = std::min(m.first, rows_[i].at);
      m.last = std::max(m.last, rows_[i].at);
      return go(t + 1, i + 1, rows_[i].at, m);
    case Token::Kind::star:
      for (; i < rows_.size(); i++) {
        if (go(t + 1, i, base_ == TimeBase::clickhouse ? rows_[i].at : base, m)) return true;
      }
      return false;
    case Token::Kind::time: {
      std::size_t end = t;
      while (end < tokens_.size() && tokens_[end].kind == Token::Kind::time) end++;
      for (; i < rows_.size(); i++) {
        const bool passes = std::all_of(tokens_.begin() + static_cast<long>(t), tokens_.begin() + static_cast<long>(end),
                                        [&](const Token &x) { return x.passes(rows_[i].at - base); });
        if (passes && go(end, i, base, m)) return true;
      }
      return false;
    }
    }
    return false;
  }

  bool in_time(const Match &m) const { return m.first > m.last || m.last - m.first <= within_; }

  const Tokens &tokens_;
  const TimeBase base_;
  const Micros within_;
  const Events &rows_;
  std::optional<Match> found_;
};

std::vector<Match> matches(Backtracking &b, std::size_t n) {
  std::vector<Match> all;
  for (std::size_t i = 0; i < n;) {
    const auto m = b.from(i);
    if (!m) break;
    all.push_back(*m);
    i = std::max(m->end, i + 1);
  }
  return all;
}

Times times_of(const PatternQuery &q, Which which, const Events &rows) {
  Arena a;
  const Vec<Micros> t = pattern_times(a, q, which, rows);
  return {t.begin(), t.end()};
}

TEST(PatternLaws, EqualsLazyBacktracking) {
  int found = 0, several = 0, missed = 0;
  check("backtracking", rc::check([&] {
          const TimeBase base = one_in(2) ? TimeBase::element : TimeBase::clickhouse;
          const Tokens tokens = any_tokens(base, 3);
          const Events rows = any_events({3, 10, *rc::gen::element(6, 25)});
          RC_LOG() << text_of(tokens);
          Arena a;
          PatternProblem why;
          const auto p = parse_pattern(a, text_of(tokens), 3, base, &why);
          RC_ASSERT(p.has_value());
          const PatternQuery q{*p, base == TimeBase::element && one_in(3) ? number<Micros>(0, 15) : kNever};
          Backtracking oracle(tokens, base, q.within, rows);
          RC_ASSERT(pattern_matches(a, q, rows) == oracle.from(0).has_value());
          const std::vector<Match> all = matches(oracle, rows.size());
          RC_ASSERT(pattern_count(a, q, rows) == static_cast<std::int64_t>(all.size()));
          (all.empty() ? missed : found)++;
          several += all.size() > 1;
          if (rows.empty()) return;
          RC_ASSERT(times_of(q, Which::first, rows) == (all.empty() ? Times{} : all.front().times));
          RC_ASSERT(times_of(q, Which::last, rows) == (all.empty() ? Times{} : all.back().times));
          RC_ASSERT(times_of(q, Which::longest, rows) == oracle.longest);
        }));
  EXPECT_GT(found, 10);
  EXPECT_GT(several, 5);
  EXPECT_GT(missed, 10);
}

// Where the laziest choice takes too long, another may not: (?t!=...) is what can make it so.
TEST(PatternLaws, UnequalTimesWithinEqualLazyBacktracking) {
  int found = 0, missed = 0;
  check("backtracking", rc::check([&] {
          Tokens tokens;
          tokens.push_back({Token::Kind::condition, 1});
          for (int n = number(2, 4); n > 0; n--) {
            if (one_in(2)) tokens.push_back({Token::Kind::time, 0, ">=", number<Micros>(0, 3)});
            if (one_in(8)) tokens.push_back({Token::Kind::star});
            for (int times = number(0, 3); times > 0; times--) tokens.push_back({Token::Kind::time, 0, "!=", number<Micros>(1, 6)});
            tokens.push_back({Token::Kind::condition, number(1, 4)});
          }
          tokens.at_end = one_in(6);
          RC_LOG() << text_of(tokens);
          Arena a;
          const auto p = parse_pattern(a, text_of(tokens), 3, TimeBase::element, nullptr);
          RC_ASSERT(p.has_value());
          const PatternQuery q{*p, number<Micros>(3, 10)};
          for (int i = 0; i < 60; i++) { // since there are few such rows
            Events rows;
            for (int n = number(4, 10); n > 0; n--) rows.push_back({number<Micros>(0, 14), 1u << number(0, 3), 0});
            sort_events(rows);
            Backtracking oracle(tokens, TimeBase::element, q.within, rows);
            const std::vector<Match> all = matches(oracle, rows.size());
            RC_ASSERT(pattern_matches(a, q, rows) == !all.empty());
            RC_ASSERT(pattern_count(a, q, rows) == static_cast<std::int64_t>(all.size()));
            RC_ASSERT(times_of(q, Which::first, rows) == (all.empty() ? Times{} : all.front().times));
            RC_ASSERT(times_of(q, Which::last, rows) == (all.empty() ? Times{} : all.back().times));
            (all.empty() ? missed : found)++;
          }
        }));
  EXPECT_GT(found, 10);
  EXPECT_GT(missed, 10);
}

TEST(PatternLaws, TheMeasureOfTheWholeIsMonotone) {
  check("within", rc::check([] {
          Arena a;
          const Tokens tokens = any_tokens(TimeBase::element, 3);
          const auto p = parse_pattern(a, text_of(tokens), 3, TimeBase::element, nullptr);
          RC_ASSERT(p.has_value());
          const Events rows = any_events({3, 20, 40});
          const Micros within = number<Micros>(0, 30);
          if (pattern_matches(a, {*p, within}, rows)) {
            RC_ASSERT(pattern_matches(a, {*p, within + number<Micros>(0, 10)}, rows));
            RC_ASSERT(pattern_matches(a, {*p}, rows));
          }
        }));
}

} // namespace
} // namespace pql
