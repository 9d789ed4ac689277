#include "smtpd/bypass.h"

#include <gtest/gtest.h>

namespace holdfast::smtpd {
namespace {

using enum storage::HandWord;

TEST(Bypass, AnOutageByTheConfigurationOrTheHand) {
  config::Config config;
  config::Domain domain;
  domain.name = "example.test";
  EXPECT_TRUE(bypassed(config, domain, true, kAuto));
  EXPECT_FALSE(bypassed(config, domain, false, kAuto)) << "up, or paused";
  EXPECT_TRUE(bypassed(config, domain, false, kBypass));
  EXPECT_FALSE(bypassed(config, domain, true, kAsk));
  domain.filtering = "run";
  EXPECT_FALSE(bypassed(config, domain, true, kAuto));
  EXPECT_TRUE(bypassed(config, domain, true, kBypass));
}

TEST(HandWord, EndsByItself) {
  const storage::FilteringByHand hand{.word = kBypass, .since_ms = 10, .until_ms = 20, .by = "root"};
  EXPECT_EQ(hand.at(19), kBypass);
  EXPECT_EQ(hand.at(20), kAuto);
  EXPECT_EQ((storage::FilteringByHand{.word = kAsk, .by = {}}).at(1'000'000), kAsk) << "until it is said otherwise";
}

}  // namespace
}  // namespace holdfast::smtpd
