// What can follow an element that took the event x is one range of events, whose ends do not fall as x rises. So it is enough
// to know, from the last element to the first, at which events the rest of the pattern matches: the first of them in the
// range is both the laziest choice and the one that ends earliest.
// (?t!=...) leaves gaps in the range. The laziest choice is still the first that is left, but another may end earlier; where a match
// must not take too long, it is therefore known of each event how early a match from there on can take its last event.
#include "core/sequence/pattern.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace pql {
namespace {

Micros plus(Micros t, Micros length) noexcept {
  Micros sum;
  if (__builtin_add_overflow(t, length, &sum)) return length < 0 ? kAlways : kNever;
  return sum;
}

// --- the parser ---------------------------------------------------------------------------------------------------------

class Parser {
public:
  Parser(Arena &a, std::string_view text, int conditions, TimeBase base, PatternProblem *why, Times times) noexcept
      : arena_(a), text_(text), conditions_(conditions), base_(base), why_(why), times_(times) {}

  std::optional<Pattern> run() {
    for (skip_space(); at_ < text_.size(); skip_space()) {
      if (!token()) return std::nullopt;
    }
    if (out_.at_start && out_.elements.empty()) {
      refuse(at_, "after ^ comes an element that takes an event");
      return std::nullopt;
    }
    out_.may_be_empty = std::all_of(out_.elements.begin(), out_.elements.end(), [](const auto &e) { return !e.takes; }) &&
                        std::all_of(out_.links.begin(), out_.links.end(), [](const auto &l) { return l.may_end; });
    return out_;
  }

private:
  bool token() {
    const std::size_t start = at_;
    if (out_.at_end) return refuse(start, "nothing may follow $");
    if (take("^")) return from_start(start);
    if (out_.at_start && out_.elements.empty() && (next_is("(?t") || next_is(".*")))
      return refuse(start, "after ^ comes an element that takes an event");
    if (take("$")) return to_end(start);
    if (take("(?t")) return time(start);
    if (take("(?")) return condition(start);
    if (take(".*")) {
      any_number();
      return true;
    }
    if (take(".")) {
      element(-1, true);
      return true;
    }
    return refuse(start, "no element of a pattern begins like this");
  }

  bool from_start(std::size_t start) {
    if (out_.at_start || !out_.elements.empty() || any_) return refuse(start, "^ may only be at the beginning");
    return out_.at_start = true;
  }

  bool to_end(std::size_t start) {
    if (out_.elements.empty() || out_.elements.back().links > 0)
      return refuse(start, "before $ comes an element that takes an event");
    return out_.at_end = true;
  }

  bool condition(std::size_t start) {
    std::uint64_t n = 0;
    const std::size_t digits = at_;
    for (; at_ < text_.size() && is_digit(text_[at_]); at_++) n = std::min<std::uint64_t>(n * 10 + (text_[at_] - '0'), 1000);
    if (at_ == digits) return refuse(start, "(? needs the number of a condition, or t and a length of time");
    if (!take(")")) return refuse(at_, "a condition ends with )");
    if (n < 1 || n > static_cast<std::uint64_t>(conditions_)) {
      return refuse(digits, "there is no condition " + std::string(text_.substr(digits, std::min<std::size_t>(at_ - 1 - digits, 9))) +
                                ", only 1 to " + std::to_string(conditions_));
    }
    element(static_cast<int>(n) - 1, true);
    return true;
  }

