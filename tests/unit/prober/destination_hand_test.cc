// What the admin does by hand: paused, resumed, forced.
#include "tests/unit/prober/destination_health_fixture.h"

namespace holdfast::prober {
namespace {

using HealthByHand = DestinationHealthTest;

TEST_F(HealthByHand, PauseAndResume) {
  auto h = make();
  h.pause("work on it", "root", std::nullopt);
  auto change = h.decide(at(5)).change;
  EXPECT_EQ(change->to, kPaused);
  EXPECT_EQ(h.reason(), "work on it");
  fail(h, "a:25", 6);
  EXPECT_FALSE(h.decide(at(6)).change);
  h.resume();
  EXPECT_EQ(h.decide(at(10)).change->to, kDraining);
}

TEST_F(HealthByHand, ResumedWhileTheServerIsDown) {
  auto h = make_down();
  h.pause("", "root", std::nullopt);
  EXPECT_EQ(h.decide(at(20)).change->to, kPaused);
  h.resume();
  EXPECT_EQ(h.decide(at(30)).change->to, kDown);
}

TEST_F(HealthByHand, APauseEndsByItself) {
  auto h = make();
  h.pause("", "root", at(100).wall);
  h.decide(at(5));
  EXPECT_FALSE(h.decide(at(99)).change);
  EXPECT_EQ(h.decide(at(100)).change->to, kDraining);
}

TEST_F(HealthByHand, APauseThatEndsByItselfEndsLikeAResume) {
  auto h = make_draining(20);
  h.record_drain(report(h, ipc::DrainEvent::kFailed, "poison"), at(30));
  h.decide(at(30));
  h.pause("", "root", at(40).wall);
  h.decide(at(31));
  EXPECT_EQ(h.decide(at(40)).change->to, kDraining);
  EXPECT_TRUE(h.reason().empty());
}

TEST_F(HealthByHand, ForcedDownItStaysSoThoughProbesPass) {
  auto h = make();
  h.force(false, "root");
  EXPECT_EQ(h.decide(at(5)).change->to, kDown);
  EXPECT_EQ(h.reason(), "forced down by root");
  pass(h, "a:25", 6);
  EXPECT_FALSE(h.decide(at(6)).change);
  EXPECT_TRUE(h.server("a:25")->up()) << "what probes find is still known";
  h.unforce();
  EXPECT_EQ(h.decide(at(10)).change->to, kDraining);
  EXPECT_EQ(h.reason(), "");
}

TEST_F(HealthByHand, ForcedUpItIsUsedThoughProbesFail) {
  auto h = make_down();
  h.force(true, "root");
  EXPECT_EQ(h.decide(at(20)).change->to, kUp);
  EXPECT_TRUE(h.memory().servers.front().up) << "or nobody would connect to it";
  fail(h, "a:25", 21);
  EXPECT_FALSE(h.decide(at(21)).change);
  h.unforce();
  EXPECT_EQ(h.decide(at(30)).change->to, kDown);
  EXPECT_FALSE(h.memory().servers.front().up);
}

TEST_F(HealthByHand, APauseGoesBeforeAForcedState) {
  auto h = make();
  h.force(true, "root");
  h.pause("work", "root", std::nullopt);
  EXPECT_EQ(h.decide(at(5)).change->to, kPaused);
  h.resume();
  EXPECT_EQ(h.decide(at(6)).change->to, kUp);
}

TEST_F(HealthByHand, AForcedStateIsRememberedAcrossARestart) {
  for (const bool up : {true, false}) {
    auto before = make();
    before.force(up, "root");
    before.decide(at(5));
    auto after = make();
    after.restore(before.memory(), at(40));
    EXPECT_FALSE(after.decide(at(40)).change);
    EXPECT_EQ(after.state(), up ? kUp : kDown);
    after.unforce();
    const auto decision = after.decide(at(41));
    EXPECT_EQ(after.state(), up ? kUp : kDraining);
    EXPECT_EQ(decision.change.has_value(), !up);
  }
}

}  // namespace
}  // namespace holdfast::prober
