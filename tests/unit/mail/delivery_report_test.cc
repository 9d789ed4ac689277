#include "common/mail/delivery_report.h"

#include <cstdlib>
#include <ctime>

#include <tuple>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "common/mail/report_text.h"

namespace holdfast::mail {
namespace {

constexpr std::int64_t kArrival = 1'800'000'000'000;

class DeliveryReport : public testing::Test {
 protected:
  DeliveryReport() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
  static ReportFacts facts() {
    ReportFacts f;
    f.id = {0x2A0000000001};
    f.original = {0x290000000007};
    f.hostname = "mx.example.test";
    f.now_ms = kArrival + 90 * 60'000;
    f.arrival_ms = kArrival;
    f.last_attempt_ms = kArrival + 60'000;
    f.sender = "alice@sender.test";
    f.message_id = "<m1@sender.test>";
    f.recipients = {{.address = "bob@example.test", .orcpt = "", .status = "5.1.1", .reply = "550 5.1.1 No such user",
                     .remote = "10.0.0.5[10.0.0.5]:25"}};
    f.content = "Received: by x\r\nSubject: hello\r\nFrom: alice@sender.test\r\n\r\n..secret\r\n";
    return f;
  }
  static bool has(const Report& report, std::string_view text) { return report.content.find(text) != std::string::npos; }
};

constexpr std::string_view kGolden =
    "Received: by mx.example.test (Holdfast) id 2A0000000001;\r\n"
    "\tFri, 15 Jan 2027 09:30:00 +0000\r\n"
    "Date: Fri, 15 Jan 2027 09:30:00 +0000\r\n"
    "From: Mail Delivery System <MAILER-DAEMON@mx.example.test>\r\n"
    "To: <alice@sender.test>\r\n"
    "Subject: Undelivered Mail Returned to Sender\r\n"
    "Message-ID: <2A0000000001.1800005400000@mx.example.test>\r\n"
    "In-Reply-To: <m1@sender.test>\r\n"
    "References: <m1@sender.test>\r\n"
    "Auto-Submitted: auto-replied\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
    "\tboundary=\"2A0000000001.1800005400000.0/mx.example.test\"\r\n"
    "\r\n"
    "This is a delivery report in MIME format.\r\n"
    "\r\n"
    "--2A0000000001.1800005400000.0/mx.example.test\r\n"
    "Content-Description: Notification\r\n"
    "Content-Type: text/plain; charset=us-ascii\r\n"
    "\r\n"
    "This is the mail gateway at mx.example.test. A program wrote this\r\n"
    "report.\r\n"
    "\r\n"
    "Your mail of Fri, 15 Jan 2027 08:00:00 +0000 was NOT delivered to:\r\n"
    "\r\n"
    "  <bob@example.test>\r\n"
    "    The mail server 10.0.0.5 refused it and said:\r\n"
    "      550 5.1.1 No such user\r\n"
    "    Check the address for a mistake in writing. The recipient may also\r\n"
    "    have left.\r\n"
    "\r\n"
    "The header of your mail is attached. For help, write to\r\n"
    "postmaster@mx.example.test and name the number 290000000007.\r\n"
    "\r\n"
    "--2A0000000001.1800005400000.0/mx.example.test\r\n"
    "Content-Description: Delivery report\r\n"
    "Content-Type: message/delivery-status\r\n"
    "\r\n"
    "Reporting-MTA: dns; mx.example.test\r\n"
    "Arrival-Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n"
    "X-Holdfast-Queue-ID: 290000000007\r\n"
    "\r\n"
    "Final-Recipient: rfc822; bob@example.test\r\n"
    "Action: failed\r\n"
    "Status: 5.1.1\r\n"
    "Remote-MTA: dns; [10.0.0.5]\r\n"
    "Diagnostic-Code: smtp; 550 5.1.1 No such user\r\n"
    "Last-Attempt-Date: Fri, 15 Jan 2027 08:01:00 +0000\r\n"
    "\r\n"
    "--2A0000000001.1800005400000.0/mx.example.test\r\n"
    "Content-Description: Header of the message\r\n"
    "Content-Type: text/rfc822-headers\r\n"
    "\r\n"
    "Received: by x\r\n"
    "Subject: hello\r\n"
    "From: alice@sender.test\r\n"
    "\r\n"
    "--2A0000000001.1800005400000.0/mx.example.test--\r\n";

TEST_F(DeliveryReport, IsThisText) {
  const auto report = build_report(facts());
  EXPECT_EQ(report.content, kGolden);
  EXPECT_EQ(report.message_id, "<2A0000000001.1800005400000@mx.example.test>");
  EXPECT_FALSE(report.eight_bit);
  EXPECT_FALSE(report.smtputf8);
}

TEST_F(DeliveryReport, CarriesWhatTheSenderAskedToSeeAgain) {
  auto f = facts();
  f.envid = "QQ+2B314+0A";
  f.recipients[0].orcpt = "rfc822;Bob+2Bx@example.test";
  const auto report = build_report(f);
  EXPECT_TRUE(has(report, "\r\nOriginal-Envelope-Id: QQ+314?\r\n"));
  EXPECT_TRUE(has(report, "\r\nOriginal-Recipient: rfc822; Bob+x@example.test\r\nFinal-Recipient:"));
}

TEST_F(DeliveryReport, NamesEachRecipient) {
  auto f = facts();
  f.recipients.push_back({.address = "eve@example.test", .orcpt = "", .status = "4.4.7", .reply = "kept for too long",
                          .remote = "none", .expired = true});
  const auto report = build_report(f);
  EXPECT_TRUE(has(report, "Final-Recipient: rfc822; bob@example.test"));
  EXPECT_TRUE(has(report, "Final-Recipient: rfc822; eve@example.test\r\nAction: failed\r\nStatus: 5.4.7\r\n"
                          "Diagnostic-Code: x-holdfast; kept for too long"));
  EXPECT_TRUE(has(report, "It was kept for 1h 30m"));
}

TEST_F(DeliveryReport, OfADelaySaysUntilWhen) {
  auto f = facts();
  f.kind = ReportKind::kDelayed;
  f.retry_until_ms = kArrival + 4LL * 86'400'000;
  f.recipients[0].status = "4.2.2";
  f.recipients[0].reply = "452 4.2.2 Mailbox full";
  const auto report = build_report(f);
  EXPECT_TRUE(has(report, "Subject: Delayed Mail (still being retried)\r\n"));
  EXPECT_TRUE(has(report, "Action: delayed\r\nStatus: 4.2.2\r\n"));
  EXPECT_TRUE(has(report, "\r\nWill-Retry-Until: Tue, 19 Jan 2027 08:00:00 +0000\r\n"));
  EXPECT_TRUE(has(report, "need not"));
}

TEST_F(DeliveryReport, OfASuccessSaysHowFarItIsKnown) {
  auto f = facts();
  f.recipients[0].status = "2.0.0";
  f.recipients[0].reply = "250 2.0.0 Ok: queued as 17";
  for (const auto& [kind, action, words] : {std::tuple{ReportKind::kRelayed, "relayed", "nobody can tell you"},
                                            std::tuple{ReportKind::kDelivered, "delivered", "was delivered to"}}) {
    f.kind = kind;
    const auto report = build_report(f);
    EXPECT_TRUE(has(report, fmt::format("\r\nAction: {}\r\nStatus: 2.0.0\r\n", action))) << report.content;
    EXPECT_TRUE(has(report, "\r\nSubject: Successful Mail Delivery Report\r\n"));
    EXPECT_TRUE(has(report, "Diagnostic-Code: smtp; 250 2.0.0 Ok: queued as 17\r\n"));
    std::string text = report.content;
    for (std::size_t at; (at = text.find("\r\n")) != text.npos;) text.replace(at, 2, " ");
    EXPECT_NE(text.find(words), text.npos) << report.content;
    EXPECT_FALSE(has(report, "Will-Retry-Until"));
  }
}

TEST_F(DeliveryReport, KeepsTheWholeMessageInWireFormat) {
  auto f = facts();
  f.whole = true;
  const auto report = build_report(f);
  EXPECT_TRUE(has(report, "Content-Type: message/rfc822\r\n\r\n" + f.content + "\r\n--"));
}

TEST_F(DeliveryReport, GoesOutWithoutAnOriginal) {
  auto f = facts();
  f.content.clear();
  const auto report = build_report(f);
  EXPECT_FALSE(has(report, "rfc822-headers"));
  EXPECT_TRUE(has(report, "could not be read any more"));
}

TEST_F(DeliveryReport, TakesNoneOfTheBodyWithTheHeader) {
  EXPECT_FALSE(has(build_report(facts()), "secret"));
  auto f = facts();
  f.content = "\r\nsecret\r\n";
  EXPECT_FALSE(has(build_report(f), "secret")) << "a mail without a header";
  f.content = "Subject: " + std::string(70 << 10, 'x') + "\r\n\r\nsecret\r\n";
  EXPECT_FALSE(has(build_report(f), "secret")) << "a header without an end";
}

TEST_F(DeliveryReport, CleansWhatAServerSaid) {
  auto f = facts();
  f.recipients[0].reply = "550 5.7.1 No\r\nAction: delivered\t\x01\xFF" + std::string(2000, 'y');
  const auto report = build_report(f);
  EXPECT_TRUE(has(report, "550 5.7.1 No??Action:\r\n delivered???yyy"));
  EXPECT_FALSE(has(report, "\r\nAction: delivered"));
  EXPECT_FALSE(report.eight_bit);
}

TEST_F(DeliveryReport, SpeaksUtf8WhereAnAddressDoes) {
  auto f = facts();
  f.sender = "jos\xC3\xA9@sender.test";
  f.recipients[0].address = "\xC3\xBC@example.test";
  const auto report = build_report(f);
  EXPECT_TRUE(report.smtputf8);
  EXPECT_TRUE(report.eight_bit);
  EXPECT_TRUE(has(report, "To: <jos\xC3\xA9@sender.test>\r\n"));
  EXPECT_TRUE(has(report, "Content-Type: message/global-delivery-status\r\n"));
  EXPECT_TRUE(has(report, "Final-Recipient: utf-8; \xC3\xBC@example.test\r\n"));
  EXPECT_TRUE(has(report, "Content-Type: text/plain; charset=utf-8\r\n"));
}

TEST_F(DeliveryReport, NeedsNoUtf8ForAnHonestAddress) {
  auto f = facts();
  f.sender = "jos\xE9@sender.test";  // Latin-1: nothing that could be sent as it is
  EXPECT_TRUE(has(build_report(f), "To: <jos?@sender.test>\r\n"));
  EXPECT_FALSE(build_report(f).smtputf8);
}

TEST_F(DeliveryReport, TellsHeadersInUtf8FromOtherOddBytes) {
  auto f = facts();
  f.content = "Subject: gr\xC3\xBC\xC3\x9F\r\n\r\nx\r\n";
  auto report = build_report(f);
  EXPECT_TRUE(has(report, "Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: gr\xC3\xBC"));
  EXPECT_TRUE(report.eight_bit);
  EXPECT_FALSE(report.smtputf8) << "no address needs it";
  f.content = "Subject: gr\xFC\xDF\r\n\r\nx\r\n";
  report = build_report(f);
  EXPECT_TRUE(has(report, "Content-Type: text/rfc822-headers\r\n\r\nSubject: gr??\r\n"));
  EXPECT_FALSE(report.eight_bit);
  f.content = "Subject: plain\r\n\r\ngr\xFC\r\n";
  f.whole = true;
  report = build_report(f);
  EXPECT_TRUE(has(report, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"));
  EXPECT_TRUE(report.eight_bit);
}

TEST_F(DeliveryReport, ADamagedHeaderEndsNothing) {
  auto f = facts();
  f.content = std::string("A: b\r\n.\r\nC: d\ne\rf") + std::string(1, '\0') + "g\r\n..dots\r\n\r\nx\r\n";
  const auto report = build_report(f);
  EXPECT_TRUE(has(report, "\r\n\r\nA: b\r\n\r\nC: d?e?f?g\r\n..dots\r\n\r\n--")) << report.content;
}

TEST_F(DeliveryReport, HasABoundaryThatTheOriginalDoesNot) {
  auto f = facts();
  f.whole = true;
  f.content += "--2A0000000001.1800005400000.0/mx.example.test--\r\n";
  EXPECT_TRUE(has(build_report(f), "boundary=\"2A0000000001.1800005400000.1/mx.example.test\""));
}

TEST_F(DeliveryReport, IsSafeOnTheWire) {
  auto f = facts();
  f.envid = ".";
  f.message_id = "<x\r\nBcc: all@x.test>";
  f.sender = "a\r\n.\r\nb@x.test";
  f.recipients[0].address = ".\"x\ny\"@example.test";
  f.recipients[0].orcpt = "no type";
  const auto report = build_report(f);
  EXPECT_FALSE(has(report, "Bcc"));
  EXPECT_FALSE(has(report, "Original-Recipient"));
  const auto& text = report.content;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') { ASSERT_TRUE(i > 0 && text[i - 1] == '\r') << i; }
    if (text[i] == '\r') { ASSERT_TRUE(i + 1 < text.size() && text[i + 1] == '\n') << i; }
    if (i > 0 && text[i - 1] == '\n' && text[i] == '.') { ASSERT_EQ(text[i + 1], '.') << i; }
  }
}

TEST_F(DeliveryReport, FoldsLongFields) {
  auto f = facts();
  f.recipients[0].reply = "550";
  for (int i = 0; i < 60; ++i) f.recipients[0].reply += " word";
  const auto report = build_report(f);
  for (std::string_view left = report.content; !left.empty();) {
    const auto end = left.find("\r\n");
    EXPECT_LE(end, 78U) << left.substr(0, end);
    left.remove_prefix(end + 2);
  }
}

TEST(WantsReport, OfSuccessIfAskedForOnly) {
  for (const auto kind : {ReportKind::kRelayed, ReportKind::kDelivered}) {
    EXPECT_FALSE(wants_report("", kind));
    EXPECT_FALSE(wants_report("NEVER", kind));
    EXPECT_FALSE(wants_report("FAILURE,DELAY", kind));
    EXPECT_TRUE(wants_report("failure,success", kind));
  }
}

TEST(WantsReport, AsRfc3461Says) {
  EXPECT_TRUE(wants_report("", ReportKind::kFailed));
  EXPECT_TRUE(wants_report("", ReportKind::kDelayed));
  EXPECT_FALSE(wants_report("NEVER", ReportKind::kFailed));
  EXPECT_FALSE(wants_report("NEVER", ReportKind::kDelayed));
  EXPECT_TRUE(wants_report("success,FAILURE", ReportKind::kFailed));
  EXPECT_FALSE(wants_report("SUCCESS,FAILURE", ReportKind::kDelayed));
  EXPECT_TRUE(wants_report("failure, delay", ReportKind::kDelayed));
  EXPECT_FALSE(wants_report("SUCCESS", ReportKind::kFailed));
}

TEST(Utf8, IsToldFromOtherBytes) {
  for (const std::string_view good : {"", "abc", "\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) EXPECT_TRUE(is_utf8(good)) << good;
  for (const std::string_view bad : {"\xC3", "\xBC", "\xC0\xAF", "\xED\xA0\x80", "\xE0\x80\x80", "\xF5\x80\x80\x80", "\xF4\x90\x80\x80", "a\xFF"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

}  // namespace
}  // namespace holdfast::mail