  bool time(std::size_t start) {
    PatternLink link;
    enum class Op { lt, le, eq, ne, ge, gt } op;
    if (take("<="))
      op = Op::le;
    else if (take("<"))
      op = Op::lt;
    else if (take(">="))
      op = Op::ge;
    else if (take(">"))
      op = Op::gt;
    else if (take("=="))
      op = Op::eq;
    else if (take("!="))
      op = Op::ne;
    else
      return refuse(at_, "(?t needs one of < <= == != >= >");
    const std::size_t close = text_.find(')', at_);
    if (close == std::string_view::npos) return refuse(text_.size(), "a time ends with )");
    const std::optional<Micros> length = duration(close);
    if (!length) return false;
    at_ = close + 1;
    switch (op) {
    case Op::lt: link.most = *length - 1; break;
    case Op::le: link.most = *length; break;
    case Op::eq: link.least = link.most = *length; break;
    case Op::ne: link.least = *length, link.unequal = true; break;
    case Op::ge: link.least = *length; break;
    case Op::gt: link.least = plus(*length, 1); break;
    }
    link.may_end = op == Op::lt || op == Op::le || (op == Op::ge && *length == 0);
    return add_time(start, link);
  }

  std::optional<Micros> duration(std::size_t close) {
    std::string text(text_.substr(at_, close - at_));
    const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
    if (times_ == Times::numbers) return number(text, plain);
    if (plain) text += " seconds";
    std::string problem;
    const std::optional<Micros> length = parse_length(text, &problem);
    if (!length) refuse(at_, problem);
    return length;
  }

  std::optional<Micros> number(std::string_view text, bool plain) {
    Micros length = 0;
    if (!plain) {
      refuse(at_, "where times are numbers, a length is a number without a unit");
    } else if (std::from_chars(text.begin(), text.end(), length).ec == std::errc{}) {
      return length;
    } else {
      refuse(at_, "the number is too large");
    }
    return std::nullopt;
  }

  bool add_time(std::size_t start, const PatternLink &link) {
    const bool after_any = out_.elements.empty() || (!adjacent_ && last_is_any());
    if (base_ == TimeBase::element && out_.elements.empty())
      return refuse(start, "a time needs an element before it that takes an event");
    if (base_ == TimeBase::clickhouse && after_any) element(-1, false);
    if (!adjacent_) push({false, 0, kNever, true, false}); // for all times up to the next element, but the unequal ones
    if (!adjacent_) times_from_ = out_.links.size - 1;
    adjacent_ = true;
    if (link.unequal) {
      add_unequal(link);
      return true;
    }
    PatternLink &l = out_.links[times_from_];
    l.least = std::max(l.least, link.least);
    l.most = std::min(l.most, link.most);
    l.may_end &= link.may_end;
    return true;
  }

  void add_unequal(const PatternLink &link) {
    std::uint32_t i = out_.links.size;
    while (i - 1 > times_from_ && out_.links[i - 1].least > link.least) i--;
    if (i - 1 > times_from_ && out_.links[i - 1].least == link.least) return;
    push(link);
    std::rotate(out_.links.begin() + i, out_.links.end() - 1, out_.links.end());
  }

  void any_number() {
    adjacent_ = false;
    any_ = true;
    if (out_.elements.empty() || last_is_any()) return; // it may begin anywhere as it is
    push({true, 0, kNever, true, false});
  }

  bool last_is_any() const noexcept { return out_.elements.back().links > 0 && out_.links.back().any; }

  void push(const PatternLink &link) {
    out_.links.push(arena_, link);
    out_.elements.back().links++;
  }

  void element(int condition, bool takes) {
    adjacent_ = false;
    out_.elements.push(arena_, {condition, takes, out_.links.size, 0});
  }

  static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
  void skip_space() noexcept {
    while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] >= '\t' && text_[at_] <= '\r'))) at_++;
  }
  bool next_is(std::string_view word) const noexcept { return text_.substr(at_, word.size()) == word; }
  bool take(std::string_view word) noexcept {
    if (!next_is(word)) return false;
    at_ += word.size();
    return true;
  }

  bool refuse(std::size_t at, std::string problem) {
    if (!why_) return false;
    why_->position = 1;
    for (std::size_t i = 0; i < at; i++) why_->position += (static_cast<unsigned char>(text_[i]) & 0xc0) != 0x80;
    why_->problem = std::move(problem);
    return false;
  }

  Arena &arena_;
  const std::string_view text_;
  const int conditions_;
  const TimeBase base_;
  PatternProblem *const why_;
  const Times times_;
  std::size_t at_ = 0;
  bool adjacent_ = false; // the last link is a time, and nothing came after it
  std::uint32_t times_from_ = 0; // the first link of those times
  bool any_ = false; // there was a .*
  Pattern out_;
};

