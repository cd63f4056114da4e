// What the shipped lexicon finds in the labelled messages is what test/topics/report.txt says, miss by miss. (S1-42)
#include "topics/measure.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace pql::topic {
namespace {

TEST(TopicReport, IsOfTheShippedLexicon) {
  const std::string top = PQL_TOP;
  Measuring m{.only = "test", .messages = top + "/test/topics/messages", .misses = true, .lexica = {}};
  for (const auto &e : std::filesystem::directory_iterator(top + "/lexicon")) {
    if (e.path().extension() == ".tsv") m.lexica.push_back(e.path().string());
  }
  std::ranges::sort(m.lexica);
  std::ostringstream out, err;
  ASSERT_TRUE(measure(m, out, err)) << err.str();

  std::ifstream kept(top + "/test/topics/report.txt");
  std::istringstream found(out.str());
  std::string expected, line;
  for (int number = 1; std::getline(found, line); number++) {
    std::getline(kept, expected);
    ASSERT_EQ(line, expected) << "line " << number
                              << "; if it is meant: topics_eval --only test --misses lexicon/*.tsv "
                                 ">test/topics/report.txt, and the table in doc/topics.md";
  }
  ASSERT_FALSE(std::getline(kept, expected)) << "more than is found: " << expected;
}

} // namespace
} // namespace pql::topic
