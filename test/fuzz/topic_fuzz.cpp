// Any bytes as a pattern, up to a line's end, and as a message, which is the rest.
// Law: never crashes; a pattern that isn't refused compiles; findings lie within the message; normalising is idempotent.
#include "core/topic/matcher.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace pql::topic;

void require(bool holds) {
  if (!holds) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char *>(data), size);
  const std::size_t end = std::min(all.find('\n'), all.size());
  const std::string_view pattern = all.substr(0, end), message = all.substr(std::min(end + 1, all.size()));
  static Normaliser n;
  Normalised text;
  std::vector<std::uint32_t> map;
  n.normalise(message, text, &map);
  require(map.size() == text.text.size() + 1);
  for (const Sentence &s : text.sentences) require(s.begin < s.end && s.from < s.until && s.until <= message.size());
  const auto wrong = check_pattern(n, pattern);
  if (wrong) {
    require(wrong->position >= 1 && wrong->position <= pattern.size() + 1 && !wrong->problem.empty());
    return 0;
  }
  Matcher m({{"en", Kind::topic, "x", std::string(pattern)}, {"en", Kind::before, "", "\\bno\\b"}, {"en", Kind::clause, "", "\\bbut\\b"}, {"en", Kind::quote, "", ".*wrote:"}});
  require(m.patterns() == 1);
  for (const Finding &f : m.find(message)) require(f.begin <= f.end && f.end <= message.size() && f.quote.size() <= 4 * kLongQuote + 6);
  return 0;
}