// --- matching -----------------------------------------------------------------------------------------------------------

using Index = std::uint32_t;
constexpr Index kNone = std::numeric_limits<Index>::max();

// The events that may come next, first to last; where nothing has to come, first may be one past all of them.
struct Range {
  Index first, last;
};

class Matcher {
public:
  /// With `marks`, remembers where each element can match, for chain().
  Matcher(Arena &a, const PatternQuery &q, std::span<const EventRow> rows, std::uint32_t elements, bool whole, bool marks)
      : arena_(a), q_(q), rows_(rows), n_(static_cast<Index>(rows.size())), elements_(elements), whole_(whole), marks_(marks) {
    tight_ = q_.within != kNever && std::any_of(q_.pattern.links.begin(), q_.pattern.links.end(), [](const auto &l) { return l.unequal; });
    while (first_taking_ < elements_ && !element(first_taking_).takes) first_taking_++;
    run();
  }

  /// The first event from `from` on at which a match begins; kNone.
  Index begin_from(Index from) const noexcept {
    if (q_.pattern.at_start) return from == 0 && fate_[0].end != kNone ? 0 : kNone;
    return from < n_ ? next_[from] : kNone;
  }
  Index end_of(Index begin) { return tight_ ? walk(begin, nullptr) : fate_[begin].end; }

  /// The times of the elements with a condition, of the match that begins at x.
  void chain(Index x, Vec<Micros> &times) {
    if (tight_) return static_cast<void>(walk(x, &times));
    for (std::uint32_t e = 0;; e++) {
      if (element(e).condition >= 0) times.push(arena_, rows_[x].at);
      if (e + 1 == elements_) return;
      Range r;
      if (!after(e, x, r)) return;
      x = first_in(r, [&](Index from) { return first_marked(e + 1, {from, r.last}); });
      if (x == kNone) return; // at the end of all events
    }
  }

private:
  // What becomes of a match from here on: where it ends, and the first and last event that it takes.
  struct Fate {
    Index end, first, last;
  };

  const PatternElement &element(std::uint32_t e) const noexcept { return q_.pattern.elements[e]; }

  std::span<const PatternLink> links(std::uint32_t e) const noexcept {
    if (!whole_ && e + 1 == elements_) return {};
    return {q_.pattern.links.begin() + element(e).link, element(e).links};
  }

  // Whether the rest of the pattern may be missing after an element that took the last event.
  bool may_end(std::uint32_t e) const noexcept {
    for (std::uint32_t i = e; i < elements_; i++) {
      if (i > e && element(i).takes) return false;
      for (const PatternLink &l : links(i)) {
        if (!l.may_end) return false;
      }
    }
    return true;
  }

  bool holds(const PatternElement &e, Index x) const noexcept { return e.condition < 0 || rows_[x].steps >> e.condition & 1; }

  Index first_at(Micros t) const noexcept {
    return static_cast<Index>(std::partition_point(rows_.begin(), rows_.end(), [&](const EventRow &r) { return r.at < t; }) -
                              rows_.begin());
  }

  bool after(std::uint32_t e, Index x, Range &r) {
    return narrow(links(e), element(e).takes, x, r, [&](std::size_t, Micros t) { return first_at(t); });
  }

  // `first(i, t)`: the first event not before t, asked twice for each link.
  template <class F>
  bool narrow(std::span<const PatternLink> links, bool takes, Index x, Range &r, F &&first) {
    gaps_.clear();
    r.first = r.last = takes ? x + 1 : x;
    const Micros t = rows_[x].at;
    for (std::size_t i = 0; i < links.size(); i++) {
      const PatternLink &l = links[i];
      if (l.any) {
        if (!leave_gaps(r)) return false;
        r.last = n_;
        continue;
      }
      if (l.unequal) {
        const Micros not_at = plus(t, l.least);
        gaps_.push(arena_, {first(2 * i, not_at), first(2 * i + 1, plus(not_at, 1))});
        continue;
      }
      if (l.least > l.most) return false;
      const Index end = l.most >= kNever - 1 ? n_ : first(2 * i + 1, plus(t, l.most + 1));
      r.first = std::max(r.first, first(2 * i, plus(t, l.least)));
      if (r.first >= end) return false;
      r.last = end - 1;
    }
    return true;
  }

