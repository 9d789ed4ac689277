#include "common/scanning/health.h"

#include <gtest/gtest.h>

namespace holdfast::scanning {
namespace {

class HealthTest : public testing::Test {
 protected:
  void fail(int times) {
    for (int i = 0; i < times; ++i) health.note("virus", "closed the connection", now);
  }
  bool asked(const std::string& filter = "virus") { return health.left_alone(filter, now).empty(); }

  Health health;
  base::Mono now{std::chrono::hours{1}};
};

TEST_F(HealthTest, OneThatFailsNowAndThenIsAsked) {
  EXPECT_TRUE(asked());
  for (int i = 0; i < 10; ++i) {
    fail(Health::kFailures - 1);
    EXPECT_TRUE(asked());
    health.note("virus", "", now);
  }
}

TEST_F(HealthTest, OneThatFailsInARowIsLeftAloneForAWhile) {
  fail(Health::kFailures);
  EXPECT_EQ(health.left_alone("virus", now), "failed 3 times in a row, and is left alone");
  EXPECT_TRUE(asked("spam"));
  now += Health::kPause - base::Millis{1};
  EXPECT_FALSE(asked());
}

TEST_F(HealthTest, AfterThePauseOneTriesIt) {
  fail(Health::kFailures);
  now += Health::kPause;
  EXPECT_TRUE(asked());
  EXPECT_FALSE(asked()) << "the others wait for what he finds";
  fail(1);
  now += Health::kPause - base::Millis{1};
  EXPECT_FALSE(asked());
  now += base::Millis{1};
  EXPECT_TRUE(asked());
  health.note("virus", "", now);
  EXPECT_TRUE(asked());
  fail(Health::kFailures - 1);
  EXPECT_TRUE(asked()) << "it begins anew";
}

TEST_F(HealthTest, WhatIsNoMoreIsForgotten) {
  health.note("spam", "closed the connection", now);
  fail(Health::kFailures);
  config::Config config;
  config.filters.push_back({.name = "virus"});
  health.reload(config);
  EXPECT_FALSE(asked());
  config.filters.clear();
  health.reload(config);
  EXPECT_TRUE(asked());
}

}  // namespace
}  // namespace holdfast::scanning
