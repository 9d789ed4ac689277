#include "common/config/config.h"

#include <gtest/gtest.h>

#include "tests/unit/config/texts.h"

namespace holdfast::config {
namespace {

TEST(Config, FindsDomainsInAnyCaseAndDestinationsAsWritten) {
  const Config c = good(kMinimal);
  ASSERT_NE(c.find_domain("EXAMPLE.Test"), nullptr);
  EXPECT_EQ(c.find_domain("example.org"), nullptr);
  EXPECT_EQ(c.find_domain("\xff.test"), nullptr);
  EXPECT_NE(c.find_destination("office"), nullptr);
  EXPECT_EQ(c.find_destination("Office"), nullptr);
}

TEST(Config, PostmasterIsLocalEverywhere) {
  const Config c = good(kMinimal);
  EXPECT_TRUE(c.is_local_recipient("postmaster@example.test"));
  EXPECT_FALSE(c.is_local_recipient("postmaster@example.org"));
  EXPECT_FALSE(c.is_local_recipient("sales@example.test"));
  EXPECT_TRUE(c.is_local_recipient("postmaster"));
  EXPECT_FALSE(c.is_local_recipient("sales"));
}

TEST(Config, LocalRecipientsAreFoundByTheirKey) {
  const Config c = good("hostname: a.b\ndestinations: {o: {servers: [h]}}\ndomains:\n"
                        "  Example.Test: {destination: o, local_recipients: [Sales, info@EXAMPLE.test, sales]}\n");
  EXPECT_TRUE(c.is_local_recipient("sales@example.test"));
  EXPECT_TRUE(c.is_local_recipient("info@example.test"));
  EXPECT_FALSE(c.is_local_recipient("other@example.test"));
  EXPECT_EQ(c.domains.at("example.test").local_recipients,
            (std::vector<std::string>{"info@example.test", "sales@example.test"}));
}

TEST(Config, AStarIsEverybodyAndIsWarnedOf) {
  const Config c = good("hostname: a.b\ndestinations: {o: {servers: [h]}}\ndomains:\n"
                        "  example.test: {destination: o, local_recipients: [\"*\"]}\n");
  EXPECT_TRUE(c.is_local_recipient("anyone@example.test"));
  ASSERT_EQ(c.warnings.size(), 1U);
  EXPECT_EQ(c.warnings[0], "g.yaml:4: domains.example.test.local_recipients: \"*\" keeps mail for addresses that may not "
                           "exist; their senders will hear of it late or never");
}

TEST(SpoolReserve, IsTheLessOfWhatWasGiven) {
  constexpr std::uint64_t kGiB = 1ULL << 30;
  EXPECT_EQ(SpoolReserve{}.bytes_of(100 * kGiB), kGiB);
  EXPECT_EQ(SpoolReserve{}.bytes_of(5 * kGiB), 5 * kGiB / 100 * 10);
  EXPECT_EQ((SpoolReserve{.percent = 0, .bytes = 2 * kGiB}.bytes_of(100 * kGiB)), 2 * kGiB);
  EXPECT_EQ((SpoolReserve{.percent = 10, .bytes = 0}.bytes_of(100 * kGiB)), 100 * kGiB / 100 * 10);
  EXPECT_EQ((SpoolReserve{.percent = 0, .bytes = 0}.bytes_of(kGiB)), 0U);
  EXPECT_EQ(SpoolReserve{}.inodes_of(1'000'000), 1000U);
  EXPECT_EQ(SpoolReserve{}.inodes_of(2000), 200U);
  EXPECT_EQ((SpoolReserve{.percent = 0, .bytes = 0}.inodes_of(2000)), 0U);
}

}  // namespace
}  // namespace holdfast::config
