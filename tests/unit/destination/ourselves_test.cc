#include "common/destination/ourselves.h"

#include <gtest/gtest.h>

namespace holdfast::destination {
namespace {

net::SocketAddress at(const std::string& ip, std::uint16_t port) { return *net::SocketAddress::ip(ip, port); }

TEST(ListensOn, TheVeryAddress) {
  const std::vector<config::HostPort> listen{{"192.0.2.1", 25}, {"2001:db8::1", 25}};
  EXPECT_TRUE(listens_on(listen, {}, at("192.0.2.1", 25)));
  EXPECT_TRUE(listens_on(listen, {}, at("2001:db8::1", 25)));
  EXPECT_FALSE(listens_on(listen, {}, at("192.0.2.1", 26)));
  EXPECT_FALSE(listens_on(listen, {}, at("192.0.2.2", 25)));
}

TEST(ListensOn, AnyAddressOfThisHostOfThatFamily) {
  const std::vector<net::SocketAddress> of_this_host{at("192.0.2.1", 0), at("2001:db8::1", 0)};
  EXPECT_TRUE(listens_on({{"0.0.0.0", 25}}, of_this_host, at("192.0.2.1", 25)));
  EXPECT_FALSE(listens_on({{"0.0.0.0", 25}}, of_this_host, at("192.0.2.1", 26)));
  EXPECT_FALSE(listens_on({{"0.0.0.0", 25}}, of_this_host, at("192.0.2.2", 25)));
  EXPECT_FALSE(listens_on({{"0.0.0.0", 25}}, of_this_host, at("2001:db8::1", 25)));
  EXPECT_TRUE(listens_on({{"::", 25}}, of_this_host, at("2001:db8::1", 25)));
}

TEST(Ourselves, ByNameAndOnLoopback) {
  config::Config config;
  config.hostname = "mx.example.test";
  config.listen = {{"0.0.0.0", 2525}};
  const auto we = ourselves(config);
  EXPECT_EQ(we.names, std::vector<std::string>{"mx.example.test"});
  EXPECT_TRUE(we.listens_on(at("127.0.0.1", 2525)));
  EXPECT_FALSE(we.listens_on(at("127.0.0.1", 25)));
}

}  // namespace
}  // namespace holdfast::destination
