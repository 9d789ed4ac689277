#include "tests/unit/qmgr/lane_fixture.h"

namespace holdfast::qmgr {
namespace {

TEST_F(LaneTest, NothingGoesOutWhileDownOrPaused) {
  for (const auto state : {DestinationState::kDown, DestinationState::kPaused}) {
    lane_.set_state(state, 10 + static_cast<int>(state));
    EXPECT_FALSE(lane_.wants_refill());
    EXPECT_TRUE(hand_out().empty());
  }
}

TEST_F(LaneTest, UpUsesAQuarter) {
  up();
  EXPECT_TRUE(lane_.wants_refill());
  fill(1, 50);
  EXPECT_EQ(hand_out(), (Ids{1, 2, 3, 4, 5}));
  for (std::uint64_t i = 1; i <= 5; ++i) end(i, Sign::kAccepted);
  EXPECT_EQ(hand_out().size(), 10U);
  for (std::uint64_t i = 6; i <= 15; ++i) end(i, Sign::kAccepted);
  EXPECT_EQ(hand_out().size(), 10U) << "40 / 4";
}

TEST_F(LaneTest, AtLeastOneAtATime) {
  lane_.set_limits({.max_connections = 1, .probe_interval = Millis(1000)});
  up();
  fill(1, 3);
  EXPECT_EQ(hand_out(), Ids{1});
}

TEST_F(LaneTest, DrainBeginsWithOneCanaryThenFiveThenDoubles) {
  drain_state();
  fill(1, 100);
  EXPECT_EQ(hand_out(), Ids{1});
  EXPECT_EQ(end(1, Sign::kAccepted), only(1, Treatment::kAsIs));
  EXPECT_EQ(lane_.phase(), Lane::Phase::kFlowing);
  EXPECT_EQ(hand_out(), (Ids{2, 3, 4, 5, 6}));
  for (std::uint64_t i = 2; i <= 6; ++i) end(i, Sign::kAccepted);
  EXPECT_EQ(lane_.limit(), 10U);
  auto out = hand_out();
  EXPECT_EQ(out.size(), 10U);
  for (const auto i : out) end(i, Sign::kAccepted);
  out = hand_out();
  EXPECT_EQ(out.size(), 20U);
  for (const auto i : out) end(i, Sign::kAccepted);
  EXPECT_EQ(lane_.limit(), 20U) << "half of max_connections";
}

TEST_F(LaneTest, TheCanaryIsTheOldestSmallOne) {
  drain_state();
  lane_.refill({{1, {1}, 5 << 20}, {2, {2}, 200 << 10}, {3, {3}, 50 << 10}, {4, {4}, 1}}, false);
  EXPECT_EQ(hand_out(), Ids{3});
  end(3, Sign::kAccepted);
  EXPECT_EQ(hand_out(), (Ids{1, 2, 4}));
}

TEST_F(LaneTest, WithoutASmallOneTheSmallestIs) {
  drain_state();
  lane_.refill({{1, {1}, 5 << 20}, {2, {2}, 200 << 10}}, false);
  EXPECT_EQ(hand_out(), Ids{2});
}

TEST_F(LaneTest, AnyFinalReplyBut421AndARefusalOfAKnownOneIsAGoodCanary) {
  for (const auto sign : {Sign::kAccepted, Sign::kTempFailed, Sign::kTempRecipient, Sign::kRefusedOther}) {
    Lane lane({.max_connections = 40, .probe_interval = Millis(120'000)});
    lane.set_state(DestinationState::kDraining, 1);
    lane.refill({{1, {1}, 1}}, false);
    ASSERT_TRUE(lane.next(now_));
    lane.finished(QueueId{1}, says(sign), now_);
    EXPECT_EQ(lane.phase(), Lane::Phase::kFlowing);
  }
}

TEST_F(LaneTest, AFailedCanaryGoesBehindAllOthers) {
  drain_state();
  fill(1, 3);
  EXPECT_EQ(hand_out(), Ids{1});
  EXPECT_EQ(end(1, Sign::kLost), only(1, Treatment::kSpare)) << "not its fault as long as nobody was accepted";
  fill(1, 1);
  EXPECT_EQ(hand_out(), Ids{2});
  end(2, Sign::kAccepted);
  EXPECT_EQ(hand_out(), (Ids{3, 1}));
}

TEST_F(LaneTest, ThreeDifferentFailedCanariesAreTheDestination) {
  drain_state();
  fill(1, 9);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(hand_out(), Ids{i});
    EXPECT_EQ(end(i, Sign::kRefusedKnown, "r" + std::to_string(i)), only(i, Treatment::kSpare)) << "nobody is refused";
  }
  EXPECT_EQ(lane_.phase(), Lane::Phase::kStopped);
  const auto events = lane_.take_events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].event, DrainEvent::kBrake) << "why it waits, from the first failure on";
  EXPECT_EQ(events[1].event, DrainEvent::kFailed);
  EXPECT_TRUE(hand_out().empty());
}

TEST_F(LaneTest, TheNextDrainBeginsWithOtherCanaries) {
  drain_state();
  fill(1, 9);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    hand_out();
    end(i, Sign::kLost);
  }
  lane_.set_state(DestinationState::kDown, 200);
  drain_state(300);
  fill(1, 9);
  EXPECT_EQ(hand_out(), Ids{4}) << "three poisoned messages do not stop the rest for ever";
  end(4, Sign::kAccepted);
  EXPECT_EQ(hand_out(), (Ids{1, 2, 3, 5, 6}));
}

TEST_F(LaneTest, WhyItWaitsIsToldOnceAndTakenBack) {
  drain_state();
  fill(1, 50);
  canary_ok();
  EXPECT_TRUE(lane_.take_events().empty());
  for (const auto i : hand_out()) end(i, Sign::kTempFailed);
  auto events = lane_.take_events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].event, DrainEvent::kBrake);
  EXPECT_EQ(events[0].reason, "reason");
  now_ = *lane_.wake_at();
  end(hand_out().front(), Sign::kAccepted);
  events = lane_.take_events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].event, DrainEvent::kCanaryAccepted);
}

