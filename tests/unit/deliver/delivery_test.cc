#include "deliver/delivery.h"

#include <gtest/gtest.h>

#include "tests/unit/deliver/spool_fixture.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::deliver {
namespace {

using ipc::RecipientStatus;
using mail::Stage;
using test::ScriptedServer;
using test::status_of;

class DeliveryTest : public testing::Test {
 protected:
  void SetUp() override { use({&server}); }
  void TearDown() override {
    pool.reset();
    EXPECT_TRUE(bench.until([&] { return server.open == 0 && second.open == 0; }));
  }

  static std::string text_of(const ScriptedServer& s) { return "127.0.0.1:" + std::to_string(s.port()); }
  void use(const std::vector<ScriptedServer*>& servers, upstream::Timeouts timeouts = {}) {
    upstream::PoolOptions options{
        .helo = "gw.example.test", .limit = 5, .timeouts = timeouts, .breaker = net::Millis{0}};
    for (auto* s : servers) options.servers.push_back({"127.0.0.1", s->port(), text_of(*s)});
    reports.clear();
    pool = std::make_shared<upstream::Pool>(bench.loop, resolver, options,
                                            upstream::PoolCallbacks{.report = [this](const upstream::Observation& o) {
                                              if (!o.ok) reports.emplace_back(o.reason);
                                            }});
  }
  ipc::Outcome run(const ipc::Job& job) {
    std::optional<ipc::Outcome> out;
    Delivery delivery(
        bench.loop, job, pool, [this](const ipc::Job& j) { return spool.open(j); },
        [&](Delivery& d) { out = d.outcome(); });
    EXPECT_FALSE(out.has_value());
    EXPECT_TRUE(bench.until([&] { return out.has_value(); }));
    return out.value_or(ipc::Outcome{});
  }

  test::Bench bench;
  net::Resolver resolver{bench.loop};
  ScriptedServer server{bench.loop}, second{bench.loop};
  test::SpoolFixture spool;
  std::vector<std::string> reports;
  std::shared_ptr<upstream::Pool> pool;
};

TEST_F(DeliveryTest, HandsAMessageOverAsItWasKept) {
  mail::Envelope envelope;
  envelope.body = mail::Body::k8BitMime;
  const std::string content = "Received: x\r\n\r\n..dot\r\n\xe4\r\n";
  const ipc::Job job = spool.keep(content, {"b@example.test", "c@example.test"}, envelope);
  const ipc::Outcome o = run(job);
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kSent);
  EXPECT_EQ(status_of(o, 1), RecipientStatus::kSent);
  EXPECT_EQ(o.recipients[0].reply, "250 2.0.0 Ok: taken");
  EXPECT_EQ(o.stage, Stage::kNone);
  EXPECT_EQ(o.relay, "127.0.0.1[127.0.0.1]:" + std::to_string(server.port()));
  EXPECT_EQ(server.messages, std::vector{content});
  EXPECT_EQ(server.lines[1], "MAIL FROM:<a@s.example> SIZE=" + std::to_string(content.size()) + " BODY=8BITMIME");
  EXPECT_EQ(pool->idle(), 1);
}

TEST_F(DeliveryTest, UsesTheConnectionAgain) {
  const ipc::Job job = spool.keep("x\r\n", {"b@example.test"});
  run(job);
  run(spool.keep("y\r\n", {"b@example.test"}));
  EXPECT_EQ(server.connections, 1);
  EXPECT_EQ(server.messages.size(), 2u);
}

TEST_F(DeliveryTest, WhatNeedsSmtpUtf8IsRefusedHereWhenTheServerHasLostIt) {
  mail::Envelope envelope;
  envelope.smtputf8 = true;
  const std::string ascii = "Subject: x\r\n\r\n\xc3\xa4\r\n";
  const ipc::Job by_header = spool.keep("Subject: \xc3\xa4\r\n\r\nx\r\n", {"b@x.test", "c@x.test"}, envelope);
  const ipc::Job by_recipient = spool.keep(ascii, {"\xc3\xa4@x.test"}, envelope);
  envelope.sender = "\xc3\xa4@s.example";
  const ipc::Job by_sender = spool.keep(ascii, {"b@x.test"}, envelope);
  for (const auto& job : {by_header, by_recipient, by_sender}) {
    const ipc::Outcome o = run(job);
    for (const auto& recipient : o.recipients) {
      EXPECT_EQ(recipient.status, static_cast<std::uint8_t>(RecipientStatus::kRefused));
      EXPECT_EQ(recipient.dsn, "5.6.7");
      EXPECT_TRUE(recipient.own_words);
      EXPECT_NE(recipient.reply.find("SMTPUTF8"), std::string::npos);
    }
  }
  EXPECT_EQ(server.count("MAIL"), 0u);
  EXPECT_EQ(pool->idle(), 1) << "the connection is as good as before";
}

