#include "tests/unit/prober/monitor_fixture.h"

#include <future>

namespace holdfast::prober {
namespace {

TEST_F(MonitorTest, AProbeSaysWhatTheDesignSays) {
  watch();
  ASSERT_TRUE(probed_again());
  EXPECT_TRUE(becomes(kUp));
  const std::vector<std::string> begin(server.lines.begin(), server.lines.begin() + 4);
  EXPECT_EQ(begin,
            (std::vector<std::string>{"EHLO mx.test", "MAIL FROM:<>", "RCPT TO:<postmaster@example.test>", "RSET"}));
  ASSERT_TRUE(bench.until([&] { return on_disk().capabilities.size && on_disk().last_probe_ms > 0; }));
  EXPECT_TRUE(on_disk().capabilities.pipelining);
  EXPECT_EQ(on_disk().capabilities.size_limit, 1000U);
  EXPECT_EQ(on_disk().servers.at(0).addresses, std::vector{server.address().text()});
}

TEST_F(MonitorTest, DownAndBackThroughDraining) {
  server.stop();
  watch();
  ASSERT_TRUE(becomes(kDown));
  EXPECT_EQ(told.back().reason, "connect: connection refused");
  EXPECT_EQ(on_disk().state, kDown);
  EXPECT_EQ(on_disk().since_ms, told.back().since_ms);
  holdfast::test::ScriptedServer again(bench.loop, server.port());
  again.replies = server.replies;
  again.replies["RCPT"] = "250 ok";
  ASSERT_TRUE(becomes(kDraining));
  report(ipc::DrainEvent::kDrained);
  ASSERT_TRUE(becomes(kUp));
  EXPECT_EQ(on_disk().down_since_ms, 0);
  EXPECT_GT(on_disk().downtime_total_ms, 0);
}

TEST_F(MonitorTest, ABareConnectIsNoSignOfLife) {
  server.stop();
  watch();
  ASSERT_TRUE(becomes(kDown));
  holdfast::test::ScriptedServer again(bench.loop, server.port());
  again.replies = server.replies;
  again.replies["banner"] = "554 no service";
  ASSERT_TRUE(bench.until([&] { return again.connections >= 2; }));
  EXPECT_EQ(told.back().state, kDown);
  ASSERT_TRUE(bench.until([&] { return told.back().reason.find("554 no service") != std::string::npos; }));
}

struct Failing {
  const char* verb;
  const char* reply;
  const char* reason;
};

TEST_F(MonitorTest, WhatFailsAProbe) {
  const std::vector<Failing> all{{"banner", "421 busy", "421 busy"},
                                 {"banner", holdfast::test::ScriptedServer::kCut, "banner"},
                                 {"EHLO", "-421 busy", "EHLO"},
                                 {"MAIL", "452 4.3.1 disk full", "MAIL: 452 4.3.1 disk full"},
                                 {"RCPT", "-421 4.3.2 shutting down", "RCPT: 421 4.3.2 shutting down"}};
  server.judge = nullptr;
  for (const Failing& one : all) {
    const auto before = server.replies;
    server.replies["RCPT"] = "250 ok";
    server.replies[one.verb] = one.reply;
    told.clear();
    watch();
    ASSERT_TRUE(becomes(kDown)) << one.reason;
    EXPECT_NE(told.back().reason.find(one.reason), std::string::npos) << told.back().reason;
    server.replies = before;
    server.replies["RCPT"] = "250 ok";
    ASSERT_TRUE(becomes(kDraining)) << one.reason;
    report(ipc::DrainEvent::kDrained);
    ASSERT_TRUE(becomes(kUp));
    monitor.reset();
  }
}

TEST_F(MonitorTest, AnyReplyToRcptPassesAndSoDoesARefusedNullSender) {
  accepts.clear();
  for (const char* reply : {"550 5.1.1 no", "451 later", "452 4.2.2 full"}) {
    refusal = reply;
    watch();
    ASSERT_TRUE(probed_again());
    ASSERT_TRUE(becomes(kUp)) << reply;
    EXPECT_EQ(told.size(), 1U) << reply;
  }
  server.replies["MAIL"] = "550 5.7.1 no null senders";
  ASSERT_TRUE(probed_again(2));
  EXPECT_EQ(told.back().state, kUp);
}

TEST_F(MonitorTest, FindsOutThatTheDestinationIsOurselves) {
  server.replies["EHLO"] = "250-mx.test\r\n250 X-HOLDFAST-TOKEN " + std::string(32, 'a');
  shared->config = config({server.port()}, 9);
  watch();
  ASSERT_TRUE(becomes(kDown));
  EXPECT_EQ(told.back().reason, "points back at us");
  EXPECT_EQ(server.count("MAIL"), 0U);
}

TEST_F(MonitorTest, AnotherInstallationIsNotOurselves) {
  server.replies["EHLO"] = "250-mx.test\r\n250 X-HOLDFAST-TOKEN " + std::string(32, 'b');
  watch();
  ASSERT_TRUE(probed_again());
  EXPECT_TRUE(becomes(kUp));
}

TEST_F(MonitorTest, TheSecondServerKeepsItUp) {
  holdfast::test::ScriptedServer other(bench.loop);
  other.replies = server.replies;
  other.replies["RCPT"] = "250 ok";
  shared->config = config({server.port(), other.port()});
  server.stop();
  watch();
  ASSERT_TRUE(bench.until([&] { return on_disk().servers.size() == 2 && !on_disk().servers[0].up; }));
  EXPECT_EQ(told.back().state, kUp);
  other.stop();
  ASSERT_TRUE(becomes(kDown));
}

TEST_F(MonitorTest, LiveFailuresCountAndLooksAreFollowed) {
  shared->config = config({server.port()}, 2, 600);
  watch();
  ASSERT_TRUE(probed_again());
  ASSERT_TRUE(becomes(kUp));
  server.stop();
  ipc::Fact fact{.destination = "office",
                 .server = server.address().text(),
                 .address = server.address().text(),
                 .stage = mail::Stage::kConnect,
                 .reason = "connect: refused"};
  monitor->fact(fact);
  EXPECT_EQ(told.back().state, kUp);
  // The probe's failure is the second: 5 s after the one before, not after the interval.
  ASSERT_TRUE(bench.until([&] { return told.back().state == kDown; }, base::Millis(8'000)));
}

TEST_F(MonitorTest, AStateIsToldThoughItCannotBeCommitted) {
  watch();
  ASSERT_TRUE(becomes(kUp));
  // An operation that fails keeps the whole batch back, as a full disk does.
  bool broken = true;
  std::atomic<bool>* mended = &disk_mended;
  store->submit([mended](storage::Directory&, storage::WriteTxn&) -> base::Status {
    if (*mended) return {};
    return base::fail(base::Kind::kNoSpace, "disk full");
  });
  store->on_failing([&] {
    broken = false;
    monitor->store_failing();
  });
  ASSERT_TRUE(bench.until([&] { return !broken; }));
  server.stop();
  ASSERT_TRUE(becomes(kDown));
  EXPECT_EQ(on_disk().state, kUp);
  ASSERT_TRUE(bench.until([&] { return store->pending() > 0; }));
  EXPECT_LT(store->pending(), 5U);
  disk_mended = true;
  ASSERT_TRUE(bench.until([&] { return on_disk().state == kDown; }));
}

// Tried with Store::told_of_health() that tells nobody (22 Nov): nobody has heard.
TEST_F(MonitorTest, AStateThatWaitsWhenCommitsBeginToFailIsTold) {
  watch();
  ASSERT_TRUE(becomes(kUp));
  std::promise<void> gate;
  const auto fails = [mended = &disk_mended, open = gate.get_future().share()](auto&, auto&) -> base::Status {
    open.wait();
    if (*mended) return {};
    return base::fail(base::Kind::kNoSpace, "disk full");
  };
  store->submit(fails);
  bool heard = false;
  store->on_failing([&] {
    heard = true;
    monitor->store_failing();
    EXPECT_EQ(told.back().state, kDown) << "at once, not with the next write";
  });
  server.stop();
  ASSERT_TRUE(bench.until([&] { return monitor->row().state == kDown; }));
  EXPECT_EQ(told.back().state, kUp) << "its commit waits behind the other one";
  gate.set_value();
  ASSERT_TRUE(becomes(kDown));
  EXPECT_TRUE(heard);
  EXPECT_EQ(on_disk().state, kUp);
  disk_mended = true;
  ASSERT_TRUE(bench.until([&] { return on_disk().state == kDown; }));
}

TEST_F(MonitorTest, AProbeByTheAdminAnswersWhenItIsDone) {
  shared->config = config({server.port()}, 1, 600);
  watch();
  ASSERT_TRUE(probed_again());
  server.stop();
  bool done = false;
  monitor->probe([&] { done = true; });
  ASSERT_TRUE(bench.until([&] { return done; }));
  EXPECT_EQ(told.back().state, kDown);
}

TEST_F(MonitorTest, PausesAreCommittedBeforeTheyAreAnswered) {
  watch();
  ASSERT_TRUE(becomes(kUp));
  bool done = false;
  monitor->pause("work", "root", std::nullopt, [&] { done = true; });
  ASSERT_TRUE(bench.until([&] { return done; }));
  EXPECT_EQ(on_disk().state, kPaused);
  EXPECT_EQ(on_disk().paused_by, "root");
  EXPECT_EQ(told.back().state, kPaused);
  restart();
  EXPECT_TRUE(monitor->paused());
  monitor->resume([] {});
  ASSERT_TRUE(becomes(kDraining));
}

TEST_F(MonitorTest, APauseEndsAtItsTime) {
  watch();
  monitor->pause("", "root", base::wall_now() + base::Millis(300), [] {});
  ASSERT_TRUE(becomes(kPaused));
  ASSERT_TRUE(becomes(kDraining));
}

TEST_F(MonitorTest, StandsByItsStateWhileAProbeHangs) {
  server.replies["banner"] = holdfast::test::ScriptedServer::kSilence;
  watch();
  ASSERT_TRUE(bench.until([&] { return on_disk().confirmed_ms != 0; }));
  const auto first = on_disk().confirmed_ms;
  ASSERT_TRUE(bench.until([&] { return on_disk().confirmed_ms > first + 1500; }));
  EXPECT_EQ(server.connections, 1);
}

TEST_F(MonitorTest, ReconfiguredInTheMiddleOfAProbe) {
  server.replies["banner"] = holdfast::test::ScriptedServer::kSilence;
  watch();
  ASSERT_TRUE(bench.until([&] { return server.connections == 1; }));
  holdfast::test::ScriptedServer other(bench.loop);
  other.replies = server.replies;
  other.replies["banner"] = "220 other";
  other.replies["RCPT"] = "250 ok";
  bool done = false;
  monitor->probe([&] { done = true; });  // of a server that is about to go
  shared->config = config({other.port()});
  monitor->configure();
  ASSERT_TRUE(bench.until([&] { return done; }));
  ASSERT_TRUE(bench.until([&] { return other.count("QUIT") > 0; }));
  EXPECT_EQ(on_disk().servers.size(), 1U);
  EXPECT_EQ(told.back().state, kUp);
}

TEST(InstallationToken, IsMadeOnceAndKept) {
  const Folder folder;
  const auto first = base::installation_token(folder.path());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->size(), 32U);
  EXPECT_EQ(base::installation_token(folder.path()).value(), *first);
  ASSERT_TRUE(base::replace_file(folder.path() + "/token", "garbage\n"));
  EXPECT_EQ(base::installation_token(folder.path()).error().kind, base::Kind::kData);
}

}  // namespace
}  // namespace holdfast::prober
