// A pool whose servers are found anew for each connection.
#include "tests/unit/upstream/pool_fixture.h"

namespace holdfast::upstream {
namespace {

class PoolFoundTest : public PoolTest {
 protected:
  std::shared_ptr<Pool> pool_of(const ScriptedServer& server) {
    return std::make_shared<Pool>(bench.loop, resolver, PoolOptions{.servers = {name_of(server)}, .helo = "gw.test", .limit = 2},
                                  callbacks());
  }
  void make_finding() {
    pool = std::make_unique<Pool>(bench.loop, resolver, [this](Pool::Found found) { asked.push_back(std::move(found)); },
                                  PoolOptions{.helo = "gw.test", .limit = 2});
  }
  bool asked_for(std::size_t n) {
    return bench.until([&] { return asked.size() >= n; });
  }
  static std::string server_of(const Got& got) { return got.lease ? got.lease->server().text : "none"; }

  std::vector<Pool::Found> asked;
};

TEST_F(PoolFoundTest, EachConnectionIsAskedFor) {
  make_finding();
  const auto one = pool_of(first), two = pool_of(second);
  auto got = ask();
  EXPECT_TRUE(asked.empty()) << "asked inside acquire()";
  ASSERT_TRUE(asked_for(1));
  asked[0](one);
  ASSERT_TRUE(bench.until([&] { return got->done(); }));
  EXPECT_EQ(server_of(*got), text_of(first));
  EXPECT_EQ(pool->connections(), 1);
  auto next = ask();
  ASSERT_TRUE(asked_for(2));
  asked[1](two);
  ASSERT_TRUE(bench.until([&] { return next->done(); }));
  EXPECT_EQ(server_of(*next), text_of(second)) << "the servers have changed";
}

TEST_F(PoolFoundTest, WhoWaitsForTheOldServersIsServedByThem) {
  make_finding();
  auto got = ask();
  ASSERT_TRUE(asked_for(1));
  asked[0](pool_of(first));  // nobody else holds that pool
  auto other = ask();
  ASSERT_TRUE(asked_for(2));
  asked[1](pool_of(second));
  ASSERT_TRUE(bench.until([&] { return got->done() && other->done(); }));
  EXPECT_EQ(server_of(*got), text_of(first));
  EXPECT_EQ(server_of(*other), text_of(second));
}

TEST_F(PoolFoundTest, NoServersIsAFailureWithItsReason) {
  make_finding();
  auto got = ask();
  ASSERT_TRUE(asked_for(1));
  asked[0](std::unexpected(AcquireFailure{.reason = "no answer", .relay = "none", .dsn = "4.4.3"}));
  ASSERT_TRUE(got->failure);
  EXPECT_EQ(got->failure->reason, "no answer");
  EXPECT_EQ(got->failure->dsn, "4.4.3");
}

TEST_F(PoolFoundTest, TheTimeThatFindingTookCounts) {
  make_finding();
  second.replies.erase("banner");  // silent
  auto got = ask({.deadline = Millis{300}});
  ASSERT_TRUE(asked_for(1));
  EXPECT_FALSE(bench.until([&] { return got->done(); }, Millis{250}));
  asked[0](pool_of(second));
  EXPECT_TRUE(bench.until([&] { return got->failure.has_value(); }, Millis{5000}));
}

TEST_F(PoolFoundTest, WhoHasGivenUpIsNotCalled) {
  make_finding();
  auto got = ask();
  ASSERT_TRUE(asked_for(1));
  got->waiter = {};
  asked[0](pool_of(first));
  EXPECT_FALSE(bench.until([&] { return got->done(); }, Millis{100}));
  auto late = ask();
  ASSERT_TRUE(asked_for(2));
  pool.reset();
  asked[1](pool_of(first));
  EXPECT_FALSE(bench.until([&] { return late->done(); }, Millis{100}));
}

}  // namespace
}  // namespace holdfast::upstream
