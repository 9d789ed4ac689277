#include "common/smtp/client_session.h"

#include <gtest/gtest.h>

namespace holdfast::smtp {
namespace {

using Kind = ClientEvent::Kind;
using Command = ClientCommand;

std::string sent(ClientSession& session) { return std::exchange(session.output(), {}); }

// The one event that `bytes` bring.
ClientEvent only(ClientSession& session, std::string_view bytes) {
  session.receive(bytes);
  auto event = session.next_event();
  EXPECT_TRUE(event) << bytes;
  EXPECT_FALSE(session.next_event());
  return event.value_or(ClientEvent{Kind::kBroken, Command::kQuit, {}, "no event"});
}

ClientSession greeted() {
  ClientSession session;
  only(session, "220 mx ESMTP\r\n");
  session.ehlo("me.test");
  only(session, "250-mx\r\n250-PIPELINING\r\n250 SIZE 1000\r\n");
  sent(session);
  return session;
}

TEST(ClientSession, BannerAndEhlo) {
  ClientSession session;
  EXPECT_EQ(session.outstanding(), 1u);
  const auto banner = only(session, "220-mx ESMTP\r\n220 hello\r\n");
  EXPECT_EQ(banner.kind, Kind::kReply);
  EXPECT_EQ(banner.command, Command::kBanner);
  EXPECT_EQ(banner.reply.code, 220);
  EXPECT_EQ(session.outstanding(), 0u);
  session.ehlo("me.test");
  EXPECT_EQ(sent(session), "EHLO me.test\r\n");
  const auto ehlo = only(session,
                         "250-mx at your service\r\n250-pipelining\r\n250-SIZE 10240000\r\n250-8BITMIME\r\n"
                         "250-STARTTLS\r\n250-AUTH=PLAIN\r\n250 ENHANCEDSTATUSCODES\r\n");
  EXPECT_EQ(ehlo.command, Command::kEhlo);
  const auto& caps = session.capabilities();
  EXPECT_TRUE(caps.esmtp && caps.pipelining && caps.size && caps.eightbitmime && caps.starttls &&
              caps.enhanced_status_codes);
  EXPECT_FALSE(caps.smtputf8 || caps.chunking || caps.dsn || caps.xclient);
  EXPECT_EQ(caps.size_limit, 10240000u);
}

TEST(ClientSession, OddCapabilities) {
  EXPECT_EQ(parse_capabilities({250, "", {"PIPELINING is my name", "SIZE"}}).text(), "SIZE");
  EXPECT_EQ(parse_capabilities({250, "", {"mx", "SIZE many", "DSN ", "X-PIPELINING", ""}}).text(), "SIZE DSN");
  EXPECT_EQ(parse_capabilities({250, "", {"mx", "8BITMIME trailing words"}}).text(), "8BITMIME");
}

TEST(ClientSession, HeloForgetsWhatEhloSaid) {
  ClientSession session = greeted();
  session.helo("me.test");
  EXPECT_EQ(sent(session), "HELO me.test\r\n");
  EXPECT_EQ(only(session, "250 mx\r\n").command, Command::kHelo);
  EXPECT_FALSE(session.capabilities().esmtp);
}

TEST(ClientSession, ARefusedEhloOffersNothing) {
  ClientSession session;
  only(session, "220 mx\r\n");
  session.ehlo("me.test");
  EXPECT_EQ(only(session, "502 what?\r\n").reply.code, 502);
  EXPECT_FALSE(session.capabilities().esmtp);
}

TEST(ClientSession, PipelinedRepliesComeInOrder) {
  ClientSession session = greeted();
  session.mail("a@b.test", "SIZE=5");
  session.rcpt("c@d.test");
  session.rcpt("\"e f\"@d.test");
  session.data();
  EXPECT_EQ(sent(session), "MAIL FROM:<a@b.test> SIZE=5\r\nRCPT TO:<c@d.test>\r\nRCPT TO:<\"e f\"@d.test>\r\nDATA\r\n");
  EXPECT_EQ(session.outstanding(), 4u);
  session.receive("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n550-5.1.1 No\r\n550 5.1.1 such user\r\n354 Go");
  EXPECT_EQ(session.next_event()->command, Command::kMail);
  EXPECT_EQ(session.next_event()->command, Command::kRcpt);
  const auto refused = session.next_event();
  EXPECT_EQ(refused->command, Command::kRcpt);
  EXPECT_EQ(refused->reply, (mail::Reply{550, "5.1.1", {"No", "such user"}}));
  EXPECT_FALSE(session.next_event());
  EXPECT_EQ(session.outstanding(), 1u);
  EXPECT_FALSE(session.in_content());
  EXPECT_EQ(only(session, "\r\n").command, Command::kData);
  EXPECT_TRUE(session.in_content());
}

TEST(ClientSession, DotAfterContent) {
  ClientSession session = greeted();
  session.mail("");
  session.rcpt("c@d.test");
  only(session, "250 Ok\r\n");
  session.next_event();
  session.receive("250 Ok\r\n");
  session.next_event();
  session.data();
  EXPECT_EQ(sent(session), "MAIL FROM:<>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n");
  only(session, "354 Go\r\n");
  session.end_content();
  EXPECT_EQ(sent(session), ".\r\n");
  const auto dot = only(session, "250 2.0.0 Ok: queued as 1\r\n");
  EXPECT_EQ(dot.command, Command::kDot);
  EXPECT_EQ(dot.reply.wire(), "250 2.0.0 Ok: queued as 1\r\n");
  session.rset();
  session.noop();
  session.quit();
  EXPECT_EQ(sent(session), "RSET\r\nNOOP\r\nQUIT\r\n");
}

TEST(ClientSession, ARefusedDataIsNoContent) {
  ClientSession session = greeted();
  session.data();
  EXPECT_EQ(only(session, "451 4.3.0 later\r\n").reply.code, 451);
  EXPECT_FALSE(session.in_content());
  session.rset();
  EXPECT_EQ(session.outstanding(), 1u);
}

TEST(ClientSession, UnaskedReplies) {
  ClientSession session = greeted();
  const auto event = only(session, "421 4.3.2 shutting down\r\n");
  EXPECT_EQ(event.kind, Kind::kUnasked);
  EXPECT_EQ(event.reply, mail::Reply::make(421, "4.3.2", "shutting down"));
}

TEST(ClientSession, AnAnswerInTheMiddleOfContentIsUnasked) {
  ClientSession session = greeted();
  session.data();
  only(session, "354 Go\r\n");
  EXPECT_EQ(only(session, "552 5.3.4 enough\r\n").kind, Kind::kUnasked);
}

TEST(ClientSession, AReplyInHandAnswersNothingThatIsSentLater) {
  for (const std::string_view early : {"250 2.0.0 Ok\r\n", "250-2.0.0 Ok\r\n250 2.0.0 Ok\r\n", "250 2.0.0 O"}) {
    ClientSession session = greeted();
    session.data();
    session.receive("354 Go\r\n" + std::string(early));
    EXPECT_EQ(session.next_event()->command, Command::kData);
    session.end_content();
    if (!early.ends_with('\n')) session.receive("k\r\n");
    EXPECT_EQ(session.next_event()->kind, Kind::kUnasked) << early;
  }
}

TEST(ClientSession, GarbageBreaksIt) {
  for (const char* bytes : {"SSH-2.0-OpenSSH\r\n", "\r\n", "220-x\r\n221 y\r\n", "354 Go\r\n"}) {
    ClientSession session;
    const auto event = only(session, bytes);
    EXPECT_EQ(event.kind, Kind::kBroken) << bytes;
    EXPECT_EQ(event.command, Command::kBanner);
    EXPECT_FALSE(event.error.empty());
    EXPECT_TRUE(session.broken());
    session.receive("220 x\r\n");
    EXPECT_FALSE(session.next_event());
  }
}

TEST(ClientSession, APositiveAnswerToDataBreaksIt) {
  ClientSession session = greeted();
  session.data();
  const auto event = only(session, "250 Ok\r\n");
  EXPECT_EQ(event.kind, Kind::kBroken);
  EXPECT_EQ(event.error, "250 in answer to DATA");
}

TEST(ClientSession, AnEndlessLineBreaksIt) {
  ClientSession session;
  session.receive("220 ");
  const std::string piece(10'000, 'x');
  std::optional<ClientEvent> event;
  for (int i = 0; i < 200 && !event; ++i) {
    session.receive(piece);
    event = session.next_event();
  }
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, Kind::kBroken);
}

TEST(ClientSession, LongLinesAndBareLfAreTaken) {
  ClientSession session;
  const auto event = only(session, "220-" + std::string(6000, 'x') + "\n220 y\n");
  EXPECT_EQ(event.kind, Kind::kReply);
  EXPECT_EQ(event.reply.lines.size(), 2u);
  EXPECT_LE(event.reply.lines[0].size(), 4096u);
}

TEST(ClientSession, ByteByByte) {
  ClientSession session;
  const std::string bytes = "220-a\r\n220 b\r\n";
  std::optional<ClientEvent> event;
  for (const char c : bytes) {
    EXPECT_FALSE(event);
    session.receive(std::string_view(&c, 1));
    event = session.next_event();
  }
  ASSERT_TRUE(event);
  EXPECT_EQ(event->reply, (mail::Reply{220, "", {"a", "b"}}));
}

TEST(ClientSessionDeath, NothingCanBeSmuggledIntoACommand) {
  ClientSession session = greeted();
  EXPECT_DEATH(session.mail("a@b.test>\r\nRCPT TO:<x@y.test"), "control character");
  EXPECT_DEATH(session.mail("a@b.test", "SIZE=1\nX"), "control character");
  EXPECT_DEATH(session.end_content(), "before 354");
}

// A client that was greeted by a server with these EHLO lines.
ClientSession greeted(std::string_view ehlo) {
  ClientSession session;
  session.receive("220 d.test\r\n");
  session.next_event();
  session.ehlo("me.test");
  session.receive(ehlo);
  EXPECT_TRUE(session.next_event());
  session.output().clear();
  return session;
}

// RFC 3207 section 6, the other way round: CVE-2011-0411's kind of injection into the client.
TEST(ClientSession, ThrowsAwayWhatCameWithThe220OfStartTls) {
  ClientSession session = greeted("250-d.test\r\n250-STARTTLS\r\n250 PIPELINING\r\n");
  EXPECT_TRUE(session.capabilities().starttls);
  session.starttls();
  EXPECT_EQ(std::exchange(session.output(), {}), "STARTTLS\r\n");
  session.receive("220 go\r\n250-evil.test\r\n250 AUTH PLAIN\r\n22");
  EXPECT_EQ(session.next_event()->reply.code, 220);
  EXPECT_FALSE(session.next_event());
  session.receive("0 evil\r\n");
  session.tls_started();
  EXPECT_EQ(session.capabilities(), mail::Capabilities{});
  session.ehlo("me.test");
  session.receive("250-d.test\r\n250 SIZE\r\n");
  const auto event = session.next_event();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, ClientEvent::Kind::kReply);
  EXPECT_TRUE(session.capabilities().size);
  EXPECT_FALSE(session.offers().auth_plain);
}

TEST(ClientSession, AuthPlainIsOneStep) {
  ClientSession session = greeted("250-d.test\r\n250 AUTH CRAM-MD5 plain\r\n");
  EXPECT_TRUE(session.offers().auth_plain);
  EXPECT_FALSE(session.offers().auth_login);
  session.auth_plain("tim", "tanstaaftanstaaf");
  EXPECT_EQ(std::exchange(session.output(), {}), "AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n");  // RFC 4616 section 4
  session.receive("235 2.7.0 ok\r\n");
  const auto event = session.next_event();
  EXPECT_EQ(event->command, ClientCommand::kAuth);
  EXPECT_EQ(event->reply.enhanced, "2.7.0");
}

TEST(ClientSession, AuthLoginAnswersChallengesByItself) {
  ClientSession session = greeted("250-d.test\r\n250 AUTH=LOGIN\r\n");
  EXPECT_TRUE(session.offers().auth_login);
  session.auth_login("me", "s");
  EXPECT_EQ(std::exchange(session.output(), {}), "AUTH LOGIN\r\n");
  session.receive("334 VXNlcm5hbWU6\r\n");
  EXPECT_FALSE(session.next_event());
  EXPECT_EQ(std::exchange(session.output(), {}), "bWU=\r\n");
  session.receive("334 UGFzc3dvcmQ6\r\n");
  EXPECT_FALSE(session.next_event());
  EXPECT_EQ(std::exchange(session.output(), {}), "cw==\r\n");
  session.receive("334 more\r\n");
  EXPECT_FALSE(session.next_event());
  EXPECT_EQ(std::exchange(session.output(), {}), "*\r\n");
  session.receive("535 5.7.8 no\r\n");
  EXPECT_EQ(session.next_event()->reply.code, 535);
}

TEST(ClientSession, XclientForgetsTheServer) {
  ClientSession session = greeted("250-d.test\r\n250-PIPELINING\r\n250-LIMITS RCPTMAX=20 MAILMAX=5\r\n250 XCLIENT NAME ADDR\r\n");
  EXPECT_EQ(session.offers().xclient_names, "NAME ADDR");
  EXPECT_EQ(session.offers().rcpt_max, 20U);
  session.xclient("ADDR=10.0.0.1");
  EXPECT_EQ(std::exchange(session.output(), {}), "XCLIENT ADDR=10.0.0.1\r\n");
  session.receive("220 d.test\r\n");
  EXPECT_EQ(session.next_event()->command, ClientCommand::kXclient);
  EXPECT_FALSE(session.capabilities().pipelining);
  EXPECT_EQ(session.offers().xclient_names, "");
}

// RFC 2033 section 4.2.
TEST(ClientSession, LmtpAnswersTheDotForEachAcceptedRecipient) {
  ClientSession session;
  session.receive("220 d.test\r\n");
  session.next_event();
  session.lhlo("me.test");
  session.receive("250-d.test\r\n250 PIPELINING\r\n");
  EXPECT_EQ(session.next_event()->command, ClientCommand::kLhlo);
  EXPECT_TRUE(session.capabilities().pipelining);
  for (const int count : {2, 1}) {
    session.mail("a@b.test");
    session.rcpt("1@d.test");
    session.rcpt("2@d.test");
    session.rcpt("3@d.test");
    session.data();
    session.receive(count == 2 ? "250 a\r\n250 1\r\n550 2\r\n250 3\r\n354 go\r\n" : "250 a\r\n250 1\r\n550 2\r\n550 3\r\n354 go\r\n");
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(session.next_event());
    session.end_content();
    EXPECT_EQ(session.outstanding(), static_cast<std::size_t>(count));
    session.receive(count == 2 ? "250 1\r\n452 full\r\n" : "250 1\r\n");
    for (int i = 0; i < count; ++i) {
      const auto event = session.next_event();
      ASSERT_TRUE(event);
      EXPECT_EQ(event->command, ClientCommand::kDot);
      EXPECT_EQ(event->reply.code, i == 0 ? 250 : 452);
    }
    EXPECT_EQ(session.outstanding(), 0U);
  }
}

}  // namespace
}  // namespace holdfast::smtp
