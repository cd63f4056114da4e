// Lengths of time as people write them, read and printed.
// Law: integer arithmetic only; what would be rounded, overflow or mean different lengths on different days is refused.
#include "core/base/time.hpp"

#include <array>
#include <utility>

namespace pql {
namespace {

constexpr Micros kMillisecond = 1'000, kWeek = 7 * kDay;

// Words as PostgreSQL's interval input knows them. No size: a unit without a fixed length.
struct UnitWord {
  std::string_view word;
  std::string_view unit;
  Micros size;
};

constexpr std::array kUnits = {
    UnitWord{"us", "microsecond", 1},
    UnitWord{"usec", "microsecond", 1},
    UnitWord{"usecs", "microsecond", 1},
    UnitWord{"microsecond", "microsecond", 1},
    UnitWord{"microseconds", "microsecond", 1},
    UnitWord{"ms", "millisecond", kMillisecond},
    UnitWord{"msec", "millisecond", kMillisecond},
    UnitWord{"msecs", "millisecond", kMillisecond},
    UnitWord{"millisecond", "millisecond", kMillisecond},
    UnitWord{"milliseconds", "millisecond", kMillisecond},
    UnitWord{"s", "second", kSecond},
    UnitWord{"sec", "second", kSecond},
    UnitWord{"secs", "second", kSecond},
    UnitWord{"second", "second", kSecond},
    UnitWord{"seconds", "second", kSecond},
    UnitWord{"m", "minute", kMinute},
    UnitWord{"min", "minute", kMinute},
    UnitWord{"mins", "minute", kMinute},
    UnitWord{"minute", "minute", kMinute},
    UnitWord{"minutes", "minute", kMinute},
    UnitWord{"h", "hour", kHour},
    UnitWord{"hr", "hour", kHour},
    UnitWord{"hrs", "hour", kHour},
    UnitWord{"hour", "hour", kHour},
    UnitWord{"hours", "hour", kHour},
    UnitWord{"d", "day", kDay},
    UnitWord{"day", "day", kDay},
    UnitWord{"days", "day", kDay},
    UnitWord{"w", "week", kWeek},
    UnitWord{"week", "week", kWeek},
    UnitWord{"weeks", "week", kWeek},
    UnitWord{"mon", "month", 0},
    UnitWord{"mons", "month", 0},
    UnitWord{"month", "month", 0},
    UnitWord{"months", "month", 0},
    UnitWord{"quarter", "quarter", 0},
    UnitWord{"quarters", "quarter", 0},
    UnitWord{"y", "year", 0},
    UnitWord{"yr", "year", 0},
    UnitWord{"yrs", "year", 0},
    UnitWord{"year", "year", 0},
    UnitWord{"years", "year", 0},
    UnitWord{"dec", "decade", 0},
    UnitWord{"decs", "decade", 0},
    UnitWord{"decade", "decade", 0},
    UnitWord{"decades", "decade", 0},
    UnitWord{"c", "century", 0},
    UnitWord{"cent", "century", 0},
    UnitWord{"century", "century", 0},
    UnitWord{"centuries", "century", 0},
    UnitWord{"mil", "millennium", 0},
    UnitWord{"mils", "millennium", 0},
    UnitWord{"millennium", "millennium", 0},
    UnitWord{"millennia", "millennium", 0},
};

constexpr char kNotALength[] = "not a length of time";
constexpr std::size_t kLongestWord = 12; // "microseconds", "milliseconds"

bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Twice the greatest Micros: sums and products of what passed stay far inside 128 bits.
constexpr __int128 kTooMuch = static_cast<__int128>(kNever) * 2;

// A decimal number, exactly: whole + part / 10^places.
struct Decimal {
  __int128 whole = 0; // kTooMuch when it is greater than that
  std::int64_t part = 0;
  int places = 0; // without trailing zeros; more than kPlaces: too many to be a whole number of microseconds
  static constexpr int kPlaces = 18;
};

class LengthParser {
public:
  explicit LengthParser(std::string_view text) noexcept : at_(text.data()), end_(text.data() + text.size()) {}

  std::optional<Micros> run(std::string &why) {
    skip_space();
    if (done())
      why = "a length of time must not be empty";
    else if (!zero())
      terms(why);
    if (why.empty() && total_ >= kNever) why = "a length of time this long is out of range";
    if (!why.empty()) return std::nullopt;
    return static_cast<Micros>(total_);
  }

private:
  bool done() const noexcept { return at_ == end_; }
  bool next_is(char c) const noexcept { return !done() && *at_ == c; }
  void skip_space() noexcept {
    while (!done() && is_space(*at_)) at_++;
  }

  // "0" alone needs no unit.
  bool zero() noexcept {
    if (*at_ != '0') return false;
    for (const char *p = at_ + 1; p != end_; p++) {
      if (!is_space(*p)) return false;
    }
    return true;
  }

  void terms(std::string &why) {
    while (!done() && why.empty()) {
      term(why);
      skip_space();
    }
  }

  void term(std::string &why) {
    const char *const start = at_;
    if (next_is('-')) return refuse(why, "a length of time must not be negative");
    if (done() || !is_digit(*at_))
      return refuse(why, word() == "ago" ? "a length of time must not be negative" : kNotALength);
    const Decimal number = decimal();
    if (next_is(':')) return clock(number, why);
    const std::string digits(start, static_cast<std::size_t>(at_ - start));
    skip_space();
    unit(number, digits, why);
  }

