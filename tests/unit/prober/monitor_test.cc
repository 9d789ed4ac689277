// Monitors against servers on loopback, with a directory on disk.
#include "prober/monitor.h"

#include <algorithm>
#include <atomic>
#include <set>

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/installation_token.h"
#include "prober/learner.h"
#include "prober/recipients.h"
#include "tests/unit/prober/folder.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::prober {
namespace {

using test::Folder;
using enum mail::DestinationState;
using storage::CatchAll;
using storage::RecipientRow;

constexpr std::int64_t kHour = 3600'000;

class MonitorTest : public testing::Test {
 protected:
  MonitorTest() : server(bench.loop), resolver(bench.loop) {
    server.replies["banner"] = "220 office.test ESMTP";
    server.replies["EHLO"] = "250-office.test\r\n250-PIPELINING\r\n250 SIZE 1000";
    server.replies["MAIL"] = server.replies["RSET"] = "250 2.0.0 ok";
    server.replies["QUIT"] = "221 bye";
    server.judge = [this](const std::string& line) { return judge(line); };
    accepts = {"postmaster"};
    open();
  }

  // Recipients whose local part is in `accepts` get 250, the others `refusal`.
  std::optional<std::string> judge(const std::string& line) {
    if (!line.starts_with("RCPT")) return std::nullopt;
    const std::string local = line.substr(9, line.find('@') - 9);
    asked.push_back(local);
    return accepts.contains(local) || accepts.contains("*") ? "250 2.1.5 ok" : refusal;
  }

  void open() {
    store = std::move(*Store::open(bench.loop, folder.path()));
    shared = std::make_unique<Shared>(Shared{.loop = bench.loop,
                                             .resolver = resolver,
                                             .store = *store,
                                             .token = std::string(32, 'a'),
                                             .config = config({server.port()}),
                                             .publish = [this](const ipc::Destination& d) { told.push_back(d); }});
  }
  config::ConfigPtr config(std::vector<std::uint16_t> ports, int down_after = 1, int interval = 1) {
    config::Config made;
    made.hostname = "mx.test";
    config::Destination office{.name = "office", .servers = {}, .retry = "default", .schedule = {}};
    for (const auto port : ports) office.servers.push_back({"127.0.0.1", port});
    office.probe = {.interval = base::Seconds(interval), .down_after = down_after, .up_after = 1};
    made.destinations["office"] = office;
    config::Domain domain;
    domain.name = "example.test";
    domain.destination = "office";
    made.domains["example.test"] = domain;
    return std::make_shared<const config::Config>(std::move(made));
  }
  // With the row on disk, as after a start.
  void watch() {
    std::optional<storage::DestinationRow> row;
    store->read([&](const auto& d, const auto& txn) { row = d.destination(txn, "office"); });
    monitor = std::make_unique<Monitor>(*shared, "office", row, base::Millis(1));
  }
  void restart() {
    monitor.reset();
    store.reset();
    open();
    watch();
  }
  void learnt(const std::string& key, std::int64_t refused_ms = 0, std::int64_t age = 2 * kHour) {
    const std::int64_t now = base::to_millis(base::wall_now());
    bool done = false;
    store->submit(
        [=](storage::Directory& d, storage::WriteTxn& txn) {
          return d.put_recipient(
              txn, key,
              RecipientRow{
                  .destination = "office", .verified_ms = now - age, .learnt_ms = now - age, .refused_ms = refused_ms},
              1000);
        },
        [&] { done = true; }, true);
    ASSERT_TRUE(bench.until([&] { return done; }));
  }
  std::optional<RecipientRow> recipient(const std::string& key) {
    std::optional<RecipientRow> row;
    store->read([&](const auto& d, const auto& txn) { row = d.recipient(txn, key); });
    return row;
  }
  CatchAll catch_all() {
    std::optional<storage::DomainRow> row;
    store->read([&](const auto& d, const auto& txn) { row = d.domain(txn, "example.test"); });
    return row ? row->catch_all : CatchAll::kUnknown;
  }
  storage::DestinationRow on_disk() {
    storage::DestinationRow row;
    store->read([&](const auto& d, const auto& txn) { row = d.destination(txn, "office").value_or(row); });
    return row;
  }
  bool becomes(mail::DestinationState state) {
    return bench.until([&] { return !told.empty() && told.back().state == state; });
  }
  void report(ipc::DrainEvent event, const std::string& reason = {}) {
    monitor->drain_report(
        {.destination = "office", .since_ms = told.back().since_ms, .event = event, .reason = reason});
  }
  bool probed_again(std::size_t times = 1) {
    const std::size_t before = server.count("QUIT");
    return bench.until([&] { return server.count("QUIT") >= before + times; });
  }

