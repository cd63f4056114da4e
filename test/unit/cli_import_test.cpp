// What pqlctl import reads: times, records, cells, fields by their names, formats by what is in them.
#include <algorithm>

#include <gtest/gtest.h>

#include "cli/base/failure.hpp"
#include "cli/base/progress.hpp"
#include "cli/base/text.hpp"
#include "cli/import/format.hpp"
#include "cli/import/records.hpp"
#include "cli/import/when.hpp"

namespace pql::cli {
namespace {

std::string time_of(std::string_view text, Zoneless zoneless = Zoneless::refused) {
  std::string why;
  return read_time(text, zoneless, why).value_or("? " + why);
}

TEST(CliTime, IsoWithZone) {
  EXPECT_EQ(time_of("2026-03-02T10:11:12Z"), "2026-03-02 10:11:12+00");
  EXPECT_EQ(time_of(" 2026-03-02 10:11:12.1234567 +05:30"), "2026-03-02 10:11:12.123456+05:30");
  EXPECT_EQ(time_of("2026-03-02T10:11-08"), "2026-03-02 10:11:00-08:00");
  EXPECT_EQ(time_of("2026-03-02T10:11:12,5+0100"), "2026-03-02 10:11:12.5+01:00");
  EXPECT_EQ(time_of("2026-03-02 10:11:12 UTC"), "2026-03-02 10:11:12+00");
  EXPECT_EQ(time_of("2024-02-29T24:00:00Z"), "2024-02-29 24:00:00+00");
}

TEST(CliTime, WithoutZone) {
  EXPECT_EQ(time_of("2026-03-02"), "? the time has no zone (--timezone says which): \"2026-03-02\"");
  EXPECT_EQ(time_of("2026-03-02 10:11:12", Zoneless::utc), "2026-03-02 10:11:12+00");
  EXPECT_EQ(time_of("2026-03-02 10:11:12", Zoneless::session), "2026-03-02 10:11:12");
}

TEST(CliTime, DaysWithoutDashes) {
  EXPECT_EQ(time_of("20240131"), time_of("2024-01-31")) << "a day, and not seconds of 1970";
  EXPECT_EQ(time_of("20240131", Zoneless::utc), time_of("2024-01-31", Zoneless::utc));
  EXPECT_EQ(time_of("20240231"), "1970-08-23 06:17:11.000000+00"); // no day
}

TEST(CliTime, SinceTheEpoch) {
  EXPECT_EQ(time_of("0"), "1970-01-01 00:00:00.000000+00");
  EXPECT_EQ(time_of("1772445600"), "2026-03-02 10:00:00.000000+00");
  EXPECT_EQ(time_of("1772445600.25"), "2026-03-02 10:00:00.250000+00");
  EXPECT_EQ(time_of("1772445600123"), "2026-03-02 10:00:00.123000+00");
  EXPECT_EQ(time_of("1772445600123456"), "2026-03-02 10:00:00.123456+00");
  EXPECT_EQ(time_of("-1"), "1969-12-31 23:59:59.000000+00");
  EXPECT_EQ(time_of("-0.5"), "1969-12-31 23:59:59.500000+00");
  EXPECT_EQ(time_of("999999999999999999"), "? the time 999999999999999999 is too large for microseconds since 1970");
}

TEST(CliTime, Refused) {
  for (const char *const text : {"", "yesterday", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-03-02T25:00:00Z", "2026-03-02T24:00:01Z",
                                 "2026-03-02T10:11:12+99", "2026-03-02T10:11:12Zx", "2026-03-02T10", "02/03/2026", "12.5.2026", ".", "-", "2026-03-02T10:11:12."})
    EXPECT_EQ(time_of(text, Zoneless::utc).substr(0, 2), "? ") << text;
}

// All records of a text that comes in pieces.
std::vector<std::string> records_of(std::string text, bool quoted, std::size_t piece, std::size_t longest = kLongestRecord) {
  std::size_t at = 0;
  Records records(
      [&](char *to, std::size_t most) {
        const std::size_t n = std::min({piece, most, text.size() - at});
        text.copy(to, n, at);
        at += n;
        return n;
      },
      quoted, longest);
  std::vector<std::string> all;
  std::string raw;
  Record r;
  while (records.next(r)) {
    all.push_back(std::to_string(r.line) + ":" + (r.rest ? "(rest)" : std::string(r.text)) + (r.problem.empty() ? "" : "!" + r.problem));
    raw += r.raw;
  }
  EXPECT_EQ(raw, text); // each byte belongs to one record
  return all;
}

using Texts = std::vector<std::string>;

TEST(CliRecords, Lines) {
  for (const std::size_t piece : {1, 2, 7, 1000}) {
    EXPECT_EQ(records_of("a\r\nb\n\nc", false, piece), (Texts{"1:a", "2:b", "3:", "4:c"}));
    EXPECT_EQ(records_of("", false, piece), Texts{});
    EXPECT_EQ(records_of("\"a\nb\"\n", false, piece), (Texts{"1:\"a", "2:b\""}));
  }
}

TEST(CliRecords, Quoted) {
  for (const std::size_t piece : {1, 2, 7, 1000}) {
    EXPECT_EQ(records_of("a,\"b\nc\"\"\nd\"\ne\n", true, piece), (Texts{"1:a,\"b\nc\"\"\nd\"", "4:e"}));
    EXPECT_EQ(records_of("a\n\"b\nc\n", true, piece), (Texts{"1:a", "2:\"b!a quote isn't closed", "3:c"}));
  }
}

TEST(CliRecords, TooLong) {
  const auto found = records_of(std::string(3000000, 'x') + "\nb\n", false, 1000000, 1 << 20);
  ASSERT_GE(found.size(), 3u);
  EXPECT_EQ(found.front().substr(found.front().find('!')), "!longer than 1 MB");
  EXPECT_EQ(found[1], "1:(rest)");
  EXPECT_EQ(found.back(), "2:b");
}

TEST(CliRecords, Cut) {
  const auto cut = [](const std::string &text, std::size_t piece) {
    std::string found;
    std::size_t at = 0;
    Records records(
        [&](char *to, std::size_t most) {
          const std::size_t n = std::min({piece, most, text.size() - at});
          text.copy(to, n, at);
          at += n;
          return n;
        },
        true);
    for (Record r; records.next(r);) found += r.cut ? '1' : '0';
    return found;
  };
  for (const std::size_t piece : {1, 3, 1000}) {
    EXPECT_EQ(cut("a\nb\n", piece), "00");
    EXPECT_EQ(cut("a\nb", piece), "01");
    EXPECT_EQ(cut("a\n\"b\nc\n", piece), "010"); // ends within quotes, and line by line
    EXPECT_EQ(cut("a\n\"b\nc", piece), "011");
  }
}

TEST(CliRecords, Cells) {
  std::vector<std::string> cells;
  split_csv("a,\"b,\"\"c\"\"\",,\"d\"e,", ',', cells);
  EXPECT_EQ(cells, (Texts{"a", "b,\"c\"", "", "de", ""}));
  split_csv("", ';', cells);
  EXPECT_EQ(cells, Texts{""});
}

TEST(CliRecords, Bytes) {
  EXPECT_EQ(text_problem("abcdefghijk \xC3\xA4 \xF0\x9F\x98\x80 and more"), nullptr);
  EXPECT_STREQ(text_problem("abcdefghijkl\xFF"), "invalid UTF-8");
  EXPECT_STREQ(text_problem("\xC3"), "invalid UTF-8");
  EXPECT_STREQ(text_problem("\xED\xA0\x80"), "invalid UTF-8"); // half of a pair
  EXPECT_STREQ(text_problem(std::string_view("abcdefgh\0", 9)), "a NUL byte");
}

TEST(CliText, OneLine) {
  EXPECT_EQ(one_line("no such\r\nthing ", 100), "no such  thing");
  EXPECT_EQ(one_line("Gr\xF6\xDF"
                     "e",
                     100),
            "Gr??e");
  EXPECT_EQ(one_line("\xE3\x82\xA8\xE3\x83\xA9", 100), "\xE3\x82\xA8\xE3\x83\xA9");
  EXPECT_EQ(one_line("\xE3\x82\xA8\xE3\x83\xA9", 5), "\xE3\x82\xA8"); // cut, not within a character
  EXPECT_EQ(one_line("", 0), "");
}

TEST(CliFormat, Fields) {
  Mapping said;
  EXPECT_EQ(guess_fields({"Created At", "Email", "Company Name", "Event Name", "id", "plan"}, said),
            (std::array<std::string, kFields>{"Email", "Company Name", "Event Name", "Created At", "id", ""}));
  read_mapping("user=plan, event=id", said);
  EXPECT_EQ(guess_fields({"email", "id", "plan", "uuid"}, said), (std::array<std::string, kFields>{"plan", "", "id", "", "uuid", ""}));
  EXPECT_THROW(read_mapping("user", said), Failure);
  EXPECT_THROW(read_mapping("user=", said), Failure);
  EXPECT_EQ(guess_delimiter("a;b,c;d"), ';');
  EXPECT_EQ(guess_delimiter("a\tb"), '\t');
  EXPECT_EQ(guess_delimiter("\"a;b;c\",d"), ',');
}

TEST(CliFormat, NamesAreKnown) {
  for (const char *const name : {"csv", "jsonl", "segment", "posthog", "mixpanel", "amplitude", "snowplow", "git"}) {
    const auto format = format_named(name);
    ASSERT_TRUE(format) << name;
    EXPECT_EQ(format_name(*format), name);
  }
  EXPECT_FALSE(format_named("xml"));
}

TEST(CliFormat, Reasons) {
  const std::string text = R"({"user": "u", "event": "e", "time": 1})";
  const MadeReader made = make_reader({Vendor::plain, Container::json}, text, {});
  const auto reason = [&](const std::string &record) {
    Reading r;
    made.reader->read(record, r);
    return r.kind == Reading::Kind::rejected ? r.reason : "";
  };
  EXPECT_EQ(reason(text), "");
  EXPECT_EQ(reason(R"({"user": "", "event": "e", "time": 1})"), "no user");
  EXPECT_EQ(reason(R"({"user": "u", "event": null, "time": 1})"), "no event name");
  EXPECT_EQ(reason(R"({"user": "u", "event": "e"})"), "no time");
  EXPECT_EQ(reason(R"({"user": "u", "event": "e", "time": 1e999})"), "bad JSON: a number out of range");
  EXPECT_EQ(reason(std::string(200, '[') + std::string(200, ']')), "bad JSON: nested too deeply");
}

TEST(CliText, ForPeople) {
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-1234), "-1,234");
  EXPECT_EQ(grouped(123), "123");
  EXPECT_EQ(span_text(185), "3 min 05 s");
  EXPECT_EQ(span_text(0.44), "0.4 s");
  EXPECT_EQ(size_text(1500), "1.5 kB");
  EXPECT_EQ(rate_text(81300), "81.3k/s");
}

TEST(CliProgress, Line) {
  EXPECT_EQ(progress_line({"a.csv", "records", 5000, 0.5, 10, 0}, 70), "a.csv [############............]  50 %  5,000 records  500/s  ETA 10 s");
  EXPECT_EQ(progress_line({"a.csv", "records", 5000, -1, 10, 0}, 60), "a.csv  5,000 records  500/s  10 s");
  for (std::size_t width = 40; width < 120; width++)
    EXPECT_LE(progress_line({"a.csv", "records", 5, 0.5, 10, 0.25}, width).size(), width < 49 ? 49 : width);
}

} // namespace
} // namespace pql::cli
