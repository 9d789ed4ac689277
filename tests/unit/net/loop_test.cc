#include "common/net/loop.h"

#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace holdfast::net {
namespace {

TEST(Loop, RunsWhatOtherThreadsPost) {
  Loop loop;
  int ran = 0;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop.post([&] { ++ran; });
    loop.stop();
  });
  loop.run();
  other.join();
  EXPECT_EQ(ran, 1000);
}

TEST(Loop, LaterRunsAfterTheCallback) {
  Loop loop;
  std::vector<int> order;
  loop.post([&] {
    loop.later([&] {
      order.push_back(2);
      loop.later([&] { order.push_back(3); });
    });
    order.push_back(1);
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(Loop, TurnEndComesOnceATurn) {
  Loop loop;
  int turns = 0, posted = 0;
  loop.on_turn_end([&] { ++turns; });
  for (int i = 0; i < 10; ++i) loop.post([&] { ++posted; });
  loop.stop();
  loop.run();
  EXPECT_EQ(posted, 10);
  EXPECT_LE(turns, 3);
}

TEST(Timer, FiresOnce) {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  timer.start(Millis{1});
  EXPECT_TRUE(timer.waiting());
  Timer end(loop, [&] { loop.stop(); });
  end.start(Millis{30});
  loop.run();
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(timer.waiting());
}

TEST(Timer, RepeatsUntilStopped) {
  Loop loop;
  int fired = 0;
  Timer end(loop, [&] { loop.stop(); });
  Timer timer(loop, [&] {
    if (++fired < 3) return;
    timer.stop();
    end.start(Millis{30});
  });
  timer.every(Millis{1});
  loop.run();
  EXPECT_EQ(fired, 3);
  EXPECT_FALSE(timer.waiting());
}

TEST(Timer, MayStartAgainAsOneShotAfterRepeating) {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  timer.every(Millis{1});
  timer.start(Millis{2});
  Timer end(loop, [&] { loop.stop(); });
  end.start(Millis{30});
  loop.run();
  EXPECT_EQ(fired, 1);
}

TEST(Timer, MayBeDestroyedInItsOwnCallback) {
  Loop loop;
  bool fired = false;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop, [&] {
    timer.reset();
    fired = true;
    loop.stop();
  });
  timer->start(Millis{1});
  loop.run();
  EXPECT_TRUE(fired);
}

}  // namespace
}  // namespace holdfast::net
