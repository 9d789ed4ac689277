#include "webd/reporter.h"

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::webd {
namespace {

constexpr std::int64_t kDay = 86'400, kSix = 1'795'413'600;
const base::Mono kStart{std::chrono::hours{1}};

config::Report daily() {
  config::Report out;
  out.every = "daily";
  return out;
}

TEST(Reporter, MakesOneForEachMomentWhateverIsRestarted) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  storage::test::Folder folder;
  const std::string file = folder.path() + "/report.json";
  {
    Reporter reporter(file);
    EXPECT_FALSE(reporter.due(daily(), kSix + 60, kStart)) << "just switched on";
    EXPECT_FALSE(reporter.due(daily(), kSix + kDay - 1, kStart));
    EXPECT_EQ(reporter.due(daily(), kSix + kDay, kStart), kSix + kDay);
    EXPECT_FALSE(reporter.due(daily(), kSix + kDay + 10, kStart)) << "it is being made";
    reporter.done(kSix + kDay, false, kStart);
    EXPECT_FALSE(reporter.due(daily(), kSix + kDay + 20, kStart + base::Seconds{59}));
    EXPECT_EQ(reporter.due(daily(), kSix + kDay + 20, kStart + base::Seconds{60}), kSix + kDay) << "again";
  }
  {
    Reporter killed(file);
    EXPECT_EQ(killed.due(daily(), kSix + kDay + 30, kStart), kSix + kDay);
    killed.done(kSix + kDay, true, kStart);
  }
  Reporter last(file);
  EXPECT_FALSE(last.due(daily(), kSix + kDay + 40, kStart));
  EXPECT_EQ(last.due(daily(), kSix + 9 * kDay + 5, kStart), kSix + 9 * kDay) << "one for the days that it stood still";
}

TEST(Reporter, SwitchedOffItForgets) {
  storage::test::Folder folder;
  Reporter reporter(folder.path() + "/report.json");
  EXPECT_FALSE(reporter.due(daily(), kSix + 60, kStart));
  EXPECT_FALSE(reporter.due({}, kSix + 3 * kDay, kStart));
  EXPECT_FALSE(reporter.due(daily(), kSix + 3 * kDay + 60, kStart)) << "a new beginning";
}

}  // namespace
}  // namespace holdfast::webd
