#include "qmgr/index_segment.h"

#include <gtest/gtest.h>

#include "common/storage/segment_writer.h"
#include "tests/unit/storage/support.h"

namespace holdfast::qmgr {
namespace {

using mail::QueueId;
using storage::kBlock;
using storage::SegmentState;
namespace test = storage::test;

class IndexSegmentTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(segments());
    index_ = std::move(*storage::QueueIndex::open(folder_.path(), test::kSmallEnv));
    segment_ = std::move(*storage::SegmentWriter::create(storage::real_file_ops(), segments(), {1, 1}));
  }
  std::string segments() const { return storage::segments_folder(folder_.path()); }
  std::string file() const { return segments() + "/000001-00000001.seg"; }
  mail::RecordRef write(std::uint64_t id, std::string_view body = "hello\r\n") {
    return *segment_->append(QueueId{id}, 0, test::envelope(), test::content(folder_.path(), body));
  }
  IndexedStep step(IndexStep what) {
    what.spool = folder_.path();
    what.id = {1, 1};
    IndexedStep out;
    auto txn = storage::WriteTxn::begin(index_->env());
    EXPECT_TRUE(index_step(*index_, **txn, what, out));
    EXPECT_TRUE((*txn)->commit());
    return out;
  }
  IndexStep upto(std::uint64_t end) { return {.spool = {}, .id = {}, .upto = end}; }
  IndexStep to_the_end() { return {.spool = {}, .id = {}, .upto = ~0ULL, .seal = true, .after_crash = true}; }
  std::uint64_t queued() {
    storage::ReadTxn txn(index_->env());
    const storage::ReadTxn::View view(txn);
    return index_->counter(txn, "").messages();
  }
  std::optional<storage::SegmentRow> row() {
    storage::ReadTxn txn(index_->env());
    const storage::ReadTxn::View view(txn);
    return index_->segment(txn, {1, 1});
  }

  test::Folder folder_;
  std::unique_ptr<storage::QueueIndex> index_;
  std::unique_ptr<storage::SegmentWriter> segment_;
};

TEST_F(IndexSegmentTest, ReadsAsFarAsItIsTold) {
  write(1);
  const auto told = segment_->end();
  write(2);
  const auto out = step(upto(told));
  ASSERT_EQ(out.messages.size(), 1U);
  EXPECT_EQ(out.messages[0].id, QueueId{1});
  EXPECT_EQ(out.messages[0].sender, "a@sender.test");
  EXPECT_EQ(out.messages[0].size, 7U);
  EXPECT_EQ(out.reached, told);
  EXPECT_TRUE(out.finished);
  EXPECT_EQ(row()->indexed_upto, told);
  EXPECT_EQ(row()->live_records, 1U);
}

TEST_F(IndexSegmentTest, ToldAgainOrTooLateChangesNothing) {
  write(1);
  write(2);
  step(upto(segment_->end()));
  EXPECT_TRUE(step(upto(segment_->end())).messages.empty());
  EXPECT_TRUE(step(upto(2 * kBlock)).messages.empty());
  EXPECT_EQ(queued(), 2U);
  EXPECT_EQ(row()->indexed_upto, segment_->end());
  EXPECT_EQ(row()->live_records, 2U);
}

TEST_F(IndexSegmentTest, AMessageThatIsDoneIsNotFoundAgain) {
  write(1);
  step(upto(segment_->end()));
  auto txn = storage::WriteTxn::begin(index_->env());
  ASSERT_TRUE(index_->remove(**txn, {1}));
  ASSERT_TRUE((*txn)->commit());
  EXPECT_TRUE(step(to_the_end()).messages.empty());
  EXPECT_EQ(queued(), 0U);
  EXPECT_EQ(row()->state, SegmentState::kSealed);
  EXPECT_EQ(row()->live_records, 0U);
}

TEST_F(IndexSegmentTest, AnAbortedStepLeavesNothing) {
  write(1);
  IndexStep what = upto(segment_->end());
  what.spool = folder_.path();
  what.id = {1, 1};
  for (int run = 0; run < 3; ++run) {
    IndexedStep out;
    auto txn = storage::WriteTxn::begin(index_->env());
    ASSERT_TRUE(index_step(*index_, **txn, what, out));
    EXPECT_EQ(out.messages.size(), 1U);
  }
  EXPECT_EQ(queued(), 0U);
  EXPECT_EQ(row(), std::nullopt);
}

