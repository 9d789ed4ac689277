#include "common/upstream/server_book.h"

#include <gtest/gtest.h>

namespace holdfast::upstream {
namespace {

using base::Millis;

class ServerBookTest : public testing::Test {
 protected:
  std::optional<std::size_t> pick(std::vector<bool> tried = {false, false, false}) {
    return book.pick(
        now, [this](const ServerName& s) { return s.text != down; }, tried);
  }
  void pass(int ms) { now += Millis{ms}; }

  ServerBook book{{{"a", 25, "a:25"}, {"b", 25, "b:25"}, {"c", 25, "c:25"}}, Millis{5000}, Millis{5000}};
  base::Mono now{std::chrono::hours{1}};
  std::string down;
};

TEST_F(ServerBookTest, ThePreferredOneFirst) {
  EXPECT_EQ(pick(), 0u);
  EXPECT_EQ(pick({true, false, false}), 1u);
  EXPECT_EQ(pick({true, true, true}), std::nullopt);
}

TEST_F(ServerBookTest, ADownOneIsSkippedUnlessAllAre) {
  down = "a:25";
  EXPECT_EQ(pick(), 1u);
  EXPECT_EQ(pick({false, true, true}), std::nullopt);
  const auto all_down = [](const ServerName&) { return false; };
  EXPECT_EQ(book.pick(now, all_down, {false, false, false}), 0u);
  EXPECT_EQ(book.left(all_down, {true, false, false}), 2u);
}

TEST_F(ServerBookTest, AFailedOneIsPassedOverForThePenalty) {
  book.failed(0, now);
  EXPECT_EQ(pick(), 1u);
  pass(4999);
  EXPECT_EQ(pick(), 1u);
  pass(1);
  EXPECT_EQ(pick(), 0u);
}

TEST_F(ServerBookTest, PenalisedOnesAreBetterThanNone) {
  book.failed(0, now);
  book.failed(1, now);
  book.failed(2, now);
  EXPECT_EQ(pick(), 0u);
}

TEST_F(ServerBookTest, OnlyOneTriesAServerThatHadFailed) {
  book.failed(0, now);
  pass(5000);
  ASSERT_EQ(pick(), 0u);
  book.attempt(0, now);
  EXPECT_EQ(pick(), 1u);
  book.succeeded(0);
  EXPECT_EQ(pick(), 0u);
  book.attempt(0, now);  // of a server that stands nothing is held back
  EXPECT_EQ(pick(), 0u);
}

TEST_F(ServerBookTest, TheBreaker) {
  EXPECT_FALSE(book.breaker_open(now));
  book.all_failed(now);
  EXPECT_TRUE(book.breaker_open(now));
  pass(4999);
  EXPECT_TRUE(book.breaker_open(now));
  pass(1);
  EXPECT_FALSE(book.breaker_open(now));
  book.all_failed(now);
  book.succeeded(2);
  EXPECT_FALSE(book.breaker_open(now));
}

TEST_F(ServerBookTest, Forgiveness) {
  book.failed(0, now);
  book.all_failed(now);
  book.forgive();
  EXPECT_FALSE(book.breaker_open(now));
  EXPECT_EQ(pick(), 0u);
}

TEST_F(ServerBookTest, ReportsASuccessOnceASecond) {
  EXPECT_TRUE(book.worth_reporting(0, now));
  EXPECT_TRUE(book.worth_reporting(1, now));
  pass(999);
  EXPECT_FALSE(book.worth_reporting(0, now));
  pass(1);
  EXPECT_TRUE(book.worth_reporting(0, now));
}

TEST_F(ServerBookTest, MarksByText) {
  EXPECT_EQ(book.marked({"b:25", "x:1"}), (std::vector<bool>{false, true, false}));
}

TEST(ServerBookOfEquals, AreChosenByChanceHostByHost) {
  const auto server = [](const char* host, const char* name, int rank) {
    return ServerName{.host = host, .port = 25, .text = host, .name = name, .rank = rank};
  };
  ServerBook book({server("1", "a", 11), server("2", "a", 11), server("3", "b", 11), server("4", "c", 21)}, Millis{5000},
                  Millis{5000});
  const base::Mono now{std::chrono::hours{1}};
  const auto count = [&](const std::vector<bool>& tried) {
    std::vector<int> out(4);
    for (int i = 0; i < 400; ++i) ++out[*book.pick(now, {}, tried)];
    return out;
  };
  auto chosen = count({false, false, false, false});
  EXPECT_GT(chosen[0], 100) << "half of 400, but once in 10^23";
  EXPECT_GT(chosen[2], 100) << "a host is chosen, not an address";
  EXPECT_EQ(chosen[1] + chosen[3], 0);
  chosen = count({true, false, false, false});
  EXPECT_GT(chosen[1], 100) << "the host's next address is as good";
  EXPECT_EQ(count({true, true, true, false})[3], 400) << "then the less preferred";
  book.failed(2, now);
  EXPECT_EQ(count({false, false, false, false})[0], 400) << "not one that has just failed";
}

}  // namespace
}  // namespace holdfast::upstream
