#include "common/storage/lmdb_birth.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "common/storage/lmdb.h"
#include "tests/unit/storage/support.h"

namespace holdfast::storage {
namespace {

TEST(LmdbBirth, LeavesAnEmptyDatabaseAndNothingElse) {
  const test::Folder dir;
  ASSERT_TRUE(make_database(dir.path()));
  EXPECT_TRUE(std::filesystem::exists(dir.path() + "/data.mdb"));
  EXPECT_FALSE(std::filesystem::exists(dir.path() + "/new"));
  EXPECT_TRUE(Env::open(dir.path(), {"a"}, {}));
}

TEST(LmdbBirth, BeginsAgainWhereOneWasCutShort) {
  const test::Folder dir;
  std::filesystem::create_directories(dir.path() + "/new");
  std::ofstream(dir.path() + "/new/data.mdb") << std::string(8192, 'x');
  ASSERT_TRUE(make_database(dir.path()));
  EXPECT_FALSE(std::filesystem::exists(dir.path() + "/new"));
  EXPECT_TRUE(Env::open(dir.path(), {"a"}, {}));
}

TEST(LmdbBirth, LeavesADatabaseAsItIs) {
  const test::Folder dir;
  {
    auto env = Env::open(dir.path(), {"a"}, {});
    ASSERT_TRUE(env);
    auto txn = WriteTxn::begin(**env);
    ASSERT_TRUE(txn);
    ASSERT_TRUE((*txn)->put(Table{0}, "key", "value"));
    ASSERT_TRUE((*txn)->commit());
  }
  ASSERT_TRUE(make_database(dir.path()));
  auto env = Env::open(dir.path(), {"a"}, {});
  ASSERT_TRUE(env);
  ReadTxn txn(**env);
  const ReadTxn::View view(txn);
  ASSERT_TRUE(view);
  EXPECT_EQ(txn.get(Table{0}, "key"), "value");
}

}  // namespace
}  // namespace holdfast::storage
