#include "common/milter/verdict.h"

#include <gtest/gtest.h>

namespace holdfast::milter {
namespace {

TEST(ParseReply, OneLine) {
  const auto reply = parse_reply("550 5.7.1 Spam is 100%% unwanted");
  ASSERT_TRUE(reply);
  EXPECT_EQ(*reply, mail::Reply::make(550, "5.7.1", "Spam is 100% unwanted"));
}

TEST(ParseReply, SeveralLines) {
  const auto reply = parse_reply("451-4.7.1 One\r\n451-4.7.1 Two\r\n451 4.7.1 Three\r\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->code, 451);
  EXPECT_EQ(reply->enhanced, "4.7.1");
  EXPECT_EQ(reply->lines, (std::vector<std::string>{"One", "Two", "Three"}));
}

TEST(ParseReply, WithoutEnhancedCode) {
  EXPECT_EQ(*parse_reply("554 No"), mail::Reply::make(554, "", "No"));
  EXPECT_EQ(*parse_reply("554 4.7.1 No"), mail::Reply::make(554, "", "4.7.1 No")) << "of another class: text";
  EXPECT_EQ(*parse_reply("554"), mail::Reply::make(554, "", ""));
}

TEST(ParseReply, NeverAControlCharacter) { EXPECT_EQ(parse_reply("554 a\rb\tc\x7f")->lines[0], "a?b?c?"); }

TEST(ParseReply, RefusesOthers) {
  for (const std::string& text : {std::string(), std::string("250 ok"), std::string("5 no"), std::string("5x0 no"), std::string("600 no"), std::string("5500 no"),
                           std::string("550-a\r\n551 b"), std::string("550-a\r\nb")}) {
    EXPECT_FALSE(parse_reply(text)) << text;
  }
  std::string many;
  for (int i = 0; i < 33; ++i) many += "550-x\r\n";
  EXPECT_FALSE(parse_reply(many));
}

}  // namespace
}  // namespace holdfast::milter
