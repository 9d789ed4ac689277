#include "smtpd/judgement.h"

#include <gtest/gtest.h>

namespace holdfast::smtpd {
namespace {

using mail::Reply;
using Outcome = RcptVerdict::Outcome;

const std::vector<std::string> kPatterns{"4.1.7", "4.1.8", "4.7.*"};
constexpr auto kRcpt = "b@example.test";

Word rcpt(Reply reply) { return {.from = Word::From::kRcpt, .reply = std::move(reply)}; }
Word mail_word(Reply reply) { return {.from = Word::From::kMail, .reply = std::move(reply)}; }
Word nobody() { return {.from = Word::From::kNobody, .reason = "connect: connection refused"}; }

TEST(WithoutDestination, KnownIsKeptDeniedRefusedUnknownPutOff) {
  const auto known = judge_without_destination(Standing::kKnown, kRcpt);
  EXPECT_EQ(known.outcome, Outcome::kKept);
  EXPECT_EQ(known.reply.code, 250);
  const auto denied = judge_without_destination(Standing::kDenied, kRcpt);
  EXPECT_EQ(denied.outcome, Outcome::kRefused);
  EXPECT_EQ(denied.reply.text().substr(0, 9), "550 5.1.1");
  const auto unknown = judge_without_destination(Standing::kUnknown, kRcpt);
  EXPECT_EQ(unknown.outcome, Outcome::kRefused);
  EXPECT_EQ(unknown.reply.text().substr(0, 9), "451 4.4.1");
}

TEST(Rcpt, ItsOwnWordsFor2xxAnd5xx) {
  for (const auto standing : {Standing::kKnown, Standing::kUnknown}) {
    for (const bool live : {false, true}) {
      const auto yes = Reply::make(250, "2.1.5", "yes indeed");
      EXPECT_EQ(judge_rcpt(rcpt(yes), standing, live, kRcpt, kPatterns).outcome, Outcome::kLive);
      EXPECT_EQ(judge_rcpt(rcpt(yes), standing, live, kRcpt, kPatterns).reply, yes);
      const auto no = Reply::make(550, "5.1.1", "no such user here");
      EXPECT_EQ(judge_rcpt(rcpt(no), standing, live, kRcpt, kPatterns).outcome, Outcome::kRefused);
      EXPECT_EQ(judge_rcpt(rcpt(no), standing, live, kRcpt, kPatterns).reply, no);
    }
  }
}

TEST(Rcpt, A4xxKeepsAKnownRecipientUnlessTheTransactionIsLive) {
  const auto busy = Reply::make(451, "4.3.0", "busy");
  EXPECT_EQ(judge_rcpt(rcpt(busy), Standing::kKnown, false, kRcpt, kPatterns).outcome, Outcome::kKept);
  const auto live = judge_rcpt(rcpt(busy), Standing::kKnown, true, kRcpt, kPatterns);
  EXPECT_EQ(live.outcome, Outcome::kRefused);
  EXPECT_EQ(live.reply, busy);
  const auto unknown = judge_rcpt(rcpt(busy), Standing::kUnknown, false, kRcpt, kPatterns);
  EXPECT_EQ(unknown.outcome, Outcome::kRefused);
  EXPECT_EQ(unknown.reply, busy);
}

TEST(Rcpt, MailsRefusalIsJudgedLikeRcpts) {
  const auto no = Reply::make(550, "5.7.1", "sender blocked");
  EXPECT_EQ(judge_rcpt(mail_word(no), Standing::kKnown, false, kRcpt, kPatterns).reply, no);
  const auto full = Reply::make(452, "4.3.1", "out of space");
  EXPECT_EQ(judge_rcpt(mail_word(full), Standing::kKnown, false, kRcpt, kPatterns).outcome, Outcome::kKept);
}

TEST(Rcpt, PolicyAgainstTheSenderIsAlwaysPassedOn) {
  for (const auto& policy : {Reply::make(450, "4.7.1", "go away for a while"), Reply::make(450, "", "Greylisted, come back"),
                             Reply::make(450, "4.1.8", "sender's domain not found")}) {
    const auto verdict = judge_rcpt(rcpt(policy), Standing::kKnown, false, kRcpt, kPatterns);
    EXPECT_EQ(verdict.outcome, Outcome::kRefused) << policy.text();
    EXPECT_EQ(verdict.reply, policy);
  }
}

TEST(Rcpt, NoAnswerKeepsTheKnown) {
  EXPECT_EQ(judge_rcpt(nobody(), Standing::kKnown, false, kRcpt, kPatterns).outcome, Outcome::kKept);
  const auto unknown = judge_rcpt(nobody(), Standing::kUnknown, false, kRcpt, kPatterns);
  EXPECT_EQ(unknown.outcome, Outcome::kRefused);
  EXPECT_EQ(unknown.reply.text().substr(0, 9), "451 4.4.1");
  EXPECT_EQ(judge_rcpt(nobody(), Standing::kKnown, true, kRcpt, kPatterns).outcome, Outcome::kRefused);
}

TEST(End, FinalRepliesAreTheDestinationsOwn) {
  for (const auto& reply : {Reply::make(250, "2.0.0", "taken"), Reply::make(554, "5.7.1", "spam")}) {
    for (const bool keepable : {true, false}) {
      const auto verdict = judge_end({.from = Word::From::kDot, .reply = reply}, keepable, kPatterns);
      EXPECT_FALSE(verdict.keep);
      EXPECT_EQ(verdict.reply, reply);
    }
  }
}

TEST(End, TemporaryFailureAndLossAreKept) {
  EXPECT_TRUE(judge_end({.from = Word::From::kDot, .reply = Reply::make(451, "4.3.0", "later")}, true, kPatterns).keep);
  EXPECT_TRUE(judge_end({.from = Word::From::kData, .reply = Reply::make(452, "4.3.1", "full")}, true, kPatterns).keep);
  EXPECT_TRUE(judge_end(nobody(), true, kPatterns).keep);
}

TEST(End, TheAnswerIsCountedByItsKind) {
  const auto answer = [](Reply reply) { return answer_of({.from = Word::From::kDot, .reply = std::move(reply)}); };
  EXPECT_EQ(answer(Reply::make(250, "2.0.0", "taken")), stats::Answer::kAccepted);
  EXPECT_EQ(answer(Reply::make(451, "4.3.0", "later")), stats::Answer::kDeferred);
  EXPECT_EQ(answer(Reply::make(554, "5.7.1", "spam")), stats::Answer::kRefused);
  EXPECT_EQ(answer_of(nobody()), stats::Answer::kFailed);
}

TEST(End, NothingLearntFromACatchAllIsKept) {
  const auto later = Reply::make(451, "4.3.0", "later");
  const auto passed = judge_end({.from = Word::From::kDot, .reply = later}, false, kPatterns);
  EXPECT_FALSE(passed.keep);
  EXPECT_EQ(passed.reply, later);
  const auto lost = judge_end(nobody(), false, kPatterns);
  EXPECT_FALSE(lost.keep);
  EXPECT_TRUE(lost.reply.temporary());
}

TEST(End, SenderPolicyIsPassedOn) {
  const auto policy = Reply::make(451, "4.7.1", "greylisted");
  const auto verdict = judge_end({.from = Word::From::kDot, .reply = policy}, true, kPatterns);
  EXPECT_FALSE(verdict.keep);
  EXPECT_EQ(verdict.reply, policy);
}

TEST(PassedOn, ADestinations421DoesNotEndTheClientsSession) {
  const auto closing = Reply::make(421, "4.3.2", "shutting down");
  EXPECT_EQ(judge_end({.from = Word::From::kDot, .reply = closing}, false, kPatterns).reply.code, 451);
  EXPECT_EQ(judge_rcpt(rcpt(closing), Standing::kUnknown, false, kRcpt, kPatterns).reply.code, 451);
  EXPECT_EQ(judge_rcpt(rcpt(closing), Standing::kKnown, true, kRcpt, kPatterns).reply.text(), "451 4.3.2 shutting down");
}

TEST(AnotherHost, IsNamedByPercentBangAndAt) {
  for (const char* text : {"x%e.test@y.test", "e.test!x@y.test", "\"x@e.test\"@y.test", "\"x\\@e.test\"@y.test", "%@y.test"}) {
    EXPECT_TRUE(names_another_host(*mail::parse_address(text))) << text;
  }
  for (const char* text : {"x@y.test", "x+a=b#c@y.test", "\"a b\"@y.test", "SRS0=abc=de=x.test=joe@y.test"}) {
    EXPECT_FALSE(names_another_host(*mail::parse_address(text))) << text;
  }
  EXPECT_FALSE(names_another_host(mail::Address{"postmaster", ""}));
}

// Decision 12.
TEST(LmtpAnswers, AsOneWord) {
  const Reply taken = Reply::make(250, "2.0.0", "first"), also = Reply::make(250, "2.0.0", "second");
  const Reply later = Reply::make(452, "4.2.2", "full"), never = Reply::make(554, "5.7.1", "spam");
  const auto word = [](std::vector<Reply> answers, std::size_t of = 0) {
    return sum_up(answers, of == 0 ? answers.size() : of);
  };
  EXPECT_EQ(word({taken, also}).reply, taken);
  EXPECT_TRUE(word({taken, also}).taken.empty());
  EXPECT_EQ(word({never, never}).reply, never);
  EXPECT_EQ(word({later, later}).reply, later);
  EXPECT_EQ(word({never, later, never}).reply, later) << "nobody has it: it may be kept for all";
  EXPECT_TRUE(word({never, later, never}).taken.empty());

  EXPECT_EQ(word({never, taken, later, also}).reply, taken);
  EXPECT_EQ(word({never, taken, later, also}).taken, (std::vector{false, true, false, true}));
  EXPECT_EQ(word({taken}, 3).taken, (std::vector{true, false, false})) << "lost on the way";
  EXPECT_TRUE(word({later}, 3).taken.empty());
  EXPECT_EQ(sum_up({}, 2).from, Word::From::kNobody);
  EXPECT_EQ(word({taken, also}).from, Word::From::kDot);
}

}  // namespace
}  // namespace holdfast::smtpd