TEST_F(IndexSegmentTest, GoesInSteps) {
  for (std::uint64_t id = 1; id <= 7; ++id) write(id);
  auto what = to_the_end();
  what.most = 3;
  for (const std::size_t expected : {3U, 3U, 1U}) {
    const auto out = step(what);
    EXPECT_EQ(out.messages.size(), expected);
    EXPECT_EQ(out.over, expected == 1);
  }
  EXPECT_EQ(queued(), 7U);
  EXPECT_EQ(row()->state, SegmentState::kSealed);
}

TEST_F(IndexSegmentTest, AfterACrashATornTailIsLeftAndTheRestIsFound) {
  write(1);
  const auto torn = write(2, std::string(20'000, 'x'));
  std::filesystem::resize_file(file(), torn.offset + 9000);
  const auto out = step(to_the_end());
  EXPECT_EQ(out.messages.size(), 1U);
  EXPECT_EQ(out.warnings.size(), 1U);
  EXPECT_TRUE(out.over);
  EXPECT_FALSE(std::filesystem::is_empty(storage::corrupt_folder(folder_.path()))) << "its header was sound";
}

TEST_F(IndexSegmentTest, TheRoomThatADeadWriterHadMadeIsNoDamage) {
  write(1);
  ASSERT_GT(std::filesystem::file_size(file()), segment_->end());
  const auto out = step(to_the_end());
  EXPECT_EQ(out.messages.size(), 1U);
  EXPECT_TRUE(out.over && out.warnings.empty());
}

TEST_F(IndexSegmentTest, WhatIsTornInThatRoomIsSetAsideWithoutItsZeros) {
  write(1);
  const auto torn = write(2, std::string(20'000, 'x'));
  std::string bytes = test::slurp(file());
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(torn.offset), kBlock, '\0');
  test::dump(file(), bytes);
  const auto out = step(to_the_end());
  EXPECT_EQ(out.damaged, 1U);
  EXPECT_EQ(test::slurp(storage::corrupt_folder(folder_.path()) + "/000001-00000001.seg-2000-blocks"),
            bytes.substr(torn.offset, storage::padded(torn.length)));
}

TEST_F(IndexSegmentTest, ADamagedRecordIsSetAsideAndTheNextIsFound) {
  write(1);
  const auto bad = write(2, std::string(20'000, 'x'));
  write(3);
  std::string bytes = test::slurp(file());
  bytes[bad.offset + 10'000] ^= 1;
  test::dump(file(), bytes);
  const auto out = step(to_the_end());
  EXPECT_EQ(out.messages.size(), 2U);
  const auto name = storage::corrupt_folder(folder_.path()) + "/000001-00000001.seg-2000-2";
  EXPECT_EQ(test::slurp(name), bytes.substr(bad.offset, bad.length));
}

TEST_F(IndexSegmentTest, ADamagedRecordThatCannotBeSetAsideStopsNothing) {
  const auto bad = write(1, std::string(20'000, 'x'));
  write(2);
  std::string bytes = test::slurp(file());
  bytes[bad.offset + 10'000] ^= 1;
  test::dump(file(), bytes);
  test::dump(storage::corrupt_folder(folder_.path()), "a file where the folder should be");
  const auto out = step(to_the_end());
  EXPECT_EQ(out.messages.size(), 1U);
  EXPECT_TRUE(out.over);
  ASSERT_EQ(out.warnings.size(), 1U);
  EXPECT_NE(out.warnings[0].find("not set aside"), std::string::npos) << out.warnings[0];
}

TEST_F(IndexSegmentTest, ASegmentWithADamagedHeaderIsSetAsideWhole) {
  write(1);
  std::string bytes = test::slurp(file());
  bytes[30] ^= 1;
  bytes[2048 + 30] ^= 1;  // it stands there twice
  test::dump(file(), bytes);
  const auto out = step(to_the_end());
  EXPECT_TRUE(out.over);
  EXPECT_EQ(out.warnings.size(), 1U);
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_EQ(test::slurp(storage::corrupt_folder(folder_.path()) + "/000001-00000001.seg"), bytes);
  EXPECT_TRUE(step(to_the_end()).warnings.empty()) << "told once";
}

TEST_F(IndexSegmentTest, AFileThatIsGoneIsNoError) {
  std::filesystem::remove(file());
  const auto out = step(upto(4 * kBlock));
  EXPECT_TRUE(out.over && out.messages.empty() && out.warnings.empty());
  EXPECT_EQ(row(), std::nullopt) << "a late notice must not bring a reclaimed segment back";
}

TEST_F(IndexSegmentTest, AFileThatIsGoneUnderQueuedMailIsTold) {
  write(1);
  step(upto(segment_->end()));
  std::filesystem::remove(file());
  EXPECT_EQ(step(to_the_end()).warnings.size(), 1U);
  EXPECT_EQ(queued(), 1U);
}

TEST_F(IndexSegmentTest, ASealedSegmentIsNotReadAgain) {
  write(1);
  step(to_the_end());
  write(2);
  EXPECT_TRUE(step(to_the_end()).over);
  EXPECT_EQ(queued(), 1U);
}

// A segment of qmgr's own, with two records of which the first was committed.
class OwnSegmentTest : public IndexSegmentTest {
 protected:
  void SetUp() override {
    IndexSegmentTest::SetUp();
    segment_.reset();
    std::filesystem::remove(file());
    segment_ = std::move(*storage::SegmentWriter::create(storage::real_file_ops(), segments(), {1, 1}, storage::SegmentOwner::kQmgr));
    write(1);
    mark_ = segment_->end();
    write(2);
  }
  void commit_first() {
    auto txn = storage::WriteTxn::begin(index_->env());
    ASSERT_TRUE(index_->put_segment(**txn, {1, 1}, {.state = SegmentState::kLive, .indexed_upto = mark_}));
    ASSERT_TRUE((*txn)->commit());
  }
  std::uint64_t mark_ = 0;
};

TEST_F(OwnSegmentTest, IsCutAtTheMarkAndSealed) {
  commit_first();
  const auto out = step(to_the_end());
  EXPECT_TRUE(out.over && out.messages.empty() && out.warnings.empty());
  EXPECT_EQ(std::filesystem::file_size(file()), mark_);
  EXPECT_EQ(row()->state, SegmentState::kSealed);
  EXPECT_EQ(row()->indexed_upto, mark_);
  EXPECT_TRUE(step(to_the_end()).over) << "again changes nothing";
}

TEST_F(OwnSegmentTest, OneThatNothingWasCommittedOfHoldsNothing) {
  EXPECT_TRUE(step(to_the_end()).messages.empty());
  EXPECT_EQ(std::filesystem::file_size(file()), kBlock);
  EXPECT_EQ(queued(), 0U);
}

TEST_F(OwnSegmentTest, WhatALostIndexMayHaveKnownIsReadToItsEnd) {
  index_.reset();
  std::filesystem::remove_all(storage::QueueIndex::folder(folder_.path()));
  index_ = std::move(*storage::QueueIndex::open(folder_.path(), test::kSmallEnv, 2));  // made by a later qmgr
  auto what = to_the_end();
  what.most = 1;  // in steps: that there is a row now does not make it this index's
  for (int i = 0; i < 3; ++i) step(what);
  EXPECT_EQ(queued(), 2U);
  EXPECT_EQ(row()->state, SegmentState::kSealed);
  EXPECT_EQ(std::filesystem::file_size(file()), segment_->end());
}

TEST_F(OwnSegmentTest, WhileItsQmgrLivesItIsLeftAlone) {
  commit_first();
  EXPECT_TRUE(step(upto(segment_->end())).messages.empty());
  EXPECT_EQ(std::filesystem::file_size(file()), segment_->end());
}

TEST_F(IndexSegmentTest, ABlockThatMayHaveBeenARecordIsSetAside) {
  write(1);
  const auto bad = write(2);
  write(3);
  std::string bytes = test::slurp(file());
  bytes[bad.offset + 20] ^= 1;
  test::dump(file(), bytes);
  const auto out = step(to_the_end());
  EXPECT_EQ(out.messages.size(), 2U);
  EXPECT_EQ(out.damaged, 1U);
  EXPECT_EQ(test::slurp(storage::corrupt_folder(folder_.path()) + "/000001-00000001.seg-2000-blocks"), bytes.substr(bad.offset, kBlock));
}

TEST_F(IndexSegmentTest, NewRowsArePlannedAndCountedByDomain) {
  write(1);
  auto what = to_the_end();
  what.plan = [](storage::MessageRow& planned, const mail::Envelope&) { planned.expires_ms = 4711; };
  step(what);
  storage::ReadTxn txn(index_->env());
  const storage::ReadTxn::View view(txn);
  EXPECT_EQ(index_->message(txn, {1})->expires_ms, 4711);
  EXPECT_EQ(index_->domain_counter(txn, "example.test").messages(), 1U);
}

}  // namespace
}  // namespace holdfast::qmgr
