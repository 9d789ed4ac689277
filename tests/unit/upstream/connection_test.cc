#include "common/upstream/connection.h"

#include <gtest/gtest.h>

#include "tests/unit/upstream/recorder.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::upstream {
namespace {

using mail::Stage;
using test::ScriptedServer;
using Events = std::vector<std::string>;

class ConnectionTest : public testing::Test {
 protected:
  void open(Timeouts timeouts = {}) {
    connection = std::make_unique<Connection>(bench.loop, server.address(), "gw.example.test", timeouts, seen);
  }
  void open_ready(Timeouts timeouts = {}) {
    open(timeouts);
    ASSERT_TRUE(bench.until([&] { return seen.saw("ready"); }));
    seen.events.clear();
  }
  bool fails() {
    return bench.until([&] { return seen.failure.has_value(); });
  }
  // MAIL and RCPT accepted.
  void begin() {
    connection->mail("a@s.example", "");
    connection->rcpt("b@example.test");
    ASSERT_TRUE(bench.until([&] { return seen.saw("rcpt 250"); }));
    seen.events.clear();
  }

  test::Bench bench;
  ScriptedServer server{bench.loop};
  test::Recorder seen;
  std::unique_ptr<Connection> connection;
};

TEST_F(ConnectionTest, GreetsAndLearnsWhatTheServerCan) {
  open_ready();
  EXPECT_TRUE(connection->idle());
  EXPECT_TRUE(connection->capabilities().pipelining);
  EXPECT_EQ(connection->capabilities().size_limit, 50000000u);
  EXPECT_EQ(connection->banner().code, 220);
  EXPECT_EQ(connection->ehlo_reply().lines.size(), 4u);
  EXPECT_EQ(server.lines, Events{"EHLO gw.example.test"});
  EXPECT_EQ(connection->mail_parameters({.size = 17, .eightbit = true}), "SIZE=17 BODY=8BITMIME");
}

TEST_F(ConnectionTest, FallsBackToHelo) {
  server.replies["EHLO"] = "502 5.5.2 what";
  open_ready();
  EXPECT_EQ(server.lines.back(), "HELO gw.example.test");
  EXPECT_FALSE(connection->capabilities().pipelining);
  EXPECT_EQ(connection->mail_parameters({.size = 17, .eightbit = true}), "");
}

TEST_F(ConnectionTest, SendsAMessage) {
  open_ready();
  test::TextSource content("Subject: x\r\n\r\n..dot\r\n");
  connection->mail("a@s.example", "SIZE=22");
  connection->rcpt("b@example.test");
  connection->rcpt("c@example.test");
  ASSERT_TRUE(bench.until([&] { return seen.events.size() == 3; }));
  connection->send(content);
  EXPECT_TRUE(connection->sending());
  ASSERT_TRUE(bench.until([&] { return seen.saw("sent 250"); }));
  EXPECT_EQ(seen.events, (Events{"mail 250", "rcpt 250", "rcpt 250", "sent 250"}));
  EXPECT_EQ(server.messages, Events{"Subject: x\r\n\r\n..dot\r\n"});
  EXPECT_EQ(server.lines, (Events{"EHLO gw.example.test", "MAIL FROM:<a@s.example> SIZE=22", "RCPT TO:<b@example.test>",
                                  "RCPT TO:<c@example.test>", "DATA", "."}));
  EXPECT_EQ(server.most_lines_at_once, 3u);
  EXPECT_TRUE(connection->idle());
  EXPECT_EQ(connection->transactions(), 1u);
}

TEST_F(ConnectionTest, WaitsForEachAnswerWithoutPipelining) {
  server.replies["EHLO"] = "250 scripted";
  open_ready();
  connection->mail("a@s.example", "");
  connection->rcpt("b@example.test");
  connection->rcpt("c@example.test");
  ASSERT_TRUE(bench.until([&] { return seen.events.size() == 3; }));
  EXPECT_EQ(server.most_lines_at_once, 1u);
  EXPECT_EQ(server.count("RCPT"), 2u);
}

TEST_F(ConnectionTest, SendsAnEmptyMessage) {
  open_ready();
  begin();
  test::TextSource content("");
  connection->send(content);
  ASSERT_TRUE(bench.until([&] { return seen.saw("sent 250"); }));
  EXPECT_EQ(server.messages, Events{""});
}

TEST_F(ConnectionTest, SendsALargeMessageInPieces) {
  open_ready();
  begin();
  std::string text;
  while (text.size() < (8u << 20)) text += std::string(998, 'x') + "\r\n";
  test::TextSource content(text);
  connection->send(content);
  ASSERT_TRUE(bench.until([&] { return seen.saw("sent 250"); }, Millis{20'000}));
  ASSERT_EQ(server.messages.size(), 1u);
  EXPECT_TRUE(server.messages[0] == text);
}

TEST_F(ConnectionTest, HoldsBackContentThatTheServerDoesNotRead) {
  server.read_content = false;
  open_ready({.content = Millis{300}});
  begin();
  std::string text;
  while (text.size() < (32u << 20)) text += std::string(998, 'x') + "\r\n";
  test::TextSource content(text);
  connection->send(content);
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.failure->stage, Stage::kContent);
  EXPECT_TRUE(seen.failure->timed_out);
  EXPECT_FALSE(seen.failure->dot_sent);
  EXPECT_LT(content.at, text.size());
}

TEST_F(ConnectionTest, TellsOfARefusedMailOnlyOnce) {
  server.replies["MAIL"] = "550 5.7.1 not you";
  server.replies["RCPT"] = "503 5.5.1 MAIL first";
  open_ready();
  connection->mail("a@s.example", "");
  connection->rcpt("b@example.test");
  ASSERT_TRUE(bench.until([&] { return connection->idle(); }));
  EXPECT_EQ(seen.events, Events{"mail 550"});
  server.replies["MAIL"] = "250 ok";
  connection->mail("c@s.example", "");
  ASSERT_TRUE(bench.until([&] { return seen.saw("mail 250"); }));
}

TEST_F(ConnectionTest, DoesNotSendRcptAfterARefusedMailWithoutPipelining) {
  server.replies["EHLO"] = "250 scripted";
  server.replies["MAIL"] = "452 4.3.1 full";
  open_ready();
  connection->mail("a@s.example", "");
  connection->rcpt("b@example.test");
  ASSERT_TRUE(bench.until([&] { return connection->idle(); }));
  EXPECT_EQ(seen.events, Events{"mail 452"});
  EXPECT_EQ(server.count("RCPT"), 0u);
}

TEST_F(ConnectionTest, ResetsBySelfAfterARefusedData) {
  server.replies["DATA"] = "451 4.3.0 later";
  open_ready();
  begin();
  test::TextSource content("x\r\n");
  connection->send(content);
  ASSERT_TRUE(bench.until([&] { return seen.saw("data 451"); }));
  EXPECT_FALSE(connection->in_transaction());
  connection->mail("c@s.example", "");
  ASSERT_TRUE(bench.until([&] { return seen.saw("mail 250"); }));
  EXPECT_EQ(server.lines[server.lines.size() - 2], "RSET");
  EXPECT_EQ(content.at, 0u);
}

TEST_F(ConnectionTest, SwallowsAnswersOfATransactionThatWasReset) {
  open_ready();
  connection->mail("a@s.example", "");
  connection->rcpt("b@example.test");
  connection->reset();
  connection->mail("c@s.example", "");
  ASSERT_TRUE(bench.until([&] { return seen.saw("mail 250"); }));
  EXPECT_EQ(seen.events, (Events{"reset 250", "mail 250"}));
}

TEST_F(ConnectionTest, RefusedConnection) {
  server.stop();
  open();
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.failure->stage, Stage::kConnect);
  EXPECT_EQ(seen.failure->reason, "connect: connection refused");
  EXPECT_EQ(seen.events, Events{"failed"});
}

TEST_F(ConnectionTest, RefusalAtTheBannerIsFollowedByQuit) {
  server.replies["banner"] = "554 5.7.1 go away";
  open();
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.failure->stage, Stage::kBanner);
  EXPECT_EQ(seen.failure->reply.code, 554);
  EXPECT_EQ(seen.failure->reason, "banner: 554 5.7.1 go away");
  EXPECT_TRUE(bench.until([&] { return server.count("QUIT") == 1; }));
}

TEST_F(ConnectionTest, TemporaryRefusalOfEhloIsFinal) {
  server.replies["EHLO"] = "421 4.3.2 closing";
  open();
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.failure->stage, Stage::kEhlo);
  EXPECT_EQ(seen.failure->reply.code, 421);
}

