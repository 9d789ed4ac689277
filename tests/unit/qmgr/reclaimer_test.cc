#include "qmgr/reclaimer.h"

#include <gtest/gtest.h>

#include "common/storage/segment_writer.h"
#include "qmgr/index_segment.h"
#include "tests/unit/qmgr/on_loop.h"
#include "tests/unit/storage/support.h"

namespace holdfast::qmgr {
namespace {

namespace test = storage::test;

constexpr storage::SegmentId kSegment{1, 1};

class ReclaimerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(storage::segments_folder(folder_.path()));
    index_ = std::move(*storage::QueueIndex::open(folder_.path(), test::kSmallEnv));
    const storage::BatchWriter::Options quick{.interval = base::Millis(0)};
    writer_ = std::make_unique<storage::BatchWriter>(index_->env(), quick, hooks_on(loop_, [this] {
                                                       if (writer_->pending() == 0) loop_.stop();
                                                     }));
    reclaimer_ = std::make_unique<Reclaimer>(folder_.path(), *index_, *writer_);
  }
  void TearDown() override { writer_.reset(); }

  std::string file() const { return storage::segments_folder(folder_.path()) + "/" + kSegment.file_name(); }
  std::string corrupt() const { return storage::corrupt_folder(folder_.path()); }
  // Three messages; the content of the second is damaged, and the header of the third.
  void write_damaged() {
    auto segment = std::move(
        *storage::SegmentWriter::create(storage::real_file_ops(), storage::segments_folder(folder_.path()), kSegment));
    for (std::uint64_t id = 1; id <= 3; ++id) {
      refs_.push_back(*segment->append({id}, 0, test::envelope(), test::content(folder_.path(), "hello\r\n")));
    }
    segment.reset();
    auto bytes = test::slurp(file());
    bytes[refs_[1].offset + refs_[1].length - 3] ^= 1;
    bytes[refs_[2].offset + 20] ^= 1;
    test::dump(file(), bytes);
  }
  void change(const std::function<void(storage::WriteTxn&)>& what) {
    auto txn = storage::WriteTxn::begin(index_->env());
    what(**txn);
    ASSERT_TRUE((*txn)->commit());
  }
  void index_all() {
    change([&](storage::WriteTxn& txn) {
      IndexedStep out;
      ASSERT_TRUE(
          index_step(*index_, txn,
                     {.spool = folder_.path(), .id = kSegment, .upto = ~0ULL, .seal = true, .after_crash = true}, out));
      EXPECT_TRUE(out.over);
      EXPECT_EQ(out.messages.size(), 1U);
    });
  }
  void look() {
    // Something to commit in any case, so that the loop ends.
    reclaimer_->look();
    writer_->submit([](storage::WriteTxn&) -> base::Status { return {}; });
    loop_.run();
  }
  std::optional<storage::SegmentRow> row() {
    storage::ReadTxn txn(index_->env());
    const storage::ReadTxn::View view(txn);
    return index_->segment(txn, kSegment);
  }

  test::Folder folder_;
  std::vector<mail::RecordRef> refs_;
  net::Loop loop_;
  std::unique_ptr<storage::QueueIndex> index_;
  std::unique_ptr<storage::BatchWriter> writer_;
  std::unique_ptr<Reclaimer> reclaimer_;
};

TEST_F(ReclaimerTest, ASegmentGoesWhenNothingInItIsQueued) {
  write_damaged();
  index_all();
  EXPECT_TRUE(row()->damage.empty()) << "it is in corrupt/";
  look();
  EXPECT_TRUE(std::filesystem::exists(file()));
  change([&](storage::WriteTxn& txn) { ASSERT_TRUE(index_->remove(txn, {1})); });
  look();
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_EQ(row(), std::nullopt);
}

TEST_F(ReclaimerTest, DamageThatCannotBeSetAsideKeepsItsSegmentUntilItCan) {
  write_damaged();
  test::dump(corrupt(), "a file where the folder should be");
  index_all();
  ASSERT_EQ(row()->damage.size(), 2U);
  change([&](storage::WriteTxn& txn) { ASSERT_TRUE(index_->remove(txn, {1})); });
  const auto bytes = test::slurp(file());
  for (int i = 0; i < 3; ++i) look();
  EXPECT_TRUE(std::filesystem::exists(file())) << "the only copy there is";
  EXPECT_EQ(row()->damage.size(), 2U);
  std::filesystem::remove(corrupt());
  look();
  EXPECT_TRUE(row()->damage.empty());
  look();
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_EQ(test::slurp(corrupt() + "/000001-00000001.seg-2000-2"), bytes.substr(0x2000, refs_[1].length))
      << "as it lay there";
  EXPECT_TRUE(std::filesystem::exists(corrupt() + "/000001-00000001.seg-3000-blocks"));
}

TEST(SegmentRow, RemembersManyDamagedPlacesAsOne) {
  storage::SegmentRow row;
  for (std::uint64_t i = 0; i < 2 * storage::kMostDamage; ++i) row.add_damage({.offset = 8192 * i, .length = 4096});
  row.add_damage({.offset = 0, .length = 4096});
  ASSERT_EQ(row.damage.size(), storage::kMostDamage);
  EXPECT_EQ(row.damage.back().offset + row.damage.back().length, 8192 * (2 * storage::kMostDamage - 1) + 4096);
}

}  // namespace
}  // namespace holdfast::qmgr
