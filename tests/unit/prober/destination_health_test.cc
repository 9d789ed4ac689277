#include "tests/unit/prober/destination_health_fixture.h"

namespace holdfast::prober {
namespace {

using Health = DestinationHealthTest;

TEST_F(Health, BeginsUp) {
  auto h = make();
  EXPECT_FALSE(h.decide(at(1)).change);
  EXPECT_EQ(h.state(), kUp);
}

TEST_F(Health, DownAfterFailuresThenDrainingThenUp) {
  auto h = make();
  fail(h, "a:25", 1);
  fail(h, "a:25", 6);
  EXPECT_FALSE(h.decide(at(6)).change);
  fail(h, "a:25", 11);
  auto change = h.decide(at(11)).change;
  ASSERT_TRUE(change);
  EXPECT_EQ(change->from, kUp);
  EXPECT_EQ(change->to, kDown);
  EXPECT_EQ(change->after, 3);
  EXPECT_EQ(change->reason, "connect: refused");
  EXPECT_EQ(h.since(), at(11).wall);

  pass(h, "a:25", 60);
  change = h.decide(at(60)).change;
  ASSERT_TRUE(change);
  EXPECT_EQ(change->to, kDraining);
  EXPECT_TRUE(h.record_drain(report(h, ipc::DrainEvent::kDrained), at(61)));
  change = h.decide(at(61)).change;
  ASSERT_TRUE(change);
  EXPECT_EQ(change->from, kDraining);
  EXPECT_EQ(change->to, kUp);
}

TEST_F(Health, DownOnlyWhenEveryServerIs) {
  auto h = make({"a:25", "b:25"}, 1);
  fail(h, "a:25", 1);
  EXPECT_FALSE(h.decide(at(1)).change);
  ASSERT_NE(h.first_up(), nullptr);
  EXPECT_EQ(h.first_up()->name(), "b:25");
  fail(h, "b:25", 2, "connect: timed out");
  EXPECT_EQ(h.decide(at(2)).change->to, kDown);
  EXPECT_EQ(h.reason(), "a:25: connect: refused; b:25: connect: timed out");
  EXPECT_EQ(h.first_up(), nullptr);
}

TEST_F(Health, LiveSuccessDoesNotMakeADownOneUpButAsksForAProbe) {
  auto h = make_down();
  ipc::Fact ok = fact(Stage::kNone);
  ok.ok = true;
  EXPECT_TRUE(h.record_fact(ok, at(30)));
  EXPECT_FALSE(h.decide(at(30)).change);
}

TEST_F(Health, LiveFailuresThatCount) {
  for (const Stage stage : {Stage::kConnect, Stage::kBanner, Stage::kEhlo, Stage::kMail}) {
    EXPECT_TRUE(counts_as_failure(fact(stage)));
    EXPECT_FALSE(counts_as_failure(fact(stage, 421)));
    EXPECT_FALSE(counts_as_failure(fact(stage, 0, true)));
  }
  EXPECT_TRUE(counts_as_failure(fact(Stage::kBanner, 554)));
  EXPECT_FALSE(counts_as_failure(fact(Stage::kMail, 452)));
  for (const Stage stage : {Stage::kRcpt, Stage::kData, Stage::kContent, Stage::kDot, Stage::kLocal}) {
    EXPECT_FALSE(counts_as_failure(fact(stage)));
  }
}

TEST_F(Health, LiveFailuresTakeItDown) {
  auto h = make();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(h.record_fact(fact(Stage::kConnect), at(2 * i)));
  EXPECT_EQ(h.decide(at(6)).change->to, kDown);
}

TEST_F(Health, FailuresThatOnlyTriggerAProbe) {
  auto h = make();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(h.record_fact(fact(Stage::kMail, 421), at(2 * i)));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(h.record_fact(fact(Stage::kBanner, 0, true), at(50 + 2 * i)));
  EXPECT_FALSE(h.decide(at(100)).change);
}

TEST_F(Health, AnAddressThatIsKnownToBeDownIsNoReasonToLook) {
  auto h = make();
  h.set_addresses("a:25", {"a:25", "other"}, at(0));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(h.record_fact(fact(Stage::kConnect), at(2 * i)));
  EXPECT_FALSE(h.decide(at(6)).change);
  EXPECT_FALSE(h.record_fact(fact(Stage::kConnect), at(8)));
}

TEST_F(Health, FactsOfUnknownServersAreIgnored) {
  auto h = make();
  auto other = fact(Stage::kConnect);
  other.server = "elsewhere:25";
  EXPECT_FALSE(h.record_fact(other, at(1)));
}

TEST_F(Health, DrainingGoesDownOnNewFailures) {
  auto h = make_draining();
  for (int i = 0; i < 3; ++i) fail(h, "a:25", 30 + i);
  EXPECT_EQ(h.decide(at(33)).change->to, kDown);
}

TEST_F(Health, ReportsOfAnotherDrainAreIgnored) {
  auto h = make_draining();
  auto old = report(h, ipc::DrainEvent::kDrained);
  old.since_ms -= 1;
  EXPECT_FALSE(h.record_drain(old, at(21)));
  EXPECT_FALSE(h.decide(at(21)).change);
  auto up = make();
  EXPECT_FALSE(up.record_drain(report(up, ipc::DrainEvent::kFailed), at(21)));
}

TEST_F(Health, AFailedDrainIsDownForAnInterval) {
  auto h = make_draining(20);
  h.record_drain(report(h, ipc::DrainEvent::kFailed, "RCPT: 550 no"), at(30));
  auto change = h.decide(at(30)).change;
  ASSERT_TRUE(change);
  EXPECT_EQ(change->to, kDown);
  EXPECT_EQ(change->reason, "RCPT: 550 no");
  pass(h, "a:25", 100);
  EXPECT_FALSE(h.decide(at(100)).change);
  pass(h, "a:25", 150);
  EXPECT_EQ(h.decide(at(150)).change->to, kDraining);
  EXPECT_EQ(h.reason(), "trying again after: RCPT: 550 no");
  h.record_drain(report(h, ipc::DrainEvent::kDrained), at(151));
  EXPECT_EQ(h.decide(at(151)).change->to, kUp);
  EXPECT_TRUE(h.reason().empty());
}

TEST_F(Health, TheAdminMayTryAFailedDrainAtOnce) {
  auto h = make_draining(20);
  h.record_drain(report(h, ipc::DrainEvent::kFailed, "no"), at(30));
  h.decide(at(30));
  h.forgive_drain();
  EXPECT_FALSE(h.decide(at(31)).change);  // not without a probe
  pass(h, "a:25", 32);
  EXPECT_EQ(h.decide(at(32)).change->to, kDraining);
}

TEST_F(Health, TheBrakeStaysDrainingAndSaysWhy) {
  auto h = make_draining();
  h.record_drain(report(h, ipc::DrainEvent::kBrake, "burst of refusals"), at(25));
  auto decision = h.decide(at(25));
  EXPECT_FALSE(decision.change);
  EXPECT_TRUE(decision.reason_changed);
  EXPECT_EQ(h.state(), kDraining);
  EXPECT_EQ(h.reason(), "burst of refusals");
  h.record_drain(report(h, ipc::DrainEvent::kCanaryAccepted), at(26));
  EXPECT_TRUE(h.decide(at(26)).reason_changed);
  EXPECT_TRUE(h.reason().empty());
}

TEST_F(Health, ABrakeWhileUpIsShown) {
  auto h = make_draining();
  h.record_drain(report(h, ipc::DrainEvent::kDrained), at(21));
  h.decide(at(21));
  EXPECT_TRUE(h.record_drain(report(h, ipc::DrainEvent::kBrake, "burst of refusals"), at(25)));
  h.decide(at(25));
  EXPECT_EQ(h.state(), kUp);
  EXPECT_EQ(h.reason(), "burst of refusals");
  auto again = make();
  again.restore(h.memory(), at(30));
  again.decide(at(30));
  EXPECT_TRUE(again.reason().empty());  // qmgr will say if it still holds
  EXPECT_FALSE(h.record_drain(report(h, ipc::DrainEvent::kFailed), at(26)));
  h.record_drain(report(h, ipc::DrainEvent::kCanaryAccepted), at(27));
  h.decide(at(27));
  EXPECT_TRUE(h.reason().empty());
}

TEST_F(Health, ADrainWithoutHeadwaySaysWhy) {
  auto h = make_draining();
  h.record_fact(fact(Stage::kMail), at(25));
  auto decision = h.decide(at(25));
  EXPECT_FALSE(decision.change);
  EXPECT_TRUE(decision.reason_changed);
  EXPECT_EQ(h.reason(), "why");
  h.record_drain(report(h, ipc::DrainEvent::kBrake, "three senders refused"), at(26));
  h.decide(at(26));
  EXPECT_EQ(h.reason(), "three senders refused");
  h.record_drain(report(h, ipc::DrainEvent::kCanaryAccepted), at(27));
  h.record_fact(fact(Stage::kMail), at(28));
  ipc::Fact good = fact(Stage::kNone);
  good.ok = true;
  h.record_fact(good, at(29));
  h.decide(at(29));
  EXPECT_TRUE(h.reason().empty());
}

TEST_F(Health, RefusingKnownRecipientsIsDownUntilOneIsAccepted) {
  auto h = make();
  h.set_refuses_known("a:25", true, at(1));
  EXPECT_EQ(h.decide(at(1)).change->to, kDown);
  EXPECT_EQ(h.reason(), "refuses known recipients");
  pass(h, "a:25", 200);
  EXPECT_FALSE(h.decide(at(200)).change);
  h.set_refuses_known("a:25", false, at(300));
  EXPECT_EQ(h.decide(at(300)).change->to, kDraining);
}

TEST_F(Health, CountsDowntimeOfOutagesOnly) {
  auto h = make_down(10);
  EXPECT_EQ(h.downtime(at(40).wall), base::Seconds(30));
  pass(h, "a:25", 50);
  h.decide(at(50));
  EXPECT_EQ(h.downtime(at(500).wall), base::Seconds(40));
  h.pause("", "", std::nullopt);
  h.decide(at(600));
  EXPECT_EQ(h.downtime(at(610).wall), base::Seconds(50));
}

TEST_F(Health, DowntimeGoesOnFromDownToPaused) {
  auto h = make_down(10);
  h.pause("", "", std::nullopt);
  h.decide(at(20));
  EXPECT_EQ(h.downtime(at(30).wall), base::Seconds(20));
}

TEST_F(Health, RemembersAcrossARestart) {
  auto before = make_down(10);
  auto after = make();
  after.restore(before.memory(), at(1000));
  EXPECT_EQ(after.state(), kDown);
  EXPECT_EQ(after.since(), before.since());
  EXPECT_EQ(after.reason(), "connect: refused");
  EXPECT_EQ(after.downtime(at(20).wall), base::Seconds(10));
  EXPECT_FALSE(after.decide(at(1000)).change);
  after.set_addresses("a:25", {"a:25"}, at(1000));
  EXPECT_FALSE(after.decide(at(1000)).change);
  pass(after, "a:25", 1001);
  EXPECT_EQ(after.decide(at(1001)).change->to, kDraining);
}

TEST_F(Health, AFailedDrainIsRememberedAcrossARestart) {
  auto before = make_draining();
  before.record_drain(report(before, ipc::DrainEvent::kFailed, "poison"), at(30));
  before.decide(at(30));
  auto after = make();
  after.restore(before.memory(), at(40));
  EXPECT_FALSE(after.decide(at(40)).change);
  EXPECT_EQ(after.reason(), "poison");
  pass(after, "a:25", 41);
  EXPECT_EQ(after.decide(at(41)).change->to, kDraining);
}

TEST_F(Health, ADrainGoesOnAcrossARestart) {
  auto before = make_draining();
  auto after = make();
  after.restore(before.memory(), at(40));
  EXPECT_FALSE(after.decide(at(40)).change);
  EXPECT_EQ(after.state(), kDraining);
  EXPECT_TRUE(after.record_drain(report(before, ipc::DrainEvent::kDrained), at(41)));
  EXPECT_EQ(after.decide(at(41)).change->to, kUp);
}

TEST_F(Health, APauseIsRememberedAcrossARestart) {
  auto before = make();
  before.pause("work", "root", at(100).wall);
  before.decide(at(5));
  auto after = make();
  after.restore(before.memory(), at(40));
  EXPECT_FALSE(after.decide(at(40)).change);
  EXPECT_EQ(after.memory().paused_by, "root");
  EXPECT_EQ(after.decide(at(101)).change->to, kDraining);
}

TEST_F(Health, ServersComeAndGoWithTheConfiguration) {
  auto h = make_down();
  h.configure({.servers = {"b:25", "a:25"}, .rules = {3, 1}, .interval = base::Seconds(120)}, at(20));
  EXPECT_FALSE(h.decide(at(20)).change);  // a new server has to show itself first
  h.set_addresses("b:25", {"b:25"}, at(21));
  pass(h, "b:25", 21);
  EXPECT_EQ(h.decide(at(21)).change->to, kDraining);
  EXPECT_EQ(h.servers().size(), 2U);
  EXPECT_FALSE(h.server("a:25")->up());
}

TEST_F(Health, SinceNamesADrainEvenWithinOneMillisecond) {
  auto h = make_draining(20);
  const auto first = h.since();
  h.record_drain(report(h, ipc::DrainEvent::kFailed, "x"), at(20));
  h.decide(at(20));
  EXPECT_GT(h.since(), first);
}

}  // namespace
}  // namespace holdfast::prober
