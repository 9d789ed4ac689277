#include "common/milter/filter_session.h"

#include <gtest/gtest.h>

#include "tests/unit/milter/packets.h"

namespace holdfast::milter {
namespace {

using namespace std::string_literals;
using Kind = Verdict::Kind;

class FilterSessionTest : public testing::Test {
 protected:
  // The negotiation, with what the filter chooses.
  void begin(std::uint32_t steps = 0, std::uint32_t actions = action::kOffered, std::uint32_t version = kVersion) {
    EXPECT_EQ(sent(), (Packets{{'O', offer()}}));
    const auto event = says(packet('O', number(version) + number(actions) + number(steps)));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->kind, FilterEvent::Kind::kReady) << event->error;
  }
  void begin_message() {
    ASSERT_TRUE(filter.mail("a@b", "", none));
    EXPECT_EQ(verdict(packet('c')), Kind::kContinue);
    ASSERT_TRUE(filter.rcpt("c@d", "", none));
    EXPECT_EQ(verdict(packet('c')), Kind::kContinue);
    sent();
  }
  Packets sent() {
    const auto out = packets_of(filter.output());
    filter.output().clear();
    return out;
  }
  std::optional<FilterEvent> says(std::string_view bytes) {
    filter.receive(bytes);
    return filter.next_event();
  }
  Kind verdict(std::string_view bytes) {
    auto event = says(bytes);
    EXPECT_TRUE(event && event->kind == FilterEvent::Kind::kVerdict) << (event ? event->error : "no event");
    return event ? event->verdict.kind : Kind::kDiscard;
  }
  std::string broken(std::string_view bytes) {
    const auto event = says(bytes);
    EXPECT_TRUE(event && event->kind == FilterEvent::Kind::kBroken);
    EXPECT_TRUE(filter.broken());
    EXPECT_FALSE(says(packet('c'))) << "nothing comes after it";
    EXPECT_TRUE(filter.take_edits().empty());
    return event ? event->error : "";
  }

