#include "smtpd/client_limits.h"

#include <vector>

#include <gtest/gtest.h>

namespace holdfast::smtpd {
namespace {

using Place = ClientLimits::Place;

base::IpAddress ip(std::string_view text) { return *base::IpAddress::parse(text); }
base::Mono at(int seconds) { return base::Mono{base::Seconds{6000 + seconds}}; }

class ClientLimitsTest : public ::testing::Test {
 protected:
  ClientLimits make(std::uint32_t worker = 0) { return {board, worker, 2, config}; }
  bool enters(ClientLimits& limits, std::string_view client, int second = 0) {
    places.emplace_back();
    return !limits.enter(ip(client), at(second), places.back());
  }

  const daemon::Board board = daemon::Board::alone(2);
  config::Config config;
  std::vector<Place> places;
};

TEST_F(ClientLimitsTest, ConnectionsOfAnAddress) {
  config.clients.connections = 2;
  auto limits = make();
  EXPECT_TRUE(enters(limits, "192.0.2.1"));
  EXPECT_TRUE(enters(limits, "192.0.2.1"));
  Place third;
  const auto refusal = limits.enter(ip("192.0.2.1"), at(0), third);
  ASSERT_TRUE(refusal);
  EXPECT_TRUE(refusal->text().starts_with("421 4.7.0 ")) << refusal->text();
  EXPECT_EQ(limits.gauges().refused_connections, 1u);
  EXPECT_TRUE(enters(limits, "192.0.2.2"));
  third.leave();
  EXPECT_FALSE(enters(limits, "192.0.2.1"));
  places.clear();
  EXPECT_TRUE(enters(limits, "192.0.2.1"));
}

TEST_F(ClientLimitsTest, ConnectionsOfANetworkOfIpv6) {
  config.clients.connections = 1;
  auto limits = make();
  EXPECT_TRUE(enters(limits, "2001:db8:0:1::1"));
  EXPECT_FALSE(enters(limits, "2001:db8:0:1:ffff::2"));
  EXPECT_TRUE(enters(limits, "2001:db8:0:2::1"));
}

TEST_F(ClientLimitsTest, CountsOverAllWorkers) {
  config.clients.connections = 2;
  auto first = make(0), second = make(1);
  EXPECT_TRUE(enters(first, "192.0.2.1"));
  EXPECT_TRUE(enters(second, "192.0.2.1"));
  EXPECT_FALSE(enters(first, "192.0.2.1"));
}

TEST_F(ClientLimitsTest, APlaceThatMovesIsLeftOnce) {
  config.clients.connections = 1;
  auto limits = make();
  Place here;
  EXPECT_FALSE(limits.enter(ip("192.0.2.1"), at(0), here));
  Place moved = std::move(here);
  here.leave();
  EXPECT_FALSE(enters(limits, "192.0.2.1"));
  places.clear();
  moved = Place();
  EXPECT_TRUE(enters(limits, "192.0.2.1"));
}

TEST_F(ClientLimitsTest, TheTrustedAreNotCounted) {
  config.clients = {.connections = 1, .connection_rate = 1, .message_rate = 1, .recipient_rate = 1};
  auto limits = make();
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(enters(limits, "127.0.0.9"));
    EXPECT_TRUE(places.back().trusted());
    EXPECT_FALSE(limits.message(places.back(), at(0)));
    EXPECT_FALSE(limits.recipient(places.back(), at(0)));
  }
}

TEST_F(ClientLimitsTest, Rates) {
  config.clients = {.connections = 0, .connection_rate = 3, .message_rate = 2, .recipient_rate = 4};
  auto limits = make();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(enters(limits, "192.0.2.1"));
  EXPECT_FALSE(enters(limits, "192.0.2.1", 1));
  EXPECT_TRUE(enters(limits, "192.0.2.1", 180));

  const Place& place = places.back();
  EXPECT_FALSE(limits.message(place, at(0)));
  EXPECT_FALSE(limits.message(place, at(1)));
  EXPECT_EQ(limits.message(place, at(2))->text(), "450 4.7.1 Too many messages from your network, try again later");
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(limits.recipient(place, at(0)));
  EXPECT_TRUE(limits.recipient(place, at(0))->text().starts_with("450 4.7.1 "));
  EXPECT_FALSE(limits.recipient(place, at(180)));
  EXPECT_EQ(limits.gauges().refused_messages, 1u);
  EXPECT_EQ(limits.gauges().refused_recipients, 1u);
}

TEST_F(ClientLimitsTest, WhatIsKeptInAnHour) {
  config.clients.kept_of_client = 2;
  config.clients.kept_for_recipient = 3;
  auto limits = make();
  Place one, other, ours;
  EXPECT_FALSE(limits.enter(ip("192.0.2.1"), at(0), one));
  EXPECT_FALSE(limits.enter(ip("192.0.2.2"), at(0), other));
  EXPECT_FALSE(limits.enter(ip("127.0.0.1"), at(0), ours));
  EXPECT_FALSE(limits.keep(one, "a@x.test", false, at(0)));
  EXPECT_FALSE(limits.keep(one, "b@x.test", true, at(0))) << "another recipient of the same message";
  EXPECT_FALSE(limits.keep(one, "b@x.test", false, at(60)));
  EXPECT_TRUE(limits.keep(one, "c@x.test", false, at(120))->text().starts_with("451 4.7.1 "));
  EXPECT_FALSE(limits.keep(other, "b@x.test", false, at(120)));
  EXPECT_TRUE(limits.keep(other, "b@x.test", false, at(180))->text().starts_with("452 4.3.1 "));
  EXPECT_TRUE(limits.keep(ours, "b@x.test", false, at(180))) << "a recipient's limit holds for all";
  EXPECT_FALSE(limits.keep(ours, "d@x.test", false, at(180)));
  EXPECT_EQ(limits.gauges().refused_kept, 3u);
  EXPECT_FALSE(limits.keep(one, "c@x.test", false, at(3 * 3600)));
}

TEST_F(ClientLimitsTest, AReloadIsInForceAtOnce) {
  config.clients.connections = 1;
  auto limits = make();
  EXPECT_TRUE(enters(limits, "192.0.2.1"));
  EXPECT_FALSE(enters(limits, "192.0.2.1"));
  config.clients.connections = 10;
  limits.reload(config);
  EXPECT_TRUE(enters(limits, "192.0.2.1"));
}

}  // namespace
}  // namespace holdfast::smtpd
