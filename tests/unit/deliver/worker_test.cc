#include "deliver/worker.h"

#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include "common/config/load.h"
#include "common/ipc/channel.h"
#include "tests/unit/deliver/spool_fixture.h"
#include "tests/unit/dns/name_server.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::deliver {
namespace {

using test::ScriptedServer;

// qmgr or prober, as far as a deliver can tell.
struct FakeDaemon : ipc::ChannelHandler {
  FakeDaemon(net::Loop& l, std::string p, std::string name) : loop(l), path(std::move(p)) {
    self.name = std::move(name);
    start();
  }
  void start() {
    server = std::make_unique<ipc::Server>(loop, path, self, *this);
    ASSERT_TRUE(server->start().has_value());
  }
  void stop() {
    peer = nullptr;
    server.reset();
    std::filesystem::remove(path);
  }
  void on_peer(ipc::Channel& channel) override { peer = &channel; }
  bool on_message(ipc::Channel&, const ipc::Incoming& message) override {
    if (const auto hello = message.as<ipc::DeliverHello>()) hellos.push_back(*hello);
    if (const auto outcome = message.as<ipc::Outcome>()) outcomes.push_back(*outcome);
    if (const auto fact = message.as<ipc::Fact>()) facts.push_back(*fact);
    return true;
  }
  void on_gone(ipc::Channel&) override { peer = nullptr; }

  net::Loop& loop;
  std::string path;
  ipc::Hello self;
  std::unique_ptr<ipc::Server> server;
  ipc::Channel* peer = nullptr;
  std::vector<ipc::DeliverHello> hellos;
  std::vector<ipc::Outcome> outcomes;
  std::vector<ipc::Fact> facts;
};

class WorkerTest : public testing::Test {
 protected:
  WorkerTest() {
    const std::string base = spool.folder.path();
    std::filesystem::create_directories(base + "/run/locks");
    std::filesystem::create_directories(base + "/state");
    const std::string text =
        "hostname: gw.example.test\nlisten: [\"127.0.0.1:2525\"]\npaths: {spool: " + base + ", state: " + base +
        "/state, run: " + base + "/run, log: " + base +
        "/log}\ndestinations:\n  office:\n    servers: [\"127.0.0.1:" + std::to_string(server.port()) +
        "\"]\ndomains:\n  example.test:\n    destination: office\n";
    auto loaded = config::load_text(text, base + "/gateway.yaml");
    EXPECT_TRUE(loaded.has_value()) << loaded.error().text;
    config = std::make_shared<const config::Config>(std::move(*loaded));
    context = std::make_unique<daemon::Context>(daemon::Context{.loop = bench.loop,
                                                                .config = config,
                                                                .worker = 3,
                                                                .workers = 1,
                                                                .writer = 9,
                                                                .listeners = {},
                                                                .name = "deliver"});
    qmgr = std::make_unique<FakeDaemon>(bench.loop, base + "/run/qmgr.sock", "qmgr");
    prober = std::make_unique<FakeDaemon>(bench.loop, base + "/run/prober.sock", "prober");
  }
  void start() {
    auto made = Worker::start(*context);
    ASSERT_TRUE(made.has_value()) << made.error().text;
    worker = std::move(*made);
    ASSERT_TRUE(bench.until([&] { return qmgr->hellos.size() == 1 && prober->peer != nullptr; }));
  }
  bool outcomes(std::size_t n) {
    return bench.until([&] { return qmgr->outcomes.size() >= n; });
  }

