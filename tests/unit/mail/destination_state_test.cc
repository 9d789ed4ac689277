#include "common/mail/destination_state.h"

#include <gtest/gtest.h>

namespace holdfast::mail {
namespace {

TEST(DestinationState, Texts) {
  EXPECT_EQ(to_text(DestinationState::kUp), "up");
  EXPECT_EQ(to_text(DestinationState::kDown), "down");
  EXPECT_EQ(to_text(DestinationState::kDraining), "draining");
  EXPECT_EQ(to_text(DestinationState::kPaused), "paused");
}

TEST(Capabilities, Text) {
  Capabilities caps;
  EXPECT_EQ(caps.text(), "");
  caps.pipelining = caps.size = caps.eightbitmime = true;
  caps.size_limit = 10240000;
  EXPECT_EQ(caps.text(), "PIPELINING SIZE=10240000 8BITMIME");
  caps.size_limit = 0;
  caps.pipelining = false;
  caps.dsn = true;
  EXPECT_EQ(caps.text(), "SIZE 8BITMIME DSN");
}

}  // namespace
}  // namespace holdfast::mail
