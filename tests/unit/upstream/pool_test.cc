#include "common/upstream/pool.h"

#include <set>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/unit/upstream/recorder.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::upstream {
namespace {

using mail::Stage;
using test::ScriptedServer;
using Why = AcquireFailure::Why;

class PoolTest : public testing::Test {
 protected:
  struct Seen {
    std::string server, address, reason;
    bool ok, reused;
    Stage stage;
    int code;
  };
  // What an acquire() came to.
  struct Got {
    std::optional<Lease> lease;
    std::optional<AcquireFailure> failure;
    test::Recorder events;
    Pool::Waiter waiter;
    bool done() const { return lease || failure; }
  };

  static ServerName name_of(const ScriptedServer& server) { return {"127.0.0.1", server.port(), text_of(server)}; }
  static std::string text_of(const ScriptedServer& server) { return "127.0.0.1:" + std::to_string(server.port()); }

  void make(PoolOptions options = {}) {
    if (options.servers.empty()) options.servers = {name_of(first), name_of(second)};
    options.helo = "gw.example.test";
    pool = std::make_unique<Pool>(bench.loop, resolver, std::move(options), callbacks());
  }
  PoolCallbacks callbacks() {
    return {.usable = [this](const ServerName& s) { return !down.contains(s.text); },
            .report =
                [this](const Observation& o) {
                  reports.push_back({std::string(o.server), std::string(o.address), std::string(o.reason), o.ok,
                                     o.reused, o.stage, o.code});
                }};
  }
  std::unique_ptr<Got> ask(Pool::Wish wish = {}) {
    auto got = std::make_unique<Got>();
    got->waiter = pool->acquire(std::move(wish), [g = got.get()](AcquireResult result) {
      if (result) {
        g->lease = std::move(*result);
        g->lease->set_handler(g->events);
      } else {
        g->failure = result.error();
      }
    });
    return got;
  }
  std::unique_ptr<Got> get(Pool::Wish wish = {}) {
    auto got = ask(std::move(wish));
    EXPECT_TRUE(bench.until([&] { return got->done(); }));
    return got;
  }
  // A whole transaction up to its end, accepted.
  void send_on(Got& got) {
    begin_on(got);
    test::TextSource content("x\r\n");
    got.lease->connection().send(content);
    ASSERT_TRUE(bench.until([&] { return got.events.saw("sent 250"); }));
  }
  void begin_on(Got& got) {
    got.lease->connection().mail("a@s.example", "");
    got.lease->connection().rcpt("b@example.test");
    ASSERT_TRUE(bench.until([&] { return got.events.saw("rcpt 250"); }));
  }

  test::Bench bench;
  net::Resolver resolver{bench.loop};
  ScriptedServer first{bench.loop}, second{bench.loop};
  std::set<std::string> down;
  std::vector<Seen> reports;
  std::unique_ptr<Pool> pool;
};

TEST_F(PoolTest, ConnectsToThePreferredServer) {
  make();
  const auto got = ask();
  EXPECT_FALSE(got->done());  // never inside the call
  ASSERT_TRUE(bench.until([&] { return got->done(); }));
  ASSERT_TRUE(got->lease);
  EXPECT_FALSE(got->lease->reused());
  EXPECT_EQ(got->lease->server().text, text_of(first));
  EXPECT_EQ(got->lease->relay(), "127.0.0.1[127.0.0.1]:" + std::to_string(first.port()));
  EXPECT_EQ(first.connections, 1);
  EXPECT_EQ(second.connections, 0);
  EXPECT_TRUE(reports.empty());  // an EHLO alone is no success
  send_on(*got);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(reports[0].ok);
  EXPECT_EQ(reports[0].server, text_of(first));
}

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

TEST_F(PoolTest, TriesTheNextServerAndComesBack) {
  make({.penalty = Millis{200}});
  const std::uint16_t port = first.port();
  first.stop();
  auto got = get();
  ASSERT_TRUE(got->lease);
  EXPECT_EQ(got->lease->server().text, text_of(second));
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].reason, "connect: connection refused");
  EXPECT_EQ(reports[0].address, text_of(first));
  got->lease->release();
  EXPECT_EQ(pool->idle(), 1);

  auto again = get();  // while the penalty lasts the first is not tried
  EXPECT_TRUE(again->lease->reused());
  EXPECT_EQ(reports.size(), 1u);
  again->lease->release();

  ScriptedServer reborn(bench.loop, port);
  const base::Mono over = base::mono_now() + Millis{250};
  ASSERT_TRUE(bench.until([&] { return base::mono_now() >= over; }));
  EXPECT_EQ(get()->lease->server().text, text_of(first));
}

