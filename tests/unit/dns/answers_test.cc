#include "common/dns/answers.h"

#include <gtest/gtest.h>

namespace holdfast::dns {
namespace {

using namespace std::string_view_literals;

TEST(ReadMx, PreferenceAndName) {
  EXPECT_EQ(read_mx("\x00\x0a\x03mx1\x07" "Example\x03org\x00"sv), (Mx{10, "mx1.example.org"}));
  EXPECT_EQ(read_mx("\xff\xfe\x01" "a\x00"sv), (Mx{65534, "a"}));
}

TEST(ReadMx, TheRootIsAnEmptyHost) { EXPECT_EQ(read_mx("\x00\x00\x00"sv), (Mx{0, ""})); }

TEST(ReadMx, WhatIsNoRecordOrNoHost) {
  EXPECT_EQ(read_mx(""sv), std::nullopt);
  EXPECT_EQ(read_mx("\x00\x0a"sv), std::nullopt);
  EXPECT_EQ(read_mx("\x00\x0a\x03mx1"sv), std::nullopt) << "no end";
  EXPECT_EQ(read_mx("\x00\x0a\x09mx1\x00"sv), std::nullopt) << "a label longer than the data";
  EXPECT_EQ(read_mx("\x00\x0a\x03mx1\x00x"sv), std::nullopt) << "bytes behind";
  EXPECT_EQ(read_mx("\x00\x0a\xc0\x0c"sv), std::nullopt) << "compressed";
  EXPECT_EQ(read_mx("\x00\x0a\x03m.x\x00"sv), std::nullopt) << "a dot inside a label";
  EXPECT_EQ(read_mx("\x00\x0a\x03m\r\n\x00"sv), std::nullopt);
  EXPECT_EQ(read_mx("\x00\x0a\x02m \x00"sv), std::nullopt);
}

TEST(ReadHost, ANameThatAHostCanHave) {
  EXPECT_EQ(read_host("\x02mx\x07" "Example\x03org\x00"sv), "mx.example.org");
  EXPECT_EQ(read_host("\x00"sv), std::nullopt) << "the root";
  EXPECT_EQ(read_host("\x03m]x\x00"sv), std::nullopt);
  EXPECT_EQ(read_host(""sv), std::nullopt);
}

TEST(ReadAddress, BothFamilies) {
  EXPECT_EQ(read_address("\xc0\x00\x02\x01"sv, 25)->text(), "192.0.2.1:25");
  EXPECT_EQ(read_address("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"sv, 2525)->text(), "[2001:db8::1]:2525");
  EXPECT_EQ(read_address("\xc0\x00\x02"sv, 25), std::nullopt);
  EXPECT_EQ(read_address(""sv, 25), std::nullopt);
}

TEST(AsciiName, OfAnyDomain) {
  EXPECT_EQ(ascii_name("Example.ORG"), "example.org");
  EXPECT_EQ(ascii_name("example.org."), "example.org");
  EXPECT_EQ(ascii_name("localhost"), "localhost");
  EXPECT_FALSE(ascii_name(std::string_view("\xc3\xbc\0.test", 8)));
  EXPECT_EQ(ascii_name("b\xc3\xbc" "cher.example"), "xn--bcher-kva.example");
}

TEST(AsciiName, WhatIsNoDomain) {
  for (const std::string name : {"", ".", "a..b", ".a", "a b", "a\nb", "[192.0.2.1]", "a@b", "b\xc3", "x/y"}) {
    EXPECT_EQ(ascii_name(name), std::nullopt) << name;
  }
  EXPECT_EQ(ascii_name(std::string(64, 'a') + ".org"), std::nullopt) << "a label of 64";
  std::string longest;
  for (int i = 0; i < 126; ++i) longest += "a.";
  EXPECT_NE(ascii_name(longest + "a"), std::nullopt) << "253 bytes";
  EXPECT_EQ(ascii_name(longest + "aa"), std::nullopt) << "254 bytes";
}

}  // namespace
}  // namespace holdfast::dns
