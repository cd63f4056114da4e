#include "cli/publish/document.hpp"

#include <algorithm>
#include <charconv>

#include <re2/re2.h>
#include <yaml-cpp/yaml.h>

#include "cli/base/text.hpp"
#include "core/program/fields.hpp"

namespace pql::cli {
namespace {

constexpr int kDeepest = 100;
constexpr std::size_t kMostNodes = 100'000; // what aliases multiply is counted each time

Place place_of(const YAML::Mark &mark) { return {std::max(0, mark.line) + 1, std::max(0, mark.column) + 1}; }

Place place_of_byte(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte, text.size()));
  const auto line = static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t feed = before.rfind('\n');
  return {line + 1, static_cast<int>(before.size() - (feed == std::string_view::npos ? 0 : feed + 1)) + 1};
}

// A plain scalar by the core schema of YAML 1.2: "yes" is a text, "0o17" a number.
Json scalar(const YAML::Node &node) {
  static const RE2 integer("[-+]?[0-9]+"), octal("0o[0-7]+"), hexadecimal("0x[0-9a-fA-F]+"),
      real("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?"), special("[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)");
  const std::string &text = node.Scalar(), tag = node.Tag();
  if (tag == "!" || tag == "tag:yaml.org,2002:str") return text;
  if (tag != "?" && !tag.empty()) throw DocumentError{place_of(node.Mark()), "the tag " + tag + " isn't known"};
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (RE2::FullMatch(text, special)) throw DocumentError{place_of(node.Mark()), "JSON has no " + text};
  const std::string_view digits = text.front() == '+' ? std::string_view(text).substr(1) : std::string_view(text);
  const auto number = [&](std::string_view t, int base) -> Json {
    std::int64_t n = 0;
    const auto read = std::from_chars(t.data(), t.data() + t.size(), n, base);
    if (read.ec != std::errc()) throw DocumentError{place_of(node.Mark()), "the number " + text + " is too large"};
    return n;
  };
  if (RE2::FullMatch(text, integer)) return number(digits, 10);
  if (RE2::FullMatch(text, octal)) return number(digits.substr(2), 8);
  if (RE2::FullMatch(text, hexadecimal)) return number(digits.substr(2), 16);
  if (RE2::FullMatch(text, real)) {
    double x = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), x);
    if (read.ec != std::errc()) throw DocumentError{place_of(node.Mark()), "the number " + text + " is out of range"};
    return x;
  }
  return text;
}

class Walk {
public:
  explicit Walk(Document &document) : document_(document) {}

  Json value(const YAML::Node &node, const std::string &path, int depth) {
    if (depth > kDeepest) throw DocumentError{place_of(node.Mark()), "nested too deeply"};
    if (++nodes_ > kMostNodes) throw DocumentError{place_of(node.Mark()), "too large"};
    document_.places.try_emplace(path, place_of(node.Mark()));
    switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return scalar(node);
    case YAML::NodeType::Sequence: {
      Json list = Json::array();
      for (std::size_t i = 0; i < node.size(); i++) list.push_back(value(node[i], pql::join(path, i), depth + 1));
      return list;
    }
    case YAML::NodeType::Map:
      return map(node, path, depth);
    default:
      return nullptr;
    }
  }

private:
  Json map(const YAML::Node &node, const std::string &path, int depth) {
    Json object = Json::object();
    for (const auto &member : node) {
      const Place at = place_of(member.first.Mark());
      if (!member.first.IsScalar()) throw DocumentError{at, "a key must be a text"};
      const std::string &key = member.first.Scalar();
      if (object.contains(key)) throw DocumentError{at, "\"" + key + "\" is there twice"};
      const std::string inner = pql::join(path, key);
      document_.places[inner] = at; // the key, which is what people look for
      object[key] = value(member.second, inner, depth + 1);
    }
    return object;
  }

  Document &document_;
  std::size_t nodes_ = 0;
};

} // namespace

Place Document::place(std::string path) const {
  for (;;) {
    if (const auto found = places.find(path); found != places.end()) return found->second;
    if (path.empty()) return {};
    const std::size_t cut = path.find_last_of(".[");
    path.resize(cut == std::string::npos ? 0 : cut);
  }
}

Document read_document(const std::string &text) {
  Document document;
  try {
    const bool is_json = trimmed(text).starts_with('{');
    Json json;
    if (is_json) {
      json = Json::parse(text, nullptr, false);
      // In braces it may be YAML as well, with comments; what is neither is told by JSON's rules if it has none.
      if (json.is_discarded() && text.find('#') == std::string::npos) json = Json::parse(text);
    }
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.empty() || documents[0].IsNull()) throw DocumentError{{}, "the file is empty"};
    if (documents.size() > 1) throw DocumentError{place_of(documents[1].Mark()), "the file has more than one document"};
    document.value = Walk(document).value(documents[0], "", 0);
    if (is_json && !json.is_discarded()) document.value = std::move(json); // escapes and numbers as JSON reads them
  } catch (const Json::parse_error &e) {
    std::string what = e.what();
    if (const std::size_t dash = what.find(" - "); dash != std::string::npos) what = what.substr(dash + 3);
    throw DocumentError{place_of_byte(text, e.byte ? e.byte - 1 : 0), "no JSON: " + what};
  } catch (const YAML::Exception &e) {
    throw DocumentError{place_of(e.mark), e.msg};
  }
  if (!document.value.is_object()) throw DocumentError{{}, "the document must be an object"};
  return document;
}

} // namespace pql::cli