TEST_F(ConnectionTest, SilentServer) {
  server.replies["banner"] = ScriptedServer::kSilence;
  open({.session = Millis{50}});
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.failure->reason, "banner: timed out");
  EXPECT_TRUE(seen.failure->timed_out);
}

TEST_F(ConnectionTest, GarbageInsteadOfABanner) {
  server.replies["banner"] = "HTTP/1.1 400 Bad Request";
  open();
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.failure->stage, Stage::kBanner);
}

TEST_F(ConnectionTest, SilenceAtMail) {
  open_ready({.command = Millis{50}});
  server.replies["MAIL"] = ScriptedServer::kSilence;
  connection->mail("a@s.example", "");
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.failure->reason, "MAIL: timed out");
  EXPECT_FALSE(seen.failure->mail_answered);
}

TEST_F(ConnectionTest, CutAtRcpt) {
  open_ready();
  server.replies["RCPT"] = ScriptedServer::kCut;
  connection->mail("a@s.example", "");
  connection->rcpt("b@example.test");
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.failure->stage, Stage::kRcpt);
  EXPECT_EQ(seen.failure->reason, "RCPT: connection closed by the server");
  EXPECT_TRUE(seen.failure->mail_answered);
  EXPECT_FALSE(seen.failure->dot_sent);
}

