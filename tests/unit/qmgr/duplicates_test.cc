#include "qmgr/duplicates.h"

#include <gtest/gtest.h>

#include "common/storage/queue_index.h"
#include "tests/unit/storage/support.h"

namespace holdfast::qmgr {
namespace {

std::uint64_t count_in(storage::QueueIndex& index) {
  storage::ReadTxn txn(index.env());
  const storage::ReadTxn::View view(txn);
  EXPECT_TRUE(view);
  return possible_duplicates(txn);
}

TEST(PossibleDuplicates, AreCountedOverRestarts) {
  const storage::test::Folder folder;
  for (std::uint64_t before = 0; before < 3; ++before) {
    auto index = storage::QueueIndex::open(folder.path(), {.map_bytes = 1 << 24});
    ASSERT_TRUE(index) << index.error().text;
    EXPECT_EQ(count_in(**index), before);
    auto txn = storage::WriteTxn::begin((*index)->env());
    ASSERT_TRUE(txn);
    ASSERT_TRUE(count_possible_duplicate(**txn));
    ASSERT_TRUE((*txn)->commit());
  }
}

}  // namespace
}  // namespace holdfast::qmgr
