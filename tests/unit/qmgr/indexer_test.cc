#include "qmgr/indexer.h"

#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "common/storage/segment_writer.h"
#include "tests/unit/storage/support.h"

namespace holdfast::qmgr {
namespace {

namespace test = storage::test;

// The thread of the test is the loop: it runs what the writer's thread has committed.
class IndexerTest : public testing::Test {
 protected:
  IndexerTest() { std::filesystem::create_directories(segments()); }

  std::string segments() const { return storage::segments_folder(folder_.path()); }

  // A segment whose writer is gone.
  void write_segment(std::uint32_t number, std::uint64_t messages, std::size_t recipients = 1) {
    auto envelope = test::envelope();
    envelope.recipients.resize(recipients, envelope.recipients.front());
    auto segment = std::move(*storage::SegmentWriter::create(storage::real_file_ops(), segments(), {1, number}));
    for (std::uint64_t i = 0; i < messages; ++i) {
      ASSERT_TRUE(
          segment->append(mail::QueueId{number * 100'000 + i}, 0, envelope, test::content(folder_.path(), "x\r\n")));
    }
    ASSERT_TRUE(segment->sync());
  }
  void begin() {
    index_ = std::move(*storage::QueueIndex::open(folder_.path(), test::kSmallEnv));
    writer_ = std::make_unique<storage::BatchWriter>(
        index_->env(), storage::BatchWriter::Options{.interval = base::Millis(1)},
        storage::BatchWriter::Hooks{.committed = [this](std::vector<storage::BatchWriter::Done> dones) {
          const std::lock_guard lock(mutex_);
          batches_.push_back(std::move(dones));
          wake_.notify_one();
        }, .health = {}});
    indexer_ = std::make_unique<Indexer>(folder_.path(), *index_, *writer_, [this](const IndexedStep& step) {
      seen_ += step.messages.size();
      most_in_step_ = std::max(most_in_step_, step.messages.size());
      over_ += step.over ? 1 : 0;
    });
    ASSERT_TRUE(indexer_->look_for_orphans());
  }
  // Until so many segments are sealed.
  void run_until_over(std::size_t segments_over) {
    while (over_ < segments_over) {
      std::vector<storage::BatchWriter::Done> dones;
      {
        std::unique_lock lock(mutex_);
        ASSERT_TRUE(wake_.wait_for(lock, std::chrono::seconds(20), [&] { return !batches_.empty(); }));
        dones = std::move(batches_.front());
        batches_.pop_front();
      }
      most_in_batch_ = std::max(most_in_batch_, dones.size());
      for (const auto& done : dones) done();
    }
  }
  void TearDown() override { writer_.reset(); }

  test::Folder folder_;
  std::unique_ptr<storage::QueueIndex> index_;
  std::unique_ptr<storage::BatchWriter> writer_;
  std::unique_ptr<Indexer> indexer_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::vector<storage::BatchWriter::Done>> batches_;
  std::size_t seen_ = 0, over_ = 0, most_in_step_ = 0, most_in_batch_ = 0;
};

TEST_F(IndexerTest, TakesAFewSegmentsOfDeadWritersAtATime) {
  constexpr std::uint32_t kSegments = 3 * Indexer::kRecoverAtOnce + 1;
  for (std::uint32_t number = 1; number <= kSegments; ++number) write_segment(number, number == 2 ? 700 : 3);
  begin();
  run_until_over(kSegments);
  EXPECT_EQ(seen_, 700U + 3 * (kSegments - 1));
  EXPECT_LE(most_in_batch_, Indexer::kRecoverAtOnce);
}

TEST_F(IndexerTest, ASegmentThatIsAskedForAgainMeanwhileIsReadOnce) {
  for (std::uint32_t number = 1; number <= 10; ++number) write_segment(number, 2);
  begin();
  ASSERT_TRUE(indexer_->look_for_orphans());
  indexer_->synced({.writer = 1, .segment = 10, .upto = storage::kBlock, .sealed = true});
  run_until_over(10);
  EXPECT_EQ(seen_, 20U);
}

TEST_F(IndexerTest, AStepOfManyRecipientsIsShorter) {
  write_segment(1, 40, 1000);
  begin();
  run_until_over(1);
  EXPECT_EQ(seen_, 40U);
  EXPECT_LE(most_in_step_, 5U);
}

}  // namespace
}  // namespace holdfast::qmgr