  FilterSession filter;
  Macros none;
};

TEST_F(FilterSessionTest, AMessageFromBeginningToEnd) {
  begin();
  Macros macros;
  macros.set("j", "mx.example");
  macros.set("i", "30000000001");
  ASSERT_TRUE(filter.connect({"client.example", "192.0.2.1", 258}, macros));
  EXPECT_EQ(sent(), (Packets{{'D', "C" + texts({"j", "mx.example"})}, {'C', "client.example\0004\1\002192.0.2.1\0"s}}));
  EXPECT_EQ(filter.waits_for(), Stage::kConnect);
  EXPECT_EQ(verdict(packet('c')), Kind::kContinue);
  EXPECT_FALSE(filter.waits_for());
  ASSERT_TRUE(filter.helo("client.example", none));
  EXPECT_EQ(sent(), (Packets{{'H', texts({"client.example"})}}));
  EXPECT_EQ(verdict(packet('c')), Kind::kContinue);
  ASSERT_TRUE(filter.mail("a@b", "SIZE=12 BODY=8BITMIME", macros));
  EXPECT_EQ(sent(), (Packets{{'D', "M" + texts({"i", "30000000001"})}, {'M', texts({"<a@b>", "SIZE=12", "BODY=8BITMIME"})}}));
  EXPECT_EQ(verdict(packet('c')), Kind::kContinue);
  ASSERT_TRUE(filter.rcpt("c@d", "NOTIFY=NEVER", none));
  EXPECT_EQ(sent(), (Packets{{'R', texts({"<c@d>", "NOTIFY=NEVER"})}}));
  EXPECT_EQ(verdict(packet('c')), Kind::kContinue);
  ASSERT_TRUE(filter.data(none));
  EXPECT_EQ(verdict(packet('c')), Kind::kContinue);
  ASSERT_TRUE(filter.header("Subject", " \thello", none));
  EXPECT_EQ(verdict(packet('c')), Kind::kContinue);
  ASSERT_TRUE(filter.end_of_header(none));
  EXPECT_EQ(verdict(packet('c')), Kind::kContinue);
  ASSERT_TRUE(filter.body("text\r\n", none));
  EXPECT_EQ(verdict(packet('c')), Kind::kContinue);
  ASSERT_TRUE(filter.end_of_message(none));
  EXPECT_EQ(sent(), (Packets{{'T', ""}, {'L', texts({"Subject", "hello"})}, {'N', ""}, {'B', "text\r\n"}, {'E', ""}}));
  EXPECT_EQ(verdict(packet('a')), Kind::kAccept);
  filter.quit();
  EXPECT_EQ(sent(), (Packets{{'Q', ""}})) << "nothing to abort";
}

TEST_F(FilterSessionTest, ClientsOfAllFamilies) {
  begin();
  filter.connect({"v6", "2001:db8::1", 25}, none);
  EXPECT_EQ(sent(), (Packets{{'C', "v6\0006\0\0312001:db8::1\0"s}}));
  verdict(packet('c'));
  filter.next_client();
  filter.connect({"unknown", "", 0}, none);
  EXPECT_EQ(sent(), (Packets{{'K', ""}, {'C', "unknown\0U"s}}));
}

TEST_F(FilterSessionTest, LeavesOutWhatTheFilterDoesNotWant) {
  begin(step::without(Stage::kConnect) | step::without(Stage::kBody) | step::unanswered(Stage::kHeader));
  EXPECT_FALSE(filter.connect({"x", "192.0.2.1", 1}, none));
  begin_message();
  EXPECT_FALSE(filter.header("A", " b", none)) << "told, not answered";
  EXPECT_FALSE(filter.body("x", none));
  EXPECT_EQ(sent(), (Packets{{'L', texts({"A", "b"})}}));
  EXPECT_TRUE(filter.end_of_message(none));
}

TEST_F(FilterSessionTest, KeepsLeadingBlanksForThoseWhoAsk) {
  begin(step::kLeadingSpace);
  begin_message();
  filter.header("A", "  b\n\tc", none);
  EXPECT_EQ(sent(), (Packets{{'L', texts({"A", "  b\n\tc"})}}));
}

TEST_F(FilterSessionTest, Verdicts) {
  begin();
  const std::vector<std::tuple<std::string, Kind, std::string>> table{
      {packet('r'), Kind::kRefuse, "550 5.7.1 Command rejected"},
      {packet('t'), Kind::kRefuse, "451 4.7.1 Service unavailable - try again later"},
      {packet('f'), Kind::kRefuse, "451 4.7.1 Service unavailable - try again later"},
      {packet('d'), Kind::kDiscard, ""},
      {packet('4'), Kind::kShutdown, "421 4.7.0 Closing connection"},
      {packet('y', texts({"554 5.7.9 Go away"})), Kind::kRefuse, "554 5.7.9 Go away"},
      {packet('y', texts({"421 4.7.1 Go away"})), Kind::kShutdown, "421 4.7.1 Go away"},
  };
  for (const auto& [bytes, kind, text] : table) {
    ASSERT_TRUE(filter.mail("a@b", "", none));
    const auto event = says(bytes);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->stage, Stage::kMail);
    EXPECT_EQ(event->verdict.kind, kind);
    EXPECT_EQ(event->verdict.reply.code == 0 ? "" : event->verdict.reply.text(), text);
  }
}

TEST_F(FilterSessionTest, AnAcceptedClientOrMessageIsToldNoMore) {
  begin();
  begin_message();
  ASSERT_TRUE(filter.data(none));
  EXPECT_EQ(verdict(packet('a')), Kind::kAccept);
  sent();
  EXPECT_FALSE(filter.header("A", "b", none));
  EXPECT_FALSE(filter.end_of_message(none));
  EXPECT_TRUE(filter.mail("next@b", "", none)) << "the next message is another";
  EXPECT_EQ(sent(), (Packets{{'A', ""}, {'M', texts({"<next@b>"})}}));
  verdict(packet('c'));
  filter.abort();
  sent();
  ASSERT_TRUE(filter.helo("again", none));
  EXPECT_EQ(verdict(packet('a')), Kind::kAccept);
  sent();
  EXPECT_FALSE(filter.mail("a@b", "", none));
  EXPECT_TRUE(sent().empty());
  ASSERT_TRUE(filter.next_client());
  EXPECT_TRUE(filter.connect({"x", "192.0.2.1", 1}, none));
}