TEST_F(LaneTest, WhatADeliverRunsAlreadyIsNotPicked) {
  up();
  fill(1, 3);
  lane_.adopt({2});
  EXPECT_EQ(hand_out(), (Ids{1, 3}));
}

TEST_F(LaneTest, AFailureOfOurOwnSaysNothingAndWaits) {
  up();
  fill(1, 9);
  hand_out();
  EXPECT_EQ(end(1, Sign::kNone), only(1, Treatment::kUntouched));
  EXPECT_TRUE(hand_out().empty());
  EXPECT_EQ(end(2, Sign::kDamaged), only(2, Treatment::kAsIs));
}

TEST_F(LaneTest, ARefusalOfOurOwnIsTheMessagesAndTheNextOneIsTheCanary) {
  drain_state();
  fill(1, 2);
  EXPECT_EQ(hand_out(), (Ids{1}));
  EXPECT_EQ(end(1, Sign::kOwnVerdict), only(1, Treatment::kAsIs));
  EXPECT_TRUE(lane_.take_events().empty());
  EXPECT_EQ(hand_out(), (Ids{2})) << "at once, and still one at a time";
  EXPECT_EQ(end(2, Sign::kOwnVerdict), only(2, Treatment::kAsIs));
}

TEST_F(LaneTest, ACanaryWithoutASessionLeavesItsMessageAlone) {
  drain_state();
  fill(1, 2);
  hand_out();
  EXPECT_EQ(end(1, Sign::kNoSession), only(1, Treatment::kUntouched));
  EXPECT_TRUE(hand_out().empty()) << "waits a little";
  ASSERT_TRUE(lane_.wake_at());
  EXPECT_EQ(*lane_.wake_at() - now_, Millis(5000));
  now_ = *lane_.wake_at();
  EXPECT_EQ(hand_out(), Ids{2});
}

TEST_F(LaneTest, A4xxWhileDrainingWaitsAndDoublesToTheInterval) {
  drain_state();
  fill(1, 100);
  canary_ok();
  std::uint64_t next = 2;
  for (const int seconds : {15, 30, 60, 120, 120}) {
    auto out = hand_out();
    ASSERT_FALSE(out.empty());
    for (const auto i : out) {
      EXPECT_EQ(end(i, Sign::kTempFailed), only(i, Treatment::kAsIs));
      next = i + 1;
    }
    EXPECT_TRUE(hand_out().empty());
    EXPECT_EQ(*lane_.wake_at() - now_, Millis(seconds * 1000)) << "five at once are one";
    now_ = *lane_.wake_at();
  }
  hand_out();
  end(next, Sign::kAccepted);
  EXPECT_FALSE(lane_.wake_at() > now_);
}

TEST_F(LaneTest, AFullMailboxStopsNobody) {
  drain_state();
  fill(1, 100);
  canary_ok();
  hand_out();
  end(2, Sign::kTempRecipient);
  EXPECT_EQ(hand_out(), Ids{7});
}

TEST_F(LaneTest, A4xxInUpIsTheSchedulesAffair) {
  up();
  fill(1, 100);
  hand_out();
  end(1, Sign::kTempFailed);
  EXPECT_EQ(hand_out(), Ids{6});
}

TEST_F(LaneTest, DrainedWhenNothingIsDueAnyMore) {
  drain_state();
  EXPECT_FALSE(lane_.drained()) << "the index was not asked yet";
  lane_.refill({}, false);
  EXPECT_TRUE(lane_.drained());
  lane_.touch();
  EXPECT_FALSE(lane_.drained());
  fill(1, 1);
  hand_out();
  EXPECT_FALSE(lane_.drained());
  end(1, Sign::kAccepted);
  lane_.refill({}, false);
  EXPECT_TRUE(lane_.drained());
  lane_.set_state(DestinationState::kUp, 101);
  EXPECT_FALSE(lane_.drained());
  EXPECT_EQ(lane_.phase(), Lane::Phase::kFlowing);
}

TEST_F(LaneTest, AStateToldAgainChangesNothing) {
  drain_state();
  fill(1, 10);
  canary_ok();
  const auto phase = lane_.phase();
  drain_state();
  EXPECT_EQ(lane_.phase(), phase);
  EXPECT_FALSE(hand_out().empty());
  drain_state(200);
  EXPECT_EQ(lane_.phase(), Lane::Phase::kCanary) << "another drain begins anew";
}

TEST_F(LaneTest, WhatIsGivenBackIsLookedForAgain) {
  up();
  fill(1, 2);
  hand_out();
  lane_.give_back({1});
  EXPECT_TRUE(lane_.wants_refill());
  EXPECT_EQ(lane_.active(), 1U);
  lane_.drop({2});
  EXPECT_EQ(lane_.active(), 0U);
}

TEST_F(LaneTest, RefillsBeforeTheWindowIsEmpty) {
  up();
  fill(1, 150, true);
  EXPECT_FALSE(lane_.wants_refill());
  for (int i = 0; i < 60; ++i) {
    const auto pick = lane_.next(now_);
    lane_.finished(pick->message.id, says(Sign::kAccepted), now_);
  }
  EXPECT_TRUE(lane_.wants_refill());
}

}  // namespace
}  // namespace holdfast::qmgr
