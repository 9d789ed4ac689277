#include "common/base/text.h"

#include <set>

#include <gtest/gtest.h>

namespace holdfast::base {
namespace {

TEST(Text, CaseIsAsciiOnly) {
  EXPECT_EQ(to_lower("ABCxyz@[\\]{\xC4"), "abcxyz@[\\]{\xC4");
  EXPECT_TRUE(iequals("PostMaster", "pOSTmASTER"));
  EXPECT_FALSE(iequals("a", "ab"));
  EXPECT_FALSE(iequals("[", "{")) << "these differ by the case bit, and are no letters";
  EXPECT_TRUE(istarts_with("EHLO x", "ehlo"));
  EXPECT_FALSE(istarts_with("EH", "ehlo"));
}

TEST(Text, Trim) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim("  "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string_view>{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
}

TEST(Text, ANumberIsAllOfIt) {
  EXPECT_EQ(to_number("0"), 0u);
  EXPECT_EQ(to_number("18446744073709551615"), 18446744073709551615ULL);
  for (const char* bad : {"", " 1", "1 ", "-1", "+1", "0x10", "1.5", "18446744073709551616"}) {
    EXPECT_FALSE(to_number(bad).has_value()) << bad;
  }
}

TEST(Text, PrintableHidesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("a b~"), "a b~");
  EXPECT_EQ(printable("\x1b[2J\r\n\x7f\xC3"), "\\x1B[2J\\x0D\\x0A\\x7F\\xC3");
}

TEST(Text, TheNearestIsASlipOfTheHand) {
  const std::vector<std::string> known = {"hostname", "listen", "destinations", "domains"};
  EXPECT_EQ(nearest("hostnam", known), "hostname");
  EXPECT_EQ(nearest("LISTEN", known), "listen");
  EXPECT_EQ(nearest("destination", known), "destinations");
  EXPECT_FALSE(nearest("milters", known).has_value());
  EXPECT_FALSE(nearest("x", {}).has_value());
}

TEST(Text, TokensAreHexAndNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string token = random_token();
    ASSERT_EQ(token.size(), 32u);
    ASSERT_EQ(token.find_first_not_of("0123456789abcdef"), std::string::npos);
    seen.insert(token);
  }
  EXPECT_EQ(seen.size(), 100u);
}

}  // namespace
}  // namespace holdfast::base
