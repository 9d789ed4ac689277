#include "smtpd/patience.h"

#include <gtest/gtest.h>

namespace holdfast::smtpd {
namespace {

using Fault = Patience::Fault;
base::Mono at(int seconds) { return base::Mono{base::Seconds{100 + seconds}}; }

constexpr Patience::Rules kRules{.command = base::Seconds{300}, .content = base::Seconds{1800}, .min_rate = 20};

TEST(Patience, WithTheNextCommand) {
  Patience patience;
  patience.begin_command(at(0));
  EXPECT_FALSE(patience.look(at(300), kRules));
  EXPECT_EQ(patience.look(at(301), kRules), Fault::kCommand);
  patience.begin_command(at(301));
  EXPECT_FALSE(patience.look(at(600), kRules));
}

TEST(Patience, WithAllOfTheContent) {
  Patience patience;
  patience.begin_content(at(0));
  for (int second = 1; second <= 1800; ++second) {
    patience.content(1000);
    ASSERT_FALSE(patience.look(at(second), kRules)) << second;
  }
  EXPECT_EQ(patience.look(at(1801), kRules), Fault::kContent);
  patience.begin_command(at(1801));
  EXPECT_FALSE(patience.look(at(1802), kRules));
}

TEST(Patience, NotWithDrops) {
  Patience patience;
  patience.begin_content(at(0));
  patience.content(20 * 60);
  EXPECT_FALSE(patience.look(at(60), kRules));
  patience.content(20 * 60 - 1);
  EXPECT_FALSE(patience.look(at(119), kRules));
  EXPECT_EQ(patience.look(at(120), kRules), Fault::kTooSlow);
}

TEST(Patience, APauseIsNoDrop) {
  Patience patience;
  patience.begin_content(at(0));
  EXPECT_FALSE(patience.look(at(60), kRules));
  EXPECT_FALSE(patience.look(at(120), kRules));
}

TEST(Patience, NoRateIsAskedForWhereThereIsNone) {
  Patience patience;
  patience.begin_content(at(0));
  patience.content(1);
  EXPECT_FALSE(patience.look(at(60), {.min_rate = 0}));
}

}  // namespace
}  // namespace holdfast::smtpd