  // Moves the range's first event out of the gaps. False: there is none left.
  bool leave_gaps(Range &r) noexcept {
    if (gaps_.size == 0) return true;
    r.first = first_in(r, [](Index from) { return from; });
    gaps_.clear();
    return r.first != kNone;
  }

  // The first event of the range and of none of the gaps, of those that next(from) gives: the first one from there on.
  template <class F>
  Index first_in(Range r, F &&next) const {
    Index x = next(r.first);
    for (const Range &g : gaps_) {
      if (x < g.first) break;
      if (x < g.last) x = next(g.last);
    }
    return x <= r.last ? x : kNone;
  }

  void run() {
    fate_ = arena_.array<Fate>(n_);
    next_ = arena_.array<Index>(n_ + std::size_t{1});
    later_ = arena_.array<Fate>(n_);
    if (marks_) {
      words_ = (n_ + std::size_t{63}) / 64;
      bits_ = arena_.array<std::uint64_t>(words_ * elements_);
      std::fill_n(bits_, words_ * elements_, 0);
    }
    if (tight_) {
      lasts_ = arena_.array<Index>(n_ * std::size_t{elements_});
      least_ = arena_.array<Index>(n_ * std::size_t{2});
    }
    for (std::uint32_t e = elements_; e-- > 0;) pass(e);
  }

