#include "smtpd/client_filters.h"

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace holdfast::smtpd {
namespace {

net::SocketAddress at(const char* address, std::uint16_t port) { return *net::SocketAddress::ip(address, port); }

TEST(ClientFilters, AreChosenByTheListenerThatAClientCameBy) {
  EXPECT_TRUE(came_by({}, at("192.0.2.1", 25)));
  EXPECT_TRUE(came_by({"192.0.2.1:25"}, at("192.0.2.1", 25)));
  EXPECT_TRUE(came_by({"0.0.0.0:25"}, at("192.0.2.1", 25)));
  EXPECT_TRUE(came_by({"10.0.0.1:25", "[::]:25"}, at("2001:db8::1", 25)));
  EXPECT_TRUE(came_by({"[2001:db8::1]:25"}, at("2001:db8::1", 25)));

  EXPECT_FALSE(came_by({"192.0.2.1:2525"}, at("192.0.2.1", 25)));
  EXPECT_FALSE(came_by({"192.0.2.2:25"}, at("192.0.2.1", 25)));
  EXPECT_FALSE(came_by({"0.0.0.0:587"}, at("192.0.2.1", 25)));
  EXPECT_FALSE(came_by({"[::]:25"}, at("192.0.2.1", 25))) << "that one takes IPv6 alone";
  EXPECT_FALSE(came_by({"0.0.0.0:25"}, at("2001:db8::1", 25)));
}

}  // namespace
}  // namespace holdfast::smtpd
