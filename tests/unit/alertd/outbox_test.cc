#include "alertd/outbox.h"

#include <gtest/gtest.h>

namespace holdfast::alertd {
namespace {

constexpr std::int64_t kStart = 1'795'339'013'000;

Notice notice(std::uint64_t alert, What what, std::int64_t made_ms = kStart) {
  Notice out;
  out.alert = alert;
  out.what = what;
  out.title = "t";
  out.made_ms = made_ms;
  return out;
}

class OutboxTest : public ::testing::Test {
 protected:
  OutboxTest() { box_.set_roads({"mail a@b.test", "command"}); }
  std::uint64_t add(std::uint64_t alert = 1, What what = What::kOpened) {
    const auto id = box_.add(notice(alert, what), kStart);
    box_.written({id});
    return id;
  }
  std::uint64_t next(const std::string& road, std::int64_t now) {
    const Notice* found = box_.next(road, now, false);
    return found == nullptr ? 0 : found->id;
  }

  Outbox box_;
};

TEST_F(OutboxTest, NothingGoesBeforeItIsWritten) {
  const auto id = box_.add(notice(1, What::kOpened), kStart);
  EXPECT_EQ(next("command", kStart), 0U);
  EXPECT_EQ(box_.next_due({}), std::nullopt);
  EXPECT_NE(box_.next("command", kStart, true), nullptr) << "but where it cannot be written it goes";
  box_.written({id});
  EXPECT_EQ(next("command", kStart), id);
  EXPECT_EQ(box_.next_due({}), kStart);
}

TEST_F(OutboxTest, EachRoadIsDoneByItself) {
  const auto id = add();
  box_.sent(id, "command");
  EXPECT_EQ(next("command", kStart), 0U);
  EXPECT_EQ(next("mail a@b.test", kStart), id);
  box_.sent(id, "mail a@b.test");
  EXPECT_EQ(box_.find(id), nullptr);
  EXPECT_TRUE(box_.take_changed().contains(id)) << "to be erased";
}

TEST_F(OutboxTest, WhatFailsIsTriedAgainLaterAndLater) {
  const auto id = add();
  std::int64_t now = kStart, last = 0;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(next("command", now), id);
    box_.failed(id, "command", now);
    EXPECT_EQ(next("command", now), 0U);
    const auto due = *box_.next_due({"mail a@b.test"});
    EXPECT_GE(due - now, last);
    last = due - now;
    now = due;
  }
  EXPECT_EQ(last, 900'000);
  EXPECT_EQ(next("mail a@b.test", kStart), id) << "the other road does not wait";
}

TEST_F(OutboxTest, OneThatFailsDoesNotHoldTheOthersUp) {
  const auto first = add(1), second = add(2);
  box_.failed(first, "command", kStart);
  EXPECT_EQ(next("command", kStart), second);
}

TEST_F(OutboxTest, ASuccessLetsTheOthersBeTriedAtOnce) {
  const auto first = add(1);
  box_.failed(first, "command", kStart);
  box_.hasten("command", kStart);
  EXPECT_EQ(next("command", kStart), first);
}

TEST_F(OutboxTest, ARepetitionTakesThePlaceOfAnEarlierOne) {
  const auto opened = add(1), repeated = add(1, What::kRepeated), other = add(2, What::kRepeated);
  const auto again = add(1, What::kRepeated);
  EXPECT_NE(box_.find(opened), nullptr) << "the first word stays";
  EXPECT_EQ(box_.find(repeated), nullptr);
  EXPECT_NE(box_.find(other), nullptr);
  const auto cleared = add(1, What::kCleared);
  EXPECT_EQ(box_.find(again), nullptr);
  EXPECT_NE(box_.find(cleared), nullptr);
}

TEST_F(OutboxTest, RoadsThatGoTakeTheirsAlong) {
  const auto id = add();
  box_.set_roads({"command"});
  EXPECT_EQ(next("mail a@b.test", kStart), 0U);
  EXPECT_EQ(next("command", kStart), id);
  box_.set_roads({});
  EXPECT_EQ(box_.find(id), nullptr);
  EXPECT_EQ(box_.add(notice(1, What::kOpened), kStart), 0U) << "there is nobody to tell";
}

TEST_F(OutboxTest, AfterFourDaysItIsGivenUp) {
  add();
  EXPECT_EQ(box_.expire(kStart + Outbox::kKeep - 1), 0U);
  EXPECT_EQ(box_.expire(kStart + Outbox::kKeep), 1U);
  EXPECT_EQ(next("command", kStart), 0U);
}

TEST_F(OutboxTest, AClockThatGoesBackDoesNotMakeItWait) {
  const auto id = add();
  box_.failed(id, "command", kStart);
  box_.expire(kStart - 1'000'000'000);
  EXPECT_EQ(next("command", kStart - 1'000'000'000 + 900'000), id);
}

TEST_F(OutboxTest, TheOldestGoWhenThereAreTooMany) {
  for (std::size_t i = 0; i < Outbox::kMost + 5; ++i) add(i + 1);
  EXPECT_EQ(box_.waiting("command"), Outbox::kMost);
  EXPECT_EQ(box_.find(5), nullptr);
  EXPECT_NE(box_.find(6), nullptr);
}

TEST_F(OutboxTest, FewReportsWaitAndNoAlertGoesForOne) {
  const auto report = [&] { return box_.add_by({"report a@b.test"}, notice(0, What::kReport), kStart); };
  const auto alert = add();
  const auto first = report();
  for (std::size_t i = 0; i < 2 * Outbox::kMost; ++i) report();
  EXPECT_EQ(box_.waiting("report a@b.test"), Outbox::kMostReports);
  EXPECT_EQ(box_.find(first), nullptr) << "the oldest has gone";
  EXPECT_NE(box_.find(alert), nullptr);
  for (std::size_t i = 0; i < Outbox::kMost; ++i) add(i + 2);
  EXPECT_EQ(box_.waiting("report a@b.test"), 0U) << "reports go before alerts";
  EXPECT_EQ(box_.waiting("command"), Outbox::kMost);
  EXPECT_EQ(box_.find(report()), nullptr) << "and none finds room";
  EXPECT_EQ(box_.waiting("command"), Outbox::kMost);
}

TEST_F(OutboxTest, WhatIsRestoredMayGoAtOnceAndNumbersGoOn) {
  auto before = notice(1, What::kOpened);
  before.id = 41;
  before.deliveries = {{"command", 3, kStart}};
  Outbox next_box;
  next_box.restore({before});
  next_box.set_roads({"command", "mail a@b.test"});
  ASSERT_NE(next_box.next("command", kStart, false), nullptr);
  EXPECT_EQ(next_box.next("mail a@b.test", kStart, false), nullptr) << "that road has had it";
  EXPECT_EQ(next_box.add(notice(2, What::kOpened), kStart), 42U);
}

TEST(RetryWait, Grows) {
  EXPECT_EQ(retry_wait(1), 10'000);
  EXPECT_EQ(retry_wait(2), 30'000);
  EXPECT_EQ(retry_wait(7), 900'000);
  EXPECT_EQ(retry_wait(1000), 900'000);
}

}  // namespace
}  // namespace holdfast::alertd
