#include "alertd/program.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace holdfast::alertd {
namespace {

using namespace std::chrono_literals;

Answer run(const std::vector<std::string>& words, const std::string& input = "", base::Seconds limit = 20s,
           const std::vector<std::string>& environment = {}) {
  net::Loop loop;
  Answer out;
  Program program(loop, {.words = words, .environment = environment, .input = input, .limit = limit},
                  [&](const Answer& answer) {
                    out = answer;
                    loop.stop();
                  });
  loop.run();
  return out;
}

TEST(Program, EndsWell) {
  const auto answer = run({"/bin/true"});
  EXPECT_TRUE(answer.ok);
  EXPECT_EQ(answer.said, "exit 0");
}

TEST(Program, SaysHowItFailed) {
  const auto answer = run({"/bin/sh", "-c", "echo no pager >&2; exit 3"});
  EXPECT_FALSE(answer.ok);
  EXPECT_EQ(answer.said, "exit 3: no pager");
  EXPECT_EQ(run({"/nowhere/at/all"}).said, "exit 127: it cannot be run");
}

TEST(Program, HasItsInputAndItsEnvironmentAndNothingOfOurs) {
  ::setenv("SECRET_OF_OURS", "x", 1);
  const auto answer = run({"/bin/sh", "-c", "cat; echo \"/$HOLDFAST_KIND/$SECRET_OF_OURS\""}, "{}", 20s, {"HOLDFAST_KIND=a 'b' $(c)"});
  EXPECT_EQ(answer.said, "exit 0: {}/a 'b' $(c)/");
}

TEST(Program, HasNoDescriptorsOfOurs) {
  // ls itself opens the folder: 0, 1, 2 and that one.
  EXPECT_EQ(run({"/bin/sh", "-c", "ls /proc/self/fd | wc -l"}).said, "exit 0: 4");
}

TEST(Program, IsKilledWithAllItStartedWhenItsTimeIsUp) {
  const auto answer = run({"/bin/sh", "-c", "sleep 100 & sleep 100"}, "", 1s);
  EXPECT_FALSE(answer.ok);
  EXPECT_EQ(answer.said, "killed after 1 s");
}

TEST(Program, MayWriteMuchAndReadNothing) {
  const auto answer = run({"/bin/sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x"}, std::string(60'000, 'y'));
  EXPECT_TRUE(answer.ok) << answer.said;
  EXPECT_LE(answer.said.size(), 320U);
}

}  // namespace
}  // namespace holdfast::alertd