TEST_F(ConnectionTest, CutAfterTheDotMayBeADuplicate) {
  open_ready();
  begin();
  server.replies["."] = ScriptedServer::kCut;
  test::TextSource content("x\r\n");
  connection->send(content);
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.failure->stage, Stage::kDot);
  EXPECT_TRUE(seen.failure->dot_sent);
  EXPECT_TRUE(seen.failure->mail_answered);
}

TEST_F(ConnectionTest, SilenceAfterTheDot) {
  open_ready({.dot = Millis{50}});
  begin();
  server.replies["."] = ScriptedServer::kSilence;
  test::TextSource content("x\r\n");
  connection->send(content);
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.failure->reason, "end of DATA: timed out");
  EXPECT_TRUE(seen.failure->dot_sent);
}

TEST_F(ConnectionTest, ContentThatCannotBeReadIsNeverCompleted) {
  open_ready();
  begin();
  test::TextSource content(std::string(3000, 'x') + "\r\n", 1000);
  content.fail_at = 2000;
  connection->send(content);
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.failure->stage, Stage::kLocal);
  EXPECT_EQ(seen.failure->reason, "local: the disk is broken");
  ASSERT_TRUE(bench.until([&] { return server.open == 0; }));
  EXPECT_TRUE(server.messages.empty());
}

TEST_F(ConnectionTest, RefusalInMidContent) {
  server.read_content = false;
  open_ready();
  begin();
  std::string text;
  while (text.size() < (32u << 20)) text += std::string(998, 'x') + "\r\n";
  test::TextSource content(text);
  connection->send(content);
  ASSERT_TRUE(bench.until([&] { return content.at > 0; }));
  server.say("552 5.3.4 too big");
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.failure->stage, Stage::kContent);
  EXPECT_EQ(seen.failure->reply.code, 552);
}

TEST_F(ConnectionTest, AnAnswerBeforeTheEndOfTheContentIsNoSuccess) {
  open_ready();
  server.replies["DATA"] = "354 go on\r\n250 2.0.0 Ok";
  begin();
  test::TextSource content("x\r\n");
  connection->send(content);
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.failure->stage, Stage::kContent);
  EXPECT_FALSE(seen.saw("sent 250"));
}

TEST_F(ConnectionTest, A421SpendsTheConnection) {
  open_ready();
  server.replies["RCPT"] = "-421 4.3.2 closing";
  connection->mail("a@s.example", "");
  connection->rcpt("b@example.test");
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.events, (Events{"mail 250", "rcpt 421", "failed"}));
  EXPECT_TRUE(connection->spent());
}

TEST_F(ConnectionTest, AnUnasked421EndsAnIdleConnection) {
  open_ready();
  server.say("421 4.4.2 idle too long");
  ASSERT_TRUE(fails());
  EXPECT_EQ(seen.failure->stage, Stage::kNone);
  EXPECT_EQ(seen.failure->reply.code, 421);
}

TEST_F(ConnectionTest, QuitSaysGoodbyeAndNothingFollows) {
  open_ready();
  connection->quit();
  EXPECT_FALSE(connection->ready());
  ASSERT_TRUE(bench.until([&] { return server.count("QUIT") == 1 && server.open == 0; }));
  EXPECT_TRUE(seen.events.empty());
}

struct Destroyer : test::Recorder {
  void on_mail(const mail::Reply&) override { connection.reset(); }
  void on_failed(const Failure& f) override {
    test::Recorder::on_failed(f);
    connection.reset();
  }
  std::unique_ptr<Connection> connection;
};

TEST_F(ConnectionTest, MayBeDestroyedInItsCallbacks) {
  Destroyer destroyer;
  open_ready();
  connection->set_handler(destroyer);
  destroyer.connection = std::move(connection);
  destroyer.connection->mail("a@s.example", "");
  destroyer.connection->rcpt("b@example.test");
  ASSERT_TRUE(bench.until([&] { return destroyer.connection == nullptr && server.open == 0; }));
  EXPECT_TRUE(destroyer.events.empty());

  destroyer.connection =
      std::make_unique<Connection>(bench.loop, server.address(), "gw.example.test", Timeouts{}, destroyer);
  ASSERT_TRUE(bench.until([&] { return server.open == 1; }));
  server.cut();
  ASSERT_TRUE(bench.until([&] { return destroyer.connection == nullptr; }));
  EXPECT_EQ(destroyer.events.back(), "failed");
}

TEST_F(ConnectionTest, MayBeDestroyedWhileItConnects) {
  open();
  connection.reset();
  ASSERT_TRUE(bench.until([&] { return server.connections == 1 && server.open == 0; }));
  EXPECT_TRUE(seen.events.empty());
}

}  // namespace
}  // namespace holdfast::upstream
