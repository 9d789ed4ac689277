#include "qmgr/clock_watch.h"

#include <gtest/gtest.h>

namespace holdfast::qmgr {
namespace {

using namespace std::chrono_literals;
using base::Millis;

struct Clocks {
  base::Wall wall = base::from_millis(1'790'000'000'000);
  base::Mono mono{5h};
  ClockWatch watch{10min};

  void pass(Millis time) {
    wall += time;
    mono += time;
  }
  std::optional<Millis> look() { return watch.look(wall, mono); }
  bool believed() const { return watch.believed(mono); }
};

TEST(ClockWatch, TimeThatPassesIsNoJump) {
  Clocks c;
  EXPECT_FALSE(c.look());
  c.pass(48h);
  EXPECT_FALSE(c.look()) << "a process that was stopped for long, both clocks running";
  EXPECT_TRUE(c.believed());
}

TEST(ClockWatch, AJumpIsToldOnceAndBelievedAfterTheSecondLook) {
  Clocks c;
  c.look();
  c.wall += 24h;
  c.pass(5s);
  EXPECT_EQ(c.look(), Millis(24h));
  EXPECT_FALSE(c.believed());
  c.pass(5s);
  EXPECT_FALSE(c.look());
  EXPECT_FALSE(c.believed());
  c.pass(9min + 59s);
  EXPECT_TRUE(c.believed());
}

TEST(ClockWatch, BackAgainIsAnotherJump) {
  Clocks c;
  c.look();
  c.wall += 24h;
  c.look();
  c.pass(9min);
  c.wall -= 24h;
  EXPECT_EQ(c.look(), Millis(-24h));
  c.pass(9min);
  EXPECT_FALSE(c.believed()) << "the ten minutes begin anew";
  c.pass(1min);
  EXPECT_TRUE(c.believed());
}

TEST(ClockWatch, AnHourIsNoJumpAndStepsDoNotSumUp) {
  Clocks c;
  c.look();
  for (int i = 0; i < 50; ++i) {
    c.wall += 1h;  // summer time set by hand
    EXPECT_FALSE(c.look());
  }
  EXPECT_TRUE(c.believed());
  c.wall += 1h + 1ms;
  EXPECT_TRUE(c.look());
}

TEST(ClockWatch, WhoWasAwayForLongDoubtsAtTheStart) {
  Clocks c;
  EXPECT_EQ(c.watch.begin(c.wall - 25h, c.wall, c.mono), Millis(25h));
  EXPECT_FALSE(c.believed());
  c.pass(10min);
  EXPECT_FALSE(c.look());
  EXPECT_TRUE(c.believed());
}

TEST(ClockWatch, AShortRestartIsTrusted) {
  Clocks c;
  EXPECT_FALSE(c.watch.begin(c.wall - 59min, c.wall, c.mono));
  EXPECT_TRUE(c.believed());
  EXPECT_TRUE(c.watch.begin(c.wall + 2h, c.wall, c.mono)) << "we lived in the future";
  EXPECT_FALSE(c.believed());
}

}  // namespace
}  // namespace holdfast::qmgr
