#include "qmgr/window.h"

#include <set>

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::qmgr {
namespace {

using storage::test::Folder;

class WindowTest : public testing::Test {
 protected:
  void SetUp() override { index_ = std::move(*storage::QueueIndex::open(folder_.path(), storage::test::kSmallEnv)); }

  void add(std::uint64_t id, std::int64_t arrival, std::int64_t due, std::int64_t last_attempt = 0,
           storage::MessageState state = storage::MessageState::kDeferred) {
    storage::MessageRow row;
    row.destination = "office";
    row.arrival_ms = arrival;
    row.due_ms = due;
    row.last_attempt_ms = last_attempt;
    row.state = state;
    row.record = {1, 1, 4096 * id, 100};
    auto txn = storage::WriteTxn::begin(index_->env());
    ASSERT_TRUE(index_->add(**txn, {id}, row, {}));
    ASSERT_TRUE((*txn)->commit());
  }
  std::vector<std::uint64_t> load(Sweep& sweep, std::int64_t now, const std::set<std::uint64_t>& skip = {}) {
    storage::ReadTxn txn(index_->env());
    const storage::ReadTxn::View view(txn);
    last_ = load_window(*index_, txn, "office", sweep, now, [&](mail::QueueId id) { return skip.contains(id.value); });
    std::vector<std::uint64_t> out;
    for (const auto& c : last_.candidates) out.push_back(c.id.value);
    return out;
  }

  Folder folder_;
  std::unique_ptr<storage::QueueIndex> index_;
  Loaded last_;
};

using Ids = std::vector<std::uint64_t>;

TEST_F(WindowTest, UpTakesWhatIsDue) {
  add(1, 100, 5000);
  add(2, 200, 300);
  add(3, 300, 200);
  Sweep none;
  EXPECT_EQ(load(none, 1000), (Ids{3, 2}));
  EXPECT_FALSE(last_.more);
  EXPECT_EQ(last_.next_due_ms, 5000);
  EXPECT_EQ(load(none, 1000, {3}), Ids{2});
  EXPECT_EQ(load(none, 100), Ids{});
  EXPECT_EQ(last_.next_due_ms, 200);
}

TEST_F(WindowTest, ADrainTakesAllThatWasNotTriedSinceItBegan) {
  add(1, 300, 9000, 500);                                         // tried before the outage, due much later
  add(2, 100, 9000, 2000);                                        // tried in this drain already
  add(3, 200, 200, 0, storage::MessageState::kHeld);
  add(4, 50, 50);
  Sweep sweep{.since_ms = 1000, .behind = {}, .ended = false};
  EXPECT_EQ(load(sweep, 3000), (Ids{4, 1}));
  EXPECT_TRUE(last_.more) << "what became due meanwhile follows the sweep";
  EXPECT_EQ(load(sweep, 3000, {4, 1}), Ids{});
  EXPECT_FALSE(last_.more);
  EXPECT_EQ(last_.next_due_ms, 9000);
  EXPECT_EQ(load(sweep, 9000, {4, 1}), Ids{2});
}

TEST_F(WindowTest, IsBounded) {
  auto txn = storage::WriteTxn::begin(index_->env());
  storage::MessageRow row;
  row.destination = "office";
  for (std::uint64_t id = 1; id <= kWindow + 500; ++id) {
    row.arrival_ms = row.due_ms = static_cast<std::int64_t>(id);
    ASSERT_TRUE(index_->add(**txn, {id}, row, {}));
  }
  ASSERT_TRUE((*txn)->commit());
  Sweep none, sweep{.since_ms = 1, .behind = {}, .ended = false};
  EXPECT_EQ(load(none, 1 << 20).size(), kWindow);
  EXPECT_TRUE(last_.more);
  EXPECT_EQ(load(sweep, 1 << 20).size(), kWindow);
  const auto rest = load(sweep, 1 << 20);
  EXPECT_EQ(rest.size(), 500U);
  EXPECT_EQ(rest.front(), kWindow + 1);
}

// Any number of held messages, older than all others: by due time they are not even looked at; a sweep by age passes
// over them once, a bounded number at a time.
TEST_F(WindowTest, HeldOnesInFrontCostASweepOnePassAndDueTimesNothing) {
  constexpr std::uint64_t kHeld = 12'000;
  auto txn = storage::WriteTxn::begin(index_->env());
  storage::MessageRow row;
  row.destination = "office";
  for (std::uint64_t id = 1; id <= kHeld + 10; ++id) {
    row.arrival_ms = row.due_ms = static_cast<std::int64_t>(id);
    row.state = id <= kHeld ? storage::MessageState::kHeld : storage::MessageState::kDeferred;
    ASSERT_TRUE(index_->add(**txn, {id}, row, {}));
  }
  ASSERT_TRUE((*txn)->commit());
  constexpr std::int64_t kNow = 1 << 20;
  Sweep none;
  EXPECT_EQ(load(none, kNow).size(), 10U);
  Sweep sweep{.since_ms = 1 << 19, .behind = {}, .ended = false};
  std::size_t loads = 0;
  for (storage::QueueIndex::Place before; load(sweep, kNow).empty(); before = sweep.behind) {
    ASSERT_TRUE(last_.more);
    ASSERT_GT(sweep.behind, before) << "it looks at the same again";
    ASSERT_LE(sweep.behind.time_ms - before.time_ms, 5000) << "a view of the index is kept too long";
    ASSERT_LE(++loads, kHeld / 5000 + 1);
  }
  EXPECT_TRUE(sweep.ended);
}

}  // namespace
}  // namespace holdfast::qmgr
