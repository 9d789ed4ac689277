#include "common/smtp/parameters.h"

#include <gtest/gtest.h>

#include "common/smtp/xclient.h"

namespace holdfast::smtp {
namespace {

mail::Capabilities all() {
  mail::Capabilities out;
  out.esmtp = out.size = out.eightbitmime = out.smtputf8 = out.dsn = true;
  return out;
}

TEST(Parameters, MailCarriesWhatIsOffered) {
  const MailParameters message{.size = 5, .eightbit = true, .smtputf8 = true, .ret = "HDRS", .envid = "e+2B"};
  EXPECT_EQ(mail_parameters(all(), message), "SIZE=5 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=e+2B");
  EXPECT_EQ(mail_parameters({}, message), "");
  EXPECT_EQ(mail_parameters(all(), {}), "");
  mail::Capabilities dsn;
  dsn.dsn = true;
  EXPECT_EQ(mail_parameters(dsn, message), "RET=HDRS ENVID=e+2B");
}

TEST(Parameters, RcptCarriesWhatIsOffered) {
  EXPECT_EQ(rcpt_parameters(all(), "NEVER", "rfc822;a@b"), "NOTIFY=NEVER ORCPT=rfc822;a@b");
  EXPECT_EQ(rcpt_parameters(all(), "", ""), "");
  EXPECT_EQ(rcpt_parameters({}, "NEVER", "rfc822;a@b"), "");
  mail::Capabilities dsn;
  dsn.dsn = true;
  EXPECT_EQ(rcpt_parameters(dsn, "NEVER", "utf-8;\xc3\xa4@b"), "NOTIFY=NEVER") << "raw UTF-8 goes where UTF-8 goes";
}

// RFC 6533 section 3.
TEST(Parameters, OrcptInUtf8) {
  EXPECT_TRUE(is_orcpt("utf-8;\xc3\xa4@b", true));
  EXPECT_FALSE(is_orcpt("utf-8;\xc3\xa4@b", false));
  EXPECT_FALSE(is_orcpt("utf-8;\xc3@b", true));
  EXPECT_FALSE(is_orcpt("rfc822;\xc3\xa4@b", true));
  for (const char* good : {"utf-8;a@b", "UTF-8;\\x{E4}@b", "utf-8;\\x{10FFFF}", "utf-8;\\x{5C}"}) EXPECT_TRUE(is_orcpt(good, false)) << good;
  for (const char* bad : {"utf-8;", "utf-8;\\", "utf-8;\\x{}", "utf-8;\\x{e4}", "utf-8;\\x{110000}", "utf-8;\\x{DFFF}", "utf-8;\\x{7F}",
                          "utf-8;a+b", "utf-8;a=b", "utf-8;\\x{0}", "utf-8;\\x{00000000E4}"}) {
    EXPECT_FALSE(is_orcpt(bad, false)) << bad;
  }
}

TEST(Xclient, GoesOutAsItIsTakenIn) {
  const XclientAttributes told{.name = "", .addr = "2001:db8::1", .port = "25", .proto = "ESMTP", .helo = "a b+=c", .login = {}, .destaddr = {}, .destport = {}};
  const std::string argument = xclient_argument(told, kXclientNames);
  EXPECT_EQ(argument, "NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 PORT=25 PROTO=ESMTP HELO=a+20b+2B+3Dc");
  const auto taken = parse_xclient(argument);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->name, "");
  EXPECT_EQ(taken->addr, told.addr);
  EXPECT_EQ(taken->helo, told.helo);
  EXPECT_FALSE(taken->login);
}

TEST(Xclient, TellsOnlyWhatIsTaken) {
  const XclientAttributes told{.name = "a.test", .addr = "10.0.0.1", .port = {}, .proto = {}, .helo = "h", .login = {}, .destaddr = {}, .destport = {}};
  EXPECT_EQ(xclient_argument(told, "addr FOO  HELO"), "ADDR=10.0.0.1 HELO=h");
  EXPECT_EQ(xclient_argument(told, "PORT"), "");
  EXPECT_EQ(xclient_argument(told, ""), "");
}

TEST(Xclient, LineEndsDoNotComeInByXtext) {
  const auto taken = parse_xclient("HELO=a+0D+0AMAIL");
  EXPECT_TRUE(!taken || taken->helo->find('\r') == std::string::npos);
}

}  // namespace
}  // namespace holdfast::smtp
