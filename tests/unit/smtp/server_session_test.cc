// What an adapter relies on. The words and the sequence of commands are in tests/dialogs.
#include "common/smtp/server_session.h"

#include <gtest/gtest.h>

namespace holdfast::smtp {
namespace {

ServerOptions options() {
  ServerOptions out;
  out.hostname = "mx.test";
  return out;
}

std::string sent(ServerSession& session) { return std::exchange(session.output(), {}); }

template <class T>
T expect_event(ServerSession& session) {
  auto event = session.next_event();
  EXPECT_TRUE(event);
  if (!event || !std::holds_alternative<T>(*event)) {
    ADD_FAILURE() << "another event, index " << (event ? static_cast<int>(event->index()) : -1);
    return {};
  }
  return std::get<T>(*std::move(event));
}

class Server : public testing::Test {
 protected:
  void greet() {
    expect_event<event::Connect>(session);
    session.accept();
    session.receive("EHLO c.test\r\n");
    expect_event<event::Helo>(session);
    session.accept();
    sent(session);
  }
  void up_to_data() {
    greet();
    session.receive("MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n");
    expect_event<event::Mail>(session);
    session.accept();
    expect_event<event::Rcpt>(session);
    session.accept();
    expect_event<event::Data>(session);
    session.accept();
    sent(session);
  }

