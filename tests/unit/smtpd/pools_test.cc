#include "smtpd/pools.h"

#include <gtest/gtest.h>

namespace holdfast::smtpd {
namespace {

using mail::DestinationState;

TEST(ConnectionShare, NeverTakesMoreThanItsShareOfTheWhole) {
  for (int most = 4; most <= 100; ++most) {
    for (int workers = 1; workers <= 2; ++workers) {
      EXPECT_LE(workers * connection_share(most, DestinationState::kUp, workers) + std::max(1, most / 4), most);
      EXPECT_LE(workers * connection_share(most, DestinationState::kDraining, workers) + std::max(1, most / 2), most);
    }
  }
}

TEST(ConnectionShare, IsNeverNothing) { EXPECT_EQ(connection_share(1, DestinationState::kDraining, 8), 1); }

TEST(ConnectionShare, OfTheDefault) {
  EXPECT_EQ(connection_share(20, DestinationState::kUp, 2), 7);
  EXPECT_EQ(connection_share(20, DestinationState::kDraining, 2), 5);
}

}  // namespace
}  // namespace holdfast::smtpd