  // Where element e can match with all that comes after it, given the same of the next one.
  void pass(std::uint32_t e) {
    std::swap(fate_, later_);
    const PatternElement &el = element(e);
    const std::span<const PatternLink> ls = links(e);
    const bool end_will_do = may_end(e), last_of_all = whole_ && q_.pattern.at_end && e + 1 == elements_;
    pointers_.clear();
    for (std::size_t i = 0; i < 2 * ls.size(); i++) pointers_.push(arena_, n_);
    // x falls, and with it the times that are asked for: each pointer passes each event once.
    const auto first = [&](std::size_t i, Micros t) {
      Index &p = pointers_[i];
      while (p > 0 && rows_[p - 1].at >= t) p--;
      return p;
    };
    Index from = kNone; // the first match so far; becomes next_ once the next element's are not needed any more
    for (Index x = n_; x-- > 0;) {
      if (q_.poll && x % 65'536 == 0) q_.poll();
      Fate f{kNone, kNone, kNone};
      if (holds(el, x) && !(last_of_all && x + 1 != n_)) {
        f = tight_ ? early(e, x, ls, first) : fate(e, x, ls, first);
        if (f.end == kNone && end_will_do && el.takes && x + 1 == n_) f = {n_, x, x};
        if (f.end != kNone && el.takes) f = {f.end, x, f.last == kNone ? x : f.last};
        if (!tight_ && e == 0 && f.first != kNone && q_.within != kNever && later_by_more(rows_[f.last].at, rows_[f.first].at, q_.within))
          f.end = kNone;
      }
      if (tight_) {
        if (e == first_taking_ && f.end != kNone && !in_time(x, f.last)) f.end = kNone;
        lasts_[n_ * std::size_t{e} + x] = f.end == kNone ? kNone : f.last == kNone ? 0 : f.last;
      }
      fate_[x] = f;
      if (marks_ && f.end != kNone) bits_[words_ * e + x / 64] |= std::uint64_t{1} << x % 64;
    }
    for (Index x = n_; x-- > 0;) {
      if (fate_[x].end != kNone) from = x;
      next_[x] = from;
    }
    if (!tight_) return;
    std::copy_n(lasts_ + n_ * std::size_t{e}, n_, least_ + n_);
    for (Index i = n_; i-- > 1;) least_[i] = std::min(least_[2 * std::size_t{i}], least_[2 * std::size_t{i} + 1]);
  }

  bool in_time(Index first, Index last) const noexcept { return !later_by_more(rows_[last].at, rows_[first].at, q_.within); }

  // As fate(), but of all matches that which takes its last event first, and only that event of it.
  template <class F>
  Fate early(std::uint32_t e, Index x, std::span<const PatternLink> ls, F &&first) {
    constexpr Fate none{kNone, kNone, kNone};
    Range r;
    if (!narrow(ls, element(e).takes, x, r, first)) return none;
    if (e + 1 == elements_) return leave_gaps(r) ? Fate{r.first, kNone, kNone} : none;
    Index last = kNone, from = r.first;
    for (const Range &g : gaps_) {
      last = std::min(last, least_in(from, std::min(g.first, r.last + 1)));
      from = std::max(from, g.last);
    }
    last = std::min(last, least_in(from, r.last == n_ ? n_ : r.last + 1));
    return last == kNone ? none : Fate{0, kNone, std::max(last, element(e).takes ? x : 0)};
  }

  // The least of the next element's last events, of a match from one of these events on.
  Index least_in(std::size_t from, std::size_t to) const noexcept {
    Index least = kNone;
    for (from += n_, to += n_; from < to; from /= 2, to /= 2) {
      if (from & 1) least = std::min(least, least_[from++]);
      if (to & 1) least = std::min(least, least_[--to]);
    }
    return least;
  }

  // Follows the laziest match from x that doesn't take too long. Gives where it ends.
  Index walk(Index x, Vec<Micros> *times) {
    Index begin = kNone;
    for (std::uint32_t e = 0;; e++) {
      if (e == first_taking_) begin = x;
      if (times && element(e).condition >= 0) times->push(arena_, rows_[x].at);
      Range r;
      if (!after(e, x, r)) return n_;
      if (e + 1 == elements_) return leave_gaps(r) ? r.first : n_;
      const Index *const last = lasts_ + n_ * std::size_t{e + 1};
      x = first_in(r, [&](Index from) {
        while (from < n_ && from <= r.last && (last[from] == kNone || (begin != kNone && !in_time(begin, std::max(begin, last[from]))))) from++;
        return from < n_ ? from : kNone;
      });
      if (x == kNone) return n_;
    }
  }

  template <class F>
  Fate fate(std::uint32_t e, Index x, std::span<const PatternLink> ls, F &&first) {
    constexpr Fate none{kNone, kNone, kNone};
    Range r;
    if (!narrow(ls, element(e).takes, x, r, first)) return none;
    if (e + 1 == elements_) return leave_gaps(r) ? Fate{r.first, kNone, kNone} : none;
    const Index y = first_in(r, [&](Index from) { return from < n_ ? next_[from] : kNone; });
    return y == kNone ? none : later_[y];
  }

  Index first_marked(std::uint32_t e, Range r) const noexcept {
    for (Index x = r.first; x <= r.last && x < n_;) {
      const std::uint64_t word = bits_[words_ * e + x / 64] >> x % 64;
      if (word) {
        x += static_cast<Index>(std::countr_zero(word));
        return x <= r.last ? x : kNone;
      }
      x = (x / 64 + 1) * 64;
    }
    return kNone;
  }

  Arena &arena_;
  const PatternQuery &q_;
  const std::span<const EventRow> rows_;
  const Index n_;
  const std::uint32_t elements_;
  const bool whole_; // with what comes after the last element
  const bool marks_;
  Fate *fate_ = nullptr, *later_ = nullptr; // of the element just done, and of the one after it
  Index *next_ = nullptr;                   // the first match of it from here on
  Vec<Index> pointers_;
  Vec<Range> gaps_; // of the range just narrowed: first, and one past the last; rising
  bool tight_ = false; // within matters, and there are gaps
  std::uint32_t first_taking_ = 0;
  Index *lasts_ = nullptr; // for each element and event: the earliest last event of a match of the rest, kNone: none; 0: takes none
  Index *least_ = nullptr; // of those of the element just done, for any range: a tree of minima
  std::uint64_t *bits_ = nullptr;
  std::size_t words_ = 0;
};

// The longest beginning of the pattern that matches, cut after an element with a condition.
void longest_beginning(Arena &a, const PatternQuery &q, std::span<const EventRow> rows, Vec<Micros> &times) {
  Vec<std::uint32_t> cuts; // numbers of elements
  for (std::uint32_t e = 0; e < q.pattern.elements.size; e++) {
    if (q.pattern.elements[e].condition >= 0) cuts.push(a, e + 1);
  }
  std::size_t low = 0, high = cuts.size; // the first `low` cuts match; a longer beginning matches only if a shorter one does
  while (low < high) {
    const std::size_t middle = (low + high + 1) / 2;
    const bool found = Matcher(a, q, rows, cuts[middle - 1], false, false).begin_from(0) != kNone;
    (found ? low : high) = found ? middle : middle - 1;
  }
  if (low == 0) return;
  Matcher m(a, q, rows, cuts[low - 1], false, true);
  m.chain(m.begin_from(0), times);
}

} // namespace

