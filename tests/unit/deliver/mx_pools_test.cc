// Pools by MX, with a real name server.
#include "deliver/mx_pools.h"

#include <gtest/gtest.h>

#include "tests/unit/dns/name_server.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::deliver {
namespace {

using Result = std::expected<std::shared_ptr<upstream::Pool>, dns::Refusal>;

class MxPoolsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    names_ = std::make_unique<dns::NameServer>(
        "one IN MX 10 a\none IN MX 20 b\nnone IN MX 0 .\n*.many IN MX 10 a\n"
        "a IN A 127.0.0.1\nb IN A 127.0.0.2\n");
  }
  static void TearDownTestSuite() { names_.reset(); }

  config::ConfigPtr config(const net::SocketAddress& name_server) {
    auto made = std::make_shared<config::Config>();
    made->hostname = "gw.example.test";
    made->listen = {{"127.0.0.1", 2525}};
    made->resolvers = {{name_server.host(), name_server.port()}};
    made->bounces.mx_port = server.port();
    made->bounce_road.mx = true;
    return made;
  }
  config::ConfigPtr config() { return config(names_->address()); }

  std::shared_ptr<destination::MxRoutes> routes(config::ConfigPtr with) {
    return std::make_shared<destination::MxRoutes>(bench.loop, std::move(with));
  }
  void find(MxPools& pools, const std::string& domain) {
    pools.find(destination, domain, [this](Result result) { results.push_back(std::move(result)); });
  }
  bool found(std::size_t n) {
    return bench.until([&] { return results.size() >= n; });
  }

  static inline std::unique_ptr<dns::NameServer> names_;
  test::Bench bench;
  test::ScriptedServer server{bench.loop};
  const config::Destination destination{.name = "bounces", .mx = true};
  std::vector<Result> results;
};

TEST_F(MxPoolsTest, TheServersOfTheDomainInTheirOrder) {
  MxPools pools(bench.loop, config(), routes(config()));
  find(pools, "one.mail.test");
  EXPECT_TRUE(results.empty()) << "called back inside find()";
  ASSERT_TRUE(found(1));
  ASSERT_TRUE(results[0]) << results[0].error().text;
  const auto& servers = (*results[0])->options().servers;
  ASSERT_EQ(servers.size(), 2u);
  EXPECT_EQ(servers[0].name, "a.mail.test");
  EXPECT_EQ(servers[0].host, "127.0.0.1");
  EXPECT_EQ(servers[0].port, server.port());
  EXPECT_EQ(servers[1].name, "b.mail.test");
  std::string relay;
  const auto waiter = (*results[0])->acquire({}, [&](upstream::AcquireResult got) {
    ASSERT_TRUE(got) << got.error().reason;
    relay = got->relay();
  });
  ASSERT_TRUE(bench.until([&] { return !relay.empty(); }));
  EXPECT_EQ(relay, "a.mail.test[127.0.0.1]:" + std::to_string(server.port()));
}

TEST_F(MxPoolsTest, OnePoolADomainForAllItsJobs) {
  MxPools pools(bench.loop, config(), routes(config()));
  find(pools, "one.mail.test");
  find(pools, "one.mail.test");
  ASSERT_TRUE(found(2));
  find(pools, "one.mail.test");
  ASSERT_TRUE(found(3));
  EXPECT_EQ(*results[0], *results[1]);
  EXPECT_EQ(*results[0], *results[2]);
  EXPECT_EQ((*results[0])->options().limit, 3);
}

TEST_F(MxPoolsTest, ARefusalIsToldAndNotKept) {
  MxPools pools(bench.loop, config(), routes(config()));
  find(pools, "none.mail.test");
  ASSERT_TRUE(found(1));
  EXPECT_EQ(results[0].error().dsn, "5.1.10");
  pools.job_ended("bounces", "none.mail.test");
  EXPECT_EQ(pools.size(), 0u);
}

TEST_F(MxPoolsTest, TheirNumberIsBounded) {
  MxPools pools(bench.loop, config(), routes(config()));
  for (std::size_t i = 0; i < 2 * kMostIdlePools; ++i) find(pools, "d" + std::to_string(i) + ".many.mail.test");
  ASSERT_TRUE(found(2 * kMostIdlePools));
  EXPECT_EQ(pools.size(), 2 * kMostIdlePools) << "none with a job goes";
  for (std::size_t i = 0; i < 2 * kMostIdlePools; ++i) {
    pools.job_ended("bounces", "d" + std::to_string(i) + ".many.mail.test");
  }
  EXPECT_EQ(pools.size(), kMostIdlePools);
}

TEST_F(MxPoolsTest, AReloadLooksUpAnew) {
  const dns::SilentServer silent;
  const auto by = routes(config(silent.address()));
  MxPools pools(bench.loop, config(silent.address()), by);
  find(pools, "one.mail.test");
  EXPECT_FALSE(bench.until([&] { return !results.empty(); }, net::Millis{100}));
  by->reload(config());
  pools.reload(config());
  ASSERT_TRUE(found(1));
  EXPECT_TRUE(results[0]);
}

TEST_F(MxPoolsTest, EndsWithALookupUnderWay) {
  const dns::SilentServer silent;
  {
    MxPools pools(bench.loop, config(silent.address()), routes(config(silent.address())));
    find(pools, "one.mail.test");
    EXPECT_FALSE(bench.until([&] { return !results.empty(); }, net::Millis{50}));
  }
  EXPECT_FALSE(bench.until([&] { return !results.empty(); }, net::Millis{50}));
}

}  // namespace
}  // namespace holdfast::deliver
