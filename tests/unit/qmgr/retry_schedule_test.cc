#include "qmgr/retry_schedule.h"

#include <gtest/gtest.h>

#include "common/config/presets.h"
#include "common/config/schedule.h"

namespace holdfast::qmgr {
namespace {

constexpr std::int64_t kMin = 60'000, kHour = 60 * kMin, kArrival = 1'790'000'000'000;

const std::vector<config::Phase>& preset(std::string_view name) { return config::find_preset(name)->phases; }

// The wait after an attempt at `age`, when the one before was at `last_age` and `wait_ms` was planned between.
struct Planned {
  std::int64_t wait, full;
};
Planned plan(std::int64_t age, std::int64_t last_age = -1, std::int64_t wait_ms = 0, Jitter jitter = {},
             std::int64_t life = 96 * kHour) {
  storage::MessageRow row;
  row.arrival_ms = kArrival;
  row.expires_ms = kArrival + life;
  row.wait_ms = wait_ms;
  plan_next_attempt(row, last_age < 0 ? 0 : kArrival + last_age, kArrival + age, preset("default"), jitter);
  return {row.due_ms - kArrival - age, row.wait_ms};
}

TEST(RetrySchedule, EveryQuarterOfAnHourAtFirst) {
  EXPECT_EQ(plan(0).wait, 15 * kMin);
  EXPECT_EQ(plan(15 * kMin, 0, 15 * kMin).wait, 15 * kMin);
  EXPECT_EQ(plan(100 * kMin).wait, 15 * kMin);
}

TEST(RetrySchedule, AWaitIsCutAtThePhasesEndButGrowsFromWhatItWas) {
  EXPECT_EQ(plan(115 * kMin).wait, 5 * kMin);
  EXPECT_EQ(plan(15 * kHour, 10 * kHour, 5 * kHour).wait, 1 * kHour);
  EXPECT_EQ(plan(15 * kHour, 10 * kHour, 5 * kHour).full, 7 * kHour + 30 * kMin);
}

TEST(RetrySchedule, ThenGrowsByHalf) {
  EXPECT_EQ(plan(2 * kHour, 105 * kMin, 15 * kMin).wait, 15 * kMin) << "a new phase begins with its own start";
  EXPECT_EQ(plan(135 * kMin, 2 * kHour, 15 * kMin).wait, 22 * kMin + 30'000);
  EXPECT_EQ(plan(4 * kHour, 3 * kHour + 59 * kMin, 1 * kHour).wait, 90 * kMin) << "retried by hand: it still grows";
}

TEST(RetrySchedule, AnOutageDoesNotCountAsAttempts) { EXPECT_EQ(plan(10 * kHour).wait, 15 * kMin); }

TEST(RetrySchedule, JitterMovesTheWaitAndNotWhatItGrowsFrom) {
  EXPECT_EQ(plan(0, -1, 0, {.percent = 5, .chance = 0.0}).wait, 15 * kMin * 95 / 100);
  EXPECT_NEAR(static_cast<double>(plan(0, -1, 0, {.percent = 50, .chance = 0.9999}).wait), 22.5 * kMin, 1000);
  EXPECT_EQ(plan(0, -1, 0, {.percent = 0, .chance = 0.0}).wait, 15 * kMin);
  EXPECT_EQ(plan(135 * kMin, 2 * kHour, 15 * kMin, {.percent = 50, .chance = 0.0}).full, 22 * kMin + 30'000);
}

TEST(RetrySchedule, TheLastAttemptComesBeforeTheEndAndNoneBehindIt) {
  EXPECT_EQ(plan(94 * kHour, 88 * kHour, 6 * kHour).wait, 2 * kHour - 30'000);
  EXPECT_GT(plan(96 * kHour - 30'000, 94 * kHour, 6 * kHour).wait, 30'000);
}

TEST(RetrySchedule, WhoWasGivenMoreTimeIsTriedOn) {
  EXPECT_EQ(plan(97 * kHour, 96 * kHour - 30'000, 6 * kHour, {}, 200 * kHour).wait, 6 * kHour);
  EXPECT_EQ(plan(50 * kHour, 44 * kHour, 6 * kHour, {}, 51 * kHour).wait, kHour - 30'000) << "and less time counts too";
}

TEST(RetrySchedule, NeverStuckWhenTheClockWasSetBack) {
  EXPECT_EQ(plan(-24 * kHour, 2 * kHour, 15 * kMin).wait, 15 * kMin);
  EXPECT_GE(plan(-5 * kHour).wait, 1000);
  EXPECT_GE(plan(2 * kHour - 1).wait, 1);
}

// Each preset, failing each time, makes the attempts of its table.
TEST(RetrySchedule, FollowsTheTimetableOfEachPreset) {
  for (const auto& p : config::presets()) {
    storage::MessageRow row;
    row.arrival_ms = row.due_ms = kArrival;
    row.expires_ms = kArrival + p.phases.back().until.count() * 1000;
    for (const auto& attempt : config::timetable(p.phases)) {
      ASSERT_EQ(row.due_ms - kArrival, attempt.age_ms) << p.name;
      const auto last = std::exchange(row.last_attempt_ms, row.due_ms);
      plan_next_attempt(row, last, row.due_ms, p.phases, {.percent = 0, .chance = 0});
    }
    EXPECT_GE(row.due_ms, row.expires_ms) << p.name;
  }
}

TEST(RetrySchedule, NothingIsPlannedBehindTheLatest) {
  for (const auto& p : config::presets()) {
    for (std::int64_t age = 0; age < 200 * kHour; age += 7 * kMin) {
      storage::MessageRow row;
      row.arrival_ms = kArrival;
      row.wait_ms = age / 2;
      row.expires_ms = kArrival + 400 * kHour;
      plan_next_attempt(row, kArrival + age / 2, kArrival + age, p.phases, {.percent = p.jitter, .chance = 0.9999});
      ASSERT_LE(row.due_ms, latest_due_ms(p.phases, kArrival + age, p.jitter)) << p.name << " " << age;
    }
  }
}

}  // namespace
}  // namespace holdfast::qmgr
