#include "webd/http.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace holdfast::webd {
namespace {

TEST(Target, IsTakenApart) {
  const auto t = parse_target("/api/v1/destinations/backup%2Fexample.org?a=1&b=x+y%26&a=2&c");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->path, (std::vector<std::string>{"api", "v1", "destinations", "backup/example.org"}));
  EXPECT_EQ(t->query.at("a"), "1") << "the first of two";
  EXPECT_EQ(t->query.at("b"), "x y&");
  EXPECT_EQ(t->query.at("c"), "");
  EXPECT_EQ(parse_target("/")->path, std::vector<std::string>{""});
  EXPECT_EQ(parse_target("/%41%7e")->path, std::vector<std::string>{"A~"}) << "the last byte counts too";
}

TEST(Target, HostileOnesAreNone) {
  for (const char* bad : {"", "x", "http://a/b", "/%", "/%4", "/%zz", "/%00", "/a?b=%00", "/../etc/passwd", "/a/%2e%2e/b", "/a/./b"}) {
    EXPECT_FALSE(parse_target(bad)) << bad;
  }
  std::string many = "/?";
  for (int i = 0; i < 100; ++i) many += "k" + std::to_string(i) + "=v&";
  EXPECT_FALSE(parse_target(many));
}

TEST(Cookie, IsFoundAmongOthers) {
  EXPECT_EQ(cookie("a=1; holdfast=xyz; b=2", "holdfast"), "xyz");
  EXPECT_EQ(cookie("holdfast=", "holdfast"), "");
  EXPECT_FALSE(cookie("xholdfast=1; holdfas=2", "holdfast"));
  EXPECT_FALSE(cookie("", "holdfast"));
  EXPECT_EQ(cookie("holdfast=a=b", "holdfast"), "a=b");
}

TEST(Bearer, IsOneWord) {
  EXPECT_EQ(bearer("Bearer hf_1"), "hf_1");
  EXPECT_EQ(bearer("bearer  hf_1 "), "hf_1");
  EXPECT_FALSE(bearer("Basic hf_1"));
  EXPECT_FALSE(bearer("Bearer"));
}

TEST(Origin, IsTheHostThatWasAsked) {
  Request r;
  r.headers["host"] = "mx.test:8025";
  EXPECT_TRUE(same_origin(r)) << "no browser";
  r.headers["origin"] = "https://mx.test:8025";
  EXPECT_TRUE(same_origin(r));
  for (const char* other : {"https://evil.test", "null", "https://mx.test", "https://mx.test:8025.evil.test", "mx.test:8025"}) {
    r.headers["origin"] = other;
    EXPECT_FALSE(same_origin(r)) << other;
  }
  r.headers["origin"] = "https://mx.test:8025";
  r.headers["sec-fetch-site"] = "cross-site";
  EXPECT_FALSE(same_origin(r));
  r.headers["sec-fetch-site"] = "same-origin";
  EXPECT_TRUE(same_origin(r));
}

TEST(Loopback, IsNotWhoeverAProxySpeaksFor) {
  Request r;
  for (const char* here : {"127.0.0.1", "127.9.9.9", "::1"}) {
    r.address = here;
    EXPECT_TRUE(from_loopback(r)) << here;
  }
  r.headers["x-forwarded-for"] = "192.0.2.1";
  EXPECT_FALSE(from_loopback(r));
  r.headers.clear();
  r.address = "192.0.2.1";
  EXPECT_FALSE(from_loopback(r));
  r.address = "";
  EXPECT_FALSE(from_loopback(r));
}

TEST(Errors, AreJsonWhateverTheyQuote) {
  const auto response = error_response({base::Kind::kNotFound, "no \"such\" \\ thing\n\x01<script>"});
  EXPECT_EQ(response.status, 404);
  EXPECT_TRUE(response.body.starts_with("{\"error\":{\"kind\":\"not_found\",\"text\":\"no \\\"such\\\" \\\\ thing\\\\x0A\\\\x01<script>"))
      << response.body;
  EXPECT_EQ(error_response({base::Kind::kInternal, "x"}).status, 500);
}

TEST(Caching, KnowsItsTagAndWhatPacks) {
  EXPECT_TRUE(etag_matches("\"a\", W/\"b\"", "\"b\""));
  EXPECT_FALSE(etag_matches("\"a\"", "\"b\""));
  EXPECT_TRUE(takes_gzip("br, gzip;q=0.5"));
  EXPECT_FALSE(takes_gzip("gzip;q=0"));
  EXPECT_FALSE(takes_gzip(""));
}

TEST(Safety, NoAnswerLacksItsPolicy) {
  const auto headers = safety_headers(true);
  for (const char* name : {"Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
                           "Strict-Transport-Security"}) {
    EXPECT_TRUE(std::ranges::any_of(headers, [&](const auto& h) { return h.first == name; })) << name;
  }
  EXPECT_EQ(headers.front().second.find("unsafe"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::webd
