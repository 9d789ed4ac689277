#include "common/storage/lmdb.h"

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::storage {
namespace {

const std::vector<std::string> kTables{"one", "two"};

TEST(Lmdb, AReaderOfNothingIsNotFound) {
  const test::Folder folder;
  const auto none = Env::open(folder.path() + "/db", kTables, test::kSmallReader);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, base::Kind::kNotFound);
}

TEST(Lmdb, CommittedIsSeenAndAbortedIsNot) {
  const test::Folder folder;
  auto env = Env::open(folder.path() + "/db", kTables, test::kSmallEnv);
  ASSERT_TRUE(env);
  {
    auto txn = WriteTxn::begin(**env);
    ASSERT_TRUE((*txn)->put(0, "k", "v"));
    ASSERT_TRUE((*txn)->commit());
  }
  {
    auto txn = WriteTxn::begin(**env);
    ASSERT_TRUE((*txn)->put(0, "k", "other"));
    ASSERT_TRUE((*txn)->erase(1, "absent"));
  }
  ReadTxn read(**env);
  const ReadTxn::View view(read);
  ASSERT_TRUE(view);
  EXPECT_EQ(read.get(0, "k"), "v");
  EXPECT_EQ(read.get(1, "k"), std::nullopt);
  EXPECT_EQ(read.get(0, ""), std::nullopt);
  EXPECT_EQ(read.entries(0), 1U);
}

TEST(Lmdb, CursorWalksInOrder) {
  const test::Folder folder;
  auto env = Env::open(folder.path() + "/db", kTables, test::kSmallEnv);
  auto txn = WriteTxn::begin(**env);
  for (const char* key : {"b", "a", "d"}) ASSERT_TRUE((*txn)->put(1, key, key));
  Cursor cursor(**txn, 1);
  EXPECT_TRUE(cursor.first());
  EXPECT_EQ(cursor.key(), "a");
  EXPECT_TRUE(cursor.seek("c"));
  EXPECT_EQ(cursor.key(), "d");
  EXPECT_FALSE(cursor.next());
  EXPECT_FALSE(cursor.seek("e"));
  EXPECT_TRUE(cursor.last());
  EXPECT_TRUE(cursor.previous());
  EXPECT_EQ(cursor.key(), "b");
}

TEST(Lmdb, AFullMapIsNoSpace) {
  const test::Folder folder;
  auto env = Env::open(folder.path() + "/db", kTables, {.read_only = false, .map_bytes = 256 << 10});
  auto txn = WriteTxn::begin(**env);
  base::Status status{};
  for (int i = 0; i < 10000 && status; ++i) status = (*txn)->put(0, std::to_string(i), std::string(1000, 'x'));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, base::Kind::kNoSpace);
}

TEST(Lmdb, ARenewedViewShowsWhatCameMeanwhile) {
  const test::Folder folder;
  auto env = Env::open(folder.path() + "/db", kTables, test::kSmallEnv);
  ReadTxn read(**env);
  {
    const ReadTxn::View view(read);
    EXPECT_EQ(read.get(0, "k"), std::nullopt);
    auto txn = WriteTxn::begin(**env);
    ASSERT_TRUE((*txn)->put(0, "k", "v"));
    ASSERT_TRUE((*txn)->commit());
    EXPECT_EQ(read.get(0, "k"), std::nullopt) << "one view is one moment";
  }
  const ReadTxn::View view(read);
  EXPECT_EQ(read.get(0, "k"), "v");
  (*env)->clear_stale_readers();
}

}  // namespace
}  // namespace holdfast::storage
