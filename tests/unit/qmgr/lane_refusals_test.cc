#include "tests/unit/qmgr/lane_fixture.h"

namespace holdfast::qmgr {
namespace {

using LaneRefusalsTest = LaneTest;

TEST_F(LaneRefusalsTest, ThreeMessagesToOneWhoHasLeftAreNot) {
  drain_state();
  fill(1, 3);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    now_ += Millis(120'000);
    EXPECT_EQ(hand_out(), Ids{i});
    end(i, Sign::kRefusedKnown, "gone@d.test");
  }
  EXPECT_EQ(lane_.phase(), Lane::Phase::kCanary);
  EXPECT_EQ(lane_.take_events().size(), 1U) << "told why, once";
}

TEST_F(LaneRefusalsTest, WhereThereAreFewToCompareAnHourIsBelieved) {
  for (const auto sign : {Sign::kRefusedKnown, Sign::kRefusedSender, Sign::kLost}) {
    lane_ = Lane({.max_connections = 40, .probe_interval = Millis(120'000)});
    drain_state();
    const auto begin = now_;
    std::vector<Settled> last;
    int tries = 0;
    for (; tries < 60; ++tries) {
      fill(1, 1);
      ASSERT_EQ(hand_out(), Ids{1});
      last = end(1, sign);
      if (last == only(1, Treatment::kAsIs)) break;
      EXPECT_EQ(last, only(1, Treatment::kSpare));
      now_ = *lane_.wake_at();
    }
    EXPECT_EQ(last, only(1, Treatment::kAsIs));
    EXPECT_GE(now_ - begin, std::chrono::hours(1));
    EXPECT_GE(tries, 3);
    EXPECT_EQ(lane_.reason(), "reason") << "and status says meanwhile why";
  }
}

TEST_F(LaneRefusalsTest, ALossCountsOnlyWhenAnotherIsAccepted) {
  up();
  fill(1, 100);
  hand_out();
  EXPECT_TRUE(end(1, Sign::kLost).empty());
  EXPECT_EQ(end(2, Sign::kAccepted), (std::vector<Settled>{{{1}, Treatment::kAsIs}, {{2}, Treatment::kAsIs}}));
  EXPECT_TRUE(end(3, Sign::kLost).empty());
  EXPECT_TRUE(end(4, Sign::kLost).empty());
  EXPECT_EQ(end(5, Sign::kLost).size(), 3U);
  EXPECT_EQ(lane_.phase(), Lane::Phase::kFlowing);
  EXPECT_TRUE(hand_out().empty()) << "waits a little";
}

TEST_F(LaneRefusalsTest, ThreeWhoAreForgottenAreRefusedAndNotTheDestinationsFault) {
  drain_state();
  fill(1, 3);
  hand_out();
  EXPECT_TRUE(end(1, Sign::kRefusedOther, "a").empty());
  hand_out();
  EXPECT_TRUE(end(2, Sign::kRefusedOther, "b").empty());
  EXPECT_TRUE(end(3, Sign::kRefusedOther, "c").empty());
  lane_.refill({}, false);
  EXPECT_EQ(lane_.settle_if_idle(now_).size(), 3U);
  EXPECT_TRUE(lane_.drained());
}

TEST_F(LaneRefusalsTest, ARefusalWaitsForTheNextAcceptance) {
  up();
  fill(1, 100);
  hand_out();
  EXPECT_TRUE(end(1, Sign::kRefusedKnown, "a").empty());
  EXPECT_TRUE(end(2, Sign::kRefusedKnown, "b").empty());
  EXPECT_EQ(end(3, Sign::kAccepted),
            (std::vector<Settled>{{{1}, Treatment::kAsIs}, {{2}, Treatment::kAsIs}, {{3}, Treatment::kAsIs}}));
}

TEST_F(LaneRefusalsTest, ABurstOfRefusalsBrakesAndRefusesNobody) {
  up();
  fill(1, 100);
  hand_out();
  end(1, Sign::kRefusedKnown, "a");
  end(2, Sign::kRefusedKnown, "b");
  EXPECT_EQ(end(3, Sign::kRefusedKnown, "c"),
            (std::vector<Settled>{{{1}, Treatment::kSpare}, {{2}, Treatment::kSpare}, {{3}, Treatment::kSpare}}));
  EXPECT_EQ(lane_.phase(), Lane::Phase::kBraked);
  EXPECT_EQ(end(4, Sign::kRefusedKnown, "d"), only(4, Treatment::kSpare)) << "those under way, too";
  const auto events = lane_.take_events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].event, DrainEvent::kBrake);
}

TEST_F(LaneRefusalsTest, OneWhoIsGoneDoesNotBrakeTheOthers) {
  up();
  fill(1, 100);
  hand_out();
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_TRUE(end(i, Sign::kRefusedKnown, "gone@d.test").empty());
  EXPECT_EQ(lane_.phase(), Lane::Phase::kFlowing);
  EXPECT_EQ(end(hand_out().front(), Sign::kAccepted).size(), 6U);
}

TEST_F(LaneRefusalsTest, ThreeSendersRefusedAtMailBrake) {
  up();
  fill(1, 100);
  hand_out();
  end(1, Sign::kRefusedSender, "a@x");
  end(2, Sign::kRefusedSender, "a@x");
  end(3, Sign::kRefusedSender, "b@x");
  EXPECT_EQ(lane_.phase(), Lane::Phase::kFlowing);
  EXPECT_EQ(end(4, Sign::kRefusedSender, "c@x").size(), 4U);
  EXPECT_EQ(lane_.phase(), Lane::Phase::kBraked);
}

TEST_F(LaneRefusalsTest, ARefusedSessionBrakesAtOnce) {
  drain_state();
  fill(1, 100);
  hand_out();
  EXPECT_EQ(end(1, Sign::kRefusedSession), only(1, Treatment::kUntouched));
  EXPECT_EQ(lane_.phase(), Lane::Phase::kBraked);
}

TEST_F(LaneRefusalsTest, BrakedTriesOneAnIntervalAndGoesOnWhenOneIsTaken) {
  up();
  fill(1, 100);
  hand_out();
  end(1, Sign::kRefusedSession);
  for (std::uint64_t i = 2; i <= 5; ++i) end(i, Sign::kRefusedSession);
  EXPECT_TRUE(hand_out().empty());
  lane_.take_events();
  now_ += Millis(120'000);
  EXPECT_EQ(hand_out(), Ids{6});
  EXPECT_EQ(end(6, Sign::kRefusedKnown), only(6, Treatment::kSpare));
  EXPECT_TRUE(hand_out().empty());
  now_ += Millis(120'000);
  EXPECT_EQ(hand_out(), Ids{7});
  end(7, Sign::kAccepted);
  const auto events = lane_.take_events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].event, DrainEvent::kCanaryAccepted);
  EXPECT_EQ(hand_out().size(), 5U);
}

TEST_F(LaneRefusalsTest, TheLastRefusalIsJudgedWhenNothingIsLeft) {
  up();
  fill(1, 1);
  hand_out();
  EXPECT_TRUE(end(1, Sign::kRefusedKnown).empty());
  EXPECT_TRUE(lane_.settle_if_idle(now_).empty()) << "not before the index was asked";
  lane_.refill({}, false);
  EXPECT_EQ(lane_.settle_if_idle(now_), only(1, Treatment::kAsIs));
}

TEST_F(LaneRefusalsTest, WhileDrainingItIsNotJudgedBeforeAnybodyWasAccepted) {
  drain_state();
  fill(1, 2);
  hand_out();
  end(1, Sign::kTempFailed);  // a good canary, but no acceptance
  now_ = *lane_.wake_at();
  EXPECT_EQ(hand_out(), Ids{2});
  end(2, Sign::kRefusedKnown);
  lane_.refill({}, false);
  EXPECT_EQ(lane_.settle_if_idle(now_), only(2, Treatment::kSpare));
  EXPECT_EQ(lane_.phase(), Lane::Phase::kBraked);
}

TEST_F(LaneRefusalsTest, AForgottenRecipientIsRefusedEvenAlone) {
  drain_state();
  fill(1, 1);
  hand_out();
  EXPECT_TRUE(end(1, Sign::kRefusedOther).empty());
  lane_.refill({}, false);
  EXPECT_EQ(lane_.settle_if_idle(now_), only(1, Treatment::kAsIs));
  EXPECT_TRUE(lane_.drained());
}

TEST_F(LaneRefusalsTest, GoingDownSparesTheSuspects) {
  up();
  fill(1, 10);
  hand_out();
  end(1, Sign::kRefusedKnown);
  EXPECT_EQ(lane_.set_state(DestinationState::kDown, 60), only(1, Treatment::kSpare));
  EXPECT_EQ(end(2, Sign::kRefusedKnown), only(2, Treatment::kSpare));
  EXPECT_EQ(end(3, Sign::kAccepted), only(3, Treatment::kAsIs));
}

TEST_F(LaneRefusalsTest, OnTheRoadOfBouncesEachOutcomeIsItsOwn) {
  lane_.set_limits({.max_connections = 20, .probe_interval = Millis(120'000), .judged = false});
  up();
  fill(1, 30);
  EXPECT_EQ(hand_out(), (Ids{1, 2, 3, 4, 5}));
  std::uint64_t id = 1;
  for (const auto sign : {Sign::kRefusedSession, Sign::kRefusedSender, Sign::kLost, Sign::kNoSession, Sign::kClosing}) {
    EXPECT_EQ(end(id, sign, "s" + std::to_string(id)), only(id, Treatment::kAsIs));
    ++id;
  }
  EXPECT_EQ(lane_.phase(), Lane::Phase::kFlowing);
  EXPECT_TRUE(lane_.take_events().empty());
  EXPECT_EQ(hand_out(), (Ids{6, 7, 8, 9, 10}));
  EXPECT_EQ(end(6, Sign::kNone), only(6, Treatment::kUntouched)) << "nothing was tried";
  EXPECT_TRUE(hand_out().empty()) << "it waits a moment";
  EXPECT_TRUE(lane_.wake_at());
}

}  // namespace
}  // namespace holdfast::qmgr
