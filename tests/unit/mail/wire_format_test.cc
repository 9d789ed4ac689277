#include "common/mail/wire_format.h"

#include <gtest/gtest.h>

namespace holdfast::mail {
namespace {

TEST(WireFormat, TakesOneDotFromEveryLine) {
  EXPECT_EQ(from_wire("a\r\n..\r\n...b\r\nc.d\r\n"), "a\r\n.\r\n..b\r\nc.d\r\n");
  EXPECT_EQ(from_wire(""), "");
  EXPECT_EQ(from_wire("..\r\n"), ".\r\n");
}

}  // namespace
}  // namespace holdfast::mail
