#include "master/writer_number.h"

#include <fstream>

#include "common/base/file.h"
#include "common/storage/queue_index.h"
#include "common/storage/segment.h"
#include "tests/unit/in_folder.h"

namespace holdfast::master {
namespace {

class Numbers : public test::InFolder {
 protected:
  Numbers() {
    paths_.spool = root_ + "/spool";
    paths_.state = root_ + "/state";
    EXPECT_TRUE(base::make_folders(paths_.state));
  }
  void segment(std::uint32_t writer) {
    const std::string folder = storage::segments_folder(paths_.spool);
    EXPECT_TRUE(base::make_folders(folder));
    std::ofstream(folder + "/" + storage::SegmentId{writer, 1}.file_name()) << "x";
  }
  void counter(const std::string& text) { std::ofstream(paths_.state + "/writer-number") << text; }
  std::string on_disk() const { return base::read_file(paths_.state + "/writer-number").value(); }

  config::Paths paths_;
};

TEST_F(Numbers, BeginWithOneAndAreOnDiskBeforeTheyAreGiven) {
  auto numbers = WriterNumbers::open(paths_).value();
  EXPECT_EQ(numbers.next().value(), 1U);
  EXPECT_EQ(on_disk(), "1\n");
  EXPECT_EQ(numbers.next().value(), 2U);
  EXPECT_EQ(on_disk(), "2\n");
  EXPECT_EQ(numbers.warning(), "");
}

TEST_F(Numbers, GoOnAfterARestart) {
  counter("41\n");
  segment(41);
  EXPECT_EQ(WriterNumbers::open(paths_).value().next().value(), 42U);
  EXPECT_EQ(WriterNumbers::open(paths_).value().next().value(), 43U);
}

TEST_F(Numbers, ALostCounterGoesOnFarBehindTheSegments) {
  segment(7);
  segment(9);
  auto numbers = WriterNumbers::open(paths_).value();
  EXPECT_NE(numbers.warning().find("missing although the spool was in use"), std::string::npos);
  EXPECT_EQ(numbers.next().value(), 9 + WriterNumbers::kGap + 1);
}

TEST_F(Numbers, TheIndexKnowsSegmentsWhoseFilesAreGone) {
  {
    auto index = storage::QueueIndex::open(paths_.spool, {.map_bytes = 1 << 20}).value();
    auto txn = storage::WriteTxn::begin(index->env()).value();
    ASSERT_TRUE(index->put_segment(*txn, {12, 1}, {}));
    ASSERT_TRUE(txn->commit());
  }
  auto numbers = WriterNumbers::open(paths_).value();
  EXPECT_NE(numbers.warning(), "");
  EXPECT_EQ(numbers.next().value(), 12 + WriterNumbers::kGap + 1);
}

TEST_F(Numbers, AnEmptyIndexIsASignOfUseToo) {
  ASSERT_TRUE(storage::QueueIndex::open(paths_.spool, {.map_bytes = 1 << 20}));
  EXPECT_EQ(WriterNumbers::open(paths_).value().next().value(), WriterNumbers::kGap + 1);
}

TEST_F(Numbers, ADamagedOrOldCounterIsNotBelieved) {
  segment(50);
  for (const char* text : {"", "x", "-1", "49\n", "99999999999\n"}) {
    counter(text);
    auto numbers = WriterNumbers::open(paths_).value();
    EXPECT_NE(numbers.warning(), "") << text;
    EXPECT_EQ(numbers.next().value(), 50 + WriterNumbers::kGap + 1) << text;
  }
}

TEST_F(Numbers, EndRatherThanRepeat) {
  counter(std::to_string(WriterNumbers::kLast));
  const auto next = WriterNumbers::open(paths_).value().next();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().kind, base::Kind::kNoSpace);
}

TEST_F(Numbers, NothingIsGivenThatCouldNotBeSaved) {
  auto numbers = WriterNumbers::open(paths_).value();
  std::filesystem::remove_all(paths_.state);
  EXPECT_FALSE(numbers.next());
  EXPECT_TRUE(base::make_folders(paths_.state));
  EXPECT_EQ(numbers.next().value(), 1U);
}

}  // namespace
}  // namespace holdfast::master