std::optional<Pattern> parse_pattern(Arena &a, std::string_view text, int conditions, TimeBase base, PatternProblem *why, Times times) {
  return Parser(a, text, conditions, base, why, times).run();
}

bool pattern_matches(Arena &a, const PatternQuery &q, std::span<const EventRow> rows) {
  if (q.pattern.elements.empty() || rows.empty()) return q.pattern.may_be_empty;
  return Matcher(a, q, rows, q.pattern.elements.size, true, false).begin_from(0) != kNone;
}

std::int64_t pattern_count(Arena &a, const PatternQuery &q, std::span<const EventRow> rows) {
  if (rows.empty()) return 0;
  if (q.pattern.elements.empty()) return static_cast<std::int64_t>(rows.size());
  Matcher m(a, q, rows, q.pattern.elements.size, true, false);
  std::int64_t n = 0;
  for (Index from = 0;;) {
    const Index begin = m.begin_from(from);
    if (begin == kNone) return n;
    n++;
    from = std::max(m.end_of(begin), from + 1);
  }
}

Vec<Micros> pattern_times(Arena &a, const PatternQuery &q, Which which, std::span<const EventRow> rows) {
  Vec<Micros> times;
  if (q.pattern.elements.empty() || rows.empty()) return times;
  if (which == Which::longest) {
    longest_beginning(a, q, rows, times);
    return times;
  }
  Matcher m(a, q, rows, q.pattern.elements.size, true, true);
  Index chosen = kNone;
  for (Index from = 0;;) {
    const Index begin = m.begin_from(from);
    if (begin == kNone) break;
    chosen = begin;
    if (which != Which::last) break;
    from = std::max(m.end_of(begin), from + 1);
  }
  if (chosen != kNone) m.chain(chosen, times);
  return times;
}

std::optional<EventRow> next_event(const NextQuery &q, std::span<const EventRow> rows) noexcept {
  const auto holds = [&](std::size_t x, int condition) { return rows[x].steps >> condition & 1; };
  std::size_t x = 0;
  switch (q.base) {
  case NextQuery::Base::head: break;
  case NextQuery::Base::tail: x = rows.size() - 1; break;
  case NextQuery::Base::first_match:
    while (x < rows.size() && !holds(x, q.chain[0])) x++;
    break;
  case NextQuery::Base::last_match:
    for (x = rows.size(); x > 0 && !holds(x - 1, q.chain[0]); x--) {}
    x--;
    break;
  }
  // Going backward past the first event wraps around to more than there are.
  for (const int condition : q.chain) {
    if (x >= rows.size() || !holds(x, condition)) return std::nullopt;
    x += q.forward ? 1 : std::size_t{0} - 1;
  }
  if (x >= rows.size()) return std::nullopt;
  return rows[x];
}

} // namespace pql
