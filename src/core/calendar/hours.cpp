#include "core/calendar/hours.hpp"

#include <algorithm>
#include <array>

#include "core/program/json.hpp"

namespace pql {
namespace {

constexpr char kHoursHint[] = "Write them as {\"mon\": [\"09:00-12:30\", \"13:30-17:00\"], \"tue\": [\"09:00-17:00\"]}: days are mon, tue, wed, "
                              "thu, fri, sat and sun, times from 00:00 to 24:00.";
constexpr std::size_t kMostJson = 16'384;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char &c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

// "09:00": minutes since midnight; -1 for anything else.
int parse_clock(std::string_view text) noexcept {
  if (text.size() != 5 || text[2] != ':') return -1;
  for (const int i : {0, 1, 3, 4}) {
    if (!is_digit(text[static_cast<std::size_t>(i)])) return -1;
  }
  const int hours = (text[0] - '0') * 10 + text[1] - '0', minutes = (text[3] - '0') * 10 + text[4] - '0';
  return minutes < 60 && hours * 60 + minutes <= 1440 ? hours * 60 + minutes : -1;
}

class HoursParser {
public:
  std::vector<WorkBlock> run(std::string_view json, HoursProblem &problem) {
    JsonError error;
    const std::optional<Json> j = read_json(json, kMostJson, 4, error);
    if (!j)
      refuse("working hours are not usable JSON: " + error.problem);
    else if (j->type != Json::Type::object)
      refuse("working hours must be an object, not " + std::string(name_of(j->type)));
    else
      for (const Json &day : j->items) read_day(day);
    std::sort(week_.begin(), week_.end(), [](const WorkBlock &a, const WorkBlock &b) { return a.from < b.from; });
    for (std::size_t i = 1; i < week_.size(); i++) {
      if (week_[i].from < week_[i - 1].until) refuse("working hours of " + std::string(kDays[week_[i].from / 1440u]) + " overlap");
    }
    problem = std::move(problem_);
    return std::move(week_);
  }

private:
  void read_day(const Json &day) {
    const auto at = std::find(kDays.begin(), kDays.end(), day.key);
    if (at == kDays.end()) return refuse(quoted(day.key) + " is not a day of the week");
    if (day.type != Json::Type::array) return refuse("working hours of " + day.key + " must be an array, not " + std::string(name_of(day.type)));
    for (const Json &block : day.items) read_block(block, day.key, static_cast<int>(at - kDays.begin()) * 1440);
  }

  void read_block(const Json &block, const std::string &day, int midnight) {
    if (block.type != Json::Type::string) return refuse("working hours of " + day + " must be strings, not " + std::string(name_of(block.type)));
    const std::string_view text = block.text;
    const int from = text.size() == 11 && text[5] == '-' ? parse_clock(text.substr(0, 5)) : -1;
    const int until = from < 0 ? -1 : parse_clock(text.substr(6));
    if (until < 0) return refuse(quoted(text) + " of " + day + " is not a time of day until another");
    if (until <= from)
      return refuse(quoted(text) + " of " + day + " ends before it begins", "What goes on after midnight is a block of its own, of the next day.");
    week_.push_back({midnight + from, midnight + until});
  }

  void refuse(std::string text, const char *hint = kHoursHint) {
    if (problem_.problem.empty()) problem_ = {std::move(text), hint};
  }

  std::vector<WorkBlock> week_;
  HoursProblem problem_;
};

// "4 working hours" without the word, which is one of two; what it is not about stays as it is.
bool take_word(std::string &text) {
  for (const std::string_view word : {"working", "business"}) {
    const std::size_t at = text.find(word);
    if (at == std::string::npos) continue;
    text.erase(at, word.size());
    return true;
  }
  return false;
}

} // namespace

bool is_working_time(std::string_view text) noexcept {
  std::string copy = lower(text.substr(0, 256));
  return take_word(copy);
}

std::optional<Length> parse_working_length(std::string_view text, std::string *why) {
  const auto refuse = [&](const char *problem) {
    if (why) *why = problem;
    return std::nullopt;
  };
  if (!is_working_time(text)) {
    const std::optional<Micros> all = parse_length(text, why);
    return all ? std::optional<Length>({*all, Counted::always}) : std::nullopt;
  }
  std::string rest = lower(text.substr(0, 256));
  take_word(rest);
  const bool days = rest.find("day") != std::string::npos, hours = rest.find("hour") != std::string::npos, minutes = rest.find("min") != std::string::npos;
  if (days + hours + minutes != 1 || std::count_if(rest.begin(), rest.end(), [](char c) { return c == ' '; }) > 3)
    return refuse("working time is one number of minutes, hours or days");
  const std::optional<Micros> n = parse_length(rest, why);
  if (!n) return std::nullopt;
  if (*n % (days ? kDay : kMinute)) return refuse(days ? "working days are whole days" : "working time is in whole minutes");
  return Length{*n, days ? Counted::working_days : Counted::working_hours};
}

std::string print_length(const Length &length) {
  if (length.counted == Counted::always) return print_length(length.micros);
  const Micros unit = length.counted == Counted::working_days ? kDay : length.micros % kHour ? kMinute : kHour;
  const Micros n = length.micros / unit;
  return std::to_string(n) + " working " + (unit == kDay ? "day" : unit == kHour ? "hour" : "minute") + (n == 1 ? "" : "s");
}

Micros add(const Calendar &calendar, Micros t, const Length &length) noexcept {
  switch (length.counted) {
  case Counted::always: return t + length.micros;
  case Counted::working_hours: return calendar.add_working(t, length.micros);
  case Counted::working_days: break;
  }
  return calendar.add_days(t, static_cast<int>(length.micros / kDay));
}

std::optional<WorkBlock> parse_times(std::string_view text) noexcept {
  constexpr int kMidnight = 1440;
  const int from = text.size() == 11 && text[5] == '-' ? parse_clock(text.substr(0, 5)) : -1;
  const int until = from < 0 ? -1 : parse_clock(text.substr(6));
  if (until < 0 || from == until || from == kMidnight) return {};
  return WorkBlock{from, until > from ? until : until + kMidnight};
}

std::vector<WorkBlock> rest_of_week(std::vector<WorkBlock> taken) {
  constexpr int kEnd = 7 * 1440;
  for (std::size_t i = 0, n = taken.size(); i < n; i++) {
    if (taken[i].until > kEnd) taken.push_back({0, taken[i].until - kEnd});
  }
  std::sort(taken.begin(), taken.end(), [](const WorkBlock &a, const WorkBlock &b) { return a.from < b.from; });
  std::vector<WorkBlock> rest;
  int at = 0;
  for (const WorkBlock &b : taken) {
    if (b.from > at) rest.push_back({at, b.from});
    at = std::max(at, b.until);
  }
  if (at < kEnd) rest.push_back({at, kEnd});
  return rest;
}

std::vector<WorkBlock> parse_hours(std::string_view json, HoursProblem &problem) { return HoursParser().run(json, problem); }

} // namespace pql
