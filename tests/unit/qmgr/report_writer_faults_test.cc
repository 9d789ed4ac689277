// What fails while a report is written. Tried with the protection taken out: without OwnSpool::dropped()
// ARecordThatDoesNotFit... and AFailedSync... leave two records; with prepare() left out of a batch ADroppedBatch...
// finds no readable report after the cut.
#include "tests/unit/qmgr/report_writer_fixture.h"

namespace holdfast::qmgr {
namespace {

using ReportWriterFaultsTest = ReportWriterTest;

TEST_F(ReportWriterFaultsTest, ADamagedOriginalIsReportedWithoutItsHeader) {
  refuse(test::envelope("alice@sender.test"));
  const std::string path = segments() + "/000001-00000001.seg";
  auto bytes = test::slurp(path);
  bytes[bytes.find("secret")] ^= 1;
  test::dump(path, bytes);
  pay();
  ASSERT_EQ(reports().size(), 1U);
  EXPECT_FALSE(has(reports()[0], "Subject: hello"));
  EXPECT_TRUE(has(reports()[0], "could not be read any more"));
  EXPECT_TRUE(told_.removed);
  EXPECT_FALSE(told_.trouble.empty());
}

TEST_F(ReportWriterFaultsTest, ALostOriginalToo) {
  refuse(test::envelope("alice@sender.test"));
  std::filesystem::remove(segments() + "/000001-00000001.seg");
  pay();
  ASSERT_EQ(reports().size(), 1U);
}

TEST_F(ReportWriterFaultsTest, ASegmentThatCannotBeMadeLeavesTheDebt) {
  refuse(test::envelope("alice@sender.test"));
  ops_.write_in = 1;
  pay();
  EXPECT_TRUE(told_.postponed);
  EXPECT_FALSE(told_.report);
  EXPECT_TRUE(owes());
  EXPECT_TRUE(listed(true));
  pay();
  EXPECT_EQ(reports().size(), 1U);
}

TEST_F(ReportWriterFaultsTest, ARecordThatDoesNotFitLeavesTheDebt) {
  refuse(test::envelope("alice@sender.test"));
  ops_.write_in = 2;
  pay();
  EXPECT_TRUE(told_.postponed);
  EXPECT_TRUE(owes());
  EXPECT_EQ(counted(Tally::kBounces), 0U);
  pay();
  EXPECT_FALSE(told_.postponed);
  EXPECT_EQ(reports().size(), 1U);
  recover();
  EXPECT_EQ(reports().size(), 1U);
}

TEST_F(ReportWriterFaultsTest, AFailedSyncDropsTheBatchAndTheNextGoesWellWithoutIt) {
  refuse(test::envelope("alice@sender.test"));
  ops_.sync_data_in = 1;
  own_->begun();
  {
    auto txn = storage::WriteTxn::begin(index_->env());
    ASSERT_TRUE(pay_in(**txn));
    EXPECT_FALSE(own_->prepare());
  }
  own_->dropped({base::Kind::kInternal, "fdatasync"});
  pay();
  EXPECT_TRUE(told_.postponed) << "for a while";
  EXPECT_TRUE(owes());
  recover();
  pay();
  EXPECT_EQ(reports().size(), 1U);
}

TEST_F(ReportWriterFaultsTest, ADroppedBatchLeavesNoRecord) {
  refuse(test::envelope("alice@sender.test"));
  for (int i = 0; i < 3; ++i) {  // LMDB's commit fails thrice
    own_->begun();
    {
      auto txn = storage::WriteTxn::begin(index_->env());
      ASSERT_TRUE(pay_in(**txn));
      ASSERT_TRUE(own_->prepare());
    }
    own_->dropped({base::Kind::kNoSpace, "commit"});
  }
  pay();
  ASSERT_EQ(reports().size(), 1U);
  const auto record = listed(false)->message.record;
  EXPECT_EQ(record.offset, storage::kBlock) << "those before it were cut";
  EXPECT_EQ(
      std::filesystem::file_size(segments() + "/" + storage::SegmentId{record.writer, record.segment}.file_name()),
      storage::kBlock + storage::padded(record.length));
}

TEST_F(ReportWriterFaultsTest, AfterACommitThatMayHaveHappenedNothingIsCut) {
  refuse(test::envelope("alice@sender.test"));
  own_->begun();
  std::uint64_t size = 0;
  const auto file = [&] { return segments() + "/" + storage::SegmentId{writer_, 1}.file_name(); };
  {
    auto txn = storage::WriteTxn::begin(index_->env());
    ASSERT_TRUE(pay_in(**txn));
    ASSERT_TRUE(own_->prepare());
    size = std::filesystem::file_size(file());
  }
  own_->dropped({base::Kind::kInternal, "write the meta page"});
  EXPECT_EQ(std::filesystem::file_size(file()), size) << "a row may point at it after all";
  pay();
  EXPECT_TRUE(told_.postponed) << "for a while";
  recover();
  pay();
  EXPECT_EQ(reports().size(), 1U);
}

TEST_F(ReportWriterFaultsTest, AnOriginalThatCannotBeReadNowWaits) {
  auto e = test::envelope("alice@sender.test");
  e.recipients[0].notify = "NEVER";
  refuse(e);
  const std::string path = segments() + "/000001-00000001.seg";
  std::filesystem::rename(path, path + ".away");
  std::filesystem::create_symlink(path, path);  // ELOOP: neither gone nor damaged
  pay();
  EXPECT_TRUE(told_.unreadable);
  EXPECT_TRUE(owes());
  EXPECT_TRUE(reports().empty()) << "its sender may have wished so";
  std::filesystem::remove(path);
  std::filesystem::rename(path + ".away", path);
  pay();
  EXPECT_FALSE(told_.unreadable);
  EXPECT_TRUE(reports().empty());
  EXPECT_TRUE(told_.removed);
}

TEST_F(ReportWriterFaultsTest, NorForEver) {
  refuse(test::envelope("alice@sender.test"));
  const std::string path = segments() + "/000001-00000001.seg";
  std::filesystem::remove(path);
  std::filesystem::create_symlink(path, path);
  own_->begun();
  change([&](storage::WriteTxn& txn) {
    ASSERT_TRUE(reports_->pay(txn, kOriginal, config_, kNow, told_, true));
    ASSERT_TRUE(own_->prepare());
  });
  EXPECT_EQ(reports().size(), 1U);
}

TEST_F(ReportWriterFaultsTest, KilledAtAnyStepItIsPaidOnce) {
  for (int step = 0; step < 4; ++step) {
    SCOPED_TRACE(step);
    refuse(test::envelope("alice@sender.test"));
    if (step == 3) pay();
    if (step > 0 && step < 3) {
      own_->begun();
      auto txn = storage::WriteTxn::begin(index_->env());
      ASSERT_TRUE(pay_in(**txn));
      if (step == 2) { ASSERT_TRUE(own_->prepare()); }
    }  // killed: the transaction is gone, the record is in the file
    recover();
    pay();
    ASSERT_EQ(reports().size(), 1U);
    recover();
    EXPECT_EQ(reports().size(), 1U);
    EXPECT_EQ(counted(Tally::kBounces), static_cast<std::uint64_t>(step + 1)) << "as many as there were";
    change([&](storage::WriteTxn& txn) {
      for (const auto& m : index_->list(txn, {}, "", 100).messages) ASSERT_TRUE(index_->remove(txn, m.id));
    });
  }
}

}  // namespace
}  // namespace holdfast::qmgr
