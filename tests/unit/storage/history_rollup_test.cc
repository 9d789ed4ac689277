#include "common/storage/history_rollup.h"

#include <gtest/gtest.h>

namespace holdfast::storage {
namespace {

using Points = std::vector<HistoryPoint>;

TEST(RollUp, MeansAreWeightedBySamples) {
  RollUp sums;
  sums.add(Points{{.series = 1, .samples = 1, .mean = 10}, {.series = 7, .samples = 2, .mean = 1}});
  sums.add(Points{{.series = 1, .samples = 3, .mean = 2}});
  EXPECT_EQ(sums.take(), (Points{{.series = 1, .samples = 4, .mean = 4}, {.series = 7, .samples = 2, .mean = 1}}));
}

TEST(RollUp, TheMeanOfAnHourIsThatOfItsSamplesHoweverTheyCame) {
  RollUp all, hour;
  for (int five = 0; five < 12; ++five) {
    RollUp part;
    for (int n = 0; n <= five; ++n) {  // ever more of them: gaps must not count
      const Points sample{{.series = 3, .samples = 1, .mean = static_cast<double>(five * 100 + n)}};
      part.add(sample);
      all.add(sample);
    }
    hour.add(part.take());
  }
  const auto direct = all.take(), by_steps = hour.take();
  ASSERT_EQ(by_steps.size(), 1u);
  EXPECT_EQ(by_steps[0].samples, direct[0].samples);
  EXPECT_NEAR(by_steps[0].mean, direct[0].mean, 1e-9);
}

TEST(RollUp, OfNothingIsNothing) {
  RollUp sums;
  EXPECT_TRUE(sums.take().empty());
  sums.add(Points{{.series = 1, .samples = 0, .mean = 5}});
  EXPECT_TRUE(sums.take().empty());
}

TEST(RollUp, BeginsAnewWhenItWasTaken) {
  RollUp sums;
  sums.add(Points{{.series = 1, .samples = 1, .mean = 8}});
  sums.take();
  sums.add(Points{{.series = 1, .samples = 1, .mean = 2}});
  EXPECT_EQ(sums.take().front().mean, 2);
}

constexpr std::int64_t kNow = 1'800'000'000;

TEST(AnswerStep, IsTheShortestThatIsKeptAndFits) {
  EXPECT_EQ(answer_step(kNow - 3600, kNow, kNow, 2000), 10);
  EXPECT_EQ(answer_step(kNow - kDaySeconds, kNow, kNow, 2000), 300) << "8,640 steps of 10 s would be too many";
  EXPECT_EQ(answer_step(kNow - kDaySeconds, kNow, kNow, 9000), 10);
  EXPECT_EQ(answer_step(kNow - 2 * kDaySeconds, kNow - 2 * kDaySeconds + 600, kNow, 2000), 300) << "10 s is gone by then";
  EXPECT_EQ(answer_step(kNow - 31 * kDaySeconds, kNow, kNow, 2000), 3600);
  EXPECT_EQ(answer_step(kNow - 40 * kDaySeconds, kNow, kNow, 2000), 3600);
}

TEST(AnswerStep, AYearComesInStepsOfSomeHours) {
  const auto step = answer_step(kNow - 366 * kDaySeconds, kNow, kNow, 2000);
  EXPECT_EQ(step % 3600, 0);
  EXPECT_LE(366 * kDaySeconds / step, 2000);
  EXPECT_GE(366 * kDaySeconds / step, 1000);
}

TEST(AnswerStep, NoLengthAtAllIsOneStep) { EXPECT_EQ(answer_step(kNow, kNow, kNow, 2000), 10); }

}  // namespace
}  // namespace holdfast::storage
