#include "common/smtp/reply_parser.h"

#include <gtest/gtest.h>

namespace holdfast::smtp {
namespace {

using Progress = ReplyParser::Progress;

TEST(ReplyParser, OneLine) {
  ReplyParser parser;
  EXPECT_EQ(parser.line("250 2.1.0 Ok", 14), Progress::kComplete);
  EXPECT_EQ(parser.take(), mail::Reply::make(250, "", "2.1.0 Ok"));
}

TEST(ReplyParser, SeveralLines) {
  ReplyParser parser;
  EXPECT_EQ(parser.line("250-a", 7), Progress::kMore);
  EXPECT_EQ(parser.line("250-", 6), Progress::kMore);
  EXPECT_EQ(parser.line("250", 5), Progress::kComplete);
  EXPECT_EQ(parser.take(), (mail::Reply{250, "", {"a", "", ""}}));
  EXPECT_EQ(parser.line("221 x", 7), Progress::kComplete);
  EXPECT_EQ(parser.take(), mail::Reply::make(221, "", "x"));
}

TEST(ReplyParser, RefusesWhatIsNoReply) {
  for (const char* line :
       {"", "2", "25", "250Ok", "abc", "25x hello", "199 x", "600 x", "000", " 250 x", "-25 x", "HTTP/1.1 400 Bad"}) {
    ReplyParser parser;
    EXPECT_FALSE(parser.line(line, 10)) << line;
  }
}

TEST(ReplyParser, RefusesTwoCodesInOne) {
  ReplyParser parser;
  EXPECT_TRUE(parser.line("250-a", 7));
  EXPECT_FALSE(parser.line("550 b", 7));
}

TEST(ReplyParser, CleansControlCharacters) {
  ReplyParser parser;
  EXPECT_TRUE(parser.line(std::string_view("250 a\rb\0c\x7f\t\xc3", 12), 14));
  EXPECT_EQ(parser.take().lines.front(), "a?b?c?\t\xc3");
}

TEST(ReplyParser, KeepsABoundedPart) {
  ReplyParser parser;
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(parser.line("250-x", 7), Progress::kMore);
  EXPECT_EQ(parser.line("250 end", 9), Progress::kComplete);
  EXPECT_EQ(parser.take().lines.size(), ReplyParser::kMaxLines);
  const std::string line = "250-" + std::string(1000, 'x');
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(parser.line(line, line.size()));
  EXPECT_TRUE(parser.line("250 end", 9));
  EXPECT_LE(parser.take().lines.size(), 20u);
}

TEST(ReplyParser, GivesUpOnAnEndlessOne) {
  ReplyParser parser;
  const std::string line = "250-" + std::string(995, 'x');
  int lines = 0;
  while (parser.line(line, 1001)) ASSERT_LT(++lines, 1001);
  EXPECT_EQ(lines, 999);
}

mail::Reply split(int code, std::vector<std::string> lines) {
  mail::Reply reply{code, "", std::move(lines)};
  split_enhanced(reply);
  return reply;
}

TEST(SplitEnhanced, FromEveryLine) {
  EXPECT_EQ(split(550, {"5.1.1 No", "5.1.1 such user"}), (mail::Reply{550, "5.1.1", {"No", "such user"}}));
  EXPECT_EQ(split(250, {"2.0.0"}), (mail::Reply{250, "2.0.0", {""}}));
  EXPECT_EQ(split(550, {"", "5.9.1", "b"}), (mail::Reply{550, "5.9.1", {"", "", "b"}}));
  EXPECT_EQ(split(250, {"2.0.0  two"}), (mail::Reply{250, "2.0.0", {" two"}}));
}

TEST(SplitEnhanced, OnlyWhereItIsOne) {
  EXPECT_EQ(split(550, {"4.1.1 No"}), (mail::Reply{550, "", {"4.1.1 No"}}));
  EXPECT_EQ(split(550, {"5.1.1: No"}), (mail::Reply{550, "", {"5.1.1: No"}}));
  EXPECT_EQ(split(550, {"No", "5.1.1 user"}), (mail::Reply{550, "", {"No", "5.1.1 user"}}));
  EXPECT_EQ(split(550, {"5.1.1 No", "user"}), (mail::Reply{550, "5.1.1", {"No", "user"}}));
  EXPECT_EQ(split(354, {"2.0.0 x"}), (mail::Reply{354, "", {"2.0.0 x"}}));
}

}  // namespace
}  // namespace holdfast::smtp
