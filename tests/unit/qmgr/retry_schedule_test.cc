#include "qmgr/retry_schedule.h"

#include <gtest/gtest.h>

namespace holdfast::qmgr {
namespace {

using config::Phase;

constexpr std::int64_t kMin = 60'000, kHour = 60 * kMin;
constexpr base::Seconds minutes(int n) { return base::Seconds(n * 60); }
constexpr base::Seconds hours(int n) { return base::Seconds(n * 3600); }

// The default of design.md section 3.
const std::vector<Phase> kDefault{{.until = hours(2), .every = minutes(15), .start = {}, .factor = 1},
                                  {.until = hours(16), .every = {}, .start = minutes(15), .factor = 1.5},
                                  {.until = hours(96), .every = hours(6), .start = {}, .factor = 1}};

std::int64_t wait(std::int64_t age, std::int64_t last_age = 0, std::int64_t last_wait = 0, double jitter = 0.5) {
  const std::int64_t arrival = 1'000'000'000;
  const AttemptHistory h{.arrival_ms = arrival, .now_ms = arrival + age,
                         .last_attempt_ms = last_wait > 0 ? arrival + last_age : 0, .last_wait_ms = last_wait};
  return next_attempt_ms(kDefault, h, jitter) - h.now_ms;
}

TEST(RetrySchedule, EveryQuarterOfAnHourAtFirst) {
  EXPECT_EQ(wait(0), 15 * kMin);
  EXPECT_EQ(wait(15 * kMin, 0, 15 * kMin), 15 * kMin);
  EXPECT_EQ(wait(100 * kMin), 15 * kMin);
}

TEST(RetrySchedule, AWaitIsCutAtThePhasesEnd) {
  EXPECT_EQ(wait(115 * kMin), 5 * kMin);
  EXPECT_EQ(wait(15 * kHour, 10 * kHour, 5 * kHour), 1 * kHour);
}

TEST(RetrySchedule, ThenGrowsByHalf) {
  EXPECT_EQ(wait(2 * kHour, 105 * kMin, 15 * kMin), 15 * kMin) << "a new phase begins with its own start";
  EXPECT_EQ(wait(135 * kMin, 2 * kHour, 15 * kMin), 22 * kMin + 30'000);
  EXPECT_EQ(wait(4 * kHour, 3 * kHour, 1 * kHour), 90 * kMin);
  EXPECT_EQ(wait(4 * kHour, 3 * kHour, 1), 15 * kMin) << "retried by hand: from the start again";
}

TEST(RetrySchedule, AnOutageDoesNotCountAsAttempts) { EXPECT_EQ(wait(10 * kHour), 15 * kMin); }

TEST(RetrySchedule, ThenEverySixHoursAndOnBehindTheEnd) {
  EXPECT_EQ(wait(20 * kHour), 6 * kHour);
  EXPECT_EQ(wait(95 * kHour), 1 * kHour);
  EXPECT_EQ(wait(97 * kHour), 6 * kHour) << "no bounces yet: it is tried on";
}

TEST(RetrySchedule, JitterIsFivePercentEitherWay) {
  EXPECT_EQ(wait(0, 0, 0, 0.0), 15 * kMin * 95 / 100);
  EXPECT_NEAR(static_cast<double>(wait(0, 0, 0, 0.999)), 15 * kMin * 1.05, 1000);
}

TEST(RetrySchedule, NeverInThePast) {
  EXPECT_GE(wait(-5 * kHour), 1000) << "the clock was set back";
  EXPECT_GE(wait(2 * kHour - 1), 1);
}

}  // namespace
}  // namespace holdfast::qmgr
