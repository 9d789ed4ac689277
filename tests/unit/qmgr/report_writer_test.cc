#include "tests/unit/qmgr/report_writer_fixture.h"

namespace holdfast::qmgr {
namespace {

TEST_F(ReportWriterTest, PaysADebtOnce) {
  refuse(test::envelope("alice@sender.test"));
  pay();
  ASSERT_TRUE(told_.report);
  EXPECT_TRUE(told_.removed) << "nobody of it is left";
  ASSERT_EQ(reports().size(), 1U);
  EXPECT_TRUE(has(reports()[0], "Final-Recipient: rfc822; b@example.test"));
  EXPECT_TRUE(has(reports()[0], "Subject: hello"));
  EXPECT_FALSE(has(reports()[0], "secret"));
  const auto bounce = listed(false);
  EXPECT_EQ(bounce->id, told_.report->id);
  EXPECT_EQ(bounce->message.sender, "");
  EXPECT_EQ(bounce->message.destination, "bounces");
  EXPECT_EQ(bounce->message.report_of, kOriginal.value);
  EXPECT_EQ(bounce->message.domains, std::vector<std::string>{"sender.test"});
  EXPECT_EQ(bounce->message.expires_ms, kNow + 4LL * 86'400'000);
  EXPECT_EQ(bounce->message.warn_ms, 0);
  EXPECT_EQ(bounce->recipients.at(0).address, "alice@sender.test");
  EXPECT_FALSE(bounce->recipients.at(0).known);
  EXPECT_FALSE(owes());
  pay();
  EXPECT_FALSE(told_.report);
  EXPECT_EQ(reports().size(), 1U);
  EXPECT_EQ(counted(Tally::kBounces), 1U);
}

TEST_F(ReportWriterTest, OneReportForAllWhoFailedTogetherAndWantIt) {
  refuse(three());
  pay();
  ASSERT_EQ(reports().size(), 1U);
  EXPECT_TRUE(has(reports()[0], "rfc822; a@example.test"));
  EXPECT_FALSE(has(reports()[0], "b@example.test")) << "NOTIFY=NEVER";
  EXPECT_TRUE(has(reports()[0], "Original-Recipient: rfc822; C@x"));
  EXPECT_TRUE(told_.removed);
}

TEST_F(ReportWriterTest, ASuccessIsToldToWhoAskedForIt) {
  auto e = three();
  e.ret = "FULL";
  e.recipients[0].notify = "SUCCESS,FAILURE";
  e.recipients[2].notify = "SUCCESS";
  refuse(e);
  const auto tell = [&](bool lmtp, const std::vector<std::uint32_t>& reached) {
    config_.destinations["office"].protocol = lmtp ? "lmtp" : "smtp";
    auto original = *listed(true);
    for (auto& r : original.recipients) {
      r.status = RecipientStatus::kSent;
      r.reply = "250 2.0.0 Ok";
      r.dsn = "2.0.0";
    }
    original.recipients[2].status = RecipientStatus::kOpen;
    own_->begun();
    auto txn = storage::WriteTxn::begin(index_->env());
    ASSERT_TRUE(reports_->success_notice(**txn, kOriginal, original.message, original.recipients, reached, config_, kNow, told_));
    ASSERT_TRUE(own_->prepare());
    ASSERT_TRUE((*txn)->commit());
  };
  tell(false, {0, 1, 2, 77});
  ASSERT_EQ(reports().size(), 1U);
  EXPECT_EQ(told_.kind, mail::ReportKind::kRelayed);
  EXPECT_TRUE(has(reports()[0], "Final-Recipient: rfc822; a@example.test\r\nAction: relayed\r\nStatus: 2.0.0\r\n"));
  EXPECT_FALSE(has(reports()[0], "b@example.test")) << "NOTIFY=NEVER";
  EXPECT_FALSE(has(reports()[0], "c@example.test")) << "not reached, whatever deliver says";
  EXPECT_FALSE(has(reports()[0], "secret")) << "RET=FULL is about failures";
  EXPECT_TRUE(owes()) << "what else is owed is owed still";
  tell(true, {0});
  ASSERT_EQ(reports().size(), 2U);
  EXPECT_TRUE(has(reports()[0] + reports()[1], "Action: delivered\r\n"));
  tell(false, {1});
  EXPECT_EQ(reports().size(), 2U);
  EXPECT_EQ(counted(Tally::kBounces), 0U);
}

TEST_F(ReportWriterTest, WhoIsStillTriedStays) {
  refuse(three(), "x\r\n", [](auto&, auto& to) { to[2].status = RecipientStatus::kOpen; });
  pay();
  EXPECT_FALSE(told_.removed);
  const auto left = listed(true);
  ASSERT_TRUE(left);
  EXPECT_EQ(left->message.open, 1U);
  EXPECT_EQ(left->recipients[0].status, RecipientStatus::kReported);
  EXPECT_EQ(left->recipients[1].status, RecipientStatus::kReported);
  EXPECT_EQ(left->recipients[2].status, RecipientStatus::kOpen);
}

TEST_F(ReportWriterTest, NobodyIsToldAgainstTheirWish) {
  auto e = test::envelope("alice@sender.test");
  e.recipients[0].notify = "NEVER";
  refuse(e);
  pay();
  EXPECT_TRUE(reports().empty());
  EXPECT_FALSE(told_.suppressed.empty());
  EXPECT_TRUE(told_.removed);
}

TEST_F(ReportWriterTest, SuppressedMailHasNoReport) {
  config_.bounces.suppress_unfiltered = true;
  auto e = test::envelope("alice@sender.test");
  e.unfiltered = true;
  refuse(e);
  pay();
  EXPECT_TRUE(reports().empty());
  EXPECT_EQ(told_.suppressed, "it skipped the filters");
  EXPECT_EQ(counted(Tally::kSuppressed), 1U);
  EXPECT_EQ(counted(Tally::kBounces), 0U);
  EXPECT_TRUE(told_.removed);
}

TEST_F(ReportWriterTest, SpamHasNoReportIfSoConfigured) {
  auto e = test::envelope("alice@sender.test");
  e.verdict = "spam (12.1)";
  refuse(e);
  config_.bounces.suppress_spam = true;
  pay();
  EXPECT_TRUE(reports().empty());
  EXPECT_EQ(told_.suppressed, "the filters called it spam");
}

TEST_F(ReportWriterTest, ANullSenderIsToldNothing) {
  refuse(test::envelope(""));
  pay();
  EXPECT_TRUE(reports().empty());
  EXPECT_TRUE(told_.frozen);
  const auto left = listed(true);
  ASSERT_TRUE(left);
  EXPECT_EQ(left->message.state, MessageState::kFrozen);
  EXPECT_EQ(left->message.discard_ms, kNow + 30LL * 86'400'000);
  EXPECT_FALSE(owes());
}

TEST_F(ReportWriterTest, WithheldOnesAreNotInIt) {
  refuse(three(), "x\r\n", [](auto&, auto& to) {
    to[0].withheld = true;
    to[0].reply = "550 5.7.1 spam";
  });
  pay();
  ASSERT_EQ(reports().size(), 1U);
  EXPECT_FALSE(has(reports()[0], "a@example.test"));
  EXPECT_TRUE(told_.held);
  EXPECT_EQ(listed(true)->message.state, MessageState::kHeld);
  EXPECT_TRUE(has(listed(true)->message.reason, "550 5.7.1 spam"));
}

TEST_F(ReportWriterTest, OurOwnSendersHaveTheirDestination) {
  refuse(test::envelope("Bob@EXAMPLE.test"));
  pay();
  EXPECT_EQ(told_.report->destination, "office");
  EXPECT_EQ(listed(false)->message.destination, "office");
}

TEST_F(ReportWriterTest, AllOfItComesBackIfAskedFor) {
  auto e = test::envelope("alice@sender.test");
  e.ret = "FULL";
  e.envid = "QQ314";
  refuse(e);
  pay();
  EXPECT_TRUE(has(reports()[0], "Content-Type: message/rfc822\r\n\r\nSubject: hello\r\n\r\nsecret\r\n"));
  EXPECT_TRUE(has(reports()[0], "Original-Envelope-Id: QQ314"));
}

TEST_F(ReportWriterTest, ButNotIfItIsLarge) {
  auto e = test::envelope("alice@sender.test");
  e.ret = "FULL";
  config_.bounces.full_limit = 20;
  refuse(e);
  pay();
  EXPECT_FALSE(has(reports()[0], "secret"));
}

TEST_F(ReportWriterTest, ADelayIsToldWithoutAnEnd) {
  refuse(three(), "Subject: hello\r\n\r\nx\r\n", [](auto& row, auto& to) {
    row.expires_ms = kNow + 86'400'000;
    for (auto& r : to) r.status = RecipientStatus::kOpen;
    to[0].reply = "452 4.2.2 full";
    to[0].dsn = "4.2.2";
    to[2].reply.clear();
  });
  own_->begun();
  change([&](storage::WriteTxn& txn) {
    ASSERT_TRUE(reports_->delay_notice(txn, kOriginal, config_, kNow, told_));
    ASSERT_TRUE(own_->prepare());
  });
  ASSERT_EQ(reports().size(), 1U);
  EXPECT_TRUE(has(reports()[0], "Action: delayed"));
  EXPECT_EQ(counted(Tally::kDelayNotices), 1U);
  EXPECT_TRUE(has(reports()[0], "452 4.2.2 full"));
  EXPECT_FALSE(has(reports()[0], "c@example.test")) << "NOTIFY=FAILURE";
  EXPECT_EQ(listed(true)->recipients[0].status, RecipientStatus::kOpen);
}

TEST_F(ReportWriterTest, AFullSegmentIsFollowedByAnother) {
  refuse(test::envelope("alice@sender.test"));
  auto big = test::content(folder_.path(), std::string(40 << 20, 'x') + "\r\n");
  own_->begun();
  change([&](storage::WriteTxn& txn) {
    for (int i = 0; i < 2; ++i) {
      base::Result<mail::RecordRef> record;
      const auto envelope = test::envelope();
      ASSERT_TRUE(own_->append(txn, {own_->next_id(), 0, envelope, big}, record));
      ASSERT_TRUE(record);
      EXPECT_EQ(record->segment, static_cast<std::uint32_t>(i + 1));
    }
    ASSERT_TRUE(own_->prepare());
  });
  pay();
  recover();
  EXPECT_EQ(reports().size(), 1U);
}

}  // namespace
}  // namespace holdfast::qmgr
