// Measures lexica on the labelled messages: for each language and topic, how much of what is found is right, and how much of what
// is there is found.
//
//   topics_eval [--only dev|test|all] [--misses] [--why] [--messages DIRECTORY] LANGUAGE.tsv...
//
// --only dev is for whoever writes patterns; --misses shows each message that came out otherwise than it is labelled, --why also the
// patterns that were wrong. Ends with 1 when a lexicon has a wrong line.
#include "topics/measure.hpp"

#include <iostream>

namespace {

bool read(int n, char **words, pql::topic::Measuring &o) {
  for (int i = 1; i < n; i++) {
    const std::string w = words[i];
    if (w == "--misses") o.misses = true;
    else if (w == "--why") o.misses = o.why = true;
    else if (w == "--only" && i + 1 < n) o.only = words[++i];
    else if (w == "--messages" && i + 1 < n) o.messages = words[++i];
    else if (w.starts_with("-")) return false;
    else o.lexica.push_back(w);
  }
  return !o.lexica.empty() && (o.only == "dev" || o.only == "test" || o.only == "all");
}

} // namespace

int main(int n, char **words) {
  pql::topic::Measuring o;
  if (!read(n, words, o)) {
    std::cerr << "usage: topics_eval [--only dev|test|all] [--misses] [--why] [--messages DIRECTORY] LANGUAGE.tsv...\n";
    return 2;
  }
  return !measure(o, std::cout, std::cerr);
}
