// Signing, retrying, addresses, links and messages of pqlctl deliver.
// covers: S1-7, S1-38, S3-13
#include <gtest/gtest.h>

#include "cli/base/failure.hpp"
#include "cli/deliver/address.hpp"
#include "cli/deliver/message.hpp"
#include "cli/deliver/metrics.hpp"
#include "cli/deliver/oauth.hpp"
#include "cli/deliver/retry.hpp"
#include "cli/deliver/signature.hpp"
#include "cli/deliver/token.hpp"

using namespace pql::cli;

namespace {

std::string hex(const std::string &bytes) {
  std::string text;
  for (const char c : bytes) {
    static const char digits[] = "0123456789abcdef";
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[c & 15];
  }
  return text;
}

Delivery delivery(const std::string &event = "ready") {
  Delivery d;
  d.id = 5;
  d.key = "msg_1_2_3";
  d.event = event;
  d.routing_id = 2;
  d.owner = "kim";
  d.payload = Json::parse(
      R"({"type": "routing.ready", "id": "msg_1_2_3", "row_key": "pql_1_2", "created_at": "2026-03-02T09:00:00Z",
    "headline": "acme reached 70 points", "story": "acme\n\nWhy now: <asks> & \"pays\".\n", "packet": {},
    "routing": {"routing_id": 2, "subject_id": "acme", "account_id": "a/c me", "state": "ready", "owner": "kim", "score": 70,
                "motion": "inside_sales", "contact_by": "2026-03-02T13:00:00+00:00", "crm_owner_id": null}})");
  return d;
}

Destination destination(const std::string &kind, const std::string &settings = "{}") {
  return {"there", kind, "https://example.org/x", Json::parse(settings), "there", 10, 3};
}

std::string header(const Message &m, const std::string &name) {
  for (const auto &[n, value] : m.headers)
    if (n == name) return value;
  return {};
}

} // namespace

