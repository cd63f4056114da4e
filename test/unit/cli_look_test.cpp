// What pqlctl's looking commands do without a database: bars, waiting, which rows were shown, which hints may be run,
// HTML.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "cli/base/backoff.hpp"
#include "cli/base/bars.hpp"
#include "cli/base/text.hpp"
#include "cli/bench.hpp"
#include "cli/doctor.hpp"
#include "cli/report/html.hpp"
#include "cli/watch.hpp"

namespace pql::cli {
namespace {

TEST(Bars, ShareOfTheWidthToAnEighth) {
  EXPECT_EQ(bar(0, 10), "");
  EXPECT_EQ(bar(-1, 10), "");
  EXPECT_EQ(bar(std::nan(""), 10), "");
  EXPECT_EQ(bar(1, 3), "███");
  EXPECT_EQ(bar(2, 3), "███");
  EXPECT_EQ(bar(0.5, 3), "█▌");
  EXPECT_EQ(bar(0.0001, 10), "▏");
  EXPECT_EQ(bar(0.0001, 10, true), "#");
  EXPECT_EQ(bar(0.5, 10, true), "#####");
  EXPECT_EQ(bar(1, 0), "");
}

TEST(Backoff, IsAnyMomentOfWhatDoubles) {
  EXPECT_DOUBLE_EQ(backoff_seconds({5, 3600}, 1, 0), 1);
  EXPECT_NEAR(backoff_seconds({5, 3600}, 1, 0.9999999), 5, 1e-5);
  EXPECT_NEAR(backoff_seconds({5, 3600}, 4, 0.5), 20, 1e-9);
  EXPECT_NEAR(backoff_seconds({5, 3600}, 40, 0.9999999), 3600, 1e-3);
  EXPECT_NEAR(backoff_seconds({5, 3600}, 2147483647, 0.5), 1800, 1e-9);
  EXPECT_NEAR(backoff_seconds({2, 30}, 5, 0.9999999), 30, 1e-5);
  EXPECT_NEAR(backoff_seconds({2, 30}, -1, 0.9999999), 2, 1e-5);
}

TEST(Seen, ALowerIdThatComesLateIsNews) {
  Seen seen(100, 60);
  EXPECT_FALSE(seen.note(100, 0));
  EXPECT_TRUE(seen.note(105, 0));
  EXPECT_TRUE(seen.note(103, 10)); // committed after 105
  EXPECT_FALSE(seen.note(105, 10));
  seen.pass(59);
  EXPECT_EQ(seen.low(), 100);
  seen.pass(60);
  EXPECT_EQ(seen.low(), 105);
  EXPECT_FALSE(seen.note(103, 61));
  EXPECT_FALSE(seen.note(104, 61)); // an hour late is too late
  EXPECT_TRUE(seen.note(106, 61));
}

TEST(Doctor, RunsOnlyWhatIsSafe) {
  for (const char *s : {"SELECT * FROM pql.tick();", "ANALYZE pql.state;", "VACUUM pql.state;",
                        "CALL pql.backfill('ev');", "CREATE INDEX CONCURRENTLY ON ev (org, ts);",
                        "SELECT pql.restore_triggers('ev');", "SELECT * FROM pql.refresh_attributes('account');"})
    EXPECT_TRUE(is_safe_to_run(s)) << s;
  for (const char *s : {"", "DROP INDEX pql.mine;", "SELECT pql.detach('ev');", "UPDATE pql.reps SET capacity = 25;",
                        "DELETE FROM pql.rule_error;", "COMMIT PREPARED 'x';", "SELECT pg_terminate_backend(1);",
                        "ALTER TABLE pql.reps DROP COLUMN mine;", "SELECT * FROM pql.tick(); DROP TABLE x",
                        "select * from pql.tick();"})
    EXPECT_FALSE(is_safe_to_run(s)) << s;
}

TEST(Doctor, Versions) {
  const auto worst = [](const char *mine, const char *installed, const char *available) {
    std::string all;
    for (const Finding &f : version_findings(mine, installed, available))
      if (f.status != "ok") all += f.check + " " + f.status + ";";
    return all;
  };
  EXPECT_EQ(worst("1.0", "1.0", "1.0"), "");
  EXPECT_EQ(worst("1.1", "1.0", "1.0"), "client warning;");
  EXPECT_EQ(worst("1.0", "1.0", "1.1"), "package warning;");
  EXPECT_EQ(worst("1.0", "1.0", ""), "package error;");
}

TEST(Bench, Quantiles) {
  EXPECT_EQ(quantile({}, 0.5), 0);
  EXPECT_EQ(quantile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(quantile({3, 1, 2}, 0), 1);
  EXPECT_EQ(quantile({3, 1, 2}, 1), 3);
  EXPECT_EQ(quantile({4, 1, 2, 3}, 0.5), 2);
}

TEST(Html, EscapesWhateverComes) {
  using namespace report;
  EXPECT_EQ(html_text("<script>alert('x & \"y\"')</script>"),
            "&lt;script&gt;alert(&#39;x &amp; &quot;y&quot;&#39;)&lt;/script&gt;");
  EXPECT_EQ(html_text("größer\tals\n"), "größer\tals\n");
  EXPECT_EQ(html_text(std::string("a\0b\x1b", 4)), "a\xEF\xBF\xBD"
                                                 "b\xEF\xBF\xBD");
  for (const std::string &made : {bars("x", "<t>", "<d>", {{"<l>", "<v>", 0.5, {}}}),
                                  spans("x", "<t>", "<d>", {{"<l>", "<v>", 0.5, 0, 1, {}}}, 0.5, "<n>"),
                                  columns("x", "<t>", "<d>", {{"<l>", {1, 0.5}}}, "<top>"),
                                  table("<c>", {{"<h>"}, {{"<v>"}}, {}}), legend({"<w>"}), page("<t>", "")})
    for (const char *bad : {"<t>", "<d>", "<l>", "<v>", "<n>", "<c>", "<h>", "<w>", "<top>"})
      EXPECT_EQ(made.find(bad), std::string::npos) << made;
}

TEST(Html, Numbers) {
  using namespace report;
  EXPECT_EQ(number(1234567), "1,234,567");
  EXPECT_EQ(percent(0.384), "38 %");
  EXPECT_EQ(percent(0.034), "3.4 %");
  EXPECT_EQ(percent(0.0), "0 %");
  EXPECT_EQ(percent(std::nullopt), "–");
  EXPECT_EQ(decimal(std::numeric_limits<double>::infinity()), "∞");
  EXPECT_EQ(decimal(1.256, 2), "1.26");
  EXPECT_EQ(hours(0.5), "30 min");
  EXPECT_EQ(hours(12.34), "12.3 h");
  EXPECT_EQ(hours(60), "2.5 d");
  EXPECT_EQ(hours(std::nullopt), "–");
}

} // namespace
} // namespace pql::cli
