// The tree is built from the parser's events, because its own tree forgets the order of keys and which came twice.
// Law: only the events of a text within the limits reach the tree; the first thing beyond them ends the reading.
#include "core/program/json.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace pql {
namespace {

// More values than any sensible document has; bounds the memory of a text made only of small ones.
constexpr std::size_t kMaxValues = 20'000;

std::string position(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = newline == std::string_view::npos ? before.size() : before.size() - newline - 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(std::max<std::size_t>(column, 1));
}

// The parser's "[json.exception.…] parse error at line 1, column 2: while parsing X - unexpected Y; last read: 'Z'" as
// a sentence, without what was read: that may be anything, even no UTF-8.
std::string sentence(std::string_view what) {
  const std::size_t dash = what.find(" - ");
  std::string out(dash == std::string_view::npos ? std::string_view{} : what.substr(dash + 3));
  if (const std::size_t read = out.find("; last read: "); read != std::string::npos) {
    const std::size_t expected = out.rfind("; expected ");
    out.erase(read, expected != std::string::npos && expected > read ? expected - read : std::string::npos);
  }
  for (char &c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  if (out.empty()) return "A number is out of range.";
  if (out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
  if (out.back() != '.') out += '.';
  return out;
}

// Receives the parser's events. Returning false ends the parsing.
class Builder {
public:
  Builder(std::string_view text, int max_depth, JsonError &error) : text_(text), max_depth_(max_depth), error_(error) {}

  Json take() { return std::move(root_); }

  bool null() { return put(Json::Type::null) != nullptr; }
  bool boolean(bool v) {
    Json *j = put(Json::Type::boolean);
    if (j) j->flag = v;
    return j;
  }
  bool number_integer(std::int64_t v) {
    Json *j = put(Json::Type::integer);
    if (j) j->integer = v;
    return j;
  }
  bool number_unsigned(std::uint64_t v) {
    if (v <= static_cast<std::uint64_t>(INT64_MAX)) return number_integer(static_cast<std::int64_t>(v));
    return number_float(static_cast<double>(v), {});
  }
  bool number_float(double v, const std::string &) {
    Json *j = put(Json::Type::number);
    if (j) j->number = v;
    return j;
  }
  bool string(std::string &v) {
    Json *j = put(Json::Type::string);
    if (j) j->text = std::move(v);
    return j;
  }
  bool binary(std::vector<std::uint8_t> &) { return false; }
  bool key(std::string &k) {
    key_ = std::move(k);
    return true;
  }
  bool start_object(std::size_t) { return open(Json::Type::object); }
  bool start_array(std::size_t) { return open(Json::Type::array); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool parse_error(std::size_t offset, const std::string &, const nlohmann::detail::exception &e) {
    return fail("document is not valid JSON (" + position(text_, offset) + ")", sentence(e.what()));
  }

private:
  Json *put(Json::Type type) {
    if (++values_ > kMaxValues) {
      fail("document has more than " + std::to_string(kMaxValues) + " values", {});
      return nullptr;
    }
    Json *j = &root_;
    if (!open_.empty())
      j = &open_.back()->items.emplace_back(); // no open node lies in this vector: they stay where they are
    j->type = type;
    j->key = std::move(key_);
    key_.clear();
    return j;
  }

  bool open(Json::Type type) {
    if (static_cast<int>(open_.size()) == max_depth_) {
      return fail("document is nested more than " + std::to_string(max_depth_) + " levels deep", {});
    }
    Json *j = put(type);
    if (j) open_.push_back(j);
    return j;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  bool fail(std::string problem, std::string hint) {
    error_ = {std::move(problem), std::move(hint)};
    return false;
  }

  std::string_view text_;
  int max_depth_;
  JsonError &error_;
  Json root_;
  std::vector<Json *> open_;
  std::string key_;
  std::size_t values_ = 0;
};

} // namespace

const Json *Json::find(std::string_view member) const noexcept {
  for (const Json &j : items) {
    if (j.key == member) return &j;
  }
  return nullptr;
}

std::optional<Json> read_json(std::string_view text, std::size_t max_bytes, int max_depth, JsonError &error) {
  if (text.size() > max_bytes) {
    error = {"document is larger than " + std::to_string(max_bytes) + " bytes",
             "It has " + std::to_string(text.size()) + "."};
    return std::nullopt;
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    error = {"document is empty", "Write a JSON object with the keys of a program."};
    return std::nullopt;
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) { // the parser takes it for the end
    error = {"document is not valid JSON (" + position(text, nul + 1) + ")", "It contains a NUL byte."};
    return std::nullopt;
  }
  Builder builder(text, max_depth, error);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return std::nullopt;
  return builder.take();
}

std::string_view name_of(Json::Type type) noexcept {
  static constexpr std::array<std::string_view, 7> kNames = {"null",     "a boolean", "a number", "a number",
                                                             "a string", "an array",  "an object"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  constexpr std::size_t kLongest = 70;
  const bool cut = text.size() > kLongest;
  if (cut) {
    std::size_t n = kLongest;
    while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xc0) == 0x80) n--; // never inside a character
    text = text.substr(0, n);
  }
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte >= 0x20 && byte != 0x7f)
      out += c;
    else
      out.append("\\u00") += {kHex[byte >> 4], kHex[byte & 15]};
  }
  return out + (cut ? "...\"" : "\"");
}

} // namespace pql
