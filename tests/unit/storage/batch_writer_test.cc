#include "common/storage/batch_writer.h"

#include <future>

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::storage {
namespace {

const std::vector<std::string> kTables{"t"};

BatchWriter::Hooks run_dones() {
  return {.committed = [](std::vector<BatchWriter::Done> dones) { for (auto& done : dones) done(); }, .health = {}};
}

TEST(BatchWriter, CommitsInOrderAndManyTogether) {
  const test::Folder folder;
  auto env = Env::open(folder.path(), kTables, test::kSmallEnv);
  std::atomic<int> commits{0};
  std::promise<void> last;
  std::string order;
  {
    BatchWriter writer(**env, {}, {.committed = [&](auto dones) { ++commits; for (auto& d : dones) d(); }, .health = {}});
    for (int i = 0; i < 500; ++i) {
      writer.submit([i](WriteTxn& txn) { return txn.put(0, std::to_string(i), "x"); },
                    [&, i] { order += i % 100 == 0 ? std::to_string(i) + " " : ""; if (i == 499) last.set_value(); });
    }
    last.get_future().wait();
    EXPECT_EQ(writer.pending(), 0U);
  }
  EXPECT_EQ(order, "0 100 200 300 400 ");
  EXPECT_LT(commits, 20);
  ReadTxn read(**env);
  const ReadTxn::View view(read);
  EXPECT_EQ(read.entries(0), 500U);
}

TEST(BatchWriter, TheEndCommitsWhatIsLeft) {
  const test::Folder folder;
  auto env = Env::open(folder.path(), kTables, test::kSmallEnv);
  {
    BatchWriter writer(**env, {.interval = base::Millis(60000)}, run_dones());
    writer.submit([](WriteTxn& txn) { return txn.put(0, "a", "x"); });
    writer.submit([](WriteTxn& txn) { return txn.put(0, "b", "x"); });
  }
  ReadTxn read(**env);
  const ReadTxn::View view(read);
  EXPECT_EQ(read.entries(0), 2U);
}

TEST(BatchWriter, AFailedBatchIsDoneAgainWhole) {
  const test::Folder folder;
  auto env = Env::open(folder.path(), kTables, test::kSmallEnv);
  std::promise<void> done;
  std::vector<bool> health;
  int runs = 0, failures = 2;
  {
    BatchWriter writer(**env, {.interval = base::Millis(0), .most = 1000, .retry = base::Millis(1)},
                       {.committed = [](auto dones) { for (auto& d : dones) d(); },
                        .health = [&](auto error) { health.push_back(!error); }});
    writer.submit([&](WriteTxn& txn) {
      ++runs;
      return txn.put(0, "first" + std::to_string(runs), "x");
    });
    writer.submit(
        [&](WriteTxn& txn) -> base::Status {
          if (failures-- > 0) return base::fail(base::Kind::kNoSpace, "full");
          return txn.put(0, "second", "x");
        },
        [&] { done.set_value(); }, true);
    done.get_future().wait();
  }
  EXPECT_EQ(health, (std::vector<bool>{false, true}));
  ReadTxn read(**env);
  const ReadTxn::View view(read);
  EXPECT_EQ(read.get(0, "second"), "x");
  EXPECT_EQ(read.entries(0), 2U) << "aborted runs left nothing behind";
}

// A transaction that is too large for what is left of a map must not keep small ones out, nor be called mended
// before its last operation is in.
TEST(BatchWriter, WhatMeetsAFullDiskIsTriedInSmallerBatches) {
  const test::Folder folder;
  auto env = Env::open(folder.path(), kTables, test::kSmallEnv);
  std::promise<void> done;
  std::vector<std::uint64_t> mended_at;
  std::size_t in_txn = 0;
  std::uint64_t committed = 0;
  std::string order;
  {
    BatchWriter writer(**env, {.interval = base::Millis(20), .most = 1000, .retry = base::Millis(1)},
                       {.committed = [&](auto dones) { for (auto& d : dones) d(); },
                        .health = [&](auto error) { if (!error) mended_at.push_back(committed); },
                        .begun = [&] { in_txn = 0; }});
    for (std::size_t i = 0; i < 10; ++i) {
      writer.submit(
          [&, i](WriteTxn& txn) -> base::Status {
            if (++in_txn > 3) return base::fail(base::Kind::kNoSpace, "full");
            return txn.put(0, std::to_string(i), "x");
          },
          [&, i] {
            ++committed;
            order += std::to_string(i);
            if (i == 9) done.set_value();
          });
    }
    done.get_future().wait();
  }
  EXPECT_EQ(order, "0123456789");
  ASSERT_EQ(mended_at.size(), 1U);
  EXPECT_GE(mended_at[0], 7U) << "called mended with the last batch, not before";
}

}  // namespace
}  // namespace holdfast::storage
