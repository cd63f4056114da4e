#include "core/topic/lexicon.hpp"

#include <algorithm>
#include <set>

namespace pql::topic {

std::optional<Kind> kind_named(std::string_view name) noexcept {
  const auto at = std::find(kKindNames.begin(), kKindNames.end(), name);
  if (at == kKindNames.end()) return std::nullopt;
  return static_cast<Kind>(at - kKindNames.begin());
}

bool is_topic_name(std::string_view s) noexcept {
  const auto small = [](char c) { return c >= 'a' && c <= 'z'; };
  return !s.empty() && s.size() <= 63 && small(s[0]) && std::all_of(s.begin(), s.end(), [&](char c) { return small(c) || (c >= '0' && c <= '9') || c == '_'; });
}

void read_lexicon(Normaliser &n, std::string_view language, std::string_view text, std::vector<Entry> &entries, std::vector<LexiconProblem> &problems) {
  std::set<std::string> seen;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    number++;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const auto wrong = [&](std::string what) { problems.push_back({number, std::move(what)}); };
    const std::size_t tab = line.find('\t');
    if (tab == line.npos || line.find('\t', tab + 1) != line.npos) {
      wrong("a line is a topic or !kind, one tab, and a pattern");
      continue;
    }
    const std::string_view what = line.substr(0, tab), pattern = line.substr(tab + 1);
    Entry e{std::string(language), Kind::topic, {}, std::string(pattern)};
    if (what.starts_with('!')) {
      const std::optional<Kind> k = kind_named(what.substr(1));
      if (!k || *k == Kind::topic) {
        wrong("kind \"" + std::string(what) + "\" is not known: there are !before, !after, !break, !question, !quote, !aside and !common");
        continue;
      }
      e.kind = *k;
    } else if (is_topic_name(what)) {
      e.topic = what;
    } else {
      wrong("\"" + std::string(what) + "\" is not the name of a topic");
      continue;
    }
    if (const auto p = check_pattern(n, pattern, extent_of(e.kind))) {
      wrong("at byte " + std::to_string(p->position) + " of the pattern: " + p->problem);
      continue;
    }
    if (!seen.emplace(line).second) {
      wrong("the line is there already");
      continue;
    }
    entries.push_back(std::move(e));
  }
}

} // namespace pql::topic
