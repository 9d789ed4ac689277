// What is kept of the answers of a real name server, and how long.
#include "common/destination/mx_routes.h"

#include <gtest/gtest.h>

#include "tests/unit/dns/name_server.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::destination {
namespace {

class MxRoutesTest : public testing::Test {
 protected:
  static config::ConfigPtr config(const net::SocketAddress& name_server) {
    auto made = std::make_shared<config::Config>();
    made->hostname = "gw.example.test";
    made->listen = {{"127.0.0.1", 2525}};
    made->resolvers = {{name_server.host(), name_server.port()}};
    made->trust_anchors = "off";
    return made;
  }
  void find(MxRoutes& routes, const std::string& domain) {
    routes.find({domain, 25}, [this](const Route& route) { got.push_back(route); });
  }
  bool found(std::size_t n, net::Millis within = net::Millis{10'000}) {
    return bench.until([&] { return got.size() >= n; }, within);
  }

  test::Bench bench;
  std::vector<Route> got;
};

const char* const kZone = "one IN MX 10 a\none IN MX 10 b\nnone IN MX 0 .\na IN A 127.0.0.1\nb IN A 127.0.0.2\n";

TEST_F(MxRoutesTest, TheSameAnswerIsTheSamePointer) {
  const dns::NameServer names(kZone);
  MxRoutes routes(bench.loop, config(names.address()));
  find(routes, "one.mail.test");
  EXPECT_TRUE(got.empty()) << "called back inside find()";
  ASSERT_TRUE(found(1));
  ASSERT_TRUE(got[0]) << got[0].error().text;
  routes.reload(config(names.address()));  // looks it up again, in an order that chance gives
  find(routes, "one.mail.test");
  ASSERT_TRUE(found(2));
  EXPECT_EQ(*got[0], *got[1]);
  EXPECT_EQ((*got[0])->servers.size(), 2U);
}

TEST_F(MxRoutesTest, TheLastGoodAnswerServesWhileNobodyAnswers) {
  const dns::SilentServer silent;
  auto names = std::make_unique<dns::NameServer>(kZone);
  MxRoutes routes(bench.loop, config(names->address()));
  find(routes, "one.mail.test");
  ASSERT_TRUE(found(1));
  routes.reload(config(silent.address()));
  find(routes, "one.mail.test");
  EXPECT_FALSE(found(2, MxRoutes::kPatience / 2)) << "a better one is waited for";
  ASSERT_TRUE(found(2));
  ASSERT_TRUE(got[1]);
  EXPECT_EQ(*got[0], *got[1]);
}

TEST_F(MxRoutesTest, AFinalWordEndsAnOlderAnswer) {
  const dns::NameServer good(kZone), null("one IN MX 0 .\n");
  MxRoutes routes(bench.loop, config(good.address()));
  find(routes, "one.mail.test");
  ASSERT_TRUE(found(1));
  ASSERT_TRUE(got[0]);
  routes.reload(config(null.address()));
  find(routes, "one.mail.test");
  ASSERT_TRUE(found(2));
  ASSERT_FALSE(got[1]);
  EXPECT_EQ(got[1].error().dsn, "5.1.10");
  find(routes, "one.mail.test");
  ASSERT_TRUE(found(3, net::Millis{500})) << "repeated without asking anew";
  EXPECT_FALSE(got[2]);
}

TEST_F(MxRoutesTest, DestinationsByMxAreLookedUpAtTheStart) {
  const dns::SilentServer silent;
  const dns::NameServer names(kZone);
  const auto with = [&](const net::SocketAddress& address) {
    auto made = std::make_shared<config::Config>(*config(address));
    made->destinations["backup/one.mail.test"] = {.name = "backup/one.mail.test", .mx = true, .mx_domain = "one.mail.test"};
    made->destinations["backup/one.mail.test"].tls.dane = false;  // as find() below asks
    return made;
  };
  MxRoutes routes(bench.loop, with(names.address()));
  const base::Mono begun = base::mono_now();
  bench.until([&] { return base::mono_now() - begun > net::Millis{1000}; });
  routes.reload(with(silent.address()));
  find(routes, "one.mail.test");
  ASSERT_TRUE(found(1));
  EXPECT_TRUE(got[0]) << "nobody had asked while the name server lived";
}

TEST_F(MxRoutesTest, EndsWithALookupUnderWay) {
  const dns::SilentServer silent;
  {
    MxRoutes routes(bench.loop, config(silent.address()));
    find(routes, "one.mail.test");
    EXPECT_FALSE(found(1, net::Millis{50}));
  }
  EXPECT_FALSE(found(1, net::Millis{50}));
}

}  // namespace
}  // namespace holdfast::destination