TEST_F(DeliveryTest, WhatIsAsciiGoesWithoutSmtpUtf8) {
  mail::Envelope envelope;
  envelope.smtputf8 = true;
  const auto long_header = "Subject: x\r\nX-Long: " + std::string(40'000, 'x') + "\r\n\r\n\xc3\xa4\r\n";
  for (const std::string& content : {std::string("Subject: x\r\n\r\n\xc3\xa4\r\n"), std::string("\r\n\xc3\xa4\r\n"),
                                     std::string("X: only a header\r\n"), long_header}) {
    EXPECT_EQ(status_of(run(spool.keep(content, {"b@x.test"}, envelope)), 0), RecipientStatus::kSent);
    EXPECT_EQ(server.messages.back(), content);
  }
  EXPECT_EQ(server.count("MAIL"), 4u);
  for (const auto& line : server.lines) EXPECT_EQ(line.find("SMTPUTF8"), std::string::npos);
  server.cut();
  ASSERT_TRUE(bench.until([&] { return pool->connections() == 0; }));
  server.replies["EHLO"] = "250-scripted\r\n250 SMTPUTF8";
  run(spool.keep("Subject: x\r\n\r\nx\r\n", {"b@x.test"}, envelope));
  EXPECT_EQ(server.count("MAIL FROM:<a@s.example> SMTPUTF8"), 1u) << "where it is offered it is said";
}

TEST_F(DeliveryTest, WhatIsBiggerThanTheServerTakesIsRefusedHere) {
  server.replies["EHLO"] = "250-scripted\r\n250 SIZE 30";
  const ipc::Outcome o = run(spool.keep("Subject: x\r\n\r\n" + std::string(20, 'x') + "\r\n", {"b@x.test"}));
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kRefused);
  EXPECT_EQ(o.recipients[0].dsn, "5.3.4");
  EXPECT_EQ(server.count("MAIL"), 0u);
  server.cut();
  ASSERT_TRUE(bench.until([&] { return pool->connections() == 0; }));
  server.replies["EHLO"] = "250-scripted\r\n250 SIZE";
  EXPECT_EQ(status_of(run(spool.keep("Subject: x\r\n\r\n" + std::string(20, 'x') + "\r\n", {"b@x.test"})), 0),
            RecipientStatus::kSent);
}

TEST_F(DeliveryTest, SendsALargeMessage) {
  std::string content;
  while (content.size() < (3u << 20)) content += std::string(998, 'x') + "\r\n";
  run(spool.keep(content, {"b@example.test"}));
  ASSERT_EQ(server.messages.size(), 1u);
  EXPECT_TRUE(server.messages[0] == content);
}

TEST_F(DeliveryTest, AnEmptyMessage) {
  EXPECT_EQ(status_of(run(spool.keep("", {"b@example.test"})), 0), RecipientStatus::kSent);
  EXPECT_EQ(server.messages, std::vector<std::string>{""});
}

TEST_F(DeliveryTest, KeepsRefusedRecipientsApart) {
  server.judge = [](const std::string& line) -> std::optional<std::string> {
    if (line.starts_with("RCPT TO:<bad@")) return "550 5.1.1 no such user";
    if (line.starts_with("RCPT TO:<later@")) return "452 4.2.2 full";
    return std::nullopt;
  };
  const ipc::Outcome o = run(spool.keep("x\r\n", {"bad@example.test", "b@example.test", "later@example.test"}));
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kRefused);
  EXPECT_TRUE(o.recipients[0].speaks_of_recipient);
  EXPECT_EQ(status_of(o, 1), RecipientStatus::kSent);
  EXPECT_EQ(status_of(o, 2), RecipientStatus::kDeferred);
  EXPECT_EQ(server.messages.size(), 1u);
}

TEST_F(DeliveryTest, SendsNoContentWhenNobodyIsAccepted) {
  server.replies["RCPT"] = "550 5.1.1 no such user";
  const ipc::Outcome o = run(spool.keep("x\r\n", {"b@example.test", "c@example.test"}));
  EXPECT_EQ(status_of(o, 1), RecipientStatus::kRefused);
  EXPECT_EQ(server.count("DATA"), 0u);
  ASSERT_TRUE(bench.until([&] { return pool->idle() == 1; }));
  EXPECT_EQ(server.lines.back(), "RSET");
}

TEST_F(DeliveryTest, ATemporaryRefusalOfMailIsReported) {
  server.replies["MAIL"] = "452 4.3.1 full";
  const ipc::Outcome o = run(spool.keep("x\r\n", {"b@example.test"}));
  EXPECT_EQ(o.stage, Stage::kMail);
  EXPECT_EQ(o.code, 452);
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kDeferred);
  EXPECT_EQ(reports, std::vector<std::string>{"MAIL: 452 4.3.1 full"});
}

TEST_F(DeliveryTest, A421AtRcptEndsTheAttempt) {
  server.judge = [](const std::string& line) -> std::optional<std::string> {
    if (line.starts_with("RCPT TO:<c@")) return "-421 4.3.2 closing";
    return std::nullopt;
  };
  const ipc::Outcome o = run(spool.keep("x\r\n", {"b@example.test", "c@example.test"}));
  EXPECT_EQ(o.code, 421);
  EXPECT_FALSE(o.connection_lost);
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kDeferred);
  EXPECT_EQ(pool->connections(), 0);
}

