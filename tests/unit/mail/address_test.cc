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

// RFC 5321 section 4.1.3.
TEST(ParseAddress, LooksIntoLiterals) {
  for (const char* good : {"[1.2.3.4]", "[255.255.255.255]", "[IPv6:::]", "[ipv6:::1]", "[IPv6:1::]", "[IPv6:1:2:3:4:5:6:7:8]",
                           "[IPv6:1:2:3:4:5:6:1.2.3.4]", "[IPv6:::ffff:1.2.3.4]", "[IPv6:fe80::1:2]", "[x-tag:any!content]"}) {
    EXPECT_TRUE(parse_address(std::string("a@") + good)) << good;
  }
  for (const char* bad : {"[1.2.3]", "[1.2.3.256]", "[1.2.3.4.5]", "[1.2.3.0004]", "[IPv6:]", "[IPv6:1]", "[IPv6::1]", "[IPv6:1:]",
                          "[IPv6:1::2::3]", "[IPv6:12345::]", "[IPv6:g::]", "[IPv6:1:2:3:4:5:6:7:8:9]", "[IPv6:1:2:3:4:5:6:7::8]9",
                          "[IPv6::::]", "[IPv6:1.2.3.4::]", "[IPv6:1:2:3:4:5:6:7:1.2.3.4]", "[tag-:x]", "[:x]", "[tag:]", "[tag:a[b]",
                          "[host]", "[1.2.3.4", "1.2.3.4]", "[IPv6:fe80::1%eth0]"}) {
    EXPECT_FALSE(parse_address(std::string("a@") + bad)) << bad;
  }
}

// RFC 6531 section 3.3.
TEST(ParseAddress, RefusesALiteralThatCouldEndAPath) {
  EXPECT_TRUE(parse_address("a@[x-tag:b:c]"));
  for (const char* bad : {"a@[x-tag:>]", "a@[x-tag:<]", "a@[x-tag:\"]", "a@[x-tag:b@c]"}) EXPECT_FALSE(parse_address(bad)) << bad;
}

TEST(ParseAddress, SeesTheWholeOfAnInternationalDomain) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(parse_address("a@\xc3\xbc.test\0.test"sv, true));
  EXPECT_FALSE(parse_address("a@\xc3\xbc.test\0> X"sv, true));
}

TEST(ParseAddress, TakesUtf8WhereItIsAllowed) {
  for (const char* good : {"\xc3\xa4@b.test", "\"\xc3\xa4 \\\xc3\xa4\"@b.test", "a@b\xc3\xbc" "cher.test", "\xf0\x9f\x98\x80@b.test"}) {
    const auto address = parse_address(good, true);
    ASSERT_TRUE(address) << good;
    EXPECT_EQ(address->text(), good);
    EXPECT_FALSE(address->ascii());
    EXPECT_FALSE(parse_address(good)) << good;
  }
  EXPECT_TRUE(parse_address("a@b.test", true)->ascii());
  for (const char* bad : {"\xc3@b.test", "\xc0\xaf@b.test", "\xed\xa0\x80@b.test", "a@\xc3\xa4..test", "a@-\xc3\xa4.test", "a@\xe2\x80\xae.test",
                          "a@[\xc3\xa4]", "\xc3\xa4@\xc3", "\xff\xfe@b.test"}) {
    EXPECT_FALSE(parse_address(bad, true)) << bad;
  }
  std::string name;
  for (int i = 0; i < 60; ++i) name += "\xc3\xa4";
  EXPECT_FALSE(parse_address("a@" + name + ".test", true)) << "its A-label has more than 63 characters";
}

TEST(RecipientKey, HasTheDomainInItsALabelForm) {
  EXPECT_EQ(recipient_key(*parse_address("J\xc3\xbcrgen+x@B\xc3\xbc" "cher.TEST", true), "+"), "j\xc3\xbcrgen@xn--bcher-kva.test");
  EXPECT_EQ(recipient_key(*parse_address("a@XN--BCHER-KVA.test"), "+"), "a@xn--bcher-kva.test");
}

// Whose name is whose is the last "@"'s word; what stands before is the destination's.
TEST(ParseAddress, LeavesPercentAndBangAlone) {
  EXPECT_EQ(parse_address("user%other.test@ours.test")->domain, "ours.test");
  EXPECT_EQ(parse_address("other.test!user@ours.test")->domain, "ours.test");
  EXPECT_EQ(parse_address("\"user@other.test\"@ours.test")->domain, "ours.test");
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
