#include "common/admin/gateway.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::admin {
namespace {

constexpr std::uint64_t kMap = 64 << 20;

base::Status read(Stores& stores) {
  return stores.read_queue([](const storage::QueueIndex&, const storage::Txn&) {});
}

TEST(ReadingMark, StandsWhileItIsHeld) {
  storage::test::Folder folder;
  const std::string file = folder.path() + "/reading";
  const storage::ReadingMark mark(file);
  EXPECT_FALSE(mark.found());
  {
    const storage::ReadingMark::Hold hold(mark);
    EXPECT_TRUE(std::filesystem::exists(file));
  }
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Stores, LeaveTheIndexAloneWhenItsLastReaderEnded) {
  storage::test::Folder folder;
  const std::string file = folder.path() + "/reading";
  std::ofstream(file).put('\n');
  Stores afraid(folder.path(), folder.path(), kMap, file);
  EXPECT_EQ(read(afraid).error().kind, base::Kind::kUnavailable);
  EXPECT_FALSE(std::filesystem::exists(file)) << "the next one tries again";
  Stores next(folder.path(), folder.path(), kMap, file);
  EXPECT_EQ(read(next).error().kind, base::Kind::kNotFound) << "nothing was ever kept here";
  EXPECT_FALSE(std::filesystem::exists(file));
  Stores without(folder.path(), folder.path(), kMap);
  EXPECT_EQ(read(without).error().kind, base::Kind::kNotFound);
}

}  // namespace
}  // namespace holdfast::admin
