#include "common/base/time.h"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

namespace holdfast::base {
namespace {

// 2026-11-02T09:08:07Z, a Monday.
constexpr std::int64_t kMoment = 1793610487000;

class Time : public ::testing::Test {
 protected:
  void zone(const char* name) {
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  void TearDown() override {
    ::unsetenv("TZ");
    ::tzset();
  }
};

TEST_F(Time, TheDateOfAHeaderIsLocalWithItsOffset) {
  zone("UTC");
  EXPECT_EQ(rfc5322_date(from_millis(kMoment)), "Mon, 02 Nov 2026 09:08:07 +0000");
  zone("XST-05:30");
  EXPECT_EQ(rfc5322_date(from_millis(kMoment)), "Mon, 02 Nov 2026 14:38:07 +0530");
}

TEST_F(Time, TheDateOfALogLineHasNoYearAndABlankBeforeAShortDay) {
  zone("UTC");
  EXPECT_EQ(syslog_date(from_millis(kMoment)), "Nov  2 09:08:07");
}

TEST_F(Time, Iso8601IsAlwaysUtc) {
  zone("XST-05:30");
  EXPECT_EQ(iso8601(from_millis(kMoment)), "2026-11-02T09:08:07Z");
}

TEST_F(Time, MillisecondsRoundTrip) {
  EXPECT_EQ(to_millis(from_millis(kMoment + 999)), kMoment + 999);
  EXPECT_EQ(iso8601(from_millis(kMoment + 999)), "2026-11-02T09:08:07Z");
}

TEST_F(Time, SpelledForPeople) {
  EXPECT_EQ(spell(Seconds{0}), "0s");
  EXPECT_EQ(spell(Seconds{59}), "59s");
  EXPECT_EQ(spell(Seconds{60}), "1m");
  EXPECT_EQ(spell(Seconds{61}), "1m 1s");
  EXPECT_EQ(spell(Seconds{7500}), "2h 5m");
  EXPECT_EQ(spell(Seconds{86400}), "1d");
  EXPECT_EQ(spell(Seconds{4 * 86400 + 3600}), "4d 1h");
}

TEST_F(Time, ClocksRun) {
  EXPECT_GT(to_millis(wall_now()), 1700000000000);
  const auto before = mono_now();
  EXPECT_GE(mono_now(), before);
}

}  // namespace
}  // namespace holdfast::base
