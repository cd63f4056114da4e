// Requests, forms and pages of pqlctl serve.
// covers: S1-37, S1-38
#include <gtest/gtest.h>

#include "cli/import/event.hpp" // no two types of one program have one name
#include "cli/serve/http.hpp"
#include "cli/serve/pages.hpp"

using namespace pql::cli;

TEST(Http, ReadsARequestPieceByPiece) {
  const std::string whole = "POST /r/x.y?from=mail HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX-Empty:\r\n\r\na=b+c";
  for (std::size_t n = 0; n < whole.size(); n++)
    EXPECT_EQ(read_request(std::string_view(whole).substr(0, n)).first, Arrival::more) << n;
  const auto [how, r] = read_request(whole);
  ASSERT_EQ(how, Arrival::done);
  EXPECT_EQ(r.method + " " + r.path, "POST /r/x.y");
  EXPECT_EQ(r.headers.at("content-length"), "5");
  EXPECT_EQ(r.body, "a=b+c");
}

TEST(Http, RefusesWhatIsNotRight) {
  for (const char *const wrong :
       {"\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/2\r\n\r\n", "GET x HTTP/1.1\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\n\r\n", "GET /a b HTTP/1.1\r\n\r\n", "GET /\x01 HTTP/1.1\r\n\r\n",
        "G<T / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\nA B: c\r\n\r\n",
        "GET / HTTP/1.1\r\n: c\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"})
    EXPECT_EQ(read_request(wrong).first, Arrival::bad) << wrong;
  EXPECT_EQ(read_request("GET /" + std::string(kMostRequestHead, 'a')).first, Arrival::too_large);
  EXPECT_EQ(read_request("POST / HTTP/1.1\r\nContent-Length: 16385\r\n\r\n").first, Arrival::too_large);
  EXPECT_EQ(read_request("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n").first,
            Arrival::too_large);
}

TEST(Http, ReadsForms) {
  const auto fields = form_fields("a=1&b=%C3%BC+%26x&a=2&&c&=d&e=%4&f=%zz&g=%41");
  EXPECT_EQ(fields.at("a"), "1");
  EXPECT_EQ(fields.at("b"), "\xc3\xbc &x");
  EXPECT_EQ(fields.at("c"), "");
  EXPECT_EQ(fields.at("e"), "%4");
  EXPECT_EQ(fields.at("f"), "%zz");
  EXPECT_EQ(fields.at("g"), "A");
  EXPECT_TRUE(form_fields("").empty());
}

TEST(Pages, EscapeWhatIsForeign) {
  const char *const evil = "<img src=x onerror=\"alert('1')\">&";
  const std::string page =
      reply_page({evil, evil, evil, std::string("title\n\n") + evil + "\n", "ready", "", evil, evil, false}, "accept");
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_NE(page.find("&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;"), std::string::npos);
  EXPECT_EQ(plain_page(evil, evil, true).find("<img"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(plain_page("a\x01", "b\x1b", true).find_first_of("\x01\x1b"), std::string::npos) << "no document may hold it";
}

TEST(Pages, OfferWhatTheStateAllows) {
  const auto has = [](const char *state, const char *action, const char *words) {
    return reply_page({"kim", "acme", "", "", state, "kim", "meeting_set", "", false}, action).find(words) !=
           std::string::npos;
  };
  const char *const accept = "value=\"accept\"", *const decline = "value=\"decline\"",
                    *const dispose = "value=\"dispose\"", *const channel = "name=\"channel\"";
  for (const char *const action : {"accept", "decline", "dispose"}) {
    for (const char *const state : {"ready", "claimed"})
      EXPECT_TRUE(has(state, action, accept) && has(state, action, decline) && has(state, action, dispose)) << state;
    EXPECT_TRUE(!has("accepted", action, accept) && has("accepted", action, dispose) &&
                has("accepted", action, channel));
    EXPECT_TRUE(has("touched", action, dispose) && !has("touched", action, channel));
    for (const char *const state : {"pending", "blocked", "suppressed", "expired", "disposed"})
      EXPECT_FALSE(has(state, action, "<form")) << state;
  }
}