  std::atomic<bool> disk_mended = false;  // outlives the writer's thread
  Folder folder;
  holdfast::test::Bench bench;
  holdfast::test::ScriptedServer server;
  net::Resolver resolver;
  std::unique_ptr<Store> store;
  std::unique_ptr<Shared> shared;
  std::unique_ptr<Monitor> monitor;
  std::vector<ipc::Destination> told;
  std::set<std::string> accepts;
  std::vector<std::string> asked;
  std::string refusal = "550 5.1.1 no such user";
};

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

TEST_F(MonitorTest, FindsCatchAllsDaily) {
  watch();
  ASSERT_TRUE(bench.until([&] { return catch_all() == CatchAll::kNo; }));
  const auto random = std::ranges::count_if(asked, [](const auto& a) { return a.starts_with("probe-"); });
  ASSERT_TRUE(probed_again(2));
  EXPECT_EQ(random, std::ranges::count_if(asked, [](const auto& a) { return a.starts_with("probe-"); }));
}

TEST_F(MonitorTest, ACatchAllIsFoundOut) {
  learnt("anna@example.test");  // before anybody had tested
  accepts = {"*"};
  watch();
  ASSERT_TRUE(bench.until([&] { return catch_all() == CatchAll::kYes; }));
  EXPECT_FALSE(recipient("anna@example.test"));
}

TEST_F(MonitorTest, AServerThatTakesEverythingForADayCostsNoKnowledge) {
  learnt("anna@example.test");
  const std::int64_t yesterday = base::to_millis(base::wall_now()) - 25 * kHour;
  store->submit([=](storage::Directory& d, storage::WriteTxn& txn) {
    return d.put_domain(
        txn, "example.test",
        {.destination = "office", .catch_all = CatchAll::kNo, .catch_all_tested_ms = yesterday, .coverage = {}});
  });
  ASSERT_TRUE(bench.until([&] { return catch_all() == CatchAll::kNo; }));
  accepts = {"*"};
  watch();
  ASSERT_TRUE(bench.until([&] { return catch_all() == CatchAll::kYes; }));
  EXPECT_TRUE(recipient("anna@example.test"));
}

TEST_F(MonitorTest, ForgetsOnlyByItsOwnSecondRefusal) {
  learnt("anna@example.test");
  learnt("bert@example.test");
  accepts = {"postmaster", "bert"};
  watch();
  ASSERT_TRUE(probed_again());
  monitor->refused(
      {.destination = "office", .key = "anna@example.test", .address = "Anna@example.test", .reply = "550 5.1.1"});
  ASSERT_TRUE(bench.until([&] { return recipient("anna@example.test")->refused_ms != 0; }));
  EXPECT_EQ(recipient("bert@example.test")->refused_ms, 0);
  // Ten minutes later, after a restart.
  learnt("anna@example.test", base::to_millis(base::wall_now()) - kHour);
  restart();
  monitor->restore_suspicion("anna@example.test", base::wall_now() - std::chrono::hours(1));
  ASSERT_TRUE(bench.until([&] { return !recipient("anna@example.test"); }));
  EXPECT_TRUE(recipient("bert@example.test"));
  EXPECT_EQ(told.back().state, kUp);
}

TEST_F(MonitorTest, AClientsRefusalIsNotBelieved) {
  learnt("anna@example.test", 0, 2 * kHour);
  accepts = {"postmaster", "Anna"};
  watch();
  const auto before = recipient("anna@example.test")->verified_ms;
  monitor->refused(
      {.destination = "office", .key = "anna@example.test", .address = "Anna@example.test", .reply = "550 5.1.1"});
  ASSERT_TRUE(bench.until([&] { return recipient("anna@example.test")->verified_ms > before; }));
  EXPECT_EQ(recipient("anna@example.test")->refused_ms, 0);
  EXPECT_EQ(monitor->suspects(), 0U);
}

TEST_F(MonitorTest, ALocalRecipientThatIsRefusedIsAskedForOnce) {
  watch();
  ASSERT_TRUE(becomes(kUp));
  for (int i = 0; i < 3; ++i) {
    monitor->refused({.destination = "office",
                      .key = "postmaster@example.test",
                      .address = "Postmaster@example.test",
                      .reply = "550"});
    ASSERT_TRUE(probed_again());
  }
  EXPECT_EQ(std::ranges::count(asked, "Postmaster"), 1);
  EXPECT_EQ(monitor->suspects(), 0U);
  EXPECT_EQ(told.back().state, kUp);
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

TEST_F(MonitorTest, AServerThatRefusesEverybodyIsBroken) {
  for (const char* key : {"anna@example.test", "bert@example.test", "cora@example.test"}) learnt(key);
  watch();
  ASSERT_TRUE(becomes(kUp));
  monitor->refused(
      {.destination = "office", .key = "anna@example.test", .address = "anna@example.test", .reply = "550 5.1.1"});
  ASSERT_TRUE(becomes(kDown));
  EXPECT_EQ(told.back().reason, "refuses known recipients");
  EXPECT_TRUE(on_disk().refuses_known);
  ASSERT_TRUE(probed_again(2));
  EXPECT_EQ(told.back().state, kDown);
  restart();
  ASSERT_TRUE(probed_again(2));
  EXPECT_EQ(told.back().state, kDown);
  for (const char* key : {"anna@example.test", "bert@example.test", "cora@example.test"}) {
    ASSERT_TRUE(recipient(key)) << key;
    EXPECT_EQ(recipient(key)->refused_ms, 0) << key;
  }
  accepts = {"postmaster", "cora"};
  ASSERT_TRUE(becomes(kDraining));
}

TEST_F(MonitorTest, WithNobodyKnownAnyMoreAPassIsEnough) {
  learnt("anna@example.test");
  learnt("bert@example.test");
  watch();
  monitor->refused(
      {.destination = "office", .key = "anna@example.test", .address = "anna@example.test", .reply = "550 5.1.1"});
  ASSERT_TRUE(becomes(kDown));
  flush_recipients(*store, "", [](std::size_t) {});
  ASSERT_TRUE(becomes(kDraining));
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

TEST_F(MonitorTest, LearnsThroughTheLearner) {
  watch();
  Learner learner(bench.loop, *store, shared->config);
  learner.set_destinations(
      {.accepted = [&](const std::string&, const std::string& key) { return monitor->accepted(key); },
       .downtime_ms = [&](std::string_view) { return monitor->downtime_ms(); }});
  ipc::Learn lesson;
  lesson.recipients = {{.key = "anna@example.test", .destination = "office"},
                       {.key = "x@foreign.test", .destination = "office"}};
  learner.learn(lesson);
  ASSERT_TRUE(bench.until([&] { return recipient("anna@example.test").has_value(); }));
  EXPECT_FALSE(recipient("x@foreign.test"));
  std::optional<storage::DomainRow> row;
  store->read([&](const auto& d, const auto& txn) { row = d.domain(txn, "example.test"); });
  ASSERT_TRUE(row && !row->coverage.empty());
  EXPECT_EQ(row->coverage.back().covered, 1U);
}

TEST_F(MonitorTest, TheAdminsRecipients) {
  auto keys = recipient_keys({"Sales@Example.test"}, *shared->config, Domains::kOurs);
  ASSERT_TRUE(keys);
  EXPECT_EQ(recipient_keys({"nobody"}, *shared->config, Domains::kOurs).error().kind, base::Kind::kUsage);
  EXPECT_EQ(recipient_keys({"a@foreign.test"}, *shared->config, Domains::kOurs).error().kind, base::Kind::kNotFound);
  std::optional<std::size_t> changed;
  set_recipients(*store, *keys, storage::RecipientSource::kLocal, [&](std::size_t n) { changed = n; });
  ASSERT_TRUE(bench.until([&] { return changed.has_value(); }));
  EXPECT_EQ(*changed, 1U);
  EXPECT_EQ(recipient("sales@example.test")->source, storage::RecipientSource::kLocal);
  learnt("anna@example.test");
  changed.reset();
  flush_recipients(*store, "example.test", [&](std::size_t n) { changed = n; });
  ASSERT_TRUE(bench.until([&] { return changed.has_value(); }));
  EXPECT_EQ(*changed, 1U);
  EXPECT_TRUE(recipient("sales@example.test"));
  changed.reset();
  remove_recipients(*store, *keys, [&](std::size_t n) { changed = n; });
  ASSERT_TRUE(bench.until([&] { return changed.has_value(); }));
  EXPECT_FALSE(recipient("sales@example.test"));
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
