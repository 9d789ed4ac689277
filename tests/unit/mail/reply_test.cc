#include "common/mail/reply.h"

#include <gtest/gtest.h>

namespace holdfast::mail {
namespace {

TEST(Reply, OneLine) {
  const Reply reply = Reply::make(550, "5.1.1", "No such user");
  EXPECT_EQ(reply.text(), "550 5.1.1 No such user");
  EXPECT_EQ(reply.wire(), "550 5.1.1 No such user\r\n");
  EXPECT_TRUE(reply.permanent());
  EXPECT_FALSE(reply.temporary());
}

TEST(Reply, SeveralLines) {
  const Reply reply{451, "4.3.0", {"First", "", "third"}};
  EXPECT_EQ(reply.text(), "451 4.3.0 First third");
  EXPECT_EQ(reply.wire(), "451-4.3.0 First\r\n451-4.3.0\r\n451 4.3.0 third\r\n");
}

TEST(Reply, WithoutEnhancedCodeOrText) {
  EXPECT_EQ(Reply::make(250, "", "Ok").wire(), "250 Ok\r\n");
  EXPECT_EQ(Reply::make(250, "", "").wire(), "250 \r\n");
  EXPECT_EQ(Reply::make(250, "", "").text(), "250");
}

TEST(Reply, AnIntermediateOneHasNoEnhancedCode) {
  EXPECT_EQ(Reply::make(354, "2.0.0", "Go on").wire(), "354 Go on\r\n");
}

TEST(Reply, WireIsWellFormedWhateverWasSaid) {
  EXPECT_EQ(Reply::make(550, "", "a\r\n250 b\tc\x01\x7f\xc3\xa4").wire(), "550 a??250 b\tc????\r\n");
  const std::string wire = Reply::make(250, "2.0.0", std::string(5000, 'x')).wire();
  EXPECT_EQ(wire.size(), 512u);
  EXPECT_TRUE(wire.ends_with("x\r\n"));
}

TEST(Reply, Dsn) {
  EXPECT_EQ(Reply::make(250, "2.6.0", "").dsn(), "2.6.0");
  EXPECT_EQ(Reply::make(250, "", "").dsn(), "2.0.0");
  EXPECT_EQ(Reply::make(421, "", "").dsn(), "4.0.0");
  EXPECT_EQ(Reply::make(554, "", "").dsn(), "5.0.0");
}

TEST(ReplyDeath, WithoutCodeItIsNoReply) { EXPECT_DEATH(Reply{}.wire(), "without code"); }

TEST(EnhancedCode, Grammar) {
  for (const char* text : {"2.0.0", "5.1.10", "4.7.123", "5.100.999"}) EXPECT_TRUE(is_enhanced_code(text)) << text;
  for (const char* text :
       {"", "5", "5.1", "5.1.", "5..1", "3.1.1", "5.1.1.", "5.1.1x", "5.1000.1", "5.1.1000", "55.1.1"}) {
    EXPECT_FALSE(is_enhanced_code(text)) << text;
  }
}

TEST(SpeaksOfRecipient, ByEnhancedCodeElseByCode) {
  for (const char* code : {"5.1.1", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.1"}) {
    EXPECT_TRUE(speaks_of_recipient(Reply::make(554, code, "x"))) << code;
  }
  for (const char* code : {"5.1.2", "5.1.8", "5.7.1", "5.2.2", "5.0.0", "5.1.11"}) {
    EXPECT_FALSE(speaks_of_recipient(Reply::make(550, code, "x"))) << code;
  }
  for (const int code : {550, 551, 553}) EXPECT_TRUE(speaks_of_recipient(Reply::make(code, "", "x"))) << code;
  for (const int code : {250, 450, 552, 554, 500})
    EXPECT_FALSE(speaks_of_recipient(Reply::make(code, "", "x"))) << code;
  EXPECT_FALSE(speaks_of_recipient(Reply::make(450, "5.1.1", "x")));
}

TEST(SpeaksOfRecipient, OfAKeptText) {
  EXPECT_TRUE(speaks_of_recipient("550 5.1.1 No such user"));
  EXPECT_TRUE(speaks_of_recipient("550 No such user"));
  EXPECT_TRUE(speaks_of_recipient("550"));
  EXPECT_TRUE(speaks_of_recipient("550 2.1.10 No such user"));  // of another class: text, as split_enhanced() has it
  EXPECT_TRUE(speaks_of_recipient("550 5.1.1"));
  EXPECT_FALSE(speaks_of_recipient("550 5.7.1 No"));
  EXPECT_FALSE(speaks_of_recipient("5500"));
  EXPECT_FALSE(speaks_of_recipient(""));
  EXPECT_FALSE(speaks_of_recipient("connect: connection refused"));
}

TEST(SenderPolicy, PatternsAndGreylisting) {
  const std::vector<std::string> patterns{"4.1.7", "4.1.8", "4.7.*"};
  EXPECT_TRUE(is_sender_policy(Reply::make(450, "4.7.1", "no"), patterns));
  EXPECT_TRUE(is_sender_policy(Reply::make(450, "4.1.8", "no"), patterns));
  EXPECT_FALSE(is_sender_policy(Reply::make(450, "4.1.1", "no"), patterns));
  EXPECT_FALSE(is_sender_policy(Reply::make(450, "4.70.1", "no"), patterns));
  EXPECT_FALSE(is_sender_policy(Reply::make(450, "", "no"), patterns));
  EXPECT_FALSE(is_sender_policy(Reply::make(550, "4.7.1", "greylisted"), patterns));
  EXPECT_TRUE(is_sender_policy(Reply::make(451, "4.2.0", "You are GreyListed"), patterns));
  EXPECT_TRUE(is_sender_policy(Reply{451, "", {"Sorry", "graylisting in force"}}, {}));
  EXPECT_FALSE(is_sender_policy(Reply::make(451, "", "grey skies"), patterns));
}

}  // namespace
}  // namespace holdfast::mail
