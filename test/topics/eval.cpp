// Measures lexica on the labelled messages: for each language and topic, how much of what is found is right, and how much of what
// is there is found.
//
//   topics_eval [--only dev|test|all] [--misses] [--messages DIRECTORY] LANGUAGE.tsv...
//
// The lexica are used together, as the database uses them; the messages are those of their languages. --only dev (every fourth
// message, beginning with the first) is for whoever writes patterns; --misses shows each message that came out otherwise than it
// is labelled. Ends with 1 when a lexicon has a wrong line.
#include "core/topic/matcher.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

namespace {

using namespace pql::topic;

struct Counts {
  int right = 0, wrong = 0, missed = 0;
  void add(const Counts &o) { right += o.right, wrong += o.wrong, missed += o.missed; }
};

struct Options {
  std::string only = "all", messages = "test/topics/messages";
  bool misses = false;
  std::vector<std::string> lexica;
};

std::string file(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string unescaped(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); i++) {
    if (s[i] != '\\' || i + 1 == s.size()) out += s[i];
    else if (s[++i] == 'n') out += '\n';
    else out += s[i] == 't' ? '\t' : s[i];
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

void print(const std::string &language, const std::string &topic, const Counts &c) {
  const auto share = [](int a, int b) {
    char text[16];
    if (a + b == 0) return std::string("    -");
    std::snprintf(text, sizeof text, "%5.2f", static_cast<double>(a) / (a + b));
    return std::string(text);
  };
  std::printf("%-4s %-24s precision %s  recall %s  (%d right, %d wrong, %d missed)\n", language.c_str(), topic.c_str(), share(c.right, c.wrong).c_str(),
              share(c.right, c.missed).c_str(), c.right, c.wrong, c.missed);
}

Counts measure(Matcher &m, const std::string &language, const Options &o) {
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
      if (!expected.contains(e.topic)) reasons += "    " + e.language + " " + e.topic + "\t" + e.pattern + "\tin: " + text.substr(f.begin, f.end - f.begin) + "\n";
    }
    std::string differs;
    for (const std::string &t : found) {
      Counts &c = by_topic[t];
      if (expected.contains(t)) c.right++;
      else c.wrong++, differs += " +" + t;
    }
    for (const std::string &t : expected) {
      if (!found.contains(t)) by_topic[t].missed++, differs += " -" + t;
    }
    if (o.misses && !differs.empty()) std::printf("%s:%d:%s\t%s\n%s", language.c_str(), number + 1, differs.c_str(), line.substr(std::min(tab + 1, line.size())).c_str(), reasons.c_str());
  }
  for (const auto &[topic, c] : by_topic) {
    print(language, topic, c);
    all.add(c);
  }
  print(language, "(all)", all);
  return all;
}

bool read(int n, char **words, Options &o) {
  for (int i = 1; i < n; i++) {
    const std::string w = words[i];
    if (w == "--misses") o.misses = true;
    else if (w == "--only" && i + 1 < n) o.only = words[++i];
    else if (w == "--messages" && i + 1 < n) o.messages = words[++i];
    else if (w.starts_with("-")) return false;
    else o.lexica.push_back(w);
  }
  return !o.lexica.empty() && (o.only == "dev" || o.only == "test" || o.only == "all");
}

} // namespace

int main(int n, char **words) {
  Options o;
  if (!read(n, words, o)) {
    std::cerr << "usage: topics_eval [--only dev|test|all] [--misses] [--messages DIRECTORY] LANGUAGE.tsv...\n";
    return 2;
  }
  Normaliser normaliser;
  std::vector<Entry> entries;
  std::vector<std::string> languages;
  bool wrong = false;
  for (const std::string &path : o.lexica) {
    std::vector<LexiconProblem> problems;
    languages.push_back(std::filesystem::path(path).stem().string());
    if (!std::filesystem::exists(path)) problems.push_back({0, "there is no such file"});
    read_lexicon(normaliser, languages.back(), file(path), entries, problems);
    for (const LexiconProblem &p : problems) std::cerr << path << ":" << p.line << ": " << p.problem << "\n";
    wrong |= !problems.empty();
  }
  Matcher matcher(std::move(entries));
  std::printf("%zu patterns of %zu languages, %s messages\n", matcher.patterns(), languages.size(), o.only.c_str());
  Counts all;
  for (const std::string &language : languages) {
    if (std::filesystem::exists(o.messages + "/" + language + ".tsv")) all.add(measure(matcher, language, o));
    else std::printf("%-4s no messages in %s\n", language.c_str(), o.messages.c_str());
  }
  print("all", "(all)", all);
  return wrong;
}
