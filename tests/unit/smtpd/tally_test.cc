#include "smtpd/tally.h"

#include <vector>

#include <gtest/gtest.h>

namespace holdfast::smtpd {
namespace {

using base::Millis;
using base::Mono;
using base::Seconds;

constexpr Millis kMinute{60'000};

class TallyTest : public ::testing::Test {
 protected:
  Mono at(double seconds) const { return Mono{Seconds{6000}} + std::chrono::microseconds{std::int64_t(seconds * 1e6)}; }
  static base::Network host(unsigned number) {
    base::Network out = *base::Network::parse("10.0.0.0");
    out.first.octets[13] = static_cast<std::uint8_t>(number >> 16);
    out.first.octets[14] = static_cast<std::uint8_t>(number >> 8);
    out.first.octets[15] = static_cast<std::uint8_t>(number);
    return out;
  }

  const daemon::Board board = daemon::Board::alone(2);
  Tally first{board, 0, 2}, second{board, 1, 2};
  const Tally::Key a = first.key('c', host(1)), b = first.key('c', host(2));
};

TEST_F(TallyTest, KeysDifferByKindAndNetworkAndNotByWorker) {
  EXPECT_NE(a, b);
  EXPECT_NE(a, first.key('r', host(1)));
  EXPECT_EQ(a, second.key('c', host(1)));
}

TEST_F(TallyTest, CountsThoseWhoAreHereOverAllWorkers) {
  auto* one = first.enter(a, at(0));
  auto* two = second.enter(a, at(0));
  second.enter(b, at(0));
  EXPECT_EQ(first.present(a), 2u);
  EXPECT_EQ(second.present(a), 2u);
  Tally::leave(one);
  EXPECT_EQ(second.present(a), 1u);
  Tally::leave(two);
  EXPECT_EQ(first.present(a), 0u);
}

TEST_F(TallyTest, AWorkerThatTakesADeadOnesPlaceBeginsAnew) {
  first.enter(a, at(0));
  second.enter(a, at(0));
  const Tally again(board, 0, 2);
  EXPECT_EQ(second.present(a), 1u);
}

TEST_F(TallyTest, TheWindowSlides) {
  for (int i = 0; i < 10; ++i) first.count(a, kMinute, at(0));
  for (int i = 0; i < 10; ++i) second.count(a, kMinute, at(30));
  EXPECT_EQ(first.within(a, kMinute, at(59)), 20u);
  EXPECT_EQ(first.within(a, kMinute, at(60)), 20u);
  EXPECT_EQ(first.within(a, kMinute, at(90)), 10u);
  EXPECT_EQ(first.within(a, kMinute, at(119.999)), 0u);
  EXPECT_EQ(first.within(a, kMinute, at(300)), 0u);
}

TEST_F(TallyTest, ASteadyRateIsSeenAsItIs) {
  for (int second_of = 0; second_of < 600; ++second_of) {
    first.count(a, kMinute, at(second_of));
    if (second_of <= 120) continue;
    EXPECT_NEAR(double(second.within(a, kMinute, at(second_of))), 60, 1.5) << second_of;
  }
}

TEST_F(TallyTest, MemoryIsBoundedAndTheOldestGoFirst) {
  auto* here = first.enter(a, at(0));
  for (unsigned i = 0; i < 200'000; ++i) first.count(first.key('r', host(i)), kMinute, at(i / 10'000.0));
  EXPECT_EQ(first.present(a), 1u) << "one who is here was forgotten";
  EXPECT_EQ(first.within(first.key('r', host(0)), kMinute, at(20)), 0u);
  EXPECT_EQ(first.within(first.key('r', host(199'999)), kMinute, at(20)), 1u);
  Tally::leave(here);
}

TEST_F(TallyTest, WhoFindsNoPlaceIsNotCounted) {
  std::vector<Tally::Slot*> slots;
  unsigned uncounted = 0;
  for (unsigned i = 0; i < 20'000; ++i) {
    auto* slot = first.enter(first.key('c', host(i)), at(0));
    slot == nullptr ? void(++uncounted) : slots.push_back(slot);
  }
  EXPECT_GT(uncounted, 3'000u);
  EXPECT_LE(slots.size(), 16'384u);
  for (auto* slot : slots) Tally::leave(slot);
  EXPECT_NE(first.enter(first.key('c', host(19'999)), at(1)), nullptr);
}

// What thousands of clients at once are counted well enough for.
TEST_F(TallyTest, FiveThousandNetworksFindAPlace) {
  unsigned uncounted = 0;
  for (unsigned i = 0; i < 5'000; ++i) uncounted += first.enter(first.key('c', host(i)), at(0)) == nullptr;
  EXPECT_LT(uncounted, 25u);
}

}  // namespace
}  // namespace holdfast::smtpd