TEST_F(FilterSessionTest, SkipsTheRestOfABody) {
  begin();
  begin_message();
  ASSERT_TRUE(filter.body("one", none));
  EXPECT_EQ(verdict(packet('s')), Kind::kContinue);
  EXPECT_TRUE(filter.passes(Stage::kBody));
  EXPECT_FALSE(filter.body("two", none));
  ASSERT_TRUE(filter.end_of_message(none));
  EXPECT_EQ(verdict(packet('c')), Kind::kContinue);
  begin_message();
  EXPECT_TRUE(filter.body("of the next", none));
}

TEST_F(FilterSessionTest, Edits) {
  begin();
  begin_message();
  ASSERT_TRUE(filter.end_of_message(none));
  EXPECT_FALSE(says(packet('h', texts({"X-A", "1"})) + packet('i', number(1) + texts({"X-B", "2"}))));
  EXPECT_FALSE(says(packet('m', number(3) + texts({"X-C", ""})) + packet('e', texts({"<new@b>", "SIZE=1"}))));
  EXPECT_FALSE(says(packet('+', texts({"<e@f>"})) + packet('2', texts({"<g@h>", "NOTIFY=NEVER"})) + packet('-', texts({"c@d"}))));
  EXPECT_FALSE(says(packet('q', texts({"looks odd"})) + packet('b', "one\r\n") + packet('b', "two\r\n")));
  EXPECT_EQ(says(packet('p'))->kind, FilterEvent::Kind::kProgress);
  EXPECT_EQ(filter.waits_for(), Stage::kEndOfMessage);
  EXPECT_EQ(verdict(packet('c')), Kind::kContinue);
  const Edits edits = filter.take_edits();
  using E = Edit::Kind;
  const std::vector<Edit> expected{
      {E::kAddHeader, 0, "X-A", "1", ""}, {E::kInsertHeader, 1, "X-B", "2", ""}, {E::kChangeHeader, 3, "X-C", "", ""},
      {E::kChangeFrom, 0, "", "new@b", "SIZE=1"}, {E::kAddRcpt, 0, "", "e@f", ""}, {E::kAddRcpt, 0, "", "g@h", "NOTIFY=NEVER"},
      {E::kDeleteRcpt, 0, "", "c@d", ""}, {E::kQuarantine, 0, "", "looks odd", ""}};
  EXPECT_EQ(edits.list, expected);
  EXPECT_TRUE(edits.body_replaced);
  EXPECT_EQ(edits.body, "one\r\ntwo\r\n");
  EXPECT_TRUE(filter.take_edits().empty());
}

TEST_F(FilterSessionTest, ARefusedMessageHasNoEdits) {
  begin();
  begin_message();
  filter.end_of_message(none);
  EXPECT_EQ(verdict(packet('h', texts({"X-A", "1"})) + packet('r')), Kind::kRefuse);
  EXPECT_TRUE(filter.take_edits().empty());
}

TEST_F(FilterSessionTest, AnAnswerThatNobodyWaitsForAnyMoreIsPassedOver) {
  begin();
  begin_message();
  ASSERT_TRUE(filter.end_of_message(none));
  filter.abort();
  EXPECT_TRUE(filter.mail("next@b", "", none));
  EXPECT_FALSE(says(packet('p') + packet('h', texts({"X-A", "1"})) + packet('r')));
  EXPECT_EQ(verdict(packet('c')), Kind::kContinue);
  EXPECT_TRUE(filter.take_edits().empty());
}

TEST_F(FilterSessionTest, ByteByByte) {
  begin();
  begin_message();
  ASSERT_TRUE(filter.end_of_message(none));
  const std::string bytes = packet('h', texts({"X-A", "1"})) + packet('c');
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) EXPECT_FALSE(says(bytes.substr(i, 1)));
  EXPECT_EQ(verdict(bytes.substr(bytes.size() - 1)), Kind::kContinue);
  EXPECT_EQ(filter.take_edits().list.size(), 1u);
}

