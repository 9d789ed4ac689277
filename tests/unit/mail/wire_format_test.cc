#include "common/mail/wire_format.h"

#include <gtest/gtest.h>

namespace holdfast::mail {
namespace {

TEST(WireFormat, TakesOneDotFromEveryLine) {
  EXPECT_EQ(from_wire("a\r\n..\r\n...b\r\nc.d\r\n"), "a\r\n.\r\n..b\r\nc.d\r\n");
  EXPECT_EQ(from_wire(""), "");
  EXPECT_EQ(from_wire("..\r\n"), ".\r\n");
}

TEST(WireFormat, DoublesDotsAndEndsLines) {
  EXPECT_EQ(to_wire("a\n.b\r\n.\nc"), "a\r\n..b\r\n..\r\nc\r\n");
  EXPECT_EQ(to_wire(""), "");
  EXPECT_EQ(to_wire("\n"), "\r\n");
}

TEST(WireFormat, ThereAndBack) {
  const std::string plain = "Subject: x\r\n\r\n.\r\n..\r\nend\r\n";
  EXPECT_EQ(from_wire(to_wire(plain)), plain);
}

}  // namespace
}  // namespace holdfast::mail
