#include "common/net/interfaces.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace holdfast::net {
namespace {

TEST(InterfaceAddresses, LoopbackIsAmongThem) {
  const auto all = interface_addresses();
  EXPECT_TRUE(std::ranges::any_of(all, [](const auto& a) { return a.host() == "127.0.0.1" && a.port() == 0; }));
}

}  // namespace
}  // namespace holdfast::net
