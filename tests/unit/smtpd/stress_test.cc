#include "smtpd/stress.h"

#include <gtest/gtest.h>

namespace holdfast::smtpd {
namespace {

TEST(Stress, BeginsAndEndsOnce) {
  Stress stress;
  EXPECT_FALSE(stress.update(79, 100, 80));
  EXPECT_FALSE(stress.on());
  EXPECT_TRUE(stress.update(80, 100, 80));
  EXPECT_FALSE(stress.update(81, 100, 80));
  EXPECT_FALSE(stress.update(72, 100, 80));
  EXPECT_TRUE(stress.on());
  EXPECT_TRUE(stress.update(71, 100, 80));
  EXPECT_FALSE(stress.update(79, 100, 80));
  EXPECT_FALSE(stress.on());
}

TEST(Stress, OfFewClients) {
  Stress stress;
  EXPECT_FALSE(stress.update(7, 10, 80));
  EXPECT_TRUE(stress.update(8, 10, 80));
  EXPECT_TRUE(stress.update(7, 10, 80));
}

TEST(Stress, NeverWhereItIsTurnedOff) {
  Stress stress;
  EXPECT_FALSE(stress.update(100, 100, 101));
}

}  // namespace
}  // namespace holdfast::smtpd
