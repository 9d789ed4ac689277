#include "master/supervisor.h"

#include <csignal>

#include <gtest/gtest.h>

namespace holdfast::master {
namespace {

using namespace std::chrono_literals;

// A gateway of prober, qmgr, deliver and two smtpd; a clock that the test moves.
class Gateway : public testing::Test {
 protected:
  std::vector<std::string> labels(const Actions& actions) const {
    std::vector<std::string> out;
    for (const auto i : actions.starts) out.push_back(supervisor.children()[i].label());
    return out;
  }
  const Child& child(const std::string& label) const {
    for (const auto& c : supervisor.children()) {
      if (c.label() == label) return c;
    }
    throw std::out_of_range(label);
  }
  // Does what tick() asks for: every start succeeds, with a new pid.
  Actions run() {
    const Actions actions = supervisor.tick(now);
    for (const auto i : actions.starts) supervisor.started(i, next_pid++, now, wall);
    return actions;
  }
  void all_up() {
    run();
    for (const auto& c : supervisor.children()) supervisor.ready(c.pid, wall);
  }
  Supervisor::Death die(const std::string& label) { return supervisor.exited(child(label).pid, now, wall); }

  Mono now{1h};
  base::Wall wall{};
  pid_t next_pid = 101;  // prober 101, qmgr 102, deliver 103, smtpd 104 and 105
  Supervisor supervisor{{{"prober", 1, 1}, {"qmgr", 1, 1}, {"deliver", 1, 0}, {"smtpd", 2, 0}}, now, wall};
};

TEST_F(Gateway, StartsAllInTheOrderOfTheRolesAndOnce) {
  EXPECT_EQ(labels(run()), (std::vector<std::string>{"prober", "qmgr", "deliver", "smtpd 0", "smtpd 1"}));
  EXPECT_TRUE(run().starts.empty());
  EXPECT_FALSE(supervisor.next());
}

TEST_F(Gateway, IsReadyWhenEveryDaemonSaidSo) {
  run();
  for (pid_t pid = 101; pid < 105; ++pid) supervisor.ready(pid, wall);
  EXPECT_FALSE(supervisor.all_ready());
  supervisor.ready(105, wall);
  EXPECT_TRUE(supervisor.all_ready());
}

TEST_F(Gateway, ADeathRestartsThatDaemonOnlyAfterAGrowingDelay) {
  all_up();
  const auto first = die("qmgr");
  EXPECT_TRUE(first.unasked);
  EXPECT_EQ(first.restart_in, 100ms);
  const Actions at_once = run();
  EXPECT_TRUE(at_once.starts.empty());
  EXPECT_TRUE(at_once.signals.empty());
  EXPECT_EQ(supervisor.next(), now + 100ms);
  now += 100ms;
  EXPECT_EQ(labels(run()), (std::vector<std::string>{"qmgr"}));
  EXPECT_EQ(die("qmgr").restart_in, 200ms);
  EXPECT_EQ(child("qmgr").restarts, 2U);
  EXPECT_EQ(child("prober").state, ChildState::kRunning);
}

TEST_F(Gateway, AStartThatFailsCountsAsADeath) {
  const Actions actions = supervisor.tick(now);
  supervisor.not_started(actions.starts.front(), now, wall);
  EXPECT_EQ(child("prober").state, ChildState::kWaiting);
  EXPECT_EQ(child("prober").due, now + 100ms);
}

TEST_F(Gateway, AStrangersDeathIsNoneOfOurs) {
  all_up();
  EXPECT_EQ(supervisor.exited(999, now, wall).child, nullptr);
  EXPECT_EQ(supervisor.exited(0, now, wall).child, nullptr);
}

TEST_F(Gateway, AHangupReachesTheReadyAtOnceAndTheStartingWhenTheyAre) {
  run();
  for (pid_t pid = 101; pid < 105; ++pid) supervisor.ready(pid, wall);
  supervisor.hangup();
  EXPECT_EQ(run().signals, (std::vector<Signal>{{101, SIGHUP}, {102, SIGHUP}, {103, SIGHUP}, {104, SIGHUP}}));
  supervisor.ready(105, wall);
  EXPECT_EQ(run().signals, (std::vector<Signal>{{105, SIGHUP}}));
  EXPECT_TRUE(run().signals.empty());
}

TEST_F(Gateway, TheEndBeginsWithThoseWhoSpeakWithTheWorld) {
  all_up();
  supervisor.stop(now);
  EXPECT_EQ(run().signals, (std::vector<Signal>{{105, SIGTERM}, {104, SIGTERM}, {103, SIGTERM}}));
  now += 1s;
  for (const char* label : {"smtpd 0", "smtpd 1"}) EXPECT_FALSE(die(label).unasked);
  EXPECT_TRUE(run().signals.empty()) << "deliver still has outcomes to tell qmgr";
  die("deliver");
  EXPECT_EQ(run().signals, (std::vector<Signal>{{102, SIGTERM}, {101, SIGTERM}}));
  die("qmgr");
  EXPECT_FALSE(supervisor.all_gone());
  die("prober");
  EXPECT_TRUE(supervisor.all_gone());
  EXPECT_TRUE(run().starts.empty());
}

TEST_F(Gateway, WhoDoesNotEndIsKilledBeforeTenSecondsAreOver) {
  all_up();
  supervisor.stop(now);
  run();
  now += 6s;
  EXPECT_EQ(run().signals, (std::vector<Signal>{{102, SIGTERM}, {101, SIGTERM}}));
  now += 3s;
  const auto killed = run().signals;
  EXPECT_EQ(killed.size(), 5U);
  for (const auto& signal : killed) EXPECT_EQ(signal.number, SIGKILL);
  EXPECT_TRUE(run().signals.empty());
}

TEST_F(Gateway, TheTimesOfTheEndAreKnownBeforehand) {
  all_up();
  supervisor.stop(now);
  run();
  EXPECT_EQ(supervisor.next(), now + 6s);
  now += 6s;
  run();
  EXPECT_EQ(supervisor.next(), now + 3s);
}

TEST_F(Gateway, WhatWaitedForItsRestartIsNotStartedAtTheEnd) {
  all_up();
  die("deliver");
  supervisor.stop(now);
  now += 1s;
  EXPECT_TRUE(run().starts.empty());
  EXPECT_EQ(child("deliver").state, ChildState::kStopped);
}

TEST_F(Gateway, ADaemonThatIsStillStartingIsEndedToo) {
  run();
  supervisor.stop(now);
  EXPECT_EQ(run().signals.size(), 3U);
}

TEST_F(Gateway, PatienceMayEndEarlier) {
  all_up();
  supervisor.stop(now);
  run();
  supervisor.kill_all();
  EXPECT_EQ(run().signals.size(), 5U);
}

TEST_F(Gateway, ARestartOnRequestIsImmediateAndIsNoDeath) {
  all_up();
  EXPECT_TRUE(supervisor.restart("qmgr"));
  EXPECT_EQ(run().signals, (std::vector<Signal>{{102, SIGTERM}}));
  const auto death = die("qmgr");
  EXPECT_FALSE(death.unasked);
  EXPECT_EQ(labels(run()), (std::vector<std::string>{"qmgr"}));
  EXPECT_EQ(child("qmgr").restarts, 0U);
  EXPECT_FALSE(supervisor.restart("nobody"));
}

TEST_F(Gateway, ARestartOnRequestEndsInAKillIfNeeded) {
  all_up();
  supervisor.restart("qmgr");
  run();
  now += 9s;
  EXPECT_EQ(run().signals, (std::vector<Signal>{{102, SIGKILL}}));
}

TEST_F(Gateway, AWaitingDaemonIsStartedAtOnceOnRequest) {
  all_up();
  for (int i = 0; i < 6; ++i) {
    die("qmgr");
    now += 30s;
    run();
  }
  die("qmgr");
  supervisor.restart("qmgr");
  EXPECT_EQ(labels(run()), (std::vector<std::string>{"qmgr"}));
}

}  // namespace
}  // namespace holdfast::master
