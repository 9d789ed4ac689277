#include "common/mail/events.h"

#include <gtest/gtest.h>

namespace holdfast::mail::events {
namespace {

constexpr QueueId kId{0x3F2A91C07B4D};

Handover handover() {
  return {.id = kId,
          .recipient = "b@c.example",
          .relay = "10.0.0.5[10.0.0.5]:25",
          .delays = {0.1, 0, 0, 0.1},
          .dsn = "2.0.0",
          .answer = "250 2.0.0 Ok"};
}

// The golden texts: pflogsumm and admins read them (conventions.md).

TEST(Events, Client) {
  EXPECT_EQ(client(kId, "mx.s.example", "192.0.2.10"), "3F2A91C07B4D: client=mx.s.example[192.0.2.10]");
  EXPECT_EQ(client(kId, "", "2001:db8::1"), "3F2A91C07B4D: client=unknown[2001:db8::1]");
}

TEST(Events, Tls) {
  constexpr std::string_view how = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)";
  EXPECT_EQ(tls_from("", "192.0.2.10", how), "Anonymous TLS connection established from unknown[192.0.2.10]: TLSv1.3 "
                                             "with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)");
  EXPECT_EQ(tls_to("mx.example[192.0.2.10]:25", "Verified", how),
            "Verified TLS connection established to mx.example[192.0.2.10]:25: TLSv1.3 with cipher "
            "TLS_AES_256_GCM_SHA384 (256/256 bits)");
}

TEST(Events, ConnectAndDisconnect) {
  EXPECT_EQ(connect("", "192.0.2.10"), "connect from unknown[192.0.2.10]");
  EXPECT_EQ(disconnect("h.example", "192.0.2.10"), "disconnect from h.example[192.0.2.10]");
}

TEST(Events, From) {
  EXPECT_EQ(proxied_from(kId, "a@s.example", 2345, 1),
            "3F2A91C07B4D: from=<a@s.example>, size=2345, nrcpt=1 (proxied)");
  EXPECT_EQ(queued_from(kId, "", 0, 3), "3F2A91C07B4D: from=<>, size=0, nrcpt=3 (queue active)");
}

TEST(Events, MessageId) {
  EXPECT_EQ(message_id(kId, "<1@x>"), "3F2A91C07B4D: message-id=<1@x>");
  EXPECT_EQ(message_id(kId, "1@x"), "3F2A91C07B4D: message-id=<1@x>");
  EXPECT_EQ(message_id(kId, ""), "3F2A91C07B4D: message-id=<>");
}

TEST(Events, Sent) {
  EXPECT_EQ(sent(handover()),
            "3F2A91C07B4D: to=<b@c.example>, relay=10.0.0.5[10.0.0.5]:25, delay=0.2, delays=0.1/0/0/0.1, dsn=2.0.0, "
            "status=sent (250 2.0.0 Ok)");
}

TEST(Events, Deferred) {
  Handover h = handover();
  h.relay = "none";
  h.delays = {0.004, 120.4, 1.26, 9.96};
  h.dsn = "4.4.1";
  h.answer = "connect: connection refused";
  EXPECT_EQ(deferred(h),
            "3F2A91C07B4D: to=<b@c.example>, relay=none, delay=132, delays=0/120/1.3/10, dsn=4.4.1, status=deferred "
            "(connect: connection refused)");
}

TEST(Events, Bounced) {
  Handover h = handover();
  h.dsn = "5.1.1";
  h.answer = "550 5.1.1 No\r\nsuch user";
  EXPECT_EQ(bounced(h),
            "3F2A91C07B4D: to=<b@c.example>, relay=10.0.0.5[10.0.0.5]:25, delay=0.2, delays=0.1/0/0/0.1, dsn=5.1.1, "
            "status=bounced (550 5.1.1 No\\x0D\\x0Asuch user)");
  EXPECT_NE(refused(h).find(", status=refused (550 5.1.1 No"), std::string::npos);
}

TEST(Events, AnAnswerIsNeverEmpty) {
  Handover h = handover();
  h.answer = {};
  EXPECT_TRUE(sent(h).ends_with("status=sent (no reply)"));
}

TEST(Events, RemovedAndDuplicate) {
  EXPECT_EQ(removed(kId), "3F2A91C07B4D: removed");
  EXPECT_EQ(possible_duplicate(kId, "10.0.0.5[10.0.0.5]:25"),
            "3F2A91C07B4D: possible duplicate: the reply to the end of DATA was lost, relay=10.0.0.5[10.0.0.5]:25");
}

TEST(Events, Reject) {
  Reject r{.stage = "RCPT",
           .name = "h.example",
           .address = "192.0.2.10",
           .reply = "550 5.1.1",
           .subject = "x@y.example",
           .why = "Recipient address rejected: User unknown",
           .sender = "a@s.example",
           .recipient = "x@y.example",
           .protocol = "ESMTP",
           .helo = "h.example"};
  const std::string golden =
      "NOQUEUE: reject: RCPT from h.example[192.0.2.10]: 550 5.1.1 <x@y.example>: Recipient address rejected: User "
      "unknown; from=<a@s.example> to=<x@y.example> proto=ESMTP helo=<h.example>";
  EXPECT_EQ(reject(r), golden);
  r.subject = "<x@y.example>";
  EXPECT_EQ(reject(r), golden);
}

TEST(Events, RejectOfAConnectionAndOfContent) {
  Reject r{.stage = "CONNECT",
           .name = {},
           .address = "192.0.2.10",
           .reply = "421 4.3.2",
           .subject = {},
           .why = "Too many clients",
           .sender = {},
           .recipient = {},
           .protocol = "SMTP",
           .helo = {}};
  EXPECT_EQ(reject(r), "NOQUEUE: reject: CONNECT from unknown[192.0.2.10]: 421 4.3.2 Too many clients; proto=SMTP");
  r.stage = "END-OF-MESSAGE";
  r.helo = "h>\n";
  EXPECT_EQ(reject(r),
            "NOQUEUE: reject: END-OF-MESSAGE from unknown[192.0.2.10]: 421 4.3.2 Too many clients; from=<> proto=SMTP "
            "helo=<h?\\x0A>");
}

TEST(Events, DestinationState) {
  EXPECT_EQ(destination_state("office", "down", "up", 3, "connect: connection refused"),
            "destination=office state=down was=up after=3 reason=\"connect: connection refused\"");
}

}  // namespace
}  // namespace holdfast::mail::events
