#include "common/destination/pool_options.h"

#include <gtest/gtest.h>

namespace holdfast::destination {
namespace {

using base::Seconds;

config::Destination office() {
  config::Destination out{.name = "office", .servers = {{"10.0.0.5", 25}, {"2001:db8::1", 2525}}};
  out.probe.interval = Seconds{100};
  return out;
}

storage::DestinationRow row(std::int64_t confirmed_ms) {
  storage::DestinationRow out;
  out.confirmed_ms = confirmed_ms;
  out.servers = {{.server = "10.0.0.5:25", .up = false}, {.server = "[2001:db8::1]:2525", .up = true}};
  return out;
}

TEST(ServerNames, AsConfigured) {
  const auto names = server_names(office());
  ASSERT_EQ(names.size(), 2u);
  EXPECT_EQ(names[1].host, "2001:db8::1");
  EXPECT_EQ(names[1].port, 2525);
  EXPECT_EQ(names[1].text, "[2001:db8::1]:2525");
}

TEST(TimeoutsOf, NothingIsWaitedForLongerThanTheDot) {
  auto destination = office();
  EXPECT_EQ(timeouts_of(destination), upstream::Timeouts{});
  destination.timeouts.dot = Seconds{10};
  EXPECT_EQ(timeouts_of(destination).data, Seconds{10});
  EXPECT_EQ(timeouts_of(destination).content, Seconds{10});
}

TEST(PoolOptions, FitAsLongAsNothingOfThemChanges) {
  auto destination = office();
  const auto options = pool_options(destination, "mx.test");
  EXPECT_TRUE(fits(options, destination, "mx.test"));
  EXPECT_FALSE(fits(options, destination, "other.test"));
  destination.timeouts.dot = Seconds{10};
  EXPECT_FALSE(fits(options, destination, "mx.test"));
  destination = office();
  destination.client = "proxy";
  EXPECT_FALSE(fits(options, destination, "mx.test"));
  EXPECT_EQ(manner_of(destination).tell, upstream::Manner::Tell::kProxy);
  destination = office();
  destination.protocol = "lmtp";
  EXPECT_FALSE(fits(options, destination, "mx.test"));
  EXPECT_TRUE(pool_options(destination, "mx.test").manner.lmtp);
  destination = office();
  destination.servers.pop_back();
  EXPECT_FALSE(fits(options, destination, "mx.test"));
}

TEST(Usable, AsTheProberSays) {
  const auto names = server_names(office());
  const auto now = base::from_millis(1'000'000);
  EXPECT_FALSE(usable(row(1'000'000), office(), names[0], now));
  EXPECT_TRUE(usable(row(1'000'000), office(), names[1], now));
  EXPECT_TRUE(usable(row(1'000'000), office(), {.host = "new", .text = "new:25"}, now));
  EXPECT_TRUE(usable(std::nullopt, office(), names[0], now));
}

TEST(Usable, OnlyWhileTheProberStandsByIt) {
  const auto names = server_names(office());
  EXPECT_FALSE(usable(row(1'000'000), office(), names[0], base::from_millis(1'300'000)));
  EXPECT_TRUE(usable(row(1'000'000), office(), names[0], base::from_millis(1'300'001)));
}

}  // namespace
}  // namespace holdfast::destination
