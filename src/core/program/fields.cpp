// Checks of single values and keys, and the words in which they are reported.
// Law: messages are valid UTF-8 and of bounded length whatever the document holds.
#include "core/program/fields.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_set>

#include "core/base/distance.hpp"

namespace pql {
namespace {

constexpr std::size_t kMaxProblems = 1'000;
constexpr std::string_view kLater = "is not supported by this version";

bool contains(Words words, std::string_view word) noexcept {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The word that was probably meant; empty when none is near.
std::string_view nearest(std::string_view wrong, Words words) {
  std::string_view best;
  std::size_t least = wrong.npos;
  for (const std::string_view w : words) {
    const std::size_t d = distance(wrong, w);
    if (d >= least || !is_near(d, wrong, w)) continue;
    least = d;
    best = w;
  }
  return best;
}

std::string listed(Words words, std::string_view last) {
  constexpr std::size_t kMost = 40;
  const std::size_t n = std::min(words.size(), kMost);
  std::string out;
  for (std::size_t i = 0; i < n; i++) {
    if (i) out += i + 1 == words.size() ? last : ", ";
    out += words[i];
  }
  return n < words.size() ? out + ", ..." : out;
}

std::string print_number(double v) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
  return {buffer, end};
}

std::string print_number(const Json &j) {
  return j.type == Json::Type::integer ? std::to_string(j.integer) : print_number(j.number);
}

std::string_view how_to_write(Json::Type type) noexcept {
  switch (type) {
  case Json::Type::boolean:
    return "Write true or false, without quotes.";
  case Json::Type::integer:
  case Json::Type::number:
    return "Write a number, without quotes.";
  case Json::Type::string:
    return "Write a text between double quotes.";
  case Json::Type::array:
    return "Write a list between square brackets.";
  case Json::Type::object:
    return "Write keys and their values between braces.";
  case Json::Type::null:
    break;
  }
  return {};
}

bool blank(std::string_view text) noexcept { return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos; }

} // namespace

const std::string_view kNameHint =
    "A name starts with a lower-case letter and has up to 63 lower-case letters, digits and underscores.";

bool Problems::full() const noexcept { return list_.size() > kMaxProblems; }

void Problems::add(std::string path, std::string problem, std::string hint) {
  if (full()) return;
  if (list_.size() == kMaxProblems) {
    list_.push_back(
        {{}, "document has more problems than are listed", "Correct the first " + std::to_string(kMaxProblems) + "."});
    return;
  }
  list_.push_back({std::move(path), std::move(problem), std::move(hint)});
}

std::string either(Words words) { return listed(words, " or "); }

std::string suggest(std::string_view wrong, Words allowed, std::string_view what) {
  std::string out;
  if (const std::string_view near = nearest(wrong, allowed); !near.empty()) {
    out = "Perhaps you meant \"" + std::string(near) + "\". ";
  }
  out += what;
  return out + (allowed.size() == 1 ? " is " : " are ") + listed(allowed, " and ") + ".";
}

std::string join(const std::string &path, std::string_view key) {
  auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  constexpr std::size_t kLongest = 70;
  if (key.empty() || key.size() > kLongest || !std::all_of(key.begin(), key.end(), plain))
    return path + "[" + quoted(key) + "]";
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

std::string join(const std::string &path, std::size_t i) { return path + "[" + std::to_string(i) + "]"; }

bool is_name(std::string_view text) noexcept {
  auto rest = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !text.empty() && text.size() <= 63 && text[0] >= 'a' && text[0] <= 'z' &&
         std::all_of(text.begin(), text.end(), rest);
}

bool check_name(std::string_view name, const std::string &path, Problems &problems) {
  if (is_name(name)) return true;
  problems.add(path, quoted(name) + " is not a valid name", std::string(kNameHint));
  return false;
}

void check_duplicates(const Json &object, const std::string &path, Problems &problems) {
  std::unordered_set<std::string_view> seen, reported;
  for (const Json &member : object.items) {
    if (seen.insert(member.key).second || !reported.insert(member.key).second) continue;
    problems.add(join(path, member.key), "is given more than once", "Keep one of them.");
  }
}

bool check_type(const Json &value, Json::Type type, const std::string &path, Problems &problems) {
  if (value.type == type) return true;
  problems.add(path,
               (path.empty() ? "document must be " : "must be ") + std::string(name_of(type)) + ", not " +
                   std::string(name_of(value.type)),
               std::string(how_to_write(type)));
  return false;
}

bool check_prose(const std::string &text, const std::string &path, Problems &problems) {
  if (text.find('\0') == std::string::npos) return true;
  problems.add(path, "must not contain a NUL character");
  return false;
}

bool check_text(const std::string &text, const std::string &path, Problems &problems) {
  if (!check_prose(text, path, problems)) return false;
  if (!blank(text)) return true;
  problems.add(path, "must not be empty");
  return false;
}

Fields::Fields(const Json &object, std::string path, const Section &section, Problems &problems,
               std::string_view handled)
    : object_(object), path_(std::move(path)), section_(section), problems_(problems) {
  check_duplicates(object, path_, problems);
  std::unordered_set<std::string_view> reported;
  for (const Json &member : object.items) {
    const std::string_view key = member.key;
    if (problems.full()) break;
    if ((key == handled && !key.empty()) || contains(section.keys, key) || !reported.insert(key).second) continue;
    if (contains(section.planned, key)) {
      report(key, std::string(kLater), "Remove it.");
    } else {
      if (const std::string_view near = nearest(key, section.keys); !near.empty()) meant_.push_back(near);
      report(key, "is not a known key", suggest(key, section.keys, "Known keys"));
    }
  }
}

bool Fields::has_planned() const noexcept {
  return std::any_of(object_.items.begin(), object_.items.end(),
                     [&](const Json &j) { return contains(section_.planned, j.key); });
}

void Fields::report(std::string_view key, std::string problem, std::string hint) const {
  problems_.add(path(key), std::move(problem), std::move(hint));
}

bool Fields::lacks(std::string_view key) const noexcept { return !has(key) && !contains(meant_, key); }

bool Fields::require(std::string_view key, std::string hint) const {
  if (lacks(key)) report(key, "is required", std::move(hint));
  return has(key);
}

std::string_view Fields::one_of(Words keys) const {
  std::string_view first;
  for (const std::string_view key : keys) {
    if (!gives(key)) continue;
    if (first.empty())
      first = key;
    else
      report(key, "cannot be combined with " + quoted(first), "Keep one of " + either(keys) + ".");
  }
  return first;
}

const Json *Fields::find(std::string_view key) const noexcept {
  return contains(section_.keys, key) ? object_.find(key) : nullptr;
}

const Json *Fields::value(std::string_view key, Json::Type type) const {
  const Json *j = find(key);
  return j && check_type(*j, type, path(key), problems_) ? j : nullptr;
}

bool Fields::prose(std::string_view key, std::string &out) const {
  const Json *j = value(key, Json::Type::string);
  if (!j || !check_prose(j->text, path(key), problems_)) return false;
  out = j->text;
  return true;
}

bool Fields::text(std::string_view key, std::string &out) const {
  const Json *j = value(key, Json::Type::string);
  if (!j || !check_text(j->text, path(key), problems_)) return false;
  out = j->text;
  return true;
}

bool Fields::flag(std::string_view key, bool &out) const {
  const Json *j = value(key, Json::Type::boolean);
  if (j) out = j->flag;
  return j;
}

bool Fields::integer(std::string_view key, int lo, int hi, int &out) const {
  const Json *j = find(key);
  if (!j) return false;
  double v = 0;
  if (j->type == Json::Type::integer)
    v = static_cast<double>(j->integer);
  else if (j->type == Json::Type::number)
    v = j->number; // 20.0 is an integer, as in JSON Schema
  else
    return check_type(*j, Json::Type::integer, path(key), problems_);
  if (!(v >= lo && v <= hi) || v != std::floor(v)) {
    report(key, "must be an integer between " + std::to_string(lo) + " and " + std::to_string(hi) + ", not " +
                    print_number(*j));
    return false;
  }
  out = static_cast<int>(v);
  return true;
}

bool Fields::number(std::string_view key, double lo, double hi, double &out) const {
  const Json *j = find(key);
  if (!j) return false;
  if (j->type != Json::Type::integer && !check_type(*j, Json::Type::number, path(key), problems_)) return false;
  const double v = j->type == Json::Type::integer ? static_cast<double>(j->integer) : j->number;
  if (!(v >= lo && v <= hi)) {
    report(key, "must be between " + print_number(lo) + " and " + print_number(hi) + ", not " + print_number(*j));
    return false;
  }
  out = v;
  return true;
}

bool Fields::positive(std::string_view key, double &out) const {
  const Json *j = find(key);
  if (!j) return false;
  double v = 0;
  if (j->type == Json::Type::integer)
    v = static_cast<double>(j->integer);
  else if (j->type == Json::Type::number)
    v = j->number;
  else
    return check_type(*j, Json::Type::number, path(key), problems_);
  if (!(v > 0) || !std::isfinite(v)) {
    report(key, "must be greater than 0, not " + print_number(*j));
    return false;
  }
  out = v;
  return true;
}

bool Fields::length(std::string_view key, Micros lo, Micros hi, Micros &out) const {
  Counted in = Counted::always;
  Micros v = out;
  if (!length(key, lo, hi, v, in)) return false;
  if (in != Counted::always) {
    report(key, "is not a length of working time", "Only the \"after\" and \"by\" of motions are; write hours or days.");
    return false;
  }
  out = v;
  return true;
}

bool Fields::length(std::string_view key, Micros lo, Micros hi, Micros &out, Counted &in) const {
  static constexpr char kHint[] = "Write a length of time such as \"36 hours\", \"7 days\" or \"2 weeks\".",
                        kWorking[] = "Write \"4 working hours\" or \"3 working days\".";
  const Json *j = find(key);
  if (!j) return false;
  if (j->type != Json::Type::string) {
    report(key, "must be a string, not " + std::string(name_of(j->type)), kHint);
    return false;
  }
  std::string why;
  const std::optional<Length> v = parse_working_length(j->text, &why);
  if (!v) {
    report(key, why, is_working_time(j->text) ? kWorking : kHint);
    return false;
  }
  if (v->micros < lo) {
    report(key,
           lo == 1 ? "must be longer than 0" : "must be at least " + print_length(lo) + ", not " + print_length(*v),
           kHint);
    return false;
  }
  if (v->micros > hi) {
    report(key, "must be at most " + print_length(hi) + ", not " + print_length(*v));
    return false;
  }
  out = v->micros;
  in = v->counted;
  return true;
}

std::optional<std::size_t> Fields::word(std::string_view key, Words allowed, Words planned, std::string_view what) const {
  const Json *j = value(key, Json::Type::string);
  if (!j) return std::nullopt;
  const auto at = std::find(allowed.begin(), allowed.end(), j->text);
  if (at != allowed.end()) return static_cast<std::size_t>(at - allowed.begin());
  if (contains(planned, j->text)) {
    report(key, quoted(j->text) + " " + std::string(kLater), "Use " + either(allowed) + ".");
  } else {
    report(key, quoted(j->text) + " is not a valid " + std::string(what.empty() ? key : what), suggest(j->text, allowed, "Allowed"));
  }
  return std::nullopt;
}

const Json *Fields::list(std::string_view key, std::size_t least, std::size_t most, std::string_view what) const {
  const Json *j = value(key, Json::Type::array);
  if (!j) return nullptr;
  const std::size_t n = j->items.size();
  if (n < least || n > most) {
    report(key, "must list " + std::to_string(least) + " to " + std::to_string(most) + " " + std::string(what) + ", not " +
                    std::to_string(n));
  }
  return j;
}

void Fields::texts(std::string_view key, std::size_t least, std::size_t most, std::string_view what,
                   std::vector<std::string> &out) const {
  const Json *j = list(key, least, most, what);
  if (!j) return;
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < std::min(j->items.size(), most); i++) {
    const Json &item = j->items[i];
    const std::string at = join(path(key), i);
    if (!check_type(item, Json::Type::string, at, problems_) || !check_text(item.text, at, problems_)) continue;
    if (!seen.insert(item.text).second)
      problems_.add(at, "repeats " + quoted(item.text), "List each once.");
    else
      out.push_back(item.text);
  }
}

bool Fields::word_is(std::string_view key, Words some) const noexcept {
  const Json *j = find(key);
  return j && j->type == Json::Type::string && std::find(some.begin(), some.end(), j->text) != some.end();
}

void Fields::text_or_texts(std::string_view key, std::size_t most, std::string_view what, std::vector<std::string> &out) const {
  const Json *j = find(key);
  if (!j || j->type == Json::Type::array) return texts(key, 1, most, what, out);
  std::string one;
  if (text(key, one)) out.push_back(std::move(one));
}

} // namespace pql
