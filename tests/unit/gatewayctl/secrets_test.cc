#include "gatewayctl/secrets.h"

#include <gtest/gtest.h>

namespace holdfast::gatewayctl {
namespace {

std::string hide(std::string_view text) { return without_secrets(text, {}); }

TEST(Secrets, WhatIsKnownToBeOneIsHiddenWhereverItStands) {
  EXPECT_EQ(without_secrets("said hunter2 and hunter2000", {"hunter2", "hunter2000", "abc"}), "said [hidden] and [hidden]");
  EXPECT_EQ(without_secrets("abc", {"abc"}), "abc") << "too short to be told from words";
}

TEST(Secrets, ValuesOfNamesThatSpeakOfOne) {
  EXPECT_EQ(hide("  password: hunter2"), "  password: [hidden]");
  EXPECT_EQ(hide("\"api_key\": \"abc\","), "\"api_key\": [hidden]");
  EXPECT_EQ(hide("Authorization: Bearer abc"), "Authorization: [hidden]");
  EXPECT_EQ(hide("X-Auth-Token = abc"), "X-Auth-Token = [hidden]");
  EXPECT_EQ(hide("password_file: /etc/holdfast/pw"), "password_file: /etc/holdfast/pw") << "where it lies is no secret";
  EXPECT_EQ(hide("the password is wrong"), "the password is wrong");
  EXPECT_EQ(hide("password:"), "password:");
  EXPECT_EQ(hide("password_file: /x, secret: y"), "password_file: /x, secret: [hidden]");
}

TEST(Secrets, PartsOfUrls) {
  EXPECT_EQ(hide("url: \"https://hooks.example/services/T0/B1/xyz?k=v\""), "url: \"https://hooks.example/[hidden]\"");
  EXPECT_EQ(hide("smtp://user:pw@relay.example:587 x"), "smtp://[hidden]@relay.example:587 x");
  EXPECT_EQ(hide("https://a:b@h.example/p, http://i.example/"), "https://[hidden]@h.example/[hidden], http://i.example/");
}

TEST(Secrets, PrivateKeys) {
  EXPECT_EQ(hide("a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb"), "a\n[hidden]\nb");
  EXPECT_EQ(hide("-----BEGIN PRIVATE KEY-----\nMIIE"), "[hidden]") << "cut off in the middle";
  EXPECT_EQ(hide("-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----"), "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----");
}

TEST(Secrets, PeopleKeepTheirDomain) {
  EXPECT_EQ(without_people("from=<boss@example.org> to=<a@b.example>,x.y+z@c.example"), "from=<b..@example.org> to=<a@b.example>,x..@c.example");
  EXPECT_EQ(without_people("@example.org and no one"), "@example.org and no one");
}

}  // namespace
}  // namespace holdfast::gatewayctl
