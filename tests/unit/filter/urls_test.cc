#include "filter/urls.h"

#include <set>

#include <gtest/gtest.h>

namespace holdfast::filter {
namespace {

std::set<std::string> hosts(std::string_view text, bool html = false) {
  std::set<std::string> out;
  find_hosts(text, html, [&](const std::string& host) { return out.insert(host), true; });
  return out;
}

using Set = std::set<std::string>;

TEST(Urls, InAText) {
  EXPECT_EQ(hosts("go to http://Evil.test/x?y, or https://user:pw@b.test:8080#z."), (Set{"evil.test", "b.test"}));
  EXPECT_EQ(hosts("<http://evil.test>"), Set{"evil.test"});
  EXPECT_EQ(hosts("www.evil.test, or evil.test/path"), (Set{"www.evil.test", "evil.test"}));
  EXPECT_EQ(hosts("http:\\\\evil.test\\x"), Set{"evil.test"});
  EXPECT_EQ(hosts("http://good.test@evil.test/"), Set{"evil.test"});
  EXPECT_EQ(hosts("ftp://[2001:db8::1]/"), Set{"[2001:db8::1]"});
}

TEST(Urls, AreNotMailboxesOrMereNames) { EXPECT_EQ(hosts("a@evil.test wrote: evil.test is a host. 3.5 and more... http: //"), Set{}); }

TEST(Urls, AreFolded) {
  EXPECT_EQ(hosts("http://b\xC3\xBC" "cher.example/"), Set{"xn--bcher-kva.example"});
  EXPECT_EQ(hosts("http://ev%69l.te%73t/"), Set{"evil.test"});
  EXPECT_EQ(hosts("http://evil\xE3\x80\x82test/"), Set{"evil.test"});  // an ideographic full stop
  EXPECT_EQ(hosts("http://evil.test./"), Set{"evil.test"});
  EXPECT_EQ(hosts("http://3232235777/ http://0xC0.168.1.1/"), Set{"192.168.1.1"});
}

TEST(Urls, WithinOthers) { EXPECT_TRUE(hosts("https://go.test/?u=https%3A%2F%2Fevil.test%2Fx").contains("evil.test")); }

TEST(Urls, InHtml) {
  EXPECT_EQ(hosts("<a href=\"&#104;ttp&colon;&sol;&#x2f;evil&period;test/\">", true), Set{"evil.test"});
  EXPECT_TRUE(hosts("<a href='htt\np://ev\til.test/'>", true).contains("evil.test"));
  EXPECT_TRUE(hosts("<img src=//evil.test/a.png>", true).contains("evil.test"));
  EXPECT_TRUE(hosts("<a href=https:evil.test>", true).contains("evil.test"));
}

TEST(Urls, EntitiesAreResolved) {
  EXPECT_EQ(without_entities("a&amp;b&#65;&#x42;&#67 &nosuch; & &#; &#x110000;"), "a&bABC &nosuch; & &#; ");
  EXPECT_EQ(without_entities("&#252;"), "\xC3\xBC");
}

TEST(Urls, OfAnyShapeEnd) {
  for (const std::string unit : {"//", "http:", "a.", "www.", "%2f", "&#", "@", "http://@:", "::"}) {
    std::string text;
    while (text.size() < 300'000) text += unit;
    hosts(text, true);
    hosts(text, false);
  }
  SUCCEED();
}

TEST(Urls, TheSearchStopsWhenAsked) {
  int seen = 0;
  find_hosts("http://a.test http://b.test http://c.test", false, [&](const std::string&) { return ++seen < 2; });
  EXPECT_EQ(seen, 2);
}

}  // namespace
}  // namespace holdfast::filter