TEST_F(PoolTest, SkipsAServerThatIsDown) {
  make();
  down = {text_of(first)};
  auto got = get();
  EXPECT_EQ(got->lease->server().text, text_of(second));
  EXPECT_EQ(first.connections, 0);
  got->lease->release();
  down.clear();  // the better one is up again: the idle connection to the worse is not used
  auto next = get();
  EXPECT_EQ(next->lease->server().text, text_of(first));
  EXPECT_FALSE(next->lease->reused());
}

TEST_F(PoolTest, TriesServersThatAreDownWhenAllAre) {
  make();
  down = {text_of(first), text_of(second)};
  EXPECT_EQ(get()->lease->server().text, text_of(first));
}

TEST_F(PoolTest, ARefusalAtTheBannerIsAFailureWithItsCode) {
  first.replies["banner"] = "554 no";
  second.replies["EHLO"] = "451 4.3.0 later";
  make();
  auto got = get();
  ASSERT_TRUE(got->failure);
  EXPECT_EQ(got->failure->why, Why::kFailed);
  EXPECT_EQ(got->failure->stage, Stage::kEhlo);
  EXPECT_EQ(got->failure->reply.code, 451);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].code, 554);
  EXPECT_EQ(reports[0].stage, Stage::kBanner);
  EXPECT_FALSE(reports[0].ok);
  EXPECT_EQ(pool->connections(), 0);
}

