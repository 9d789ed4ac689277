#include "tests/unit/upstream/pool_fixture.h"

namespace holdfast::upstream {
namespace {

TEST_F(PoolTest, KeepsTheConnectionOpenForTheNext) {
  make();
  auto got = get();
  send_on(*got);
  got->lease->release();
  EXPECT_EQ(pool->idle(), 1);
  auto next = get();
  ASSERT_TRUE(next->lease);
  EXPECT_TRUE(next->lease->reused());
  send_on(*next);
  EXPECT_EQ(first.connections, 1);
  EXPECT_EQ(first.count("RSET"), 0u);
  EXPECT_EQ(first.messages.size(), 2u);
}

TEST_F(PoolTest, ResetsATransactionThatWasNotCompleted) {
  make();
  auto got = get();
  begin_on(*got);
  got.reset();
  EXPECT_EQ(pool->idle(), 0);
  ASSERT_TRUE(bench.until([&] { return pool->idle() == 1; }));
  EXPECT_EQ(first.lines.back(), "RSET");
}

TEST_F(PoolTest, DropsAConnectionThatDoesNotAnswerToRset) {
  make({.timeouts = {.command = Millis{50}}});
  first.replies["RSET"] = ScriptedServer::kSilence;
  auto got = get();
  begin_on(*got);
  got->lease->release();
  ASSERT_TRUE(bench.until([&] { return pool->connections() == 0; }));
  EXPECT_EQ(pool->idle(), 0);
}

TEST_F(PoolTest, CutsAConnectionGivenBackInMidContent) {
  make();
  first.replies["."] = ScriptedServer::kSilence;
  auto got = get();
  begin_on(*got);
  test::TextSource content("x\r\n");
  got->lease->connection().send(content);
  ASSERT_TRUE(bench.until([&] { return first.count(".") == 1; }));
  got->lease->release();
  EXPECT_EQ(pool->connections(), 0);
  ASSERT_TRUE(bench.until([&] { return first.open == 0; }));
}

TEST_F(PoolTest, KeepsToItsLimitAndServesInOrder) {
  make({.limit = 2});
  auto a = get(), b = get();
  auto c = ask(), d = ask();
  EXPECT_FALSE(bench.until([&] { return c->done() || d->done(); }, Millis{50}));
  EXPECT_EQ(pool->waiting(), 2);
  EXPECT_EQ(pool->connections(), 2);
  b->lease->release();
  ASSERT_TRUE(bench.until([&] { return c->done(); }));
  EXPECT_FALSE(d->done());
  EXPECT_TRUE(c->lease->reused());
  a->lease->drop();
  ASSERT_TRUE(bench.until([&] { return d->done(); }));
  EXPECT_FALSE(d->lease->reused());
  EXPECT_EQ(first.connections, 3);
}

TEST_F(PoolTest, BusyUntilTheDeadline) {
  make({.limit = 1});
  auto a = get();
  auto b = get({.deadline = Millis{50}});
  ASSERT_TRUE(b->failure);
  EXPECT_EQ(b->failure->why, Why::kBusy);
  EXPECT_EQ(b->failure->stage, Stage::kLocal);
  EXPECT_TRUE(reports.empty());
}

TEST_F(PoolTest, EachWaiterHasItsOwnDeadline) {
  make({.limit = 1});
  auto a = get();
  std::vector<std::unique_ptr<Got>> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(ask({.deadline = Millis{50}}));
  const base::Mono start = base::mono_now();
  ASSERT_TRUE(bench.until([&] { return waiting.back()->done(); }));
  EXPECT_LT(base::mono_now() - start, Millis{1'000});
}

TEST_F(PoolTest, AWaiterMayGiveUp) {
  make({.limit = 1});
  auto a = get();
  auto b = ask(), c = ask();
  EXPECT_FALSE(bench.until([&] { return b->done(); }, Millis{20}));
  b->waiter = {};
  a->lease->release();
  ASSERT_TRUE(bench.until([&] { return c->done(); }));
  EXPECT_FALSE(b->done());
}

TEST_F(PoolTest, AConnectionMadeForOneWhoLeftServesTheNext) {
  make({.limit = 1});
  auto a = ask();
  ASSERT_TRUE(bench.until([&] { return pool->connections() == 1; }));
  a->waiter = {};
  auto b = get();
  ASSERT_TRUE(b->lease);
  EXPECT_EQ(first.connections, 1);
  EXPECT_FALSE(a->done());
}

TEST_F(PoolTest, FreshMeansANewConnection) {
  make();
  get()->lease->release();
  auto got = get({.fresh = true});
  EXPECT_FALSE(got->lease->reused());
  EXPECT_EQ(first.connections, 2);
}

TEST_F(PoolTest, IdleConnectionsEndInTime) {
  make({.idle = Millis{50}});
  get()->lease->release();
  EXPECT_EQ(pool->idle(), 1);
  ASSERT_TRUE(bench.until([&] { return pool->idle() == 0 && first.count("QUIT") == 1; }));
  EXPECT_EQ(pool->connections(), 0);
}

TEST_F(PoolTest, AnIdleConnectionThatEndsIsNoNews) {
  make();
  get()->lease->release();
  first.say("421 4.4.2 bye");
  ASSERT_TRUE(bench.until([&] { return pool->connections() == 0; }));
  get()->lease->release();
  first.cut();
  ASSERT_TRUE(bench.until([&] { return pool->connections() == 0; }));
  EXPECT_TRUE(reports.empty());
}

TEST_F(PoolTest, AConnectionCarriesOnlySoManyMessages) {
  make({.max_transactions = 2});
  for (int i = 0; i < 3; ++i) {
    auto got = get();
    send_on(*got);
  }
  EXPECT_EQ(first.connections, 2);
}

TEST_F(PoolTest, A421EndsTheConnectionAfterTheLease) {
  make();
  first.replies["."] = "421 4.3.2 closing";
  auto got = get();
  begin_on(*got);
  test::TextSource content("x\r\n");
  got->lease->connection().send(content);
  ASSERT_TRUE(bench.until([&] { return got->events.saw("sent 421"); }));
  got->lease->release();
  EXPECT_EQ(pool->connections(), 0);
  ASSERT_EQ(reports.size(), 2u);  // MAIL went well, and it is worth a look
  EXPECT_EQ(reports[1].code, 421);
  EXPECT_EQ(reports[1].stage, Stage::kDot);
}

TEST_F(PoolTest, ASmallerLimitEndsConnectionsAsTheyComeBack) {
  make({.limit = 3});
  auto a = get(), b = get(), c = get();
  a->lease->release();
  pool->set_limit(1);
  EXPECT_EQ(pool->connections(), 2);
  b->lease->release();
  EXPECT_EQ(pool->connections(), 1);
  c->lease->release();
  EXPECT_EQ(pool->idle(), 1);
}

TEST_F(PoolTest, LeasesOutliveThePool) {
  make({.limit = 2});
  auto a = get(), idle = get();
  auto waiting = ask();
  idle->lease->release();
  pool.reset();
  EXPECT_FALSE(bench.until([&] { return waiting->done(); }, Millis{50}));
  send_on(*a);
  a->lease->release();
  ASSERT_TRUE(bench.until([&] { return first.open == 0; }));
}

TEST_F(PoolTest, ThePoolMayEndWhileItConnects) {
  make();
  auto a = ask();
  ASSERT_TRUE(bench.until([&] { return first.connections == 1; }));
  pool.reset();
  ASSERT_TRUE(bench.until([&] { return first.open == 0; }));
  EXPECT_FALSE(a->done());
}

TEST_F(PoolTest, ManyAtOnceEachServedOnce) {
  make({.limit = 5});
  int served = 0;
  std::vector<std::unique_ptr<Pool::Waiter>> waiters;
  for (int i = 0; i < 100; ++i) {
    waiters.push_back(std::make_unique<Pool::Waiter>(pool->acquire({}, [&](AcquireResult result) {
      ASSERT_TRUE(result.has_value());
      ++served;  // given back at once as the result dies
    })));
  }
  ASSERT_TRUE(bench.until([&] { return served == 100; }));
  EXPECT_LE(first.connections, 5);
}

}  // namespace
}  // namespace holdfast::upstream
