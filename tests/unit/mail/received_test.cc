#include "common/mail/received.h"

#include <gtest/gtest.h>

namespace holdfast::mail {
namespace {

Received sample() {
  return {.helo = "mail.sender.example",
          .client_name = "host.sender.example",
          .literal = "[192.0.2.10]",
          .by = "mx.example.test",
          .protocol = "ESMTP",
          .id = {0x3F2A91C07B4D},
          .recipient = {},
          .date = "Sun, 22 Nov 2026 10:00:00 +0000"};
}

TEST(ReceivedHeader, WithoutRecipient) {
  EXPECT_EQ(received_header(sample()),
            "Received: from mail.sender.example (host.sender.example [192.0.2.10])\r\n"
            "\tby mx.example.test (Holdfast) with ESMTP id 3F2A91C07B4D;\r\n"
            "\tSun, 22 Nov 2026 10:00:00 +0000\r\n");
}

TEST(ReceivedHeader, TellsOfTls) {
  Received r = sample();
  r.tls = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)";
  r.protocol = "ESMTPS";
  EXPECT_EQ(received_header(r),
            "Received: from mail.sender.example (host.sender.example [192.0.2.10])\r\n"
            "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
            "\tby mx.example.test (Holdfast) with ESMTPS id 3F2A91C07B4D;\r\n"
            "\tSun, 22 Nov 2026 10:00:00 +0000\r\n");
}

TEST(ReceivedHeader, WithRecipientAndUnknownClient) {
  Received r = sample();
  r.client_name = {};
  r.recipient = "b@example.test";
  EXPECT_EQ(received_header(r),
            "Received: from mail.sender.example (unknown [192.0.2.10])\r\n"
            "\tby mx.example.test (Holdfast) with ESMTP id 3F2A91C07B4D\r\n"
            "\tfor <b@example.test>;\r\n"
            "\tSun, 22 Nov 2026 10:00:00 +0000\r\n");
}

TEST(ReceivedHeader, NamesCannotBreakIt) {
  Received r = sample();
  r.helo = "a(b)\r\nX: y;<z>";
  r.client_name = std::string_view("p\"q");
  const std::string header = received_header(r);
  EXPECT_TRUE(header.starts_with("Received: from a?b???X:?y??z? (p?q [192.0.2.10])\r\n")) << header;
  r.helo = {};
  EXPECT_TRUE(received_header(r).starts_with("Received: from unknown ("));
}

TEST(ReceivedHeader, LinesStayShort) {
  const std::string helo(2000, 'h');
  const std::string recipient(320, 'r');
  Received r = sample();
  r.helo = helo;
  r.recipient = recipient;
  const std::string header = received_header(r);
  for (std::size_t at = 0; at < header.size();) {
    const auto end = header.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - at, 998u);
    at = end + 2;
  }
}

TEST(ScanHeader, FindsMessageIdAndHops) {
  const HeaderFacts facts = scan_header(
      "Received: from a\r\n\tby b\r\nRECEIVED: x\r\nSubject: y\r\nmessage-id: <1@x>\r\n\r\nMessage-ID: "
      "<2@x>\r\nReceived: z\r\n");
  EXPECT_EQ(facts.message_id, "<1@x>");
  EXPECT_EQ(facts.received, 2);
}

TEST(ScanHeader, OddMessageIds) {
  EXPECT_EQ(scan_header("Message-ID:\r\n <folded@x>\r\n\r\n").message_id, "<folded@x>");
  EXPECT_EQ(scan_header("Message-ID : (why) <1@x> more\r\n").message_id, "<1@x>");
  EXPECT_EQ(scan_header("Message-ID: bare@x \r\n").message_id, "bare@x");
  EXPECT_EQ(scan_header("Message-ID: <a\x01\xff@x>\r\n").message_id, "<a??@x>");
  EXPECT_EQ(scan_header("Message-ID: <1@x>\r\nMessage-ID: <2@x>\r\n").message_id, "<1@x>");
  EXPECT_EQ(scan_header("Message-ID: <" + std::string(5000, 'a') + ">\r\n").message_id.size(), 998u);
  EXPECT_EQ(scan_header("Message-ID:").message_id, "");
}

TEST(ScanHeader, EndsWhereTheHeaderDoes) {
  EXPECT_EQ(scan_header("").message_id, "");
  EXPECT_EQ(scan_header("\r\nMessage-ID: <1@x>\r\n").message_id, "");
  EXPECT_EQ(scan_header("not a field\r\nMessage-ID: <1@x>\r\n").message_id, "");
  EXPECT_EQ(scan_header("X: " + std::string(kMaxHeader, 'x') + "\r\nMessage-ID: <1@x>\r\n").message_id, "");
}

}  // namespace
}  // namespace holdfast::mail