TEST_F(FilterSessionTest, Version2HasNoSecondClient) {
  begin(0, action::kOfferedToVersion2, 2);
  EXPECT_FALSE(filter.data(none)) << "nor DATA";
  EXPECT_FALSE(filter.next_client());
}

TEST_F(FilterSessionTest, ThatDoesNotNegotiate) { EXPECT_EQ(broken(packet('c')), "it does not negotiate"); }
TEST_F(FilterSessionTest, OfTermsThatCannotBe) { EXPECT_EQ(broken(packet('O', "x")), "its answer to the negotiation is too short"); }

TEST_F(FilterSessionTest, ThatAnswersUnasked) {
  begin();
  EXPECT_EQ(broken(packet('c')), "it answered 'c' without being asked");
}

TEST_F(FilterSessionTest, ThatSendsNoPacket) {
  begin();
  filter.mail("a@b", "", none);
  EXPECT_EQ(broken("\xff\xff\xff\xff"), "it sent a packet of a length that cannot be");
}

// What no filter may say, at a stage at which it was asked.
struct Lie {
  Stage stage;
  std::string bytes, error;
};

class FilterSessionLies : public FilterSessionTest, public testing::WithParamInterface<Lie> {};

TEST_P(FilterSessionLies, BreaksIt) {
  begin(0, action::kOffered & ~action::kQuarantine);
  if (GetParam().stage == Stage::kHelo) {
    filter.helo("x", none);
  } else {
    begin_message();
    GetParam().stage == Stage::kBody ? filter.body("x", none) : filter.end_of_message(none);
  }
  EXPECT_EQ(broken(GetParam().bytes), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    All, FilterSessionLies,
    testing::Values(
        Lie{Stage::kHelo, packet('d'), "it discards before there is a message"}, Lie{Stage::kHelo, packet('s'), "it wants to skip at HELO"},
        Lie{Stage::kHelo, packet('O'), "its answer 'O' is unknown"}, Lie{Stage::kHelo, packet('\n'), "its answer '\\x0A' is unknown"},
        Lie{Stage::kHelo, packet('y', texts({"250 Fine"})), "it answered with a reply that is no 4xx or 5xx: 250 Fine"},
        Lie{Stage::kHelo, packet('y', "550 No"), "it answered with a reply without its end"},
        Lie{Stage::kBody, packet('h', texts({"A", "b"})), "it changes the message at body"},
        Lie{Stage::kEndOfMessage, packet('q', texts({"why"})), "it changes what it did not negotiate"},
        Lie{Stage::kEndOfMessage, packet('h', "A"), "a change of the message is cut off"},
        Lie{Stage::kEndOfMessage, packet('m', "\0\0"s), "a change of the message is cut off"},
        Lie{Stage::kEndOfMessage, packet('h', texts({"A B", "c"})), "a change of the message has characters that cannot stand there"},
        Lie{Stage::kEndOfMessage, packet('h', texts({"", "c"})), "a change of the message has characters that cannot stand there"},
        Lie{Stage::kEndOfMessage, packet('i', number(0) + texts({"A:B", "c"})), "a change of the message has characters that cannot stand there"},
        Lie{Stage::kEndOfMessage, packet('+', texts({"<a@b>\r\nDATA"})), "a change of the message has characters that cannot stand there"},
        Lie{Stage::kEndOfMessage, packet('h', texts({"A", std::string(1 << 20, 'x')})), "it changes too much"}));

TEST(FilterLimits, ABodyAndTheNumberOfEdits) {
  for (const auto& [limits, bytes, error] :
       {std::tuple{FilterLimits{.body = 10}, packet('b', "123456") + packet('b', "78901"), "its new body is too long"},
        std::tuple{FilterLimits{.edits = 1}, packet('h', texts({"A", "b"})) + packet('h', texts({"A", "b"})), "it changes too much"}}) {
    FilterSession filter(limits);
    filter.receive(packet('O', offer()));
    EXPECT_EQ(filter.next_event()->kind, FilterEvent::Kind::kReady);
    filter.end_of_message({});
    filter.receive(bytes);
    const auto event = filter.next_event();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->error, error);
  }
}

}  // namespace
}  // namespace holdfast::milter
