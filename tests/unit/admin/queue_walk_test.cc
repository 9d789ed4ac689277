#include "common/admin/queue_walk.h"

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::admin {
namespace {

constexpr std::int64_t kNow = 1'795'339'013'000;
constexpr std::uint64_t kMany = 6'000;  // more than a list looks at in one step
constexpr base::Millis kOneStep{0};

// Message N came N seconds after the first, the last of them just now; 7 and 4000 are held, every second is for "branch".
class QueueWalk : public testing::Test {
 protected:
  void SetUp() override {
    const auto index = storage::QueueIndex::open(folder_.path(), storage::test::kSmallEnv);
    ASSERT_TRUE(index);
    auto txn = storage::WriteTxn::begin((*index)->env());
    ASSERT_TRUE(txn);
    for (std::uint64_t n = 1; n <= kMany; ++n) {
      storage::MessageRow row;
      row.destination = n % 2 == 0 ? "office" : "branch";
      row.arrival_ms = kNow - static_cast<std::int64_t>(kMany - n) * 1000;
      row.state = n == 7 || n == 4000 ? storage::MessageState::kHeld : storage::MessageState::kDeferred;
      ASSERT_TRUE((*index)->add(**txn, {n}, row, {storage::RecipientState{}}));
    }
    ASSERT_TRUE((*txn)->commit());
    auto config = std::make_shared<config::Config>();
    gateway_.emplace(config, std::make_shared<Stores>(folder_.path(), folder_.path(), 64 << 20), "tester");
  }
  QueuePage page(const QueueWords& words, std::size_t limit = 50) {
    auto out = queue_page(*gateway_, words, limit, moment_, kOneStep);
    EXPECT_TRUE(out) << out.error().text;
    return std::move(*out);
  }
  static std::vector<std::uint64_t> ids(const QueuePage& page) {
    std::vector<std::uint64_t> out;
    for (const auto& item : page.messages) out.push_back(item.id.value);
    return out;
  }
  using Ids = std::vector<std::uint64_t>;

  storage::test::Folder folder_;
  std::optional<Gateway> gateway_;
  Moment moment_{.now_ms = kNow, .active = {}, .shut = {}};
};

TEST_F(QueueWalk, WhatIsYoungerIsFoundWithoutLookingAtTheRest) {
  QueueWords words;
  words.younger = "3s";
  EXPECT_EQ(ids(page(words)), (Ids{kMany - 3, kMany - 2, kMany - 1, kMany}));
  words.destination = "office";
  EXPECT_EQ(ids(page(words)), (Ids{kMany - 2, kMany}));
  words.older = "1s";
  EXPECT_EQ(ids(page(words)), (Ids{kMany - 2}));
}

TEST_F(QueueWalk, ActiveOnesAreFoundByTheirIdsInOrderOfAge) {
  moment_.active = {{kMany}, {3}, {5000}, {7}, {123'456}};
  QueueWords words;
  words.state = "active";
  EXPECT_EQ(ids(page(words)), (Ids{3, 5000, kMany})) << "7 is held, 123456 is gone";
  auto first = page(words, 2);
  EXPECT_EQ(ids(first), (Ids{3, 5000}));
  words.after = first.next;
  const auto second = page(words, 2);
  EXPECT_EQ(ids(second), (Ids{kMany}));
  EXPECT_EQ(second.next, "");
  words.after.clear();
  words.destination = "branch";
  EXPECT_EQ(ids(page(words)), (Ids{3}));
  words.destination.clear();
  Ids each;
  ASSERT_TRUE(each_message(*gateway_, words, ~0ULL, moment_, [&](const storage::Listed& item) { each.push_back(item.id.value); }, [] {}));
  EXPECT_EQ(each, (Ids{3, 5000, kMany}));
}

TEST_F(QueueWalk, TheSearchEndsWithTheLastOfThoseThatAreCounted) {
  QueueWords words;
  words.state = "held";
  const auto held = page(words);
  EXPECT_EQ(ids(held), (Ids{7, 4000}));
  EXPECT_EQ(held.next, "") << "2,000 that come later need not be looked at";
  words.state = "frozen";
  const auto frozen = page(words);
  EXPECT_TRUE(frozen.messages.empty());
  EXPECT_EQ(frozen.next, "");
  words.state.clear();
  words.sender = "nobody@sender.test";
  EXPECT_NE(page(words).next, "") << "this one has to be gone on with";
}

}  // namespace
}  // namespace holdfast::admin
