#include "common/storage/lmdb.h"

#include <csignal>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

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

// Runs `what` in a process that then dies as by kill -9: nothing is closed, no destructor runs.
template <class What>
void in_a_process_that_dies(const What& what) {
  const pid_t child = ::fork();
  if (child == 0) {
    what();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it has ended before it was to die: " << status;
}

TEST(Lmdb, AWriterThatDiesInsideATransactionLeavesNothingAndLocksNobodyOut) {
  const test::Folder folder;
  for (const bool open_before : {false, true}) {
    std::unique_ptr<Env> env;
    if (open_before) env = std::move(*Env::open(folder.path(), kTables, test::kSmallEnv));
    in_a_process_that_dies([&] {
      auto own = Env::open(folder.path(), kTables, test::kSmallEnv);
      if (!own) ::_exit(1);
      auto txn = WriteTxn::begin(**own);
      if (!txn || !(*txn)->put(0, "half", "done")) ::_exit(1);
      ::kill(::getpid(), SIGKILL);
    });
    if (!open_before) env = std::move(*Env::open(folder.path(), kTables, test::kSmallEnv));
    auto txn = WriteTxn::begin(*env);
    ASSERT_TRUE(txn) << txn.error().text;
    EXPECT_EQ((*txn)->get(0, "half"), std::nullopt);
    EXPECT_TRUE((*txn)->put(0, "whole", "done"));
    EXPECT_TRUE((*txn)->commit());
  }
}

TEST(Lmdb, AReaderThatDiedHoldsThePagesOfItsViewUntilItIsCleared) {
  const test::Folder folder;
  constexpr EnvOptions kTiny{.read_only = false, .map_bytes = 1 << 20};
  auto env = std::move(*Env::open(folder.path(), kTables, kTiny));
  const auto rewrite = [&](int times) -> base::Status {
    for (int i = 0; i < times; ++i) {
      auto txn = WriteTxn::begin(*env);
      if (!txn) return std::unexpected(txn.error());
      if (auto done = (*txn)->put(0, "k", std::string(20'000, static_cast<char>('a' + i % 26))); !done) return done;
      if (auto done = (*txn)->commit(); !done) return done;
    }
    return {};
  };
  ASSERT_TRUE(rewrite(200)) << "pages are used again";
  in_a_process_that_dies([&] {
    auto own = Env::open(folder.path(), kTables, {.read_only = true, .map_bytes = 1 << 20});
    if (!own) ::_exit(1);
    ReadTxn view(**own);
    if (!view.renew()) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  });
  const auto full = rewrite(200);
  ASSERT_FALSE(full) << "if this goes well there is nothing to clear";
  EXPECT_EQ(full.error().kind, base::Kind::kNoSpace);
  env->clear_stale_readers();
  EXPECT_TRUE(rewrite(200));
}

TEST(Lmdb, IsNearlyFullBeforeItIsFullAndDrains) {
  const test::Folder folder;
  auto env = std::move(*Env::open(folder.path(), kTables, {.read_only = false, .map_bytes = 2 << 20}));
  const auto change = [&](const auto& what) {
    auto txn = WriteTxn::begin(*env);
    const bool done = what(**txn).has_value();
    return done && (*txn)->commit().has_value();
  };
  int count = 0;
  bool full = false;
  while (!full) {
    ASSERT_TRUE(change([&](WriteTxn& txn) {
      full = txn.nearly_full();
      return full ? base::Status{} : txn.put(0, std::to_string(100'000 + count++), std::string(700, 'x'));
    })) << "it is full before it says so";
    ASSERT_LT(count, 5000);
  }
  EXPECT_GT(count, 1500) << "most of it can be used";
  for (; count > 0; --count) {
    ASSERT_TRUE(change([&](WriteTxn& txn) { return txn.erase(0, std::to_string(100'000 + count - 1)); })) << count;
  }
  EXPECT_TRUE(change([&](WriteTxn& txn) { full = txn.nearly_full(); return base::Status{}; }));
  EXPECT_FALSE(full);
}

// The file is shorter than its pages say: reading it is a SIGBUS.
TEST(LmdbDeathTest, DamageEndsTheProcessWithWordsThatHelp) {
  const test::Folder folder;
  constexpr EnvOptions kOptions{.read_only = false, .map_bytes = 1 << 20, .repair = "do this"};
  {
    auto env = std::move(*Env::open(folder.path(), kTables, kOptions));
    for (int i = 0; i < 100; ++i) {
      auto txn = WriteTxn::begin(*env);
      ASSERT_TRUE((*txn)->put(0, std::to_string(i), std::string(1000, 'x')) && (*txn)->commit());
    }
  }
  std::filesystem::resize_file(folder.path() + "/data.mdb", 12 << 10);
  EXPECT_DEATH(
      {
        auto env = Env::open(folder.path(), kTables, kOptions);
        ReadTxn txn(**env);
        const ReadTxn::View view(txn);
        for (int i = 0; i < 100; ++i) (void)txn.get(0, std::to_string(i))->size();
      },
      "the database in .* is damaged: .*; do this");
}

}  // namespace
}  // namespace holdfast::storage
