#include "common/smtp/command.h"

#include <gtest/gtest.h>

namespace holdfast::smtp {
namespace {

TEST(ParseCommand, VerbsInAnyCase) {
  EXPECT_EQ(parse_command("MAIL FROM:<a@b>").verb, Verb::kMail);
  EXPECT_EQ(parse_command("mail FROM:<a@b>").argument, "FROM:<a@b>");
  EXPECT_EQ(parse_command("nOoP  x y  ").argument, "x y");
  EXPECT_EQ(parse_command("DATA").argument, "");
  EXPECT_EQ(parse_command("DATA ").argument, "");
}

TEST(ParseCommand, WhatIsNone) {
  for (const char* line : {"", " ", " NOOP", "NOOPX", "MAIL\tFROM:", "banner", "end of DATA", "MAILFROM:<a@b>"}) {
    EXPECT_EQ(parse_command(line).verb, Verb::kUnknown) << line;
  }
  EXPECT_EQ(parse_command("ETRN").verb, Verb::kNotImplemented);
  EXPECT_EQ(parse_command("BURL x").verb, Verb::kNotImplemented);
  EXPECT_EQ(parse_command("GET / HTTP/1.1").verb, Verb::kForeign);
}

TEST(ParseMail, AddressAndParameters) {
  const auto mail = parse_mail("FROM:<a@b.test> size=123 BODY=8bitmime");
  ASSERT_TRUE(mail);
  EXPECT_EQ(mail->sender.text(), "a@b.test");
  EXPECT_EQ(mail->size, 123u);
  EXPECT_EQ(mail->body, mail::Body::k8BitMime);
  EXPECT_EQ(mail->parameters, "size=123 BODY=8bitmime");
}

TEST(ParseMail, WithoutParameters) {
  const auto mail = parse_mail("from: <>");
  ASSERT_TRUE(mail);
  EXPECT_TRUE(mail->sender.null());
  EXPECT_FALSE(mail->size);
  EXPECT_EQ(mail->body, mail::Body::k7Bit);
}

std::string refusal(std::string_view argument) {
  const auto mail = parse_mail(argument);
  return mail ? "accepted" : mail.error().text().substr(0, 9);
}

TEST(ParseMail, Refusals) {
  EXPECT_EQ(refusal(""), "501 5.5.4");
  EXPECT_EQ(refusal("<a@b>"), "501 5.5.4");
  EXPECT_EQ(refusal("TO:<a@b>"), "501 5.5.4");
  EXPECT_EQ(refusal("FROM:a@b"), "501 5.5.4");
  EXPECT_EQ(refusal("FROM:<a b@c>"), "501 5.1.7");
  EXPECT_EQ(refusal("FROM:<a@b>SIZE=1"), "501 5.1.7");
  EXPECT_EQ(refusal("FROM:<postmaster>"), "501 5.1.7");
  EXPECT_EQ(refusal("FROM:<a@b> SIZE=x"), "501 5.5.4");
  EXPECT_EQ(refusal("FROM:<a@b> SIZE"), "501 5.5.4");
  EXPECT_EQ(refusal("FROM:<a@b> SIZE=-1"), "501 5.5.4");
  EXPECT_EQ(refusal("FROM:<a@b> SIZE=99999999999999999999"), "501 5.5.4");
  EXPECT_EQ(refusal("FROM:<a@b> SIZE=18446744073709551615"), "accepted");
  EXPECT_EQ(refusal("FROM:<a@b> SIZE=1 SIZE=1"), "501 5.5.4");
  EXPECT_EQ(refusal("FROM:<a@b> BODY=BINARYMIME"), "501 5.5.4");
  EXPECT_EQ(refusal("FROM:<a@b> BODY=7BIT BODY=7BIT"), "501 5.5.4");
  EXPECT_EQ(refusal("FROM:<a@b> SMTPUTF8"), "555 5.5.4");
  EXPECT_EQ(refusal("FROM:<a@b> RET=FULL"), "555 5.5.4");
  EXPECT_EQ(refusal("FROM:<a@b> =1"), "555 5.5.4");
}

TEST(ParseRcpt, AddressOnly) {
  EXPECT_EQ(parse_rcpt("TO:<a@b.test>")->recipient.text(), "a@b.test");
  EXPECT_EQ(parse_rcpt("to: <@x.test:a@b.test> ")->recipient.text(), "a@b.test");
  EXPECT_EQ(parse_rcpt("TO:<Postmaster>")->recipient.text(), "Postmaster");
  EXPECT_EQ(parse_rcpt("TO:<>").error().text().substr(0, 9), "501 5.1.3");
  EXPECT_EQ(parse_rcpt("TO:<a>").error().text().substr(0, 9), "501 5.1.3");
  EXPECT_EQ(parse_rcpt("TO:a@b").error().text().substr(0, 9), "501 5.5.4");
  EXPECT_EQ(parse_rcpt("TO:<a@b> NOTIFY=NEVER").error().text().substr(0, 9), "555 5.5.4");
}

TEST(ParseHelo, OneWord) {
  EXPECT_EQ(parse_helo("mx.example.test"), "mx.example.test");
  EXPECT_EQ(parse_helo("[192.0.2.1]"), "[192.0.2.1]");
  EXPECT_FALSE(parse_helo(""));
  EXPECT_FALSE(parse_helo("a b"));
  EXPECT_FALSE(parse_helo(std::string(256, 'a')));
}

}  // namespace
}  // namespace holdfast::smtp
