#include "common/daemon/arguments.h"

#include <gtest/gtest.h>

namespace holdfast::daemon {
namespace {

TEST(Arguments, AreRead) {
  const auto got = parse_arguments({"--config", "/x.yaml", "--worker", "1", "--workers", "2", "--writer", "77",
                                    "--ready-fd", "3", "--life-fd", "4", "--listen-fd", "5", "--listen-fd", "6"});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->config, "/x.yaml");
  EXPECT_EQ(got->worker, 1u);
  EXPECT_EQ(got->workers, 2u);
  EXPECT_EQ(got->writer, 77u);
  EXPECT_EQ(got->ready_fd, 3);
  EXPECT_EQ(got->life_fd, 4);
  EXPECT_EQ(got->listen_fds, (std::vector{5, 6}));
}

TEST(Arguments, WrongOnesAreUsageErrors) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--worker"}, {"--worker", "x"}, {"--worker", "-1"}, {"--nonsense", "1"}, {"--writer", "99999999999"}}) {
    const auto got = parse_arguments(words);
    ASSERT_FALSE(got) << words[0];
    EXPECT_EQ(got.error().kind, base::Kind::kUsage);
  }
}

}  // namespace
}  // namespace holdfast::daemon