TEST_F(PoolTest, TheBreakerOpensWhenAllHaveFailed) {
  make({.breaker = Millis{60'000}});
  first.stop();
  second.stop();
  auto got = get();
  EXPECT_EQ(got->failure->why, Why::kFailed);
  const std::size_t reported = reports.size();
  auto next = get();
  ASSERT_TRUE(next->failure);
  EXPECT_EQ(next->failure->why, Why::kBreaker);
  EXPECT_EQ(next->failure->reason, "connect: connection refused");
  EXPECT_EQ(reports.size(), reported);
  pool->forgive();
  EXPECT_EQ(get()->failure->why, Why::kFailed);
}

TEST_F(PoolTest, WithoutABreakerEachTries) {
  make({.breaker = Millis{0}});
  first.stop();
  second.stop();
  EXPECT_EQ(get()->failure->why, Why::kFailed);
  EXPECT_EQ(get()->failure->why, Why::kFailed);
  EXPECT_EQ(reports.size(), 4u);
}

TEST_F(PoolTest, DividesTheTimeAmongTheServers) {
  make();
  first.replies["banner"] = ScriptedServer::kSilence;
  auto got = ask({.deadline = Millis{6'000}});
  const base::Mono start = base::mono_now();
  ASSERT_TRUE(bench.until([&] { return got->done(); }, Millis{6'000}));
  ASSERT_TRUE(got->lease);
  EXPECT_EQ(got->lease->server().text, text_of(second));
  EXPECT_LT(base::mono_now() - start, Millis{5'000});
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].reason, "banner: timed out");
}

TEST_F(PoolTest, AHurriedTimeOutSaysNothingOfTheServer) {
  make({.servers = {name_of(first)}});
  first.replies["banner"] = ScriptedServer::kSilence;
  auto got = get({.deadline = Millis{60}});
  ASSERT_TRUE(got->failure);
  EXPECT_EQ(got->failure->reason, "banner: timed out");
  EXPECT_TRUE(reports.empty());
  first.replies["banner"] = "220 ready";
  EXPECT_TRUE(get()->lease.has_value());  // the breaker did not open
}

TEST_F(PoolTest, AvoidsServersThatFailedInThisTransaction) {
  make();
  auto got = get({.avoid = {text_of(first)}});
  EXPECT_EQ(got->lease->server().text, text_of(second));
  auto none = get({.avoid = {text_of(first), text_of(second)}});
  ASSERT_TRUE(none->failure);
  EXPECT_EQ(none->failure->why, Why::kFailed);
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

TEST_F(PoolTest, AServerThatIsAvoidedButStandsOpensNoBreaker) {
  make({.servers = {name_of(first)}});
  get()->lease->release();
  EXPECT_EQ(get({.avoid = {text_of(first)}})->failure->why, Why::kFailed);
  EXPECT_TRUE(get()->lease.has_value());
}

TEST_F(PoolTest, AServerThatFailedAtMailAndIsAvoidedOpensTheBreaker) {
  make({.servers = {name_of(first)}});
  first.replies["MAIL"] = ScriptedServer::kCut;
  auto got = get();
  got->lease->connection().mail("a@s.example", "");
  ASSERT_TRUE(bench.until([&] { return got->events.failure.has_value(); }));
  EXPECT_EQ(get({.avoid = {text_of(first)}})->failure->why, Why::kFailed);
  EXPECT_EQ(get()->failure->why, Why::kBreaker);
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

TEST_F(PoolTest, AnIdleConnectionOfAWorseServerMakesRoom) {
  make({.limit = 1});
  down = {text_of(first)};
  get()->lease->release();
  EXPECT_EQ(pool->idle(), 1);
  down.clear();
  auto got = get();
  ASSERT_TRUE(got->lease);
  EXPECT_EQ(got->lease->server().text, text_of(first));
  EXPECT_EQ(pool->connections(), 1);
  ASSERT_TRUE(bench.until([&] { return second.count("QUIT") == 1; }));
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

TEST_F(PoolTest, AFailureOnAReusedConnectionBeforeMailIsMarked) {
  make();
  get()->lease->release();
  auto got = get();
  ASSERT_TRUE(got->lease->reused());
  first.replies["MAIL"] = ScriptedServer::kCut;
  got->lease->connection().mail("a@s.example", "");
  ASSERT_TRUE(bench.until([&] { return got->events.failure.has_value(); }));
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(reports[0].reused);
  auto next = get({.fresh = true});  // it is replaced, by the same server: it is not penalised for this
  EXPECT_EQ(next->lease->server().text, text_of(first));
  next->lease->connection().mail("a@s.example", "");
  ASSERT_TRUE(bench.until([&] { return next->events.failure.has_value(); }));
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_FALSE(reports[1].reused);
  EXPECT_EQ(reports[1].stage, Stage::kMail);
  EXPECT_EQ(get()->lease->server().text, text_of(second));
}

TEST_F(PoolTest, AFailureAfterMailIsReportedAsSuch) {
  make();
  get()->lease->release();
  auto got = get();
  first.replies["."] = ScriptedServer::kCut;
  begin_on(*got);
  test::TextSource content("x\r\n");
  got->lease->connection().send(content);
  ASSERT_TRUE(bench.until([&] { return got->events.failure.has_value(); }));
  EXPECT_FALSE(reports.back().reused);
  EXPECT_EQ(reports.back().stage, Stage::kDot);
  got->lease->release();
  EXPECT_EQ(pool->connections(), 0);
  EXPECT_EQ(get()->lease->server().text, text_of(first));  // it may be the message's fault
}

TEST_F(PoolTest, ReportsWhatTheCallerJudges) {
  make();
  auto got = get();
  got->lease->report(false, Stage::kMail, 452, "MAIL: 452 4.3.1 full");
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].code, 452);
  EXPECT_FALSE(reports[0].ok);
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

TEST_F(PoolTest, ANameThatDoesNotResolve) {
  make({.servers = {{"no-such-host.invalid", 25, "no-such-host.invalid:25"}, name_of(second)}});
  auto got = ask();
  ASSERT_TRUE(bench.until([&] { return got->done(); }, Millis{20'000}));
  ASSERT_TRUE(got->lease);
  EXPECT_EQ(got->lease->server().text, text_of(second));
  EXPECT_EQ(reports.at(0).address, "");
  EXPECT_TRUE(reports[0].reason.starts_with("lookup: no-such-host.invalid"));
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

// Descriptors that run out say nothing of the servers.
TEST_F(PoolTest, WithoutASocketNobodyIsBlamed) {
  make();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto got = get();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(got->failure);
  EXPECT_EQ(got->failure->stage, Stage::kLocal);
  EXPECT_EQ(got->failure->reason, "local: too many open files");
  EXPECT_TRUE(reports.empty());
  EXPECT_TRUE(get()->lease) << "neither penalties nor breaker";
}

}  // namespace
}  // namespace holdfast::upstream
