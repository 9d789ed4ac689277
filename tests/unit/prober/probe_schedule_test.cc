#include "prober/probe_schedule.h"

#include <gtest/gtest.h>

namespace holdfast::prober {
namespace {

base::Mono at(int seconds) { return base::Mono(base::Seconds(seconds)); }

TEST(ProbeSchedule, CalmByTheInterval) {
  ProbeSchedule s(base::Seconds(120), at(1));
  EXPECT_FALSE(s.due(at(0)));
  EXPECT_TRUE(s.due(at(1)));
  s.started(at(1));
  EXPECT_FALSE(s.due(at(500)));
  s.ended(at(3), false);
  EXPECT_EQ(s.next(), at(121));
}

TEST(ProbeSchedule, UrgentAfterAFailure) {
  ProbeSchedule s(base::Seconds(120), at(0));
  s.started(at(0));
  s.ended(at(2), true);
  EXPECT_EQ(s.next(), at(5));
  s.started(at(5));
  s.ended(at(30), true);  // it took longer than the gap
  EXPECT_EQ(s.next(), at(30));
}

TEST(ProbeSchedule, AShortIntervalIsTheGap) {
  ProbeSchedule s(base::Seconds(2), at(0));
  s.started(at(0));
  s.ended(at(0), true);
  EXPECT_EQ(s.next(), at(2));
}

TEST(ProbeSchedule, HastenedWhenTheLastIsOldEnough) {
  ProbeSchedule s(base::Seconds(120), at(0));
  s.started(at(0));
  s.ended(at(1), false);
  s.hasten();
  EXPECT_EQ(s.next(), at(5));
  EXPECT_TRUE(s.due(at(60)));
}

TEST(ProbeSchedule, HastenedWhileOneRuns) {
  ProbeSchedule s(base::Seconds(120), at(0));
  s.started(at(0));
  s.hasten();
  s.ended(at(1), false);
  EXPECT_EQ(s.next(), at(5));
  s.started(at(5));
  s.ended(at(6), false);  // once only
  EXPECT_EQ(s.next(), at(125));
}

TEST(ProbeSchedule, ForcedAtOnceOrNext) {
  ProbeSchedule s(base::Seconds(120), at(0));
  s.started(at(0));
  s.ended(at(1), false);
  s.force(at(2));
  EXPECT_TRUE(s.due(at(2)));
  s.started(at(2));
  s.force(at(3));
  s.ended(at(4), false);
  EXPECT_TRUE(s.due(at(4)));
}

TEST(ProbeSchedule, AFirstProbeIsNotHastenedButForced) {
  ProbeSchedule s(base::Seconds(120), at(10));
  s.hasten();
  EXPECT_EQ(s.next(), at(10));
  s.force(at(1));
  EXPECT_TRUE(s.due(at(1)));
}

TEST(ProbeSchedule, PutOffAndShortened) {
  ProbeSchedule s(base::Seconds(120), at(0));
  s.started(at(0));
  s.ended(at(1), false);
  s.put_off(at(200));
  EXPECT_EQ(s.next(), at(200));
  s.set_interval(base::Seconds(30));
  EXPECT_EQ(s.next(), at(30));
}

}  // namespace
}  // namespace holdfast::prober
