#include "smtpd/crowd.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace holdfast::smtpd {
namespace {

TEST(ClientsFor, LeaveRoomForWhatEachNeeds) {
  EXPECT_EQ(clients_for(20'064), 10'000u);
  EXPECT_EQ(clients_for(1'024), 480u);
  EXPECT_EQ(clients_for(10), 1u);
}

TEST(TurnedAway, ByNumber) {
  EXPECT_EQ(turned_away(9, 10), "");
  EXPECT_EQ(turned_away(10, 10), kTooMany);
}

TEST(TurnedAway, ByTheLimitAsItIsNow) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{.rlim_cur = 84, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  EXPECT_EQ(turned_away(9, 100), "");
  EXPECT_EQ(turned_away(10, 100), kShort);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(turned_away(10, 100), "");
}

}  // namespace
}  // namespace holdfast::smtpd
