#include "master/listeners.h"

#include <gtest/gtest.h>

#include "common/net/address.h"

namespace holdfast::master {
namespace {

// A port of 127.0.0.1 that is free at the moment.
config::HostPort free_port() {
  const auto fd = net::listen_on(net::SocketAddress::ip("127.0.0.1", 0).value()).value();
  sockaddr_storage raw{};
  socklen_t length = sizeof raw;
  EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&raw), &length), 0);
  return {"127.0.0.1", net::SocketAddress(reinterpret_cast<sockaddr*>(&raw), length).port()};
}

bool become(Listeners& listeners, const std::vector<config::HostPort>& wanted) {
  auto fresh = listeners.bind_missing(wanted);
  EXPECT_TRUE(fresh) << fresh.error().text;
  return listeners.become(wanted, std::move(*fresh));
}

TEST(Listeners, KeepWhatStays) {
  const auto a = free_port(), b = free_port();
  Listeners listeners;
  EXPECT_TRUE(become(listeners, {a}));
  const int kept = listeners.fds().front();
  EXPECT_FALSE(become(listeners, {a}));
  EXPECT_TRUE(become(listeners, {a, b}));
  EXPECT_EQ(listeners.fds().front(), kept);
  EXPECT_EQ(listeners.fds().size(), 2U);
  EXPECT_TRUE(become(listeners, {b}));
  EXPECT_EQ(listeners.text(), b.text());
}

TEST(Listeners, AnAddressInUseIsNamed) {
  const auto taken = free_port();
  Listeners first, second;
  become(first, {taken});
  const auto refused = second.bind_missing({taken});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, base::Kind::kUnavailable);
  EXPECT_NE(refused.error().text.find("cannot listen on " + taken.text()), std::string::npos) << refused.error().text;
  EXPECT_NE(refused.error().text.find("Address already in use"), std::string::npos) << refused.error().text;
}

TEST(Listeners, AForeignAddressIsRefused) {
  Listeners listeners;
  const auto refused = listeners.bind_missing({{"192.0.2.77", 2525}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, base::Kind::kUnavailable);
}

}  // namespace
}  // namespace holdfast::master
