#include "common/mail/address.h"

#include <gtest/gtest.h>

namespace holdfast::mail {
namespace {

TEST(ParseAddress, TakesTheUsualOnes) {
  for (const char* text :
       {"a@b", "a.b+c@example.test", "a..b.@docomo.example", "#!%&'*=?^_`{|}~@x-y.test", "\"john smith\"@x.test",
        "\"a\\\"b@c>\"@x.test", "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", "a@under_score.test", "A@EXAMPLE.TEST"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->text(), text);
  }
}

TEST(ParseAddress, SplitsAtTheRightSign) {
  const auto address = parse_address("\"a@b\"@c.test");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->local, "\"a@b\"");
  EXPECT_EQ(address->domain, "c.test");
}

TEST(ParseAddress, RefusesWhatIsNone) {
  for (const char* text :
       {"",      "a",     "@b",        "a@",    "a@b.",       "a@.b",       "a@b..c",   "a b@c",    "a@b c", "a@-b",
        "a@b-",  "a@[",   "a@[]",      "a@[1",  "a@b@c",      "\"a@b",      "\"a\"b@c", "a\"b\"@c", "a@b<",  "a,b@c",
        "a@b\r", "a\n@b", "\"a\n\"@b", "\"a\\", "\xc3\xa4@b", "a@\xc3\xa4", "a@[1 2]",  "<a@b>"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(ParseAddress, KeepsTheLimits) {
  const auto local = [](std::size_t n) { return std::string(n, 'l') + "@x.test"; };
  EXPECT_TRUE(parse_address(local(kMaxLocal)));
  EXPECT_FALSE(parse_address(local(kMaxLocal + 1)));
  const std::string label(63, 'd');
  EXPECT_TRUE(parse_address("a@" + label + "." + label + "." + label + "." + label));
  EXPECT_FALSE(parse_address("a@" + label + "d.test"));
  EXPECT_FALSE(parse_address("a@" + label + "." + label + "." + label + "." + label + ".x"));
  EXPECT_FALSE(parse_address(std::string(kMaxLocal, 'l') + "@" + label + "." + label + "." + label));
}

TEST(ParsePath, TakesBracketsAndLeavesTheRest) {
  std::string_view rest;
  const auto address = parse_path("<a@b.test> SIZE=1", {}, rest);
  ASSERT_TRUE(address);
  EXPECT_EQ(address->text(), "a@b.test");
  EXPECT_EQ(rest, " SIZE=1");
}

TEST(ParsePath, ClosesOutsideQuotesOnly) {
  std::string_view rest;
  const auto address = parse_path("<\"a>b\\\"\"@c.test>x", {}, rest);
  ASSERT_TRUE(address);
  EXPECT_EQ(address->local, "\"a>b\\\"\"");
  EXPECT_EQ(rest, "x");
}

TEST(ParsePath, NullAndPostmasterOnlyWhereAllowed) {
  std::string_view rest;
  EXPECT_FALSE(parse_path("<>", {}, rest));
  const auto null = parse_path("<>", {.allow_null = true}, rest);
  ASSERT_TRUE(null);
  EXPECT_TRUE(null->null());
  EXPECT_EQ(null->text(), "");
  EXPECT_FALSE(parse_path("<PostMaster>", {}, rest));
  const auto postmaster = parse_path("<PostMaster>", {.allow_postmaster = true}, rest);
  ASSERT_TRUE(postmaster);
  EXPECT_EQ(postmaster->text(), "PostMaster");
  EXPECT_FALSE(parse_path("<somebody>", {.allow_postmaster = true}, rest));
}

TEST(ParsePath, DropsSourceRoutes) {
  std::string_view rest;
  const auto address = parse_path("<@a.test,@b.test:c@d.test>", {}, rest);
  ASSERT_TRUE(address);
  EXPECT_EQ(address->text(), "c@d.test");
  EXPECT_FALSE(parse_path("<@a.test>", {}, rest));
  EXPECT_FALSE(parse_path("<a.test:c@d.test>", {}, rest));
  EXPECT_FALSE(parse_path("<@a.test,:c@d.test>", {}, rest));
}

TEST(ParsePath, RefusesOpenOnes) {
  std::string_view rest;
  for (const char* text : {"", "a@b", "<a@b", "<\"a@b>", "a@b>", "<<a@b>"}) {
    EXPECT_FALSE(parse_path(text, {.allow_null = true}, rest)) << text;
  }
}

std::string key(std::string_view text, std::string_view delimiter = "+") {
  return recipient_key(*parse_address(text), delimiter);
}

TEST(RecipientKey, FoldsAndCutsTheExtension) {
  EXPECT_EQ(key("John.Doe@Example.TEST"), "john.doe@example.test");
  EXPECT_EQ(key("john+Lists@x.test"), "john@x.test");
  EXPECT_EQ(key("john+a+b@x.test"), "john@x.test");
  EXPECT_EQ(key("john+a@x.test", ""), "john+a@x.test");
  EXPECT_EQ(key("john-a@x.test", "+-"), "john@x.test");
  EXPECT_EQ(key("+john@x.test"), "+john@x.test");
}

TEST(RecipientKey, DropsNeedlessQuotes) {
  EXPECT_EQ(key("\"John\"@x.test"), "john@x.test");
  EXPECT_EQ(key("\"J\\ohn\"@x.test"), "john@x.test");
  EXPECT_EQ(key("\"John+tag\"@x.test"), "john@x.test");
  EXPECT_EQ(key("\"John Smith\"@x.test"), "\"john smith\"@x.test");
  EXPECT_EQ(key("\"\"@x.test"), "\"\"@x.test");
}

TEST(RecipientKey, OfPostmasterWithoutDomain) { EXPECT_EQ(recipient_key({"Postmaster", ""}, "+"), "postmaster"); }

TEST(OneTimeAddress, KnowsSrsAndBatv) {
  for (const char* text : {"SRS0=abc=de=x.test=joe@y.test", "srs1+abc@y.test", "SRS0-a@y.test", "prvs=123=joe@x.test",
                           "PRVS=1@x.test", "btv1==joe@x.test", "msprvs1=12345=joe@x.test"}) {
    EXPECT_TRUE(is_one_time_address(*parse_address(text))) << text;
  }
  for (const char* text : {"srs0@y.test", "srs0x=a@y.test", "prvs@x.test", "joe@x.test", "srs2=a@y.test"}) {
    EXPECT_FALSE(is_one_time_address(*parse_address(text))) << text;
  }
}

}  // namespace
}  // namespace holdfast::mail
