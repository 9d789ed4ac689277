#include "tests/unit/upstream/pool_fixture.h"

namespace holdfast::upstream {
namespace {

using PoolServersTest = PoolTest;

TEST_F(PoolServersTest, ConnectsToThePreferredServer) {
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

TEST_F(PoolServersTest, TriesTheNextServerAndComesBack) {
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

TEST_F(PoolServersTest, SkipsAServerThatIsDown) {
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

TEST_F(PoolServersTest, TriesServersThatAreDownWhenAllAre) {
  make();
  down = {text_of(first), text_of(second)};
  EXPECT_EQ(get()->lease->server().text, text_of(first));
}

TEST_F(PoolServersTest, ARefusalAtTheBannerIsAFailureWithItsCode) {
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

TEST_F(PoolServersTest, TheBreakerOpensWhenAllHaveFailed) {
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

TEST_F(PoolServersTest, WithoutABreakerEachTries) {
  make({.breaker = Millis{0}});
  first.stop();
  second.stop();
  EXPECT_EQ(get()->failure->why, Why::kFailed);
  EXPECT_EQ(get()->failure->why, Why::kFailed);
  EXPECT_EQ(reports.size(), 4u);
}

TEST_F(PoolServersTest, DividesTheTimeAmongTheServers) {
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

TEST_F(PoolServersTest, AHurriedTimeOutSaysNothingOfTheServer) {
  make({.servers = {name_of(first)}});
  first.replies["banner"] = ScriptedServer::kSilence;
  auto got = get({.deadline = Millis{60}});
  ASSERT_TRUE(got->failure);
  EXPECT_EQ(got->failure->reason, "banner: timed out");
  EXPECT_TRUE(reports.empty());
  first.replies["banner"] = "220 ready";
  EXPECT_TRUE(get()->lease.has_value());  // the breaker did not open
}

TEST_F(PoolServersTest, AvoidsServersThatFailedInThisTransaction) {
  make();
  auto got = get({.avoid = {text_of(first)}});
  EXPECT_EQ(got->lease->server().text, text_of(second));
  auto none = get({.avoid = {text_of(first), text_of(second)}});
  ASSERT_TRUE(none->failure);
  EXPECT_EQ(none->failure->why, Why::kFailed);
}

TEST_F(PoolServersTest, AServerThatIsAvoidedButStandsOpensNoBreaker) {
  make({.servers = {name_of(first)}});
  get()->lease->release();
  EXPECT_EQ(get({.avoid = {text_of(first)}})->failure->why, Why::kFailed);
  EXPECT_TRUE(get()->lease.has_value());
}

TEST_F(PoolServersTest, AServerThatFailedAtMailAndIsAvoidedOpensTheBreaker) {
  make({.servers = {name_of(first)}});
  first.replies["MAIL"] = ScriptedServer::kCut;
  auto got = get();
  got->lease->connection().mail("a@s.example", "");
  ASSERT_TRUE(bench.until([&] { return got->events.failure.has_value(); }));
  EXPECT_EQ(get({.avoid = {text_of(first)}})->failure->why, Why::kFailed);
  EXPECT_EQ(get()->failure->why, Why::kBreaker);
}

TEST_F(PoolServersTest, AnIdleConnectionOfAWorseServerMakesRoom) {
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

TEST_F(PoolServersTest, AFailureOnAReusedConnectionBeforeMailIsMarked) {
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

TEST_F(PoolServersTest, AFailureAfterMailIsReportedAsSuch) {
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

TEST_F(PoolServersTest, ReportsWhatTheCallerJudges) {
  make();
  auto got = get();
  got->lease->report(false, Stage::kMail, 452, "MAIL: 452 4.3.1 full");
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].code, 452);
  EXPECT_FALSE(reports[0].ok);
}

TEST_F(PoolServersTest, ANameThatDoesNotResolve) {
  make({.servers = {{"no-such-host.invalid", 25, "no-such-host.invalid:25"}, name_of(second)}});
  auto got = ask();
  ASSERT_TRUE(bench.until([&] { return got->done(); }, Millis{20'000}));
  ASSERT_TRUE(got->lease);
  EXPECT_EQ(got->lease->server().text, text_of(second));
  EXPECT_EQ(reports.at(0).address, "");
  EXPECT_TRUE(reports[0].reason.starts_with("lookup: no-such-host.invalid"));
}

// Descriptors that run out say nothing of the servers.
TEST_F(PoolServersTest, WithoutASocketNobodyIsBlamed) {
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
