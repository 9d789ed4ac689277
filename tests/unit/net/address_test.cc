#include "common/net/address.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace holdfast::net {
namespace {

TEST(SocketAddress, ShowsBothFamilies) {
  const auto v4 = SocketAddress::ip("192.0.2.1", 25);
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->text(), "192.0.2.1:25");
  EXPECT_EQ(v4->literal(), "[192.0.2.1]");
  EXPECT_EQ(v4->ip_address(), base::IpAddress::parse("192.0.2.1"));
  const auto v6 = SocketAddress::ip("2001:db8::1", 25);
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->text(), "[2001:db8::1]:25");
  EXPECT_EQ(v6->literal(), "[IPv6:2001:db8::1]");
  EXPECT_EQ(v6->port(), 25);
  EXPECT_EQ(v6->ip_address(), base::IpAddress::parse("2001:db8::1"));
}

TEST(SocketAddress, RefusesNames) { EXPECT_FALSE(SocketAddress::ip("mail.example.test", 25)); }

TEST(SocketAddress, RefusesAPathThatDoesNotFit) {
  EXPECT_FALSE(SocketAddress::unix_path(std::string(200, 'x')));
}

TEST(ListenOn, ReplacesAStaleSocketButNotALivingOne) {
  const std::string path = "/tmp/holdfast-unit-" + std::to_string(::getpid()) + ".sock";
  const auto address = *SocketAddress::unix_path(path);
  {
    const auto first = listen_on(address);
    ASSERT_TRUE(first);
    const auto second = listen_on(address);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, base::Kind::kUnavailable);
  }
  EXPECT_TRUE(listen_on(address));
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace holdfast::net
