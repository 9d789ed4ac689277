#include "common/stats/destinations.h"

#include <memory>
#include <thread>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace holdfast::stats {
namespace {

using std::chrono::milliseconds;

// The table that this process counts in, for one test.
class Table : public testing::Test {
 protected:
  Table() { detail::destinations = table_.get(); }
  ~Table() override { detail::destinations = nullptr; }

  Destinations read() const { return read_table(*table_); }

  std::unique_ptr<DestinationTable> table_ = std::make_unique<DestinationTable>();
};

TEST_F(Table, AnswersAndTimesAreOfTheirDestination) {
  count_answer("office", Answer::kAccepted, milliseconds{2});
  count_answer("branch", Answer::kRefused, milliseconds{40});
  count_answer("office", Answer::kAccepted, milliseconds{3});
  const auto seen = read();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen.at("office")[Answer::kAccepted], 2u);
  EXPECT_EQ(seen.at("office").seconds.buckets[1], 1u);
  EXPECT_EQ(seen.at("office").seconds.sum_us, 5000u);
  EXPECT_EQ(seen.at("branch")[Answer::kRefused], 1u);
  EXPECT_EQ(seen.at("branch")[Answer::kAccepted], 0u);
}

TEST_F(Table, WhereNoAnswerCameThereIsNoTimeOfIt) {
  count_answer("office", Answer::kFailed, milliseconds{20'000});
  EXPECT_EQ(read().at("office")[Answer::kFailed], 1u);
  EXPECT_EQ(read().at("office").seconds, HistogramNumbers{});
}

TEST_F(Table, WhoeverFindsItFullCountsWithTheOthers) {
  for (std::size_t i = 0; i < DestinationTable::kNamed + 2; ++i) count_answer(fmt::format("d{}", i), Answer::kAccepted, {});
  count_answer("d0", Answer::kAccepted, {});
  const auto seen = read();
  EXPECT_EQ(seen.size(), DestinationTable::kNamed + 1);
  EXPECT_EQ(seen.at("d0")[Answer::kAccepted], 2u);
  EXPECT_EQ(seen.at(std::string(kOthers))[Answer::kAccepted], 2u);
}

TEST_F(Table, NamesThatAreTooLongOrNoneCountWithTheOthers) {
  count_answer(std::string(DestinationTable::kNameBytes, 'a'), Answer::kAccepted, {});
  count_answer("", Answer::kAccepted, {});
  const std::string longest(DestinationTable::kNameBytes - 1, 'b');
  count_answer(longest, Answer::kAccepted, {});
  const auto seen = read();
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen.at(std::string(kOthers))[Answer::kAccepted], 2u);
  EXPECT_EQ(seen.at(longest)[Answer::kAccepted], 1u);
}

TEST_F(Table, ThreadsThatMeetADestinationTogetherShareItsRow) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 1000; ++i) count_answer(fmt::format("d{}", i % 20), Answer::kDeferred, {});
    });
  }
  threads.clear();
  const auto seen = read();
  ASSERT_EQ(seen.size(), 20u);
  for (const auto& [name, numbers] : seen) EXPECT_EQ(numbers[Answer::kDeferred], 200u) << name;
}

TEST_F(Table, WhatAnEnemyWroteThereIsBounded) {
  count_answer("office", Answer::kAccepted, {});
  table_->used = ~std::uint64_t{0};
  table_->rows[1].name.fill('x');
  std::ranges::copy(std::string_view("a\xff\"\n"), table_->rows[2].name.begin());
  const auto seen = read();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_TRUE(seen.contains("office"));
  EXPECT_TRUE(seen.contains(std::string(DestinationTable::kNameBytes - 1, 'x')));
}

TEST_F(Table, ClearedItIsAsNew) {
  for (std::size_t i = 0; i <= DestinationTable::kNamed; ++i) count_answer(fmt::format("d{}", i), Answer::kAccepted, {});
  clear_table(*table_);
  EXPECT_TRUE(read().empty());
  count_answer("new", Answer::kAccepted, {});
  EXPECT_EQ(read().at("new")[Answer::kAccepted], 1u);
}

TEST_F(Table, WhatTheOthersCountedIsClearedToo) {
  count_answer("", Answer::kAccepted, {});
  clear_table(*table_);
  EXPECT_TRUE(read().empty());
}

TEST_F(Table, HalfANameOfOneWhoWasKilledIsNoPartOfTheNext) {
  std::ranges::copy(std::string_view("branch"), table_->rows[0].name.begin());
  count_answer("hq", Answer::kAccepted, {});
  count_answer("hq", Answer::kAccepted, {});
  ASSERT_EQ(read().size(), 1u);
  EXPECT_EQ(read().at("hq")[Answer::kAccepted], 2u);
}

TEST(Destinations, NoMoreThanSoManyAreKeptApart) {
  Destinations sum;
  for (std::size_t i = 0; i < kMostDestinations + 5; ++i) {
    DestinationNumbers one;
    one.answers[0] = 1;
    add(sum, {{fmt::format("d{}", i), one}});
  }
  EXPECT_EQ(sum.size(), kMostDestinations + 1);
  EXPECT_EQ(sum.at(std::string(kOthers))[Answer::kAccepted], 5u);
}

TEST(Destinations, AProcessWithoutAPageCountsNowhere) {
  ASSERT_EQ(detail::destinations, nullptr);
  count_answer("office", Answer::kAccepted, {});
  EXPECT_EQ(detail::destinations, nullptr);
}

}  // namespace
}  // namespace holdfast::stats
