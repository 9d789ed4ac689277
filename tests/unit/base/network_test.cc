#include "common/base/network.h"

#include <gtest/gtest.h>

namespace holdfast::base {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
Network net(std::string_view text) { return Network::parse(text).value(); }

TEST(IpAddress, IsReadAndWritten) {
  EXPECT_EQ(ip("192.0.2.1").text(), "192.0.2.1");
  EXPECT_EQ(ip("2001:db8:0::1").text(), "2001:db8::1");
  EXPECT_EQ(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
  for (const auto* bad : {"", "mx.test", "192.0.2", "192.0.2.256", "1.2.3.4 ", "[::1]", "::1%lo", "2001:db8::1::2"}) {
    EXPECT_FALSE(IpAddress::parse(bad)) << bad;
  }
  EXPECT_FALSE(IpAddress::parse(std::string(200, '1')));
}

TEST(IpAddress, ReverseName) {
  EXPECT_EQ(ip("192.0.2.1").reverse_name(), "1.2.0.192.in-addr.arpa");
  EXPECT_EQ(ip("2001:db8::1").reverse_name(), "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST(Network, Contains) {
  EXPECT_TRUE(net("10.0.0.0/8").contains(ip("10.255.1.2")));
  EXPECT_FALSE(net("10.0.0.0/8").contains(ip("11.0.0.0")));
  EXPECT_TRUE(net("192.0.2.128/25").contains(ip("192.0.2.200")));
  EXPECT_FALSE(net("192.0.2.128/25").contains(ip("192.0.2.127")));
  EXPECT_TRUE(net("192.0.2.1").contains(ip("192.0.2.1")));
  EXPECT_FALSE(net("192.0.2.1").contains(ip("192.0.2.2")));
  EXPECT_TRUE(net("2001:db8::/33").contains(ip("2001:db8:7fff::1")));
  EXPECT_FALSE(net("2001:db8::/33").contains(ip("2001:db8:8000::1")));
  EXPECT_TRUE(net("0.0.0.0/0").contains(ip("203.0.113.9")));
  EXPECT_FALSE(net("0.0.0.0/0").contains(ip("2001:db8::1")));
  EXPECT_TRUE(net("::/0").contains(ip("203.0.113.9")));
}

TEST(Network, BadOnes) {
  for (const auto* bad : {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "/8", "x/8", "10.0.0.0/8/8", ""}) {
    EXPECT_FALSE(Network::parse(bad)) << bad;
  }
}

TEST(Network, Text) {
  for (const auto* text : {"10.0.0.0/8", "192.0.2.1", "0.0.0.0/0", "2001:db8::/32", "::1", "::/0"}) {
    EXPECT_EQ(net(text).text(), text);
  }
}

TEST(Network, AroundAClient) {
  EXPECT_EQ(Network::around(ip("192.0.2.77"), 24, 64).text(), "192.0.2.0/24");
  EXPECT_EQ(Network::around(ip("192.0.2.77"), 32, 64).text(), "192.0.2.77");
  EXPECT_EQ(Network::around(ip("2001:db8:1:2:3:4:5:6"), 32, 64).text(), "2001:db8:1:2::/64");
}

}  // namespace
}  // namespace holdfast::base
