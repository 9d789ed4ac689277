#include "alertd/lookout.h"

#include <gtest/gtest.h>

namespace holdfast::alertd {
namespace {

constexpr std::int64_t kNow = 1'795'339'013'000, kHour = 3'600'000, kDay = 24 * kHour;

TEST(Sights, AQueueIsLongUntilItIsClearlyShorter) {
  EXPECT_FALSE(sight_of_length(1000, 1000, false).raised);
  EXPECT_TRUE(sight_of_length(1001, 1000, false).raised);
  EXPECT_TRUE(sight_of_length(800, 1000, true).raised);
  EXPECT_FALSE(sight_of_length(750, 1000, true).raised);
  EXPECT_FALSE(sight_of_length(1'000'000, 0, true).raised) << "no number is too many";
}

TEST(Sights, AMessageIsOld) {
  EXPECT_FALSE(sight_of_age(std::nullopt, kDay, kNow).raised);
  EXPECT_FALSE(sight_of_age(kNow - kDay, kDay, kNow).raised);
  EXPECT_TRUE(sight_of_age(kNow - kDay - 1, kDay, kNow).raised);
  EXPECT_FALSE(sight_of_age(kNow - 100 * kDay, 0, kNow).raised);
}

TEST(Sights, MailExpiresSoonWithinADayOrHalfItsLife) {
  EXPECT_FALSE(sight_of_expiry("office", 0, 0, kNow).raised) << "none expires";
  EXPECT_FALSE(sight_of_expiry("office", kNow - 2 * kDay, kNow + kDay + 1, kNow).raised);
  EXPECT_TRUE(sight_of_expiry("office", kNow - 3 * kDay, kNow + kDay, kNow).raised);
  EXPECT_FALSE(sight_of_expiry("office", kNow, kNow + kHour, kNow).raised) << "it never had a day";
  EXPECT_TRUE(sight_of_expiry("office", kNow - kHour, kNow + kHour, kNow).raised);
}

storage::DomainRow row(std::uint64_t accepted, std::uint64_t covered) {
  storage::DomainRow out;
  out.coverage = {{.day = kNow / kDay, .accepted = accepted, .covered = covered}};
  return out;
}

TEST(Sights, ADomainIsUncoveredWhenEnoughMailSaysSo) {
  EXPECT_FALSE(sight_of_coverage("a.test", std::nullopt, kNow).raised);
  EXPECT_FALSE(sight_of_coverage("a.test", row(19, 0), kNow).raised) << "the first mails of a new domain";
  EXPECT_TRUE(sight_of_coverage("a.test", row(20, 0), kNow).raised);
  EXPECT_FALSE(sight_of_coverage("a.test", row(100, 50), kNow).raised);
}

TEST(Sights, ACertificateEnds) {
  EXPECT_FALSE(sight_of_certificate("c.pem", kNow + 15 * kDay, 14 * kDay, kNow).raised);
  const auto soon = sight_of_certificate("c.pem", kNow + 13 * kDay, 14 * kDay, kNow);
  EXPECT_TRUE(soon.raised);
  EXPECT_TRUE(soon.cause.starts_with("it ends at ")) << soon.cause;
  EXPECT_TRUE(sight_of_certificate("c.pem", kNow - kDay, 14 * kDay, kNow).cause.starts_with("it ended at "));
  EXPECT_FALSE(sight_of_certificate("c.pem", kNow - kDay, 0, kNow).raised);
}

}  // namespace
}  // namespace holdfast::alertd
