#include "common/net/resolver.h"

#include <gtest/gtest.h>

namespace holdfast::net {
namespace {

base::Result<std::vector<SocketAddress>> resolve(const std::string& host) {
  Loop loop;
  Resolver resolver(loop);
  base::Result<std::vector<SocketAddress>> out = base::fail(base::Kind::kInternal, "not called");
  bool inside = true;
  resolver.resolve(host, 25, [&](base::Result<std::vector<SocketAddress>> result) {
    EXPECT_FALSE(inside) << "called back inside resolve()";
    out = std::move(result);
    loop.stop();
  });
  inside = false;
  loop.run();
  return out;
}

TEST(Resolver, TakesLiteralsAsTheyAre) {
  const auto found = resolve("192.0.2.7");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().text(), "192.0.2.7:25");
  ASSERT_TRUE(resolve("2001:db8::7"));
}

TEST(Resolver, ReadsTheHostsFile) {
  const auto found = resolve("localhost");
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_FALSE(found->empty());
}

TEST(Resolver, CallsNobodyBackAfterItsEnd) {
  Loop loop;
  {
    Resolver resolver(loop);
    resolver.resolve("127.0.0.1", 25, [](auto) { FAIL() << "called back"; });
  }
  loop.stop();
  loop.run();
}

}  // namespace
}  // namespace holdfast::net
