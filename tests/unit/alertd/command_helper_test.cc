#include "alertd/command_helper.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/file.h"

namespace holdfast::alertd {
namespace {

// A configuration with a command, a helper that was forked for it, and the loop of who asks.
class CommandHelperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/hf-command-XXXXXX";
    folder_ = ::mkdtemp(name);
    configure("[/bin/sh, -c, 'cat; echo \"/$HOLDFAST_KIND/$HOLDFAST_LD_PRELOAD/$LD_PRELOAD\"']");
    auto helper = start_command_helper(file());
    ASSERT_TRUE(helper);
    runner_ = std::make_unique<CommandRunner>(loop_, std::move(*helper), [this] {
      gone_ = true;
      loop_.stop();
    });
  }
  void TearDown() override {
    runner_.reset();
    while (::wait(nullptr) > 0) {}
    std::filesystem::remove_all(folder_);
  }

  std::string file() const { return folder_ + "/gateway.yaml"; }
  void configure(const std::string& command) {
    ASSERT_TRUE(base::replace_file(file(), "hostname: mx.example.test\npaths: {base: " + folder_ + "}\nalerts: {command_limit: 5s, command: " +
                                               command + "}\n"));
  }
  Answer run(const std::vector<Fact>& facts = {}, const std::string& input = "") {
    Answer out;
    runner_->run(facts, input, [&](const Answer& answer) {
      out = answer;
      loop_.stop();
    });
    loop_.run();
    return out;
  }

  std::string folder_;
  net::Loop loop_;
  std::unique_ptr<CommandRunner> runner_;
  bool gone_ = false;
};

TEST_F(CommandHelperTest, PassesFactsAndInputAndNothingElse) {
  const auto answer = run({{"kind", "destination_down"}, {"ld_preload", "x.so"}}, "{}");
  EXPECT_TRUE(answer.ok);
  EXPECT_EQ(answer.said, "exit 0: {}/destination_down/x.so/");
}

TEST_F(CommandHelperTest, RunsWhatTheConfigurationSaysNow) {
  configure("[/bin/false]");
  EXPECT_EQ(run().said, "exit 1");
  configure("[]");
  EXPECT_EQ(run().said, "no command is set any more");
}

TEST_F(CommandHelperTest, TakesTwoAtOnce) {
  configure("[/bin/sh, -c, 'read line; echo $line']");
  int left = 2;
  std::string said[2];
  for (int i : {0, 1}) {
    runner_->run({}, i == 0 ? "one\n" : "two\n", [&, i](const Answer& answer) {
      said[i] = answer.said;
      if (--left == 0) loop_.stop();
    });
  }
  loop_.run();
  EXPECT_EQ(said[0], "exit 0: one");
  EXPECT_EQ(said[1], "exit 0: two");
}

TEST_F(CommandHelperTest, WhatIsTooLongIsRefusedAndTheNextGoes) {
  EXPECT_FALSE(run({}, std::string(4 << 20, 'x')).ok);
  EXPECT_TRUE(run().ok);
}

TEST_F(CommandHelperTest, ItsEndAnswersWhoWaitsAndIsTold) {
  configure("[/bin/sh, -c, 'kill -9 $PPID; sleep 100']");
  Answer out;
  runner_->run({}, "", [&](const Answer& answer) { out = answer; });
  loop_.run();
  EXPECT_TRUE(gone_);
  EXPECT_EQ(out.said, "the process that runs commands has ended");
}

TEST_F(CommandHelperTest, EndsWithUsAndKillsWhatRuns) {
  const std::string pipe = folder_ + "/pid";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  configure("[/bin/sh, -c, 'echo $$ >" + pipe + "; exec sleep 1000']");
  runner_->run({}, "", [](const Answer&) {});
  char text[32]{};
  const base::UniqueFd reader(::open(pipe.c_str(), O_RDONLY));  // waits for the writer
  ASSERT_GT(::read(reader.get(), text, sizeof text - 1), 0);
  const auto pid = static_cast<pid_t>(std::atoi(text));
  ASSERT_EQ(::kill(pid, 0), 0);
  runner_.reset();
  while (::wait(nullptr) > 0) {}  // the helper, which has waited for its own child
  EXPECT_NE(::kill(pid, 0), 0);
}

}  // namespace
}  // namespace holdfast::alertd