  test::Bench bench;
  ScriptedServer server{bench.loop};
  test::SpoolFixture spool;
  config::ConfigPtr config;
  std::unique_ptr<daemon::Context> context;
  std::unique_ptr<FakeDaemon> qmgr, prober;
  std::unique_ptr<daemon::Service> worker;
};

TEST_F(WorkerTest, DeliversAndTells) {
  start();
  EXPECT_TRUE(qmgr->hellos[0].running.empty());
  const ipc::Job job = spool.keep("x\r\n", {"b@example.test"});
  qmgr->peer->send(job);
  ASSERT_TRUE(outcomes(1));
  EXPECT_EQ(qmgr->outcomes[0].queue_id, job.queue_id);
  EXPECT_EQ(test::status_of(qmgr->outcomes[0], 0), ipc::RecipientStatus::kSent);
  ASSERT_TRUE(bench.until([&] { return prober->facts.size() == 1; }));
  EXPECT_TRUE(prober->facts[0].ok);
  EXPECT_EQ(prober->facts[0].destination, "office");
}

class MxWorkerTest : public WorkerTest {
 protected:
  MxWorkerTest() {
    auto changed = std::make_shared<config::Config>(*config);
    changed->resolvers = {{"127.0.0.1", names.address().port()}};
    changed->bounces.mx_port = server.port();
    changed->bounce_road.mx = true;
    changed->bounce_road.servers.clear();
    context->config = changed;
  }
  ipc::Job bounce_to(const std::string& domain) {
    ipc::Job job = spool.keep("x\r\n", {"b@" + domain});
    job.destination = "bounces";
    job.mx_domain = domain;
    return job;
  }
  dns::NameServer names{"@ IN MX 10 a\na IN A 127.0.0.1\nnone IN MX 0 .\n"};
};

TEST_F(MxWorkerTest, DeliversByMx) {
  start();
  qmgr->peer->send(bounce_to("mail.test"));
  ASSERT_TRUE(outcomes(1));
  EXPECT_EQ(test::status_of(qmgr->outcomes[0], 0), ipc::RecipientStatus::kSent);
  EXPECT_EQ(qmgr->outcomes[0].relay, "a.mail.test[127.0.0.1]:" + std::to_string(server.port()));
  EXPECT_EQ(server.messages.size(), 1u);
  EXPECT_TRUE(prober->facts.empty()) << "the prober knows nothing of these servers";
}

TEST_F(MxWorkerTest, WhatHasNoServerIsToldFinally) {
  start();
  qmgr->peer->send(bounce_to("none.mail.test"));
  ASSERT_TRUE(outcomes(1));
  EXPECT_EQ(test::status_of(qmgr->outcomes[0], 0), ipc::RecipientStatus::kRefused);
  EXPECT_EQ(qmgr->outcomes[0].recipients[0].dsn, "5.1.10");
  EXPECT_TRUE(qmgr->outcomes[0].recipients[0].own_words);
}

TEST_F(MxWorkerTest, WhatCannotBeLookedUpNowIsDeferred) {
  start();
  qmgr->peer->send(bounce_to("elsewhere.example"));
  ASSERT_TRUE(outcomes(1));
  EXPECT_EQ(test::status_of(qmgr->outcomes[0], 0), ipc::RecipientStatus::kDeferred);
  EXPECT_EQ(qmgr->outcomes[0].recipients[0].dsn, "4.4.3");
}

TEST_F(MxWorkerTest, DrainsWhileItLooksUp) {
  const dns::SilentServer silent;
  auto changed = std::make_shared<config::Config>(*context->config);
  changed->resolvers = {{"127.0.0.1", silent.address().port()}};
  context->config = changed;
  start();
  qmgr->peer->send(bounce_to("mail.test"));
  EXPECT_FALSE(bench.until([&] { return !qmgr->outcomes.empty(); }, net::Millis{100}));
  bool drained = false;
  worker->drain([&] { drained = true; });
  EXPECT_TRUE(bench.until([&] { return drained; }));
}

TEST_F(WorkerTest, HoldsItsLock) {
  start();
  const base::UniqueFd fd(::open((spool.folder.path() + "/run/locks/deliver.3.lock").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(fd);
  EXPECT_NE(::flock(fd.get(), LOCK_SH | LOCK_NB), 0);
  worker.reset();
  EXPECT_EQ(::flock(fd.get(), LOCK_SH | LOCK_NB), 0);
}

TEST_F(WorkerTest, KeepsAnOutcomeUntilItIsCommitted) {
  start();
  const ipc::Job job = spool.keep("x\r\n", {"b@example.test"});
  qmgr->peer->send(job);
  ASSERT_TRUE(outcomes(1));
  qmgr->stop();
  qmgr->start();
  ASSERT_TRUE(bench.until([&] { return qmgr->hellos.size() == 2; }));
  ASSERT_EQ(qmgr->hellos[1].outcomes.size(), 1u);
  EXPECT_EQ(qmgr->hellos[1].outcomes[0].queue_id, job.queue_id);
  qmgr->peer->send(job);  // a qmgr that did not listen: it is told again, and the message is not sent again
  ASSERT_TRUE(outcomes(2));
  EXPECT_EQ(server.messages.size(), 1u);
  qmgr->peer->send(ipc::OutcomeCommitted{job.queue_id, job.attempt});
  EXPECT_FALSE(bench.until([&] { return server.messages.size() > 1; }, net::Millis{50}));
  qmgr->stop();
  qmgr->start();
  ASSERT_TRUE(bench.until([&] { return qmgr->hellos.size() == 3; }));
  EXPECT_TRUE(qmgr->hellos[2].outcomes.empty());
}

TEST_F(WorkerTest, FinishesItsJobsWithoutQmgr) {
  start();
  server.replies["."] = ScriptedServer::kSilence;
  const ipc::Job job = spool.keep("x\r\n", {"b@example.test"});
  qmgr->peer->send(job);
  ASSERT_TRUE(bench.until([&] { return server.count(".") == 1; }));
  qmgr->stop();
  qmgr->start();
  ASSERT_TRUE(bench.until([&] { return qmgr->hellos.size() == 2; }));
  ASSERT_EQ(qmgr->hellos[1].running.size(), 1u);
  EXPECT_EQ(qmgr->hellos[1].running[0].queue_id, job.queue_id);
  qmgr->stop();
  server.say("250 2.0.0 Ok: at last");
  EXPECT_FALSE(bench.until([&] { return !qmgr->outcomes.empty(); }, net::Millis{50}));
  qmgr->start();
  ASSERT_TRUE(bench.until([&] { return qmgr->hellos.size() == 3; }));
  ASSERT_EQ(qmgr->hellos[2].outcomes.size(), 1u);
  EXPECT_EQ(test::status_of(qmgr->hellos[2].outcomes[0], 0), ipc::RecipientStatus::kSent);
}

TEST_F(WorkerTest, ManyJobsAtOnce) {
  start();
  for (int i = 0; i < 20; ++i) qmgr->peer->send(spool.keep("x\r\n", {"b@example.test"}));
  ASSERT_TRUE(outcomes(20));
  EXPECT_EQ(server.messages.size(), 20u);
}

TEST_F(WorkerTest, AnUnknownDestinationIsOurOwnFault) {
  start();
  ipc::Job job = spool.keep("x\r\n", {"b@example.test"});
  job.destination = "elsewhere";
  qmgr->peer->send(job);
  ASSERT_TRUE(outcomes(1));
  EXPECT_EQ(qmgr->outcomes[0].stage, mail::Stage::kLocal);
  EXPECT_FALSE(qmgr->outcomes[0].damaged);
}

TEST_F(WorkerTest, FailuresBecomeFacts) {
  server.stop();
  start();
  qmgr->peer->send(spool.keep("x\r\n", {"b@example.test"}));
  ASSERT_TRUE(outcomes(1));
  ASSERT_TRUE(bench.until([&] { return !prober->facts.empty(); }));
  EXPECT_FALSE(prober->facts[0].ok);
  EXPECT_EQ(prober->facts[0].server, "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(prober->facts[0].reason, "connect: connection refused");
}

TEST_F(WorkerTest, DrainsAtOnceWithNothingToDo) {
  start();
  bool done = false;
  worker->drain([&] { done = true; });
  EXPECT_TRUE(done);
}

TEST_F(WorkerTest, ADrainWaitsForTheAnswerAndForQmgr) {
  start();
  server.replies["."] = ScriptedServer::kSilence;
  const ipc::Job job = spool.keep("x\r\n", {"b@example.test"});
  qmgr->peer->send(job);
  ASSERT_TRUE(bench.until([&] { return server.count(".") == 1; }));
  bool done = false;
  worker->drain([&] { done = true; });
  qmgr->peer->send(spool.keep("y\r\n", {"b@example.test"}));  // too late: left to the next deliver
  server.say("250 2.0.0 Ok");
  ASSERT_TRUE(outcomes(1));
  EXPECT_FALSE(done);
  qmgr->peer->send(ipc::OutcomeCommitted{job.queue_id, job.attempt});
  ASSERT_TRUE(bench.until([&] { return done; }));
  EXPECT_EQ(server.messages.size(), 1u);
  EXPECT_EQ(qmgr->outcomes.size(), 1u);
}

TEST_F(WorkerTest, ADrainWaitsForAQmgrThatIsStartedAgain) {
  start();
  const ipc::Job job = spool.keep("x\r\n", {"b@example.test"});
  qmgr->peer->send(job);
  ASSERT_TRUE(outcomes(1));
  qmgr->stop();
  bool done = false;
  worker->drain([&] { done = true; });
  EXPECT_FALSE(bench.until([&] { return done; }, net::Millis{50}));
  qmgr->start();
  ASSERT_TRUE(bench.until([&] { return qmgr->hellos.size() == 2; }));
  ASSERT_EQ(qmgr->hellos[1].outcomes.size(), 1u);
  EXPECT_FALSE(done);
  qmgr->peer->send(ipc::OutcomeCommitted{job.queue_id, job.attempt});
  ASSERT_TRUE(bench.until([&] { return done; }));
}

TEST_F(WorkerTest, ADrainDoesNotWaitLongForAQmgrThatIsGone) {
  start();
  qmgr->peer->send(spool.keep("x\r\n", {"b@example.test"}));
  ASSERT_TRUE(outcomes(1));
  bool done = false;
  worker->drain([&] { done = true; });
  EXPECT_FALSE(done);
  qmgr->stop();
  ASSERT_TRUE(bench.until([&] { return done; }));
}

TEST_F(WorkerTest, TheProbersWordsAreUnderstood) {
  start();
  qmgr->peer->send(spool.keep("x\r\n", {"b@example.test"}));
  ASSERT_TRUE(outcomes(1));
  ipc::Destination back;
  back.name = "office";
  back.state = mail::DestinationState::kDraining;
  prober->peer->send(back);
  prober->peer->send(ipc::Destination{});  // one we have never heard of
  qmgr->peer->send(spool.keep("x\r\n", {"b@example.test"}));
  ASSERT_TRUE(outcomes(2));
}

}  // namespace
}  // namespace holdfast::deliver