TEST_F(DeliveryTest, RefusedAfterTheDot) {
  server.replies["."] = "554 5.7.1 spam";
  const ipc::Outcome o = run(spool.keep("x\r\n", {"b@example.test"}));
  EXPECT_EQ(o.stage, Stage::kDot);
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kRefused);
}

TEST_F(DeliveryTest, RefusedAtData) {
  server.replies["DATA"] = "451 4.3.0 later";
  const ipc::Outcome o = run(spool.keep("x\r\n", {"b@example.test"}));
  EXPECT_EQ(o.stage, Stage::kData);
  EXPECT_EQ(o.recipients[0].reply, "451 4.3.0 later");
}

TEST_F(DeliveryTest, LostAfterTheDotMayBeADuplicate) {
  server.replies["."] = ScriptedServer::kCut;
  const ipc::Outcome o = run(spool.keep("x\r\n", {"b@example.test"}));
  EXPECT_TRUE(o.connection_lost);
  EXPECT_TRUE(o.possible_duplicate);
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kDeferred);
}

TEST_F(DeliveryTest, NobodyAnswers) {
  server.stop();
  const ipc::Outcome o = run(spool.keep("x\r\n", {"b@example.test"}));
  EXPECT_EQ(o.stage, Stage::kConnect);
  EXPECT_EQ(o.code, 0);
  EXPECT_FALSE(o.connection_lost);
  EXPECT_EQ(o.recipients[0].reply, "connect: connection refused");
  EXPECT_EQ(o.recipients[0].dsn, "4.4.1");
}

TEST_F(DeliveryTest, APooledConnectionThatDiedIsReplacedOnce) {
  run(spool.keep("x\r\n", {"b@example.test"}));
  int mails = 0;
  server.judge = [&](const std::string& line) -> std::optional<std::string> {
    if (line.starts_with("MAIL") && ++mails == 1) return ScriptedServer::kCut;
    return std::nullopt;
  };
  const ipc::Outcome o = run(spool.keep("y\r\n", {"b@example.test"}));
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kSent);
  EXPECT_EQ(server.connections, 2);
}

TEST_F(DeliveryTest, AServerThatDiesAtMailIsFollowedByTheNext) {
  use({&server, &second});
  server.replies["MAIL"] = ScriptedServer::kCut;
  const ipc::Outcome o = run(spool.keep("x\r\n", {"b@example.test"}));
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kSent);
  EXPECT_EQ(second.messages.size(), 1u);
  EXPECT_EQ(server.connections, 1);
}

TEST_F(DeliveryTest, TheLastServersFailureIsTold) {
  server.replies["MAIL"] = ScriptedServer::kCut;
  const ipc::Outcome o = run(spool.keep("x\r\n", {"b@example.test"}));
  EXPECT_EQ(o.stage, Stage::kMail);
  EXPECT_EQ(o.recipients[0].reply, "MAIL: connection closed by the server");
  EXPECT_FALSE(o.connection_lost);
  EXPECT_EQ(server.connections, 1);
}

TEST_F(DeliveryTest, AfterMailWasAnsweredNoOtherServerIsTried) {
  use({&server, &second});
  server.replies["DATA"] = ScriptedServer::kCut;
  const ipc::Outcome o = run(spool.keep("x\r\n", {"b@example.test"}));
  EXPECT_TRUE(o.connection_lost);
  EXPECT_EQ(second.connections, 0);
}

TEST_F(DeliveryTest, ADamagedRecordIsNotSent) {
  const ipc::Job job = spool.keep("x\r\n", {"b@example.test"});
  spool.damage(job);
  const ipc::Outcome o = run(job);
  EXPECT_TRUE(o.damaged);
  EXPECT_EQ(server.connections, 0);
}

TEST_F(DeliveryTest, ARecordThatIsNotThereIsDamagedToo) {
  ipc::Job job = spool.keep("x\r\n", {"b@example.test"});
  job.record.segment = 77;
  EXPECT_TRUE(run(job).damaged);
}

TEST_F(DeliveryTest, MayBeGivenUpAtAnyTime) {
  server.replies["."] = ScriptedServer::kSilence;
  const ipc::Job job = spool.keep("x\r\n", {"b@example.test"});
  bool done = false;
  const auto open = [this](const ipc::Job& j) { return spool.open(j); };
  auto delivery = std::make_unique<Delivery>(bench.loop, job, pool, open, [&](Delivery&) { done = true; });
  EXPECT_FALSE(delivery->begun());
  ASSERT_TRUE(bench.until([&] { return server.count(".") == 1; }));
  EXPECT_TRUE(delivery->begun());
  EXPECT_TRUE(delivery->in_doubt());
  delivery.reset();
  ASSERT_TRUE(bench.until([&] { return server.open == 0; }));
  delivery = std::make_unique<Delivery>(bench.loop, job, pool, open, [&](Delivery&) { done = true; });
  delivery.reset();
  EXPECT_FALSE(bench.until([&] { return done; }, net::Millis{50}));
  EXPECT_FALSE(done);
}

}  // namespace
}  // namespace holdfast::deliver
