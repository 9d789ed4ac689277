#include "common/storage/spool_writer.h"

#include <condition_variable>

#include <gtest/gtest.h>

#include "common/base/codec.h"
#include "common/storage/record.h"
#include "common/storage/segment_reader.h"
#include "tests/unit/storage/support.h"

namespace holdfast::storage {
namespace {

using mail::QueueId;

// Gathers what the spool thread reports.
class Collector {
 public:
  void take(SpoolWriter::Batch batch) {
    const std::lock_guard lock(mutex_);
    ++batches;
    for (auto& c : batch.completions) completions.push_back(std::move(c));
    for (const auto& m : batch.marks) marks.push_back(m);
    changed_.notify_all();
  }
  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return completions.size() >= count; });
  }

  std::vector<SpoolWriter::Completion> completions;
  std::vector<SegmentMark> marks;
  int batches = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

// Lets the test decide when a sync ends.
class GatedOps : public test::FaultyOps {
 public:
  base::Status sync_data(int fd) override {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    lock.unlock();
    return test::FaultyOps::sync_data(fd);
  }
  void wait_until_syncing() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ > 0; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

class SpoolWriterTest : public testing::Test {
 protected:
  std::unique_ptr<SpoolWriter> start(FileOps& ops, std::size_t most_waiting = 10000) {
    return std::make_unique<SpoolWriter>(
        SpoolWriter::Options{.folder = folder_.path(), .writer = 5, .most_waiting = most_waiting},
        [this](SpoolWriter::Batch batch) { seen_.take(std::move(batch)); }, ops);
  }
  SpoolWriter::Submission message(std::uint64_t n, std::string_view body = "hello\r\n") {
    return {n, QueueId::make(5, n), test::envelope(), test::content(folder_.path(), body)};
  }

  test::Folder folder_;
  Collector seen_;
};

TEST_F(SpoolWriterTest, WritesWhatItIsGiven) {
  test::FaultyOps ops;
  auto spool = start(ops);
  for (std::uint64_t n = 1; n <= 50; ++n) ASSERT_TRUE(spool->submit(message(n, std::to_string(n) + "\r\n")));
  seen_.wait_for(50);
  for (std::uint64_t n = 1; n <= 50; ++n) {
    const auto& c = seen_.completions[n - 1];
    EXPECT_EQ(c.token, n);
    const auto record = Record::open(folder_.path(), *c.record, QueueId::make(5, n), 0);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->content(), std::to_string(n) + "\r\n");
  }
  const auto marks = spool->marks();
  ASSERT_EQ(marks.size(), 1U);
  EXPECT_FALSE(marks[0].sealed);
  EXPECT_EQ(marks[0].upto, kBlock * 51);
  spool.reset();
  EXPECT_TRUE(seen_.marks.back().sealed) << "a clean end seals";
}

TEST_F(SpoolWriterTest, WhatCameDuringASyncSharesTheNext) {
  GatedOps ops;
  auto spool = start(ops);
  ASSERT_TRUE(spool->submit(message(1)));
  ops.wait_until_syncing();
  for (std::uint64_t n = 2; n <= 100; ++n) ASSERT_TRUE(spool->submit(message(n)));
  EXPECT_TRUE(seen_.completions.empty()) << "nothing is promised before the sync";
  ops.open();
  seen_.wait_for(100);
  EXPECT_EQ(ops.syncs, 2);
  EXPECT_EQ(seen_.batches, 2);
}

TEST_F(SpoolWriterTest, ABoundedNumberWaits) {
  GatedOps ops;
  auto spool = start(ops, 3);
  ASSERT_TRUE(spool->submit(message(1)));
  ops.wait_until_syncing();
  for (std::uint64_t n = 2; n <= 4; ++n) EXPECT_TRUE(spool->submit(message(n)));
  EXPECT_FALSE(spool->submit(message(5)));
  ops.open();
  seen_.wait_for(4);
}

TEST_F(SpoolWriterTest, AFailedWriteConcernsItsMessageOnly) {
  GatedOps ops;
  auto spool = start(ops);
  ASSERT_TRUE(spool->submit(message(1)));
  ops.wait_until_syncing();
  ops.write_in = 2;
  for (std::uint64_t n = 2; n <= 4; ++n) ASSERT_TRUE(spool->submit(message(n)));
  ops.open();
  seen_.wait_for(4);
  EXPECT_TRUE(seen_.completions[1].record);
  ASSERT_FALSE(seen_.completions[2].record);
  EXPECT_EQ(seen_.completions[2].record.error().kind, base::Kind::kNoSpace);
  EXPECT_TRUE(seen_.completions[3].record);
}

