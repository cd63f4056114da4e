#include "topics/measure.hpp"

#include "core/topic/matcher.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <ostream>
#include <set>

namespace pql::topic {
namespace {

struct Counts {
  int right = 0, wrong = 0, missed = 0;
  void add(const Counts &o) { right += o.right, wrong += o.wrong, missed += o.missed; }
};

std::string file(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string unescaped(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); i++) {
    if (s[i] != '\\' || i + 1 == s.size())
      out += s[i];
    else if (s[++i] == 'n')
      out += '\n';
    else
      out += s[i] == 't' ? '\t' : s[i];
  }
  return out;
}

std::set<std::string> labels(std::string_view s) {
  std::set<std::string> out;
  while (!s.empty()) {
    const std::size_t end = std::min(s.find(','), s.size());
    if (s.substr(0, end) != "-") out.emplace(s.substr(0, end));
    s.remove_prefix(std::min(end + 1, s.size()));
  }
  return out;
}

void print(std::ostream &out, const std::string &language, const std::string &topic, const Counts &c) {
  const auto share = [](int a, int b) {
    char text[16];
    if (a + b == 0) return std::string("    -");
    std::snprintf(text, sizeof text, "%5.2f", static_cast<double>(a) / (a + b));
    return std::string(text);
  };
  const auto padded = [](std::string s, std::size_t width) {
    return s.append(width > s.size() ? width - s.size() : 0, ' ');
  };
  out << padded(language, 4) << ' ' << padded(topic, 24) << " precision " << share(c.right, c.wrong) << "  recall "
      << share(c.right, c.missed) << "  (" << c.right << " right, " << c.wrong << " wrong, " << c.missed
      << " missed)\n";
}

Counts measure(std::ostream &out, Matcher &m, const std::string &language, const Measuring &o) {
  std::map<std::string, Counts> by_topic;
  Counts all;
  std::ifstream in(o.messages + "/" + language + ".tsv");
  std::string line;
  for (int number = 0; std::getline(in, line); number++) {
    if (o.only != "all" && (number % 4 == 0) != (o.only == "dev")) continue;
    const std::size_t tab = std::min(line.find('\t'), line.size());
    const std::set<std::string> expected = labels(std::string_view(line).substr(0, tab));
    const std::string text = unescaped(std::string_view(line).substr(std::min(tab + 1, line.size())));
    std::set<std::string> found;
    std::string reasons;
    for (const Finding &f : m.find(text)) {
      const Entry &e = m.entries()[f.entry];
      found.insert(e.topic);
      if (!expected.contains(e.topic))
        reasons += "    " + e.language + " " + e.topic + "\t" + e.pattern +
                   "\tin: " + text.substr(f.begin, f.end - f.begin) + "\n";
    }
    std::string differs;
    for (const std::string &t : found) {
      Counts &c = by_topic[t];
      if (expected.contains(t))
        c.right++;
      else
        c.wrong++, differs += " +" + t;
    }
    for (const std::string &t : expected) {
      if (!found.contains(t)) by_topic[t].missed++, differs += " -" + t;
    }
    if (o.misses && !differs.empty())
      out << language << ':' << number + 1 << ':' << differs << '\t' << line.substr(std::min(tab + 1, line.size()))
          << '\n'
          << (o.why ? reasons : "");
  }
  for (const auto &[topic, c] : by_topic) {
    print(out, language, topic, c);
    all.add(c);
  }
  print(out, language, "(all)", all);
  return all;
}

} // namespace

bool measure(const Measuring &o, std::ostream &out, std::ostream &err) {
  Normaliser normaliser;
  std::vector<Entry> entries;
  std::vector<std::string> languages;
  bool right = true;
  for (const std::string &path : o.lexica) {
    std::vector<LexiconProblem> problems;
    languages.push_back(std::filesystem::path(path).stem().string());
    if (!std::filesystem::exists(path)) problems.push_back({0, "there is no such file"});
    read_lexicon(normaliser, languages.back(), file(path), entries, problems);
    for (const LexiconProblem &p : problems) err << path << ":" << p.line << ": " << p.problem << "\n";
    right &= problems.empty();
  }
  Matcher matcher(std::move(entries));
  out << matcher.patterns() << " patterns of " << languages.size() << " languages, " << o.only << " messages\n";
  Counts all;
  for (const std::string &language : languages) {
    if (std::filesystem::exists(o.messages + "/" + language + ".tsv")) all.add(measure(out, matcher, language, o));
  }
  print(out, "all", "(all)", all);
  return right;
}

} // namespace pql::topic
