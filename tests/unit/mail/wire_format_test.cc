#include "common/mail/wire_format.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace holdfast::mail {
namespace {

TEST(WireFormat, TakesOneDotFromEveryLine) {
  EXPECT_EQ(from_wire("a\r\n..\r\n...b\r\nc.d\r\n"), "a\r\n.\r\n..b\r\nc.d\r\n");
  EXPECT_EQ(from_wire(""), "");
  EXPECT_EQ(from_wire("..\r\n"), ".\r\n");
}

std::string encoded(const std::vector<std::string>& pieces) {
  WireEncoder encoder;
  std::string out;
  for (const auto& piece : pieces) out += encoder.take(piece);
  return out + encoder.finish();
}

TEST(WireEncoder, StuffsDotsAndEndsLines) {
  EXPECT_EQ(encoded({"a\r\n.b\r\n..\r\nc"}), "a\r\n..b\r\n...\r\nc\r\n");
  EXPECT_EQ(encoded({"a\n.b\n"}), "a\r\n..b\r\n");
  EXPECT_EQ(encoded({"a\rb\n\rc"}), "a\r\nb\r\n\r\nc\r\n");
  EXPECT_EQ(encoded({""}), "");
}

TEST(WireEncoder, PiecesDoNotMatter) {
  const std::string plain = ".a\r\n.\r\nb\n.c\r.d";
  std::vector<std::string> bytes;
  for (const char c : plain) bytes.emplace_back(1, c);
  EXPECT_EQ(encoded(bytes), encoded({plain}));
  EXPECT_EQ(encoded(bytes), "..a\r\n..\r\nb\r\n..c\r\n..d\r\n");
}

TEST(WireEncoder, IsTheWayBack) {
  const std::string wire = "Subject: x\r\n\r\n..\r\n...a.\r\n\r\n";
  EXPECT_EQ(encoded({from_wire(wire)}), wire);
}

}  // namespace
}  // namespace holdfast::mail