  ServerSession session{options()};
};

TEST_F(Server, ConnectIsTheFirstEvent) {
  EXPECT_EQ(session.state(), State::kConnect);
  expect_event<event::Connect>(session);
  EXPECT_TRUE(session.awaits_answer());
  EXPECT_EQ(sent(session), "");
  session.accept();
  EXPECT_EQ(sent(session), "220 mx.test ESMTP Holdfast\r\n");
  EXPECT_FALSE(session.next_event());
}

TEST_F(Server, NothingMovesWhileAnAnswerIsAwaited) {
  greet();
  session.receive("MAIL FROM:<a@b.test> SIZE=7\r\nRCPT TO:<c@d.test>\r\nNOOP\r\n");
  const auto mail = expect_event<event::Mail>(session);
  EXPECT_EQ(mail.sender.text(), "a@b.test");
  EXPECT_EQ(mail.size, 7u);
  EXPECT_EQ(mail.parameters, "SIZE=7");
  EXPECT_FALSE(session.next_event());
  session.receive("NOOP\r\n");
  EXPECT_FALSE(session.next_event());
  EXPECT_GT(session.buffered(), 0u);
  EXPECT_FALSE(session.in_transaction());
  session.accept();
  EXPECT_TRUE(session.in_transaction());
  expect_event<event::Rcpt>(session);
  session.reply(mail::Reply::make(450, "4.2.1", "busy"));
  EXPECT_FALSE(session.next_event());
  EXPECT_EQ(sent(session), "250 2.1.0 Ok\r\n450 4.2.1 busy\r\n250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n");
}

TEST_F(Server, TheDestinationsWordsGoOut) {
  greet();
  session.receive("MAIL FROM:<a@b.test>\r\n");
  expect_event<event::Mail>(session);
  session.reply({250, "2.1.0", {"first", "second"}});
  EXPECT_EQ(sent(session), "250-2.1.0 first\r\n250 2.1.0 second\r\n");
  EXPECT_EQ(session.state(), State::kMail);
}

TEST_F(Server, ContentComesInPiecesAndEndAwaitsAnAnswer) {
  up_to_data();
  session.receive("one\r\ntw");
  EXPECT_EQ(expect_event<event::Content>(session).bytes, "one\r\ntw");
  EXPECT_FALSE(session.next_event());
  session.receive("o\r\n.\r\nNOOP\r\n");
  std::string rest;
  auto event = session.next_event();
  for (; event && std::holds_alternative<event::Content>(*event); event = session.next_event()) {
    rest += std::get<event::Content>(*event).bytes;
  }
  EXPECT_EQ(rest, "o\r\n");
  ASSERT_TRUE(event);
  const auto* end = std::get_if<event::ContentEnd>(&*event);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->octets, 10u);
  EXPECT_FALSE(end->refusal);
  EXPECT_FALSE(session.next_event());
  session.reply(mail::Reply::make(250, "2.0.0", "Ok: queued as 1"));
  EXPECT_FALSE(session.next_event());
  EXPECT_EQ(sent(session), "250 2.0.0 Ok: queued as 1\r\n250 2.0.0 Ok\r\n");
  EXPECT_EQ(session.state(), State::kGreeted);
}

TEST_F(Server, ContentThatIsTooBigIsSwallowed) {
  session.options().size_limit = 10;
  up_to_data();
  std::size_t given = 0;
  for (int i = 0; i < 1000; ++i) {
    session.receive("0123456789abcdef\r\n");
    while (const auto event = session.next_event()) given += std::get<event::Content>(*event).bytes.size();
    ASSERT_EQ(session.buffered(), 0u);
  }
  EXPECT_EQ(given, 0u);
  session.receive(".\r\n");
  const auto end = expect_event<event::ContentEnd>(session);
  ASSERT_TRUE(end.refusal);
  EXPECT_EQ(end.refusal->text(), "552 5.3.4 Message is bigger than 10 bytes");
  session.reply(*end.refusal);
  EXPECT_EQ(session.state(), State::kGreeted);
}

TEST_F(Server, ExactlyTheLimitPasses) {
  session.options().size_limit = 10;
  up_to_data();
  session.receive("..2345678\r\n.\r\n");
  EXPECT_EQ(expect_event<event::Content>(session).bytes, "..2345678\r\n");
  const auto end = expect_event<event::ContentEnd>(session);
  EXPECT_EQ(end.octets, 10u);
  EXPECT_FALSE(end.refusal);
}

TEST_F(Server, ResetTellsOfAnOpenTransactionOnly) {
  greet();
  session.receive("RSET\r\nMAIL FROM:<a@b.test>\r\nRSET\r\n");
  expect_event<event::Mail>(session);
  session.accept();
  expect_event<event::Reset>(session);
  EXPECT_FALSE(session.awaits_answer());
  EXPECT_FALSE(session.in_transaction());
  EXPECT_FALSE(session.next_event());
}

TEST_F(Server, HeloInATransactionResetsFirst) {
  greet();
  session.receive("MAIL FROM:<a@b.test>\r\nHELO other.test\r\n");
  expect_event<event::Mail>(session);
  session.accept();
  expect_event<event::Reset>(session);
  session.receive(std::string(3000, 'N') + "\r\n");  // may move the buffer: the name must not hang in it
  const auto helo = expect_event<event::Helo>(session);
  EXPECT_EQ(helo.name, "other.test");
  EXPECT_FALSE(helo.esmtp);
  EXPECT_TRUE(session.awaits_answer());
  session.accept();
  EXPECT_TRUE(sent(session).ends_with("250 mx.test\r\n"));
}

TEST_F(Server, QuitInATransaction) {
  greet();
  session.receive("MAIL FROM:<a@b.test>\r\nQUIT\r\nNOOP\r\n");
  expect_event<event::Mail>(session);
  session.accept();
  expect_event<event::Reset>(session);
  expect_event<event::Quit>(session);
  EXPECT_FALSE(session.next_event());
  EXPECT_TRUE(session.closing());
  EXPECT_EQ(sent(session), "250 2.1.0 Ok\r\n221 2.0.0 mx.test closing connection\r\n");
}

TEST_F(Server, ARefusedHeloChangesNothing) {
  expect_event<event::Connect>(session);
  session.accept();
  session.receive("EHLO c.test\r\nMAIL FROM:<a@b.test>\r\n");
  expect_event<event::Helo>(session);
  session.reply(mail::Reply::make(550, "5.7.1", "not you"));
  EXPECT_EQ(session.state(), State::kStart);
  EXPECT_EQ(expect_event<event::Rejected>(session).reply.code, 503);
}

TEST_F(Server, ARefusedConnectionOnlyUnderstandsQuit) {
  expect_event<event::Connect>(session);
  session.reply(mail::Reply::make(554, "5.7.1", "go away"));
  EXPECT_FALSE(session.closing());
  session.receive("EHLO c.test\r\nQUIT\r\n");
  EXPECT_EQ(expect_event<event::Rejected>(session).reply.code, 503);
  expect_event<event::Quit>(session);
  EXPECT_TRUE(session.closing());
}

TEST_F(Server, A421Closes) {
  greet();
  session.receive("MAIL FROM:<a@b.test>\r\nNOOP\r\n");
  expect_event<event::Mail>(session);
  session.reply(mail::Reply::make(421, "4.3.2", "later"));
  EXPECT_TRUE(session.closing());
  EXPECT_FALSE(session.next_event());
  EXPECT_EQ(sent(session), "421 4.3.2 later\r\n");
}

TEST_F(Server, CloseWorksWhileAnAnswerIsAwaited) {
  greet();
  session.receive("MAIL FROM:<a@b.test>\r\n");
  expect_event<event::Mail>(session);
  session.close(mail::Reply::make(421, "4.4.2", "timed out"));
  EXPECT_TRUE(session.closing());
  EXPECT_FALSE(session.awaits_answer());
  EXPECT_FALSE(session.next_event());
  session.close(mail::Reply::make(421, "4.4.2", "again"));
  EXPECT_EQ(sent(session), "421 4.4.2 timed out\r\n");
}

TEST_F(Server, CloseBeforeTheBanner) {
  session.close(mail::Reply::make(421, "4.3.2", "too many"));
  EXPECT_FALSE(session.next_event());
  EXPECT_EQ(sent(session), "421 4.3.2 too many\r\n");
}

TEST_F(Server, RejectedShowsTheLine) {
  greet();
  session.receive("FOO bar\r\n");
  const auto rejected = expect_event<event::Rejected>(session);
  EXPECT_EQ(rejected.line, "FOO bar");
  EXPECT_EQ(rejected.verb, Verb::kUnknown);
  EXPECT_EQ(rejected.reply.text(), "500 5.5.2 Command not recognised");
}

TEST_F(Server, AfterTooManyErrorsTheNextCommandIsTheLast) {
  session.options().max_errors = 1;
  greet();
  session.receive("FOO bar\r\nNOOP x\r\nNOOP\r\n");
  EXPECT_EQ(expect_event<event::Rejected>(session).reply.code, 500);
  EXPECT_FALSE(session.closing());
  const auto last = expect_event<event::Rejected>(session);
  EXPECT_EQ(last.line, "NOOP x");
  EXPECT_EQ(last.reply.code, 421);
  EXPECT_TRUE(session.closing());
  EXPECT_FALSE(session.next_event());
}

TEST_F(Server, A4xxIsTheClientsErrorOnlyIfTheAdapterSaysSo) {
  session.options().max_errors = 2;
  greet();
  session.receive("MAIL FROM:<a@b.test>\r\n");
  expect_event<event::Mail>(session);
  session.accept();
  for (const bool counts : {false, false, true, true}) {
    session.receive("RCPT TO:<c@d.test>\r\n");
    expect_event<event::Rcpt>(session);
    session.reply(mail::Reply::make(451, "4.4.1", "not reachable"), counts);
  }
  session.receive("QUIT\r\n");
  expect_event<event::Reset>(session);
  expect_event<event::Quit>(session);
  EXPECT_TRUE(sent(session).ends_with("221 2.0.0 mx.test closing connection\r\n"));
}

TEST_F(Server, AMessageForgivesErrors) {
  session.options().max_errors = 2;
  greet();
  session.receive("FOO\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n.\r\nFOO\r\nNOOP\r\n");
  expect_event<event::Rejected>(session);
  expect_event<event::Mail>(session);
  session.accept();
  expect_event<event::Rcpt>(session);
  session.accept();
  expect_event<event::Data>(session);
  session.accept();
  expect_event<event::ContentEnd>(session);
  session.accept();
  expect_event<event::Rejected>(session);
  EXPECT_FALSE(session.next_event());
  EXPECT_FALSE(session.closing());
}

TEST_F(Server, ARefusedDataLeavesTheTransactionOpen) {
  greet();
  session.receive("MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nRSET\r\n");
  expect_event<event::Mail>(session);
  session.accept();
  expect_event<event::Rcpt>(session);
  session.accept();
  expect_event<event::Data>(session);
  session.reply(mail::Reply::make(451, "4.3.0", "not now"));
  EXPECT_TRUE(session.in_transaction());
  expect_event<event::Reset>(session);
}

using ServerDeath = Server;

TEST_F(ServerDeath, AnswersMustFit) {
  EXPECT_DEATH(session.accept(), "without an awaiting event");
  expect_event<event::Connect>(session);
  EXPECT_DEATH(session.reply(mail::Reply::make(354, "", "x")), "does not fit");
  session.accept();
  session.receive("EHLO x\r\n");
  expect_event<event::Helo>(session);
  EXPECT_DEATH(session.reply(mail::Reply::make(250, "", "x")), "answered by accept");
}

TEST_F(ServerDeath, RefusedContentIsNeverAccepted) {
  up_to_data();
  session.receive("a\nb\r\n.\r\n");
  auto event = session.next_event();
  while (event && std::holds_alternative<event::Content>(*event)) event = session.next_event();
  ASSERT_TRUE(event && std::holds_alternative<event::ContentEnd>(*event));
  EXPECT_EQ(std::get<event::ContentEnd>(*event).refusal->text().substr(0, 10), "550 5.6.11");
  EXPECT_DEATH(session.accept(), "refused content");
  EXPECT_DEATH(session.reply(mail::Reply::make(250, "", "Ok")), "refused content");
}

// One big pipelined piece: dots stay doubled, and are not counted.
TEST(LongContent, SizesAndDotsSurvive) {
  ServerSession server{options()};
  std::string wire;
  for (int i = 0; i < 100'000; ++i) wire += i % 3 == 0 ? "..dot\r\n" : "line\r\n";
  while (auto event = server.next_event()) server.accept();
  server.receive("EHLO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nDATA\r\n" + wire + ".\r\n");
  std::string got;
  std::uint64_t octets = 0;
  while (auto event = server.next_event()) {
    if (const auto* content = std::get_if<event::Content>(&*event)) {
      got += content->bytes;
      continue;
    }
    if (const auto* end = std::get_if<event::ContentEnd>(&*event)) octets = end->octets;
    server.accept();
  }
  EXPECT_EQ(got, wire);
  EXPECT_EQ(octets, wire.size() - 33'334);
  EXPECT_TRUE(sent(server).ends_with("354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok\r\n"));
}

// RFC 2920 section 3.1. What lies behind a command depends on time, so this is no dialogue.
class Strict : public testing::Test {
 protected:
  static std::string answer_to(std::string_view bytes, bool greeted) {
    ServerOptions strict = options();
    strict.strict_pipelining = strict.starttls = true;
    ServerSession session(strict);
    const auto pump = [&] {
      while (session.next_event()) {
        if (session.awaits_answer()) session.accept();
      }
    };
    pump();
    if (greeted) session.receive("EHLO c.test\r\n");
    pump();
    sent(session);
    session.receive(bytes);
    pump();
    return sent(session) + (session.closing() ? "closed" : "open");
  }
};

TEST_F(Strict, RefusesWhatComesBeforeItMay) {
  const std::string refusal = "554 5.5.0 Commands came before they may\r\nclosed";
  EXPECT_EQ(answer_to("EHLO c.test\r\nMAIL FROM:<a@b.test>\r\n", false), refusal);
  EXPECT_EQ(answer_to("NOOP\r\nN", false), refusal);
  EXPECT_EQ(answer_to("EHLO c.test\r\nM", true), refusal);
  EXPECT_TRUE(answer_to("MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nSubject: x\r\n.\r\n", true).ends_with(refusal));
  EXPECT_TRUE(answer_to("HELO c.test\r\n", true).ends_with("open"));
}

TEST_F(Strict, LetsGroupsPass) {
  EXPECT_TRUE(answer_to("MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n", true).ends_with("354 End data with <CR><LF>.<CR><LF>\r\nopen"));
  EXPECT_TRUE(answer_to("RSET\r\nMAIL FROM:<a@b.test>\r\nQUIT\r\n", true).ends_with("closed"));
  EXPECT_EQ(answer_to("STARTTLS\r\nEHLO evil\r\n", true), "220 2.0.0 Ready to start TLS\r\nopen");
}

}  // namespace
}  // namespace holdfast::smtp