TEST_F(SpoolWriterTest, CopiesStandBehindTheirOriginal) {
  test::FaultyOps ops;
  auto spool = start(ops);
  auto with = message(1, "Subject: x\r\n");
  with.copies.push_back({QueueId::make(5, 2), test::envelope("b@example.test", "c@elsewhere.test")});
  with.copies.push_back({QueueId::make(5, 3), test::envelope("b@example.test", "d@elsewhere.test")});
  with.copies_head = "Copy: yes\r\n";
  ASSERT_TRUE(spool->submit(std::move(with)));
  seen_.wait_for(1);
  EXPECT_EQ(ops.syncs, 1);
  EXPECT_EQ(seen_.marks.back().upto, kBlock * 4);
  const auto original = Record::open(folder_.path(), *seen_.completions[0].record, QueueId::make(5, 1), 0);
  ASSERT_TRUE(original);
  EXPECT_EQ(original->content(), "Subject: x\r\n");
  const auto length = kRecordHeaderBytes + base::encode(test::envelope("b@example.test", "c@elsewhere.test")).size() + 23;
  for (std::uint64_t n = 2; n <= 3; ++n) {
    const auto copy = Record::open(folder_.path(), {5, 1, kBlock * n, length}, QueueId::make(5, n), 0);
    ASSERT_TRUE(copy) << n;
    EXPECT_EQ(copy->content(), "Copy: yes\r\nSubject: x\r\n");
    EXPECT_EQ(copy->envelope().sender, "b@example.test");
  }
}

TEST_F(SpoolWriterTest, ACopyThatCannotBeWrittenTakesItsOriginalBack) {
  GatedOps ops;
  auto spool = start(ops);
  ASSERT_TRUE(spool->submit(message(1)));
  ops.wait_until_syncing();
  ops.write_in = 2;
  auto with = message(2);
  with.copies.push_back({QueueId::make(5, 3), test::envelope()});
  ASSERT_TRUE(spool->submit(std::move(with)));
  ASSERT_TRUE(spool->submit(message(4)));
  ops.open();
  seen_.wait_for(3);
  EXPECT_FALSE(seen_.completions[1].record);
  ASSERT_TRUE(seen_.completions[2].record);
  EXPECT_EQ(seen_.completions[2].record->offset, kBlock * 2) << "where the original stood";
}

TEST_F(SpoolWriterTest, AFailedSyncConcernsAllWhoWaitAndEndsTheSegment) {
  GatedOps ops;
  ops.open();
  auto spool = start(ops);
  ASSERT_TRUE(spool->submit(message(1)));
  seen_.wait_for(1);
  ops.sync_data_in = 1;
  ASSERT_TRUE(spool->submit(message(2)));
  seen_.wait_for(2);
  EXPECT_TRUE(seen_.completions[0].record);
  EXPECT_FALSE(seen_.completions[1].record);
  EXPECT_TRUE(seen_.marks.back().sealed);
  EXPECT_EQ(seen_.marks.back().upto, kBlock * 2);
  ASSERT_TRUE(spool->submit(message(3)));
  seen_.wait_for(3);
  ASSERT_TRUE(seen_.completions[2].record);
  EXPECT_EQ(seen_.completions[2].record->segment, 2U);
  EXPECT_EQ(spool->marks().size(), 2U);
}

TEST_F(SpoolWriterTest, AFullSegmentIsFollowedByAnother) {
  test::FaultyOps ops;
  auto spool = start(ops);
  const std::string large(40 << 20, 'x');
  for (std::uint64_t n = 1; n <= 3; ++n) ASSERT_TRUE(spool->submit(message(n, large)));
  ASSERT_TRUE(spool->submit(message(4)));
  seen_.wait_for(4);
  EXPECT_EQ(seen_.completions[0].record->segment, 1U);
  EXPECT_EQ(seen_.completions[1].record->segment, 2U);
  EXPECT_EQ(seen_.completions[2].record->segment, 3U);
  EXPECT_EQ(seen_.completions[3].record->segment, 3U);
  const auto marks = spool->marks();
  ASSERT_EQ(marks.size(), 3U);
  EXPECT_TRUE(marks[0].sealed && marks[1].sealed && !marks[2].sealed);
  std::filesystem::remove(folder_.path() + "/" + marks[0].id.file_name());
  EXPECT_EQ(spool->marks().size(), 2U) << "what qmgr has reclaimed is not told again";
}

TEST_F(SpoolWriterTest, NoSegmentNoPromise) {
  test::FaultyOps ops;
  auto spool = start(ops);
  ops.sync_in = 1;
  ASSERT_TRUE(spool->submit(message(1)));
  seen_.wait_for(1);
  EXPECT_FALSE(seen_.completions[0].record);
  ASSERT_TRUE(spool->submit(message(2)));
  seen_.wait_for(2);
  EXPECT_TRUE(seen_.completions[1].record);
}

}  // namespace
}  // namespace holdfast::storage
