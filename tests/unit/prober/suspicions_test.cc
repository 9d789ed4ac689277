#include "prober/suspicions.h"

#include <gtest/gtest.h>

namespace holdfast::prober {
namespace {

using mail::Reply;

base::Wall at(int minutes) { return base::Wall(std::chrono::minutes(minutes)); }
const std::string kAnna = "anna@example.test", kBert = "bert@example.test", kCora = "cora@example.test";

Answer refused(const std::string& key) { return {key, Said::kRefused}; }
Answer accepted(const std::string& key) { return {key, Said::kAccepted}; }
Answer nothing(const std::string& key) { return {key, Said::kNothing}; }

TEST(JudgeReply, OnlyWordsAboutTheRecipientCount) {
  EXPECT_EQ(judge_reply(Reply::make(250, "2.1.5", "ok")), Said::kAccepted);
  EXPECT_EQ(judge_reply(Reply::make(252, "", "cannot tell")), Said::kNothing);
  EXPECT_EQ(judge_reply(Reply::make(550, "5.1.1", "no such user")), Said::kRefused);
  EXPECT_EQ(judge_reply(Reply::make(550, "", "no")), Said::kRefused);
  EXPECT_EQ(judge_reply(Reply::make(550, "5.7.1", "go away")), Said::kNothing);
  EXPECT_EQ(judge_reply(Reply::make(554, "", "no")), Said::kNothing);
  EXPECT_EQ(judge_reply(Reply::make(451, "4.1.1", "later")), Said::kNothing);
  EXPECT_EQ(judge_reply(Reply{}), Said::kNothing);
}

TEST(Suspicions, ForgetsAfterItsOwnSecondRefusalTenMinutesLater) {
  Suspicions s;
  s.suspect(kAnna, "Anna@Example.test", at(0));
  const auto due = s.due(at(0), 10);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].address, "Anna@Example.test");
  auto found = s.judge({refused(kAnna), accepted(kBert)}, false, at(0));
  EXPECT_EQ(found.refused, std::vector{kAnna});
  EXPECT_TRUE(found.forget.empty());
  EXPECT_TRUE(s.due(at(9), 10).empty());
  // Asked early all the same (a sample): nothing new.
  found = s.judge({refused(kAnna), accepted(kBert)}, false, at(5));
  EXPECT_TRUE(found.refused.empty() && found.forget.empty());
  ASSERT_EQ(s.due(at(10), 10).size(), 1U);
  found = s.judge({refused(kAnna), accepted(kBert)}, false, at(10));
  EXPECT_EQ(found.forget, std::vector{kAnna});
  EXPECT_EQ(s.size(), 0U);
}

TEST(Suspicions, AnAcceptanceClearsIt) {
  Suspicions s;
  s.suspect(kAnna, kAnna, at(0));
  s.judge({refused(kAnna), accepted(kBert)}, false, at(0));
  const auto found = s.judge({accepted(kAnna)}, true, at(10));
  EXPECT_EQ(found.accepted, std::vector{kAnna});
  EXPECT_TRUE(found.forget.empty());
  EXPECT_EQ(s.size(), 0U);
  s.suspect(kAnna, kAnna, at(20));
  EXPECT_TRUE(s.clear(kAnna));
  EXPECT_FALSE(s.clear(kAnna));
}

TEST(Suspicions, RefusedOnSeveralAndAcceptedOnNoneForgetsNothing) {
  Suspicions s;
  s.restore(kAnna, at(0));
  s.suspect(kBert, kBert, at(10));
  for (int minute = 10; minute < 200; minute += 10) {
    const auto found = s.judge({refused(kAnna), refused(kBert), refused(kCora)}, true, at(minute));
    EXPECT_TRUE(found.refuses_known);
    EXPECT_FALSE(found.accepts_known);
    EXPECT_TRUE(found.refused.empty() && found.forget.empty());
  }
}

TEST(Suspicions, OneAcceptedAmongManyRefusedIsAWholeServer) {
  Suspicions s;
  s.suspect(kAnna, kAnna, at(0));
  const auto found = s.judge({refused(kAnna), refused(kBert), accepted(kCora)}, false, at(0));
  EXPECT_FALSE(found.refuses_known);
  EXPECT_TRUE(found.accepts_known);
  EXPECT_EQ(found.refused, (std::vector{kAnna, kBert}));  // both will be asked again
  EXPECT_EQ(s.due(at(10), 10).size(), 2U);
}

TEST(Suspicions, ALoneRefusalIsBelievedOnlyWhenThereIsNobodyElseToAsk) {
  Suspicions s;
  s.suspect(kAnna, kAnna, at(0));
  EXPECT_TRUE(s.judge({refused(kAnna), nothing(kBert)}, false, at(0)).refused.empty());
  EXPECT_TRUE(s.judge({refused(kAnna), nothing(kBert)}, true, at(10)).refused.empty());
  EXPECT_EQ(s.judge({refused(kAnna)}, true, at(20)).refused, std::vector{kAnna});
  EXPECT_EQ(s.judge({refused(kAnna)}, true, at(30)).forget, std::vector{kAnna});
}

TEST(Suspicions, NoClearAnswerIsAskedAgainButNotForEver) {
  Suspicions s;
  s.suspect(kAnna, kAnna, at(0));
  for (int i = 0; i < kMostAsks; ++i) {
    ASSERT_EQ(s.due(at(10 * i), 10).size(), 1U);
    s.judge({nothing(kAnna), accepted(kBert)}, false, at(10 * i));
    EXPECT_TRUE(s.due(at(10 * i + 9), 10).empty());
  }
  EXPECT_EQ(s.size(), 0U);
}

TEST(Suspicions, OwnRefusalsAreRememberedAcrossARestart) {
  Suspicions s;
  s.restore(kAnna, at(0));
  EXPECT_TRUE(s.due(at(9), 10).empty());
  EXPECT_EQ(*s.next_due(), at(10));
  EXPECT_EQ(s.judge({refused(kAnna), accepted(kBert)}, false, at(12)).forget, std::vector{kAnna});
}

TEST(Suspicions, Bounded) {
  Suspicions s;
  for (std::size_t i = 0; i < Suspicions::kMost + 100; ++i) s.suspect(std::to_string(i), "x", at(0));
  EXPECT_EQ(s.size(), Suspicions::kMost);
  EXPECT_EQ(s.due(at(0), 3).size(), 3U);
}

TEST(Suspicions, NothingDueWithoutAny) {
  const Suspicions s;
  EXPECT_FALSE(s.next_due());
  EXPECT_TRUE(s.due(at(0), 3).empty());
}

}  // namespace
}  // namespace holdfast::prober
