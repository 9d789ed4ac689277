#include "smtpd/relay.h"

#include <optional>

#include <gtest/gtest.h>

#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::smtpd {
namespace {

using test::Bench;
using test::ScriptedServer;

class RelayTest : public ::testing::Test {
 protected:
  std::shared_ptr<upstream::Pool> make_pool(const std::vector<ScriptedServer*>& servers) {
    upstream::PoolOptions options{.helo = "mx.test", .limit = 4};
    for (auto* s : servers) options.servers.push_back({"127.0.0.1", s->port(), "127.0.0.1:" + std::to_string(s->port())});
    options.timeouts.session = session;
    return std::make_shared<upstream::Pool>(
        bench.loop, resolver, std::move(options),
        upstream::PoolCallbacks{.report = [this](const upstream::Observation& o) { if (!o.ok) seen.push_back(o.stage); }});
  }
  std::unique_ptr<Relay> make_relay(std::shared_ptr<upstream::Pool> pool, RelayWaits waits = {}) {
    return std::make_unique<Relay>(bench.loop, std::move(pool), Relay::Mail{.sender = "a@s.example"}, waits);
  }
  Word ask_rcpt(Relay& relay, const std::string& recipient) {
    std::optional<Word> got;
    relay.rcpt({.address = recipient}, [&](const Word& word) { got = word; });
    EXPECT_FALSE(got) << "answered inside the question";
    EXPECT_TRUE(bench.until([&] { return got.has_value(); }));
    return got.value_or(Word{});
  }
  Word ask_send(Relay& relay, const std::string& text) {
    content.emplace("/tmp");
    EXPECT_TRUE(content->append(text));
    std::optional<Word> got;
    relay.send(*content, [&](const Word& word) { got = word; });
    EXPECT_TRUE(bench.until([&] { return got.has_value(); }));
    return got.value_or(Word{});
  }
  // One whole transaction, so that the pool holds an idle connection.
  void warm(const std::shared_ptr<upstream::Pool>& pool) {
    auto relay = make_relay(pool);
    ask_rcpt(*relay, "w@example.test");
    EXPECT_EQ(ask_send(*relay, "warm\r\n").reply.code, 250);
  }

