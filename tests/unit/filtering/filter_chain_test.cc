#include "common/filtering/filter_chain.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/filtering/fake_filter.h"
#include "tests/unit/storage/support.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::filtering {
namespace {

using test::FakeFilter;
using test::packet;
using test::text;
using Kind = Outcome::Kind;

constexpr std::string_view kMessage = "Subject: s\r\n\r\n..dot\r\nend\r\n";

class FilterChainTest : public testing::Test {
 protected:
  FilterSpec spec(const FakeFilter& filter, const std::string& name, OnFailure on_failure = OnFailure::kTempfail) {
    return {.name = name, .address = filter.address(), .on_failure = on_failure, .connect = net::Millis{2'000},
            .command = net::Millis{limit}, .content = net::Millis{limit}};
  }

  void make(std::vector<FilterSpec> specs) {
    chain = std::make_unique<FilterChain>(bench.loop, std::move(specs), ClientFacts{{"mx.s.test", "192.0.2.7", 4321}, "helo.s.test"}, folder.path(),
                                          [this](const std::string& filter, const std::string& fault) { health.push_back(filter + ": " + fault); });
  }

  FilterChain::Answer keep() {
    outcome.reset();
    return [this](const Outcome& said) { outcome = said; };
  }
  // Within one question's time.
  Kind waited() {
    EXPECT_TRUE(bench.until([this] { return outcome.has_value(); }));
    return outcome ? outcome->kind : Kind::kShutdown;
  }
  Kind mail(const std::string& from = "a@s.test") {
    chain->mail(from, "SIZE=100 BODY=8BITMIME", keep());
    EXPECT_FALSE(outcome) << "never inside the call";
    return waited();
  }
  Kind rcpt(const std::string& to = "b@r.test") {
    chain->rcpt(to, "", keep());
    return waited();
  }
  Kind content(std::string_view message = kMessage) {
    message_ = storage::Content(folder.path());
    EXPECT_TRUE(message_.append(message));
    chain->content(message_, keep());
    return waited();
  }
  std::string sent() const { return storage::test::read_all(message_); }

  int limit = 5'000;
  const storage::test::Folder folder;
  holdfast::test::Bench bench;
  std::optional<Outcome> outcome;
  std::vector<std::string> health;
  std::unique_ptr<FilterChain> chain;
  storage::Content message_{folder.path()};
};

TEST_F(FilterChainTest, NoneGoesOn) {
  make({});
  EXPECT_EQ(mail(), Kind::kContinue);
  EXPECT_EQ(content(), Kind::kContinue);
  EXPECT_EQ(sent(), kMessage);
}

TEST_F(FilterChainTest, OneIsToldEverythingInOrder) {
  FakeFilter one(bench.loop);
  make({spec(one, "one")});
  chain->macros().set("j", "mx.example.test");
  EXPECT_EQ(mail(), Kind::kContinue);
  EXPECT_EQ(rcpt(), Kind::kContinue);
  EXPECT_EQ(content(), Kind::kContinue);
  EXPECT_EQ(one.stages, "OCHMRTLNBE");
  EXPECT_EQ(one.told, (std::vector<std::string>{std::string("mx.s.test|4\x10\xE1" "192.0.2.7|"), "helo.s.test|", "<a@s.test>|SIZE=100|BODY=8BITMIME|", "<b@r.test>|"}));
  EXPECT_EQ(one.body, ".dot\r\nend\r\n");
  EXPECT_EQ(sent(), kMessage);
  EXPECT_EQ(one.macros.at(0), "Cj|mx.example.test|");
  EXPECT_EQ(health, (std::vector<std::string>{"one: "})) << "it has judged once: to be reached alone says nothing";
}

TEST_F(FilterChainTest, AConnectionServesTheSession) {
  FakeFilter one(bench.loop);
  make({spec(one, "one")});
  for (int i = 0; i < 3; ++i) {
    mail();
    rcpt();
    content();
  }
  EXPECT_EQ(one.connections, 1);
  EXPECT_EQ(one.stages, "OCHMRTLNBEMRTLNBEMRTLNBE");
}

TEST_F(FilterChainTest, ARefusalEndsTheQuestionForAll) {
  FakeFilter one(bench.loop), two(bench.loop);
  one.answer = [](char kind, std::string_view data) -> std::optional<std::string> {
    if (kind == 'R' && data.starts_with("<no@")) return packet('y', text("550 5.7.1 Not him"));
    return std::nullopt;
  };
  make({spec(one, "one"), spec(two, "two")});
  mail();
  EXPECT_EQ(rcpt("no@r.test"), Kind::kRefuse);
  EXPECT_EQ(outcome->reply, mail::Reply::make(550, "5.7.1", "Not him"));
  EXPECT_EQ(outcome->filter, "one");
  EXPECT_EQ(rcpt("yes@r.test"), Kind::kContinue);
  EXPECT_EQ(two.told.back(), "<yes@r.test>|");
  EXPECT_EQ(two.stages, "OCHMR") << "it never heard of the refused one";
}

TEST_F(FilterChainTest, ARefusalAtConnectIsTheAnswerToAllMail) {
  FakeFilter one(bench.loop);
  one.answer = [](char kind, std::string_view) -> std::optional<std::string> {
    if (kind == 'C') return packet('r');
    return std::nullopt;
  };
  make({spec(one, "one")});
  EXPECT_EQ(mail(), Kind::kRefuse);
  EXPECT_EQ(outcome->reply.code, 550);
  EXPECT_EQ(mail(), Kind::kRefuse);
  EXPECT_EQ(one.stages, "OC");
}

TEST_F(FilterChainTest, TheNextHearsWhatTheOneBeforeChanged) {
  FakeFilter one(bench.loop), two(bench.loop), three(bench.loop);
  one.answer = [](char kind, std::string_view) -> std::optional<std::string> {
    if (kind != 'E') return std::nullopt;
    return packet('h', text("X-One") + text("1")) + packet('b', "new body") + packet('+', text("<c@r.test>")) + packet('c');
  };
  two.answer = [](char kind, std::string_view) -> std::optional<std::string> {
    if (kind != 'E') return std::nullopt;
    return packet('m', std::string("\0\0\0\1", 4) + text("Subject") + text("t")) + packet('q', text("doubtful")) + packet('a');
  };
  make({spec(one, "one"), spec(two, "two"), spec(three, "three")});
  mail();
  rcpt();
  EXPECT_EQ(content(), Kind::kContinue);
  EXPECT_EQ(two.headers, (std::vector<std::string>{"Subject:s", "X-One:1"}));
  EXPECT_EQ(two.body, "new body\r\n");
  EXPECT_EQ(three.headers, (std::vector<std::string>{"Subject:t", "X-One:1"}));
  EXPECT_EQ(sent(), "Subject: t\r\nX-One: 1\r\n\r\nnew body\r\n");
  const auto changes = chain->take_changes();
  EXPECT_EQ(changes.quarantine, "doubtful");
  EXPECT_EQ(changes.added, (std::vector<AddedRecipient>{{"c@r.test", ""}}));
  EXPECT_TRUE(chain->take_changes().empty()) << "once";
}

TEST_F(FilterChainTest, AnEarlyWordOnTheContentEndsIt) {
  FakeFilter one(bench.loop), two(bench.loop);
  one.answer = [](char kind, std::string_view) -> std::optional<std::string> {
    if (kind == 'L') return packet('d');
    return std::nullopt;
  };
  make({spec(one, "one"), spec(two, "two")});
  mail();
  rcpt();
  EXPECT_EQ(content(), Kind::kDiscard);
  EXPECT_EQ(one.stages, "OCHMRTL");
  EXPECT_EQ(mail(), Kind::kContinue);
  EXPECT_EQ(one.stages, "OCHMRTLAM");
}

TEST_F(FilterChainTest, AcceptedEarlyIsHeardNoMore) {
  FakeFilter one(bench.loop), two(bench.loop);
  one.answer = [](char kind, std::string_view) -> std::optional<std::string> {
    if (kind == 'R') return packet('a');
    return std::nullopt;
  };
  make({spec(one, "one"), spec(two, "two")});
  mail();
  rcpt();
  EXPECT_EQ(content(), Kind::kContinue);
  EXPECT_EQ(one.stages, "OCHMR");
  EXPECT_EQ(two.stages, "OCHMRTLNBE");
}

TEST_F(FilterChainTest, ALongBodyGoesInPieces) {
  FakeFilter one(bench.loop);
  one.steps = 0x80000;  // answers no piece of a body
  make({spec(one, "one")});
  mail();
  rcpt();
  std::string message = "A: b\r\n\r\n";
  for (int i = 0; i < 60'000; ++i) message += "a line of the body " + std::to_string(i) + "\r\n";
  EXPECT_EQ(content(message), Kind::kContinue);
  EXPECT_EQ(one.body.size(), message.size() - 8);
  EXPECT_TRUE(one.body == message.substr(8)) << "the body is another";
  EXPECT_TRUE(sent() == message) << "the content has changed";
}

TEST_F(FilterChainTest, OneThatReadsNothingIsNotFilledUp) {
  FakeFilter one(bench.loop);
  one.steps = 0x80000 | 0x2000000;
  one.reads = false;
  limit = 300;
  make({spec(one, "one")});
  EXPECT_EQ(mail(), Kind::kRefuse);
  EXPECT_EQ(outcome->reply.code, 451);
}

TEST_F(FilterChainTest, OneThatIsLeftAloneHasFailedWithoutBeingAsked) {
  for (const auto on_failure : {OnFailure::kAccept, OnFailure::kTempfail}) {
    FakeFilter one(bench.loop), two(bench.loop);
    auto left = spec(one, "one", on_failure);
    left.fault = "is left alone";
    make({left, spec(two, "two")});
    EXPECT_EQ(mail(), on_failure == OnFailure::kAccept ? Kind::kContinue : Kind::kRefuse);
    EXPECT_EQ(outcome->failed, on_failure == OnFailure::kTempfail);
    EXPECT_EQ(one.connections, 0);
    EXPECT_EQ(two.connections, on_failure == OnFailure::kAccept ? 1 : 0);
    EXPECT_TRUE(health.empty()) << "nothing new is known of it";
  }
}

TEST_F(FilterChainTest, ABodyLongerThanMessagesMayBeIsAFailure) {
  FakeFilter one(bench.loop);
  one.answer = [](char kind, std::string_view) -> std::optional<std::string> {
    if (kind != 'E') return std::nullopt;
    return packet('b', std::string(600, 'x')) + packet('b', std::string(600, 'y')) + packet('c');
  };
  for (const std::size_t longest : {1'200, 1'199}) {
    auto bounded = spec(one, "one");
    bounded.longest_body = longest;
    make({bounded});
    mail();
    rcpt();
    EXPECT_EQ(content(), longest == 1'200 ? Kind::kContinue : Kind::kRefuse);
  }
  EXPECT_EQ(health.back(), "one: its new body is too long");
  EXPECT_EQ(sent(), kMessage);
}

struct Failing {
  const char* name;
  std::function<void(FakeFilter&)> prepare;
  const char* fault;
};

class FailingFilters : public FilterChainTest, public testing::WithParamInterface<Failing> {};

TEST_P(FailingFilters, IsWhatTheSpecSays) {
  limit = 300;
  for (const auto& [on_failure, code] : {std::pair{OnFailure::kTempfail, 451}, {OnFailure::kReject, 550}, {OnFailure::kAccept, 0}}) {
    FakeFilter one(bench.loop), two(bench.loop);
    GetParam().prepare(one);
    make({spec(one, "one", on_failure), spec(two, "two")});
    health.clear();
    Kind said = mail();
    if (said == Kind::kContinue) said = rcpt();
    if (said == Kind::kContinue) said = content();
    EXPECT_EQ(said, code == 0 ? Kind::kContinue : Kind::kRefuse);
    EXPECT_EQ(outcome->reply.code, code);
    EXPECT_EQ(two.stages.ends_with("E"), code == 0);
    ASSERT_FALSE(health.empty());
    EXPECT_NE(std::ranges::find(health, std::string("one: ") + GetParam().fault), health.end()) << health.back();
    EXPECT_EQ(std::ranges::find(health, "one: "), health.end()) << "it has been reached, but it has judged nothing";
    // The session's next message: it is left out, or refused at once.
    EXPECT_EQ(mail(), code == 0 ? Kind::kContinue : Kind::kRefuse);
  }
}

std::function<void(FakeFilter&)> at(char stage, std::string reply) {
  return [=](FakeFilter& filter) {
    filter.answer = [=](char kind, std::string_view) -> std::optional<std::string> {
      if (kind == stage) return reply;
      return std::nullopt;
    };
  };
}

std::function<void(FakeFilter&)> cut_at(char stage) {
  return [=](FakeFilter& filter) {
    filter.answer = [&filter, stage](char kind, std::string_view) -> std::optional<std::string> {
      if (kind == stage) filter.cut();
      return std::nullopt;
    };
  };
}

INSTANTIATE_TEST_SUITE_P(
    Each, FailingFilters,
    testing::Values(Failing{"Absent", [](FakeFilter& f) { f.cut(); }, "connection refused"},
                    Failing{"SilentAtFirst", at('O', ""), "did not answer in time"},
                    Failing{"SilentAtMail", at('M', ""), "no word on MAIL in time"},
                    Failing{"SilentAtTheEnd", at('E', ""), "no word on end of message in time"},
                    Failing{"NoFilterAtAll", at('O', "HTTP/1.1 400 Bad Request\r\n\r\n"), "it sent a packet of a length that cannot be"},
                    Failing{"DiesAtTheEnd", cut_at('E'), "closed the connection"},
                    Failing{"AnswersTwice", at('M', packet('c') + packet('c')), "it answered 'c' without being asked"},
                    Failing{"ChangesTooEarly", at('M', packet('h', text("X") + text("y")) + packet('c')), "it changes the message at MAIL"}),
    [](const auto& one) { return one.param.name; });

TEST_F(FilterChainTest, ProgressGivesItTime) {
  FakeFilter one(bench.loop);
  limit = 400;
  one.answer = [](char kind, std::string_view) -> std::optional<std::string> {
    if (kind == 'E') return packet('p') + packet('p') + packet('c');
    return std::nullopt;
  };
  make({spec(one, "one")});
  mail();
  rcpt();
  EXPECT_EQ(content(), Kind::kContinue);
}

TEST_F(FilterChainTest, AnAbortedMessageHasNoAnswer) {
  FakeFilter one(bench.loop);
  bool silent = true;
  one.answer = [&](char kind, std::string_view) -> std::optional<std::string> {
    if (kind == 'M' && silent) return "";
    return std::nullopt;
  };
  make({spec(one, "one")});
  chain->mail("a@s.test", "", keep());
  ASSERT_TRUE(bench.until([&] { return one.stages.ends_with('M'); }));
  chain->abort();
  silent = false;
  ASSERT_TRUE(bench.until([&] { return one.stages.ends_with('A'); }));
  EXPECT_FALSE(outcome);
}

TEST_F(FilterChainTest, MayBeDestroyedInItsAnswer) {
  FakeFilter one(bench.loop);
  make({spec(one, "one")});
  bool called = false;
  chain->mail("a@s.test", "", [&](const Outcome&) {
    called = true;
    chain.reset();
  });
  EXPECT_TRUE(bench.until([&] { return called && one.stages.ends_with('Q'); })) << one.stages;
}

}  // namespace
}  // namespace holdfast::filtering
