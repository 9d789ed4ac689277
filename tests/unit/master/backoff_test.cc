#include "master/backoff.h"

#include <gtest/gtest.h>

namespace holdfast::master {
namespace {

using namespace std::chrono_literals;

constexpr Mono kStart{1h};

TEST(Backoff, DoublesFrom100MillisecondsTo30Seconds) {
  Backoff backoff;
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 11; ++i) waits.push_back(backoff.after(kStart, kStart + 1s).count());
  EXPECT_EQ(waits, (std::vector<std::int64_t>{100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000}));
}

TEST(Backoff, StartsOverAfterAMinuteOfHealth) {
  Backoff backoff;
  for (int i = 0; i < 5; ++i) (void)backoff.after(kStart, kStart + 59s);
  EXPECT_EQ(backoff.after(kStart, kStart + 59s), 3200ms);
  EXPECT_EQ(backoff.after(kStart, kStart + 60s), 100ms);
  EXPECT_EQ(backoff.after(kStart, kStart + 1s), 200ms);
}

}  // namespace
}  // namespace holdfast::master
