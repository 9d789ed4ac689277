#include "common/policy/answer_pattern.h"

#include <gtest/gtest.h>

namespace holdfast::policy {
namespace {

using Answer = std::array<std::uint8_t, 4>;

bool counts(std::string_view pattern, Answer answer) {
  const auto made = AnswerPattern::parse(pattern);
  EXPECT_TRUE(made) << pattern;
  return made && made->matches(answer);
}

TEST(AnswerPattern, NumbersRangesAndStars) {
  EXPECT_TRUE(counts("127.0.0.2", {127, 0, 0, 2}));
  EXPECT_FALSE(counts("127.0.0.2", {127, 0, 0, 3}));
  EXPECT_TRUE(counts("127.0.0.2..11", {127, 0, 0, 11}));
  EXPECT_FALSE(counts("127.0.0.2..11", {127, 0, 0, 12}));
  EXPECT_TRUE(counts("127.0.*.4..7", {127, 0, 200, 5}));
  EXPECT_TRUE(counts("127.0..3.0.2", {127, 3, 0, 2}));
  EXPECT_TRUE(counts("127.0.0.10, 127.0.1.2", {127, 0, 1, 2}));
}

TEST(AnswerPattern, WithoutOneAllCountsButWhatSaysThatWeAreNotServed) {
  const AnswerPattern all;
  EXPECT_TRUE(all.matches({127, 0, 0, 2}));
  EXPECT_TRUE(all.matches({127, 255, 0, 1}));
  EXPECT_FALSE(all.matches({127, 255, 255, 254}));
  EXPECT_FALSE(all.matches({10, 0, 0, 1}));
}

TEST(AnswerPattern, WhatIsNone) {
  for (const char* text : {"", "127.0.0", "127.0.0.2.3", "127.0.0.256", "127.0.0.9..2", "a.b.c.d", "127.0.0.2,", "127.0.0.2..", "127...2"}) {
    EXPECT_FALSE(AnswerPattern::parse(text)) << text;
  }
}

}  // namespace
}  // namespace holdfast::policy
