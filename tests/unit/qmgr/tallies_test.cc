#include "qmgr/tallies.h"

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::qmgr {
namespace {

std::uint64_t tally_in(storage::QueueIndex& index, Tally what) {
  storage::ReadTxn txn(index.env());
  const storage::ReadTxn::View view(txn);
  EXPECT_TRUE(view);
  return tally(txn, what);
}

TEST(Tallies, AreKeptOverRestartsEachForItself) {
  const storage::test::Folder folder;
  for (std::uint64_t before = 0; before < 3; ++before) {
    auto index = storage::QueueIndex::open(folder.path(), {.map_bytes = 1 << 24});
    ASSERT_TRUE(index) << index.error().text;
    EXPECT_EQ(tally_in(**index, Tally::kPossibleDuplicates), before);
    EXPECT_EQ(tally_in(**index, Tally::kBounces), 2 * before);
    EXPECT_EQ(tally_in(**index, Tally::kDelayNotices), 0U);
    EXPECT_EQ(tally_in(**index, Tally::kSuppressed), 0U);
    auto txn = storage::WriteTxn::begin((*index)->env());
    ASSERT_TRUE(txn);
    ASSERT_TRUE(count(**txn, Tally::kPossibleDuplicates));
    ASSERT_TRUE(count(**txn, Tally::kBounces));
    ASSERT_TRUE(count(**txn, Tally::kBounces));
    ASSERT_TRUE((*txn)->commit());
  }
}

}  // namespace
}  // namespace holdfast::qmgr
