#include "common/storage/history.h"

#include <functional>

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::storage {
namespace {

constexpr std::int64_t kBegin = 1'800'000'000;  // of an hour
static_assert(kBegin % 3600 == 0);

class HistoryTest : public ::testing::Test {
 protected:
  void add(std::int64_t at, const History::Values& values) {
    const auto txn = WriteTxn::begin(history_->env());
    ASSERT_TRUE(txn);
    ASSERT_TRUE(history_->add(**txn, at, values));
    ASSERT_TRUE((*txn)->commit());
  }
  // A sample each 10 s, from `from` on, without one at `to`; many in one transaction, as they are not in life.
  void add_many(std::int64_t from, std::int64_t to, const std::function<double(std::int64_t)>& value) {
    const auto txn = WriteTxn::begin(history_->env());
    ASSERT_TRUE(txn);
    for (auto at = from; at < to; at += 10) ASSERT_TRUE(history_->add(**txn, at, {{"queue", value(at)}}));
    ASSERT_TRUE((*txn)->commit());
  }
  History::Answer read(std::int64_t from, std::int64_t to, std::int64_t now, std::vector<std::string> names = {"queue"}) {
    const ReadTxn::View view(txn_);
    return history_->read(txn_, names, from, to, now);
  }
  std::uint64_t rows() {
    const ReadTxn::View view(txn_);
    return txn_.entries(1);
  }

  test::Folder folder_;
  std::unique_ptr<History> history_ = *History::open(folder_.path());
  ReadTxn txn_{history_->env()};
};

TEST_F(HistoryTest, WhatWasAddedIsReadAndGapsAreUnknown) {
  add(kBegin, {{"queue", 5}, {"rate", 0.25}});
  add(kBegin + 20, {{"queue", 7}});
  const auto out = read(kBegin, kBegin + 29, kBegin + 29, {"rate", "queue", "nothing"});
  EXPECT_EQ(out.first, kBegin);
  EXPECT_EQ(out.step, 10);
  using Line = std::vector<std::optional<double>>;
  EXPECT_EQ(out.values, (std::vector<Line>{{0.25, std::nullopt, std::nullopt}, {5, std::nullopt, 7}, {std::nullopt, std::nullopt, std::nullopt}}));
}

TEST_F(HistoryTest, ASecondSampleInAStepTakesTheFirstsPlace) {
  add(kBegin + 1, {{"queue", 5}});
  add(kBegin + 9, {{"queue", 6}});
  EXPECT_EQ(read(kBegin, kBegin + 9, kBegin + 9).values[0][0], 6);
  EXPECT_EQ(rows(), 1u);
}

TEST_F(HistoryTest, ALongerStepHoldsTheMeanOfTheShorterOnesAndTheRestUpToNow) {
  add_many(kBegin, kBegin + 2 * kDaySeconds, [](std::int64_t at) { return static_cast<double>((at - kBegin) / 300); });
  const auto now = kBegin + 2 * kDaySeconds;
  const auto days = read(kBegin, now - 1, now - 1);
  EXPECT_EQ(days.step, 300);
  ASSERT_EQ(days.values[0].size(), 576u);
  for (std::size_t i = 0; i < 576; ++i) ASSERT_EQ(days.values[0][i], static_cast<double>(i)) << "the last is not rolled up yet";
}

TEST_F(HistoryTest, HoursAreMadeOfMinutesOfTens) {
  add_many(kBegin, kBegin + 3 * 3600 + 10, [](std::int64_t at) { return at < kBegin + 3600 ? 1.0 : 3.0; });
  const auto out = read(kBegin, kBegin + 3 * 3600 - 1, kBegin + 40 * kDaySeconds);
  EXPECT_EQ(out.step, 3600);
  ASSERT_EQ(out.values[0].size(), 3u);
  EXPECT_EQ(out.values[0][0], 1);
  EXPECT_EQ(out.values[0][1], 3);
}

TEST_F(HistoryTest, WhatIsOldGoesAndItsMeanStays) {
  add_many(kBegin, kBegin + 1000, [](std::int64_t) { return 4.0; });
  EXPECT_EQ(rows(), 100u + 3u);
  const auto later = kBegin + kDaySeconds + 5000;
  add(later, {{"queue", 1}});
  EXPECT_EQ(rows(), 1u + 4u + 1u) << "the sample, four of five minutes, one hour";
  EXPECT_EQ(read(kBegin, kBegin + 999, later).values[0][0], 4);
  const auto next_year = kBegin + 400 * kDaySeconds;
  add(next_year, {{"queue", 1}});
  EXPECT_EQ(rows(), 1u);
}

TEST_F(HistoryTest, ItsSizeIsBounded) {
  for (int day = 0; day < 3; ++day) {
    add_many(kBegin + day * kDaySeconds, kBegin + (day + 1) * kDaySeconds, [](std::int64_t) { return 1.0; });
  }
  EXPECT_LE(rows(), 8640u + 1u + 3u * 288u + 3u * 24u);
}

TEST_F(HistoryTest, AClockThatWasPutBackDoesNotLeaveAFuture) {
  add(kBegin + 5000, {{"queue", 9}});
  add(kBegin + 8000, {{"queue", 9}});
  add(kBegin, {{"queue", 1}});
  EXPECT_EQ(rows(), 1u);
  EXPECT_EQ(read(kBegin, kBegin, kBegin).values[0][0], 1);
}

TEST_F(HistoryTest, SeriesAreListedAndThereAreOnlySoMany) {
  History::Values many;
  for (std::size_t i = 0; i < History::kMostSeries + 5; ++i) many.emplace_back("s" + std::to_string(i), 1);
  many.emplace_back(std::string(History::kLongestName + 1, 'x'), 1);
  many.emplace_back("", 1);
  add(kBegin, many);
  const ReadTxn::View view(txn_);
  EXPECT_EQ(history_->series(txn_).size(), History::kMostSeries);
}

TEST_F(HistoryTest, ASeriesOfWhichNothingIsLeftMakesRoom) {
  add(kBegin, {{"gone", 1}});
  add(kBegin + 367 * kDaySeconds, {{"queue", 1}});
  const ReadTxn::View view(txn_);
  EXPECT_EQ(history_->series(txn_), std::vector<std::string>{"queue"});
}

TEST_F(HistoryTest, AnEmptyOneAnswersNothingKnown) {
  const auto out = read(kBegin, kBegin + 50, kBegin + 50);
  EXPECT_EQ(out.values[0], std::vector<std::optional<double>>(6));
  EXPECT_TRUE(read(kBegin + 50, kBegin, kBegin + 50).values.empty()) << "it ends before it begins";
}

TEST(HistoryReader, FindsNothingBeforeThereIsSomething) {
  test::Folder folder;
  const auto opened = History::open(folder.path(), true);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, base::Kind::kNotFound);
}

}  // namespace
}  // namespace holdfast::storage
