#include "qmgr/assessment.h"

#include <gtest/gtest.h>

namespace holdfast::qmgr {
namespace {

using ipc::Outcome;
using ipc::RecipientStatus;
using ipc::Stage;

std::vector<storage::RecipientState> recipients() {
  std::vector<storage::RecipientState> out(3);
  for (std::size_t i = 0; i < out.size(); ++i) out[i].address = "r" + std::to_string(i) + "@d.test";
  out[2].known = false;
  return out;
}

ipc::RecipientOutcome to(std::uint32_t index, RecipientStatus status, Stage stage, std::string reply,
                         std::string dsn = "") {
  ipc::RecipientOutcome r;
  r.index = index;
  r.status = static_cast<std::uint8_t>(status);
  r.stage = stage;
  r.reply = std::move(reply);
  r.dsn = std::move(dsn);
  return r;
}

Outcome outcome(std::vector<ipc::RecipientOutcome> list, Stage stage = Stage::kNone, int code = 0) {
  Outcome o;
  o.recipients = std::move(list);
  o.stage = stage;
  o.code = code;
  return o;
}

Assessment judge(const Outcome& o, bool still_known = true) {
  return assess(o, "s@x.test", recipients(), [&](std::string_view) { return still_known; });
}

TEST(Assessment, OneAcceptedRecipientIsEnough) {
  const auto a = judge(outcome({to(0, RecipientStatus::kSent, Stage::kNone, "250 ok"),
                                to(1, RecipientStatus::kRefused, Stage::kRcpt, "550 no")}));
  EXPECT_EQ(a.sign, Sign::kAccepted);
  EXPECT_EQ(a.refused_known, std::vector<std::string>{"r1@d.test"});
  EXPECT_EQ(a.reason, "550 no");
}

TEST(Assessment, RefusalsCountByWhoIsKnown) {
  const auto refuse = [](std::uint32_t i) {
    return outcome({to(i, RecipientStatus::kRefused, Stage::kRcpt, "550 5.1.1 no")});
  };
  EXPECT_EQ(judge(refuse(0)).sign, Sign::kRefusedKnown);
  EXPECT_EQ(judge(refuse(0), false).sign, Sign::kRefusedOther) << "forgotten since";
  EXPECT_EQ(judge(refuse(0), false).refused, std::vector<std::string>{"r0@d.test"});
  EXPECT_EQ(judge(refuse(2)).sign, Sign::kRefusedOther) << "never known";
  EXPECT_TRUE(judge(refuse(2)).refused.empty());
  EXPECT_FALSE(judge(refuse(0)).after_rcpt);
  EXPECT_TRUE(judge(outcome({to(0, RecipientStatus::kRefused, Stage::kDot, "554 spam")}, Stage::kDot, 554)).after_rcpt);
}

TEST(Assessment, SessionFailuresAreTheDestinations) {
  const auto all = [](Stage stage, int code) {
    return outcome({to(0, code >= 500 ? RecipientStatus::kRefused : RecipientStatus::kDeferred, stage, "x")}, stage,
                   code);
  };
  EXPECT_EQ(judge(all(Stage::kConnect, 0)).sign, Sign::kNoSession);
  EXPECT_EQ(judge(all(Stage::kBanner, 421)).sign, Sign::kNoSession);
  EXPECT_EQ(judge(all(Stage::kBanner, 554)).sign, Sign::kRefusedSession);
  EXPECT_EQ(judge(all(Stage::kEhlo, 550)).sign, Sign::kRefusedSession);
  EXPECT_EQ(judge(all(Stage::kMail, 0)).sign, Sign::kNoSession);
  EXPECT_EQ(judge(all(Stage::kMail, 550)).sign, Sign::kRefusedSender);
  EXPECT_EQ(judge(all(Stage::kMail, 452)).sign, Sign::kTempFailed);
  EXPECT_EQ(judge(all(Stage::kRcpt, 421)).sign, Sign::kClosing);
  EXPECT_EQ(judge(all(Stage::kLocal, 0)).sign, Sign::kNone);
}

TEST(Assessment, ALostConnectionIsTheMessages) {
  auto o = outcome({to(0, RecipientStatus::kDeferred, Stage::kContent, "connection lost")}, Stage::kContent);
  o.connection_lost = true;
  EXPECT_EQ(judge(o).sign, Sign::kLost);
  o.damaged = true;
  EXPECT_EQ(judge(o).sign, Sign::kDamaged);
}

TEST(Assessment, ARefusalOfOurOwnSaysNothingOfTheServer) {
  for (const Stage stage : {Stage::kNone, Stage::kConnect}) {
    auto word = to(0, RecipientStatus::kRefused, stage, "SMTPUTF8 is needed", "5.6.7");
    word.own_words = true;
    const auto a = judge(outcome({word}, stage));
    EXPECT_EQ(a.sign, Sign::kOwnVerdict);
    EXPECT_TRUE(a.refused_known.empty());
    word.status = static_cast<std::uint8_t>(RecipientStatus::kDeferred);
    EXPECT_NE(judge(outcome({word}, stage)).sign, Sign::kOwnVerdict);
  }
}

TEST(Assessment, FullMailboxesSayNothingOfTheServer) {
  EXPECT_EQ(judge(outcome({to(0, RecipientStatus::kDeferred, Stage::kRcpt, "452 4.2.2 full", "4.2.2")})).sign,
            Sign::kTempRecipient);
  EXPECT_EQ(judge(outcome({to(0, RecipientStatus::kDeferred, Stage::kRcpt, "452 4.2.2 full", "4.2.2"),
                           to(1, RecipientStatus::kDeferred, Stage::kRcpt, "451 4.3.0 later", "4.3.0")})).sign,
            Sign::kTempFailed);
  EXPECT_EQ(judge(outcome({to(0, RecipientStatus::kDeferred, Stage::kDot, "452 4.2.2 full", "4.2.2")})).sign,
            Sign::kTempFailed);
}

}  // namespace
}  // namespace holdfast::qmgr