  Bench bench;
  net::Resolver resolver{bench.loop};
  ScriptedServer server{bench.loop};
  net::Millis session{20'000};
  std::vector<mail::Stage> seen;  // failures that were reported
  std::optional<storage::Content> content;
};

TEST_F(RelayTest, CarriesTheDestinationsWords) {
  server.judge = [](const std::string& line) -> std::optional<std::string> {
    if (line.find("no@") != std::string::npos) return "550 5.1.1 nobody";
    return std::nullopt;
  };
  auto relay = make_relay(make_pool({&server}));
  EXPECT_EQ(ask_rcpt(*relay, "b@example.test").reply.code, 250);
  const auto refused = ask_rcpt(*relay, "no@example.test");
  EXPECT_EQ(refused.from, Word::From::kRcpt);
  EXPECT_EQ(refused.reply.text(), "550 5.1.1 nobody");
  const auto sent = ask_send(*relay, "Subject: x\r\n\r\nhello\r\n");
  EXPECT_EQ(sent.from, Word::From::kDot);
  EXPECT_EQ(sent.relay.substr(0, 20), "127.0.0.1[127.0.0.1]");
  ASSERT_EQ(server.messages.size(), 1u);
  EXPECT_EQ(server.messages[0], "Subject: x\r\n\r\nhello\r\n");
}

TEST_F(RelayTest, MailsRefusalIsSaidToBeMails) {
  server.replies["MAIL"] = "550 5.7.1 not you";
  auto relay = make_relay(make_pool({&server}));
  const auto word = ask_rcpt(*relay, "b@example.test");
  EXPECT_EQ(word.from, Word::From::kMail);
  EXPECT_EQ(word.reply.text(), "550 5.7.1 not you");
}

TEST_F(RelayTest, APooledConnectionThatDiesIsReplacedOnce) {
  const auto pool = make_pool({&server});
  warm(pool);
  int mails = 0;
  server.judge = [&](const std::string& line) -> std::optional<std::string> {
    if (line.starts_with("MAIL") && ++mails == 1) return ScriptedServer::kCut;
    return std::nullopt;
  };
  auto relay = make_relay(pool);
  EXPECT_EQ(ask_rcpt(*relay, "b@example.test").reply.code, 250);
  EXPECT_EQ(mails, 2);
}

TEST_F(RelayTest, TheNextServerIsAskedWhenTheFirstFails) {
  ScriptedServer second(bench.loop);
  server.replies["MAIL"] = "421 4.3.2 closing";
  auto relay = make_relay(make_pool({&server, &second}));
  EXPECT_EQ(ask_rcpt(*relay, "b@example.test").reply.code, 250);
  EXPECT_EQ(second.count("RCPT"), 1u);
}

TEST_F(RelayTest, A421ToRcptGoesToTheNextServerToo) {
  ScriptedServer second(bench.loop);
  server.replies["RCPT"] = "421 4.3.2 closing";
  auto relay = make_relay(make_pool({&server, &second}));
  EXPECT_EQ(ask_rcpt(*relay, "b@example.test").reply.code, 250);
  EXPECT_EQ(second.count("RCPT"), 1u);
}

TEST_F(RelayTest, NobodyAnswersWhenAllRefuse) {
  const auto pool = make_pool({&server});
  server.stop();
  auto relay = make_relay(pool);
  const auto word = ask_rcpt(*relay, "b@example.test");
  EXPECT_EQ(word.from, Word::From::kNobody);
  EXPECT_EQ(word.reply.code, 0);
  EXPECT_FALSE(relay->lost());
}

TEST_F(RelayTest, ASilentServerIsGivenUpInTime) {
  server.replies["RCPT"] = ScriptedServer::kSilence;
  auto relay = make_relay(make_pool({&server}), {.answer = net::Millis{50}, .park = net::Millis{30'000}});
  EXPECT_EQ(ask_rcpt(*relay, "b@example.test").from, Word::From::kNobody);
  EXPECT_EQ(seen, std::vector{mail::Stage::kRcpt});
}

TEST_F(RelayTest, WhoComesAfterASilentGreetingDoesNotWait) {
  server.replies["banner"] = ScriptedServer::kSilence;
  session = net::Millis{300};  // as in smtpd: all of the time that the answer to RCPT may take
  const auto pool = make_pool({&server});
  const RelayWaits waits{.answer = session, .park = net::Millis{30'000}};
  EXPECT_EQ(ask_rcpt(*make_relay(pool, waits), "b@example.test").from, Word::From::kNobody);
  EXPECT_EQ(seen, std::vector{mail::Stage::kBanner});
  const auto before = base::mono_now();
  EXPECT_EQ(ask_rcpt(*make_relay(pool, waits), "b@example.test").from, Word::From::kNobody);
  EXPECT_LT(base::mono_now() - before, session / 2);
}

// Greylisting by 421 is policy like any other: the words must come through, so that they can be judged.
TEST_F(RelayTest, A421OfTheLastServerIsTheAnswer) {
  server.replies["RCPT"] = "421 4.7.0 greylisted";
  auto relay = make_relay(make_pool({&server}));
  const auto at_rcpt = ask_rcpt(*relay, "b@example.test");
  EXPECT_EQ(at_rcpt.from, Word::From::kRcpt);
  EXPECT_EQ(at_rcpt.reply.text(), "421 4.7.0 greylisted");
  server.replies["MAIL"] = "421 4.7.0 greylisted";
  relay = make_relay(make_pool({&server}));
  EXPECT_EQ(ask_rcpt(*relay, "b@example.test").from, Word::From::kMail);
}

TEST_F(RelayTest, OnceAcceptedALossIsFinal) {
  auto relay = make_relay(make_pool({&server}));
  ASSERT_EQ(ask_rcpt(*relay, "b@example.test").reply.code, 250);
  server.cut();
  ASSERT_TRUE(bench.until([&] { return relay->lost(); }));
  EXPECT_EQ(ask_rcpt(*relay, "c@example.test").from, Word::From::kNobody);
  EXPECT_EQ(ask_send(*relay, "x\r\n").from, Word::From::kNobody);
  EXPECT_TRUE(server.messages.empty());
}

TEST_F(RelayTest, ALossAfterTheDotMayBeADuplicate) {
  server.replies["."] = ScriptedServer::kCut;
  auto relay = make_relay(make_pool({&server}));
  ASSERT_EQ(ask_rcpt(*relay, "b@example.test").reply.code, 250);
  const auto word = ask_send(*relay, "x\r\n");
  EXPECT_EQ(word.from, Word::From::kNobody);
  EXPECT_TRUE(word.possible_duplicate);
}

TEST_F(RelayTest, RefusedDataIsAReply) {
  server.replies["DATA"] = "451 4.3.0 not now";
  auto relay = make_relay(make_pool({&server}));
  ASSERT_EQ(ask_rcpt(*relay, "b@example.test").reply.code, 250);
  const auto word = ask_send(*relay, "x\r\n");
  EXPECT_EQ(word.from, Word::From::kData);
  EXPECT_EQ(word.reply.text(), "451 4.3.0 not now");
}

TEST_F(RelayTest, ASlowClientsTransactionIsResetAndReplayed) {
  const auto pool = make_pool({&server});
  auto relay = make_relay(pool, {.answer = net::Millis{5'000}, .park = net::Millis{20}});
  ASSERT_EQ(ask_rcpt(*relay, "b@example.test").reply.code, 250);
  ASSERT_EQ(ask_rcpt(*relay, "c@example.test").reply.code, 250);
  ASSERT_TRUE(bench.until([&] { return server.count("RSET") == 1 && pool->idle() == 1; }));
  const auto word = ask_send(*relay, "late\r\n");
  EXPECT_EQ(word.reply.code, 250);
  EXPECT_EQ(server.count("MAIL"), 2u);
  EXPECT_EQ(server.count("RCPT"), 4u);
  ASSERT_EQ(server.messages.size(), 1u);
  EXPECT_EQ(server.messages[0], "late\r\n");
}

TEST_F(RelayTest, AReplayThatGoesDifferentlyIsALoss) {
  const auto pool = make_pool({&server});
  auto relay = make_relay(pool, {.answer = net::Millis{5'000}, .park = net::Millis{20}});
  ASSERT_EQ(ask_rcpt(*relay, "b@example.test").reply.code, 250);
  ASSERT_TRUE(bench.until([&] { return pool->idle() == 1; }));
  server.replies["RCPT"] = "550 5.1.1 gone";
  EXPECT_EQ(ask_send(*relay, "late\r\n").from, Word::From::kNobody);
  EXPECT_TRUE(server.messages.empty());
}

TEST_F(RelayTest, AClientThatGoesInTheMiddleLeavesNothingBehind) {
  const auto pool = make_pool({&server});
  auto relay = make_relay(pool);
  ASSERT_EQ(ask_rcpt(*relay, "b@example.test").reply.code, 250);
  relay.reset();
  ASSERT_TRUE(bench.until([&] { return server.count("RSET") == 1; }));
  EXPECT_TRUE(server.messages.empty());
  // While the content is on its way: the connection is cut, so that no half message is completed.
  relay = make_relay(pool);
  ASSERT_EQ(ask_rcpt(*relay, "b@example.test").reply.code, 250);
  server.replies["."] = ScriptedServer::kSilence;
  content.emplace("/tmp");
  ASSERT_TRUE(content->append("x\r\n"));
  relay->send(*content, [](const Word&) { ADD_FAILURE() << "answered"; });
  relay.reset();
  ASSERT_TRUE(bench.until([&] { return server.open == 0; }));
}

}  // namespace
}  // namespace holdfast::smtpd
