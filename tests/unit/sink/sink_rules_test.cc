#include "gatewayctl/sink_rules.h"

#include <gtest/gtest.h>

namespace holdfast::gatewayctl::sink {
namespace {

using Kind = Action::Kind;

Rule rule(std::string_view words) {
  auto parsed = parse_rule(words);
  EXPECT_TRUE(parsed) << words;
  return parsed.value_or(Rule{});
}

TEST(SinkRule, Actions) {
  EXPECT_EQ(rule("rcpt accept").action.kind, Kind::kAccept);
  EXPECT_EQ(rule("rcpt refuse").action.reply.code, 550);
  EXPECT_EQ(rule("dot tempfail").action.reply.code, 451);
  EXPECT_EQ(rule("content drop").action.kind, Kind::kDrop);
  EXPECT_FALSE(rule("data stall").action.stall);
  EXPECT_EQ(rule("data stall 3").action.stall, base::Millis(3000));
  EXPECT_EQ(rule("mail 550 5.7.1 Not you").action.reply, mail::Reply::make(550, "5.7.1", "Not you"));
}

TEST(SinkRule, Conditions) {
  const Rule r = rule("dot from=a@b.test to=bob times=2 452 full");
  EXPECT_EQ(r.stage, Stage::kDot);
  EXPECT_EQ(r.from, "a@b.test");
  EXPECT_EQ(r.to, "bob");
  EXPECT_EQ(r.times, 2u);
  EXPECT_EQ(r.action.reply.code, 452);
}

TEST(SinkRule, RefusesWhatItCannotDo) {
  for (const char* words :
       {"", "rcpt", "lunch refuse", "rcpt maybe", "rcpt 250 Ok", "rcpt 354 Ok", "rcpt 550-more", "rcpt stall x",
        "rcpt times=0 refuse", "rcpt who=bob refuse", "content refuse", "content 451 x", "rcpt refuse me"}) {
    EXPECT_FALSE(parse_rule(words)) << words;
  }
}

TEST(SinkRules, WithoutRulesAllIsTaken) {
  Rules rules;
  for (const Stage stage : {Stage::kConnect, Stage::kEhlo, Stage::kMail, Stage::kRcpt, Stage::kData, Stage::kDot}) {
    EXPECT_EQ(rules.decide(stage, "a@b.test", {"c@d.test"}).kind, Kind::kAccept);
  }
}

TEST(SinkRules, TheLastThatFitsWins) {
  Rules rules;
  rules.add(rule("rcpt refuse"));
  rules.add(rule("rcpt to=bob accept"));
  EXPECT_EQ(rules.decide(Stage::kRcpt, "", {"eve@d.test"}).kind, Kind::kReply);
  EXPECT_EQ(rules.decide(Stage::kRcpt, "", {"Bob@d.test"}).kind, Kind::kAccept);
  EXPECT_EQ(rules.decide(Stage::kDot, "", {"eve@d.test"}).kind, Kind::kAccept);
}

TEST(SinkRules, TimesRunOut) {
  Rules rules;
  rules.add(rule("dot times=2 tempfail"));
  EXPECT_EQ(rules.decide(Stage::kDot, "", {}).kind, Kind::kReply);
  EXPECT_EQ(rules.decide(Stage::kDot, "", {}).kind, Kind::kReply);
  EXPECT_EQ(rules.decide(Stage::kDot, "", {}).kind, Kind::kAccept);
  EXPECT_EQ(rules.size(), 0u);
}

TEST(SinkRules, FromAWholeAddress) {
  Rules rules;
  rules.add(rule("mail from=a@b.test drop"));
  EXPECT_EQ(rules.decide(Stage::kMail, "A@B.test", {}).kind, Kind::kDrop);
  EXPECT_EQ(rules.decide(Stage::kMail, "a@c.test", {}).kind, Kind::kAccept);
}

TEST(SinkRules, AnAddressCanAsk) {
  Rules rules;
  EXPECT_EQ(rules.decide(Stage::kRcpt, "a@b.test", {"refuse-rcpt@d.test"}).reply.code, 550);
  EXPECT_EQ(rules.decide(Stage::kDot, "a@b.test", {"c@d.test", "tempfail-dot@d.test"}).reply.code, 451);
  EXPECT_EQ(rules.decide(Stage::kData, "a@b.test", {"stall-data@d.test"}).kind, Kind::kStall);
  EXPECT_EQ(rules.decide(Stage::kContent, "drop-content@b.test", {}).kind, Kind::kDrop);
  EXPECT_EQ(rules.decide(Stage::kContent, "refuse-content@b.test", {}).kind, Kind::kAccept);
  EXPECT_EQ(rules.decide(Stage::kRcpt, "a@b.test", {"refuse-dot@d.test"}).kind, Kind::kAccept);
  rules.add(rule("rcpt accept"));
  EXPECT_EQ(rules.decide(Stage::kRcpt, "a@b.test", {"refuse-rcpt@d.test"}).kind, Kind::kAccept);
}

}  // namespace
}  // namespace holdfast::gatewayctl::sink
