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

TEST(Stores, SeeTheIndexThatARebuildHasPutInItsPlace) {
  storage::test::Folder folder;
  const auto messages = [](Stores& stores) {
    std::optional<std::uint64_t> out;
    (void)stores.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) { out = index.counter(txn, "").messages(); });
    return out;
  };
  constexpr storage::EnvOptions kWriter{.read_only = false, .map_bytes = kMap};
  Stores stores(folder.path(), folder.path(), kMap);
  EXPECT_FALSE(messages(stores));
  {
    const auto index = storage::QueueIndex::open(folder.path(), kWriter);
    ASSERT_TRUE(index) << index.error().text;
    EXPECT_EQ(messages(stores), 0U);
  }
  // As `queue rebuild` does: another one beside it, and then in its place.
  storage::test::Folder other;
  {
    const auto index = storage::QueueIndex::open(other.path(), kWriter);
    ASSERT_TRUE(index);
    auto txn = storage::WriteTxn::begin((*index)->env());
    ASSERT_TRUE(txn);
    storage::MessageRow row;
    row.destination = "office";
    row.arrival_ms = 1'000'000;
    ASSERT_TRUE((*index)->add(**txn, *mail::QueueId::parse("10000000001"), row, {storage::RecipientState{}}));
    ASSERT_TRUE((*txn)->commit());
  }
  std::filesystem::remove_all(storage::QueueIndex::folder(folder.path()));
  std::filesystem::rename(storage::QueueIndex::folder(other.path()), storage::QueueIndex::folder(folder.path()));
  EXPECT_EQ(messages(stores), 1U);
}

}  // namespace
}  // namespace holdfast::admin