  void unit(const Decimal &number, const std::string &digits, std::string &why) {
    const std::string name = word();
    if (name.empty()) return refuse(why, done() || is_digit(*at_) ? "a length of time needs a unit" : kNotALength);
    if (name == "working" || name == "business") return refuse(why, "working time is no fixed length");
    for (const UnitWord &u : kUnits) {
      if (u.word != name) continue;
      if (!u.size) return refuse(why, "a " + std::string(u.unit) + " has no fixed length");
      if (!once(u.unit)) return refuse(why, "the " + std::string(u.unit) + "s are given twice");
      if (!add(number, u.size)) {
        const std::string shown = digits.size() > 40 ? digits.substr(0, 40) + "..." : digits;
        why = shown + " " + std::string(u.word) + " is not a whole number of microseconds";
      }
      return;
    }
    why = name.size() > kLongestWord ? "unknown unit of time" : "unknown unit of time \"" + name + "\"";
  }

  // HH:MM or HH:MM:SS[.ffffff], after its hours.
  void clock(const Decimal &hours, std::string &why) {
    Decimal minutes, seconds;
    bool right = hours.places == 0 && sixtieth(minutes) && minutes.places == 0;
    if (right && next_is(':')) right = sixtieth(seconds);
    if (!right || (!done() && !is_space(*at_))) return refuse(why, kNotALength);
    if (!once("hour") || !once("minute") || !once("second"))
      return refuse(why, "the hours, minutes or seconds are given twice");
    if (!add(hours, kHour) || !add(minutes, kMinute) || !add(seconds, kSecond)) {
      why = "the seconds are not a whole number of microseconds";
    }
  }

  // ":" and two digits that are less than 60.
  bool sixtieth(Decimal &out) noexcept {
    at_++;
    const char *const start = at_;
    if (done() || !is_digit(*at_)) return false;
    while (!done() && is_digit(*at_)) at_++;
    if (at_ - start != 2) return false;
    at_ = start;
    out = decimal();
    return out.whole < 60;
  }

  Decimal decimal() noexcept {
    Decimal d;
    for (; !done() && is_digit(*at_); at_++) {
      d.whole = d.whole * 10 + (*at_ - '0');
      if (d.whole > kTooMuch) d.whole = kTooMuch;
    }
    if (end_ - at_ < 2 || *at_ != '.' || !is_digit(at_[1])) return d;
    int zeros = 0; // seen, but they count only once another digit follows
    for (at_++; !done() && is_digit(*at_); at_++) {
      if (*at_ == '0') {
        if (zeros <= Decimal::kPlaces) zeros++;
        continue;
      }
      d.places += zeros + 1;
      if (d.places > Decimal::kPlaces) d.places = Decimal::kPlaces + 1;
      if (d.places <= Decimal::kPlaces) {
        for (; zeros > 0; zeros--) d.part *= 10;
        d.part = d.part * 10 + (*at_ - '0');
      }
      zeros = 0;
    }
    return d;
  }

  // The next word in lower case; empty when there is none. Longer than any unit: cut, but never mistaken for one.
  std::string word() {
    std::string w;
    for (; !done() && is_letter(*at_); at_++) {
      if (w.size() <= kLongestWord) w += static_cast<char>(*at_ | 0x20);
    }
    return w;
  }

  bool once(std::string_view unit) {
    for (std::size_t i = 0; i < seen_count_; i++) {
      if (seen_[i] == unit) return false;
    }
    seen_[seen_count_++] = unit;
    return true;
  }

  bool add(const Decimal &n, Micros unit) noexcept {
    if (n.places > Decimal::kPlaces) return false;
    __int128 scale = 1;
    for (int i = 0; i < n.places; i++) scale *= 10;
    const __int128 part = static_cast<__int128>(n.part) * unit;
    if (part % scale != 0) return false;
    total_ += n.whole * unit + part / scale;
    return true;
  }

  static void refuse(std::string &why, std::string text) { why = std::move(text); }

  const char *at_, *end_;
  __int128 total_ = 0; // at most seven units, each below 2^65 · 2^40
  std::array<std::string_view, 8> seen_;
  std::size_t seen_count_ = 0;
};

using Magnitude = std::uint64_t;

void print_part(std::string &out, bool negative, const std::string &amount, std::string_view unit) {
  if (!out.empty()) out += ' ';
  if (negative) out += '-';
  out += amount;
  out += ' ';
  out += unit;
  if (amount != "1") out += 's';
}

std::string print_seconds(Magnitude micros) {
  std::string out = std::to_string(micros / static_cast<Magnitude>(kSecond));
  std::string part = std::to_string(micros % static_cast<Magnitude>(kSecond));
  if (part == "0") return out;
  part.insert(0, 6 - part.size(), '0');
  part.erase(part.find_last_not_of('0') + 1);
  return out + "." + part;
}

} // namespace

std::optional<Micros> parse_length(std::string_view text, std::string *why) {
  std::string problem;
  const std::optional<Micros> length = LengthParser(text).run(problem);
  if (!length && why) *why = problem;
  return length;
}

std::string print_length(Micros length) {
  if (length == 0) return "0 seconds";
  const bool negative = length < 0;
  Magnitude rest = negative ? Magnitude{0} - static_cast<Magnitude>(length) : static_cast<Magnitude>(length);
  std::string out;
  for (const auto &[unit, size] : {std::pair{"day", kDay}, std::pair{"hour", kHour}, std::pair{"minute", kMinute}}) {
    const Magnitude n = rest / static_cast<Magnitude>(size);
    rest %= static_cast<Magnitude>(size);
    if (n) print_part(out, negative, std::to_string(n), unit);
  }
  if (rest) print_part(out, negative, print_seconds(rest), "second");
  return out;
}

} // namespace pql
