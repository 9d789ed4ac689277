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

}  // namespace
}  // namespace holdfast::smtp
