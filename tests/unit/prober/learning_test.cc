#include "prober/learning.h"

#include <gtest/gtest.h>

#include "prober/catch_all.h"

namespace holdfast::prober {
namespace {

using storage::CatchAll;
using storage::RecipientRow;
using storage::RecipientSource;

constexpr std::int64_t kHour = 3600'000, kDay = 24 * kHour, kNow = 1000 * kDay;

ipc::LearntRecipient accepted(std::string key = "anna@example.test", bool refresh = true) {
  return {.key = std::move(key), .destination = "office", .refresh = refresh};
}
Surroundings around() { return {.destination = "office", .downtime_ms = 77, .now_ms = kNow}; }
RecipientRow learnt(std::int64_t verified) {
  return {.destination = "office", .verified_ms = verified, .learnt_ms = 5};
}

TEST(Learning, ANewRecipient) {
  const Lesson lesson = learn(accepted(), std::nullopt, around());
  ASSERT_TRUE(lesson.write);
  EXPECT_EQ(lesson.write->source, RecipientSource::kLearnt);
  EXPECT_EQ(lesson.write->destination, "office");
  EXPECT_EQ(lesson.write->verified_ms, kNow);
  EXPECT_EQ(lesson.write->learnt_ms, kNow);
  EXPECT_EQ(lesson.write->downtime_at_verify_ms, 77);
  EXPECT_TRUE(lesson.covered);
}

TEST(Learning, RefreshedAtMostHourly) {
  EXPECT_FALSE(learn(accepted(), learnt(kNow - kHour + 1), around()).write);
  const Lesson lesson = learn(accepted(), learnt(kNow - kHour), around());
  ASSERT_TRUE(lesson.write);
  EXPECT_EQ(lesson.write->learnt_ms, 5);
  EXPECT_EQ(lesson.write->verified_ms, kNow);
  EXPECT_TRUE(learn(accepted(), learnt(kNow + kDay), around()).write);  // a clock that was set back
}

TEST(Learning, AnAcceptanceWithdrawsARefusal) {
  RecipientRow row = learnt(kNow - 1000);
  row.refused_ms = kNow - 500;
  const Lesson lesson = learn(accepted("anna@example.test", false), row, around());
  ASSERT_TRUE(lesson.write);
  EXPECT_EQ(lesson.write->refused_ms, 0);
}

TEST(Learning, ACatchAllTeachesNothing) {
  auto here = around();
  here.catch_all = CatchAll::kYes;
  const Lesson lesson = learn(accepted(), std::nullopt, here);
  EXPECT_FALSE(lesson.write);
  EXPECT_FALSE(lesson.covered);
  here.local = true;
  EXPECT_TRUE(learn(accepted(), std::nullopt, here).covered);
}

TEST(Learning, OneTimeAddressesAreNotLearnt) {
  for (const auto* key : {"srs0=ab=cd=elsewhere.test=x@example.test", "prvs=1234abcdef=anna@example.test"}) {
    const Lesson lesson = learn(accepted(key), std::nullopt, around());
    EXPECT_FALSE(lesson.write) << key;
    EXPECT_FALSE(lesson.covered) << key;
  }
}

TEST(Learning, WhatTheAdminSaysStays) {
  EXPECT_FALSE(learn(accepted(), RecipientRow{.source = RecipientSource::kDenied}, around()).write);
  const Lesson local = learn(accepted(), RecipientRow{.source = RecipientSource::kLocal}, around());
  EXPECT_FALSE(local.write);
  EXPECT_TRUE(local.covered);
}

TEST(Learning, ADomainThatMovedIsLearntAnew) {
  auto row = learnt(kNow - 1000);
  row.destination = "old";
  const Lesson lesson = learn(accepted(), row, around());
  ASSERT_TRUE(lesson.write);
  EXPECT_EQ(lesson.write->destination, "office");
  EXPECT_EQ(lesson.write->learnt_ms, kNow);
  auto late = accepted();
  late.destination = "old";  // an acceptance by the destination before
  EXPECT_FALSE(learn(late, std::nullopt, around()).write);
}

TEST(Learning, CountsOnly) {
  EXPECT_FALSE(learn(accepted("anna@example.test", false), std::nullopt, around()).covered);
  const Lesson lesson = learn(accepted("anna@example.test", false), learnt(kNow - 2 * kHour), around());
  EXPECT_FALSE(lesson.write);
  EXPECT_TRUE(lesson.covered);
}

TEST(Coverage, SevenDays) {
  storage::DomainRow row;
  for (int day = 0; day < 10; ++day) count_coverage(row, kNow + day * kDay, 10, 5);
  count_coverage(row, kNow + 9 * kDay + kHour, 10, 10);
  ASSERT_EQ(row.coverage.size(), 7U);
  EXPECT_EQ(row.coverage.back().accepted, 20U);
  EXPECT_EQ(row.coverage.back().covered, 15U);
  EXPECT_EQ(row.coverage.front().day, kNow / kDay + 3);
}

TEST(CatchAllTest, DailyAndAfterAMove) {
  const base::Wall now = base::from_millis(kNow);
  EXPECT_TRUE(catch_all_due(std::nullopt, "office", now));
  storage::DomainRow row{.destination = "office", .catch_all = CatchAll::kNo, .catch_all_tested_ms = kNow - kDay + 1};
  EXPECT_FALSE(catch_all_due(row, "office", now));
  EXPECT_TRUE(catch_all_due(row, "other", now));
  row.catch_all_tested_ms = kNow - kDay;
  EXPECT_TRUE(catch_all_due(row, "office", now));
  row.catch_all_tested_ms = kNow + kDay;
  EXPECT_TRUE(catch_all_due(row, "office", now));
  row = {.destination = "office", .catch_all = CatchAll::kUnknown, .catch_all_tested_ms = kNow};
  EXPECT_TRUE(catch_all_due(row, "office", now));
}

TEST(CatchAllTest, Verdicts) {
  using mail::Reply;
  EXPECT_EQ(judge_catch_all(Reply::make(250, "", "ok"), CatchAll::kNo, true), CatchAll::kYes);
  EXPECT_EQ(judge_catch_all(Reply::make(550, "5.1.1", "no"), CatchAll::kUnknown, false), CatchAll::kNo);
  EXPECT_FALSE(judge_catch_all(Reply::make(252, "", "?"), CatchAll::kNo, true));
  EXPECT_FALSE(judge_catch_all(Reply::make(450, "4.7.1", "greylisted"), CatchAll::kNo, true));
  EXPECT_FALSE(judge_catch_all(Reply{}, CatchAll::kYes, true));
  // A catch-all that refuses postmaster as well is not whole.
  EXPECT_FALSE(judge_catch_all(Reply::make(550, "5.1.1", "no"), CatchAll::kYes, false));
  EXPECT_EQ(judge_catch_all(Reply::make(550, "5.1.1", "no"), CatchAll::kYes, true), CatchAll::kNo);
}

TEST(CatchAllTest, RandomRecipientsDiffer) {
  const std::string one = random_recipient("example.test");
  EXPECT_NE(one, random_recipient("example.test"));
  EXPECT_TRUE(one.ends_with("@example.test"));
}

}  // namespace
}  // namespace holdfast::prober
