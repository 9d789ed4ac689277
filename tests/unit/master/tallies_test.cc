#include "master/tallies.h"

#include <functional>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::master {
namespace {

using stats::Counter;

// As a daemon does that master has started.
void process(Tallies& tallies, const std::string& name, std::uint32_t worker, std::uint64_t sent) {
  const auto fd = tallies.page_for(name, worker);
  ASSERT_TRUE(fd);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const auto page = *stats::Page::open(*fd);
    page.use();
    stats::count(Counter::kSent, sent);
    stats::count_answer("office", stats::Answer::kAccepted, std::chrono::milliseconds{1});
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
}

TEST(Tallies, AddUpTheWorkers) {
  Tallies tallies;
  process(tallies, "deliver", 0, 3);
  process(tallies, "deliver", 1, 4);
  process(tallies, "smtpd", 0, 50);
  EXPECT_EQ(tallies.sums().at("deliver")[Counter::kSent], 7u);
  EXPECT_EQ(tallies.sums().at("smtpd")[Counter::kSent], 50u);
}

TEST(Tallies, NeverFallWhenOneIsStartedAnew) {
  Tallies tallies;
  process(tallies, "deliver", 0, 3);
  process(tallies, "deliver", 1, 4);
  tallies.ended("deliver", 1);
  EXPECT_EQ(tallies.sums().at("deliver")[Counter::kSent], 7u);
  process(tallies, "deliver", 1, 1);
  EXPECT_EQ(tallies.sums().at("deliver")[Counter::kSent], 8u);
  EXPECT_EQ(tallies.sums().at("deliver").destinations.at("office")[stats::Answer::kAccepted], 3u);
}

TEST(Tallies, OneThatNeverStartedHasNothingToEnd) {
  Tallies tallies;
  tallies.ended("qmgr", 0);
  EXPECT_TRUE(tallies.sums().empty());
}

}  // namespace
}  // namespace holdfast::master