TEST(Signature, HmacOfRfc4231) {
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\xaa'), std::string(50, '\xdd'))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Signature, StandardWebhooksExample) {
  const char *const id = "msg_p5jXN8AQM9LWM0D4loKWxJek", *const body = R"({"test": 2432232314})";
  const char *const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  EXPECT_EQ(webhook_signature(secret, id, 1614265330, body), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  const std::string two = webhook_signature(std::string(secret) + "  plain ", id, 1614265330, body);
  EXPECT_EQ(two.substr(0, two.find(' ')), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  EXPECT_EQ(two.substr(two.find(' ') + 1),
            "v1," + base64(hmac_sha256("plain", std::string(id) + ".1614265330." + body)));
  EXPECT_THROW(webhook_signature("whsec_!!", id, 1, body), Failure);
}

TEST(Signature, Base64OfRfc4648) {
  const std::pair<const char *, const char *> examples[] = {{"", ""},
                                                            {"f", "Zg=="},
                                                            {"fo", "Zm8="},
                                                            {"foo", "Zm9v"},
                                                            {"foob", "Zm9vYg=="},
                                                            {"fooba", "Zm9vYmE="},
                                                            {"foobar", "Zm9vYmFy"}};
  for (const auto &[plain, encoded] : examples) {
    EXPECT_EQ(base64(plain), encoded);
    EXPECT_EQ(from_base64(encoded), plain);
    EXPECT_EQ(from_base64url(base64url(plain)), plain);
  }
  EXPECT_EQ(base64url("\xfb\xff\xfe"), "-__-");
  for (const char *const wrong : {"Zg", "Zg=", "Z===", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zm9v====", "=Zm9"})
    EXPECT_FALSE(from_base64(wrong)) << wrong;
  for (const char *const wrong : {"Zg==", "+/+/", "Z", "Zh"}) EXPECT_FALSE(from_base64url(wrong)) << wrong;
}

TEST(Token, IsAskedForAsSalesforceSays) {
  Destination to = destination("salesforce", R"({"oauth": "refresh_token", "client_id": "3MVG9&x"})");
  to.url = "https://acme.my.salesforce.com/";
  const Message m = token_request(to, "5Aep 861", std::nullopt);
  EXPECT_EQ(m.url, "https://acme.my.salesforce.com/services/oauth2/token");
  EXPECT_EQ(m.body, "grant_type=refresh_token&client_id=3MVG9%26x&refresh_token=5Aep%20861");
  EXPECT_EQ(token_request(to, "r", "c").body,
            "grant_type=refresh_token&client_id=3MVG9%26x&refresh_token=r&client_secret=c");
  to.settings["oauth"] = "client_credentials";
  EXPECT_EQ(token_request(to, "c", std::nullopt).body,
            "grant_type=client_credentials&client_id=3MVG9%26x&client_secret=c");
  EXPECT_THROW(token_request(to, std::nullopt, std::nullopt), Failure);
}

TEST(Token, OrWhyThereIsNone) {
  EXPECT_EQ(token_in(200, R"({"access_token": "00D", "refresh_token": "r"})").token, "00D");
  EXPECT_EQ(token_in(200, R"({"access_token": "00D", "refresh_token": "r"})").refresh_token, "r");
  EXPECT_EQ(token_in(400, R"({"error": "invalid_grant", "error_description": "expired"})").error,
            "invalid_grant: expired");
  for (const char *const none :
       {"", "<html>", "[]", R"({"access_token": 5})", R"({"access_token": ""})", R"({"access_token": "a\r\nb"})"}) {
    EXPECT_EQ(token_in(200, none).token, "") << none;
    EXPECT_EQ(token_in(200, none).error, "HTTP 200") << none;
  }
}

TEST(Token, ExpiredIsWhatSalesforceSaysSo) {
  const Destination to = destination("salesforce");
  EXPECT_TRUE(says_expired(to, 401, R"([{"errorCode": "INVALID_SESSION_ID"}])"));
  EXPECT_FALSE(says_expired(to, 403, R"([{"errorCode": "INVALID_SESSION_ID"}])"));
  for (const char *const other : {"", "{}", "[1]", R"([{"errorCode": "INVALID_AUTH_HEADER"}])"})
    EXPECT_FALSE(says_expired(to, 401, other)) << other;
  EXPECT_FALSE(says_expired(destination("webhook"), 401, R"([{"errorCode": "INVALID_SESSION_ID"}])"));
}

TEST(Retry, ReadsRetryAfter) {
  EXPECT_EQ(retry_after_seconds(" 120 ", 0), 120);
  EXPECT_EQ(retry_after_seconds("0", 0), 0);
  EXPECT_EQ(retry_after_seconds("99999999", 0), 86400);
  EXPECT_EQ(retry_after_seconds("99999999999999999999999", 0), 86400);
  EXPECT_EQ(retry_after_seconds("Fri, 31 Dec 1999 23:59:59 GMT", 946684799 - 60), 60);
  EXPECT_EQ(retry_after_seconds("Fri, 31 Dec 1999 23:59:59 GMT", 946684799 + 60), 0);
  for (const char *const wrong : {"", "-1", "soon", "1.5", "20261122"}) {
    const auto seconds = retry_after_seconds(wrong, 0);
    EXPECT_TRUE(!seconds || *seconds == 86400) << wrong;
  }
}

TEST(Retry, JudgesStatuses) {
  for (const long status : {200, 201, 202, 204}) EXPECT_EQ(verdict_of(status), Verdict::sent) << status;
  for (const long status : {0, 100, 408, 409, 425, 429, 500, 502, 503, 504, 599})
    EXPECT_EQ(verdict_of(status), Verdict::retry) << status;
  for (const long status : {301, 302, 304, 307, 400, 401, 403, 404, 410, 413, 422, 451})
    EXPECT_EQ(verdict_of(status), Verdict::dead) << status;
  EXPECT_TRUE(asks_for_a_pause(429) && asks_for_a_pause(503) && !asks_for_a_pause(500));
}

TEST(Address, OnlyThePublicInternet) {
  for (const char *const address :
       {"0.0.0.0",      "0.1.2.3",          "10.0.0.1",        "10.255.255.255",   "100.64.0.1",      "100.127.255.255",
        "127.0.0.1",    "127.255.255.254",  "169.254.169.254", "172.16.0.1",       "172.31.255.255",  "192.0.0.8",
        "192.0.2.1",    "192.88.99.1",      "192.168.1.1",     "198.18.0.1",       "198.19.255.255",  "198.51.100.7",
        "203.0.113.9",  "224.0.0.1",        "239.1.1.1",       "240.0.0.1",        "255.255.255.255", "::",
        "::1",          "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1",     "64:ff9b::7f00:1",
        "64:ff9b:1::1", "100::1",           "2001::1",         "2001:db8::1",      "2002:7f00:1::1",  "2002:c0a8:101::",
        "3fff::1",      "fc00::1",          "fd12:3456::1",    "fe80::1",          "fec0::1",         "ff02::1"})
    EXPECT_EQ(is_public_address(address), false) << address;
  for (const char *const address :
       {"1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1",
        "192.167.1.1", "198.17.0.1", "198.20.0.1", "2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8",
        "64:ff9b::808:808", "2002:808:808::1"})
    EXPECT_EQ(is_public_address(address), true) << address;
  for (const char *const text : {"", "localhost", "2130706433", "0x7f000001", "127.1", "1.2.3.4.5", "fe80::1%eth0"})
    EXPECT_FALSE(is_public_address(text)) << text; // names to be resolved
}

TEST(Token, SaysWhatWasSigned) {
  const ReplyKeys keys("k2:aaaaaaaaaaaaaaaaaaaaaaaa, k1:bbbbbbbbbbbbbbbbbbbbbbbb"), old("k1:bbbbbbbbbbbbbbbbbbbbbbbb"),
      other("k2:cccccccccccccccccccccccc");
  const Reply reply{42, "kim \"ü\" <x>", "accept", 1000};
  const std::string token = keys.sign(reply);
  EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
            std::string::npos);
  EXPECT_EQ(keys.check(token, 999), std::pair(ReplyKeys::Answer::right, reply));
  EXPECT_EQ(keys.check(token, 1000).first, ReplyKeys::Answer::expired);
  EXPECT_EQ(keys.check(old.sign(reply), 999), std::pair(ReplyKeys::Answer::right, reply));
  EXPECT_EQ(old.check(token, 999).first, ReplyKeys::Answer::forged);
  EXPECT_EQ(other.check(token, 999).first, ReplyKeys::Answer::forged);
  for (std::size_t i = 0; i < token.size(); i++) { // whatever is changed
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(keys.check(changed, 999).first, ReplyKeys::Answer::forged) << i;
    EXPECT_EQ(keys.check(token.substr(0, i), 999).first, ReplyKeys::Answer::forged) << i;
  }
  for (const char *const wrong : {"", ".", "..", "a.b", "W10.W10"})
    EXPECT_EQ(keys.check(wrong, 0).first, ReplyKeys::Answer::forged) << wrong;
  for (const char *const wrong : {"", "k", "k:", ":aaaaaaaaaaaaaaaaaaaa", "k-1:aaaaaaaaaaaaaaaaaaaa", "k:short",
                                  "k1:aaaaaaaaaaaaaaaaaaaa,k2:short"})
    EXPECT_THROW(ReplyKeys{wrong}, Failure) << wrong;
}

TEST(Message, WebhookIsSigned) {
  const Message m = message_for(destination("webhook", R"({"headers": {"X-Team": "sales"}})"), delivery(), "secret",
                                {"https://r/a", "", ""});
  EXPECT_TRUE(m.sign);
  EXPECT_EQ(header(m, "Idempotency-Key"), "msg_1_2_3");
  EXPECT_EQ(header(m, "X-Team"), "sales");
  const Json body = Json::parse(m.body);
  EXPECT_EQ(body["type"], "routing.ready");
  EXPECT_EQ(body["data"]["reply"]["accept"], "https://r/a");
  EXPECT_FALSE(body["data"].contains("type"));
  EXPECT_THROW(message_for(destination("webhook"), delivery(), std::nullopt, {}), Failure);
}

TEST(Message, SlackIsWithinItsLimits) {
  Delivery d = delivery();
  std::string umlauts;
  for (int i = 0; i < 4000; i++) umlauts += "ü";
  d.payload["story"] = umlauts;
  d.payload["headline"] = umlauts;
  Destination to = destination("slack");
  to.url.reset();
  const Message m = message_for(to, d, "https://hooks.slack.com/services/x", {"a", "b", "c"});
  EXPECT_EQ(m.url, "https://hooks.slack.com/services/x");
  EXPECT_EQ(header(m, "Authorization"), "");
  const Json body = Json::parse(m.body); // which refuses a cut character
  EXPECT_LE(body["blocks"][0]["text"]["text"].get<std::string>().size(), 150u);
  EXPECT_LE(body["blocks"][2]["text"]["text"].get<std::string>().size(), 3000u);
  EXPECT_EQ(body["blocks"][3]["elements"].size(), 3u);
  for (const std::size_t before : {0u, 1u, 2u, 3u, 4u}) { // wherever it is cut
    d.payload["story"] = std::string(before, 'x') + std::string(1000, '&');
    const auto text = Json::parse(message_for(to, d, "https://hooks.slack.com/services/x", {}).body)["blocks"][2]["text"]["text"].get<std::string>();
    EXPECT_LE(text.size(), 3000u);
    EXPECT_TRUE(text.ends_with("&amp;…")) << text.substr(text.size() - 12);
  }
  EXPECT_THROW(message_for(to, d, std::nullopt, {}), Failure);
  EXPECT_EQ(refusal_in(to, R"({"ok": false, "error": "channel_not_found"})"), "channel_not_found");
  EXPECT_EQ(refusal_in(to, R"({"ok": false})"), "not ok");
  EXPECT_EQ(refusal_in(to, "ok"), "");
  EXPECT_EQ(refusal_in(destination("webhook"), R"({"ok": false})"), "");
}

TEST(Message, CrmsAreWrittenByTheRowsKey) {
  const Message task = message_for(destination("hubspot"), delivery(), "t", {"https://r/a", "", ""});
  EXPECT_EQ(task.url, "https://example.org/x/crm/v3/objects/tasks/batch/upsert");
  EXPECT_EQ(header(task, "Authorization"), "Bearer t");
  const Json input = Json::parse(task.body)["inputs"][0];
  EXPECT_EQ(input["id"], "pql_1_2");
  EXPECT_NE(input["properties"]["hs_task_body"].get<std::string>().find("&lt;asks&gt; &amp; &quot;pays&quot;.<br>"),
            std::string::npos);
  Delivery odd = delivery();
  odd.payload["story"] = "Kim's\x01";
  EXPECT_EQ(Json::parse(message_for(destination("hubspot"), odd, "t", {}).body)["inputs"][0]["properties"]["hs_task_body"],
            "Kim&#39;s\xEF\xBF\xBD");
  for (const std::size_t before : {0u, 1u, 2u, 3u}) { // wherever it is cut
    odd.payload["story"] = std::string(before, 'x') + std::string(20000, '\n');
    const auto text =
        Json::parse(message_for(destination("hubspot"), odd, "t", {}).body)["inputs"][0]["properties"]["hs_task_body"].get<std::string>();
    EXPECT_TRUE(text.ends_with("<br>…")) << text.substr(text.size() - 12);
  }
  const Message company =
      message_for(destination("hubspot", R"({"object": "companies", "id_property": "our_id"})"), delivery(), "t", {});
  EXPECT_EQ(company.url, "https://example.org/x/crm/v3/objects/companies/a%2Fc%20me?idProperty=our_id");
  const Message sf = message_for(destination("salesforce", R"({"key_field": "K__c", "api_version": "v60.0"})"),
                                 delivery("withdrawn"), "t", {});
  EXPECT_EQ(sf.url, "https://example.org/x/services/data/v60.0/sobjects/Task/K__c/pql_1_2");
  EXPECT_EQ(Json::parse(sf.body)["Status"], "Completed");
  EXPECT_FALSE(Json::parse(sf.body).contains("Description"));
  EXPECT_FALSE(follow_up(destination("hubspot"), delivery(), "t", R"({"results": [{"id": "7"}]})"));
  const auto link =
      follow_up(destination("hubspot", R"({"company": true})"), delivery(), "t", R"({"results": [{"id": "7"}]})");
  ASSERT_TRUE(link);
  EXPECT_EQ(link->url, "https://example.org/x/crm/v4/objects/tasks/7/associations/default/companies/a%2Fc%20me");
  EXPECT_FALSE(follow_up(destination("hubspot", R"({"company": true})"), delivery(), "t", "<html>"));
}

TEST(Metrics, ArePrometheusText) {
  DeliveryCounts counts;
  counts.attempts[{"hook", "sent"}] = 3;
  counts.seconds["hook"] = {0.25, 3};
  const std::string text = metrics_text({{"hook", 2, 1, 0, 3, 4, 5, 12.5, true}}, counts);
  for (const char *const line : {"pql_deliveries{destination=\"hook\",state=\"pending\"} 2\n",
                                 "pql_delivery_oldest_pending_seconds{destination=\"hook\"} 12.5\n",
                                 "pql_delivery_paused{destination=\"hook\"} 1\n",
                                 "pql_delivery_attempts_total{destination=\"hook\",result=\"sent\"} 3\n",
                                 "pql_delivery_seconds_sum{destination=\"hook\"} 0.25\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line;
}
